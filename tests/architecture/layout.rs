//! Which files and folders there are.

use std::path::Path;

use super::{Complaints, tree};

/// Beside files whose name begins with a dot.
const TOP_LEVEL: &[&str] =
    &["Cargo.lock", "Cargo.toml", "README.md", "crates", "migrations", "static", "templates", "tests"];

/// What is at the top level and not on the map, and what is on the map and not there.
pub fn top_level(root: &Path) -> Complaints {
    let ignored = std::fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
    let there: Vec<String> = tree::names(root)
        .into_iter()
        .filter(|name| !name.starts_with('.') && !ignored.lines().any(|line| is_ignored(line, name)))
        .collect();
    let unknown =
        there.iter().filter(|name| !TOP_LEVEL.contains(&name.as_str())).map(|name| format!("{name} is not on the map"));
    let missing =
        TOP_LEVEL.iter().filter(|name| !there.iter().any(|it| it == *name)).map(|name| format!("{name} is missing"));
    unknown.chain(missing).collect()
}

/// A line of .gitignore: a name, or the beginning of one with a star.
fn is_ignored(line: &str, name: &str) -> bool {
    let line = line.trim_start_matches('/');
    match line.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => line == name,
    }
}

/// Migrations that lack a way, or have something else beside it.
pub fn migrations(root: &Path) -> Complaints {
    let folders = ["migrations/sqlite", "migrations/postgres"];
    let changes = folders
        .iter()
        .flat_map(|folder| tree::names(&root.join(folder)).into_iter().map(move |name| format!("{folder}/{name}")));
    changes
        .filter(|change| tree::names(&root.join(change)) != ["down.sql", "up.sql"])
        .map(|change| format!("{change} is not a folder with up.sql and down.sql"))
        .collect()
}
