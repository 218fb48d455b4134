//! Where the provider is: one issuer, all of whose addresses are reached by TLS.

use grantor_core::registration::Mode;
use serde_json::Value;

use crate::harness::app::{App, claims};
use crate::harness::page::Page;
use crate::harness::registrar::metadata;
use crate::harness::server::Server;
use crate::harness::tls;

const DISCOVERY: &str = "/.well-known/openid-configuration";

/// A server that speaks TLS, with all that it can have.
async fn secured() -> Server {
    Server::start_with(|config| {
        tls::speaking(config);
        config.registration.mode = Mode::Open;
        config.session_management = true;
    })
    .await
}

async fn told(server: &Server) -> Value {
    Page::of(tls::browser().build().unwrap().get(server.at(DISCOVERY)).send().await.unwrap()).await.json()
}

// "The UserInfo Endpoint URL MUST use the "https" scheme and MAY contain port, path, and query parameter components."
// (OIDC Core §1.2)
// "authorization_endpoint This URL MUST use the "https" scheme and MAY contain port, path, and query parameter components. ...
// token_endpoint This URL MUST use the "https" scheme and MAY contain port, path, and query parameter components. ...
// userinfo_endpoint This URL MUST use the "https" scheme and MAY contain port, path, and query parameter components. ... URL of the
// OP's JWK Set [JWK] document, which MUST use the "https" scheme. ... URL of the OP's Dynamic Client Registration Endpoint
// [OpenID.Registration], which MUST use the "https" scheme." (OIDC Discovery §3)
// "This URL MUST use the "https" scheme and MAY contain port, path, and query parameter components."
// (OIDC RP-Initiated Logout §2.1)
// "This URL MUST use the "https" scheme and MAY contain port, path, and query parameter components."
// (OIDC Session Management §3.3)
// "This URL MUST use the "https" scheme." (OIDC Registration §3.2)
#[tokio::test]
async fn every_address_that_is_told_is_https() {
    let server = secured().await;
    let metadata = told(&server).await;
    let is_address = |name: &str| name.ends_with("_endpoint") || matches!(name, "jwks_uri" | "check_session_iframe");
    let addresses: Vec<_> = metadata.as_object().unwrap().iter().filter(|(name, _)| is_address(name)).collect();
    assert_eq!(addresses.len(), 9);
    for (name, address) in addresses {
        let address = address.as_str().unwrap();
        assert!(address.starts_with(&format!("{}/", server.url)) && !address.contains('#'), "{name}: {address}");
    }
    assert!(server.url.starts_with("https://"));
    let registering = tls::browser().build().unwrap().post(server.at("/register")).json(&self::metadata());
    let client = Page::of(registering.send().await.unwrap()).await.json();
    let management = client["registration_client_uri"].as_str().unwrap();
    assert!(management.starts_with(&format!("{}/register/", server.url)), "{management}");
}

// "Implementations MUST support TLS." (OIDC Core §16.17)
// "Implementations MUST support TLS." (OIDC Discovery §7.1)
// "Implementations MUST support TLS." (OIDC Registration §9.3)
// "To protect against information disclosure and tampering, confidentiality protection MUST be applied using TLS with a
// ciphersuite that provides confidentiality and integrity protection." (OIDC Core §16.17)
// "To protect against information disclosure and tampering, confidentiality protection MUST be applied using TLS with a
// ciphersuite that provides confidentiality and integrity protection." (OIDC Discovery §7.1)
// "To protect against information disclosure and tampering, confidentiality protection MUST be applied using TLS with a
// ciphersuite that provides confidentiality and integrity protection." (OIDC Registration §9.3)
// "Communication with the Authorization Endpoint MUST utilize TLS." (OIDC Core §3.1.2)
// "Communication with the Token Endpoint MUST utilize TLS." (OIDC Core §3.1.3)
// "Communication with the UserInfo Endpoint MUST utilize TLS." (OIDC Core §5.3)
// "all communication with the Registration Endpoint MUST utilize TLS." (OIDC Registration §9)
// "The server MUST support TLS 1.2 [RFC5246] and MAY support additional transport-layer security mechanisms meeting its security
// requirements." (RFC 7591 §5)
// "The server MUST support TLS 1.2 [RFC5246] and MAY support additional transport-layer security mechanisms meeting its security
// requirements." (RFC 7592 §5)
#[tokio::test]
async fn where_tls_is_spoken_nothing_is_answered_without_it() {
    let server = secured().await;
    assert_eq!(told(&server).await["issuer"], server.url.as_str());
    let plain = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for path in ["/authorize?client_id=wiki", "/token", "/userinfo", "/register", "/jwks", DISCOVERY] {
        let answer = plain.get(server.at(path).replace("https://", "http://")).send().await;
        assert!(answer.is_err(), "{path}: {answer:?}");
    }
    let old = tls::browser().max_tls_version(reqwest::tls::Version::TLS_1_2).build().unwrap();
    assert_eq!(old.get(server.at(DISCOVERY)).send().await.unwrap().status(), 200, "TLS 1.2 is spoken, too");
    let older = tls::browser().max_tls_version(reqwest::tls::Version::TLS_1_1).build();
    let older = older.map(|older| older.get(server.at(DISCOVERY)).send());
    assert!(
        match older {
            Ok(sent) => sent.await.is_err(),
            Err(_) => true,
        },
        "and nothing older"
    );
    // Who does not know the authority of the certificate asks nothing.
    assert!(plain.get(server.at(DISCOVERY)).send().await.is_err());
}

// "This also MUST be identical to the "iss" Claim value in ID Tokens issued from this Issuer." (OIDC Discovery §3)
// "This MUST also be identical to the "iss" Claim value in ID Tokens issued from this Issuer." (OIDC Discovery §4.3)
// "It is RECOMMENDED that only a single Issuer per host be used." (OIDC Core §16.15)
#[tokio::test]
async fn the_issuer_of_the_metadata_is_the_one_of_id_tokens_and_the_only_one_here() {
    let server = Server::start().await;
    let metadata = App::new(&server, "wiki").request_raw("GET", DISCOVERY, &[]).await.json();
    for client_id in ["wiki", "chat", "portal", "spa", "signed"] {
        let tokens = App::new(&server, client_id).tokens("openid").await;
        assert_eq!(claims(tokens.id())["iss"], metadata["issuer"], "{client_id}");
        assert_eq!(claims(tokens.id())["iss"], server.url.as_str(), "{client_id}");
    }
    for path in ["/tenant/.well-known/openid-configuration", "/.well-known/openid-configuration/tenant"] {
        assert_eq!(App::new(&server, "wiki").request_raw("GET", path, &[]).await.status, 404, "{path}");
    }
}
