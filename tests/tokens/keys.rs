//! API keys, which belong to apps: issued, listed, rotated and revoked by command.

use std::time::Duration;

use grantor_core::audit::{Event, EventKind};
use serde_json::{Value, json};

use super::{alice, id_of};
use crate::harness::app::App;
use crate::harness::command;
use crate::harness::page::Page;
use crate::harness::server::Server;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// The app `service` that may exchange its keys.
pub const SERVICE: &str = r#"
[[clients]]
client_id = "service"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
grant_types = ["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"]
scope = "notes.read notes.write"
"#;

pub async fn run(server: &Server, arguments: &[&str]) -> Result<String, String> {
    command::token(server.config(), arguments).await.map_err(|error| error.to_string())
}

/// A key of `service`.
pub async fn key(server: &Server, more: &[&str]) -> String {
    let arguments = [&["issue", "service", "--name", "Nightly", "--scope", "notes.read", "--json"], more].concat();
    let told: Value = serde_json::from_str(&run(server, &arguments).await.unwrap()).unwrap();
    server.clock.catch_up();
    told["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_is_issued_listed_rotated_and_revoked() {
    let server = Server::start().await;
    let api = App::new(&server, "notes-api");
    let old = key(&server, &[]).await;
    let told = api.introspect(&old).await;
    let expected = json!({
        "active": true, "scope": "notes.read", "client_id": "service", "sub": "service", "token_type": "Bearer",
        "token_kind": "api_key", "exp": told["exp"], "iat": told["iat"], "aud": ["https://notes.example/api"],
        "iss": server.url, "jti": id_of(&old),
    });
    assert_eq!(told, expected);
    let listed = run(&server, &["list", "--client", "service"]).await.unwrap();
    assert!(listed.contains(&id_of(&old)) && listed.contains("Nightly") && listed.contains("live"), "{listed}");
    assert!(!listed.contains(&old), "{listed}");
    let shown = run(&server, &["rotate", &id_of(&old)]).await.unwrap();
    let new = shown.lines().next().unwrap();
    assert_eq!((id_of(new), new == old), (id_of(&old), false));
    server.clock.catch_up();
    assert_eq!(api.introspect(new).await["active"], json!(true));
    assert_eq!(run(&server, &["revoke", &id_of(new)]).await.unwrap(), "Revoked Nightly.\n");
    for token in [&old, new] {
        assert_eq!(api.introspect(token).await, json!({ "active": false }));
    }
    let listed = run(&server, &["list", "--client", "service", "--json"]).await.unwrap();
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["state"], json!("revoked_by_administrator"));
}

#[tokio::test]
async fn what_a_key_cannot_be_is_said_in_words() {
    let server = Server::start().await;
    let issue = |scope: &'static str, more: &'static [&'static str]| {
        let server = &server;
        async move {
            run(server, &[&["issue", "service", "--name", "x", "--scope", scope], more].concat()).await.unwrap_err()
        }
    };
    assert!(issue("admin", &[]).await.contains("its owner does not have"));
    assert!(issue("notes.read", &["--days", "9999"]).await.contains("longer than tokens may"));
    assert!(issue("notes.read", &["--resource", "https://evil"]).await.contains("not an API"));
    for networks in [&["--network", ""] as &[&str], &["--network", "192.0.2.0/24", "--network", ""]] {
        let arguments = [&["issue", "service", "--name", "x", "--scope", "notes.read"], networks].concat();
        assert!(run(&server, &arguments).await.unwrap_err().contains("network"), "not from anywhere");
    }
    let unknown = run(&server, &["list", "--client", "nobody"]).await.unwrap_err();
    assert!(unknown.contains("there is no app \"nobody\""), "{unknown}");
    let unknown = run(&server, &["revoke", "x\u{1b}[31m"]).await.unwrap_err();
    assert!(unknown.contains("there is no token \"x\u{fffd}[31m\""), "{unknown}");
}

#[tokio::test]
async fn an_administrator_revokes_the_token_of_a_person_but_never_learns_its_secret() {
    let server = Server::start().await;
    let token = super::token(&alice(&server).await, &["notes.read"]).await;
    let listed = run(&server, &["list", "--user", "alice"]).await.unwrap();
    assert!(listed.contains("Backup script") && listed.contains(&id_of(&token)), "{listed}");
    let refused = run(&server, &["rotate", &id_of(&token)]).await.unwrap_err();
    assert!(refused.contains("only they may have its secret"), "{refused}");
    run(&server, &["revoke", &id_of(&token)]).await.unwrap();
    assert_eq!(App::new(&server, "notes-api").introspect(&token).await, json!({ "active": false }));
}

#[tokio::test]
async fn an_app_revokes_its_own_key_and_nobody_elses() {
    let server = Server::start().await;
    let (service, api) = (App::new(&server, "service"), App::new(&server, "notes-api"));
    let key = key(&server, &[]).await;
    assert_eq!(App::new(&server, "wiki").revoke(&key).await.status, 200);
    assert_eq!(api.introspect(&key).await["active"], json!(true));
    assert_eq!(service.revoke(&key).await.status, 200);
    assert_eq!(api.introspect(&key).await, json!({ "active": false }));
    let token = super::token(&alice(&server).await, &["notes.read"]).await;
    assert_eq!(service.revoke(&token).await.brief(), "400 unsupported_token_type");
    assert_eq!(api.introspect(&token).await["active"], json!(true));
}

pub async fn exchange(server: &Server, token: &str, others: &[(&str, &str)]) -> Page {
    let form = [("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", ACCESS_TOKEN)];
    App::new(server, "service").post_raw("/token", &[], &[&form, others].concat()).await
}

#[tokio::test]
async fn events_tell_of_a_key_that_expires_soon_and_of_one_that_is_used_elsewhere() {
    let server = Server::start().await;
    let (key, api) = (key(&server, &["--days", "30"]).await, App::new(&server, "notes-api"));
    for address in ["192.0.2.7", "198.51.100.1"] {
        api.introspect_with(&key, &[("client_address", address)]).await;
    }
    server.app.keep_uses().await.unwrap();
    server.clock.advance(Duration::from_hours(24 * 25));
    for _ in 0..2 {
        server.app.tell_of_expiries().await.unwrap();
    }
    let hint = format!("gtr_key_{}", id_of(&key));
    let events = server.events().await;
    let told = |event: &Event| (event.kind, event.client_id.clone(), event.address.clone());
    let told: Vec<_> = events.iter().filter(|event| event.detail.as_deref() == Some(&*hint)).map(told).collect();
    let (of, elsewhere) = (Some("service".to_owned()), Some("198.51.100.1".to_owned()));
    assert_eq!(told.iter().filter(|told| told.0 == EventKind::ApiTokenExpires).count(), 1, "{told:?}");
    assert!(told.contains(&(EventKind::ApiTokenExpires, of.clone(), None)), "{told:?}");
    assert!(told.contains(&(EventKind::ApiTokenUsedElsewhere, of, elsewhere)), "{told:?}");
}

#[tokio::test]
async fn a_key_alone_is_exchanged_for_a_jwt_of_its_app() {
    let server = Server::start().await;
    server.apply(SERVICE).await;
    let key = key(&server, &[]).await;
    let tokens = exchange(&server, &key, &[]).await.json();
    let jwt = tokens["access_token"].as_str().unwrap();
    let told = crate::harness::app::claims(jwt);
    assert_eq!((&told["sub"], &told["client_id"]), (&json!("service"), &json!("service")));
    assert_eq!((&told["scope"], &told["aud"]), (&json!("notes.read"), &json!("https://notes.example/api")));
    let api = App::new(&server, "notes-api");
    assert_eq!(api.introspect(jwt).await["active"], json!(true));
    assert_eq!(exchange(&server, &key, &[("scope", "notes.write")]).await.brief(), "400 invalid_scope");
    run(&server, &["revoke", &id_of(&key)]).await.unwrap();
    assert_eq!(exchange(&server, &key, &[]).await.brief(), "400 invalid_request");
    assert_eq!(api.introspect(jwt).await, json!({ "active": false }));
}

#[tokio::test]
async fn a_key_is_of_no_use_to_another_app_and_opens_nothing_else() {
    let server = Server::start().await;
    server.apply(SERVICE).await;
    let limited = key(&server, &["--network", "192.0.2.0/24"]).await;
    assert_eq!(exchange(&server, &limited, &[]).await.brief(), "400 invalid_request", "not from here");
    let key = key(&server, &[]).await;
    let wiki = App::new(&server, "wiki");
    let form = [("grant_type", EXCHANGE), ("subject_token", key.as_str()), ("subject_token_type", ACCESS_TOKEN)];
    assert_eq!(wiki.post("/token", &form).await.brief(), "400 unauthorized_client");
    // The key authenticates its app for an exchange, and for nothing else.
    let other = [("grant_type", "client_credentials"), ("subject_token", key.as_str())];
    assert_eq!(wiki.post_raw("/token", &[], &other).await.brief(), "401 invalid_client");
    for path in ["/introspect", "/revoke"] {
        let other = [&[("token", key.as_str())], form.as_slice()].concat();
        assert_eq!(wiki.post_raw(path, &[], &other).await.brief(), "401 invalid_client", "{path}");
    }
    let off = SERVICE.replace("scope =", "disabled = true\nscope =");
    server.apply(&off).await;
    assert_eq!(exchange(&server, &key, &[]).await.status.as_u16() / 100, 4);
    assert_eq!(App::new(&server, "notes-api").introspect(&key).await, json!({ "active": false }));
}
