//! The examples of `grantor-resource-server`, started and called as their first lines say.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::running::Running;
use crate::harness::app::basic;
use crate::harness::page::Page;
use crate::harness::server::Server;

#[tokio::test]
async fn the_example_with_actix_web_answers_as_its_first_lines_say() {
    answers_as_documented("actix").await;
}

#[tokio::test]
async fn the_example_with_axum_answers_as_its_first_lines_say() {
    answers_as_documented("axum").await;
}

/// The program, which `cargo test --workspace` builds beside the tests; `None` where it was not, after saying so.
fn built(name: &str) -> Option<PathBuf> {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    if !program.exists() {
        assert!(std::env::var_os("CI").is_none(), "{} is not there", program.display());
        eprintln!(
            "SKIPPED, not tested: {} is not there; `cargo build --workspace --examples` makes it",
            program.display()
        );
        return None;
    }
    Some(program)
}

/// A token in the API's own name, with the credentials that stand in the first lines.
async fn token(server: &Server) -> String {
    let form = [("grant_type", "client_credentials"), ("scope", "notes.read")];
    let request = reqwest::Client::new().post(server.at("/token")).form(&form);
    let credentials = basic("demo-api", "a-secret-for-the-demo-api-and-nothing-else");
    let answer = Page::of(request.header("authorization", credentials).send().await.unwrap()).await;
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

async fn answers_as_documented(name: &str) {
    let Some(program) = built(name) else { return };
    let (server, demo) = Server::start_dev().await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = Command::new(program);
    command.env("ISSUER", &server.url).env("AUDIENCE", format!("{demo}/api")).env("LISTEN", free.to_string());
    let _program = Running::start(command);
    let begun = Instant::now();
    while TcpStream::connect(free).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{name} listens");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (http, url, token) = (reqwest::Client::new(), format!("http://{free}/api/notes"), token(&server).await);
    let asks = async |request: reqwest::RequestBuilder| Page::of(request.send().await.unwrap()).await;
    let without = asks(http.get(&url)).await;
    assert_eq!(without.status, 401);
    let document = "resource_metadata=";
    assert!(without.header("www-authenticate").unwrap().contains(document), "{:?}", without.headers);
    let with = asks(http.get(&url).bearer_auth(&token)).await;
    assert_eq!((with.status.as_u16(), with.body.as_str()), (200, "the notes of demo-api: water the plants\n"));
    let deleting = asks(http.delete(&url).bearer_auth(&token)).await;
    assert_eq!(deleting.status, 403);
    assert!(deleting.header("www-authenticate").unwrap().contains(r#"error="insufficient_scope""#), "it may only read");
    let me = asks(http.get(url.replace("notes", "me")).bearer_auth(&token)).await;
    assert_eq!(me.body, "demo-api by demo-api, with notes.read\n");
    let described = asks(http.get(format!("http://{free}/.well-known/oauth-protected-resource/api"))).await;
    assert_eq!(described.json()["authorization_servers"][0], server.url.as_str());
}
