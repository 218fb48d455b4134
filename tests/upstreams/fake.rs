//! An upstream that a story scripts: right, or wrong in any one part.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use actix_web::web::{Data, Form, Query};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use grantor_core::time::Time;
use grantor_jose::algorithm::Algorithm;
use grantor_jose::hash::{left_half_hash, sha256};
use grantor_jose::key::SigningKey;
use grantor_jose::random::Random;
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;
use url::Url;

use crate::harness::assertion::hs256;
use crate::harness::page::Page;
use crate::harness::server::{TestClock, runtime};
use crate::harness::tls;

/// Our client's secret there.
pub const SECRET: &str = "the-secret-at-the-upstream-for-tests";
/// What its userinfo is asked with.
pub const ACCESS_TOKEN: &str = "an-access-token-of-the-upstream";

/// How its tokens are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// By a key of another, under the name of its own.
    ByAnother,
    /// By its own key.
    Right,
    /// By the client's secret, with HMAC.
    WithSecret,
    /// Not at all.
    WithNone,
}

/// What it says.
pub struct Script {
    /// Changes the claims of the next ID tokens.
    pub claims: Map<String, Value>,
    /// What its profile, or userinfo, says.
    pub profile: Value,
    /// How its tokens are signed.
    pub signed: Signed,
    /// Whether its metadata promise `iss` in answers.
    pub promises_iss: bool,
    /// Changes what its metadata say.
    pub metadata: Map<String, Value>,
    key: SigningKey,
    codes: HashMap<String, Asked>,
    logouts: usize,
    /// How often each path was asked.
    asked: HashMap<String, usize>,
    clock: Option<TestClock>,
}

/// What was asked for with a code.
struct Asked {
    nonce: Option<String>,
    challenge: String,
    redirect_uri: String,
}

/// A running one.
pub struct Fake {
    /// Its issuer, `https://127.0.0.1:PORT`.
    pub url: String,
    script: Arc<Mutex<Script>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Fake {
    /// Starts one, of which nothing is wrong yet.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let key = SigningKey::generate(Algorithm::Es256, &Random::seeded(1)).unwrap();
        let script = Arc::new(Mutex::new(Script {
            claims: Map::new(),
            profile: json!({}),
            signed: Signed::Right,
            promises_iss: true,
            metadata: Map::new(),
            key,
            codes: HashMap::new(),
            logouts: 0,
            asked: HashMap::new(),
            clock: None,
        }));
        let (state, issuer) = (Data::from(Arc::clone(&script)), Data::new(url.clone()));
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let serving = HttpServer::new(move || {
                App::new()
                    .app_data(state.clone())
                    .app_data(issuer.clone())
                    .route("/.well-known/openid-configuration", web::get().to(metadata))
                    .route("/jwks", web::get().to(jwks))
                    .route("/token", web::post().to(token))
                    .route("/me", web::get().to(me))
            });
            runtime().block_on(async move {
                let server = serving.workers(1).disable_signals();
                let server = server.listen_rustls_0_23(listener, tls::certificate().server_config()).unwrap().run();
                let handle = server.handle();
                tokio::spawn(async move {
                    let _ = stopped.await;
                    handle.stop(false).await;
                });
                server.await.unwrap();
            });
        });
        Self { url, script, stop: Some(stop), thread: Some(thread) }
    }

    /// Lets its time be that of a server.
    pub fn keep_time_of(&self, clock: &TestClock) {
        self.script(|script| script.clock = Some(clock.clone()));
    }

    /// Changes, or reads, what it says.
    pub fn script<R>(&self, change: impl FnOnce(&mut Script) -> R) -> R {
        change(&mut self.script.lock().unwrap())
    }

    /// Lets its ID tokens say something else; `null` removes a claim.
    pub fn says(&self, claims: &Value) {
        self.script(|script| script.claims.extend(claims.as_object().unwrap().clone()));
    }

    /// Its keys are other ones from now on.
    pub fn rotates(&self) {
        self.script(|script| script.key = SigningKey::generate(Algorithm::Es256, &Random::seeded(2)).unwrap());
    }

    /// How often a path was asked.
    pub fn asked(&self, path: &str) -> usize {
        self.script(|script| script.asked.get(path).copied().unwrap_or_default())
    }

    /// What the person's browser brings back from there: the address of the callback, with a code.
    pub fn consents(&self, page: &Page) -> Url {
        let asked = sent(page);
        let query: HashMap<String, String> = asked.query_pairs().into_owned().collect();
        assert_eq!(query["code_challenge_method"], "S256");
        let code = self.script(|script| {
            let code = format!("a-code-of-the-upstream-{}", script.codes.len());
            let [challenge, redirect_uri] = ["code_challenge", "redirect_uri"].map(|name| query[name].clone());
            let nonce = query.get("nonce").cloned();
            script.codes.insert(code.clone(), Asked { nonce, challenge, redirect_uri });
            code
        });
        Self::answers(page, &[("code", &code), ("iss", &self.url)])
    }

    /// The same with any answer.
    pub fn answers(page: &Page, answer: &[(&str, &str)]) -> Url {
        let query: HashMap<String, String> = sent(page).query_pairs().into_owned().collect();
        let mut url = Url::parse(&query["redirect_uri"]).unwrap();
        url.query_pairs_mut().extend_pairs(answer).append_pair("state", &query["state"]);
        url
    }

    /// A logout token of this upstream.
    pub fn logout_token(&self, claims: &Value) -> String {
        self.script(|script| {
            let now = script.now();
            script.logouts += 1;
            let mut all = json!({
                "iss": self.url, "aud": "grantor", "iat": now, "exp": now + 120, "jti": format!("jti-{}", script.logouts),
                "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
            });
            put(all.as_object_mut().unwrap(), claims.as_object().unwrap());
            script.sign("logout+jwt", &all)
        })
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Where a page of ours sends the person.
pub fn sent(page: &Page) -> Url {
    let address = page.attribute("a#continue", "href");
    Url::parse(&address.unwrap_or_else(|| panic!("{} {}: {}", page.status, page.name(), page.body))).unwrap()
}

impl Script {
    fn now(&self) -> i64 {
        self.clock.as_ref().map_or_else(grantor_server::clock::system_time, TestClock::read).seconds()
    }

    fn sign(&self, typ: &str, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let alg = match self.signed {
            Signed::Right | Signed::ByAnother => "ES256",
            Signed::WithSecret => "HS256",
            Signed::WithNone => "none",
        };
        let text = format!("{}.{}", part(&json!({"alg": alg, "kid": self.key.kid(), "typ": typ})), part(claims));
        let by = |key: &SigningKey| format!("{text}.{}", URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes()).unwrap()));
        match self.signed {
            Signed::Right => by(&self.key),
            Signed::ByAnother => by(&SigningKey::generate(Algorithm::Es256, &Random::seeded(3)).unwrap()),
            Signed::WithSecret => hs256(&text, SECRET.as_bytes()),
            Signed::WithNone => format!("{text}."),
        }
    }
}

fn put(claims: &mut Map<String, Value>, others: &Map<String, Value>) {
    for (name, value) in others {
        claims.remove(name);
        if !value.is_null() {
            claims.insert(name.clone(), value.clone());
        }
    }
}

type State = Data<Mutex<Script>>;

fn count(script: &State, request: &HttpRequest) {
    *script.lock().unwrap().asked.entry(request.path().to_owned()).or_default() += 1;
}

async fn metadata(script: State, issuer: Data<String>, request: HttpRequest) -> HttpResponse {
    count(&script, &request);
    let script = script.lock().unwrap();
    let (promises, url) = (script.promises_iss, issuer.as_str());
    let mut said = json!({
        "issuer": url, "authorization_endpoint": format!("{url}/authorize"), "token_endpoint": format!("{url}/token"),
        "userinfo_endpoint": format!("{url}/me"), "jwks_uri": format!("{url}/jwks"), "response_types_supported": ["code"],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["ES256"],
        "authorization_response_iss_parameter_supported": promises,
    });
    put(said.as_object_mut().unwrap(), &script.metadata);
    HttpResponse::Ok().json(said)
}

async fn jwks(script: State, request: HttpRequest) -> HttpResponse {
    count(&script, &request);
    let key = script.lock().unwrap().key.jwk().clone();
    HttpResponse::Ok().json(json!({ "keys": [key] }))
}

async fn me(script: State, request: HttpRequest) -> HttpResponse {
    count(&script, &request);
    let bearer = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(bearer, Some(format!("Bearer {ACCESS_TOKEN}")));
    HttpResponse::Ok().json(script.lock().unwrap().profile.clone())
}

async fn token(
    script: State,
    issuer: Data<String>,
    request: HttpRequest,
    Form(form): Form<HashMap<String, String>>,
    _: Query<HashMap<String, String>>,
) -> HttpResponse {
    count(&script, &request);
    let basic = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let mut script = script.lock().unwrap();
    let proves = basic == Some(format!("Basic {}", STANDARD.encode(format!("grantor:{SECRET}"))));
    let asked = script.codes.remove(form.get("code").map_or("", String::as_str));
    let Some(asked) = asked.filter(|_| proves) else {
        return HttpResponse::BadRequest().json(json!({"error": "invalid_grant"}));
    };
    assert_eq!(form["redirect_uri"], asked.redirect_uri);
    assert_eq!(URL_SAFE_NO_PAD.encode(sha256(form["code_verifier"].as_bytes())), asked.challenge);
    let mut answer = json!({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 60});
    if let Some(nonce) = asked.nonce {
        let now = script.now();
        let mut claims = json!({
            "iss": issuer.as_str(), "sub": "ada-there", "aud": "grantor", "iat": now, "exp": now + 60, "nonce": nonce,
            "at_hash": left_half_hash(Algorithm::Es256, ACCESS_TOKEN), "sid": "session-there", "auth_time": now,
            "email": "ada@corp.example", "email_verified": true, "name": "Ada There", "preferred_username": "ada",
        });
        put(claims.as_object_mut().unwrap(), &script.claims);
        answer["id_token"] = script.sign("JWT", &claims).into();
    }
    HttpResponse::Ok().json(answer)
}

/// A moment of the upstream's, some seconds from a server's.
pub fn seconds(clock: &TestClock, from_now: i64) -> i64 {
    Time::seconds(clock.read()) + from_now
}
