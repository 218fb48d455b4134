//! Reading a private JWK (RFC 7518 §6.2.2 and §6.3.2, RFC 8037 §2), as PKCS#8.

use rsa::BigUint;
use rsa::pkcs8::EncodePrivateKey;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::KeyError;
use crate::algorithm::Algorithm;
use crate::base64url;
use crate::jwk::JwkError;
use crate::pkcs8;
use crate::secret::SecretText;

#[derive(Deserialize)]
struct PrivateJwk {
    kty: String,
    crv: Option<String>,
    alg: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<SecretText>,
    p: Option<SecretText>,
    q: Option<SecretText>,
}

/// The PKCS#8 document of a private JWK for `algorithm`. That its halves belong together is checked when the document is read.
pub(super) fn to_pkcs8(algorithm: Algorithm, json: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    // The parser's own words may contain parts of the key, so they are not passed on.
    let jwk: PrivateJwk = serde_json::from_str(json).map_err(|_| JwkError::Member("kty"))?;
    if jwk.alg.as_deref().is_some_and(|alg| alg != algorithm.as_str()) {
        return Err(JwkError::Member("alg").into());
    }
    match (algorithm, jwk.kty.as_str(), jwk.crv.as_deref()) {
        (Algorithm::Es256, "EC", Some("P-256")) => {
            Ok(pkcs8::p256(&*private("d", jwk.d.as_ref())?, &point::<32, 65>(jwk.x.as_deref(), jwk.y.as_deref())?))
        }
        (Algorithm::Es384, "EC", Some("P-384")) => {
            Ok(pkcs8::p384(&*private("d", jwk.d.as_ref())?, &point::<48, 97>(jwk.x.as_deref(), jwk.y.as_deref())?))
        }
        (Algorithm::EdDsa, "OKP", Some("Ed25519")) => {
            Ok(pkcs8::ed25519(&*private("d", jwk.d.as_ref())?, &public("x", jwk.x.as_deref())?))
        }
        (Algorithm::Rs256 | Algorithm::Ps256, "RSA", _) => rsa(&jwk),
        _ => Err(JwkError::Unsupported.into()),
    }
}

fn rsa(jwk: &PrivateJwk) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let public = |name, text: &Option<String>| number(name, text.as_deref());
    let secret = |name, text: &Option<SecretText>| number(name, text.as_ref().map(SecretText::expose));
    let primes = vec![secret("p", &jwk.p)?, secret("q", &jwk.q)?];
    let key =
        rsa::RsaPrivateKey::from_components(public("n", &jwk.n)?, public("e", &jwk.e)?, secret("d", &jwk.d)?, primes)
            .map_err(|_| JwkError::Member("n"))?;
    Ok(key.to_pkcs8_der().map_err(|_| JwkError::Member("n"))?.to_bytes())
}

fn number(name: &'static str, text: Option<&str>) -> Result<BigUint, JwkError> {
    let bytes = text.and_then(base64url::decode).map(Zeroizing::new).ok_or(JwkError::Member(name))?;
    // 4096 bits are the most that ring signs with.
    if bytes.len() > 513 { Err(JwkError::RsaSize) } else { Ok(BigUint::from_bytes_be(&bytes)) }
}

fn private<const N: usize>(name: &'static str, text: Option<&SecretText>) -> Result<Zeroizing<[u8; N]>, JwkError> {
    public(name, text.map(SecretText::expose)).map(Zeroizing::new)
}

fn public<const N: usize>(name: &'static str, text: Option<&str>) -> Result<[u8; N], JwkError> {
    text.and_then(base64url::decode_array).ok_or(JwkError::Member(name))
}

fn point<const HALF: usize, const WHOLE: usize>(x: Option<&str>, y: Option<&str>) -> Result<[u8; WHOLE], JwkError> {
    let mut point = [4; WHOLE];
    point[1..=HALF].copy_from_slice(&public::<HALF>("x", x)?);
    point[1 + HALF..].copy_from_slice(&public::<HALF>("y", y)?);
    Ok(point)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::SigningKey;
    use super::*;
    use proptest::prelude::*;

    // RFC 7515 §A.3.1
    const ES256: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
    // RFC 8037 §A.1
    const EDDSA: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    #[test]
    fn private_keys_of_the_standards_are_read() {
        let key = SigningKey::from_private_jwk(Algorithm::Es256, ES256).unwrap();
        assert!(serde_json::to_string(key.jwk()).unwrap().contains("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"));
        assert_eq!(SigningKey::from_pkcs8(Algorithm::Es256, &key.to_pkcs8()).unwrap().jwk(), key.jwk());
        let key = SigningKey::from_private_jwk(Algorithm::EdDsa, EDDSA).unwrap();
        assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn an_rsa_key_comes_back_from_its_numbers() {
        use rsa::pkcs8::DecodePrivateKey;
        use rsa::traits::{PrivateKeyParts, PublicKeyParts};
        let key = crate::key::tests::sample(Algorithm::Ps256);
        let parts = rsa::RsaPrivateKey::from_pkcs8_der(&key.to_pkcs8()).unwrap();
        let text = |number: &BigUint| base64url::encode(&number.to_bytes_be());
        let json = serde_json::json!({"kty": "RSA", "n": text(parts.n()), "e": text(parts.e()), "d": text(parts.d()),
            "p": text(&parts.primes()[0]), "q": text(&parts.primes()[1])});
        let again = SigningKey::from_private_jwk(Algorithm::Ps256, &json.to_string()).unwrap();
        assert_eq!(again.jwk(), key.jwk());
    }

    #[test]
    fn halves_that_do_not_belong_together_and_other_algorithms_are_refused() {
        let mixed = ES256.replace("jpsQnnGQ", "jpsQnnGR");
        assert!(matches!(SigningKey::from_private_jwk(Algorithm::Es256, &mixed), Err(KeyError::Rejected { .. })));
        let mixed = EDDSA.replace("nWGxne", "nWGxnf");
        assert!(matches!(SigningKey::from_private_jwk(Algorithm::EdDsa, &mixed), Err(KeyError::Rejected { .. })));
        assert_eq!(
            SigningKey::from_private_jwk(Algorithm::EdDsa, ES256).unwrap_err(),
            KeyError::Jwk(JwkError::Unsupported)
        );
    }

    proptest! {
        #[test]
        fn any_text_is_a_key_or_refused(text in r#"(\{|\}|"kty":|"RSA"|"EC"|"crv":|"P-256"|"n":|"d":|"p":|"AQAB"|,){0,16}"#) {
            for algorithm in Algorithm::ALL {
                let _ = SigningKey::from_private_jwk(*algorithm, &text);
            }
        }
    }
}
