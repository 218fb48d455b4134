//! The pages of the second factor as people see them: set up on the way to an app, shown once, asked for.

use std::time::Duration;

use grantor_identity::totp::TotpKey;

use super::looks::look;
use crate::harness::app::App;
use crate::harness::authenticator::Authenticator;
use crate::harness::browser::Browser;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;

const ESSENTIAL: &str = r#"{"id_token":{"acr":{"essential":true,"value":"urn:grantor:acr:two-factors"}}}"#;

async fn sign_in(browser: &Browser) {
    browser.fill("username", ALICE).await;
    browser.fill("password", ALICE_PASSWORD).await;
    browser.click("sign-in").await;
}

/// The key that the page of an app to be set up has in its link.
async fn key(browser: &Browser) -> TotpKey {
    let link = browser.attribute("#link", "href").await.unwrap();
    let (_, rest) = link.split_once("secret=").unwrap();
    TotpKey::parse(rest.split('&').next().unwrap()).unwrap()
}

#[tokio::test]
async fn whom_an_app_asks_for_more_sets_it_up_and_goes_on() {
    let Some(browser) = Browser::setup().start().await else { return };
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    browser.open(&wiki.authorize_url("openid profile", &[("claims", ESSENTIAL)])).await;
    sign_in(&browser).await;
    look(&browser, "sign-in-more", "sign-in-more").await;
    browser.click("set-up").await;
    look(&browser, "second-factor", "second-factor-new").await;
    let key = key(&browser).await;
    let code = || key.code_at(server.clock.read().seconds()).to_string();
    browser.fill("code", &code()).await;
    browser.click("confirm").await;
    look(&browser, "recovery-codes", "recovery-codes").await;
    browser.click("done").await;
    browser.arrives_at("consent").await;
    browser.open(&server.at("/account/second-factor")).await;
    look(&browser, "second-factor", "second-factor").await;
    browser.open(&server.at("/end-session")).await;
    browser.click("sign-out").await;
    browser.arrives_at("signed-out").await;
    server.clock.advance(Duration::from_mins(1));
    browser.open(&server.at("/sign-in")).await;
    sign_in(&browser).await;
    look(&browser, "sign-in-code", "sign-in-code").await;
    browser.click("use-recovery").await;
    look(&browser, "sign-in-code", "sign-in-code-recovery").await;
    browser.fill("code", "aaaa-aaaa-aaaa-aaaa").await;
    browser.click("sign-in").await;
    browser.waits_for("[role=alert]").await;
    look(&browser, "sign-in-code", "sign-in-code-wrong").await;
    browser.open(&server.at("/sign-in")).await;
    sign_in(&browser).await;
    browser.arrives_at("sign-in-code").await;
    browser.fill("code", &code()).await;
    browser.click("sign-in").await;
    browser.arrives_at("account").await;
}

#[tokio::test]
async fn who_leaves_a_mere_wish_goes_on_without_the_code() {
    let Some(browser) = Browser::setup().start().await else { return };
    let server = Server::start().await;
    let (wiki, elsewhere) = (App::new(&server, "wiki"), Person::new(&server));
    browser.open(&server.at("/sign-in")).await;
    sign_in(&browser).await;
    browser.arrives_at("account").await;
    elsewhere.sign_in().await;
    Authenticator::set_up(&server, &elsewhere).await;
    browser.open(&wiki.authorize_url("openid profile", &[("acr_values", "urn:grantor:acr:two-factors")])).await;
    look(&browser, "sign-in-code", "sign-in-code-wish").await;
    browser.click("decline").await;
    browser.arrives_at("consent").await;
}
