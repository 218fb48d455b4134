//! Beside the Dynamic plan: what the specifications demand of a registration, and no module asks for.

use std::time::Duration;

use grantor_core::change::Change;
use grantor_core::client::Client as Registered;
use grantor_core::store::Store;
use serde_json::json;

use super::dynamic_suite::{self, Suite, at};
use crate::harness::app::{App, claims};
use crate::harness::registrar::{Registrar, metadata_with, unchanged};
use crate::harness::server::Server;

// "If the client does not have permission to read its record, the server MUST return an HTTP 403 Forbidden." (RFC 7592 §2.1)
// "If the Client does not have permission to read its record, the server MUST return an HTTP 403 Forbidden."
// (OIDC Registration §4.4)
#[tokio::test]
async fn an_app_that_an_administrator_has_switched_off_may_not_read_what_it_is() {
    let server = dynamic_suite::server().await;
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&metadata_with(json!({}))).await;
    let known = server.database.directory().clients[client["client_id"].as_str().unwrap()].as_ref().clone();
    server.database.commit(vec![Change::ClientPut(Box::new(Registered { disabled: true, ..known }))]).await.unwrap();
    for page in [registrar.read(&client).await, registrar.update(&client, &unchanged(&client)).await] {
        assert_eq!(page.status, 403, "{}", page.whole());
    }
}

// "If the Client does not exist on this server, the Client is invalid, or the Registration Access Token used is invalid, the
// server MUST respond with the HTTP 401 Unauthorized status code." (OIDC Registration §4.4)
#[tokio::test]
async fn an_app_that_is_not_there_and_a_token_that_is_not_right_are_refused_alike() {
    let server = dynamic_suite::server().await;
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&metadata_with(json!({}))).await;
    let token = client["registration_access_token"].as_str().unwrap();
    let mut gone = client.clone();
    gone["registration_client_uri"] = json!(server.at("/register/reg_nobody"));
    let mut wrong = client.clone();
    wrong["registration_access_token"] = json!(format!("{}x", &token[..token.len() - 1]));
    for page in [registrar.read(&gone).await, registrar.read(&wrong).await] {
        assert_eq!((page.status.as_u16(), page.header("www-authenticate").is_some()), (401, true), "{}", page.whole());
    }
}

// "When "id_token_encrypted_response_enc" is included, "id_token_encrypted_response_alg" MUST also be provided."
// (OIDC Registration §2)
// "When "userinfo_encrypted_response_enc" is included, "userinfo_encrypted_response_alg" MUST also be provided."
// (OIDC Registration §2)
// "When "request_object_encryption_enc" is included, "request_object_encryption_alg" MUST also be provided."
// (OIDC Registration §2)
#[tokio::test]
async fn how_a_content_is_encrypted_is_not_registered_without_how_its_key_is() {
    let server = dynamic_suite::server().await;
    let suite = Suite::new(&server);
    for member in
        ["id_token_encrypted_response_enc", "userinfo_encrypted_response_enc", "request_object_encryption_enc"]
    {
        let refused = suite.is_refused("code", json!({ member: "A256GCM" })).await;
        assert_eq!(refused, "400 invalid_client_metadata", "{member}");
    }
}

// "MUST ignore any fields sent by the Client that it does not understand." (OIDC Registration §3.2)
#[tokio::test]
async fn members_that_nobody_knows_change_nothing_and_do_not_come_back() {
    let server = dynamic_suite::server().await;
    let registrar = Registrar::new(&server);
    let said = metadata_with(json!({
        "frobnicate": {"deep": [1, 2, 3]}, "client_name#de": "Notizbuch", "contacts#de": ["x"], "tls_client_auth_subject_dn": "CN=x",
    }));
    let client = registrar.registered(&said).await;
    assert_eq!(client["client_name#de"], "Notizbuch");
    for name in ["frobnicate", "contacts#de", "tls_client_auth_subject_dn"] {
        assert!(client.get(name).is_none(), "{name}");
    }
}

// "The value of the "sector_identifier_uri" MUST be a URL using the "https" scheme" (OIDC Core §8.1)
#[tokio::test]
async fn the_list_of_a_sector_is_asked_for_by_https_alone() {
    let server = dynamic_suite::server().await;
    let suite = Suite::new(&server);
    for uri in ["http://127.0.0.1:9/apps.json", "file:///etc/passwd", "https:apps.json", "/apps.json"] {
        let pairwise = json!({"subject_type": "pairwise", "sector_identifier_uri": uri});
        assert_eq!(suite.is_refused("code", pairwise).await, "400 invalid_client_metadata", "{uri}");
    }
}

/// A code is for what the person saw: where the app has since changed itself, whatever of it, the code is good for nothing.
#[tokio::test]
async fn a_code_from_before_an_app_changed_its_redirect_uris_is_refused() {
    let server = dynamic_suite::server().await;
    let registrar = Registrar::new(&server);
    let other = "https://elsewhere.example/cb";
    for uris in [json!([other]), json!(["https://notebook.example/cb", other])] {
        let client = registrar.registered(&metadata_with(json!({}))).await;
        let app = App::registered(&server, &client);
        let code = app.code("openid").await;
        server.clock.advance(Duration::from_secs(1));
        let mut said = unchanged(&client);
        said["redirect_uris"] = uris.clone();
        assert_eq!(registrar.update(&client, &said).await.json()["redirect_uris"], uris);
        for app in [app, App::registered(&server, &client).at(other)] {
            assert_eq!(app.redeem(&code).await.brief(), "400 invalid_grant", "{uris}");
        }
    }
}

/// What an app makes in a person's name is for the back channel, also where the operator lets strangers ask for it.
#[tokio::test]
async fn no_stranger_is_given_account_tokens_through_the_browser() {
    let server = Server::start_with(|config| {
        dynamic_suite::settings(config);
        config.registration.scopes = ["openid", "offline_access", "account:tokens"].into_iter().collect();
    })
    .await;
    let suite = Suite::new(&server);
    let client = suite.registers("id_token token", json!({"redirect_uris": [at("/callback")]})).await;
    let answer = suite.visits(&client, &[("scope", "openid account:tokens")]).await;
    assert!(answer.has("access_token"), "{}", answer.0);
    let access_token = answer.param("access_token");
    assert_eq!(claims(&access_token)["scope"], "openid");
    assert_eq!(suite.userinfo(&access_token).await.status, 200);
    let request = reqwest::Client::new().get(server.at("/account/api/tokens")).bearer_auth(access_token);
    assert!(request.send().await.unwrap().status().is_client_error());
}
