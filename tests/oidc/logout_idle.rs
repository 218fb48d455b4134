//! Signing out in a browser in which nobody was for longer than a sign-in lasts unused, while an app went on in it.

use std::time::Duration;

use super::logout::{address, alice, confirm};
use crate::harness::app::{App, Tokens};
use crate::harness::person::Person;
use crate::harness::server::Server;

/// A browser in which nobody was for longer than a sign-in lasts unused, while the app went on.
async fn idle_browser(server: &Server) -> (Person, Tokens) {
    let (person, mut tokens) = alice(server).await;
    for _ in 0..2 {
        server.clock.advance(Duration::from_hours(8));
        tokens = Tokens(App::new(server, "wiki").refresh(tokens.refresh()).await.json());
    }
    (person, tokens)
}

#[tokio::test]
async fn an_app_that_went_on_while_the_browser_was_idle_is_signed_out_too() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let (person, tokens) = idle_browser(&server).await;
    let page = person.get(address(&server, &[("id_token_hint", tokens.id())])).await;
    assert_eq!((page.name().as_str(), page.body.contains("Wiki")), ("signed-out", true), "{}", page.body);
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 401);
    assert_eq!(wiki.refresh(tokens.refresh()).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_page_that_was_left_open_still_signs_out() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let (person, tokens) = alice(&server).await;
    let page = person.open("/account").await;
    server.clock.advance(Duration::from_hours(8));
    let tokens = Tokens(wiki.refresh(tokens.refresh()).await.json());
    server.clock.advance(Duration::from_hours(5));
    assert_eq!(person.send(&page.form(r#"form[action="/sign-out"]"#)).await.name(), "signed-out");
    assert_eq!(wiki.refresh(tokens.refresh()).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn in_an_idle_browser_another_site_cannot_say_yes_either() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let (person, tokens) = idle_browser(&server).await;
    let page = person.get(address(&server, &[])).await;
    let form = page.form(r#"form[action="/sign-out"]"#);
    assert_eq!(person.post_with(&form, &[("origin", "https://evil.example")]).await.status, 403);
    assert_eq!(person.post(&form.with("csrf", "AAAA")).await.status, 403);
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 200);
    assert_eq!(confirm(&person, &page).await.name(), "signed-out");
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 401);
}
