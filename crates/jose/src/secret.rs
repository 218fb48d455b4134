//! Values that only their holder knows, and the hashes that we keep of them.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::{Zeroize, Zeroizing};

use crate::base64url;
use crate::hash;
use crate::mac::{MacKey, Purpose};

/// 32 random bytes that prove who holds a token.
///
/// It has no `PartialEq` and no `Clone`: it is compared by its [`SecretHash`], and handed on. Wiped when dropped.
pub struct Secret([u8; 32]);

impl Secret {
    /// The secret of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads 43 characters of base64url, in the one canonical spelling.
    pub fn parse(text: &str) -> Option<Self> {
        base64url::decode_array(text).map(Self)
    }

    /// The text that its holder keeps: 43 characters of base64url.
    pub fn to_text(&self) -> String {
        base64url::encode(&self.0)
    }

    /// The bytes, for the texts of this crate.
    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What we keep: SHA-256 of the bytes. Enough for 256 random bits; passwords need more.
    pub fn hash(&self) -> SecretHash {
        SecretHash(hash::sha256(&self.0))
    }

    /// The secret that replaces this one: a keyed hash of it. So a lost answer can be given again, and an old token be proved
    /// genuine by deriving forward, without either being kept.
    #[must_use]
    pub fn successor(&self, key: &MacKey) -> Self {
        Self(key.compute(Purpose::Successor, &[&self.0]))
    }
}

impl Secret {
    /// The secret that follows from this one for one use alone, which the parts name.
    #[must_use]
    pub fn bound(&self, key: &MacKey, parts: &[&[u8]]) -> Self {
        let parts: Vec<&[u8]> = std::iter::once(self.0.as_slice()).chain(parts.iter().copied()).collect();
        Self(key.compute(Purpose::Bound, &parts))
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// SHA-256 of a secret: all that rows keep of it. Compared in constant time, never searched by.
#[derive(Clone, Copy)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash of these bytes, as rows keep it.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash of a column; `None` unless it has 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes, as rows keep them.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether it is the hash of `secret`. In constant time.
    pub fn matches(&self, secret: &Secret) -> bool {
        *self == secret.hash()
    }
}

impl PartialEq for SecretHash {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        hash::constant_time_eq(&self.0, &other.0)
    }
}

impl Eq for SecretHash {}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash([redacted])")
    }
}

/// A secret of any text, as people write them into files. Wiped when dropped.
///
/// Its hash is that of the text, so it is never that of a [`Secret`]'s bytes: a secret that is shown once as text and comes back
/// as text is hashed as text both times.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// The secret of this text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// SHA-256 of the text.
    pub fn hash(&self) -> SecretHash {
        SecretHash(hash::sha256(self.0.as_bytes()))
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&Secret> for SecretText {
    /// The text of a random secret.
    fn from(secret: &Secret) -> Self {
        Self::new(secret.to_text())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn debug_shows_nothing() {
        let secret = Secret::from_bytes([65; 32]);
        let text = SecretText::new("hunter2".into());
        assert_eq!(format!("{secret:?} {text:?} {:?}", text.hash()), "[redacted] [redacted] SecretHash([redacted])");
    }

    #[test]
    fn bits_left_over_are_refused() {
        let text = Secret::from_bytes([0; 32]).to_text();
        assert!(Secret::parse(&text).is_some());
        assert!(Secret::parse(&format!("{}B", &text[..42])).is_none());
    }

    #[test]
    fn a_successor_is_the_same_each_time_and_needs_the_key() {
        let (secret, key) = (Secret::from_bytes([1; 32]), MacKey::new([2; 32]));
        let hash = secret.successor(&key).hash();
        assert!(hash.matches(&secret.successor(&key)));
        assert!(!hash.matches(&secret) && !hash.matches(&secret.successor(&MacKey::new([3; 32]))));
        assert!(!hash.matches(&Secret::from_bytes(key.tag(&[&[1; 32]]))));
    }

    #[test]
    fn a_hash_of_another_length_is_none() {
        assert!(SecretHash::from_slice(&[0; 31]).is_none() && SecretHash::from_slice(&[0; 33]).is_none());
        let hash = Secret::from_bytes([9; 32]).hash();
        assert_eq!(SecretHash::from_slice(hash.as_bytes()).unwrap(), hash);
    }

    proptest! {
        #[test]
        fn any_text_is_read_canonically_or_refused(text in "[A-Za-z0-9_-]{43}|.{0,50}") {
            if let Some(secret) = Secret::parse(&text) {
                prop_assert_eq!(secret.to_text(), text);
            }
        }

        #[test]
        fn only_the_same_secret_matches(bytes in any::<[u8; 32]>(), bit in 0_usize..256) {
            let hash = Secret::from_bytes(bytes).hash();
            prop_assert!(hash.matches(&Secret::parse(&Secret::from_bytes(bytes).to_text()).unwrap()));
            let mut other = bytes;
            other[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!hash.matches(&Secret::from_bytes(other)));
        }
    }
}
