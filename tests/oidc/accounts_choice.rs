//! Several people signed in in one browser, and one request on its way through two windows: what one person chose, proved or allowed is
//! answered for nobody else.

use std::time::Duration;

use serde_json::json;

use super::accounts::{add, alice, alice_before_bob, choices, choose, id_token, in_use, sub_of};
use crate::harness::app::{Answer, App, claims};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD};
use crate::harness::server::Server;

/// Changes to the other one in another window.
async fn change(person: &Person) {
    choose(person, &person.open("/select-account").await).await;
}

/// Whose the answer of the wiki is.
async fn wiki_sub(server: &Server, page: &Page) -> serde_json::Value {
    let tokens = App::new(server, "wiki").redeem(&Answer::of(page).param("code")).await.json();
    claims(tokens["id_token"].as_str().unwrap_or_default())["sub"].clone()
}

/// A browser with Alice in use, Bob beside, and the wiki allowed by both.
async fn both_allowed(server: &Server) -> Person {
    let (person, wiki) = (alice(server).await, App::new(server, "wiki"));
    wiki.tokens_with(&person, "openid", &[]).await;
    add(server, &person, BOB, BOB_PASSWORD).await;
    wiki.tokens_with(&person, "openid", &[]).await;
    change(&person).await;
    person
}

#[tokio::test]
async fn what_a_person_allows_is_answered_for_them_whoever_has_come_beside() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), alice(&server).await);
    let sub = claims(&id_token(&server, &person).await)["sub"].clone();
    let select = person.open(wiki.authorize_url("openid", &[("login_hint", "bob")])).await;
    let consent = person.send(&choices(&select).with("choice", "continue")).await;
    assert_eq!(consent.name(), "consent");
    add(&server, &person, BOB, BOB_PASSWORD).await;
    wiki.tokens_with(&person, "openid", &[]).await;
    change(&person).await;
    assert_eq!(wiki_sub(&server, &person.allow_on(&consent).await).await, sub);
}

#[tokio::test]
async fn what_a_person_allowed_is_not_answered_for_another_one_who_has_come_into_use() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), both_allowed(&server).await);
    let consent = person.open(wiki.authorize_url("openid", &[("prompt", "consent")])).await;
    let allowed = person.post(&consent.form(r#"form[action="/consent"]"#).with("decision", "allow")).await;
    change(&person).await;
    assert_eq!(person.follow(allowed).await.name(), "select-account");
}

#[tokio::test]
async fn who_signs_in_for_a_request_is_answered_for_and_nobody_who_comes_into_use_then() {
    let server = Server::start().await;
    let person = both_allowed(&server).await;
    let page = person.open(App::new(&server, "portal").authorize_url("openid", &[("prompt", "login")])).await;
    let form = page.form(r#"form[action="/sign-in"]"#).with("username", ALICE).with("password", ALICE_PASSWORD);
    let proved = person.post(&form).await;
    server.clock.advance(Duration::from_secs(1));
    change(&person).await;
    assert_eq!(in_use(&person).await, Some("Bob"));
    assert_eq!(person.follow(proved).await.name(), "select-account");
}

#[tokio::test]
async fn a_choice_holds_without_the_app_having_asked_for_one() {
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), alice_before_bob(&server).await);
    let page = person.open(portal.authorize_url("openid", &[("login_hint", "bob")])).await;
    let chosen = person.post(&choices(&page).with("choice", &page.attribute("#account-1", "value").unwrap())).await;
    change(&person).await;
    assert_eq!(in_use(&person).await, Some("Alice Liddell"));
    assert_eq!(person.follow(chosen).await.name(), "select-account");
}

#[tokio::test]
async fn a_page_for_one_person_is_not_shown_to_another_one() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), alice_before_bob(&server).await);
    let page = person.open(wiki.authorize_url("openid", &[("prompt", "select_account")])).await;
    let chosen = person.post(&choices(&page).with("choice", "continue")).await;
    let on_the_way = person.get(chosen.location().unwrap().as_str()).await;
    let consent = on_the_way.location().unwrap();
    assert_eq!(person.open(consent.as_str()).await.name(), "consent");
    change(&person).await;
    assert_eq!(person.open(consent.as_str()).await.name(), "select-account");
}

#[tokio::test]
async fn a_choice_is_of_a_person_whichever_session_of_theirs_goes_on() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), alice(&server).await);
    let page = person.open(wiki.authorize_url("openid", &[("prompt", "select_account")])).await;
    let chosen = person.post(&choices(&page).with("choice", "continue")).await;
    let page = person.open("/sign-in").await;
    person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await;
    server.clock.advance(Duration::from_mins(11));
    assert_eq!(person.follow(chosen).await.name(), "consent", "she is not asked again");
}

// "The use of this parameter is left to the OP's discretion." (OIDC Core §3.1.2.1)
#[tokio::test]
async fn a_name_alone_lets_the_person_choose_and_is_answered_for_nobody_by_itself() {
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), alice_before_bob(&server).await);
    let sub = claims(&id_token(&server, &person).await)["sub"].clone();
    for hint in ["bob", "Bob@Example.com"] {
        let silent = person.get(portal.authorize_url("openid", &[("login_hint", hint), ("prompt", "none")])).await;
        assert_eq!(sub_of(&server, &silent).await, sub, "{hint}");
        let page = person.open(portal.authorize_url("openid", &[("login_hint", hint)])).await;
        assert!(page.name() == "select-account" && page.text().contains("Bob"), "{}", page.text());
        assert_eq!(sub_of(&server, &person.send(&choices(&page).with("choice", "continue")).await).await, sub);
    }
    let page = person.open(portal.authorize_url("openid", &[("login_hint", "bob")])).await;
    assert_ne!(sub_of(&server, &choose(&person, &page).await).await, sub);
}

#[tokio::test]
async fn an_app_that_somebody_never_allowed_does_not_learn_that_they_are_signed_in_beside() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), alice_before_bob(&server).await);
    let elsewhere = Person::new(&server);
    let page = elsewhere.open("/sign-in").await;
    elsewhere.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    let sub = claims(&id_token(&server, &elsewhere).await)["sub"].clone();
    for sub in [sub, json!("nobody")] {
        let wanted = json!({ "id_token": { "sub": { "value": sub } } }).to_string();
        let silent = person.get(wiki.authorize_url("openid", &[("claims", &wanted), ("prompt", "none")])).await;
        assert_eq!(Answer::of(&silent).param("error"), "login_required");
    }
}

#[tokio::test]
async fn who_must_sign_in_again_takes_only_their_own_place() {
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), alice_before_bob(&server).await);
    let sub = claims(&id_token(&server, &person).await)["sub"].clone();
    server.clock.advance(Duration::from_secs(1));
    let page = person.open(portal.authorize_url("openid", &[("prompt", "login")])).await;
    assert_eq!(sub_of(&server, &person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await).await, sub);
    let page = person.open("/select-account").await;
    assert!(page.text().contains("Continue as Alice Liddell") && page.text().contains("Bob"), "{}", page.text());
}

#[tokio::test]
async fn whom_a_new_account_signs_out_is_said_before() {
    let server = Server::start_with(|config| config.sign_in.self_registration = true).await;
    let (portal, person) = (App::new(&server, "portal"), alice_before_bob(&server).await);
    let page = person.open(portal.authorize_url("openid", &[("prompt", "create")])).await;
    assert_eq!(page.name(), "sign-up");
    let over = "Your new account signs out in this browser: Alice Liddell";
    assert!(page.text().contains(over) && page.text().contains("Bob"), "{}", page.text());
    let form = page.form(r#"form[action="/sign-up"]"#).with("username", "grace");
    let page = person.send(&form.with("password", "teekanne unter dem sofa")).await;
    assert!(Answer::of(&page).has("code"), "{}", page.body);
    let page = person.open("/select-account").await;
    assert!(!page.text().contains("Alice") && !page.text().contains("Bob"), "{}", page.text());
}
