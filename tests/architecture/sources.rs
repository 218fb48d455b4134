//! How files are called, and how long they are.

use std::path::Path;

use super::{Complaints, tree};

const MAX_LINES: usize = 400;

/// Names that say that something is kept here, not what.
const VAGUE: &[&str] = &[
    "common", "handler", "handlers", "helper", "helpers", "manager", "managers", "misc", "service", "services",
    "types", "util", "utils",
];

/// Files with more lines than that before their tests.
pub fn long(root: &Path) -> Complaints {
    let too_long = |(path, text): (String, String)| {
        let lines = text.lines().take_while(|line| line.trim() != "#[cfg(test)]").count();
        (lines > MAX_LINES).then(|| format!("{path} has {lines} lines, of {MAX_LINES}"))
    };
    tree::rust(root).into_iter().filter_map(too_long).collect()
}

/// Files and folders of code, pages and tests with a vague word in their name.
pub fn vague(root: &Path) -> Complaints {
    let places = ["crates", "templates", "static", "tests"];
    let paths = places.iter().flat_map(|place| tree::files(&root.join(place))).map(|file| tree::from_root(root, &file));
    paths
        .filter(|path| path.split('/').any(is_vague))
        .map(|path| format!("{path} does not say what it is about"))
        .collect()
}

fn is_vague(name: &str) -> bool {
    name.split(['.', '_', '-']).any(|word| VAGUE.contains(&word))
}
