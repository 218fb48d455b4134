//! A relying party that asks as the suite does: declared or registered by itself, for any response type, without PKCE, with a state
//! and a nonce of its own for each request.
//!
//! ```text
//! let server = conformance().await;
//! for variant in plan() {
//!     let module = Module::begin(&server, variant).await;
//!     let flow = module.run(&[("max_age", "10000")]).await;
//!     assert!(flow.id_token()["auth_time"].is_i64(), "{variant:?}");
//!     module.end().await;
//! }
//! ```

use std::time::Duration;

use grantor_jose::random::Random;
use grantor_server::config::{Config, load};
use grantor_server::place::Source;
use serde_json::{Value, json};
use url::Url;

use super::driver_answer::Answered;
use super::driver_tokens::Flow;
use crate::harness::app::basic;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::registrar::Registrar;
use crate::harness::server::Server;

/// The settings that the suite is run with.
pub const SETTINGS: &str = include_str!("../../crates/server/examples/conformance/grantor.toml");
/// The apps of plans with declared clients, and the person.
pub const DECLARATION: &str = include_str!("../../crates/server/examples/conformance/declaration.toml");
/// Where the suite stands when it runs on the same machine, for its alias `grantor`.
pub const SUITE: &str = "https://localhost.emobix.co.uk:8443/test/a/grantor";
/// The person who signs in.
pub const USERNAME: &str = "conformance";
/// Her password.
pub const PASSWORD: &str = "every claim that there is";

/// A key as the suite makes one for each app that it registers.
const KEY: &str = r#"{"kty":"RSA","e":"AQAB","use":"sig","kid":"the-suite-1","alg":"RS256","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}"#;

/// A server as the suite finds it.
pub async fn conformance() -> Server {
    conformance_with(|_| ()).await
}

/// Sets what the suite is run with; where the server is and what it keeps stays.
pub fn settings(config: &mut Config) {
    let settings = load::parse(&Source::new("grantor.toml", SETTINGS)).expect("the settings are right");
    let Config { issuer, database_url, key_encryption_key, limits, .. } = config.clone();
    *config = Config { issuer, database_url, key_encryption_key, limits, ..settings };
}

/// The same with other settings.
pub async fn conformance_with(change: impl FnOnce(&mut Config)) -> Server {
    let server = Server::start_with(|config| {
        settings(config);
        change(config);
    });
    let server = server.await;
    server.clock.advance(Duration::from_secs(1));
    server.apply(DECLARATION).await;
    server
}

/// The variant that a module is run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant {
    /// `response_type`
    pub response_type: &'static str,
    /// Whether the answer is posted by a form.
    pub form_post: bool,
    /// Whether the app registers itself.
    pub dynamic: bool,
    /// Whether it authenticates in the body.
    pub post: bool,
}

/// `code`, which is the plan Basic.
pub const BASIC: [&str; 1] = ["code"];
/// Those of the plan Implicit.
pub const IMPLICIT: [&str; 2] = ["id_token", "id_token token"];
/// Those of the plan Hybrid.
pub const HYBRID: [&str; 3] = ["code id_token", "code token", "code id_token token"];

/// Basic, Implicit and Hybrid with declared apps, and Form Post for each with apps that register themselves.
pub fn plans() -> Vec<Variant> {
    let types = BASIC.into_iter().chain(IMPLICIT).chain(HYBRID);
    types.flat_map(|response_type| [variant(response_type, false, false), variant(response_type, true, true)]).collect()
}

/// The same in every way.
pub fn all() -> Vec<Variant> {
    let types = BASIC.into_iter().chain(IMPLICIT).chain(HYBRID);
    let ways = [(false, false), (false, true), (true, false), (true, true)];
    types.flat_map(|kind| ways.map(|(form_post, dynamic)| variant(kind, form_post, dynamic))).collect()
}

/// Those of [`plans`] in which a code comes.
pub fn with_code() -> Vec<Variant> {
    plans().into_iter().filter(|variant| variant.has("code")).collect()
}

/// One that authenticates by `client_secret_basic`.
pub const fn variant(response_type: &'static str, form_post: bool, dynamic: bool) -> Variant {
    Variant { response_type, form_post, dynamic, post: false }
}

impl Variant {
    /// Whether the response type has this word.
    pub fn has(self, word: &str) -> bool {
        self.response_type.split(' ').any(|part| part == word)
    }

    /// Whether there is any access token.
    pub fn has_access_token(self) -> bool {
        self.has("code") || self.has("token")
    }

    fn auth_method(self) -> &'static str {
        if self.post { "client_secret_post" } else { "client_secret_basic" }
    }

    /// What the suite registers.
    fn metadata(self) -> Value {
        let grants = [("authorization_code", self.has("code")), ("implicit", self.response_type != "code")];
        let grants: Vec<&str> = grants.into_iter().filter(|(_, is_used)| *is_used).map(|(name, _)| name).collect();
        json!({
            "client_name": "Suite 5xNBLZRnaRKuNNR",
            "grant_types": grants,
            "jwks": {"keys": [serde_json::from_str::<Value>(KEY).unwrap()]},
            "token_endpoint_auth_method": self.auth_method(),
            "response_types": [self.response_type],
            "redirect_uris": [format!("{SUITE}/callback")],
            "contacts": ["certification@oidf.org"],
        })
    }
}

/// A request as it is sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its parameters.
    pub pairs: Vec<(String, String)>,
    /// Its state; none where it has none.
    pub state: Option<String>,
    /// Its nonce; none where it has none.
    pub nonce: Option<String>,
    /// Where its answer goes.
    pub redirect_uri: String,
}

/// A module on its way: its app, and the browser, which is fresh.
pub struct Module<'a> {
    /// The server.
    pub server: &'a Server,
    /// How it is run.
    pub variant: Variant,
    /// The browser: with cookies and forms, and without scripts and headers that tell where a request comes from.
    pub person: Person,
    /// What is known of the app: its identifier, its secret, and what registration said beside.
    pub client: Value,
    /// What it sends requests with.
    pub http: reqwest::Client,
}

impl<'a> Module<'a> {
    /// With its app declared, or registered.
    pub async fn begin(server: &'a Server, variant: Variant) -> Self {
        Self::begin_with(server, variant, json!({})).await
    }

    /// The same with other metadata where the app registers itself; `null` takes one out.
    pub async fn begin_with(server: &'a Server, variant: Variant, changes: Value) -> Self {
        let declared = if variant.post { "conformance-post" } else { "conformance-1" };
        Self::of(server, variant, (Person::new(server), declared), changes).await
    }

    /// The second app of the plan in the same browser.
    pub async fn second(&self, changes: Value) -> Self {
        let Self { server, variant, person, .. } = self;
        Self::of(server, *variant, (person.clone(), "conformance-2"), changes).await
    }

    async fn of(server: &'a Server, variant: Variant, (person, declared): (Person, &str), changes: Value) -> Self {
        let client =
            if variant.dynamic { registered(server, variant, changes).await } else { of_declaration(declared) };
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { server, variant, person, client, http }
    }

    /// What is known of the app by this name.
    pub fn known(&self, name: &str) -> &str {
        self.client[name].as_str().unwrap_or_else(|| panic!("{name} of {}", self.client))
    }

    /// The request of this variant; `changes` replace parameters, and remove them when empty.
    pub fn request(&self, changes: &[(&str, &str)]) -> Request {
        let (state, nonce) = (random(10), random(10));
        let mut pairs = vec![
            ("client_id", self.known("client_id").to_owned()),
            ("redirect_uri", format!("{SUITE}/callback")),
            ("scope", "openid".to_owned()),
            ("state", state),
            ("nonce", nonce),
            ("response_type", self.variant.response_type.to_owned()),
        ];
        if self.variant.form_post {
            pairs.push(("response_mode", "form_post".to_owned()));
        }
        for (name, value) in changes {
            pairs.retain(|(known, _)| known != name);
            if !value.is_empty() {
                pairs.push((name, (*value).to_owned()));
            }
        }
        let sent = |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        let redirect_uri = sent("redirect_uri").unwrap_or_else(|| format!("{SUITE}/callback"));
        let (state, nonce) = (sent("state"), sent("nonce"));
        let pairs = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Request { pairs, state, nonce, redirect_uri }
    }

    /// The address that the browser is sent to.
    pub fn url(&self, request: &Request) -> String {
        Url::parse_with_params(&self.server.at("/authorize"), &request.pairs).unwrap().into()
    }

    /// The page at which the browser stops.
    pub async fn visit(&self, request: &Request) -> Page {
        self.person.open(self.url(request)).await
    }

    /// Does on our pages what the suite's configuration has its browser do: signs in, and allows what is ticked.
    pub async fn go_on(&self, mut page: Page) -> Page {
        if page.name() == "sign-in" {
            page = self.person.sign_in_on(&page, USERNAME, PASSWORD).await;
        }
        if page.name() == "consent" { self.person.allow_on(&page).await } else { page }
    }

    /// The answer to a request, which says yes.
    pub async fn answered(&self, request: Request) -> Answered {
        let page = self.visit(&request).await;
        self.received(request, &self.go_on(page).await)
    }

    /// The answer that a page carries, which says yes.
    pub fn received(&self, request: Request, page: &Page) -> Answered {
        let answer = Answered::receive(self, request, page);
        assert!(!answer.has("error"), "{:?}: {:?}", self.variant, answer.params);
        answer
    }

    /// A whole flow with every check that the suite makes of any; `changes` as in [`Self::request`].
    pub async fn run(&self, changes: &[(&str, &str)]) -> Flow {
        let answer = self.answered(self.request(changes)).await;
        self.finish(answer).await
    }

    /// What follows an answer.
    pub async fn finish(&self, answer: Answered) -> Flow {
        Flow::finish(self, answer).await
    }

    /// Posts to the token endpoint as the app is registered.
    pub async fn token(&self, form: &[(&str, &str)]) -> Page {
        let (client_id, secret) = (self.known("client_id"), self.known("client_secret"));
        let request = self.http.post(self.server.at("/token")).header("accept", "application/json");
        let request = if self.variant.post {
            let mut form = form.to_vec();
            form.extend([("client_id", client_id), ("client_secret", secret)]);
            request.form(&form)
        } else {
            request.header("authorization", basic(client_id, secret)).form(form)
        };
        Page::of(request.send().await.unwrap()).await
    }

    /// Asks userinfo.
    pub async fn userinfo(&self, access_token: &str) -> Page {
        let request = self.http.get(self.server.at("/userinfo")).bearer_auth(access_token);
        Page::of(request.header("accept", "application/json").send().await.unwrap()).await
    }

    /// Takes away what was registered, as the suite does after each module.
    pub async fn end(self) {
        if self.variant.dynamic {
            let removed = Registrar::new(self.server).remove(&self.client).await;
            assert_eq!(removed.status, 204, "{}", removed.whole());
        }
    }
}

async fn registered(server: &Server, variant: Variant, changes: Value) -> Value {
    let mut metadata = variant.metadata();
    for (name, value) in changes.as_object().unwrap() {
        metadata[name.as_str()] = value.clone();
    }
    metadata.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let answer = Registrar::new(server).register(&metadata).await;
    assert_eq!(answer.status, 201, "{}", answer.whole());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let told = answer.json();
    let is_text = |name: &str| told[name].as_str().is_some_and(|text| !text.is_empty());
    assert!(is_text("client_id") && is_text("client_secret"), "{told}");
    // "REQUIRED if "client_secret" is issued." (OIDC Registration §3.2)
    assert!(told["client_secret_expires_at"].is_u64(), "{told}");
    assert!(is_text("registration_client_uri") && is_text("registration_access_token"), "{told}");
    told
}

fn of_declaration(client_id: &str) -> Value {
    let declared: toml::Table = DECLARATION.parse().unwrap();
    let mut clients = declared["clients"].as_array().unwrap().iter();
    let client = clients.find(|client| client["client_id"].as_str() == Some(client_id)).expect("it is declared");
    json!({"client_id": client_id, "client_secret": client["client_secret"].as_str()})
}

/// Letters and digits, as many as these.
pub fn random(length: usize) -> String {
    let mut bytes = vec![0; length];
    Random::new().fill(&mut bytes);
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    bytes.into_iter().map(|byte| char::from(letters[usize::from(byte) % letters.len()])).collect()
}
