//! All apps behind proxies, found by where a request goes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{ProxiedApp, path};
use crate::error::Error;

/// The apps behind proxies.
#[derive(Clone, Debug, Default)]
pub struct Apps {
    by_name: BTreeMap<String, Arc<ProxiedApp>>,
    by_authority: HashMap<String, Vec<Declared>>,
}

/// An origin as declared, a path there, and whose they are.
type Declared = (String, String, Arc<ProxiedApp>);

/// Where a request goes: an app, and the origin of it that was asked for.
#[derive(Clone, Debug)]
pub struct Place {
    /// The app.
    pub app: Arc<ProxiedApp>,
    /// The origin, as declared.
    pub origin: String,
    /// Whether the path needs no sign-in.
    pub is_unprotected: bool,
}

impl Apps {
    /// The app of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<ProxiedApp>> {
        self.by_name.get(name)
    }

    /// All apps, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<ProxiedApp>> {
        self.by_name.values()
    }

    /// The app that a request to `target`, a path perhaps with a query, at `authority` is for.
    ///
    /// # Errors
    /// `EntryAddressUnknown` where no app is declared there; `EntryAddressAmbiguous` where it depends on the path, and a server
    /// may read that in another way.
    pub fn find(&self, authority: &str, target: &str) -> Result<Place, Error> {
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        let declared = self.at(authority)?;
        if !target.starts_with('/') {
            return Err(Error::EntryAddressAmbiguous);
        }
        // Where all paths are alike, it does not matter how they are read.
        if let [(origin, prefix, app)] = declared
            && prefix == "/"
            && app.unprotected_paths.is_empty()
        {
            return Ok(Place { app: Arc::clone(app), origin: origin.clone(), is_unprotected: false });
        }
        if path::is_ambiguous(path) {
            return Err(Error::EntryAddressAmbiguous);
        }
        let found = at_path(declared, path)?;
        // A server that takes capitals for small letters would show another app's pages.
        let folded = at_path(declared, &path.to_ascii_lowercase());
        let same = folded.is_ok_and(|other| Arc::ptr_eq(&other.app, &found.app));
        if same { Ok(found) } else { Err(Error::EntryAddressAmbiguous) }
    }
}

impl Apps {
    /// The origin, as declared, of what is asked for at `authority`.
    ///
    /// # Errors
    /// `EntryAddressUnknown`.
    pub fn origin(&self, authority: &str) -> Result<&str, Error> {
        self.at(authority)?.first().map(|(origin, ..)| origin.as_str()).ok_or(Error::EntryAddressUnknown)
    }

    fn at(&self, authority: &str) -> Result<&[Declared], Error> {
        let authority = authority.to_ascii_lowercase();
        let bare = authority.strip_suffix(":443").unwrap_or(&authority);
        let declared = self.by_authority.get(bare).or_else(|| self.by_authority.get(bare.strip_suffix(":80")?));
        declared.map(Vec::as_slice).ok_or(Error::EntryAddressUnknown)
    }
}

fn at_path(declared: &[Declared], path: &str) -> Result<Place, Error> {
    let covering = declared.iter().filter(|(_, prefix, _)| path::covers(prefix, path));
    let longest = covering.max_by_key(|(_, prefix, _)| prefix.len());
    let (origin, _, app) = longest.ok_or(Error::EntryAddressUnknown)?;
    Ok(Place { app: Arc::clone(app), origin: origin.clone(), is_unprotected: app.is_unprotected(path) })
}

impl FromIterator<ProxiedApp> for Apps {
    fn from_iter<I: IntoIterator<Item = ProxiedApp>>(apps: I) -> Self {
        let mut all = Self::default();
        for app in apps.into_iter().map(Arc::new) {
            for (authority, origin) in app.authorities() {
                let places = all.by_authority.entry(authority).or_default();
                places.extend(app.paths.iter().map(|path| (origin.to_owned(), path.clone(), Arc::clone(&app))));
            }
            all.by_name.insert(app.name.clone(), app);
        }
        all
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn apps() -> Apps {
        let app = |text: &str| serde_json::from_str::<ProxiedApp>(text).unwrap();
        Apps::from_iter([
            app(
                r#"{"name":"Wiki","origins":["https://wiki.example"],"everybody":true,"unprotected_paths":["/health"]}"#,
            ),
            app(r#"{"name":"Admin","origins":["https://wiki.example"],"paths":["/admin"],"groups":["admin"]}"#),
            app(r#"{"name":"Files","origins":["https://files.example","http://localhost:81"],"everybody":true}"#),
        ])
    }

    fn found(authority: &str, target: &str) -> String {
        match apps().find(authority, target) {
            Ok(place) => format!("{}{}", place.app.name, if place.is_unprotected { " open" } else { "" }),
            Err(error) => error.reason().to_owned(),
        }
    }

    #[test]
    fn the_longest_path_counts() {
        for (target, expected) in [
            ("/", "Wiki"),
            ("/?x=/admin", "Wiki"),
            ("/administrator", "Wiki"),
            ("/admin", "Admin"),
            ("/admin/users?x=1", "Admin"),
            ("/health", "Wiki open"),
            ("/healthy", "Wiki"),
            ("/a%20b", "Wiki"),
        ] {
            assert_eq!(found("wiki.example", target), expected, "{target}");
        }
    }

    #[test]
    fn a_host_is_the_same_in_capitals_and_with_its_own_port() {
        for authority in ["Files.Example", "files.example:443", "localhost:81"] {
            assert_eq!(found(authority, "/"), "Files", "{authority}");
        }
        for authority in [
            "",
            "files.example:8443",
            "files.example.",
            "evil.example",
            "localhost",
            "files.example/",
            "files.example@wiki.example",
        ] {
            assert_eq!(found(authority, "/"), "EntryAddressUnknown", "{authority}");
        }
    }

    #[test]
    fn a_path_that_can_be_read_in_two_ways_opens_nothing_where_paths_differ() {
        for target in [
            "/health/../admin",
            "/%61dmin",
            "/Admin",
            "/ADMIN/users",
            "//admin",
            "/health;/admin",
            "/health/%2e%2e/",
            "admin",
            "",
        ] {
            assert_eq!(found("wiki.example", target), "EntryAddressAmbiguous", "{target}");
        }
        assert_eq!(found("files.example", "/a/../b;c"), "Files");
        assert_eq!(found("files.example", "https://files.example/"), "EntryAddressAmbiguous");
    }
}
