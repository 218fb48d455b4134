//! A token that people keep becomes a short-lived JWT for one API (RFC 8693).

use std::time::Duration;

use serde_json::json;

use super::{alice, form, id_of, shown, token};
use crate::harness::app::{App, claims};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{BOB, BOB_PASSWORD};
use crate::harness::server::Server;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A command-line tool that anybody may run.
pub const CLI: &str = r#"
[[clients]]
client_id = "spa"
token_endpoint_auth_method = "none"
client_name = "Command line"
redirect_uris = ["https://board.example/cb"]
grant_types = ["authorization_code", "urn:ietf:params:oauth:grant-type:token-exchange"]
scope = "openid"
"#;

pub async fn exchange(app: &App<'_>, token: &str, others: &[(&str, &str)]) -> Page {
    let form = [&[("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", ACCESS_TOKEN)], others];
    app.post("/token", &form.concat()).await
}

#[tokio::test]
async fn a_token_is_exchanged_for_a_jwt_that_ends_with_it() {
    let server = Server::start().await;
    server.apply(CLI).await;
    let (person, cli, api) = (alice(&server).await, App::new(&server, "spa"), App::new(&server, "notes-api"));
    let token = token(&person, &["notes.read", "notes.write"]).await;
    let answer = exchange(&cli, &token, &[("scope", "notes.read")]).await;
    let tokens = answer.json();
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!((&tokens["issued_token_type"], &tokens["token_type"]), (&json!(ACCESS_TOKEN), &json!("Bearer")));
    assert_eq!((&tokens["expires_in"], &tokens["scope"]), (&json!(600), &json!("notes.read")));
    assert!(tokens["refresh_token"].is_null() && tokens["id_token"].is_null());
    let as_jwt = ("requested_token_type", "urn:ietf:params:oauth:token-type:jwt");
    let named = exchange(&cli, &token, &[("scope", "notes.read"), as_jwt]).await.json();
    assert_eq!(named["issued_token_type"], json!(as_jwt.1));
    let jwt = tokens["access_token"].as_str().unwrap();
    let told = claims(jwt);
    assert_eq!((&told["aud"], &told["client_id"]), (&json!("https://notes.example/api"), &json!("spa")));
    let introspected = api.introspect(jwt).await;
    assert_eq!((&introspected["username"], &introspected["scope"]), (&json!("alice"), &json!("notes.read")));
    let page = person.open(format!("/account/tokens/revoke?token={}", id_of(&token))).await;
    person.send(&page.form(r#"form[action="/account/tokens/revoke"]"#)).await;
    assert_eq!(api.introspect(jwt).await, json!({ "active": false }));
    assert_eq!(exchange(&cli, &token, &[("scope", "notes.read")]).await.brief(), "400 invalid_request");
}

#[tokio::test]
async fn a_secret_that_was_replaced_gives_nothing_beyond_its_time() {
    let server = Server::start().await;
    server.apply(CLI).await;
    let (person, cli, api) = (alice(&server).await, App::new(&server, "spa"), App::new(&server, "notes-api"));
    let old = token(&person, &["notes.read"]).await;
    server.clock.advance(Duration::from_secs(1));
    let page = person.open(format!("/account/tokens/rotate?token={}", id_of(&old))).await;
    person.send(&page.form(r#"form[action="/account/tokens/rotate"]"#)).await;
    let rotated = server.clock.read().seconds();
    assert_eq!(api.introspect(&old).await["exp"], json!(rotated + 86_400));
    server.clock.advance(Duration::from_secs(86_395));
    assert_eq!(exchange(&cli, &old, &[]).await.json()["expires_in"], json!(5));
    assert_eq!(api.introspect_answer(&old, &[]).await.header("cache-control"), Some("private, max-age=3"));
    server.clock.advance(Duration::from_secs(3));
    assert_eq!(api.introspect_answer(&old, &[]).await.header("cache-control"), Some("private, max-age=2"));
}

#[tokio::test]
async fn a_limited_token_is_exchanged_from_its_networks_only() {
    let server = Server::start().await;
    server.apply(CLI).await;
    let (person, cli, api) = (alice(&server).await, App::new(&server, "spa"), App::new(&server, "notes-api"));
    let limited = async |networks: &str| {
        shown(&person.send(&form(&person).await.ticked("scope", "notes.read").with("networks", networks)).await)
    };
    let elsewhere = limited("192.0.2.0/24").await;
    assert_eq!(exchange(&cli, &elsewhere, &[]).await.brief(), "400 invalid_request");
    assert_eq!(server.reason().await, "SubjectTokenInvalid");
    let here = exchange(&cli, &limited("127.0.0.0/8").await, &[]).await.json();
    let jwt = here["access_token"].as_str().unwrap();
    assert_eq!(claims(jwt)["networks"], json!(["127.0.0.0/8"]));
    assert_eq!(api.introspect_with(jwt, &[("client_address", "127.0.0.9")]).await["active"], json!(true));
    assert_eq!(api.introspect_with(jwt, &[("client_address", "192.0.2.9")]).await, json!({ "active": false }));
    assert_eq!(api.introspect(jwt).await, json!({ "active": false }));
}

#[tokio::test]
async fn only_what_may_be_exchanged_is() {
    let server = Server::start().await;
    server.apply(CLI).await;
    let (person, cli, wiki) = (alice(&server).await, App::new(&server, "spa"), App::new(&server, "wiki"));
    let token = token(&person, &["notes.read"]).await;
    assert_eq!(exchange(&wiki, &token, &[]).await.brief(), "400 unauthorized_client", "not registered for it");
    assert_eq!(exchange(&cli, &token, &[("scope", "notes.write")]).await.brief(), "400 invalid_scope");
    assert_eq!(exchange(&cli, &token, &[("resource", "https://evil.example")]).await.brief(), "400 invalid_target");
    assert_eq!(exchange(&cli, &token, &[("actor_token", "x")]).await.brief(), "400 invalid_request");
    let own = wiki.tokens("openid notes.read").await;
    for other in [own.access(), own.refresh(), own.id(), "gtr_pat_x", &token.to_uppercase()] {
        assert_eq!(exchange(&cli, other, &[]).await.brief(), "400 invalid_request", "{other:.12}");
    }
    server.clock.advance(Duration::from_hours(31 * 24));
    assert_eq!(exchange(&cli, &token, &[]).await.brief(), "400 invalid_request");
}

#[tokio::test]
async fn scripts_that_exchange_too_often_wait_and_apps_of_the_same_person_do_not() {
    let server = Server::start_with(|config| config.limits.token.per_account = Some("2/m".parse().unwrap())).await;
    server.apply(CLI).await;
    let (person, cli, wiki) = (alice(&server).await, App::new(&server, "spa"), App::new(&server, "wiki"));
    let tokens = [token(&person, &["notes.read"]).await, token(&person, &["notes.read"]).await];
    for token in &tokens {
        assert_eq!(exchange(&cli, token, &[]).await.brief(), "200");
    }
    let page = exchange(&cli, &tokens[0], &[]).await;
    let told = ["retry-after", "ratelimit-policy"].map(|name| page.header(name));
    assert_eq!(told, [Some("30"), Some("\"token-per-account\";q=2;w=60")]);
    assert!(wiki.tokens_with(&person, "openid", &[]).await.0["access_token"].is_string());
    let bob = Person::new(&server);
    let page = bob.open("/sign-in").await;
    bob.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    assert_eq!(exchange(&cli, &super::token(&bob, &["notes.read"]).await, &[]).await.brief(), "200");
    server.clock.advance(Duration::from_secs(30));
    assert_eq!(exchange(&cli, &tokens[0], &[]).await.brief(), "200");
}
