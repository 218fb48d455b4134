//! Our signing keys, and tokens signed with them (RFC 7515).

use std::fmt;

use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use zeroize::Zeroizing;

use crate::algorithm::Algorithm;
use crate::jwk::{Jwk, JwkError, Material};
use crate::pkcs8;

mod generate;
mod private_jwk;
mod sign;

pub use generate::RsaBits;
pub(crate) use generate::Source;
pub use sign::{SignError, Typ};

/// A private key for one algorithm. It is parsed once and kept ready; wiped when dropped, as far as `ring` allows.
pub struct SigningKey {
    algorithm: Algorithm,
    pair: Pair,
    pkcs8: Zeroizing<Vec<u8>>,
    jwk: Jwk,
    headers: sign::Headers,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<ring::rsa::KeyPair>),
}

/// Why a text is no signing key, in alphabetical order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The system could make no key.
    #[error("the key could not be generated")]
    Generate,
    /// The JSON is no private key.
    #[error("the private key is not a valid JWK: {0}")]
    Jwk(#[from] JwkError),
    /// Encrypted PEM.
    #[error("the PEM file is encrypted; decrypt it with `openssl pkcs8 -topk8 -nocrypt -in KEY.pem`")]
    PemEncrypted,
    /// No PEM, or more than one block.
    #[error("the file is not one PEM block labelled `PRIVATE KEY`")]
    PemInvalid,
    /// PKCS#1 or SEC 1.
    #[error("the PEM file is of an older format; convert it with `openssl pkcs8 -topk8 -nocrypt -in KEY.pem`")]
    PemOldFormat,
    /// Not a key for the algorithm, or broken.
    #[error("the key is not a valid PKCS#8 key for {algorithm}: {reason}")]
    Rejected {
        /// The algorithm it should be for.
        algorithm: Algorithm,
        /// The reason, as `ring` names it.
        reason: &'static str,
    },
}

impl SigningKey {
    /// Reads a PKCS#8 document (DER). EC keys must contain their public key; RSA keys have 2048 to 4096 bits.
    pub fn from_pkcs8(algorithm: Algorithm, document: &[u8]) -> Result<Self, KeyError> {
        let mut kept = Zeroizing::new(Vec::with_capacity(document.len()));
        kept.extend_from_slice(document);
        Self::from_document(algorithm, kept)
    }

    /// Reads PKCS#8 as PEM (`-----BEGIN PRIVATE KEY-----`).
    pub fn from_pem(algorithm: Algorithm, pem: &str) -> Result<Self, KeyError> {
        Self::from_document(algorithm, pkcs8::from_pem(pem)?)
    }

    /// Reads a private JWK: EC, OKP, or RSA with its two primes.
    pub fn from_private_jwk(algorithm: Algorithm, json: &str) -> Result<Self, KeyError> {
        Self::from_document(algorithm, private_jwk::to_pkcs8(algorithm, json)?)
    }

    fn from_document(algorithm: Algorithm, pkcs8: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let rejected = |reason: ring::error::KeyRejected| KeyError::Rejected { algorithm, reason: description(reason) };
        let pair = match algorithm {
            Algorithm::Es256 => {
                EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &random).map(Pair::Ecdsa)
            }
            Algorithm::Es384 => {
                EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, &pkcs8, &random).map(Pair::Ecdsa)
            }
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).map(Pair::Ed25519),
            Algorithm::Rs256 | Algorithm::Ps256 => {
                ring::rsa::KeyPair::from_pkcs8(&pkcs8).map(|pair| Pair::Rsa(Box::new(pair)))
            }
        };
        let pair = pair.map_err(rejected)?;
        let material = pair.material().ok_or(KeyError::Rejected { algorithm, reason: "unexpected public key" })?;
        let jwk = Jwk::for_signing(algorithm, material);
        let headers = sign::Headers::new(algorithm, jwk.kid().unwrap_or_default());
        Ok(Self { algorithm, pair, pkcs8, jwk, headers })
    }

    /// The PKCS#8 document, to be sealed and kept.
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        self.pkcs8.clone()
    }

    /// The public key, as the JWKS shows it.
    pub const fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// The key's name: the thumbprint of its public key.
    pub fn kid(&self) -> &str {
        self.jwk.kid().unwrap_or_default()
    }

    /// The only algorithm that it signs with.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Pair {
    fn material(&self) -> Option<Material> {
        Some(match self {
            Self::Ecdsa(pair) => {
                let point = pair.public_key().as_ref();
                match point.len() {
                    65 => Material::P256(point.try_into().ok()?),
                    _ => Material::P384(point.try_into().ok()?),
                }
            }
            Self::Ed25519(pair) => Material::Ed25519(pair.public_key().as_ref().try_into().ok()?),
            Self::Rsa(pair) => {
                let components = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                Material::Rsa { n: components.n, e: components.e }
            }
        })
    }
}

/// ring's word for what is wrong, which is one of a fixed list and says nothing of the key.
fn description(reason: ring::error::KeyRejected) -> &'static str {
    const KNOWN: [&str; 8] = [
        "InconsistentComponents",
        "InvalidComponent",
        "InvalidEncoding",
        "PublicKeyIsMissing",
        "TooLarge",
        "TooSmall",
        "VersionNotSupported",
        "WrongAlgorithm",
    ];
    let said = reason.to_string();
    KNOWN.into_iter().find(|known| *known == said).unwrap_or("InvalidKey")
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({} {}, [redacted])", self.algorithm, self.kid())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
pub(crate) mod tests {
    use super::*;
    use crate::random::Random;
    use proptest::prelude::*;
    use std::sync::OnceLock;

    /// One key of each algorithm, made once for all tests.
    pub(crate) fn samples() -> &'static [SigningKey] {
        static KEYS: OnceLock<Vec<SigningKey>> = OnceLock::new();
        KEYS.get_or_init(|| {
            let generate = |algorithm: &Algorithm| SigningKey::generate(*algorithm, &Random::new()).unwrap();
            Algorithm::ALL.iter().map(generate).collect()
        })
    }

    /// The sample key of `algorithm`.
    pub(crate) fn sample(algorithm: Algorithm) -> &'static SigningKey {
        samples().iter().find(|key| key.algorithm() == algorithm).unwrap()
    }

    #[test]
    fn a_kept_key_is_the_same_key_and_verifies_what_it_signs() {
        for key in samples() {
            let again = SigningKey::from_pkcs8(key.algorithm(), &key.to_pkcs8()).unwrap();
            assert_eq!(again.jwk(), key.jwk());
            let signature = again.sign(b"message").unwrap();
            assert!(key.jwk().verify(key.algorithm(), b"message", &signature), "{key:?}");
            assert!(!key.jwk().verify(key.algorithm(), b"messagE", &signature));
            assert!(!key.jwk().verify(key.algorithm(), b"message", &signature[1..]));
            let others = Algorithm::ALL.iter().filter(|other| **other != key.algorithm());
            assert!(others.into_iter().all(|other| !key.jwk().verify(*other, b"message", &signature)));
        }
    }

    #[test]
    fn a_key_is_public_in_its_jwk_only_and_hidden_in_debug() {
        for key in samples() {
            let json = serde_json::to_value(key.jwk()).unwrap();
            assert_eq!((json["use"].as_str(), json["alg"].as_str()), (Some("sig"), Some(key.algorithm().as_str())));
            assert_eq!(json["kid"], key.jwk().thumbprint());
            assert!(["d", "p", "q", "dp", "dq", "qi", "k"].iter().all(|member| json.get(member).is_none()));
            assert!(format!("{key:?}").ends_with("[redacted])"));
        }
    }

    #[test]
    fn a_key_of_another_algorithm_is_rejected_with_the_reason() {
        let document = sample(Algorithm::Es256).to_pkcs8();
        for algorithm in [Algorithm::Es384, Algorithm::EdDsa, Algorithm::Rs256] {
            let error = SigningKey::from_pkcs8(algorithm, &document).unwrap_err();
            assert_eq!(error, KeyError::Rejected { algorithm, reason: "WrongAlgorithm" });
        }
    }

    #[test]
    fn a_pem_file_of_openssl_is_read() {
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
        let key = SigningKey::from_pem(Algorithm::EdDsa, pem).unwrap();
        assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    proptest! {
        #[test]
        fn any_document_is_a_key_or_rejected(mut document in any::<Vec<u8>>(), place in any::<prop::sample::Index>(), byte in any::<u8>()) {
            for key in samples() {
                let _ = SigningKey::from_pkcs8(key.algorithm(), &document);
                document = key.to_pkcs8().to_vec();
                let place = place.index(document.len());
                document[place] = byte;
                let _ = SigningKey::from_pkcs8(key.algorithm(), &document);
            }
        }
    }
}
