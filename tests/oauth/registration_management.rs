//! Management of a registration by the client itself, in the order of RFC 7592.

use std::time::Duration;

use grantor_core::store::Store;
use serde_json::{Value, json};

use super::registration::told;
use crate::harness::app::{App, Tokens};
use crate::harness::registrar::{Registrar, metadata, metadata_with, unchanged};
use crate::harness::server::Server;
use crate::oidc::registration::open;

fn with(mut said: Value, name: &str, value: Value) -> Value {
    said[name] = value;
    said
}

// "The client MUST use its registration access token in all calls to this endpoint as an OAuth 2.0 Bearer Token [RFC6750]."
// (RFC 7592 §2)
// "These common patterns can help the Server to more easily determine the Client to which the request pertains, which MUST
// be matched against the Client to which the Registration Access Token was issued." (OIDC Registration §4.1)
// "If the Registration Access Token used to make this request is not valid, the server MUST respond with an error as
// described in OAuth Bearer Token Usage [RFC6750]. If the Client does not exist on this server, the Client is invalid, or
// the Registration Access Token used is invalid, the server MUST respond with the HTTP 401 Unauthorized status code."
// (OIDC Registration §4.4)
// "If the registration access token used to make this request is not valid, the server MUST respond with an error as described in
// the OAuth Bearer Token Usage specification [RFC6750]." (RFC 7592 §2.1)
// "If the registration access token used to make this request is not valid, the server MUST respond with an error as described in
// the OAuth Bearer Token Usage specification [RFC6750]." (RFC 7592 §2.2)
// "If the registration access token used to make this request is not valid, the server MUST respond with an error as described in
// the OAuth Bearer Token Usage specification [RFC6750]." (RFC 7592 §2.3)
#[tokio::test]
async fn nothing_but_its_own_token_opens_a_registration() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let (one, other) = (registrar.registered(&metadata()).await, registrar.registered(&metadata()).await);
    let path = one["registration_client_uri"].as_str().unwrap().strip_prefix(&server.url).unwrap();
    let of_other = other["registration_access_token"].as_str();
    for method in ["GET", "PUT", "DELETE"] {
        for token in [of_other, Some("x"), Some(""), one["client_secret"].as_str()] {
            let page = registrar.send(method, path, token, unchanged(&one).to_string()).await;
            assert_eq!(page.status, 401, "{method}: {}", page.whole());
            assert!(page.header("www-authenticate").unwrap().starts_with("Bearer"));
        }
        assert_eq!(registrar.send(method, path, None, unchanged(&one).to_string()).await.brief(), "401");
    }
    assert_eq!(registrar.read(&one).await.status, 200);
}

// "Note that for security reasons, to inhibit brute force attacks, endpoints MUST NOT return the HTTP 404 Not Found"
// (OIDC Registration §4.4)
#[tokio::test]
async fn nobody_learns_whether_a_client_exists() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&metadata()).await;
    let token = client["registration_access_token"].as_str();
    let there = registrar.send("GET", "/register/wiki", token, "").await;
    let nowhere = registrar.send("GET", "/register/nobody", token, "").await;
    assert_eq!(there.whole(), nowhere.whole());
    assert_eq!(there.header("www-authenticate"), nowhere.header("www-authenticate"));
}

// "the authorization server responds with an HTTP 200 OK with content type of "application/json" and a payload as described in
// Section 3." (RFC 7592 §2.1)
// "A successful response SHOULD use the HTTP 200 OK status code and return a JSON document [RFC8259] using the
// "application/json" content type with the Client Metadata values as top-level members of the root JSON object."
// (OIDC Registration §4.3)
// "This operation SHOULD be idempotent -- not causing changes to the Client configuration." (OIDC Registration §4.2)
// "Upon a successful read operation, the Authorization Server SHOULD return all registered Metadata about this Client,
// including any fields provisioned by the Authorization Server itself. ... However, since Read operations are intended to be
// idempotent, the Client Read Request itself SHOULD NOT cause changes to the Client's registered Metadata values."
// (OIDC Registration §4.3)
// "The value of the "client_id" MUST NOT change from the initial registration response." (RFC 7592 §2.1)
#[tokio::test]
async fn a_client_reads_what_it_is() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&metadata()).await;
    let page = registrar.read(&client).await;
    assert_eq!((page.status.as_u16(), page.header("cache-control")), (200, Some("no-store")));
    let mut expected = client.clone();
    let members = expected.as_object_mut().unwrap();
    // Only its hash is kept.
    members.remove("client_secret");
    members.remove("client_secret_expires_at");
    assert_eq!(page.json(), expected);
}

// "Valid values of client metadata fields in this request MUST replace, not augment, the values previously associated with this
// client." (RFC 7592 §2.2)
// "Omitted fields MUST be treated as null or empty values by the server" (RFC 7592 §2.2)
// "The value of the "client_id" MUST NOT change from the initial registration response." (RFC 7592 §2.2)
#[tokio::test]
async fn an_update_replaces_everything() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let said = metadata_with(json!({"policy_uri": "https://notebook.example/p", "client_name#de": "Notizbuch"}));
    let client = registrar.registered(&said).await;
    let update = json!({
        "client_id": client["client_id"], "redirect_uris": ["https://notebook.example/new"], "client_name": null,
    });
    let updated: Value = registrar.update(&client, &update).await.json();
    assert_eq!(updated["redirect_uris"], json!(["https://notebook.example/new"]));
    assert_eq!(updated["client_id"], client["client_id"]);
    for name in ["policy_uri", "client_name", "client_name#de", "client_secret"] {
        assert!(updated.get(name).is_none(), "{name}: {updated}");
    }
    assert_eq!(
        App::registered(&server, &client).redeem("no code").await.brief(),
        "400 invalid_grant",
        "the secret stays"
    );
}

// "The updated client metadata fields request MUST NOT include the "registration_access_token", "registration_client_uri",
// "client_secret_expires_at", or "client_id_issued_at" fields described in Section 3." (RFC 7592 §2.2)
// "The client MUST include its "client_id" field in the request, and it MUST be the same as its currently issued client identifier."
// (RFC 7592 §2.2)
// "The client MUST NOT be allowed to overwrite its existing client secret with its own chosen value." (RFC 7592 §2.2)
// "If the client includes the "client_secret" field in the request, the value of this field MUST match the currently issued client
// secret for that client." (RFC 7592 §2.2)
#[tokio::test]
async fn an_update_names_the_client_and_changes_no_credential() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let (client, other) = (registrar.registered(&metadata()).await, registrar.registered(&metadata()).await);
    let whole = registrar.update(&client, &client).await;
    assert!(
        told(&whole).starts_with("400 invalid_client_metadata: registration_access_token: must not stand"),
        "{}",
        told(&whole)
    );
    for id in [json!(null), other["client_id"].clone(), json!("wiki"), json!(1)] {
        let page = registrar.update(&client, &with(unchanged(&client), "client_id", id)).await;
        assert!(told(&page).contains("client_id: must stand in an update"), "{}", told(&page));
    }
    let chosen = with(unchanged(&client), "client_secret", json!("a-secret-of-my-own-choice-that-is-long"));
    let page = registrar.update(&client, &chosen).await;
    assert!(told(&page).contains("client_secret: must be the secret of this app as it was issued"), "{}", told(&page));
    assert_eq!(registrar.update(&client, &unchanged(&client)).await.status, 200);
}

// "For all metadata fields, the authorization server MAY replace any invalid values with suitable default values, and it MUST
// return any such fields to the client in the response." (RFC 7592 §2.2)
#[tokio::test]
async fn an_update_is_held_to_the_rules_of_a_registration() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&metadata()).await;
    let bad = with(unchanged(&client), "redirect_uris", json!(["javascript:alert(1)"]));
    assert_eq!(registrar.update(&client, &bad).await.brief(), "400 invalid_redirect_uri");
    let wide = with(unchanged(&client), "scope", json!("openid groups account:tokens"));
    assert_eq!(registrar.update(&client, &wide).await.json()["scope"], "openid");
}

#[tokio::test]
async fn a_client_that_becomes_public_loses_its_secret_and_gets_a_new_one_when_it_comes_back() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&metadata()).await;
    let mut public = with(unchanged(&client), "token_endpoint_auth_method", json!("none"));
    public.as_object_mut().unwrap().remove("client_secret");
    let updated: Value = registrar.update(&client, &public).await.json();
    assert!(updated.get("client_secret").is_none());
    assert_eq!(App::registered(&server, &client).redeem("no code").await.brief(), "401 invalid_client");
    let again = with(unchanged(&updated), "token_endpoint_auth_method", json!("client_secret_basic"));
    let again: Value = registrar.update(&updated, &again).await.json();
    assert_ne!(again["client_secret"], client["client_secret"]);
    assert_eq!(App::registered(&server, &again).redeem("no code").await.brief(), "400 invalid_grant");
}

/// The token is another one after each update. Whoever did not get the answer goes on with the one before, and gets the same answer.
#[tokio::test]
async fn an_update_whose_answer_was_lost_can_be_sent_again() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&metadata()).await;
    let token = |told: &Value| told["registration_access_token"].clone();
    let lost: Value = registrar.update(&client, &unchanged(&client)).await.json();
    assert_ne!(token(&lost), token(&client));
    let again: Value = registrar.update(&client, &unchanged(&client)).await.json();
    assert_eq!(token(&again), token(&lost));
    let read: Value = registrar.read(&client).await.json();
    assert_eq!(token(&read), token(&lost), "reading tells it, too");
    assert_eq!(registrar.read(&again).await.status, 200);
    assert_eq!(
        registrar.read(&client).await.brief(),
        "401 invalid_token",
        "the one before ends when the new one is used"
    );
}

/// Who has got hold of it knows nothing of the app a day later, also where the app never calls again.
#[tokio::test]
async fn the_token_before_counts_for_a_day_and_no_longer() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&metadata()).await;
    let updated: Value = registrar.update(&client, &unchanged(&client)).await.json();
    server.clock.advance(Duration::from_hours(23));
    let read: Value = registrar.read(&client).await.json();
    assert_eq!(read["registration_access_token"], updated["registration_access_token"]);
    let again = registrar.update(&client, &unchanged(&client)).await;
    assert_eq!(again.status, 200, "an answer that was lost can be had again, which puts nothing off: {}", again.body);
    server.clock.advance(Duration::from_hours(1));
    assert_eq!(registrar.read(&client).await.brief(), "401 invalid_token");
    assert_eq!(registrar.update(&client, &unchanged(&client)).await.brief(), "401 invalid_token");
    assert_eq!(registrar.remove(&client).await.brief(), "401 invalid_token");
    assert_eq!(registrar.update(&updated, &unchanged(&updated)).await.status, 200, "the new one goes on counting");
}

#[tokio::test]
async fn of_two_updates_at_once_both_are_answered_and_one_token_counts() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&metadata()).await;
    let said = unchanged(&client);
    let (one, two) = tokio::join!(registrar.update(&client, &said), registrar.update(&client, &said));
    let (one, two): (Value, Value) = (one.json(), two.json());
    assert_eq!(one["registration_access_token"], two["registration_access_token"]);
    assert_eq!(registrar.read(&one).await.status, 200);
}

// "A successful delete action will invalidate the "client_id", "client_secret", and "registration_access_token" for this client"
// (RFC 7592 §2.3)
// "the authorization server SHOULD immediately invalidate all existing authorization grants and currently active access tokens, all
// refresh tokens, and all other tokens associated with this client." (RFC 7592 §2.3)
// "If a client has been successfully deprovisioned, the authorization server MUST respond with an HTTP 204 No Content message."
// (RFC 7592 §2.3)
// "If the client does not exist on this server, the server MUST respond with HTTP 401 Unauthorized" (RFC 7592 §2.1)
// "If the client does not exist on this server, the server MUST respond with HTTP 401 Unauthorized" (RFC 7592 §2.2)
// "If the client does not exist on this server, the server MUST respond with HTTP 401 Unauthorized" (RFC 7592 §2.3)
// "If a client is deprovisioned from a server, any outstanding registration access token for that client MUST be invalidated at the
// same time. ... The authorization server MUST treat all such requests as if the registration access token was invalid by returning
// an HTTP 401 Unauthorized error, as described." (RFC 7592 §5)
#[tokio::test]
async fn a_client_that_removes_itself_is_gone_with_all_that_it_was_allowed() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let said = metadata_with(json!({"grant_types": ["authorization_code", "refresh_token"]}));
    let client = registrar.registered(&said).await;
    let app = App::registered(&server, &client);
    let code = app.code("openid").await;
    let tokens = Tokens(app.redeem(&app.code("openid offline_access").await).await.json());
    let removed = registrar.remove(&client).await;
    assert_eq!(
        (removed.status.as_u16(), removed.body.as_str(), removed.header("cache-control")),
        (204, "", Some("no-store"))
    );
    assert_eq!(app.refresh(tokens.refresh()).await.brief(), "401 invalid_client");
    assert_eq!(app.redeem(&code).await.brief(), "401 invalid_client");
    assert_eq!(app.userinfo(tokens.access()).await.status, 401);
    assert_eq!(registrar.read(&client).await.brief(), "401 invalid_token");
    assert_eq!(registrar.update(&client, &unchanged(&client)).await.brief(), "401 invalid_token");
    assert_eq!(registrar.remove(&client).await.brief(), "401 invalid_token");
    let person = crate::harness::person::Person::new(&server);
    assert_eq!(app.asks(&person, "openid", &[]).await.name(), "error");
}

#[tokio::test]
async fn what_a_client_does_with_itself_stands_in_the_events() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&metadata()).await;
    let updated: Value = registrar.update(&client, &unchanged(&client)).await.json();
    registrar.remove(&updated).await;
    let events = server.events().await;
    let told: Vec<_> =
        events.iter().map(|event| (event.kind.as_str(), event.detail.as_deref().unwrap_or(""))).collect();
    assert_eq!(
        told[..3],
        [("client_changed", "removed by itself"), ("client_changed", "updated by itself"), ("client_registered", "")]
    );
    assert!(events[..3].iter().all(|event| event.client_id.as_deref() == client["client_id"].as_str()));
}

#[tokio::test]
async fn another_node_knows_at_once_what_a_client_has_become() {
    let server = open().await;
    let other = server.another_node_with(|config| config.registration = server.config().registration.clone()).await;
    let (here, there) = (Registrar::new(&server), Registrar::new(&other));
    let client = here.registered(&metadata()).await;
    other.database.refresh_directory().await.unwrap();
    let path = client["registration_client_uri"].as_str().unwrap().strip_prefix(&server.url).unwrap().to_owned();
    let token = client["registration_access_token"].as_str();
    assert_eq!(there.send("DELETE", &path, token, "").await.status, 204);
    server.database.refresh_directory().await.unwrap();
    assert!(!server.database.directory().clients.contains_key(client["client_id"].as_str().unwrap()));
    let _: &Server = &other;
}

/// Whoever has come by a registration access token gets nothing silently of the people who know the app by another name or place.
#[tokio::test]
async fn people_are_asked_again_about_an_app_that_has_become_another() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let mut client = registrar.registered(&metadata()).await;
    let person = crate::harness::person::Person::new(&server);
    App::registered(&server, &client).approved_by(&person, "openid").await;
    for (name, value, asked) in [
        ("policy_uri", json!("https://notebook.example/p"), false),
        ("redirect_uris", json!(["https://notebook.example/other"]), false),
        ("client_name", json!("Your Bank"), true),
        ("client_name#de", json!("Ihre Bank"), true),
        ("redirect_uris", json!(["https://elsewhere.example/cb"]), true),
    ] {
        client = registrar.update(&client, &with(unchanged(&client), name, value)).await.json();
        let app = App::registered(&server, &client);
        let page = app.asks(&person, "openid", &[]).await;
        assert_eq!((page.location().is_none(), page.name() == "consent"), (asked, asked), "{name}: {}", page.whole());
        if asked {
            person.approve(page).await;
        }
    }
}

/// An answer is for what stood on the page.
#[tokio::test]
async fn what_a_person_allows_is_the_app_that_the_page_showed() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&metadata()).await;
    let person = crate::harness::person::Person::new(&server);
    person.sign_in().await;
    let shown = App::registered(&server, &client).asks(&person, "openid", &[]).await;
    server.clock.advance(std::time::Duration::from_secs(1));
    registrar.update(&client, &with(unchanged(&client), "client_name", json!("Your Bank"))).await;
    let again = person.allow_on(&shown).await;
    assert_eq!(again.name(), "consent");
    assert!(again.text().contains("Your Bank"), "{}", again.text());
    assert!(person.allow_on(&again).await.location().is_some());
}
