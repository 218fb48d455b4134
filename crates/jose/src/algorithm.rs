//! The signature algorithms, by their wire names (RFC 7518 §3.1, RFC 8037 §3.1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A signature algorithm (the `alg` of a JWS).
///
/// There is no `none` and no HMAC: what is not here can be neither asked for nor accepted where keys are public. HMACs by a shared
/// secret have a type of their own, [`crate::verify::mac::MacAlgorithm`].
// "JWT libraries SHOULD NOT consume JWTs using "none" unless explicitly requested by the caller." (RFC 8725 §3.2)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256: the default.
    #[serde(rename = "ES256")]
    Es256,
    /// ECDSA on P-384 with SHA-384.
    #[serde(rename = "ES384")]
    Es384,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSASSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
}

/// A name that is none of [`Algorithm::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown signature algorithm; known are ES256, ES384, EdDSA, RS256 and PS256")]
pub struct AlgorithmUnknown;

impl Algorithm {
    /// Every algorithm, the preferred ones first.
    pub const ALL: &'static [Self] = &[Self::Es256, Self::Es384, Self::EdDsa, Self::Rs256, Self::Ps256];

    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }

    /// Whether its keys are RSA keys.
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::Rs256 | Self::Ps256)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = AlgorithmUnknown;

    /// Reads a registered name, letter for letter.
    fn from_str(name: &str) -> Result<Self, AlgorithmUnknown> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.as_str() == name).ok_or(AlgorithmUnknown)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_none_is_unknown() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.as_str().parse(), Ok(*algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.as_str());
        }
        for bad in ["none", "None", "nOnE", "HS256", "es256", "ES256 ", "", "RSA-OAEP"] {
            assert_eq!(bad.parse::<Algorithm>(), Err(AlgorithmUnknown));
        }
    }
}
