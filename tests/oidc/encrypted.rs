//! Answers that are encrypted to an app: ID tokens and userinfo (OIDC Core §2, §5.3.2 and §10.2, OIDC Registration §2).

use std::time::Duration;

use grantor_core::change::Change;
use grantor_core::client::ClientMetadata;
use grantor_core::store::Store;
use grantor_jose::algorithm::Algorithm;
use grantor_jose::jwe::{ContentEncryption, Curve, DecryptionKey, KeyAlgorithm, decrypt};
use grantor_jose::jwk::{Jwk, JwkSet};
use grantor_jose::key::Typ;
use grantor_jose::random::Random;
use grantor_jose::verify::{Expected, TypRule, verify};
use serde_json::{Value, json};

use super::logout::address;
use super::pairwise::Lists;
use crate::harness::app::{Answer, App, header};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::SECRET;
use crate::harness::server::Server;
use crate::harness::tls;

const OUT: &str = "https://portal.example/out";

fn key(curve: Curve) -> DecryptionKey {
    DecryptionKey::generate(curve, &Random::new()).unwrap()
}

/// Declares the app with a key to encrypt to, and more members.
pub async fn declare(server: &Server, key: &Jwk, members: &str) {
    let jwk: Value = serde_json::to_value(key).unwrap();
    let jwk: Vec<String> = jwk.as_object().unwrap().iter().map(|(name, value)| format!("{name} = {value}")).collect();
    declare_with(server, &format!("jwks = {{ keys = [{{ {} }}] }}", jwk.join(", ")), members).await;
}

/// The same with the keys as they are declared.
async fn declare_with(server: &Server, keys: &str, members: &str) {
    let declaration = format!(
        r#"
        [[clients]]
        client_id = "portal"
        client_secret = "{SECRET}"
        client_name = "Portal"
        redirect_uris = ["https://portal.example/cb"]
        post_logout_redirect_uris = ["{OUT}"]
        grant_types = ["authorization_code", "refresh_token"]
        scope = "openid email offline_access"
        skip_consent = true
        id_token_signed_response_alg = "ES256"
        {keys}
        {members}
        "#
    );
    server.clock.advance(Duration::from_secs(1));
    server.apply(&declaration).await;
}

/// What is inside an encrypted token: that it is for this key, and what it says of itself.
fn opened(token: &str, key: &DecryptionKey) -> (Option<String>, String) {
    let decrypted = decrypt(token, &[key]).unwrap_or_else(|error| panic!("{error}: {token}"));
    assert_eq!(header(token)["kid"], key.kid());
    (decrypted.cty, String::from_utf8(decrypted.plaintext.to_vec()).unwrap())
}

/// The claims of a token that the server has signed.
pub async fn verified(server: &Server, token: &str) -> Value {
    let jwks = Page::of(reqwest::get(server.at("/jwks")).await.unwrap()).await.body;
    let jwks: JwkSet = serde_json::from_str(&jwks).unwrap();
    let expected = Expected { typ: TypRule::Is(Typ::Jwt), algorithms: Algorithm::ALL };
    verify(token, &expected, &jwks).unwrap().claims().unwrap()
}

// "If the ID Token is encrypted, it MUST be signed then encrypted, with the result being a Nested JWT, as defined in [JWT]." (OIDC Core
// §2)
// "JWE "alg" algorithm [JWA] REQUIRED for encrypting the ID Token issued to this Client. ... JWE "enc" algorithm [JWA]
// REQUIRED for encrypting the ID Token issued to this Client." (OIDC Registration §2)
// "The encrypting party MUST select an encryption algorithm based on the algorithms supported by the recipient."
// (OIDC Core §10.2)
// "If there are multiple keys in the referenced JWK Set document, a "kid" value MUST be provided in the JOSE Header."
// (OIDC Core §10.2)
// "When the message is both signed and encrypted, it MUST be signed first and then encrypted, per Section 16.14, with the
// result being a Nested JWT, as specified in [JWT]." (OIDC Core §10)
#[tokio::test]
async fn an_id_token_is_signed_and_then_encrypted_as_the_app_asked() {
    let server = Server::start().await;
    let ways = [
        (Curve::P256, KeyAlgorithm::EcdhEs, None),
        (Curve::P384, KeyAlgorithm::EcdhEsA128Kw, Some(ContentEncryption::A256CbcHs512)),
        (Curve::X25519, KeyAlgorithm::EcdhEsA256Kw, Some(ContentEncryption::A256Gcm)),
    ];
    for (curve, algorithm, encryption) in ways {
        let key = key(curve);
        let enc = encryption.map(|enc| format!("id_token_encrypted_response_enc = \"{enc}\"")).unwrap_or_default();
        declare(&server, key.jwk(), &format!("id_token_encrypted_response_alg = \"{algorithm}\"\n{enc}")).await;
        let portal = App::new(&server, "portal");
        let tokens = portal.tokens_with(&Person::new(&server), "openid email offline_access", &[]).await;
        let outside = header(tokens.id());
        // "If "id_token_encrypted_response_alg" is specified, the default "id_token_encrypted_response_enc" value is
        // "A128CBC-HS256"." (OIDC Registration §2)
        let encryption = encryption.unwrap_or(ContentEncryption::A128CbcHs256);
        assert_eq!((&outside["alg"], &outside["enc"]), (&json!(algorithm), &json!(encryption)));
        let (cty, inside) = opened(tokens.id(), &key);
        let claims = verified(&server, &inside).await;
        assert_eq!(
            (cty.as_deref(), &claims["aud"], &claims["nonce"]),
            (Some("JWT"), &json!(["portal"]), &json!("the-nonce"))
        );
        let refreshed = portal.refresh(tokens.refresh()).await.json();
        let (_, again) = opened(refreshed["id_token"].as_str().unwrap(), &key);
        assert_eq!(verified(&server, &again).await["sub"], claims["sub"]);
    }
}

// "If the UserInfo Response is signed and/or encrypted, then the Claims are returned in a JWT and the content-type MUST be
// "application/jwt". The response MAY be encrypted without also being signed." (OIDC Core §5.3.2)
// "If both signing and encryption are requested, the response MUST be signed then encrypted, with the result being a Nested
// JWT, as defined in [JWT]." (OIDC Core §5.3.2)
// "JWE [JWE] "alg" algorithm [JWA] REQUIRED for encrypting UserInfo Responses. ... JWE "enc" algorithm [JWA] REQUIRED for
// encrypting UserInfo Responses." (OIDC Registration §2)
#[tokio::test]
async fn userinfo_is_encrypted_alone_or_after_it_was_signed() {
    let (server, key) = (Server::start().await, key(Curve::P256));
    let encrypted = "userinfo_encrypted_response_alg = \"ECDH-ES\"\nuserinfo_encrypted_response_enc = \"A128GCM\"";
    for signed in [false, true] {
        let signature = if signed { "userinfo_signed_response_alg = \"EdDSA\"" } else { "" };
        declare(&server, key.jwk(), &format!("{encrypted}\n{signature}")).await;
        let portal = App::new(&server, "portal");
        let tokens = portal.tokens_with(&Person::new(&server), "openid email", &[]).await;
        let answer = portal.userinfo(tokens.access()).await;
        assert_eq!(answer.header("content-type"), Some("application/jwt"));
        let (cty, inside) = opened(&answer.body, &key);
        assert_eq!(cty.as_deref(), signed.then_some("JWT"));
        let claims = if signed { verified(&server, &inside).await } else { serde_json::from_str(&inside).unwrap() };
        // "The "iss" value MUST be the OP's Issuer Identifier URL. The "aud" value MUST be or include the RP's Client ID value."
        // (OIDC Core §5.3.2)
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(server.url), &json!("portal")));
        let subject = verified(&server, tokens.id()).await["sub"].clone();
        assert_eq!((&claims["email"], &claims["sub"]), (&json!("alice@example.com"), &subject));
    }
}

// "If the ID Token received by the RP from the OP is encrypted, to use it as an "id_token_hint", the Client MUST decrypt the signed ID
// Token contained within the encrypted ID Token." (OIDC Core §3.1.2.1)
#[tokio::test]
async fn an_encrypted_id_token_is_no_hint_and_the_one_inside_it_is() {
    let (server, key) = (Server::start().await, key(Curve::X25519));
    declare(&server, key.jwk(), "id_token_encrypted_response_alg = \"ECDH-ES\"").await;
    let (portal, person) = (App::new(&server, "portal"), Person::new(&server));
    let tokens = portal.tokens_with(&person, "openid", &[]).await;
    let (_, inside) = opened(tokens.id(), &key);
    let answered = async |hint: &str| {
        let url = portal.authorize_url("openid", &[("prompt", "none"), ("id_token_hint", hint)]);
        Answer::of(&person.open(url).await)
    };
    assert_eq!(answered(tokens.id()).await.param("error"), "invalid_request");
    assert_eq!(server.reason().await, "IdTokenHintEncrypted");
    assert!(answered(&inside).await.has("code"));
    let sign_out = async |hint: &str| {
        person.get(address(&server, &[("id_token_hint", hint), ("post_logout_redirect_uri", OUT)])).await
    };
    assert_eq!(sign_out(tokens.id()).await.name(), "end-session");
    assert_eq!(sign_out(&inside).await.location().map(String::from).as_deref(), Some(OUT));
}

// "The public key to which the content was encrypted MUST be a public key used for encryption published by the recipient in
// its JWK Set document." (OIDC Core §10.2)
// "The other public key used for the key agreement computation MUST be a public key published by the recipient in its JWK
// Set document." (OIDC Core §10.2)
#[tokio::test]
async fn an_app_that_publishes_its_keys_gets_answers_encrypted_to_them() {
    let key = key(Curve::P256);
    let site = Lists::start(&[("/keys", json!({ "keys": [key.jwk()] }).to_string())]);
    let server = Server::start_with(tls::trusting).await;
    let members = "id_token_encrypted_response_alg = \"ECDH-ES\"\nuserinfo_encrypted_response_alg = \"ECDH-ES\"";
    declare_with(&server, &format!("jwks_uri = \"{}/keys\"", site.url), members).await;
    let portal = App::new(&server, "portal");
    let tokens = portal.tokens_with(&Person::new(&server), "openid offline_access", &[]).await;
    let (_, inside) = opened(tokens.id(), &key);
    let (_, told) = opened(&portal.userinfo(tokens.access()).await.body, &key);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(verified(&server, &inside).await["sub"], told["sub"]);
    // An address that gives none gives no plain answers either.
    declare_with(&server, &format!("jwks_uri = \"{}/nothing\"", site.url), members).await;
    assert_eq!(portal.refresh(tokens.refresh()).await.brief(), "400 invalid_request");
    assert_eq!(portal.userinfo(tokens.access()).await.brief(), "400 invalid_request");
    assert_eq!(server.reason().await, "EncryptionKeyMissing");
}

/// Takes the key of the app away, past every check: as if the address that it was read from were away.
async fn lose_keys(server: &Server) {
    let store = &server.app.provider.store;
    let mut client = store.directory().client("portal").unwrap().as_ref().clone();
    client.metadata = ClientMetadata { jwks: None, ..client.metadata };
    store.commit(vec![Change::ClientPut(Box::new(client))]).await.unwrap();
}

#[tokio::test]
async fn without_a_key_there_is_no_answer_rather_than_a_plain_one() {
    let (server, key) = (Server::start().await, key(Curve::P256));
    let both = "id_token_encrypted_response_alg = \"ECDH-ES\"\nuserinfo_encrypted_response_alg = \"ECDH-ES\"";
    declare(&server, key.jwk(), both).await;
    let (portal, person) = (App::new(&server, "portal"), Person::new(&server));
    let tokens = portal.tokens_with(&person, "openid offline_access", &[]).await;
    let code = portal.approved_with(&person, "openid", &[]).await.param("code");
    lose_keys(&server).await;
    assert_eq!(portal.redeem(&code).await.brief(), "400 invalid_request");
    assert_eq!(server.reason().await, "EncryptionKeyMissing");
    assert_eq!(portal.refresh(tokens.refresh()).await.brief(), "400 invalid_request");
    assert_eq!(portal.userinfo(tokens.access()).await.brief(), "400 invalid_request");
    // Nothing was spent for it.
    declare(&server, key.jwk(), both).await;
    assert!(portal.redeem(&code).await.json()["id_token"].is_string());
    assert!(portal.refresh(tokens.refresh()).await.json()["id_token"].is_string());
}
