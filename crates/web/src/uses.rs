//! When and from where API tokens were last used: noted in memory, so that it costs a request next to nothing, and kept a few
//! times a minute. Beside the last use, a few networks of each token are noted that it was used in since: who uses somebody
//! else's token now and then shall not be hidden by the uses of its owner.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use grantor_core::api_token::LastUse;
use grantor_core::api_token::watch::network_of;
use grantor_core::change::Change;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_core::token::Origin;
use grantor_core::usage::Use;
use grantor_jose::id::Id;

use crate::app::App;

/// The uses of so many tokens are noted between two times that they are kept; those of others are not known then.
const MOST: usize = 50_000;

/// The uses of so many are kept in one commit.
const AT_ONCE: usize = 20;

/// So many networks of a token are noted between two times that they are kept.
const NETWORKS: usize = 4;

/// What is noted of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Noted {
    pub(crate) last_use: LastUse,
    /// An address of each network, and when it was first used.
    pub(crate) from: Vec<(IpAddr, Time)>,
}

impl Noted {
    fn of(last_use: LastUse) -> Self {
        let from = last_use.address.parse().ok().map(|address| (address, last_use.at)).into_iter().collect();
        Self { last_use, from }
    }

    fn again(&mut self, last_use: LastUse) {
        // Nearly always it is the address of the use before.
        if last_use.address != self.last_use.address
            && let Ok(address) = last_use.address.parse::<IpAddr>()
            && self.from.len() < NETWORKS
            && !self.from.iter().any(|(known, _)| network_of(*known) == network_of(address))
        {
            self.from.push((address, last_use.at));
        }
        self.last_use = last_use;
    }
}

/// The last uses of each token since they were last kept.
#[derive(Debug, Default)]
pub(crate) struct Uses(Mutex<HashMap<Id, Noted>>);

impl Uses {
    pub(crate) fn note(&self, id: Id, last_use: LastUse) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = noted.get_mut(&id) {
            known.again(last_use);
        } else if noted.len() < MOST {
            noted.insert(id, Noted::of(last_use));
        }
    }

    /// In the order of their identifiers on each node, so that two that keep theirs do not wait for each other.
    fn take(&self) -> Vec<(Id, Noted)> {
        let noted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut taken: Vec<_> = noted.into_iter().collect();
        taken.sort_unstable_by_key(|(id, _)| *id);
        taken
    }

    /// What is newer by now stays.
    fn give_back(&self, taken: &[(Id, Noted)]) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, before) in taken {
            match noted.entry(*id) {
                Entry::Vacant(unknown) => drop(unknown.insert(before.clone())),
                Entry::Occupied(mut known) => {
                    let mut all = before.clone();
                    for (address, at) in std::mem::take(&mut known.get_mut().from) {
                        all.again(LastUse { at, address: address.to_string() });
                    }
                    known.get_mut().from = all.from;
                }
            }
        }
    }
}

impl App {
    /// Notes a use, where there was one.
    pub(crate) fn note_use(&self, used: Option<Use>) {
        let Some(used) = used else { return };
        if let Origin::ApiToken(id) = used.held.origin {
            let address = used.from.map(|address| address.to_canonical().to_string()).unwrap_or_default();
            self.uses.note(id, LastUse { at: used.at, address });
        }
        if !self.provider.policy.lifetimes.usage_kept.is_zero() {
            self.tallies.note(used);
        }
    }

    /// Keeps what was noted.
    ///
    /// # Errors
    /// Those of the store; what was noted stays so then.
    pub async fn keep_uses(&self) -> Result<(), StoreError> {
        let (last_uses, tallies) = (self.keep_last_uses().await, self.keep_tallies().await);
        last_uses.and(tallies)
    }

    async fn keep_last_uses(&self) -> Result<(), StoreError> {
        let taken = self.uses.take();
        for (batch, at) in taken.chunks(AT_ONCE).zip((0..).step_by(AT_ONCE)) {
            let used = |(id, noted): &(Id, Noted)| Change::ApiTokenUsed { id: *id, last_use: noted.last_use.clone() };
            let kept = match self.provider.store.commit(batch.iter().map(used).collect()).await {
                Ok(()) => self.learn_networks(batch).await,
                Err(error) => Err(error),
            };
            if let Err(error) = kept {
                self.uses.give_back(&taken[at..]);
                return Err(error);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
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
        let kept: Vec<_> = uses.take().into_iter().map(|(id, noted)| (id.as_i64(), noted.last_use)).collect();
        assert_eq!(kept, [(1, at(5)), (2, at(1))]);
    }

    #[test]
    fn a_flood_of_tokens_is_not_remembered_without_end() {
        let uses = Uses::default();
        for id in 0..i64::try_from(2 * MOST).unwrap_or(i64::MAX) {
            uses.note(Id::from_i64(id), at(1));
        }
        uses.note(Id::from_i64(0), at(2));
        let taken = uses.take();
        assert_eq!((taken.len(), &taken[0].1.last_use), (MOST, &at(2)));
    }

    #[test]
    fn a_use_from_elsewhere_is_not_hidden_by_the_next_and_few_are_noted() {
        let (uses, id) = (Uses::default(), Id::from_i64(1));
        let from = |address: &str| LastUse { address: address.to_owned(), ..at(1) };
        let networks = |taken: &[(Id, Noted)]| taken[0].1.from.iter().map(|(a, _)| a.to_string()).collect::<Vec<_>>();
        for address in ["192.0.2.7", "198.51.100.1", "192.0.2.9", "", "192.0.2.7"] {
            uses.note(id, from(address));
        }
        let taken = uses.take();
        assert_eq!(networks(&taken), ["192.0.2.7", "198.51.100.1"]);
        for number in 0..200 {
            uses.note(id, from(&format!("10.0.{number}.1")));
        }
        uses.give_back(&taken);
        assert_eq!(networks(&uses.take()), ["192.0.2.7", "198.51.100.1", "10.0.0.1", "10.0.1.1"]);
    }
}
