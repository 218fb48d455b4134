//! Whoever has one factor and not the other.

use std::time::Duration;

use grantor_core::audit::EventKind;

use crate::harness::app::App;
use crate::harness::authenticator::{Authenticator, CODE, FACTOR, kept, shown_key};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD};
use crate::harness::server::Server;

/// How long a code is the present one.
pub const HALF_MINUTE: Duration = Duration::from_secs(30);

/// Alice has an authenticator app, and signed in with it in this browser.
pub async fn with_app() -> (Server, Person, Authenticator) {
    let server = Server::start().await;
    let alice = Person::new(&server);
    alice.sign_in().await;
    let app = Authenticator::set_up(&server, &alice).await;
    server.clock.advance(HALF_MINUTE);
    (server, alice, app)
}

/// Whoever knows her password, in a fresh browser, before the code.
pub async fn half(server: &Server) -> (Person, Page) {
    let thief = Person::new(server);
    let page = thief.sign_in().await;
    assert_eq!(page.name(), "sign-in-code", "{}", page.body);
    (thief, page)
}

/// Gives a code on the page that asks for one.
pub async fn give(person: &Person, page: &Page, code: &str) -> Page {
    person.send(&page.form(CODE).with("code", code)).await
}

// MF-01
#[tokio::test]
async fn who_knows_the_password_alone_gets_nothing() {
    let (server, _alice, app) = with_app().await;
    let (thief, page) = half(&server).await;
    assert!(page.cookies().iter().all(|cookie| !cookie.contains("session")), "{:?}", page.cookies());
    let wiki = App::new(&server, "wiki");
    for address in ["/account", "/account/apps", "/account/tokens", "/account/second-factor", "/account/sign-in-ways"] {
        assert_eq!(thief.open(address).await.name(), "sign-in", "{address}");
    }
    assert_eq!(thief.open(wiki.authorize_url("openid", &[])).await.name(), "sign-in");
    let refused = thief.open(wiki.authorize_url("openid", &[("prompt", "none")])).await;
    assert!(refused.location().unwrap().as_str().contains("login_required"));
    assert_eq!(give(&thief, &page, &app.wrong_code(&server)).await.status, 422);
    assert_eq!(thief.open("/account").await.name(), "sign-in");
    assert_eq!(give(&thief, &page, &app.code(&server)).await.name(), "account", "with the code, it is her");
}

// MF-03
// "The verifier MUST NOT accept the second attempt of the OTP after the successful validation has been issued for the first OTP, which
// ensures one-time only use of an OTP." (RFC 6238 §5.2)
#[tokio::test]
async fn a_code_counts_once_on_two_nodes_at_once() {
    let (server, _alice, app) = with_app().await;
    let second = server.another_node().await;
    for _ in 0..4 {
        let (one, other) = (half(&server).await, half(&second).await);
        let code = app.code(&server);
        let give = |(person, page): (Person, Page)| {
            let form = page.form(CODE).with("code", &code);
            tokio::spawn(async move { person.post(&form).await.status.as_u16() })
        };
        let (one, other) = (give(one), give(other));
        let mut statuses = [one.await.unwrap(), other.await.unwrap()];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 422]);
        server.clock.advance(HALF_MINUTE);
        second.clock.catch_up();
    }
}

// MF-04
#[tokio::test]
async fn a_code_of_another_time_is_none_and_the_key_is_shown_once() {
    let (server, alice, app) = with_app().await;
    server.clock.advance(Duration::from_mins(5));
    let now = server.clock.read().seconds();
    for step in [-3, -2, 2, 3] {
        let (person, page) = half(&server).await;
        let page = give(&person, &page, &app.key.code_at(now + 30 * step).to_string()).await;
        assert_eq!(page.status, 422, "{step}");
    }
    let page = alice.open("/account/second-factor").await;
    assert!(
        page.has("#remove") && !page.has("#key") && !page.body.contains(app.key.to_text().as_str()),
        "{}",
        page.body
    );
}

// MF-04
#[tokio::test]
async fn an_app_that_was_not_confirmed_is_not_asked_for() {
    let server = Server::start().await;
    let alice = Person::new(&server);
    alice.sign_in().await;
    let page = alice.open("/account/second-factor").await;
    let wrong = Authenticator { key: shown_key(&page), recovery: Vec::new() }.wrong_code(&server);
    let again = alice.send(&page.form(FACTOR).with("code", &wrong)).await;
    assert_eq!((again.status.as_u16(), again.attribute("#link", "href")), (422, page.attribute("#link", "href")));
    assert_eq!(kept(&server.database, ALICE).await, None);
    assert_eq!(Person::new(&server).sign_in().await.name(), "account");
}

#[tokio::test]
async fn an_enrolment_is_of_one_person_one_browser_and_a_quarter_of_an_hour() {
    let server = Server::start().await;
    let (alice, bob) = (Person::new(&server), Person::new(&server));
    alice.sign_in().await;
    let page = bob.open("/sign-in").await;
    bob.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    let (of_alice, of_bob) = (alice.open("/account/second-factor").await, bob.open("/account/second-factor").await);
    let (stolen, key) = (of_alice.attribute("[name=enrolment]", "value").unwrap(), shown_key(&of_alice));
    let code = key.code_at(server.clock.read().seconds()).to_string();
    bob.send(&of_bob.form(FACTOR).with("enrolment", &stolen).with("code", &code)).await;
    assert_eq!(kept(&server.database, BOB).await, None);
    server.clock.advance(Duration::from_mins(15));
    let code = key.code_at(server.clock.read().seconds()).to_string();
    alice.send(&of_alice.form(FACTOR).with("code", &code)).await;
    assert_eq!(kept(&server.database, ALICE).await, None);
}

#[tokio::test]
async fn who_finds_an_old_session_sets_up_no_second_factor() {
    let server = Server::start().await;
    let alice = Person::new(&server);
    alice.sign_in().await;
    let page = alice.open("/account/second-factor").await;
    server.clock.advance(Duration::from_mins(11));
    assert_eq!(alice.open("/account/second-factor").await.name(), "sign-in");
    let code = shown_key(&page).code_at(server.clock.read().seconds()).to_string();
    assert_eq!(alice.send(&page.form(FACTOR).with("code", &code)).await.name(), "sign-in");
    assert_eq!(kept(&server.database, ALICE).await, None);
    let page = alice.open("/account/second-factor").await;
    assert_eq!(alice.sign_in_on(&page, ALICE, ALICE_PASSWORD).await.name(), "second-factor", "and comes back to it");
}

// MF-07
#[tokio::test]
async fn a_recovery_code_counts_once_on_two_nodes_at_once_and_its_person_is_told() {
    let (server, _alice, app) = with_app().await;
    let second = server.another_node().await;
    assert_eq!(app.recovery.len(), 10);
    let (one, other) = (half(&server).await, half(&second).await);
    let code = app.recovery[3].to_uppercase().replace('-', " ");
    let give_form = |(person, page): (Person, Page)| {
        let form = page.form(CODE).with("code", &code);
        tokio::spawn(async move { person.post(&form).await.status.as_u16() })
    };
    let (one, other) = (give_form(one), give_form(other));
    let mut statuses = [one.await.unwrap(), other.await.unwrap()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422]);
    let (alice, page) = half(&server).await;
    assert_eq!(give(&alice, &page, &app.recovery[3]).await.status, 422);
    let page = give(&alice, &page, &app.recovery[4]).await;
    assert!(page.text().contains("Recovery code used") && page.text().contains("8 are left"), "{}", page.text());
    let used = server.events().await.into_iter().filter(|event| event.kind == EventKind::RecoveryCodeUsed);
    assert_eq!(used.count(), 2);
}

// MF-07
#[tokio::test]
async fn no_key_and_no_recovery_code_is_in_the_database_in_the_clear() {
    let (server, _alice, app) = with_app().await;
    let dump = server.place().dump();
    let is_there = |secret: &[u8]| dump.windows(secret.len()).any(|window| window == secret);
    assert!(is_there(b"second_factor_added"), "the dump is of this database");
    assert!(!is_there(app.key.to_text().as_bytes()));
    for code in &app.recovery {
        assert!(!is_there(code.as_bytes()) && !is_there(code.replace('-', "").to_uppercase().as_bytes()));
    }
    assert!(!kept(&server.database, ALICE).await.unwrap().contains(app.key.to_text().as_str()));
}

#[tokio::test]
async fn a_half_sign_in_is_of_one_browser_and_of_five_minutes() {
    let (server, _alice, app) = with_app().await;
    let (_, page) = half(&server).await;
    let half_text = page.attribute("[name=half]", "value").unwrap();
    let thief = Person::new(&server);
    let form = thief.open("/sign-in").await.form(r#"form[action="/sign-in"]"#).at(&server.at("/sign-in/code"));
    let answer = thief.send(&form.with("half", &half_text).with("code", &app.code(&server))).await;
    assert_eq!((answer.name(), answer.status.as_u16()), ("sign-in".to_owned(), 403));
    let (alice, page) = half(&server).await;
    server.clock.advance(Duration::from_mins(5));
    let answer = give(&alice, &page, &app.code(&server)).await;
    assert_eq!((answer.name(), answer.status.as_u16()), ("sign-in".to_owned(), 403));
}

#[tokio::test]
async fn a_half_sign_in_becomes_one_session() {
    let (server, _alice, app) = with_app().await;
    let (alice, page) = half(&server).await;
    assert_eq!(give(&alice, &page, &app.code(&server)).await.name(), "account");
    let account = alice.open("/account").await;
    alice.send(&account.form(r#"form[action="/sign-out"]"#)).await;
    server.clock.advance(HALF_MINUTE);
    let answer = give(&alice, &page, &app.code(&server)).await;
    assert_eq!((answer.name(), answer.status.as_u16()), ("sign-in".to_owned(), 403));
}

#[tokio::test]
async fn a_half_sign_in_ends_with_the_password_and_with_the_account() {
    let (server, _alice, app) = with_app().await;
    for change in ["password = \"another horse that nobody rides\"", "disabled = true"] {
        let (alice, page) = if change.starts_with('p') {
            half(&server).await
        } else {
            let alice = Person::new(&server);
            let page = alice.open("/sign-in").await;
            let page = alice.sign_in_on(&page, ALICE, "another horse that nobody rides").await;
            (alice, page)
        };
        server.clock.advance(HALF_MINUTE);
        server.apply(&format!("[[users]]\nusername = \"alice\"\n{change}\n")).await;
        let answer = give(&alice, &page, &app.code(&server)).await;
        assert_eq!((answer.name(), answer.status.as_u16()), ("sign-in".to_owned(), 403), "{change}");
        assert_eq!(alice.open("/account").await.name(), "sign-in", "{change}");
    }
}

#[tokio::test]
async fn the_app_is_taken_away_by_a_code_alone() {
    let (server, alice, app) = with_app().await;
    let page = alice.open("/account/second-factor").await;
    let wrong = page.form(FACTOR).with("do", "remove").with("code", &app.wrong_code(&server));
    assert_eq!(alice.send(&wrong).await.status, 422);
    let forged = page.form(FACTOR).with("do", "remove").with("code", &app.code(&server)).with("csrf", "AAAA");
    assert_eq!(alice.send(&forged).await.status, 403);
    assert!(kept(&server.database, ALICE).await.is_some());
    let right = page.form(FACTOR).with("do", "remove").with("code", &app.code(&server));
    assert_eq!(alice.send(&right).await.name(), "sign-in-ways");
    assert_eq!(kept(&server.database, ALICE).await, None);
    assert!(alice.open("/account").await.text().contains("Authenticator app removed"));
    assert_eq!(Person::new(&server).sign_in().await.name(), "account");
}

#[tokio::test]
async fn new_recovery_codes_end_those_before() {
    let (server, alice, app) = with_app().await;
    let page = alice.open("/account/second-factor").await;
    let form = page.form(FACTOR).with("do", "recovery").with("code", &app.recovery[0]);
    let page = alice.send(&form).await;
    let codes = crate::harness::authenticator::recovery_codes(&page);
    assert_eq!((page.name().as_str(), codes.len()), ("recovery-codes", 10));
    assert!(alice.open("/account").await.text().contains("New recovery codes made"), "and she is told");
    let (thief, page) = half(&server).await;
    assert_eq!(give(&thief, &page, &app.recovery[1]).await.status, 422);
    assert_eq!(give(&thief, &page, &codes[1]).await.name(), "account");
}

#[tokio::test]
async fn each_thing_that_a_code_is_given_for_has_a_form_of_its_own() {
    let (server, alice, app) = with_app().await;
    let page = alice.open("/account/second-factor").await;
    for (button, does) in [("renew", "recovery"), ("remove", "remove")] {
        let form = page.form(&format!("form:has(#{button})"));
        assert!(form.fields.contains(&("do".to_owned(), does.to_owned())), "{:?}", form.fields);
    }
    let (person, page) = half(&server).await;
    let page = person.send(&page.form(CODE).with("way", "recovery")).await;
    let page = person.send(&page.form(CODE).with("way", "app")).await;
    assert_eq!(page.attribute("#code", "inputmode").as_deref(), Some("numeric"), "there is a way back to the app");
    assert_eq!(give(&person, &page, &app.code(&server)).await.name(), "account");
}

#[tokio::test]
async fn any_text_in_the_place_of_a_code_is_no_code() {
    let (server, _alice, _app) = with_app().await;
    let long = "7".repeat(5_000);
    for text in ["", " ", "12345", "1234567", "-12345", "１２３４５６", "12345\u{660}", "'; --", &long] {
        let (person, page) = half(&server).await;
        let answer = give(&person, &page, text).await;
        assert!([422, 429].contains(&answer.status.as_u16()), "{text:.20}: {}", answer.status);
    }
}
