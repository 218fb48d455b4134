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

/// What asks other servers, and the files that may name it. `grantor-resource-server` and the load generator are programs of others,
/// and are not looked at.
const ASKERS: [(&str, &[&str]); 3] = [
    // All that others can name goes through the guard; the doctor asks the operator's own issuer.
    ("reqwest::", &["crates/web/src/outbound.rs", "crates/web/src/outbound/", "crates/server/src/checkup/issuer.rs"]),
    // The mail server is named by the operator alone.
    ("lettre::", &["crates/web/src/mail.rs", "crates/web/src/mail/"]),
    ("TcpStream", &[]),
];

/// Files that ask other servers, past the one door through which this server does.
pub fn past_the_guard(root: &Path) -> Complaints {
    let others = ["crates/resource-server/", "crates/load/", "tests/"];
    let is_looked_at = |path: &str| !others.iter().any(|other| path.starts_with(other)) && !path.contains("/tests");
    let found = tree::rust(root).into_iter().filter(|(path, _)| is_looked_at(path)).flat_map(|(path, text)| {
        let shipped: Vec<&str> = text.lines().take_while(|line| line.trim() != "#[cfg(test)]").collect();
        let named = ASKERS.into_iter().filter(|(asker, _)| shipped.iter().any(|line| line.contains(asker)));
        let past = named.filter(|(_, places)| !places.iter().any(|place| path.starts_with(place)));
        past.map(|(asker, _)| format!("{path} names {asker}")).collect::<Vec<_>>()
    });
    // The robot that walks through the demo is a test; that stands where it is named.
    found.filter(|complaint| !complaint.starts_with("crates/web/src/demo/walk/")).collect()
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
