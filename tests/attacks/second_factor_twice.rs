//! Forms of the second factor that come twice: the second click of a double click ends where the first one did, and nobody gains by it.

use std::time::Duration;

use grantor_core::audit::EventKind;

use super::second_factor::{HALF_MINUTE, give, half};
use super::wire;
use crate::harness::authenticator::{Authenticator, FACTOR, kept, recovery_codes, shown_key};
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
