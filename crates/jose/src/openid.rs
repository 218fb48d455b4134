//! The traits of `openidconnect`, so that its ID tokens, metadata and verifiers work with our keys.

use openidconnect::core::{CoreJsonWebKeyType, CoreJsonWebKeyUse, CoreJwsSigningAlgorithm};
use openidconnect::{
    JsonWebKey, JsonWebKeyAlgorithm, JsonWebKeyId, PrivateSigningKey, SignatureVerificationError, SigningError,
};

use crate::algorithm::{Algorithm, AlgorithmUnknown};
use crate::hash;
use crate::jwk::{Alg, Jwk, KeyUse, Material};
use crate::key::SigningKey;

impl From<Algorithm> for CoreJwsSigningAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        core_algorithm(algorithm).clone()
    }
}

impl TryFrom<&CoreJwsSigningAlgorithm> for Algorithm {
    type Error = AlgorithmUnknown;

    fn try_from(algorithm: &CoreJwsSigningAlgorithm) -> Result<Self, AlgorithmUnknown> {
        Self::ALL.iter().copied().find(|ours| core_algorithm(*ours) == algorithm).ok_or(AlgorithmUnknown)
    }
}

const fn core_algorithm(algorithm: Algorithm) -> &'static CoreJwsSigningAlgorithm {
    match algorithm {
        Algorithm::Es256 => &CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        Algorithm::Es384 => &CoreJwsSigningAlgorithm::EcdsaP384Sha384,
        Algorithm::EdDsa => &CoreJwsSigningAlgorithm::EdDsa,
        Algorithm::Rs256 => &CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        Algorithm::Ps256 => &CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    }
}

impl JsonWebKey for Jwk {
    type KeyUse = CoreJsonWebKeyUse;
    type SigningAlgorithm = CoreJwsSigningAlgorithm;

    fn key_id(&self) -> Option<&JsonWebKeyId> {
        self.kid.as_ref()
    }

    fn key_type(&self) -> &CoreJsonWebKeyType {
        match self.material {
            Material::Ed25519(_) | Material::X25519(_) => &CoreJsonWebKeyType::OctetKeyPair,
            Material::P256(_) | Material::P384(_) => &CoreJsonWebKeyType::EllipticCurve,
            Material::Rsa { .. } => &CoreJsonWebKeyType::RSA,
        }
    }

    fn key_use(&self) -> Option<&CoreJsonWebKeyUse> {
        match self.key_use {
            KeyUse::Any => None,
            KeyUse::Signature => Some(&CoreJsonWebKeyUse::Signature),
            KeyUse::Other(_) => Some(&CoreJsonWebKeyUse::Encryption),
        }
    }

    fn signing_alg(&self) -> JsonWebKeyAlgorithm<&CoreJwsSigningAlgorithm> {
        match self.alg {
            Alg::Any => JsonWebKeyAlgorithm::Unspecified,
            Alg::Only(algorithm) => JsonWebKeyAlgorithm::Algorithm(core_algorithm(algorithm)),
            Alg::Unknown(_) => JsonWebKeyAlgorithm::Unsupported,
        }
    }

    /// A key that verifies nothing: there are no symmetric keys here, and the trait leaves no way to say so.
    fn new_symmetric(_: Vec<u8>) -> Self {
        Self {
            kid: None,
            alg: Alg::Unknown("none".into()),
            key_use: KeyUse::Other("none".into()),
            material: Material::Ed25519([0; 32]),
        }
    }

    fn verify_signature(
        &self,
        algorithm: &CoreJwsSigningAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureVerificationError> {
        let ours = Algorithm::try_from(algorithm)
            .map_err(|_| SignatureVerificationError::UnsupportedAlg(format!("{algorithm:?}")))?;
        if !self.supports(ours) {
            return Err(SignatureVerificationError::InvalidKey("the key is not for this algorithm".into()));
        }
        if self.verify(ours, message, signature) {
            Ok(())
        } else {
            Err(SignatureVerificationError::CryptoError("the signature is invalid".into()))
        }
    }

    fn hash_bytes(&self, bytes: &[u8], algorithm: &CoreJwsSigningAlgorithm) -> Result<Vec<u8>, String> {
        match Algorithm::try_from(algorithm) {
            Ok(ours) if self.supports(ours) => Ok(hash::digest_of(ours, bytes)),
            _ => Err("the key is not for this algorithm".into()),
        }
    }
}

impl PrivateSigningKey for SigningKey {
    type VerificationKey = Jwk;

    fn sign(&self, algorithm: &CoreJwsSigningAlgorithm, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        if Algorithm::try_from(algorithm) != Ok(self.algorithm()) {
            return Err(SigningError::UnsupportedAlg(format!("{algorithm:?}")));
        }
        Self::sign(self, message).map_err(|error| SigningError::Other(error.to_string()))
    }

    fn as_verification_key(&self) -> Jwk {
        self.jwk().clone()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
