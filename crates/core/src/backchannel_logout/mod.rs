//! Back-channel logout: when a session here ends, each app that took part in it is told (OpenID Connect Back-Channel Logout 1.0).
//!
//! What is to be told is kept by the same commit as the end of the session, whoever ends it, and wherever: [`with_notices`] sees to it
//! for every set of changes. A notice stays as a receipt when it is over: the app was told, or refused, or could not be reached.
//!
//! A session that goes on under another identifier, as when the same person signs in again, tells nobody. Nor does one that ends
//! by its age: an app has an age of its own for that.

pub mod logout_token;

use std::fmt;
use std::str::FromStr;

use grantor_jose::id::Id;

use crate::change::Change;
use crate::outbox::next_attempt;
use crate::time::Time;
use crate::upstream::UpstreamChange;

/// What names a notice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoticeKey {
    /// The session as the app knows it: the `sid` of its ID tokens.
    pub sid: Id,
    /// The app.
    pub client_id: String,
}

/// How far a notice has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is to be tried at a moment.
    Waiting(Time),
    /// It is over since a moment.
    Over(Time, Outcome),
}

/// What became of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The app has signed the person out.
    Delivered,
    /// The app could not be reached for as long as is tried.
    GivenUp,
    /// The app said that it does not act upon it.
    Refused,
}

const OUTCOMES: [(Outcome, &str); 3] =
    [(Outcome::Delivered, "delivered"), (Outcome::GivenUp, "given_up"), (Outcome::Refused, "refused")];

impl Outcome {
    /// The word for rows and listings.
    pub fn as_str(self) -> &'static str {
        OUTCOMES.iter().find(|(outcome, _)| *outcome == self).map_or("", |(_, word)| word)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        OUTCOMES.iter().find(|(_, known)| *known == word).map(|(outcome, _)| *outcome).ok_or(())
    }
}

/// What an app is told, or was: that a session of a person has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutNotice {
    /// What names it.
    pub key: NoticeKey,
    /// The person, who may be gone.
    pub user_id: Id,
    /// What the person is called in public tokens; the token says what the app knows.
    pub subject: String,
    /// When the session ended.
    pub ended_at: Time,
    /// Since when it is tried; later than the end where it was queued again.
    pub queued_at: Time,
    /// How often it was tried.
    pub attempts: u32,
    /// How far it has come.
    pub standing: Standing,
    /// Why the last attempt failed; empty where none has.
    pub error: String,
}

/// The sessions whose end is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionsOf {
    /// All: a new epoch has begun.
    Everybody,
    /// One session.
    Session(Id),
    /// Those that began at an upstream.
    Upstream(Id),
    /// Those of a person.
    User(Id),
}

/// What becomes of notices.
#[derive(Clone, Debug)]
pub enum NoticeChange {
    /// Somebody will deliver it until a moment. Expects that it is due when it was read to be.
    Claim {
        /// Which.
        key: NoticeKey,
        /// When it was due.
        due_at: Time,
        /// Until when nobody else will.
        until: Time,
    },
    /// An attempt failed. Changes nothing where somebody else has claimed it since.
    Failed {
        /// Which.
        key: NoticeKey,
        /// Until when it was claimed.
        until: Time,
        /// When it is tried again.
        next: Time,
        /// Why.
        error: String,
    },
    /// It is over.
    Over {
        /// Which.
        key: NoticeKey,
        /// When.
        at: Time,
        /// What became of it.
        outcome: Outcome,
        /// Why, where it was not delivered.
        error: String,
    },
    /// One for each app that took part in sessions that ended at a moment, and can be told.
    Queue {
        /// The sessions.
        of: SessionsOf,
        /// When they ended.
        at: Time,
    },
    /// Those that were refused or given up are tried as if they had never been.
    Replay {
        /// Of one app; of all where there is none.
        client_id: Option<String>,
        /// From when on.
        at: Time,
    },
}

/// The changes, with what they make known to apps: right behind each end of sessions, so that also a person who is removed by the
/// same set is signed out everywhere. `is_anybody_told` is asked where a session ends: whether any app can be told of it.
pub fn with_notices(changes: Vec<Change>, is_anybody_told: impl FnOnce() -> bool) -> Vec<Change> {
    if !changes.iter().any(|change| end(change, &changes).is_some()) || !is_anybody_told() {
        return changes;
    }
    let queue = |(of, at)| Change::LogoutNotice(NoticeChange::Queue { of, at });
    let told: Vec<Option<Change>> = changes.iter().map(|change| end(change, &changes).map(queue)).collect();
    changes.into_iter().zip(told).flat_map(|(change, told)| std::iter::once(change).chain(told)).collect()
}

/// The sessions that a change of a set ends, and when.
fn end(change: &Change, set: &[Change]) -> Option<(SessionsOf, Time)> {
    let goes_on = |id: Id| set.iter().any(|change| matches!(change, Change::GrantsMove { from, .. } if *from == id));
    match change {
        Change::SessionEnd { id, at } if !goes_on(*id) => Some((SessionsOf::Session(*id), *at)),
        Change::SessionsEnd { user_id, at, .. } => Some((SessionsOf::User(*user_id), *at)),
        Change::Upstream(UpstreamChange::SessionsEnd { id, at }) => Some((SessionsOf::Upstream(*id), *at)),
        Change::Upstream(UpstreamChange::SessionsOfLinkEnd { link, at, .. }) => {
            Some((SessionsOf::User(link.user_id), *at))
        }
        Change::EpochBegin { at } => Some((SessionsOf::Everybody, *at)),
        _ => None,
    }
}

impl LogoutNotice {
    /// When it is tried again after an attempt that failed at `now`; none when it is given up. `spread` is any number from 0 to 1.
    pub fn after_failure(&self, is_refused: bool, spread: f64, now: Time) -> Option<Time> {
        // "In this case, the OP SHOULD delay retransmission for an appropriate amount of time to avoid overwhelming the RP."
        // (OIDC Back-Channel Logout §2.5)
        next_attempt((self.attempts, self.queued_at), is_refused, spread, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queued(changes: Vec<Change>) -> Vec<Option<SessionsOf>> {
        let of = |change| match change {
            Change::LogoutNotice(NoticeChange::Queue { of, .. }) => Some(of),
            _ => None,
        };
        with_notices(changes, || true).into_iter().map(of).collect()
    }

    #[test]
    fn each_end_of_sessions_is_told_right_behind_it() {
        let (id, at) = (Id::from_i64(7), Time::from_seconds(5));
        let told = queued(vec![
            Change::SessionsEnd { user_id: id, except: None, at },
            Change::UserRemove(id),
            UpstreamChange::SessionsEnd { id, at }.into(),
            Change::EpochBegin { at },
        ]);
        let [user, upstream, all] = [SessionsOf::User(id), SessionsOf::Upstream(id), SessionsOf::Everybody].map(Some);
        assert_eq!(told, [None, user, None, None, upstream, None, all]);
        assert_eq!(queued(vec![Change::SessionExpect { id }]), [None]);
    }

    #[test]
    fn a_session_that_goes_on_under_another_identifier_tells_nobody() {
        let (from, to, at) = (Id::from_i64(7), Id::from_i64(8), Time::from_seconds(5));
        assert_eq!(queued(vec![Change::SessionEnd { id: from, at }, Change::GrantsMove { from, to }]), [None, None]);
        assert_eq!(queued(vec![Change::SessionEnd { id: from, at }]), [None, Some(SessionsOf::Session(from))]);
    }

    #[test]
    fn an_outcome_comes_back() {
        for (outcome, word) in OUTCOMES {
            assert_eq!(word.parse(), Ok(outcome));
        }
    }
}
