//! Claims about a person: which scopes release them, and what the `claims` parameter asks for (OIDC Core §5).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::account::ACCOUNT_TOKENS;
use crate::directory::Directory;
use crate::error::Error;
use crate::grant::OidcContext;
use crate::scope::Scope;
use crate::user::User;

mod by_itself;
mod phone;
mod wish;

pub(crate) use by_itself::wanted;
pub use phone::is_phone_number;
pub(crate) use wish::locales;

/// The largest number of claims one request may name.
const MAX_REQUESTED: usize = 64;
/// The deepest nesting of a value asked for.
const MAX_DEPTH: usize = 8;

/// The scopes with a meaning of their own and the claims they release (OIDC Core §5.4); `groups` and `account:tokens` are ours.
const STANDARD: [(&str, &[&str]); 8] = [
    ("openid", &[]),
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
    ("groups", &["groups"]),
    ("offline_access", &[]),
    (ACCOUNT_TOKENS, &[]),
];

/// Whether a scope is one of those that need no declaration.
pub fn is_standard_scope(scope: &str) -> bool {
    STANDARD.iter().any(|(name, _)| *name == scope)
}

/// The names of the standard scopes.
pub fn standard_scopes() -> impl Iterator<Item = &'static str> {
    STANDARD.iter().map(|(name, _)| *name)
}

/// The names of all claims that can be released, for the metadata.
pub fn supported(directory: &Directory) -> Vec<String> {
    let standard = STANDARD.iter().flat_map(|(_, claims)| claims.iter().map(|claim| (*claim).to_owned()));
    let declared = directory.scopes.values().flat_map(|scope| scope.claims.iter().cloned());
    let mut names: Vec<String> =
        ["sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "sid"].map(str::to_owned).into();
    names.extend(standard.chain(declared));
    names.sort_unstable();
    names.dedup();
    names
}

/// The claims that a scope releases.
pub fn released_by<'a>(directory: &'a Directory, scope: &str) -> Vec<&'a str> {
    let standard = STANDARD.iter().find(|(name, _)| *name == scope).map_or(&[][..], |(_, claims)| *claims);
    let declared = directory.scopes.get(scope).into_iter().flat_map(|known| known.claims.iter().map(String::as_str));
    standard.iter().copied().chain(declared).collect()
}

/// Whether a scope says anything of who somebody is.
pub(crate) fn says_who(directory: &Directory, scope: &str) -> bool {
    let standard = STANDARD.iter().find(|(name, _)| *name == scope).map_or(&[][..], |(_, claims)| *claims);
    let declared = directory.scopes.get(scope).is_some_and(|known| !known.claims.is_empty());
    scope == "openid" || !standard.is_empty() || declared
}

/// How one claim is asked for (OIDC Core §5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimRequest {
    /// Whether the claim is essential.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// The value asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The values asked for, in order of preference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
}

impl ClaimRequest {
    /// Whether `value` is one that was asked for.
    pub fn accepts(&self, value: &Value) -> bool {
        self.value.as_ref().is_none_or(|wanted| wanted == value)
            && self.values.as_ref().is_none_or(|wanted| wanted.contains(value))
    }
}

type Requested = BTreeMap<String, Option<ClaimRequest>>;

/// The `claims` parameter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimsRequest {
    /// Claims for the userinfo answer.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: Requested,
    /// Claims for the ID token.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: Requested,
}

impl ClaimsRequest {
    /// Reads the parameter.
    ///
    /// # Errors
    /// `ClaimsMalformed`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        // "Any members used that are not understood MUST be ignored." (OIDC Core §5.5)
        let members: Map<String, Value> = serde_json::from_str(text).map_err(|_| Error::ClaimsMalformed)?;
        let members = Value::Object(members);
        if !is_shallow(&members, MAX_DEPTH) {
            return Err(Error::ClaimsMalformed);
        }
        // "The member values MUST be one of the following:" (OIDC Core §5.5.1)
        // "Any members used that are not understood MUST be ignored." (OIDC Core §5.5.1)
        let request: Self = serde_json::from_value(members).map_err(|_| Error::ClaimsMalformed)?;
        if request.userinfo.len() + request.id_token.len() > MAX_REQUESTED {
            return Err(Error::ClaimsMalformed);
        }
        Ok(request)
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }

    /// Whether it names the authentication contexts that it asks for.
    pub fn names_acr(&self) -> bool {
        self.id_token_claim("acr").is_some_and(|asked| asked.value.is_some() || asked.values.is_some())
    }

    /// Asks for these authentication contexts, the preferred one first, where the request names none by itself.
    // "The "acr" Claim is requested as a Voluntary Claim by this parameter." (OIDC Core §3.1.2.1)
    #[must_use]
    pub fn with_acr_values<'v>(mut self, values: impl Iterator<Item = &'v str>) -> Self {
        let values: Vec<Value> = values.take(MAX_REQUESTED).map(Value::from).collect();
        if !values.is_empty() && !self.names_acr() {
            let asked = self.id_token.entry("acr".to_owned()).or_default().get_or_insert_default();
            asked.values = Some(values);
        }
        self
    }

    /// How the ID token's claim `name` is asked for, if with any condition.
    pub fn id_token_claim(&self, name: &str) -> Option<&ClaimRequest> {
        self.id_token.get(name).and_then(Option::as_ref)
    }

    /// Whether only people of certain subjects are allowed.
    pub fn names_subject(&self) -> bool {
        let asked = [&self.id_token, &self.userinfo].into_iter().filter_map(|asked| asked.get("sub")?.as_ref());
        asked.into_iter().any(|request| request.value.is_some() || request.values.is_some())
    }

    /// Whether a person of this subject is one that the request allows.
    pub fn accepts_subject(&self, subject: &str) -> bool {
        let subject = Value::from(subject);
        let asked = |requested: &Requested| requested.get("sub").and_then(Option::as_ref).cloned();
        [asked(&self.id_token), asked(&self.userinfo)].into_iter().flatten().all(|request| request.accepts(&subject))
    }
}

/// Whether a value is nested no deeper than `depth`.
fn is_shallow(value: &Value, depth: usize) -> bool {
    match value {
        _ if depth == 0 => false,
        Value::Array(items) => items.iter().all(|item| is_shallow(item, depth - 1)),
        Value::Object(members) => members.values().all(|member| is_shallow(member, depth - 1)),
        _ => true,
    }
}

/// The claims about `user` that an approval of `scope` releases, of those named, with language tags.
pub fn release(directory: &Directory, user: &User, scope: &Scope, names: &[&str]) -> Map<String, Value> {
    let mut released = Map::new();
    let allowed: Vec<&str> = scope.iter().flat_map(|token| released_by(directory, token)).collect();
    for name in names {
        let base = wish::base(name);
        // People approve scopes: a claim asked for by itself needs an approved scope that releases it.
        // "Note that even if the Claims are not available because the End-User did not authorize their release or they are
        // not present, the Authorization Server MUST NOT generate an error when Claims are not returned, whether they are
        // Essential or Voluntary, unless otherwise specified in the description of the specific claim." (OIDC Core §5.5.1)
        if !allowed.contains(&base) {
            continue;
        }
        // "Within a request for individual Claims, requested languages and scripts for particular Claims MAY be requested by
        // including Claim Names that contain "#"-separated BCP47 [RFC5646] language tags in the Claims request"
        // (OIDC Core §5.5.2)
        if base != *name {
            released.extend(wish::form(user, name));
            continue;
        }
        // "If a Claim is not returned, that Claim Name SHOULD be omitted from the JSON object representing the Claims; it
        // SHOULD NOT be present with a null or empty string value." (OIDC Core §5.3.2)
        // "Normal Claims MUST be supported." (OIDC Core §5.6)
        if let Some(value) = user.claim(name).filter(|value| !value.is_null() && value.as_str() != Some("")) {
            released.insert((*name).to_owned(), value);
        }
        // Each with its language tags: "name#de" (OIDC Core §5.2).
        let tagged = user.claims.iter().filter(|(key, _)| key.split_once('#').is_some_and(|(base, _)| base == *name));
        released.extend(tagged.map(|(key, value)| (key.clone(), value.clone())));
    }
    phone::settle(&mut released, user);
    released
}

/// What is left of released claims for the userinfo answer by what was asked for, and in which languages.
pub fn for_userinfo(released: Map<String, Value>, user: &User, context: &OidcContext) -> Map<String, Value> {
    wish::grant(released, user, (&context.claims.userinfo, &context.claims_locales))
}

/// What is left of released claims for the ID token by what was asked for, and in which languages.
pub fn for_id_token(released: Map<String, Value>, user: &User, context: &OidcContext) -> Map<String, Value> {
    wish::grant(released, user, (&context.claims.id_token, &context.claims_locales))
}

/// The names of the claims for the userinfo answer.
pub fn userinfo_names<'a>(directory: &'a Directory, scope: &Scope, context: &'a OidcContext) -> Vec<&'a str> {
    // "If present, the listed Claims are being requested to be added to any Claims that are being requested using scope values."
    // (OIDC Core §5.5)
    let by_scope = by_itself::of_scopes(directory, scope, context).into_iter();
    by_scope.chain(context.claims.userinfo.keys().map(String::as_str)).collect()
}

/// The names of the claims for the ID token: those that the client is registered for, or all where it comes `alone`, of scopes that
/// were asked for, and those that were asked for by themselves. A client may be registered for a claim in one language alone.
pub fn id_token_names<'a>(
    directory: &'a Directory,
    scope: &Scope,
    context: &'a OidcContext,
    (registered, alone): (&'a [String], bool),
) -> Vec<&'a str> {
    let of_scopes = by_itself::of_scopes(directory, scope, context);
    let registered = registered.iter().map(String::as_str).filter(|name| of_scopes.contains(&wish::base(name)));
    // "when no Access Token is issued (which is the case for the "response_type" value "id_token"), the resulting Claims are
    // returned in the ID Token." (OIDC Core §5.4)
    let by_scope: Vec<&str> = if alone { of_scopes } else { registered.collect() };
    by_scope.into_iter().chain(context.claims.id_token.keys().map(String::as_str)).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use grantor_jose::id::Id;
    use proptest::prelude::*;
    use serde_json::json;

    use crate::time::Time;

    fn ada() -> User {
        let claims = json!({"name": "Ada", "name#de": "Ada", "email": "ada@example.com", "phone_number": "+1"});
        User {
            id: Id::from_i64(1),
            subject: "ada-subject".into(),
            username: "ada".into(),
            password: None,
            claims: claims.as_object().unwrap().clone(),
            groups: vec!["staff".into()],
            networks: crate::network::Networks::ANYWHERE,
            disabled: false,
            self_made: false,
            created_at: Time::default(),
            updated_at: Time::default(),
        }
    }

    #[test]
    fn an_acr_without_a_value_has_those_that_are_asked_for_beside() {
        let filled = |asked: &str| {
            let asked = ClaimsRequest::parse(&format!(r#"{{"id_token":{asked}}}"#)).unwrap();
            let filled = asked.with_acr_values(["gold", "silver"].into_iter());
            filled.id_token_claim("acr").map(|acr| (acr.essential, acr.values.clone().unwrap_or_default().len()))
        };
        assert_eq!(filled("{}"), Some((false, 2)));
        assert_eq!(filled(r#"{"acr":null}"#), Some((false, 2)));
        assert_eq!(filled(r#"{"acr":{"essential":true}}"#), Some((true, 2)));
        assert_eq!(filled(r#"{"acr":{"values":["bronze"]}}"#), Some((false, 1)));
        assert_eq!(filled(r#"{"acr":{"essential":true,"value":"bronze"}}"#), Some((true, 0)));
    }

    #[test]
    fn a_claim_is_released_only_by_a_scope_that_was_approved() {
        let directory = Directory::default();
        let scope = "openid profile".parse().unwrap();
        let context = OidcContext {
            claims: ClaimsRequest::parse(r#"{"userinfo":{"email":null}}"#).unwrap(),
            ..OidcContext::default()
        };
        let released = release(&directory, &ada(), &scope, &userinfo_names(&directory, &scope, &context));
        assert_eq!(released.get("name#de"), Some(&json!("Ada")));
        assert_eq!((released.get("email"), released.get("groups")), (None, None));
    }

    #[test]
    fn a_client_may_be_registered_for_a_claim_in_one_language() {
        let (directory, context) = (Directory::default(), OidcContext::default());
        let registered = ["name#de".to_owned(), "email".to_owned()];
        let names = |scope: &str, alone| {
            id_token_names(&directory, &scope.parse().unwrap(), &context, (&registered, alone)).join(" ")
        };
        assert_eq!(names("openid profile", false), "name#de");
        assert_eq!(names("openid email", false), "email");
        assert_eq!(names("openid email", true), "email email_verified");
    }

    #[test]
    fn the_subject_asked_for_is_the_only_one_accepted() {
        let accepts = |text: &str, subject| ClaimsRequest::parse(text).unwrap().accepts_subject(subject);
        for text in [
            r#"{"id_token":{"sub":{"value":"x"}}}"#,
            r#"{"id_token":{"sub":null},"userinfo":{"sub":{"values":["x"]}}}"#,
        ] {
            assert!(accepts(text, "x") && !accepts(text, "y"), "{text}");
        }
        assert!(accepts(r#"{"id_token":{"sub":null}}"#, "y"));
    }

    #[test]
    fn a_deep_value_is_refused() {
        let deep = format!(r#"{{"id_token":{{"acr":{{"value":{}1{}}}}}}}"#, "[".repeat(100), "]".repeat(100));
        assert!(matches!(ClaimsRequest::parse(&deep), Err(Error::ClaimsMalformed)));
    }

    #[test]
    fn malformed_claims_are_refused() {
        for text in
            ["", "[]", "1", r#"{"id_token":[]}"#, r#"{"id_token":{"acr":{"values":"x"}}}"#, r#"{"id_token":{"acr":5}}"#]
        {
            assert!(ClaimsRequest::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = ClaimsRequest::parse(&text);
        }
    }
}
