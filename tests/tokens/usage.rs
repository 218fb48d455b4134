//! What apps and tokens were used for, as people and operators see it.

use std::time::Duration;

use grantor_core::change::Change;
use grantor_core::store::Store;
use serde_json::{Value, json};

use super::{alice, id_of, token};
use crate::harness::app::App;
use crate::harness::command;
use crate::harness::seeds::{BOB, BOB_PASSWORD};
use crate::harness::server::Server;

const DAY: Duration = Duration::from_hours(24);
const NOTES: &str = "https://notes.example/api";

async fn told(server: &Server, arguments: &[&str]) -> Vec<Value> {
    let told = command::usage(server.config(), &[arguments, &["--json"]].concat()).await.unwrap();
    serde_json::from_str::<Vec<Value>>(&told).unwrap()
}

async fn used(server: &Server, token: &str, from: &[&str]) {
    let api = App::new(server, "notes-api");
    for address in from {
        assert_eq!(api.introspect_with(token, &[("client_address", address)]).await["active"], json!(true));
    }
}

/// From today on.
async fn something_is_known(server: &Server) {
    App::new(server, "service").client_credentials("notes.read").await;
    server.app.keep_uses().await.unwrap();
}

#[tokio::test]
async fn a_person_sees_which_scopes_a_token_used_how_often_where_and_from_where() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let token = token(&person, &["notes.read", "notes.write"]).await;
    server.clock.advance(DAY);
    person.sign_in().await;
    let text = person.open("/account/tokens").await.text();
    assert!(!text.contains("not used in the last"), "nothing is known of that day: {text}");
    something_is_known(&server).await;
    server.clock.advance(2 * DAY);
    person.sign_in().await;
    let text = person.open("/account/tokens").await.text();
    assert_eq!(text.matches("not used in the last 2 days").count(), 2, "{text}");
    used(&server, &token, &["192.0.2.7", "192.0.2.8", "2001:db8::1"]).await;
    server.app.keep_uses().await.unwrap();
    let text = person.open("/account/tokens").await.text();
    for words in ["Used 3 times in the last 30 days", "At: Notes", "2001:db8::/48", "192.0.2.0/24"] {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert!(!text.contains("not used in the last"), "{text}");
}

#[tokio::test]
async fn a_scope_that_no_exchange_asks_for_stays_unused() {
    let server = Server::start().await;
    let person = alice(&server).await;
    server.apply(EXCHANGER).await;
    let token = token(&person, &["notes.read", "notes.write"]).await;
    something_is_known(&server).await;
    server.clock.advance(DAY);
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", token.as_str()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("scope", "notes.read"),
    ];
    let jwt = App::new(&server, "spa").post("/token", &form).await.json()["access_token"].as_str().unwrap().to_owned();
    used(&server, &jwt, &["198.51.100.7"]).await;
    server.app.keep_uses().await.unwrap();
    let rows = told(&server, &["--token", &id_of(&token)]).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    let [kind, scope, uses] = ["kind", "scope", "uses"].map(|name| rows[0][name].clone());
    assert_eq!([kind, scope, uses], [json!("personal_access_token"), json!("notes.read"), json!(2)]);
    person.sign_in().await;
    let text = person.open("/account/tokens").await.text();
    assert_eq!(text.matches("not used in the last day").count(), 1, "{text}");
}

/// A tool that exchanges tokens of people.
const EXCHANGER: &str = r#"
[[clients]]
client_id = "spa"
token_endpoint_auth_method = "none"
client_name = "Command line"
redirect_uris = ["https://board.example/cb"]
grant_types = ["authorization_code", "urn:ietf:params:oauth:grant-type:token-exchange"]
scope = "openid"
"#;

#[tokio::test]
async fn a_person_sees_what_an_app_does_with_its_access() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    let tokens = wiki.tokens_with(&person, "openid email notes.read offline_access", &[]).await;
    server.app.keep_uses().await.unwrap();
    let text = person.open("/account/apps").await.text();
    assert!(!text.contains("in the last 30 days"), "a code that is redeemed is no use: {text}");
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 200);
    wiki.refresh(tokens.refresh()).await;
    server.app.keep_uses().await.unwrap();
    let rows = told(&server, &["--user", "alice"]).await;
    let of = |scope: &str| rows.iter().find(|row| row["scope"] == scope).map(|row| row["uses"].clone());
    assert_eq!([of("openid"), of("email"), of("notes.read")], [Some(json!(2)), Some(json!(2)), Some(json!(1))]);
    assert_eq!(rows[0]["kind"], json!("grant"));
    let text = person.open("/account/apps").await.text();
    assert!(text.contains("Used 2 times in the last 30 days") && text.contains("From: 127.0.0.0/24"), "{text}");
}

#[tokio::test]
async fn an_operator_sees_what_an_app_and_its_keys_and_people_used_day_by_day() {
    let server = Server::start().await;
    let service = App::new(&server, "service");
    let key = command::token(
        server.config(),
        &["issue", "service", "--name", "Nightly", "--scope", "notes.read notes.write", "--json"],
    );
    let key: Value = serde_json::from_str(&key.await.unwrap()).unwrap();
    server.clock.catch_up();
    used(&server, key["token"].as_str().unwrap(), &["192.0.2.1"]).await;
    let own = service.client_credentials("notes.read").await.json()["access_token"].as_str().unwrap().to_owned();
    used(&server, &own, &["198.51.100.7"]).await;
    server.app.keep_uses().await.unwrap();
    server.clock.advance(DAY);
    service.client_credentials("notes.read").await;
    server.app.keep_uses().await.unwrap();
    let rows = told(&server, &["--client", "service"]).await;
    let brief = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
        (text("kind"), text("scope"), row["uses"].as_i64().unwrap(), row["days"].as_object().unwrap().len())
    };
    let mut all: Vec<_> = rows.iter().map(brief).collect();
    all.sort();
    let row = |kind: &str, scope: &str, uses, days| (kind.to_owned(), scope.to_owned(), uses, days);
    let expected =
        [row("api_key", "notes.read", 1, 1), row("api_key", "notes.write", 1, 1), row("client", "notes.read", 3, 2)];
    assert_eq!(all, expected);
    assert!(rows.iter().all(|row| row["audience"] == json!([NOTES])), "{rows:?}");
    let table = command::usage(server.config(), &["--client", "service"]).await.unwrap();
    assert!(table.contains("api_key") && table.contains("192.0.2.0/24"), "{table}");
    assert!(command::usage(server.config(), &["--user", "nobody"]).await.is_err());
    assert!(command::usage(server.config(), &["--token", "x y"]).await.is_err());
}

#[tokio::test]
async fn whoever_moves_about_fills_no_database_and_every_use_counts() {
    let server = Server::start().await;
    let token = token(&alice(&server).await, &["notes.read"]).await;
    for round in 0..12 {
        let addresses: Vec<String> = (0..12).map(|n| format!("10.{round}.{n}.1")).collect();
        used(&server, &token, &addresses.iter().map(String::as_str).collect::<Vec<_>>()).await;
        server.app.keep_uses().await.unwrap();
    }
    let rows = server.rows().into_iter().find(|(table, _)| *table == "usages").unwrap().1;
    assert_eq!(rows, 65);
    assert_eq!(told(&server, &["--token", &id_of(&token)]).await[0]["uses"], json!(144));
}

#[tokio::test]
async fn what_a_removed_person_did_is_forgotten_and_costs_others_nothing() {
    let server = Server::start().await;
    let bob = crate::harness::person::Person::new(&server);
    let page = bob.open("/sign-in").await;
    bob.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    let (his, hers) = (token(&bob, &["notes.read"]).await, token(&alice(&server).await, &["notes.read"]).await);
    used(&server, &his, &["192.0.2.7"]).await;
    server.app.keep_uses().await.unwrap();
    for token in [&his, &hers] {
        used(&server, token, &["192.0.2.7"]).await;
    }
    let id = server.database.user_find_by_username(BOB).await.unwrap().unwrap().id;
    server.database.commit(vec![Change::UserRemove(id)]).await.unwrap();
    server.app.keep_uses().await.unwrap();
    assert_eq!(told(&server, &["--token", &id_of(&his)]).await, Vec::<Value>::new());
    assert_eq!(told(&server, &["--token", &id_of(&hers)]).await[0]["uses"], json!(1));
}

#[tokio::test]
async fn nothing_is_kept_where_the_settings_say_so() {
    let server = Server::start_with(|config| config.lifetimes.usage_kept = Duration::ZERO).await;
    let person = alice(&server).await;
    let token = token(&person, &["notes.read"]).await;
    used(&server, &token, &["192.0.2.7"]).await;
    server.app.keep_uses().await.unwrap();
    assert_eq!(told(&server, &["--user", "alice"]).await, Vec::<Value>::new());
    let text = person.open("/account/tokens").await.text();
    assert!(text.contains("last used just now") && !text.contains("in the last"), "{text}");
}
