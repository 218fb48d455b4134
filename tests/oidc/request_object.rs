//! Request objects (OIDC Core §6): the request as a JWT that the app signed. The app is `signed` of the seeds.

use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use crate::harness::app::{Answer, App, Tokens, claims};
use crate::harness::assertion::{self, Assertion};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{SECRET, SIGNED_KEY};
use crate::harness::server::Server;

const EVIL: &str = "https://evil.example/cb";

/// What signs for nobody here (ES256).
pub const FOREIGN_KEY: &str = r#"{"kty":"EC","crv":"P-256","kid":"signed-1","alg":"ES256","use":"sig","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}"#;

/// An object that holds a whole right request.
pub fn object(server: &Server, scope: &str) -> Assertion {
    let plain = Assertion::new(server).claim("sub", Value::Null).header("typ", "oauth-authz-req+jwt");
    let request = App::new(server, "signed").request(scope);
    request.into_iter().fold(plain, |object, (name, value)| object.claim(&name, value))
}

/// Sends a browser with an object, and what has to stand beside it; `beside` replaces that, and removes it when empty.
pub async fn asks(server: &Server, person: &Person, object: &str, beside: &[(&str, &str)]) -> Page {
    let mut pairs = vec![("client_id", "signed"), ("response_type", "code"), ("scope", "openid"), ("request", object)];
    for (name, value) in beside {
        pairs.retain(|(known, _)| known != name);
        if !value.is_empty() {
            pairs.push((name, value));
        }
    }
    person.open(Url::parse_with_params(&server.at("/authorize"), pairs).unwrap()).await
}

async fn approved(server: &Server, person: &Person, object: &Assertion, beside: &[(&str, &str)]) -> Answer {
    let page = asks(server, person, &object.signed(), beside).await;
    Answer::of(&person.approve(page).await)
}

// "It represents the request as a JWT whose Claims are the request parameters specified in Section 3.1.2." (OIDC Core §6.1)
#[tokio::test]
async fn a_signed_object_is_the_whole_request() {
    let server = Server::start().await;
    let (signed, person) = (App::new(&server, "signed"), Person::new(&server));
    let asked = object(&server, "openid notes.read")
        .claim("max_age", 3600)
        .claim("claims", json!({ "id_token": { "auth_time": { "essential": true } } }))
        .claim("resource", json!(["https://notes.example/api"]));
    let answer = approved(&server, &person, &asked, &[]).await;
    assert_eq!(answer.param("state"), "the-state");
    let tokens = Tokens(signed.redeem(&answer.param("code")).await.json());
    assert_eq!(claims(tokens.id())["nonce"], "the-nonce");
    assert_eq!(claims(tokens.access())["aud"], "https://notes.example/api");
    assert_eq!(tokens.0["scope"], "notes.read openid");
}

// "When the "request" parameter is used, the OpenID Connect request parameter values contained in the JWT supersede those passed
// using the OAuth 2.0 request syntax." (OIDC Core §6.1)
// "The Authorization Server MUST assemble the set of Authorization Request parameters to be used from the Request Object
// value and the OAuth 2.0 Authorization Request parameters (minus the "request" or "request_uri" parameters)."
// (OIDC Core §6.3.3)
#[tokio::test]
async fn what_the_object_says_counts_and_what_it_leaves_out_is_taken_from_beside() {
    let server = Server::start().await;
    let (signed, person) = (App::new(&server, "signed"), Person::new(&server));
    let beside = [("state", "another"), ("nonce", "another"), ("scope", "openid notes.read"), ("redirect_uri", EVIL)];
    let answer = approved(&server, &person, &object(&server, "openid"), &beside).await;
    assert_eq!((answer.0.host_str(), answer.param("state")), (Some("signed.example"), "the-state".to_owned()));
    let tokens = Tokens(signed.redeem(&answer.param("code")).await.json());
    assert_eq!((&claims(tokens.id())["nonce"], &tokens.0["scope"]), (&"the-nonce".into(), &"openid".into()));
    let short = object(&server, "openid").claim("state", Value::Null).claim("nonce", Value::Null);
    let answer = approved(&server, &person, &short, &beside[..2]).await;
    assert_eq!(answer.param("state"), "another");
    assert_eq!(claims(Tokens(signed.redeem(&answer.param("code")).await.json()).id())["nonce"], "another");
}

// "The values for these parameters MUST match those in the Request Object, if present." (OIDC Core §6.1)
// "The values for these parameters MUST match those in the Request Object, if present." (OIDC Core §6.2)
#[tokio::test]
async fn an_object_is_of_this_app_for_this_server_and_of_this_moment() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let now = server.clock.read().seconds();
    for (name, value, reason) in [
        ("client_id", json!("wiki"), "RequestObjectMismatch"),
        ("response_type", json!("code id_token"), "RequestObjectMismatch"),
        ("iss", json!("wiki"), "RequestObjectMismatch"),
        ("aud", json!("https://other.example"), "RequestObjectMismatch"),
        ("aud", json!([]), "RequestObjectMismatch"),
        ("sub", json!("signed"), "RequestObjectMismatch"),
        ("exp", json!(now - 31), "RequestObjectExpired"),
        ("nbf", json!(now + 31), "RequestObjectExpired"),
        ("iat", json!(now + 31), "RequestObjectExpired"),
        ("exp", json!("soon"), "RequestObjectInvalid"),
        ("state", json!(["a", "b"]), "RequestObjectInvalid"),
        ("state", json!("a\u{0}b"), "RequestObjectInvalid"),
        // ""request" and "request_uri" parameters MUST NOT be included in Request Objects." (OIDC Core §6.1)
        ("request", json!("a.b.c"), "RequestObjectInvalid"),
        ("request_uri", json!("https://signed.example/r"), "RequestObjectInvalid"),
    ] {
        let asked = object(&server, "openid").claim(name, value.clone()).signed();
        let answer = Answer::of(&asks(&server, &person, &asked, &[("state", "beside")]).await);
        let told = (answer.param("error"), answer.param("state"), answer.0.host_str().map(str::to_owned));
        let expected = ("invalid_request_object".into(), "beside".into(), Some("signed.example".to_owned()));
        assert_eq!(told, expected, "{name}: {value}");
        assert_eq!(server.reason().await, reason, "{name}: {value}");
    }
    for (name, value) in
        [("aud", json!(["https://other.example", server.url])), ("iss", Value::Null), ("aud", Value::Null)]
    {
        let asked = object(&server, "openid").claim(name, value.clone());
        assert!(approved(&server, &person, &asked, &[]).await.has("code"), "{name}: {value}");
    }
}

// "Use explicit typing for different kinds of JWTs." (RFC 8725 §3.12)
#[tokio::test]
async fn a_token_of_another_kind_is_no_request() {
    let server = Server::start().await;
    let person = Person::new(&server);
    for typ in [json!("JWT"), json!("jwt"), json!("application/oauth-authz-req+jwt"), Value::Null] {
        let asked = object(&server, "openid").header("typ", typ.clone());
        assert!(approved(&server, &person, &asked, &[]).await.has("code"), "{typ}");
    }
    for typ in ["at+jwt", "logout+jwt", "token-introspection+jwt", "dpop+jwt", ""] {
        let asked = object(&server, "openid").header("typ", typ).signed();
        assert_eq!(Answer::of(&asks(&server, &person, &asked, &[]).await).param("error"), "invalid_request_object");
        assert_eq!(server.reason().await, "RequestObjectInvalid", "{typ}");
    }
    // What proves the app at the token endpoint is signed with the same key.
    let assertion = Assertion::new(&server).signed();
    assert!(!Answer::of(&asks(&server, &person, &assertion, &[]).await).has("code"));
    let asked = object(&server, "openid").signed();
    let form = [&[("grant_type", "client_credentials")], &assertion::params(&asked)[..]].concat();
    let refused = App::new(&server, "signed").post_raw("/token", &[], &form).await;
    assert_eq!(refused.brief(), "401 invalid_client");
}

// "The Authorization Server MUST return an error if signature validation fails." (OIDC Core §6.3.2)
// "The signature MUST be validated against the appropriate key for that "client_id" and algorithm." (OIDC Core §6.3.2)
#[tokio::test]
async fn a_forged_object_gives_nothing_and_leads_nowhere() {
    let server = Server::start().await;
    let person = Person::new(&server);
    person.sign_in().await;
    let good = object(&server, "openid");
    assert!(approved(&server, &person, &good, &[]).await.has("code"));
    let evil = good.clone().claim("redirect_uri", EVIL);
    let unsigned = |header: &str| evil.clone().header("alg", header).unsigned();
    let signature = good.signed().rsplit_once('.').unwrap().1.to_owned();
    let public = SIGNED_KEY.split(r#","d""#).next().unwrap().to_owned() + "}";
    let embedded = evil.clone().header("jwk", json!({ "kty": "EC" })).header("kid", Value::Null);
    for (what, forged) in [
        ("none", format!("{}.", unsigned("none"))),
        ("None", format!("{}.", unsigned("None"))),
        ("none with a signature", format!("{}.{signature}", unsigned("none"))),
        ("HS256 with the public key", assertion::hs256(&unsigned("HS256"), public.as_bytes())),
        ("HS256 with a secret", assertion::hs256(&unsigned("HS256"), SECRET.as_bytes())),
        ("a foreign key", evil.signed_with(FOREIGN_KEY)),
        ("an embedded key", embedded.signed_with(FOREIGN_KEY)),
        ("altered", format!("{}.{signature}", evil.unsigned())),
        ("no signature", format!("{}.", evil.unsigned())),
        ("two parts", evil.unsigned()),
        ("garbage", "a.b.c".to_owned()),
        ("crit", evil.clone().header("crit", json!(["b64"])).signed()),
    ] {
        for beside in [&[][..], &[("redirect_uri", EVIL)], &[("redirect_uri", "https://signed.example/cb")]] {
            let page = asks(&server, &person, &forged, beside).await;
            assert!(page.status == 400 || page.status == 303, "{what}: {}", page.status);
            let Some(location) = page.location() else { continue };
            let answer = Answer(location);
            assert_eq!(answer.0.host_str(), Some("signed.example"), "{what}");
            assert_eq!(
                (answer.param("error").as_str(), answer.has("code")),
                ("invalid_request_object", false),
                "{what}"
            );
        }
    }
}

#[tokio::test]
async fn an_address_that_is_not_registered_is_never_followed_signed_or_not() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let evil = object(&server, "openid").claim("redirect_uri", EVIL);
    let page = asks(&server, &person, &evil.signed(), &[("redirect_uri", "https://signed.example/cb")]).await;
    assert_eq!((page.status.as_u16(), page.location(), page.name().as_str()), (400, None, "error"));
    assert_eq!(server.reason().await, "RedirectUriMismatch");
    let page = asks(&server, &person, &evil.signed_with(FOREIGN_KEY), &[("redirect_uri", EVIL)]).await;
    assert_eq!((page.status.as_u16(), page.location()), (400, None));
    assert!(page.text().contains("Check the request, above all request"), "{}", page.text());
    assert_eq!(server.reason().await, "RequestObjectSignature");
}

/// Declares apps by how their objects are signed.
pub async fn declare(server: &Server, client_id: &str, more: &str) {
    server.clock.advance(Duration::from_secs(1));
    let declared = format!(
        r#"
        [[clients]]
        client_id = "{client_id}"
        client_secret = "{SECRET}"
        redirect_uris = ["https://{client_id}.example/cb"]
        scope = "openid profile"
        {more}
        jwks = {{ keys = [{{ kty = "EC", crv = "P-256", kid = "signed-1", alg = "ES256", use = "sig", x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }}] }}
        "#
    );
    server.apply(&declared).await;
}

/// An object that holds a whole right request of one of them.
pub fn object_of(server: &Server, client_id: &str) -> Assertion {
    let redirect_uri = format!("https://{client_id}.example/cb");
    object(server, "openid").claim("iss", client_id).claim("client_id", client_id).claim("redirect_uri", redirect_uri)
}

// "All Request Objects from this Client MUST be rejected, if not signed with this algorithm." (OIDC Registration §2)
// "To perform Signature Validation, the "alg" Header Parameter in the JOSE Header MUST match the value of the
// "request_object_signing_alg" set during Client Registration [OpenID.Registration] or a value that was pre-registered by
// other means." (OIDC Core §6.3.2)
// "JWS [JWS] "alg" algorithm [JWA] that MUST be used for signing Request Objects sent to the OP." (OIDC Registration §2)
// "Servers SHOULD support "none" and "RS256"." (OIDC Discovery §3)
// "Servers SHOULD support "RS256"." (OIDC Registration §2)
#[tokio::test]
async fn an_object_is_signed_as_the_app_is_registered() {
    let server = Server::start().await;
    let person = Person::new(&server);
    for (client_id, algorithm) in [("es", "ES256"), ("rs", "RS256"), ("unsecured", "none")] {
        declare(&server, client_id, &format!("request_object_signing_alg = \"{algorithm}\"")).await;
        let asked = object_of(&server, client_id);
        let none = format!("{}.", asked.clone().header("alg", "none").unsigned());
        for (by, object) in [("ES256", asked.signed()), ("none", none)] {
            let page = asks(&server, &person, &object, &[("client_id", client_id)]).await;
            let answer = Answer::of(&person.approve(page).await);
            assert_eq!(answer.has("code"), by == algorithm, "{by} for {client_id}: {}", answer.0);
        }
    }
    let metadata = person.get("/.well-known/openid-configuration").await.json();
    let offered = metadata["request_object_signing_alg_values_supported"].as_array().unwrap();
    assert!(offered.contains(&"none".into()) && offered.contains(&"RS256".into()), "{metadata}");
}

#[tokio::test]
async fn an_app_without_keys_has_no_objects() {
    let server = Server::start().await;
    let asked = object(&server, "openid").claim("iss", Value::Null).claim("client_id", "wiki").signed();
    let answer = asks(&server, &Person::new(&server), &asked, &[("client_id", "wiki")]).await;
    assert_eq!(Answer::of(&answer).param("error"), "invalid_request_object");
}

// "When the value of it as client metadata is "true", then the server MUST reject the authorization request from the client that
// does not conform to this specification." (RFC 9101 §10.5)
#[tokio::test]
async fn of_an_app_that_always_signs_nothing_else_counts() {
    let server = Server::start().await;
    declare(&server, "jar", "require_signed_request_object = true").await;
    let (jar, person) = (App::new(&server, "jar").at("https://jar.example/cb"), Person::new(&server));
    let refused = Answer::of(&jar.asks(&person, "openid", &[]).await);
    assert_eq!(
        (refused.param("error"), server.reason().await),
        ("invalid_request".into(), "RequestObjectMissing".into())
    );
    let asked = object_of(&server, "jar").claim("state", Value::Null).signed();
    let page = asks(&server, &person, &asked, &[("client_id", "jar"), ("state", "not signed")]).await;
    let answer = Answer::of(&person.approve(page).await);
    assert!(answer.has("code") && !answer.has("state"), "{}", answer.0);
    assert_eq!(jar.redeem(&answer.param("code")).await.status, 200);
}

#[tokio::test]
async fn an_object_may_expire_while_the_person_signs_in() {
    let server = Server::start().await;
    let (signed, person) = (App::new(&server, "signed"), Person::new(&server));
    let page = asks(&server, &person, &object(&server, "openid").signed(), &[]).await;
    assert_eq!(page.name(), "sign-in");
    server.clock.advance(Duration::from_mins(20));
    let answer = Answer::of(&person.approve(page).await);
    assert_eq!(signed.redeem(&answer.param("code")).await.status, 200);
}

#[tokio::test]
async fn an_object_may_be_posted() {
    let server = Server::start().await;
    let (signed, person) = (App::new(&server, "signed"), Person::new(&server));
    let asked = object(&server, "openid").signed();
    let form = [("client_id", "signed"), ("response_type", "code"), ("scope", "openid"), ("request", asked.as_str())];
    let page = signed.post_raw("/authorize", &[("origin", "https://signed.example")], &form).await;
    assert_eq!(page.status, 303);
    let page = person.open(page.location().unwrap()).await;
    assert!(Answer::of(&person.approve(page).await).has("code"));
}

#[tokio::test]
async fn an_object_is_as_large_as_any_parameter_may_be() {
    let server = Server::start().await;
    let asked = object(&server, "openid").claim("state", "s".repeat(10_000)).signed();
    let page = asks(&server, &Person::new(&server), &asked, &[]).await;
    assert_eq!((page.status.as_u16(), page.location()), (413, None));
}
