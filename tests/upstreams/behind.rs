//! Into an app behind a proxy, by way of an upstream.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;

use super::fake::{Fake, sent};
use super::{declaration, start_on};
use crate::forward_auth::{APPS, BOARD, Visitor};
use crate::harness::server::Server;
use crate::harness::tls;

/// A server with an upstream, declared with more, and [`APPS`].
async fn guarded(more: &str) -> (Server, Fake) {
    let fake = Fake::start();
    let server = Server::start_with(|config| {
        tls::trusting(config);
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    fake.keep_time_of(&server.clock);
    server.apply(&declaration(&fake, "corp", more)).await;
    server.apply(APPS).await;
    fake.says(&json!({"preferred_username": "ada"}));
    (server, fake)
}

#[tokio::test]
async fn who_comes_through_an_upstream_comes_to_the_app_that_they_wanted() {
    let (server, fake) = guarded("create_accounts = true").await;
    let ada = Visitor::new(&server);
    let sign_in = ada.follows(BOARD, &ada.opens(BOARD, "/page?of=1").await).await;
    assert!(sign_in.text().contains("to continue to Board"), "{}", sign_in.text());
    let away = start_on(&ada.person, &sign_in, "corp").await;
    let back = ada.person.open(fake.consents(&away)).await;
    let entered = ada.returns(BOARD, back).await;
    assert_eq!(entered.location().unwrap().as_str(), "https://board.example/page?of=1", "{}", entered.body);
    assert_eq!(ada.opens(BOARD, "/page?of=1").await.header("remote-user"), Some("ada"));
}

#[tokio::test]
async fn an_upstream_is_asked_for_the_level_of_the_app_and_enters_where_it_is_believed_in_it() {
    let (server, fake) = guarded("create_accounts = true\ntwo_factors = [\"mfa\"]").await;
    server.clock.advance(Duration::from_millis(1));
    let needs = "[[apps]]\nname = \"Board\"\norigins = [\"https://board.example\"]\neverybody = true\n\
                 least_level = \"two-factors\"\n";
    server.apply(needs).await;
    let ada = Visitor::new(&server);
    let sign_in = ada.follows(BOARD, &ada.opens(BOARD, "/").await).await;
    let away = start_on(&ada.person, &sign_in, "corp").await;
    let more = ada.person.open(fake.consents(&away)).await;
    assert_eq!((more.name().as_str(), more.has("#deny")), ("sign-in-more", false), "{}", more.text());
    let away = start_on(&ada.person, &more, "corp").await;
    let asked: HashMap<_, _> = sent(&away).query_pairs().into_owned().collect();
    assert_eq!((asked["acr_values"].as_str(), asked["prompt"].as_str()), ("mfa", "login"));
    fake.says(&json!({"preferred_username": "ada", "amr": ["mfa"]}));
    let back = ada.person.open(fake.consents(&away)).await;
    assert_eq!(ada.returns(BOARD, back).await.location().unwrap().as_str(), "https://board.example/");
    assert_eq!(ada.opens(BOARD, "/").await.header("remote-user"), Some("ada"));
}
