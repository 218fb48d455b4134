//! Limits by network at apps behind a proxy. The proxy tells where a request comes from; its own is from 127.0.0.1.

use serde_json::Value;

use super::{HANDBOOK, Visitor, guarded};
use crate::harness::app::App;
use crate::harness::page::Page;
use crate::harness::seeds::SECRET;
use crate::harness::server::Server;
use crate::tokens::exchange::{CLI, exchange};
use crate::tokens::keys::key;
use crate::tokens::networks::{ELSEWHERE, apply, limited};
use crate::tokens::token;

/// What the proxy tells of a request from inside of [`ELSEWHERE`], of one from outside, and of one of its own.
const FROM: [(&[(&str, &str)], bool); 3] =
    [(&[("x-forwarded-for", "192.0.2.7")], true), (&[("x-forwarded-for", "198.51.100.7")], false), (&[], false)];

async fn shows(server: &Server, token: &str, more: &[(&str, &str)]) -> Page {
    let bearer = format!("Bearer {token}");
    let headers = [&[("authorization", bearer.as_str())], more].concat();
    Visitor::new(server).asks(HANDBOOK, "/", &headers).await
}

/// A token that enters from anywhere enters from inside of the limit alone as soon as there is one.
async fn enters_from_there_alone(server: &Server, by: &str, token: &str) {
    assert_eq!(shows(server, token, &[]).await.status, 200, "{by}: without a limit");
    limit(server, by, ELSEWHERE).await;
    for (from, enters) in FROM {
        let page = shows(server, token, from).await;
        assert_eq!(page.status, if enters { 200 } else { 401 }, "{by} {from:?}");
        assert_eq!(page.header("remote-subject").is_some(), enters, "{by} {from:?}");
    }
    limit(server, by, "").await;
    assert_eq!(shows(server, token, &[]).await.status, 200, "{by}: the limit is gone");
}

async fn limit(server: &Server, by: &str, networks: &str) {
    if by == "service" {
        let service = format!(
            "[[clients]]\nclient_id = \"service\"\nclient_secret = \"{SECRET}\"\ngrant_types = [\"client_credentials\"]\n\
             scope = \"notes.read notes.write\"\n{networks}\n"
        );
        return apply(server, &service).await;
    }
    limited(server, by, networks).await;
}

#[tokio::test]
async fn a_browser_enters_from_the_networks_of_its_person_and_of_their_groups_only() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    alice.enters(HANDBOOK, "/").await;
    for by in ["person", "group"] {
        limit(&server, by, ELSEWHERE).await;
        for (from, enters) in FROM {
            let page = alice.asks(HANDBOOK, "/", from).await;
            assert_eq!(page.status, if enters { 200 } else { 403 }, "{by} {from:?}");
            assert_eq!(page.header("remote-user").is_some(), enters, "{by} {from:?}");
        }
        assert_eq!(server.reason().await, "EntryNetwork", "{by}");
        let told = alice.follows(HANDBOOK, &alice.opens(HANDBOOK, "/").await).await;
        assert!(told.text().contains("You can’t open Handbook from here"), "{by}: {}", told.text());
        limit(&server, by, "").await;
        assert_eq!(alice.asks(HANDBOOK, "/", &[]).await.status, 200, "{by}: the session is still there");
    }
}

#[tokio::test]
async fn an_access_token_enters_from_the_networks_of_all_that_it_hangs_on() {
    let server = guarded().await;
    for by in ["person", "group", "app", "api"] {
        let tokens = App::new(&server, "wiki").tokens("openid notes.read").await;
        enters_from_there_alone(&server, by, tokens.access()).await;
    }
    let service = App::new(&server, "service").client_credentials("notes.read").await.json();
    enters_from_there_alone(&server, "service", service["access_token"].as_str().unwrap()).await;
}

#[tokio::test]
async fn a_personal_access_token_and_its_jwt_enter_from_the_networks_of_their_person_and_api_only() {
    let server = guarded().await;
    server.apply(CLI).await;
    let alice = Visitor::new(&server);
    alice.person.sign_in().await;
    let kept = token(&alice.person, &["notes.read"]).await;
    let jwt: Value = exchange(&App::new(&server, "spa"), &kept, &[]).await.json();
    for by in ["person", "group", "api"] {
        enters_from_there_alone(&server, by, &kept).await;
        enters_from_there_alone(&server, by, jwt["access_token"].as_str().unwrap()).await;
    }
}

#[tokio::test]
async fn a_key_enters_from_its_own_networks_and_from_those_of_its_app_and_api_only() {
    let server = guarded().await;
    let own = key(&server, &["--network", "192.0.2.0/24"]).await;
    for (from, enters) in FROM {
        assert_eq!(shows(&server, &own, from).await.status, if enters { 200 } else { 401 }, "{from:?}");
    }
    let unlimited = key(&server, &[]).await;
    for by in ["service", "api"] {
        enters_from_there_alone(&server, by, &unlimited).await;
    }
}
