//! node-oidc-provider as upstream: nothing of it knows this server.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use super::fake::{SECRET, sent};
use super::start;
use crate::clients::ready;
use crate::clients::running::Running;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::server::Server;
use crate::harness::tls;

struct Upstream {
    url: String,
    _process: Running,
}

/// A server, and the upstream that signs its ID tokens by an algorithm; nothing where it is not there.
async fn with(algorithm: &str) -> Option<(Server, Upstream)> {
    let folder = ready::folder("upstream")?;
    let server = Server::start_with(|config| {
        tls::trusting(config);
        tls::speaking(config);
    })
    .await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let mut program = Command::new("node");
    program.arg(folder.join("upstream.js")).stdin(Stdio::from(OwnedFd::from(listener))).envs([
        ("ISSUER", url.as_str()),
        ("CALLBACK", &format!("{}/upstreams/corp/callback", server.url)),
        ("LOGOUT", &format!("{}/upstreams/corp/backchannel-logout", server.url)),
        ("CLIENT_ID", "grantor"),
        ("CLIENT_SECRET", SECRET),
        ("ALGORITHM", algorithm),
        ("KEY_FILE", tls::certificate().key_file().to_str().unwrap()),
        ("CERTIFICATE_FILE", tls::certificate().file().to_str().unwrap()),
        ("NODE_EXTRA_CA_CERTS", tls::certificate().file().to_str().unwrap()),
    ]);
    let process = Running::start(program);
    server
        .apply(&format!(
            "[[upstreams]]\nname = \"corp\"\nkind = \"oidc\"\nissuer = \"{url}\"\nclient_id = \"grantor\"\nclient_secret = \"{SECRET}\"\n\
             create_accounts = true\n"
        ))
        .await;
    Some((server, Upstream { url, _process: process }))
}

/// Signs in on the upstream's own pages, and comes back.
async fn through(there: &Person, here: &Person, page: &Page) -> Page {
    let mut page = there.open(sent(page)).await;
    for _ in 0..4 {
        if let Some(back) = page.location() {
            return here.open(back).await;
        }
        page = there.send(&page.form("form").with("login", "ada").with("password", "any")).await;
    }
    panic!("{} {}: {}", page.url, page.status, page.body);
}

#[tokio::test]
async fn a_person_of_oidc_provider_comes_in_and_goes_when_they_sign_out_there() {
    for algorithm in ["RS256", "ES256"] {
        let Some((server, upstream)) = with(algorithm).await else { return };
        let (here, there) = (Person::new(&server), Person::at(&upstream.url, "en"));
        let page = through(&there, &here, &start(&here).await).await;
        assert!(page.name() == "account" && page.text().contains("ada there"), "{}", page.body);
        let again = Person::new(&server);
        assert_eq!(through(&there, &again, &start(&again).await).await.name(), "account");
        let leaving = there.open(format!("{}/session/end", upstream.url)).await;
        there.send(&leaving.form("form").with("logout", "yes")).await;
        for person in [&here, &again] {
            assert_eq!(person.open("/account").await.name(), "sign-in", "{algorithm}");
        }
    }
}
