//! The same requests to this server and to oidc-provider, with equal clients: what both say, and why they differ where they do.

use std::process::{Command, Stdio};

use super::must_succeed;
use super::ready;
use super::running::Running;
use crate::harness::seeds::{ALICE_PASSWORD, BOB_PASSWORD, SECRET};
use crate::harness::server::{Server, unlimited};

/// Those of `differential/clients.js`: with a secret and without one, by which method, and what else is particular.
const REGISTERED: [(&str, &str, &str); 6] = [
    ("web", "client_secret_basic", r#"redirect_uris = ["https://app.example/cb", "https://app.example/other"]"#),
    ("post", "client_secret_post", r#"redirect_uris = ["https://post.example/cb"]"#),
    ("spa", "none", r#"redirect_uris = ["https://spa.example/cb"]"#),
    ("loose", "client_secret_basic", "redirect_uris = [\"https://loose.example/cb\"]\nrequire_pkce = false"),
    ("native", "none", "redirect_uris = [\"http://127.0.0.1/cb\"]\napplication_type = \"native\""),
    ("machine", "client_secret_basic", r#"grant_types = ["client_credentials"]"#),
];

#[tokio::test]
async fn oidc_provider_says_the_same_but_where_the_difference_is_explained() {
    let Some(folder) = ready::folder("differential") else { return };
    let server = Server::start_with(unlimited).await;
    server.apply(&REGISTERED.map(registered).concat()).await;
    let mut program = Command::new("node");
    program.arg(folder.join("differ.js")).stdin(Stdio::null()).envs([
        ("ISSUER", server.url.as_str()),
        ("CLIENT_SECRET", SECRET),
        ("PASSWORD", ALICE_PASSWORD),
        ("BOB_PASSWORD", BOB_PASSWORD),
    ]);
    must_succeed(&Running::start(program).end());
}

fn registered((client_id, method, others): (&str, &str, &str)) -> String {
    let secret = if method == "none" { String::new() } else { format!("client_secret = \"{SECRET}\"\n") };
    let of_people = if client_id == "machine" {
        "scope = \"notes.read\""
    } else {
        "grant_types = [\"authorization_code\", \"refresh_token\"]\nscope = \"openid profile email offline_access\"\n\
         access_token_format = \"opaque\""
    };
    format!(
        "[[clients]]\nclient_id = \"{client_id}\"\nclient_name = \"{client_id}\"\ntoken_endpoint_auth_method = \"{method}\"\n\
         {secret}{of_people}\n{others}\n\n"
    )
}
