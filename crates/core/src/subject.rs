//! Subjects: "A Subject Identifier is a locally unique and never reassigned identifier within the Issuer for the End-User, which is
//! intended to be consumed by the Client." (OIDC Core §8). What a client is told of a person, and of their session, comes from here.
//!
//! To a pairwise client a person is a keyed hash over its sector. Nobody without the key can go back from it, or find the person of
//! one sector in another; also the session has a name of its own there, since two apps that see the same one would know whose it is.
//! What belongs to the account alone (personal access tokens, what proxies are told) knows the public subject.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::id::Id;
use grantor_jose::mac::MacKey;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::client::{Client, ClientMetadata};
use crate::directory::Directory;
use crate::error::Error;
use crate::redirect_uri;
use crate::user::User;

/// By what people are known to a client.
// "To protect the End-User from possible correlation among Clients, the use of a Pairwise Pseudonymous Identifier (PPID) as
// the "sub" (subject) SHOULD be considered." (OIDC Core §17.3)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectType {
    /// By another subject in each sector.
    Pairwise,
    /// By the same subject as to all other public clients.
    #[default]
    Public,
}

impl SubjectType {
    /// The names, for the metadata.
    pub const NAMES: [&str; 2] = ["public", "pairwise"];

    /// Whether it is the default.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(crate) fn is_public(&self) -> bool {
        *self == Self::Public
    }
}

/// What `client` knows `user` by. `key` is that of [`Secrets`](crate::key::Secrets).
pub fn of(key: &MacKey, client: &Client, user: &User) -> String {
    of_public(key, client, &user.subject)
}

/// What `client` knows the person by whom public clients know by this subject, and who may be gone.
pub(crate) fn of_public(key: &MacKey, client: &Client, subject: &str) -> String {
    match client.metadata.subject_type {
        SubjectType::Public => subject.to_owned(),
        // "When pairwise Subject Identifiers are used, the OpenID Provider MUST calculate a unique "sub" (subject) value for each Sector
        // Identifier. The Subject Identifier value MUST NOT be reversible by any party other than the OpenID Provider." (OIDC Core
        // §8.1)
        // "Distinct Sector Identifier values MUST result in distinct Subject Identifier values." (OIDC Core §8.1)
        SubjectType::Pairwise => hidden(key, client, b"subject", subject.as_bytes()),
    }
}

/// What the client of this identifier knows `user` by.
pub(crate) fn known_to(directory: &Directory, client_id: &str, user: &User) -> String {
    let client = directory.clients.get(client_id);
    client.map_or_else(|| user.subject.clone(), |client| of(&directory.secrets.subjects, client, user))
}

/// What `client` knows a session by, its `sid`.
pub fn session(key: &MacKey, client: &Client, session_id: Id) -> String {
    match client.metadata.subject_type {
        SubjectType::Public => session_id.to_string(),
        SubjectType::Pairwise => hidden(key, client, b"session", session_id.to_string().as_bytes()),
    }
}

/// Whether the client of this identifier may know names that other clients know, too.
pub(crate) fn may_know_names(directory: &Directory, client_id: &str) -> bool {
    directory.clients.get(client_id).is_none_or(|client| client.metadata.subject_type.is_public())
}

fn hidden(key: &MacKey, client: &Client, what: &[u8], value: &[u8]) -> String {
    // A client without a sector, which no check lets through, is one for itself.
    let (kind, sector) = match client.metadata.sector() {
        Some(sector) => (&b"host"[..], sector),
        None => (&b"client"[..], client.client_id.clone()),
    };
    // "The algorithm MUST be deterministic." (OIDC Core §8.1)
    URL_SAFE_NO_PAD.encode(key.tag(&[what, kind, sector.as_bytes(), value]))
}

impl ClientMetadata {
    /// The sector: the host of `sector_identifier_uri`, else that of all redirect URIs.
    pub fn sector(&self) -> Option<String> {
        // Of another scheme anybody may say any host.
        let of_https = |url: &Url| url.scheme() == "https";
        let host = |uri: &String| Some(Url::parse(uri).ok().filter(of_https)?.host_str()?.to_owned());
        // "When a "sector_identifier_uri" is provided, the host component of that URL is used as the Sector Identifier for the pairwise
        // identifier calculation." (OIDC Core §8.1)
        // "Providers that use pairwise "sub" values and support Dynamic Client Registration [OpenID.Registration] SHOULD use
        // the "sector_identifier_uri" parameter." (OIDC Core §8.1)
        // "Providers that use pairwise "sub" (subject) values SHOULD utilize the "sector_identifier_uri" value provided in
        // the Subject Identifier calculation for pairwise identifiers." (OIDC Registration §2)
        if let Some(uri) = &self.sector_identifier_uri {
            return host(uri);
        }
        let mut hosts = self.redirect_uris.iter().map(host);
        let first = hosts.next()??;
        hosts.all(|other| other.as_ref() == Some(&first)).then_some(first)
    }

    /// Whether people keep their subjects when these metadata become `later`.
    pub fn keeps_subjects(&self, later: &Self) -> bool {
        self.subject_type == later.subject_type && (self.subject_type.is_public() || self.sector() == later.sector())
    }

    /// Checks that there is a sector where one is needed.
    pub(crate) fn check_subjects(&self) -> Result<(), Error> {
        let invalid = |why| Err(Error::MetadataInvalid("sector_identifier_uri", why));
        if let Some(uri) = &self.sector_identifier_uri {
            // "The value of the "sector_identifier_uri" MUST be a URL using the "https" scheme that points to a JSON file containing
            // an array of "redirect_uri" values." (OIDC Core §8.1)
            let url = Url::parse(uri).ok().filter(|url| url.scheme() == "https" && url.host_str().is_some());
            let is_plain =
                |url: &Url| url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
            return if url.as_ref().is_some_and(is_plain) {
                Ok(())
            } else {
                invalid("must be an https address without user names and fragment")
            };
        }
        if self.subject_type.is_public() {
            return Ok(());
        }
        // Stricter than OIDC Core §8.1: because any app of any machine has the same loopback address, and with a scheme of its own it
        // may name any host.
        let is_shared = |uri: &String| {
            Url::parse(uri).map_or(true, |url| url.scheme() != "https" || redirect_uri::is_loopback(&url))
        };
        if self.redirect_uris.iter().any(is_shared) {
            return invalid(
                "is needed: pairwise subjects need a sector, and the redirect URIs are on the person's machine",
            );
        }
        // "If there are multiple hostnames in the registered "redirect_uris", the Client MUST register a "sector_identifier_uri"."
        // (OIDC Core §8.1)
        if self.sector().is_some() {
            Ok(())
        } else {
            invalid("is needed: pairwise subjects need a sector, and the redirect URIs have not one host")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tests::sample;
    use crate::user::tests::ada;
    use proptest::prelude::*;

    fn pairwise(redirect_uris: &[&str], sector: Option<&str>) -> Client {
        let mut client = sample("wiki");
        client.metadata.subject_type = SubjectType::Pairwise;
        client.metadata.redirect_uris = redirect_uris.iter().map(|uri| (*uri).to_owned()).collect();
        client.metadata.sector_identifier_uri = sector.map(str::to_owned);
        client
    }

    fn subject(client: &Client) -> String {
        of(&MacKey::new([1; 32]), client, &ada())
    }

    #[test]
    fn a_sector_knows_people_by_one_subject_and_another_by_another() {
        let (one, two) = (pairwise(&["https://a.example/cb"], None), pairwise(&["https://A.example:444/x"], None));
        let by_uri = pairwise(&["https://b.example/", "com.example:/cb"], Some("https://a.example/uris.json"));
        assert_eq!((subject(&one), subject(&one)), (subject(&two), subject(&by_uri)));
        assert_ne!(subject(&one), subject(&pairwise(&["https://b.example/"], None)));
        assert_ne!(subject(&one), ada().subject);
        assert_ne!(subject(&one), of(&MacKey::new([2; 32]), &one, &ada()));
        assert_eq!(of(&MacKey::new([1; 32]), &sample("wiki"), &ada()), ada().subject);
    }

    #[test]
    fn a_session_has_a_name_of_its_own_in_each_sector() {
        let (key, id) = (MacKey::new([1; 32]), ada().id);
        let name = |client: &Client| session(&key, client, id);
        assert_eq!(name(&sample("wiki")), id.to_string());
        assert_ne!(name(&pairwise(&["https://a.example/"], None)), name(&pairwise(&["https://b.example/"], None)));
        assert_ne!(name(&pairwise(&["https://a.example/"], None)), id.to_string());
    }

    #[test]
    fn pairwise_subjects_need_one_sector() {
        let check = |uris: &[&str], sector| pairwise(uris, sector).metadata.check_subjects().is_ok();
        let list = Some("https://a.example/uris.json");
        assert!(check(&["https://a.example/", "https://a.example:8443/"], None));
        assert!(check(&["https://a.example/", "https://b.example/"], list));
        assert!(check(&[], list) && check(&["http://127.0.0.1/cb"], list));
        assert!(!check(&["https://a.example/", "https://b.example/"], None));
        assert!(!check(&["http://127.0.0.1/cb"], None) && !check(&["com.example:/cb"], None) && !check(&[], None));
        for bad in ["http://a.example/x", "https://u@a.example/x", "https://a.example/x#y", "a.example", "data:,[]"] {
            assert!(!check(&["https://a.example/"], Some(bad)), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn different_hosts_make_different_subjects(one in "[a-z]{1,8}", two in "[a-z]{1,8}") {
            let of_host = |host: &str| subject(&pairwise(&[&format!("https://{host}.example/cb")], None));
            prop_assert_eq!(of_host(&one) == of_host(&two), one == two);
        }
    }
}
