//! By keyboard alone.

use crate::harness::browser::Browser;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;

/// More steps than any page of ours has places for the focus.
const MOST_STEPS: usize = 40;

/// Goes on until the focus is where it should be.
async fn tab_to(browser: &Browser, id: &str) {
    let mut seen = Vec::new();
    for _ in 0..MOST_STEPS {
        let focus = browser.focus().await;
        if focus == id {
            return;
        }
        seen.push(focus);
        browser.tab().await;
    }
    panic!("the keyboard does not reach #{id}: {seen:?}");
}

/// From the demo to the page for consent, by keys.
async fn sign_in(browser: &Browser, demo: &str) {
    browser.open(demo).await;
    tab_to(browser, "start").await;
    browser.enter().await;
    browser.arrives_at("sign-in").await;
    assert_eq!(browser.focus().await, "username", "one can type at once");
    browser.type_text(ALICE).await;
    tab_to(browser, "password").await;
    browser.type_text(ALICE_PASSWORD).await;
    browser.enter().await;
    browser.arrives_at("consent").await;
}

#[tokio::test]
async fn sign_in_and_consent_need_no_mouse() {
    let Some(browser) = Browser::setup().start().await else { return };
    let (_server, demo) = Server::start_dev().await;
    sign_in(&browser, &demo).await;
    let email = browser.attribute("input[value=email]", "id").await.unwrap();
    tab_to(&browser, &email).await;
    browser.space().await;
    tab_to(&browser, "allow").await;
    browser.enter().await;
    browser.arrives_at("demo").await;
    tab_to(&browser, "userinfo").await;
    browser.space().await;
    browser.waits_for(".demo-step:last-child[data-step=demo-step-userinfo] .demo-good").await;
    assert!(!browser.text().await.contains("alice@example.com"), "the tick was taken away by keyboard");
}

#[tokio::test]
async fn enter_in_a_tick_never_allows() {
    let Some(browser) = Browser::setup().start().await else { return };
    let (_server, demo) = Server::start_dev().await;
    sign_in(&browser, &demo).await;
    let email = browser.attribute("input[value=email]", "id").await.unwrap();
    tab_to(&browser, &email).await;
    browser.enter().await;
    browser.arrives_at("demo").await;
    assert!(browser.text().await.contains("access_denied"), "a form's first button is the safe one");
}

#[tokio::test]
async fn saying_no_needs_no_mouse_and_comes_before_saying_yes() {
    let Some(browser) = Browser::setup().start().await else { return };
    let (_server, demo) = Server::start_dev().await;
    sign_in(&browser, &demo).await;
    tab_to(&browser, "deny").await;
    browser.tab().await;
    assert_eq!(browser.focus().await, "allow");
}

#[tokio::test]
async fn after_a_wrong_password_the_focus_is_in_its_field() {
    let Some(browser) = Browser::setup().start().await else { return };
    let server = Server::start().await;
    browser.open(&server.at("/sign-in")).await;
    browser.type_text(ALICE).await;
    tab_to(&browser, "password").await;
    browser.type_text("a wrong password").await;
    browser.enter().await;
    browser.waits_for("[role=alert]").await;
    assert_eq!(browser.focus().await, "password");
    browser.type_text(ALICE_PASSWORD).await;
    browser.enter().await;
    browser.arrives_at("account").await;
}

#[tokio::test]
async fn the_account_begins_with_a_way_past_its_frame() {
    let Some(browser) = Browser::setup().start().await else { return };
    let server = Server::start().await;
    browser.open(&server.at("/sign-in")).await;
    browser.fill("username", ALICE).await;
    browser.fill("password", ALICE_PASSWORD).await;
    browser.click("sign-in").await;
    browser.arrives_at("account").await;
    browser.tab().await;
    browser.enter().await;
    assert_eq!(browser.url().await.fragment(), Some("main"));
}
