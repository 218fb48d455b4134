//! nginx and Caddy, set up as the examples say, before an app that shows what reaches it.

mod addresses;
mod often;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};

use super::ready;
use super::running::Running;
use crate::harness::browser::Browser;
use crate::harness::folder::Folder;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;
use crate::pages::looks::look;
use crate::tokens::token;

const NGINX: &str = include_str!("../../crates/server/examples/proxies/nginx.conf");
const CADDY: &str = include_str!("../../crates/server/examples/proxies/Caddyfile");

#[tokio::test]
async fn nginx_lets_in_who_may_enter() {
    let Some(guarded) = Guarded::by_nginx().await else { return };
    guarded.lets_in_who_may_enter().await;
}

#[tokio::test]
async fn caddy_lets_in_who_may_enter() {
    let Some(guarded) = Guarded::by_caddy().await else { return };
    guarded.lets_in_who_may_enter().await;
}

#[tokio::test]
async fn nginx_passes_nothing_on_that_a_client_says_of_itself() {
    let Some(guarded) = Guarded::by_nginx().await else { return };
    guarded.passes_nothing_on().await;
}

#[tokio::test]
async fn caddy_passes_nothing_on_that_a_client_says_of_itself() {
    let Some(guarded) = Guarded::by_caddy().await else { return };
    guarded.passes_nothing_on().await;
}

#[tokio::test]
async fn nginx_has_no_way_around() {
    let Some(guarded) = Guarded::by_nginx().await else { return };
    guarded.has_no_way_around().await;
    assert!(guarded.sends("GET", "/.grantor-check", "Accept: */*").starts_with("HTTP/1.1 404 "));
}

#[tokio::test]
async fn caddy_has_no_way_around() {
    let Some(guarded) = Guarded::by_caddy().await else { return };
    guarded.has_no_way_around().await;
}

#[tokio::test]
async fn a_real_browser_signs_in_through_caddy_and_out() {
    let Some(browser) = Browser::setup().start().await else { return };
    let Some(guarded) = Guarded::by_caddy().await else { return };
    browser.open(&guarded.at("/page?of=1")).await;
    browser.arrives_at("sign-in").await;
    browser.fill("username", ALICE).await;
    browser.fill("password", ALICE_PASSWORD).await;
    browser.click_on("main form button.primary").await;
    browser.waits_for("pre").await;
    assert_eq!(browser.url().await.as_str(), guarded.at("/page?of=1"));
    assert!(browser.text().await.to_lowercase().contains("remote-user: alice"));
    browser.open(&guarded.at("/cellar")).await;
    look(&browser, "enter", "enter-account").await;
    assert!(browser.text().await.contains("You can’t open Cellar"));
    browser.open(&guarded.at("/.grantor/sign-out")).await;
    browser.arrives_at("end-session").await;
    browser.click_on("form[action='/sign-out'] button").await;
    browser.arrives_at("signed-out").await;
    browser.open(&guarded.at("/page")).await;
    browser.arrives_at("sign-in").await;
}

/// An app behind a proxy, and the server that the proxy asks.
struct Guarded {
    server: Server,
    url: String,
    _process: Running,
    _folder: Folder,
}

impl Guarded {
    async fn by_nginx() -> Option<Self> {
        let program = Path::new("/usr/sbin/nginx");
        if !program.exists() {
            assert!(std::env::var_os("CI").is_none(), "nginx is not there: tests/run installs it");
            return None;
        }
        Self::by(|settings, folder| {
            let settings = settings(NGINX).replace("listen 443 ssl", "listen 127.0.0.1:PORT");
            let frame = format!(
                "daemon off;\nmaster_process off;\npid {0}/pid;\nevents {{}}\nhttp {{\naccess_log off;\nclient_body_temp_path {0}/a;\nproxy_temp_path {0}/b;\n\
                 fastcgi_temp_path {0}/c;\nuwsgi_temp_path {0}/d;\nscgi_temp_path {0}/e;\n{settings}}}\n",
                folder.display(),
            );
            let mut command = Command::new(program);
            command.arg("-p").arg(folder).arg("-e").arg("stderr").arg("-c").arg(folder.join("settings"));
            (frame, command)
        })
        .await
    }

    async fn by_caddy() -> Option<Self> {
        let program = ready::folder("caddy")?.join("caddy");
        Self::by(|settings, folder| {
            let settings = settings(CADDY).replacen(" {\n\troute", " {\n\tbind fd/3\n\troute", 1);
            let mut command = Command::new("sh");
            command.arg("-c").arg(r#"exec 3<&0; exec "$0" "$@""#).arg(program);
            command.args(["run", "--adapter", "caddyfile", "--config"]).arg(folder.join("settings"));
            command.env("HOME", folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
            (format!("{{\n\tadmin off\n\tauto_https off\n}}\n{settings}"), command)
        })
        .await
    }

    /// Starts a proxy with the settings that an example is turned into.
    async fn by(set_up: impl FnOnce(&dyn Fn(&str) -> String, &Path) -> (String, Command)) -> Option<Self> {
        let server = Server::start_with(|config| {
            config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
            config.limits.forward_auth.per_account = Some("500/m".parse().unwrap());
        })
        .await;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("http://localhost:{port}");
        server.apply(&declared(&url)).await;
        let (folder, app) = (Folder::new(), app());
        let settings = |example: &str| {
            let example = example.replace("https://wiki.example.com", &url).replace("127.0.0.1:3000", &app);
            let example = example.replace("127.0.0.1:8080", server.address.strip_prefix("http://").unwrap());
            example
                .replace("server_name wiki.example.com", "server_name localhost")
                .replace("wiki.example.com", &url["http://".len()..])
        };
        let (settings, mut command) = set_up(&settings, &folder);
        fs::write(folder.join("settings"), settings.replace("PORT", &port.to_string())).unwrap();
        let settings_take_socket = settings.contains("fd/3");
        // Caddy takes the socket that listens already; nginx makes its own.
        if settings_take_socket {
            command.stdin(Stdio::from(OwnedFd::from(listener)));
        } else {
            drop(listener);
        }
        let process = Running::start(command);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            tokio::task::yield_now().await;
        }
        Some(Self { server, url, _process: process, _folder: folder })
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Alice's browser, which has entered.
    async fn alice(&self) -> Person {
        let alice = Person::new(&self.server);
        let sign_in = alice.follow(alice.get(self.at("/page?of=1&x=%2F")).await).await;
        assert_eq!(sign_in.name(), "sign-in", "{}", sign_in.whole());
        let back = alice.sign_in_on(&sign_in, ALICE, ALICE_PASSWORD).await;
        let entered = alice.get(back.location().unwrap()).await;
        assert_eq!(entered.location().unwrap().as_str(), self.at("/page?of=1&x=%2F"), "{}", entered.body);
        alice
    }

    async fn lets_in_who_may_enter(&self) {
        let alice = self.alice().await;
        let page = alice.get(self.at("/page?of=1&x=%2F")).await;
        assert!(page.body.contains("GET /page?of=1&x=%2F HTTP"), "{}", page.body);
        for line in ["remote-user: alice", "remote-email: alice@example.com", "remote-groups: admins,engineering"] {
            assert_eq!(shown(&page).matches(line).count(), 1, "{line}: {}", page.body);
        }
        let token = token(&alice, &["notes.read"]).await;
        let page = self.asks("GET", "/page", &[("authorization", &format!("Bearer {token}"))]).await;
        assert!(
            shown(&page).contains("remote-user: alice\n") && shown(&page).contains("remote-scopes: notes.read\n"),
            "{}",
            page.body
        );
        let refused = self.asks("GET", "/page", &[("authorization", "Bearer wrong")]).await;
        assert_eq!((refused.status.as_u16(), refused.body.contains("/page")), (401, false));
        assert!(refused.header("www-authenticate").unwrap().contains("invalid_token"));
        let refused = alice.follow(alice.get(self.at("/cellar")).await).await;
        assert!(refused.text().contains("You can’t open Cellar"), "{}", refused.text());
        assert!(self.asks("GET", "/health", &[]).await.body.contains("GET /health"));
        let asked = alice.open(alice.get(self.at("/.grantor/sign-out")).await.location().unwrap()).await;
        alice.send(&asked.form(r#"form[action="/sign-out"]"#)).await;
        assert_eq!(alice.get(self.at("/page")).await.location().unwrap().path(), "/enter");
    }

    async fn passes_nothing_on(&self) {
        let alice = self.alice().await;
        let token = token(&alice, &["notes.read"]).await;
        let bearer = format!("Bearer {token}");
        let spoofed = [
            "Remote-User",
            "remote-user",
            "REMOTE-USER",
            "Remote_User",
            "remote_user",
            "Remote.User",
            "Remote-Groups",
            "Remote_Groups",
            "Remote-Email",
            "Remote-Name",
            "Remote-Subject",
            "Remote-Scopes",
            "Remote-Jwt",
        ];
        for path in ["/page", "/health"] {
            for name in spoofed {
                let page = self.asks("GET", path, &[("authorization", &bearer), (name, "evil"), (name, "evil")]).await;
                assert_eq!(
                    (page.status.as_u16(), page.body.contains("evil")),
                    (200, false),
                    "{path} {name}: {}",
                    page.body
                );
            }
        }
        for (name, value) in [
            ("X-Forwarded-Uri", "/health"),
            ("X-Forwarded-Host", "open.example"),
            ("X-Forwarded-Method", "OPTIONS"),
            ("X-Forwarded-Prefix", "/health"),
            ("X-Forwarded-Proto", "https"),
            ("X-Original-URL", &self.at("/health")),
            ("X-Original-Method", "OPTIONS"),
            ("X-Original-URI", "/health"),
            ("X_Original_URL", &self.at("/health")),
            ("Forwarded", "for=127.0.0.1;host=other"),
        ] {
            let preflight = [("Origin", "https://other.example"), ("Access-Control-Request-Method", "PUT")];
            let refused = self.asks("GET", "/page", &[[(name, value)].as_slice(), &preflight].concat()).await;
            assert!(
                [401, 403].contains(&refused.status.as_u16()) && !refused.body.contains("HTTP/1."),
                "{name}: {}",
                refused.body
            );
        }
    }

    async fn has_no_way_around(&self) {
        let alice = self.alice().await;
        let bearer = format!("Authorization: Bearer {}", token(&alice, &["notes.read"]).await);
        let socket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13";
        assert!(self.sends("GET", "/socket", &format!("{bearer}\r\n{socket}")).starts_with("HTTP/1.1 101 "));
        assert!(self.sends("GET", "/socket", socket).starts_with("HTTP/1.1 401 "));
        // A client that takes headers away again which the proxy has set for the app.
        for removed in ["Remote-User", "close, Remote-Scopes, Remote-Subject", "remote-user"] {
            let answer = self.sends("GET", "/page", &format!("{bearer}\r\nConnection: {removed}"));
            let reached = answer.contains("<pre>");
            assert!(!reached || answer.to_lowercase().contains("remote-user: alice"), "{removed}: {answer}");
            assert!(!reached || answer.to_lowercase().contains("remote-scopes: notes.read"), "{removed}: {answer}");
        }
        for method in ["HEAD", "OPTIONS", "POST", "PROPFIND"] {
            for (headers, status) in [(bearer.as_str(), "200"), ("Accept: */*", "401")] {
                let answer = self.sends(method, "/page", headers);
                assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {headers}: {answer}");
            }
        }
        for path in [
            "/cellar",
            "/health/../cellar",
            "/%2e%2e/cellar",
            "//cellar",
            "/health/%2e%2e/cellar",
            "/health;/../cellar",
            "/health/..;/cellar",
            "/Cellar",
            "/%63ellar",
            "/health%2f..%2fcellar",
            "/.grantor/../cellar",
            "/.grantor/callback/../../cellar",
        ] {
            for headers in [bearer.as_str(), "Accept: */*"] {
                let answer = self.sends("GET", path, headers);
                let status: u16 = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
                assert!((400..500).contains(&status) && !answer.contains("<pre>"), "{path}: {answer}");
            }
        }
    }

    /// A request with these headers and no cookie.
    async fn asks(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Page {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let request = client.request(method.parse().unwrap(), self.at(path));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Page::of(request.send().await.unwrap()).await
    }

    /// The head of the answer to a request, letter for letter as it stands here.
    fn sends(&self, method: &str, path: &str, headers: &str) -> String {
        let host = &self.url["http://".len()..];
        let mut connection = TcpStream::connect(host).unwrap();
        write!(connection, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n{headers}\r\n\r\n")
            .unwrap();
        let mut answer = vec![0; 2048];
        let length = connection.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }
}

fn declared(url: &str) -> String {
    format!(
        r#"
        [[apps]]
        name = "Wiki"
        origins = ["{url}"]
        groups = ["engineering"]
        resource = "https://notes.example/api"
        unprotected_paths = ["/health"]
        unprotected_preflight = true

        [[apps]]
        name = "Open"
        origins = ["https://open.example"]
        everybody = true
        unprotected_paths = ["/page"]

        [[apps]]
        name = "Cellar"
        origins = ["{url}"]
        paths = ["/cellar"]
        users = ["bob"]
        "#
    )
}

/// The headers that reached the app, the names in small letters.
fn shown(page: &Page) -> String {
    let lines = page.body.lines().filter_map(|line| line.split_once(':'));
    let lines = lines.map(|(name, value)| format!("{}:{}", name.to_lowercase(), value.trim_end()));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// An app that answers each request with what it was sent; it does so for as long as the tests run.
fn app() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            std::thread::spawn(move || answer(connection));
        }
    });
    address
}

fn answer(mut connection: TcpStream) {
    let lines = BufReader::new(&connection).lines().map_while(Result::ok);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let upgrades = head.iter().any(|line| line.to_lowercase().starts_with("upgrade: websocket"));
    let answer = if upgrades {
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n".to_owned()
    } else {
        let page = format!("<pre>\n{}\n</pre>", head.join("\n"));
        let body = if head[0].starts_with("HEAD ") { "" } else { &page };
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            page.len()
        )
    };
    let _ = connection.write_all(answer.as_bytes());
}
