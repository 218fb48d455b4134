//! Tries of people at forms with a password, each counted before it is looked at.

use grantor_core::change::Change;
use grantor_core::error::Error;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_identity::throttle::{self, Attempts, Decision, Limit, SlotKey, Slots, ThrottlePolicy};
use grantor_jose::id::Id;

use crate::visit::Visit;

/// How often a count that another node changed is read again.
const MAX_RACES: usize = 16;

/// Where a try counts, and how many may.
pub(crate) struct Tries<'a> {
    visit: &'a Visit,
    slots: Slots,
    policy: ThrottlePolicy,
}

/// A try that was counted, on the account's slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    before: Option<Attempts>,
    after: Attempts,
}

impl<'a> Tries<'a> {
    /// A try of a visit.
    pub(crate) fn new(visit: &'a Visit, slots: Slots) -> Self {
        Self { visit, slots, policy: visit.app.settings.throttle }
    }

    /// A try at a code of a second factor.
    pub(crate) fn at_code(visit: &'a Visit, user_id: Id) -> Self {
        let slots = Slots::second_factor(&user_id.to_string(), &visit.app.directory().secrets.throttle);
        Self { visit, slots, policy: visit.app.settings.throttle.of_codes() }
    }

    /// Counts the try, or says how long it has to wait, in seconds.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn charge(&self) -> Result<Option<i64>, Error> {
        Ok(self.count().await?.err())
    }

    /// The same, with what was counted: on a slot of an account.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn count(&self) -> Result<Result<Option<Counted>, i64>, Error> {
        let store = &self.visit.app.provider.store;
        let policy = &self.policy;
        let now = self.visit.now.millis();
        let _counting = self.visit.app.counting.lock().await;
        for _ in 0..MAX_RACES {
            let account = self.read(self.slots.account.as_ref()).await?;
            let address = self.read(self.slots.address.as_ref()).await?;
            if let Decision::Wait { seconds } = throttle::decide(account, address, policy, now) {
                let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
                return Ok(Err(seconds));
            }
            let charge = |slot: Option<&SlotKey>, read, limit: &Limit| {
                slot.map(|slot| (*slot, read, throttle::after_failure(read, limit, now)))
            };
            let charged = [
                charge(self.slots.account.as_ref(), account, &policy.account),
                charge(self.slots.address.as_ref(), address, &policy.address),
            ];
            let changes = charged.iter().flatten().map(|(slot, read, after)| put(*slot, *read, *after)).collect();
            match store.commit(changes).await {
                Ok(()) => return Ok(Ok(charged[0].map(|(_, before, after)| Counted { before, after }))),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Busy.into())
    }

    /// Whether a counted try is the one with which the free ones are used up.
    pub(crate) fn is_last_free(&self, counted: Counted) -> bool {
        throttle::is_last_free(counted.after, &self.policy.account)
    }

    /// Takes the charge of a right code back, and nothing else.
    pub(crate) async fn take_back(&self, counted: Option<Counted>) {
        let Some(Counted { before, after }) = counted else { return };
        self.put_back(|held| throttle::given_back(before, after, held)).await;
    }

    async fn read(&self, slot: Option<&SlotKey>) -> Result<Option<Attempts>, StoreError> {
        let Some(slot) = slot else { return Ok(None) };
        let row = self.visit.app.provider.store.attempts_find(slot.number()).await?;
        Ok(row.map(|(failures, window_started)| Attempts { failures, window_started: window_started.millis() }))
    }

    /// Clears the account's counter and takes the address's charge back, as they stand now.
    pub(crate) async fn give_back(&self) {
        let now = self.visit.now.millis();
        self.put_back(|_| throttle::after_success(now)).await;
    }

    /// Takes the charge of a try back that was not looked at.
    pub(crate) async fn not_counted(&self) {
        self.put_back(throttle::taken_back).await;
    }

    async fn put_back(&self, account: impl Fn(Attempts) -> Attempts) {
        let _counting = self.visit.app.counting.lock().await;
        for _ in 0..MAX_RACES {
            match self.try_put_back(&account).await {
                Err(StoreError::Conflict) => {}
                Ok(()) => return,
                Err(error) => return tracing::warn!(%error, "a sign-in's charge was not given back"),
            }
        }
    }

    async fn try_put_back(&self, account: &impl Fn(Attempts) -> Attempts) -> Result<(), StoreError> {
        let mut changes = Vec::new();
        if let Some(slot) = &self.slots.account
            && let Some(read) = self.read(Some(slot)).await?
        {
            changes.push(put(*slot, Some(read), account(read)));
        }
        if let Some(slot) = &self.slots.address
            && let Some(read) = self.read(Some(slot)).await?
        {
            changes.push(put(*slot, Some(read), throttle::taken_back(read)));
        }
        self.visit.app.provider.store.commit(changes).await
    }
}

fn put(slot: SlotKey, read: Option<Attempts>, after: Attempts) -> Change {
    Change::AttemptsPut {
        expected: read.map(|read| (read.failures, Time::from_millis(read.window_started))),
        slot: slot.number(),
        failures: after.failures,
        window_started: Time::from_millis(after.window_started),
    }
}
