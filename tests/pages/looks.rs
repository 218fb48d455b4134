//! Each page as people see it: in light and dark, on a phone and on a desk. Pictures lie in `target/screens/pages`.

use grantor_core::change::Change;
use grantor_core::notice::{News, Notice, TokenNamed};
use grantor_core::store::Store;
use grantor_core::time::Time;
use grantor_jose::id::Id;
use serde_json::json;

use crate::harness::app::App;
use crate::harness::browser::Browser;
use crate::harness::person::Person;
use crate::harness::registrar::{Registrar, metadata_with};
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;
use crate::oidc::registration::open;

const TYPICAL: &str = "openid profile email offline_access notes.read";

/// No one is shut out, nothing runs off the side, and a picture of each look.
pub async fn look(browser: &Browser, page: &str, name: &str) {
    browser.arrives_at(page).await;
    for scheme in ["light", "dark"] {
        match scheme {
            "dark" => browser.dark().await,
            _ => browser.light().await,
        }
        for width in [360, 1440] {
            browser.size(width, if width == 360 { 640 } else { 900 }).await;
            browser.screenshot(&format!("pages/{name}-{scheme}-{width}")).await;
            assert_eq!(browser.axe().await, [], "{name}, {scheme}, {width}");
            assert!(!browser.scrolls_sideways().await, "{name}, {scheme}, {width} runs off the side");
        }
    }
}

async fn sign_in(browser: &Browser) {
    browser.fill("username", ALICE).await;
    browser.fill("password", ALICE_PASSWORD).await;
    browser.click("sign-in").await;
}

#[tokio::test]
async fn the_way_to_an_app_shuts_nobody_out() {
    let Some(browser) = Browser::setup().start().await else { return };
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    browser.open(&wiki.authorize_url(TYPICAL, &[])).await;
    look(&browser, "sign-in", "sign-in").await;
    browser.fill("username", ALICE).await;
    browser.fill("password", "a wrong password").await;
    browser.click("sign-in").await;
    browser.waits_for("[role=alert]").await;
    look(&browser, "sign-in", "sign-in-wrong").await;
    sign_in(&browser).await;
    look(&browser, "consent", "consent").await;
    browser.open(&wiki.authorize_url(TYPICAL, &[("prompt", "select_account")])).await;
    look(&browser, "select-account", "select-account").await;
    browser.block("*submit.js*").await;
    let portal = App::new(&server, "portal");
    browser.open(&portal.authorize_url("openid", &[("response_mode", "form_post")])).await;
    look(&browser, "form-post", "form-post").await;
}

#[tokio::test]
async fn an_app_that_nobody_has_checked_shuts_nobody_out() {
    let Some(browser) = Browser::setup().start().await else { return };
    let server = open().await;
    let said = metadata_with(json!({
        "client_uri": "https://notebook.example/", "policy_uri": "https://notebook.example/privacy",
        "tos_uri": "https://terms.example/notebook", "contacts": ["ops@notebook.example"],
    }));
    let notebook = App::registered(&server, &Registrar::new(&server).registered(&said).await);
    browser.open(&notebook.authorize_url("openid profile email", &[])).await;
    look(&browser, "sign-in", "sign-in-unchecked").await;
    sign_in(&browser).await;
    look(&browser, "consent", "consent-unchecked").await;
    notebook.approved_by(&Person::new(&server), "openid").await;
    browser.open(&notebook.authorize_url("openid", &[("prompt", "select_account")])).await;
    look(&browser, "select-account", "select-account-unchecked").await;
    browser.open(&notebook.authorize_url("openid", &[("redirect_uri", "https://notebook.example/other")])).await;
    look(&browser, "error", "error-unchecked").await;
    browser.open(&server.at("/account/apps")).await;
    look(&browser, "apps", "apps-unchecked").await;
}

#[tokio::test]
async fn the_account_shuts_nobody_out() {
    let Some(browser) = Browser::setup().start().await else { return };
    let server = Server::start().await;
    browser.open(&server.at("/")).await;
    look(&browser, "home", "home").await;
    let elsewhere = [Person::new(&server), Person::new(&server)];
    for (person, app) in elsewhere.iter().zip(["wiki", "chat"]) {
        let app = App::new(&server, app);
        let tokens = app.tokens_with(person, "openid profile offline_access", &[]).await;
        app.userinfo(tokens.access()).await;
    }
    server.app.keep_uses().await.unwrap();
    browser.open(&server.at("/sign-in")).await;
    sign_in(&browser).await;
    look(&browser, "account", "account").await;
    browser.open(&server.at("/account/apps")).await;
    look(&browser, "apps", "apps").await;
    browser.click_on("summary").await;
    look(&browser, "apps", "apps-used").await;
    browser.click_on("a[href^='/account/apps/remove']").await;
    look(&browser, "app-remove", "app-remove").await;
    browser.click("remove").await;
    browser.waits_for("[role=status]").await;
    look(&browser, "apps", "apps-removed").await;
    browser.open(&server.at("/account/sessions")).await;
    look(&browser, "sessions", "sessions").await;
    browser.open(&server.at("/end-session")).await;
    look(&browser, "end-session", "end-session").await;
    browser.click("sign-out").await;
    look(&browser, "signed-out", "signed-out").await;
}

#[tokio::test]
async fn the_tokens_shut_nobody_out() {
    let Some(browser) = Browser::setup().start().await else { return };
    let server = Server::start().await;
    browser.open(&server.at("/sign-in")).await;
    sign_in(&browser).await;
    browser.open(&server.at("/account/tokens")).await;
    look(&browser, "tokens", "tokens-none").await;
    browser.click("make").await;
    look(&browser, "token-new", "token-new").await;
    browser.fill("name", "Backup on the office server").await;
    browser.click("make").await;
    browser.waits_for("[role=alert]").await;
    look(&browser, "token-new", "token-new-wrong").await;
    browser.tick("#scope-1-1").await;
    browser.fill("networks", "192.0.2.0/24").await;
    browser.click("make").await;
    look(&browser, "token-made", "token-made").await;
    let token = browser.attribute("#token", "value").await.unwrap();
    browser.click("done").await;
    look(&browser, "tokens", "tokens").await;
    App::new(&server, "notes-api").introspect_with(&token, &[("client_address", "192.0.2.7")]).await;
    server.app.keep_uses().await.unwrap();
    browser.open(&server.at("/account/tokens")).await;
    browser.click_on("summary").await;
    look(&browser, "tokens", "tokens-used").await;
    browser.click_on("a[href^='/account/tokens/rotate']").await;
    look(&browser, "token-rotate", "token-rotate").await;
    browser.open(&server.at("/account/tokens")).await;
    browser.click_on("a[href^='/account/tokens/revoke']").await;
    look(&browser, "token-revoke", "token-revoke").await;
}

#[tokio::test]
async fn errors_shut_nobody_out() {
    let Some(browser) = Browser::setup().start().await else { return };
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    browser.open(&wiki.authorize_url(TYPICAL, &[("redirect_uri", "https://wiki.example/cb/")])).await;
    look(&browser, "error", "refusal").await;
    browser.click_on("summary").await;
    look(&browser, "error", "refusal-open").await;
    browser.open(&wiki.authorize_url(TYPICAL, &[("client_id", "nobody")])).await;
    look(&browser, "error", "refusal-unknown").await;
    browser.open(&server.at("/nothing")).await;
    look(&browser, "not-found", "not-found").await;
}

#[tokio::test]
async fn the_demo_shuts_nobody_out() {
    let Some(browser) = Browser::setup().start().await else { return };
    let (_server, demo) = Server::start_dev().await;
    browser.open(&demo).await;
    look(&browser, "demo", "demo-before").await;
    browser.click("start").await;
    sign_in(&browser).await;
    look(&browser, "consent", "demo-consent").await;
    browser.click("allow").await;
    browser.click("userinfo").await;
    browser.waits_for(".demo-step:last-child[data-step=demo-step-userinfo]").await;
    look(&browser, "demo", "demo-after").await;
}

#[tokio::test]
async fn notices_and_mails_shut_nobody_out() {
    let Some(browser) = Browser::setup().start().await else { return };
    let (server, demo) = Server::start_dev().await;
    browser.open(&format!("{demo}/mails")).await;
    look(&browser, "demo-mails", "demo-mails-none").await;
    browser.open(&server.at("/sign-in")).await;
    sign_in(&browser).await;
    let user = server.database.user_find_by_username(ALICE).await.unwrap().unwrap();
    server.database.commit(notices(user.id, server.clock.read())).await.unwrap();
    browser.open(&server.at("/account")).await;
    look(&browser, "account", "account-notices").await;
    while server.database.outbox_waiting(None).await.unwrap().messages > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    browser.open(&format!("{demo}/mails")).await;
    look(&browser, "demo-mails", "demo-mails").await;
    browser.click_on("a[href='/mails/1']").await;
    look(&browser, "demo-mail", "demo-mail").await;
    browser.open(&server.at("/account")).await;
    browser.click_on("form[action='/account/notices'] button").await;
    browser.arrives_at("account").await;
}

/// A few, one of them alarming.
fn notices(user_id: Id, at: Time) -> Vec<Change> {
    let token = || TokenNamed { name: "Backup on the office server".into(), hint: "gtr_pat_0BxVq7aY2Lk".into() };
    let news = [
        News::TokenUsedElsewhere { token: token(), address: "2001:db8:1f:22::7".into() },
        News::TokenLeaked { token: token(), place: "https://git.example/team/tools/src/main.rs".into() },
    ];
    let notice = |(place, news)| Notice { id: Id::from_i64(user_id.as_i64() + place), user_id, at, news };
    (1..).zip(news).map(notice).map(|notice| Change::NoticeInsert(Box::new(notice))).collect()
}

#[tokio::test]
async fn german_fits_too() {
    let Some(browser) = Browser::setup().language("de").start().await else { return };
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    browser.open(&wiki.authorize_url(TYPICAL, &[])).await;
    look(&browser, "sign-in", "sign-in-german").await;
    sign_in(&browser).await;
    look(&browser, "consent", "consent-german").await;
    browser.open(&server.at("/account/sessions")).await;
    look(&browser, "sessions", "sessions-german").await;
}

#[tokio::test]
async fn both_answers_are_seen_on_a_phone_without_scrolling() {
    let Some(browser) = Browser::setup().start().await else { return };
    let server = Server::start().await;
    browser.size(360, 640).await;
    browser.open(&App::new(&server, "wiki").authorize_url(TYPICAL, &[])).await;
    assert!(browser.in_view("username").await && browser.in_view("password").await && browser.in_view("sign-in").await);
    sign_in(&browser).await;
    browser.arrives_at("consent").await;
    assert!(browser.in_view("deny").await, "Don’t allow");
    assert!(browser.in_view("allow").await, "Allow");
}

#[tokio::test]
async fn the_longest_and_strangest_names_leave_both_answers_in_view() {
    let Some(browser) = Browser::setup().start().await else { return };
    let server = Server::start().await;
    server.apply(STRANGE).await;
    let mut app = App::new(&server, "wiki");
    browser.size(360, 640).await;
    for (number, client_id) in ["long", "unbroken", "turned", "picture"].into_iter().enumerate() {
        app.client_id = client_id.into();
        browser.open(&app.authorize_url("openid profile email", &[])).await;
        if number == 0 {
            sign_in(&browser).await;
        }
        browser.arrives_at("consent").await;
        browser.screenshot(&format!("pages/name-{client_id}-light-360")).await;
        assert!(browser.in_view("deny").await && browser.in_view("allow").await, "{client_id}");
        assert!(!browser.scrolls_sideways().await, "{client_id}");
    }
}

const STRANGE: &str = r#"
[[clients]]
client_id = "long"
client_name = "The Collaborative Notebook of the Society for the Improvement of Useful Knowledge"
token_endpoint_auth_method = "none"
redirect_uris = ["https://wiki.example/cb"]
grant_types = ["authorization_code"]
scope = "openid profile email"

[[clients]]
client_id = "unbroken"
client_name = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
token_endpoint_auth_method = "none"
redirect_uris = ["https://wiki.example/cb"]
grant_types = ["authorization_code"]
scope = "openid profile email"

[[clients]]
client_id = "turned"
client_name = "دفتر الملاحظات المشترك"
token_endpoint_auth_method = "none"
redirect_uris = ["https://wiki.example/cb"]
grant_types = ["authorization_code"]
scope = "openid profile email"

[[clients]]
client_id = "picture"
client_name = "🦊 Notes 📒"
token_endpoint_auth_method = "none"
redirect_uris = ["https://wiki.example/cb"]
grant_types = ["authorization_code"]
scope = "openid profile email"
"#;

#[tokio::test]
async fn the_last_tick_is_not_hidden_behind_the_answers() {
    let Some(browser) = Browser::setup().start().await else { return };
    let server = Server::start().await;
    browser.size(360, 640).await;
    browser
        .open(
            &App::new(&server, "wiki")
                .authorize_url("openid profile email groups offline_access notes.read notes.write", &[]),
        )
        .await;
    sign_in(&browser).await;
    let last = browser.attribute("input[value='notes.write']", "id").await.unwrap();
    browser.untick("input[value='notes.write']").await;
    assert!(browser.in_view(&last).await, "what is clicked is seen");
    assert!(browser.in_view("allow").await && browser.in_view("deny").await);
}

#[tokio::test]
async fn the_show_button_shows_the_password_and_is_not_there_without_scripts() {
    let server = Server::start().await;
    let Some(browser) = Browser::setup().start().await else { return };
    browser.open(&server.at("/sign-in")).await;
    browser.click("show-password").await;
    assert_eq!(browser.attribute("#password", "type").await.as_deref(), Some("text"));
    let Some(plain) = Browser::setup().without_scripts().start().await else { return };
    plain.open(&server.at("/sign-in")).await;
    assert!(plain.has("#show-password[hidden]").await);
}

#[tokio::test]
async fn going_back_after_signing_in_leads_on() {
    let Some(browser) = Browser::setup().start().await else { return };
    let (_server, demo) = Server::start_dev().await;
    browser.open(&demo).await;
    browser.click("start").await;
    sign_in(&browser).await;
    browser.back().await;
    browser.arrives_at("consent").await;
    browser.click("allow").await;
    browser.arrives_at("demo").await;
    assert!(browser.text().await.contains("Signed in as Alice Liddell"));
}

#[tokio::test]
async fn making_an_account_shuts_nobody_out() {
    let Some(browser) = Browser::setup().start().await else { return };
    let server = Server::start_with(|config| config.sign_in.self_registration = true).await;
    let wiki = App::new(&server, "wiki");
    browser.open(&wiki.authorize_url(TYPICAL, &[])).await;
    look(&browser, "sign-in", "sign-in-new-here").await;
    browser.click("sign-up").await;
    look(&browser, "sign-up", "sign-up").await;
    browser.fill("username", ALICE).await;
    browser.fill("password", "teekanne unter dem sofa").await;
    browser.click("sign-up").await;
    browser.waits_for("[role=alert]").await;
    look(&browser, "sign-up", "sign-up-taken").await;
}
