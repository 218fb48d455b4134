//! What is kept of the keys that clients publish, and when an address is asked: decided under one lock, by a clock that is read under
//! it. No signature is verified here, and nobody waits.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use grantor_core::client_auth::PublishedKeys;
use grantor_core::time::Time;
use tokio::sync::{oneshot, watch};

use crate::app::Clock;

/// How long keys count that were read: one that a client has taken back is not taken for longer.
const COUNT_FOR: Duration = Duration::from_hours(1);
/// After how long they are read again while they still count, beside the requests, so that nobody has to wait for that.
const FRESH_FOR: Duration = Duration::from_mins(15);
/// How often an address is asked that has given keys: also because of a key that is not among them, as anybody can name one.
const AGAIN_AFTER: Duration = Duration::from_mins(1);
/// How long an address is not asked again that gave none, where none are kept; twice as long after each time more.
const FAILURE_COUNTS_FOR: Duration = Duration::from_secs(5);
/// How much all keys may take that are kept, in bytes as they were read.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// What an entry takes beside its keys, about.
const ENTRY_BYTES: usize = 512;

/// The keys of clients.
#[derive(Debug, Default)]
pub(crate) struct ClientKeys(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    of: HashMap<String, Entry>,
    /// The number of the last question.
    asked: u64,
}

/// What is known of one client.
#[derive(Debug)]
struct Entry {
    /// Where its keys are from: a declaration that names another place has nothing to do with them.
    uri: String,
    kept: Option<Kept>,
    state: State,
    /// When it was last asked, if ever.
    asked_at: Option<Time>,
    /// How often it has given none since it last gave some.
    failures: u32,
}

#[derive(Debug)]
struct Kept {
    keys: Arc<PublishedKeys>,
    bytes: usize,
    /// When what it holds was asked for.
    read_at: Time,
}

/// Whether the address is being asked.
#[derive(Debug)]
enum State {
    /// It is, by one who tells all that wait for it.
    Asking {
        number: u64,
        /// Closed as soon as it is known what came of it.
        known: watch::Receiver<()>,
        /// Dropped with the entry, which ends the question.
        _wanted: oneshot::Sender<Infallible>,
    },
    /// It is not.
    Idle,
}

/// A question to be put to an address. Whoever has it settles it, whatever happens.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) client_id: String,
    pub(super) uri: String,
    number: u64,
    /// Fails as soon as nobody wants to know any more.
    pub(super) wanted: oneshot::Receiver<Infallible>,
    /// Dropped when it is settled.
    _known: watch::Sender<()>,
}

/// What is to be done for a request.
#[derive(Debug)]
pub(super) enum Next {
    /// Put the question; these keys do meanwhile, or else wait for what comes of it.
    Ask(Question, Meanwhile),
    /// Look again, since other keys have been read meanwhile.
    LookAgain,
    /// Nothing: these are the keys, or there are none just now.
    Use(Option<Arc<PublishedKeys>>),
    /// Wait for what comes of the question that was put, and look then.
    Wait(watch::Receiver<()>),
}

/// What a request does while a question is put for it.
#[derive(Debug)]
pub(super) enum Meanwhile {
    /// It goes on with these keys.
    Use(Arc<PublishedKeys>),
    /// It waits.
    Wait(watch::Receiver<()>),
}

impl ClientKeys {
    /// The keys of a client from this address, if any are kept that count.
    pub(super) fn look(&self, client_id: &str, uri: &str, clock: &Clock) -> Option<Arc<PublishedKeys>> {
        let mut entries = self.lock();
        let now = clock.now();
        let entry = entries.of.get_mut(client_id).filter(|entry| entry.uri == uri)?;
        entry.bound_by(now);
        entry.counting(now).map(Arc::clone)
    }

    /// Decides for a request that saw these keys, and knows whether they do for it.
    pub(super) fn next(
        &self,
        (client_id, uri): (&str, &str),
        (seen, do_they): (Option<&Arc<PublishedKeys>>, bool),
        clock: &Clock,
    ) -> Next {
        let mut entries = self.lock();
        let now = clock.now();
        let Entries { of, asked } = &mut *entries;
        let entry = of.entry(client_id.to_owned()).or_insert_with(|| Entry::new(uri));
        if entry.uri != uri {
            // Whoever asks the former address is told that nobody wants to know any more.
            *entry = Entry::new(uri);
        }
        entry.bound_by(now);
        let keys = entry.counting(now).map(Arc::clone);
        if keys.as_ref().map(Arc::as_ptr) != seen.map(Arc::as_ptr) {
            return Next::LookAgain;
        }
        match (&entry.state, keys) {
            (State::Asking { .. }, Some(keys)) if do_they => Next::Use(Some(keys)),
            (State::Asking { known, .. }, _) => Next::Wait(known.clone()),
            (State::Idle, keys) if !entry.is_due(do_they, now) => Next::Use(keys),
            (State::Idle, keys) => {
                *asked += 1;
                let (question, known) = entry.ask(client_id, *asked, now);
                Next::Ask(question, keys.filter(|_| do_they).map_or(Meanwhile::Wait(known), Meanwhile::Use))
            }
        }
    }

    /// Keeps what came of a question, unless the address is another by now: the keys, and how many bytes they had.
    pub(super) fn settle(&self, question: &Question, read: Option<(PublishedKeys, usize)>) {
        let mut entries = self.lock();
        let entry = entries.of.get_mut(&question.client_id).filter(|entry| entry.asks(question));
        let Some(entry) = entry else { return };
        entry.state = State::Idle;
        match (read, entry.asked_at) {
            (Some((keys, bytes)), Some(read_at)) => {
                entry.failures = 0;
                entry.kept = Some(Kept { keys: Arc::new(keys), bytes, read_at });
            }
            _ => entry.failures = entry.failures.saturating_add(1),
        }
        entries.make_room(&question.client_id);
    }

    /// Forgets all but those of which `is_there` says that the client still names the address.
    pub(super) fn retain(&self, is_there: impl Fn(&str, &str) -> bool) {
        self.lock().of.retain(|client_id, entry| is_there(client_id, &entry.uri));
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    /// Forgets keys until the others have room: the largest first, so that whoever publishes very many makes room for others; never
    /// those of `last`, which somebody waits for.
    fn make_room(&mut self, last: &str) {
        let mut bytes: usize = self.of.values().map(Entry::bytes).sum();
        while bytes > MOST_BYTES {
            let is_idle = |entry: &Entry| matches!(entry.state, State::Idle);
            let others = self.of.iter().filter(|(client_id, entry)| *client_id != last && is_idle(entry));
            let Some((largest, size)) = others.map(|(id, entry)| (id, entry.bytes())).max_by_key(|(_, size)| *size)
            else {
                return;
            };
            let largest = largest.clone();
            self.of.remove(&largest);
            bytes -= size;
        }
    }
}

impl Entry {
    fn new(uri: &str) -> Self {
        Self { uri: uri.to_owned(), kept: None, state: State::Idle, asked_at: None, failures: 0 }
    }

    /// A clock that was set back makes nothing count for longer than from now on, and takes nothing away.
    fn bound_by(&mut self, now: Time) {
        self.asked_at = self.asked_at.map(|asked_at| asked_at.min(now));
        if let Some(kept) = &mut self.kept {
            kept.read_at = kept.read_at.min(now);
        }
    }

    fn counting(&self, now: Time) -> Option<&Arc<PublishedKeys>> {
        self.kept.as_ref().filter(|kept| now.since(kept.read_at) < COUNT_FOR).map(|kept| &kept.keys)
    }

    /// Whether the address is to be asked now, for a request for which the keys do or not.
    fn is_due(&self, do_they: bool, now: Time) -> bool {
        let Some(asked_at) = self.asked_at else { return true };
        let (asked, counting) = (now.since(asked_at), self.counting(now).is_some());
        let is_old = self.kept.as_ref().is_none_or(|kept| now.since(kept.read_at) >= FRESH_FOR);
        match (counting, do_they) {
            (false, _) => asked >= self.patience(),
            (true, true) => is_old && asked >= AGAIN_AFTER,
            (true, false) => asked >= AGAIN_AFTER,
        }
    }

    /// How long an address is left alone that gave no keys.
    fn patience(&self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(8);
        (FAILURE_COUNTS_FOR * 2_u32.pow(doublings)).min(AGAIN_AFTER)
    }

    fn ask(&mut self, client_id: &str, number: u64, now: Time) -> (Question, watch::Receiver<()>) {
        let (tells, known) = watch::channel(());
        let (wants, wanted) = oneshot::channel();
        self.asked_at = Some(now);
        self.state = State::Asking { number, known: known.clone(), _wanted: wants };
        let (client_id, uri) = (client_id.to_owned(), self.uri.clone());
        (Question { client_id, uri, number, wanted, _known: tells }, known)
    }

    fn asks(&self, question: &Question) -> bool {
        matches!(self.state, State::Asking { number, .. } if number == question.number)
    }

    fn bytes(&self) -> usize {
        ENTRY_BYTES + self.uri.len() + self.kept.as_ref().map_or(0, |kept| kept.bytes)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
