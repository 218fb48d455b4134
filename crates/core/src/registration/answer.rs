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
    // "If this happens, the Authorization Server MUST include these fields in the response to the Client."
    // (OIDC Registration §3.2)
    // "Upon a successful read operation, the Authorization Server SHOULD return all registered Metadata about this Client,
    // including any fields provisioned by the Authorization Server itself." (OIDC Registration §4.3)
    let mut members = registered(&client.metadata);
    // Also where it is the default, which is not kept.
    members.insert("subject_type".into(), json!(client.metadata.subject_type));
    // "client_id REQUIRED." (RFC 7591 §3.2.1)
    // "client_id REQUIRED. Unique Client Identifier." (OIDC Registration §3.2)
    members.insert("client_id".into(), json!(client.client_id));
    members.insert("client_id_issued_at".into(), json!(client.created_at.seconds()));
    if let Some(Made { text, expires_at }) = made {
        members.insert("client_secret".into(), json!(text.expose()));
        // "REQUIRED if "client_secret" is issued. Time at which the client secret will expire or 0 if it will not expire."
        // (RFC 7591 §3.2.1)
        // "REQUIRED if "client_secret" is issued." (OIDC Registration §3.2)
        members.insert("client_secret_expires_at".into(), json!(expires_at.map_or(0, Time::seconds)));
    }
    // "Implementations MUST either return both a Client Configuration Endpoint and a Registration Access Token or neither of
    // them." (OIDC Registration §3.2)
    // "If a Client Configuration Endpoint and a Registration Access Token are returned by the initial registration of the
    // Client, the Authorization Server MUST provide the Client with the fully qualified URL in the "registration_client_uri"
    // element of the Client Registration Response, per Section 3.2. The Authorization Server MUST NOT expect the Client to
    // construct or discover this URL on its own. ... It is RECOMMENDED that this endpoint URL be formed through the use of a
    // server-constructed URL string which combines the Client Registration Endpoint's URL and the issued Client ID for this
    // Client, with the latter as either a path parameter or a query parameter." (OIDC Registration §4.1)
    // "registration_client_uri REQUIRED. ... registration_access_token REQUIRED. ... Additionally, the authorization server MUST
    // return all registered metadata about this client, including any fields provisioned by the authorization server itself." (RFC
    // 7592 §3)
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
