//! What a registration is held to afterwards: its keys, its grant and response types, its languages and its token.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::registration::told;
use crate::harness::app::App;
use crate::harness::person::Person;
use crate::harness::registrar::{Registrar, metadata, metadata_with, unchanged};
use crate::harness::seeds::SIGNED_KEY;
use crate::oidc::registration::open;

// "The "jwks_uri" and "jwks" parameters MUST NOT both be present in the same request or response." (RFC 7591 §2)
// "The value of this field MUST be a JSON object containing a valid JWK Set." (RFC 7591 §2)
#[tokio::test]
async fn keys_are_registered_as_a_valid_set_or_by_an_address() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let mut key: Value = serde_json::from_str(SIGNED_KEY).unwrap();
    key.as_object_mut().unwrap().remove("d");
    let set = json!({ "keys": [key] });
    let uri = json!("https://notebook.example/keys");
    let both = registrar.register(&metadata_with(json!({"jwks": set, "jwks_uri": uri}))).await;
    assert!(told(&both).starts_with("400 invalid_client_metadata: jwks: must not stand beside"), "{}", told(&both));
    for wrong in [json!("keys"), json!([set]), json!({}), json!({"keys": {}}), json!({"keys": ["x"]})] {
        let page = registrar.register(&metadata_with(json!({ "jwks": wrong }))).await;
        assert!(told(&page).starts_with("400 invalid_client_metadata: jwks: "), "{wrong}: {}", told(&page));
    }
    let client = registrar.registered(&metadata_with(json!({ "jwks": set }))).await;
    assert_eq!((&client["jwks"]["keys"][0]["x"], client.get("jwks_uri")), (&set["keys"][0]["x"], None));
    let mut moved = unchanged(&client);
    moved["jwks_uri"] = uri.clone();
    assert_eq!(registrar.update(&client, &moved).await.status, 400, "nor by an update");
    moved.as_object_mut().unwrap().remove("jwks");
    let moved: Value = registrar.update(&client, &moved).await.json();
    assert_eq!((moved.get("jwks"), &moved["jwks_uri"]), (None, &uri));
}

// "If the token endpoint is used in the grant type, the value of this parameter MUST be the same as the value of the "grant_type"
// parameter passed to the token endpoint defined in the grant type definition." (RFC 7591 §2)
// "If the authorization endpoint is used by the grant type, the value of this parameter MUST be the same as the value of the
// "response_type" parameter passed to the authorization endpoint defined in the grant type definition." (RFC 7591 §2)
#[tokio::test]
async fn what_is_registered_is_the_very_word_that_is_asked_by() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let grants = json!(["authorization_code", "refresh_token"]);
    let client = registrar.registered(&metadata_with(json!({"grant_types": grants, "response_types": ["code"]}))).await;
    let app = App::registered(&server, &client);
    for grant in client["grant_types"].as_array().unwrap() {
        let grant = grant.as_str().unwrap();
        let page = app.post("/token", &[("grant_type", grant), ("code", "x"), ("refresh_token", "x")]).await;
        assert_ne!(page.brief(), "400 unauthorized_client", "{grant}");
        assert_ne!(page.brief(), "400 unsupported_grant_type", "{grant}");
    }
    assert_eq!(app.post("/token", &[("grant_type", "client_credentials")]).await.brief(), "400 unauthorized_client");
    let person = Person::new(&server);
    person.sign_in().await;
    let asked = async |kind: &str| person.open(app.authorize_url("openid", &[("response_type", kind)])).await;
    assert_eq!(asked(client["response_types"][0].as_str().unwrap()).await.name(), "consent");
}

// "However, since BCP 47 language tag values are case-insensitive, implementations SHOULD interpret the language tag values supplied in
// a case insensitive manner." (RFC 7591 §2.2)
#[tokio::test]
async fn a_language_is_the_same_in_capitals() {
    let server = open().await;
    let said = json!({"client_name#DE": "Notizbuch", "client_name#fr-ca": "Carnet"});
    let client = Registrar::new(&server).registered(&metadata_with(said)).await;
    for (language, name) in [("de", "Notizbuch"), ("DE-at", "Notizbuch"), ("en", "Notebook")] {
        let person = Person::with_language(&server, language);
        let page = App::registered(&server, &client).asks(&person, "openid", &[]).await;
        assert!(page.text().contains(name), "{language}: {}", page.text());
    }
}

// "While the client secret can expire, the registration access token SHOULD NOT expire while a client is still actively registered."
// (RFC 7592 §5)
// "Since possession of the registration access token authorizes the holder to potentially read, modify, or delete a client's
// registration (including its credentials such as a client_secret), the registration access token MUST contain sufficient entropy to
// prevent a random guessing attack of this token, such as described in Section 5.2 of [RFC6750] and Section 5.1.4.2.2 of [RFC6819]."
// (RFC 7592 §5)
#[tokio::test]
async fn a_registration_is_opened_by_a_long_secret_as_long_as_it_lasts() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let mut secrets = BTreeSet::new();
    for _ in 0..8 {
        let client = registrar.registered(&metadata()).await;
        let token = client["registration_access_token"].as_str().unwrap().to_owned();
        // 32 random bytes are 43 letters, whatever name and check stand beside them.
        assert!(token.len() >= 43 + 16, "{}", token.len());
        secrets.insert(token);
    }
    let half = |token: &String| token[token.len() / 2..].to_owned();
    assert_eq!(secrets.iter().map(half).collect::<BTreeSet<_>>().len(), 8, "no two are alike");
    let client = registrar.registered(&metadata()).await;
    let app = App::registered(&server, &client);
    assert_eq!(app.redeem(&app.code("openid").await).await.status, 200);
    server.app.keep_counts().await.unwrap();
    server.clock.advance(Duration::from_hours(24 * 3650));
    assert_eq!(registrar.read(&client).await.status, 200);
}
