//! To sign in, or to make an account, over whoever is signed in: nobody is signed out whom the page did not name, and a second click
//! ends where the first one leads.

use std::time::Duration;

use super::accounts::{add, alice, alice_before_bob, beside, choose, in_use};
use crate::harness::app::{Answer, App};
use crate::harness::authenticator::{Authenticator, CODE};
use crate::harness::page::{Form, Page};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD};
use crate::harness::server::Server;

const CAROL: &str = "a long password of carol here";
const NEW: &str = "teekanne unter dem sofa";

async fn with_carol(server: &Server) {
    server.apply("[[users]]\nusername = \"carol\"\npassword = \"a long password of carol here\"\n").await;
}

fn filled(page: &Page, username: &str, password: &str) -> Form {
    page.form(r#"form[action="/sign-in"]"#).with("username", username).with("password", password)
}

fn made(page: &Page, username: &str) -> Form {
    page.form(r#"form[action="/sign-up"]"#).with("username", username).with("password", NEW)
}

/// A server where people may make accounts.
async fn open() -> Server {
    Server::start_with(|config| config.sign_in.self_registration = true).await
}

#[tokio::test]
async fn a_second_click_on_a_sign_in_ends_where_the_first_one_leads() {
    for (username, password, name) in [(BOB, BOB_PASSWORD, "Bob"), (ALICE, ALICE_PASSWORD, "Alice Liddell")] {
        let server = Server::start().await;
        let (portal, person) = (App::new(&server, "portal"), alice(&server).await);
        let page = person.open(portal.authorize_url("openid", &[("prompt", "login")])).await;
        let form = filled(&page, username, password);
        assert_eq!(person.post(&form).await.status, 303);
        let second = person.send(&form).await;
        assert!(Answer::of(&second).has("code"), "{name}: {} {}", second.status, second.text());
        assert_eq!((in_use(&person).await, beside(&person).await), (Some(name), 0));
    }
}

#[tokio::test]
async fn a_second_click_on_the_code_of_a_sign_in_over_somebody_ends_where_the_first_one_leads() {
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), alice(&server).await);
    let app = Authenticator::set_up(&server, &person).await;
    server.clock.advance(Duration::from_secs(30));
    let page = person.open(portal.authorize_url("openid", &[("prompt", "login")])).await;
    let page = person.send(&filled(&page, ALICE, ALICE_PASSWORD)).await;
    let form = page.form(CODE).with("code", &app.code(&server));
    assert_eq!(person.post(&form).await.status, 303);
    let second = person.send(&form).await;
    assert!(Answer::of(&second).has("code"), "{} {}", second.status, second.text());
}

#[tokio::test]
async fn a_second_click_proves_what_the_first_one_did_and_comes_soon() {
    let server = Server::start().await;
    with_carol(&server).await;
    let person = alice(&server).await;
    let page = person.open("/sign-in").await;
    person.post(&filled(&page, BOB, BOB_PASSWORD)).await;
    let wrong = person.send(&filled(&page, BOB, "another password")).await;
    assert!(wrong.status == 422 && wrong.text().contains("don’t match"), "{}", wrong.text());
    let other = person.send(&filled(&page, "carol", CAROL)).await;
    assert_eq!(other.status, 403, "Bob is in use, whom the page did not name");
    server.clock.advance(Duration::from_mins(1));
    assert_eq!(person.send(&filled(&page, BOB, BOB_PASSWORD)).await.status, 403, "it is no double click any more");
    assert_eq!(in_use(&person).await, Some("Bob"));
}

#[tokio::test]
async fn who_came_after_the_page_is_not_signed_out_by_it() {
    let server = open().await;
    with_carol(&server).await;
    let person = Person::new(&server);
    let of_nobody = filled(&person.open("/sign-in").await, "carol", CAROL);
    person.sign_in().await;
    server.clock.advance(Duration::from_secs(1));
    let of_alice =
        [filled(&person.open("/sign-in").await, "carol", CAROL), made(&person.open("/sign-up").await, "grace")];
    add(&server, &person, BOB, BOB_PASSWORD).await;
    choose(&person, &person.open("/select-account").await).await;
    for form in of_alice {
        assert_eq!(person.send(&form).await.name(), "select-account", "it named Alice alone");
        assert_eq!((in_use(&person).await, beside(&person).await), (Some("Alice Liddell"), 1));
    }
    let page = person.open("/account").await;
    person.send(&page.form("form:has(#sign-out)")).await;
    assert_eq!(person.send(&of_nobody).await.name(), "select-account", "it named nobody");
    assert_eq!((in_use(&person).await, beside(&person).await), (None, 1), "Bob waits");
}

#[tokio::test]
async fn who_came_after_the_page_is_not_signed_out_by_its_code() {
    let server = Server::start().await;
    with_carol(&server).await;
    let elsewhere = Person::new(&server);
    elsewhere.sign_in_on(&elsewhere.open("/sign-in").await, BOB, BOB_PASSWORD).await;
    let app = Authenticator::set_up(&server, &elsewhere).await;
    server.clock.advance(Duration::from_secs(30));
    let person = alice(&server).await;
    let code = person.send(&filled(&person.open("/sign-in").await, BOB, BOB_PASSWORD)).await;
    let form = |code: &Page| code.form(CODE).with("code", &app.code(&server));
    add(&server, &person, "carol", CAROL).await;
    choose(&person, &person.open("/select-account").await).await;
    assert_eq!(person.send(&form(&code)).await.name(), "select-account", "the page named Alice alone");
    assert_eq!((in_use(&person).await, beside(&person).await), (Some("Alice Liddell"), 1));
    let code = person.send(&filled(&person.open("/sign-in").await, BOB, BOB_PASSWORD)).await;
    assert_eq!(person.send(&form(&code)).await.name(), "account", "and this one both");
    assert_eq!((in_use(&person).await, beside(&person).await), (Some("Bob"), 0));
}

// "A value of create indicates to the OpenID Provider that the client desires that the user be shown the account creation UX
// rather than the login flow." (OIDC Prompt Create §4)
#[tokio::test]
async fn a_new_account_says_whom_it_signs_out_and_can_be_made_beside_them() {
    for is_beside in [true, false] {
        let server = open().await;
        let person = alice_before_bob(&server).await;
        let page = person.open(App::new(&server, "portal").authorize_url("openid", &[("prompt", "create")])).await;
        assert_eq!(page.name(), "sign-up");
        let over = "Your new account signs out in this browser: Alice Liddell";
        assert!(page.text().contains(over) && page.text().contains("Bob"), "{}", page.text());
        let page = if is_beside { person.open(page.attribute("#beside", "href").unwrap()).await } else { page };
        assert_eq!((page.name().as_str(), page.has("#over")), ("sign-up", !is_beside));
        assert!(Answer::of(&person.send(&made(&page, "grace")).await).has("code"));
        assert_eq!(beside(&person).await, if is_beside { 2 } else { 0 });
        assert!(person.open("/account").await.text().contains("grace"));
    }
}

#[tokio::test]
async fn where_nobody_is_in_use_the_choice_of_accounts_comes_before_a_new_one() {
    let server = open().await;
    let person = alice_before_bob(&server).await;
    let page = person.open("/account").await;
    person.send(&page.form("form:has(#sign-out)")).await;
    let asked = App::new(&server, "portal").authorize_url("openid", &[("prompt", "create")]);
    for address in ["/sign-up", asked.as_str()] {
        let page = person.open(address).await;
        assert_eq!(page.name(), "select-account", "{}", page.text());
        let page = person.send(&page.form(r#"form[action="/select-account"]"#).with("choice", "another")).await;
        let page = person.open(page.attribute("#sign-up", "href").unwrap()).await;
        assert_eq!((page.name().as_str(), page.has("#over")), ("sign-up", false));
    }
}

#[tokio::test]
async fn a_second_click_on_a_new_account_ends_where_the_first_one_leads() {
    let server = open().await;
    let person = alice(&server).await;
    let page = person.open(App::new(&server, "portal").authorize_url("openid", &[("prompt", "create")])).await;
    person.post(&made(&page, "grace")).await;
    assert!(Answer::of(&person.send(&made(&page, "grace")).await).has("code"));
    assert_eq!(person.send(&made(&page, "hopper")).await.status, 403, "grace is in use, whom the page did not name");
    assert!(person.open("/account").await.text().contains("grace"));
}
