//! The client information response (RFC 7591 §3.2.1, RFC 7592 §3).

use grantor_jose::secret::SecretText;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::members::settable;
use crate::client::{Client, ClientMetadata};
use crate::time::Time;

/// What a client is told of itself.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Information(Map<String, Value>);

/// A secret that was made for a client, and until when it counts.
pub(super) struct Made {
    pub(super) text: SecretText,
    pub(super) expires_at: Option<Time>,
}

/// The answer: all that is registered, and what the client goes on with.
pub(super) fn information(client: &Client, made: Option<&Made>, (endpoint, token): (&str, String)) -> Information {
    // "Additionally, the authorization server MUST return all registered metadata about this client, including any fields
    // provisioned by the authorization server itself." (RFC 7591 §3.2.1)
    let mut members = registered(&client.metadata);
    // Also where it is the default, which is not kept.
    members.insert("subject_type".into(), json!(client.metadata.subject_type));
    members.insert("client_id".into(), json!(client.client_id));
    members.insert("client_id_issued_at".into(), json!(client.created_at.seconds()));
    if let Some(Made { text, expires_at }) = made {
        members.insert("client_secret".into(), json!(text.expose()));
        // "REQUIRED if "client_secret" is issued. Time at which the client secret will expire or 0 if it will not expire."
        // (RFC 7591 §3.2.1)
        members.insert("client_secret_expires_at".into(), json!(expires_at.map_or(0, Time::seconds)));
    }
    members.insert("registration_client_uri".into(), json!(format!("{endpoint}/{}", client.client_id)));
    members.insert("registration_access_token".into(), json!(token));
    Information(members)
}

/// The metadata by the names that clients know.
fn registered(metadata: &ClientMetadata) -> Map<String, Value> {
    let Ok(Value::Object(all)) = serde_json::to_value(metadata) else { return Map::new() };
    let is_told = |name: &str, value: &Value| {
        (settable(name).is_some() || name == "software_statement")
            && !matches!(value, Value::String(text) if text.is_empty())
    };
    let mut members: Map<String, Value> = all.into_iter().filter(|(name, value)| is_told(name, value)).collect();
    members.extend(metadata.localized.iter().map(|(name, text)| (name.clone(), json!(text))));
    members
}
