//! Limits by network where tokens are given: to an app without a secret, and to one that acts on an account.

use serde_json::json;

use super::alice;
use super::networks::{ELSEWHERE, HERE, apply, limited};
use crate::harness::app::{App, Tokens};
use crate::harness::seeds::SECRET;
use crate::harness::server::Server;

async fn board_limited(server: &Server, networks: &str) {
    let declaration = format!(
        "[[clients]]\nclient_id = \"spa\"\nclient_name = \"Board\"\ntoken_endpoint_auth_method = \"none\"\n\
         redirect_uris = [\"https://board.example/cb\"]\ngrant_types = [\"authorization_code\", \"refresh_token\"]\n\
         scope = \"openid offline_access notes.read\"\n{networks}\n"
    );
    apply(server, &declaration).await;
}

#[tokio::test]
async fn an_app_without_a_secret_gets_and_ends_tokens_from_its_networks_only() {
    let server = Server::start().await;
    let (board, api) = (App::new(&server, "spa"), App::new(&server, "notes-api"));
    let (code, tokens) = (board.code("openid notes.read").await, board.tokens("openid notes.read").await);
    board_limited(&server, ELSEWHERE).await;
    assert_eq!(board.redeem(&code).await.brief(), "401 invalid_client");
    assert_eq!(server.reason().await, "ClientNetwork");
    assert_eq!(board.refresh(tokens.refresh()).await.brief(), "401 invalid_client");
    assert_eq!(board.revoke(tokens.refresh()).await.brief(), "401 invalid_client");
    board_limited(&server, HERE).await;
    let fresh = Tokens(board.redeem(&code).await.json());
    assert_eq!(board.refresh(tokens.refresh()).await.status, 200, "nothing was spent from elsewhere");
    let told = api.introspect_with(fresh.access(), &[("client_address", "127.0.0.1")]).await;
    assert_eq!(told["active"], json!(true));
}

async fn portal_limited(server: &Server, networks: &str) {
    let declaration = format!(
        "[[clients]]\nclient_id = \"portal\"\nclient_name = \"Portal\"\nclient_secret = \"{SECRET}\"\nskip_consent = true\n\
         redirect_uris = [\"https://portal.example/cb\"]\ngrant_types = [\"authorization_code\", \"refresh_token\"]\n\
         scope = \"openid notes.read account:tokens\"\n{networks}\n"
    );
    apply(server, &declaration).await;
}

#[tokio::test]
async fn an_app_acts_on_an_account_from_the_networks_of_its_person_and_its_own_only() {
    let server = Server::start().await;
    portal_limited(&server, "").await;
    let portal = App::new(&server, "portal");
    let tokens = portal.tokens_with(&alice(&server).await, "openid account:tokens", &[]).await;
    let bearer = format!("Bearer {}", tokens.access());
    let lists =
        async || portal.request_raw("GET", "/account/api/tokens", &[("authorization", &bearer)]).await.status.as_u16();
    for by in ["person", "group", "app"] {
        let limit = async |networks: &str| match by {
            "app" => portal_limited(&server, networks).await,
            _ => limited(&server, by, networks).await,
        };
        for (networks, status) in [("", 200), (ELSEWHERE, 401), (HERE, 200), ("", 200)] {
            limit(networks).await;
            assert_eq!(lists().await, status, "{by} {networks}");
        }
    }
}
