//! Making new keys.

use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair};
use rsa::pkcs8::EncodePrivateKey;
use rsa::rand_core::{CryptoRng, Error, RngCore};
use zeroize::Zeroizing;

use super::{KeyError, SigningKey};
use crate::algorithm::Algorithm;
use crate::random::Random;

/// The size of a new RSA key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RsaBits {
    /// 2048 bits: a signature costs about 0.4 ms.
    #[default]
    Bits2048,
    /// 3072 bits: a signature costs about 1.4 ms.
    Bits3072,
}

impl SigningKey {
    /// A new key; RSA keys have 2048 bits and take a fraction of a second.
    ///
    /// EC and Ed25519 keys come from the system's random source also where `random` is a seeded one.
    pub fn generate(algorithm: Algorithm, random: &Random) -> Result<Self, KeyError> {
        Self::generate_sized(algorithm, RsaBits::default(), random)
    }

    /// A new key; an RSA key of `bits`.
    pub fn generate_sized(algorithm: Algorithm, bits: RsaBits, random: &Random) -> Result<Self, KeyError> {
        let document = match algorithm {
            Algorithm::Es256 => ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING)?,
            Algorithm::Es384 => ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING)?,
            Algorithm::EdDsa => {
                let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| KeyError::Generate)?;
                Zeroizing::new(document.as_ref().to_vec())
            }
            Algorithm::Rs256 | Algorithm::Ps256 => rsa(bits, random)?,
        };
        Self::from_document(algorithm, document)
    }
}

fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).map_err(|_| KeyError::Generate)?;
    Ok(Zeroizing::new(document.as_ref().to_vec()))
}

/// ring makes no RSA keys; the `rsa` crate makes this one, and never signs with it.
fn rsa(bits: RsaBits, random: &Random) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let bits = match bits {
        RsaBits::Bits2048 => 2048,
        RsaBits::Bits3072 => 3072,
    };
    let key = rsa::RsaPrivateKey::new(&mut Source(random), bits).map_err(|_| KeyError::Generate)?;
    key.to_pkcs8_der().map(|document| document.to_bytes()).map_err(|_| KeyError::Generate)
}

/// Our random source, as the `rsa` crate asks for it.
pub(crate) struct Source<'a>(pub(crate) &'a Random);

impl RngCore for Source<'_> {
    fn next_u32(&mut self) -> u32 {
        u32::from_ne_bytes(self.0.bytes())
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_ne_bytes(self.0.bytes())
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        self.0.fill(out);
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Error> {
        self.0.fill(out);
        Ok(())
    }
}

impl CryptoRng for Source<'_> {}
