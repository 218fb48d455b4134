//! The same API behind both frameworks, over HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::web as actix;
use axum::extract::ConnectInfo;
use axum::routing::get;
use grantor_resource_server::{Call, Demand, Denied, RequiredScope, Scoped, Verifier};
use serde_json::json;

use crate::issuer::Issuer;

const CHALLENGE: &str = r#"Bearer realm="https://api.example/notes""#;
const METADATA: &str = r#"resource_metadata="https://api.example/.well-known/oauth-protected-resource/notes""#;

struct NotesRead;

impl RequiredScope for NotesRead {
    const SCOPE: &str = "notes.read";
}

struct Transfer;

impl RequiredScope for Transfer {
    const SCOPE: &str = "notes.read payments";
    const ACR_VALUES: &[&str] = &["passkey", "mfa"];
    const MAX_AGE: Option<Duration> = Some(Duration::from_mins(5));
}

async fn read(call: Scoped<NotesRead>) -> String {
    format!("{} from {}", call.subject, call.address().unwrap())
}

async fn transfer(_: Scoped<Transfer>) -> &'static str {
    "done"
}

async fn large(call: Call) -> Result<&'static str, Denied> {
    call.demand(&Demand::default().acr_values(&["passkey"]))?;
    Ok("done")
}

/// An API on a free port: with actix-web, and with axum.
async fn start(verifier: &Verifier) -> [String; 2] {
    [start_actix(verifier), start_axum(verifier).await]
}

fn start_actix(verifier: &Verifier) -> String {
    use grantor_resource_server::actix::{Protect, describe};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let verifier = verifier.clone();
    // It has threads and runtimes of its own, as in a true program; the verifier's background lives in the test's.
    std::thread::spawn(move || {
        let server = actix_web::HttpServer::new(move || {
            let api = actix::scope("/api").wrap(Protect::new(verifier.clone()));
            actix_web::App::new().configure(describe(&verifier)).route("/open", actix::get().to(read)).service(
                api.route("/notes", actix::get().to(read))
                    .route("/transfer", actix::get().to(transfer))
                    .route("/large", actix::get().to(large)),
            )
        });
        let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
        actix_web::rt::System::new().block_on(server)
    });
    url
}

async fn start_axum(verifier: &Verifier) -> String {
    use grantor_resource_server::tower::Protect;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let protect = Protect::new(verifier.clone())
        .peer_address(|extensions| Some(extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip()));
    let metadata = verifier.metadata().unwrap().clone();
    let path = metadata.path().to_owned();
    let router = axum::Router::new()
        .route("/api/notes", get(read))
        .route("/api/transfer", get(transfer))
        .route("/api/large", get(large))
        .route_layer(protect)
        .route("/open", get(read))
        .route(&path, get(|| async move { metadata }));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    url
}

/// What a call gets: status, challenge or `Retry-After`, and body.
async fn get_with(url: &str, headers: &[(&str, &str)]) -> (u16, String, String) {
    // No server here speaks TLS, but the client wants to know how.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let request =
        headers.iter().fold(reqwest::Client::new().get(url), |request, (name, value)| request.header(*name, *value));
    let answer = request.send().await.unwrap();
    let told = ["www-authenticate", "retry-after"].iter().find_map(|name| answer.headers().get(*name));
    let told = told.map_or_else(String::new, |value| value.to_str().unwrap().to_owned());
    let (status, is_kept) = (answer.status().as_u16(), answer.headers().get("cache-control").is_none());
    assert!(status < 400 || !is_kept || status == 404, "a refusal is kept by nobody");
    (status, told, answer.text().await.unwrap())
}

async fn get_as(url: &str, token: &str) -> (u16, String, String) {
    get_with(url, &[("authorization", &format!("Bearer {token}"))]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_with_a_good_token_reaches_its_handler() {
    let issuer = Issuer::start().await;
    issuer.issue("opaque", &json!({}));
    for api in start(&issuer.verifier().await).await {
        for token in [issuer.jwt(&json!({})), "opaque".to_owned()] {
            let (status, _, body) = get_as(&format!("{api}/api/notes"), &token).await;
            assert_eq!((status, body.as_str()), (200, "alice from 127.0.0.1"), "{api} {token}");
        }
    }
}

// "If the request lacks any authentication information (e.g., the client was unaware that authentication is necessary or attempted
// using an unsupported authentication method), the resource server SHOULD NOT include an error code or other error information."
// (RFC 6750 §3.1)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_without_a_token_learns_where_to_get_one() {
    let issuer = Issuer::start().await;
    for api in start(&issuer.verifier().await).await {
        let url = format!("{api}/api/notes");
        let expected = (401, format!("{CHALLENGE}, {METADATA}"), String::new());
        assert_eq!(get_with(&url, &[]).await, expected);
        assert_eq!(get_with(&url, &[("authorization", "Basic YTpi")]).await, expected);
        let jwt = issuer.jwt(&json!({}));
        assert_eq!(get_with(&format!("{url}?access_token={jwt}"), &[]).await, expected, "the query is not looked at");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_refusal_says_what_is_wrong() {
    let issuer = Issuer::start().await;
    for api in start(&issuer.verifier().await).await {
        let url = format!("{api}/api/notes");
        let (status, challenge, body) = get_as(&url, &issuer.jwt(&json!({"exp": issuer.now() - 10}))).await;
        let said = r#"error="invalid_token", error_description="The token has expired.""#;
        assert_eq!((status, challenge), (401, format!("{CHALLENGE}, {said}, {METADATA}")));
        assert_eq!(body, r#"{"error":"invalid_token","error_description":"The token has expired."}"#);
        let (status, challenge, _) = get_as(&url, &issuer.jwt(&json!({"scope": "notes.reader"}))).await;
        assert!(
            status == 403
                && challenge.contains(r#"error="insufficient_scope""#)
                && challenge.contains(r#"scope="notes.read""#)
        );
        let jwt = format!("Bearer {}", issuer.jwt(&json!({})));
        let (status, challenge, _) = get_with(&url, &[("authorization", &jwt), ("authorization", &jwt)]).await;
        assert!(status == 400 && challenge.contains(r#"error="invalid_request""#), "{challenge}");
        assert_eq!(get_with(&url, &[("authorization", "Bearer a b")]).await.0, 400);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_up_is_asked_for_by_type_and_by_value() {
    let issuer = Issuer::start().await;
    for api in start(&issuer.verifier().await).await {
        let url = format!("{api}/api/transfer");
        let with = |acr: &str, ago: i64| {
            issuer.jwt(&json!({"scope": "notes.read payments", "acr": acr, "auth_time": issuer.now() - ago}))
        };
        assert_eq!(get_as(&url, &with("mfa", 300)).await.0, 200);
        for token in [with("pwd", 0), with("mfa", 311), issuer.jwt(&json!({"scope": "payments notes.read"}))] {
            let (status, challenge, _) = get_as(&url, &token).await;
            assert!(status == 401 && challenge.contains(r#"error="insufficient_user_authentication""#), "{challenge}");
            assert!(challenge.contains(r#"acr_values="passkey mfa", max_age="300""#), "{challenge}");
        }
        let (status, challenge, _) = get_as(&format!("{api}/api/large"), &with("mfa", 0)).await;
        assert!(status == 401 && challenge.contains(r#"acr_values="passkey""#) && !challenge.contains("max_age"));
        assert_eq!(get_as(&format!("{api}/api/large"), &with("passkey", 0)).await.0, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_describes_itself_to_everybody() {
    let issuer = Issuer::start().await;
    let verifier = issuer.builder().scopes(["notes.read"]).name("Notes").build().unwrap();
    for api in start(&verifier).await {
        let (status, _, body) = get_with(&format!("{api}/.well-known/oauth-protected-resource/notes"), &[]).await;
        let expected = json!({"resource": "https://api.example/notes", "authorization_servers": [issuer.url], "resource_name": "Notes",
                              "bearer_methods_supported": ["header"], "scopes_supported": ["notes.read"]});
        assert_eq!((status, serde_json::from_str::<serde_json::Value>(&body).unwrap()), (200, expected));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_outside_that_asks_who_calls_lets_nobody_in() {
    let issuer = Issuer::start().await;
    for api in start(&issuer.verifier().await).await {
        assert_eq!(get_as(&format!("{api}/open"), &issuer.jwt(&json!({}))).await.0, 500);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_told_from_a_bad_token() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    issuer.doing().down = Some((axum::http::StatusCode::SERVICE_UNAVAILABLE, "4"));
    for api in start(&verifier).await {
        let (status, retry_after, body) = get_as(&format!("{api}/api/notes"), "opaque").await;
        assert_eq!((status, retry_after.as_str()), (503, "4"));
        assert!(body.contains("temporarily_unavailable"));
        assert_eq!(get_as(&format!("{api}/api/notes"), &issuer.jwt(&json!({}))).await.0, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_callers_address_is_believed_from_listed_proxies_only() {
    let issuer = Issuer::start().await;
    let token = issuer.jwt(&json!({"networks": ["198.51.100.0/24"]}));
    let authorization = format!("Bearer {token}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-for", "198.51.100.9"),
    ];
    for api in start(&issuer.verifier().await).await {
        assert_eq!(get_with(&format!("{api}/api/notes"), &headers).await.0, 401);
    }
    let behind = issuer.builder().trusted_proxies(["127.0.0.0/8".parse().unwrap()]).build().unwrap();
    behind.ready().await.unwrap();
    for api in start(&behind).await {
        let (status, _, body) = get_with(&format!("{api}/api/notes"), &headers).await;
        assert_eq!((status, body.as_str()), (200, "alice from 198.51.100.9"));
        let (left, right) = (headers[2], ("x-forwarded-for", "10.0.0.1"));
        assert_eq!(
            get_with(&format!("{api}/api/notes"), &[headers[0], left, right]).await.0,
            401,
            "the left is anybody's word"
        );
    }
}
