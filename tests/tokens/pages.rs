//! The account's pages for personal access tokens: made, shown once, given a new secret, revoked.

use std::time::Duration;

use serde_json::json;

use super::{alice, form, id_of, shown, token};
use crate::harness::app::App;
use crate::harness::browser::Browser;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD};
use crate::harness::server::Server;

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn a_token_is_made_in_the_account_and_an_api_takes_it() {
    let server = Server::start().await;
    let person = alice(&server).await;
    assert!(person.open("/account/tokens").await.text().contains("You have no tokens."));
    let token = token(&person, &["notes.read"]).await;
    let told = App::new(&server, "notes-api").introspect(&token).await;
    let now = server.clock.read().seconds();
    let expected = json!({
        "active": true, "scope": "notes.read", "username": "alice", "sub": told["sub"], "token_type": "Bearer",
        "token_kind": "personal_access_token", "exp": now + 30 * 86400, "iat": now,
        "aud": ["https://notes.example/api"], "iss": server.url, "jti": id_of(&token),
    });
    assert_eq!(told, expected);
    let text = person.open("/account/tokens").await.text();
    for words in ["Backup script", &format!("gtr_pat_{}…", id_of(&token)), "Read your notes", "not used yet"] {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert!(!text.contains(&token), "the token is shown once");
}

#[tokio::test]
async fn the_list_tells_when_and_from_where_a_token_was_last_used() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let token = token(&person, &["notes.read"]).await;
    App::new(&server, "notes-api").introspect_with(&token, &[("client_address", "::ffff:192.0.2.7")]).await;
    server.app.keep_uses().await.unwrap();
    let text = person.open("/account/tokens").await.text();
    assert!(text.contains("last used just now , from 192.0.2.7"), "{text}");
}

#[tokio::test]
async fn a_form_that_is_sent_twice_makes_one_token() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let form = form(&person).await.ticked("scope", "notes.read");
    let (first, second) = tokio::join!(person.send(&form), person.send(&form));
    let again = person.send(&form).await;
    assert_eq!((shown(&first), shown(&first)), (shown(&second), shown(&again)));
    let page = person.open("/account/tokens").await;
    assert_eq!(page.body.matches("Backup script").count() / 3, 1, "{}", page.body);
    person.send(&revoke(&person, &shown(&first)).await).await;
    let page = person.send(&form).await;
    assert_eq!((page.status.as_u16(), page.name()), (422, "token-new".to_owned()));
    assert!(page.text().contains("was sent before"), "{}", page.text());
}

async fn revoke(person: &Person, token: &str) -> crate::harness::page::Form {
    let page = person.open(format!("/account/tokens/revoke?token={}", id_of(token))).await;
    page.form(r#"form[action="/account/tokens/revoke"]"#)
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once() {
    let server = Server::start().await;
    let (person, api) = (alice(&server).await, App::new(&server, "notes-api"));
    let token = token(&person, &["notes.read"]).await;
    let form = revoke(&person, &token).await;
    assert_eq!(api.introspect(&token).await["active"], json!(true), "asking alone changes nothing");
    for _ in 0..2 {
        let page = person.send(&form).await;
        assert!(page.text().contains("Backup script is revoked."), "{}", page.text());
    }
    assert_eq!(api.introspect(&token).await, json!({ "active": false }));
    let events = server.events().await;
    let kinds: Vec<&str> =
        events.iter().map(|event| event.kind.as_str()).filter(|kind| kind.starts_with("api_")).collect();
    assert_eq!(kinds, ["api_token_ended", "api_token_issued"], "the second click changes nothing");
}

#[tokio::test]
async fn a_new_secret_leaves_the_old_one_for_a_day() {
    let server = Server::start().await;
    let (person, api) = (alice(&server).await, App::new(&server, "notes-api"));
    let old = token(&person, &["notes.read"]).await;
    server.clock.advance(Duration::from_hours(1));
    let page = person.open(format!("/account/tokens/rotate?token={}", id_of(&old))).await;
    assert!(page.text().contains("The old one still works for 24 hours"), "{}", page.text());
    let form = page.form(r#"form[action="/account/tokens/rotate"]"#);
    let new = shown(&person.send(&form).await);
    assert_eq!(shown(&person.send(&form).await), new, "the form sent twice shows the same");
    assert_eq!((id_of(&new), new == old), (id_of(&old), false));
    for token in [&old, &new] {
        assert_eq!(api.introspect(token).await["active"], json!(true));
    }
    server.clock.advance(DAY);
    assert_eq!(api.introspect(&old).await, json!({ "active": false }));
    assert_eq!(api.introspect(&new).await["active"], json!(true));
    server.clock.advance(30 * DAY);
    assert_eq!(api.introspect(&new).await, json!({ "active": false }));
}

#[tokio::test]
async fn a_secret_that_is_replaced_ends_no_later_than_it_would_have() {
    let server = Server::start().await;
    let (person, api) = (alice(&server).await, App::new(&server, "notes-api"));
    let old = token(&person, &["notes.read"]).await;
    server.clock.advance(Duration::from_hours(30 * 24 - 2));
    person.sign_in().await;
    let page = person.open(format!("/account/tokens/rotate?token={}", id_of(&old))).await;
    assert!(page.text().contains("The old one still works for 2 hours"), "{}", page.text());
    let new = shown(&person.send(&page.form(r#"form[action="/account/tokens/rotate"]"#)).await);
    assert_eq!(api.introspect(&old).await["active"], json!(true));
    server.clock.advance(Duration::from_hours(2));
    assert_eq!(api.introspect(&old).await, json!({ "active": false }));
    assert_eq!(api.introspect(&new).await["active"], json!(true));
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_said_and_nothing_is_lost() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let right = form(&person).await.ticked("scope", "notes.read").with("networks", "192.0.2.0/24");
    let cases = [
        (right.clone().with("name", " "), "Give the token a name"),
        (right.clone().with("networks", "192.0.2/24"), "A network is written like"),
        (right.clone().unticked("scope", "notes.read"), "Tick at least one thing"),
        (right.clone().ticked("scope", "admin"), "You cannot give all of what is ticked"),
        (right.clone().ticked("scope", "\u{202e}"), "You cannot give all of what is ticked"),
        (right.clone().with("days", "9999"), "A token cannot live that long"),
        (right.clone().with("days", "-1"), "A token cannot live that long"),
        (right.clone().with("draft", "gtr_dr_x"), "Here is a new one"),
        (right.clone().with("resource", "https://evil.example"), "does not fit the one API"),
    ];
    for (form, words) in cases {
        let page = person.send(&form).await;
        assert_eq!((page.status.as_u16(), page.name()), (422, "token-new".to_owned()), "{words}");
        assert!(page.has("[role=alert]") && page.text().contains(words), "{words}: {}", page.text());
    }
    let page = person.send(&right.clone().with("name", " ")).await;
    let again = page.form(r#"form[action="/account/tokens/new"]"#).with("name", "Backup script");
    assert!(again.fields.contains(&("networks".into(), "192.0.2.0/24".into())), "{:?}", again.fields);
    shown(&person.send(&again).await);
}

#[tokio::test]
async fn nobody_reaches_the_tokens_of_others() {
    let server = Server::start().await;
    let (person, bob) = (alice(&server).await, Person::new(&server));
    let token = token(&person, &["notes.read"]).await;
    let page = bob.open("/sign-in").await;
    bob.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    assert!(!bob.open("/account/tokens").await.text().contains("Backup script"));
    for path in ["revoke", "rotate"] {
        let page = bob.open(format!("/account/tokens/{path}?token={}", id_of(&token))).await;
        assert_eq!(page.name(), "tokens", "{path}");
    }
    let own = super::token(&bob, &["notes.read"]).await;
    let form = revoke(&bob, &own).await.with("token", &id_of(&token));
    bob.send(&form).await;
    assert_eq!(App::new(&server, "notes-api").introspect(&token).await["active"], json!(true));
    // Nor does a draft of somebody else's token show it.
    let stolen = super::form(&person).await.ticked("scope", "notes.read");
    let made = shown(&person.send(&stolen).await);
    let draft = stolen.fields.iter().find(|(name, _)| name == "draft").map(|(_, value)| value.clone()).unwrap();
    let page = bob.send(&super::form(&bob).await.ticked("scope", "notes.read").with("draft", &draft)).await;
    assert!(!page.body.contains(&made), "{}", page.body);
    assert_eq!((page.status.as_u16(), page.name()), (422, "token-new".to_owned()));
    // Nor does the secret in it under an identifier of his own.
    let fresh = super::form(&bob).await.ticked("scope", "notes.read");
    let own = fresh.fields.iter().find(|(name, _)| name == "draft").map(|(_, value)| value.clone()).unwrap();
    let mixed = format!("{}.{}", own.split_once('.').unwrap().0, draft.split_once('.').unwrap().1);
    let his = shown(&bob.send(&fresh.with("draft", &mixed)).await);
    assert_ne!(&his[19..62], &made[19..62]);
}

#[tokio::test]
async fn a_form_of_another_site_makes_nothing() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let form = form(&person).await.ticked("scope", "notes.read");
    let refused = person.post_with(&form, &[("origin", "https://evil.example")]).await;
    assert_eq!(refused.status, 403);
    assert_eq!(person.post(&form.with("csrf", "x")).await.status, 403);
    assert!(person.open("/account/tokens").await.text().contains("You have no tokens."));
}

#[tokio::test]
async fn the_api_of_the_demo_takes_a_token_from_its_networks() {
    let (server, demo) = Server::start_dev().await;
    let person = alice(&server).await;
    let read = async |networks: &str| {
        let token = super::limited(&person, &["notes.read"], networks).await;
        let request = reqwest::Client::new().get(format!("{demo}/api/notes")).bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!((read("").await, read("127.0.0.0/8 ::1").await, read("192.0.2.0/24").await), (200, 200, 401));
}

#[tokio::test]
async fn a_token_can_be_made_and_revoked_in_a_browser_without_scripts() {
    let Some(browser) = Browser::setup().without_scripts().start().await else { return };
    let server = Server::start().await;
    browser.open(&server.at("/account/tokens")).await;
    browser.fill("username", ALICE).await;
    browser.fill("password", ALICE_PASSWORD).await;
    browser.click("sign-in").await;
    browser.open(&server.at("/account/tokens")).await;
    browser.click("make").await;
    browser.arrives_at("token-new").await;
    browser.fill("name", "Backup script").await;
    browser.tick("#scope-1-1").await;
    browser.click("make").await;
    browser.arrives_at("token-made").await;
    browser.click("done").await;
    browser.arrives_at("tokens").await;
    browser.click_on("a[href^='/account/tokens/revoke']").await;
    browser.click("revoke").await;
    browser.arrives_at("tokens").await;
    assert!(browser.text().await.contains("Backup script is revoked."));
}
