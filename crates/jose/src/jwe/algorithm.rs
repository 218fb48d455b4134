//! The algorithms of encrypted tokens, by their wire names (RFC 7518 §4.1 and §5.1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How the key of the content reaches its reader (the `alg` of a JWE).
///
/// What is not here can be neither asked for nor accepted: `dir`, `RSA1_5`, `RSA-OAEP` with SHA-1, and passwords (`PBES2-…`).
// "Avoid all RSA-PKCS1 v1.5 encryption algorithms ([RFC8017], Section 7.2), preferring RSAES-OAEP ([RFC8017], Section 7.1)." (RFC 8725 §3.2)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum KeyAlgorithm {
    /// ECDH with an ephemeral key; what both have agreed on is the key of the content.
    #[serde(rename = "ECDH-ES")]
    EcdhEs,
    /// ECDH with an ephemeral key; what both have agreed on wraps the key of the content with AES-128.
    #[serde(rename = "ECDH-ES+A128KW")]
    EcdhEsA128Kw,
    /// ECDH with an ephemeral key; what both have agreed on wraps the key of the content with AES-256.
    #[serde(rename = "ECDH-ES+A256KW")]
    EcdhEsA256Kw,
    /// RSAES-OAEP with SHA-256: to others only.
    #[serde(rename = "RSA-OAEP-256")]
    RsaOaep256,
}

/// How the content is encrypted (the `enc` of a JWE).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ContentEncryption {
    /// AES-128 in CBC mode with HMAC-SHA-256: the default of OpenID Connect.
    #[default]
    #[serde(rename = "A128CBC-HS256")]
    A128CbcHs256,
    /// AES-256 in CBC mode with HMAC-SHA-512.
    #[serde(rename = "A256CBC-HS512")]
    A256CbcHs512,
    /// AES-128 in GCM.
    #[serde(rename = "A128GCM")]
    A128Gcm,
    /// AES-256 in GCM.
    #[serde(rename = "A256GCM")]
    A256Gcm,
}

/// A name that is none of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown encryption algorithm; known are {0}")]
pub struct AlgorithmUnknown(&'static str);

impl KeyAlgorithm {
    /// Every algorithm for what we encrypt to others, the preferred ones first.
    pub const ALL: &'static [Self] = &[Self::EcdhEs, Self::EcdhEsA128Kw, Self::EcdhEsA256Kw, Self::RsaOaep256];

    /// Those for what others encrypt to us.
    pub const TO_US: &'static [Self] = &[Self::EcdhEs, Self::EcdhEsA128Kw, Self::EcdhEsA256Kw];

    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EcdhEs => "ECDH-ES",
            Self::EcdhEsA128Kw => "ECDH-ES+A128KW",
            Self::EcdhEsA256Kw => "ECDH-ES+A256KW",
            Self::RsaOaep256 => "RSA-OAEP-256",
        }
    }
}

impl ContentEncryption {
    /// Every algorithm, the default first.
    pub const ALL: &'static [Self] = &[Self::A128CbcHs256, Self::A256CbcHs512, Self::A128Gcm, Self::A256Gcm];

    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A128CbcHs256 => "A128CBC-HS256",
            Self::A256CbcHs512 => "A256CBC-HS512",
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }

    /// How long its key is, in bytes.
    pub(crate) const fn key_len(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A128CbcHs256 | Self::A256Gcm => 32,
            Self::A256CbcHs512 => 64,
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for ContentEncryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyAlgorithm {
    type Err = AlgorithmUnknown;

    /// Reads a registered name, letter for letter.
    fn from_str(name: &str) -> Result<Self, AlgorithmUnknown> {
        let known = Self::ALL.iter().copied().find(|algorithm| algorithm.as_str() == name);
        known.ok_or(AlgorithmUnknown("ECDH-ES, ECDH-ES+A128KW, ECDH-ES+A256KW and RSA-OAEP-256"))
    }
}

impl FromStr for ContentEncryption {
    type Err = AlgorithmUnknown;

    /// Reads a registered name, letter for letter.
    fn from_str(name: &str) -> Result<Self, AlgorithmUnknown> {
        let known = Self::ALL.iter().copied().find(|algorithm| algorithm.as_str() == name);
        known.ok_or(AlgorithmUnknown("A128CBC-HS256, A256CBC-HS512, A128GCM and A256GCM"))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_weak_ones_are_unknown() {
        for algorithm in KeyAlgorithm::ALL {
            assert_eq!(algorithm.as_str().parse(), Ok(*algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.as_str());
        }
        for algorithm in ContentEncryption::ALL {
            assert_eq!(algorithm.as_str().parse(), Ok(*algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.as_str());
        }
        for bad in ["dir", "RSA1_5", "RSA-OAEP", "PBES2-HS256+A128KW", "A128KW", "ecdh-es", "none", ""] {
            assert!(bad.parse::<KeyAlgorithm>().is_err(), "{bad}");
        }
        assert!("A128CBC".parse::<ContentEncryption>().is_err() && "A192GCM".parse::<ContentEncryption>().is_err());
    }
}
