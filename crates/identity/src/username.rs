//! The sign-in name, in one normal form, so that an account has one name, one row and one counter however it is typed.
//!
//! # The normal form
//!
//! 1. Compatibility composition (NFKC): `ﬁ` is `fi`, full-width letters are letters, `e` and a combining accent are `é`.
//! 2. Case folded: each character to upper case and from there to lower case, so `ß` and `SS` are `ss`, `ς` and `Σ` are `σ`.
//!    Both steps again until nothing changes.
//! 3. White space at the ends removed, inside one space for any run of it.
//!
//! The result has 1 to 128 characters, and none that cannot be seen: no controls, no joiners, no direction marks, nothing for
//! private use.

use std::fmt;

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The most characters of a normal form.
pub const MAX_CHARS: usize = 128;
/// The most bytes that are looked at.
const MAX_INPUT_BYTES: usize = 1024;
/// Folding settles in two rounds for every character that we know of.
const MAX_ROUNDS: usize = 4;

/// The name a person signs in with: an e-mail address or any other name, in its normal form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(String);

/// Why a text is no name.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum UsernameError {
    /// An address needs one `@`, something on both sides of it, and no space.
    #[error("an e-mail address needs a name, one @ and a domain")]
    BadEmail,
    /// Nothing is left of it.
    #[error("the name is empty")]
    Empty,
    /// It has characters that cannot be seen, or begins with a mark that belongs to the character before it.
    #[error("the name has characters that cannot be seen")]
    Invisible,
    /// It has more than [`MAX_CHARS`] characters.
    #[error("the name is longer than {MAX_CHARS} characters")]
    TooLong,
}

impl Username {
    /// Reads a name as somebody typed it.
    pub fn parse(typed: &str) -> Result<Self, UsernameError> {
        if typed.len() > MAX_INPUT_BYTES {
            return Err(UsernameError::TooLong);
        }
        let name = fold(typed).ok_or(UsernameError::Invisible)?;
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        match name.chars().next() {
            None => return Err(UsernameError::Empty),
            Some(first) if is_combining_mark(first) => return Err(UsernameError::Invisible),
            Some(_) => {}
        }
        if name.chars().any(is_invisible) {
            return Err(UsernameError::Invisible);
        }
        if name.chars().count() > MAX_CHARS {
            return Err(UsernameError::TooLong);
        }
        if name.contains('@') && !is_email(&name) {
            return Err(UsernameError::BadEmail);
        }
        Ok(Self(name))
    }

    /// The normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an e-mail address.
    pub fn is_email(&self) -> bool {
        self.0.contains('@')
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// NFKC and case folding; `None` where it does not settle.
pub(crate) fn fold(text: &str) -> Option<String> {
    let mut folded: String = text.nfkc().collect();
    for _ in 0..MAX_ROUNDS {
        // Character by character: `str::to_lowercase` would make `ς` of a last `Σ`, so a name would depend on what follows.
        let cased = folded.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
        let again: String = cased.nfkc().collect();
        if again == folded {
            return Some(folded);
        }
        folded = again;
    }
    None
}

fn is_email(name: &str) -> bool {
    let Some((local, domain)) = name.split_once('@') else { return false };
    !local.is_empty() && !domain.is_empty() && !domain.contains('@') && !name.contains(' ')
}

/// Characters that make two names look like one: controls, marks of direction, joiners, fillers, tags, private use.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFF}'
            | '\u{E000}'..='\u{F8FF}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{10FFFF}')
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(typed: &str) -> String {
        Username::parse(typed).unwrap().0
    }

    #[test]
    fn one_account_has_one_name_however_it_is_typed() {
        let spellings = [" Alice@Example.COM\t", "ＡＬＩＣＥ@example.com", "\u{A0}ALICE＠EXAMPLE.COM\u{2003}"];
        assert!(spellings.iter().all(|typed| normal(typed) == "alice@example.com"));
        assert_eq!(normal("Max   Muster"), normal("max\u{3000}muster"));
        assert_eq!(normal("Jose\u{301}"), normal("JOSÉ"));
        assert_eq!(normal("STRASSE"), normal("straße"));
        assert_eq!(normal("ΟΔΥΣΣΕΥΣ"), normal("οδυσσευς"));
        assert_eq!(normal("ﬁnn"), "finn");
    }

    #[test]
    fn what_cannot_be_seen_is_refused() {
        for typed in [
            "ali\u{0}ce",
            "ali\u{200B}ce",
            "\u{202E}ecila",
            "ali\nce\u{7}",
            "ali\u{AD}ce",
            "\u{301}alice",
            "\u{E0041}a",
            "\u{FEFF}alice",
        ] {
            assert_eq!(Username::parse(typed), Err(UsernameError::Invisible), "{typed:?}");
        }
    }

    #[test]
    fn empty_and_long_names_are_refused() {
        assert_eq!(Username::parse(""), Err(UsernameError::Empty));
        assert_eq!(Username::parse(" \t\u{A0}"), Err(UsernameError::Empty));
        assert_eq!(normal(&"a".repeat(128)).len(), 128);
        assert_eq!(Username::parse(&"a".repeat(129)), Err(UsernameError::TooLong));
        assert_eq!(Username::parse(&"a".repeat(1_000_000)), Err(UsernameError::TooLong));
        // One character of 18 in NFKC.
        assert_eq!(Username::parse(&"\u{FDFA}".repeat(100)), Err(UsernameError::TooLong));
    }

    #[test]
    fn an_address_has_one_at_and_two_sides() {
        assert!(Username::parse("a@b").unwrap().is_email() && !Username::parse("ab").unwrap().is_email());
        for typed in ["@", "a@", "@b", "a@b@c", "a b@c"] {
            assert_eq!(Username::parse(typed), Err(UsernameError::BadEmail), "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn a_normal_form_is_its_own_normal_form(typed in "\\PC{0,40}|.{0,40}") {
            if let Ok(name) = Username::parse(&typed) {
                prop_assert_eq!(Username::parse(name.as_str()), Ok(name));
            }
        }

        #[test]
        fn case_and_outer_space_never_make_another_name(typed in "\\PC{1,40}") {
            if let Ok(name) = Username::parse(&typed) {
                prop_assert_eq!(Username::parse(&format!("\u{2003} {typed}\n")), Ok(name.clone()));
                if let Ok(upper) = Username::parse(&typed.to_uppercase()) {
                    prop_assert_eq!(upper, name);
                }
            }
        }

        #[test]
        fn composed_and_decomposed_are_one_name(typed in "\\PC{1,40}") {
            let composed = Username::parse(&typed.nfc().collect::<String>());
            prop_assert_eq!(Username::parse(&typed.nfd().collect::<String>()), composed);
        }
    }

    #[test]
    fn every_character_settles() {
        let unsettled: Vec<char> =
            ('\0'..=char::MAX).filter(|character| fold(&character.to_string()).is_none()).collect();
        assert!(unsettled.is_empty(), "{unsettled:?}");
    }
}
