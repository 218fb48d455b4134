//! Access tokens: what they say (RFC 9068), how they are shown (RFC 6750), and that no other text counts as one.

use std::collections::HashSet;
use std::time::Duration;

use grantor_jose::algorithm::Algorithm;
use grantor_jose::jwk::JwkSet;
use grantor_jose::key::Typ;
use grantor_jose::verify::{Expected, TypRule, verify};
use serde_json::{Value, json};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::harness::app::{App, Tokens, claims, header};
use crate::harness::assertion::{hs256, signed};
use crate::harness::person::Person;
use crate::harness::seeds::SIGNED_KEY;
use crate::harness::server::Server;

// The claims of RFC 9068 §2.2, all of them.
#[tokio::test]
async fn a_jwt_says_who_for_whom_where_and_until_when() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid notes.read").await;
    let now = server.clock.read().seconds();
    let said = claims(tokens.access());
    let expected = json!({
        "iss": server.url, "exp": now + 600, "aud": ["https://notes.example/api", server.url], "sub": claims(tokens.id())["sub"],
        "client_id": "wiki", "iat": now, "jti": said["jti"], "scope": "notes.read openid", "auth_time": now,
        "acr": said["acr"], "amr": ["pwd"],
    });
    assert_eq!(said, expected);
    assert_eq!(tokens.0["expires_in"], 600);
}

// "JWT access tokens MUST include this media type in the "typ" header parameter" (RFC 9068 §2.1)
#[tokio::test]
async fn a_jwt_verifies_with_the_published_keys() {
    let server = Server::start().await;
    let tokens = App::new(&server, "wiki").tokens("openid").await;
    let said = header(tokens.access());
    assert_eq!((&said["typ"], &said["alg"]), (&json!("at+jwt"), &json!("ES256")));
    let keys: JwkSet = serde_json::from_value(Person::new(&server).get("/jwks").await.json()).unwrap();
    let expected = Expected { typ: TypRule::Is(Typ::AtJwt), algorithms: &[Algorithm::Es256] };
    assert!(verify(tokens.access(), &expected, &keys).is_ok());
}

#[tokio::test]
async fn an_opaque_token_says_nothing_and_is_kept_as_a_hash() {
    let server = Server::start().await;
    let chat = App::new(&server, "chat");
    let token = chat.tokens("openid").await.access().to_owned();
    let secret = token.strip_prefix("gtr_at_").unwrap().split_once('.').unwrap().1;
    assert_eq!(secret.len(), 43);
    let kept = server.place().dump();
    let raw = URL_SAFE_NO_PAD.decode(secret).unwrap();
    let has = |wanted: &[u8]| kept.windows(wanted.len()).any(|bytes| bytes == wanted);
    assert!(!has(secret.as_bytes()) && !has(&raw));
}

#[tokio::test]
async fn no_two_tokens_are_alike() {
    let server = Server::start().await;
    for client_id in ["spa", "chat"] {
        let app = App::new(&server, client_id);
        let mut tokens = app.tokens("openid").await;
        let mut seen = HashSet::new();
        for _ in 0..10 {
            tokens = Tokens(app.refresh(tokens.refresh()).await.json());
            let told = app.userinfo(tokens.access()).await;
            assert!(told.status == 200 && seen.insert(tokens.access().to_owned()));
        }
    }
}

// "The current time MUST be before the time represented by the "exp" claim." (RFC 9068 §4)
// "Access Token lifetimes SHOULD therefore be kept to single use or very short lifetimes." (OIDC Core §16.18)
#[tokio::test]
async fn a_token_counts_for_ten_minutes() {
    let server = Server::start().await;
    for client_id in ["wiki", "chat"] {
        let app = App::new(&server, client_id);
        let tokens = app.tokens("openid").await;
        server.clock.advance(Duration::from_secs(599));
        assert_eq!(app.userinfo(tokens.access()).await.status, 200, "{client_id}");
        server.clock.advance(Duration::from_secs(1));
        assert_eq!(app.userinfo(tokens.access()).await.brief(), "401 invalid_token", "{client_id}");
    }
}

/// A token with another header or payload and the same signature.
fn altered(token: &str, at: usize, change: impl Fn(&mut Value)) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let mut part: Value = if at == 0 { header(token) } else { claims(token) };
    change(&mut part);
    parts[at] = URL_SAFE_NO_PAD.encode(part.to_string());
    parts.join(".")
}

/// `header.payload` of a token.
fn unsigned(token: &str) -> &str {
    token.rsplit_once('.').unwrap().0
}

#[tokio::test]
async fn a_forged_jwt_opens_nothing() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let (tokens, other) = (wiki.tokens("openid").await, wiki.tokens("openid email").await);
    let token = tokens.access();
    let alg = |name: &str| altered(token, 0, |header| header["alg"] = json!(name));
    let keys = person.get("/jwks").await;
    let named =
        keys.json()["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header(token)["kid"]).unwrap().clone();
    let with_key = altered(token, 0, |header| header["jwk"] = serde_json::from_str(SIGNED_KEY).unwrap());
    let nameless = altered(token, 0, |header| *header = json!({ "alg": "ES256", "typ": "at+jwt" }));
    for forged in [
        format!("{}.", unsigned(&alg("none"))),
        format!("{}.", unsigned(&alg("NONE"))),
        alg("none"),
        alg("RS256"),
        alg("ES384"),
        hs256(unsigned(&alg("HS256")), keys.body.as_bytes()),
        hs256(unsigned(&alg("HS256")), named.to_string().as_bytes()),
        hs256(unsigned(&alg("HS256")), b""),
        hs256(unsigned(token), b""),
        signed(unsigned(token), SIGNED_KEY),
        signed(unsigned(&with_key), SIGNED_KEY),
        signed(unsigned(&nameless), SIGNED_KEY),
        with_key,
        altered(token, 0, |header| header["typ"] = json!("JWT")),
        altered(token, 1, |claims| claims["sub"] = json!("bob")),
        altered(token, 1, |claims| claims["scope"] = json!("openid email")),
        altered(token, 1, |claims| claims["exp"] = json!(i64::MAX)),
        format!("{}.{}", unsigned(token), other.access().rsplit('.').next().unwrap()),
        format!("{}.", unsigned(token)),
        format!("{}.{}", unsigned(token), URL_SAFE_NO_PAD.encode([0; 64])),
        unsigned(token).to_owned(),
        format!("{token}."),
        token[..token.len() - 1].to_owned(),
        token[1..].to_owned(),
        format!("{token}A"),
        format!("{token}="),
        token.to_lowercase(),
        format!("{token}.{token}"),
        "a.b.c".into(),
        "..".into(),
        "null".into(),
    ] {
        let page = wiki.userinfo(&forged).await;
        assert_eq!(page.brief(), "401 invalid_token", "{forged}");
        assert_eq!(wiki.introspect(&forged).await, json!({ "active": false }), "{forged}");
    }
    assert_eq!(wiki.userinfo(token).await.status, 200);
}

#[tokio::test]
async fn an_altered_opaque_token_opens_nothing() {
    let server = Server::start().await;
    let chat = App::new(&server, "chat");
    let (tokens, other) = (chat.tokens("openid").await, chat.tokens("openid").await);
    let token = tokens.access();
    let (id, secret) = token.split_once('.').unwrap();
    for altered in [
        token[..token.len() - 1].to_owned(),
        token[1..].to_owned(),
        format!("{token}A"),
        token.to_uppercase(),
        token.to_lowercase(),
        id.to_owned(),
        format!("{id}."),
        format!("{id}.{}", other.access().split_once('.').unwrap().1),
        format!("{id}.{}", "A".repeat(secret.len())),
        token.replace("gtr_at", "gtr_rt"),
        token.replace("gtr_at", "gtr_se"),
    ] {
        assert_eq!(chat.userinfo(&altered).await.brief(), "401 invalid_token", "{altered}");
    }
}

// "The issuer identifier for the authorization server ... MUST exactly match the value of the "iss" claim." (RFC 9068 §4)
#[tokio::test]
async fn a_token_of_another_issuer_with_the_same_keys_opens_nothing() {
    let (here, there) = (Server::start().await, Server::start().await);
    let tokens = App::new(&there, "wiki").tokens("openid").await;
    assert_eq!(App::new(&here, "wiki").userinfo(tokens.access()).await.brief(), "401 invalid_token");
    assert_eq!(App::new(&here, "wiki").introspect(tokens.access()).await, json!({ "active": false }));
}

#[tokio::test]
async fn an_id_token_is_no_access_token() {
    let server = Server::start().await;
    for client_id in ["wiki", "portal", "chat"] {
        let app = App::new(&server, client_id);
        let tokens = app.tokens("openid").await;
        assert_eq!(app.userinfo(tokens.id()).await.brief(), "401 invalid_token", "{client_id}");
        assert_eq!(app.userinfo(tokens.refresh()).await.brief(), "401 invalid_token", "{client_id}");
        assert_eq!(app.introspect(tokens.id()).await, json!({ "active": false }), "{client_id}");
    }
}

// "If the request lacks any authentication information (e.g., the client was unaware that authentication is necessary or
// attempted using an unsupported authentication method), the resource server SHOULD NOT include an error code or other error
// information." (RFC 6750 §3.1)
#[tokio::test]
async fn a_refusal_says_how_to_ask() {
    let server = Server::start().await;
    let app = App::new(&server, "wiki");
    let page = app.request_raw("GET", "/userinfo", &[]).await;
    assert_eq!((page.status.as_u16(), page.body.as_str()), (401, ""));
    insta::assert_snapshot!(page.header("www-authenticate").unwrap(), @r#"Bearer realm="Grantor""#);
    let page = app.userinfo("x").await;
    insta::assert_snapshot!(page.header("www-authenticate").unwrap(), @r#"Bearer realm="Grantor", error="invalid_token", error_description="The access token is not valid: unknown, expired or revoked.""#);
    let tokens = app.tokens("notes.read").await;
    let page = app.userinfo(tokens.access()).await;
    insta::assert_snapshot!(page.header("www-authenticate").unwrap(), @r#"Bearer realm="Grantor", error="insufficient_scope", error_description="The access token does not allow this.", scope="openid""#);
}

// "Clients MUST NOT use more than one method to transmit the token in each request." (RFC 6750 §2)
#[tokio::test]
async fn a_token_is_shown_in_the_header_or_in_a_form_and_once() {
    let server = Server::start().await;
    let app = App::new(&server, "wiki");
    let tokens = app.tokens("openid").await;
    let bearer = format!("Bearer {}", tokens.access());
    let form = [("access_token", tokens.access())];
    assert_eq!(app.request_raw("POST", "/userinfo", &[("authorization", &bearer)]).await.status, 200);
    assert_eq!(app.post_raw("/userinfo", &[], &form).await.status, 200);
    let lower = format!("bearer   {}", tokens.access());
    assert_eq!(app.request_raw("GET", "/userinfo", &[("authorization", &lower)]).await.status, 200);
    assert_eq!(app.post_raw("/userinfo", &[("authorization", &bearer)], &form).await.brief(), "400 invalid_request");
    let twice = [("authorization", bearer.as_str()), ("authorization", bearer.as_str())];
    assert_eq!(app.request_raw("GET", "/userinfo", &twice).await.brief(), "400 invalid_request");
    let in_query = format!("/userinfo?access_token={}", tokens.access());
    assert_eq!(app.request_raw("GET", &in_query, &[]).await.status, 401, "addresses end up in logs");
}

#[tokio::test]
async fn a_broken_authorization_header_is_refused() {
    let server = Server::start().await;
    let app = App::new(&server, "wiki");
    for header in ["Bearer", "Bearer ", "Bearer a b", "Bearer \"x\"", "Bearer a,b", "Basic d2lraTp4", "Token x", "x"] {
        let page = app.request_raw("GET", "/userinfo", &[("authorization", header)]).await;
        assert!([400, 401].contains(&page.status.as_u16()) && page.header("www-authenticate").is_some(), "{header}");
    }
}
