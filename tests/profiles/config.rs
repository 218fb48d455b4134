//! Plan Config (`oidcc-config-certification-test-plan`): the metadata and the keys.

use std::collections::HashSet;

use serde_json::Value;

use super::driver::conformance;
use crate::harness::app::App;
use crate::harness::server::Server;

/// The metadata document.
pub async fn metadata(server: &Server) -> Value {
    let page = App::new(server, "wiki").request_raw("GET", "/.well-known/openid-configuration", &[]).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, Some("application/json")));
    page.json()
}

/// Whether a list of the metadata has all of these.
fn has(metadata: &Value, name: &str, values: &[&str]) -> bool {
    let list = metadata[name].as_array().unwrap_or_else(|| panic!("{name} in {metadata}"));
    values.iter().all(|value| list.contains(&(*value).into()))
}

/// `oidcc-discovery-endpoint-verification`, with declared apps and with apps that register themselves
#[tokio::test]
async fn the_metadata_are_those_of_the_specification() {
    let server = conformance().await;
    let metadata = metadata(&server).await;
    // "The "issuer" value returned MUST be identical to the Issuer URL that was used as the prefix to
    // "/.well-known/openid-configuration" to retrieve the configuration information." (OIDC Discovery §4.3)
    assert_eq!(metadata["issuer"], server.url);
    let endpoints = metadata.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint"));
    assert!(endpoints.clone().all(|(_, at)| at.as_str().is_some_and(|at| at.starts_with(&server.url))), "{metadata}");
    let names: Vec<&str> = endpoints.map(|(name, _)| name.as_str()).collect();
    let needed = ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "registration_endpoint"];
    assert!(needed.iter().all(|name| names.contains(name)), "{names:?}");
    assert!(has(&metadata, "response_types_supported", &["code", "id_token", "id_token token"]));
    assert!(has(&metadata, "response_types_supported", &["code id_token", "code token", "code id_token token"]));
    assert!(has(&metadata, "response_modes_supported", &["query", "fragment", "form_post"]));
    assert!(has(&metadata, "grant_types_supported", &["authorization_code", "implicit", "refresh_token"]));
    assert!(has(&metadata, "subject_types_supported", &["public"]));
    assert!(has(&metadata, "id_token_signing_alg_values_supported", &["RS256"]));
    assert!(has(&metadata, "userinfo_signing_alg_values_supported", &[]));
    assert!(has(&metadata, "request_object_signing_alg_values_supported", &["RS256", "none"]));
    let methods = ["client_secret_basic", "client_secret_post"];
    assert!(has(&metadata, "token_endpoint_auth_methods_supported", &methods));
    assert!(has(&metadata, "code_challenge_methods_supported", &["S256"]));
    assert!(has(&metadata, "scopes_supported", &["openid", "profile", "email", "address", "phone", "offline_access"]));
    assert!(has(&metadata, "claims_supported", &["sub", "name", "email", "address", "phone_number", "updated_at"]));
    for flag in ["request_parameter_supported", "request_uri_parameter_supported", "claims_parameter_supported"] {
        assert_eq!(metadata[flag], true, "{flag}");
    }
    assert!(metadata["ui_locales_supported"].as_array().unwrap().iter().all(is_canonical), "{metadata}");
}

/// Whether a language tag is written as tags are: the language small, a region large.
fn is_canonical(tag: &Value) -> bool {
    let mut parts = tag.as_str().unwrap_or_default().split('-');
    let is_small = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_large = |part: &str| part.bytes().all(|byte| byte.is_ascii_uppercase());
    parts.next().is_some_and(|language| (2..=3).contains(&language.len()) && is_small(language)) && parts.all(is_large)
}

/// Its conditions about keys, which every module checks.
// "The JWK Set MUST NOT contain private or symmetric key values." (OIDC Discovery §3)
#[tokio::test]
async fn the_published_keys_are_public_and_each_has_a_name_of_its_own() {
    let server = conformance().await;
    let keys = App::new(&server, "wiki").request_raw("GET", "/jwks", &[]).await.json();
    let keys = keys["keys"].as_array().unwrap();
    let mut names = HashSet::new();
    for key in keys {
        let name = key["kid"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "{name} stands there twice");
        assert!(key["use"] == "enc" || key["use"] == "sig" && key["alg"].is_string(), "{key}");
        let private = ["d", "p", "q", "dp", "dq", "qi", "k"];
        assert!(private.iter().all(|part| key.get(part).is_none()), "{key}");
        let parts: &[&str] = match key["kty"].as_str() {
            Some("RSA") => &["n", "e"],
            Some("EC") => &["crv", "x", "y"],
            Some("OKP") => &["crv", "x"],
            other => panic!("{other:?}"),
        };
        let is_base64url = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        assert!(parts.iter().all(|part| key[part].as_str().is_some_and(is_base64url)), "{key}");
        assert!(key["kty"] != "RSA" || key["n"].as_str().unwrap().len() >= 342, "2048 bits at least: {key}");
    }
    let is_default = |key: &Value| key["alg"] == "RS256" && key["use"] == "sig";
    assert!(keys.iter().any(is_default), "{keys:?}");
}
