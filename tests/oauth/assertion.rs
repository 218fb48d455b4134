//! `private_key_jwt`: assertions that are forged, wrong, old, or used before (RFC 7523 §3).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::harness::app::App;
use crate::harness::assertion::{Assertion, TYPE, hs256, params};
use crate::harness::page::Page;
use crate::harness::server::Server;

/// A key that belongs to nobody.
const FOREIGN_KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}"#;

/// Asks for a token with just this assertion.
async fn sent(server: &Server, assertion: &str) -> Page {
    let form = [&params(assertion)[..], &[("grant_type", "client_credentials")]].concat();
    App::new(server, "signed").post_raw("/token", &[], &form).await
}

/// What comes of an assertion: `200`, or status, code and reason.
async fn fate(server: &Server, assertion: &str) -> String {
    let page = sent(server, assertion).await;
    if page.status == 200 { page.brief() } else { format!("{} {}", page.brief(), server.reason().await) }
}

#[tokio::test]
async fn an_app_authenticates_with_its_own_key_everywhere() {
    let server = Server::start().await;
    let signed = App::new(&server, "signed");
    let tokens = signed.tokens("openid notes.read").await;
    assert_eq!(signed.refresh(tokens.refresh()).await.status, 200);
    assert_eq!(signed.introspect(tokens.access()).await["active"], true);
    assert_eq!(signed.revoke(tokens.access()).await.status, 200);
    assert_eq!(signed.introspect(tokens.access()).await["active"], false);
}

// "The authorization server MUST reject JWTs with an invalid signature or MAC." (RFC 7523 §3)
// "The Server SHOULD validate the digital signature to verify that it was issued by a legitimate Client and its integrity is
// intact." (OIDC Core §16.7)
#[tokio::test]
async fn a_forged_assertion_is_no_authentication() {
    let server = Server::start().await;
    let right = Assertion::new(&server);
    let unsigned = |assertion: &Assertion, signature: &str| format!("{}.{signature}", assertion.unsigned());
    let public_key = r#"{"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    let hmac = |alg| hs256(&right.clone().header("alg", alg).unsigned(), public_key.as_bytes());
    let other = right.clone().claim("jti", "other").signed();
    let swapped = format!("{}.{}", right.unsigned(), other.rsplit('.').next().unwrap());
    let own_key: Value = serde_json::from_str(FOREIGN_KEY).unwrap();
    for (forged, reason) in [
        (unsigned(&right.clone().header("alg", "none"), ""), "AssertionAlgorithm"),
        (unsigned(&right.clone().header("alg", "None"), ""), "AssertionAlgorithm"),
        (hmac("HS256"), "AssertionAlgorithm"),
        (hmac("ES256"), "AssertionSignature"),
        (right.signed_with(FOREIGN_KEY), "AssertionSignature"),
        (right.clone().header("kid", "other").signed(), "AssertionSignature"),
        (
            right.clone().header("kid", "other").header("jwk", own_key.clone()).signed_with(FOREIGN_KEY),
            "AssertionSignature",
        ),
        (
            right.clone().header("kid", Value::Null).header("jwk", own_key).signed_with(FOREIGN_KEY),
            "AssertionSignature",
        ),
        (right.clone().header("jku", "https://evil.example/jwks").signed_with(FOREIGN_KEY), "AssertionSignature"),
        (right.clone().header("alg", "RS256").signed(), "AssertionSignature"),
        (right.clone().header("crit", json!(["x"])).signed(), "AssertionMalformed"),
        (unsigned(&right, ""), "AssertionSignature"),
        (unsigned(&right, &URL_SAFE_NO_PAD.encode([0; 64])), "AssertionSignature"),
        (swapped, "AssertionSignature"),
        (right.unsigned(), "AssertionMalformed"),
        (format!("{}=", right.signed()), "AssertionMalformed"),
        ("a.b.c".into(), "AssertionMalformed"),
        ("..".into(), "AssertionMalformed"),
    ] {
        assert_eq!(fate(&server, &forged).await, format!("401 invalid_client {reason}"), "{forged}");
    }
    assert_eq!(fate(&server, &right.signed()).await, "200");
}

// "For client authentication, the subject MUST be the "client_id" of the OAuth client. ... The JWT MUST contain an "aud"
// (audience) claim containing a value that identifies the authorization server as an intended audience." (RFC 7523 §3)
// "This MUST contain the "client_id" of the OAuth Client. ... The Authorization Server MUST verify that it is an intended
// audience for the token." (OIDC Core §9)
// "iss REQUIRED. Issuer. This MUST contain the "client_id" of the OAuth Client." (OIDC Core §9)
// "sub REQUIRED. ... aud REQUIRED. ... jti REQUIRED. ... exp REQUIRED." (OIDC Core §9)
// "The JWT MUST contain the following REQUIRED Claim Values and MAY contain the following OPTIONAL Claim Values:"
// (OIDC Core §9)
#[tokio::test]
async fn an_assertion_that_says_something_else_is_no_authentication() {
    let server = Server::start().await;
    let now = server.clock.read().seconds();
    let right = Assertion::new(&server);
    for (name, value, reason) in [
        ("iss", json!("wiki"), "AssertionSubject"),
        ("iss", json!("https://evil.example"), "AssertionSubject"),
        ("iss", Value::Null, "AssertionMalformed"),
        ("sub", json!("wiki"), "AuthMethodMismatch"),
        ("sub", json!("nobody"), "ClientUnknown"),
        ("sub", Value::Null, "AssertionMalformed"),
        ("sub", json!(["signed"]), "AssertionMalformed"),
        ("aud", json!("https://evil.example"), "AssertionAudience"),
        ("aud", json!(format!("{}/", server.url)), "AssertionAudience"),
        ("aud", json!(format!("{}.evil.example", server.url)), "AssertionAudience"),
        ("aud", json!([server.url, "https://evil.example"]), "AssertionAudience"),
        ("aud", json!([]), "AssertionAudience"),
        ("aud", Value::Null, "AssertionMalformed"),
        ("exp", json!(now - 31), "AssertionExpired"),
        ("exp", json!(i64::MIN), "AssertionExpired"),
        ("exp", json!(now + 86_400), "AssertionLifetime"),
        ("exp", json!(i64::MAX), "AssertionLifetime"),
        ("exp", json!("soon"), "AssertionMalformed"),
        ("exp", Value::Null, "AssertionMalformed"),
        ("nbf", json!(now + 300), "AssertionLifetime"),
        ("iat", json!(now + 300), "AssertionLifetime"),
        ("iat", json!(now - 86_400), "AssertionLifetime"),
        ("jti", Value::Null, "AssertionMalformed"),
        ("jti", json!(""), "AssertionMalformed"),
    ] {
        let assertion = right.clone().claim(name, value.clone()).signed();
        assert_eq!(fate(&server, &assertion).await, format!("401 invalid_client {reason}"), "{name}: {value}");
    }
    assert_eq!(fate(&server, &right.clone().claim("aud", json!([server.url])).signed()).await, "200");
}

// "The Audience SHOULD be the URL of the Authorization Server's Token Endpoint." (OIDC Core §9)
#[tokio::test]
async fn the_address_of_the_token_endpoint_names_us_too_unless_the_operator_says_otherwise() {
    let named = |server: &Server| Assertion::new(server).claim("aud", server.at("/token")).signed();
    let server = Server::start().await;
    assert_eq!(fate(&server, &named(&server)).await, "200");
    let strict = Server::start_with(|config| config.clients.require_issuer_audience = true).await;
    assert_eq!(fate(&strict, &named(&strict)).await, "401 invalid_client AssertionAudience");
}

#[tokio::test]
async fn clocks_may_differ_by_half_a_minute() {
    let server = Server::start().await;
    let now = server.clock.read().seconds();
    let right = || Assertion::new(&server);
    for assertion in [right().claim("exp", now - 29), right().claim("nbf", now + 29), right().claim("iat", now + 29)] {
        assert_eq!(fate(&server, &assertion.signed()).await, "200");
    }
    server.clock.advance(Duration::from_secs(30));
    assert_eq!(fate(&server, &right().claim("exp", now).signed()).await, "401 invalid_client AssertionExpired");
}

// "The authorization server MAY ensure that JWTs are not replayed by maintaining the set of used "jti" values for the length
// of time for which the JWT would be considered valid based on the applicable "exp" instant." (RFC 7523 §3)
// "These tokens MUST only be used once" (OIDC Core §9)
#[tokio::test]
async fn an_assertion_counts_once() {
    let server = Server::start().await;
    let assertion = Assertion::new(&server);
    assert_eq!(fate(&server, &assertion.signed()).await, "200");
    assert_eq!(fate(&server, &assertion.signed()).await, "401 invalid_client AssertionReplayed");
    let later = assertion.clone().claim("exp", server.clock.read().seconds() + 200).signed();
    assert_eq!(fate(&server, &later).await, "401 invalid_client AssertionReplayed", "the jti counts, not the text");
    server.clock.advance(Duration::from_secs(89));
    assert_eq!(fate(&server, &assertion.signed()).await, "401 invalid_client AssertionReplayed");
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(fate(&server, &assertion.signed()).await, "401 invalid_client AssertionExpired");
}

#[tokio::test]
async fn of_16_at_once_with_one_assertion_one_succeeds() {
    let server = std::sync::Arc::new(Server::start().await);
    let assertion = Assertion::new(&server).signed();
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (server, assertion) = (std::sync::Arc::clone(&server), assertion.clone());
        asking.spawn(async move { sent(&server, &assertion).await.brief() });
    }
    let fates = asking.join_all().await;
    assert_eq!(fates.iter().filter(|fate| *fate == "200").count(), 1, "{fates:?}");
    assert_eq!(fates.iter().filter(|fate| *fate == "401 invalid_client").count(), 15, "{fates:?}");
}

// "The value of the "client_assertion_type" is "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"." (RFC 7523 §2.2)
// "The authentication token MUST be sent as the value of the [OAuth.Assertions] "client_assertion" parameter. The value of
// the [OAuth.Assertions] "client_assertion_type" parameter MUST be "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
// per [OAuth.JWT]." (OIDC Core §9)
#[tokio::test]
async fn an_assertion_comes_with_its_type_and_names_the_client() {
    let server = Server::start().await;
    let app = App::new(&server, "signed");
    let grant = ("grant_type", "client_credentials");
    let assertion = Assertion::new(&server).signed();
    for form in [
        vec![grant, ("client_assertion", &assertion)],
        vec![grant, ("client_assertion_type", TYPE)],
        vec![
            grant,
            ("client_assertion", &assertion),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"),
        ],
    ] {
        assert_eq!(app.post_raw("/token", &[], &form).await.brief(), "401 invalid_client");
    }
    let form = [vec![grant, ("client_id", "wiki")], params(&assertion).into()].concat();
    assert_eq!(app.post_raw("/token", &[], &form).await.brief(), "400 invalid_request");
    assert_eq!(server.reason().await, "ClientIdMismatch");
    let form = [vec![grant, ("client_id", "signed")], params(&assertion).into()].concat();
    assert_eq!(app.post_raw("/token", &[], &form).await.status, 200);
}

#[tokio::test]
async fn a_refused_assertion_is_explained() {
    let server = Server::start().await;
    let page = sent(&server, &Assertion::new(&server).claim("aud", "https://evil.example").signed()).await;
    insta::assert_snapshot!(page.whole(), @r#"
    401 Unauthorized
    {"error":"invalid_client","error_description":"The client could not be authenticated: the assertion's aud must be this issuer's identifier."}
    "#);
}

#[tokio::test]
async fn the_key_of_another_app_does_not_count() {
    let server = Server::start().await;
    server
        .apply(
            r#"
            [[clients]]
            client_id = "other"
            token_endpoint_auth_method = "private_key_jwt"
            grant_types = ["client_credentials"]
            scope = "notes.read"
            jwks = { keys = [{ kty = "EC", crv = "P-256", kid = "signed-1", alg = "ES256", use = "sig", x = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", y = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" }] }"#,
        )
        .await;
    let as_other = Assertion::new(&server).claim("iss", "other").claim("sub", "other");
    assert_eq!(fate(&server, &as_other.signed()).await, "401 invalid_client AssertionSignature");
    assert_eq!(fate(&server, &as_other.signed_with(FOREIGN_KEY)).await, "200");
    let as_signed = Assertion::new(&server).signed_with(FOREIGN_KEY);
    assert_eq!(fate(&server, &as_signed).await, "401 invalid_client AssertionSignature");
}

// "Use explicit typing for different kinds of JWTs." (RFC 8725 §3.12)
#[tokio::test]
async fn a_request_object_proves_no_app() {
    let server = Server::start().await;
    let object = |typ: &str| Assertion::new(&server).header("typ", typ).signed();
    assert_eq!(fate(&server, &object("oauth-authz-req+jwt")).await, "401 invalid_client AssertionMalformed");
    for typ in ["JWT", "client-authentication+jwt"] {
        assert_eq!(fate(&server, &object(typ)).await, "200", "{typ}");
    }
}
