//! What each crate may depend on, read from the Cargo.toml files.

use std::path::Path;

use toml::{Table, Value};

use super::{Complaints, tree};

/// Each crate, and the crates of ours that it may name.
const ARROWS: &[(&str, &[&str])] = &[
    ("jose", &[]),
    ("core", &["jose"]),
    ("identity", &["jose"]),
    ("storage", &["core", "identity", "jose"]),
    ("web", &["storage", "identity", "core", "jose"]),
    ("server", &["web", "storage", "identity", "core", "jose"]),
    // Speaks HTTP to a server from outside, and knows nothing of its inside; measures what APIs use, too.
    ("load", &["resource-server"]),
    // Stands in other people's APIs, which must not carry the server along. Its tests name it itself, with all of its features.
    ("resource-server", &["jose", "resource-server"]),
];

/// Dependencies that only these crates may name. A name stands for all that begin with it and a hyphen or an underscore, too.
const OWNERS: &[(&str, &[&str])] = &[
    ("ring", &["jose"]),
    ("diesel", &["storage"]),
    ("libsqlite3-sys", &["storage"]),
    // The server's pages and endpoints; and the middleware for APIs, behind a feature.
    ("actix", &["web", "resource-server"]),
    ("axum", &["resource-server"]),
    ("tower", &["resource-server"]),
    ("askama", &["web"]),
    ("oxide-auth", &["core"]),
];

/// Crates that decide. What they need of the world is handed in.
const PURE: &[&str] = &["core", "identity"];

/// HTTP, SQL, clocks, random sources and runtimes.
const WORLDLY: &[&str] = &[
    "actix",
    "axum",
    "hyper",
    "http",
    "tower",
    "reqwest",
    "ureq",
    "rustls",
    "native-tls",
    "diesel",
    "libsqlite3-sys",
    "rusqlite",
    "sqlx",
    "postgres",
    "tokio-postgres",
    "time",
    "chrono",
    "jiff",
    "rand",
    "getrandom",
    "ring",
    "tokio",
    "async-std",
    "smol",
    "futures-executor",
];

/// One line of a crate's dependencies, with what the workspace says about it.
struct Dependency {
    name: String,
    features: Vec<String>,
    default_features: bool,
}

impl Dependency {
    fn is(&self, name: &str) -> bool {
        self.name.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
    }
}

/// Dependencies between our crates that the plan does not have.
pub fn arrows(root: &Path) -> Complaints {
    let mut complaints = Complaints::new();
    for name in tree::names(&root.join("crates")) {
        let Some((_, allowed)) = ARROWS.iter().find(|(owner, _)| *owner == name) else {
            complaints.push(format!("crates/{name} is not in the plan"));
            continue;
        };
        for dependency in dependencies(root, &name, true) {
            if let Some(other) = dependency.name.strip_prefix("grantor-").filter(|other| !allowed.contains(other)) {
                complaints.push(format!("{name} must not depend on {other}"));
            }
        }
    }
    complaints
}

/// Dependencies that belong to another crate.
pub fn owners(root: &Path) -> Complaints {
    let owned = |name: &str, dependency: &Dependency| {
        let (_, owners) = OWNERS.iter().find(|(library, owners)| dependency.is(library) && !owners.contains(&name))?;
        Some(format!("only {} may name {}, and {name} does", owners.join(" and "), dependency.name))
    };
    let crates = tree::names(&root.join("crates"));
    let of_crate = |name: &String| -> Complaints {
        dependencies(root, name, true).iter().filter_map(|dependency| owned(name, dependency)).collect()
    };
    crates.iter().flat_map(of_crate).collect()
}

/// What the crates that decide must not know. Their tests may.
pub fn worldly(root: &Path) -> Complaints {
    let mut complaints = Complaints::new();
    for name in PURE {
        for dependency in dependencies(root, name, false) {
            if WORLDLY.iter().any(|library| dependency.is(library)) && !is_harmless(name, &dependency) {
                let features = dependency.features.join(", ");
                complaints.push(format!("{name} decides, and must not know {} [{features}]", dependency.name));
            }
        }
    }
    complaints
}

/// The bounded queue of `identity` waits by a channel that needs no runtime. The libraries of `core` speak in `chrono`'s types,
/// which have a clock only with a feature.
fn is_harmless(name: &str, dependency: &Dependency) -> bool {
    let only = |allowed: &[&str]| dependency.features.iter().all(|feature| allowed.contains(&feature.as_str()));
    match (name, dependency.name.as_str()) {
        ("identity", "tokio") => only(&["sync"]),
        ("core", "chrono") => !dependency.default_features && only(&["alloc", "std", "serde"]),
        _ => false,
    }
}

fn dependencies(root: &Path, name: &str, with_tests: bool) -> Vec<Dependency> {
    let manifest = read(&root.join("crates").join(name).join("Cargo.toml"));
    let shared = read(&root.join("Cargo.toml"));
    let shared =
        table(&shared, "workspace").map(|workspace| table_or_empty(workspace, "dependencies")).unwrap_or_default();
    let mut kinds = vec!["dependencies", "build-dependencies"];
    kinds.extend(with_tests.then_some("dev-dependencies"));
    let targets = table_or_empty(&manifest, "target");
    let places = std::iter::once(&manifest).chain(targets.values().filter_map(Value::as_table));
    places
        .flat_map(|place| kinds.iter().filter_map(|kind| table(place, kind)))
        .flat_map(|list| list.iter().map(|(key, line)| dependency(key, line, &shared)))
        .collect()
}

fn dependency(key: &str, line: &Value, shared: &Table) -> Dependency {
    let inherited = line.get("workspace").and_then(Value::as_bool) == Some(true);
    let base = shared.get(key).filter(|_| inherited);
    let lines = [Some(line), base];
    let features = lines.iter().flatten().filter_map(|line| line.get("features")?.as_array()).flatten();
    let said = |what: &str| lines.iter().flatten().find_map(|line| line.get(what));
    Dependency {
        name: said("package").and_then(Value::as_str).unwrap_or(key).to_owned(),
        features: features.filter_map(Value::as_str).map(str::to_owned).collect(),
        default_features: said("default-features").and_then(Value::as_bool).unwrap_or(true),
    }
}

fn read(path: &Path) -> Table {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn table<'a>(table: &'a Table, key: &str) -> Option<&'a Table> {
    table.get(key)?.as_table()
}

fn table_or_empty(parent: &Table, key: &str) -> Table {
    table(parent, key).cloned().unwrap_or_default()
}
