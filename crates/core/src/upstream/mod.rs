//! Upstream: another provider that people sign in through. What is declared of it, what is kept of those who come from there,
//! and what it says about them.
//!
//! An upstream is `oidc`, which says who somebody is in a signed ID token, or `oauth2`, which is only asked for a profile. What it
//! says counts for an account where a link says so ([`UpstreamLink`]); when one is made is decided in `grantor_identity::upstream`.

use grantor_jose::id::Id;
use grantor_jose::secret::SecretText;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::audit::printable;
use crate::scope::Scope;
use crate::time::Time;

pub mod flow;
pub mod id_token;
pub mod logout_token;
pub mod sign_in;

/// The longest subject that is kept, in bytes.
pub const MAX_SUBJECT: usize = 255;

/// How many accounts with one address are looked at.
pub const MOST_WITH_ADDRESS: usize = 100;

/// An upstream as it is kept.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// The identifier of the row; never used again, so what is kept of one that was removed is nobody's.
    pub id: Id,
    /// What is declared of it.
    pub definition: UpstreamDefinition,
    /// Our secret there. Sealed where it is kept.
    pub client_secret: Option<SecretText>,
}

/// An upstream as declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamDefinition {
    /// What addresses call it: lower-case letters, digits and hyphens.
    pub name: String,
    /// What people call it; its name when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// How it says who somebody is.
    pub kind: UpstreamKind,
    /// The issuer of an `oidc` upstream, letter for letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Where an `oauth2` upstream asks people; discovered of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<String>,
    /// Where an `oauth2` upstream gives tokens; discovered of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    /// Where an `oauth2` upstream tells who the token is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_endpoint: Option<String>,
    /// Our identifier there.
    pub client_id: String,
    /// How we prove there who we are.
    #[serde(default)]
    pub token_endpoint_auth_method: UpstreamAuthMethod,
    /// What is asked for; `openid profile email` when absent, and nothing of an `oauth2` upstream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Which members of its answer say what.
    #[serde(default)]
    pub claims: ClaimNames,
    /// Only people with a verified address in one of these domains come in; everybody when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_domains: Vec<String>,
    /// Only people in one of these groups of the upstream come in; everybody when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_groups: Vec<String>,
    /// Whether people without an account here get one. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create_accounts: bool,
    /// Whether an account with neither a password nor a second factor is linked with whoever has its verified address there. Default
    /// false: the upstream has to be trusted with each address that it calls verified.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub link_by_email: bool,
    /// What it says of a sign-in (`acr`, or one of `amr`) where that took two factors. Nothing when absent: then no sign-in there
    /// counts as one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub two_factors: Vec<String>,
    /// What it says of a sign-in (`acr`, or one of `amr`) that no other site could have asked for. Nothing when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phishing_resistant: Vec<String>,
    /// Whether it is switched off. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
}

/// How an upstream says who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UpstreamKind {
    /// OAuth 2.0 with a profile that is asked for with the access token.
    OAuth2,
    /// OpenID Connect: by an ID token.
    Oidc,
}

/// How we prove at an upstream who we are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamAuthMethod {
    /// By the secret in the Authorization header.
    #[default]
    ClientSecretBasic,
    /// By the secret in the body.
    ClientSecretPost,
    /// Not at all: a public client.
    None,
}

/// The members of an upstream's answer. What is left out has the name of OpenID Connect; of an `oauth2` upstream the subject is
/// `id`, and nothing is verified unless a member says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimNames {
    /// Who it is: never reassigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The name to sign in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the upstream has verified it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<String>,
    /// The groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<String>,
}

/// What an upstream says about somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamPerson {
    /// Who it is there.
    pub subject: String,
    /// The name that they sign in with there.
    pub username: Option<String>,
    /// The name for people.
    pub name: Option<String>,
    /// The address, where it has the form of one.
    pub email: Option<String>,
    /// Whether the upstream has verified the address.
    pub email_verified: bool,
    /// The groups there.
    pub groups: Vec<String>,
}

/// That an account here is somebody at an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamLink {
    /// The identifier.
    pub id: Id,
    /// The upstream.
    pub upstream_id: Id,
    /// Which authority gave the subject: where the declaration names another one later, its subjects are other people.
    pub authority: String,
    /// Who it is there.
    pub subject: String,
    /// The account here.
    pub user_id: Id,
    /// What people know the other account by: its address or name.
    pub label: String,
    /// When it was made.
    pub created_at: Time,
    /// When somebody last signed in by it.
    pub last_used_at: Option<Time>,
}

/// That a session began at an upstream, so that it ends when it ends there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamSession {
    /// The session here.
    pub session_id: Id,
    /// The upstream.
    pub upstream_id: Id,
    /// Who it is there.
    pub subject: String,
    /// The session there, where it told.
    pub sid: Option<String>,
    /// Whether it told when the person had signed in there.
    pub tells_time: bool,
}

/// What is written of upstreams.
#[derive(Clone, Debug)]
pub enum UpstreamChange {
    /// Keeps a link. Expects that nobody is linked with that subject.
    LinkInsert(Box<UpstreamLink>),
    /// Removes a link. Expects that it is there.
    LinkRemove(Id),
    /// Expects that the links of a person are still those that were read, until the set is committed. Changes nothing.
    LinksExpect {
        /// The person.
        user_id: Id,
        /// The links, in the order in which they were made.
        links: Vec<Id>,
    },
    /// Notes that a link was used. Expects that it is there.
    LinkUsed {
        /// The link.
        id: Id,
        /// When.
        at: Time,
    },
    /// Declares or changes an upstream.
    Put(Box<Upstream>),
    /// Removes an upstream with its links.
    Remove(Id),
    /// Keeps where a session began.
    SessionInsert(Box<UpstreamSession>),
    /// Ends all sessions that began at an upstream, and the grants that do not outlive them.
    SessionsEnd {
        /// The upstream.
        id: Id,
        /// When.
        at: Time,
    },
    /// Ends the sessions of one person that began by a link, and the grants that do not outlive them, but for one session.
    SessionsOfLinkEnd {
        /// The link.
        link: Box<UpstreamLink>,
        /// The session that stays.
        except: Id,
        /// When.
        at: Time,
    },
}

impl UpstreamDefinition {
    /// The name for people.
    pub fn title(&self) -> &str {
        if self.display_name.is_empty() { &self.name } else { &self.display_name }
    }

    /// Who gives the subjects: the issuer, or the address of the profile.
    pub fn authority(&self) -> &str {
        let authority = match self.kind {
            UpstreamKind::OAuth2 => self.profile_endpoint.as_deref(),
            UpstreamKind::Oidc => self.issuer.as_deref(),
        };
        authority.unwrap_or_default()
    }

    /// What is asked for.
    pub fn scope(&self) -> Scope {
        match (&self.scope, self.kind) {
            // "OpenID Connect requests MUST contain the openid scope value." (OIDC Core §3.1.2.1)
            (Some(scope), UpstreamKind::Oidc) => scope.union(&["openid"].into_iter().collect()),
            (Some(scope), UpstreamKind::OAuth2) => scope.clone(),
            (None, UpstreamKind::Oidc) => ["openid", "profile", "email"].into_iter().collect(),
            (None, UpstreamKind::OAuth2) => Scope::EMPTY,
        }
    }

    /// Reads an answer: an object of claims, or a profile. None without a subject that can be kept.
    pub fn person(&self, members: &Map<String, Value>) -> Option<UpstreamPerson> {
        let names = &self.claims;
        let standard = |declared: &Option<String>, name: &str| declared.clone().unwrap_or_else(|| name.to_owned());
        let text =
            |name: &str| members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(printable);
        // The standard claim speaks of the standard address: of another one it says nothing.
        let is_standard = names.email.as_deref().is_none_or(|email| email == "email");
        let of_standard = is_standard.then(|| "email_verified".to_owned());
        let (subject, verified) = match self.kind {
            // "The sub (subject) and iss (issuer) Claims from the ID Token, used together, are the only Claims that an RP can rely
            // upon as a stable identifier for the End-User" (OIDC Core §5.7)
            UpstreamKind::Oidc => ("sub".to_owned(), names.email_verified.clone().or(of_standard)),
            UpstreamKind::OAuth2 => (standard(&names.subject, "id"), names.email_verified.clone()),
        };
        let email = text(&standard(&names.email, "email")).filter(|email| is_address(email));
        Some(UpstreamPerson {
            subject: members.get(&subject).and_then(subject_of)?,
            username: text(&standard(&names.username, "preferred_username")),
            name: text(&standard(&names.name, "name")),
            // Only the value true: a text that reads like it says nothing.
            email_verified: email.is_some()
                && verified.is_some_and(|name| members.get(&name) == Some(&Value::Bool(true))),
            email,
            groups: groups_of(members.get(&standard(&names.groups, "groups"))),
        })
    }
}

impl UpstreamPerson {
    /// What people know this account by.
    pub fn label(&self) -> &str {
        [&self.email, &self.username, &self.name].into_iter().flatten().next().map_or(&self.subject, String::as_str)
    }
}

/// "It MUST NOT exceed 255 ASCII characters in length." (OIDC Core §2). A number, as some profiles have it, counts by its text.
fn subject_of(value: &Value) -> Option<String> {
    let subject = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => return None,
    };
    let is_kept = !subject.is_empty() && subject.len() <= MAX_SUBJECT && !subject.chars().any(char::is_control);
    is_kept.then_some(subject)
}

/// One name, one sign, one domain: an address of another form may mean another person to another reader.
fn is_address(text: &str) -> bool {
    let plain = text.len() <= 254
        && text.is_ascii()
        && !text.bytes().any(|byte| byte.is_ascii_control() || b" \"<>,;:\\()".contains(&byte));
    let parts: Vec<&str> = text.split('@').collect();
    plain && matches!(parts.as_slice(), [name, domain] if !name.is_empty() && !domain.is_empty())
}

/// A list of texts, or one text. At most so many are looked at.
fn groups_of(value: Option<&Value>) -> Vec<String> {
    const MOST: usize = 1000;
    match value {
        Some(Value::String(group)) => vec![group.clone()],
        Some(Value::Array(groups)) => groups.iter().take(MOST).filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn person(kind: &str, claims: &Value, members: &Value) -> Option<UpstreamPerson> {
        let definition = json!({"name": "a", "kind": kind, "client_id": "b", "claims": claims});
        serde_json::from_value::<UpstreamDefinition>(definition).unwrap().person(members.as_object().unwrap())
    }

    #[test]
    fn an_address_is_verified_only_where_the_answer_says_true() {
        let verified = |value: Value| {
            person("oidc", &json!({}), &json!({"sub": "1", "email": "a@b.example", "email_verified": value}))
                .unwrap()
                .email_verified
        };
        assert!(verified(json!(true)));
        for value in [json!(false), json!("true"), json!(1), json!(null), json!([true])] {
            assert!(!verified(value.clone()), "{value}");
        }
        assert!(!person("oidc", &json!({}), &json!({"sub": "1", "email": "a@b.example"})).unwrap().email_verified);
        let renamed = json!({"sub": "1", "email": "own@b.example", "email_verified": true, "mail": "victim@b.example"});
        let read = |claims: Value| person("oidc", &claims, &renamed).unwrap();
        let victim = read(json!({"email": "mail"}));
        assert_eq!(
            (victim.email.as_deref(), victim.email_verified),
            (Some("victim@b.example"), false),
            "another's flag"
        );
        assert!(read(json!({"email": "email"})).email_verified);
        assert!(read(json!({"email": "mail", "email_verified": "email_verified"})).email_verified, "as declared");
        let profile = json!({"id": 1, "email": "a@b.example", "email_verified": true});
        assert!(!person("oauth2", &json!({}), &profile).unwrap().email_verified, "nobody said what it means there");
        assert!(person("oauth2", &json!({"email_verified": "email_verified"}), &profile).unwrap().email_verified);
    }

    #[test]
    fn an_address_with_two_signs_or_of_two_readings_is_none() {
        for email in [
            "a@b@c.example",
            "\"a@b\"@c.example",
            "a b@c.example",
            "<a@c.example>",
            "a@",
            "@c",
            "a@c.example,x@d.example",
            "ａ@c.example",
        ] {
            let members = json!({"sub": "1", "email": email, "email_verified": true});
            let read = person("oidc", &json!({}), &members).unwrap();
            assert_eq!((read.email, read.email_verified), (None, false), "{email}");
        }
    }

    #[test]
    fn a_profile_is_read_by_its_declared_members() {
        let claims = json!({"subject": "id", "username": "login", "groups": "teams"});
        let read = person(
            "oauth2",
            &claims,
            &json!({"id": 583_231, "login": "octocat", "teams": ["a", 1, "b"], "name": null}),
        );
        let expected = UpstreamPerson {
            subject: "583231".into(),
            username: Some("octocat".into()),
            groups: vec!["a".into(), "b".into()],
            ..UpstreamPerson::default()
        };
        assert_eq!(read.unwrap(), expected);
        for subject in [json!(""), json!(1.5), json!(null), json!({}), json!("a\nb"), json!("x".repeat(256))] {
            assert_eq!(person("oauth2", &json!({}), &json!({"id": subject})), None);
        }
    }
}
