//! Scripts of other origins: tokens and claims for the origins of registered apps, documents for all, pages for nobody, and
//! never with credentials (Fetch).

use crate::harness::app::App;
use crate::harness::page::Page;
use crate::harness::server::Server;

const PATHS: [&str; 16] = [
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
    "/account",
    "/account/apps",
    "/account/sessions",
    "/",
];

fn allowed_origin(page: &Page) -> Option<&str> {
    page.header("access-control-allow-origin")
}

// "CORS MUST NOT be supported at the Authorization Endpoint, as the client does not access this endpoint directly; instead,
// the client redirects the user agent to it." (RFC 9700 §2.6)
// "The use of CORS at the Authorization Endpoint is NOT RECOMMENDED as it is redirected to by the client and not directly
// accessed." (OIDC Discovery §3)
#[tokio::test]
async fn no_answer_lets_credentials_cross_origins() {
    let server = Server::start().await;
    let app = App::new(&server, "wiki");
    for path in PATHS {
        for method in ["GET", "POST", "OPTIONS"] {
            for origin in ["https://evil.example", "null", "https://board.example", &server.url] {
                let headers = [("origin", origin), ("access-control-request-method", "POST")];
                let page = app.request_raw(method, path, &headers).await;
                assert_eq!(page.header("access-control-allow-credentials"), None, "{method} {path} {origin}");
                let open = ["/jwks", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]
                    .contains(&path);
                let for_apps = ["/token", "/userinfo", "/revoke"].contains(&path) && origin == "https://board.example";
                let expected = if open { Some("*") } else { for_apps.then_some(origin) };
                assert_eq!(allowed_origin(&page), expected, "{method} {path} {origin}");
            }
        }
    }
}

// "The Token Endpoint, UserInfo Endpoint, "jwks_uri" endpoint, Dynamic Client Registration Endpoint, and any other endpoints
// directly accessed by Clients SHOULD support the use of Cross-Origin Resource Sharing (CORS) [CORS] and/or other methods as
// appropriate to enable JavaScript Clients and other Browser-Based Clients to access them." (OIDC Discovery §3)
#[tokio::test]
async fn the_script_of_a_registered_app_reads_its_tokens() {
    let server = Server::start().await;
    let spa = App::new(&server, "spa");
    let code = spa.code("openid").await;
    let form = [
        ("client_id", "spa"),
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", &spa.redirect_uri),
        ("code_verifier", crate::harness::app::VERIFIER),
    ];
    let origin = [("origin", "https://board.example")];
    let page = spa.post_raw("/token", &origin, &form).await;
    assert_eq!((page.status.as_u16(), allowed_origin(&page)), (200, Some("https://board.example")));
    assert!(page.header("vary").is_some_and(|vary| vary.contains("Origin")));
    // An error is of use to a script only where it can be read.
    let page = spa.post_raw("/token", &origin, &form).await;
    assert_eq!((page.brief().as_str(), allowed_origin(&page)), ("400 invalid_grant", Some("https://board.example")));
    let page = spa.request_raw("GET", "/userinfo", &[origin[0], ("authorization", "Bearer x")]).await;
    assert_eq!(
        (page.status.as_u16(), page.header("access-control-expose-headers")),
        (401, Some("WWW-Authenticate, Retry-After, RateLimit, RateLimit-Policy"))
    );
}

#[tokio::test]
async fn a_preflight_tells_the_allowed_origin_what_it_may_send() {
    let server = Server::start().await;
    let app = App::new(&server, "spa");
    for (path, methods) in [("/token", "POST"), ("/revoke", "POST"), ("/userinfo", "GET, POST")] {
        let headers = [
            ("origin", "https://board.example"),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type"),
        ];
        let page = app.request_raw("OPTIONS", path, &headers).await;
        assert_eq!((page.status.as_u16(), allowed_origin(&page)), (204, Some("https://board.example")), "{path}");
        assert_eq!(page.header("access-control-allow-methods"), Some(methods), "{path}");
        assert_eq!(page.header("access-control-allow-headers"), Some("authorization, content-type"), "{path}");
    }
}

#[tokio::test]
async fn an_app_may_name_the_origins_of_its_scripts() {
    let server = Server::start().await;
    server
        .apply(
            r#"
            [[clients]]
            client_id = "spa"
            token_endpoint_auth_method = "none"
            redirect_uris = ["https://board.example/cb"]
            scope = "openid"
            allowed_origins = ["https://scripts.board.example"]"#,
        )
        .await;
    let app = App::new(&server, "spa");
    for (origin, expected) in [("https://scripts.board.example", true), ("https://board.example", false)] {
        let page = app.request_raw("OPTIONS", "/token", &[("origin", origin)]).await;
        assert_eq!(allowed_origin(&page).is_some(), expected, "{origin}");
    }
}
