//! What tokens are used for, counted in memory, so that it costs a request next to nothing, and kept a few times a minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use grantor_core::change::Change;
use grantor_core::store::{Store, StoreError};
use grantor_core::usage::{self, Held, Summary, Usage, Use};
use grantor_jose::id::Id;
use grantor_storage::UsagesOf;

use crate::app::App;
use crate::pages::used::{LATELY, NAMED, Used};

/// So many approvals, API tokens and clients are noted between two times that they are kept; what others do is not known then.
const MOST: usize = 50_000;

/// So many usages of one of them, so that nobody hides what others do by a great many networks: of the rest, networks are not
/// told apart, and then the uses are not known.
const MOST_OF_ONE: usize = 16;

/// What so many of them did is kept in one commit.
const AT_ONCE: usize = 20;

/// The usages of each since they were last kept.
#[derive(Debug, Default)]
pub(crate) struct Tallies(Mutex<HashMap<Held, Vec<Usage>>>);

impl Tallies {
    pub(crate) fn note(&self, used: Use) {
        let usage = Usage::from(used);
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = noted.get_mut(&usage.held) {
            add(known, usage);
        } else if noted.len() < MOST {
            noted.insert(usage.held.clone(), vec![usage]);
        }
    }

    /// In the same order on each node, so that two that keep theirs do not wait for each other.
    fn take(&self) -> Vec<(Held, Vec<Usage>)> {
        let noted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut taken: Vec<_> = noted.into_iter().collect();
        taken.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        for (_, usages) in &mut taken {
            usages.sort_unstable_by(|one, other| order(one).cmp(&order(other)));
        }
        taken
    }

    fn give_back(&self, taken: Vec<(Held, Vec<Usage>)>) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (held, usages) in taken {
            if noted.len() >= MOST && !noted.contains_key(&held) {
                continue;
            }
            let known = noted.entry(held).or_default();
            for usage in usages {
                add(known, usage);
            }
        }
    }
}

fn order(usage: &Usage) -> (i64, &str, &[String], &str) {
    (usage.day, usage.scope.as_str(), &usage.audience, &usage.network)
}

/// Counts a usage to those that are known of the same origin.
fn add(known: &mut Vec<Usage>, mut usage: Usage) {
    if count(known, &usage) {
        return;
    }
    if known.len() >= MOST_OF_ONE && !usage.network.is_empty() {
        usage.network.clear();
        if count(known, &usage) {
            return;
        }
    }
    if known.len() < 2 * MOST_OF_ONE {
        known.push(usage);
    }
}

/// Counts a usage to the one that it does not differ from, where there is one.
fn count(known: &mut [Usage], usage: &Usage) -> bool {
    let same = known.iter_mut().find(|known| order(known) == order(usage));
    let Some(same) = same else { return false };
    same.uses = same.uses.saturating_add(usage.uses);
    same.last_at = same.last_at.max(usage.last_at);
    true
}

impl App {
    /// Keeps what was counted.
    pub(crate) async fn keep_tallies(&self) -> Result<(), StoreError> {
        let mut taken = self.tallies.take();
        while !taken.is_empty() {
            let rest = taken.split_off(taken.len().min(AT_ONCE));
            if let Err(error) = self.keep_some(&taken).await {
                self.tallies.give_back(taken);
                self.tallies.give_back(rest);
                return Err(error);
            }
            taken = rest;
        }
        Ok(())
    }

    /// Keeps what some did, those left out whose person is gone.
    async fn keep_some(&self, taken: &[(Held, Vec<Usage>)]) -> Result<(), StoreError> {
        let store = &self.provider.store;
        let held: Vec<Held> = taken.iter().map(|(held, _)| held.clone()).collect();
        let people: Vec<Id> = held.iter().filter_map(|held| held.user_id).collect();
        let present = if people.is_empty() { people } else { store.users_present(&people).await? };
        let is_here = |held: &Held| held.user_id.is_none_or(|id| present.contains(&id));
        let noted: Vec<Usage> =
            taken.iter().filter(|(held, _)| is_here(held)).flat_map(|(_, usages)| usages.iter().cloned()).collect();
        let Some(since) = noted.iter().map(|usage| usage.day).min() else { return Ok(()) };
        let known = store.usages_known(&held, since).await?;
        let changes: Vec<Change> = usage::to_keep(noted, known);
        store.commit(changes).await
    }

    /// What a person's apps and tokens were used for, as far back as that is kept.
    pub(crate) async fn usages_of_person(&self, user_id: Id) -> Result<Vec<Usage>, StoreError> {
        let since = self.clock.now().minus(self.provider.policy.lifetimes.usage_kept).day();
        self.provider.store.usages(&UsagesOf::User(user_id), since).await
    }
}

/// What some usages say of the last days, for a page.
pub(crate) fn lately(app: &App, usages: &[&Usage]) -> Used {
    let (directory, first) = (app.directory(), app.clock.now().day() - LATELY + 1);
    let summary: Summary = usages.iter().copied().filter(|usage| usage.day >= first).collect();
    let name = |identifier: &String| match directory.resources.get(identifier) {
        Some(api) => api.name.clone(),
        None if identifier == app.provider.issuer.as_str() => app.settings.name.clone(),
        None => identifier.clone(),
    };
    let networks = summary.newest_networks().into_iter().take(NAMED).map(|(network, _)| network.to_owned());
    Used {
        apis: summary.audience.iter().map(name).collect(),
        count: usize::try_from(summary.uses).unwrap_or(usize::MAX),
        networks: networks.collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use grantor_core::time::Time;
    use grantor_core::token::Origin;

    use super::*;

    fn used(grant: i64, network: u8, at: i64) -> Use {
        Use {
            held: Held { origin: Origin::Grant(Id::from_i64(grant)), client_id: "wiki".into(), user_id: None },
            scope: "notes:read".parse().unwrap_or_default(),
            audience: vec!["https://api.example".into()],
            at: Time::from_seconds(at),
            from: Some(Ipv4Addr::new(10, 0, network, 1).into()),
        }
    }

    fn told(taken: &[(Held, Vec<Usage>)]) -> Vec<(i64, i64)> {
        taken.iter().flat_map(|(_, usages)| usages).map(|usage| (usage.uses, usage.last_at.seconds())).collect()
    }

    #[test]
    fn uses_that_differ_in_their_time_only_are_counted_together() {
        let tallies = Tallies::default();
        for at in [5, 9, 7] {
            tallies.note(used(1, 1, at));
        }
        tallies.note(used(1, 2, 6));
        tallies.note(used(1, 1, 86_400));
        assert_eq!(told(&tallies.take()), [(3, 9), (1, 6), (1, 86_400)]);
        assert_eq!(tallies.take(), []);
    }

    #[test]
    fn what_could_not_be_kept_is_counted_on() {
        let tallies = Tallies::default();
        tallies.note(used(2, 1, 1));
        tallies.note(used(1, 1, 2));
        let taken = tallies.take();
        tallies.note(used(2, 1, 3));
        tallies.give_back(taken);
        assert_eq!(told(&tallies.take()), [(1, 2), (2, 3)]);
    }

    #[test]
    fn one_that_moves_about_takes_little_room_and_hides_no_other() {
        let tallies = Tallies::default();
        for network in 0..=255 {
            tallies.note(used(1, network, 1));
        }
        tallies.note(used(2, 1, 2));
        let taken = tallies.take();
        assert_eq!(taken[0].1.len(), MOST_OF_ONE + 1);
        assert_eq!(taken[0].1.iter().map(|usage| usage.uses).sum::<i64>(), 256);
        assert_eq!(told(&taken[1..]), [(1, 2)]);
    }

    #[test]
    fn a_flood_of_tokens_is_not_remembered_without_end() {
        let tallies = Tallies::default();
        for grant in 0..i64::try_from(2 * MOST).unwrap_or(i64::MAX) {
            tallies.note(used(grant, 1, 1));
        }
        tallies.note(used(0, 1, 2));
        let taken = tallies.take();
        assert_eq!((taken.len(), told(&taken[..1])), (MOST, vec![(2, 2)]));
    }
}
