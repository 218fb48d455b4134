//! One of each thing that is issued.

use serde_json::Value;
use url::Url;

use crate::harness::app::{App, Tokens};
use crate::harness::assertion::{Assertion, params};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;

pub const CODE: &str = "a code";
pub const REFRESH_TOKEN: &str = "a refresh token";
pub const ACCESS_TOKEN: &str = "a signed access token";
pub const OPAQUE: &str = "an opaque access token";
pub const OWN: &str = "an app's own access token";
pub const PERSONAL: &str = "a personal access token";
pub const ASSERTION: &str = "a client assertion";
pub const SESSION: &str = "a session";
pub const STARTED: &str = "a started authorization";

/// All that is issued, in the order in which it is used.
pub const ALL: [&str; 9] = [SESSION, STARTED, ACCESS_TOKEN, OPAQUE, OWN, CODE, REFRESH_TOKEN, PERSONAL, ASSERTION];

/// One of each.
pub struct Credentials {
    person: Person,
    /// The cookies of the person's browser, which others may have a copy of.
    cookies: String,
    stranger: Person,
    started: Url,
    code: String,
    tokens: Tokens,
    opaque: Tokens,
    own: Tokens,
    personal: String,
    assertion: String,
}

impl Credentials {
    /// Has them issued.
    pub async fn of(server: &Server) -> Self {
        let (person, stranger) = (Person::new(server), Person::new(server));
        let cookies = sign_in(&person).await;
        let (wiki, chat, service) = (App::new(server, "wiki"), App::new(server, "chat"), App::new(server, "service"));
        let tokens = wiki.tokens_with(&person, "openid offline_access notes.read", &[]).await;
        let opaque = chat.tokens_with(&person, "openid offline_access", &[]).await;
        let own = Tokens(service.client_credentials("notes.read").await.json());
        let started = stranger.open(wiki.authorize_url("openid", &[])).await.url;
        let code = wiki.approved_by(&person, "openid offline_access notes.read").await.param("code");
        let personal = crate::tokens::token(&person, &["notes.read"]).await;
        let assertion = Assertion::new(server).signed();
        Self { person, cookies, stranger, started, code, tokens, opaque, own, personal, assertion }
    }

    /// Spends, revokes or ends what can be.
    pub async fn spend(&self, server: &Server) {
        let (wiki, chat, service) = (App::new(server, "wiki"), App::new(server, "chat"), App::new(server, "service"));
        assert_eq!(wiki.redeem(&self.code).await.status, 200);
        assert_eq!(wiki.refresh(self.tokens.refresh()).await.status, 200);
        assert_eq!(asserted(server, &self.assertion).await.status, 200);
        wiki.revoke(self.tokens.access()).await;
        chat.revoke(self.opaque.access()).await;
        service.revoke(self.own.access()).await;
        crate::tokens::revoke(&self.person, &self.personal).await;
        let page = self.person.open("/account").await;
        self.person.send(&page.form(r#"form[action="/sign-out"]"#)).await;
        server.clock.advance(server.app.provider.policy.lifetimes.refresh_token_grace);
    }

    /// Which of them count. Asking uses them.
    pub async fn alive(&self, server: &Server) -> Vec<&'static str> {
        let (wiki, chat) = (App::new(server, "wiki"), App::new(server, "chat"));
        let counts = [
            self.is_signed_in(server).await,
            self.stranger.open(&self.started).await.name() == "sign-in",
            wiki.userinfo(self.tokens.access()).await.status == 200,
            chat.userinfo(self.opaque.access()).await.status == 200,
            App::new(server, "notes-api").introspect(self.own.access()).await["active"] == true,
            wiki.redeem(&self.code).await.status == 200,
            wiki.refresh(self.tokens.refresh()).await.status == 200,
            App::new(server, "notes-api").introspect(&self.personal).await["active"] == true,
            asserted(server, &self.assertion).await.status == 200,
        ];
        ALL.into_iter().zip(counts).filter_map(|(name, counts)| counts.then_some(name)).collect()
    }

    async fn is_signed_in(&self, server: &Server) -> bool {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let request = http.get(server.at("/account")).header("cookie", &self.cookies);
        Page::of(request.send().await.unwrap()).await.name() == "account"
    }

    /// The access token that says of itself what it is.
    pub fn access(&self) -> &str {
        self.tokens.access()
    }

    /// The refresh token.
    pub fn refresh(&self) -> &str {
        self.tokens.refresh()
    }
}

/// Signs in as Alice; the cookies that the browser has then.
async fn sign_in(person: &Person) -> String {
    let page = person.open("/sign-in").await;
    let form = page.form(r#"form[action="/sign-in"]"#).with("username", ALICE).with("password", ALICE_PASSWORD);
    [page.cookies(), person.post(&form).await.cookies()].concat().join("; ")
}

/// The app `signed` asks for a token with an assertion.
pub async fn asserted(server: &Server, assertion: &str) -> Page {
    let form = [&params(assertion)[..], &[("grant_type", "client_credentials")]].concat();
    App::new(server, "signed").post_raw("/token", &[], &form).await
}

/// The key set that a server publishes.
pub async fn key_set(server: &Server) -> Value {
    Page::of(reqwest::get(server.at("/jwks")).await.unwrap()).await.json()
}
