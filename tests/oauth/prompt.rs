//! When a person is asked, and when not: `prompt` and `max_age` (OIDC Core §3.1.2.1).

use std::time::Duration;

use crate::harness::app::{Answer, App, claims};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD};
use crate::harness::server::Server;

// "The Authorization Server MUST NOT display any authentication or consent user interface pages. An error is returned if an
// End-User is not already authenticated" (OIDC Core §3.1.2.1)
#[tokio::test]
async fn prompt_none_shows_no_page() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let silent = async |scope: &str| {
        let page = person.get(wiki.authorize_url(scope, &[("prompt", "none")])).await;
        let answer = Answer::of(&page);
        if answer.has("code") { "code".to_owned() } else { answer.param("error") }
    };
    assert_eq!(silent("openid").await, "login_required");
    assert_eq!(server.reason().await, "LoginRequired");
    person.sign_in().await;
    assert_eq!(silent("openid").await, "consent_required");
    assert_eq!(server.reason().await, "ConsentRequired");
    wiki.approved_by(&person, "openid").await;
    assert_eq!(silent("openid").await, "code");
    assert_eq!(silent("openid email").await, "consent_required");
}

#[tokio::test]
async fn prompt_none_after_the_sign_in_has_ended_needs_a_sign_in() {
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), Person::new(&server));
    person.sign_in().await;
    assert!(Answer::of(&portal.asks(&person, "openid", &[("prompt", "none")]).await).has("code"));
    server.clock.advance(Duration::from_hours(13));
    let answer = Answer::of(&portal.asks(&person, "openid", &[("prompt", "none")]).await);
    assert_eq!(answer.param("error"), "login_required");
}

// "The Authorization Server SHOULD prompt the End-User for reauthentication. If it cannot reauthenticate the End-User, it
// MUST return an error, typically login_required." (OIDC Core §3.1.2.1)
#[tokio::test]
async fn prompt_login_and_max_age_0_ask_for_the_password_again() {
    for change in [("prompt", "login"), ("max_age", "0")] {
        let server = Server::start().await;
        let (portal, person) = (App::new(&server, "portal"), Person::new(&server));
        person.sign_in().await;
        server.clock.advance(Duration::from_mins(5));
        let page = portal.asks(&person, "openid", &[change]).await;
        assert_eq!(page.name(), "sign-in", "{change:?}");
        let answer = Answer::of(&person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await);
        let tokens = portal.redeem(&answer.param("code")).await.json();
        let id_token = claims(tokens["id_token"].as_str().unwrap());
        assert_eq!(id_token["auth_time"], server.clock.read().seconds(), "{change:?}");
    }
}

#[tokio::test]
async fn the_way_around_a_repeated_sign_in_leads_back_to_it() {
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), Person::new(&server));
    person.sign_in().await;
    server.clock.advance(Duration::from_mins(5));
    let page = portal.asks(&person, "openid", &[("prompt", "login")]).await;
    let carried = page.url.query_pairs().find(|(name, _)| name == "request").unwrap().1.into_owned();
    assert_eq!(person.open(format!("/authorize?resume={carried}")).await.name(), "sign-in");
}

// "If the elapsed time is greater than this value, the OP MUST attempt to actively re-authenticate the End-User."
// (OIDC Core §3.1.2.1)
#[tokio::test]
async fn max_age_counts_from_the_sign_in() {
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), Person::new(&server));
    person.sign_in().await;
    server.clock.advance(Duration::from_mins(1));
    assert!(Answer::of(&portal.asks(&person, "openid", &[("max_age", "60")]).await).has("code"));
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(portal.asks(&person, "openid", &[("max_age", "60")]).await.name(), "sign-in");
    let answer = Answer::of(&portal.asks(&person, "openid", &[("max_age", "60"), ("prompt", "none")]).await);
    assert_eq!(answer.param("error"), "login_required");
}

// "The Authorization Server SHOULD prompt the End-User for consent before returning information to the Client."
// (OIDC Core §3.1.2.1)
#[tokio::test]
async fn prompt_consent_asks_again_and_once() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    wiki.approved_by(&person, "openid").await;
    server.clock.advance(Duration::from_mins(1));
    let page = wiki.asks(&person, "openid", &[("prompt", "consent")]).await;
    assert_eq!(page.name(), "consent");
    assert!(Answer::of(&person.allow_on(&page).await).has("code"));
}

#[tokio::test]
async fn only_what_is_new_makes_an_app_ask_again() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    wiki.approved_by(&person, "openid email").await;
    assert!(Answer::of(&wiki.asks(&person, "email openid", &[]).await).has("code"));
    assert!(Answer::of(&wiki.asks(&person, "openid", &[]).await).has("code"));
    assert_eq!(wiki.asks(&person, "openid email profile", &[]).await.name(), "consent");
}

// "The Authorization Server SHOULD prompt the End-User to select a user account." (OIDC Core §3.1.2.1)
#[tokio::test]
async fn prompt_select_account_lets_the_person_choose() {
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), Person::new(&server));
    person.sign_in().await;
    server.clock.advance(Duration::from_secs(1));
    let page = portal.asks(&person, "openid email", &[("prompt", "select_account")]).await;
    assert_eq!(page.name(), "select-account");
    let form = page.form(r#"form[action="/select-account"]"#);
    assert!(Answer::of(&person.send(&form.clone().with("choice", "continue")).await).has("code"));
    let page = person.send(&form.with("choice", "another")).await;
    let answer = Answer::of(&person.sign_in_on(&page, BOB, BOB_PASSWORD).await);
    let tokens = portal.redeem(&answer.param("code")).await.json();
    assert_eq!(claims(tokens["id_token"].as_str().unwrap())["email"], "bob@example.com");
}
