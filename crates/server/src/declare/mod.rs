//! `grantor apply`: clients, users, scopes, APIs, apps behind proxies and upstreams as a file says they shall be.
//!
//! Three beats: [`parse`] reads the file and finds all that is wrong with it, [`plan::plan`] compares it with what is kept
//! (a plain function), and [`apply::apply`] commits the difference with its events, all or none. Applied again, nothing is
//! left to change. What is not declared is left alone.

mod api_key;
mod app;
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

pub use api_key::{DeclaredKey, KeyProof};
pub use app::DeclaredApp;
pub use client::DeclaredClient;
pub use directory::{DeclaredGroup, DeclaredResource, DeclaredScope};
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
    /// `[[api_keys]]`.
    pub api_keys: Vec<DeclaredKey>,
    /// `[[groups]]`.
    pub groups: Vec<DeclaredGroup>,
    /// `[[resources]]`.
    pub resources: Vec<DeclaredResource>,
    /// `[[apps]]`.
    pub apps: Vec<DeclaredApp>,
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
    root.only(&[&["clients", "users", "groups", "scopes", "resources", "api_keys", "apps", "upstreams"]]);
    let mut warnings = Vec::new();
    let mut declaration = Declaration {
        clients: each(&mut root, "clients", |section| client::read(section, &mut warnings)),
        scopes: each(&mut root, "scopes", directory::read_scope),
        api_keys: each(&mut root, "api_keys", api_key::read),
        groups: each(&mut root, "groups", directory::read_group),
        resources: each(&mut root, "resources", directory::read_resource),
        apps: each(&mut root, "apps", app::read),
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
    /// Things declared more than once: of each kind, by what names it. Keys of one app by their names.
    fn repeats(&self) -> Vec<Fault> {
        let mut seen = BTreeSet::new();
        let clients = self.clients.iter().map(|client| (0, "client_id", "", client.client_id.as_str(), &client.place));
        let users = self.users.iter().map(|user| (1, "username", "", user.username.as_str(), &user.place));
        let scopes = self.scopes.iter().map(|scope| (2, "name", "", scope.definition.name.as_str(), &scope.place));
        let groups = self.groups.iter().map(|group| (3, "name", "", group.group.name.as_str(), &group.place));
        let apis = self.resources.iter().map(|api| (4, "identifier", "", api.resource.identifier.as_str(), &api.place));
        let keys = self.api_keys.iter().map(|key| (5, "name", key.client_id.as_str(), key.name.as_str(), &key.place));
        let proxied = self.apps.iter().map(|app| (6, "name", "", app.app.name.as_str(), &app.place));
        let known = self.upstreams.iter();
        let upstreams = known.map(|known| (7, "name", "", known.definition.name.as_str(), &known.place));
        let all =
            clients.chain(users).chain(scopes).chain(groups).chain(apis).chain(keys).chain(proxied).chain(upstreams);
        all.filter(|(kind, _, of, name, _)| !seen.insert((*kind, *of, *name)))
            .filter_map(|(_, key, _, name, place)| place.fault(key, &format!("\"{name}\" is declared before")))
            .chain(self.repeated_proofs())
            .collect()
    }

    /// One key under two names.
    fn repeated_proofs(&self) -> Vec<Fault> {
        let mut seen = BTreeSet::new();
        let again = self.api_keys.iter().filter(|key| !seen.insert(key.proof.id.as_i64()));
        again.filter_map(|key| key.place.fault("key_hash", "is that of a key that is declared before")).collect()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
