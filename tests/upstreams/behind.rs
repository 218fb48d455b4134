//! Into an app behind a proxy, by way of an upstream.

use serde_json::json;

use super::{declaration, fake::Fake, start_on};
use crate::forward_auth::{APPS, BOARD, Visitor};
use crate::harness::server::Server;
use crate::harness::tls;

#[tokio::test]
async fn who_comes_through_an_upstream_comes_to_the_app_that_they_wanted() {
    let fake = Fake::start();
    let server = Server::start_with(|config| {
        tls::trusting(config);
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    fake.keep_time_of(&server.clock);
    server.apply(&declaration(&fake, "corp", "create_accounts = true")).await;
    server.apply(APPS).await;
    fake.says(&json!({"preferred_username": "ada"}));
    let ada = Visitor::new(&server);
    let sign_in = ada.follows(BOARD, &ada.opens(BOARD, "/page?of=1").await).await;
    assert!(sign_in.text().contains("to continue to Board"), "{}", sign_in.text());
    let away = start_on(&ada.person, &sign_in, "corp").await;
    let back = ada.person.open(fake.consents(&away)).await;
    let entered = ada.returns(BOARD, back).await;
    assert_eq!(entered.location().unwrap().as_str(), "https://board.example/page?of=1", "{}", entered.body);
    assert_eq!(ada.opens(BOARD, "/page?of=1").await.header("remote-user"), Some("ada"));
}
