//! Several accounts in one browser, in a real one: chosen with the mouse and with the keyboard, and signed out together.

use super::looks::look;
use crate::harness::app::App;
use crate::harness::browser::Browser;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD};
use crate::harness::server::Server;

async fn sign_in(browser: &Browser, username: &str, password: &str) {
    browser.arrives_at("sign-in").await;
    browser.fill("username", username).await;
    browser.fill("password", password).await;
    browser.click("sign-in").await;
}

async fn walk(browser: &Browser, looked_at: bool) {
    let server = Server::start().await;
    let seen = async |page: &str, name: &str| {
        if looked_at { look(browser, page, name).await } else { browser.arrives_at(page).await }
    };
    browser.open(&server.at("/account")).await;
    sign_in(browser, ALICE, ALICE_PASSWORD).await;
    browser.click("switch").await;
    browser.click("another").await;
    sign_in(browser, BOB, BOB_PASSWORD).await;
    seen("account", "account-several").await;
    let wiki = App::new(&server, "wiki");
    browser.open(&wiki.authorize_url("openid profile", &[("prompt", "select_account")])).await;
    seen("select-account", "select-account-two").await;
    browser.click("account-1").await;
    browser.arrives_at("consent").await;
    assert!(browser.text().await.contains("Alice Liddell"), "{}", browser.text().await);
    browser.open(&server.at("/end-session")).await;
    seen("end-session", "end-session-two").await;
    browser.click("sign-out").await;
    seen("signed-out", "signed-out-left").await;
    browser.click("choose").await;
    seen("select-account", "select-account-nobody").await;
    browser.click("account-1").await;
    browser.arrives_at("account").await;
    browser.click("sign-out").await;
    browser.arrives_at("signed-out").await;
    browser.open(&server.at("/account")).await;
    browser.arrives_at("sign-in").await;
}

#[tokio::test]
async fn two_accounts_in_one_browser_shut_nobody_out() {
    let Some(browser) = Browser::setup().start().await else { return };
    walk(&browser, true).await;
}

#[tokio::test]
async fn they_need_no_scripts() {
    let Some(browser) = Browser::setup().without_scripts().start().await else { return };
    walk(&browser, false).await;
}

#[tokio::test]
async fn an_account_is_chosen_with_the_keyboard_alone() {
    let Some(browser) = Browser::setup().start().await else { return };
    let server = Server::start().await;
    browser.open(&server.at("/account")).await;
    sign_in(&browser, ALICE, ALICE_PASSWORD).await;
    browser.click("switch").await;
    browser.click("another").await;
    sign_in(&browser, BOB, BOB_PASSWORD).await;
    browser.arrives_at("account").await;
    browser.open(&server.at("/select-account")).await;
    browser.arrives_at("select-account").await;
    for _ in 0..12 {
        if browser.focus().await == "account-1" {
            break;
        }
        browser.tab().await;
    }
    assert_eq!(browser.focus().await, "account-1");
    browser.enter().await;
    browser.arrives_at("account").await;
    assert!(browser.text().await.contains("Alice Liddell"));
}

#[tokio::test]
async fn a_new_account_says_whom_it_signs_out_and_is_made_beside_them() {
    let Some(browser) = Browser::setup().start().await else { return };
    let server = Server::start_with(|config| config.sign_in.self_registration = true).await;
    browser.open(&server.at("/account")).await;
    sign_in(&browser, ALICE, ALICE_PASSWORD).await;
    browser.arrives_at("account").await;
    browser.open(&server.at("/sign-up")).await;
    look(&browser, "sign-up", "sign-up-over").await;
    browser.click("beside").await;
    browser.waits_for("input[name=beside]").await;
    browser.fill("username", "grace").await;
    browser.fill("password", "teekanne unter dem sofa").await;
    browser.click("sign-up").await;
    browser.arrives_at("account").await;
    browser.click("switch").await;
    browser.arrives_at("select-account").await;
    assert!(browser.text().await.contains("Alice Liddell"), "{}", browser.text().await);
}
