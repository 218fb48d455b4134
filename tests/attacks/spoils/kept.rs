//! All flows of tokens that people keep, of keys, of apps behind proxies, of upstreams, webhooks and reports of leaks.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use grantor_server::config::Config;
use serde_json::{Value, json};

use super::Spoils;
use crate::attacks::wire;
use crate::forward_auth::{APPS, BOARD, HANDBOOK, Visitor, target};
use crate::harness::app::App;
use crate::harness::folder::Folder;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::receiver::{self, Receiver};
use crate::harness::server::Server;
use crate::harness::tls;
use crate::tokens::exchange::{CLI, exchange};
use crate::tokens::keys::{self, key};
use crate::tokens::leaks::{Scanner, finding};
use crate::tokens::{form, shown, token};
use crate::upstreams::fake::{self, Fake, sent};
use crate::upstreams::{self, declaration};

const JSON: (&str, &str) = ("content-type", "application/json");

/// The app `portal`, which acts on accounts.
const PORTAL: &str = r#"
[[clients]]
client_id = "portal"
client_name = "Portal"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
redirect_uris = ["https://portal.example/cb"]
grant_types = ["authorization_code", "refresh_token"]
scope = "openid account:tokens"
"#;

/// What stands around a server: an upstream, a receiver of events, and somebody who reports leaks.
pub struct Surroundings {
    upstream: Fake,
    receiver: Receiver,
    scanner: Option<Scanner>,
    folder: Folder,
}

impl Surroundings {
    /// All of them, started.
    pub fn start() -> Self {
        let (upstream, receiver, folder) = (Fake::start(), Receiver::start(), Folder::new());
        let authorities = [tls::certificate().pem.clone(), fs::read_to_string(receiver.authority()).unwrap()];
        fs::write(folder.join("ca.pem"), authorities.concat()).unwrap();
        Self { upstream, receiver, scanner: Scanner::new(), folder }
    }

    /// The settings of a server that knows them, and the proxies of this machine.
    pub fn configure(&self, config: &mut Config) {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        config.leak_reporters = self.scanner.iter().map(Scanner::reporter).collect();
        config.webhooks = vec![self.receiver.webhook(&["api_token_issued"])];
        config.outbound.allow_hosts = ["127.0.0.1", "localhost"].map(|host| host.parse().unwrap()).into();
        config.outbound.ca_file = Some(self.folder.join("ca.pem"));
    }
}

/// A field of a form.
fn field(page: &Page, css: &str, name: &str) -> String {
    let form = page.form(css);
    form.fields.into_iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{name} in {}", page.body)).1
}

impl Spoils {
    /// Runs these flows against a server with its surroundings.
    pub async fn of_kept_tokens(server: &Server, around: &Surroundings) -> Self {
        let mut spoils = Self::default();
        for declared in
            [APPS, CLI, PORTAL, keys::SERVICE, &declaration(&around.upstream, "corp", "create_accounts = true")]
        {
            server.clock.advance(std::time::Duration::from_millis(1));
            server.apply(declared).await;
        }
        around.upstream.keep_time_of(&server.clock);
        let person = Person::new(server);
        person.sign_in().await;
        spoils.kept(server, &person).await;
        spoils.by_api(server, &person).await;
        spoils.keys(server).await;
        spoils.behind_proxies(server).await;
        spoils.upstreams(server, &around.upstream).await;
        if let Some(scanner) = &around.scanner {
            spoils.reported(server, &person, scanner).await;
        }
        around.receiver.wait_for(1).await;
        spoils.0.push(("a webhook's secret", receiver::SECRET["whsec_".len()..].to_owned()));
        spoils
    }

    /// Made on the pages, used rightly and wrongly, exchanged, given a new secret.
    async fn kept(&mut self, server: &Server, person: &Person) {
        let form = form(person).await.ticked("scope", "notes.read");
        let draft = form.fields.iter().find(|(name, _)| name == "draft").unwrap().1.clone();
        let kept = shown(&person.send(&form).await);
        self.0.push(("a draft", draft));
        self.0.push(("a personal access token", kept.clone()));
        self.0.push(("its secret", kept["gtr_pat_".len() + 11..].to_owned()));
        self.use_wrongly(server, &kept).await;
        let jwt = exchange(&App::new(server, "spa"), &kept, &[]).await.json();
        self.tokens(&jwt);
        App::new(server, "notes-api").introspect(jwt["access_token"].as_str().unwrap()).await;
        exchange(&App::new(server, "spa"), &kept, &[("scope", "admin")]).await;
        exchange(&App::new(server, "wiki"), &kept, &[]).await;
        let page = person.open(format!("/account/tokens/rotate?token={}", &kept["gtr_pat_".len()..][..11])).await;
        self.0.push(("a draft", field(&page, r#"form[action="/account/tokens/rotate"]"#, "draft")));
        let again = shown(&person.send(&page.form(r#"form[action="/account/tokens/rotate"]"#)).await);
        self.use_wrongly(server, &again).await;
        self.0.push(("a new secret", again));
    }

    /// Shown where it counts, and where it slips into words.
    async fn use_wrongly(&mut self, server: &Server, token: &str) {
        let (api, bearer) = (App::new(server, "notes-api"), format!("Bearer {token}"));
        api.introspect(token).await;
        api.post("/introspect/batch", &[("token", token), ("token", "x")]).await;
        api.revoke(token).await;
        for header in [&bearer, &format!("{bearer}x"), &format!("Basic {token}"), &format!("{bearer} y")] {
            let visitor = Visitor::new(server);
            visitor.asks(HANDBOOK, "/", &[("authorization", header)]).await;
            visitor.asks(HANDBOOK, &format!("/?token={token}"), &[("authorization", header)]).await;
            for path in ["/userinfo", "/account/api/tokens", "/account"] {
                wire::send("GET", &server.at(path), &[("authorization", header)], "").await;
            }
        }
        for path in
            ["/userinfo?access_token=", "/account/api/tokens?access_token=", "/nothing?token=", "/forward-auth/?t="]
        {
            wire::send("GET", &server.at(&format!("{path}{token}")), &[], "").await;
        }
        for path in ["/token", "/leak-reports", "/introspect/batch", "/account/api/tokens"] {
            wire::send(
                "POST",
                &server.at(path),
                &[JSON, ("authorization", &bearer)],
                &json!({"token": token}).to_string(),
            )
            .await;
        }
    }

    /// Made by an app that acts on the account.
    async fn by_api(&mut self, server: &Server, person: &Person) {
        let tokens = App::new(server, "portal").tokens_with(person, "openid account:tokens", &[]).await;
        self.tokens(&tokens.0);
        let bearer = format!("Bearer {}", tokens.access());
        let at = server.at("/account/api/tokens");
        let headers = [JSON, ("authorization", bearer.as_str())];
        let draft = wire::send("GET", &at, &headers, "").await.json()["draft"].as_str().unwrap().to_owned();
        let wanted = json!({"draft": draft, "name": "Backup", "scope": "notes.read", "days": 30});
        let made = wire::send("POST", &at, &headers, &wanted.to_string()).await.json();
        for (name, value) in [("days", json!(9999)), ("draft", json!(format!("{draft}x"))), ("more", json!(draft))] {
            let mut wrong = wanted.clone();
            wrong[name] = value;
            wire::send("POST", &at, &headers, &wrong.to_string()).await;
        }
        self.0.push(("a draft of the API", draft));
        self.0.push(("a token of the API", made["token"].as_str().unwrap().to_owned()));
    }

    async fn keys(&mut self, server: &Server) {
        let key = key(server, &[]).await;
        self.use_wrongly(server, &key).await;
        let jwt: Value = keys::exchange(server, &key, &[]).await.json();
        self.tokens(&jwt);
        self.0.push(("a key", key));
    }

    /// Tickets and cookies, used and stolen.
    async fn behind_proxies(&mut self, server: &Server) {
        let alice = Visitor::new(server);
        alice.person.sign_in().await;
        let sent = alice.opens(BOARD, "/a").await;
        let back = alice.person.open(sent.location().unwrap()).await.location().unwrap();
        let ticket = back.query_pairs().find(|(name, _)| name == "ticket").unwrap().1.into_owned();
        let entered = alice.opens(BOARD, &target(&back)).await;
        assert!(!entered.cookies().is_empty());
        alice.opens(BOARD, "/a").await;
        for thief in [&alice, &Visitor::new(server)] {
            thief.opens(BOARD, &target(&back)).await;
            thief.opens(BOARD, &format!("{}x", target(&back))).await;
        }
        let cookies = alice.cookies_of(BOARD);
        let wrong = [("cookie", cookies.as_str())];
        Visitor::new(server).asks(HANDBOOK, "/", &wrong).await;
        self.0.push(("a ticket", ticket.clone()));
        self.token("a ticket's proof", &ticket);
        for cookie in cookies.split("; ") {
            self.token("a cookie of an app", cookie.split_once('=').unwrap().1);
        }
    }

    async fn upstreams(&mut self, server: &Server, upstream: &Fake) {
        let person = Person::new(server);
        let page = person.open("/sign-in").await;
        let going = upstreams::start_on(&person, &page, "corp").await;
        let asked = sent(&going);
        for name in ["state", "nonce", "code_challenge"] {
            let value = asked.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned();
            self.token("what was sent to an upstream", &value);
        }
        let answer = upstream.consents(&going);
        let opened = person.open(&answer).await;
        assert_eq!(opened.name(), "account", "{}", opened.body);
        person.open(&answer).await;
        Person::new(server).open(&answer).await;
        let going = upstreams::start_on(&person, &Person::new(server).open("/sign-in").await, "corp").await;
        if going.has("a#continue") {
            person
                .open(Fake::answers(&going, &[("code", "a-wrong-code-of-the-upstream"), ("iss", &upstream.url)]))
                .await;
        }
        let logout = upstream.logout_token(&json!({"sub": "ada-there"}));
        for token in [logout.clone(), format!("{logout}x")] {
            let form = [("content-type", "application/x-www-form-urlencoded")];
            let at = server.at("/upstreams/corp/backchannel-logout");
            wire::send("POST", &at, &form, &format!("logout_token={token}")).await;
        }
        self.token("a logout token", &logout);
        self.0.push(("codes of an upstream", "code-of-the-upstream".to_owned()));
        self.0.push(("an upstream's token", fake::ACCESS_TOKEN.to_owned()));
        self.0.push(("our secret at an upstream", fake::SECRET.to_owned()));
        self.0.push(("our credentials there", STANDARD.encode(format!("grantor:{}", fake::SECRET))));
    }

    async fn reported(&mut self, server: &Server, person: &Person, scanner: &Scanner) {
        let leaked = token(person, &["notes.read"]).await;
        let refresh = App::new(server, "wiki").tokens("openid offline_access").await;
        let found = json!([finding(&leaked), finding(refresh.refresh()), finding(&format!("{leaked}x"))]);
        for _ in 0..2 {
            let told = scanner.report(server, &found).await.json();
            assert_eq!(told[0]["label"], json!("true_positive"));
        }
        wire::send("POST", &server.at("/leak-reports"), &[JSON], &found.to_string()).await;
        self.tokens(&refresh.0);
        self.0.push(("a token that was found", leaked));
    }
}
