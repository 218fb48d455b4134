//! Apps that publish their keys at an address of their own (RFC 7591 §2): read when they are needed, and never from inside.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpServer, web};
use grantor_core::audit::EventKind;
use grantor_server::declare;
use grantor_server::place::Source;
use rcgen::generate_simple_self_signed;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;

use crate::harness::app::App;
use crate::harness::assertion::{Assertion, params};
use crate::harness::folder::Folder;
use crate::harness::seeds::SIGNED_KEY;
use crate::harness::server::Server;

/// The app's next key.
const NEXT_KEY: &str = r#"{"kty":"EC","crv":"P-256","kid":"signed-2","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}"#;

/// Where the app publishes its keys, until it is dropped.
struct Address {
    url: String,
    answer: Arc<Mutex<(u16, String)>>,
    asked: Arc<AtomicUsize>,
    handle: actix_web::dev::ServerHandle,
    folder: Folder,
}

impl Address {
    fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let made = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = Folder::new();
        std::fs::write(folder.join("ca.pem"), made.cert.pem()).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let tls = rustls::ServerConfig::builder().with_no_client_auth();
        let tls = tls.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let answer = Arc::new(Mutex::new((200, published(&[SIGNED_KEY]))));
        let asked = Arc::<AtomicUsize>::default();
        let (started, server) = mpsc::channel();
        let (answers, asks) = (Arc::clone(&answer), Arc::clone(&asked));
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || {
                    let (answers, asks) = (Arc::clone(&answers), Arc::clone(&asks));
                    let keys = move || {
                        asks.fetch_add(1, Ordering::SeqCst);
                        let (status, body) = answers.lock().unwrap().clone();
                        let status = StatusCode::from_u16(status).unwrap();
                        async move { HttpResponse::build(status).content_type("application/json").body(body) }
                    };
                    actix_web::App::new().route("/keys", web::get().to(keys))
                };
                let server = HttpServer::new(app).workers(1).disable_signals();
                let server = server.bind_rustls_0_23("127.0.0.1:0", tls).unwrap();
                let port = server.addrs()[0].port();
                let running = server.run();
                started.send((port, running.handle())).unwrap();
                running.await.unwrap();
            });
        });
        let (port, handle) = server.recv().unwrap();
        Self { url: format!("https://localhost:{port}/keys"), answer, asked, handle, folder }
    }

    /// A server that trusts it, with the app that publishes its keys there.
    async fn server(&self) -> Server {
        let authority = self.folder.join("ca.pem");
        let trusting = Server::start_with(|config| {
            config.outbound.allow_hosts = vec!["localhost".parse().unwrap()];
            config.outbound.ca_file = Some(authority);
        });
        let server = trusting.await;
        declare(&server, &self.url).await;
        server
    }

    fn publishes(&self, status: u16, body: &str) {
        *self.answer.lock().unwrap() = (status, body.to_owned());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// The public halves of some keys, as a JWK set.
fn published(keys: &[&str]) -> String {
    let public = |jwk: &&str| {
        let mut key: serde_json::Value = serde_json::from_str(jwk).unwrap();
        key.as_object_mut().unwrap().remove("d");
        key
    };
    json!({"keys": keys.iter().map(public).collect::<Vec<_>>()}).to_string()
}

fn declaration(uri: &str, more: &str) -> String {
    format!(
        "[[clients]]\nclient_id = \"signed\"\nclient_name = \"Signed\"\ntoken_endpoint_auth_method = \"private_key_jwt\"\n\
         redirect_uris = [\"https://signed.example/cb\"]\ngrant_types = [\"authorization_code\", \"client_credentials\"]\n\
         scope = \"openid notes.read\"\njwks_uri = \"{uri}\"\n{more}\n"
    )
}

async fn declare(server: &Server, uri: &str) {
    server.clock.advance(Duration::from_millis(1));
    server.apply(&declaration(uri, "")).await;
}

/// What comes of an assertion that is signed by one of the app's keys: `200`, or status and reason.
async fn fate(server: &Server, jwk: &str) -> String {
    let kid = if jwk == SIGNED_KEY { "signed-1" } else { "signed-2" };
    let assertion = Assertion::new(server).header("kid", kid).signed_with(jwk);
    let form = [&params(&assertion)[..], &[("grant_type", "client_credentials"), ("scope", "notes.read")]].concat();
    let page = App::new(server, "signed").post_raw("/token", &[], &form).await;
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
    for _ in 0..5 {
        assert_eq!(fate(&server, NEXT_KEY).await, "401 AssertionSignature");
    }
    assert_eq!((fate(&server, SIGNED_KEY).await.as_str(), address.asked()), ("200", 2));
}

#[tokio::test]
async fn an_address_that_is_away_costs_nobody_anything_for_an_hour() {
    let address = Address::start();
    let server = address.server().await;
    assert_eq!(fate(&server, SIGNED_KEY).await, "200");
    address.publishes(503, "");
    server.clock.advance(Duration::from_mins(59));
    assert_eq!(fate(&server, SIGNED_KEY).await, "200");
    server.clock.advance(Duration::from_mins(2));
    assert_eq!(
        fate(&server, SIGNED_KEY).await,
        "401 ClientKeysUnreachable",
        "what it has taken back may count no longer"
    );
    address.publishes(200, &published(&[SIGNED_KEY]));
    server.clock.advance(Duration::from_secs(6));
    assert_eq!(fate(&server, SIGNED_KEY).await, "200");
}

#[tokio::test]
async fn what_is_no_set_of_public_keys_authenticates_nobody() {
    let address = Address::start();
    let server = address.server().await;
    let private = format!("{{\"keys\":[{SIGNED_KEY}]}}");
    let huge = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
    for (status, body) in [(404, ""), (200, "no"), (200, "{}"), (200, &private), (200, &huge), (302, "")] {
        address.publishes(status, body);
        server.clock.advance(Duration::from_secs(6));
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
