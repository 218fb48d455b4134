//! The keys that clients publish at their `jwks_uri`: read when an assertion needs them, kept for an hour, and read again when one is
//! signed by another, at most once a minute. Whoever names a client in vain can make us ask no more often than that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use grantor_core::client::Client;
use grantor_core::client_auth::{Asserted, ClientAuthMethod};
use grantor_core::params::Params;
use grantor_core::time::Time;
use grantor_jose::jwk::JwkSet;
use openidconnect::http::{Method, Request, StatusCode};

use crate::app::App;
use crate::outbound::Asker;

/// How long keys count that were read: one that a client has taken back is not taken for longer.
const COUNT_FOR: Duration = Duration::from_hours(1);
/// After how long they are read again while they still count, so that nobody has to wait for an address that is slow.
const FRESH_FOR: Duration = Duration::from_mins(15);
/// How often they are read because of assertions by another key.
const AGAIN_AFTER: Duration = Duration::from_mins(1);
/// How long an address that gave none is not asked again where none are kept.
const FAILURE_COUNTS_FOR: Duration = Duration::from_secs(5);

/// What is known of the keys of one client.
#[derive(Clone, Debug)]
struct Known {
    /// Where they are from: a declaration that names another place has nothing to do with them.
    uri: String,
    /// When they were last asked for.
    asked_at: Time,
    /// The keys, and when they were read.
    keys: Option<(Arc<JwkSet>, Time)>,
}

/// The keys of clients: one entry for each that is declared with an address, and none for others.
#[derive(Debug, Default)]
pub(crate) struct ClientKeys(Mutex<HashMap<String, Known>>);

/// What is to be done for an assertion.
#[derive(Debug)]
enum Next {
    /// Nothing: these are the keys, or there are none just now.
    Use(Option<Arc<JwkSet>>),
    /// The address is to be asked; where it gives none, these are the keys.
    Ask(Option<Arc<JwkSet>>),
}

impl ClientKeys {
    /// Decides, and notes that the address is asked where it shall be.
    fn next(&self, client_id: &str, uri: &str, asserted: &Asserted<'_>, now: Time) -> Next {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = known.get_mut(client_id).filter(|known| known.uri == uri && known.asked_at <= now);
        let Some(kept) = kept else {
            known.insert(client_id.to_owned(), Known { uri: uri.to_owned(), asked_at: now, keys: None });
            return Next::Ask(None);
        };
        let asked = now.since(kept.asked_at);
        let counting = kept.keys.as_ref().filter(|(_, read_at)| now.since(*read_at) < COUNT_FOR);
        let (keys, is_time) = match counting {
            None => (None, asked >= FAILURE_COUNTS_FOR),
            Some((keys, read_at)) => {
                let is_old = now.since(*read_at) >= FRESH_FOR || asserted.needs_other_keys(keys);
                (Some(Arc::clone(keys)), is_old && asked >= AGAIN_AFTER)
            }
        };
        if is_time {
            kept.asked_at = now;
            return Next::Ask(keys);
        }
        Next::Use(keys)
    }

    fn put(&self, client_id: &str, uri: &str, keys: &Arc<JwkSet>, now: Time) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = Some((Arc::clone(keys), now));
        known.insert(client_id.to_owned(), Known { uri: uri.to_owned(), asked_at: now, keys });
    }

    fn retain(&self, is_there: impl Fn(&str) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|client_id, _| is_there(client_id));
    }
}

impl App {
    /// The keys at the `jwks_uri` of the client that a request's assertion names, where it has one and they can be read.
    pub(crate) async fn client_keys(&self, params: &Params) -> Option<Arc<JwkSet>> {
        let asserted = Asserted::read(params)?;
        let directory = self.directory();
        let client = directory.client(&asserted.client_id)?;
        let uri = published_by(client)?;
        let now = self.clock.now();
        let kept = match self.client_keys.next(&client.client_id, uri, &asserted, now) {
            Next::Use(keys) => return keys,
            Next::Ask(kept) => kept,
        };
        let Some(keys) = self.read_keys(&client.client_id, uri).await else { return kept };
        let keys = Arc::new(keys);
        self.client_keys.put(&client.client_id, uri, &keys, now);
        self.client_keys.retain(|client_id| directory.clients.contains_key(client_id));
        Some(keys)
    }

    /// Asks the address. A client that publishes none that can be read is its own business: the log says why.
    async fn read_keys(&self, client_id: &str, uri: &str) -> Option<JwkSet> {
        let request = Request::builder().method(Method::GET).uri(uri).header("accept", "application/json");
        let answered = self.fetch(request.body(Vec::new()).ok()?, Asker::Client(client_id)).await;
        let read = answered.map_err(|error| error.to_string()).and_then(|answer| match answer.status() {
            StatusCode::OK => serde_json::from_slice(answer.body()).map_err(|error| error.to_string()),
            status => Err(format!("it answered {status}")),
        });
        read.inspect_err(|why| tracing::warn!(client_id, why, "the keys of a client could not be read")).ok()
    }
}

fn published_by(client: &Client) -> Option<&str> {
    let metadata = &client.metadata;
    let is_asked = metadata.token_endpoint_auth_method == ClientAuthMethod::PrivateKeyJwt;
    metadata.jwks_uri.as_deref().filter(|_| is_asked)
}
