//! One connection, and the requests of a workload on it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::time::{sleep, sleep_until};

use crate::Failure;
use crate::http::{Answer, Connection};
use crate::server::{PASSWORD, username};
use crate::workload::{Counting, Workload};

pub(crate) const SECRET: &str = "a-secret-for-the-load-program-alone";
pub(crate) const AUTHORIZE: &str = "/authorize?client_id=app&response_type=code&redirect_uri=https%3A%2F%2Fapp.load.example%2Fcb&scope=openid%20profile%20email%20offline_access&state=s&nonce=n";

const EXCHANGE: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token";
/// How Caddy and Traefik ask about a page.
const ASKED: &str = "x-forwarded-host: wiki.load.example\r\nx-forwarded-uri: /page?of=1\r\nx-forwarded-method: GET\r\nx-forwarded-for: 192.0.2.7\r\naccept: text/html\r\n";

/// One connection with what its requests carry.
pub(crate) struct Driver {
    connection: Connection,
    workload: Workload,
    username: String,
    cookies: String,
    /// The token that its requests show.
    pub(crate) token: String,
}

impl Driver {
    /// With all that its first request needs.
    pub(crate) async fn ready(address: &str, workload: Workload, place: usize) -> Result<Self, Failure> {
        let connection = Connection::open(address).await?;
        let mut this =
            Self { connection, workload, username: username(place), cookies: String::new(), token: String::new() };
        match workload {
            Workload::Discovery | Workload::Jwks | Workload::ClientCredentials | Workload::SignIn => {}
            Workload::IntrospectOpaque => this.token = this.client_credentials("opaque").await?,
            Workload::ForwardAuthJwt | Workload::IntrospectJwt => {
                this.token = this.client_credentials("service").await?;
            }
            Workload::ForwardAuthSession => {
                this.sign_in().await?;
                this.enter().await?;
            }
            Workload::Exchange | Workload::ForwardAuthPat | Workload::IntrospectPat => {
                this.sign_in().await?;
                this.token = this.personal_access_token().await?;
            }
            Workload::Userinfo
            | Workload::UserinfoEncrypted
            | Workload::Refresh
            | Workload::RefreshEncrypted
            | Workload::Code => {
                this.sign_in().await?;
                let tokens = this.code().await?;
                let refreshes = matches!(workload, Workload::Refresh | Workload::RefreshEncrypted);
                let name = if refreshes { "refresh_token" } else { "access_token" };
                this.token = text(&tokens, name)?;
            }
        }
        Ok(this)
    }

    /// What it does.
    pub(crate) fn workload(&self) -> Workload {
        self.workload
    }

    /// A request that could not begin when it was due, because the one before it was not answered yet, has waited since.
    pub(crate) async fn run(
        mut self,
        counting: Arc<Counting>,
        pace: Option<Duration>,
        first: Duration,
    ) -> Result<Self, Failure> {
        sleep(first).await;
        let mut due = Instant::now();
        while !counting.stop.load(Ordering::Relaxed) {
            due += pace.unwrap_or_default();
            let begun = match pace {
                Some(_) if due <= Instant::now() => due,
                Some(_) => {
                    // Who wakes up late has not waited for the server.
                    sleep_until(due.into()).await;
                    Instant::now()
                }
                None => Instant::now(),
            };
            self.once().await?;
            if counting.counts.load(Ordering::Relaxed) {
                let micros = u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX);
                counting.times.lock().unwrap_or_else(PoisonError::into_inner).push(micros);
            }
        }
        Ok(self)
    }

    /// One request of the workload.
    pub(crate) async fn once(&mut self) -> Result<(), Failure> {
        match self.workload {
            Workload::Discovery => {
                expect(self.connection.send("GET", "/.well-known/openid-configuration", "", "").await?, 200).map(drop)
            }
            Workload::Jwks => expect(self.connection.send("GET", "/jwks", "", "").await?, 200).map(drop),
            Workload::ClientCredentials => self.client_credentials("service").await.map(drop),
            Workload::Exchange => {
                let body = format!("{EXCHANGE}&subject_token={}", self.token);
                text(&self.post("/token", "service", &body).await?, "access_token").map(drop)
            }
            Workload::IntrospectOpaque | Workload::IntrospectJwt | Workload::IntrospectPat => {
                let body = format!("token={}", self.token);
                let client = if self.workload == Workload::IntrospectOpaque { "opaque" } else { "app" };
                let answer = self.post("/introspect", client, &body).await?;
                if answer["active"] == true { Ok(()) } else { Err("the token does not count".into()) }
            }
            Workload::ForwardAuthSession => {
                let headers = format!("{ASKED}cookie: {}\r\n", self.cookies);
                expect(self.connection.send("GET", "/forward-auth", &headers, "").await?, 200).map(drop)
            }
            Workload::ForwardAuthPat | Workload::ForwardAuthJwt => {
                let headers = format!("{ASKED}authorization: Bearer {}\r\n", self.token);
                expect(self.connection.send("GET", "/forward-auth", &headers, "").await?, 200).map(drop)
            }
            Workload::Userinfo | Workload::UserinfoEncrypted => {
                let headers = format!("authorization: Bearer {}\r\n", self.token);
                expect(self.connection.send("GET", "/userinfo", &headers, "").await?, 200).map(drop)
            }
            Workload::Refresh | Workload::RefreshEncrypted => {
                let body = format!("grant_type=refresh_token&refresh_token={}", self.token);
                self.token = text(&self.post("/token", self.workload.app(), &body).await?, "refresh_token")?;
                Ok(())
            }
            Workload::Code => self.code().await.map(drop),
            Workload::SignIn => self.sign_in().await,
        }
    }

    async fn client_credentials(&mut self, client: &str) -> Result<String, Failure> {
        text(&self.post("/token", client, "grant_type=client_credentials").await?, "access_token")
    }

    async fn post(&mut self, path: &str, client: &str, body: &str) -> Result<Value, Failure> {
        let headers = format!("authorization: Basic {}\r\n", STANDARD.encode(format!("{client}:{SECRET}")));
        let answer = expect(self.connection.send("POST", path, &headers, body).await?, 200)?;
        Ok(serde_json::from_str(&answer.body)?)
    }

    /// Signs in by the form, as a browser does.
    async fn sign_in(&mut self) -> Result<(), Failure> {
        let page = expect(self.connection.send("GET", "/sign-in", "", "").await?, 200)?;
        let visit = page.cookies();
        let csrf = field(&page.body, "csrf")?;
        let body = form(&[("csrf", &csrf), ("request", ""), ("username", &self.username), ("password", PASSWORD)]);
        let answer = self.connection.send("POST", "/sign-in", &format!("cookie: {visit}\r\n"), &body).await?;
        self.cookies = visit + &expect(answer, 303)?.cookies();
        Ok(())
    }

    /// Enters the app behind a proxy; the cookies are those of its host from then on.
    async fn enter(&mut self) -> Result<(), Failure> {
        let sent = expect(self.connection.send("GET", "/forward-auth", ASKED, "").await?, 302)?;
        let mark = sent.cookies();
        let headers = format!("cookie: {}\r\n", self.cookies);
        let passed = expect(self.connection.send("GET", &path(&sent)?, &headers, "").await?, 303)?;
        let asked = ASKED.replace("/page?of=1", &path(&passed)?);
        let headers = format!("{asked}cookie: {mark}\r\n");
        let entered = expect(self.connection.send("GET", "/forward-auth", &headers, "").await?, 302)?;
        self.cookies = mark + &entered.cookies();
        Ok(())
    }

    /// Makes a token by the form, as a browser does.
    async fn personal_access_token(&mut self) -> Result<String, Failure> {
        let headers = format!("cookie: {}\r\n", self.cookies);
        let page = expect(self.connection.send("GET", "/account/tokens/new", &headers, "").await?, 200)?;
        let (csrf, draft) = (field(&page.body, "csrf")?, field(&page.body, "draft")?);
        let pairs =
            [("csrf", csrf.as_str()), ("draft", &draft), ("name", "load"), ("scope", "api.read"), ("days", "30")];
        let page = self.connection.send("POST", "/account/tokens/new", &headers, &form(&pairs)).await?;
        value(&expect(page, 200)?.body, "id=\"token\"")
    }

    /// Authorizes and redeems; at the first time allows what is asked.
    async fn code(&mut self) -> Result<Value, Failure> {
        let headers = format!("cookie: {}\r\n", self.cookies);
        let app = self.workload.app();
        let authorize = AUTHORIZE.replace("client_id=app&", &format!("client_id={app}&"));
        let mut answer = expect(self.connection.send("GET", &authorize, &headers, "").await?, 303)?;
        if answer.header("location").is_some_and(|to| to.starts_with("/consent")) {
            let consent = answer.header("location").unwrap_or_default().to_owned();
            let page = expect(self.connection.send("GET", &consent, &headers, "").await?, 200)?;
            let (csrf, request) = (field(&page.body, "csrf")?, field(&page.body, "request")?);
            let scopes = ["openid", "profile", "email", "offline_access"].map(|scope| ("scope", scope));
            let body = form(
                &[[("csrf", csrf.as_str()), ("request", &request), ("decision", "allow")].as_slice(), &scopes].concat(),
            );
            let allowed = expect(self.connection.send("POST", "/consent", &headers, &body).await?, 303)?;
            let back = allowed.header("location").unwrap_or_default().to_owned();
            answer = expect(self.connection.send("GET", &back, &headers, "").await?, 303)?;
        }
        let location = answer.header("location").unwrap_or_default();
        let code = location
            .split(['?', '&', '#'])
            .find_map(|part| part.strip_prefix("code="))
            .ok_or_else(|| format!("no code in {location}"))?;
        let body =
            format!("grant_type=authorization_code&code={code}&redirect_uri=https%3A%2F%2Fapp.load.example%2Fcb");
        self.post("/token", app, &body).await
    }
}

fn expect(answer: Answer, status: u16) -> Result<Answer, Failure> {
    if answer.status == status {
        Ok(answer)
    } else {
        Err(format!("{status} expected: {}{}", answer.head, answer.body).into())
    }
}

/// Where an answer sends to, without the host.
fn path(answer: &Answer) -> Result<String, Failure> {
    let location = url::Url::parse(answer.header("location").unwrap_or_default())?;
    Ok(format!("{}?{}", location.path(), location.query().unwrap_or_default()))
}

fn text(value: &Value, name: &str) -> Result<String, Failure> {
    value[name].as_str().map(str::to_owned).ok_or_else(|| format!("no {name} in {value}").into())
}

/// The value of a hidden field.
fn field(page: &str, name: &str) -> Result<String, Failure> {
    value(page, &format!("name=\"{name}\""))
}

/// The value of the field that has this attribute.
fn value(page: &str, attribute: &str) -> Result<String, Failure> {
    let after = page.split(attribute).nth(1).ok_or_else(|| format!("no field with {attribute}"))?;
    let value = after.split("value=\"").nth(1).and_then(|rest| rest.split('"').next());
    value.map(str::to_owned).ok_or_else(|| format!("no value of {attribute}").into())
}

fn form(pairs: &[(&str, &str)]) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(pairs);
    text.finish()
}
