//! What a browser carries between an app's host and the issuer.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::hash::sha256;
use grantor_jose::id::Id;
use grantor_jose::mac::MacKey;
use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::error::Error;
use crate::policy::Lifetimes;
use crate::session::Session;
use crate::signed;
use crate::time::Time;

/// How long a ticket is good for: the browser is on its way.
pub const TICKET_LIFETIME: Duration = Duration::from_mins(1);

/// The longest path with query that a browser is sent back to, in bytes; from a longer one it is sent to the app's first page.
const MAX_TARGET: usize = 2048;

/// What kept a browser from entering at the app's host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Problem {
    /// It did not keep the cookie that it was given there.
    #[serde(rename = "c")]
    CookieMissing,
    /// The person may enter, and the app or its proxy refused all the same.
    #[serde(rename = "r")]
    Refused,
    /// The app is not open to the network that it is in.
    #[serde(rename = "n")]
    Network,
    /// The ticket was not good any more.
    #[serde(rename = "t")]
    TicketInvalid,
}

/// A browser's wish to enter an app: from the app's host to the issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was begun.
    #[serde(rename = "t")]
    pub started_at: Time,
    /// The origin of the app.
    #[serde(rename = "o")]
    pub origin: String,
    /// The path, with query, that the browser wants to see.
    #[serde(rename = "u")]
    target: String,
    /// SHA-256 of the mark that the browser keeps at the app's host, in base64url.
    #[serde(rename = "m")]
    mark: String,
    /// Whether it begins again what another tab had begun before with another mark.
    #[serde(rename = "r", default, skip_serializing_if = "std::ops::Not::not")]
    is_retry: bool,
    /// What went wrong before.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

impl Entry {
    /// Begins one, for the browser with this mark. `home` is where it goes to instead of an address that it cannot be sent to.
    pub fn start((origin, home): (&str, &str), target: &str, mark: &str, now: Time) -> Self {
        // A browser reads `//host` and `/\host` as another host; both begin with a slash.
        let is_own = target.starts_with('/') && !target[1..].starts_with(['/', '\\']);
        let is_plain = target.len() <= MAX_TARGET && target.bytes().all(|byte| byte.is_ascii_graphic());
        let target = if is_own && is_plain { target } else { home };
        let (origin, target) = (origin.to_owned(), target.to_owned());
        Self { started_at: now, origin, target, mark: hashed(mark), is_retry: false, problem: None }
    }

    /// This wish, begun again.
    #[must_use]
    pub fn again(self) -> Self {
        Self { is_retry: true, ..self }
    }

    /// This wish, after something went wrong.
    #[must_use]
    pub fn after(self, problem: Option<Problem>) -> Self {
        Self { problem, ..self }
    }

    /// Where the browser wanted to go.
    pub fn address(&self) -> String {
        format!("{}{}", self.origin, self.target)
    }

    /// Where the browser wanted to go, at the app's host.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The text for the way to the issuer.
    pub fn seal(&self, key: &MacKey) -> String {
        signed::seal(self, key, ["entry", ""])
    }

    /// Reads the text back.
    ///
    /// # Errors
    /// `InteractionExpired` when it is old or not one of ours.
    pub fn open(text: &str, key: &MacKey, lifetimes: &Lifetimes, now: Time) -> Result<Self, Error> {
        let entry: Self = signed::open(text, key, ["entry", ""]).ok_or(Error::InteractionExpired)?;
        let expired = now.since(entry.started_at) >= lifetimes.authorization_request;
        if expired { Err(Error::InteractionExpired) } else { Ok(entry) }
    }

    /// The ticket with which a person's browser enters.
    pub fn admit(self, session: &Session, id: Id, now: Time) -> Ticket {
        Ticket {
            id,
            made_at: now,
            session_id: session.id,
            user_id: session.user_id,
            target: self.target,
            mark: self.mark,
            is_retry: self.is_retry,
        }
    }
}

/// The permission to enter: from the issuer back to the app's host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// What tells it from every other.
    #[serde(rename = "i")]
    pub id: Id,
    #[serde(rename = "t")]
    made_at: Time,
    /// The session that enters.
    #[serde(rename = "s")]
    pub session_id: Id,
    /// Whose it is.
    #[serde(rename = "n")]
    pub user_id: Id,
    /// The path, with query, that the browser wants to see.
    #[serde(rename = "u")]
    pub target: String,
    #[serde(rename = "m")]
    mark: String,
    #[serde(rename = "r", default, skip_serializing_if = "std::ops::Not::not")]
    is_retry: bool,
}

impl Ticket {
    /// The text for the way to `origin`.
    pub fn seal(&self, key: &MacKey, origin: &str) -> String {
        signed::seal(self, key, ["ticket", origin])
    }

    /// Reads the text back, of whatever age and browser: it is one of ours, and for `origin`.
    ///
    /// # Errors
    /// `EntryTicketInvalid`.
    pub fn open(text: &str, key: &MacKey, origin: &str) -> Result<Self, Error> {
        signed::open(text, key, ["ticket", origin]).ok_or(Error::EntryTicketInvalid)
    }

    /// Whether only the mark differs, as where several tabs began at once and the browser kept the mark of one: then it is begun
    /// again, once.
    pub fn is_of_another_tab(&self, mark: &str, now: Time) -> bool {
        self.is_fresh(now) && self.mark != hashed(mark) && !self.is_retry
    }

    fn is_fresh(&self, now: Time) -> bool {
        now.since(self.made_at) < TICKET_LIFETIME && now.plus(TICKET_LIFETIME) > self.made_at
    }

    /// Spends the ticket, shown by the browser with this mark.
    ///
    /// # Errors
    /// `EntryTicketInvalid` when it is old, or was made for another browser.
    pub fn spend(&self, mark: &str, now: Time) -> Result<Change, Error> {
        if !self.is_fresh(now) || self.mark != hashed(mark) {
            return Err(Error::EntryTicketInvalid);
        }
        let digest = sha256(format!("ticket {}", self.id).as_bytes());
        Ok(Change::AssertionSpend { digest, expires_at: self.made_at.plus(2 * TICKET_LIFETIME) })
    }
}

fn hashed(mark: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(mark.as_bytes()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::session::tests::session;

    const WIKI: &str = "https://wiki.example";

    fn at(seconds: i64) -> Time {
        Time::from_seconds(seconds)
    }

    fn key() -> MacKey {
        MacKey::new([7; 32])
    }

    #[test]
    fn an_entry_is_read_back_for_an_hour() {
        let entry = Entry::start((WIKI, "/"), "/a?b=c", "mark", at(1000));
        let text = entry.seal(&key());
        let open = |seconds| Entry::open(&text, &key(), &Lifetimes::default(), at(seconds));
        assert_eq!(open(1001).unwrap(), entry);
        assert_eq!(entry.address(), "https://wiki.example/a?b=c");
        assert!(matches!(open(1000 + 3600), Err(Error::InteractionExpired)));
        assert!(!text.contains("mark"));
    }

    #[test]
    fn a_ticket_is_good_for_its_host_and_its_browser_and_a_minute() {
        let ticket =
            Entry::start((WIKI, "/"), "/a", "mark", at(1000)).admit(&session(at(900)), Id::from_i64(2), at(1010));
        let text = ticket.seal(&key(), WIKI);
        assert!(matches!(Ticket::open(&text, &key(), "https://other.example"), Err(Error::EntryTicketInvalid)));
        let ticket = Ticket::open(&text, &key(), WIKI).unwrap();
        assert!(ticket.spend("mark", at(1069)).is_ok());
        for (mark, seconds) in [("other", 1010), ("mark", 1070), ("", 1010), ("mark", 949)] {
            assert!(matches!(ticket.spend(mark, at(seconds)), Err(Error::EntryTicketInvalid)), "{mark} {seconds}");
        }
        let entry = Entry::start((WIKI, "/"), "/a", "mark", at(1000)).seal(&key());
        assert!(Ticket::open(&entry, &key(), WIKI).is_err(), "one text is not good for another");
    }

    proptest! {
        #[test]
        fn a_browser_is_sent_back_to_the_same_origin(target in "(//|/|\\\\|\\.|@|:|%2f|[a-z?#\t\r\n]){0,12}") {
            let address = Entry::start((WIKI, "/"), &target, "mark", at(1)).address();
            let read = url::Url::parse(&address).unwrap();
            prop_assert_eq!(read.origin().ascii_serialization(), WIKI);
        }
    }
}
