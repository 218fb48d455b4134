//! Request objects that are encrypted to the server (OIDC Core §6.3.1): nobody else reads them, and they are signed all the same.

use grantor_core::store::Store;
use grantor_jose::algorithm::Algorithm;
use grantor_jose::jwe::{Content, ContentEncryption, Curve, DecryptionKey, KeyAlgorithm, Recipient, encrypt};
use grantor_jose::jwk::{Jwk, JwkSet};
use grantor_jose::random::Random;

use super::keys::jwks;
use super::request_object::{FOREIGN_KEY, asks, declare, object, object_of};
use crate::harness::app::Answer;
use crate::harness::person::Person;
use crate::harness::server::Server;

/// The key in the key set that is to encrypt to.
async fn key(server: &Server) -> Jwk {
    let keys: JwkSet = serde_json::from_value(jwks(server).await).unwrap();
    keys.encryption_key(KeyAlgorithm::EcdhEs).unwrap().clone()
}

fn encrypted_as(text: &str, key: &Jwk, ways: (KeyAlgorithm, ContentEncryption), content: Content) -> String {
    let recipient = Recipient { algorithm: ways.0, encryption: ways.1, key };
    encrypt(text.as_bytes(), content, &recipient, &Random::new()).unwrap()
}

fn encrypted(text: &str, key: &Jwk) -> String {
    encrypted_as(text, key, (KeyAlgorithm::EcdhEsA128Kw, ContentEncryption::A256Gcm), Content::Token)
}

/// What comes of an object: `code`, or the reason of the error.
async fn fate(server: &Server, person: &Person, object: &str, client_id: &str) -> String {
    let page = asks(server, person, object, &[("client_id", client_id)]).await;
    let answer = Answer::of(&person.approve(page).await);
    if answer.has("code") {
        return "code".into();
    }
    assert_eq!(answer.param("error"), "invalid_request_object");
    server.reason().await
}

// "The Authorization Server MUST decrypt the JWT in accordance with the JSON Web Encryption [JWE] specification." (OIDC Core §6.3.1)
#[tokio::test]
async fn an_object_may_be_encrypted_in_each_way_that_the_metadata_list() {
    let server = Server::start().await;
    let (person, key) = (Person::new(&server), key(&server).await);
    let metadata = person.get("/.well-known/openid-configuration").await.json();
    let listed = |name: &str| metadata[format!("request_object_encryption_{name}_values_supported")].clone();
    let algorithms: Vec<KeyAlgorithm> = serde_json::from_value(listed("alg")).unwrap();
    let encryptions: Vec<ContentEncryption> = serde_json::from_value(listed("enc")).unwrap();
    assert_eq!((algorithms.len(), encryptions.len()), (3, 4));
    for algorithm in algorithms {
        for encryption in &encryptions {
            let inside = object(&server, "openid").signed();
            let asked = encrypted_as(&inside, &key, (algorithm, *encryption), Content::Token);
            assert_eq!(fate(&server, &person, &asked, "signed").await, "code", "{algorithm} {encryption}");
        }
    }
}

// "The Authorization Server MUST return an error if decryption fails." (OIDC Core §6.3.1)
#[tokio::test]
async fn all_that_cannot_be_decrypted_has_one_error() {
    let server = Server::start().await;
    let (person, key) = (Person::new(&server), key(&server).await);
    let inside = object(&server, "openid").signed();
    let good = encrypted(&inside, &key);
    let altered = |part: usize| {
        let mut parts: Vec<String> = good.split('.').map(str::to_owned).collect();
        let first = if parts[part].starts_with('A') { "B" } else { "A" };
        parts[part].replace_range(..1, first);
        parts.join(".")
    };
    let other = DecryptionKey::generate(Curve::P256, &Random::new()).unwrap();
    let direct = (KeyAlgorithm::EcdhEs, ContentEncryption::A128CbcHs256);
    let mut wrong: Vec<String> = (0..5).map(altered).collect();
    wrong.push(encrypted(&inside, other.jwk()));
    wrong.push(encrypted_as(&inside, &key, direct, Content::Claims));
    wrong.push("a.b.c.d.e".to_owned());
    wrong.push("....".to_owned());
    wrong.push("eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMTI4R0NNIn0.a.a.a.a".to_owned());
    let mut told = Vec::new();
    for asked in wrong {
        let answer = Answer::of(&asks(&server, &person, &asked, &[]).await);
        told.push((answer.param("error"), answer.param("error_description"), server.reason().await));
    }
    assert_eq!((told[0].0.as_str(), told[0].2.as_str()), ("invalid_request_object", "RequestObjectUndecryptable"));
    assert!(told.iter().all(|answer| *answer == told[0]), "{told:?}");
}

// "The result MAY be either a signed or unsigned (unsecured) Request Object. In the former case, signature validation MUST be
// performed as defined in Section 6.3.2." (OIDC Core §6.3.1)
#[tokio::test]
async fn the_signature_inside_counts_as_it_would_outside() {
    let server = Server::start().await;
    let (person, key) = (Person::new(&server), key(&server).await);
    for (client_id, members) in [
        ("rs", "request_object_signing_alg = \"RS256\""),
        ("unsecured", "request_object_signing_alg = \"none\""),
        ("jar", "require_signed_request_object = true\nrequest_object_encryption_alg = \"ECDH-ES\""),
    ] {
        declare(&server, client_id, members).await;
    }
    let none = |client_id: &str| format!("{}.", object_of(&server, client_id).header("alg", "none").unsigned());
    let twice = encrypted(&object(&server, "openid").signed(), &key);
    for (client_id, inside, expected) in [
        ("signed", object(&server, "openid").signed_with(FOREIGN_KEY), "RequestObjectSignature"),
        ("signed", none("signed"), "RequestObjectAlgorithm"),
        ("signed", twice, "RequestObjectInvalid"),
        ("signed", r#"{"client_id":"signed"}"#.to_owned(), "RequestObjectInvalid"),
        ("rs", object_of(&server, "rs").signed(), "RequestObjectAlgorithm"),
        ("jar", none("jar"), "RequestObjectAlgorithm"),
        ("jar", object_of(&server, "jar").signed(), "code"),
        ("unsecured", object_of(&server, "unsecured").signed(), "RequestObjectInvalid"),
        ("unsecured", none("unsecured"), "code"),
    ] {
        let asked = encrypted(&inside, &key);
        assert_eq!(fate(&server, &person, &asked, client_id).await, expected, "{client_id}: {inside}");
    }
}

#[tokio::test]
async fn the_key_to_encrypt_to_is_no_key_of_signatures() {
    let server = Server::start().await;
    let key = key(&server).await;
    assert!(Algorithm::ALL.iter().all(|algorithm| !key.supports(*algorithm)));
    assert!(server.database.directory().keys.keys.iter().all(|record| Some(record.key.kid()) != key.kid()));
}
