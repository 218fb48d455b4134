//! An identifier and a secret as one text: `prefix_id.secret`.
//!
//! The prefix makes a leaked token recognisable, the identifier finds its row, the secret proves it.

use crate::id::Id;
use crate::secret::Secret;

/// The text of opaque tokens, codes and cookies.
#[derive(Debug)]
pub enum TokenText {}

impl TokenText {
    /// Writes a token of the kind that `prefix` names.
    pub fn format(prefix: &str, id: Id, secret: &Secret) -> String {
        format!("{prefix}_{id}.{}", secret.to_text())
    }

    /// Reads a token of the kind that `prefix` names. Exactly the texts that [`TokenText::format`] writes are read, each as what
    /// was written; all others are `None`.
    pub fn parse(prefix: &str, text: &str) -> Option<(Id, Secret)> {
        let (id, secret) = text.strip_prefix(prefix)?.strip_prefix('_')?.split_once('.')?;
        Some((id.parse().ok()?, Secret::parse(secret)?))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> String {
        TokenText::format("gtr_at", Id::from_i64(123_456_789), &Secret::from_bytes([77; 32]))
    }

    #[test]
    fn a_token_comes_back() {
        let (id, secret) = TokenText::parse("gtr_at", &sample()).unwrap();
        assert_eq!(id, Id::from_i64(123_456_789));
        assert!(Secret::from_bytes([77; 32]).hash().matches(&secret));
        assert_eq!(sample().len(), "gtr_at".len() + 1 + 11 + 1 + 43);
    }

    #[test]
    fn other_kinds_and_altered_case_are_refused() {
        let text = sample();
        assert!(TokenText::parse("gtr_rt", &text).is_none() && TokenText::parse("gtr", &text).is_none());
        for bad in
            [text.to_uppercase(), format!(" {text}"), format!("{text} "), format!("{text}="), text.replace('.', "")]
        {
            assert!(TokenText::parse("gtr_at", &bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_canonically_or_refused(text in "t_[0-9A-Za-z]{11}\\.[A-Za-z0-9_-]{43}|t_.{0,60}|.{0,60}") {
            if let Some((id, secret)) = TokenText::parse("t", &text) {
                prop_assert_eq!(TokenText::format("t", id, &secret), text);
            }
        }

        #[test]
        fn a_changed_character_is_never_the_same_token(place in 0_usize..62, with in any::<char>()) {
            let (id, secret) = (Id::from_i64(123_456_789), Secret::from_bytes([77; 32]));
            let mut changed: Vec<char> = sample().chars().collect();
            prop_assume!(changed[place] != with);
            changed[place] = with;
            let text: String = changed.into_iter().collect();
            let same = TokenText::parse("gtr_at", &text).is_some_and(|(other, found)| other == id && secret.hash().matches(&found));
            prop_assert!(!same);
        }
    }
}
