//! ID tokens that ring signs are verified by the client side of `openidconnect`, whose keys are independent code.

use openidconnect::core::{CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJsonWebKey, CoreJsonWebKeySet};
use openidconnect::{
    AccessToken, AccessTokenHash, Audience, ClientId, EmptyAdditionalClaims, IssuerUrl, JsonWebKeySet, Nonce,
    StandardClaims, SubjectIdentifier,
};

use super::*;
use crate::jwk::JwkSet;
use crate::key::tests::samples;
use crate::key::{SigningKey, Typ};

fn issuer() -> IssuerUrl {
    IssuerUrl::new("https://id.example".into()).unwrap()
}

fn client() -> ClientId {
    ClientId::new("wiki".into())
}

#[expect(clippy::disallowed_methods, reason = "openidconnect's verifier reads the clock")]
fn id_token(key: &SigningKey, access_token: &AccessToken) -> CoreIdToken {
    let now = std::time::SystemTime::now();
    let claims = CoreIdTokenClaims::new(
        issuer(),
        vec![Audience::new("wiki".into())],
        (now + std::time::Duration::from_mins(1)).into(),
        now.into(),
        StandardClaims::new(SubjectIdentifier::new("alice".into())),
        EmptyAdditionalClaims {},
    )
    .set_nonce(Some(Nonce::new("n".into())));
    CoreIdToken::new(claims, key, key.algorithm().into(), Some(access_token), None).unwrap()
}

#[test]
fn our_id_tokens_are_verified_by_independent_code() {
    let set = JwkSet { keys: samples().iter().map(|key| key.jwk().clone()).collect() };
    let theirs: CoreJsonWebKeySet = serde_json::from_str(&serde_json::to_string(&set).unwrap()).unwrap();
    assert_eq!(theirs.keys().len(), samples().len());
    let access_token = AccessToken::new("an access token".into());
    for key in samples() {
        let algorithm = CoreJwsSigningAlgorithm::from(key.algorithm());
        let token = id_token(key, &access_token);
        let verifier = CoreIdTokenVerifier::new_public_client(client(), issuer(), theirs.clone())
            .set_allowed_algs([algorithm.clone()]);
        let claims = token.claims(&verifier, &Nonce::new("n".into())).unwrap();
        let their_key = theirs.keys().iter().find(|their| their.key_id() == key.jwk().key_id()).unwrap();
        let expected = AccessTokenHash::from_token(&access_token, &algorithm, their_key).unwrap();
        assert_eq!(claims.access_token_hash(), Some(&expected));
        assert_eq!(expected.as_str(), hash::left_half_hash(key.algorithm(), access_token.secret()));
        let altered: CoreIdToken = alter(&token.to_string()).parse().unwrap();
        assert!(altered.claims(&verifier, &Nonce::new("n".into())).is_err());
    }
}

/// Another signature of the same length.
fn alter(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{signed}.{other}{}", &signature[1..])
}

#[test]
fn our_compact_tokens_are_verified_by_independent_keys() {
    for key in samples() {
        let token = key.sign_compact(Typ::AtJwt, &serde_json::json!({"sub": "alice"})).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let their: CoreJsonWebKey = serde_json::from_value(serde_json::to_value(key.jwk()).unwrap()).unwrap();
        let signature = crate::base64url::decode(signature).unwrap();
        let algorithm = CoreJwsSigningAlgorithm::from(key.algorithm());
        assert!(their.verify_signature(&algorithm, signed.as_bytes(), &signature).is_ok(), "{key:?}");
    }
}

#[test]
fn our_keys_serve_their_client_side() {
    let set = JsonWebKeySet::new(samples().iter().map(|key| key.jwk().clone()).collect());
    let read: JsonWebKeySet<Jwk> = serde_json::from_str(&serde_json::to_string(&set).unwrap()).unwrap();
    assert_eq!(read, set);
    for key in samples() {
        let signature = PrivateSigningKey::sign(key, core_algorithm(key.algorithm()), b"m").unwrap();
        assert!(key.jwk().verify_signature(core_algorithm(key.algorithm()), b"m", &signature).is_ok());
        assert!(PrivateSigningKey::sign(key, &CoreJwsSigningAlgorithm::HmacSha256, b"m").is_err());
    }
}

#[test]
fn a_symmetric_key_verifies_nothing() {
    let key = Jwk::new_symmetric(b"secret".to_vec());
    assert!(Algorithm::ALL.iter().all(|algorithm| !key.supports(*algorithm)));
    assert!(key.verify_signature(&CoreJwsSigningAlgorithm::HmacSha256, b"m", &[0; 32]).is_err());
    assert!(key.verify_signature(&CoreJwsSigningAlgorithm::None, b"m", &[]).is_err());
    assert!(key.hash_bytes(b"m", &CoreJwsSigningAlgorithm::EdDsa).is_err());
}
