//! Webhooks: other systems of a team are told of events, as Standard Webhooks has it (`spec/standard-webhooks.md`, version
//! 1.0): the event as JSON, signed with a secret that both have, under an identifier that stays the same in every attempt.

use grantor_core::audit::{Event, EventKind};
use grantor_core::time::Time;
use grantor_jose::id::Id;
use grantor_jose::message_key::MessageKey;
use openidconnect::HttpRequest;
use openidconnect::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::locale::machine_readable;

/// Somebody who is told of events.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// What it is called here.
    pub name: String,
    /// Where it is told.
    pub url: String,
    /// What the messages are signed with; several while one takes the place of another.
    pub keys: Vec<MessageKey>,
    /// What it is told of.
    pub events: Vec<EventKind>,
}

/// An event as machines read it: in listings, and as the body of a message.
pub fn event_members(event: &Event, username: Option<&str>) -> Value {
    members(event, event.kind.as_str(), username)
}

/// The body of a message that tells of nothing: an event in all its members, but of a type that none has.
pub fn test_members(id: Id, now: Time) -> Value {
    members(&Event::new(id, now, EventKind::UserChanged), "webhook_test", None)
}

fn members(event: &Event, kind: &str, username: Option<&str>) -> Value {
    json!({
        "case": event.id.to_string(),
        "at": machine_readable(event.at.seconds()),
        "type": kind,
        // What it was called first.
        "kind": kind,
        "reason": event.reason,
        "client_id": event.client_id,
        "username": username,
        "user_id": event.user_id.map(|id| id.to_string()),
        "address": event.address,
        "detail": event.detail,
    })
}

/// The identifier of the message that tells of an event.
pub fn message_id(event: &Event) -> String {
    format!("evt_{}", event.id)
}

impl Webhook {
    /// The signed request that tells of something.
    ///
    /// # Errors
    /// When the address is none.
    pub fn request(&self, id: &str, now: Time, body: &Value) -> Result<HttpRequest, openidconnect::http::Error> {
        let (body, timestamp) = (body.to_string(), now.seconds().to_string());
        let parts: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body.as_bytes()];
        let signatures: Vec<String> = self.keys.iter().map(|key| format!("v1,{}", key.sign(&parts))).collect();
        Request::post(&self.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signatures.join(" "))
            .body(body.into_bytes())
    }
}

/// Whether an answer says that the message was taken.
///
/// # Errors
/// Why it was not.
pub fn taken(status: StatusCode) -> Result<(), String> {
    if status.is_success() { Ok(()) } else { Err(format!("it answered {status}")) }
}
