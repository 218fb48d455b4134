//! `grantor apply`: clients, users, scopes, APIs and upstreams as a file says they shall be.
//!
//! Three beats: [`parse`] reads the file and finds all that is wrong with it, [`plan::plan`] compares it with what is kept
//! (a plain function), and [`apply::apply`] commits the difference with its events, all or none. Applied again, nothing is
//! left to change. What is not declared is left alone.

pub mod apply;
mod claim;
pub mod client;
mod directory;
pub mod plan;
mod section;
pub mod upstream;
pub mod user;

use std::collections::BTreeSet;
use std::fmt;

pub use client::DeclaredClient;
pub use directory::{DeclaredResource, DeclaredScope};
pub use section::Place;
pub use upstream::DeclaredUpstream;
pub use user::{DeclaredPassword, DeclaredUser};

use crate::place::{Fault, Source};
use section::Section;

/// What a file declares.
#[derive(Clone, Debug, Default)]
pub struct Declaration {
    /// `[[clients]]`.
    pub clients: Vec<DeclaredClient>,
    /// `[[users]]`.
    pub users: Vec<DeclaredUser>,
    /// `[[scopes]]`.
    pub scopes: Vec<DeclaredScope>,
    /// `[[resources]]`.
    pub resources: Vec<DeclaredResource>,
    /// `[[upstreams]]`.
    pub upstreams: Vec<DeclaredUpstream>,
    /// What is allowed, and better otherwise.
    pub warnings: Vec<String>,
}

/// All that is wrong with a file, one line each.
#[derive(Debug)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        out.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Faults {}

/// Reads a declaration.
///
/// # Errors
/// All that is wrong with it, each with file, line and key.
pub fn parse(source: &Source) -> Result<Declaration, Faults> {
    let table = source.parse().map_err(|fault| Faults(vec![fault]))?;
    let mut root = Section::new(source, String::new(), table);
    root.only(&[&["clients", "users", "scopes", "resources", "upstreams"]]);
    let mut warnings = Vec::new();
    let mut declaration = Declaration {
        clients: each(&mut root, "clients", |section| client::read(section, &mut warnings)),
        scopes: each(&mut root, "scopes", directory::read_scope),
        resources: each(&mut root, "resources", directory::read_resource),
        upstreams: each(&mut root, "upstreams", upstream::read),
        ..Declaration::default()
    };
    declaration.users = each(&mut root, "users", |section| user::read(section, &mut warnings));
    declaration.warnings = warnings;
    let mut faults = root.into_faults();
    faults.extend(declaration.repeats());
    faults.sort_by_key(|fault| fault.line);
    if faults.is_empty() { Ok(declaration) } else { Err(Faults(faults)) }
}

fn each<'s, T>(root: &mut Section<'s>, name: &str, mut read: impl FnMut(&mut Section<'s>) -> Option<T>) -> Vec<T> {
    let mut found = Vec::new();
    for mut section in root.tables(name) {
        found.extend(read(&mut section));
        root.adopt(section.into_faults());
    }
    found
}

impl Declaration {
    /// Things declared more than once.
    fn repeats(&self) -> Vec<Fault> {
        let mut seen = BTreeSet::new();
        let clients = self.clients.iter().map(|client| ("client_id", client.client_id.as_str(), &client.place));
        let users = self.users.iter().map(|user| ("username", user.username.as_str(), &user.place));
        let scopes = self.scopes.iter().map(|scope| ("name", scope.definition.name.as_str(), &scope.place));
        let resources = self.resources.iter().map(|api| ("identifier", api.resource.identifier.as_str(), &api.place));
        let all = clients.chain(users).chain(scopes).chain(resources);
        let upstreams = self.upstreams.iter().map(|known| ("upstream", known.definition.name.as_str(), &known.place));
        let all = all.chain(upstreams).filter(|(key, name, _)| !seen.insert((*key, *name)));
        all.map(|(key, name, place)| (if key == "upstream" { "name" } else { key }, name, place))
            .filter_map(|(key, name, place)| place.fault(key, &format!("\"{name}\" is declared before")))
            .collect()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
