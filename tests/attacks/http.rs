//! HTTP itself: methods, bodies, headers.

use std::time::{Duration, Instant};

use super::wire;
use crate::harness::server::Server;

const ENDPOINTS: &[&str] = &[
    "/",
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
    "/account/api/tokens/x",
    "/account/api/tokens/x/rotate",
    "/authorize",
    "/consent",
    "/end-session",
    "/enter",
    "/forward-auth",
    "/forward-auth/x",
    "/.grantor/callback",
    "/.grantor/sign-in",
    "/.grantor/sign-out",
    "/introspect",
    "/introspect/batch",
    "/leak-reports",
    "/jwks",
    "/language",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/revoke",
    "/select-account",
    "/sign-in",
    "/sign-out",
    "/token",
    "/upstreams/corp/backchannel-logout",
    "/upstreams/corp/callback",
    "/upstreams/corp/link",
    "/upstreams/corp/start",
    "/userinfo",
    "/livez",
    "/readyz",
    "/static/grantor.css",
    "/theme.css",
    "/nothing",
    "*",
];

#[tokio::test]
async fn every_method_on_every_endpoint_is_answered_without_a_fault() {
    let server = Server::start().await;
    let host = wire::host(&server);
    for path in ENDPOINTS {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "BREW"] {
            let request = format!(
                "{method} {path} HTTP/1.1\r\nHost: {host}\r\nX-Echo: mirror\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            let answer = wire::bytes(&server, request.as_bytes());
            let status = wire::status(&answer).unwrap_or_else(|| panic!("{method} {path}"));
            assert!(status < 500, "{method} {path}: {answer}");
            assert!(!answer.contains("mirror"), "{method} {path} answers with the request");
            assert!(
                status >= 400 || !["TRACE", "BREW", "PROPFIND", "PUT", "DELETE"].contains(&method),
                "{method} {path}: {status}"
            );
        }
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_which_are_right() {
    let server = Server::start().await;
    for (path, allowed) in [("/token", "POST"), ("/sign-out", "POST"), ("/account", "GET"), ("/jwks", "GET")] {
        let page = wire::send("DELETE", &server.at(path), &[], "").await;
        assert_eq!(page.status, 405, "{path}");
        assert!(
            page.header("allow").is_some_and(|allow| allow.contains(allowed)),
            "{path}: {:?}",
            page.header("allow")
        );
    }
}

#[tokio::test]
async fn a_body_of_twenty_mebibytes_is_cut_off_at_once() {
    let server = Server::start().await;
    let host = wire::host(&server);
    let body = vec![b'a'; 20 << 20];
    for path in [
        "/token",
        "/sign-in",
        "/consent",
        "/authorize",
        "/revoke",
        "/introspect/batch",
        "/leak-reports",
        "/account/tokens/new",
        "/account/api/tokens",
        "/upstreams/corp/backchannel-logout",
    ] {
        for chunked in [false, true] {
            let begun = Instant::now();
            let length = if chunked {
                "Transfer-Encoding: chunked".to_owned()
            } else {
                format!("Content-Length: {}", body.len())
            };
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: {host}\r\n{length}\r\nContent-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\r\n"
            );
            let (before, after) =
                if chunked { (format!("{:x}\r\n", body.len()), "\r\n0\r\n\r\n") } else { (String::new(), "") };
            let answer = wire::bytes(&server, &[head.as_bytes(), before.as_bytes(), &body, after.as_bytes()].concat());
            // It may close before we have written everything; then the answer can be lost on the way.
            assert!(matches!(wire::status(&answer), None | Some(400 | 401 | 403 | 413)), "{path}: {answer}");
            assert!(begun.elapsed() < Duration::from_secs(5), "{path}");
        }
    }
    assert_eq!(wire::get(&server.at("/livez"), &[]).await.status, 200);
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_not_even_waited_for() {
    let server = Server::start().await;
    let host = wire::host(&server);
    let request = format!(
        "POST /token HTTP/1.1\r\nHost: {host}\r\nContent-Length: 20000000\r\nContent-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(wire::status(&wire::bytes(&server, request.as_bytes())), Some(413));
}

#[tokio::test]
async fn a_body_that_never_comes_is_given_up() {
    let server = Server::start().await;
    let host = wire::host(&server);
    let request = format!(
        "POST /sign-in HTTP/1.1\r\nHost: {host}\r\nContent-Length: 10\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\nab"
    );
    let begun = Instant::now();
    let answer = wire::bytes(&server, request.as_bytes());
    assert!(matches!(wire::status(&answer), Some(400 | 408)), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(15), "the connection is closed, too");
}

#[tokio::test]
async fn huge_and_many_headers_are_refused_or_cut_off() {
    let server = Server::start().await;
    let host = wire::host(&server);
    let many = (0..5_000).map(|number| format!("X-{number}: a")).collect::<Vec<_>>().join("\r\n") + "\r\n";
    let cases = [
        ("/sign-in".to_owned(), many),
        ("/sign-in".to_owned(), format!("X-Large: {}\r\n", "a".repeat(1 << 20))),
        ("/sign-in".to_owned(), format!("Cookie: grantor_session={}\r\n", "a".repeat(100_000))),
        (format!("/sign-in?x={}", "a".repeat(200_000)), String::new()),
        (format!("/{}", "a/".repeat(30_000)), String::new()),
    ];
    for (path, lines) in cases {
        let answer = wire::get_raw(&server, &path, &format!("Host: {host}\r\n{lines}"));
        assert!(wire::status(&answer).is_none_or(|status| status < 500), "{}", &answer[..answer.len().min(300)]);
    }
    assert_eq!(wire::get(&server.at("/livez"), &[]).await.status, 200);
}

#[tokio::test]
async fn what_is_no_http_is_refused_or_cut_off() {
    let server = Server::start().await;
    let host = wire::host(&server);
    for request in [
        "\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        "GET /sign-in HTTP/9.9\r\n\r\n".to_owned(),
        format!(
            "GET /sign-in HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nContent-Length: 6\r\nConnection: close\r\n\r\nabcdef"
        ),
        format!(
            "POST /token HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n"
        ),
        format!("POST /token HTTP/1.1\r\nHost: {host}\r\nContent-Length: -1\r\nConnection: close\r\n\r\n"),
        format!(
            "POST /token HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n"
        ),
        "\u{0}\u{1}\u{16}\u{3}\u{1}".to_owned(),
    ] {
        let answer = wire::bytes(&server, request.as_bytes());
        assert!(wire::status(&answer).is_none_or(|status| status < 500), "{request:?}: {answer}");
    }
    assert_eq!(wire::get(&server.at("/livez"), &[]).await.status, 200);
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_refused() {
    let server = Server::start().await;
    let host = wire::host(&server);
    let many = (0..3_000).map(|number| format!("a{number}=b")).collect::<Vec<_>>().join("&");
    for path in ["/authorize", "/sign-in", "/consent", "/end-session", "/account/apps", "/select-account"] {
        for query in ["%", "%zz", "%00=%00", "a=%ff", "a[]=b&a[]=c", "=", "&&&", "a", &many] {
            let answer = wire::get_raw(&server, &format!("{path}?{query}"), &format!("Host: {host}\r\n"));
            assert!(wire::status(&answer).is_some_and(|status| status < 500), "{path}?{query}: {answer}");
        }
    }
}
