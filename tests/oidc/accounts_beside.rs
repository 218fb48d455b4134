//! To sign in beside somebody, on all ways and with all that may happen meanwhile: nobody is signed out who was to stay.

use std::time::Duration;

use serde_json::json;

use super::accounts::{add, alice, alice_before_bob, beside, choices, choose, in_use};
use crate::harness::app::{Answer, App};
use crate::harness::authenticator::{Authenticator, CODE};
use crate::harness::page::{Form, Page};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD};
use crate::harness::server::Server;

/// The page for somebody beside whoever is in use.
async fn another(person: &Person) -> Page {
    let page = person.open("/select-account").await;
    let page = person.send(&choices(&page).with("choice", "another")).await;
    assert_eq!(page.name(), "sign-in", "{}", page.body);
    page
}

fn filled(page: &Page, username: &str, password: &str) -> Form {
    page.form(r#"form[action="/sign-in"]"#).with("username", username).with("password", password)
}

/// Bob, with an authenticator app.
async fn bobs_app(server: &Server) -> Authenticator {
    let elsewhere = Person::new(server);
    let page = elsewhere.open("/sign-in").await;
    elsewhere.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    let app = Authenticator::set_up(server, &elsewhere).await;
    server.clock.advance(Duration::from_secs(30));
    app
}

async fn is_bob_before_alice(person: &Person) {
    assert_eq!((in_use(person).await, beside(person).await), (Some("Bob"), 1));
}

#[tokio::test]
async fn a_second_click_does_nothing_more() {
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), alice(&server).await);
    let form = filled(&another(&person).await, BOB, BOB_PASSWORD);
    let first = person.post(&form).await;
    assert_eq!((first.status.as_u16(), person.send(&form).await.name().as_str()), (303, "account"));
    is_bob_before_alice(&person).await;
    let page = person.open(portal.authorize_url("openid", &[("prompt", "select_account")])).await;
    let page = person.send(&choices(&page).with("choice", "another")).await;
    server.apply("[[users]]\nusername = \"carol\"\npassword = \"a long password of carol here\"\n").await;
    let form = filled(&page, "carol", "a long password of carol here");
    person.post(&form).await;
    assert!(Answer::of(&person.send(&form).await).has("code"));
}

#[tokio::test]
async fn a_sign_in_page_from_before_somebody_came_signs_nobody_out() {
    let server = Server::start().await;
    server.apply("[[users]]\nusername = \"carol\"\npassword = \"a long password of carol here\"\n").await;
    let person = Person::new(&server);
    let of_nobody = filled(&person.open("/sign-in").await, "carol", "a long password of carol here");
    person.sign_in().await;
    let of_alice = filled(&person.open("/sign-in").await, "carol", "a long password of carol here");
    assert_eq!(person.send(&of_nobody).await.name(), "select-account");
    person.send(&filled(&another(&person).await, BOB, BOB_PASSWORD)).await;
    assert_eq!(person.send(&of_alice).await.name(), "select-account", "it named Alice alone");
    is_bob_before_alice(&person).await;
}

#[tokio::test]
async fn a_second_click_on_the_code_does_nothing_more_and_counts_as_no_try() {
    let server = Server::start().await;
    let (app, person) = (bobs_app(&server).await, alice(&server).await);
    let page = person.send(&filled(&another(&person).await, BOB, BOB_PASSWORD)).await;
    let form = page.form(CODE).with("code", &app.code(&server));
    person.post(&form).await;
    let page = person.send(&form).await;
    assert_eq!((page.status.as_u16(), page.name().as_str()), (200, "account"), "{}", page.text());
    is_bob_before_alice(&person).await;
}

#[tokio::test]
async fn a_second_click_on_a_new_account_does_nothing_more() {
    let server = Server::start_with(|config| config.sign_in.self_registration = true).await;
    let person = alice(&server).await;
    let page = person.open(another(&person).await.attribute("#sign-up", "href").unwrap()).await;
    let form = page.form(r#"form[action="/sign-up"]"#).with("username", "grace");
    let form = form.with("password", "teekanne unter dem sofa");
    person.post(&form).await;
    let page = person.send(&form).await;
    assert!(page.name() == "account" && page.text().contains("grace"), "{}", page.text());
    assert_eq!(beside(&person).await, 1);
}

#[tokio::test]
async fn a_code_that_is_proved_beside_leaves_the_others_signed_in() {
    let server = Server::start().await;
    let (app, person) = (bobs_app(&server).await, alice(&server).await);
    let page = person.send(&filled(&another(&person).await, BOB, BOB_PASSWORD)).await;
    assert_eq!(person.send(&page.form(CODE).with("code", &app.code(&server))).await.name(), "account");
    is_bob_before_alice(&person).await;
}

#[tokio::test]
async fn a_code_that_comes_too_late_takes_nothing_from_the_choice() {
    let server = Server::start().await;
    let (app, person) = (bobs_app(&server).await, alice(&server).await);
    let page = person.send(&filled(&another(&person).await, BOB, BOB_PASSWORD)).await;
    server.clock.advance(Duration::from_mins(6));
    let page = person.send(&page.form(CODE).with("code", &app.code(&server))).await;
    assert_eq!((page.status.as_u16(), page.name().as_str()), (403, "sign-in"));
    let page = person.send(&filled(&page, BOB, BOB_PASSWORD)).await;
    person.send(&page.form(CODE).with("code", &app.code(&server))).await;
    is_bob_before_alice(&person).await;
}

#[tokio::test]
async fn the_choice_stands_where_the_person_in_use_signs_in_again_or_is_idle() {
    for is_idle in [false, true] {
        let server = Server::start().await;
        let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
        let tokens = wiki.tokens_with(&person, "openid offline_access", &[]).await;
        let page = another(&person).await;
        let page = if is_idle {
            server.clock.advance(Duration::from_hours(13));
            person.send(&filled(&page, BOB, BOB_PASSWORD)).await
        } else {
            server.clock.advance(Duration::from_secs(1));
            let again = person.open("/sign-in").await;
            person.sign_in_on(&again, ALICE, ALICE_PASSWORD).await;
            let page = person.send(&filled(&page, BOB, BOB_PASSWORD)).await;
            assert!(page.status == 403 && page.has("input[name=beside]"), "{}", page.body);
            person.send(&filled(&page, BOB, BOB_PASSWORD)).await
        };
        assert_eq!((page.name().as_str(), in_use(&person).await), ("account", Some("Bob")), "{is_idle}");
        assert_eq!(wiki.refresh(tokens.refresh()).await.status, 200, "{is_idle}");
        assert_eq!(beside(&person).await, usize::from(!is_idle));
    }
}

#[tokio::test]
async fn a_choice_beside_somebody_who_is_not_in_use_any_more_is_made_again() {
    let server = Server::start_with(|config| config.sign_in.self_registration = true).await;
    server.apply("[[users]]\nusername = \"carol\"\npassword = \"a long password of carol here\"\n").await;
    let (app, person) = (bobs_app(&server).await, alice_before_carol(&server).await);
    let page = another(&person).await;
    let sign_up = person.open(page.attribute("#sign-up", "href").unwrap()).await;
    let code = person.send(&filled(&page, BOB, BOB_PASSWORD)).await;
    let address = format!("/sign-in?beside={}", page.attribute("input[name=beside]", "value").unwrap());
    choose(&person, &person.open("/select-account").await).await;
    let sent = [
        person.send(&filled(&page, BOB, BOB_PASSWORD)).await,
        person.send(&code.form(CODE).with("code", &app.code(&server))).await,
        person.send(&sign_up.form("form.stack").with("username", "grace").with("password", "teekanne am sofa")).await,
        person.open(&address).await,
    ];
    for page in sent {
        assert_eq!(page.name(), "select-account", "{}", page.body);
    }
    let page = person.open("/select-account").await;
    assert!(page.text().contains("Continue as carol") && page.text().contains("Alice"), "{}", page.text());
}

async fn alice_before_carol(server: &Server) -> Person {
    let person = alice(server).await;
    add(server, &person, "carol", "a long password of carol here").await;
    choose(&person, &person.open("/select-account").await).await;
    person
}

#[tokio::test]
async fn who_proves_more_stays_before_the_others() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), alice_before_bob(&server).await);
    choose(&person, &person.open("/select-account").await).await;
    let app = bobs_app(&server).await;
    let needs =
        json!({"id_token": {"acr": {"essential": true, "values": ["urn:grantor:acr:two-factors"]}}}).to_string();
    let page = person.open(wiki.authorize_url("openid", &[("claims", &needs)])).await;
    assert_eq!(page.name(), "sign-in-code");
    let other = person.open(page.attribute("#change", "href").unwrap()).await;
    assert_eq!(other.name(), "select-account");
    let page = person.send(&page.form(CODE).with("code", &app.code(&server))).await;
    assert!(page.name() == "consent" && page.text().contains("Bob"), "{}", page.text());
    is_bob_before_alice(&person).await;
}

#[tokio::test]
async fn whom_a_sign_in_signs_out_is_said_before() {
    let server = Server::start().await;
    let person = alice_before_bob(&server).await;
    let page = person.open("/sign-in").await;
    let over = "Whoever signs in here as somebody else signs out: Alice Liddell";
    assert!(page.has("#over") && page.text().contains(over) && page.text().contains("Bob"), "{}", page.text());
    assert!(!another(&person).await.has("#over"), "they stay");
    assert!(!Person::new(&server).open("/sign-in").await.has("#over"), "nobody is here");
}
