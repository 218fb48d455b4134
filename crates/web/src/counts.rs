//! Tokens issued, counted: routine issues are no events of their own, and one write a minute keeps the numbers.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use grantor_core::change::Change;
use grantor_core::grant_type::GrantType;
use grantor_core::store::{Store, StoreError};

use crate::app::App;

/// The numbers of so many apps are kept in one commit.
const AT_ONCE: usize = 20;

/// Numbers by app, in the same order on each node, so that two that keep theirs do not wait for each other; each in the order of `GrantType::ALL`.
type Numbers = BTreeMap<String, [i64; GrantType::ALL.len()]>;

/// Tokens issued since the counts were last kept. As many entries as there are apps.
#[derive(Debug, Default)]
pub struct Counts(Mutex<Numbers>);

impl Counts {
    /// Counts one token.
    pub(crate) fn add(&self, client_id: &str, grant_type: GrantType) {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = GrantType::ALL.iter().position(|known| *known == grant_type).unwrap_or_default();
        if let Some(known) = numbers.get_mut(client_id) {
            known[at] += 1;
        } else {
            let mut first = [0; GrantType::ALL.len()];
            first[at] = 1;
            numbers.insert(client_id.to_owned(), first);
        }
    }

    fn take(&self) -> Numbers {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn give_back(&self, taken: Numbers) {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (client_id, counts) in taken {
            let known = numbers.entry(client_id).or_default();
            for (known, count) in known.iter_mut().zip(counts) {
                *known += count;
            }
        }
    }
}

impl App {
    /// Keeps what was counted.
    ///
    /// # Errors
    /// Those of the store; the numbers stay counted then.
    pub async fn keep_counts(&self) -> Result<(), StoreError> {
        let (mut taken, day) = (self.counts.take(), self.clock.now().day());
        while !taken.is_empty() {
            let batch: Numbers = std::iter::from_fn(|| taken.pop_first()).take(AT_ONCE).collect();
            let counted = batch.iter().flat_map(|(client_id, counts)| {
                let counted = GrantType::ALL.into_iter().zip(*counts).filter(|(_, count)| *count > 0);
                counted.map(|(grant_type, issued)| Change::TokensCount {
                    day,
                    client_id: client_id.clone(),
                    grant_type,
                    issued,
                })
            });
            if let Err(error) = self.provider.store.commit(counted.collect()).await {
                self.counts.give_back(batch);
                self.counts.give_back(taken);
                return Err(error);
            }
        }
        Ok(())
    }
}
