//! oauth2-proxy before a page that knows nothing of signing in.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use super::ready;
use super::running::Running;
use crate::harness::person::Person;
use crate::harness::seeds::{BOB, BOB_PASSWORD, SECRET};
use crate::harness::server::Server;

/// How oauth2-proxy is given a socket that already listens, as systemd would: so nobody else gets its port, and requests
/// wait until it is up.
const WITH_ITS_SOCKET: &str = r#"exec 3<&0; exec env LISTEN_PID=$$ LISTEN_FDS=1 "$0" "$@""#;

#[tokio::test]
async fn oauth2_proxy_shows_a_page_to_who_signed_in() {
    let Some((server, proxy)) = guarded().await else { return };
    let alice = Person::new(&server);
    let sent = alice.get(proxy.at("/notes?page=2")).await;
    assert_eq!(sent.location().unwrap().path(), "/authorize");
    let answered = alice.approve(alice.follow(sent).await).await;
    let back = alice.get(answered.location().unwrap()).await;
    assert_eq!(back.location().unwrap().as_str(), proxy.at("/notes?page=2"), "{}", back.body);
    let page = alice.get(back.location().unwrap()).await;
    assert_eq!(page.body, "GET /notes?page=2 for alice@example.com");
}

#[tokio::test]
async fn oauth2_proxy_shows_nothing_to_who_denied() {
    let Some((server, proxy)) = guarded().await else { return };
    let bob = Person::new(&server);
    let sign_in = bob.follow(bob.get(proxy.at("/notes")).await).await;
    let consent = bob.sign_in_on(&sign_in, BOB, BOB_PASSWORD).await;
    let denied = bob.send(&consent.form(r#"form[action="/consent"]"#).with("decision", "deny")).await;
    let refusal = bob.get(denied.location().unwrap()).await;
    assert_eq!(refusal.status, 403);
    assert!(refusal.text().contains("access_denied"), "{}", refusal.text());
    assert_eq!(bob.get(proxy.at("/notes")).await.location().unwrap().path(), "/authorize");
}

struct Proxy {
    url: String,
    _process: Running,
}

impl Proxy {
    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

/// A server, and a proxy that guards the page with it.
async fn guarded() -> Option<(Server, Proxy)> {
    let program = ready::folder("proxy")?.join("oauth2-proxy");
    let server = Server::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    server.apply(&registered(&url)).await;
    let mut command = Command::new("sh");
    command.arg("-c").arg(WITH_ITS_SOCKET).arg(program).args(flags(&server.url, &url));
    command.stdin(Stdio::from(OwnedFd::from(listener)));
    Some((server, Proxy { url, _process: Running::start(command) }))
}

fn registered(url: &str) -> String {
    format!(
        r#"
        [[clients]]
        client_id = "oauth2-proxy"
        client_secret = "{SECRET}"
        client_name = "Guarded notes"
        redirect_uris = ["{url}/oauth2/callback"]
        grant_types = ["authorization_code"]
        scope = "openid profile email"
        id_token_signed_response_alg = "PS256"
        "#
    )
}

fn flags(issuer: &str, url: &str) -> Vec<String> {
    vec![
        "--provider=oidc".to_owned(),
        format!("--oidc-issuer-url={issuer}"),
        "--client-id=oauth2-proxy".to_owned(),
        format!("--client-secret={SECRET}"),
        format!("--redirect-url={url}/oauth2/callback"),
        "--code-challenge-method=S256".to_owned(),
        "--insecure-oidc-skip-nonce=false".to_owned(),
        "--skip-provider-button".to_owned(),
        "--http-address=fd:3".to_owned(),
        format!("--upstream={}", upstream()),
        "--email-domain=*".to_owned(),
        "--cookie-secret=0123456789abcdef0123456789abcdef".to_owned(),
        "--cookie-secure=false".to_owned(),
    ]
}

/// A page that says for whom it was asked, as far as it was told; it answers for as long as the tests run.
fn upstream() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().flatten().for_each(answer));
    url
}

fn answer(mut connection: TcpStream) {
    let lines = BufReader::new(&connection).lines().map_while(Result::ok);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let asked = head.first().map_or("", |line| line.trim_end_matches(" HTTP/1.1"));
    let email = head.iter().find_map(|line| line.strip_prefix("X-Forwarded-Email: ")).unwrap_or("nobody");
    let page = format!("{asked} for {email}");
    let _ = write!(
        connection,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
}
