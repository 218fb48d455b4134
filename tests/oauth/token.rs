//! The token endpoint's own rules (RFC 6749 §3.2, §5), whatever the grant.

use serde_json::Value;

use crate::harness::app::{App, VERIFIER, basic};
use crate::harness::seeds::SECRET;
use crate::harness::server::Server;

// "The authorization server issues an access token and optional refresh token, and constructs the response by adding the
// following parameters to the entity-body of the HTTP response with a 200 (OK) status code" (RFC 6749 §5.1)
// "The OAuth 2.0 "token_type" response parameter value MUST be "Bearer", as specified in OAuth 2.0 Bearer Token Usage
// [RFC6750], unless another Token Type has been negotiated with the Client. ... In addition to the response parameters
// specified by OAuth 2.0, the following parameters MUST be included in the response:" (OIDC Core §3.1.3.3)
#[tokio::test]
async fn an_answer_has_just_the_members_it_should() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let page = wiki.redeem(&wiki.code("openid email").await).await;
    let mut answer = page.json();
    for secret in ["access_token", "refresh_token", "id_token"] {
        assert!(answer[secret].as_str().unwrap().len() > 40);
        answer[secret] = Value::from(secret.to_uppercase());
    }
    insta::assert_snapshot!(answer.to_string(), @r#"{"access_token":"ACCESS_TOKEN","expires_in":600,"id_token":"ID_TOKEN","refresh_token":"REFRESH_TOKEN","scope":"email openid","token_type":"Bearer"}"#);
    assert_eq!(page.header("content-type"), Some("application/json"));
}

// "The authorization server MUST include the HTTP "Cache-Control" response header field [RFC2616] with a value of "no-store"
// in any response containing tokens, credentials, or other sensitive information, as well as the "Pragma" response header
// field [RFC2616] with a value of "no-cache"." (RFC 6749 §5.1)
// "All Token Responses that contain tokens, secrets, or other sensitive information MUST include the following HTTP response
// header fields and values:" (OIDC Core §3.1.3.3)
#[tokio::test]
async fn nobody_may_keep_an_answer() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let code = wiki.code("openid").await;
    for page in [
        wiki.redeem(&code).await,
        wiki.redeem(&code).await,
        wiki.post("/introspect", &[("token", "x")]).await,
        wiki.revoke("x").await,
    ] {
        assert_eq!((page.header("cache-control"), page.header("pragma")), (Some("no-store"), Some("no-cache")));
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    }
}

// "The client MUST use the HTTP "POST" method when making access token requests." (RFC 6749 §3.2)
#[tokio::test]
async fn what_stands_in_the_query_counts_for_nothing() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let code = wiki.code("openid").await;
    let query = format!("/token?grant_type=authorization_code&code={code}&code_verifier={VERIFIER}");
    let credentials = basic("wiki", SECRET);
    let page = wiki.request_raw("GET", &query, &[("authorization", &credentials)]).await;
    assert_eq!((page.status.as_u16(), page.header("allow")), (405, Some("POST")));
    let page = wiki.post_raw(&query, &[("authorization", &credentials)], &[("grant_type", "authorization_code")]).await;
    assert_eq!(page.brief(), "400 invalid_request");
    let in_query = format!("/token?client_id=wiki&client_secret={SECRET}");
    let form = [("grant_type", "authorization_code"), ("code", &code), ("code_verifier", VERIFIER)];
    assert_eq!(wiki.post_raw(&in_query, &[], &form).await.brief(), "401 invalid_client");
    assert_eq!(wiki.redeem(&code).await.status, 200, "the code was not touched");
}

// "Request and response parameters MUST NOT be included more than once." (RFC 6749 §3.2)
#[tokio::test]
async fn a_parameter_sent_twice_is_refused() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let code = wiki.code("openid").await;
    for (name, value) in [
        ("code", code.as_str()),
        ("redirect_uri", wiki.redirect_uri.as_str()),
        ("code_verifier", VERIFIER),
        ("grant_type", "authorization_code"),
        ("scope", "openid"),
        ("client_id", "wiki"),
    ] {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &wiki.redirect_uri),
            ("code_verifier", VERIFIER),
            ("scope", "openid"),
            ("client_id", "wiki"),
            (name, value),
        ];
        assert_eq!(wiki.post("/token", &form).await.brief(), "400 invalid_request", "{name}");
        assert_eq!(server.reason().await, "ParameterRepeated", "{name}");
    }
    assert_eq!(wiki.redeem(&code).await.status, 200);
}

// "unsupported_grant_type: The authorization grant type is not supported by the authorization server." (RFC 6749 §5.2)
#[tokio::test]
async fn unknown_grants_are_told_from_missing_ones() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    for (grant_type, brief, reason) in [
        ("password", "400 unsupported_grant_type", "GrantTypeUnsupported"),
        ("implicit", "400 unsupported_grant_type", "GrantTypeUnsupported"),
        ("Authorization_Code", "400 unsupported_grant_type", "GrantTypeUnsupported"),
        ("authorization_code ", "400 unsupported_grant_type", "GrantTypeUnsupported"),
        ("urn:ietf:params:oauth:grant-type:jwt-bearer", "400 unsupported_grant_type", "GrantTypeUnsupported"),
        ("", "400 invalid_request", "GrantTypeMissing"),
    ] {
        let form =
            [("grant_type", grant_type), ("username", "alice"), ("password", crate::harness::seeds::ALICE_PASSWORD)];
        assert_eq!(wiki.post("/token", &form).await.brief(), brief, "{grant_type}");
        assert_eq!(server.reason().await, reason, "{grant_type}");
    }
    insta::assert_snapshot!(wiki.post("/token", &[("grant_type", "password")]).await.whole(), @r#"
    400 Bad Request
    {"error":"unsupported_grant_type","error_description":"This grant type is not offered."}
    "#);
}

// "unauthorized_client: The authenticated client is not authorized to use this authorization grant type." (RFC 6749 §5.2)
#[tokio::test]
async fn a_grant_that_the_app_is_not_registered_for_is_refused() {
    let server = Server::start().await;
    for (client_id, grant_type) in [
        ("wiki", "client_credentials"),
        ("chat", "client_credentials"),
        ("spa", "client_credentials"),
        ("service", "authorization_code"),
        ("service", "refresh_token"),
        ("native", "refresh_token"),
    ] {
        let form = [("grant_type", grant_type), ("code", "x"), ("refresh_token", "x")];
        let page = App::new(&server, client_id).post("/token", &form).await;
        assert_eq!(page.brief(), "400 unauthorized_client", "{client_id} {grant_type}");
        assert_eq!(server.reason().await, "GrantTypeNotAllowed");
    }
}

#[tokio::test]
async fn an_app_without_the_refresh_grant_gets_no_refresh_token() {
    let server = Server::start().await;
    let native = App::new(&server, "native");
    assert!(native.redeem(&native.code("openid").await).await.json()["refresh_token"].is_null());
}

// "using the "application/x-www-form-urlencoded" format per Appendix B with a character encoding of UTF-8 in the HTTP request
// entity-body" (RFC 6749 §4.1.3)
#[tokio::test]
async fn only_a_form_is_read() {
    let server = Server::start().await;
    let service = App::new(&server, "service");
    let form = "grant_type=client_credentials";
    for content_type in [
        None,
        Some(""),
        Some("text/plain"),
        Some("application/json"),
        Some("application/xml"),
        Some("multipart/form-data; boundary=x"),
        Some("application/x-www-form-urlencoded; charset=utf-7"),
        Some("application/x-www-form-urlencoded; charset=iso-8859-1"),
        Some("application/x-www-form-urlencodedx"),
    ] {
        assert_eq!(
            service.post_body("/token", content_type, form).await.brief(),
            "400 invalid_request",
            "{content_type:?}"
        );
        assert_eq!(server.reason().await, "FormMissing", "{content_type:?}");
    }
    for content_type in ["application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded;charset=\"UTF-8\""] {
        assert_eq!(service.post_body("/token", Some(content_type), form).await.status, 200, "{content_type}");
    }
}

#[tokio::test]
async fn a_form_that_cannot_be_read_is_refused() {
    let server = Server::start().await;
    let service = App::new(&server, "service");
    for body in [
        &b"grant_type=%zz"[..],
        b"grant_type=%",
        b"grant_type=client_credentials%00",
        b"grant_type=\xff\xfe",
        b"x=%ed%a0%80",
    ] {
        let page = service.post_body("/token", Some("application/x-www-form-urlencoded"), body).await;
        assert_eq!(page.brief(), "400 invalid_request");
        assert_eq!(server.reason().await, "MalformedEncoding");
    }
    let json = r#"{"grant_type":"client_credentials"}"#;
    assert_eq!(
        service.post_body("/token", Some("application/x-www-form-urlencoded"), json).await.brief(),
        "400 invalid_request"
    );
}

// "The authorization server MUST ignore unrecognized request parameters." (RFC 6749 §3.2)
#[tokio::test]
async fn parameters_that_mean_nothing_change_nothing() {
    let server = Server::start().await;
    let form = [
        ("grant_type", "client_credentials"),
        ("audience", "https://evil.example"),
        ("sub", "alice"),
        ("client_secrets", "x"),
    ];
    let tokens = App::new(&server, "service").post("/token", &form).await.json();
    let access = crate::harness::app::claims(tokens["access_token"].as_str().unwrap());
    assert_eq!((access["sub"].as_str(), access["aud"].as_str()), (Some("service"), Some("https://notes.example/api")));
}
