//! All apps behind proxies, found by where a request goes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::ProxiedApp;
use super::path::ReadPath;
use crate::error::Error;

/// The apps behind proxies.
#[derive(Clone, Debug, Default)]
pub struct Apps {
    by_name: BTreeMap<String, Arc<ProxiedApp>>,
    /// The apps of each authority.
    by_authority: HashMap<String, Vec<Declared>>,
}

/// A path of an app at an origin.
#[derive(Clone, Debug)]
struct Declared {
    /// The origin, as declared.
    origin: String,
    /// The path, as declared.
    text: String,
    path: ReadPath,
    /// The paths that need no sign-in, read once.
    unprotected: Arc<[ReadPath]>,
    app: Arc<ProxiedApp>,
}

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

    /// Whether any app lets somebody in by this username.
    pub fn name_user(&self, username: &str) -> bool {
        self.by_name.values().any(|app| app.users.iter().any(|named| named == username))
    }

    /// All apps, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<ProxiedApp>> {
        self.by_name.values()
    }

    /// The app that a request to `target`, a path perhaps with a query, at `authority` is for.
    ///
    /// # Errors
    /// `EntryAddressUnknown` where no app is declared there; `EntryAddressAmbiguous` where it depends on the path, and a server
    /// may read that in another way, or where two apps are declared for it.
    pub fn find(&self, authority: &str, target: &str) -> Result<Place, Error> {
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        let declared = self.at(authority)?;
        if !target.starts_with('/') {
            return Err(Error::EntryAddressAmbiguous);
        }
        // Where all paths are alike, it does not matter how they are read.
        if let [only] = declared
            && only.text == "/"
            && only.app.unprotected_paths.is_empty()
        {
            return Ok(Place { app: Arc::clone(&only.app), origin: only.origin.clone(), is_unprotected: false });
        }
        let path = ReadPath::parse(path).ok_or(Error::EntryAddressAmbiguous)?;
        let found = longest(declared, |known| path.is_below(known))?;
        // A server that takes capitals for small letters would show another app's pages.
        let folded = longest(declared, |known| path.may_be_below(known));
        if !folded.is_ok_and(|other| Arc::ptr_eq(&other.app, &found.app)) {
            return Err(Error::EntryAddressAmbiguous);
        }
        let is_unprotected = found.unprotected.iter().any(|open| path.is_below(open));
        Ok(Place { app: Arc::clone(&found.app), origin: found.origin.clone(), is_unprotected })
    }

    /// The origin, as declared, of what is asked for at `authority`, and the shortest path that an app has there.
    ///
    /// # Errors
    /// `EntryAddressUnknown`.
    pub fn origin(&self, authority: &str) -> Result<(&str, &str), Error> {
        let shortest = self.at(authority)?.iter().min_by_key(|declared| declared.path.len());
        shortest.map(|declared| (declared.origin.as_str(), declared.text.as_str())).ok_or(Error::EntryAddressUnknown)
    }

    /// The names of other apps that are declared for a path of this one; nobody can enter there.
    pub fn rivals(&self, app: &ProxiedApp) -> impl Iterator<Item = &str> {
        let paths: Vec<_> = app.paths.iter().filter_map(|path| ReadPath::parse(path)).collect();
        let places = app.authorities().filter_map(|(authority, _)| self.by_authority.get(&authority)).flatten();
        let others = places.filter(move |declared| declared.app.name != app.name && paths.contains(&declared.path));
        others.map(|declared| declared.app.name.as_str())
    }

    fn at(&self, authority: &str) -> Result<&[Declared], Error> {
        let authority = authority.to_ascii_lowercase();
        let bare = authority.strip_suffix(":443").unwrap_or(&authority);
        let declared = self.by_authority.get(bare).or_else(|| self.by_authority.get(bare.strip_suffix(":80")?));
        declared.map(Vec::as_slice).ok_or(Error::EntryAddressUnknown)
    }
}

/// The longest path that covers; nobody decides between two apps that have the same.
fn longest(declared: &[Declared], covers: impl Fn(&ReadPath) -> bool) -> Result<&Declared, Error> {
    let covering = || declared.iter().filter(|known| covers(&known.path));
    let longest = covering().max_by_key(|known| known.path.len()).ok_or(Error::EntryAddressUnknown)?;
    let mut equals = covering().filter(|known| known.path.len() == longest.path.len());
    if equals.any(|known| !Arc::ptr_eq(&known.app, &longest.app)) {
        return Err(Error::EntryAddressAmbiguous);
    }
    Ok(longest)
}

impl FromIterator<ProxiedApp> for Apps {
    fn from_iter<I: IntoIterator<Item = ProxiedApp>>(apps: I) -> Self {
        let mut all = Self::default();
        for app in apps.into_iter().map(Arc::new) {
            let unprotected: Arc<[_]> = app.unprotected_paths.iter().filter_map(|open| ReadPath::parse(open)).collect();
            for (authority, origin) in app.authorities() {
                let places = all.by_authority.entry(authority).or_default();
                let read = |text: &String| {
                    let path = ReadPath::parse(text)?;
                    let (origin, text) = (origin.to_owned(), text.clone());
                    Some(Declared { origin, text, path, unprotected: Arc::clone(&unprotected), app: Arc::clone(&app) })
                };
                places.extend(app.paths.iter().filter_map(read));
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
            app(
                r#"{"name":"Ateliers","origins":["https://wiki.example"],"paths":["/Atelier","/b%C3%BCro"],"users":["bob"]}"#,
            ),
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
            ("/Atelier/1", "Ateliers"),
            ("/b%C3%BCro", "Ateliers"),
            ("/b%c3%bcro/x", "Ateliers"),
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
            "/atelier",
            "/B%C3%9CRO",
            "",
        ] {
            assert_eq!(found("wiki.example", target), "EntryAddressAmbiguous", "{target}");
        }
        assert_eq!(found("files.example", "/a/../b;c"), "Files");
        assert_eq!(found("files.example", "https://files.example/"), "EntryAddressAmbiguous");
    }

    #[test]
    fn two_apps_for_one_path_are_for_nobody() {
        let app = |name: &str, more: &str| {
            let text = format!(r#"{{"name":"{name}","origins":["https://wiki.example"]{more}}}"#);
            serde_json::from_str::<ProxiedApp>(&text).unwrap()
        };
        let (old, new) = (app("Old", r#","everybody":true"#), app("New", r#","users":["bob"]"#));
        let all = Apps::from_iter([old.clone(), new.clone(), app("Deep", r#","users":["bob"],"paths":["/deep"]"#)]);
        assert!(matches!(all.find("wiki.example", "/a"), Err(Error::EntryAddressAmbiguous)));
        assert_eq!(all.find("wiki.example", "/deep/a").unwrap().app.name, "Deep");
        assert_eq!(all.rivals(&new).collect::<Vec<_>>(), ["Old"]);
        assert_eq!(Apps::from_iter([new]).rivals(&old).collect::<Vec<_>>(), ["New"]);
    }
}
