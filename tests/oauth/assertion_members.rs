//! What an assertion may say beside what it must (OIDC Core §9), of both methods, and until when it counts.

use std::time::Duration;

use grantor_core::time::Time;
use serde_json::{Value, json};

use crate::harness::app::App;
use crate::harness::assertion::{Assertion, hs256, params};
use crate::harness::seeds::SECRET;
use crate::harness::server::Server;

/// A server with an app that makes assertions by its secret, beside `signed` of the seeds.
async fn started() -> Server {
    let server = Server::start().await;
    server.clock.advance(Duration::from_millis(1));
    server
        .apply(&format!(
            "[[clients]]\nclient_id = \"quiet\"\nclient_secret = \"{SECRET}\"\ngrant_types = [\"client_credentials\"]\n\
             scope = \"notes.read\"\ntoken_endpoint_auth_method = \"client_secret_jwt\"\n"
        ))
        .await;
    server
}

/// What comes of an assertion of each method that says `claims`, too: `200`, or status, code and reason.
async fn fates(server: &Server, claims: &[(&str, Value)]) -> [String; 2] {
    let with = |plain: Assertion| claims.iter().fold(plain, |it, (name, value)| it.claim(name, value.clone()));
    let by_key = with(Assertion::new(server)).signed();
    let quiet = Assertion::new(server).claim("iss", "quiet").claim("sub", "quiet");
    let quiet = with(quiet).header("alg", "HS256").header("kid", Value::Null);
    let by_secret = hs256(&quiet.unsigned(), SECRET.as_bytes());
    [fate(server, "signed", &by_key).await, fate(server, "quiet", &by_secret).await]
}

async fn fate(server: &Server, client_id: &str, assertion: &str) -> String {
    let form = [&params(assertion)[..], &[("grant_type", "client_credentials"), ("scope", "notes.read")]].concat();
    let page = App::new(server, client_id).post_raw("/token", &[], &form).await;
    if page.status == 200 { "200".into() } else { format!("{} {}", page.brief(), server.reason().await) }
}

// "Any Claims used that are not understood MUST be ignored." (OIDC Core §9)
#[tokio::test]
async fn what_an_assertion_says_beside_changes_nothing() {
    let server = started().await;
    let beside = [
        ("scope", json!("admin")),
        ("client_id", json!("wiki")),
        ("azp", json!("wiki")),
        ("urn:example:unheard", json!({ "of": [1, null] })),
        ("", json!(true)),
    ];
    assert_eq!(fates(&server, &beside).await, ["200", "200"]);
}

// "Expiration time on or after which the JWT MUST NOT be accepted for processing." (OIDC Core §9)
#[tokio::test]
async fn an_assertion_counts_no_longer_than_it_says_and_clocks_may_differ() {
    let server = started().await;
    let now: Time = server.clock.read();
    let skew = i64::try_from(server.config().lifetimes.clock_skew.as_secs()).unwrap();
    for (left, fate) in [
        (1, "200"),
        (1 - skew, "200"),
        (-skew, "401 invalid_client AssertionExpired"),
        (-skew - 1, "401 invalid_client AssertionExpired"),
    ] {
        let exp = json!(now.seconds() + left);
        assert_eq!(fates(&server, &[("exp", exp)]).await, [fate, fate], "{left}");
    }
}

// "Symmetric signatures MUST NOT be used by public (non-confidential) Clients because of their inability to keep secrets."
// (OIDC Core §10.1)
#[tokio::test]
async fn an_app_that_keeps_no_secret_proves_itself_by_no_mac() {
    let server = started().await;
    let by = |key: &[u8]| {
        let spa = Assertion::new(&server).claim("iss", "spa").claim("sub", "spa");
        hs256(&spa.header("alg", "HS256").header("kid", Value::Null).unsigned(), key)
    };
    for key in [SECRET.as_bytes(), b"", b"spa"] {
        assert_eq!(fate(&server, "spa", &by(key)).await, "401 invalid_client AuthMethodMismatch");
    }
}
