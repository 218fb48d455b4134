//! Apps behind a proxy that asks about each request: who enters, as whom, and who does not.

mod browsers;
mod levels;
mod networks;
mod self_made;
mod spoofing;
mod tokens;
mod told;

use std::cell::RefCell;
use std::collections::BTreeMap;

use grantor_server::config::Config;

use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;

/// Apps behind a proxy. The issuer of tests speaks plain HTTP; the apps' hosts do not.
pub const APPS: &str = r#"
[[apps]]
name = "Handbook"
origins = ["https://handbook.example"]
groups = ["engineering"]
resource = "https://notes.example/api"
scopes = "notes.read"
unprotected_paths = ["/health"]
identity_token = true

[[apps]]
name = "Handbook's cellar"
origins = ["https://handbook.example"]
paths = ["/cellar"]
users = ["bob"]

[[apps]]
name = "Board"
origins = ["https://board.example", "http://localhost:4000"]
everybody = true
unprotected_preflight = true
"#;

pub const HANDBOOK: &str = "handbook.example";
pub const BOARD: &str = "board.example";

/// A server that believes the proxies of this machine, with [`APPS`].
pub async fn guarded() -> Server {
    guarded_with(|_| ()).await
}

/// The same with other settings.
async fn guarded_with(change: impl FnOnce(&mut Config)) -> Server {
    let server = Server::start_with(|config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        change(config);
    });
    let server = server.await;
    server.apply(APPS).await;
    server
}

/// What a browser sends to see a page.
const NAVIGATION: [(&str, &str); 2] = [("accept", "text/html,*/*;q=0.8"), ("sec-fetch-mode", "navigate")];

/// Somebody's browser, at apps behind a proxy that asks as Caddy and Traefik do, and at the issuer.
pub struct Visitor<'a> {
    /// The node that the proxy asks.
    pub server: &'a Server,
    pub person: Person,
    http: reqwest::Client,
    /// The cookies by host and name.
    cookies: RefCell<BTreeMap<(String, String), String>>,
}

impl<'a> Visitor<'a> {
    pub fn new(server: &'a Server) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { server, person: Person::new(server), http, cookies: RefCell::default() }
    }

    /// What the proxy is told about a request to an app.
    pub async fn asks(&self, host: &str, target: &str, headers: &[(&str, &str)]) -> Page {
        let about = [("x-forwarded-host", host), ("x-forwarded-uri", target), ("x-forwarded-method", "GET")];
        let cookies = self.cookies_of(host);
        let mut request = self.http.get(self.server.at("/forward-auth"));
        for (name, value) in about.iter().chain(headers).chain(&[("cookie", cookies.as_str())]) {
            request = request.header(*name, *value);
        }
        let page = Page::of(request.send().await.unwrap()).await;
        self.keep(host, &page);
        page
    }

    /// The same for a page that somebody wants to see.
    pub async fn opens(&self, host: &str, target: &str) -> Page {
        self.asks(host, target, &NAVIGATION).await
    }

    /// Goes where an app's host sends the browser, and comes back to it if the issuer lets it pass.
    pub async fn follows(&self, host: &str, sent: &Page) -> Page {
        let at_issuer = self.person.open(sent.location().expect("a redirect")).await;
        self.returns(host, at_issuer).await
    }

    /// Goes back to the app's host, where the issuer sends the browser there.
    pub async fn returns(&self, host: &str, at_issuer: Page) -> Page {
        match at_issuer.location() {
            Some(back) if back.host_str() == Some(host) => self.opens(host, &target(&back)).await,
            _ => at_issuer,
        }
    }

    /// Opens a page, signing in as Alice where that is asked; ends with what the proxy is told about that page.
    pub async fn enters(&self, host: &str, to: &str) -> Page {
        let mut page = self.follows(host, &self.opens(host, to).await).await;
        if page.name() == "sign-in" {
            let signed_in = self.person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await;
            page = self.returns(host, signed_in).await;
        }
        let location = page.location().unwrap_or_else(|| panic!("{} {}", page.status, page.body));
        assert_eq!(target(&location), to);
        self.opens(host, to).await
    }

    /// The cookies of a host, as its browser sends them.
    pub fn cookies_of(&self, host: &str) -> String {
        let cookies = self.cookies.borrow();
        let own = cookies.iter().filter(|((of, _), _)| of == host);
        own.map(|((_, name), value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&self, host: &str, page: &Page) {
        for cookie in page.cookies() {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            let key = (host.to_owned(), name.to_owned());
            if value.is_empty() {
                self.cookies.borrow_mut().remove(&key);
            } else {
                self.cookies.borrow_mut().insert(key, value.to_owned());
            }
        }
    }

    /// The cookie of this name at a host.
    fn cookie(&self, host: &str, name: &str) -> String {
        self.cookies.borrow().get(&(host.to_owned(), name.to_owned())).cloned().unwrap_or_default()
    }

    /// Has got hold of the mark that another browser keeps at a host.
    pub fn has_mark_of(&self, other: &Self, host: &str) {
        let name = "__Host-grantor_app_visit";
        self.set_cookie(host, name, &other.cookie(host, name));
    }

    fn set_cookie(&self, host: &str, name: &str, value: &str) {
        self.cookies.borrow_mut().insert((host.to_owned(), name.to_owned()), value.to_owned());
    }
}

pub fn target(url: &url::Url) -> String {
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}{query}", url.path())
}

/// The headers that say who enters: all of them, whoever it is.
fn identity(page: &Page) -> [&str; 6] {
    ["remote-user", "remote-subject", "remote-name", "remote-email", "remote-groups", "remote-scopes"]
        .map(|name| page.header(name).unwrap_or_else(|| panic!("{name} on {} {}", page.status, page.body)))
}
