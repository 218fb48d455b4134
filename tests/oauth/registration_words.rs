//! What a registration says letter for letter (OIDC Registration §2.1, §6), and that nothing comes of one that is not right (§7).

use serde_json::{Value, json};

use crate::harness::app::{App, Tokens, claims};
use crate::harness::person::Person;
use crate::harness::registrar::{Registrar, metadata, metadata_with, unchanged};
use crate::harness::server::Server;
use crate::oidc::registration::open;

fn clients(server: &Server) -> i64 {
    server.rows().into_iter().find(|(table, _)| *table == "clients").unwrap().1
}

// "If such a human-readable field is sent without a language tag, parties using it MUST NOT make any assumptions about the language,
// character set, or script of the string value, and the string value MUST be used as-is wherever it is presented in a user
// interface." (OIDC Registration §2.1)
// "Therefore, comparisons between JSON strings and other Unicode strings MUST be performed as specified below: ... Unicode
// Normalization [USA15] MUST NOT be applied at any point to either the JSON string or to the string it is to be compared against.
// ... Comparisons between the two strings MUST be performed as a Unicode code point to code point equality comparison."
// (OIDC Registration §6)
// "If any human-readable field is sent without a language tag, parties using it MUST NOT make any assumptions about the language,
// character set, or script of the string value, and the string value MUST be used as is wherever it is presented in a user
// interface." (RFC 7591 §2.2)
#[tokio::test]
async fn a_name_without_a_language_is_kept_and_shown_as_it_is() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    for name in ["Cafe\u{301}", "Caf\u{e9}", "\u{212b}ngstrom", "メモ帳", "مفكرة", "ﬁne \u{2160}"] {
        let client = registrar.registered(&metadata_with(json!({ "client_name": name }))).await;
        assert_eq!(client["client_name"], name);
        assert_eq!(registrar.read(&client).await.json()["client_name"], name);
        for language in ["en", "de"] {
            let person = Person::with_language(&server, language);
            let page = App::registered(&server, &client).asks(&person, "openid", &[]).await;
            assert!(page.text().contains(name), "{language}: {name} in {}", page.text());
        }
    }
}

// "If any of the validation procedures defined in this specification fail, any operations requiring the information that failed to
// correctly validate MUST be aborted and the information that failed to validate MUST NOT be used." (OIDC Registration §7)
#[tokio::test]
async fn nothing_of_a_registration_that_is_not_right_is_kept() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&metadata()).await;
    let before = clients(&server);
    for wrong in [
        json!({"tos_uri": "javascript:alert(1)", "client_name": "Another"}),
        json!({"redirect_uris": ["https://notebook.example/cb", "http://evil.example/cb"], "client_name": "Another"}),
        json!({"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}, "client_name": "Another"}),
        json!({"id_token_signed_response_alg": "none", "client_name": "Another"}),
    ] {
        assert_eq!(registrar.register(&metadata_with(wrong.clone())).await.status, 400, "{wrong}");
        let mut said = unchanged(&client);
        wrong.as_object().unwrap().iter().for_each(|(name, value)| said[name] = value.clone());
        assert_eq!(registrar.update(&client, &said).await.status, 400, "{wrong}");
    }
    assert_eq!(clients(&server), before);
    let read: Value = registrar.read(&client).await.json();
    assert_eq!((&read["client_name"], &read["redirect_uris"]), (&client["client_name"], &client["redirect_uris"]));
}

// "When "id_token_encrypted_response_enc" is included, "id_token_encrypted_response_alg" MUST also be provided. ... When
// "userinfo_encrypted_response_enc" is included, "userinfo_encrypted_response_alg" MUST also be provided. ... When
// "request_object_encryption_enc" is included, "request_object_encryption_alg" MUST also be provided." (OIDC Registration §2)
#[tokio::test]
async fn an_encryption_is_registered_with_its_algorithm_or_not_at_all() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    for name in ["id_token_encrypted_response", "userinfo_encrypted_response", "request_object_encryption"] {
        let [enc, alg] = ["enc", "alg"].map(|part| format!("{name}_{part}"));
        let alone = registrar.register(&metadata_with(json!({ enc.as_str(): "A256GCM" }))).await;
        assert_eq!(alone.brief(), "400 invalid_client_metadata", "{enc}");
        assert!(alone.body.contains(&enc), "{}", alone.body);
        assert_eq!(
            registrar.register(&metadata_with(json!({ enc.as_str(): null, alg.as_str(): null }))).await.status,
            201
        );
    }
}

// "The value "none" MUST NOT be used." (OIDC Registration §2)
// "The value "none" MUST NOT be used as the ID Token "alg" value unless the Client uses only Response Types that return no ID Token
// from the Authorization Endpoint (such as when only using the Authorization Code Flow)." (OIDC Registration §2)
#[tokio::test]
async fn no_app_registers_itself_to_sign_nothing() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    for member in ["id_token_signed_response_alg", "token_endpoint_auth_signing_alg", "userinfo_signed_response_alg"] {
        for kind in ["client_secret_basic", "client_secret_jwt"] {
            let said = metadata_with(json!({ member: "none", "token_endpoint_auth_method": kind }));
            assert_eq!(registrar.register(&said).await.brief(), "400 invalid_client_metadata", "{member}");
        }
    }
}

// "If this happens, the Authorization Server MUST include these fields in the response to the Client." (OIDC Registration §3.2)
// "The Authorization Server MUST NOT expect the Client to construct or discover this URL on its own." (OIDC Registration §4.1)
// "It is RECOMMENDED that this endpoint URL be formed through the use of a server-constructed URL string which combines the Client
// Registration Endpoint's URL and the issued Client ID for this Client, with the latter as either a path parameter or a query
// parameter." (OIDC Registration §4.1)
// "registration_client_uri REQUIRED. ... registration_access_token REQUIRED. ... Additionally, the authorization server MUST return
// all registered metadata about this client, including any fields provisioned by the authorization server itself." (RFC 7592 §3)
#[tokio::test]
async fn an_app_is_told_what_it_left_open_and_where_it_finds_itself() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let said = metadata_with(json!({"grant_types": ["authorization_code", "password"]}));
    let client = registrar.registered(&said).await;
    assert_eq!(client["grant_types"], json!(["authorization_code"]), "what is not offered is replaced, and told");
    for name in ["response_types", "token_endpoint_auth_method", "application_type", "subject_type", "scope"] {
        assert!(client.get(name).is_some(), "{name}: {client}");
    }
    let discovery = App::new(&server, "wiki").request_raw("GET", "/.well-known/openid-configuration", &[]).await.json();
    let endpoint = discovery["registration_endpoint"].as_str().unwrap();
    assert_eq!(client["registration_client_uri"], format!("{endpoint}/{}", client["client_id"].as_str().unwrap()));
    assert_eq!(registrar.read(&client).await.status, 200);
}

// "Boolean value specifying whether the "auth_time" Claim in the ID Token is REQUIRED. It is REQUIRED when the value is "true"."
// (OIDC Registration §2)
#[tokio::test]
async fn an_app_that_requires_the_time_of_the_sign_in_is_told_it_each_time() {
    let server = open().await;
    let said =
        metadata_with(json!({"require_auth_time": true, "grant_types": ["authorization_code", "refresh_token"]}));
    let client = Registrar::new(&server).registered(&said).await;
    assert_eq!(client["require_auth_time"], true);
    let (app, person) = (App::registered(&server, &client), Person::new(&server));
    let signed_in_at = server.clock.read().seconds();
    let tokens = app.tokens_with(&person, "openid", &[]).await;
    server.clock.advance(std::time::Duration::from_mins(5));
    let again = app.tokens_with(&person, "openid", &[]).await;
    let refreshed = Tokens(app.refresh(tokens.refresh()).await.json());
    for tokens in [&tokens, &again, &refreshed] {
        assert_eq!(claims(tokens.id())["auth_time"], signed_in_at);
    }
}

// "If present, the server SHOULD display this URL to the End-User in a followable fashion." (OIDC Registration §2)
// "The OpenID Provider SHOULD display this URL to the End-User if it is given." (OIDC Registration §2)
// "If present, the server SHOULD display this URL to the end-user in a clickable fashion. ... The authorization server SHOULD
// display this URL to the end-user if it is provided." (RFC 7591 §2)
#[tokio::test]
async fn the_pages_that_an_app_names_of_itself_can_be_followed_before_anything_is_allowed() {
    let server = open().await;
    let pages = [
        ("client_uri", "https://notebook.example/"),
        ("policy_uri", "https://notebook.example/privacy"),
        ("tos_uri", "https://notebook.example/terms"),
    ];
    for (member, address) in pages {
        let client = Registrar::new(&server).registered(&metadata_with(json!({ member: address }))).await;
        let person = Person::new(&server);
        person.sign_in().await;
        let page = App::registered(&server, &client).asks(&person, "openid", &[]).await;
        assert_eq!(page.name(), "consent");
        for (_, known) in pages {
            assert_eq!(page.has(&format!("a[href=\"{known}\"]")), known == address, "{member}: {known}");
        }
    }
}

// "If an authorization server does not support a particular method on the client configuration endpoint, it MUST respond with the
// appropriate error code." (RFC 7592 §2)
#[tokio::test]
async fn a_registration_is_read_updated_and_removed_and_nothing_else() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&metadata()).await;
    for method in ["POST", "PATCH"] {
        let page = registrar.manage(method, &client, "{}").await;
        assert_eq!((page.status.as_u16(), page.header("allow")), (405, Some("GET, PUT, DELETE")), "{method}");
    }
    assert_eq!(registrar.read(&client).await.status, 200);
}
