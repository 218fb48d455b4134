//! Signed introspection answers: for the API that asked, by the key it expects, and with nothing of tokens that are not for it
//! (RFC 9701).

use grantor_jose::algorithm::Algorithm;
use grantor_jose::jwk::JwkSet;
use grantor_jose::key::Typ;
use grantor_jose::verify::{Expected, TypRule, verify};
use serde_json::{Value, json};

use crate::harness::app::{App, basic, claims, header};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::SECRET;
use crate::harness::server::Server;

const SIGNED: &str = "application/token-introspection+jwt";

/// The answer to an app that asks with an Accept header.
async fn ask(server: &Server, client_id: &str, token: &str, accept: &str) -> Page {
    let headers = [("authorization", &*basic(client_id, SECRET)), ("accept", accept)];
    App::new(server, client_id).post_raw("/introspect", &headers, &[("token", token)]).await
}

/// The claims of a signed answer, by the keys that everybody can read.
async fn verified(server: &Server, page: &Page, algorithm: Algorithm) -> Value {
    let jwks = App::new(server, "wiki").request_raw("GET", "/jwks", &[]).await.body;
    let jwks: JwkSet = serde_json::from_str(&jwks).unwrap();
    let expected = Expected { typ: TypRule::Is(Typ::IntrospectionJwt), algorithms: &[algorithm] };
    verify(&page.body, &expected, &jwks).unwrap().claims().unwrap()
}

#[tokio::test]
async fn an_api_that_accepts_it_gets_its_answer_signed() {
    let server = Server::start().await;
    let token = App::new(&server, "wiki").tokens("openid notes.read").await;
    let page = ask(&server, "notes-api", token.access(), SIGNED).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, Some(SIGNED)));
    assert_eq!((page.header("cache-control"), page.header("vary")), (Some("private, max-age=3"), Some("accept")));
    let told = verified(&server, &page, Algorithm::Rs256).await;
    let now = server.clock.read().seconds();
    let plain = App::new(&server, "notes-api").introspect(token.access()).await;
    assert_eq!((&plain["scope"], &plain["aud"]), (&json!("notes.read"), &json!(["https://notes.example/api"])));
    assert_eq!(told, json!({"iss": server.url, "aud": "notes-api", "iat": now, "token_introspection": plain}));
}

#[tokio::test]
async fn a_token_of_another_audience_and_one_that_is_over_are_told_nothing_of() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let (own, other) = (wiki.tokens("openid notes.read").await, wiki.tokens("openid").await);
    let over = wiki.tokens("notes.read").await;
    wiki.revoke(over.access()).await;
    let asked = [("notes-api", other.access()), ("notes-api", own.refresh()), ("notes-api", "garbage")];
    let asked = asked.into_iter().chain([("service", own.access()), ("wiki", own.access()), ("wiki", own.refresh())]);
    for (client_id, token) in asked.chain([("notes-api", over.access()), ("notes-api", own.id())]) {
        let page = ask(&server, client_id, token, SIGNED).await;
        let told = verified(&server, &page, Algorithm::Rs256).await;
        let now = server.clock.read().seconds();
        let expected =
            json!({"iss": server.url, "aud": client_id, "iat": now, "token_introspection": {"active": false}});
        assert_eq!(told, expected, "{client_id}");
    }
}

#[tokio::test]
async fn an_api_chooses_the_algorithm() {
    let server = Server::start().await;
    let token = App::new(&server, "wiki").tokens("notes.read").await;
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Ps256] {
        let declaration = format!(
            "[[clients]]\nclient_id = \"notes-api\"\nclient_secret = \"{SECRET}\"\ngrant_types = [\"client_credentials\"]\n\
             introspection_signed_response_alg = \"{algorithm}\"\n"
        );
        server.apply(&declaration).await;
        let page = ask(&server, "notes-api", token.access(), SIGNED).await;
        assert_eq!(header(&page.body)["alg"], algorithm.as_str());
        assert_eq!(verified(&server, &page, algorithm).await["token_introspection"]["active"], true);
    }
}

#[tokio::test]
async fn only_who_names_the_signed_form_gets_it() {
    let server = Server::start().await;
    let token = App::new(&server, "wiki").tokens("notes.read").await;
    for (accept, kind) in [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/json", "application/json"),
        ("application/json, application/token-introspection+jwt;q=0.5", "application/json"),
        ("application/token-introspection+jwt;q=0", "application/json"),
        ("application/token-introspection+jwt;q=x", "application/json"),
        ("application/json, application/token-introspection+jwt", SIGNED),
        ("text/html, Application/Token-Introspection+JWT ; q=0.1, */*", SIGNED),
    ] {
        let page = ask(&server, "notes-api", token.access(), accept).await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, Some(kind)), "{accept}");
    }
    let nobody = App::new(&server, "wiki").post_raw("/introspect", &[("accept", SIGNED)], &[("token", "x")]).await;
    assert_eq!(
        (nobody.brief().as_str(), nobody.header("content-type")),
        ("401 invalid_client", Some("application/json"))
    );
}

#[tokio::test]
async fn a_signed_answer_is_no_token() {
    let server = Server::start().await;
    let token = App::new(&server, "wiki").tokens("openid notes.read").await;
    let answer = ask(&server, "notes-api", token.access(), SIGNED).await.body;
    assert!(claims(&answer)["sub"].is_null() && claims(&answer)["exp"].is_null());
    assert_eq!(App::new(&server, "wiki").userinfo(&answer).await.status, 401);
    assert_eq!(App::new(&server, "notes-api").introspect(&answer).await, json!({"active": false}));
}

#[tokio::test]
async fn a_personal_access_token_is_told_of_in_the_signed_form_too() {
    let server = Server::start().await;
    let person = Person::new(&server);
    person.sign_in().await;
    let token = crate::tokens::token(&person, &["notes.read"]).await;
    let page = ask(&server, "notes-api", &token, SIGNED).await;
    let told = verified(&server, &page, Algorithm::Rs256).await;
    let told = &told["token_introspection"];
    assert_eq!((&told["active"], &told["token_kind"]), (&json!(true), &json!("personal_access_token")));
    assert_eq!((&told["username"], &told["scope"]), (&json!("alice"), &json!("notes.read")));
}
