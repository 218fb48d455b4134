//! Our keys that others encrypt to: of curves only.

use std::fmt;

use zeroize::Zeroizing;

use super::agreement::{Curve, Private};
use super::algorithm::KeyAlgorithm;
use crate::jwk::{Jwk, Material};
use crate::mac::MacKey;
use crate::random::Random;

/// A private key to agree on keys with; wiped when dropped.
pub struct DecryptionKey {
    private: Private,
    jwk: Jwk,
}

/// The bytes are no key of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no private key of {0:?}")]
pub struct DecryptionKeyError(Curve);

impl DecryptionKey {
    /// A new random key.
    ///
    /// # Panics
    /// When the system's random source fails.
    pub fn generate(curve: Curve, random: &Random) -> Result<Self, DecryptionKeyError> {
        Self::new(curve, Private::generate(curve, random))
    }

    /// The key that follows from `key`: the same each time, and of another for each curve.
    pub fn derive(curve: Curve, key: &MacKey) -> Result<Self, DecryptionKeyError> {
        let name = match curve {
            Curve::P256 => "P-256",
            Curve::P384 => "P-384",
            Curve::X25519 => "X25519",
        };
        // One of 2^32 or more numbers is none of a curve, so that the second round hardly ever comes.
        for round in 0_u8..8 {
            let tags = [0, 1].map(|half: u8| Zeroizing::new(key.tag(&[b"jwe", name.as_bytes(), &[round, half]])));
            let bytes = Zeroizing::new([&tags[0][..], &tags[1][..]].concat());
            let length = if curve == Curve::P384 { 48 } else { 32 };
            if let Some(private) = Private::from_bytes(curve, &bytes[..length]) {
                return Self::new(curve, private);
            }
        }
        Err(DecryptionKeyError(curve))
    }

    /// Reads what [`to_bytes`](Self::to_bytes) gave.
    pub fn from_bytes(curve: Curve, bytes: &[u8]) -> Result<Self, DecryptionKeyError> {
        Self::new(curve, Private::from_bytes(curve, bytes).ok_or(DecryptionKeyError(curve))?)
    }

    fn new(curve: Curve, private: Private) -> Result<Self, DecryptionKeyError> {
        let material = private.public().ok_or(DecryptionKeyError(curve))?;
        Ok(Self { private, jwk: Jwk::for_encryption(material) })
    }

    /// The private number, to be sealed and kept.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        self.private.to_bytes()
    }

    /// The public key, as the JWKS shows it: `use` `enc`, its `kid` its thumbprint.
    pub const fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// The key's name: the thumbprint of its public key.
    pub fn kid(&self) -> &str {
        self.jwk.kid().unwrap_or_default()
    }

    /// The curve.
    pub const fn curve(&self) -> Curve {
        self.private.curve()
    }

    /// Whether tokens of `algorithm` are decrypted with it.
    pub const fn supports(&self, algorithm: KeyAlgorithm) -> bool {
        !matches!(algorithm, KeyAlgorithm::RsaOaep256)
    }

    pub(super) fn agree(&self, public: &Material) -> Option<Zeroizing<Vec<u8>>> {
        self.private.agree(public)
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecryptionKey({}, [redacted])", self.kid())
    }
}
