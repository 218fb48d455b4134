//! Signing out where several people are signed in in one browser: who is signed out, which apps are told, and who is left.

use std::time::Duration;

use grantor_core::audit::EventKind;
use serde_json::Value;

use super::accounts::{add, alice_before_bob, choose, id_token, in_use, sub_of};
use super::backchannel::{all_over, declared, logout_token, until};
use super::logout::{address, confirm};
use crate::harness::app::{Answer, App, Tokens, claims};
use crate::harness::person::Person;
use crate::harness::receiver::Receiver;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD};
use crate::harness::server::Server;

/// A browser in which Bob is signed in and Alice in use, each with tokens of the wiki.
struct Two {
    server: Server,
    receiver: Receiver,
    person: Person,
    alice: Tokens,
    bob: Tokens,
}

impl Two {
    async fn new() -> Self {
        let receiver = Receiver::start();
        let server = Server::start_with(receiver.trusted()).await;
        server.clock.advance(Duration::from_secs(1));
        server.apply(&declared(Some(&receiver.url), None)).await;
        let (person, wiki) = (Person::new(&server), App::new(&server, "wiki"));
        let page = person.open("/sign-in").await;
        person.sign_in_on(&page, BOB, BOB_PASSWORD).await;
        let bob = wiki.tokens_with(&person, "openid", &[]).await;
        add(&server, &person, ALICE, ALICE_PASSWORD).await;
        let alice = wiki.tokens_with(&person, "openid", &[]).await;
        assert_ne!(claims(alice.id())["sub"], claims(bob.id())["sub"]);
        Self { server, receiver, person, alice, bob }
    }

    /// Whether the tokens of Alice and of Bob still count.
    async fn counts(&self) -> [bool; 2] {
        let wiki = App::new(&self.server, "wiki");
        let mut count = [false; 2];
        for (count, tokens) in count.iter_mut().zip([&self.alice, &self.bob]) {
            *count = wiki.userinfo(tokens.access()).await.status == 200;
        }
        count
    }

    /// The people about whom the app was told.
    async fn told(&self) -> Vec<Value> {
        until(&self.server, all_over).await;
        let mut told: Vec<Value> =
            self.receiver.messages().iter().map(|message| claims(&logout_token(message))["sid"].clone()).collect();
        told.sort_by_key(Value::to_string);
        told
    }

    fn sids(of: &[&Tokens]) -> Vec<Value> {
        let mut sids: Vec<Value> = of.iter().map(|tokens| claims(tokens.id())["sid"].clone()).collect();
        sids.sort_by_key(Value::to_string);
        sids
    }
}

#[tokio::test]
async fn the_button_of_the_account_signs_out_the_one_in_use_and_nobody_comes_into_use_by_it() {
    let two = Two::new().await;
    let page = two.person.open("/account").await;
    let page = two.person.send(&page.form("form:has(#sign-out)")).await;
    assert_eq!(page.name(), "signed-out");
    assert!(page.text().contains("Alice Liddell is signed out on this device."), "{}", page.text());
    assert!(page.text().contains("Still signed in in this browser: Bob"), "{}", page.text());
    assert_eq!(two.counts().await, [false, true]);
    assert_eq!(two.told().await, Two::sids(&[&two.alice]));
    let page = two.person.open("/account").await;
    assert_eq!((page.name().as_str(), page.has("#continue")), ("select-account", false), "{}", page.text());
    let silent = App::new(&two.server, "portal").authorize_url("openid", &[("prompt", "none")]);
    assert_eq!(Answer::of(&two.person.get(silent).await).param("error"), "login_required");
    assert_eq!(choose(&two.person, &page).await.name(), "account");
    assert_eq!(in_use(&two.person).await, Some("Bob"));
}

#[tokio::test]
async fn all_accounts_of_the_browser_are_signed_out_where_that_is_said() {
    let two = Two::new().await;
    let page = two.person.open("/account").await;
    assert!(page.text().contains("Sign out of all 2 accounts"), "{}", page.text());
    let form = page.form("form:has(#sign-out-all)").with("everyone", "yes");
    assert_eq!(two.person.post(&form.clone().with("csrf", "AAAA")).await.status, 403);
    let page = two.person.send(&form).await;
    assert!(page.name() == "signed-out" && !page.text().contains("Still signed in"), "{}", page.text());
    assert_eq!(two.counts().await, [false, false]);
    assert_eq!(two.told().await, Two::sids(&[&two.alice, &two.bob]));
    assert_eq!(two.person.open("/account").await.name(), "sign-in");
    assert_eq!(two.person.send(&form).await.name(), "signed-out", "a second click");
}

// "the OP MUST ask the End-User this question if an "id_token_hint" was not provided or if the supplied ID Token does not belong to
// the current OP session with the RP and/or currently logged in End-User." (OIDC RP-Initiated Logout §2)
#[tokio::test]
async fn an_app_signs_out_the_one_that_its_id_token_is_about() {
    for of_alice in [true, false] {
        let two = Two::new().await;
        let (hint, other) = if of_alice { (&two.alice, "Bob") } else { (&two.bob, "Alice Liddell") };
        let page = two.person.get(address(&two.server, &[("id_token_hint", hint.id())])).await;
        assert_eq!(page.name(), "signed-out", "{}", page.body);
        assert!(page.text().contains(&format!("Still signed in in this browser: {other}")), "{}", page.text());
        assert_eq!(two.counts().await, [!of_alice, of_alice]);
        assert_eq!(two.told().await, Two::sids(&[hint]));
        assert_eq!(in_use(&two.person).await, (!of_alice).then_some("Alice Liddell"));
    }
}

#[tokio::test]
async fn the_page_says_who_is_signed_out_and_offers_everybody() {
    let two = Two::new().await;
    let page = two.person.get(address(&two.server, &[])).await;
    assert!(page.text().contains("Sign out Alice Liddell") && page.text().contains("Bob"), "{}", page.text());
    let named = two.person.get(address(&two.server, &[("logout_hint", "bob")])).await;
    assert!(named.text().contains("Sign out Bob"), "{}", named.text());
    assert_eq!(confirm(&two.person, &named).await.name(), "signed-out");
    assert_eq!((two.counts().await, in_use(&two.person).await), ([true, false], Some("Alice Liddell")));
    let form = page.form(r#"form[action="/sign-out"]"#).with("everyone", "yes");
    assert_eq!(two.person.send(&form).await.name(), "signed-out");
    assert_eq!(two.counts().await, [false, false]);
}

#[tokio::test]
async fn a_token_of_another_session_only_asks_about_its_person() {
    let two = Two::new().await;
    let elsewhere = Person::new(&two.server);
    let page = elsewhere.open("/sign-in").await;
    elsewhere.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    let of_bob = App::new(&two.server, "wiki").tokens_with(&elsewhere, "openid", &[]).await;
    let page = two.person.get(address(&two.server, &[("id_token_hint", of_bob.id())])).await;
    assert!(page.name() == "end-session" && page.text().contains("Sign out Bob"), "{}", page.text());
    assert_eq!(two.counts().await, [true, true]);
}

#[tokio::test]
async fn where_nobody_is_in_use_everybody_is_asked_about() {
    let two = Two::new().await;
    let page = two.person.open("/account").await;
    two.person.send(&page.form("form:has(#sign-out)")).await;
    let page = two.person.get(address(&two.server, &[])).await;
    assert!(page.text().contains("Sign out of all accounts") && page.text().contains("Bob"), "{}", page.text());
    let form = page.form(r#"form[action="/sign-out"]"#);
    assert_eq!(two.person.post(&form.clone().with("csrf", "AAAA")).await.status, 403);
    assert_eq!(two.person.send(&form).await.name(), "signed-out");
    assert_eq!(two.counts().await, [false, false]);
}

#[tokio::test]
async fn signing_out_everywhere_is_for_one_person() {
    let two = Two::new().await;
    let page = two.person.open("/account/sessions").await;
    let page = two.person.send(&page.form("form:has(#sign-out-everywhere)").with("end", "everywhere")).await;
    assert!(page.text().contains("Still signed in in this browser: Bob"), "{}", page.text());
    assert_eq!((two.counts().await, two.told().await), ([false, true], Two::sids(&[&two.alice])));
}

#[tokio::test]
async fn one_that_is_pushed_out_is_told_to_its_apps() {
    let two = Two::new().await;
    let page = two.person.open("/sign-in").await;
    two.server.apply("[[users]]\nusername = \"carol\"\npassword = \"a long password of carol here\"\n").await;
    two.person.sign_in_on(&page, "carol", "a long password of carol here").await;
    assert_eq!((two.counts().await, two.told().await), ([false, false], Two::sids(&[&two.alice, &two.bob])));
}

#[tokio::test]
async fn where_somebody_is_left_the_browser_does_not_go_back_by_itself() {
    let two = Two::new().await;
    let back = ("post_logout_redirect_uri", "https://wiki.example/out");
    let page = two.person.get(address(&two.server, &[("id_token_hint", two.alice.id()), back])).await;
    assert_eq!((page.status.as_u16(), page.name().as_str()), (200, "signed-out"), "{}", page.body);
    assert_eq!(page.attribute("#back", "href").as_deref(), Some("https://wiki.example/out"));
    assert!(page.text().contains("Still signed in in this browser: Bob") && !page.has("script"), "{}", page.body);
    let page = two.person.open(page.attribute("#sign-out-all", "href").unwrap()).await;
    assert!(page.name() == "end-session" && page.text().contains("Bob"), "{}", page.text());
    let page = two.person.get(address(&two.server, &[("id_token_hint", two.bob.id()), back])).await;
    assert_eq!(page.header("location"), Some("https://wiki.example/out"), "nobody is left");
}

#[tokio::test]
async fn who_is_left_is_said_wherever_they_may_sign_in_from() {
    let two = Two::new().await;
    two.server.apply("[[users]]\nusername = \"bob\"\nname = \"Bob\"\nnetworks = [\"192.0.2.0/24\"]\n").await;
    let page = two.person.open("/account").await;
    assert!(page.text().contains("Sign out of all 2 accounts"), "{}", page.text());
    let page = two.person.send(&page.form("form:has(#sign-out)")).await;
    assert!(page.text().contains("Still signed in in this browser: Bob"), "{}", page.text());
}

#[tokio::test]
async fn the_choice_of_accounts_leads_to_signing_all_of_them_out() {
    let two = Two::new().await;
    let page = two.person.open("/account").await;
    two.person.send(&page.form("form:has(#sign-out)")).await;
    let page = two.person.open("/select-account").await;
    let page = two.person.open(page.attribute("#sign-out-all", "href").unwrap()).await;
    assert_eq!(two.person.send(&page.form(r#"form[action="/sign-out"]"#)).await.name(), "signed-out");
    assert_eq!(two.counts().await, [false, false]);
}

#[tokio::test]
async fn that_all_accounts_have_ended_is_said() {
    let two = Two::new().await;
    let page = two.person.open("/account").await;
    let page = two.person.send(&page.form("form:has(#sign-out-all)").with("everyone", "yes")).await;
    assert!(page.text().contains("All sign-ins at"), "{}", page.text());
}

/// The details of the events that say of somebody that they are signed out.
async fn details(server: &Server) -> Vec<String> {
    let events = server.events().await.into_iter().filter(|event| event.kind == EventKind::SignedOut);
    events.map(|event| event.detail.unwrap_or_default()).collect()
}

#[tokio::test]
async fn who_is_pushed_out_leaves_an_event_each() {
    let two = Two::new().await;
    let page = two.person.open("/sign-in").await;
    two.server.apply("[[users]]\nusername = \"carol\"\npassword = \"a long password of carol here\"\n").await;
    two.person.sign_in_on(&page, "carol", "a long password of carol here").await;
    assert_eq!(details(&two.server).await, ["somebody else signed in in the browser"; 2]);
}

/// The state that an answer lets the browser keep.
fn state(page: &crate::harness::page::Page) -> Option<String> {
    page.cookies().into_iter().find(|cookie| cookie.starts_with("grantor_state="))
}

// "the OP SHOULD update the value of the User Agent state in response to such meaningful events." (OIDC Session Management §3.2)
#[tokio::test]
async fn the_state_of_the_browser_changes_with_who_is_in_use_and_not_by_an_answer_from_beside() {
    let server = Server::start_with(|config| config.session_management = true).await;
    let person = alice_before_bob(&server).await;
    let hint = id_token(&server, &person).await;
    let page = person.open("/select-account").await;
    let form = page.form(r#"form[action="/select-account"]"#);
    let swapped = person.post(&form.with("choice", &page.attribute("#account-1", "value").unwrap())).await;
    let first = state(&swapped);
    assert!(first.is_some());
    let asked = App::new(&server, "portal").authorize_url("openid", &[("id_token_hint", &hint), ("prompt", "none")]);
    let answer = person.get(&asked).await;
    assert_eq!(state(&answer), None, "the browser is as it was");
    assert!(Answer::of(&answer).has("session_state"));
    sub_of(&server, &answer).await;
    let page = person.open("/account").await;
    let page = person.post(&page.form("form:has(#sign-out)")).await;
    assert!(state(&page).is_some_and(|now| Some(&now) != first.as_ref()));
}
