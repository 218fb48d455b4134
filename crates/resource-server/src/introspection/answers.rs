//! The answers that may still be kept, and the questions that are on their way. Bounded, whatever tokens come.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use super::Verdict;
use crate::bounded::Bounded;
use crate::clock::Moment;
use crate::denied::Reason;
use crate::issuer::COME_AGAIN;

/// How many answers about tokens that do not count are kept: apart, so that made-up tokens push out no true one.
const MOST_REFUSED: usize = 1_000;
/// How many places there are. A call waits in the one that its address is given, so that who floods an API with made-up tokens
/// keeps only those waiting who share a place with them.
pub(super) const PLACES: usize = 8;
/// How many tokens may be asked about at one time in one place; all others are told to come again.
const MOST_ASKING: usize = 125;

/// SHA-256.
type Digest = [u8; 32];

/// What there is about a call is kept under this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// Of the token: an answer that it counts says from where, so it is good for every caller.
    pub(super) token: Digest,
    /// Of the token and the address: an answer that it does not count may be about the address alone.
    pub(super) call: Digest,
    /// Where the call waits for its turn.
    pub(super) place: usize,
}

/// A question on its way.
#[derive(Debug)]
pub(super) struct Asking {
    /// When it was begun, among all arrivals.
    number: u64,
    /// How many calls have a part in it.
    parts: AtomicUsize,
    outcome: OnceCell<Result<Verdict, Reason>>,
}

/// What there is about a token.
pub(super) enum Found {
    /// A question on its way; whether it was begun after the arrival.
    Asking { asking: Arc<Asking>, is_recent: bool },
    /// An answer.
    Kept(Verdict),
}

/// Answers and questions.
#[derive(Debug)]
pub(super) struct Answers {
    good: Bounded<Digest, Kept>,
    refused: Bounded<Digest, Kept>,
    asking: HashMap<Digest, Arc<Asking>>,
    /// How many of those wait in each place.
    waiting: [usize; PLACES],
    arrivals: u64,
}

#[derive(Debug)]
struct Kept {
    verdict: Verdict,
    /// On the steady clock.
    until: Duration,
}

impl Answers {
    pub(super) fn new(capacity: usize) -> Self {
        let (good, refused) = (Bounded::new(capacity), Bounded::new(MOST_REFUSED));
        Self { good, refused, asking: HashMap::new(), waiting: [0; PLACES], arrivals: 0 }
    }

    /// The number of a call that arrives now.
    pub(super) fn arrival(&mut self) -> u64 {
        self.arrivals += 1;
        self.arrivals
    }

    /// What there is about a token for a call: a kept answer, the question on its way, or a new one. Of a question, the call has a
    /// part then, which must become a [`Turn`].
    pub(super) fn find(&mut self, key: &Key, arrival: u64, now: Moment) -> Result<Found, Reason> {
        if let Some(kept) = self.good.get(&key.token).or_else(|| self.refused.get(&key.call)) {
            let has_expired =
                kept.verdict.as_ref().is_ok_and(|access| access.expires_at.is_some_and(|exp| now.unix >= exp));
            if now.steady < kept.until && !has_expired {
                return Ok(Found::Kept(kept.verdict.clone()));
            }
            self.good.remove(&key.token);
            self.refused.remove(&key.call);
        }
        if let Some(asking) = self.asking.get(&key.call) {
            asking.parts.fetch_add(1, Ordering::SeqCst);
            return Ok(Found::Asking { asking: Arc::clone(asking), is_recent: asking.number > arrival });
        }
        if self.waiting[key.place] >= MOST_ASKING {
            return Err(Reason::Unavailable { retry_after: COME_AGAIN });
        }
        let asking = Arc::new(Asking { number: self.arrival(), parts: AtomicUsize::new(1), outcome: OnceCell::new() });
        self.asking.insert(key.call, Arc::clone(&asking));
        self.waiting[key.place] += 1;
        Ok(Found::Asking { asking, is_recent: true })
    }

    /// Keeps an answer until then.
    pub(super) fn keep(&mut self, key: Key, verdict: Verdict, until: Duration) {
        if verdict.is_ok() {
            self.refused.remove(&key.call);
            self.good.insert(key.token, Kept { verdict, until });
        } else {
            self.good.remove(&key.token);
            self.refused.insert(key.call, Kept { verdict, until });
        }
    }
}

/// A call's part in a question. With the last part, or with the answer, the question goes.
pub(super) struct Turn<'a> {
    answers: &'a Mutex<Answers>,
    key: Key,
    asking: Arc<Asking>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(answers: &'a Mutex<Answers>, key: Key, asking: Arc<Asking>) -> Self {
        Self { answers, key, asking }
    }

    /// The outcome of the question, which `ask` asks where nobody does.
    pub(super) async fn outcome(&self, ask: impl Future<Output = Result<Verdict, Reason>>) -> Result<Verdict, Reason> {
        self.asking.outcome.get_or_init(|| ask).await.clone()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let is_current = answers.asking.get(&self.key.call).is_some_and(|current| Arc::ptr_eq(current, &self.asking));
        let is_last = self.asking.parts.fetch_sub(1, Ordering::SeqCst) == 1;
        if is_current && (is_last || self.asking.outcome.initialized()) {
            answers.asking.remove(&self.key.call);
            answers.waiting[self.key.place] -= 1;
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;
    use crate::access::Access;
    use crate::denied::Fault;

    fn at(seconds: u64) -> Moment {
        Moment { unix: seconds.try_into().unwrap(), steady: Duration::from_secs(seconds) }
    }

    /// The key of a token that one caller has.
    fn key(digest: [u8; 32]) -> Key {
        Key { token: digest, call: digest, place: 0 }
    }

    fn kept(answers: &mut Answers, token: u8, now: u64) -> Option<bool> {
        match answers.find(&key([token; 32]), 0, at(now)).unwrap() {
            Found::Kept(verdict) => Some(verdict.is_ok()),
            Found::Asking { .. } => None,
        }
    }

    fn good(expires_at: Option<i64>) -> Verdict {
        let access = Access { expires_at, ..Access::default() };
        access.may_be_used_from(None).map(|()| Arc::new(access))
    }

    #[test]
    fn an_answer_is_kept_until_its_time_and_never_beyond_the_tokens() {
        let mut answers = Answers::new(9);
        answers.keep(key([1; 32]), good(None), Duration::from_secs(10));
        answers.keep(key([2; 32]), good(Some(5)), Duration::from_secs(10));
        answers.keep(key([3; 32]), Err(Fault::Inactive), Duration::from_secs(10));
        assert_eq!([1, 2, 3].map(|key| kept(&mut answers, key, 4)), [Some(true), Some(true), Some(false)]);
        assert_eq!([1, 2, 3].map(|key| kept(&mut answers, key, 9)), [Some(true), None, Some(false)]);
        assert_eq!([1, 3].map(|key| kept(&mut answers, key, 10)), [None, None]);
    }

    #[test]
    fn the_last_answer_counts() {
        let mut answers = Answers::new(9);
        for (verdict, counts) in [(good(None), true), (Err(Fault::Inactive), false), (good(None), true)] {
            answers.keep(key([1; 32]), verdict, Duration::from_secs(10));
            assert_eq!(kept(&mut answers, 1, 0), Some(counts));
        }
    }

    #[test]
    fn made_up_tokens_push_out_no_true_one() {
        let mut answers = Answers::new(1);
        answers.keep(key([0; 32]), good(None), Duration::from_secs(10));
        for number in 0..10_000_u32 {
            let mut digest = [7; 32];
            digest[..4].copy_from_slice(&number.to_be_bytes());
            answers.keep(key(digest), Err(Fault::Inactive), Duration::from_secs(10));
        }
        assert_eq!(kept(&mut answers, 0, 0), Some(true));
    }

    #[test]
    fn only_so_many_tokens_are_asked_about_at_one_time() {
        let mut answers = Answers::new(1);
        for number in 0..=u32::try_from(MOST_ASKING).unwrap() {
            let mut digest = [7; 32];
            digest[..4].copy_from_slice(&number.to_be_bytes());
            let is_taken = answers.find(&key(digest), 0, at(0)).is_ok();
            assert_eq!(is_taken, number < u32::try_from(MOST_ASKING).unwrap());
        }
    }

    #[test]
    fn who_fills_one_place_leaves_the_others() {
        let mut answers = Answers::new(1);
        let mut digest = [7; 32];
        for number in 0..10_000_u32 {
            digest[..4].copy_from_slice(&number.to_be_bytes());
            let _ = answers.find(&key(digest), 0, at(0));
        }
        digest[4] = 1;
        assert!(answers.find(&key(digest), 0, at(0)).is_err());
        assert!(answers.find(&Key { place: 1, ..key(digest) }, 0, at(0)).is_ok());
    }

    #[test]
    fn one_token_takes_one_place_from_however_many_addresses_it_comes() {
        let mut answers = Answers::new(2);
        let call = |token: u8, address: u8| Key { token: [token; 32], call: [address; 32], place: 0 };
        answers.keep(call(1, 0), good(None), Duration::from_secs(10));
        for address in 0..99 {
            answers.keep(call(2, address), good(None), Duration::from_secs(10));
        }
        assert_eq!(kept(&mut answers, 1, 0), Some(true));
        answers.keep(call(3, 100), Err(Fault::Inactive), Duration::from_secs(10));
        let found = answers.find(&call(3, 101), 0, at(0)).unwrap();
        assert!(matches!(found, Found::Asking { .. }), "it may count for another address");
    }

    #[tokio::test]
    async fn a_question_goes_with_its_answer_or_with_the_last_who_waits() {
        let answers = Mutex::new(Answers::new(1));
        let turn = || match answers.lock().unwrap().find(&key([1; 32]), 0, at(0)).unwrap() {
            Found::Asking { asking, .. } => Turn::new(&answers, key([1; 32]), asking),
            Found::Kept(_) => panic!("nothing is kept"),
        };
        let asked = || answers.lock().unwrap().asking.len();
        let (first, second) = (turn(), turn());
        drop(first);
        assert_eq!(asked(), 1, "the second still waits");
        assert!(second.outcome(async { Ok(good(None)) }).await.is_ok());
        drop(second);
        assert_eq!(asked(), 0);
        drop(turn());
        assert_eq!(asked(), 0, "nobody waits");
    }
}
