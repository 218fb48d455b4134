//! Keyed hashes over parts (HMAC-SHA256, RFC 2104).

use std::fmt;

use ring::hmac;
use zeroize::Zeroizing;

use crate::hash;
use crate::random::Random;

/// What a keyed hash is made for. The first byte of each input, so that no use can be taken for another.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Derive = 1,
    Successor = 2,
    Tag = 3,
    Bound = 4,
}

/// A key for HMAC-SHA256.
#[derive(Clone)]
pub struct MacKey(hmac::Key);

impl MacKey {
    /// The key of 32 bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self(hmac::Key::new(hmac::HMAC_SHA256, &*bytes))
    }

    /// A new random key.
    ///
    /// # Panics
    /// When the system's random source fails.
    pub fn generate(random: &Random) -> Self {
        Self::new(random.bytes())
    }

    /// A key for one purpose, named by `label`; keys of different labels tell nothing about each other or about this one.
    #[must_use]
    pub fn derive(&self, label: &str) -> Self {
        Self::new(self.compute(Purpose::Derive, &[label.as_bytes()]))
    }

    /// The tag of some parts. Each part is hashed with its length before it, so `["ab", "c"]` and `["a", "bc"]` differ.
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.compute(Purpose::Tag, parts)
    }

    /// Whether `tag` is the tag of the parts. In constant time.
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        hash::constant_time_eq(&self.tag(parts), tag)
    }

    pub(crate) fn compute(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&[purpose as u8]);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_cut_between_parts_counts() {
        let key = MacKey::new([7; 32]);
        assert_ne!(key.tag(&[b"ab", b"c"]), key.tag(&[b"a", b"bc"]));
        assert_ne!(key.tag(&[b"a"]), key.tag(&[b"a", b""]));
        assert_ne!(key.tag(&[]), key.tag(&[b""]));
    }

    #[test]
    fn a_derived_key_is_another_and_is_no_tag() {
        let key = MacKey::new([7; 32]);
        let (one, two) = (key.derive("one"), key.derive("two"));
        assert_ne!(one.tag(&[b"x"]), two.tag(&[b"x"]));
        assert_ne!(key.compute(Purpose::Derive, &[b"one"]), key.tag(&[b"one"]));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", MacKey::new([7; 32])), "MacKey([redacted])");
    }

    proptest! {
        #[test]
        fn only_the_tag_itself_is_accepted(text in any::<Vec<u8>>(), bit in 0_usize..256) {
            let key = MacKey::new([1; 32]);
            let mut tag = key.tag(&[&text]);
            prop_assert!(key.verify(&[&text], &tag));
            prop_assert!(!key.verify(&[&text], &tag[..31]));
            tag[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!key.verify(&[&text], &tag));
        }
    }
}
