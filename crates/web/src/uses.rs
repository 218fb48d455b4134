//! When and from where API tokens were last used: noted in memory, so that it costs a request next to nothing, and kept a few
//! times a minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use grantor_core::api_token::LastUse;
use grantor_core::change::Change;
use grantor_core::store::{Store, StoreError};
use grantor_jose::id::Id;

use crate::app::App;

/// The uses of so many tokens are noted between two times that they are kept; those of others are not known then.
const MOST: usize = 50_000;

/// The uses of so many are kept in one commit.
const AT_ONCE: usize = 20;

/// The last use of each token since they were last kept.
#[derive(Debug, Default)]
pub(crate) struct Uses(Mutex<HashMap<Id, LastUse>>);

impl Uses {
    pub(crate) fn note(&self, id: Id, last_use: LastUse) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() < MOST || noted.contains_key(&id) {
            noted.insert(id, last_use);
        }
    }

    /// In the order of their identifiers on each node, so that two that keep theirs do not wait for each other.
    fn take(&self) -> Vec<(Id, LastUse)> {
        let noted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut taken: Vec<_> = noted.into_iter().collect();
        taken.sort_unstable_by_key(|(id, _)| *id);
        taken
    }

    /// What is newer by now stays.
    fn give_back(&self, taken: &[(Id, LastUse)]) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, last_use) in taken {
            noted.entry(*id).or_insert_with(|| last_use.clone());
        }
    }
}

impl App {
    /// Keeps what was noted.
    ///
    /// # Errors
    /// Those of the store; what was noted stays so then.
    pub async fn keep_uses(&self) -> Result<(), StoreError> {
        let taken = self.uses.take();
        for (batch, at) in taken.chunks(AT_ONCE).zip((0..).step_by(AT_ONCE)) {
            let used = batch.iter().map(|(id, last_use)| Change::ApiTokenUsed { id: *id, last_use: last_use.clone() });
            if let Err(error) = self.provider.store.commit(used.collect()).await {
                self.uses.give_back(&taken[at..]);
                return Err(error);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use grantor_core::time::Time;

    use super::*;

    fn at(seconds: i64) -> LastUse {
        LastUse { at: Time::from_seconds(seconds), address: "192.0.2.7".to_owned() }
    }

    #[test]
    fn what_could_not_be_kept_is_not_lost_and_replaces_nothing_newer() {
        let uses = Uses::default();
        uses.note(Id::from_i64(2), at(1));
        uses.note(Id::from_i64(1), at(1));
        let taken = uses.take();
        assert_eq!(taken.iter().map(|(id, _)| id.as_i64()).collect::<Vec<_>>(), [1, 2]);
        uses.note(Id::from_i64(1), at(5));
        uses.give_back(&taken);
        assert_eq!(uses.take(), [(Id::from_i64(1), at(5)), (Id::from_i64(2), at(1))]);
    }

    #[test]
    fn a_flood_of_tokens_is_not_remembered_without_end() {
        let uses = Uses::default();
        for id in 0..i64::try_from(2 * MOST).unwrap_or(i64::MAX) {
            uses.note(Id::from_i64(id), at(1));
        }
        uses.note(Id::from_i64(0), at(2));
        let taken = uses.take();
        assert_eq!((taken.len(), &taken[0].1), (MOST, &at(2)));
    }
}
