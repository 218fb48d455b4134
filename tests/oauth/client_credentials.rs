//! `client_credentials`: an app asks for itself (RFC 6749 §4.4).

use serde_json::json;

use crate::harness::app::{App, claims};
use crate::harness::server::Server;

#[tokio::test]
async fn an_app_gets_a_token_for_itself_and_nothing_else() {
    let server = Server::start().await;
    let answer = App::new(&server, "service").client_credentials("notes.read").await.json();
    let names: Vec<&String> = answer.as_object().unwrap().keys().collect();
    // "A refresh token SHOULD NOT be included." (RFC 6749 §4.4.3)
    assert_eq!(names, ["access_token", "expires_in", "scope", "token_type"]);
    assert_eq!(
        (&answer["token_type"], &answer["expires_in"], &answer["scope"]),
        (&json!("Bearer"), &json!(600), &json!("notes.read"))
    );
}

// "In case of access tokens obtained through grants where no resource owner is involved, such as the client credentials grant,
// the value of "sub" SHOULD correspond to an identifier the authorization server uses to indicate the client application."
// (RFC 9068 §2.2)
#[tokio::test]
async fn its_token_speaks_for_the_app_never_for_a_person() {
    let server = Server::start().await;
    let answer = App::new(&server, "service").client_credentials("notes.read").await.json();
    let access = claims(answer["access_token"].as_str().unwrap());
    assert_eq!((access["sub"].as_str(), access["client_id"].as_str()), (Some("service"), Some("service")));
    assert_eq!(access["aud"], "https://notes.example/api");
    for of_a_person in ["auth_time", "acr", "amr", "sid", "name", "email"] {
        assert!(access[of_a_person].is_null(), "{of_a_person}");
    }
}

#[tokio::test]
async fn scopes_of_people_and_foreign_scopes_are_left_out() {
    let server = Server::start().await;
    let service = App::new(&server, "service");
    let answer = service.client_credentials("notes.read openid offline_access profile admin").await.json();
    assert_eq!((answer["scope"].as_str(), answer["id_token"].is_null()), (Some("notes.read"), true));
    for scope in ["openid", "openid offline_access", "admin", "notes.delete"] {
        assert_eq!(service.client_credentials(scope).await.brief(), "400 invalid_scope", "{scope}");
        assert_eq!(server.reason().await, "ScopeNotAllowed");
    }
    assert_eq!(service.client_credentials("a\"b").await.brief(), "400 invalid_scope");
    assert_eq!(server.reason().await, "ScopeMalformed");
}

// "If the client omits the scope parameter when requesting authorization, the authorization server MUST either process the
// request using a pre-defined default value or fail the request indicating an invalid scope." (RFC 6749 §3.3)
#[tokio::test]
async fn without_a_scope_it_gets_all_that_it_is_registered_for() {
    let server = Server::start().await;
    assert_eq!(App::new(&server, "service").client_credentials("").await.json()["scope"], "notes.read notes.write");
    let signed = App::new(&server, "signed").client_credentials("").await.json();
    assert_eq!(signed["scope"], "notes.read", "openid is for people");
}

#[tokio::test]
async fn its_token_opens_no_userinfo() {
    let server = Server::start().await;
    let service = App::new(&server, "service");
    let answer = service.client_credentials("").await.json();
    let page = service.userinfo(answer["access_token"].as_str().unwrap()).await;
    assert_eq!(page.brief(), "403 insufficient_scope");
    insta::assert_snapshot!(page.header("www-authenticate").unwrap(), @r#"Bearer realm="Grantor", error="insufficient_scope", error_description="The access token does not allow this.", scope="openid""#);
}

// "The client credentials grant type MUST only be used by confidential clients." (RFC 6749 §4.4)
#[test]
fn an_app_without_authentication_cannot_be_registered_for_it() {
    let declared = "[[clients]]\nclient_id = \"app\"\ntoken_endpoint_auth_method = \"none\"\ngrant_types = [\"client_credentials\"]";
    let source = grantor_server::place::Source::new("test.toml", declared);
    let fault = grantor_server::declare::parse(&source).unwrap_err().to_string();
    insta::assert_snapshot!(fault, @"test.toml:4: clients[0].grant_types: client_credentials needs an app that authenticates");
}

#[tokio::test]
async fn its_jwt_costs_no_row() {
    let server = Server::start().await;
    let before = server.rows();
    for _ in 0..20 {
        assert_eq!(App::new(&server, "service").client_credentials("notes.read").await.status, 200);
    }
    assert_eq!(server.rows(), before);
}

#[tokio::test]
async fn its_token_can_be_revoked() {
    let server = Server::start().await;
    let (service, api) = (App::new(&server, "service"), App::new(&server, "notes-api"));
    let tokens = crate::harness::app::Tokens(service.client_credentials("notes.read").await.json());
    assert_eq!(api.introspect(tokens.access()).await["active"], true);
    assert_eq!(service.revoke(tokens.access()).await.status, 200);
    assert_eq!(api.introspect(tokens.access()).await, json!({ "active": false }));
}
