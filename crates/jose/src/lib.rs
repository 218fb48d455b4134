//! Keys and tokens: everything of Grantor that is cryptography.
//!
//! # Map
//!
//! * [`algorithm`] the signature algorithms, by their wire names.
//! * [`api_token_text`] the text of tokens that people and services keep for long.
//! * [`detached`] signatures over a whole message, beside it.
//! * [`hash`] digests and comparison in constant time.
//! * [`id`] 64-bit identifiers that sort by time.
//! * [`jwe`] encrypted tokens, to others and to us.
//! * [`jwk`] public keys as others read them.
//! * [`key`] our signing keys, and tokens signed with them.
//! * [`mac`] keyed hashes over parts.
//! * [`message_key`] signatures of messages to others, by a key that both have.
//! * [`openid`] the traits of `openidconnect`, so that its types work with our keys.
//! * [`random`] the one source of randomness, and of new identifiers.
//! * [`seal`] what is kept encrypted.
//! * [`secret`] values that only their holder knows, and the hashes that we keep of them.
//! * [`token_text`] an identifier and a secret as one text.
//! * [`verify`] reading a signed token of somebody, strictly; [`verify::mac`] where both have a secret.
//!
//! # Invariants
//!
//! * This is the only crate that names `ring`. No private RSA operation is done by any other crate than `ring`; the `rsa`
//!   crate makes new keys, rearranges them, and encrypts to the public keys of others, nothing else. What `ring` has not (AES
//!   in CBC mode and key wrap, a key that agrees more than once) comes from RustCrypto, in [`jwe`] only.
//! * It knows no protocol: no client, user, grant, endpoint or claim; no HTTP, no database, no clock. The time is handed in.
//! * Nothing secret has a `Debug` that shows it, a `PartialEq` that takes its time, or a place in an error.
//! * Whatever comes from outside is measured before it is parsed, and parsing ends in a value or a named reason.

#![warn(missing_docs)]

pub mod algorithm;
pub mod api_token_text;
pub mod detached;
pub mod hash;
pub mod id;
pub mod json;
pub mod jwe;
pub mod jwk;
pub mod key;
pub mod mac;
pub mod message_key;
pub mod openid;
pub mod otp;
pub mod random;
pub mod seal;
pub mod secret;
pub mod token_text;
pub mod verify;

mod base62;
mod base64url;
mod pkcs8;
