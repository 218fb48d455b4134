//! Client authentication with a secret, or none (RFC 6749 §2.3). Assertions have a file of their own.

use std::time::Duration;

use crate::harness::app::{App, VERIFIER, basic};
use crate::harness::seeds::SECRET;
use crate::harness::server::Server;

const GRANT: [(&str, &str); 1] = [("grant_type", "client_credentials")];

// "If the client attempted to authenticate via the "Authorization" request header field, the authorization server MUST respond
// with an HTTP 401 (Unauthorized) status code and include the "WWW-Authenticate" response header field matching the
// authentication scheme used by the client." (RFC 6749 §5.2)
#[tokio::test]
async fn a_wrong_secret_in_the_header_is_no_authentication() {
    let server = Server::start().await;
    let service = App::new(&server, "service");
    let longer = format!("{SECRET}x");
    for secret in ["", "x", &SECRET[1..], &SECRET[..SECRET.len() - 1], &longer, &SECRET.to_uppercase(), "null", " "] {
        let page = service.post_raw("/token", &[("authorization", &basic("service", secret))], &GRANT).await;
        assert_eq!(page.status, 401, "{secret}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(page.header("www-authenticate").unwrap(), @r#"Basic realm="Grantor", charset="UTF-8""#);
        }
    }
    let page = service.post_raw("/token", &[("authorization", &basic("service", "x"))], &GRANT).await;
    insta::assert_snapshot!(page.whole(), @r#"
    401 Unauthorized
    {"error":"invalid_client","error_description":"The client could not be authenticated."}
    "#);
    assert_eq!(server.reason().await, "ClientSecretMismatch");
}

#[tokio::test]
async fn a_wrong_secret_in_the_body_is_no_authentication() {
    let server = Server::start().await;
    let chat = App::new(&server, "chat");
    for secret in ["x", &SECRET[1..], "null"] {
        let form = [("grant_type", "refresh_token"), ("client_id", "chat"), ("client_secret", secret)];
        assert_eq!(chat.post_raw("/token", &[], &form).await.brief(), "401 invalid_client", "{secret}");
        assert_eq!(server.reason().await, "ClientSecretMismatch");
    }
}

#[tokio::test]
async fn nobody_learns_which_clients_exist() {
    let server = Server::start().await;
    let app = App::new(&server, "service");
    let unknown = app.post_raw("/token", &[("authorization", &basic("nobody", "x"))], &GRANT).await;
    assert_eq!(server.reason().await, "ClientUnknown");
    let wrong = app.post_raw("/token", &[("authorization", &basic("service", "x"))], &GRANT).await;
    assert_eq!(unknown.whole(), wrong.whole());
}

// "Confidential clients or other clients issued client credentials MUST authenticate with the authorization server as described
// in Section 2.3 when making requests to the token endpoint." (RFC 6749 §3.2.1)
#[tokio::test]
async fn an_app_with_a_secret_or_a_key_must_use_it() {
    let server = Server::start().await;
    for (client_id, reason) in [("wiki", "AuthMethodMismatch"), ("signed", "AuthMethodMismatch"), ("", "ClientMissing")]
    {
        let form = [("grant_type", "authorization_code"), ("code", "x"), ("client_id", client_id)];
        let page = App::new(&server, "wiki").post_raw("/token", &[], &form).await;
        assert_eq!(page.brief(), "401 invalid_client", "{client_id}");
        assert_eq!(server.reason().await, reason, "{client_id}");
    }
}

// "If the Client is a Confidential Client, then it MUST authenticate to the Token Endpoint using the authentication method
// registered for its "client_id", as described in Section 9." (OIDC Core §3.1.3.1)
#[tokio::test]
async fn an_app_authenticates_in_the_way_it_is_registered_for() {
    let server = Server::start().await;
    let app = App::new(&server, "service");
    let posted =
        |client_id| [("grant_type", "client_credentials"), ("client_id", client_id), ("client_secret", SECRET)];
    for client_id in ["service", "spa", "signed"] {
        assert_eq!(app.post_raw("/token", &[], &posted(client_id)).await.brief(), "401 invalid_client", "{client_id}");
    }
    for client_id in ["chat", "spa", "signed"] {
        let page = app.post_raw("/token", &[("authorization", &basic(client_id, SECRET))], &GRANT).await;
        assert_eq!(page.brief(), "401 invalid_client", "{client_id}");
        assert_eq!(server.reason().await, "AuthMethodMismatch", "{client_id}");
    }
}

// "The client MUST NOT use more than one authentication method in each request." (RFC 6749 §2.3)
#[tokio::test]
async fn two_ways_to_authenticate_in_one_request_are_refused() {
    let server = Server::start().await;
    let app = App::new(&server, "service");
    let assertion = crate::harness::assertion::Assertion::new(&server).signed();
    let [kind, assertion] = crate::harness::assertion::params(&assertion);
    let header = basic("service", SECRET);
    for others in
        [vec![("client_secret", SECRET)], vec![kind, assertion], vec![kind, assertion, ("client_secret", SECRET)]]
    {
        let form = [GRANT.to_vec(), others].concat();
        assert_eq!(app.post_raw("/token", &[("authorization", &header)], &form).await.brief(), "400 invalid_request");
        assert_eq!(server.reason().await, "AuthMethodsMixed");
    }
    let header = [("authorization", header.as_str()), ("authorization", header.as_str())];
    assert_eq!(app.post_raw("/token", &header, &GRANT).await.brief(), "400 invalid_request", "two headers");
}

#[tokio::test]
async fn a_client_id_in_the_body_is_that_of_the_one_who_authenticates() {
    let server = Server::start().await;
    let (wiki, chat) = (App::new(&server, "wiki"), App::new(&server, "chat"));
    let code = chat.code("openid").await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", &chat.redirect_uri),
        ("code_verifier", VERIFIER),
        ("client_id", "chat"),
    ];
    assert_eq!(wiki.post("/token", &form).await.brief(), "400 invalid_request");
    assert_eq!(server.reason().await, "ClientIdMismatch");
    let same = [("grant_type", "client_credentials"), ("client_id", "service")];
    assert_eq!(App::new(&server, "service").post("/token", &same).await.status, 200);
}

#[tokio::test]
async fn a_broken_authorization_header_is_refused_and_harms_nothing() {
    use base64::Engine;
    let server = Server::start().await;
    let app = App::new(&server, "service");
    let encoded = |text: &[u8]| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text));
    let bytes = encoded(b"\xff\xfe:\xff");
    for header in [
        "Basic",
        "Basic ",
        "basic",
        "Basic !!!!",
        "Basic a",
        "Bearer x",
        "Digest username=\"a\"",
        "",
        " ",
        "Basic  Og==",
        &encoded(b"service"),
        &encoded(b":"),
        &encoded(b":x"),
        &encoded(b"service:%zz"),
        &encoded(b"ser\0vice:x"),
        &bytes,
        &format!("Basic {}", "QUFB".repeat(4000)),
    ] {
        let page = app.post_raw("/token", &[("authorization", header)], &GRANT).await;
        assert!([400, 401].contains(&page.status.as_u16()), "{header:.40}: {}", page.status);
    }
}

// "The client identifier is encoded using the "application/x-www-form-urlencoded" encoding algorithm per Appendix B, and the
// encoded value is used as the username; the client password is encoded using the same algorithm and used as the password."
// (RFC 6749 §2.3.1)
#[tokio::test]
async fn credentials_in_the_header_are_form_encoded() {
    let server = Server::start().await;
    server
        .apply(
            r#"
            [[clients]]
            client_id = "https://tool.example/?a=1&b=2"
            client_secret = "p%lus+colon:and-ümläut-and more"
            grant_types = ["client_credentials"]
            scope = "notes.read""#,
        )
        .await;
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let (id, secret) = (encode("https://tool.example/?a=1&b=2"), encode("p%lus+colon:and-ümläut-and more"));
    let page = App::new(&server, "tool").post_raw("/token", &[("authorization", &basic(&id, &secret))], &GRANT).await;
    assert_eq!(page.status, 200, "{}", page.body);
}

fn with_secret(secret: &str) -> String {
    format!(
        "[[clients]]\nclient_id = \"service\"\nclient_secret = \"{secret}\"\ngrant_types = [\"client_credentials\"]\nscope = \"notes.read\""
    )
}

#[tokio::test]
async fn a_replaced_secret_works_until_its_overlap_ends() {
    let server = Server::start().await;
    let app = App::new(&server, "service");
    let fresh = "another-secret-that-follows-the-first-one";
    let status = async |secret: &str| {
        app.post_raw("/token", &[("authorization", &basic("service", secret))], &GRANT).await.status
    };
    assert_eq!((status(SECRET).await, status(fresh).await), (200.try_into().unwrap(), 401.try_into().unwrap()));
    server.apply(&with_secret(fresh)).await;
    server.clock.advance(Duration::from_hours(24) - Duration::from_millis(1));
    assert_eq!((status(SECRET).await, status(fresh).await), (200.try_into().unwrap(), 200.try_into().unwrap()));
    server.clock.advance(Duration::from_millis(1));
    assert_eq!((status(SECRET).await, status(fresh).await), (401.try_into().unwrap(), 200.try_into().unwrap()));
}

#[tokio::test]
async fn a_client_that_is_switched_off_cannot_authenticate() {
    let server = Server::start().await;
    let app = App::new(&server, "service");
    assert_eq!(app.client_credentials("notes.read").await.status, 200);
    server.apply(&format!("{}\ndisabled = true", with_secret(SECRET))).await;
    assert_eq!(app.client_credentials("notes.read").await.brief(), "401 invalid_client");
    assert_eq!(server.reason().await, "ClientUnknown");
}
