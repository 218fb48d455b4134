//! `login_hint`: whom the app means (OIDC Core §3.1.2.1). Who is somebody else is asked which account it shall be; whether anybody has
//! the account that is meant makes no difference.

use super::accounts::{alice, choices, in_use, sub_of};
use crate::harness::app::{Answer, App, claims};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{BOB, BOB_PASSWORD};
use crate::harness::server::Server;

/// A request with a hint, of the app whose people are not asked for consent.
async fn hint(server: &Server, person: &Person, hint: &str) -> Page {
    person.open(App::new(server, "portal").authorize_url("openid", &[("login_hint", hint)])).await
}

#[tokio::test]
async fn who_is_not_meant_is_asked_which_account_whether_or_not_the_other_exists() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let mut texts = Vec::new();
    for name in ["bob", "nobody", "bob@example.com", "nobody@example.com", "+49 30 123456", "a b\u{202E}c"] {
        let page = hint(&server, &person, name).await;
        assert_eq!(page.name(), "select-account", "{name}");
        texts.push(page.text());
    }
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
}

#[tokio::test]
async fn who_is_meant_in_whatever_spelling_goes_straight_on() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let tokens = App::new(&server, "portal").tokens_with(&person, "openid", &[]).await;
    let sub = claims(tokens.id())["sub"].as_str().unwrap().to_owned();
    let host = url::Url::parse(&server.url).unwrap().host_str().unwrap().to_owned();
    let ours = [format!("alice@{host}"), format!("acct:Alice@{host}")];
    for name in ["alice", " ALICE ", "ａｌｉｃｅ", "alice@example.com", &sub, &ours[0], &ours[1], " "] {
        assert!(Answer::of(&hint(&server, &person, name).await).has("code"), "{name}");
    }
    let elsewhere = hint(&server, &person, "acct:alice@elsewhere.example").await;
    assert_eq!(elsewhere.name(), "select-account");
}

#[tokio::test]
async fn whoever_chooses_is_answered_for_and_is_not_asked_again() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let wiki = App::new(&server, "wiki");
    let page = person.open(wiki.authorize_url("openid", &[("login_hint", "bob")])).await;
    let page = person.send(&choices(&page).with("choice", "continue")).await;
    assert_eq!(page.name(), "consent");
    assert!(Answer::of(&person.allow_on(&page).await).has("code"));
    assert_eq!(in_use(&person).await, Some("Alice Liddell"));
}

#[tokio::test]
async fn who_takes_another_account_finds_the_hint_filled_in() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let sub = sub_of(&server, &hint(&server, &person, "alice").await).await;
    let page = hint(&server, &person, "bob").await;
    let page = person.send(&choices(&page).with("choice", "another")).await;
    assert_eq!((page.name().as_str(), page.attribute("#username", "value").as_deref()), ("sign-in", Some("bob")));
    let page = person.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    assert_ne!(sub_of(&server, &page).await, sub);
}

// "The Authorization Server MUST NOT display any authentication or consent user interface pages." (OIDC Core §3.1.2.1)
#[tokio::test]
async fn without_a_page_a_hint_stays_a_hint() {
    let server = Server::start().await;
    let (person, portal) = (alice(&server).await, App::new(&server, "portal"));
    let silent = person.get(portal.authorize_url("openid", &[("login_hint", "bob"), ("prompt", "none")])).await;
    assert!(Answer::of(&silent).has("code"));
}
