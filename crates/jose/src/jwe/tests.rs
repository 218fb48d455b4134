#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use rsa::pkcs8::DecodePrivateKey;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::algorithm::Algorithm;
use crate::base64url;
use crate::jwk::{Jwk, JwkSet};
use crate::key::tests::sample;
use crate::random::Random;

fn ours(curve: Curve) -> DecryptionKey {
    DecryptionKey::generate(curve, &Random::seeded(1)).unwrap()
}

fn to(algorithm: KeyAlgorithm, encryption: ContentEncryption, key: &Jwk) -> Recipient<'_> {
    Recipient { algorithm, encryption, key }
}

fn encrypted(key: &DecryptionKey, algorithm: KeyAlgorithm, encryption: ContentEncryption, text: &[u8]) -> String {
    encrypt(text, Content::Token, &to(algorithm, encryption, key.jwk()), &Random::new()).unwrap()
}

/// A token whose header says something else, and is authenticated all the same where that needs no secret.
fn with_header(token: &str, change: impl FnOnce(&mut Value)) -> String {
    let (header, rest) = token.split_once('.').unwrap();
    let mut header: Value = serde_json::from_slice(&base64url::decode(header).unwrap()).unwrap();
    change(&mut header);
    format!("{}.{rest}", base64url::encode(header.to_string().as_bytes()))
}

#[test]
fn what_is_encrypted_to_us_is_decrypted_with_each_curve_and_algorithm() {
    for curve in Curve::ALL {
        let key = ours(*curve);
        for (algorithm, encryption) in
            KeyAlgorithm::TO_US.iter().flat_map(|one| ContentEncryption::ALL.iter().map(move |two| (*one, *two)))
        {
            let token = encrypted(&key, algorithm, encryption, b"claims");
            let decrypted = decrypt(&token, &[&key]).unwrap();
            assert_eq!(&decrypted.plaintext[..], b"claims");
            assert_eq!(
                (decrypted.algorithm, decrypted.encryption, decrypted.cty.as_deref()),
                (algorithm, encryption, Some("JWT"))
            );
            assert!(is_encrypted(&token));
        }
    }
}

#[test]
fn what_is_encrypted_to_an_rsa_key_reaches_its_owner_and_is_never_decrypted_here() {
    let owner = sample(Algorithm::Rs256);
    let mut jwk = serde_json::to_value(owner.jwk()).unwrap();
    (jwk["alg"], jwk["use"]) = (json!("RSA-OAEP-256"), json!("enc"));
    let jwk: Jwk = serde_json::from_value(jwk).unwrap();
    let recipient = to(KeyAlgorithm::RsaOaep256, ContentEncryption::A256Gcm, &jwk);
    let token = encrypt(b"claims", Content::Claims, &recipient, &Random::new()).unwrap();
    let wrapped = base64url::decode(token.split('.').nth(1).unwrap()).unwrap();
    let private = rsa::RsaPrivateKey::from_pkcs8_der(&owner.to_pkcs8()).unwrap();
    let cek = private.decrypt(rsa::Oaep::new::<rsa::sha2::Sha256>(), &wrapped).unwrap();
    assert_eq!(cek.len(), 32);
    assert_eq!(decrypt(&token, &[&ours(Curve::P256)]).unwrap_err(), DecryptError::AlgorithmNotAllowed);
}

#[derive(Deserialize)]
struct Made {
    crv: String,
    d: String,
    tokens: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    alg: KeyAlgorithm,
    enc: ContentEncryption,
    token: String,
}

#[test]
fn what_joserfc_encrypted_is_decrypted() {
    let made: Vec<Made> = serde_json::from_str(include_str!("joserfc.json")).unwrap();
    for Made { crv, d, tokens } in made {
        let curve = match crv.as_str() {
            "P-256" => Curve::P256,
            "P-384" => Curve::P384,
            _ => Curve::X25519,
        };
        let key = DecryptionKey::from_bytes(curve, &base64url::decode(&d).unwrap()).unwrap();
        for One { alg, enc, token } in &tokens {
            let decrypted = decrypt(token, &[&key]).unwrap();
            assert_eq!(*decrypted.plaintext, format!("{alg} {enc} {crv}").into_bytes());
        }
        assert_eq!(tokens.len(), 12);
    }
}

#[test]
fn a_derived_key_is_the_same_again_and_another_for_each_curve() {
    let key = crate::mac::MacKey::new([3; 32]);
    for curve in Curve::ALL {
        let one = DecryptionKey::derive(*curve, &key).unwrap();
        assert_eq!(one.jwk(), DecryptionKey::derive(*curve, &key).unwrap().jwk());
        assert_eq!(one.jwk(), DecryptionKey::from_bytes(*curve, &one.to_bytes()).unwrap().jwk());
        assert_eq!(serde_json::to_value(one.jwk()).unwrap()["use"], "enc");
        assert!(format!("{one:?}").ends_with("[redacted])"));
    }
    let bytes = |curve| DecryptionKey::derive(curve, &key).unwrap().to_bytes();
    assert_ne!(bytes(Curve::P256), bytes(Curve::X25519));
}

#[test]
fn compression_extensions_passwords_and_unknown_algorithms_are_refused() {
    let key = ours(Curve::P256);
    let token = encrypted(&key, KeyAlgorithm::EcdhEs, ContentEncryption::A128Gcm, b"x");
    let refusal = |member: &str, value: Value| {
        decrypt(&with_header(&token, |header| header[member] = value), &[&key]).unwrap_err()
    };
    assert_eq!(refusal("zip", json!("DEF")), DecryptError::Compressed);
    assert_eq!(refusal("zip", Value::Null), DecryptError::Compressed);
    assert_eq!(refusal("crit", json!([])), DecryptError::CriticalExtension);
    for alg in ["none", "dir", "RSA1_5", "RSA-OAEP", "RSA-OAEP-256", "PBES2-HS256+A128KW", "A128GCMKW", "ECDH-1PU"] {
        assert_eq!(refusal("alg", json!(alg)), DecryptError::AlgorithmNotAllowed, "{alg}");
    }
    assert_eq!(refusal("enc", json!("A192GCM")), DecryptError::AlgorithmNotAllowed);
    assert_eq!(refusal("alg", json!(1)), DecryptError::HeaderInvalid);
    assert_eq!(refusal("p2c", json!(i64::MAX)), DecryptError::Undecryptable);
}

#[test]
fn points_off_the_curve_and_of_small_order_are_refused_like_anything_else() {
    let refusal = |curve: Curve, epk: Value| {
        let key = ours(curve);
        let token = encrypted(&key, KeyAlgorithm::EcdhEsA256Kw, ContentEncryption::A128CbcHs256, b"x");
        decrypt(&with_header(&token, |header| header["epk"] = epk), &[&key]).unwrap_err()
    };
    let half = base64url::encode(&[5; 32]);
    let zero = base64url::encode(&[0; 32]);
    let off = json!({"kty": "EC", "crv": "P-256", "x": half, "y": half});
    assert_eq!(refusal(Curve::P256, off.clone()), DecryptError::Undecryptable);
    assert_eq!(refusal(Curve::X25519, off), DecryptError::Undecryptable);
    let small = json!({"kty": "OKP", "crv": "X25519", "x": zero});
    assert_eq!(refusal(Curve::X25519, small.clone()), DecryptError::Undecryptable);
    assert_eq!(refusal(Curve::P256, json!(null)), DecryptError::Undecryptable);
    assert_eq!(refusal(Curve::P256, json!({"kty": "oct", "k": "AA"})), DecryptError::HeaderInvalid);
    let small: Jwk = serde_json::from_value(small).unwrap();
    assert!(!small.supports_encryption(KeyAlgorithm::EcdhEs));
    let recipient = to(KeyAlgorithm::EcdhEs, ContentEncryption::A128Gcm, &small);
    let refused = encrypt(b"x", Content::Claims, &recipient, &Random::new());
    assert_eq!(refused.unwrap_err(), EncryptError::KeyUnfit(KeyAlgorithm::EcdhEs));
}

#[test]
fn the_parties_count_and_must_differ() {
    let key = ours(Curve::P256);
    let token = encrypted(&key, KeyAlgorithm::EcdhEs, ContentEncryption::A128Gcm, b"x");
    for (apu, apv) in [("QWxpY2U", "Qm9i"), ("QWxpY2U", "QWxpY2U"), ("A", "Qm9i"), (&*"A".repeat(1000), "Qm9i")] {
        let token = with_header(&token, |header| (header["apu"], header["apv"]) = (json!(apu), json!(apv)));
        assert_eq!(decrypt(&token, &[&key]).unwrap_err(), DecryptError::Undecryptable);
    }
}

#[test]
fn the_form_is_measured_before_it_is_read() {
    let key = ours(Curve::P256);
    let refusal = |text: &str| decrypt(text, &[&key]).unwrap_err();
    assert_eq!(refusal(&"a".repeat(MAX_ENCRYPTED + 1)), DecryptError::TokenTooLong);
    assert_eq!(refusal("a.b.c"), DecryptError::PartCount);
    assert_eq!(refusal("a.b.c.d.e.f"), DecryptError::PartCount);
    assert_eq!(refusal(&format!("{}.b.c.d.e", "a".repeat(9000))), DecryptError::HeaderInvalid);
    assert_eq!(refusal("e30.b.c.d.e"), DecryptError::HeaderInvalid);
    let twice = base64url::encode(br#"{"alg":"ECDH-ES","alg":"ECDH-ES","enc":"A128GCM"}"#);
    assert_eq!(refusal(&format!("{twice}....")), DecryptError::HeaderInvalid);
}

#[test]
fn a_direct_agreement_carries_no_key_and_a_wrapped_one_has_the_right_length() {
    let key = ours(Curve::P256);
    let refused = |algorithm: KeyAlgorithm, wrapped: &[u8]| {
        let token = encrypted(&key, algorithm, ContentEncryption::A128Gcm, b"x");
        let mut parts: Vec<&str> = token.split('.').collect();
        let wrapped = base64url::encode(wrapped);
        parts[1] = &wrapped;
        decrypt(&parts.join("."), &[&key]).unwrap_err() == DecryptError::Undecryptable
    };
    assert!(refused(KeyAlgorithm::EcdhEs, &[1; 24]));
    for length in [0, 8, 16, 23, 24, 40, 200] {
        assert!(refused(KeyAlgorithm::EcdhEsA128Kw, &vec![7; length]));
    }
    // A key of another length than that of `enc`, properly wrapped.
    let token = encrypted(&key, KeyAlgorithm::EcdhEsA128Kw, ContentEncryption::A128Gcm, b"x");
    let token = with_header(&token, |header| header["enc"] = json!("A256GCM"));
    assert_eq!(decrypt(&token, &[&key]).unwrap_err(), DecryptError::Undecryptable);
}

#[test]
fn the_key_that_is_named_is_used_and_all_are_tried_where_none_is() {
    let (one, two) = (ours(Curve::P256), DecryptionKey::generate(Curve::P256, &Random::seeded(2)).unwrap());
    let token = encrypted(&two, KeyAlgorithm::EcdhEs, ContentEncryption::A128Gcm, b"x");
    assert!(decrypt(&token, &[&one, &two]).is_ok());
    assert_eq!(decrypt(&token, &[&one]).unwrap_err(), DecryptError::Undecryptable);
    assert_eq!(decrypt(&token, &[]).unwrap_err(), DecryptError::Undecryptable);
    let mut bare = serde_json::to_value(two.jwk()).unwrap();
    bare.as_object_mut().unwrap().remove("kid");
    let bare: Jwk = serde_json::from_value(bare).unwrap();
    let recipient = to(KeyAlgorithm::EcdhEs, ContentEncryption::A128Gcm, &bare);
    let token = encrypt(b"x", Content::Claims, &recipient, &Random::new()).unwrap();
    assert!(decrypt(&token, &[&one, &two]).is_ok());
}

// "The key usage of the respective keys MUST include encryption." (OIDC Core §10.2)
// "The key usage of the respective keys MUST support encryption." (OIDC Core §10.2)
#[test]
fn a_clients_key_is_chosen_by_use_alg_and_type() {
    let key = |seed: u64, more: Value| {
        let key = DecryptionKey::generate(Curve::P256, &Random::seeded(seed)).unwrap();
        let mut jwk = serde_json::to_value(key.jwk()).unwrap();
        jwk.as_object_mut().unwrap().remove("use");
        jwk.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
        jwk
    };
    let chosen = |keys: Value, algorithm: KeyAlgorithm| {
        let set: JwkSet = serde_json::from_value(json!({"keys": keys})).unwrap();
        set.encryption_key(algorithm).and_then(Jwk::kid).map(str::to_owned)
    };
    let sig = key(1, json!({"kid": "sig", "use": "sig"}));
    let any = key(2, json!({"kid": "any"}));
    let enc = key(3, json!({"kid": "enc", "use": "enc"}));
    let es256 = key(4, json!({"kid": "es256", "alg": "ES256"}));
    let kw = key(5, json!({"kid": "kw", "use": "enc", "alg": "ECDH-ES+A128KW"}));
    let ecdh = KeyAlgorithm::EcdhEs;
    assert_eq!(chosen(json!([sig, any, enc]), ecdh).as_deref(), Some("enc"));
    assert_eq!(chosen(json!([sig, es256, any]), ecdh).as_deref(), Some("any"));
    assert_eq!(chosen(json!([sig, es256, kw]), ecdh), None);
    assert_eq!(chosen(json!([kw]), KeyAlgorithm::EcdhEsA128Kw).as_deref(), Some("kw"));
    assert_eq!(chosen(json!([any, enc]), KeyAlgorithm::RsaOaep256), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_comes_back(
        text in any::<Vec<u8>>(), curve in prop::sample::select(Curve::ALL),
        algorithm in prop::sample::select(KeyAlgorithm::TO_US), encryption in prop::sample::select(ContentEncryption::ALL),
    ) {
        let key = ours(curve);
        let decrypted = decrypt(&encrypted(&key, algorithm, encryption, &text), &[&key]).unwrap();
        prop_assert_eq!(&*decrypted.plaintext, &text);
    }

    #[test]
    fn a_changed_token_is_never_accepted(
        place in any::<prop::sample::Index>(), letter in "[A-Za-z0-9_.-]",
        algorithm in prop::sample::select(KeyAlgorithm::TO_US), encryption in prop::sample::select(ContentEncryption::ALL),
    ) {
        let key = ours(Curve::P256);
        let token = encrypted(&key, algorithm, encryption, b"some claims of a signed token");
        let mut changed: Vec<char> = token.chars().collect();
        let place = place.index(changed.len());
        changed[place] = letter.chars().next().unwrap();
        let changed: String = changed.into_iter().collect();
        prop_assert!(changed == token || decrypt(&changed, &[&key]).is_err());
        prop_assert!(decrypt(&token[..place], &[&key]).is_err());
    }

    #[test]
    fn any_text_is_decrypted_or_refused(text in r"[A-Za-z0-9_-]{0,40}(\.[A-Za-z0-9_-]{0,40}){0,6}", header in r#"(\{|\}|"alg":|"ECDH-ES"|"enc":|"A128GCM"|"epk":|"kty":|"EC"|,|1){0,16}"#) {
        let key = ours(Curve::P256);
        let _ = decrypt(&text, &[&key]);
        let _ = decrypt(&format!("{}.{text}", base64url::encode(header.as_bytes())), &[&key]);
    }
}
