//! Whom an upstream makes this server ask: nobody that only it can reach (SSRF).

use grantor_core::audit::EventKind;

use super::{declaration, start, with};
use crate::harness::person::Person;
use crate::harness::server::Server;

#[tokio::test]
async fn an_upstream_inside_is_asked_only_where_it_is_trusted() {
    let server = Server::start().await;
    for host in [
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "10.0.0.1",
        "0.0.0.0",
        "127.1",
        "2130706433",
        "017700000001",
        "localhost",
    ] {
        let declared = format!(
            "[[upstreams]]\nname = \"corp\"\nkind = \"oidc\"\nissuer = \"https://{host}:1\"\nclient_id = \"a\"\ntoken_endpoint_auth_method = \"none\"\n"
        );
        server.apply(&declared).await;
        server.clock.advance(std::time::Duration::from_secs(6));
        let page = start(&Person::new(&server)).await;
        assert_eq!((page.name(), page.status.as_u16()), ("upstream-failed".to_owned(), 503), "{host}");
        let events = server.events().await;
        let refused = events.iter().find(|event| event.kind == EventKind::FetchRefused).unwrap();
        assert_eq!(refused.reason.as_deref(), Some("NotPublic"), "{host}");
        assert!(refused.detail.as_deref().unwrap().starts_with("upstream corp: "));
    }
}

#[tokio::test]
async fn an_upstream_that_does_not_answer_is_said_to_and_not_asked_by_everybody_at_once() {
    let (server, fake) = with("").await;
    let url = fake.url.clone();
    drop(fake);
    let person = Person::new(&server);
    for _ in 0..3 {
        let page = start(&person).await;
        assert_eq!((page.name(), page.status.as_u16()), ("upstream-failed".to_owned(), 503));
        assert_eq!(server.reason().await, "UpstreamUnreachable");
        assert!(!page.body.contains(&url), "nothing of the inside stands on the page");
    }
}

#[tokio::test]
async fn metadata_of_another_issuer_are_not_taken() {
    let (server, fake) = with("").await;
    let declared = declaration(&fake, "corp", "").replace(&fake.url, &format!("{}/", fake.url));
    server.apply(&declared).await;
    let page = start(&Person::new(&server)).await;
    assert_eq!((page.name(), server.reason().await), ("upstream-failed".to_owned(), "UpstreamUnreachable".to_owned()));
}

#[tokio::test]
async fn the_secret_is_sealed_in_the_database_and_shown_nowhere() {
    let (server, fake) = with("create_accounts = true").await;
    super::ada_comes_in(&server, &fake).await;
    let dump = server.place().dump();
    let is_there = |text: &str| dump.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!is_there(super::fake::SECRET), "in the clear");
    assert!(!server.events().await.iter().any(|event| format!("{event:?}").contains(super::fake::SECRET)));
}
