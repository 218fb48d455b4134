//! The modules of all these plans that read the metadata: each checks that every address is https, and some members.

use serde_json::{Map, Value, json};

use super::dynamic_suite;
use crate::harness::page::Page;
use crate::harness::server::Server;
use crate::harness::tls;

/// The document of a server that speaks TLS, with the settings that the suite needs.
async fn documents() -> (String, Map<String, Value>) {
    let server = Server::start_with(|config| {
        dynamic_suite::settings(config);
        tls::speaking(config);
    })
    .await;
    let url = format!("{}/.well-known/openid-configuration", server.url);
    let page = Page::of(tls::browser().build().unwrap().get(url).send().await.unwrap()).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, Some("application/json")));
    let Value::Object(members) = page.json() else { panic!("an object") };
    for (name, value) in members.iter().filter(|(name, _)| name.ends_with("_endpoint")) {
        assert!(value.as_str().unwrap().starts_with("https://"), "{name}: {value}");
    }
    (server.url.clone(), members)
}

fn has(members: &Map<String, Value>, name: &str, words: &[&str]) {
    let list = members[name].as_array().unwrap_or_else(|| panic!("{name} is a list"));
    for word in words {
        assert!(list.contains(&json!(word)), "{word} in {name}");
    }
}

/// `oidcc-discovery-endpoint-verification`, as the Dynamic plan runs it
#[tokio::test]
async fn the_document_has_all_that_a_dynamic_provider_must_offer() {
    let (issuer, members) = documents().await;
    assert_eq!(members["issuer"], issuer);
    // A space divides the words in any order.
    let types = members["response_types_supported"].as_array().unwrap();
    for kind in [&["code"][..], &["id_token"], &["token", "id_token"]] {
        let is_kind = |text: &Value| {
            let words: Vec<&str> = text.as_str().unwrap().split(' ').collect();
            words.len() == kind.len() && kind.iter().all(|word| words.contains(word))
        };
        assert!(types.iter().any(is_kind), "{kind:?}");
    }
    has(&members, "grant_types_supported", &["authorization_code", "implicit", "refresh_token"]);
    has(&members, "subject_types_supported", &["public", "pairwise"]);
    has(&members, "id_token_signing_alg_values_supported", &["RS256"]);
    has(&members, "userinfo_signing_alg_values_supported", &["RS256"]);
    has(&members, "request_object_signing_alg_values_supported", &["RS256"]);
    has(&members, "scopes_supported", &["openid"]);
    has(&members, "claims_supported", &["sub", "name", "email"]);
    for name in ["request_parameter_supported", "request_uri_parameter_supported", "claims_parameter_supported"] {
        assert_eq!(members[name], true, "{name}");
    }
    for name in ["registration_endpoint", "userinfo_endpoint", "jwks_uri"] {
        assert!(members[name].as_str().is_some_and(|uri| uri.starts_with(&issuer)), "{name}");
    }
}

/// `oidcc-rp-initiated-logout-discovery-endpoint-verification`, `oidcc-session-management-discovery-endpoint-verification`,
/// `oidcc-frontchannel-logout-discovery-endpoint-verification`, `oidcc-backchannel-logout-discovery-endpoint-verification`
#[tokio::test]
async fn the_document_says_in_which_ways_people_are_signed_out() {
    let (issuer, members) = documents().await;
    for name in ["end_session_endpoint", "check_session_iframe"] {
        assert!(members[name].as_str().is_some_and(|uri| uri.starts_with(&issuer)), "{name}");
    }
    for name in
        ["frontchannel_logout", "frontchannel_logout_session", "backchannel_logout", "backchannel_logout_session"]
    {
        assert_eq!(members[&format!("{name}_supported")], true, "{name}");
    }
}
