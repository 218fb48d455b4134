//! Apps are told of ends of sessions (OpenID Connect Back-Channel Logout §2.5). Each app that something is due for has a worker of its
//! own in the background, with a few lanes: one that does not answer keeps neither the person who signs out waiting, nor any other app.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use grantor_core::audit::{Event, EventKind, printable};
use grantor_core::backchannel_logout::{LogoutNotice, NoticeChange, Outcome, Standing, logout_token};
use grantor_core::change::Change;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use openidconnect::HttpRequest;
use openidconnect::http::{Request, StatusCode, header};
use serde::Deserialize;

use crate::app::App;
use crate::client_keys;
use crate::delivery::in_lanes;
use crate::outbound::OutboundError;

/// How long an attempt may take before another one may be made: longer than any exchange is let to take.
const LEASE: Duration = Duration::from_secs(30);

/// So many notices are read at a time.
const AT_ONCE: u32 = 64;
/// So many apps are looked at together.
const APPS_AT_ONCE: u32 = 256;

/// Why an app has not taken a notice.
enum Untaken {
    /// It may work soon.
    Soon(String),
    /// It may work when somebody has mended something.
    Later(String),
    /// It is of no use to try again.
    Never(Outcome, String),
}

/// What an app says that refuses: "a JSON object with error and error_description parameters" (OIDC Back-Channel Logout §2.8).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: String,
    error_description: String,
}

impl App {
    /// The apps that something is due for.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn apps_to_tell(&self) -> Result<Vec<String>, StoreError> {
        self.provider.store.logout_notices_due_for(self.clock.now(), APPS_AT_ONCE).await
    }

    /// Gives an app the notices that are due, each once; says whether there may be more.
    ///
    /// # Errors
    /// Those of the store: what was claimed then is due again when its lease is over.
    pub async fn tell_app(self: &Arc<Self>, client_id: &str) -> Result<bool, StoreError> {
        let due = self.provider.store.logout_notices_due(client_id, self.clock.now(), AT_ONCE).await?;
        let is_full = u32::try_from(due.len()).is_ok_and(|found| found >= AT_ONCE);
        in_lanes(due, async |notice| Box::pin(self.attempt_notice(&notice)).await).await?;
        Ok(is_full)
    }

    /// Claims a notice, and tries to hand it over.
    async fn attempt_notice(self: &Arc<Self>, notice: &LogoutNotice) -> Result<(), StoreError> {
        let Standing::Waiting(due_at) = notice.standing else { return Ok(()) };
        let (key, until) = (notice.key.clone(), self.clock.now().plus(LEASE));
        let claim = NoticeChange::Claim { key: key.clone(), due_at, until };
        match self.provider.store.commit(vec![Change::LogoutNotice(claim)]).await {
            // Another node has it.
            Err(StoreError::Conflict) => return Ok(()),
            claimed => claimed?,
        }
        let changes = match self.hand_over(notice).await {
            Ok(()) => self.over(notice, Outcome::Delivered, String::new()),
            Err(untaken) => self.untaken(notice, untaken, until),
        };
        self.provider.store.commit(changes).await
    }

    async fn hand_over(self: &Arc<Self>, notice: &LogoutNotice) -> Result<(), Untaken> {
        let directory = self.directory();
        // Also an app that is switched off: it may still have people signed in.
        let client = directory.clients.get(&notice.key.client_id);
        let uri = client.and_then(|client| client.metadata.backchannel_logout_uri.as_deref());
        let (Some(client), Some(uri)) = (client, uri) else {
            let why = "the app has no address for it any more";
            return Err(Untaken::Never(Outcome::GivenUp, why.to_owned()));
        };
        let keys = match client.id_token_encryption() {
            Some(encryption) => {
                client_keys::to_encrypt(&Data::from(Arc::clone(self)), &client.client_id, encryption).await
            }
            None => None,
        };
        let token = logout_token::sign(&self.provider, client, notice, self.clock.now())
            .and_then(|token| logout_token::encrypt(&self.provider, client, token, keys.as_deref()));
        let token = token.map_err(|error| Untaken::Later(error.reason().to_owned()))?;
        let request = request(uri, &token).map_err(|error| Untaken::Never(Outcome::GivenUp, error.to_string()))?;
        let (status, body) = self.tell_client(request, &client.client_id).await?;
        taken(status, &body)
    }

    /// What is kept of a notice that is over, and the event that says so.
    fn over(&self, notice: &LogoutNotice, outcome: Outcome, error: String) -> Vec<Change> {
        let now = self.clock.now();
        let LogoutNotice { key, user_id, .. } = notice;
        let event = |kind| Event::new(self.id(), now, kind).client(&key.client_id).user(*user_id);
        let event = match outcome {
            Outcome::Delivered => event(EventKind::LogoutDelivered).detail(&key.sid.to_string()),
            Outcome::GivenUp | Outcome::Refused => {
                tracing::warn!(client_id = key.client_id, %outcome, %error, "an app was not told that a session had ended");
                event(EventKind::LogoutFailed).reason(outcome.as_str()).detail(&format!("{}: {error}", key.sid))
            }
        };
        let over = NoticeChange::Over { key: key.clone(), at: now, outcome, error };
        vec![Change::LogoutNotice(over), Change::EventInsert(Box::new(event))]
    }

    fn untaken(&self, notice: &LogoutNotice, untaken: Untaken, until: Time) -> Vec<Change> {
        let (is_refused, error) = match untaken {
            Untaken::Soon(error) => (false, error),
            Untaken::Later(error) => (true, error),
            Untaken::Never(outcome, error) => return self.over(notice, outcome, printable(&error)),
        };
        let (error, spread) = (printable(&error), f64::from(u16::from_be_bytes(self.provider.mint.bytes())));
        match notice.after_failure(is_refused, spread / f64::from(u16::MAX), self.clock.now()) {
            Some(next) => {
                let failed = NoticeChange::Failed { key: notice.key.clone(), until, next, error };
                vec![Change::LogoutNotice(failed)]
            }
            None => self.over(notice, Outcome::GivenUp, error),
        }
    }
}

impl From<OutboundError> for Untaken {
    fn from(error: OutboundError) -> Self {
        if matches!(error, OutboundError::Forbidden(_)) {
            Self::Later(error.to_string())
        } else {
            Self::Soon(error.to_string())
        }
    }
}

/// "The POST body uses the application/x-www-form-urlencoded encoding and must include a logout_token parameter"
/// (OIDC Back-Channel Logout §2.5).
fn request(uri: &str, token: &str) -> Result<HttpRequest, openidconnect::http::Error> {
    let body = url::form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", token).finish();
    // "The back-channel logout URI MAY include an "application/x-www-form-urlencoded" formatted query component, per Section
    // 3.4 of [RFC3986], which MUST be retained when adding additional query parameters." (OIDC Back-Channel Logout §2.2)
    Request::post(uri)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json")
        .body(body.into_bytes())
}

fn taken(status: StatusCode, body: &[u8]) -> Result<(), Untaken> {
    match status {
        // "If the logout succeeded, the RP MUST respond with HTTP 200 OK. However, note that some Web frameworks will substitute an
        // HTTP 204 No Content response for an HTTP 200 OK when the HTTP body is empty. Therefore, OPs should be prepared to also
        // process an HTTP 204 No Content response as a successful response." (OIDC Back-Channel Logout §2.8)
        StatusCode::OK | StatusCode::NO_CONTENT => Ok(()),
        // "If the logout request was invalid or the logout failed, the RP MUST respond with HTTP 400 Bad Request."
        // (OIDC Back-Channel Logout §2.8)
        StatusCode::BAD_REQUEST => Err(Untaken::Never(Outcome::Refused, refusal(body))),
        status if is_passing(status) => Err(Untaken::Soon(format!("it answered {status}"))),
        // "In all other cases, the OP SHOULD NOT retransmit a Back-Channel Logout Request." (OIDC Back-Channel Logout §2.5)
        status => Err(Untaken::Never(Outcome::Refused, format!("it answered {status}"))),
    }
}

/// "The OP should not retransmit a Back-Channel Logout Request unless the OP suspects that previous transmissions may have failed due
/// to potentially recoverable errors" (OIDC Back-Channel Logout §2.5).
fn is_passing(status: StatusCode) -> bool {
    let asks_to_wait = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    status.is_server_error() || asks_to_wait.contains(&status)
}

/// The words of an app that refuses.
fn refusal(body: &[u8]) -> String {
    let Refusal { error, error_description } = serde_json::from_slice(body).unwrap_or_default();
    match (error.as_str(), error_description.as_str()) {
        ("", _) => "it answered 400 Bad Request".to_owned(),
        (error, "") => error.to_owned(),
        (error, description) => format!("{error}: {description}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(status: u16, body: &str) -> Result<String, http_error::InvalidStatusCode> {
        let status = StatusCode::from_u16(status)?;
        Ok(match taken(status, body.as_bytes()) {
            Ok(()) => "taken".to_owned(),
            Err(Untaken::Soon(_)) => "soon".to_owned(),
            Err(Untaken::Later(_)) => "later".to_owned(),
            Err(Untaken::Never(_, why)) => why,
        })
    }

    #[test]
    fn only_what_may_pass_is_sent_again() -> Result<(), http_error::InvalidStatusCode> {
        let sent_again = [408, 429, 500, 502, 503, 504];
        for status in sent_again {
            assert_eq!(word(status, "")?, "soon", "{status}");
        }
        assert_eq!((word(200, "")?, word(204, "")?), ("taken".to_owned(), "taken".to_owned()));
        assert_eq!(word(302, "")?, "it answered 302 Found");
        assert_eq!(word(404, "")?, "it answered 404 Not Found");
        assert_eq!(word(400, "x")?, "it answered 400 Bad Request");
        assert_eq!(word(400, r#"{"error":"invalid_request"}"#)?, "invalid_request");
        let both = r#"{"error":"invalid_request","error_description":"no sid"}"#;
        assert_eq!(word(400, both)?, "invalid_request: no sid");
        Ok(())
    }

    mod http_error {
        pub(super) use openidconnect::http::status::InvalidStatusCode;
    }
}
