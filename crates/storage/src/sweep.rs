//! What is removed when it has served, in small steps between the writes of requests.
//!
//! Most tables know their oldest rows, by an index or because identifiers sort by time. Grants and sessions live and end in
//! any order: a *patrol* walks over them from the oldest, some thousands in a round, and begins again at the end.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use grantor_core::change::Change;
use grantor_core::outbox::Subscriptions;
use grantor_core::policy::Lifetimes;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_jose::random::Mint;

use crate::grants::Over;
use crate::sessions::Dead;
use crate::{Database, grants, query, sessions};

/// The most rows that one step looks at or removes.
pub(crate) const STEP: i64 = 500;

/// How many steps a patrol takes in a round while it finds nothing.
const PATIENCE: usize = 20;

/// How long counts of failed sign-ins are kept; longer than any limit on guessing looks back.
const ATTEMPTS_KEPT: Duration = Duration::from_hours(7 * 24);

/// How long API tokens are kept that have expired or ended, so that their owners can see what became of them.
const API_TOKENS_SHOWN: Duration = Duration::from_hours(30 * 24);

/// How long notices stand in people's accounts.
const NOTICES_SHOWN: Duration = Duration::from_hours(90 * 24);

/// How long receipts are kept of what apps were told of ends of sessions.
const LOGOUT_NOTICES_SHOWN: Duration = Duration::from_hours(30 * 24);

/// How long messages are kept that were given up, or are for somebody who is not named any more.
const GIVEN_UP_SHOWN: Duration = Duration::from_hours(30 * 24);

/// How long what has expired is kept, since for a node whose clock is behind it has not: many times what clocks may differ.
const CLOCKS_APART: Duration = Duration::from_mins(1);

/// One step: what goes, and until when it must have been over.
#[derive(Clone)]
pub(crate) enum Step {
    AccessTokens { expired_by: i64 },
    ApiTokens { over_by: i64 },
    Attempts { started_by: i64 },
    Codes { before: i64, expired_by: i64 },
    Events { before: i64, happened_by: i64 },
    InitialAccessTokens { over_by: i64 },
    Grants { after: i64, through: i64, over: Over },
    LogoutNotices { ended_by: i64 },
    Notices { before: i64 },
    OutboxGivenUp { queued_by: i64 },
    OutboxUnnamed { named: Vec<String>, queued_by: i64 },
    RevokedAccessTokens { expired_by: i64 },
    Sessions { after: i64, through: i64, dead: Dead },
    SpentAssertions { expired_by: i64 },
    Usages { day: i64 },
}

/// Up to where the patrols have come.
#[derive(Default)]
pub(crate) struct Patrols {
    grants: AtomicI64,
    sessions: AtomicI64,
}

/// No identifier made at `moment` or later sorts before this one.
pub(crate) fn first_id_at(moment: Time) -> i64 {
    Mint::new(0).id(moment.millis()).as_i64()
}

/// What goes by its age alone.
fn steps(now: Time, lifetimes: &Lifetimes) -> [Step; 11] {
    let expired_by = now.minus(CLOCKS_APART).millis();
    let long_ago = now.minus(lifetimes.spent_kept);
    let too_old = now.minus(lifetimes.events_kept);
    [
        Step::AccessTokens { expired_by },
        Step::ApiTokens { over_by: now.minus(API_TOKENS_SHOWN).millis() },
        Step::InitialAccessTokens { over_by: now.minus(API_TOKENS_SHOWN).millis() },
        Step::LogoutNotices { ended_by: now.minus(LOGOUT_NOTICES_SHOWN).millis() },
        Step::Notices { before: first_id_at(now.minus(NOTICES_SHOWN)) },
        Step::OutboxGivenUp { queued_by: now.minus(GIVEN_UP_SHOWN).millis() },
        Step::RevokedAccessTokens { expired_by },
        Step::SpentAssertions { expired_by },
        Step::Attempts { started_by: now.minus(ATTEMPTS_KEPT).millis() },
        Step::Codes { before: first_id_at(long_ago), expired_by: long_ago.millis() },
        Step::Events { before: first_id_at(too_old), happened_by: too_old.millis() },
    ]
}

impl Database {
    /// Removes what is over: expired tokens, notes that are needed no more, old events, and codes, grants and sessions that
    /// have been over for `spent_kept`. To be called each minute or so; says how many rows it removed, without those that
    /// hung on them.
    ///
    /// # Errors
    /// `Busy` when too much is waiting, or what the database says, of the first step that failed; the others are taken all the
    /// same. What was removed stays removed.
    pub async fn sweep(&self, now: Time, lifetimes: &Lifetimes) -> Result<usize, StoreError> {
        let mut swept = vec![self.sweep_keys(now, lifetimes).await];
        for step in steps(now, lifetimes).into_iter().chain(self.sweeps_unnamed(now)) {
            swept.push(self.sweep_all(&step).await);
        }
        swept.push(self.sweep_usages(now, lifetimes).await);
        swept.push(self.patrol_grants(now, lifetimes).await);
        swept.push(self.patrol_sessions(now, lifetimes).await);
        swept.into_iter().sum()
    }

    /// What tokens were used for, a day at a time.
    async fn sweep_usages(&self, now: Time, lifetimes: &Lifetimes) -> Result<usize, StoreError> {
        let kept = lifetimes.usage_kept;
        let before = if kept.is_zero() { now.day() + 1 } else { now.minus(kept).day() };
        let mut swept = 0;
        while let Some(day) = self.usages_oldest().await?.filter(|day| *day < before) {
            let rows = self.sweep_all(&Step::Usages { day }).await?;
            swept += rows;
            if rows == 0 {
                break;
            }
        }
        Ok(swept)
    }

    /// What is for nobody, where this process knows for whom there is something.
    fn sweeps_unnamed(&self, now: Time) -> Option<Step> {
        let targets = self.subscriptions().get().map(Subscriptions::targets)?;
        let named = targets.iter().map(ToString::to_string).collect();
        Some(Step::OutboxUnnamed { named, queued_by: now.minus(GIVEN_UP_SHOWN).millis() })
    }

    async fn sweep_all(&self, step: &Step) -> Result<usize, StoreError> {
        let mut swept = 0;
        loop {
            let rows = self.sweep_step(step.clone()).await?;
            swept += rows;
            if i64::try_from(rows).is_ok_and(|rows| rows < STEP) {
                return Ok(swept);
            }
        }
    }

    /// Keys of which nothing is left.
    async fn sweep_keys(&self, now: Time, lifetimes: &Lifetimes) -> Result<usize, StoreError> {
        let directory = self.directory();
        let over = directory.keys.keys.iter().filter(|key| key.is_over(now, lifetimes));
        let changes: Vec<Change> = over.map(|key| Change::KeyRemove(key.id)).collect();
        let swept = changes.len();
        self.commit(changes).await.map(|()| swept)
    }

    async fn patrol_grants(&self, now: Time, lifetimes: &Lifetimes) -> Result<usize, StoreError> {
        let of_resources = self.directory().resources.values().filter_map(|api| api.access_token_lifetime).max();
        let longest = lifetimes.access_token.max(of_resources.unwrap_or_default());
        let long_ago = now.minus(lifetimes.spent_kept);
        let over = Over { ended_by: long_ago.millis(), finished_by: long_ago.minus(longest).millis() };
        let before = first_id_at(long_ago);
        let next =
            async |after| -> Result<Vec<i64>, StoreError> { query!(self, load, grants::window(after, before, STEP)) };
        self.patrol(&self.patrols().grants, next, |after, through| Step::Grants { after, through, over }).await
    }

    async fn patrol_sessions(&self, now: Time, lifetimes: &Lifetimes) -> Result<usize, StoreError> {
        let long_ago = now.minus(lifetimes.spent_kept);
        let dead = Dead { ended: long_ago.millis(), begun: long_ago.minus(lifetimes.session_absolute).millis() };
        let before = first_id_at(long_ago);
        let next =
            async |after| -> Result<Vec<i64>, StoreError> { query!(self, load, sessions::window(after, before, STEP)) };
        self.patrol(&self.patrols().sessions, next, |after, through| Step::Sessions { after, through, dead }).await
    }

    /// Walks on from where the last round came to, at least some steps, and on while something is found.
    async fn patrol(
        &self,
        place: &AtomicI64,
        next: impl AsyncFn(i64) -> Result<Vec<i64>, StoreError>,
        step: impl Fn(i64, i64) -> Step,
    ) -> Result<usize, StoreError> {
        let (mut swept, mut patience) = (0, PATIENCE);
        while patience > 0 {
            let after = place.load(Ordering::Relaxed);
            let Some(through) = next(after).await?.last().copied() else {
                place.store(0, Ordering::Relaxed);
                break;
            };
            let rows = self.sweep_step(step(after, through)).await?;
            place.store(through, Ordering::Relaxed);
            swept += rows;
            patience -= usize::from(rows == 0);
        }
        Ok(swept)
    }
}
