//! The conformance suite as an app: it registers, sends a person who signs in and allows, checks what comes back, and removes itself.
//! Its redirect URI is at a host that nobody runs; what we fetch from it lies at [`Files`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, mpsc};

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse, HttpServer};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::algorithm::Algorithm;
use grantor_jose::hash::sha256;
use grantor_jose::key::{SigningKey, Typ};
use grantor_jose::random::Random;
use grantor_server::config::Config;
use serde_json::{Map, Value, json};
use url::Url;

use super::driver;
use crate::harness::app::{Answer, Tokens, basic, claims, header};
use crate::harness::assertion::params;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::registrar::Registrar;
use crate::harness::server::{Server, unlimited};
use crate::harness::tls;
use crate::oidc::keys::is_signed;

/// Where the suite is, as a browser sees it.
pub const BASE: &str = "https://suite.example:8443/test/a/grantor";

/// Every response type that a plan can be run with.
pub const RESPONSE_TYPES: [&str; 6] =
    ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"];

/// Those with a code.
pub const WITH_CODE: [&str; 4] = ["code", "code id_token", "code token", "code id_token token"];

/// The keys of the suite, one after the other.
pub static KEYS: LazyLock<[SigningKey; 2]> = LazyLock::new(|| {
    let random = Random::new();
    [(); 2].map(|()| SigningKey::generate(Algorithm::Rs256, &random).unwrap())
});

/// The settings that the suite is run with, at a suite on this machine.
pub fn settings(config: &mut Config) {
    driver::settings(config);
    unlimited(config);
    tls::trusting(config);
}

/// A server that the suite is run against.
pub async fn server() -> Server {
    Server::start_with(settings).await
}

/// An address of the suite.
pub fn at(path: &str) -> String {
    format!("{BASE}{path}")
}

/// The key set of one key, as it is published; with the key's name or without.
pub fn jwks(key: &SigningKey, is_named: bool) -> Value {
    let mut jwk = serde_json::to_value(key.jwk()).unwrap();
    if !is_named {
        jwk.as_object_mut().unwrap().remove("kid");
    }
    json!({ "keys": [jwk] })
}

/// A JWT by a key, with the key's name or without.
pub fn signed(key: &SigningKey, is_named: bool, claims: &Value) -> String {
    let mut header = json!({ "alg": "RS256" });
    if is_named {
        header["kid"] = json!(key.kid());
    }
    let text = parts(&header, claims);
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes()).unwrap()))
}

/// A JWT that nobody has signed.
pub fn unsigned(claims: &Value) -> String {
    parts(&json!({ "alg": "none" }), claims) + "."
}

fn parts(header: &Value, claims: &Value) -> String {
    let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// One run of the suite, with the browser of a person.
pub struct Suite<'a> {
    /// The server.
    pub server: &'a Server,
    /// The person.
    pub person: Person,
    http: reqwest::Client,
}

/// An app that the suite has registered.
pub struct Client {
    /// What it was told.
    pub told: Value,
    /// Which of [`KEYS`] it proves itself with.
    pub key: usize,
    /// Whether it names its key.
    pub is_named: bool,
    /// Whom it names in its assertions; the token endpoint where nothing is said.
    pub audience: Option<String>,
}

impl Client {
    /// A text that it was told.
    pub fn text(&self, name: &str) -> &str {
        self.told[name].as_str().unwrap_or_else(|| panic!("{name} in {}", self.told))
    }

    fn response_type(&self) -> &str {
        self.told["response_types"][0].as_str().unwrap()
    }
}

/// What an app has when somebody has signed in.
pub struct SignedIn {
    /// What came through the browser.
    pub answer: Answer,
    /// The ID token, of the token endpoint where there are two.
    pub id_token: String,
    /// The access token.
    pub access_token: Option<String>,
    /// What the token endpoint answered.
    pub tokens: Option<Tokens>,
}

impl<'a> Suite<'a> {
    /// A run with a fresh browser.
    pub fn new(server: &'a Server) -> Self {
        Self { server, person: Person::new(server), http: reqwest::Client::new() }
    }

    /// What the suite registers for a response type, with other members; `null` takes one out.
    pub fn metadata(response_type: &str, changes: Value) -> Value {
        let has = |part: &str| response_type.split(' ').any(|word| word == part);
        let grants = [("authorization_code", has("code")), ("implicit", has("id_token") || has("token"))];
        let grants: Vec<&str> = grants.into_iter().filter_map(|(name, is_used)| is_used.then_some(name)).collect();
        let mut metadata = json!({
            "client_name": "grantor 5Zr1RyFYAGMgiX4", "contacts": ["certification@suite.example"], "grant_types": grants,
            "response_types": [response_type], "redirect_uris": [at("/callback")],
            "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks(&KEYS[0], false),
        });
        let Value::Object(changes) = changes else { panic!("members") };
        changes.into_iter().for_each(|(name, value)| metadata[name.as_str()] = value);
        metadata.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        metadata
    }

    /// Registers, and checks the answer: a whole client with the credentials that manage it, and all that was asked for.
    pub async fn registers(&self, response_type: &str, changes: Value) -> Client {
        let asked = Self::metadata(response_type, changes);
        let page = Registrar::new(self.server).register(&asked).await;
        assert_eq!(page.status, 201, "{response_type}: {}", page.whole());
        assert!(page.header("content-type").unwrap().starts_with("application/json"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        let told = page.json();
        for name in ["client_id", "registration_client_uri", "registration_access_token"] {
            assert!(told[name].as_str().is_some_and(|text| !text.is_empty()), "{name} in {told}");
        }
        assert_eq!(told["client_secret"].is_string(), told["client_secret_expires_at"].is_i64(), "{told}");
        for (name, value) in asked.as_object().unwrap().iter().filter(|(name, _)| *name != "jwks") {
            assert_eq!(&told[name], value, "{name}");
        }
        Client { told, key: 0, is_named: false, audience: None }
    }

    /// What a registration is refused with.
    pub async fn is_refused(&self, response_type: &str, changes: Value) -> String {
        let page = Registrar::new(self.server).register(&Self::metadata(response_type, changes)).await;
        assert!(page.header("content-type").unwrap().starts_with("application/json"), "{}", page.whole());
        page.brief()
    }

    /// Removes the app, as the suite does after each module.
    pub async fn leaves(&self, client: Client) {
        assert_eq!(Registrar::new(self.server).remove(&client.told).await.status, 204);
    }

    /// The address of an authorization request; `changes` replace parameters, and remove them when empty.
    pub fn request(&self, client: &Client, changes: &[(&str, &str)]) -> String {
        let redirect_uri = client.told["redirect_uris"][0].as_str().unwrap();
        let mut pairs = vec![
            ("client_id", client.text("client_id")),
            ("redirect_uri", redirect_uri),
            ("scope", "openid"),
            ("state", "0QsIhvQfLm"),
            ("nonce", "PZPZXD1RBI"),
            ("response_type", client.response_type()),
        ];
        for (name, value) in changes {
            pairs.retain(|(known, _)| known != name);
            if !value.is_empty() {
                pairs.push((name, value));
            }
        }
        Url::parse_with_params(&self.server.at("/authorize"), pairs).unwrap().into()
    }

    /// Sends the person, who signs in where they are asked to and allows what they are asked; what reaches the app.
    pub async fn visits(&self, client: &Client, changes: &[(&str, &str)]) -> Answer {
        let page = self.person.open(self.request(client, changes)).await;
        let answer = Answer::of(&self.person.approve(page).await);
        assert_eq!(answer.param("state"), "0QsIhvQfLm");
        assert_eq!(answer.param("iss"), self.server.url);
        let is_code = client.response_type() == "code";
        assert_eq!(answer.0.fragment().is_none_or(|fragment| fragment == "_"), is_code, "{}", answer.0);
        answer
    }

    /// The whole way of a plan's main module: answer, tokens, userinfo.
    pub async fn signs_in(&self, client: &Client, changes: &[(&str, &str)]) -> SignedIn {
        let answer = self.visits(client, changes).await;
        assert!(!answer.has("error"), "{}", answer.0);
        let has = |part: &str| client.response_type().split(' ').any(|word| word == part);
        let of = |name: &str| answer.has(name).then(|| answer.param(name));
        let (code, access_token, id_token) = (of("code"), of("access_token"), of("id_token"));
        assert_eq!(
            (code.is_some(), access_token.is_some(), id_token.is_some()),
            (has("code"), has("token"), has("id_token"))
        );
        if let Some(id_token) = &id_token {
            self.checks(client, id_token).await;
            let hash = |text: &Option<String>| text.as_ref().map_or(Value::Null, |text| json!(left_half(text)));
            let said = claims(id_token);
            assert_eq!((&said["c_hash"], &said["at_hash"]), (&hash(&code), &hash(&access_token)));
        }
        let tokens = match &code {
            Some(code) => Some(self.redeems(client, code).await),
            None => None,
        };
        if let Some(tokens) = &tokens {
            self.checks(client, tokens.id()).await;
        }
        let access_token = tokens.as_ref().map(|tokens| tokens.access().to_owned()).or(access_token);
        if let Some(access_token) = &access_token {
            assert_eq!(self.userinfo(access_token).await.status, 200);
        }
        let id_token = tokens.as_ref().map(|tokens| tokens.id().to_owned()).or(id_token).unwrap();
        SignedIn { answer, id_token, access_token, tokens }
    }

    /// Redeems a code; the tokens, where all is as it should be.
    async fn redeems(&self, client: &Client, code: &str) -> Tokens {
        let redirect_uri = client.told["redirect_uris"][0].as_str().unwrap();
        let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri)];
        well_formed(&self.asks_for_tokens(client, &form).await)
    }

    /// Asks the token endpoint, authenticated the way the app is registered.
    pub async fn asks_for_tokens(&self, client: &Client, form: &[(&str, &str)]) -> Page {
        let request = self.http.post(self.server.at("/token"));
        let request = if client.text("token_endpoint_auth_method") == "private_key_jwt" {
            let assertion = self.assertion(client);
            request.form(&[form, &params(&assertion)].concat())
        } else {
            let (id, secret) = (client.text("client_id"), client.text("client_secret"));
            request.header("authorization", basic(id, secret)).form(form)
        };
        Page::of(request.send().await.unwrap()).await
    }

    fn assertion(&self, client: &Client) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let now = self.server.clock.read().seconds();
        let audience = client.audience.clone().unwrap_or_else(|| format!("{}/token", self.server.url));
        let id = client.text("client_id");
        let jti = format!("suite-{}", NEXT.fetch_add(1, Ordering::SeqCst));
        let claims = json!({ "iss": id, "sub": id, "aud": audience, "jti": jti, "iat": now, "exp": now + 60 });
        signed(&KEYS[client.key], client.is_named, &claims)
    }

    /// Asks userinfo.
    pub async fn userinfo(&self, access_token: &str) -> Page {
        Page::of(self.http.get(self.server.at("/userinfo")).bearer_auth(access_token).send().await.unwrap()).await
    }

    /// Checks an ID token as the suite does each one.
    pub async fn checks(&self, client: &Client, id_token: &str) {
        let (said, now) = (claims(id_token), self.server.clock.read().seconds());
        assert!(header(id_token)["kid"].is_string() && is_signed(self.server, id_token, Typ::Jwt).await, "{id_token}");
        assert_eq!((&said["iss"], &said["nonce"]), (&json!(self.server.url), &json!("PZPZXD1RBI")));
        assert!(said["sub"].as_str().is_some_and(|sub| !sub.is_empty() && sub.len() <= 255));
        let is_for = said["aud"] == client.told["client_id"] || said["aud"] == json!([client.told["client_id"]]);
        assert!(is_for && said["exp"].as_i64() > Some(now) && said["iat"].as_i64() <= Some(now), "{said}");
    }

    /// The metadata document.
    pub async fn documents(&self) -> Map<String, Value> {
        let Value::Object(members) = self.person.get("/.well-known/openid-configuration").await.json() else {
            panic!("an object")
        };
        members
    }
}

/// Tokens of an answer that is right in each part.
pub fn well_formed(page: &Page) -> Tokens {
    assert_eq!(page.status, 200, "{}", page.whole());
    assert!(page.header("content-type").unwrap().starts_with("application/json"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let said = page.json();
    assert!(said["token_type"] == "Bearer" && said["expires_in"].as_i64() > Some(0), "{said}");
    Tokens(said)
}

fn left_half(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&sha256(text.as_bytes())[..16])
}

type Kept = Mutex<HashMap<String, (&'static str, String)>>;

/// What the suite serves to us by https: each path with a type and a text, which may change.
pub struct Files {
    /// Where it is.
    pub url: String,
    kept: Arc<Kept>,
    handle: actix_web::dev::ServerHandle,
}

impl Files {
    /// Starts with nothing.
    pub fn start() -> Self {
        let kept = Arc::<Kept>::default();
        let (shared, (started, server)) = (Data::from(Arc::clone(&kept)), mpsc::channel());
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || actix_web::App::new().app_data(shared.clone()).default_service(web::to(file));
                let server = HttpServer::new(app).workers(1).disable_signals();
                let server = server.bind_rustls_0_23("127.0.0.1:0", tls::certificate().server_config()).unwrap();
                let port = server.addrs()[0].port();
                let running = server.run();
                started.send((port, running.handle())).unwrap();
                running.await.unwrap();
            });
        });
        let (port, handle) = server.recv().unwrap();
        Self { url: format!("https://127.0.0.1:{port}"), kept, handle }
    }

    /// Serves this there from now on; the address.
    pub fn serves(&self, path: &str, kind: &'static str, text: &str) -> String {
        self.kept.lock().unwrap().insert(path.to_owned(), (kind, text.to_owned()));
        format!("{}{path}", self.url)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn file(kept: Data<Kept>, request: HttpRequest) -> HttpResponse {
    match kept.lock().unwrap().get(request.path()) {
        Some((kind, text)) => HttpResponse::Ok().content_type(*kind).body(text.clone()),
        None => HttpResponse::NotFound().finish(),
    }
}
