//! What an ID token is made of: of each app and flow, what the specification wants in its header and claims, and nothing beside.

use serde_json::Value;

use super::keys::jwks;
use crate::harness::app::{App, Tokens, claims, header};
use crate::harness::front_channel::{self, redirect_uri};
use crate::harness::person::Person;
use crate::harness::server::Server;

/// ID tokens of every kind of app, by code and through the browser, first ones and refreshed ones.
async fn id_tokens(server: &Server) -> Vec<String> {
    let (person, mut all) = (Person::new(server), Vec::new());
    for client_id in ["wiki", "chat", "portal", "spa", "signed"] {
        let app = App::new(server, client_id);
        let tokens = app.tokens_with(&person, "openid profile email", &[]).await;
        all.push(tokens.id().to_owned());
        if let Some(refresh_token) = tokens.0.get("refresh_token").and_then(Value::as_str) {
            all.push(Tokens(app.refresh(refresh_token).await.json()).id().to_owned());
        }
    }
    let hybrid = App::new(server, "hybrid").at(&redirect_uri("hybrid"));
    for kind in ["id_token", "id_token token", "code id_token", "code id_token token"] {
        all.push(hybrid.approved_with(&person, "openid profile", &[("response_type", kind)]).await.param("id_token"));
    }
    all
}

// "ID Tokens MUST NOT use "none" as the "alg" value unless the Response Type used returns no ID Token from the Authorization Endpoint
// (such as when using the Authorization Code Flow) and the Client explicitly requested the use of "none" at Registration time. ID
// Tokens SHOULD NOT use the JWS or JWE "x5u", "x5c", "jku", or "jwk" Header Parameter fields." (OIDC Core §2)
// "When using RSA or ECDSA Signatures, the "alg" Header Parameter value of the JOSE Header MUST be set to an appropriate algorithm as
// defined in JSON Web Algorithms [JWA]. The private key used to sign the content MUST be associated with a public key used for
// signature verification published by the sender in its JWK Set document. If there are multiple keys in the referenced JWK Set
// document, a "kid" value MUST be provided in the JOSE Header. The key usage of the respective keys MUST support signing."
// (OIDC Core §10.1)
// "The value "none" MAY be supported but MUST NOT be used unless the Response Type used returns no ID Token from the Authorization
// Endpoint (such as when using the Authorization Code Flow)." (OIDC Discovery §3)
#[tokio::test]
async fn an_id_token_names_a_published_key_for_signing_and_its_algorithm() {
    let server = front_channel::server().await;
    let keys = jwks(&server).await;
    for token in id_tokens(&server).await {
        let header = header(&token);
        let members: Vec<&str> = header.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(members.iter().all(|member| ["alg", "kid", "typ"].contains(member)), "{header}");
        let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]);
        let key = key.unwrap_or_else(|| panic!("a published key for {header}"));
        assert_eq!((&key["use"], &key["alg"]), (&"sig".into(), &header["alg"]));
        assert!(["ES256", "RS256", "EdDSA", "PS256"].contains(&header["alg"].as_str().unwrap()), "{header}");
    }
}

// "If present, it MUST contain the OAuth 2.0 Client ID of this party." (OIDC Core §2)
// "Values used in the "amr" Claim SHOULD be from those registered in the IANA Authentication Method Reference Values registry
// [IANA.AMR] established by [RFC8176]" (OIDC Core §2)
// "Omitted parameters and parameters with no value SHOULD be omitted from the object and not represented by a JSON "null" value, unless
// otherwise specified." (OIDC Core §13.3)
#[tokio::test]
async fn an_id_token_has_no_empty_claim_and_no_party_beside_the_app() {
    let server = front_channel::server().await;
    for token in id_tokens(&server).await {
        let claims = claims(&token);
        assert!(claims.as_object().unwrap().values().all(|value| !value.is_null()), "{claims}");
        assert!(claims.get("azp").is_none_or(|azp| *azp == claims["aud"][0]), "{claims}");
        assert_eq!(claims["aud"].as_array().unwrap().len(), 1, "{claims}");
        assert_eq!(claims["amr"], serde_json::json!(["pwd"]), "{claims}");
    }
}

// "its "iss" Claim Value MUST be the same as in the ID Token issued when the original authentication occurred, ... its "aud" Claim
// Value MUST be the same as in the ID Token issued when the original authentication occurred" (OIDC Core §12.2)
// "if the implementation is using extensions (which are beyond the scope of this specification) that result in the "azp"
// (authorized party) Claim being present, those extensions might specify that its "azp" Claim Value MUST be the same as in the ID
// Token issued when the original authentication occurred" (OIDC Core §12.2)
#[tokio::test]
async fn a_refreshed_id_token_is_from_whom_and_for_whom_the_first_was() {
    let server = Server::start().await;
    for client_id in ["wiki", "chat", "spa"] {
        let app = App::new(&server, client_id);
        let first = app.tokens("openid offline_access").await;
        server.clock.advance(std::time::Duration::from_mins(5));
        let second = Tokens(app.refresh(first.refresh()).await.json());
        let (first, second) = (claims(first.id()), claims(second.id()));
        for name in ["iss", "aud", "azp"] {
            assert_eq!(first.get(name), second.get(name), "{client_id}: {name}");
        }
        assert_ne!(first["iat"], second["iat"], "{client_id}: it is another token");
    }
}

// "In all such cases, a single ASCII space character (0x20) MUST be used as the delimiter." (OIDC Core §14)
// "Servers SHOULD support the "Bearer" Token Type" (OIDC Core §3.1.3.3)
#[tokio::test]
async fn what_is_granted_is_listed_with_one_space_between() {
    let server = Server::start().await;
    let tokens = App::new(&server, "wiki").tokens("email  openid   profile").await;
    assert_eq!(tokens.0["scope"], "email openid profile");
    assert_eq!(claims(tokens.access())["scope"], "email openid profile");
    assert_eq!(tokens.0["token_type"], "Bearer");
}
