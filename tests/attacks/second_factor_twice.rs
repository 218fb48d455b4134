//! Forms of the second factor that come twice: the second click of a double click ends where the first one did, and nobody gains by it.

use std::time::Duration;

use grantor_core::audit::EventKind;

use super::second_factor::{HALF_MINUTE, give, half, with_app};
use super::wire;
use crate::harness::app::App;
use crate::harness::authenticator::{Authenticator, CODE, FACTOR, kept, recovery_codes, shown_key};
use crate::harness::page::{Form, Page};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;

/// A browser that has these cookies, whatever it is answered: the second click goes out before the first is answered.
#[derive(Clone)]
struct Browser {
    cookies: Vec<String>,
}

impl Browser {
    /// One in which Alice has given her password.
    async fn with_password(server: &Server) -> (Self, Page) {
        let page = wire::get(&server.at("/sign-in"), &[]).await;
        let form = page.form(r#"form[action="/sign-in"]"#).with("username", ALICE).with("password", ALICE_PASSWORD);
        let mut browser = Self { cookies: page.cookies() };
        let page = browser.post(&form).await;
        browser.take(&page);
        (browser, page)
    }

    fn take(&mut self, page: &Page) {
        for cookie in page.cookies() {
            let name = cookie.split('=').next().unwrap().to_owned();
            self.cookies.retain(|known| known.split('=').next() != Some(&name));
            self.cookies.push(cookie);
        }
    }

    async fn get(&self, server: &Server, path: &str) -> Page {
        wire::get(&server.at(path), &self.cookies).await
    }

    async fn post(&self, form: &Form) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
        let cookies = self.cookies.join("; ");
        let headers = [("cookie", cookies.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        wire::send("POST", form.action.as_str(), &headers, &body).await
    }

    /// A double click of which each click comes to another node.
    async fn post_twice(&self, form: &Form, second: &Server) -> [Page; 2] {
        let elsewhere = form.clone().at(&second.at(form.action.path()));
        let sent = [form.clone(), elsewhere].map(|form| {
            let browser = self.clone();
            tokio::spawn(async move { browser.post(&form).await })
        });
        let [one, other] = sent;
        [one.await.unwrap(), other.await.unwrap()]
    }
}

/// Another node, with the same time.
async fn another_node(server: &Server) -> Server {
    let second = server.another_node().await;
    second.clock.advance(server.clock.read().since(second.clock.read()));
    second
}

fn confirmed(page: &Page, server: &Server) -> Form {
    let app = Authenticator { key: shown_key(page), recovery: Vec::new() };
    page.form(FACTOR).with("code", &app.code(server))
}

async fn count(server: &Server, kind: EventKind) -> usize {
    server.events().await.into_iter().filter(|event| event.kind == kind).count()
}

#[tokio::test]
async fn a_page_sets_up_one_app_also_where_that_is_removed_again() {
    let server = Server::start().await;
    let alice = Person::new(&server);
    alice.sign_in().await;
    let first = alice.open("/account/second-factor").await;
    let app = Authenticator::set_up_on(&server, &alice, &first).await.0;
    server.clock.advance(HALF_MINUTE);
    let page = alice.open("/account/second-factor").await;
    alice.send(&page.form(FACTOR).with("do", "remove").with("code", &app.code(&server))).await;
    assert_eq!(kept(&server.database, ALICE).await, None);
    server.clock.advance(HALF_MINUTE);
    let enrolment = first.attribute("[name=enrolment]", "value").unwrap();
    let page = alice.open("/account/second-factor").await;
    let form = page.form(FACTOR).with("enrolment", &enrolment).with("code", &app.code(&server));
    let page = alice.send(&form).await;
    assert!(page.name() == "second-factor" && page.has("#key"), "{}", page.text());
    assert_eq!(kept(&server.database, ALICE).await, None);
}

#[tokio::test]
async fn the_second_click_on_a_new_app_ends_at_the_same_recovery_codes() {
    let server = Server::start().await;
    let alice = Person::new(&server);
    alice.sign_in().await;
    let form = confirmed(&alice.open("/account/second-factor").await, &server);
    let first = alice.post(&form).await;
    let second = alice.send(&form).await;
    assert_eq!((second.status.as_u16(), second.name().as_str()), (200, "recovery-codes"), "{}", second.text());
    assert_eq!(recovery_codes(&second), recovery_codes(&first));
    assert_eq!(count(&server, EventKind::SecondFactorAdded).await, 1);
    let (person, page) = half(&server).await;
    assert_eq!(give(&person, &page, &recovery_codes(&first)[2]).await.name(), "account");
    let third = alice.send(&form).await;
    assert_eq!((third.status.as_u16(), third.has("#codes")), (403, false), "one of them is used");
}

#[tokio::test]
async fn a_double_click_on_a_new_app_on_two_nodes_ends_at_the_same_recovery_codes() {
    let server = Server::start().await;
    let second = another_node(&server).await;
    let (browser, _) = Browser::with_password(&server).await;
    let form = confirmed(&browser.get(&server, "/account/second-factor").await, &server);
    let pages = browser.post_twice(&form, &second).await;
    // That of whoever waited for long.
    let third = browser.post(&form).await;
    for page in [&pages[0], &pages[1], &third] {
        assert_eq!(page.name(), "recovery-codes", "{} {}", page.status, page.text());
        assert_eq!(recovery_codes(page), recovery_codes(&pages[0]));
        assert!(page.text().contains("Alice Liddell"), "{}", page.text());
    }
    assert_eq!(count(&server, EventKind::SecondFactorAdded).await, 1);
    server.clock.advance(Duration::from_mins(2));
    assert_eq!(browser.post(&form).await.status, 303, "the code is of another time by now");
}

#[tokio::test]
async fn recovery_codes_are_not_shown_again_to_who_has_signed_out_or_comes_from_elsewhere() {
    let server = Server::start().await;
    let alice = Person::new(&server);
    alice.sign_in().await;
    let form = confirmed(&alice.open("/account/second-factor").await, &server);
    let (thief, _) = Browser::with_password(&server).await;
    alice.post(&form).await;
    assert!(!thief.post(&form).await.has("#codes"), "another browser");
    let account = alice.open("/account").await;
    alice.send(&account.form(r#"form[action="/sign-out"]"#)).await;
    assert_eq!(alice.send(&form).await.name(), "sign-in");
}

/// Where an answer sends the browser.
fn next(page: &Page) -> String {
    let location = page.location().unwrap_or_else(|| panic!("a redirect: {} {}", page.status, page.text()));
    location.query().map_or_else(|| location.path().to_owned(), |query| format!("{}?{query}", location.path()))
}

async fn wrong_codes(server: &Server) -> usize {
    server.reasons().await.iter().filter(|reason| *reason == "SecondFactorWrong").count()
}

// MF-03
#[tokio::test]
async fn the_second_click_on_a_code_is_no_guess_and_goes_on_where_the_session_of_the_first_is_there() {
    let (server, _alice, app) = with_app().await;
    for code in [app.code(&server), app.recovery[0].clone()] {
        let (mut browser, page) = Browser::with_password(&server).await;
        let form = page.form(CODE).with("code", &code);
        let first = browser.post(&form).await;
        assert_eq!(next(&first), "/account");
        let mut again = String::new();
        for _ in 0..12 {
            again = next(&browser.post(&form).await);
            let told = browser.get(&server, &again).await;
            assert_eq!((told.name().as_str(), told.status.as_u16()), ("sign-in", 403), "its session was lost");
            assert!(told.text().contains("This code was used already"), "{}", told.text());
        }
        browser.take(&first);
        assert_eq!(next(&browser.get(&server, &again).await), "/account");
        assert_eq!(browser.get(&server, "/account").await.name(), "account");
    }
    assert_eq!(wrong_codes(&server).await, 0);
}

// MF-03
#[tokio::test]
async fn a_double_click_on_a_code_on_two_nodes_is_no_guess_and_begins_one_session() {
    let (server, _alice, app) = with_app().await;
    let second = another_node(&server).await;
    for code in [app.code(&server), app.recovery[0].clone()] {
        let (mut browser, page) = Browser::with_password(&server).await;
        let pages = browser.post_twice(&page.form(CODE).with("code", &code), &second).await;
        let begins = |page: &&Page| page.cookies().iter().any(|cookie| cookie.starts_with("grantor_session="));
        assert_eq!(pages.iter().filter(begins).count(), 1);
        for page in &pages {
            browser.take(page);
        }
        for page in &pages {
            let address = next(page);
            let arrived = browser.get(&server, &address).await;
            assert!(address == "/account" || next(&arrived) == "/account", "{address}: {}", arrived.text());
        }
    }
    assert_eq!(wrong_codes(&server).await, 0);
}

// MF-02, MF-03
#[tokio::test]
async fn a_code_that_was_used_counts_for_no_other_sign_in_and_whoever_guesses_after_it_is_counted() {
    let (server, _alice, app) = with_app().await;
    let (browser, page) = Browser::with_password(&server).await;
    let (form, code) = (page.form(CODE), app.code(&server));
    assert_eq!(browser.post(&form.clone().with("code", &code)).await.status, 303);
    let (other, page) = half(&server).await;
    assert_eq!(give(&other, &page, &code).await.status, 422);
    assert_eq!(wrong_codes(&server).await, 1);
    let wrong = form.clone().with("code", &app.wrong_code(&server));
    for _ in 0..8 {
        assert_eq!(browser.post(&wrong).await.status, 422);
        assert_eq!(browser.post(&form.clone().with("code", &code)).await.status, 303);
    }
    assert_eq!(browser.post(&wrong).await.status, 422, "the tenth");
    assert_eq!(browser.post(&wrong).await.status, 429);
    assert_eq!(browser.post(&form.with("code", &code)).await.status, 429);
}

/// The page that asks who is signed in for a code, for an app.
async fn asked_for_more(server: &Server, browser: &Browser) -> Page {
    let claims = r#"{"id_token":{"acr":{"essential":true,"value":"urn:grantor:acr:two-factors"}}}"#;
    let address = App::new(server, "wiki").authorize_url("openid", &[("claims", claims)]);
    let page = browser.get(server, address.strip_prefix(&server.url).unwrap()).await;
    browser.get(server, &next(&page)).await
}

#[tokio::test]
async fn a_double_click_on_a_code_that_raises_a_session_goes_on_to_the_app() {
    let server = Server::start().await;
    let second = another_node(&server).await;
    let (mut browser, _) = Browser::with_password(&server).await;
    let alice = Person::new(&server);
    alice.sign_in().await;
    let app = Authenticator::set_up(&server, &alice).await;
    server.clock.advance(HALF_MINUTE);
    second.clock.advance(HALF_MINUTE);
    let form = asked_for_more(&server, &browser).await.form(CODE).with("code", &app.code(&server));
    let [one, other] = browser.post_twice(&form, &second).await;
    let third = browser.post(&form).await;
    let told = browser.get(&server, &next(&third)).await;
    assert!(told.name() == "sign-in" && told.text().contains("This code was used already"), "{}", told.text());
    for page in [&one, &other] {
        browser.take(page);
    }
    for page in [one, other, third] {
        let mut page = page;
        while page.location().is_some() {
            page = browser.get(&server, &next(&page)).await;
        }
        assert_eq!(page.name(), "consent", "{}", page.text());
    }
    assert_eq!(wrong_codes(&server).await, 0);
}

#[tokio::test]
async fn a_double_click_on_new_recovery_codes_shows_the_same_ones() {
    let (server, alice, app) = with_app().await;
    let second = another_node(&server).await;
    let code = app.code(&server);
    let form = alice.open("/account/second-factor").await.form(FACTOR).with("do", "recovery").with("code", &code);
    let elsewhere = form.clone().at(&second.at("/account/second-factor"));
    let (one, other) = tokio::join!(alice.post(&form), alice.post_with(&elsewhere, &[]));
    let third = alice.post(&form).await;
    for page in [&one, &other, &third] {
        assert_eq!((page.status.as_u16(), page.name().as_str()), (200, "recovery-codes"), "{}", page.text());
        assert_eq!((recovery_codes(page).len(), recovery_codes(page)), (10, recovery_codes(&one)));
    }
    assert_eq!((count(&server, EventKind::RecoveryCodesMade).await, wrong_codes(&server).await), (1, 0));
    let (person, page) = half(&server).await;
    assert_eq!(give(&person, &page, &recovery_codes(&one)[0]).await.name(), "account");
    let page = alice.post(&form).await;
    assert_eq!((page.status.as_u16(), page.has("#codes")), (422, false), "one of them is used");
    assert!(page.text().contains("This code was used already"), "{}", page.text());
}

#[tokio::test]
async fn a_double_click_that_takes_the_app_away_takes_it_away() {
    let (server, alice, app) = with_app().await;
    let second = another_node(&server).await;
    let form = alice.open("/account/second-factor").await.form(FACTOR);
    let form = form.with("do", "remove").with("code", &app.code(&server));
    let elsewhere = form.clone().at(&second.at("/account/second-factor"));
    let (one, other) = tokio::join!(alice.post(&form), alice.post_with(&elsewhere, &[]));
    assert_eq!([next(&one), next(&other)], ["/account/sign-in-ways", "/account/sign-in-ways"]);
    assert_eq!((kept(&server.database, ALICE).await, wrong_codes(&server).await), (None, 0));
}
