//! Hosts that are claimed, and lines that are smuggled into headers.

use super::wire;
use crate::harness::app::App;
use crate::harness::server::Server;

const BREAKS: &[&str] = &[
    "\r\nX-Evil: 1",
    "\nX-Evil: 1",
    "\r X-Evil: 1",
    "%0d%0aX-Evil: 1",
    "\u{2028}X-Evil: 1",
    "\u{560d}\u{560a}X-Evil: 1",
];

#[tokio::test]
async fn the_host_that_a_request_claims_stands_nowhere() {
    let server = Server::start().await;
    let host = wire::host(&server);
    for path in ["/.well-known/openid-configuration", "/sign-in", "/account", "/authorize", "/nothing"] {
        for lines in [
            "Host: evil.example\r\n".to_owned(),
            format!("Host: {host}\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example;proto=https\r\n"),
            format!(
                "Host: {host}\r\nX-Original-Host: evil.example\r\nX-Host: evil.example\r\nX-Forwarded-Proto: https\r\n"
            ),
            format!("Host: {host}\r\nX-Original-URL: /evil.example\r\nX-Rewrite-URL: /evil.example\r\n"),
        ] {
            let answer = wire::get_raw(&server, path, &lines);
            assert!(wire::status(&answer).is_some_and(|status| status < 500), "{path}: {answer}");
            assert!(!answer.contains("evil.example"), "{path}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_request_for_another_host_is_answered_with_our_own_name() {
    let server = Server::start().await;
    let answer = wire::get_raw(&server, "/.well-known/openid-configuration", "Host: evil.example\r\n");
    assert!(matches!(wire::status(&answer), Some(200 | 400 | 421)), "{answer}");
    assert!(
        wire::status(&answer) != Some(200) || answer.contains(&format!("\"issuer\":\"{}\"", server.url)),
        "{answer}"
    );
}

#[tokio::test]
async fn two_hosts_or_none_are_no_request() {
    let server = Server::start().await;
    let answer = wire::get_raw(&server, "/sign-in", "");
    assert!(wire::status(&answer).is_some_and(|status| status < 500), "{answer}");
    let answer = wire::get_raw(&server, "/sign-in", "Host: evil.example\r\nHost: other.example\r\n");
    assert!(!answer.contains("evil.example") && !answer.contains("other.example"), "{answer}");
}

#[tokio::test]
async fn no_parameter_begins_a_header() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    for text in BREAKS {
        for name in [
            "state",
            "nonce",
            "scope",
            "login_hint",
            "ui_locales",
            "redirect_uri",
            "client_id",
            "prompt",
            "response_mode",
        ] {
            let page = wire::get(&wiki.authorize_url("openid", &[(name, text)]), &[]).await;
            assert!(page.status.as_u16() < 500, "{name} {text:?}");
            assert!(page.headers.keys().all(|name| name != "x-evil"), "{name} {text:?}");
        }
    }
}

#[tokio::test]
async fn no_answer_to_an_app_begins_a_header() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    for text in BREAKS {
        let page = wire::get(&wiki.authorize_url("openid", &[("state", *text), ("prompt", "none")]), &[]).await;
        let to = page.location().expect("login_required goes to the app");
        let state = to.query_pairs().find(|(name, _)| name == "state").map(|(_, value)| value.into_owned());
        assert_eq!(state.as_deref(), Some(*text), "it comes back unchanged");
        assert!(page.headers.keys().all(|name| name != "x-evil"), "{text:?}");
    }
}

#[tokio::test]
async fn a_path_with_breaks_begins_no_header() {
    let server = Server::start().await;
    let host = wire::host(&server);
    for path in [
        "/%0d%0aX-Evil:1",
        "/static/%0d%0aX-Evil:1",
        "/account/apps?removed=%0d%0aX-Evil:1",
        "/sign-in?request=%0d%0aX-Evil:1",
    ] {
        let answer = wire::get_raw(&server, path, &format!("Host: {host}\r\n"));
        let head = answer.split("\r\n\r\n").next().unwrap().to_lowercase();
        assert!(!head.contains("\nx-evil"), "{path}: {head}");
    }
}
