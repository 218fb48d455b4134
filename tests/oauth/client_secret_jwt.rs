//! `client_secret_jwt`: assertions by a secret that both sides have, which is sealed here and never sent (OIDC Core §9, RFC 7523 §3).

use std::time::Duration;

use grantor_core::store::Store;
use grantor_jose::hash::sha256;
use grantor_server::declare;
use grantor_server::declare::apply::{Tools, apply};
use grantor_server::place::Source;
use serde_json::{Value, json};

use crate::harness::app::{App, basic};
use crate::harness::assertion::{Assertion, hs256, params, signed};
use crate::harness::command;
use crate::harness::seeds::{SECRET, SIGNED_KEY};
use crate::harness::server::Server;

/// Another secret.
const NEXT: &str = "another-secret-for-tests-and-nothing-else-";

/// The app `quiet`, which never sends its secret.
fn quiet(secret: &str, more: &str) -> String {
    let secret = if secret.is_empty() { String::new() } else { format!("client_secret = \"{secret}\"\n") };
    format!(
        "[[clients]]\nclient_id = \"quiet\"\n{secret}grant_types = [\"client_credentials\"]\nscope = \"notes.read\"\n{more}\n"
    )
}

const BY_MAC: &str = "token_endpoint_auth_method = \"client_secret_jwt\"";

async fn started(declaration: &str) -> Server {
    let server = Server::start().await;
    server.clock.advance(Duration::from_millis(1));
    server.apply(declaration).await;
    server
}

async fn declare(server: &Server, declaration: &str) {
    server.clock.advance(Duration::from_millis(1));
    server.apply(declaration).await;
}

/// What is said where a declaration cannot be applied.
async fn refused(server: &Server, declaration: &str) -> String {
    let declaration = declare::parse(&Source::new("test.toml", declaration)).expect("it is well formed");
    let (lifetimes, mint) = (grantor_core::policy::Lifetimes::default(), grantor_jose::random::Mint::new(1));
    let tools = Tools { mint: &mint, lifetimes: &lifetimes, tokens: &server.config().tokens, now: server.clock.read() };
    apply(&server.database, &declaration, tools, false).await.unwrap_err().to_string()
}

/// A right assertion of the app.
fn assertion(server: &Server) -> Assertion {
    let right = Assertion::new(server).claim("iss", "quiet").claim("sub", "quiet");
    right.header("alg", "HS256").header("kid", Value::Null)
}

/// What comes of an assertion: `200`, or status, code and reason.
async fn fate(server: &Server, assertion: &str) -> String {
    let form = [&params(assertion)[..], &[("grant_type", "client_credentials")]].concat();
    let page = App::new(server, "quiet").post_raw("/token", &[], &form).await;
    if page.status == 200 { page.brief() } else { format!("{} {}", page.brief(), server.reason().await) }
}

/// The same of a right one by a secret.
async fn fate_by(server: &Server, secret: &str) -> String {
    fate(server, &hs256(&assertion(server).unsigned(), secret.as_bytes())).await
}

// "Clients that have received a "client_secret" value from the Authorization Server create a JWT using an HMAC SHA algorithm,
// such as HMAC SHA-256." (OIDC Core §9)
#[tokio::test]
async fn an_app_proves_itself_by_a_mac_at_every_endpoint() {
    let server = started(&quiet(SECRET, BY_MAC)).await;
    let app = App::new(&server, "quiet");
    let right = || hs256(&assertion(&server).unsigned(), SECRET.as_bytes());
    let (first, second, third) = (right(), right(), right());
    let form = [&params(&first)[..], &[("grant_type", "client_credentials"), ("scope", "notes.read")]].concat();
    let page = app.post_raw("/token", &[], &form).await;
    let token = page.json()["access_token"].as_str().unwrap().to_owned();
    let form = [&params(&second)[..], &[("token", &token)]].concat();
    assert_eq!(app.post_raw("/introspect", &[], &form).await.json()["client_id"], "quiet");
    let form = [&params(&third)[..], &[("token", &token)]].concat();
    assert_eq!(app.post_raw("/revoke", &[], &form).await.status, 200);
}

// "The authorization server MUST reject JWTs with an invalid signature or MAC." (RFC 7523 §3)
#[tokio::test]
async fn a_forged_mac_is_no_authentication() {
    let public = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    let server = started(&quiet(SECRET, &format!("{BY_MAC}\njwks = {{ keys = [{{ kty = \"EC\", crv = \"P-256\", x = \"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\", y = \"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\" }}] }}"))).await;
    let right = assertion(&server);
    let text = |alg: &str| right.clone().header("alg", alg).unsigned();
    let other = hs256(&right.clone().claim("jti", "other").unsigned(), SECRET.as_bytes());
    for (forged, reason) in [
        (format!("{}.", text("none")), "AssertionAlgorithm"),
        (format!("{}.", text("HS256")), "AssertionSignature"),
        (signed(&text("ES256"), SIGNED_KEY), "AssertionAlgorithm"),
        (hs256(&text("RS256"), SECRET.as_bytes()), "AssertionAlgorithm"),
        (hs256(&text("ES256"), SECRET.as_bytes()), "AssertionAlgorithm"),
        (hs256(&text("HS256"), public.as_bytes()), "AssertionSignature"),
        (hs256(&text("HS256"), &sha256(SECRET.as_bytes())), "AssertionSignature"),
        (hs256(&text("HS256"), b""), "AssertionSignature"),
        (hs256(&text("HS384"), SECRET.as_bytes()), "AssertionSignature"),
        (hs256(&text("HS256"), NEXT.as_bytes()), "AssertionSignature"),
        (format!("{}.{}", text("HS256"), other.rsplit('.').next().unwrap()), "AssertionSignature"),
        (hs256(&right.clone().header("crit", json!(["x"])).unsigned(), SECRET.as_bytes()), "AssertionMalformed"),
    ] {
        assert_eq!(fate(&server, &forged).await, format!("401 invalid_client {reason}"), "{forged}");
    }
    assert_eq!(fate_by(&server, SECRET).await, "200");
}

// "The JWT MUST contain an "exp" (expiration time) claim that limits the time window during which the JWT can be used."
// (RFC 7523 §3)
#[tokio::test]
async fn an_assertion_by_a_mac_says_what_one_by_a_key_says_and_counts_once() {
    let server = started(&quiet(SECRET, BY_MAC)).await;
    let now = server.clock.read().seconds();
    for (name, value, reason) in [
        ("iss", json!("wiki"), "AssertionSubject"),
        ("sub", json!("wiki"), "AuthMethodMismatch"),
        ("aud", json!("https://evil.example"), "AssertionAudience"),
        ("exp", json!(now - 31), "AssertionExpired"),
        ("exp", json!(now + 86_400), "AssertionLifetime"),
        ("exp", Value::Null, "AssertionMalformed"),
        ("iat", json!(now - 86_400), "AssertionLifetime"),
        ("nbf", json!(now + 300), "AssertionLifetime"),
        ("jti", Value::Null, "AssertionMalformed"),
    ] {
        let wrong = hs256(&assertion(&server).claim(name, value.clone()).unsigned(), SECRET.as_bytes());
        assert_eq!(fate(&server, &wrong).await, format!("401 invalid_client {reason}"), "{name}: {value}");
    }
    let right = hs256(&assertion(&server).unsigned(), SECRET.as_bytes());
    assert_eq!(fate(&server, &right).await, "200");
    assert_eq!(fate(&server, &right).await, "401 invalid_client AssertionReplayed");
}

#[tokio::test]
async fn of_16_at_once_with_one_mac_one_succeeds() {
    let server = std::sync::Arc::new(started(&quiet(SECRET, BY_MAC)).await);
    let right = hs256(&assertion(&server).unsigned(), SECRET.as_bytes());
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (server, right) = (std::sync::Arc::clone(&server), right.clone());
        asking.spawn(async move {
            let form = [&params(&right)[..], &[("grant_type", "client_credentials")]].concat();
            App::new(&server, "quiet").post_raw("/token", &[], &form).await.brief()
        });
    }
    let fates = asking.join_all().await;
    assert_eq!(fates.iter().filter(|fate| *fate == "200").count(), 1, "{fates:?}");
}

// "All Token Requests using these authentication methods from this Client MUST be rejected, if the JWT is not signed with this
// algorithm." (OIDC Registration §2)
// "JWS [JWS] "alg" algorithm [JWA] that MUST be used for signing the JWT [JWT] used to authenticate the Client at the Token
// Endpoint for the "private_key_jwt" and "client_secret_jwt" authentication methods." (OIDC Registration §2)
#[tokio::test]
async fn an_algorithm_that_is_registered_is_the_only_one() {
    let long = "0123456789abcdef".repeat(4);
    let server = started(&quiet(&long, &format!("{BY_MAC}\ntoken_endpoint_auth_signing_alg = \"HS512\""))).await;
    assert_eq!(fate_by(&server, &long).await, "401 invalid_client AssertionAlgorithm");
    declare(&server, &quiet(&long, &format!("{BY_MAC}\ntoken_endpoint_auth_signing_alg = \"HS256\""))).await;
    assert_eq!(fate_by(&server, &long).await, "200");
}

#[tokio::test]
async fn a_secret_that_is_sent_and_a_method_of_another_app_do_not_count() {
    let server = started(&quiet(SECRET, BY_MAC)).await;
    let (app, grant) = (App::new(&server, "quiet"), ("grant_type", "client_credentials"));
    let header = basic("quiet", SECRET);
    let sent = app.post_raw("/token", &[("authorization", &header)], &[grant]).await;
    assert_eq!((sent.brief().as_str(), server.reason().await.as_str()), ("401 invalid_client", "AuthMethodMismatch"));
    let sent = app.post_raw("/token", &[], &[grant, ("client_id", "quiet"), ("client_secret", SECRET)]).await;
    assert_eq!((sent.brief().as_str(), server.reason().await.as_str()), ("401 invalid_client", "AuthMethodMismatch"));
    let right = hs256(&assertion(&server).unsigned(), SECRET.as_bytes());
    let both = [&params(&right)[..], &[grant, ("client_id", "quiet"), ("client_secret", SECRET)]].concat();
    let sent = app.post_raw("/token", &[], &both).await;
    assert_eq!((sent.brief().as_str(), server.reason().await.as_str()), ("400 invalid_request", "AuthMethodsMixed"));
    // `service` has the same secret, and proves itself by sending it.
    let of_another = assertion(&server).claim("iss", "service").claim("sub", "service");
    let sent = fate(&server, &hs256(&of_another.unsigned(), SECRET.as_bytes())).await;
    assert_eq!(sent, "401 invalid_client AuthMethodMismatch");
}

#[tokio::test]
async fn the_secret_is_sealed_for_such_an_app_alone_and_never_shown() {
    let server = started(&quiet(NEXT, BY_MAC)).await;
    let kept = |server: &Server| server.database.directory().clients["quiet"].secrets[0].text.is_some();
    assert!(kept(&server));
    let shown = command::client(server.config(), &["show", "quiet", "--json"]).await.unwrap();
    assert!(!shown.contains(NEXT) && shown.contains("client_secret_jwt"), "{shown}");
    let holds = |dump: &[u8]| dump.windows(NEXT.len()).any(|found| found == NEXT.as_bytes());
    assert!(!holds(&server.place().dump()));
    assert_eq!(fate_by(&server, NEXT).await, "200");
    // As soon as the app proves itself in another way, the hash is all that is kept.
    declare(&server, &quiet(NEXT, "token_endpoint_auth_method = \"client_secret_post\"")).await;
    assert!(!kept(&server));
    let page = App::new(&server, "quiet")
        .post_raw(
            "/token",
            &[],
            &[("grant_type", "client_credentials"), ("client_id", "quiet"), ("client_secret", NEXT)],
        )
        .await;
    assert_eq!(page.status, 200);
}

#[tokio::test]
async fn a_replaced_secret_makes_macs_until_its_overlap_ends() {
    let server = started(&quiet(SECRET, BY_MAC)).await;
    declare(&server, &quiet(NEXT, BY_MAC)).await;
    assert_eq!((fate_by(&server, SECRET).await, fate_by(&server, NEXT).await), ("200".into(), "200".into()));
    server.clock.advance(Duration::from_hours(24));
    assert_eq!(fate_by(&server, SECRET).await, "401 invalid_client AssertionSignature");
    assert_eq!(fate_by(&server, NEXT).await, "200");
}

#[tokio::test]
async fn an_app_of_which_the_hash_alone_is_known_needs_its_secret_declared_or_made() {
    let server = started(&quiet(SECRET, "")).await;
    let said = refused(&server, &quiet("", BY_MAC)).await;
    assert!(said.contains("test.toml:1: clients[0].client_secret: is kept as a hash alone"), "{said}");
    assert!(said.contains("grantor client secret quiet --token-endpoint-auth-method client_secret_jwt"), "{said}");
    declare(&server, &quiet(SECRET, BY_MAC)).await;
    assert_eq!(server.database.directory().clients["quiet"].secrets.len(), 1, "it is the same secret");
    assert_eq!(fate_by(&server, SECRET).await, "200");
}

#[tokio::test]
async fn a_command_makes_a_secret_for_the_method() {
    let server = started(&quiet(SECRET, "")).await;
    let arguments = ["secret", "quiet", "--token-endpoint-auth-method", "client_secret_jwt", "--json"];
    let said: Value = serde_json::from_str(&command::client(server.config(), &arguments).await.unwrap()).unwrap();
    let secret = said["client_secret"].as_str().unwrap();
    assert!(secret.len() >= 64, "long enough for HS512");
    server.database.refresh_directory().await.unwrap();
    assert_eq!(fate_by(&server, secret).await, "200");
    assert_eq!(fate_by(&server, SECRET).await, "401 invalid_client AssertionSignature", "its hash alone was kept");
}

// ""client_secret" values MUST also contain at least the minimum of number of octets required for MAC keys for the particular
// algorithm used." (OIDC Core §16.19)
// "Thus, when used with symmetric signing or encryption operations, "client_secret" values MUST contain sufficient entropy
// to generate cryptographically strong keys. So for instance, for "HS256", the "client_secret" value MUST contain at least
// 32 octets (and almost certainly SHOULD contain more, since "client_secret" values are likely to use a restricted
// alphabet)." (OIDC Core §16.19)
#[tokio::test]
async fn a_secret_is_as_long_as_its_algorithm_needs_and_the_algorithm_is_of_the_method() {
    let with = |alg: &str| format!("{BY_MAC}\ntoken_endpoint_auth_signing_alg = \"{alg}\"");
    let keyed = "token_endpoint_auth_method = \"private_key_jwt\"\njwks = { keys = [] }\ntoken_endpoint_auth_signing_alg = \"HS256\"";
    for (text, why) in [
        (quiet(&"x".repeat(31), BY_MAC), "shorter than 32 bytes"),
        (quiet(&"x".repeat(47), &with("HS384")), "shorter than 48 bytes"),
        (quiet(&"x".repeat(63), &with("HS512")), "shorter than 64 bytes"),
        (quiet("", &with("RS256")), "is for private_key_jwt"),
        (quiet("", &with("none")), "unknown algorithm"),
        (quiet("", keyed), "is for client_secret_jwt"),
    ] {
        let said = declare::parse(&Source::new("test.toml", &text)).unwrap_err().to_string();
        assert!(said.contains(why), "{said}");
    }
    let server = started(&quiet(SECRET, BY_MAC)).await;
    let said = refused(&server, &quiet("", &with("HS512"))).await;
    assert!(said.contains("as it is kept is shorter than 64 bytes"), "{said}");
}
