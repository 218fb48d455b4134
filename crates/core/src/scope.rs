//! Scopes: "a list of space-delimited, case-sensitive strings" (RFC 6749 §3.3), kept as a sorted set.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A set of scope tokens in one piece of text, sorted, each once, separated by one space.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(String);

impl Scope {
    /// The set without any token.
    pub const EMPTY: Self = Self(String::new());

    /// The tokens, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|token| !token.is_empty())
    }

    /// Whether the set holds `token`.
    pub fn contains(&self, token: &str) -> bool {
        self.iter().any(|known| known == token)
    }

    /// Whether each token of this set is in `other` too.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.iter().all(|token| other.contains(token))
    }

    /// Whether the set holds no token.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tokens for which `keep` holds.
    #[must_use]
    pub fn filter(&self, mut keep: impl FnMut(&str) -> bool) -> Self {
        self.iter().filter(|token| keep(token)).collect()
    }

    /// The tokens of either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.iter().chain(other.iter()).collect()
    }

    /// The tokens of this set that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        self.filter(|token| !other.contains(token))
    }

    /// The tokens of both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.filter(|token| other.contains(token))
    }

    /// The text, as it stands in answers.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> FromIterator<&'a str> for Scope {
    /// Collects tokens that are known to be well-formed.
    fn from_iter<I: IntoIterator<Item = &'a str>>(tokens: I) -> Self {
        let mut tokens: Vec<&str> = tokens.into_iter().collect();
        tokens.sort_unstable();
        tokens.dedup();
        Self(tokens.join(" "))
    }
}

impl FromStr for Scope {
    type Err = Error;

    /// Reads a scope parameter.
    ///
    /// # Errors
    /// `ScopeMalformed` for a character outside `scope-token`.
    fn from_str(text: &str) -> Result<Self, Error> {
        // "scope-token = 1*( %x21 / %x23-5B / %x5D-7E )" (RFC 6749 §3.3)
        let well_formed = text.bytes().all(|byte| matches!(byte, b' ' | 0x21 | 0x23..=0x5B | 0x5D..=0x7E));
        if !well_formed {
            return Err(Error::ScopeMalformed);
        }
        Ok(text.split(' ').filter(|token| !token.is_empty()).collect())
    }
}

impl TryFrom<String> for Scope {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.0
    }
}

/// Whether the parameter `scope` makes a request one of OpenID Connect.
// "OpenID Connect requests MUST contain the "openid" scope value." (OIDC Core §3.1.2.1)
pub(crate) fn is_openid(scope: &str) -> bool {
    scope.split(' ').any(|token| token == "openid")
}

impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_order_of_tokens_does_not_matter() {
        assert_eq!("b a  b".parse::<Scope>().unwrap(), "a b".parse().unwrap());
    }

    #[test]
    fn characters_outside_the_grammar_are_refused() {
        for text in ["a\"b", "a\\b", "é", "a\nb", "a\tb", "\u{7f}"] {
            assert!(text.parse::<Scope>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn narrowing_never_widens(a in "[a-d ]{0,9}", b in "[a-d ]{0,9}") {
            let (a, b): (Scope, Scope) = (a.parse().unwrap(), b.parse().unwrap());
            prop_assert!(a.intersection(&b).is_subset(&a));
            prop_assert!(a.without(&b).is_subset(&a));
            prop_assert!(a.is_subset(&a.union(&b)));
            prop_assert_eq!(a.without(&b).union(&a.intersection(&b)), a);
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            if let Ok(scope) = text.parse::<Scope>() {
                prop_assert_eq!(scope.as_str().parse::<Scope>().unwrap(), scope);
            }
        }
    }
}
