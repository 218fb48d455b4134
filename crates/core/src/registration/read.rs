//! Reading what a client says of itself: measured, each member by itself, so that the answer names the one that is wrong.

use grantor_jose::json;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::RegistrationPolicy;
use super::members::{settable, tagged};
use crate::authorization::ResponseType;
use crate::client::ClientMetadata;
use crate::error::Error;
use crate::grant_type::GrantType;
use crate::policy::Policy;
use crate::scope::Scope;

/// The longest text of a member, in bytes.
const TEXT_LONGEST: usize = 2048;
/// The longest list.
const LIST_LONGEST: usize = 100;
/// How many translations there may be.
const TRANSLATIONS_MOST: usize = 100;

/// What a request says, member by member. What stands there as `null` is not there.
pub(super) type Members = Map<String, Value>;

/// Reads a JSON object in which each name stands once.
pub(super) fn members(body: &[u8]) -> Result<Members, Error> {
    let Ok(Value::Object(members)) = json::read(body) else { return Err(Error::RegistrationMalformed) };
    // "Omitted fields MUST be treated as null or empty values by the server" (RFC 7592 §2.2); so null is as omitted
    Ok(members.into_iter().filter(|(_, value)| !value.is_null()).collect())
}

/// The metadata that these members make of a client, completed with what they leave open.
pub(super) fn metadata(said: &Members, policy: &Policy) -> Result<ClientMetadata, Error> {
    // "Valid values of client metadata fields in this request MUST replace, not augment, the values previously associated with this
    // client." (RFC 7592 §2.2): what was there before has no say here.
    let mut known = Members::new();
    let mut localized = Members::new();
    for (name, value) in said {
        // "The authorization server MUST ignore any client metadata sent by the client that it does not understand"
        // (RFC 7591 §2)
        // "An Authorization Server MAY ignore values provided by the client and MUST ignore any fields sent by the Client
        // that it does not understand." (OIDC Registration §3.2)
        // "The client MUST NOT be allowed to overwrite its existing client secret with its own chosen value." (RFC 7592 §2.2)
        if let Some((name, what)) = settable(name) {
            // An empty list leaves open what such a client uses.
            if matches!(name, "grant_types" | "response_types") && value.as_array().is_some_and(Vec::is_empty) {
                continue;
            }
            // "For all metadata fields, the authorization server MAY replace any invalid values with suitable default values, and
            // it MUST return any such fields to the client in the response." (RFC 7592 §2.2)
            let value = offered(name, value, policy);
            check_member(name, &value).ok_or_else(|| unfit(name, what))?;
            known.insert(name.to_owned(), value);
        } else if let Some((member, tag)) = tagged(name) {
            let is_text = value.as_str().is_some_and(|text| text.len() <= TEXT_LONGEST);
            let (member, what) = settable(member).filter(|_| !is_text).unwrap_or((member, ""));
            if !is_text {
                return Err(Error::MetadataInvalid(member, what));
            }
            localized.insert(format!("{member}#{}", tag.to_ascii_lowercase()), value.clone());
        }
    }
    if localized.len() > TRANSLATIONS_MOST {
        return Err(Error::MetadataInvalid("client_name", "stands there in more than 100 languages"));
    }
    let policy = &policy.registration;
    let scope = scope(known.remove("scope"), policy)?;
    known.insert("localized".to_owned(), localized.into());
    let metadata: ClientMetadata = read(known.into()).ok_or(Error::RegistrationMalformed)?;
    complete(ClientMetadata { scope, ..metadata }, policy)
}

/// "The authorization server MAY reject or replace any of the client's requested metadata values" (RFC 7591 §3.2.1): of grant and
/// response types that are not for such clients nothing is kept, and the answer tells which are.
fn offered(name: &str, value: &Value, policy: &Policy) -> Value {
    // Tokens travel through the browser for such apps only where the settings say both.
    let through_browser = policy.clients.allow_front_channel_tokens;
    let grant_types = &policy.registration.grant_types;
    let may = |grant: GrantType| grant_types.contains(&grant) && (grant != GrantType::Implicit || through_browser);
    let is_offered = |word: &Value| match (name, word.as_str()) {
        ("grant_types", Some(word)) => read::<GrantType>(word.into()).is_some_and(may),
        ("response_types", Some(word)) => {
            word.parse::<ResponseType>().is_ok_and(|kind| !kind.is_front_channel() || may(GrantType::Implicit))
        }
        _ => true,
    };
    match value {
        Value::Array(words) if words.len() <= LIST_LONGEST => {
            words.iter().filter(|word| is_offered(word)).cloned().collect()
        }
        other => other.clone(),
    }
}

fn unfit(name: &'static str, what: &'static str) -> Error {
    match name {
        // "invalid_redirect_uri The value of one or more redirection URIs is invalid." (RFC 7591 §3.2.2)
        "redirect_uris" => Error::RedirectUriUnsafe(what),
        _ => Error::MetadataInvalid(name, what),
    }
}

/// Whether a value is small, shows itself, and is of the type of its member.
fn check_member(name: &str, value: &Value) -> Option<()> {
    let is_text = |value: &Value| {
        value.as_str().is_none_or(|text| text.len() <= TEXT_LONGEST && !text.contains(char::is_control))
    };
    let is_modest = match value {
        Value::Array(items) => items.len() <= LIST_LONGEST && items.iter().all(is_text),
        // Keys are measured where they are read.
        Value::Object(_) => name == "jwks",
        other => is_text(other),
    };
    let alone: Option<ClientMetadata> =
        read([(name.to_owned(), value.clone())].into_iter().collect::<Members>().into());
    (is_modest && alone.is_some()).then_some(())
}

fn read<T: DeserializeOwned>(value: Value) -> Option<T> {
    serde_json::from_value(value).ok()
}

/// The scopes that are asked for and may be had; all of those where none is named.
fn scope(said: Option<Value>, policy: &RegistrationPolicy) -> Result<Scope, Error> {
    // "If omitted, an authorization server MAY register a client with a default set of scopes." (RFC 7591 §2)
    let Some(said) = said else { return Ok(policy.scopes.clone()) };
    let asked: Scope = read(said).ok_or(Error::MetadataInvalid("scope", "must be scopes separated by spaces"))?;
    let had = asked.intersection(&policy.scopes);
    if had.is_empty() && !asked.is_empty() {
        return Err(Error::MetadataInvalid("scope", "names no scope that apps can register themselves for"));
    }
    Ok(if asked.is_empty() { policy.scopes.clone() } else { had })
}

/// Fills in what the specifications have as defaults, so that the answer tells them.
fn complete(mut metadata: ClientMetadata, policy: &RegistrationPolicy) -> Result<ClientMetadata, Error> {
    let some = |list: Option<&Vec<String>>| list.is_some_and(|list| !list.is_empty());
    if metadata.response_types.as_ref().is_some_and(Vec::is_empty) {
        return Err(Error::MetadataInvalid(
            "response_types",
            "names none that is offered to apps that register themselves",
        ));
    }
    if metadata.grant_types.as_ref().is_some_and(Vec::is_empty) {
        return Err(Error::MetadataInvalid(
            "grant_types",
            "names none that is offered to apps that register themselves",
        ));
    }
    let grants = metadata.grant_types.get_or_insert_with(|| vec![GrantType::AuthorizationCode]);
    grants.dedup();
    let redirects = grants.contains(&GrantType::AuthorizationCode);
    if !some(metadata.response_types.as_ref()) {
        // "If omitted, the default is that the client will use only the "code" response type." (RFC 7591 §2)
        metadata.response_types = Some(if redirects { vec!["code".to_owned()] } else { Vec::new() });
    }
    super::correspondence::check(&metadata, policy)?;
    Ok(metadata)
}
