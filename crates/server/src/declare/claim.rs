//! Claims about a person: the standard ones by their types (OIDC Core §5.1), any other as it is.

use grantor_core::claims::is_phone_number;
use serde_json::{Map, Value};
use url::Url;

/// What a claim's value must be.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Flag,
    Address,
    Birthdate,
    Email,
    Link,
    Locale,
}

/// The standard claims that a person can be given; `sub` and `updated_at` are ours to tell.
const CLAIMS: [(&str, Kind); 18] = [
    ("name", Kind::Text),
    ("given_name", Kind::Text),
    ("family_name", Kind::Text),
    ("middle_name", Kind::Text),
    ("nickname", Kind::Text),
    ("preferred_username", Kind::Text),
    ("profile", Kind::Link),
    ("picture", Kind::Link),
    ("website", Kind::Link),
    ("email", Kind::Email),
    ("email_verified", Kind::Flag),
    ("gender", Kind::Text),
    ("birthdate", Kind::Birthdate),
    ("zoneinfo", Kind::Text),
    ("locale", Kind::Locale),
    ("phone_number", Kind::Text),
    ("phone_number_verified", Kind::Flag),
    ("address", Kind::Address),
];

/// The names of the standard claims that a person can be given.
pub(super) const STANDARD: [&str; CLAIMS.len()] = {
    let mut names = [""; CLAIMS.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = CLAIMS[index].0;
        index += 1;
    }
    names
};

const ADDRESS: [&str; 6] = ["formatted", "street_address", "locality", "region", "postal_code", "country"];

/// Names that stand for something else in tokens and answers (RFC 7519 §4.1, OpenID Connect Core §2, RFC 9068 §2.2).
const RESERVED: [&str; 22] = [
    "acr",
    "active",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "c_hash",
    "client_id",
    "cnf",
    "exp",
    "groups",
    "iat",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "scope",
    "sid",
    "sub",
    "token_type",
    "updated_at",
];

/// Whether a name, without its language tag, is a standard claim.
pub(super) fn is_standard(name: &str) -> bool {
    // "BCP47 [RFC5646] language tags are added to member names, delimited by a "#" character." (OIDC Core §5.2)
    kind(name).is_some()
}

fn kind(name: &str) -> Option<Kind> {
    let base = name.split('#').next().unwrap_or(name);
    CLAIMS.iter().find(|(known, _)| *known == base).map(|(_, kind)| *kind)
}

/// What is wrong with a standard claim's value, or nothing.
pub(super) fn fault(name: &str, value: &Value) -> Option<String> {
    let text = value.as_str();
    let expected = match kind(name)? {
        Kind::Text => text.is_none().then_some("text"),
        Kind::Flag => (!value.is_boolean()).then_some("true or false"),
        Kind::Address => return address(value),
        Kind::Birthdate => {
            (!text.is_some_and(is_birthdate)).then_some("a date as \"1990-12-31\", \"0000-12-31\" or \"1990\"")
        }
        Kind::Email => (!text.is_some_and(is_email)).then_some("an e-mail address"),
        Kind::Link => (!text.is_some_and(is_link)).then_some("an https or http address"),
        Kind::Locale => (!text.is_some_and(is_language)).then_some("a language tag as \"en\" or \"de-CH\""),
    };
    expected.map(|expected| format!("is not {expected}"))
}

/// What to say of claims that are taken and that apps will not be told as they are declared, by their names.
pub(super) fn doubts(claims: &Map<String, Value>) -> impl Iterator<Item = (&str, &'static str)> {
    // "E.164 [E.164] is RECOMMENDED as the format of this Claim, for example, "+1 (425) 555-1212" or "+56 (2) 687 2400". If the
    // phone number contains an extension, it is RECOMMENDED that the extension be represented using the RFC 3966 [RFC3966]
    // extension syntax, for example, "+1 (604) 555-1234;ext=5678"." (OIDC Core §5.1)
    let number = claims.get("phone_number").and_then(Value::as_str);
    let is_doubtful = number.is_some_and(|number| !is_phone_number(number));
    let doubt = "is not written as \"+1 (425) 555-1212\" or \"+1 (604) 555-1234;ext=5678\", so apps are told that it is not verified";
    is_doubtful.then_some(("phone_number", doubt)).into_iter()
}

/// What is wrong with a claim of another name, or nothing.
pub(super) fn fault_of_other(name: &str, value: &Value) -> Option<String> {
    if RESERVED.contains(&name) {
        return Some("has a meaning of its own in tokens and cannot be given".into());
    }
    is_standard(name).then(|| fault(name, value)).flatten()
}

fn address(value: &Value) -> Option<String> {
    let Some(members) = value.as_object() else { return Some(format!("is not a table with {}", ADDRESS.join(", "))) };
    let wrong = members.iter().find(|(name, value)| !ADDRESS.contains(&name.as_str()) || !value.is_string());
    wrong.map(|(name, _)| {
        format!("holds \"{name}\", which is not known or is not text; known are {}", ADDRESS.join(", "))
    })
}

fn is_birthdate(text: &str) -> bool {
    // "represented as an ISO 8601-1 [ISO8601-1] "YYYY-MM-DD" format. The year MAY be "0000", indicating that it is omitted. To
    // represent only the year, "YYYY" format is allowed." (OIDC Core §5.1)
    let digits = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    let within = |part: &str, highest: u8| {
        digits(part, 2) && part.parse::<u8>().is_ok_and(|number| (1..=highest).contains(&number))
    };
    match text.split('-').collect::<Vec<_>>().as_slice() {
        [year] => digits(year, 4),
        [year, month, day] => digits(year, 4) && within(month, 12) && within(day, 31),
        _ => false,
    }
}

fn is_email(text: &str) -> bool {
    // "Its value MUST conform to the RFC 5322 [RFC5322] addr-spec syntax." (OIDC Core §5.1); of it the names without quotes, which
    // are all that anybody has.
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"\"(),:;<>@[\\]".contains(c);
    let is_dotted = |part: &str| part.split('.').all(|atom| !atom.is_empty() && atom.chars().all(plain));
    text.len() <= 254 && text.split_once('@').is_some_and(|(local, domain)| is_dotted(local) && is_dotted(domain))
}

fn is_link(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}

pub(super) fn is_language(text: &str) -> bool {
    let mut parts = text.split(['-', '_']);
    parts.next().is_some_and(|language| {
        matches!(language.len(), 2..=8) && language.bytes().all(|byte| byte.is_ascii_alphabetic())
    }) && parts.all(|part| matches!(part.len(), 1..=8) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// A TOML value as JSON; a date becomes its text.
pub(super) fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(json).collect(),
        toml::Value::Table(members) => {
            members.into_iter().map(|(name, value)| (name, json(value))).collect::<Map<_, _>>().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // "Its value MUST conform to the RFC 5322 [RFC5322] addr-spec syntax." (OIDC Core §5.1)
    #[test]
    fn standard_claims_keep_their_types() {
        for (name, value) in [
            ("name", json!("Alice")),
            ("name#ja", json!("アリス")),
            ("email", json!("alice@example.com")),
            ("email_verified", json!(true)),
            ("birthdate", json!("0000-12-31")),
            ("birthdate", json!("1990")),
            ("address", json!({"country": "CH"})),
            ("locale", json!("de-CH")),
        ] {
            assert_eq!(fault(name, &value), None, "{name}");
        }
        for (name, value) in [
            ("name", json!(1)),
            ("email", json!("alice")),
            ("email", json!("alice@home@example.com")),
            ("email", json!(".alice@example.com")),
            ("email", json!("alice,bob@example.com")),
            ("email_verified", json!("true")),
            ("birthdate", json!("31.12.1990")),
            ("birthdate", json!("1990-13-01")),
            ("address", json!("Bern")),
            ("address", json!({"planet": "Earth"})),
            ("picture", json!("javascript:alert(1)")),
            ("locale", json!("")),
        ] {
            assert!(fault(name, &value).is_some(), "{name}");
        }
    }

    #[test]
    fn what_tokens_say_of_themselves_cannot_be_given() {
        assert!(fault_of_other("sub", &json!("x")).is_some());
        assert!(fault_of_other("department", &json!("R&D")).is_none());
    }
}
