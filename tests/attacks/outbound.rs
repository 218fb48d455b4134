//! What this server is made to ask of others, so that it reaches what only it can reach.

use grantor_core::audit::EventKind;
use grantor_web::outbound::{Asker, OutboundError};

use crate::harness::server::Server;

#[tokio::test]
async fn what_is_not_asked_is_explained_in_the_events() {
    let server = Server::start().await;
    for (url, reason, detail) in [
        ("http://idp.example/jwks", "NotHttps", "http://idp.example: only https is asked; name an https address"),
        (
            "https://169.254.169.254/latest/meta-data",
            "NotPublic",
            "169.254.169.254 is at 169.254.169.254, a link-local address; where it is trusted, name it in outbound.allow_hosts",
        ),
        (
            "https://0x7f.1/?secret=in-the-query",
            "NotPublic",
            "127.0.0.1 is at 127.0.0.1, a loopback address; where it is trusted, name it in outbound.allow_hosts",
        ),
    ] {
        let request = http::Request::get(url).body(Vec::new()).unwrap();
        let answered = server.app.fetch(request, Asker::Client("wiki")).await;
        assert!(matches!(answered, Err(OutboundError::Forbidden(_))), "{answered:?}");
        let event = server.events().await.remove(0);
        assert_eq!((event.kind, event.reason.as_deref()), (EventKind::FetchRefused, Some(reason)));
        assert_eq!((event.client_id.as_deref(), event.detail.as_deref()), (Some("wiki"), Some(detail)));
    }
}

#[tokio::test]
async fn a_host_that_is_trusted_is_asked_by_https_alone() {
    // Nobody listens there: it is asked, and does not answer.
    let server = Server::start_with(|config| config.outbound.allow_hosts = vec!["127.0.0.1".parse().unwrap()]).await;
    let request = |url: &str| http::Request::get(url).body(Vec::new()).unwrap();
    let answered = server.app.fetch(request("https://127.0.0.1:1/"), Asker::Installation).await;
    assert!(matches!(answered, Err(OutboundError::Unreachable(_))), "{answered:?}");
    let answered = server.app.fetch(request("http://127.0.0.1:1/"), Asker::Installation).await;
    assert!(matches!(answered, Err(OutboundError::Forbidden(_))), "{answered:?}");
}
