//! Apps and a proxy that others wrote, at a real server: their libraries know the specifications, and nothing of this one.
//!
//! `node`, `go` and `python` hold a program each, which plays both an app on one library and a person at a browser, prints
//! a line for each step that passed, and fails at the first that does not. `proxy` and `caddy` hold the versions of oauth2-proxy and Caddy.
//! `apache`, `jupyterhub` and `spring` hold a program and the configuration of what it starts and drives: Apache with mod_auth_openidc,
//! JupyterHub with OAuthenticator, an app and two APIs on Spring Security. `differential` sends the same requests here and to oidc-provider.
//! `tests/run` makes them ready in `target/clients`; here they only run.

mod differential;
mod driven;
mod examples;
mod forward_auth;
mod joserfc;
mod oauth2_proxy;
pub mod ready;
pub mod running;

use std::process::{Command, Stdio};

use grantor_core::grant_type::GrantType;
use grantor_core::registration::Mode;

use self::running::{Ended, Running};
use crate::harness::command;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, SECRET, SIGNED_KEY};
use crate::harness::server::Server;

/// What each library's app is registered for: together, three ways to sign, two to authenticate, two kinds of access token, and
/// three kinds of answers.
const REGISTERED: &str = r#"
[[clients]]
client_id = "openid-client"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
client_name = "An app on openid-client"
token_endpoint_auth_method = "client_secret_post"
redirect_uris = ["https://app.example/cb"]
post_logout_redirect_uris = ["https://app.example/out"]
grant_types = ["authorization_code", "refresh_token", "implicit"]
response_types = ["code", "id_token", "code id_token"]
scope = "openid profile email"
id_token_signed_response_alg = "EdDSA"
access_token_format = "opaque"
jwks = { keys = [{ kty = "EC", crv = "P-256", kid = "signed-1", alg = "ES256", use = "sig", x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }] }

[[clients]]
client_id = "go-oidc"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
client_name = "An app on go-oidc"
redirect_uris = ["https://app.example/cb"]
post_logout_redirect_uris = ["https://app.example/out"]
grant_types = ["authorization_code", "refresh_token"]
scope = "openid profile email"
id_token_signed_response_alg = "RS256"

[[clients]]
client_id = "authlib"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
client_name = "An app on Authlib"
redirect_uris = ["https://app.example/cb"]
post_logout_redirect_uris = ["https://app.example/out"]
grant_types = ["authorization_code", "refresh_token"]
scope = "openid profile email"
id_token_signed_response_alg = "ES256"
"#;

#[tokio::test]
async fn openid_client_signs_in_refreshes_and_signs_out() {
    let Some(program) = openid_client() else { return };
    must_succeed(&run(program, "openid-client", ALICE_PASSWORD).await);
}

#[tokio::test]
async fn openid_client_registers_itself_and_lives_as_any_other_app() {
    let Some(mut program) = openid_client() else { return };
    let server = Server::start_with(|config| {
        config.registration.mode = Mode::InitialAccessToken;
        config.registration.grant_types.push(GrantType::Implicit);
        config.clients.allow_front_channel_tokens = true;
    });
    let server = server.await;
    let made = command::registration(server.config(), &["token", "add", "--name", "openid-client"]).await.unwrap();
    server.clock.catch_up();
    program.env("INITIAL_ACCESS_TOKEN", made.lines().next().unwrap());
    must_succeed(&run_at(&server, program, "", ALICE_PASSWORD));
}

#[tokio::test]
async fn go_oidc_signs_in_refreshes_and_signs_out() {
    let Some(program) = go_oidc() else { return };
    must_succeed(&run(program, "go-oidc", ALICE_PASSWORD).await);
}

#[tokio::test]
async fn authlib_signs_in_refreshes_and_signs_out() {
    let Some(program) = authlib() else { return };
    must_succeed(&run(program, "authlib", ALICE_PASSWORD).await);
}

// A program that could not fail would prove nothing.
#[tokio::test]
async fn every_program_fails_where_the_person_does_not_get_in() {
    for (client_id, program) in [("openid-client", openid_client()), ("go-oidc", go_oidc()), ("authlib", authlib())] {
        let Some(program) = program else { continue };
        let ended = run(program, client_id, "not her password").await;
        assert!(!ended.success && ended.said.contains("the page sign-in again"), "{client_id}: {}", ended.said);
    }
}

fn openid_client() -> Option<Command> {
    let folder = ready::folder("node")?;
    let mut program = Command::new("node");
    program.arg(folder.join("client.js"));
    Some(program)
}

fn go_oidc() -> Option<Command> {
    Some(Command::new(ready::folder("go")?.join("client")))
}

fn authlib() -> Option<Command> {
    let folder = ready::folder("python")?;
    let mut program = Command::new(folder.join("venv/bin/python"));
    program.arg(folder.join("client.py"));
    Some(program)
}

/// Runs a program at a server of its own, with Alice at the browser.
async fn run(program: Command, client_id: &str, password: &str) -> Ended {
    let server = Server::start_with(|config| config.clients.allow_front_channel_tokens = true).await;
    server.apply(REGISTERED).await;
    run_at(&server, program, client_id, password)
}

fn run_at(server: &Server, mut program: Command, client_id: &str, password: &str) -> Ended {
    program.stdin(Stdio::null()).envs([
        ("ISSUER", server.url.as_str()),
        ("CLIENT_ID", client_id),
        ("CLIENT_SECRET", SECRET),
        ("REDIRECT_URI", "https://app.example/cb"),
        ("POST_LOGOUT_REDIRECT_URI", "https://app.example/out"),
        ("USERNAME", ALICE),
        ("PASSWORD", password),
        ("REQUEST_KEY", SIGNED_KEY),
    ]);
    Running::start(program).end()
}

fn must_succeed(ended: &Ended) {
    assert!(ended.success, "the program says:\n{}", ended.said);
}
