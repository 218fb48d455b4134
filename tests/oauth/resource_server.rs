//! An API on `grantor-resource-server`, with actix-web and with axum, before the true server: its tokens, the end of them, and new keys.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::web;
use axum::extract::ConnectInfo;
use grantor_core::change::Change;
use grantor_core::store::Store;
use grantor_jose::algorithm::Algorithm;
use grantor_resource_server::actix::{Protect, describe};
use grantor_resource_server::{Clock, RequiredScope, Scoped, Verifier};
use serde_json::json;

use crate::harness::app::{App, Tokens, claims, header};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::SECRET;
use crate::harness::server::Server;
use crate::oidc::keys::{keep_schedule, rotate};
use crate::tokens::leaks::{Scanner, finding};

const NOTES: &str = "https://notes.example/api";

/// An app whose tokens are opaque.
const DECLARED: &str = r#"
[[clients]]
client_id = "board"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
redirect_uris = ["https://wiki.example/cb"]
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
scope = "openid notes.read notes.write"
access_token_format = "opaque"
"#;

struct NotesRead;

impl RequiredScope for NotesRead {
    const SCOPE: &str = "notes.read";
}

struct NotesWrite;

impl RequiredScope for NotesWrite {
    const SCOPE: &str = "notes.write";
    const MAX_AGE: Option<Duration> = Some(Duration::from_mins(5));
}

struct NotesDelete;

impl RequiredScope for NotesDelete {
    const SCOPE: &str = "notes.read";
    const ACR_VALUES: &[&str] = &["urn:grantor:acr:phishing-resistant", "urn:grantor:acr:two-factors"];
}

async fn delete(_: Scoped<NotesDelete>) -> &'static str {
    "deleted"
}

async fn read(call: Scoped<NotesRead>) -> String {
    format!("{} by {}", call.username.as_deref().unwrap_or(&call.subject), call.client_id)
}

async fn write(_: Scoped<NotesWrite>) -> &'static str {
    "written"
}

/// The API; its threads end with the process.
pub struct Api {
    url: String,
}

/// What judges its tokens, at the time of the server.
async fn verifier(server: &Server) -> Verifier {
    let clock = server.clock.clone();
    let clock = Clock::new(move || Duration::from_millis(clock.read().millis().try_into().unwrap()));
    let verifier = Verifier::builder(&server.url, NOTES)
        .introspection("notes-api", SECRET)
        .read_keys_at_most_every(Duration::from_millis(20))
        .scopes(["notes.read", "notes.write"])
        .clock(clock)
        .build()
        .unwrap();
    verifier.ready().await.unwrap();
    verifier
}

impl Api {
    /// Starts it on a free port, with actix-web.
    pub async fn start(server: &Server) -> Self {
        let verifier = verifier(server).await;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let server = actix_web::HttpServer::new(move || {
                let api = web::scope("/api").wrap(Protect::new(verifier.clone()));
                let api = api.route("/notes", web::get().to(read)).route("/notes", web::post().to(write));
                let api = api.route("/notes", web::delete().to(delete));
                actix_web::App::new().configure(describe(&verifier)).service(api)
            });
            let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
            actix_web::rt::System::new().block_on(server)
        });
        Self { url }
    }

    /// Starts it on a free port, with axum.
    async fn start_axum(server: &Server) -> Self {
        let protect = grantor_resource_server::tower::Protect::new(verifier(server).await)
            .peer_address(|extensions| Some(extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip()));
        let notes = axum::routing::get(read).post(write);
        let router = axum::Router::new().route("/api/notes", notes).route_layer(protect);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { url }
    }

    /// One of each.
    async fn both(server: &Server) -> [Self; 2] {
        [Self::start(server).await, Self::start_axum(server).await]
    }

    async fn get(&self, token: &str) -> Page {
        let request = reqwest::Client::new().get(format!("{}/api/notes", self.url));
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        Page::of(request.send().await.unwrap()).await
    }

    /// Asks for what two factors are needed for.
    pub async fn delete(&self, token: &str) -> Page {
        let request = reqwest::Client::new().delete(format!("{}/api/notes", self.url)).bearer_auth(token);
        Page::of(request.send().await.unwrap()).await
    }

    async fn post(&self, token: &str) -> Page {
        let request = reqwest::Client::new().post(format!("{}/api/notes", self.url)).bearer_auth(token);
        Page::of(request.send().await.unwrap()).await
    }
}

#[tokio::test]
async fn an_api_takes_jwts_and_opaque_tokens_that_are_for_it() {
    let server = Server::start().await;
    server.apply(DECLARED).await;
    let apis = Api::both(&server).await;
    let (wiki, board) = (App::new(&server, "wiki"), App::new(&server, "board"));
    let (jwt, opaque) = (wiki.tokens("openid notes.read").await, board.tokens("openid notes.read").await);
    assert!(!opaque.access().contains("eyJ"));
    let subject = claims(jwt.access())["sub"].as_str().unwrap().to_owned();
    for api in &apis {
        assert_eq!(api.get(jwt.access()).await.body, format!("{subject} by wiki"));
        assert_eq!(api.get(opaque.access()).await.body, "alice by board");
    }
    for (token, error) in [
        (wiki.tokens("openid email").await.access(), "is not for this API"),
        (jwt.id(), "is of another kind"),
        (wiki.tokens("openid offline_access notes.read").await.refresh(), "is of another kind"),
        ("gtr_at_made-up", "is misspelt"),
        ("made-up", "unknown, or has ended"),
    ] {
        for api in &apis {
            let page = api.get(token).await;
            let challenge = page.header("www-authenticate").unwrap();
            assert!(
                page.status == 401 && challenge.contains("invalid_token") && challenge.contains(error),
                "{challenge}"
            );
        }
    }
    server.clock.advance(Duration::from_secs(611));
    for api in &apis {
        assert_eq!([api.get(jwt.access()).await.status, api.get(opaque.access()).await.status], [401, 401]);
    }
}

#[tokio::test]
async fn an_api_says_what_a_call_lacks() {
    let server = Server::start().await;
    let api = Api::start(&server).await;
    let wiki = App::new(&server, "wiki");
    let page = api.get("").await;
    insta::assert_snapshot!(page.header("www-authenticate").unwrap(), @r#"Bearer realm="https://notes.example/api", resource_metadata="https://notes.example/.well-known/oauth-protected-resource/api""#);
    let page = api.post(wiki.tokens("openid notes.read").await.access()).await;
    assert_eq!(page.status, 403);
    insta::assert_snapshot!(page.header("www-authenticate").unwrap(), @r#"Bearer realm="https://notes.example/api", error="insufficient_scope", error_description="The token lacks a scope of: notes.write.", scope="notes.write", resource_metadata="https://notes.example/.well-known/oauth-protected-resource/api""#);
    let person = Person::new(&server);
    let tokens = wiki.tokens_with(&person, "openid offline_access notes.write", &[]).await;
    assert_eq!(api.post(tokens.access()).await.body, "written");
    // The sign-in grows old, and a token from a refresh does not make it younger.
    server.clock.advance(Duration::from_secs(400));
    let tokens = Tokens(wiki.refresh(tokens.refresh()).await.json());
    let page = api.post(tokens.access()).await;
    assert_eq!(page.status, 401);
    insta::assert_snapshot!(page.header("www-authenticate").unwrap(), @r#"Bearer realm="https://notes.example/api", error="insufficient_user_authentication", error_description="The person must sign in anew, or in another way.", max_age="300", resource_metadata="https://notes.example/.well-known/oauth-protected-resource/api""#);
    let document = reqwest::get(format!("{}/.well-known/oauth-protected-resource/api", api.url)).await.unwrap();
    let expected = json!({"resource": NOTES, "authorization_servers": [server.url], "bearer_methods_supported": ["header"],
                          "scopes_supported": ["notes.read", "notes.write"]});
    assert_eq!(Page::of(document).await.json(), expected);
}

/// Calls that go on until they are told to stop; how many there were, and how many were not answered 200.
struct Load {
    done: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    callers: tokio::task::JoinSet<usize>,
}

impl Load {
    fn new(api: &Api, tokens: &[&str]) -> Self {
        let (done, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut callers = tokio::task::JoinSet::new();
        for token in tokens {
            let (done, count, api, token) =
                (Arc::clone(&done), Arc::clone(&count), Api { url: api.url.clone() }, (*token).to_owned());
            callers.spawn(async move {
                let mut refused = 0;
                while !done.load(Ordering::SeqCst) {
                    refused += usize::from(api.get(&token).await.status != 200);
                    count.fetch_add(1, Ordering::SeqCst);
                }
                refused
            });
        }
        Self { done, count, callers }
    }

    async fn calls(&self, more: usize) {
        let target = self.count.load(Ordering::SeqCst) + more;
        while self.count.load(Ordering::SeqCst) < target {
            tokio::task::yield_now().await;
        }
    }

    async fn refused(self) -> usize {
        self.done.store(true, Ordering::SeqCst);
        self.callers.join_all().await.into_iter().sum()
    }
}

#[tokio::test]
async fn a_revoked_opaque_token_is_refused_by_the_next_call_under_load() {
    let server = Server::start_with(|config| config.tokens.introspection_cache = Duration::ZERO).await;
    server.apply(DECLARED).await;
    let board = App::new(&server, "board");
    for api in Api::both(&server).await {
        let (revoked, kept) = (board.tokens("openid notes.read").await, board.tokens("openid notes.read").await);
        let load = Load::new(&api, &[revoked.access(), revoked.access()]);
        let of_others = Load::new(&api, &[kept.access()]);
        load.calls(30).await;
        board.revoke(revoked.access()).await;
        assert_eq!(api.get(revoked.access()).await.status, 401);
        load.calls(30).await;
        assert!(load.refused().await > 0);
        assert_eq!((of_others.refused().await, api.get(kept.access()).await.status.as_u16()), (0, 200));
    }
}

#[tokio::test]
async fn an_answer_is_kept_for_as_long_as_the_server_allows() {
    let server = Server::start().await;
    server.apply(DECLARED).await;
    let board = App::new(&server, "board");
    for api in Api::both(&server).await {
        let tokens = board.tokens("openid notes.read").await;
        assert_eq!(api.get(tokens.access()).await.status, 200);
        board.revoke(tokens.access()).await;
        assert_eq!(api.get(tokens.access()).await.status, 200, "it may be kept for 3 seconds");
        server.clock.advance(Duration::from_secs(3));
        assert_eq!(api.get(tokens.access()).await.status, 401);
    }
}

#[tokio::test]
async fn a_token_that_is_found_in_public_is_refused_when_a_kept_answer_ends_within_five_seconds_unless_more_is_allowed()
{
    let Some(scanner) = Scanner::new() else { return };
    for (allowed, kept) in [(3, 3), (60, 10)] {
        let reporters = vec![scanner.reporter()];
        let server = Server::start_with(|config| {
            config.leak_reporters = reporters;
            config.tokens.introspection_cache = Duration::from_secs(allowed);
        })
        .await;
        let person = Person::new(&server);
        person.sign_in().await;
        for api in Api::both(&server).await {
            let leaked = crate::tokens::token(&person, &["notes.read"]).await;
            assert_eq!(api.get(&leaked).await.status, 200);
            let told = scanner.report(&server, &json!([finding(&leaked)])).await.json();
            assert_eq!(told[0]["label"], json!("true_positive"));
            server.clock.advance(Duration::from_secs(kept - 1));
            assert_eq!(api.get(&leaked).await.status, 200, "the answer is kept: {allowed}");
            server.clock.advance(Duration::from_secs(1));
            assert_eq!(api.get(&leaked).await.status, 401, "{allowed}");
        }
    }
}

#[tokio::test]
async fn an_api_takes_the_tokens_that_people_made_from_where_they_may_be_used() {
    let server = Server::start().await;
    let person = Person::new(&server);
    person.sign_in().await;
    let here = crate::tokens::limited(&person, &["notes.read"], "127.0.0.0/8").await;
    let elsewhere = crate::tokens::limited(&person, &["notes.read"], "192.0.2.0/24").await;
    for api in Api::both(&server).await {
        let page = api.get(&here).await;
        assert_eq!((page.status.as_u16(), page.body.as_str()), (200, "alice by "));
        assert_eq!(api.get(&elsewhere).await.status, 401);
        assert_eq!(api.post(&here).await.status, 403);
        let asked = server.rows();
        let slip = format!("{}{}", &here[..67], if here.ends_with('0') { "1" } else { "0" });
        assert_eq!(api.get(&slip).await.status, 401);
        assert_eq!(server.rows(), asked);
    }
}

#[tokio::test]
async fn keys_follow_one_another_and_no_call_is_refused() {
    let server = Server::start().await;
    let apis = Api::both(&server).await;
    let service = App::new(&server, "service");
    let mut tokens = vec![Tokens(service.client_credentials("notes.read").await.json())];
    let loads = [Load::new(&apis[0], &[tokens[0].access()]), Load::new(&apis[1], &[tokens[0].access()])];
    for at_once in [false, true, true, false, true] {
        rotate(&server, Algorithm::Es256, at_once).await;
        if !at_once {
            server.clock.advance(Duration::from_secs(30));
        }
        keep_schedule(&server).await;
        tokens.push(Tokens(service.client_credentials("notes.read").await.json()));
        for (api, load) in apis.iter().zip(&loads) {
            for token in &tokens {
                assert_eq!(api.get(token.access()).await.status, 200);
            }
            load.calls(10).await;
        }
    }
    for load in loads {
        assert_eq!(load.refused().await, 0);
    }
    let kids: std::collections::HashSet<String> =
        tokens.iter().map(|token| header(token.access())["kid"].to_string()).collect();
    assert!(kids.len() >= 3, "{kids:?}");
}

#[tokio::test]
async fn what_a_removed_key_signed_is_refused_when_the_keys_are_read_again() {
    let server = Server::start().await;
    let api = Api::start(&server).await;
    let service = App::new(&server, "service");
    let stolen = Tokens(service.client_credentials("notes.read").await.json());
    assert_eq!(api.get(stolen.access()).await.status, 200);
    rotate(&server, Algorithm::Es256, true).await;
    server.clock.advance(Duration::from_secs(1));
    let directory = server.database.directory();
    let kid = header(stolen.access())["kid"].as_str().unwrap().to_owned();
    let record = directory.keys.keys.iter().find(|record| record.key.kid() == kid).unwrap();
    server.database.commit(vec![Change::KeyRemove(record.id)]).await.unwrap();
    // The first token of the new key makes the API read the keys.
    let fresh = Tokens(service.client_credentials("notes.read").await.json());
    assert_eq!(api.get(fresh.access()).await.status, 200);
    assert_eq!(api.get(stolen.access()).await.status, 401);
}

#[tokio::test]
async fn while_the_server_is_away_jwts_count_and_opaque_tokens_are_told_to_come_again() {
    let server = Server::start().await;
    server.apply(DECLARED).await;
    let api = Api::start(&server).await;
    let (service, board) = (App::new(&server, "service"), App::new(&server, "board"));
    let jwt = Tokens(service.client_credentials("notes.read").await.json());
    let opaque = Tokens(board.client_credentials("notes.read").await.json());
    let stopped = server.stop();
    assert_eq!(api.get(jwt.access()).await.status, 200);
    let page = api.get(opaque.access()).await;
    assert_eq!((page.status.as_u16(), page.header("retry-after")), (503, Some("1")));
    let server = stopped.start().await;
    server.clock.advance(Duration::from_secs(2));
    assert_eq!(api.get(opaque.access()).await.status, 200);
}
