//! The way through an upstream in a real browser, by pages that shut nobody out.

use super::with;
use crate::harness::browser::Browser;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, SECRET};
use crate::harness::server::Server;
use crate::harness::tls;
use crate::pages::looks::look;

/// A server in plain HTTP, so that its cookies are not those of the upstream on the same machine.
async fn two() -> (Server, Server) {
    let upstream = Server::start_with(tls::speaking).await;
    let server = Server::start_with(tls::trusting).await;
    upstream
        .apply(&format!(
            "[[clients]]\nclient_id = \"below\"\nclient_secret = \"{SECRET}\"\nclient_name = \"Below\"\napplication_type = \"native\"\n\
             redirect_uris = [\"{}/upstreams/corp/callback\"]\nscope = \"openid profile email\"\n",
            server.url
        ))
        .await;
    server
        .apply(&format!(
            "[[upstreams]]\nname = \"corp\"\ndisplay_name = \"Corp\"\nkind = \"oidc\"\nissuer = \"{}\"\nclient_id = \"below\"\n\
             client_secret = \"{SECRET}\"\n",
            upstream.url
        ))
        .await;
    (server, upstream)
}

async fn sign_in(browser: &Browser) {
    browser.arrives_at("sign-in").await;
    browser.fill("username", ALICE).await;
    browser.fill("password", ALICE_PASSWORD).await;
    browser.click("sign-in").await;
}

async fn walk(browser: &Browser, looked_at: bool) {
    let (server, _upstream) = two().await;
    let seen =
        async |page: &str| if looked_at { look(browser, page, page).await } else { browser.arrives_at(page).await };
    browser.open(&server.at("/sign-in")).await;
    browser.size(360, 640).await;
    browser.click_on(r#"form[action="/upstreams/corp/start"] button"#).await;
    sign_in(browser).await;
    browser.arrives_at("consent").await;
    browser.click_on("button[value=allow]").await;
    seen("upstream-unlinked").await;
    browser.click("prove").await;
    if looked_at {
        look(browser, "sign-in", "sign-in-link").await;
    }
    sign_in(browser).await;
    seen("upstream-link").await;
    browser.click("link").await;
    browser.arrives_at("account").await;
    browser.open(&server.at("/account/sign-in-ways")).await;
    seen("sign-in-ways").await;
    browser.click_on(".row-actions a").await;
    seen("sign-in-way-unlink").await;
    browser.click("unlink").await;
    browser.arrives_at("sign-in-ways").await;
    browser.open(&server.at("/upstreams/corp/callback?code=x&state=y")).await;
    seen("upstream-failed").await;
}

#[tokio::test]
async fn a_person_walks_through_an_upstream_and_links_the_account() {
    let Some(browser) = Browser::setup().with_any_certificate().start().await else { return };
    walk(&browser, true).await;
}

#[tokio::test]
async fn no_script_is_needed_on_the_way() {
    let Some(browser) = Browser::setup().with_any_certificate().without_scripts().start().await else { return };
    walk(&browser, false).await;
}

#[tokio::test]
async fn other_ways_are_on_the_first_screen_of_a_phone() {
    let Some(browser) = Browser::setup().start().await else { return };
    let (server, _fake) = with("").await;
    browser.size(360, 640).await;
    browser.open(&crate::harness::app::App::new(&server, "wiki").authorize_url("openid", &[])).await;
    browser.arrives_at("sign-in").await;
    assert!(browser.in_view("sign-in").await && browser.in_view("way-corp").await);
    look(&browser, "sign-in", "sign-in-upstream").await;
}
