//! The text of tokens that people and services keep for long: `prefix_` and 60 characters of base62 in one word, an identifier
//! (11), a secret (43) and a checksum (6).
//!
//! The prefix and the fixed length let programs find such a token where it should not be; the checksum tells a real one from a
//! look-alike and from one with a slip in it, without asking anybody. It proves nothing: anybody can compute it.

use zeroize::Zeroizing;

use crate::base62;
use crate::id::{Id, LENGTH as ID};
use crate::secret::Secret;

const SECRET: usize = 43;
const CHECKSUM: usize = 6;

/// Writes and reads API tokens.
#[derive(Debug)]
pub enum ApiTokenText {}

impl ApiTokenText {
    /// Writes a token of the kind that `prefix` names.
    pub fn format(prefix: &str, id: Id, secret: &Secret) -> String {
        let mut text = format!("{prefix}_{id}");
        push(&mut text, &mut pieces(secret.as_bytes())[..], &mut Zeroizing::new([0; SECRET])[..]);
        let checksum = crc32fast::hash(text.as_bytes());
        push(&mut text, &mut [checksum], &mut [0; CHECKSUM]);
        text
    }

    /// Reads a token of the kind that `prefix` names. Exactly the texts that [`ApiTokenText::format`] writes are read, each as
    /// what was written; all others are `None`.
    pub fn parse(prefix: &str, text: &str) -> Option<(Id, Secret)> {
        let body = text.strip_prefix(prefix)?.strip_prefix('_')?;
        if body.len() != ID + SECRET + CHECKSUM || !body.is_ascii() {
            return None;
        }
        let (id, rest) = body.split_at(ID);
        let (secret, checksum) = rest.split_at(SECRET);
        let [expected] = base62::read(checksum.as_bytes())?;
        if crc32fast::hash(&text.as_bytes()[..text.len() - CHECKSUM]) != expected {
            return None;
        }
        let secret = Zeroizing::new(base62::read(secret.as_bytes())?);
        Some((id.parse().ok()?, Secret::from_bytes(bytes(&secret))))
    }
}

fn push(text: &mut String, number: &mut [u32], signs: &mut [u8]) {
    base62::write(number, signs);
    text.extend(signs.iter().map(|sign| char::from(*sign)));
}

fn pieces(bytes: &[u8; 32]) -> Zeroizing<[u32; 8]> {
    let mut pieces = Zeroizing::new([0; 8]);
    for (piece, four) in pieces.iter_mut().zip(bytes.as_chunks().0) {
        *piece = u32::from_be_bytes(*four);
    }
    pieces
}

fn bytes(pieces: &[u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (four, piece) in bytes.as_chunks_mut().0.iter_mut().zip(pieces) {
        *four = piece.to_be_bytes();
    }
    bytes
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> String {
        ApiTokenText::format("gtr_pat", Id::from_i64(123_456_789), &Secret::from_bytes([77; 32]))
    }

    #[test]
    fn a_token_is_one_word_and_comes_back() {
        let (id, secret) = ApiTokenText::parse("gtr_pat", &sample()).unwrap();
        assert_eq!(id, Id::from_i64(123_456_789));
        assert!(Secret::from_bytes([77; 32]).hash().matches(&secret));
        assert_eq!(sample().len(), "gtr_pat_".len() + 60);
        assert!(sample().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    }

    #[test]
    fn other_kinds_and_altered_texts_are_refused() {
        let text = sample();
        assert!(ApiTokenText::parse("gtr_key", &text).is_none() && ApiTokenText::parse("gtr", &text).is_none());
        for bad in [text.to_uppercase(), format!(" {text}"), format!("{text}0"), text[..67].to_owned(), String::new()] {
            assert!(ApiTokenText::parse("gtr_pat", &bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_token_comes_back(id in 0..=i64::MAX, bytes in any::<[u8; 32]>()) {
            let text = ApiTokenText::format("gtr_key", Id::from_i64(id), &Secret::from_bytes(bytes));
            let (read, secret) = ApiTokenText::parse("gtr_key", &text).unwrap();
            prop_assert_eq!(read.as_i64(), id);
            prop_assert!(Secret::from_bytes(bytes).hash().matches(&secret));
        }

        #[test]
        fn any_text_is_read_canonically_or_refused(text in "t_[0-9A-Za-z]{60}|t_.{0,70}|.{0,70}") {
            if let Some((id, secret)) = ApiTokenText::parse("t", &text) {
                prop_assert_eq!(ApiTokenText::format("t", id, &secret), text);
            }
        }

        /// One wrong character, and two that changed places.
        #[test]
        fn a_slip_is_noticed(place in 8_usize..67, with in proptest::char::range('0', 'z')) {
            let mut changed: Vec<char> = sample().chars().collect();
            prop_assume!(changed[place] != with);
            changed[place] = with;
            prop_assert!(ApiTokenText::parse("gtr_pat", &changed.iter().collect::<String>()).is_none());
            let mut swapped: Vec<char> = sample().chars().collect();
            prop_assume!(swapped[place] != swapped[place + 1]);
            swapped.swap(place, place + 1);
            prop_assert!(ApiTokenText::parse("gtr_pat", &swapped.into_iter().collect::<String>()).is_none());
        }
    }
}
