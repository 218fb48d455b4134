//! All flows once, and every secret that was used in them: what a thief of the log or of the database would look for.

mod kept;

pub use kept::Surroundings;

use super::wire;
use crate::harness::app::{Answer, App, Tokens, VERIFIER, basic};
use crate::harness::assertion::{self, Assertion};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD, SECRET};
use crate::harness::server::Server;

/// Secrets, each with what it is.
#[derive(Default)]
pub struct Spoils(pub Vec<(&'static str, String)>);

impl Spoils {
    /// Runs all flows against `server`.
    pub async fn of(server: &Server) -> Self {
        let mut spoils = Self::default();
        spoils.passwords(server).await;
        for client_id in ["wiki", "chat", "spa", "portal"] {
            spoils.code_flow(server, client_id).await;
        }
        spoils.other_grants(server).await;
        spoils.misuse(server).await;
        spoils.leaving(server).await;
        spoils.0.push(("a client's secret", SECRET.to_owned()));
        spoils.0.push(("a client's credentials", basic("wiki", SECRET).replace("Basic ", "")));
        spoils.0.push(("a code verifier", VERIFIER.to_owned()));
        spoils
    }

    /// A token is written down whole, and its secret part alone.
    fn token(&mut self, what: &'static str, token: &str) {
        let (_, secret) = token.rsplit_once('.').unwrap_or(("", token));
        self.0.push((what, secret.to_owned()));
    }

    fn tokens(&mut self, tokens: &serde_json::Value) {
        for (name, what) in
            [("access_token", "an access token"), ("refresh_token", "a refresh token"), ("id_token", "an ID token")]
        {
            if let Some(token) = tokens[name].as_str() {
                self.token(what, token);
            }
        }
    }

    /// Right and wrong passwords, and the cookies and form tokens that come with them.
    async fn passwords(&mut self, server: &Server) {
        for (username, password) in
            [(ALICE, "a-wrong-password-that-she-uses-elsewhere"), (BOB, BOB_PASSWORD), (ALICE, ALICE_PASSWORD)]
        {
            let page = wire::get(&server.at("/sign-in"), &[]).await;
            let form = page.form(r#"form[action="/sign-in"]"#).with("username", username).with("password", password);
            let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
            let visit = page.cookies().join("; ");
            let headers = [("cookie", visit.as_str()), ("content-type", "application/x-www-form-urlencoded")];
            let answer = wire::send("POST", &server.at("/sign-in"), &headers, &body).await;
            self.0.push(("a password", password.to_owned()));
            self.0.push(("a form's token", page.attribute("[name=csrf]", "value").unwrap()));
            for cookie in page.cookies().iter().chain(&answer.cookies()) {
                self.token("a cookie", cookie.split_once('=').unwrap().1);
            }
            wire::get(&server.at("/account"), &answer.cookies()).await;
        }
    }

    async fn code_flow(&mut self, server: &Server, client_id: &str) {
        let app = App::new(server, client_id);
        let code = app.code("openid profile email offline_access").await;
        let tokens = Tokens(app.redeem(&code).await.json());
        self.token("a code", &code);
        self.tokens(&tokens.0);
        app.userinfo(tokens.access()).await;
        app.introspect(tokens.access()).await;
        if tokens.0["refresh_token"].is_string() {
            let next = app.refresh(tokens.refresh()).await.json();
            self.tokens(&next);
            app.revoke(Tokens(next).refresh()).await;
        }
    }

    async fn other_grants(&mut self, server: &Server) {
        let service = App::new(server, "service");
        let tokens =
            service.post("/token", &[("grant_type", "client_credentials"), ("scope", "notes.read")]).await.json();
        self.tokens(&tokens);
        let assertion = assertion(server, 0);
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "notes.read"),
            ("client_assertion_type", assertion::TYPE),
            ("client_assertion", assertion.as_str()),
        ];
        let answer = service.post_raw("/token", &[], &form).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.token("an assertion", &assertion);
        self.tokens(&answer.json());
    }

    /// What is refused is where secrets slip into words.
    async fn misuse(&mut self, server: &Server) {
        let (wiki, chat) = (App::new(server, "wiki"), App::new(server, "chat"));
        let code = wiki.code("openid offline_access").await;
        chat.redeem(&code).await;
        let tokens = Tokens(wiki.redeem(&code).await.json());
        self.token("a code", &code);
        wiki.redeem(&code).await;
        wiki.post_raw("/token", &[("authorization", &basic("wiki", "a-wrong-client-secret"))], &[("code", &code)])
            .await;
        self.0.push(("a wrong client secret", "a-wrong-client-secret".to_owned()));
        if let Some(access) = tokens.0["access_token"].as_str() {
            wire::get(&server.at(&format!("/userinfo?access_token={access}")), &[]).await;
            wire::get(&server.at(&format!("/nothing?code={code}&token={access}")), &[]).await;
            wire::send("GET", &server.at("/userinfo"), &[("authorization", &format!("Bearer {access}x"))], "").await;
            self.tokens(&tokens.0);
        }
        wire::send(
            "POST",
            &server.at("/token"),
            &[("content-type", "application/json")],
            &format!("{{\"code\":\"{code}\"}}"),
        )
        .await;
    }

    async fn leaving(&mut self, server: &Server) {
        let (wiki, person) = (App::new(server, "wiki"), Person::new(server));
        let code = wiki.approved_by(&person, "openid").await.param("code");
        let tokens = Tokens(wiki.redeem(&code).await.json());
        self.tokens(&tokens.0);
        let page = person
            .open(format!(
                "/end-session?id_token_hint={}&post_logout_redirect_uri=https://wiki.example/out",
                tokens.id()
            ))
            .await;
        assert_eq!(Answer::of(&page).0.as_str(), "https://wiki.example/out");
    }
}

/// What the app `signed` proves itself with; `skew` seconds from the server's time.
pub fn assertion(server: &Server, skew: i64) -> String {
    let now = server.clock.read().seconds() + skew;
    Assertion::new(server).claim("iat", now).claim("exp", now + 60).signed()
}
