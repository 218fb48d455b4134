//! Resource indicators: which API a token is for (RFC 8707).

use serde_json::json;

use crate::harness::app::{Answer, App, Tokens, VERIFIER, claims};
use crate::harness::person::Person;
use crate::harness::server::Server;

const NOTES: &str = "https://notes.example/api";
const MAIL: &str = "https://mail.example/api";

/// A second API, and an app for both.
const DECLARED: &str = r#"
[[resources]]
identifier = "https://mail.example/api"
scopes = "mail.read"
access_token_lifetime = "5m"

[[clients]]
client_id = "suite"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
redirect_uris = ["https://wiki.example/cb"]
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
scope = "openid email notes.read notes.write mail.read"
"#;

const SCOPE: &str = "openid email notes.read mail.read";

/// The code for an authorization request that names these APIs.
async fn code(server: &Server, suite: &App<'_>, resources: &[&str]) -> String {
    let person = Person::new(server);
    person.sign_in().await;
    let url =
        resources.iter().fold(suite.authorize_url(SCOPE, &[]), |url, resource| format!("{url}&resource={resource}"));
    let mut page = person.open(url).await;
    if page.name() == "consent" {
        page = person.allow_on(&page).await;
    }
    Answer::of(&page).param("code")
}

/// A token request with these APIs beside.
async fn redeemed(suite: &App<'_>, code: &str, resources: &[&str]) -> Tokens {
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &suite.redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    let named = resources.iter().map(|resource| ("resource", *resource));
    Tokens(suite.post("/token", &grant.into_iter().chain(named).collect::<Vec<_>>()).await.json())
}

fn says(tokens: &Tokens) -> (serde_json::Value, &str) {
    (claims(tokens.access())["aud"].clone(), tokens.0["scope"].as_str().unwrap_or_default())
}

// "To mitigate this threat, the Access Token SHOULD be audience and scope restricted." (OIDC Core §16.8)
#[tokio::test]
async fn without_a_resource_the_audience_follows_from_the_scopes() {
    let server = Server::start().await;
    server.apply(DECLARED).await;
    let suite = App::new(&server, "suite");
    let tokens = redeemed(&suite, &code(&server, &suite, &[]).await, &[]).await;
    assert_eq!(says(&tokens), (json!([MAIL, NOTES, server.url]), "email mail.read notes.read openid"));
    assert_eq!(tokens.0["expires_in"], 300, "no longer than any of them allows");
}

// "The authorization server SHOULD audience-restrict issued access tokens to the resource(s) indicated by the "resource"
// parameter." (RFC 8707 §2)
#[tokio::test]
async fn a_resource_of_the_authorization_request_bounds_every_token() {
    let server = Server::start().await;
    server.apply(DECLARED).await;
    let suite = App::new(&server, "suite");
    let tokens = redeemed(&suite, &code(&server, &suite, &[NOTES]).await, &[]).await;
    assert_eq!(says(&tokens), (json!(NOTES), "email notes.read openid"));
    assert_eq!(tokens.0["expires_in"], 600);
    let refused = suite.refresh_with(tokens.refresh(), &[("resource", MAIL)]).await;
    assert_eq!(refused.brief(), "400 invalid_target");
    assert_eq!(server.reason().await, "ResourceNotGranted");
}

// "In the "authorization_code" case where the requested resources are a subset of the set of resources originally granted, the
// authorization server will issue an access token based on that subset of requested resources, whereas any refresh token that
// is returned is bound to the full original grant." (RFC 8707 §2.2)
#[tokio::test]
async fn each_token_request_chooses_among_the_approved_apis() {
    let server = Server::start().await;
    server.apply(DECLARED).await;
    let suite = App::new(&server, "suite");
    let first = redeemed(&suite, &code(&server, &suite, &[NOTES, MAIL]).await, &[MAIL]).await;
    assert_eq!(says(&first), (json!(MAIL), "email mail.read openid"));
    let second = Tokens(suite.refresh_with(first.refresh(), &[("resource", NOTES)]).await.json());
    assert_eq!(says(&second), (json!(NOTES), "email notes.read openid"));
    let third = Tokens(suite.refresh_with(second.refresh(), &[("scope", "mail.read")]).await.json());
    assert_eq!(third.0["scope"], "mail.read");
    let both = Tokens(suite.refresh_with(third.refresh(), &[("resource", NOTES), ("resource", MAIL)]).await.json());
    assert_eq!(says(&both).0, json!([MAIL, NOTES]));
}

// "invalid_target The requested resource is invalid, missing, unknown, or malformed." (RFC 8707 §2)
#[tokio::test]
async fn an_api_that_nobody_declared_is_refused_and_never_an_audience() {
    let server = Server::start().await;
    server.apply(DECLARED).await;
    let suite = App::new(&server, "suite");
    let code = code(&server, &suite, &[]).await;
    for resource in [
        "https://evil.example",
        "https://notes.example/api/",
        "https://notes.example/api#f",
        "https://notes.example",
        "notes",
        "/api",
        "https://NOTES.example/api",
        "https://notes.example/api https://mail.example/api",
        "https://notes.example/api?x=1",
        "*",
    ] {
        let changes = [("resource", resource)];
        let answer = Answer::of(&suite.asks(&Person::new(&server), SCOPE, &changes).await);
        assert_eq!(answer.param("error"), "invalid_target", "{resource}");
        assert_eq!(suite.redeem_with(&code, &changes).await.brief(), "400 invalid_target", "{resource}");
        assert_eq!(server.reason().await, "ResourceUnknown", "{resource}");
        let form = [("grant_type", "client_credentials"), ("resource", NOTES), ("resource", resource)];
        assert_eq!(suite.post("/token", &form).await.brief(), "400 invalid_target", "{resource}");
    }
    assert_eq!(suite.redeem(&code).await.status, 200, "the code was not spent");
}

#[tokio::test]
async fn an_app_names_the_api_for_its_own_token_too() {
    let server = Server::start().await;
    server.apply(DECLARED).await;
    let suite = App::new(&server, "suite");
    let form = [("grant_type", "client_credentials"), ("resource", MAIL)];
    let tokens = Tokens(suite.post("/token", &form).await.json());
    assert_eq!(says(&tokens), (json!(MAIL), "mail.read"));
}

#[tokio::test]
async fn an_api_that_wants_opaque_tokens_gets_them() {
    let server = Server::start().await;
    let opaque = DECLARED.replace("access_token_lifetime", "access_token_format = \"opaque\"\naccess_token_lifetime");
    server.apply(&opaque).await;
    let suite = App::new(&server, "suite");
    let first = redeemed(&suite, &code(&server, &suite, &[NOTES, MAIL]).await, &[]).await;
    assert!(first.access().starts_with("gtr_at_"), "one that asks for it is enough");
    assert_eq!(suite.introspect(first.access()).await["aud"], json!([MAIL, NOTES]));
    let second = Tokens(suite.refresh_with(first.refresh(), &[("resource", NOTES)]).await.json());
    assert!(!second.access().starts_with("gtr_at_"));
}
