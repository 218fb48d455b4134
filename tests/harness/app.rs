//! An app that runs flows by hand, so that a story can break any part of them. The app built on `openidconnect` is in
//! `relying_party`.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use grantor_jose::hash::sha256;
use serde_json::Value;
use url::Url;

use super::assertion::{self, Assertion};
use super::page::Page;
use super::person::Person;
use super::seeds::{self, SECRET};
use super::server::Server;

/// The verifier of every flow: 43 characters, as RFC 7636 has them.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// An app.
pub struct App<'a> {
    server: &'a Server,
    http: reqwest::Client,
    /// Its `client_id`.
    pub client_id: String,
    /// Where its answers go.
    pub redirect_uri: String,
}

impl<'a> App<'a> {
    /// An app of the seeds: `wiki`, `chat`, `spa`, `portal`, `service`, `signed`, `native`, `notes-api`.
    pub fn new(server: &'a Server, client_id: &str) -> Self {
        let redirect_uri = match client_id {
            "chat" => "https://chat.example/cb",
            "native" => "http://127.0.0.1/cb",
            "portal" => "https://portal.example/cb",
            "signed" => "https://signed.example/cb",
            "spa" => "https://board.example/cb",
            _ => "https://wiki.example/cb",
        };
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { server, http, client_id: client_id.into(), redirect_uri: redirect_uri.into() }
    }

    /// The same app with its answers sent elsewhere.
    #[must_use]
    pub fn at(mut self, redirect_uri: &str) -> Self {
        redirect_uri.clone_into(&mut self.redirect_uri);
        self
    }

    /// The parameters of a right authorization request.
    pub fn request(&self, scope: &str) -> Vec<(String, String)> {
        let challenge = URL_SAFE_NO_PAD.encode(sha256(VERIFIER.as_bytes()));
        let pairs = [
            ("client_id", self.client_id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", &self.redirect_uri),
            ("scope", scope),
            ("state", "the-state"),
            ("nonce", "the-nonce"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// The address of an authorization request; `changes` replace parameters, and remove them when empty.
    pub fn authorize_url(&self, scope: &str, changes: &[(&str, &str)]) -> String {
        let mut request = self.request(scope);
        for (name, value) in changes {
            request.retain(|(known, _)| known != name);
            if !value.is_empty() {
                request.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        Url::parse_with_params(&self.server.at("/authorize"), request).unwrap().into()
    }

    /// Alice signs in and allows everything; the answer that reaches the app.
    pub async fn approved_by(&self, person: &Person, scope: &str) -> Answer {
        let mut page = person.open(self.authorize_url(scope, &[])).await;
        if page.name() == "sign-in" {
            page = person.sign_in_on(&page, seeds::ALICE, seeds::ALICE_PASSWORD).await;
        }
        if page.name() == "consent" {
            page = person.allow_on(&page).await;
        }
        Answer::of(&page)
    }

    /// The same with parameters changed, or removed when empty.
    pub async fn approved_with(&self, person: &Person, scope: &str, changes: &[(&str, &str)]) -> Answer {
        let page = person.open(self.authorize_url(scope, changes)).await;
        Answer::of(&person.approve(page).await)
    }

    /// The tokens for `scope` from a person's browser, with parameters of the authorization request changed.
    pub async fn tokens_with(&self, person: &Person, scope: &str, changes: &[(&str, &str)]) -> Tokens {
        let answer = self.approved_with(person, scope, changes).await;
        Tokens(self.redeem(&answer.param("code")).await.json())
    }

    /// A code for `scope`, from Alice in a fresh browser.
    pub async fn code(&self, scope: &str) -> String {
        self.approved_by(&Person::new(self.server), scope).await.param("code")
    }

    /// The tokens for `scope`, from Alice in a fresh browser.
    pub async fn tokens(&self, scope: &str) -> Tokens {
        Tokens(self.redeem(&self.code(scope).await).await.json())
    }

    /// Redeems a code as it should be.
    pub async fn redeem(&self, code: &str) -> Page {
        self.redeem_with(code, &[]).await
    }

    /// Redeems a code with parameters changed, or removed when empty.
    pub async fn redeem_with(&self, code: &str, changes: &[(&str, &str)]) -> Page {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("code_verifier", VERIFIER),
        ];
        for (name, value) in changes {
            form.retain(|(known, _)| known != name);
            if !value.is_empty() {
                form.push((name, value));
            }
        }
        self.post("/token", &form).await
    }

    /// Refreshes.
    pub async fn refresh(&self, refresh_token: &str) -> Page {
        self.post("/token", &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    /// Posts a form to an endpoint, authenticated the way the app is registered.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Page {
        let mut form: Vec<(&str, &str)> = form.to_vec();
        let mut request = self.http.post(self.server.at(path));
        let assertion = Assertion::new(self.server).signed();
        match self.client_id.as_str() {
            "signed" => form.extend(assertion::params(&assertion)),
            "spa" | "native" => form.push(("client_id", &self.client_id)),
            "chat" => form.extend([("client_id", self.client_id.as_str()), ("client_secret", SECRET)]),
            _ => request = request.header("authorization", basic(&self.client_id, SECRET)),
        }
        request = request.form(&form);
        Page::of(request.send().await.unwrap()).await
    }

    /// Sends a browser to the authorization endpoint, and follows; `changes` as in [`Self::authorize_url`].
    pub async fn asks(&self, person: &Person, scope: &str, changes: &[(&str, &str)]) -> Page {
        person.open(self.authorize_url(scope, changes)).await
    }

    /// Asks for access in the client's own name.
    pub async fn client_credentials(&self, scope: &str) -> Page {
        self.post("/token", &[("grant_type", "client_credentials"), ("scope", scope)]).await
    }

    /// Refreshes with other parameters beside.
    pub async fn refresh_with(&self, refresh_token: &str, others: &[(&str, &str)]) -> Page {
        let form = [&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)], others].concat();
        self.post("/token", &form).await
    }

    /// Posts a body of any kind to an endpoint with the credentials of `wiki`.
    pub async fn post_body(&self, path: &str, content_type: Option<&str>, body: impl Into<reqwest::Body>) -> Page {
        let request = self.http.post(self.server.at(path)).header("authorization", basic(&self.client_id, SECRET));
        let request = content_type.iter().fold(request, |request, kind| request.header("content-type", *kind));
        Page::of(request.body(body).send().await.unwrap()).await
    }

    /// A request of any method with any headers.
    pub async fn request_raw(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Page {
        let request = self.http.request(method.parse().unwrap(), self.server.at(path));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Page::of(request.send().await.unwrap()).await
    }

    /// Posts a form to an endpoint with just these headers.
    pub async fn post_raw(&self, path: &str, headers: &[(&str, &str)], form: &[(&str, &str)]) -> Page {
        let request = self.http.post(self.server.at(path)).form(form);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Page::of(request.send().await.unwrap()).await
    }

    /// Asks userinfo.
    pub async fn userinfo(&self, access_token: &str) -> Page {
        let request = self.http.get(self.server.at("/userinfo")).bearer_auth(access_token);
        Page::of(request.send().await.unwrap()).await
    }

    /// Asks introspection about a token.
    pub async fn introspect(&self, token: &str) -> Value {
        self.introspect_with(token, &[]).await
    }

    /// What an API that tells more is told of a token.
    pub async fn introspect_with(&self, token: &str, told: &[(&str, &str)]) -> Value {
        self.introspect_answer(token, told).await.json()
    }

    /// The whole answer to that.
    pub async fn introspect_answer(&self, token: &str, told: &[(&str, &str)]) -> Page {
        let form: Vec<(&str, &str)> = [("token", token)].into_iter().chain(told.iter().copied()).collect();
        self.post("/introspect", &form).await
    }

    /// Revokes a token.
    pub async fn revoke(&self, token: &str) -> Page {
        self.post("/revoke", &[("token", token)]).await
    }
}

/// `Basic` credentials.
pub fn basic(client_id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{client_id}:{secret}")))
}

/// An answer of the authorization endpoint that reaches an app.
#[derive(Debug)]
pub struct Answer(pub Url);

impl Answer {
    /// The answer that a redirect carries, or the form that the browser is to post.
    pub fn of(page: &Page) -> Self {
        if page.name() == "form-post" {
            let form = page.form("form#answer");
            return Self(Url::parse_with_params(form.action.as_str(), form.fields).unwrap());
        }
        let location = page.location();
        Self(location.unwrap_or_else(|| panic!("a redirect, not {} {}: {}", page.status, page.name(), page.body)))
    }

    /// The parameters in their order, wherever they stand.
    pub fn params(&self) -> Vec<(String, String)> {
        let fragment = self.0.fragment().filter(|fragment| *fragment != "_").unwrap_or_default();
        let fragment = url::form_urlencoded::parse(fragment.as_bytes());
        self.0.query_pairs().chain(fragment).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }

    /// The names of the parameters in their order.
    pub fn names(&self) -> Vec<String> {
        self.params().into_iter().map(|(name, _)| name).collect()
    }

    /// A parameter.
    pub fn param(&self, name: &str) -> String {
        let found = self.params().into_iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("{name} in {}", self.0)).1
    }

    /// Whether a parameter is there.
    pub fn has(&self, name: &str) -> bool {
        self.names().iter().any(|known| known == name)
    }

    /// Whether the parameters stand in the fragment, and nothing in the query.
    pub fn is_in_fragment(&self) -> bool {
        self.0.query().is_none() && self.0.fragment().is_some_and(|fragment| fragment != "_")
    }
}

/// The tokens of an answer.
#[derive(Clone, Debug)]
pub struct Tokens(pub Value);

impl Tokens {
    /// The access token.
    pub fn access(&self) -> &str {
        self.text("access_token")
    }

    /// The refresh token.
    pub fn refresh(&self) -> &str {
        self.text("refresh_token")
    }

    /// The ID token.
    pub fn id(&self) -> &str {
        self.text("id_token")
    }

    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_else(|| panic!("{name} in {}", self.0))
    }
}

/// The claims of a JWT, unverified.
pub fn claims(jwt: &str) -> Value {
    part(jwt, 1)
}

/// The header of a JWT.
pub fn header(jwt: &str) -> Value {
    part(jwt, 0)
}

fn part(jwt: &str, at: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(jwt.split('.').nth(at).unwrap()).unwrap()).unwrap()
}
