//! The outbox: what is to be told to others, kept by the same commit as the fact, and delivered afterwards.
//!
//! A message is no more than a pointer: *tell `target` of the event, or the notice, with this identifier*. What it says is made
//! of the fact when it is delivered. So each fact has one message for each target at most, and its identifier is the message's
//! in every attempt, by which a receiver knows one that it has seen.
//!
//! A message is delivered at least once. Whoever delivers *claims* it first: its `due_at` moves on by a [`LEASE`], expecting the
//! one that was read, so that of several nodes one does it; and where that one ends in the middle, the message is due again
//! when the lease is over. A failed attempt is made again after a wait that doubles ([`after_failure`]), until it is given up;
//! a message that was given up stays to be seen, and can be queued again.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use grantor_jose::id::Id;

use crate::audit::EventKind;
use crate::change::Change;
use crate::time::Time;

/// How long an attempt may take before another node may make one; longer than any delivery is let to take.
pub const LEASE: Duration = Duration::from_mins(2);

/// How long a message is tried for.
pub const TRIED_FOR: Duration = Duration::from_hours(3 * 24);

/// How often at most.
pub const MOST_ATTEMPTS: u32 = 60;

/// The wait after the first failure, and the longest. What was refused for good waits longer from the beginning: asking again
/// at once is of no use there, and later it may be, for a letter box can be emptied and a server's settings mended.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const FIRST_WAIT_OF_REFUSED: Duration = Duration::from_mins(10);
const LONGEST_WAIT: Duration = Duration::from_hours(6);

/// The events that strangers cause as often as they like: they are kept in a ring of fixed size, and sent to nobody.
pub const NOT_SENT: [EventKind; 4] =
    [EventKind::FetchRefused, EventKind::Refused, EventKind::SignInFailed, EventKind::SignInThrottled];

/// To whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The person of a notice, by e-mail.
    Mail,
    /// The webhook of this name, of an event.
    Webhook(String),
}

const WEBHOOK: &str = "webhook:";

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mail => out.write_str("mail"),
            Self::Webhook(name) => write!(out, "{WEBHOOK}{name}"),
        }
    }
}

impl FromStr for Target {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.strip_prefix(WEBHOOK) {
            Some(name) => Ok(Self::Webhook(name.to_owned())),
            None => {
                if text == "mail" {
                    Ok(Self::Mail)
                } else {
                    Err(())
                }
            }
        }
    }
}

/// What names a message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageKey {
    /// The identifier of the event or of the notice.
    pub id: Id,
    /// To whom.
    pub target: Target,
}

/// A message that is to be delivered, or was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What names it.
    pub key: MessageKey,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was queued.
    pub queued_at: Time,
    /// When it is to be tried; none when it was given up.
    pub due_at: Option<Time>,
    /// Why the last attempt failed; empty before the first.
    pub error: String,
}

/// What becomes of a message.
#[derive(Clone, Debug)]
pub enum OutboxChange {
    /// Somebody will deliver it until a moment. Expects that it is due when it was read to be.
    Claim {
        /// Which.
        key: MessageKey,
        /// When it was due.
        due_at: Time,
        /// Until when nobody else will.
        until: Time,
    },
    /// It was delivered, and is forgotten.
    Delivered(MessageKey),
    /// An attempt failed. Changes nothing where somebody else has claimed it since.
    Failed {
        /// Which.
        key: MessageKey,
        /// Until when it was claimed.
        until: Time,
        /// When it is tried again; none when it is given up.
        next: Option<Time>,
        /// Why.
        error: String,
    },
    /// What a target was to be told, or was given up of it, is forgotten.
    Forget(Target),
    /// It is to be delivered, as if it had never been tried.
    Queue {
        /// Which.
        key: MessageKey,
        /// From when on.
        due_at: Time,
    },
}

/// Who is told of what.
#[derive(Clone, Debug, Default)]
pub struct Subscriptions {
    /// Whether notices go by e-mail.
    pub mail: bool,
    /// The events that each webhook is sent.
    pub webhooks: Vec<(String, Vec<EventKind>)>,
}

impl Subscriptions {
    /// The changes, and the messages that they make. Free of charge where nobody is told.
    pub fn with_messages(&self, mut changes: Vec<Change>) -> Vec<Change> {
        if self.mail || !self.webhooks.is_empty() {
            let messages: Vec<Change> = changes.iter().flat_map(|change| self.messages(change)).collect();
            changes.extend(messages);
        }
        changes
    }

    /// Everybody who is told anything.
    pub fn targets(&self) -> Vec<Target> {
        let webhooks = self.webhooks.iter().map(|(name, _)| Target::Webhook(name.clone()));
        webhooks.chain(self.mail.then_some(Target::Mail)).collect()
    }

    fn messages(&self, change: &Change) -> Vec<Change> {
        let queue = |id, target, due_at| Change::Outbox(OutboxChange::Queue { key: MessageKey { id, target }, due_at });
        match change {
            Change::EventInsert(event) => {
                let hear = self.webhooks.iter().filter(|(_, kinds)| kinds.contains(&event.kind));
                hear.map(|(name, _)| queue(event.id, Target::Webhook(name.clone()), event.at)).collect()
            }
            Change::NoticeInsert(notice) if self.mail => vec![queue(notice.id, Target::Mail, notice.at)],
            _ => Vec::new(),
        }
    }
}

/// When a message is tried again whose attempt failed at `now`; none when it is given up. `spread` is any number from 0 to 1:
/// waits differ by a quarter to either side, so that what failed together does not come back together.
pub fn after_failure(message: &Message, is_refused: bool, spread: f64, now: Time) -> Option<Time> {
    next_attempt((message.attempts, message.queued_at), is_refused, spread, now)
}

/// The same for whatever was tried so often, since a moment.
pub(crate) fn next_attempt(
    (attempts, queued_at): (u32, Time),
    is_refused: bool,
    spread: f64,
    now: Time,
) -> Option<Time> {
    let attempts = attempts.saturating_add(1);
    let first = if is_refused { FIRST_WAIT_OF_REFUSED } else { FIRST_WAIT };
    let wait = first.saturating_mul(2_u32.saturating_pow(attempts - 1)).min(LONGEST_WAIT);
    let next = now.plus(wait.mul_f64(0.75 + 0.5 * spread.clamp(0.0, 1.0)));
    (attempts < MOST_ATTEMPTS && next.since(queued_at) < TRIED_FOR).then_some(next)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audit::Event;
    use crate::notice::{News, Notice};

    fn message(attempts: u32) -> Message {
        let key = MessageKey { id: Id::from_i64(7), target: Target::Mail };
        Message { key, attempts, queued_at: Time::default(), due_at: None, error: String::new() }
    }

    fn event(kind: EventKind) -> Change {
        Change::EventInsert(Box::new(Event::new(Id::from_i64(5), Time::from_seconds(3), kind)))
    }

    #[test]
    fn a_fact_is_told_to_those_who_asked_for_it_in_the_same_set() {
        let hears = |name: &str, kinds: &[EventKind]| (name.to_owned(), kinds.to_vec());
        let webhooks = vec![
            hears("all", &[EventKind::SignedOut, EventKind::UserChanged]),
            hears("some", &[EventKind::UserChanged]),
        ];
        let subscriptions = Subscriptions { mail: true, webhooks };
        let notice =
            Notice { id: Id::from_i64(6), user_id: Id::from_i64(1), at: Time::default(), news: News::PasswordChanged };
        let told = subscriptions.with_messages(vec![
            event(EventKind::SignedOut),
            event(EventKind::KeyChanged),
            Change::NoticeInsert(Box::new(notice)),
        ]);
        let keys: Vec<String> = told
            .iter()
            .filter_map(|change| match change {
                Change::Outbox(OutboxChange::Queue { key, .. }) => Some(format!("{} {}", key.id.as_i64(), key.target)),
                _ => None,
            })
            .collect();
        assert_eq!((told.len(), keys), (5, vec!["5 webhook:all".to_owned(), "6 mail".to_owned()]));
        assert_eq!(Subscriptions::default().with_messages(vec![event(EventKind::SignedOut)]).len(), 1);
    }

    #[test]
    fn waits_double_and_come_to_an_end() {
        let wait = |attempts, spread| after_failure(&message(attempts), false, spread, Time::default());
        assert_eq!(wait(0, 0.5), Some(Time::from_seconds(5)));
        assert_eq!(wait(3, 0.5), Some(Time::from_seconds(40)));
        assert_eq!(wait(20, 0.5), Some(Time::from_seconds(6 * 3600)));
        assert_eq!((wait(0, 0.0), wait(0, 1.0)), (Some(Time::from_millis(3750)), Some(Time::from_millis(6250))));
        assert_eq!(wait(MOST_ATTEMPTS - 1, 0.5), None);
        let refused = |attempts| after_failure(&message(attempts), true, 0.5, Time::default());
        assert_eq!((refused(0), refused(1)), (Some(Time::from_seconds(600)), Some(Time::from_seconds(1200))));
        assert_eq!(refused(9), Some(Time::from_seconds(6 * 3600)));
        let late = Time::default().plus(TRIED_FOR);
        assert_eq!(after_failure(&message(0), false, 0.5, late), None);
    }

    proptest! {
        #[test]
        fn every_message_is_given_up_in_the_end(spread in any::<f64>(), refused: bool) {
            let (mut now, mut message) = (Time::default(), message(0));
            while let Some(next) = after_failure(&message, refused, spread, now) {
                prop_assert!(next > now && message.attempts < MOST_ATTEMPTS);
                (now, message.attempts) = (next, message.attempts + 1);
            }
            prop_assert!(now.since(message.queued_at) < TRIED_FOR);
        }

        #[test]
        fn a_target_comes_back(name in "[a-z0-9-]{1,30}") {
            for target in [Target::Mail, Target::Webhook(name.clone())] {
                prop_assert_eq!(target.to_string().parse::<Target>().unwrap(), target);
            }
            prop_assert!(name == "mail" || name.parse::<Target>().is_err());
        }
    }
}
