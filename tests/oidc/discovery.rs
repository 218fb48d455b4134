//! What an app reads before anything else: the metadata (OIDC Discovery §4, RFC 8414 §3).

use reqwest::Method;
use serde_json::Value;

use crate::harness::page::Page;
use crate::harness::server::Server;

const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";

async fn ask(method: Method, url: String, headers: &[(&str, &str)]) -> Page {
    let request = reqwest::Client::new().request(method, url);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    Page::of(request.send().await.unwrap()).await
}

async fn metadata(server: &Server) -> Value {
    ask(Method::GET, server.at(OPENID), &[]).await.json()
}

fn list<'a>(metadata: &'a Value, name: &str) -> Vec<&'a str> {
    metadata[name].as_array().unwrap_or_else(|| panic!("{name}")).iter().filter_map(Value::as_str).collect()
}

// "The OpenID Provider's Discovery document MUST list its supported Subject Identifier types in the
// "subject_types_supported" element." (OIDC Core §8)
// "issuer REQUIRED." (OIDC Discovery §3)
// "authorization_endpoint REQUIRED." (OIDC Discovery §3)
// "This is REQUIRED unless only the Implicit Flow is used. ... userinfo_endpoint RECOMMENDED. ... jwks_uri REQUIRED."
// (OIDC Discovery §3)
// "scopes_supported RECOMMENDED. ... The server MUST support the "openid" scope value. Servers MAY choose not to advertise
// some supported scope values even when this parameter is used, although those defined in [OpenID.Core] SHOULD be listed, if
// supported. response_types_supported REQUIRED. ... subject_types_supported REQUIRED. ...
// id_token_signing_alg_values_supported REQUIRED. ... claims_supported RECOMMENDED." (OIDC Discovery §3)
// "This OpenID Provider Metadata parameter MUST be included in the Server's discovery responses when RP-Initiated Logout and
// Discovery are supported: end_session_endpoint REQUIRED." (OIDC RP-Initiated Logout §2.1)
#[tokio::test]
async fn the_metadata_say_what_is_offered_and_nothing_else() {
    let server = Server::start().await;
    let metadata = metadata(&server).await;
    let members = metadata.as_object().unwrap().iter().map(|(name, value)| format!("{name}: {value}"));
    let text = members.collect::<Vec<_>>().join("\n").replace(&server.url, "ISSUER");
    insta::assert_snapshot!(text, @r#"
    acr_values_supported: ["urn:grantor:acr:password","urn:grantor:acr:two-factors"]
    authorization_endpoint: "ISSUER/authorize"
    authorization_response_iss_parameter_supported: true
    backchannel_logout_session_supported: true
    backchannel_logout_supported: true
    claim_types_supported: ["normal"]
    claims_parameter_supported: true
    claims_supported: ["acr","address","amr","aud","auth_time","birthdate","email","email_verified","exp","family_name","gender","given_name","groups","iat","iss","locale","middle_name","name","nickname","phone_number","phone_number_verified","picture","preferred_username","profile","sid","sub","updated_at","website","zoneinfo"]
    code_challenge_methods_supported: ["S256"]
    display_values_supported: ["page"]
    end_session_endpoint: "ISSUER/end-session"
    frontchannel_logout_session_supported: true
    frontchannel_logout_supported: true
    grant_types_supported: ["authorization_code","refresh_token","client_credentials","urn:ietf:params:oauth:grant-type:token-exchange"]
    id_token_encryption_alg_values_supported: ["ECDH-ES","ECDH-ES+A128KW","ECDH-ES+A256KW","RSA-OAEP-256"]
    id_token_encryption_enc_values_supported: ["A128CBC-HS256","A256CBC-HS512","A128GCM","A256GCM"]
    id_token_signing_alg_values_supported: ["ES256","EdDSA","RS256","PS256"]
    introspection_endpoint: "ISSUER/introspect"
    introspection_endpoint_auth_methods_supported: ["client_secret_basic","client_secret_post","client_secret_jwt","private_key_jwt"]
    introspection_endpoint_auth_signing_alg_values_supported: ["ES256","ES384","EdDSA","RS256","PS256","HS256","HS384","HS512"]
    introspection_signing_alg_values_supported: ["ES256","EdDSA","RS256","PS256"]
    issuer: "ISSUER"
    jwks_uri: "ISSUER/jwks"
    prompt_values_supported: ["none","login","consent","select_account"]
    request_object_encryption_alg_values_supported: ["ECDH-ES","ECDH-ES+A128KW","ECDH-ES+A256KW"]
    request_object_encryption_enc_values_supported: ["A128CBC-HS256","A256CBC-HS512","A128GCM","A256GCM"]
    request_object_signing_alg_values_supported: ["ES256","ES384","EdDSA","RS256","PS256"]
    request_parameter_supported: true
    request_uri_parameter_supported: true
    require_request_uri_registration: true
    response_modes_supported: ["query","fragment","form_post"]
    response_types_supported: ["code"]
    revocation_endpoint: "ISSUER/revoke"
    revocation_endpoint_auth_methods_supported: ["client_secret_basic","client_secret_post","client_secret_jwt","private_key_jwt","none"]
    revocation_endpoint_auth_signing_alg_values_supported: ["ES256","ES384","EdDSA","RS256","PS256","HS256","HS384","HS512"]
    scopes_supported: ["account:tokens","address","email","groups","notes.read","notes.write","offline_access","openid","phone","profile"]
    subject_types_supported: ["public","pairwise"]
    token_endpoint: "ISSUER/token"
    token_endpoint_auth_methods_supported: ["client_secret_basic","client_secret_post","client_secret_jwt","private_key_jwt","none"]
    token_endpoint_auth_signing_alg_values_supported: ["ES256","ES384","EdDSA","RS256","PS256","HS256","HS384","HS512"]
    ui_locales_supported: ["en","de"]
    userinfo_encryption_alg_values_supported: ["ECDH-ES","ECDH-ES+A128KW","ECDH-ES+A256KW","RSA-OAEP-256"]
    userinfo_encryption_enc_values_supported: ["A128CBC-HS256","A256CBC-HS512","A128GCM","A256GCM"]
    userinfo_endpoint: "ISSUER/userinfo"
    userinfo_signing_alg_values_supported: ["ES256","EdDSA","RS256","PS256"]
    "#);
}

// "The issuer value returned MUST be identical to the Issuer URL that was used as the prefix to
// "/.well-known/openid-configuration" to retrieve the configuration information." (OIDC Discovery §4.3)
#[tokio::test]
async fn the_issuer_is_the_address_that_was_asked_letter_for_letter() {
    let server = Server::start().await;
    assert_eq!(metadata(&server).await["issuer"], server.url.as_str());
}

// "OpenID Providers supporting Discovery MUST make a JSON document available at the path formed by concatenating the string
// "/.well-known/openid-configuration" to the Issuer. ... "openid-configuration" MUST point to a JSON document compliant with
// this specification and MUST be returned using the "application/json" content type." (OIDC Discovery §4)
#[tokio::test]
async fn both_addresses_have_one_document_that_anybody_may_read_and_keep_for_a_while() {
    let server = Server::start().await;
    let (openid, oauth) =
        (ask(Method::GET, server.at(OPENID), &[]).await, ask(Method::GET, server.at(OAUTH), &[]).await);
    assert_eq!(openid.body, oauth.body);
    for page in [openid, oauth] {
        // "A successful response MUST use the 200 OK HTTP status code and return a JSON object using the "application/json"
        // content type" (OIDC Discovery §4.2)
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, Some("application/json")));
        assert_eq!(page.header("cache-control"), Some("public, max-age=900"));
        assert_eq!(page.header("access-control-allow-origin"), Some("*"));
        assert_eq!((page.header("access-control-allow-credentials"), page.header("set-cookie")), (None, None));
    }
}

// "The "openid-configuration" endpoint SHOULD support the use of Cross-Origin Resource Sharing (CORS) [CORS] and/or other
// methods as appropriate to enable JavaScript Clients and other Browser-Based Clients to access it." (OIDC Discovery §4)
#[tokio::test]
async fn a_script_of_any_origin_may_ask_for_metadata_and_keys() {
    let server = Server::start().await;
    let asked = [("origin", "https://anybody.example"), ("access-control-request-method", "GET")];
    for path in [OPENID, OAUTH, "/jwks"] {
        let preflight = ask(Method::OPTIONS, server.at(path), &asked).await;
        assert_eq!(
            (preflight.status.as_u16(), preflight.header("access-control-allow-origin")),
            (204, Some("*")),
            "{path}"
        );
        let answer = ask(Method::GET, server.at(path), &asked).await;
        assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (200, Some("*")), "{path}");
        assert_eq!(ask(Method::POST, server.at(path), &[]).await.status, 405, "{path}");
    }
}

#[tokio::test]
async fn every_endpoint_that_is_named_exists_below_the_issuer() {
    let server = Server::start().await;
    let metadata = metadata(&server).await;
    let named =
        metadata.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri");
    let named: Vec<&str> = named.map(|(_, url)| url.as_str().unwrap()).collect();
    assert_eq!(named.len(), 7);
    for url in named {
        assert!(url.starts_with(&format!("{}/", server.url)), "{url}");
        assert_ne!(ask(Method::GET, url.to_owned(), &[]).await.status, 404, "{url}");
    }
}

// "The value "none" MUST NOT be used." (OIDC Discovery §3)
// "Servers SHOULD support "RS256"." (OIDC Discovery §3)
#[tokio::test]
async fn nothing_unsafe_is_promised() {
    let server = Server::start().await;
    let metadata = metadata(&server).await;
    assert_eq!(list(&metadata, "response_types_supported"), ["code"]);
    assert_eq!(list(&metadata, "code_challenge_methods_supported"), ["S256"]);
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    let offered = ["authorization_code", "refresh_token", "client_credentials", exchange];
    assert_eq!(list(&metadata, "grant_types_supported"), offered);
    let members = metadata.as_object().unwrap().iter();
    for (name, value) in members.filter(|(name, _)| name.contains("alg_values_supported")) {
        // A secret of an app makes assertions of that app, and nothing else.
        let safe: &[&str] = if name.contains("encryption") {
            &["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW", "RSA-OAEP-256"]
        } else if name.contains("auth_signing") {
            &["ES256", "ES384", "EdDSA", "RS256", "PS256", "HS256", "HS384", "HS512"]
        } else {
            &["ES256", "ES384", "EdDSA", "RS256", "PS256"]
        };
        assert!(
            value.as_array().unwrap().iter().all(|algorithm| safe.contains(&algorithm.as_str().unwrap())),
            "{name}"
        );
    }
    assert!(!list(&metadata, "introspection_endpoint_auth_methods_supported").contains(&"none"));
}

// "The algorithm "RS256" MUST be included." (OIDC Discovery §3)
#[tokio::test]
async fn rs256_is_among_the_algorithms_of_id_tokens() {
    let server = Server::start().await;
    assert!(list(&metadata(&server).await, "id_token_signing_alg_values_supported").contains(&"RS256"));
}

#[tokio::test]
async fn what_is_declared_later_is_told() {
    let server = Server::start().await;
    server
        .apply("[[scopes]]\nname = \"staff\"\nclaims = [\"department\"]\ndescription.en = \"See where you work\"\n")
        .await;
    let metadata = metadata(&server).await;
    assert!(list(&metadata, "scopes_supported").contains(&"staff"));
    assert!(list(&metadata, "claims_supported").contains(&"department"));
}

#[tokio::test]
async fn no_answer_names_a_version_or_what_the_server_is_made_of() {
    let server = Server::start().await;
    let broken = [
        OPENID,
        "/jwks",
        "/authorize",
        "/authorize?client_id=%zz",
        "/nowhere",
        "/static/nothing",
        "/sign-in",
        "/account",
    ];
    for path in broken {
        let page = ask(Method::GET, server.at(path), &[]).await;
        for name in ["server", "x-powered-by", "via", "x-aspnet-version"] {
            assert_eq!(page.header(name), None, "{path}");
        }
        let body = page.body.to_lowercase();
        for inside in ["actix", "diesel", "sqlite", "panicked", "src/", ".rs:", "backtrace", env!("CARGO_PKG_VERSION")]
        {
            assert!(!body.contains(inside), "{path}: {inside}");
        }
    }
    let refused = ask(Method::POST, server.at("/token"), &[]).await;
    assert_eq!((refused.status.as_u16(), refused.header("server")), (400, None));
}
