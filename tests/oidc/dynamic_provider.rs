//! What a provider has to have of which an app knows no more than its issuer (OIDC Core §15.2), where an operator switches it all on.

use grantor_core::grant_type::GrantType;
use grantor_core::registration::Mode;
use serde_json::{Value, json};

use crate::harness::app::{App, Tokens, claims};
use crate::harness::person::Person;
use crate::harness::registrar::{Registrar, metadata_with};
use crate::harness::server::Server;

async fn dynamic() -> Server {
    Server::start_with(|config| {
        config.registration.mode = Mode::Open;
        config.registration.grant_types.push(GrantType::Implicit);
        config.clients.allow_front_channel_tokens = true;
    })
    .await
}

async fn discovered(server: &Server) -> Value {
    App::new(server, "wiki").request_raw("GET", "/.well-known/openid-configuration", &[]).await.json()
}

// "These OpenID Providers MUST support the "id_token" Response Type and all that are not Self-Issued OPs MUST also support the "code"
// and "id_token token" Response Types. ... These OPs MUST support Discovery, as defined in OpenID Connect Discovery 1.0
// [OpenID.Discovery]. ... These OPs MUST support Dynamic Client Registration, as defined in OpenID Connect Dynamic Client Registration
// 1.0 [OpenID.Registration]." (OIDC Core §15.2)
// "Dynamic OpenID Providers MUST support the "code", "id_token", and the "id_token token" Response Type values. ... Dynamic OpenID
// Providers MUST support the "authorization_code" and "implicit" Grant Type values and MAY support other Grant Types."
// (OIDC Discovery §3)
#[tokio::test]
async fn an_app_that_knows_the_issuer_finds_registers_and_uses_each_response_type() {
    let server = dynamic().await;
    let metadata = discovered(&server).await;
    let lists = |name: &str, value: &str| metadata[name].as_array().unwrap().contains(&value.into());
    assert!(["authorization_code", "implicit"].iter().all(|grant| lists("grant_types_supported", grant)), "{metadata}");
    assert_eq!(metadata["registration_endpoint"], server.at("/register"));
    for kind in ["code", "id_token", "id_token token"] {
        assert!(lists("response_types_supported", kind), "{kind}");
        let grant = if kind == "code" { "authorization_code" } else { "implicit" };
        let said = metadata_with(json!({ "response_types": [kind], "grant_types": [grant] }));
        let client = Registrar::new(&server).registered(&said).await;
        assert_eq!(client["response_types"], json!([kind]), "it is told what it will get");
        let (app, person) = (App::registered(&server, &client), Person::new(&server));
        let answer = app.approved_with(&person, "openid", &[("response_type", kind)]).await;
        let id_token = if kind == "code" {
            Tokens(app.redeem(&answer.param("code")).await.json()).id().to_owned()
        } else {
            answer.param("id_token")
        };
        assert_eq!(claims(&id_token)["aud"], json!([client["client_id"]]), "{kind}");
        assert_eq!(answer.has("access_token"), kind == "id_token token", "{kind}");
    }
}

// "registration_endpoint RECOMMENDED." (OIDC Discovery §3)
#[tokio::test]
async fn what_is_switched_off_is_neither_told_nor_there() {
    let server = Server::start().await;
    let metadata = discovered(&server).await;
    assert_eq!(metadata.get("registration_endpoint"), None);
    assert_eq!(
        (&metadata["response_types_supported"], Registrar::new(&server).register(&json!({})).await.status.as_u16()),
        (&json!(["code"]), 404)
    );
}

// "Claims with zero elements MUST be omitted from the response." (OIDC Discovery §4.2)
#[tokio::test]
async fn no_list_in_the_metadata_is_empty() {
    for server in [Server::start().await, dynamic().await] {
        let metadata = discovered(&server).await;
        let is_empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        assert!(!metadata.as_object().unwrap().values().any(is_empty), "{metadata}");
    }
}
