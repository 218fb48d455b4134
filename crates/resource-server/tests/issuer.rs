//! An issuer on a free port of this machine, which does what a test tells it to.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use grantor_jose::algorithm::Algorithm;
use grantor_jose::jwk::JwkSet;
use grantor_jose::key::{SigningKey, Typ};
use grantor_jose::random::Random;
use grantor_resource_server::{Builder, Clock, Verifier};
use serde_json::{Value, json};

/// The API of the tests.
pub const AUDIENCE: &str = "https://api.example/notes";
/// Who asks for it, as the header has it: `api` and `s:cret`.
const CREDENTIALS: &str = "Basic YXBpOnMlM0FjcmV0";

/// The issuer.
#[derive(Clone)]
pub struct Issuer {
    /// Its identifier.
    pub url: String,
    /// What it does.
    pub inside: Arc<Inside>,
    /// The time of the verifiers that it makes; it stands still until it is moved.
    pub clock: Arc<AtomicI64>,
}

/// What the issuer does.
#[derive(Default)]
pub struct Inside {
    state: Mutex<Doing>,
    /// How often its keys were asked for.
    pub keys_asked: AtomicUsize,
    /// How often it was asked about a token.
    pub tokens_asked: AtomicUsize,
    /// How many questions about tokens are on their way now, and the most that ever were.
    pub at_work: AtomicUsize,
    pub most_at_work: AtomicUsize,
}

/// What a test changes.
#[derive(Default)]
pub struct Doing {
    pub keys: Vec<Arc<SigningKey>>,
    pub tokens: HashMap<String, Value>,
    pub addresses: Vec<Option<String>>,
    /// `Cache-Control` of introspection answers.
    pub cache_control: Option<&'static str>,
    /// What all requests are answered instead.
    pub down: Option<(StatusCode, &'static str)>,
    /// What the metadata say that it is.
    pub claims_to_be: Option<String>,
    /// How long it thinks about a token.
    pub thinks_for: Duration,
}

impl Issuer {
    /// Starts one with a key.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let issuer = Self { url, inside: Arc::default(), clock: Arc::new(AtomicI64::new(1_700_000_000)) };
        issuer.doing().keys.push(key(Algorithm::Es256));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/jwks", get(jwks))
            .route("/introspect", post(introspect))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        issuer
    }

    pub fn doing(&self) -> MutexGuard<'_, Doing> {
        self.inside.state.lock().unwrap()
    }

    /// The settings of a verifier that reads keys as soon as it needs to.
    pub fn builder(&self) -> Builder {
        let time = Arc::clone(&self.clock);
        let clock = Clock::new(move || Duration::from_secs(time.load(Ordering::SeqCst).try_into().unwrap()));
        Verifier::builder(&self.url, AUDIENCE)
            .introspection("api", "s:cret")
            .read_keys_at_most_every(Duration::from_millis(20))
            .clock(clock)
    }

    /// A verifier that has read the keys.
    pub async fn verifier(&self) -> Verifier {
        let verifier = self.builder().build().unwrap();
        verifier.ready().await.unwrap();
        verifier
    }

    pub fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    /// A JWT by the newest key, with other claims beside.
    pub fn jwt(&self, more: &Value) -> String {
        let key = Arc::clone(self.doing().keys.last().unwrap());
        self.jwt_by(&key, more)
    }

    /// A JWT by a key.
    pub fn jwt_by(&self, key: &SigningKey, more: &Value) -> String {
        let mut claims = json!({"iss": self.url, "aud": AUDIENCE, "exp": self.now() + 600, "iat": self.now(), "jti": "1",
                                "sub": "alice", "client_id": "app", "scope": "notes.read"});
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        key.sign_compact(Typ::AtJwt, &claims).unwrap()
    }

    /// Lets an opaque token count, with other members beside.
    pub fn issue(&self, token: &str, more: &Value) {
        let mut answer = json!({"active": true, "aud": AUDIENCE, "sub": "alice", "client_id": "app", "scope": "notes.read",
                                "token_type": "Bearer", "exp": self.now() + 600});
        answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.doing().tokens.insert(token.to_owned(), answer);
    }

    pub fn revoke(&self, token: &str) {
        self.doing().tokens.remove(token);
    }

    pub fn keys_asked(&self) -> usize {
        self.inside.keys_asked.load(Ordering::SeqCst)
    }

    pub fn tokens_asked(&self) -> usize {
        self.inside.tokens_asked.load(Ordering::SeqCst)
    }

    fn is_down(&self) -> Option<Response> {
        self.doing().down.map(|(status, retry_after)| (status, [("retry-after", retry_after)]).into_response())
    }
}

/// A new key.
pub fn key(algorithm: Algorithm) -> Arc<SigningKey> {
    Arc::new(SigningKey::generate(algorithm, &Random::new()).unwrap())
}

async fn configuration(State(issuer): State<Issuer>) -> Response {
    if let Some(down) = issuer.is_down() {
        return down;
    }
    let name = issuer.doing().claims_to_be.clone().unwrap_or_else(|| issuer.url.clone());
    let (jwks, introspection) = (format!("{}/jwks", issuer.url), format!("{}/introspect", issuer.url));
    json!({"issuer": name, "jwks_uri": jwks, "introspection_endpoint": introspection}).to_string().into_response()
}

async fn jwks(State(issuer): State<Issuer>) -> Response {
    issuer.inside.keys_asked.fetch_add(1, Ordering::SeqCst);
    if let Some(down) = issuer.is_down() {
        return down;
    }
    let keys = JwkSet { keys: issuer.doing().keys.iter().map(|key| key.jwk().clone()).collect() };
    ([("cache-control", "public, max-age=3600")], serde_json::to_string(&keys).unwrap()).into_response()
}

async fn introspect(State(issuer): State<Issuer>, headers: HeaderMap, body: Bytes) -> Response {
    let inside = &issuer.inside;
    inside.tokens_asked.fetch_add(1, Ordering::SeqCst);
    let at_work = inside.at_work.fetch_add(1, Ordering::SeqCst) + 1;
    inside.most_at_work.fetch_max(at_work, Ordering::SeqCst);
    let answer = answer(&issuer, &headers, &body);
    let thinks_for = issuer.doing().thinks_for;
    if !thinks_for.is_zero() {
        tokio::time::sleep(thinks_for).await;
    }
    inside.at_work.fetch_sub(1, Ordering::SeqCst);
    answer
}

/// The answer as it is when the question comes, however long it takes to give it.
fn answer(issuer: &Issuer, headers: &HeaderMap, body: &[u8]) -> Response {
    if let Some(down) = issuer.is_down() {
        return down;
    }
    if headers.get("authorization").is_none_or(|value| value != CREDENTIALS) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let form: HashMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
    let mut doing = issuer.doing();
    doing.addresses.push(form.get("client_address").cloned());
    let told = doing.tokens.get(&form["token"]).cloned().unwrap_or(json!({"active": false})).to_string();
    match doing.cache_control {
        Some(cache_control) => ([("cache-control", cache_control)], told).into_response(),
        None => told.into_response(),
    }
}

/// An address where nobody answers.
pub async fn nobody() -> SocketAddr {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}
