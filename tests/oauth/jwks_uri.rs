//! Apps that publish their keys at an address of their own (RFC 7591 §2): read when they are needed, by nobody's request, and never from
//! inside.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpServer, web};
use grantor_core::audit::EventKind;
use grantor_server::declare;
use grantor_server::place::Source;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::harness::app::App;
use crate::harness::assertion::{Assertion, params};
use crate::harness::connection::Connection;
use crate::harness::page::Page;
use crate::harness::seeds::SIGNED_KEY;
use crate::harness::server::{Server, unlimited};
use crate::harness::tls::{certificate, trusting};

/// The app's next key.
pub const NEXT_KEY: &str = r#"{"kty":"EC","crv":"P-256","kid":"signed-2","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}"#;

/// Where the app publishes its keys, until it is dropped.
pub struct Address {
    url: String,
    answer: Arc<Mutex<(u16, String)>>,
    asked: Arc<AtomicUsize>,
    /// Whether it says nothing for now.
    silent: watch::Sender<bool>,
    handle: actix_web::dev::ServerHandle,
}

impl Address {
    /// Starts, and publishes the first key.
    pub fn start() -> Self {
        let answer = Arc::new(Mutex::new((200, published(&[SIGNED_KEY]))));
        let (asked, silent) = (Arc::<AtomicUsize>::default(), watch::Sender::new(false));
        let (started, server) = mpsc::channel();
        let (answers, asks, says) = (Arc::clone(&answer), Arc::clone(&asked), silent.subscribe());
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || {
                    let (answers, asks, says) = (Arc::clone(&answers), Arc::clone(&asks), says.clone());
                    let keys = move || {
                        asks.fetch_add(1, Ordering::SeqCst);
                        let (answers, mut says) = (Arc::clone(&answers), says.clone());
                        async move {
                            let _ = says.wait_for(|silent| !silent).await;
                            let (status, body) = answers.lock().unwrap().clone();
                            let status = StatusCode::from_u16(status).unwrap();
                            HttpResponse::build(status).content_type("application/json").body(body)
                        }
                    };
                    actix_web::App::new().route("/keys", web::get().to(keys))
                };
                let server = HttpServer::new(app).workers(1).disable_signals();
                let server = server.bind_rustls_0_23("127.0.0.1:0", certificate().server_config()).unwrap();
                let port = server.addrs()[0].port();
                let running = server.run();
                started.send((port, running.handle())).unwrap();
                running.await.unwrap();
            });
        });
        let (port, handle) = server.recv().unwrap();
        Self { url: format!("https://127.0.0.1:{port}/keys"), answer, asked, silent, handle }
    }

    /// A server that trusts it, with the app that publishes its keys there.
    pub async fn server(&self) -> Arc<Server> {
        let server = Server::start_with(|config| {
            unlimited(config);
            trusting(config);
        });
        let server = server.await;
        declare(&server, &self.url).await;
        Arc::new(server)
    }

    /// Answers this from now on.
    pub fn publishes(&self, status: u16, body: &str) {
        *self.answer.lock().unwrap() = (status, body.to_owned());
    }

    /// Says nothing, or goes on.
    fn is_silent(&self, silent: bool) {
        self.silent.send_replace(silent);
    }

    /// How often it has been asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Waits until it has been asked so often.
    pub async fn is_asked(&self, times: usize) {
        let waiting = async {
            while self.asked() < times {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(8), waiting).await.expect("it is asked");
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// The public halves of some keys, as a JWK set.
pub fn published(keys: &[&str]) -> String {
    let public = |jwk: &&str| {
        let mut key: serde_json::Value = serde_json::from_str(jwk).unwrap();
        key.as_object_mut().unwrap().remove("d");
        key
    };
    json!({"keys": keys.iter().map(public).collect::<Vec<_>>()}).to_string()
}

fn declaration(uri: &str, more: &str) -> String {
    declaration_of("signed", uri, more)
}

fn declaration_of(client_id: &str, uri: &str, more: &str) -> String {
    format!(
        "[[clients]]\nclient_id = \"{client_id}\"\nclient_name = \"Signed\"\ntoken_endpoint_auth_method = \"private_key_jwt\"\n\
         redirect_uris = [\"https://signed.example/cb\"]\ngrant_types = [\"authorization_code\", \"client_credentials\"]\n\
         scope = \"openid notes.read\"\njwks_uri = \"{uri}\"\n{more}\n"
    )
}

/// Declares the app with this address.
pub async fn declare(server: &Server, uri: &str) {
    server.clock.advance(Duration::from_millis(1));
    server.apply(&declaration(uri, "")).await;
}

/// Asks for a token with an assertion of an app, by one of its keys that has the name `kid`.
async fn ask(server: &Server, client_id: &str, (kid, jwk): (&str, &str)) -> Page {
    let assertion = Assertion::new(server).claim("iss", client_id).claim("sub", client_id);
    let assertion = assertion.header("kid", kid).signed_with(jwk);
    let form = [&params(&assertion)[..], &[("grant_type", "client_credentials"), ("scope", "notes.read")]].concat();
    App::new(server, client_id).post_raw("/token", &[], &form).await
}

/// Asks with a right assertion, beside the story.
fn asking(server: &Arc<Server>, client_id: &'static str) -> JoinHandle<u16> {
    let server = Arc::clone(server);
    tokio::spawn(async move { ask(&server, client_id, ("signed-1", SIGNED_KEY)).await.status.as_u16() })
}

/// What comes of an assertion that is signed by one of the app's keys: `200`, or status and reason.
async fn fate(server: &Server, jwk: &str) -> String {
    let kid = if jwk == SIGNED_KEY { "signed-1" } else { "signed-2" };
    let page = ask(server, "signed", (kid, jwk)).await;
    if page.status == 200 { "200".to_owned() } else { format!("{} {}", page.status.as_u16(), server.reason().await) }
}

#[tokio::test]
async fn keys_are_read_once_for_many_assertions_and_again_when_the_app_has_others() {
    let address = Address::start();
    let server = address.server().await;
    for _ in 0..3 {
        assert_eq!(fate(&server, SIGNED_KEY).await, "200");
    }
    assert_eq!(address.asked(), 1);
    address.publishes(200, &published(&[NEXT_KEY]));
    server.clock.advance(Duration::from_secs(61));
    assert_eq!(fate(&server, NEXT_KEY).await, "200");
    assert_eq!((fate(&server, SIGNED_KEY).await.as_str(), address.asked()), ("401 AssertionSignature", 2));
}

#[tokio::test]
async fn whoever_signs_with_a_key_of_nobody_makes_us_ask_once_a_minute() {
    let address = Address::start();
    let server = address.server().await;
    assert_eq!(fate(&server, SIGNED_KEY).await, "200");
    server.clock.advance(Duration::from_secs(61));
    for number in 0..20 {
        let page = ask(&server, "signed", (&format!("of nobody {number}"), NEXT_KEY)).await;
        assert_eq!((page.status.as_u16(), server.reason().await.as_str()), (401, "AssertionSignature"));
        assert_eq!(fate(&server, SIGNED_KEY).await, "200", "the true app is served meanwhile");
        server.clock.advance(Duration::from_secs(2));
    }
    assert_eq!(address.asked(), 2);
    server.clock.advance(Duration::from_secs(20));
    assert_eq!(fate(&server, NEXT_KEY).await, "401 AssertionSignature");
    assert_eq!(address.asked(), 3);
}

#[tokio::test]
async fn an_address_that_is_away_costs_nobody_anything_for_an_hour() {
    let address = Address::start();
    let server = address.server().await;
    assert_eq!(fate(&server, SIGNED_KEY).await, "200");
    address.publishes(503, "");
    server.clock.advance(Duration::from_mins(59));
    assert_eq!(fate(&server, SIGNED_KEY).await, "200");
    address.is_asked(2).await;
    server.clock.advance(Duration::from_mins(2));
    assert_eq!(
        fate(&server, SIGNED_KEY).await,
        "401 ClientKeysUnreachable",
        "what it has taken back may count no longer"
    );
    address.publishes(200, &published(&[SIGNED_KEY]));
    server.clock.advance(Duration::from_secs(11));
    assert_eq!(fate(&server, SIGNED_KEY).await, "200");
}

#[tokio::test]
async fn what_is_no_set_of_public_keys_authenticates_nobody() {
    let address = Address::start();
    let server = address.server().await;
    let private = format!("{{\"keys\":[{SIGNED_KEY}]}}");
    let huge = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
    let large = published(&[SIGNED_KEY]).replace("\"keys\"", &format!("\"x\":\"{}\",\"keys\"", "x".repeat(64 * 1024)));
    for (status, body) in [(404, ""), (200, "no"), (200, "{}"), (200, &private), (200, &huge), (200, &large), (302, "")]
    {
        address.publishes(status, body);
        server.clock.advance(Duration::from_mins(1));
        assert_eq!(fate(&server, SIGNED_KEY).await, "401 ClientKeysUnreachable", "{status} {body:.20}");
    }
    let asked = address.asked();
    assert_eq!(fate(&server, SIGNED_KEY).await, "401 ClientKeysUnreachable");
    assert_eq!(address.asked(), asked, "it has just been asked");
}

#[tokio::test]
async fn an_address_inside_is_not_asked_and_the_events_say_why() {
    let server = Server::start().await;
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1", "localhost", "2130706433"] {
        declare(&server, &format!("https://{host}:1/keys")).await;
        assert_eq!(fate(&server, SIGNED_KEY).await, "401 ClientKeysUnreachable", "{host}");
        let events = server.events().await;
        let refused = events.iter().find(|event| event.kind == EventKind::FetchRefused).unwrap();
        let told = (refused.reason.as_deref(), refused.client_id.as_deref());
        assert_eq!(told, (Some("NotPublic"), Some("signed")), "{host}");
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_takes_nothing_with_it() {
    let address = Address::start();
    let server = address.server().await;
    address.is_silent(true);
    ask_and_tear_off(&server, &address).await;
    // Answers of every worker, so that the server has seen it by now.
    for _ in 0..32 {
        let page = App::new(&server, "signed").request_raw("GET", "/jwks", &[]).await;
        assert_ne!(page.status, 500);
    }
    let true_app = asking(&server, "signed");
    address.is_silent(false);
    assert_eq!(true_app.await.unwrap(), 200);
    assert_eq!((fate(&server, SIGNED_KEY).await.as_str(), address.asked()), ("200", 1));
}

/// Asks with a right assertion, and tears the connection off as soon as the address is asked.
async fn ask_and_tear_off(server: &Server, address: &Address) {
    let assertion = Assertion::new(server).signed();
    let form = [&params(&assertion)[..], &[("grant_type", "client_credentials")]].concat();
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let host = server.url.trim_start_matches("http://");
    let mut connection = Connection::open(host).await;
    let length = body.len();
    // What is answered to the first request is never read: so the connection is reset when it is dropped, and not only ended.
    let requests = format!(
        "GET /jwks HTTP/1.1\r\nHost: {host}\r\n\r\nPOST /token HTTP/1.1\r\nHost: {host}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    connection.write(requests.as_bytes()).await;
    address.is_asked(1).await;
}

#[tokio::test]
async fn of_ten_first_requests_at_once_none_is_refused_and_one_asks() {
    let address = Address::start();
    let server = address.server().await;
    address.is_silent(true);
    let mut all: JoinSet<u16> = JoinSet::new();
    for _ in 0..10 {
        let server = Arc::clone(&server);
        all.spawn(async move { ask(&server, "signed", ("signed-1", SIGNED_KEY)).await.status.as_u16() });
    }
    address.is_asked(1).await;
    address.is_silent(false);
    assert_eq!(all.join_all().await, [200; 10]);
    assert_eq!(address.asked(), 1);
}

#[tokio::test]
async fn what_an_address_says_that_the_app_has_left_meanwhile_does_not_count() {
    let (former, address) = (Address::start(), Address::start());
    let server = former.server().await;
    former.publishes(200, &published(&[NEXT_KEY]));
    former.is_silent(true);
    let early = asking(&server, "signed");
    former.is_asked(1).await;
    declare(&server, &address.url).await;
    assert_eq!(fate(&server, SIGNED_KEY).await, "200", "it does not wait for the former address");
    assert_eq!(early.await.unwrap(), 200, "nor does who asked before");
    former.is_silent(false);
    assert_eq!(fate(&server, NEXT_KEY).await, "401 AssertionSignature");
    assert_eq!((former.asked(), address.asked()), (1, 1));
}

#[tokio::test]
async fn an_address_that_says_nothing_keeps_nobody_waiting_who_has_keys() {
    let address = Address::start();
    let server = address.server().await;
    assert_eq!(fate(&server, SIGNED_KEY).await, "200");
    address.is_silent(true);
    server.clock.advance(Duration::from_mins(16));
    assert_eq!(fate(&server, SIGNED_KEY).await, "200");
    address.is_asked(2).await;
    server.clock.advance(Duration::from_mins(2));
    let needs_another = asking_with_next(&server);
    for _ in 0..3 {
        assert_eq!(fate(&server, SIGNED_KEY).await, "200");
    }
    assert_eq!(address.asked(), 2, "one question at a time");
    address.publishes(200, &published(&[SIGNED_KEY, NEXT_KEY]));
    address.is_silent(false);
    assert_eq!(needs_another.await.unwrap(), 200, "who needs another key waits for what comes of it");
    assert_eq!(address.asked(), 2);
}

/// Asks with an assertion by the app's next key, beside the story.
fn asking_with_next(server: &Arc<Server>) -> JoinHandle<u16> {
    let server = Arc::clone(server);
    tokio::spawn(async move { ask(&server, "signed", ("signed-2", NEXT_KEY)).await.status.as_u16() })
}

#[tokio::test]
async fn a_slow_app_keeps_no_other_waiting() {
    let (slow, address) = (Address::start(), Address::start());
    let server = address.server().await;
    server.clock.advance(Duration::from_millis(1));
    server.apply(&declaration_of("slow", &slow.url, "")).await;
    slow.is_silent(true);
    let waiting = asking(&server, "slow");
    slow.is_asked(1).await;
    assert_eq!(fate(&server, SIGNED_KEY).await, "200");
    assert!(!waiting.is_finished());
    slow.is_silent(false);
    assert_eq!(waiting.await.unwrap(), 200);
}

#[tokio::test]
async fn a_clock_that_is_set_back_takes_no_keys_away() {
    let address = Address::start();
    let server = address.server().await;
    assert_eq!(fate(&server, SIGNED_KEY).await, "200");
    address.publishes(503, "");
    server.clock.step_back(Duration::from_mins(30));
    assert_eq!((fate(&server, SIGNED_KEY).await.as_str(), address.asked()), ("200", 1));
}

#[tokio::test]
async fn keys_of_an_address_prove_an_app_at_every_endpoint() {
    let address = Address::start();
    let server = address.server().await;
    let app = App::new(&server, "signed");
    let page = ask(&server, "signed", ("signed-1", SIGNED_KEY)).await;
    let token = page.json()["access_token"].as_str().unwrap().to_owned();
    let assertion = || Assertion::new(&server).signed();
    let (one, batch, revoking) = (assertion(), assertion(), assertion());
    for (path, assertion) in [("/introspect", &one), ("/introspect/batch", &batch), ("/revoke", &revoking)] {
        let form = [&params(assertion)[..], &[("token", &token)]].concat();
        assert_eq!(app.post_raw(path, &[], &form).await.status, 200, "{path}");
    }
    assert_eq!(address.asked(), 1);
}

// "URL for the Client's JWK Set [JWK] document, which MUST use the "https" scheme." (OIDC Registration §2)
// "The "jwks_uri" and "jwks" parameters MUST NOT be used together." (OIDC Registration §2)
#[test]
fn keys_are_in_one_place_and_the_address_is_https() {
    for (uri, more, why) in [
        ("https://signed.example/keys", "jwks = { keys = [] }", "stands beside jwks"),
        ("http://signed.example/keys", "", "is no https URL"),
        ("keys", "", "is no https URL"),
        ("https://u:p@signed.example/keys", "", "has user information"),
        ("https://signed.example/keys#1", "", "has a fragment"),
    ] {
        let said = declare::parse(&Source::new("test.toml", &declaration(uri, more))).unwrap_err().to_string();
        assert!(said.contains("jwks_uri") && said.contains(why), "{said}");
    }
}
