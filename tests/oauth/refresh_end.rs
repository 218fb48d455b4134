//! What ends an app's access, whatever tokens it still holds.

use std::time::Duration;

use crate::harness::app::{App, Tokens};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;

/// Everything that the app holds is worth nothing, for this reason.
async fn is_over(server: &Server, app: &App<'_>, tokens: &Tokens, reason: &str) {
    assert_eq!(app.refresh(tokens.refresh()).await.brief(), "400 invalid_grant");
    assert_eq!(server.reason().await, reason);
    assert_eq!(app.userinfo(tokens.access()).await.status, 401);
    assert_eq!(app.introspect(tokens.access()).await, serde_json::json!({ "active": false }));
    assert_eq!(app.introspect(tokens.refresh()).await, serde_json::json!({ "active": false }));
}

#[tokio::test]
async fn switching_a_person_off_ends_it() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid offline_access").await;
    server.apply("[[users]]\nusername = \"alice\"\ndisabled = true").await;
    is_over(&server, &wiki, &tokens, "GrantEnded").await;
    server.apply("[[users]]\nusername = \"alice\"\ndisabled = false").await;
    is_over(&server, &wiki, &tokens, "GrantEnded").await;
}

#[tokio::test]
async fn another_password_ends_it() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid offline_access").await;
    server.apply("[[users]]\nusername = \"alice\"\npassword = \"a new one that nobody has seen\"").await;
    is_over(&server, &wiki, &tokens, "GrantEnded").await;
}

#[tokio::test]
async fn other_claims_of_a_person_do_not_end_it() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid profile").await;
    server.apply("[[users]]\nusername = \"alice\"\nname = \"Alice L.\"").await;
    let fresh = Tokens(wiki.refresh(tokens.refresh()).await.json());
    assert_eq!(wiki.userinfo(fresh.access()).await.json()["name"], "Alice L.");
}

const WIKI: &str = r#"
[[clients]]
client_id = "wiki"
redirect_uris = ["https://wiki.example/cb"]
grant_types = ["authorization_code", "refresh_token"]
scope = "openid offline_access""#;

#[tokio::test]
async fn switching_an_app_off_ends_it_for_good() {
    let server = Server::start().await;
    let (wiki, api) = (App::new(&server, "wiki"), App::new(&server, "notes-api"));
    let tokens = wiki.tokens("openid offline_access notes.read").await;
    assert_eq!(api.introspect(tokens.access()).await["active"], true);
    server.apply(&format!("{WIKI}\ndisabled = true")).await;
    assert_eq!(wiki.refresh(tokens.refresh()).await.brief(), "401 invalid_client");
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 401);
    assert_eq!(api.introspect(tokens.access()).await, serde_json::json!({ "active": false }));
    server.apply(&format!("{WIKI}\ndisabled = false")).await;
    is_over(&server, &wiki, &tokens, "GrantEnded").await;
}

#[tokio::test]
async fn a_scope_that_is_taken_from_an_app_is_not_given_any_more() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid notes.read offline_access").await;
    server.apply(WIKI).await;
    let fresh = Tokens(wiki.refresh(tokens.refresh()).await.json());
    assert_eq!(fresh.0["scope"], "offline_access openid");
    server.apply(&WIKI.replace("openid offline_access", "email")).await;
    assert_eq!(wiki.refresh(fresh.refresh()).await.brief(), "400 invalid_grant");
}

#[tokio::test]
async fn taking_the_access_back_in_the_account_ends_it_and_asks_again() {
    let server = Server::start().await;
    let (wiki, chat, person) = (App::new(&server, "wiki"), App::new(&server, "chat"), Person::new(&server));
    let tokens = Tokens(wiki.redeem(&wiki.approved_by(&person, "openid").await.param("code")).await.json());
    let others = Tokens(chat.redeem(&chat.approved_by(&person, "openid").await.param("code")).await.json());
    let page = person.open("/account/apps/remove?app=wiki").await;
    person.send(&page.form(r#"form[action="/account/apps/remove"]"#)).await;
    assert_eq!(server.reason().await, "revoked_by_user");
    is_over(&server, &wiki, &tokens, "GrantEnded").await;
    assert_eq!(wiki.asks(&person, "openid", &[]).await.name(), "consent");
    assert_eq!(chat.refresh(others.refresh()).await.status, 200, "another app keeps its own");
}

#[tokio::test]
async fn signing_out_ends_it_except_for_apps_that_were_allowed_more() {
    let server = Server::start().await;
    let (wiki, chat, person) = (App::new(&server, "wiki"), App::new(&server, "chat"), Person::new(&server));
    let online = Tokens(wiki.redeem(&wiki.approved_by(&person, "openid").await.param("code")).await.json());
    let offline =
        Tokens(chat.redeem(&chat.approved_by(&person, "openid offline_access").await.param("code")).await.json());
    let page = person.open("/account").await;
    person.send(&page.form(r#"form[action="/sign-out"]"#)).await;
    is_over(&server, &wiki, &online, "GrantEnded").await;
    assert_eq!(chat.refresh(offline.refresh()).await.status, 200, "offline_access is for when nobody is there");
}

// The key of a code's replay, of revocation and of reuse have stories of their own; here, that nothing comes back.
#[tokio::test]
async fn a_new_approval_brings_no_old_token_back() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let old = Tokens(wiki.redeem(&wiki.approved_by(&person, "openid").await.param("code")).await.json());
    wiki.revoke(old.refresh()).await;
    server.clock.advance(Duration::from_secs(1));
    let new = Tokens(wiki.redeem(&wiki.approved_by(&person, "openid").await.param("code")).await.json());
    is_over(&server, &wiki, &old, "GrantEnded").await;
    assert_eq!(wiki.userinfo(new.access()).await.status, 200);
}

#[tokio::test]
async fn an_idle_sign_in_does_not_end_what_the_app_keeps() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let tokens =
        Tokens(wiki.redeem(&wiki.approved_by(&person, "openid offline_access").await.param("code")).await.json());
    server.clock.advance(Duration::from_hours(24 * 8));
    let page = wiki.asks(&person, "openid offline_access", &[]).await;
    assert_eq!(page.name(), "sign-in");
    assert_eq!(wiki.refresh(tokens.refresh()).await.status, 200);
    assert_eq!(
        person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await.location().unwrap().host_str(),
        Some("wiki.example")
    );
}
