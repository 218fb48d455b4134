//! Agreeing on a key by ECDH-ES (RFC 7518 §4.6, RFC 8037 §3.2.1).

use p256::elliptic_curve::sec1::ToSec1Point;
use ring::agreement::{self, EphemeralPrivateKey, UnparsedPublicKey};
use ring::rand::SystemRandom;
use x25519_dalek::StaticSecret;
use zeroize::Zeroizing;

use super::algorithm::{ContentEncryption, KeyAlgorithm};
use crate::hash::Sha256;
use crate::jwk::Material;
use crate::random::{Random, drawn};

/// A curve to agree on keys with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    /// P-256: every library knows it.
    P256,
    /// P-384.
    P384,
    /// X25519.
    X25519,
}

impl Curve {
    /// Every curve.
    pub const ALL: &'static [Self] = &[Self::P256, Self::P384, Self::X25519];

    pub(crate) const fn of(material: &Material) -> Option<Self> {
        match material {
            Material::P256(_) => Some(Self::P256),
            Material::P384(_) => Some(Self::P384),
            Material::X25519(_) => Some(Self::X25519),
            Material::Ed25519(_) | Material::Rsa { .. } => None,
        }
    }

    fn of_ring(self) -> &'static agreement::Algorithm {
        match self {
            Self::P256 => &agreement::ECDH_P256,
            Self::P384 => &agreement::ECDH_P384,
            Self::X25519 => &agreement::X25519,
        }
    }

    /// How long a private key is, in bytes.
    const fn private_len(self) -> usize {
        match self {
            Self::P256 | Self::X25519 => 32,
            Self::P384 => 48,
        }
    }
}

/// A private key on a curve; wiped when dropped.
#[derive(Clone)]
pub(super) enum Private {
    P256(p256::SecretKey),
    P384(p384::SecretKey),
    X25519(StaticSecret),
}

impl Private {
    /// A new random key.
    pub(super) fn generate(curve: Curve, random: &Random) -> Self {
        let mut bytes = Zeroizing::new(vec![0; curve.private_len()]);
        loop {
            random.fill(&mut bytes);
            // One of 2^32 or more numbers is none of a curve.
            if let Some(key) = Self::from_bytes(curve, &bytes) {
                return key;
            }
        }
    }

    /// The key of its bytes, big-endian but for X25519. `None` where they are none.
    pub(super) fn from_bytes(curve: Curve, bytes: &[u8]) -> Option<Self> {
        if bytes.len() != curve.private_len() {
            return None;
        }
        match curve {
            Curve::P256 => p256::SecretKey::from_slice(bytes).ok().map(Self::P256),
            Curve::P384 => p384::SecretKey::from_slice(bytes).ok().map(Self::P384),
            Curve::X25519 => <[u8; 32]>::try_from(bytes).ok().map(|bytes| Self::X25519(StaticSecret::from(bytes))),
        }
    }

    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match self {
            Self::P256(key) => key.to_bytes().to_vec(),
            Self::P384(key) => key.to_bytes().to_vec(),
            Self::X25519(key) => key.to_bytes().to_vec(),
        })
    }

    pub(super) const fn curve(&self) -> Curve {
        match self {
            Self::P256(_) => Curve::P256,
            Self::P384(_) => Curve::P384,
            Self::X25519(_) => Curve::X25519,
        }
    }

    /// The public half. `None` never comes: an uncompressed point has one length.
    pub(super) fn public(&self) -> Option<Material> {
        match self {
            Self::P256(key) => key.public_key().to_sec1_point(false).as_bytes().try_into().ok().map(Material::P256),
            Self::P384(key) => key.public_key().to_sec1_point(false).as_bytes().try_into().ok().map(Material::P384),
            Self::X25519(key) => Some(Material::X25519(x25519_dalek::PublicKey::from(key).to_bytes())),
        }
    }

    /// What this key and the public key of another agree on. `None` for a point that is not on the curve, or on another one.
    // "Elliptic Curve Diffie-Hellman Ephemeral Static (ECDH-ES) ephemeral public key (epk) inputs should be validated according
    // to the recipient's chosen elliptic curve." (RFC 8725 §3.4)
    pub(super) fn agree(&self, public: &Material) -> Option<Zeroizing<Vec<u8>>> {
        let shared = match (self, public) {
            (Self::P256(key), Material::P256(point)) => {
                let public = p256::PublicKey::from_sec1_bytes(point).ok()?;
                key.diffie_hellman(&public).raw_secret_bytes().to_vec()
            }
            (Self::P384(key), Material::P384(point)) => {
                let public = p384::PublicKey::from_sec1_bytes(point).ok()?;
                key.diffie_hellman(&public).raw_secret_bytes().to_vec()
            }
            (Self::X25519(key), Material::X25519(public)) => {
                let shared = key.diffie_hellman(&x25519_dalek::PublicKey::from(*public));
                // A point of small order makes all zeros of every key: that would be no secret.
                shared.was_contributory().then(|| shared.to_bytes().to_vec())?
            }
            _ => return None,
        };
        Some(Zeroizing::new(shared))
    }
}

/// A new key of the curve of `public`, used this once and forgotten: its public half, and what both agree on. `None` for a point
/// that is not on its curve, or for a curve that nobody agrees with.
///
/// By ring, which is several times as fast as [`Private`], and keeps no key. It takes such a key from no generator but its own, the
/// system's: [`Random`], seeded or not, has no say in it.
///
/// # Panics
/// When the system's random source fails.
// "A new ephemeral public key value MUST be generated for each key agreement operation." (RFC 7518 §4.6)
pub(super) fn agree_once(public: &Material) -> Option<(Material, Zeroizing<Vec<u8>>)> {
    let algorithm = Curve::of(public)?.of_ring();
    // Nothing but the source can fail here: that is no fault of the other's key.
    let private = drawn(EphemeralPrivateKey::generate(algorithm, &SystemRandom::new()));
    let ours = private.compute_public_key().ok()?;
    let (ours, theirs): (_, &[u8]) = match public {
        Material::P256(point) => (Material::P256(ours.as_ref().try_into().ok()?), point),
        Material::P384(point) => (Material::P384(ours.as_ref().try_into().ok()?), point),
        Material::X25519(bytes) => (Material::X25519(ours.as_ref().try_into().ok()?), bytes),
        Material::Ed25519(_) | Material::Rsa { .. } => return None,
    };
    let theirs = UnparsedPublicKey::new(algorithm, theirs);
    let shared = agreement::agree_ephemeral(private, &theirs, |shared| Zeroizing::new(shared.to_vec())).ok()?;
    Some((ours, shared))
}

/// Whether the numbers of a key are a point that one can agree with.
pub(crate) fn is_point(material: &Material) -> bool {
    match material {
        Material::P256(point) => p256::PublicKey::from_sec1_bytes(point).is_ok(),
        Material::P384(point) => p384::PublicKey::from_sec1_bytes(point).is_ok(),
        Material::X25519(public) => {
            let key = StaticSecret::from([1; 32]);
            key.diffie_hellman(&x25519_dalek::PublicKey::from(*public)).was_contributory()
        }
        Material::Ed25519(_) | Material::Rsa { .. } => false,
    }
}

/// What both sides put beside the secret.
#[derive(Clone, Copy)]
pub(super) struct Parties<'a> {
    /// `apu`, decoded.
    pub(super) producer: &'a [u8],
    /// `apv`, decoded.
    pub(super) recipient: &'a [u8],
}

/// The key that comes of the secret: that of the content for ECDH-ES alone, or the one that wraps it.
pub(super) fn derive(
    secret: &[u8],
    algorithm: KeyAlgorithm,
    encryption: ContentEncryption,
    parties: Parties<'_>,
) -> Zeroizing<Vec<u8>> {
    let (name, length) = match algorithm {
        // "In the Direct Key Agreement case, Data is set to the octets of the ASCII representation of the "enc" Header Parameter
        // value. In the Key Agreement with Key Wrapping case, Data is set to the octets of the ASCII representation of the "alg"
        // (algorithm) Header Parameter value." (RFC 7518 §4.6.2)
        KeyAlgorithm::EcdhEs => (encryption.as_str(), encryption.key_len()),
        KeyAlgorithm::EcdhEsA128Kw => (algorithm.as_str(), 16),
        KeyAlgorithm::EcdhEsA256Kw | KeyAlgorithm::RsaOaep256 => (algorithm.as_str(), 32),
    };
    let mut key = Zeroizing::new(Vec::with_capacity(length + 32));
    for round in 1_u32.. {
        let mut digest = Sha256::new();
        digest.update(&round.to_be_bytes());
        digest.update(secret);
        for part in [name.as_bytes(), parties.producer, parties.recipient] {
            digest.update(&length32(part.len()));
            digest.update(part);
        }
        digest.update(&length32(length * 8));
        key.extend_from_slice(&*Zeroizing::new(digest.finish()));
        if key.len() >= length {
            break;
        }
    }
    key.truncate(length);
    key
}

fn length32(length: usize) -> [u8; 4] {
    // Nothing here is longer than a header.
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}
