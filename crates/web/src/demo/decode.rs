//! JSON and JWTs as lists of names and values that can be shown beside their explanations.
//!
//! Nothing is verified here: what is shown has been verified elsewhere, or is shown because it was refused.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::StaticFormatDescription, macros::format_description};

/// The longest value that is kept, in bytes.
const VALUE_LIMIT: usize = 8 * 1024;
const DATE: StaticFormatDescription = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");

/// A name and its value, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) value: String,
}

/// The readable halves of a JWT.
#[derive(Clone, Debug)]
pub(super) struct Decoded {
    pub(super) header: Vec<Member>,
    pub(super) claims: Vec<Member>,
}

impl Member {
    /// A member whose value is cut to what is kept.
    pub(super) fn new(name: impl Into<String>, value: &str) -> Self {
        Self { name: name.into(), value: cut(value) }
    }
}

/// The header and claims of a JWT; nothing where the token is opaque.
pub(super) fn jwt(token: &str) -> Option<Decoded> {
    let mut parts = token.split('.');
    let (header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    Some(Decoded { header: members(&object(header)?), claims: members(&object(claims)?) })
}

/// The members of a JSON object.
pub(super) fn members(object: &Map<String, Value>) -> Vec<Member> {
    object.iter().map(|(name, value)| Member::new(name, &shown(name, value))).collect()
}

/// At most [`VALUE_LIMIT`] bytes of a text.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().find(|(at, _)| *at >= VALUE_LIMIT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn shown(name: &str, value: &Value) -> String {
    match (name, value) {
        ("exp" | "iat" | "nbf" | "auth_time" | "updated_at", Value::Number(seconds)) => match date(seconds.as_i64()) {
            Some(date) => format!("{seconds} ({date})"),
            None => seconds.to_string(),
        },
        (_, Value::String(text)) => text.clone(),
        (_, Value::Array(items)) if items.iter().all(Value::is_string) => value.to_string().replace("\",\"", "\", \""),
        (_, Value::Array(_) | Value::Object(_)) => serde_json::to_string_pretty(value).unwrap_or_default(),
        _ => value.to_string(),
    }
}

fn date(seconds: Option<i64>) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(seconds?).ok()?.format(DATE).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str) -> String {
        format!("{}.{}.sig", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_jwt_is_taken_apart() {
        let decoded = jwt(&token(r#"{"alg":"ES256"}"#, r#"{"sub":"alice","exp":1764000000}"#)).unwrap();
        assert_eq!(decoded.header, [Member::new("alg", "ES256")]);
        assert!(decoded.claims.contains(&Member::new("exp", "1764000000 (2025-11-24 16:00:00 UTC)")));
    }

    #[test]
    fn an_opaque_token_stays_whole() {
        assert!(jwt("at_00000000001.c2VjcmV0").is_none());
        assert!(jwt("a.b.c").is_none());
        assert!(jwt("a.b.c.d.e").is_none());
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let long = "ä".repeat(VALUE_LIMIT);
        assert!(cut(&long).len() <= VALUE_LIMIT + 4);
    }

    #[test]
    fn a_date_out_of_range_is_left_as_it_is() {
        let claims = format!(r#"{{"exp":{}}}"#, i64::MAX);
        assert_eq!(jwt(&token("{}", &claims)).unwrap().claims[0].value, i64::MAX.to_string());
    }
}
