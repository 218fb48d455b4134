//! Limits: what is too large is refused before it is read, and no request makes the server fail.

use std::io::{Read, Write};
use std::net::TcpStream;

use base64::Engine;

use crate::harness::app::{Answer, App};
use crate::harness::assertion::params;
use crate::harness::connection::Connection;
use crate::harness::person::Person;
use crate::harness::server::Server;

const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
const ENDPOINTS: [&str; 36] = [
    "/",
    "/authorize",
    "/token",
    "/userinfo",
    "/revoke",
    "/introspect",
    "/jwks",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/sign-in",
    "/consent",
    "/select-account",
    "/end-session",
    "/sign-out",
    "/account",
    "/account/apps",
    "/account/apps/remove",
    "/account/sessions",
    "/account/sign-in-ways",
    "/account/sign-in-ways/unlink",
    "/account/tokens",
    "/account/tokens/new",
    "/account/tokens/revoke",
    "/account/tokens/rotate",
    "/account/api/tokens",
    "/account/api/tokens/x/rotate",
    "/enter",
    "/introspect/batch",
    "/leak-reports",
    "/upstreams/corp/backchannel-logout",
    "/upstreams/corp/callback",
    "/upstreams/corp/link",
    "/upstreams/corp/start",
    "/language",
    "/livez",
    "/static/grantor.css",
];

/// A form of just so many bytes, in parameters of at most 8 KiB.
fn form_of(bytes: usize) -> String {
    let mut form = "grant_type=client_credentials".to_owned();
    while form.len() < bytes {
        let room = (bytes - form.len()).min(8000);
        let name = format!("&p{}=", form.len());
        form.push_str(&name[..name.len().min(room)]);
        form.push_str(&"x".repeat(room.saturating_sub(name.len())));
    }
    form
}

#[tokio::test]
async fn a_body_has_at_most_64_kib() {
    let server = Server::start().await;
    let service = App::new(&server, "service");
    assert_eq!(service.post_body("/token", FORM, form_of(65_536)).await.status, 200);
    let page = service.post_body("/token", FORM, form_of(65_537)).await;
    insta::assert_snapshot!(page.whole(), @r#"
    413 Payload Too Large
    {"error":"invalid_request","error_description":"The request is larger than this server reads."}
    "#);
    assert_eq!(server.reason().await, "FormTooLarge");
    for path in [
        "/token",
        "/revoke",
        "/introspect",
        "/introspect/batch",
        "/authorize",
        "/sign-in",
        "/consent",
        "/end-session",
        "/sign-out",
        "/account/tokens/new",
        "/account/tokens/rotate",
        "/account/tokens/revoke",
    ] {
        assert_eq!(service.post_body(path, FORM, form_of(65_537)).await.status, 413, "{path}");
    }
}

#[tokio::test]
async fn a_huge_word_of_an_upstream_is_refused_before_it_arrives() {
    let server = Server::start().await;
    let head = "POST /upstreams/corp/backchannel-logout HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let chunk = format!("{:x}\r\n{}\r\n", 70_000, "x".repeat(70_000));
    for rest in ["Content-Length: 20971520\r\n\r\n".to_owned(), format!("Transfer-Encoding: chunked\r\n\r\n{chunk}")] {
        assert_eq!(raw(&server, format!("{head}{rest}").as_bytes()), "HTTP/1.1 400 Bad Request");
    }
}

#[tokio::test]
async fn what_stands_before_a_body_is_looked_at_first_and_the_body_is_not_waited_for() {
    let server = Server::start().await;
    for (path, status) in [
        ("/leak-reports", "403 Forbidden"),
        ("/account/api/tokens", "401 Unauthorized"),
        ("/account/api/tokens/x/rotate", "401 Unauthorized"),
        ("/forward-auth", "403 Forbidden"),
    ] {
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n");
        for lines in ["Content-Length: 20971520", "Transfer-Encoding: chunked"] {
            let answer = raw(&server, format!("{head}{lines}\r\n\r\n").as_bytes());
            assert!(
                [format!("HTTP/1.1 {status}").as_str(), "HTTP/1.1 413 Payload Too Large"].contains(&answer.as_str()),
                "{path} {lines}: {answer}"
            );
        }
    }
}

/// Sends bytes as they are, and gives the first line of the answer; empty where the connection was closed.
fn raw(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    let _ = stream.write_all(bytes);
    let mut answer = [0; 64];
    let read = stream.read(&mut answer).unwrap_or_default();
    String::from_utf8_lossy(&answer[..read]).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_huge_body_is_refused_before_it_arrives() {
    let server = Server::start().await;
    for path in ["/token", "/userinfo", "/authorize", "/sign-in", "/introspect/batch", "/account/tokens/new"] {
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n");
        assert_eq!(
            raw(&server, format!("{head}Content-Length: 20971520\r\n\r\n").as_bytes()),
            "HTTP/1.1 413 Payload Too Large"
        );
        let chunk = format!("{:x}\r\n{}\r\n", 70_000, "x".repeat(70_000));
        let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunk}");
        assert_eq!(raw(&server, chunked.as_bytes()), "HTTP/1.1 413 Payload Too Large");
    }
}

#[tokio::test]
async fn a_body_in_chunks_that_nobody_wants_is_not_waited_for() {
    let server = Server::start().await;
    let host = server.url.strip_prefix("http://").unwrap();
    let lines = "Host: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    for request in ["GET /sign-in", "OPTIONS /token", "POST /token", "DELETE /nowhere"] {
        let mut connection = Connection::open(host).await;
        connection.write(format!("{request} HTTP/1.1\r\n{lines}5\r\nab").as_bytes()).await;
        let answer = connection.rest().await;
        assert!(answer.starts_with(b"HTTP/1.1 "), "{request}: {}", answer.escape_ascii());
    }
    let form = "Host: x\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut connection = Connection::open(host).await;
    for _ in 0..2 {
        connection.write(format!("POST /token HTTP/1.1\r\n{form}7\r\na=b&c=d\r\n0\r\n\r\n").as_bytes()).await;
        let answer = connection.answer(false).await.expect("after a body that was read the connection goes on");
        assert_eq!((answer.status, answer.is_last()), (401, false), "{}", answer.head);
    }
}

#[tokio::test]
async fn a_huge_head_is_refused() {
    let server = Server::start().await;
    let long = "A".repeat(1 << 20);
    for head in [
        format!("GET /authorize?x={long} HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET /authorize HTTP/1.1\r\nHost: x\r\nX-Long: {long}\r\n\r\n"),
        format!("GET /authorize HTTP/1.1\r\nHost: x\r\nCookie: {}\r\n\r\n", &long[..100_000]),
        format!("GET /authorize HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-Many: x\r\n".repeat(5000)),
        "GET /authorize HTTP/1.1\r\n\r\n".into(),
        "GET\r\n\r\n".into(),
        "\0\0\0\r\n\r\n".into(),
        "GET /authorize HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".into(),
        "POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".into(),
    ] {
        let answer = raw(&server, head.as_bytes());
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer} for {head:.60}");
    }
    assert_eq!(Person::new(&server).get("/livez").await.status, 200);
}

#[tokio::test]
async fn a_parameter_has_at_most_8_kib() {
    let server = Server::start().await;
    let service = App::new(&server, "service");
    let with = |bytes: usize| format!("grant_type=client_credentials&x={}", "y".repeat(bytes - 2));
    assert_eq!(service.post_body("/token", FORM, with(8192)).await.status, 200);
    assert_eq!(service.post_body("/token", FORM, with(8193)).await.brief(), "400 invalid_request");
    assert_eq!(server.reason().await, "ParameterTooLarge");
    let page = Person::new(&server)
        .get(App::new(&server, "wiki").authorize_url("openid", &[("state", &"s".repeat(8193))]))
        .await;
    assert_eq!((page.status.as_u16(), page.location()), (413, None));
}

#[tokio::test]
async fn a_request_has_at_most_100_parameters() {
    let server = Server::start().await;
    let service = App::new(&server, "service");
    let with =
        |count: usize| (1..count).fold("grant_type=client_credentials".to_owned(), |form, n| format!("{form}&p{n}=x"));
    assert_eq!(service.post_body("/token", FORM, with(100)).await.status, 200);
    assert_eq!(service.post_body("/token", FORM, with(101)).await.brief(), "400 invalid_request");
    assert_eq!(server.reason().await, "TooManyParameters");
}

#[tokio::test]
async fn a_token_has_at_most_16_kib() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    for length in [16 * 1024, 16 * 1024 + 1, 60_000] {
        let page = wiki.userinfo(&format!("{}.{}.x", "a".repeat(100), "b".repeat(length - 103))).await;
        assert_eq!(page.brief(), "401 invalid_token", "{length}");
    }
    assert_eq!(wiki.post("/introspect", &[("token", &"x".repeat(8200))]).await.brief(), "400 invalid_request");
}

// Proxies ask with the method of the request that they ask about, so that each is answered, and no stranger is.
#[tokio::test]
async fn no_method_asks_about_an_app_unless_a_proxy_does_and_none_echoes() {
    let server = Server::start().await;
    let app = App::new(&server, "wiki");
    for path in ["/forward-auth", "/forward-auth/x", "/.grantor/callback", "/.grantor/sign-in", "/.grantor/sign-out"] {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "QUUX"] {
            let page = app.request_raw(method, path, &[("x-probe", "probe-7461")]).await;
            assert_eq!((page.status.as_u16(), page.body.contains("probe-7461")), (403, false), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn no_method_on_any_path_fails_and_none_echoes() {
    let server = Server::start().await;
    let app = App::new(&server, "wiki");
    for path in ENDPOINTS.into_iter().chain([
        "/nowhere",
        "/static/..%2f..%2fetc%2fpasswd",
        "/.well-known/",
        "//evil.example",
        "/%00",
    ]) {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "QUUX"] {
            let page = app.request_raw(method, path, &[("x-probe", "probe-7461")]).await;
            assert!(page.status.as_u16() < 500, "{method} {path}: {}", page.status);
            assert!(!page.body.contains("probe-7461"), "{method} {path}");
            if ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "QUUX"].contains(&method) {
                assert!([404, 405].contains(&page.status.as_u16()), "{method} {path}: {}", page.status);
            }
        }
    }
}

// "The origin server MUST generate an Allow header field in a 405 response containing a list of the target resource's currently
// supported methods." (RFC 9110 §15.5.6)
#[tokio::test]
async fn a_refused_method_is_told_which_ones_there_are() {
    let server = Server::start().await;
    let app = App::new(&server, "wiki");
    for (path, allow) in [
        ("/token", "POST"),
        ("/revoke", "POST"),
        ("/introspect", "POST"),
        ("/userinfo", "GET, POST"),
        ("/jwks", "GET, HEAD"),
        ("/.well-known/openid-configuration", "GET, HEAD"),
        ("/authorize", "GET, POST"),
    ] {
        let page = app.request_raw("DELETE", path, &[]).await;
        assert_eq!((page.status.as_u16(), page.header("allow")), (405, Some(allow)), "{path}");
    }
}

// "All general-purpose servers MUST support the methods GET and HEAD." (RFC 9110 §9.1)
#[tokio::test]
async fn what_machines_read_can_be_asked_for_without_its_body() {
    let server = Server::start().await;
    let app = App::new(&server, "wiki");
    for path in ["/jwks", "/.well-known/openid-configuration", "/livez", "/readyz", "/static/grantor.css"] {
        let (whole, head) = (app.request_raw("GET", path, &[]).await, app.request_raw("HEAD", path, &[]).await);
        assert_eq!((head.status.as_u16(), head.body.as_str()), (200, ""), "{path}");
        for name in ["content-type", "content-length", "cache-control", "access-control-allow-origin"] {
            assert_eq!(head.header(name), whole.header(name), "{path} {name}");
        }
    }
}

#[tokio::test]
async fn json_of_any_depth_is_read_or_refused() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    for deep in
        ["[".repeat(2500), "{\"a\":".repeat(600), format!("{{\"id_token\":{}1{}}}", "[".repeat(900), "]".repeat(900))]
    {
        let answer = Answer::of(&wiki.asks(&person, "openid", &[("claims", &deep)]).await);
        assert_eq!(answer.param("error"), "invalid_request");
        let jwt = format!("{}.{}.AAAA", encode(&deep), encode(&deep));
        assert_eq!(wiki.userinfo(&jwt).await.brief(), "401 invalid_token");
        let answer = Answer::of(&wiki.asks(&person, "openid", &[("id_token_hint", &jwt)]).await);
        assert_eq!(answer.param("error"), "invalid_request");
        let form = [&params(&jwt)[..], &[("grant_type", "client_credentials")]].concat();
        assert_eq!(wiki.post_raw("/token", &[], &form).await.brief(), "401 invalid_client");
    }
}
