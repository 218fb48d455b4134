//! The keys that clients publish at their `jwks_uri` (RFC 7591 §2): for assertions, and for whatever else is signed by a client or
//! encrypted to it.
//!
//! An address is asked by a task of its own, which no request owns: a browser or client that hangs up takes nothing with it. Of one
//! client there is one question at a time. Who has no keys, or needs one that is not among those kept, waits for what comes of it; all
//! others go on with those kept, which are read again beside them as they grow old. `kept` decides all that.
//!
//! Whoever names a client in vain can make us ask no more often than once a minute, and where an address gives no keys, ever less often
//! until that. Clients have turns at the door to other servers that are theirs alone ([`crate::outbound`]).

mod kept;

use std::sync::Arc;

use actix_web::web::Data;
use grantor_core::authorization::Arrived;
use grantor_core::client::{Client, Encryption};
use grantor_core::client_auth::{Asserted, ClientAuthMethod, PublishedKeys};
use grantor_core::params::Params;
use grantor_jose::jwk::JwkSet;
use openidconnect::http::{Method, Request, StatusCode};
use tokio::sync::watch;

pub(crate) use kept::ClientKeys;
use kept::{Meanwhile, Next, Question};

use crate::app::App;
use crate::outbound::Asker;

/// The largest set that is read, in bytes; its keys are 64 at most, and those of most clients take two thousand.
const MOST_BYTES: usize = 64 * 1024;
/// How often it is begun anew where the client names another address meanwhile.
const ROUNDS: usize = 3;

/// The keys at the `jwks_uri` of the client that a request's assertion names, where it has one and they can be had.
pub(crate) async fn of_assertion(app: &Data<App>, params: &Params) -> Option<Arc<PublishedKeys>> {
    let asserted = Asserted::read(params)?;
    let is_asked = |client: &Client| client.metadata.token_endpoint_auth_method == ClientAuthMethod::PrivateKeyJwt;
    app.directory().client(&asserted.client_id).filter(|client| is_asked(client))?;
    published(app, &asserted.client_id, &|keys| asserted.may_be_by(keys)).await
}

/// The keys that a request at the token endpoint needs of the client that it names: those of its assertion, and those that its ID token
/// is encrypted to.
pub(crate) async fn of_token_request(
    app: &Data<App>,
    params: &Params,
    client_id: Option<&str>,
) -> Option<Arc<PublishedKeys>> {
    let encryption = client_id.and_then(|client_id| app.directory().client(client_id)?.id_token_encryption());
    let (Some(client_id), Some(encryption)) = (client_id, encryption) else { return of_assertion(app, params).await };
    let asserted = Asserted::read(params);
    let may_sign = |keys: &JwkSet| asserted.as_ref().is_none_or(|asserted| asserted.may_be_by(keys));
    published(app, client_id, &|keys| encryption.fits(keys) && may_sign(keys)).await
}

/// The keys at the `jwks_uri` of the client whose request object this is, where it has one and they can be had.
pub(crate) async fn of_request_object(app: &Data<App>, arrived: &Arrived<'_>) -> Option<Arc<PublishedKeys>> {
    let client = arrived.needs_keys()?;
    published(app, &client.client_id, &|keys| arrived.may_be_by(keys)).await
}

/// The keys that an answer to a client is encrypted to.
pub(crate) async fn to_encrypt(app: &Data<App>, client_id: &str, encryption: Encryption) -> Option<Arc<PublishedKeys>> {
    current(app, client_id, &|keys| encryption.fits(keys)).await
}

/// The keys of a client as they are now, also of one that is switched off, which may still have to be told something: those that it
/// has declared, or those at its `jwks_uri`, which are read again, at most once a minute, where `do_they` says that those that are
/// kept do not: that what is to be encrypted or verified needs another one. None where it has none, or they cannot be read.
pub(crate) async fn current(
    app: &Data<App>,
    client_id: &str,
    do_they: &dyn Fn(&JwkSet) -> bool,
) -> Option<Arc<PublishedKeys>> {
    let declared = app.directory().clients.get(client_id)?.metadata.jwks.clone();
    match declared {
        Some(keys) => Some(Arc::new(PublishedKeys { uri: String::new(), keys })),
        None => published(app, client_id, do_they).await,
    }
}

/// The keys at the `jwks_uri` of a client; of the address that it names in the end, where it names another meanwhile.
async fn published(app: &Data<App>, client_id: &str, do_they: &dyn Fn(&JwkSet) -> bool) -> Option<Arc<PublishedKeys>> {
    let mut keys = None;
    for _ in 0..ROUNDS {
        let uri = uri_of(app, client_id)?;
        keys = at(app, (client_id, &uri), do_they).await;
        if uri_of(app, client_id)? == uri {
            break;
        }
    }
    keys
}

fn uri_of(app: &App, client_id: &str) -> Option<String> {
    app.directory().clients.get(client_id)?.metadata.jwks_uri.clone()
}

/// The keys at an address.
async fn at(
    app: &Data<App>,
    (client_id, uri): (&str, &str),
    do_they: &dyn Fn(&JwkSet) -> bool,
) -> Option<Arc<PublishedKeys>> {
    loop {
        let seen = app.client_keys.look(client_id, uri, &app.clock);
        // Here, and not where the lock is held: it may take the verification of a signature.
        let enough = seen.as_ref().is_some_and(|seen| do_they(&seen.keys));
        let mut known = match app.client_keys.next((client_id, uri), (seen.as_ref(), enough), &app.clock) {
            Next::LookAgain => continue,
            Next::Use(keys) => return keys,
            Next::Ask(question, meanwhile) => {
                ask(app, question);
                match meanwhile {
                    Meanwhile::Use(keys) => return Some(keys),
                    Meanwhile::Wait(known) => known,
                }
            }
            Next::Wait(known) => known,
        };
        wait(&mut known).await;
        return app.client_keys.look(client_id, uri, &app.clock);
    }
}

/// Waits until it is known what came of a question, which is when whoever put it is done.
async fn wait(known: &mut watch::Receiver<()>) {
    while known.changed().await.is_ok() {}
}

/// Puts a question, in a task of its own.
fn ask(app: &Data<App>, question: Question) {
    let asking = Asking { app: app.clone(), question };
    actix_web::rt::spawn(asking.run());
}

/// A question that is being put. However it ends, it is settled: also when the task is dropped with the thread that it runs on.
struct Asking {
    app: Data<App>,
    question: Question,
}

impl Asking {
    async fn run(mut self) {
        let Self { app, question } = &mut self;
        let read = tokio::select! {
            read = app.read_keys(&question.client_id, &question.uri) => read,
            // The client names another address by now.
            _ = &mut question.wanted => None,
        };
        app.client_keys.settle(question, read);
        let directory = app.directory();
        let names = |client: &Arc<Client>, uri: &str| client.metadata.jwks_uri.as_deref() == Some(uri);
        app.client_keys
            .retain(|client_id, uri| directory.clients.get(client_id).is_some_and(|client| names(client, uri)));
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        // Nothing, where it is settled already.
        self.app.client_keys.settle(&self.question, None);
    }
}

impl App {
    /// Asks the address. A client that publishes none that can be read is its own business: the log says why.
    async fn read_keys(&self, client_id: &str, uri: &str) -> Option<(PublishedKeys, usize)> {
        let request = Request::builder().method(Method::GET).uri(uri).header("accept", "application/json");
        let answered = self.fetch(request.body(Vec::new()).ok()?, Asker::Client(client_id)).await;
        let read = answered.map_err(|error| error.to_string()).and_then(|answer| match answer.status() {
            StatusCode::OK if answer.body().len() > MOST_BYTES => {
                Err(format!("they have more than {MOST_BYTES} bytes"))
            }
            StatusCode::OK => match serde_json::from_slice(answer.body()) {
                Ok(keys) => Ok((PublishedKeys { uri: uri.to_owned(), keys }, answer.body().len())),
                Err(error) => Err(error.to_string()),
            },
            status => Err(format!("it answered {status}")),
        });
        read.inspect_err(|why| tracing::warn!(client_id, why, "the keys of a client could not be read")).ok()
    }
}
