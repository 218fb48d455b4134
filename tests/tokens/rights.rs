//! A token never allows more than its owner may now.

use serde_json::json;

use super::{alice, form, shown, token};
use crate::harness::app::App;
use crate::harness::person::Person;
use crate::harness::server::Server;

/// A second API, whose one scope is for a group.
const PAY: &str = r#"
[[scopes]]
name = "pay.read"
description.en = "See your pay"
groups = ["engineering"]

[[resources]]
identifier = "https://pay.example/api"
name = "Pay"
scopes = "pay.read"
introspection_clients = ["pay-api"]
personal_access_tokens = true

[[clients]]
client_id = "pay-api"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
grant_types = ["client_credentials"]
scope = "pay.read"
"#;

const WITHOUT_GROUP: &str = r#"
[[users]]
username = "alice"
groups = []
"#;

const WITH_GROUP: &str = r#"
[[users]]
username = "alice"
groups = ["engineering"]
"#;

#[tokio::test]
async fn who_loses_a_group_loses_what_the_group_may() {
    let server = Server::start().await;
    server.apply(PAY).await;
    let person = alice(&server).await;
    let (notes, pay) = (App::new(&server, "notes-api"), App::new(&server, "pay-api"));
    let token = token(&person, &["notes.read", "pay.read"]).await;
    let told = pay.introspect(&token).await;
    assert_eq!(
        (&told["scope"], &told["aud"]),
        (&json!("pay.read"), &json!(["https://pay.example/api"])),
        "no API learns of others"
    );
    server.apply(WITHOUT_GROUP).await;
    assert_eq!(pay.introspect(&token).await, json!({ "active": false }));
    assert_eq!(notes.introspect(&token).await["scope"], json!("notes.read"));
    let page = person.open("/account/tokens/new").await;
    assert!(page.text().contains("Read your notes") && !page.text().contains("See your pay"), "{}", page.text());
    server.apply(WITH_GROUP).await;
    assert_eq!(pay.introspect(&token).await["active"], json!(true), "it counts again with the group");
}

#[tokio::test]
async fn an_app_gets_no_more_than_the_person_can_give() {
    let server = Server::start().await;
    server.apply(PAY).await;
    server.apply(WITH_SCOPE).await;
    let (person, wiki) = (Person::new(&server), App::new(&server, "wiki"));
    let tokens = wiki.tokens_with(&person, "openid notes.read pay.read", &[]).await;
    assert_eq!(tokens.0["scope"], json!("notes.read openid pay.read"));
    server.apply(WITHOUT_GROUP).await;
    assert_eq!(wiki.introspect(tokens.access()).await["scope"], json!("notes.read openid"));
    let refreshed = wiki.refresh(tokens.refresh()).await.json();
    assert_eq!(refreshed["scope"], json!("notes.read openid"));
    let page = person.open(wiki.authorize_url("openid pay.read", &[("prompt", "consent")])).await;
    assert!(page.name() == "consent" && !page.text().contains("See your pay"), "{}", page.text());
    let answer = wiki.approved_with(&person, "pay.read", &[]).await;
    assert_eq!(answer.param("error"), "invalid_scope");
}

const WITH_SCOPE: &str = r#"
[[clients]]
client_id = "wiki"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
client_name = "Wiki"
client_uri = "https://wiki.example/"
redirect_uris = ["https://wiki.example/cb"]
grant_types = ["authorization_code", "refresh_token"]
scope = "openid profile email groups offline_access notes.read notes.write pay.read"
id_token_signed_response_alg = "ES256"
"#;

#[tokio::test]
async fn a_token_for_one_api_is_unknown_to_another() {
    let server = Server::start().await;
    server.apply(PAY).await;
    let person = alice(&server).await;
    let page = form(&person).await.ticked("scope", "notes.read").with("resource", "https://notes.example/api");
    let token = shown(&person.send(&page).await);
    assert_eq!(App::new(&server, "notes-api").introspect(&token).await["aud"], json!(["https://notes.example/api"]));
    assert_eq!(App::new(&server, "pay-api").introspect(&token).await, json!({ "active": false }));
}

#[tokio::test]
async fn a_person_who_is_switched_off_has_no_tokens_meanwhile() {
    let server = Server::start().await;
    let (person, api) = (alice(&server).await, App::new(&server, "notes-api"));
    let token = token(&person, &["notes.read"]).await;
    let off = |disabled: bool| format!("[[users]]\nusername = \"alice\"\ndisabled = {disabled}\n");
    server.apply(&off(true)).await;
    assert_eq!(api.introspect(&token).await, json!({ "active": false }));
    server.apply(&off(false)).await;
    assert_eq!(api.introspect(&token).await["active"], json!(true));
}

#[tokio::test]
async fn a_token_signs_nobody_in_and_opens_nothing_of_the_account() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let token = token(&person, &["notes.read", "notes.write"]).await;
    let (wiki, http) = (App::new(&server, "wiki"), reqwest::Client::new());
    assert_eq!(wiki.userinfo(&token).await.status, 401);
    for path in ["/account", "/account/tokens", "/account/tokens/new", "/account/apps", "/account/sessions"] {
        let answer = http.get(server.at(path)).bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.url().path(), "/sign-in", "{path}");
    }
    for (param, grant) in [("code", "authorization_code"), ("refresh_token", "refresh_token")] {
        let answer = wiki.post("/token", &[("grant_type", grant), (param, &token)]).await;
        assert_eq!(answer.brief(), "400 invalid_grant", "{grant}");
    }
    let page = Person::new(&server).open(wiki.authorize_url("openid", &[("id_token_hint", &token)])).await;
    assert_ne!(page.name(), "consent");
}
