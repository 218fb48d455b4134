//! The proof that somebody signed in to an account with this browser before: a cookie with a random number for the browser and, for
//! each account, a keyed hash over both. It needs no row, and tells nothing without the key.
//!
//! A browser that an account knows has a counter of its own for wrong passwords (see [`throttle`](crate::throttle)), so that nobody
//! can lock another person out by guessing. It opens nothing: the password is asked all the same.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::hash::constant_time_eq;
use grantor_jose::mac::MacKey;
use grantor_jose::random::Random;

use crate::username::Username;

/// So many accounts are remembered in one browser; the one not used for longest is forgotten.
const MAX_ACCOUNTS: usize = 5;
const PART_BYTES: usize = 16;
/// The text of a part: 22 characters of base64url.
const PART_CHARS: usize = 22;
const SEPARATOR: char = '.';

type Part = [u8; PART_BYTES];

/// What the cookie of a browser says.
#[derive(Clone, PartialEq, Eq)]
pub struct BrowserCookie {
    browser: Part,
    /// A proof for each account, the last used first.
    accounts: Vec<Part>,
}

impl BrowserCookie {
    /// The cookie of a browser that has none.
    pub fn new(random: &Random) -> Self {
        Self { browser: random.bytes(), accounts: Vec::new() }
    }

    /// Reads a cookie. Anybody can write one; what it is worth shows in [`known`](Self::known).
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > (MAX_ACCOUNTS + 1) * (PART_CHARS + 1) {
            return None;
        }
        let mut parts = text.split(SEPARATOR).map(decode);
        let browser = parts.next().flatten()?;
        let accounts = parts.collect::<Option<Vec<_>>>()?;
        (accounts.len() <= MAX_ACCOUNTS).then_some(Self { browser, accounts })
    }

    /// This cookie after somebody has signed in to `account`.
    #[must_use]
    pub fn remembering(mut self, account: &Username, key: &MacKey) -> Self {
        let proof = self.proof(account, key);
        self.accounts.retain(|other| !constant_time_eq(other, &proof));
        self.accounts.insert(0, proof);
        self.accounts.truncate(MAX_ACCOUNTS);
        self
    }

    /// The proof that `account` was signed in to with this browser, if it was.
    pub fn known(&self, account: &Username, key: &MacKey) -> Option<KnownBrowser> {
        let proof = self.proof(account, key);
        self.accounts.iter().any(|other| constant_time_eq(other, &proof)).then_some(KnownBrowser(proof))
    }

    fn proof(&self, account: &Username, key: &MacKey) -> Part {
        let tag = key.tag(&[b"known browser", &self.browser, account.as_str().as_bytes()]);
        let mut proof = Part::default();
        proof.copy_from_slice(&tag[..PART_BYTES]);
        proof
    }
}

impl fmt::Display for BrowserCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.browser))?;
        self.accounts.iter().try_for_each(|proof| write!(f, "{SEPARATOR}{}", URL_SAFE_NO_PAD.encode(proof)))
    }
}

impl fmt::Debug for BrowserCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BrowserCookie([redacted])")
    }
}

/// One browser with which one account was signed in to before. Made by [`BrowserCookie::known`] only.
#[derive(Clone, Copy)]
pub struct KnownBrowser(Part);

impl KnownBrowser {
    /// What tells it from every other browser and account.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for KnownBrowser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownBrowser([redacted])")
    }
}

fn decode(text: &str) -> Option<Part> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> Username {
        Username::parse(text).unwrap()
    }

    #[test]
    fn a_browser_is_known_to_the_accounts_that_signed_in_with_it_only() {
        let (key, random) = (MacKey::new([1; 32]), Random::seeded(1));
        let cookie = BrowserCookie::new(&random).remembering(&name("alice"), &key).remembering(&name("bob"), &key);
        let cookie = BrowserCookie::parse(&cookie.to_string()).unwrap();
        assert!(cookie.known(&name("Alice"), &key).is_some() && cookie.known(&name("bob"), &key).is_some());
        assert!(cookie.known(&name("carol"), &key).is_none());
        assert!(cookie.known(&name("alice"), &MacKey::new([2; 32])).is_none());
    }

    #[test]
    fn a_proof_is_worth_nothing_in_another_browser() {
        let (key, random) = (MacKey::new([1; 32]), Random::seeded(1));
        let cookie = BrowserCookie::new(&random).remembering(&name("alice"), &key);
        let moved = BrowserCookie { accounts: cookie.accounts, ..BrowserCookie::new(&random) };
        assert!(moved.known(&name("alice"), &key).is_none());
    }

    #[test]
    fn the_account_not_used_for_longest_is_forgotten() {
        let key = MacKey::new([1; 32]);
        let names = ["a", "b", "c", "d", "e", "a", "f"].map(name);
        let cookie =
            names.iter().fold(BrowserCookie::new(&Random::seeded(1)), |cookie, name| cookie.remembering(name, &key));
        assert!(cookie.known(&name("a"), &key).is_some());
        assert!(cookie.known(&name("b"), &key).is_none());
        assert_eq!(BrowserCookie::parse(&cookie.to_string()), Some(cookie));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_proves_nothing(text in "([A-Za-z0-9_-]{21}[AQgw]\\.?){0,7}|.{0,60}") {
            if let Some(cookie) = BrowserCookie::parse(&text) {
                prop_assert_eq!(cookie.to_string(), text);
                prop_assert!(cookie.known(&name("alice"), &MacKey::new([1; 32])).is_none());
            }
        }
    }
}
