//! Apps that are declared for tokens through the browser, at a server that allows them.

use super::server::Server;

/// One that keeps a secret, one that keeps none, and one that gets opaque access tokens and asks nobody.
const DECLARATION: &str = r#"
[[clients]]
client_id = "hybrid"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
client_name = "Hybrid"
redirect_uris = ["https://hybrid.example/cb"]
grant_types = ["authorization_code", "refresh_token", "implicit"]
response_types = ["code", "id_token", "token id_token", "code id_token", "code token", "code id_token token"]
scope = "openid profile email offline_access notes.read"
id_token_signed_response_alg = "ES256"

[[clients]]
client_id = "implicit"
client_name = "Implicit"
token_endpoint_auth_method = "none"
redirect_uris = ["https://implicit.example/cb"]
grant_types = ["implicit"]
response_types = ["id_token", "id_token token"]
scope = "openid profile email offline_access notes.read"

[[clients]]
client_id = "quiet"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
redirect_uris = ["https://quiet.example/cb"]
grant_types = ["authorization_code", "implicit"]
response_types = ["id_token", "id_token token", "code id_token token"]
scope = "openid profile"
access_token_format = "opaque"
skip_consent = true
require_pkce = false
"#;

/// A server with these apps that lets tokens travel through the browser.
pub async fn server() -> Server {
    with_apps(Server::start_with(|config| config.clients.allow_front_channel_tokens = true).await).await
}

/// A server with these apps and the settings that it has by itself.
pub async fn closed_server() -> Server {
    with_apps(Server::start().await).await
}

/// The server with these apps.
pub async fn with_apps(server: Server) -> Server {
    server.apply(DECLARATION).await;
    server
}

/// Where an app's answers go.
pub fn redirect_uri(client_id: &str) -> String {
    format!("https://{client_id}.example/cb")
}
