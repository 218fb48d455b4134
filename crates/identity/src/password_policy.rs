//! Which new passwords are refused, and why. No rules of composition: "Verifiers and CSPs SHALL NOT impose other composition rules
//! (e.g., requiring mixtures of different character types) for passwords." (NIST SP 800-63B-4 §3.1.1.2)

use thiserror::Error;
use zxcvbn::feedback::Warning;

use crate::password::Password;
use crate::username::{Username, fold};

/// The length that pages recommend, in characters.
pub const RECOMMENDED_LENGTH: usize = 15;

/// Words of context shorter than this are found in too many good passwords.
const SHORTEST_WORD: usize = 3;
/// So many characters besides the context's words, or the password is those words.
const OWN_CHARACTERS: usize = 4;

/// So many characters are estimated at one time. What an estimate costs grows fast with them: a hundred signs that may each stand
/// for a letter take more than a second.
const ESTIMATED: usize = 12;
/// So many times at most.
const MAX_ESTIMATES: usize = 8;

/// What a new password has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// The fewest characters. Default 8.
    pub minimum_length: usize,
    /// The lowest estimate of strength, 0 to 4: 2 is a million guesses, which the limits on sign-ins spread over decades; 3 is a
    /// hundred million. Default 2.
    pub minimum_score: u8,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { minimum_length: 8, minimum_score: 2 }
    }
}

/// The words that an attacker tries first.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The name that the password shall protect.
    pub username: &'a Username,
    /// What the provider calls itself.
    pub product: &'a str,
    /// The host of the issuer.
    pub issuer_host: &'a str,
}

/// Why a new password is refused, for people.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum WeakPassword {
    /// It is among the passwords that everybody tries, or hardly different.
    #[error("This is one of the most used passwords. Attackers try it first.")]
    Common,
    /// Its estimate of strength is too low.
    #[error("This password is easy to guess. A few words that do not belong together are better.")]
    Guessable,
    /// It is the host of the issuer and little else.
    #[error("The password must not be the name of this site.")]
    IsIssuerHost,
    /// It is the product's name and little else.
    #[error("The password must not be the name of this product.")]
    IsProductName,
    /// It is the user name and little else.
    #[error("The password must not be the user name.")]
    IsUsername,
    /// It has too few characters.
    #[error("The password needs at least {minimum} characters; {RECOMMENDED_LENGTH} or more are better.")]
    TooShort {
        /// How many it needs.
        minimum: usize,
    },
}

impl WeakPassword {
    /// The reason's stable name, for translations and audit.
    pub fn key(self) -> &'static str {
        match self {
            Self::Common => "password-common",
            Self::Guessable => "password-guessable",
            Self::IsIssuerHost => "password-is-issuer-host",
            Self::IsProductName => "password-is-product-name",
            Self::IsUsername => "password-is-username",
            Self::TooShort { .. } => "password-too-short",
        }
    }
}

impl PasswordPolicy {
    /// Whether `password` may become the password of `context.username`.
    pub fn check(&self, password: &Password, context: &Context<'_>) -> Result<(), WeakPassword> {
        // "Each Unicode code point SHALL be counted as a single character when evaluating password length."
        // (NIST SP 800-63B-4 §3.1.1.2)
        if password.expose().chars().count() < self.minimum_length {
            return Err(WeakPassword::TooShort { minimum: self.minimum_length });
        }
        let letters = letters(password.expose());
        let words = [
            (context.username.as_str(), WeakPassword::IsUsername),
            (context.product, WeakPassword::IsProductName),
            (context.issuer_host, WeakPassword::IsIssuerHost),
        ];
        // "Context-specific words, such as the name of the service, the username, and derivatives thereof"
        // (NIST SP 800-63B-4 §3.1.1.2)
        if let Some((_, reason)) = words.iter().find(|(word, _)| is_little_else(&letters, word)) {
            return Err(*reason);
        }
        self.check_strength(password, &words.map(|(word, _)| word))
    }

    fn check_strength(&self, password: &Password, words: &[&str]) -> Result<(), WeakPassword> {
        let parts: Vec<&str> = words.iter().flat_map(|word| parts(word).chain([*word])).collect();
        let mut warning = None;
        // A password is at least as strong as any piece of it.
        for piece in pieces(password.expose()) {
            let estimate = zxcvbn::zxcvbn(piece, &parts);
            if u8::from(estimate.score()) >= self.minimum_score {
                return Ok(());
            }
            warning = warning.or(estimate.feedback().and_then(zxcvbn::feedback::Feedback::warning));
        }
        match warning {
            Some(
                Warning::ThisIsATop10Password
                | Warning::ThisIsATop100Password
                | Warning::ThisIsACommonPassword
                | Warning::ThisIsSimilarToACommonlyUsedPassword,
            ) => Err(WeakPassword::Common),
            _ => Err(WeakPassword::Guessable),
        }
    }
}

/// The pieces of a password that are estimated, each by itself.
fn pieces(password: &str) -> impl Iterator<Item = &str> {
    let mut rest = password;
    let piece = move || {
        let end = rest.char_indices().nth(ESTIMATED).map_or(rest.len(), |(end, _)| end);
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    };
    std::iter::from_fn(piece).take(MAX_ESTIMATES)
}

/// The letters and digits of a text, folded.
fn letters(text: &str) -> String {
    fold(text).unwrap_or_default().chars().filter(|character| character.is_alphanumeric()).collect()
}

/// The parts of a name or host that stand between its punctuation.
fn parts(word: &str) -> impl Iterator<Item = &str> {
    word.split(|character: char| !character.is_alphanumeric()).filter(|part| part.chars().count() >= SHORTEST_WORD)
}

/// Whether `letters` is `word`, or some of its parts, with hardly anything added.
fn is_little_else(letters: &str, word: &str) -> bool {
    let mut rest = letters.to_owned();
    for part in [word].into_iter().chain(parts(word)) {
        let part = self::letters(part);
        if part.chars().count() >= SHORTEST_WORD {
            rest = rest.replace(&part, "");
        }
    }
    rest.len() < letters.len() && rest.chars().count() < OWN_CHARACTERS
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(typed: &str) -> Result<(), WeakPassword> {
        let username = Username::parse("Alice.Liddell@wonder.example").unwrap();
        let context = Context { username: &username, product: "Grantor", issuer_host: "login.rabbithole.example" };
        PasswordPolicy::default().check(&Password::parse(typed).unwrap(), &context)
    }

    #[test]
    fn passwords_that_everybody_tries_are_refused() {
        for typed in
            ["12345678", "password", "Password1", "iloveyou", "qwertyuiop", "P@ssw0rd", "sunshine1", "football"]
        {
            assert!(matches!(check(typed), Err(WeakPassword::Common | WeakPassword::Guessable)), "{typed}");
        }
        assert_eq!(check("password"), Err(WeakPassword::Common));
        for typed in ["aaaaaaaaaa", "abcdefghij", "01.02.1999"] {
            assert_eq!(check(typed), Err(WeakPassword::Guessable), "{typed}");
        }
    }

    #[test]
    fn names_of_the_account_and_the_site_are_refused() {
        for typed in
            ["alice.liddell@wonder.example", "AliceLiddell", "liddell-99", "Alice Alice!", "ａｌｉｃｅ＿ａｌｉｃｅ"]
        {
            assert_eq!(check(typed), Err(WeakPassword::IsUsername), "{typed}");
        }
        assert_eq!(check("Grantor123"), Err(WeakPassword::IsProductName));
        assert_eq!(check("grantor grantor"), Err(WeakPassword::IsProductName));
        assert_eq!(check("rabbithole1"), Err(WeakPassword::IsIssuerHost));
    }

    #[test]
    fn a_phrase_is_accepted_without_digits_signs_or_capitals() {
        for typed in [
            "correct horse battery staple",
            "teekanne unter dem sofa",
            "alice likes long walks by the sea",
            "日本語の長い合言葉です",
        ] {
            assert_eq!(check(typed), Ok(()), "{typed}");
        }
    }

    #[test]
    fn a_long_password_is_as_good_as_its_best_piece() {
        assert_eq!(check(&"4@8({[<369!1|0$5+7%2x".repeat(5)), Ok(()));
        assert_eq!(check("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa correct horse"), Ok(()));
        assert_eq!(check(&"password".repeat(12)), Err(WeakPassword::Common));
        assert_eq!(check(&"ä".repeat(200)), Err(WeakPassword::Guessable));
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        assert_eq!(check("päßwörd"), Err(WeakPassword::TooShort { minimum: 8 }));
        assert_eq!(check("ñandú€ω"), Err(WeakPassword::TooShort { minimum: 8 }));
    }

    #[test]
    fn limits_are_settings() {
        let username = Username::parse("bob").unwrap();
        let context = Context { username: &username, product: "Grantor", issuer_host: "login.example" };
        let long = PasswordPolicy { minimum_length: 15, minimum_score: 0 };
        assert_eq!(
            long.check(&Password::parse("short of that").unwrap(), &context),
            Err(WeakPassword::TooShort { minimum: 15 })
        );
        assert_eq!(long.check(&Password::parse("aaaaaaaaaaaaaaa").unwrap(), &context), Ok(()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_name_with_three_signs_around_it_is_refused(name in "[a-z]{8,20}", before in "[!-/]{0,2}", after in "[0-9]{0,3}") {
            let username = Username::parse(&name).unwrap();
            let context = Context { username: &username, product: "Grantor", issuer_host: "login.example" };
            let typed = Password::parse(&format!("{before}{}{after}", name.to_uppercase())).unwrap();
            prop_assert_eq!(PasswordPolicy::default().check(&typed, &context), Err(WeakPassword::IsUsername));
        }

        #[test]
        fn any_password_is_judged(typed in "\\PC{1,120}") {
            let _ = check(&typed);
        }
    }
}
