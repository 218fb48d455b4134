//! Introspection: who may know of a token, and what they are told (RFC 7662).

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::app::{App, Tokens, claims};
use crate::harness::server::Server;

fn inactive() -> Value {
    json!({ "active": false })
}

#[tokio::test]
async fn an_app_learns_of_its_own_tokens() {
    let server = Server::start().await;
    for client_id in ["wiki", "chat"] {
        let app = App::new(&server, client_id);
        let tokens = app.tokens("openid email").await;
        let now = server.clock.read().seconds();
        let told = app.introspect(tokens.access()).await;
        let sub = &claims(tokens.id())["sub"];
        let expected = json!({
            "active": true, "scope": "email openid", "client_id": client_id, "username": "alice", "token_type": "Bearer",
            "token_kind": "access_token",
            "exp": now + 600, "iat": now, "sub": sub, "aud": [server.url], "iss": server.url, "jti": told["jti"],
            "auth_time": now, "acr": told["acr"],
        });
        assert_eq!(told, expected);
        assert!(told["jti"].is_string() && told["acr"].is_string());
        let told = app.introspect(tokens.refresh()).await;
        assert_eq!((&told["active"], &told["sub"], &told["scope"]), (&json!(true), sub, &json!("email openid")));
        assert!(told["token_type"].is_null(), "a refresh token is no bearer token for APIs");
    }
}

#[tokio::test]
async fn an_api_learns_of_the_tokens_that_are_for_it() {
    let server = Server::start().await;
    let (wiki, service, api) =
        (App::new(&server, "wiki"), App::new(&server, "service"), App::new(&server, "notes-api"));
    let tokens = wiki.tokens("openid notes.read").await;
    let told = api.introspect(tokens.access()).await;
    assert_eq!(
        (&told["active"], &told["client_id"], &told["username"]),
        (&json!(true), &json!("wiki"), &json!("alice"))
    );
    let of_api = (&json!("notes.read"), &json!(["https://notes.example/api"]));
    assert_eq!((&told["scope"], &told["aud"]), of_api, "and nothing of what it is for elsewhere");
    let own = service.client_credentials("notes.write").await.json();
    let told = api.introspect(own["access_token"].as_str().unwrap()).await;
    assert_eq!((&told["active"], &told["sub"], &told["username"]), (&json!(true), &json!("service"), &Value::Null));
    assert_eq!(api.introspect(tokens.refresh()).await, inactive(), "refresh tokens are between the app and us");
}

// "if the introspection call is properly authorized but the token is not active, does not exist on this server, or the protected
// resource is not allowed to introspect this particular token, then the authorization server MUST return an introspection
// response with the "active" field set to "false"." (RFC 7662 §2.2)
#[tokio::test]
async fn nobody_learns_of_the_tokens_of_others() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid notes.read").await;
    for client_id in ["chat", "portal", "service", "signed"] {
        let other = App::new(&server, client_id);
        for token in [tokens.access(), tokens.refresh(), tokens.id()] {
            assert_eq!(other.introspect(token).await, inactive(), "{client_id}");
        }
    }
    let not_for_the_api = wiki.tokens("openid").await;
    assert_eq!(App::new(&server, "notes-api").introspect(not_for_the_api.access()).await, inactive());
}

#[tokio::test]
async fn what_is_no_token_of_ours_is_inactive() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid").await;
    let cut = &tokens.access()[..tokens.access().len() - 1];
    for token in [tokens.id(), cut, "x", "a.b.c", "gtr_at_00000000000.x", "' OR 1=1 --", "\u{202e}", &"x".repeat(8000)]
    {
        assert_eq!(wiki.introspect(token).await, inactive(), "{token:.40}");
    }
}

#[tokio::test]
async fn a_token_that_is_over_is_inactive_without_a_word_more() {
    let server = Server::start().await;
    for client_id in ["wiki", "chat"] {
        let app = App::new(&server, client_id);
        let tokens = app.tokens("openid").await;
        let fresh = Tokens(app.refresh(tokens.refresh()).await.json());
        let lost = app.introspect(tokens.refresh()).await;
        let until = server.clock.read().seconds() + 10;
        assert_eq!((&lost["active"], &lost["exp"]), (&json!(true), &json!(until)), "its answer may have been lost");
        server.clock.advance(Duration::from_secs(10));
        assert_eq!(app.introspect(tokens.refresh()).await, inactive(), "replaced");
        server.clock.advance(Duration::from_secs(589));
        assert_eq!(app.introspect(tokens.access()).await["active"], true, "{client_id}");
        server.clock.advance(Duration::from_secs(1));
        assert_eq!(app.introspect(tokens.access()).await, inactive(), "{client_id}: expired");
        assert_eq!(app.introspect(fresh.refresh()).await["active"], true);
        server.clock.advance(Duration::from_hours(24 * 30));
        assert_eq!(app.introspect(fresh.refresh()).await, inactive(), "{client_id}: expired");
    }
}

#[tokio::test]
async fn a_refresh_token_counts_only_as_long_as_it_would_be_taken() {
    let server = Server::start().await;
    let app = App::new(&server, "wiki");
    let tokens = app.tokens("openid profile").await;
    let told = app.introspect(tokens.refresh()).await;
    let until = server.clock.read().seconds() + 12 * 60 * 60;
    assert_eq!((&told["active"], &told["exp"]), (&json!(true), &json!(until)), "an idle sign-in ends it");
    // Longer than a sign-in lasts that nobody uses.
    server.clock.advance(Duration::from_hours(13));
    assert_eq!(app.introspect(tokens.refresh()).await, inactive());
    assert_eq!(app.refresh(tokens.refresh()).await.brief(), "400 invalid_grant");
}

// "To prevent token scanning attacks, the endpoint MUST also require some form of authorization to access this endpoint"
// (RFC 7662 §2.1)
#[tokio::test]
async fn who_asks_must_prove_who_they_are() {
    let server = Server::start().await;
    let spa = App::new(&server, "spa");
    let tokens = spa.tokens("openid").await;
    let form = [("token", tokens.access())];
    assert_eq!(spa.post("/introspect", &form).await.brief(), "401 invalid_client", "a public app proves nothing");
    assert_eq!(spa.post_raw("/introspect", &[], &form).await.brief(), "401 invalid_client");
    let bearer = format!("Bearer {}", tokens.access());
    let page = spa.post_raw("/introspect", &[("authorization", &bearer)], &form).await;
    assert!([400, 401].contains(&page.status.as_u16()));
    let page = App::new(&server, "wiki").post("/introspect", &[]).await;
    insta::assert_snapshot!(page.whole(), @r#"
    400 Bad Request
    {"error":"invalid_request","error_description":"The parameter token is missing."}
    "#);
}

// "If the server is unable to locate the token using the given hint, it MUST extend its search across all of its supported
// token types." (RFC 7662 §2.1)
#[tokio::test]
async fn a_wrong_hint_changes_nothing() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid").await;
    for token in [tokens.access(), tokens.refresh()] {
        for hint in ["access_token", "refresh_token", "id_token", "bogus"] {
            let page = wiki.post("/introspect", &[("token", token), ("token_type_hint", hint)]).await;
            assert_eq!(page.json()["active"], true, "{hint}");
        }
    }
}
