//! Dynamic client registration, in the order of RFC 7591.

use std::time::Duration;

use grantor_core::policy::Lifetimes;
use grantor_core::registration::{Mode, StatementIssuer};
use serde_json::{Value, json};

use crate::harness::app::App;
use crate::harness::command;
use crate::harness::page::Page;
use crate::harness::registrar::{Registrar, metadata, metadata_with};
use crate::harness::seeds::SIGNED_KEY;
use crate::harness::server::Server;
use crate::oidc::registration::open;

/// What a refusal says, as a developer reads it.
pub fn told(page: &Page) -> String {
    let body: Value = page.json();
    format!(
        "{} {}: {}",
        page.status.as_u16(),
        body["error"].as_str().unwrap(),
        body["error_description"].as_str().unwrap()
    )
}

async fn refused(registrar: &Registrar<'_>, changes: Value) -> String {
    told(&registrar.register(&metadata_with(changes)).await)
}

// "registration_endpoint RECOMMENDED." (OIDC Discovery §3)
#[tokio::test]
async fn nobody_registers_anything_where_it_is_off() {
    let server = Server::start().await;
    let registrar = Registrar::new(&server);
    assert_eq!(registrar.register(&metadata()).await.status, 404);
    assert_eq!(registrar.send("GET", "/register/wiki", Some("x"), "").await.status, 404);
    let documents = registrar.send("GET", "/.well-known/oauth-authorization-server", None, "").await.json();
    assert!(documents.get("registration_endpoint").is_none());
    let server = open().await;
    let documents = Registrar::new(&server).send("GET", "/.well-known/openid-configuration", None, "").await.json();
    assert_eq!(documents["registration_endpoint"], format!("{}/register", server.url));
}

// "clients using flows with redirection MUST register their redirection URI values." (RFC 7591 §2)
// "redirect_uris REQUIRED. Array of Redirection URI values used by the Client." (OIDC Registration §2)
// "Authorization servers that support dynamic registration for redirect-based flows MUST implement support for this metadata
// value." (RFC 7591 §2)
// "For clients that use redirect-based grant types such as "authorization_code" and "implicit", authorization servers MUST require
// clients to register their redirection URI values." (RFC 7591 §5)
#[tokio::test]
async fn an_app_that_is_sent_answers_names_where() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let none = refused(&registrar, json!({"redirect_uris": null})).await;
    assert_eq!(none, "400 invalid_client_metadata: redirect_uris: authorization_code needs at least one");
    let http = refused(&registrar, json!({"redirect_uris": ["http://notebook.example/cb"]})).await;
    assert!(http.starts_with("400 invalid_redirect_uri: redirect_uris: it is http"), "{http}");
}

// "If unspecified or omitted, the default is "client_secret_basic"" (RFC 7591 §2)
// "If omitted, the default behavior is that the client will use only the "authorization_code" Grant Type." (RFC 7591 §2)
#[tokio::test]
async fn what_is_left_open_has_the_default_of_the_specification() {
    let server = open().await;
    let client = Registrar::new(&server).registered(&metadata()).await;
    assert_eq!(client["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!((&client["grant_types"], &client["response_types"]), (&json!(["authorization_code"]), &json!(["code"])));
    assert_eq!(client["application_type"], "web");
    assert_eq!(client["scope"], "address email offline_access openid phone profile");
}

// "REQUIRED if "client_secret" is issued." (OIDC Registration §3.2)
// "Additionally, the authorization server MUST return all registered metadata about this client, including any fields provisioned
// by the authorization server itself." (RFC 7591 §3.2.1)
// "REQUIRED if "client_secret" is issued. Time at which the client secret will expire or 0 if it will not expire." (RFC 7591
// §3.2.1)
#[tokio::test]
async fn whatever_is_registered_comes_back() {
    let server = open().await;
    let said = json!({
        "client_name": "Notebook", "client_name#de": "Notizbuch", "client_uri": "https://notebook.example/",
        "logo_uri": "https://notebook.example/logo.png", "policy_uri": "https://notebook.example/privacy",
        "policy_uri#fr": "https://notebook.example/confidentialite", "tos_uri": "https://notebook.example/terms",
        "contacts": ["ops@notebook.example"], "application_type": "web",
        "redirect_uris": ["https://notebook.example/cb", "https://notebook.example/other"],
        "post_logout_redirect_uris": ["https://notebook.example/out"],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_post", "scope": "email openid",
        "id_token_signed_response_alg": "ES256", "userinfo_signed_response_alg": "ES256", "default_max_age": 3600,
        "require_auth_time": true, "default_acr_values": ["urn:example:acr"],
        "initiate_login_uri": "https://notebook.example/start", "software_id": "4NRB1", "software_version": "2.1",
    });
    let client = Registrar::new(&server).registered(&said).await;
    for (name, value) in said.as_object().unwrap() {
        assert_eq!(&client[name], value, "{name}");
    }
    assert_eq!(client["client_secret_expires_at"], 0);
    assert!(client["client_id_issued_at"].as_i64().unwrap() > 1_600_000_000);
}

// "The authorization server MUST ignore any client metadata sent by the client that it does not understand" (RFC 7591 §2)
// "An Authorization Server MAY ignore values provided by the client and MUST ignore any fields sent by the Client that it
// does not understand." (OIDC Registration §3.2)
#[tokio::test]
async fn what_is_not_understood_is_ignored() {
    let server = open().await;
    let said =
        metadata_with(json!({"favourite_colour": "blue", "client_name#": "x", "scope#de": "x", "__proto__": {}}));
    let client = Registrar::new(&server).registered(&said).await;
    for name in ["favourite_colour", "client_name#", "scope#de", "__proto__"] {
        assert!(client.get(name).is_none(), "{name}");
    }
}

// "SHOULD take steps to ensure that a client cannot register itself into an inconsistent state" (RFC 7591 §2.1)
// "The following table lists the correspondence between "response_type" values that the Client will use and "grant_type"
// values that MUST be included in the registered "grant_types" list:" (OIDC Registration §2)
#[tokio::test]
async fn grant_types_and_response_types_fit_together() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let without = refused(&registrar, json!({"grant_types": ["refresh_token"], "response_types": ["code"]})).await;
    assert!(without.contains("grant_types: lacks authorization_code"), "{without}");
    for word in [json!(["password"]), json!(["client_credentials"])] {
        let none = refused(&registrar, json!({"grant_types": word})).await;
        assert!(none.contains("grant_types: names none that is offered"), "{none}");
    }
    let mixed = metadata_with(json!({"grant_types": ["authorization_code", "password", "implicit"]}));
    assert_eq!(registrar.registered(&mixed).await["grant_types"], json!(["authorization_code"]), "the answer tells");
}

// "the software statement MUST be digitally signed or MACed using JSON Web Signature (JWS) [RFC7515] and MUST contain an "iss"
// (issuer) claim denoting the party attesting to the claims in the software statement." (RFC 7591 §2.3)
// "If the same client metadata name is present in both locations and the software statement is trusted by the authorization server,
// the value of a claim in the software statement MUST take precedence." (RFC 7591 §2)
// "client metadata values conveyed in the software statement MUST take precedence over those conveyed using plain JSON elements."
// (RFC 7591 §3.1.1)
// "If a software statement was used as part of the registration, its value MUST be returned unmodified in the response along with
// other metadata using the "software_statement" member name. Client metadata elements used from the software statement MUST also be
// returned directly as top-level client metadata values in the registration response (possibly with different values, since the
// values requested and the values used may differ)." (RFC 7591 §3.2.1)
// "If the software statement is valid and signed by an acceptable authority (such as the software API publisher), the values of
// client metadata within the software statement MUST take precedence over those metadata values presented in the plain JSON object,
// which could have been intercepted and modified. An authorization server MUST consider the full registration request, including
// the software statement, initial access token, and JSON client metadata values, when deciding whether to honor a given
// registration request." (RFC 7591 §5)
#[tokio::test]
async fn a_software_statement_counts_where_its_issuer_is_trusted() {
    let jwks = json!({"keys": [serde_json::from_str::<Value>(SIGNED_KEY).unwrap()]});
    let mut public = jwks;
    public["keys"][0].as_object_mut().unwrap().remove("d");
    let issuer =
        StatementIssuer { issuer: "https://software.example".into(), jwks: serde_json::from_value(public).unwrap() };
    let server = Server::start_with(|config| {
        config.registration.mode = Mode::Open;
        config.registration.software_statements = vec![issuer];
    })
    .await;
    let registrar = Registrar::new(&server);
    let statement = |claims: Value| crate::harness::assertion::signed_claims(&claims);
    let good = statement(json!({"iss": "https://software.example", "client_name": "Vouched", "software_id": "4NRB1"}));
    let said = metadata_with(json!({"software_statement": good, "client_name": "Something else"}));
    let client = registrar.registered(&said).await;
    assert_eq!((&client["client_name"], &client["software_id"]), (&json!("Vouched"), &json!("4NRB1")));
    assert_eq!(client["software_statement"], good, "returned unmodified");
    let foreign = statement(json!({"iss": "https://other.example", "client_name": "Vouched"}));
    let unapproved = refused(&registrar, json!({"software_statement": foreign})).await;
    assert!(unapproved.starts_with("400 unapproved_software_statement: "), "{unapproved}");
    let over = statement(json!({"iss": "https://software.example", "exp": 1}));
    for bad in [json!("x"), json!(1), json!(over), json!("a.b.c.d"), json!("x".repeat(9000))] {
        let invalid = refused(&registrar, json!({"software_statement": bad})).await;
        assert!(invalid.starts_with("400 invalid_software_statement: "), "{invalid}");
    }
}

// "The client registration endpoint MAY be an OAuth 2.0 [RFC6749] protected resource and it MAY accept an initial access token"
// (RFC 7591 §3)
// "If an Initial Access Token is required for Client registration, the Client Registration Endpoint MUST be able to accept
// these Access Tokens in the manner described in the OAuth 2.0 Bearer Token Usage [RFC6750] specification."
// (OIDC Registration §3)
#[tokio::test]
async fn an_initial_access_token_is_good_for_as_many_apps_as_it_was_made_for() {
    let server = Server::start_with(|config| config.registration.mode = Mode::InitialAccessToken).await;
    let registrar = Registrar::new(&server);
    let made = command::registration(server.config(), &["token", "add", "--name", "CI", "--uses", "2", "--json"]).await;
    let token = serde_json::from_str::<Value>(&made.unwrap()).unwrap()["token"].as_str().unwrap().to_owned();
    server.clock.catch_up();
    assert_eq!(registrar.register(&metadata()).await.brief(), "401");
    for wrong in ["x", "gtr_ia_00000000000.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        assert_eq!(registrar.register_with(wrong, &metadata()).await.brief(), "401 invalid_token");
    }
    let wrong = registrar.register_with(&token, &json!({})).await;
    assert_eq!(wrong.brief(), "400 invalid_client_metadata", "costs nothing");
    for _ in 0..2 {
        assert_eq!(registrar.register_with(&token, &metadata()).await.status, 201);
    }
    assert_eq!(registrar.register_with(&token, &metadata()).await.brief(), "401 invalid_token");
    let list = command::registration(server.config(), &["token", "list"]).await.unwrap();
    assert!(list.contains("0 of 2") && list.contains("used up") && !list.contains(&token), "{list}");
}

#[tokio::test]
async fn an_initial_access_token_ends_by_time_and_by_command() {
    let server = Server::start_with(|config| config.registration.mode = Mode::InitialAccessToken).await;
    let registrar = Registrar::new(&server);
    let add = async || {
        let text =
            command::registration(server.config(), &["token", "add", "--name", "CI", "--uses", "9"]).await.unwrap();
        text.lines().next().unwrap().to_owned()
    };
    let (expires, revoked) = (add().await, add().await);
    server.clock.catch_up();
    let name = revoked.split('.').next().unwrap();
    command::registration(server.config(), &["token", "revoke", name]).await.unwrap();
    assert_eq!(registrar.register_with(&revoked, &metadata()).await.brief(), "401 invalid_token");
    assert_eq!(registrar.register_with(&expires, &metadata()).await.status, 201);
    server.clock.advance(Duration::from_hours(24 * 7));
    assert_eq!(registrar.register_with(&expires, &metadata()).await.brief(), "401 invalid_token");
}

// "The client registration endpoint MUST accept HTTP POST messages with request parameters encoded in the entity body using
// the "application/json" format." (RFC 7591 §3)
#[tokio::test]
async fn a_request_is_a_json_object() {
    let server = open().await;
    let form = App::new(&server, "wiki").post_body("/register", Some("application/x-www-form-urlencoded"), "a=b").await;
    assert_eq!(form.brief(), "400 invalid_client_metadata");
    let other = Registrar::new(&server).send("PATCH", "/register", None, "{}").await;
    assert_eq!((other.status.as_u16(), other.header("allow")), (405, Some("POST")));
}

// "The server responds with an HTTP 201 Created status code and a body of type "application/json"" (RFC 7591 §3.2)
// "A successful response SHOULD use the HTTP 201 Created status code and return a JSON document [RFC8259] using the
// "application/json" content type with the following fields and the Client Metadata parameters as top-level members of the
// root JSON object: client_id REQUIRED. ... It MUST NOT be currently valid for any other registered Client. ... The same
// Client Secret value MUST NOT be assigned to multiple Clients." (OIDC Registration §3.2)
// "client_id REQUIRED. ... It SHOULD NOT be currently valid for any other registered client, ... If issued, this MUST be unique for
// each "client_id" and SHOULD be unique for multiple instances of a client using the same "client_id"." (RFC 7591 §3.2.1)
// "An authorization server SHOULD NOT issue the same client secret to multiple instances of a registered client, even if they are
// issued the same client identifier" (RFC 7591 §5)
#[tokio::test]
async fn the_answer_is_for_the_client_alone() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let page = registrar.register(&metadata()).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (201, Some("application/json")));
    assert_eq!((page.header("cache-control"), page.header("pragma")), (Some("no-store"), Some("no-cache")));
    let (one, other): (Value, Value) = (page.json(), registrar.registered(&metadata()).await);
    for name in ["client_id", "client_secret", "registration_access_token", "registration_client_uri"] {
        assert_ne!(one[name], other[name], "{name}");
    }
    let kept = String::from_utf8_lossy(&server.place().dump()).into_owned();
    for name in ["client_secret", "registration_access_token"] {
        assert!(!kept.contains(one[name].as_str().unwrap()), "{name} is nowhere in the database");
    }
}

// "The "jwks_uri" and "jwks" parameters MUST NOT be used together. The JWK Set MUST NOT contain private or symmetric key
// values." (OIDC Registration §2)
#[tokio::test]
async fn a_public_app_has_no_secret_and_one_with_keys_neither() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let public = metadata_with(json!({"token_endpoint_auth_method": "none"}));
    let client = registrar.registered(&public).await;
    assert!(client.get("client_secret").is_none() && client.get("client_secret_expires_at").is_none());
    let keyless = refused(&registrar, json!({"token_endpoint_auth_method": "private_key_jwt"})).await;
    assert!(keyless.contains("jwks: private_key_jwt needs the app's public keys"), "{keyless}");
    let private = json!({"jwks": {"keys": [serde_json::from_str::<Value>(SIGNED_KEY).unwrap()]}});
    let private = refused(&registrar, private).await;
    assert!(private.contains("jwks: must be a JWK set of public keys"), "{private}");
    let both = json!({"jwks": {"keys": []}, "jwks_uri": "https://notebook.example/jwks"});
    assert!(refused(&registrar, both).await.contains("jwks: must not stand beside jwks_uri"));
}

#[tokio::test]
async fn a_secret_with_an_end_is_replaced_by_an_update_in_its_second_half() {
    let day = Duration::from_hours(24);
    let server = Server::start_with(|config| {
        config.registration.mode = Mode::Open;
        config.registration.client_secret = 10 * day;
    })
    .await;
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&metadata()).await;
    let end = client["client_secret_expires_at"].as_i64().unwrap();
    assert_eq!(end, server.clock.read().plus(10 * day).seconds());
    server.clock.advance(6 * day);
    let said = crate::harness::registrar::unchanged(&client);
    let updated: Value = registrar.update(&client, &said).await.json();
    assert_ne!(updated["client_secret"], client["client_secret"]);
    for told in [&client, &updated] {
        assert_eq!(App::registered(&server, told).redeem("no code").await.brief(), "400 invalid_grant");
    }
    server.clock.advance(5 * day);
    assert_eq!(App::registered(&server, &client).redeem("no code").await.brief(), "401 invalid_client");
    assert_eq!(App::registered(&server, &updated).redeem("no code").await.brief(), "400 invalid_grant");
}

/// What a developer sees of what is wrong: each member by its name, and what would be right.
// "error REQUIRED." (RFC 7591 §3.2.2)
// "The value of this field MUST point to a valid web page." (RFC 7591 §2)
#[tokio::test]
async fn a_refusal_names_the_member_and_what_mends_it() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    for (changes, expected) in [
        (json!({"client_name": 1}), "client_name: must be a text of at most 200 visible characters"),
        (json!({"client_name#de": 1}), "client_name: must be a text of at most 200 visible characters"),
        (json!({"contacts": "ops"}), "contacts: must be a list of texts, as mail addresses"),
        (json!({"application_type": "desktop"}), "application_type: must be web or native"),
        (json!({"default_max_age": -1}), "default_max_age: must be a whole number of seconds"),
        (
            json!({"tos_uri": "javascript:alert(1)"}),
            "tos_uri: must be the address of a web page, beginning with https:// or http://",
        ),
        (
            json!({"initiate_login_uri": "http://notebook.example/"}),
            "initiate_login_uri: must be an address that begins with https://",
        ),
        (
            json!({"id_token_signed_response_alg": "none"}),
            "id_token_signed_response_alg: must be a signature algorithm that the metadata of this server list; none is not offered",
        ),
        (json!({"scope": "admin"}), "scope: names no scope that apps can register themselves for"),
        (
            json!({"token_endpoint_auth_method": "tls_client_auth"}),
            "token_endpoint_auth_method: must be a method that the metadata of this server list",
        ),
    ] {
        assert_eq!(refused(&registrar, changes).await, format!("400 invalid_client_metadata: {expected}"));
    }
}

#[tokio::test]
async fn an_app_that_nobody_uses_is_removed_and_one_that_is_used_stays() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let (used, unused) = (registrar.registered(&metadata()).await, registrar.registered(&metadata()).await);
    let app = App::registered(&server, &used);
    assert_eq!(app.redeem(&app.code("openid").await).await.status, 200);
    server.app.keep_counts().await.unwrap();
    let policy = &server.app.provider.policy.registration;
    let sweep = async || {
        let now = server.clock.read();
        server.database.sweep(now, &Lifetimes::default()).await.unwrap();
        grantor_server::registrations::sweep(&server.database, &server.app.provider.mint, policy, now).await.unwrap()
    };
    assert_eq!(sweep().await, 0);
    server.clock.advance(Duration::from_hours(24 * 31));
    assert_eq!(sweep().await, 1);
    assert_eq!(registrar.read(&unused).await.brief(), "401 invalid_token");
    assert_eq!(registrar.read(&used).await.status, 200);
    let removed =
        server.events().await.into_iter().find(|event| event.detail.as_deref() == Some("removed: it was never used"));
    assert_eq!(removed.unwrap().client_id.as_deref(), unused["client_id"].as_str());
}

#[tokio::test]
async fn an_administrator_sees_who_registered_itself_and_when_it_was_used() {
    let server = open().await;
    let client = Registrar::new(&server).registered(&metadata()).await;
    let app = App::registered(&server, &client);
    assert_eq!(app.redeem(&app.code("openid").await).await.status, 200);
    server.app.keep_counts().await.unwrap();
    let list = command::client(server.config(), &["list"]).await.unwrap();
    let line = |name: &str| list.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(line(client["client_id"].as_str().unwrap()).contains("registered itself"), "{list}");
    assert!(line("wiki").contains("added by an administrator"), "{list}");
    assert!(list.contains("1 of at most 1000 apps"), "{list}");
}

// "The Client Registration Endpoint SHOULD support the use of Cross-Origin Resource Sharing (CORS) [CORS] and/or other
// methods as appropriate to enable JavaScript Clients and other Browser-Based Clients to access it." (OIDC Registration §3)
// "The Client Configuration Endpoint SHOULD support the use of Cross-Origin Resource Sharing (CORS) [CORS] and/or other
// methods as appropriate to enable JavaScript Clients and other Browser-Based Clients to access it." (OIDC Registration §4)
/// Scripts of any origin register and manage themselves: what opens is in the request.
#[tokio::test]
async fn a_script_of_any_origin_may_register() {
    let server = open().await;
    let app = App::new(&server, "wiki");
    let origin = ("origin", "https://anywhere.example");
    for (path, methods) in [("/register", "POST"), ("/register/reg_x", "GET, PUT, DELETE")] {
        let page = app.request_raw("OPTIONS", path, &[origin, ("access-control-request-method", "POST")]).await;
        assert_eq!(page.header("access-control-allow-origin"), Some("*"));
        assert_eq!(page.header("access-control-allow-methods"), Some(methods));
        assert_eq!(page.header("access-control-allow-credentials"), None);
    }
    let refused = app.request_raw("POST", "/register", &[origin]).await;
    assert_eq!(refused.header("access-control-allow-origin"), Some("*"));
}
