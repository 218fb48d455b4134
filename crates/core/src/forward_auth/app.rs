//! An app behind a proxy, as it is declared, and who may enter it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use url::Url;

use super::path::ReadPath;
use crate::directory::Directory;
use crate::error::Error;
use crate::level::Level;
use crate::network::Networks;
use crate::redirect_uri::is_loopback;
use crate::scope::Scope;
use crate::session::Session;
use crate::user::User;

/// An app behind a proxy that asks us about each request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxiedApp {
    /// The name people are shown; no other app behind a proxy has it.
    pub name: String,
    /// Where browsers reach it, as in `https://wiki.example.com`; http is for this machine only.
    pub origins: Vec<String>,
    /// The paths that are the app's, each with all below it. Default `["/"]`; where apps share an origin, the longest path counts.
    #[serde(default = "whole", skip_serializing_if = "is_whole")]
    pub paths: Vec<String>,
    /// Whether everybody with an account may enter. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub everybody: bool,
    /// The people who may enter, by username; never one who made the account themselves, who may have any name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// The groups whose people may enter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The API that a token must be for to enter: the identifier of one of the `[[resources]]`. Without it no token enters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The scopes that a token must have, all of them. Default: any that the API has.
    #[serde(default, skip_serializing_if = "Scope::is_empty")]
    pub scopes: Scope,
    /// The methods (RFC 8176) that the sign-in must have used, all of them, as in `["pwd", "otp"]`: as noted here, or told by an
    /// upstream, whether that is believed in them or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// How surely people must be known who enter: `password`, `two-factors` or `phishing-resistant`; in any way when absent. Who is
    /// signed in and known less surely is asked for more. A token enters that an app got by such a sign-in, and no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_level: Option<Level>,
    /// The networks from which it may be entered; from anywhere when absent.
    #[serde(default, skip_serializing_if = "Networks::is_anywhere")]
    pub networks: Networks,
    /// Paths that are open to everybody without any sign-in, each with all below it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unprotected_paths: Vec<String>,
    /// Whether the question that browsers ask before a request to another origin (CORS preflight), which never has a cookie or
    /// a token, goes on to the app. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unprotected_preflight: bool,
    /// Whether the app is told who enters in a signed JWT, too. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub identity_token: bool,
}

/// What is known of the sign-in of somebody who enters; nothing where there was none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// How surely the person was known.
    pub level: Option<Level>,
    /// The methods.
    pub amr: &'a [String],
}

impl<'a> Known<'a> {
    /// By the sign-in of a session.
    pub fn of(session: &'a Session) -> Self {
        Self { level: Some(session.level()), amr: &session.amr }
    }
}

fn whole() -> Vec<String> {
    vec!["/".to_owned()]
}

fn is_whole(paths: &[String]) -> bool {
    matches!(paths, [only] if only == "/")
}

impl ProxiedApp {
    /// What is wrong with the declaration: the key, and what would be right.
    pub fn findings(&self) -> Vec<(&'static str, String)> {
        let mut findings = Vec::new();
        if self.origins.is_empty() {
            findings
                .push(("origins", "is empty; name the app's address, as [\"https://wiki.example.com\"]".to_owned()));
        }
        for origin in self.origins.iter().filter(|origin| authority(origin).is_none()) {
            let why = "is no origin, as \"https://wiki.example.com\": https, a host, a port where it is not 443, and nothing else; http is for this machine only";
            findings.push(("origins", format!("\"{origin}\" {why}")));
        }
        for (key, paths) in [("paths", &self.paths), ("unprotected_paths", &self.unprotected_paths)] {
            for unclear in paths.iter().filter(|path| ReadPath::parse(path).is_none()) {
                findings
                    .push((key, format!("\"{unclear}\" can be read in two ways; write a plain path, as \"/admin\"")));
            }
        }
        if self.paths.is_empty() {
            findings.push(("paths", "is empty; leave it out where the whole origin is the app's".to_owned()));
        }
        if !self.admits_people() && self.resource.is_none() {
            let how = "name users or groups, or a resource for tokens, or write everybody = true";
            findings.push(("users", format!("nobody may enter; {how}")));
        }
        if self.everybody && !(self.users.is_empty() && self.groups.is_empty()) {
            findings.push((
                "everybody",
                "is true beside users or groups, which then mean nothing; leave one out".to_owned(),
            ));
        }
        if !self.scopes.is_empty() && self.resource.is_none() {
            findings.push((
                "scopes",
                "are for tokens, and without a resource no token enters; name the resource".to_owned(),
            ));
        }
        findings
    }

    /// Its authorities, each with its origin: `wiki.example.com` of `https://wiki.example.com`.
    pub(super) fn authorities(&self) -> impl Iterator<Item = (String, &str)> {
        self.origins.iter().filter_map(|origin| Some((authority(origin)?, origin.as_str())))
    }

    /// Whether any person may enter.
    fn admits_people(&self) -> bool {
        self.everybody || !self.users.is_empty() || !self.groups.is_empty()
    }

    /// Whether the app may be entered from this address.
    ///
    /// # Errors
    /// `EntryNetwork`.
    pub fn admit_address(&self, from: IpAddr) -> Result<(), Error> {
        if self.networks.allow(Some(from)) { Ok(()) } else { Err(Error::EntryNetwork) }
    }

    /// Whether a person may enter who has signed in like this.
    ///
    /// # Errors
    /// `EntryRefused`; `EntryLevelMissing` or `EntryMethodMissing` where only the sign-in does not suffice.
    pub fn admit_person(&self, user: &User, known: Known<'_>) -> Result<(), Error> {
        // Whoever made an account for themselves may be anybody: the one who is meant by the name has none, or has it no more.
        let is_named = !user.self_made && self.users.contains(&user.username);
        let in_group = || self.groups.iter().any(|group| user.groups.contains(group));
        if user.disabled || !(self.everybody || is_named || in_group()) {
            return Err(Error::EntryRefused);
        }
        self.admit_known(known)
    }

    /// Whether a sign-in suffices, whoever it was.
    fn admit_known(&self, known: Known<'_>) -> Result<(), Error> {
        // What is not known at all is lower than any level.
        if self.least_level > known.level {
            return Err(Error::EntryLevelMissing);
        }
        if self.amr.iter().all(|method| known.amr.contains(method)) { Ok(()) } else { Err(Error::EntryMethodMissing) }
    }

    /// Whether a token with these rights may enter; `person` and `known` are whom it speaks for and by which sign-in, where it speaks for
    /// a person.
    ///
    /// # Errors
    /// `TokenUnknown` where it is not for this app, `ScopeInsufficient`, and those of [`ProxiedApp::admit_person`].
    pub(super) fn admit_rights(
        &self,
        (directory, audience, scope): (&Directory, &[String], &Scope),
        person: Option<&User>,
        known: Known<'_>,
    ) -> Result<(), Error> {
        // "The resource server MUST validate that the "aud" claim contains a resource indicator value corresponding to an
        // identifier the resource server expects for itself." (RFC 9068 §4)
        let resource = self.resource.as_ref().filter(|resource| audience.contains(resource));
        let resource = resource.ok_or(Error::TokenUnknown)?;
        // What is left of a token's scopes may be none of this API's.
        let of_api = directory.resources.get(resource).map(|api| api.scopes.intersection(scope));
        if of_api.is_none_or(|scope| scope.is_empty()) || !self.scopes.iter().all(|needed| scope.contains(needed)) {
            return Err(Error::ScopeInsufficient);
        }
        match person {
            Some(user) if self.admits_people() => self.admit_person(user, known),
            _ => self.admit_known(known),
        }
    }
}

/// The authority of an origin, as it stands in `Host`; `None` where the text is none, letter for letter.
fn authority(origin: &str) -> Option<String> {
    let url = Url::parse(origin).ok()?;
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    if !is_safe || url.origin().ascii_serialization() != origin {
        return None;
    }
    origin.split_once("://").map(|(_, authority)| authority.to_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
pub(super) mod tests {
    use super::*;
    use crate::directory::Resource;
    use crate::user::tests::ada;

    pub(crate) fn wiki(more: &str) -> ProxiedApp {
        let text = format!(r#"{{"name":"Wiki","origins":["https://wiki.example"]{more}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    fn wrong(more: &str) -> Vec<&'static str> {
        wiki(more).findings().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn what_nobody_could_have_meant_is_found() {
        assert!(wrong(r#","everybody":true"#).is_empty() && wrong(r#","resource":"https://api.example""#).is_empty());
        assert_eq!(wrong(""), ["users"]);
        assert_eq!(wrong(r#","users":["ada"],"everybody":true"#), ["everybody"]);
        assert_eq!(wrong(r#","everybody":true,"scopes":"read""#), ["scopes"]);
        assert_eq!(
            wrong(r#","everybody":true,"paths":["/a/../b"],"unprotected_paths":["x"]"#),
            ["paths", "unprotected_paths"]
        );
        for origin in
            ["http://wiki.example", "https://wiki.example/", "https://Wiki.example", "https://wiki.example:443", "wiki"]
        {
            assert!(authority(origin).is_none(), "{origin}");
        }
        assert_eq!(authority("https://wiki.example:8443").as_deref(), Some("wiki.example:8443"));
        assert_eq!(authority("http://localhost:81").as_deref(), Some("localhost:81"));
    }

    #[test]
    fn who_is_named_may_enter_and_nobody_else() {
        let pwd = ["pwd".to_owned()];
        let known = Known { level: Some(Level::Password), amr: &pwd };
        let may = |more: &str| wiki(more).admit_person(&ada(), known);
        assert!(may(r#","everybody":true"#).is_ok() && may(r#","users":["ada"]"#).is_ok());
        assert!(may(r#","groups":["x","staff"]"#).is_ok());
        assert!(matches!(may(r#","groups":["x"],"users":["bob"]"#), Err(Error::EntryRefused)));
        assert!(matches!(may(r#","everybody":true,"amr":["pwd","otp"]"#), Err(Error::EntryMethodMissing)));
        assert!(may(r#","everybody":true,"least_level":"password""#).is_ok());
        let higher = may(r#","everybody":true,"least_level":"two-factors","amr":["otp"]"#);
        assert!(matches!(higher, Err(Error::EntryLevelMissing)), "what can be mended goes first");
        assert!(matches!(may(r#","users":["bob"],"least_level":"two-factors""#), Err(Error::EntryRefused)));
        let self_made = User { self_made: true, ..ada() };
        assert!(matches!(wiki(r#","users":["ada"]"#).admit_person(&self_made, known), Err(Error::EntryRefused)));
        assert!(wiki(r#","everybody":true"#).admit_person(&self_made, known).is_ok());
        let off = User { disabled: true, ..ada() };
        assert!(matches!(wiki(r#","everybody":true"#).admit_person(&off, known), Err(Error::EntryRefused)));
    }

    #[test]
    fn a_token_enters_where_it_is_for_and_with_all_scopes() {
        let app = wiki(r#","resource":"https://api.example","scopes":"read write","groups":["staff"]"#);
        let api = Resource { scopes: "read write".parse().unwrap(), ..Resource::named("https://api.example") };
        let directory = Directory { resources: [(api.identifier.clone(), api)].into(), ..Directory::default() };
        let may = |audience: &str, scope: &str, person: Option<&User>| {
            app.admit_rights((&directory, &[audience.to_owned()], &scope.parse().unwrap()), person, Known::default())
        };
        assert!(may("https://api.example", "write read", Some(&ada())).is_ok());
        assert!(may("https://api.example", "write read", None).is_ok(), "a service's own, by its scopes alone");
        assert!(matches!(may("https://api.example", "read", None), Err(Error::ScopeInsufficient)));
        assert!(matches!(may("https://other.example", "write read", None), Err(Error::TokenUnknown)));
        let any = ProxiedApp { scopes: Scope::EMPTY, groups: Vec::new(), ..app.clone() };
        let scope = |text: &str| text.parse::<Scope>().unwrap();
        let audience = ["https://api.example".to_owned()];
        assert!(any.admit_rights((&directory, &audience, &scope("read openid")), None, Known::default()).is_ok());
        let none_of_it = any.admit_rights((&directory, &audience, &scope("openid")), None, Known::default());
        assert!(matches!(none_of_it, Err(Error::ScopeInsufficient)));
        let other = User { groups: Vec::new(), ..ada() };
        assert!(matches!(may("https://api.example", "write read", Some(&other)), Err(Error::EntryRefused)));
        let browsers = wiki(r#","everybody":true"#);
        assert!(matches!(
            browsers.admit_rights((&directory, &[], &Scope::EMPTY), None, Known::default()),
            Err(Error::TokenUnknown)
        ));
    }
}
