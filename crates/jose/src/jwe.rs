//! Encrypted tokens in compact serialization (RFC 7516, RFC 7518 §4 and §5, RFC 8037 §3.2): to a public key of somebody, and to
//! our own.
//!
//! What is encrypted to us is decrypted with ECDH-ES only: no private RSA operation ever runs on what a stranger sent, so there
//! is no oracle of one. Everything that could be wrong behind the header has one error, and says nothing more.

mod agreement;
mod algorithm;
mod content;
mod decrypt;
mod decryption_key;
mod encrypt;
mod wrap;

pub use agreement::Curve;
pub use algorithm::{AlgorithmUnknown, ContentEncryption, KeyAlgorithm};
pub use decrypt::{DecryptError, Decrypted, MAX_ENCRYPTED, decrypt, is_encrypted};
pub use decryption_key::{DecryptionKey, DecryptionKeyError};
pub use encrypt::{Content, EncryptError, Recipient, encrypt, encrypt_of};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
