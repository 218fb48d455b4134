//! The whole way, through a real browser: sign-in, consent, the demo's steps, taking access back, signing out.

use crate::harness::browser::Browser;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;

/// What a reader finds on the way.
struct Words {
    sign_in: &'static str,
    wants: &'static str,
    signed_in: &'static str,
    apps: &'static str,
    removed: &'static str,
    sessions: &'static str,
    signed_out: &'static str,
}

const ENGLISH: Words = Words {
    sign_in: "to continue to Grantor Demo",
    wants: "Grantor Demo wants access to your account",
    signed_in: "Signed in as Alice Liddell",
    apps: "Apps with access",
    removed: "Grantor Demo no longer has access to your account.",
    sessions: "You are not signed in anywhere else.",
    signed_out: "You are signed out",
};

const GERMAN: Words = Words {
    sign_in: "weiter zu Grantor Demo",
    wants: "Grantor Demo möchte auf Ihr Konto zugreifen",
    signed_in: "Angemeldet als Alice Liddell",
    apps: "Apps mit Zugriff",
    removed: "Grantor Demo hat keinen Zugriff mehr auf Ihr Konto.",
    sessions: "Sie sind sonst nirgends angemeldet.",
    signed_out: "Sie sind abgemeldet",
};

#[tokio::test]
async fn the_whole_way_can_be_walked_in_english() {
    let Some(browser) = Browser::setup().start().await else { return };
    walk(&browser, &ENGLISH).await;
}

#[tokio::test]
async fn the_whole_way_can_be_walked_in_german() {
    let Some(browser) = Browser::setup().language("de").start().await else { return };
    walk(&browser, &GERMAN).await;
}

#[tokio::test]
async fn the_whole_way_can_be_walked_without_scripts() {
    let Some(browser) = Browser::setup().without_scripts().start().await else { return };
    walk(&browser, &ENGLISH).await;
}

#[tokio::test]
async fn the_demo_signs_out_at_the_server_too_and_comes_back() {
    let Some(browser) = Browser::setup().start().await else { return };
    let (server, demo) = Server::start_dev().await;
    sign_in_from_the_demo(&browser, &demo, &ENGLISH).await;
    browser.click("sign-out").await;
    browser.waits_for("#start-title").await;
    assert!(!browser.text().await.contains(ENGLISH.signed_in));
    browser.open(&server.at("/account")).await;
    browser.arrives_at("sign-in").await;
}

#[tokio::test]
async fn a_person_who_says_no_comes_back_without_access() {
    let Some(browser) = Browser::setup().start().await else { return };
    let (_server, demo) = Server::start_dev().await;
    browser.open(&demo).await;
    browser.click("start").await;
    sign_in(&browser).await;
    browser.click("deny").await;
    browser.arrives_at("demo").await;
    assert!(browser.text().await.contains("access_denied"), "{}", browser.text().await);
}

async fn walk(browser: &Browser, words: &Words) {
    let (server, demo) = Server::start_dev().await;
    sign_in_from_the_demo(browser, &demo, words).await;
    try_every_step(browser).await;
    take_access_back(browser, &server, words).await;
    // The access is gone for the app, too.
    browser.open(&demo).await;
    browser.click("call-api").await;
    ended_badly(browser, "api-call").await;
    sign_out(browser, &server, words).await;
}

/// From the demo's start to its page after sign-in, with one tick taken away.
async fn sign_in_from_the_demo(browser: &Browser, demo: &str, words: &Words) {
    browser.open(demo).await;
    browser.arrives_at("demo").await;
    browser.click("start").await;
    browser.arrives_at("sign-in").await;
    assert!(browser.text().await.contains(words.sign_in), "{}", browser.text().await);
    sign_in(browser).await;
    browser.arrives_at("consent").await;
    assert!(browser.text().await.contains(words.wants), "{}", browser.text().await);
    browser.untick("input[value=email]").await;
    browser.click("allow").await;
    browser.arrives_at("demo").await;
    assert!(browser.text().await.contains(words.signed_in), "{}", browser.text().await);
}

async fn sign_in(browser: &Browser) {
    browser.fill("username", ALICE).await;
    browser.fill("password", ALICE_PASSWORD).await;
    browser.click("sign-in").await;
}

/// Each button of the demo once; the API refuses a token that was revoked.
async fn try_every_step(browser: &Browser) {
    let steps = [
        ("userinfo", "userinfo"),
        ("call-api", "api-call"),
        ("introspect", "introspection"),
        ("refresh", "refresh"),
        ("revoke-access", "revocation"),
    ];
    for (button, step) in steps {
        browser.click(button).await;
        ended_well(browser, step).await;
    }
    // The tick for the address was taken away, so nobody tells it.
    assert!(!browser.text().await.contains("alice@example.com"));
    browser.click("call-api").await;
    ended_badly(browser, "api-call").await;
    browser.click("refresh").await;
    ended_well(browser, "refresh").await;
}

async fn ended_well(browser: &Browser, step: &str) {
    browser.waits_for(&format!(".demo-step:last-child[data-step=demo-step-{step}] .demo-state.demo-good")).await;
}

async fn ended_badly(browser: &Browser, step: &str) {
    browser.waits_for(&format!(".demo-step:last-child[data-step=demo-step-{step}] .demo-state.demo-bad")).await;
}

async fn take_access_back(browser: &Browser, server: &Server, words: &Words) {
    browser.open(&server.at("/account")).await;
    browser.click_on("a[href='/account/apps']").await;
    browser.arrives_at("apps").await;
    assert!(browser.text().await.contains(words.apps), "{}", browser.text().await);
    browser.click_on("a[href^='/account/apps/remove']").await;
    browser.arrives_at("app-remove").await;
    browser.click("remove").await;
    browser.waits_for("[role=status]").await;
    assert!(browser.text().await.contains(words.removed), "{}", browser.text().await);
}

async fn sign_out(browser: &Browser, server: &Server, words: &Words) {
    browser.open(&server.at("/account/sessions")).await;
    assert!(browser.text().await.contains(words.sessions), "{}", browser.text().await);
    browser.click("sign-out").await;
    browser.arrives_at("signed-out").await;
    assert!(browser.text().await.contains(words.signed_out), "{}", browser.text().await);
    browser.open(&server.at("/account")).await;
    browser.arrives_at("sign-in").await;
}
