//! Servers that others wrote, whose apps leave signing in to them: each with a program that starts it, plays the person at a browser,
//! and looks at what the app is told.

mod logout;

use std::net::TcpListener;
use std::process::{Command, Stdio};

use super::must_succeed;
use super::ready;
use super::running::{Ended, Running};
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB_PASSWORD, SECRET};
use crate::harness::server::Server;

/// One of them.
#[derive(Clone, Copy)]
struct Driven {
    /// The folder of its program, and its `client_id`.
    name: &'static str,
    /// The folder whose Python runs the program.
    python: &'static str,
    /// Where answers come back to.
    callback: &'static str,
    /// Where people come back to who have signed out.
    out: &'static str,
    scope: &'static str,
    id_token_signed_response_alg: &'static str,
}

const APACHE: Driven = Driven {
    name: "apache",
    python: "python",
    callback: "/redirect",
    out: "/public/out",
    scope: "openid profile email",
    id_token_signed_response_alg: "PS256",
};

const JUPYTERHUB: Driven = Driven {
    name: "jupyterhub",
    python: "jupyterhub",
    callback: "/hub/oauth_callback",
    out: "/hub/login",
    scope: "openid profile groups",
    id_token_signed_response_alg: "RS256",
};

const SPRING: Driven = Driven {
    name: "spring",
    python: "python",
    callback: "/login/oauth2/code/grantor",
    out: "/out",
    scope: "openid profile email notes.read",
    id_token_signed_response_alg: "RS256",
};

#[tokio::test]
async fn mod_auth_openidc_signs_in_refreshes_and_signs_out() {
    APACHE.succeeds().await;
}

#[tokio::test]
async fn jupyterhub_signs_in_refreshes_and_signs_out() {
    JUPYTERHUB.succeeds().await;
}

#[tokio::test]
async fn spring_security_signs_in_refreshes_signs_out_and_guards_apis() {
    SPRING.succeeds().await;
}

// A program that could not fail would prove nothing.
#[tokio::test]
async fn every_driven_server_lets_nobody_in_who_does_not_get_in() {
    for driven in [APACHE, JUPYTERHUB, SPRING] {
        let Some(ended) = driven.run("not her password").await else { continue };
        assert!(!ended.success && ended.said.contains("the page sign-in again"), "{}: {}", driven.name, ended.said);
    }
}

impl Driven {
    async fn succeeds(self) {
        let Some(ended) = self.run(ALICE_PASSWORD).await else { return };
        must_succeed(&ended);
    }

    /// Runs its program at a server of its own, with Alice at the browser. `None` where it is not ready.
    async fn run(self, password: &str) -> Option<Ended> {
        let mut program = self.program("client.py")?;
        let server = Server::start().await;
        let url = format!("http://127.0.0.1:{}", free_port());
        server.apply(&self.registered(&url)).await;
        program.envs(self.environment(&server, &url)).env("PASSWORD", password);
        Some(Running::start(program).end())
    }

    fn program(self, file: &str) -> Option<Command> {
        let (steps, folder) = (ready::folder("python")?, ready::folder(self.name)?);
        let mut program = Command::new(ready::folder(self.python)?.join("venv/bin/python"));
        program.arg(folder.join(file)).env("PYTHONPATH", steps).stdin(Stdio::null());
        Some(program)
    }

    fn environment(self, server: &Server, url: &str) -> [(&'static str, String); 8] {
        [
            ("ISSUER", server.url.clone()),
            ("CLIENT_ID", self.name.to_owned()),
            ("CLIENT_SECRET", SECRET.to_owned()),
            ("REDIRECT_URI", format!("{url}{}", self.callback)),
            ("POST_LOGOUT_REDIRECT_URI", format!("{url}{}", self.out)),
            ("USERNAME", ALICE.to_owned()),
            ("PASSWORD", ALICE_PASSWORD.to_owned()),
            ("BOB_PASSWORD", BOB_PASSWORD.to_owned()),
        ]
    }

    fn registered(self, url: &str) -> String {
        let Self { name, callback, out, scope, id_token_signed_response_alg, .. } = self;
        format!(
            r#"
            [[clients]]
            client_id = "{name}"
            client_secret = "{SECRET}"
            client_name = "An app with {name}"
            redirect_uris = ["{url}{callback}"]
            post_logout_redirect_uris = ["{url}{out}"]
            grant_types = ["authorization_code", "refresh_token"]
            scope = "{scope}"
            id_token_signed_response_alg = "{id_token_signed_response_alg}"
            "#
        )
    }
}

/// A port that nobody listens at.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
