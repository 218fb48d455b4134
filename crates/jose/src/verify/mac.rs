//! Reading a token whose signature is a MAC by a secret that both sides have (RFC 7515 §5.2, RFC 7518 §3.2).
//!
//! Its algorithms are a type of their own: what is verified with a public key can never be a MAC, and a secret never a public key.

use std::fmt;
use std::str::FromStr;

use ring::hmac;
use serde::de::DeserializeOwned;

use super::{Parts, TypRule, VerifyError, read_header};
use crate::secret::SecretText;
use crate::{base64url, json};

/// A MAC algorithm (the `alg` of a JWS).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MacAlgorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

/// A name that is none of [`MacAlgorithm::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown MAC algorithm; known are HS256, HS384 and HS512")]
pub struct MacAlgorithmUnknown;

impl MacAlgorithm {
    /// Every algorithm.
    pub const ALL: &'static [Self] = &[Self::Hs256, Self::Hs384, Self::Hs512];

    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// How long its keys are at least, in bytes.
    // "A key of the same size as the hash output (for instance, 256 bits for "HS256") or larger MUST be used with this
    // algorithm." (RFC 7518 §3.2)
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::Hs256 => 32,
            Self::Hs384 => 48,
            Self::Hs512 => 64,
        }
    }

    const fn of_ring(self) -> hmac::Algorithm {
        match self {
            Self::Hs256 => hmac::HMAC_SHA256,
            Self::Hs384 => hmac::HMAC_SHA384,
            Self::Hs512 => hmac::HMAC_SHA512,
        }
    }
}

impl fmt::Display for MacAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for MacAlgorithm {
    type Err = MacAlgorithmUnknown;

    /// Reads a registered name, letter for letter.
    fn from_str(name: &str) -> Result<Self, MacAlgorithmUnknown> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.as_str() == name).ok_or(MacAlgorithmUnknown)
    }
}

/// What a token must be, before anything that it says counts.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedMac<'a> {
    /// What kind it must be.
    pub typ: TypRule,
    /// The algorithms that its signer may use.
    pub algorithms: &'a [MacAlgorithm],
}

/// A token whose MAC is good.
#[derive(Clone, Debug)]
pub struct VerifiedMac {
    payload: Vec<u8>,
}

impl VerifiedMac {
    /// The claims. A name that stands twice refuses them, at any depth.
    ///
    /// # Errors
    /// [`VerifyError::ClaimsInvalid`].
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, VerifyError> {
        json::read(&self.payload).map_err(|_| VerifyError::ClaimsInvalid)
    }
}

/// Checks form, kind, algorithm and MAC of a token in compact serialization, by any of these secrets that is long enough. What it
/// claims is for the caller to check.
///
/// # Errors
/// What is wrong with it; [`VerifyError::KeyUnknown`] where no secret is long enough for its algorithm.
pub fn verify_mac<'s>(
    compact: &str,
    expected: &ExpectedMac<'_>,
    secrets: impl IntoIterator<Item = &'s SecretText>,
) -> Result<VerifiedMac, VerifyError> {
    let parts = Parts::split(compact)?;
    let header = read_header(parts.header)?;
    let algorithm: MacAlgorithm = header.alg.parse().map_err(|_| VerifyError::AlgorithmNotAllowed)?;
    if !expected.algorithms.contains(&algorithm) {
        return Err(VerifyError::AlgorithmNotAllowed);
    }
    expected.typ.check(header.typ.as_deref())?;
    let signature = base64url::decode(parts.signature).ok_or(VerifyError::Base64Invalid)?;
    let payload = base64url::decode(parts.payload).ok_or(VerifyError::Base64Invalid)?;
    let long = secrets.into_iter().filter(|secret| secret.expose().len() >= algorithm.key_bytes());
    // Each is compared in constant time, and all are compared, so that time tells nothing.
    let matched = long.fold(None, |matched, secret| {
        let key = hmac::Key::new(algorithm.of_ring(), secret.expose().as_bytes());
        Some(hmac::verify(&key, parts.signed.as_bytes(), &signature).is_ok() | matched.unwrap_or(false))
    });
    match matched {
        None => Err(VerifyError::KeyUnknown),
        Some(false) => Err(VerifyError::SignatureInvalid),
        Some(true) => Ok(VerifiedMac { payload }),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    const ANY: ExpectedMac<'_> = ExpectedMac { typ: TypRule::Any, algorithms: MacAlgorithm::ALL };

    fn signed(algorithm: MacAlgorithm, secret: &str, claims: &str) -> String {
        let header = base64url::encode(format!(r#"{{"alg":"{algorithm}"}}"#).as_bytes());
        let text = format!("{header}.{}", base64url::encode(claims.as_bytes()));
        let tag = hmac::sign(&hmac::Key::new(algorithm.of_ring(), secret.as_bytes()), text.as_bytes());
        format!("{text}.{}", base64url::encode(tag.as_ref()))
    }

    fn read(token: &str, secret: &str) -> Result<Value, VerifyError> {
        verify_mac(token, &ANY, [&SecretText::new(secret.to_owned())])?.claims()
    }

    #[test]
    fn a_secret_shorter_than_the_hash_is_no_key_of_it() {
        for (algorithm, least) in [(MacAlgorithm::Hs256, 32), (MacAlgorithm::Hs384, 48), (MacAlgorithm::Hs512, 64)] {
            let (long, short) = ("k".repeat(least), "k".repeat(least - 1));
            assert_eq!(read(&signed(algorithm, &long, "{}"), &long), Ok(serde_json::json!({})));
            assert_eq!(read(&signed(algorithm, &short, "{}"), &short), Err(VerifyError::KeyUnknown));
        }
    }

    #[test]
    fn any_of_several_secrets_counts_and_no_other_algorithm() {
        let secrets = [SecretText::new("a".repeat(64)), SecretText::new("b".repeat(64))];
        let by = |secret: &str| signed(MacAlgorithm::Hs512, secret, "{}");
        assert!(verify_mac(&by(&"a".repeat(64)), &ANY, &secrets).is_ok());
        assert!(verify_mac(&by(&"b".repeat(64)), &ANY, &secrets).is_ok());
        assert_eq!(verify_mac(&by(&"c".repeat(64)), &ANY, &secrets).unwrap_err(), VerifyError::SignatureInvalid);
        let only = ExpectedMac { algorithms: &[MacAlgorithm::Hs256], ..ANY };
        let refused = verify_mac(&by(&"a".repeat(64)), &only, &secrets).unwrap_err();
        assert_eq!(refused, VerifyError::AlgorithmNotAllowed);
    }

    #[test]
    fn names_of_other_families_are_unknown() {
        for bad in ["none", "HS1", "hs256", "ES256", "RS256", "HS256 ", ""] {
            assert_eq!(bad.parse::<MacAlgorithm>(), Err(MacAlgorithmUnknown));
        }
    }

    proptest! {
        #[test]
        fn only_the_whole_token_is_good(claims in "\\{\"a\":\"[a-z]{0,9}\"\\}", place in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.-]") {
            let secret = "0123456789abcdef0123456789abcdef";
            let token = signed(MacAlgorithm::Hs256, secret, &claims);
            prop_assert!(read(&token, secret).is_ok());
            let mut other = token.clone();
            let place = place.index(token.len());
            other.replace_range(place..=place, &to);
            prop_assert!(other == token || read(&other, secret).is_err());
        }
    }
}
