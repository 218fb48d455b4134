//! Public keys as others read and write them (RFC 7517, RFC 7518 §6, RFC 8037 §2, RFC 7638).

use std::fmt::Write as _;

use openidconnect::JsonWebKeyId;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Serialize;

use crate::algorithm::Algorithm;
use crate::base64url;
use crate::hash;
use crate::jwe::KeyAlgorithm;

mod read;
mod set;

pub use read::JwkError;
pub use set::{JwkSet, MAX_KEYS};

/// The `use` of a key that one encrypts to.
const ENCRYPTION: &str = "enc";

/// A public key, for signatures or to encrypt to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    pub(crate) kid: Option<JsonWebKeyId>,
    pub(crate) alg: Alg,
    pub(crate) key_use: KeyUse,
    pub(crate) material: Material,
}

/// The `alg` of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Alg {
    /// Not said: any algorithm of the key's type.
    Any,
    /// This one only.
    Only(Algorithm),
    /// One that we do not know; the key is good for nothing here.
    Unknown(String),
}

/// The `use` of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyUse {
    /// Not said.
    Any,
    /// `sig`
    Signature,
    /// `enc`, or anything else, for which the key is good for nothing here.
    Other(String),
}

/// The numbers of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Material {
    /// An Ed25519 key.
    Ed25519([u8; 32]),
    /// A point on P-256: `04`, x, y.
    P256([u8; 65]),
    /// A point on P-384: `04`, x, y.
    P384([u8; 97]),
    /// An X25519 key, to agree on keys with.
    X25519([u8; 32]),
    /// Modulus and exponent, big-endian without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

impl Jwk {
    /// The public half of a signing key: for this algorithm only, `use` `sig`, `kid` its thumbprint.
    // "each key MUST be used with exactly one algorithm" (RFC 8725 §3.1)
    pub(crate) fn for_signing(algorithm: Algorithm, material: Material) -> Self {
        let mut jwk = Self { kid: None, alg: Alg::Only(algorithm), key_use: KeyUse::Signature, material };
        jwk.kid = Some(JsonWebKeyId::new(jwk.thumbprint()));
        jwk
    }

    /// The public half of a key that others encrypt to: `use` `enc`, `kid` its thumbprint.
    pub(crate) fn for_encryption(material: Material) -> Self {
        let mut jwk = Self { key_use: KeyUse::Other(ENCRYPTION.into()), ..Self::bare(material) };
        jwk.kid = Some(JsonWebKeyId::new(jwk.thumbprint()));
        jwk
    }

    /// A key of which nothing is said but its numbers.
    pub(crate) const fn bare(material: Material) -> Self {
        Self { kid: None, alg: Alg::Any, key_use: KeyUse::Any, material }
    }

    /// Whether its `alg` and its `use` allow to encrypt to it with `algorithm`.
    pub(crate) fn allows_encryption(&self, algorithm: KeyAlgorithm) -> bool {
        let by_alg = match &self.alg {
            Alg::Any => true,
            Alg::Only(_) => false,
            Alg::Unknown(name) => name == algorithm.as_str(),
        };
        by_alg && (self.key_use == KeyUse::Any || self.is_for_encryption())
    }

    /// Whether its `use` is `enc`.
    pub(crate) fn is_for_encryption(&self) -> bool {
        matches!(&self.key_use, KeyUse::Other(other) if other == ENCRYPTION)
    }

    /// The key's name in its set.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_ref().map(|kid| kid.as_str())
    }

    /// The only algorithm that it is for, where it says one that we know.
    pub const fn algorithm(&self) -> Option<Algorithm> {
        match self.alg {
            Alg::Only(algorithm) => Some(algorithm),
            Alg::Any | Alg::Unknown(_) => None,
        }
    }

    /// Whether signatures of `algorithm` can be checked with it: its type, its `alg` and its `use` allow that.
    pub fn supports(&self, algorithm: Algorithm) -> bool {
        let by_type = match self.material {
            Material::Ed25519(_) => algorithm == Algorithm::EdDsa,
            Material::P256(_) => algorithm == Algorithm::Es256,
            Material::P384(_) => algorithm == Algorithm::Es384,
            Material::Rsa { .. } => algorithm.is_rsa(),
            // "These subtypes MUST NOT be used for signing." (RFC 8037 §3.2)
            Material::X25519(_) => false,
        };
        let by_alg = self.alg == Alg::Any || self.alg == Alg::Only(algorithm);
        let by_use = !matches!(self.key_use, KeyUse::Other(_));
        by_type && by_alg && by_use
    }

    /// Whether `signature` is one of this key over `message`. `false` too when the key does not support `algorithm`.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.supports(algorithm) && self.verify_by_type(algorithm, message, signature)
    }

    // "The JWS/JWE library itself must validate these inputs before using them, or it must use underlying cryptographic
    // libraries that do so (or both!)." (RFC 8725 §3.4) ring refuses points off the curve, and moduli of other lengths.
    fn verify_by_type(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let checked = match &self.material {
            Material::Ed25519(key) => UnparsedPublicKey::new(&signature::ED25519, key).verify(message, signature),
            Material::P256(point) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            Material::P384(point) => {
                UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, point).verify(message, signature)
            }
            Material::Rsa { n, e } => {
                let scheme = match algorithm {
                    Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
                    _ => &signature::RSA_PKCS1_2048_8192_SHA256,
                };
                RsaPublicKeyComponents { n, e }.verify(scheme, message, signature)
            }
            Material::X25519(_) => return false,
        };
        checked.is_ok()
    }

    /// The thumbprint: SHA-256 of the required members in lexicographic order, as base64url.
    pub fn thumbprint(&self) -> String {
        let members = self.members();
        let mut text = String::with_capacity(512);
        text.push('{');
        // "Construct a JSON object [RFC7159] containing only the required members of a JWK representing the key and with no
        // whitespace or line breaks before or after any syntactic elements and with the required members ordered
        // lexicographically by the Unicode [UNICODE] code points of the member names." (RFC 7638 §3)
        let ordered = [
            ("crv", members.crv),
            ("e", members.e.as_deref()),
            ("kty", Some(members.kty)),
            ("n", members.n.as_deref()),
            ("x", members.x.as_deref()),
            ("y", members.y.as_deref()),
        ];
        for (name, value) in ordered.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            let comma = if text.len() > 1 { "," } else { "" };
            // Writing to a `String` cannot fail.
            let _ = write!(text, "{comma}\"{name}\":\"{value}\"");
        }
        text.push('}');
        base64url::encode(&hash::sha256(text.as_bytes()))
    }

    fn members(&self) -> Members<'_> {
        let key_use = match &self.key_use {
            KeyUse::Any => None,
            KeyUse::Signature => Some("sig"),
            KeyUse::Other(other) => Some(other.as_str()),
        };
        let alg = match &self.alg {
            Alg::Any => None,
            Alg::Only(algorithm) => Some(algorithm.as_str()),
            Alg::Unknown(unknown) => Some(unknown.as_str()),
        };
        let members = Members { kid: self.kid(), key_use, alg, ..Members::default() };
        let half = |bytes: &[u8]| Some(base64url::encode(bytes));
        match &self.material {
            Material::Ed25519(key) => Members { kty: "OKP", crv: Some("Ed25519"), x: half(key), ..members },
            Material::P256(point) => {
                Members { kty: "EC", crv: Some("P-256"), x: half(&point[1..33]), y: half(&point[33..]), ..members }
            }
            Material::P384(point) => {
                Members { kty: "EC", crv: Some("P-384"), x: half(&point[1..49]), y: half(&point[49..]), ..members }
            }
            Material::Rsa { n, e } => Members { kty: "RSA", n: half(n), e: half(e), ..members },
            Material::X25519(key) => Members { kty: "OKP", crv: Some("X25519"), x: half(key), ..members },
        }
    }
}

/// A key as it is written.
#[derive(Default, Serialize)]
struct Members<'a> {
    kty: &'static str,
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    key_use: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
}

impl Serialize for Jwk {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.members().serialize(serializer)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3ok\
                 njhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHz\
                 u6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU\
                 8awapJzKnqDKgw";
        let jwk: Jwk =
            serde_json::from_value(json!({"kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}))
                .unwrap();
        assert_eq!(jwk.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert_eq!((jwk.kid(), jwk.algorithm()), (Some("2011-04-29"), Some(Algorithm::Rs256)));
    }

    #[test]
    fn the_thumbprint_of_an_ed25519_key_is_that_of_rfc_8037() {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let jwk: Jwk = serde_json::from_value(jwk).unwrap();
        assert_eq!(jwk.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn a_key_supports_what_its_type_alg_and_use_allow() {
        let key = |more: &str| -> Jwk {
            let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
            serde_json::from_str(&format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"{more}}}"#)).unwrap()
        };
        assert!(key("").supports(Algorithm::EdDsa) && !key("").supports(Algorithm::Es256));
        assert!(key(r#","alg":"EdDSA","use":"sig""#).supports(Algorithm::EdDsa));
        assert!(!key(r#","alg":"ES256""#).supports(Algorithm::EdDsa));
        assert!(!key(r#","alg":"none""#).supports(Algorithm::EdDsa));
        assert!(!key(r#","use":"enc""#).supports(Algorithm::EdDsa));
    }
}
