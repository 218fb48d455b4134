//! Clocks that differ, and a clock that steps back.

use std::time::Duration;

use super::spoils::assertion;
use crate::harness::app::{App, Tokens, claims};
use crate::harness::assertion::TYPE;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::server::Server;

async fn asserted(server: &Server, skew: i64) -> Page {
    let assertion = assertion(server, skew);
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", "notes.read"),
        ("client_assertion_type", TYPE),
        ("client_assertion", &assertion),
    ];
    App::new(server, "signed").post_raw("/token", &[], &form).await
}

#[tokio::test]
async fn an_app_whose_clock_is_half_a_minute_off_still_works() {
    let server = Server::start().await;
    for skew in [-30, -1, 0, 1, 29] {
        let page = asserted(&server, skew).await;
        assert_eq!(page.status, 200, "{skew}: {}", page.body);
    }
}

#[tokio::test]
async fn an_app_whose_clock_is_further_off_is_refused() {
    let server = Server::start().await;
    for skew in [-86_400, -300, -91, 300, 86_400, i64::from(i32::MAX)] {
        let page = asserted(&server, skew).await;
        assert_eq!((page.status.as_u16(), page.json()["error"].as_str()), (401, Some("invalid_client")), "{skew}");
    }
}

#[tokio::test]
async fn after_a_step_back_of_ten_seconds_everything_goes_on() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let code = wiki.approved_by(&person, "openid offline_access").await.param("code");
    server.clock.step_back(Duration::from_secs(10));
    let tokens = Tokens(wiki.redeem(&code).await.json());
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 200);
    assert_eq!(person.open("/account").await.name(), "account");
    let next = Tokens(wiki.refresh(tokens.refresh()).await.json());
    assert_eq!(wiki.userinfo(next.access()).await.status, 200);
}

#[tokio::test]
async fn a_step_back_gives_no_token_a_longer_life() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid offline_access").await;
    server.clock.step_back(Duration::from_secs(10));
    let next = Tokens(wiki.refresh(tokens.refresh()).await.json());
    for token in [next.access(), next.id()] {
        let claims = claims(token);
        let life = claims["exp"].as_i64().unwrap() - server.clock.read().seconds();
        assert!((1..=600).contains(&life), "{claims}");
    }
    assert_eq!(next.0["expires_in"], 600);
}

#[tokio::test]
async fn a_code_that_was_spent_stays_spent_after_a_step_back() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let code = wiki.code("openid").await;
    wiki.redeem(&code).await;
    server.clock.step_back(Duration::from_hours(1));
    assert_eq!(wiki.redeem(&code).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_clock_that_is_a_day_or_a_century_off_breaks_nothing() {
    let server = Server::start().await;
    let person = Person::new(&server);
    person.sign_in().await;
    for step in [Duration::from_hours(24), Duration::from_hours(24 * 36_500)] {
        server.clock.advance(step);
        assert_eq!(person.open("/account").await.name(), "sign-in");
        server.clock.step_back(step);
        server.clock.step_back(step);
        assert!(person.open("/account").await.status.as_u16() < 500);
        server.clock.advance(step);
    }
}
