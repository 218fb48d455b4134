//! The proof that somebody signed in to an account with this browser before: a cookie with a random number for the browser and, for
//! each account, keyed hashes over both. It needs no row, and tells nothing without the key.
//!
//! A browser that an account knows has a counter of its own for wrong passwords (see [`throttle`](crate::throttle)), so that nobody
//! can lock another person out by guessing. It opens nothing: the password is asked all the same.
//!
//! The account also knows whether a sign-in in this browser is *no news* to its holder. That is another proof, which ends with the
//! password: whoever signed in while they knew the last one is told of when they come again.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::hash::constant_time_eq;
use grantor_jose::id::Id;
use grantor_jose::mac::MacKey;
use grantor_jose::random::Random;

use crate::username::Username;

/// So many accounts are remembered in one browser; the one not used for longest is forgotten.
const MAX_ACCOUNTS: usize = 5;
const PART_BYTES: usize = 16;
/// The text of a part: 22 characters of base64url.
const PART_CHARS: usize = 22;
const SEPARATOR: char = '.';
/// Between the two proofs of one account.
const AND: char = '~';

type Part = [u8; PART_BYTES];

/// Whose an account is, as it is now.
#[derive(Clone, Copy)]
pub struct Holder<'a> {
    /// The person: a name can be given to another one.
    pub user_id: Id,
    /// The hash of the password, if there is one.
    pub password: Option<&'a str>,
}

/// What a cookie says of one account.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Account {
    /// That it was signed in to.
    known: Part,
    /// That it was by this holder, with this password; cookies from before it was told apart have none.
    holder: Option<Part>,
}

/// What the cookie of a browser says.
#[derive(Clone, PartialEq, Eq)]
pub struct BrowserCookie {
    browser: Part,
    /// The last used first.
    accounts: Vec<Account>,
}

impl BrowserCookie {
    /// The cookie of a browser that has none.
    pub fn new(random: &Random) -> Self {
        Self { browser: random.bytes(), accounts: Vec::new() }
    }

    /// Reads a cookie. Anybody can write one; what it is worth shows in [`known`](Self::known).
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > (2 * MAX_ACCOUNTS + 1) * (PART_CHARS + 1) {
            return None;
        }
        let mut parts = text.split(SEPARATOR);
        let browser = decode(parts.next()?)?;
        let accounts = parts.map(Account::parse).collect::<Option<Vec<_>>>()?;
        (accounts.len() <= MAX_ACCOUNTS).then_some(Self { browser, accounts })
    }

    /// This cookie after the holder of `account` has signed in to it.
    #[must_use]
    pub fn remembering(mut self, account: &Username, holder: Holder<'_>, key: &MacKey) -> Self {
        let known = self.proof(account, key);
        self.accounts.retain(|other| !constant_time_eq(&other.known, &known));
        self.accounts.insert(0, Account { known, holder: Some(self.proof_of_holder(holder, key)) });
        self.accounts.truncate(MAX_ACCOUNTS);
        self
    }

    /// The proof that `account` was signed in to with this browser, if it was.
    pub fn known(&self, account: &Username, key: &MacKey) -> Option<KnownBrowser> {
        let proof = self.proof(account, key);
        self.accounts.iter().any(|other| constant_time_eq(&other.known, &proof)).then_some(KnownBrowser(proof))
    }

    /// Whether a holder has signed in with this browser since their password is what it is.
    pub fn is_familiar(&self, holder: Holder<'_>, key: &MacKey) -> bool {
        let proof = self.proof_of_holder(holder, key);
        self.accounts.iter().filter_map(|account| account.holder).any(|other| constant_time_eq(&other, &proof))
    }

    fn proof(&self, account: &Username, key: &MacKey) -> Part {
        part_of(&key.tag(&[b"known browser", &self.browser, account.as_str().as_bytes()]))
    }

    fn proof_of_holder(&self, Holder { user_id, password }: Holder<'_>, key: &MacKey) -> Part {
        let user_id = user_id.as_i64().to_be_bytes();
        part_of(&key.tag(&[b"familiar browser", &self.browser, &user_id, password.unwrap_or_default().as_bytes()]))
    }
}

fn part_of(tag: &[u8; 32]) -> Part {
    let mut part = Part::default();
    part.copy_from_slice(&tag[..PART_BYTES]);
    part
}

impl Account {
    fn parse(text: &str) -> Option<Self> {
        match text.split_once(AND) {
            Some((known, holder)) => Some(Self { known: decode(known)?, holder: Some(decode(holder)?) }),
            None => Some(Self { known: decode(text)?, holder: None }),
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.known))?;
        self.holder.map_or(Ok(()), |holder| write!(f, "{AND}{}", URL_SAFE_NO_PAD.encode(holder)))
    }
}

impl fmt::Display for BrowserCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.browser))?;
        self.accounts.iter().try_for_each(|account| write!(f, "{SEPARATOR}{account}"))
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

    const HOLDER: Holder<'static> = Holder { user_id: Id::from_i64(7), password: Some("$argon2id$1") };

    fn name(text: &str) -> Username {
        Username::parse(text).unwrap()
    }

    #[test]
    fn a_browser_is_known_to_the_accounts_that_signed_in_with_it_only() {
        let (key, random) = (MacKey::new([1; 32]), Random::seeded(1));
        let cookie = BrowserCookie::new(&random).remembering(&name("alice"), HOLDER, &key).remembering(
            &name("bob"),
            HOLDER,
            &key,
        );
        let cookie = BrowserCookie::parse(&cookie.to_string()).unwrap();
        assert!(cookie.known(&name("Alice"), &key).is_some() && cookie.known(&name("bob"), &key).is_some());
        assert!(cookie.known(&name("carol"), &key).is_none());
        assert!(cookie.known(&name("alice"), &MacKey::new([2; 32])).is_none());
    }

    #[test]
    fn a_proof_is_worth_nothing_in_another_browser() {
        let (key, random) = (MacKey::new([1; 32]), Random::seeded(1));
        let cookie = BrowserCookie::new(&random).remembering(&name("alice"), HOLDER, &key);
        let moved = BrowserCookie { accounts: cookie.accounts, ..BrowserCookie::new(&random) };
        assert!(moved.known(&name("alice"), &key).is_none());
    }

    #[test]
    fn a_sign_in_is_no_news_to_who_came_with_this_password_before() {
        let (key, random) = (MacKey::new([1; 32]), Random::seeded(1));
        let cookie = BrowserCookie::new(&random).remembering(&name("alice"), HOLDER, &key);
        let cookie = BrowserCookie::parse(&cookie.to_string()).unwrap();
        assert!(cookie.is_familiar(HOLDER, &key));
        for other in [
            Holder { password: Some("$argon2id$2"), ..HOLDER },
            Holder { password: None, ..HOLDER },
            Holder { user_id: Id::from_i64(8), ..HOLDER },
        ] {
            assert!(!cookie.is_familiar(other, &key));
        }
        assert!(cookie.known(&name("alice"), &key).is_some(), "its guesses are counted by themselves all the same");
        let moved = BrowserCookie { accounts: cookie.accounts, ..BrowserCookie::new(&random) };
        assert!(!moved.is_familiar(HOLDER, &key));
    }

    #[test]
    fn a_cookie_from_before_is_known_and_its_next_sign_in_is_news() {
        let key = MacKey::new([1; 32]);
        let cookie = BrowserCookie::new(&Random::seeded(1)).remembering(&name("alice"), HOLDER, &key).to_string();
        let before = BrowserCookie::parse(cookie.split_once(AND).unwrap().0).unwrap();
        assert!(before.known(&name("alice"), &key).is_some() && !before.is_familiar(HOLDER, &key));
    }

    #[test]
    fn the_account_not_used_for_longest_is_forgotten() {
        let key = MacKey::new([1; 32]);
        let names = ["a", "b", "c", "d", "e", "a", "f"].map(name);
        let cookie = names
            .iter()
            .fold(BrowserCookie::new(&Random::seeded(1)), |cookie, name| cookie.remembering(name, HOLDER, &key));
        assert!(cookie.known(&name("a"), &key).is_some());
        assert!(cookie.known(&name("b"), &key).is_none());
        assert_eq!(BrowserCookie::parse(&cookie.to_string()), Some(cookie));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_proves_nothing(text in "([A-Za-z0-9_-]{21}[AQgw][.~]?){0,7}|.{0,60}") {
            if let Some(cookie) = BrowserCookie::parse(&text) {
                prop_assert_eq!(cookie.to_string(), text);
                prop_assert!(cookie.known(&name("alice"), &MacKey::new([1; 32])).is_none());
            }
        }
    }
}
