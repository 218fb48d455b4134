//! Dex as upstream, the last version that is a module for others: it knows neither PKCE nor `iss` in answers, and tells no `auth_time`.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use super::fake::{SECRET, sent};
use super::{start, start_on};
use crate::clients::ready;
use crate::clients::running::Running;
use crate::harness::app::App;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::server::Server;
use crate::harness::tls;

const PASSWORD: &str = "her password there";

struct Upstream {
    url: String,
    _process: Running,
}

async fn with(more: &str) -> Option<(Server, Upstream)> {
    let folder = ready::folder("dex")?;
    let server = Server::start_with(tls::trusting).await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let mut program = Command::new(folder.join("dex"));
    program.stdin(Stdio::from(OwnedFd::from(listener))).envs([
        ("ISSUER", url.as_str()),
        ("CALLBACK", &format!("{}/upstreams/corp/callback", server.url)),
        ("CLIENT_ID", "grantor"),
        ("CLIENT_SECRET", SECRET),
        ("PASSWORD", PASSWORD),
        ("WEB", folder.join("web").to_str().unwrap()),
        ("KEY_FILE", tls::certificate().key_file().to_str().unwrap()),
        ("CERTIFICATE_FILE", tls::certificate().file().to_str().unwrap()),
    ]);
    let process = Running::start(program);
    server
        .apply(&format!(
            "[[upstreams]]\nname = \"corp\"\nkind = \"oidc\"\nissuer = \"{url}\"\nclient_id = \"grantor\"\nclient_secret = \"{SECRET}\"\n{more}\n"
        ))
        .await;
    Some((server, Upstream { url, _process: process }))
}

/// Signs in on Dex's own page, and comes back.
async fn through(upstream: &Upstream, here: &Person, page: &Page) -> Page {
    let there = Person::at(&upstream.url, "en");
    let page = there.open(sent(page)).await;
    let answer = there.send(&page.form("form").with("login", "ada@corp.example").with("password", PASSWORD)).await;
    here.open(answer.location().unwrap_or_else(|| panic!("{} {}: {}", answer.url, answer.status, answer.body))).await
}

#[tokio::test]
async fn a_person_of_dex_comes_in_and_comes_again() {
    let Some((server, upstream)) = with("create_accounts = true\nallowed_domains = [\"corp.example\"]").await else {
        return;
    };
    for _ in 0..2 {
        let here = Person::new(&server);
        let page = through(&upstream, &here, &start(&here).await).await;
        assert!(
            page.name() == "account" && page.text().contains("Ada There"),
            "{} {}",
            server.reason().await,
            page.body
        );
    }
}

#[tokio::test]
async fn who_must_sign_in_again_is_not_believed_where_the_upstream_does_not_say_when_that_was() {
    let Some((server, upstream)) = with("create_accounts = true").await else { return };
    let here = Person::new(&server);
    let page = here.open(App::new(&server, "wiki").authorize_url("openid", &[("prompt", "login")])).await;
    let page = through(&upstream, &here, &start_on(&here, &page, "corp").await).await;
    assert_eq!((page.name(), server.reason().await), ("upstream-failed".to_owned(), "UpstreamAuthTime".to_owned()));
}
