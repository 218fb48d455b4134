//! A JWT that a kept token was exchanged for allows no more, as long as it lives, than that token may now.

use std::time::Duration;

use serde_json::{Value, json};

use super::exchange::{CLI, exchange};
use super::keys::{SERVICE, key};
use super::networks::apply;
use super::{alice, keys, revoke, token};
use crate::forward_auth::{HANDBOOK, Visitor, guarded};
use crate::harness::app::App;
use crate::harness::person::Person;
use crate::harness::server::Server;

/// An API of which one scope is for a group, the other for everybody.
const PAY: &str = r#"
[[scopes]]
name = "pay.read"
description.en = "See your pay"
groups = ["engineering"]

[[scopes]]
name = "pay.dates"
description.en = "See when you are paid"

[[resources]]
identifier = "https://pay.example/api"
name = "Pay"
scopes = "pay.read pay.dates"
introspection_clients = ["pay-api"]
personal_access_tokens = true

[[clients]]
client_id = "pay-api"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
grant_types = ["client_credentials"]
scope = "pay.read"
"#;

fn pay(from: &str, to: &str) -> String {
    let (_, api) = PAY.split_once("[[resources]]").unwrap();
    let (api, _) = api.split_once("[[clients]]").unwrap();
    assert!(api.contains(from), "{from}");
    format!("[[resources]]{}", api.replace(from, to))
}

fn jwt(answer: &Value) -> String {
    answer["access_token"].as_str().unwrap_or_else(|| panic!("a token in {answer}")).to_owned()
}

/// Alice, her token for all of Pay, and the JWT that was made of it.
async fn exchanged(server: &Server) -> (Person, String, String) {
    server.apply(CLI).await;
    apply(server, PAY).await;
    let person = alice(server).await;
    let kept = token(&person, &["pay.read", "pay.dates"]).await;
    let made = exchange(&App::new(server, "spa"), &kept, &[]).await.json();
    assert_eq!(made["scope"], json!("pay.dates pay.read"));
    (person, kept, jwt(&made))
}

#[tokio::test]
async fn an_exchanged_token_loses_what_its_person_loses_with_a_group() {
    let server = Server::start().await;
    let (_, _, jwt) = exchanged(&server).await;
    let pay = App::new(&server, "pay-api");
    assert_eq!(pay.introspect(&jwt).await["scope"], json!("pay.dates pay.read"));
    apply(&server, "[[users]]\nusername = \"alice\"\ngroups = []\n").await;
    assert_eq!(pay.introspect(&jwt).await["scope"], json!("pay.dates"));
    apply(&server, "[[users]]\nusername = \"alice\"\ngroups = [\"engineering\"]\n").await;
    assert_eq!(pay.introspect(&jwt).await["scope"], json!("pay.dates pay.read"), "it counts again with the group");
}

#[tokio::test]
async fn an_exchanged_token_does_not_count_while_its_person_is_switched_off() {
    let server = Server::start().await;
    let (_, _, jwt) = exchanged(&server).await;
    let pay = App::new(&server, "pay-api");
    for (disabled, active) in [(true, false), (false, true)] {
        apply(&server, &format!("[[users]]\nusername = \"alice\"\ndisabled = {disabled}\n")).await;
        assert_eq!(pay.introspect(&jwt).await["active"], json!(active));
    }
}

#[tokio::test]
async fn an_exchanged_token_loses_what_its_api_does_not_have_any_more() {
    let server = Server::start().await;
    let (_, _, jwt) = exchanged(&server).await;
    let api = App::new(&server, "pay-api");
    apply(&server, &pay("pay.read pay.dates", "pay.dates")).await;
    assert_eq!(api.introspect(&jwt).await["scope"], json!("pay.dates"));
    apply(&server, &pay("personal_access_tokens = true", "personal_access_tokens = false")).await;
    assert_eq!(api.introspect(&jwt).await, json!({ "active": false }), "it takes no tokens of people any more");
    apply(&server, &pay("pay.read pay.dates", "pay.read pay.dates")).await;
    assert_eq!(api.introspect(&jwt).await["scope"], json!("pay.dates pay.read"));
}

#[tokio::test]
async fn the_jwt_of_a_key_loses_what_its_app_loses() {
    let server = Server::start().await;
    server.apply(SERVICE).await;
    let key = key(&server, &[]).await;
    let jwt = jwt(&keys::exchange(&server, &key, &[]).await.json());
    let api = App::new(&server, "notes-api");
    assert_eq!(api.introspect(&jwt).await["active"], json!(true));
    apply(&server, &SERVICE.replace("notes.read notes.write", "notes.write")).await;
    assert_eq!(api.introspect(&jwt).await, json!({ "active": false }));
    apply(&server, &SERVICE.replace("scope =", "disabled = true\nscope =")).await;
    assert_eq!(api.introspect(&jwt).await["active"], json!(false));
    apply(&server, &SERVICE.replace("scope =", "disabled = false\nscope =")).await;
    assert_eq!(api.introspect(&jwt).await["active"], json!(true));
}

#[tokio::test]
async fn an_exchanged_token_enters_an_app_behind_a_proxy_as_long_as_what_it_was_made_of_may() {
    let server = guarded().await;
    server.apply(CLI).await;
    let person = alice(&server).await;
    let kept = token(&person, &["notes.read"]).await;
    let bearer = format!("Bearer {}", jwt(&exchange(&App::new(&server, "spa"), &kept, &[]).await.json()));
    let enters = async || Visitor::new(&server).asks(HANDBOOK, "/", &[("authorization", &bearer)]).await;
    let page = enters().await;
    assert_eq!((page.status.as_u16(), page.header("remote-user")), (200, Some("alice")));
    assert_eq!(page.header("remote-scopes"), Some("notes.read"));
    apply(&server, "[[scopes]]\nname = \"notes.read\"\ndescription.en = \"Read\"\ngroups = [\"admins\"]\n").await;
    apply(&server, "[[users]]\nusername = \"alice\"\ngroups = [\"engineering\"]\n").await;
    assert_eq!(enters().await.status, 401, "the scope is for a group that she is not in any more");
    apply(&server, "[[users]]\nusername = \"alice\"\ngroups = [\"engineering\", \"admins\"]\n").await;
    assert_eq!(enters().await.status, 200);
    apply(&server, "[[users]]\nusername = \"alice\"\ngroups = [\"admins\"]\n").await;
    assert_eq!((enters().await.status.as_u16(), server.reason().await.as_str()), (403, "EntryRefused"));
    apply(&server, "[[users]]\nusername = \"alice\"\ngroups = [\"engineering\", \"admins\"]\n").await;
    server.clock.advance(Duration::from_millis(1));
    revoke(&person, &kept).await;
    assert_eq!(enters().await.status, 401);
}
