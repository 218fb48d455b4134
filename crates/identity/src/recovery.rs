//! Recovery codes: a person without their authenticator app proves themselves by one of them, once.

use std::fmt;

use grantor_jose::hash::sha256;
use grantor_jose::mac::MacKey;
use grantor_jose::secret::SecretHash;
use zeroize::Zeroizing;

use crate::base32;

/// How many a person is given.
pub const CODES: u8 = 10;
/// How many bytes each has that nobody can tell: 80 bits, so that a fast hash is enough.
const BYTES: usize = 10;
/// How many characters each has.
const CHARACTERS: usize = 16;
/// The longest text that is looked at for a code, in bytes.
const LONGEST: usize = 64;

/// A recovery code. Wiped when dropped.
#[derive(Clone)]
pub struct RecoveryCode(Zeroizing<String>);

impl RecoveryCode {
    /// The codes that a person is given together, by what they asked for them with: who asks twice, as with a double click, has the same
    /// ones. Nobody can tell them without the key.
    pub fn derive(key: &MacKey, asked: &[&[u8]]) -> Vec<Self> {
        let one = |number: u8| {
            let number = [number];
            let parts: Vec<&[u8]> = std::iter::once(&number[..]).chain(asked.iter().copied()).collect();
            let tag = Zeroizing::new(key.tag(&parts));
            Self(base32::encode(&tag[..BYTES]))
        };
        (0..CODES).map(one).collect()
    }

    /// Reads a code as somebody typed it: in either case, with or without what stands between the groups, and with digits in the
    /// place of the letters that they look like.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let mut code = Zeroizing::new(String::with_capacity(CHARACTERS));
        for c in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            code.push(match c.to_ascii_uppercase() {
                '0' => 'O',
                '1' => 'L',
                '8' => 'B',
                c => c,
            });
        }
        let is_code = code.len() == CHARACTERS && base32::decode(&code).is_some();
        is_code.then_some(Self(code))
    }

    /// The text that a person keeps: four groups of four characters.
    pub fn to_text(&self) -> String {
        let groups = self.0.as_bytes().chunks(4).map(String::from_utf8_lossy);
        groups.collect::<Vec<_>>().join("-").to_ascii_lowercase()
    }

    /// What is kept of it, for one person's factor alone.
    pub fn hash(&self, salt: &str) -> SecretHash {
        SecretHash::new(sha256(format!("recovery code\0{salt}\0{}", *self.0).as_bytes()))
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode([redacted])")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn codes(asked: &[&[u8]]) -> Vec<RecoveryCode> {
        RecoveryCode::derive(&MacKey::new([1; 32]), asked)
    }

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = &codes(&[b"a"])[0];
        let text = code.to_text();
        assert_eq!(text.len(), 19, "{text}");
        for typed in
            [text.clone(), text.to_uppercase(), text.replace('-', " "), text.replace('-', ""), text.replace('o', "0")]
        {
            assert_eq!(RecoveryCode::parse(&typed).unwrap().hash("a"), code.hash("a"), "{typed}");
        }
        assert!(code.hash("a") != code.hash("b"), "the same code of another person is another");
    }

    #[test]
    fn no_two_are_the_same() {
        let others = RecoveryCode::derive(&MacKey::new([2; 32]), &[b"a", b"b"]);
        let all = [codes(&[b"a", b"b"]), codes(&[b"ab"]), codes(&[b"a"]), others].concat();
        let texts: std::collections::BTreeSet<_> = all.iter().map(RecoveryCode::to_text).collect();
        assert_eq!(texts.len(), 4 * usize::from(CODES));
        assert_eq!(format!("{:?}", all[0]), "RecoveryCode([redacted])");
    }

    #[test]
    fn who_asks_twice_has_the_same_ones() {
        let texts = || codes(&[b"a", b"b"]).iter().map(RecoveryCode::to_text).collect::<Vec<_>>();
        assert_eq!(texts(), texts());
    }

    proptest! {
        #[test]
        fn any_text_is_a_code_or_none(text in "[a-z2-7-]{0,24}|.{0,80}") {
            if let Some(code) = RecoveryCode::parse(&text) {
                let again = RecoveryCode::parse(&code.to_text()).map(|code| code.to_text());
                prop_assert_eq!(again, Some(code.to_text()));
            }
        }
    }
}
