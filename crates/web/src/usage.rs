//! What tokens are used for, counted in memory, so that it costs a request next to nothing, and kept a few times a minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use grantor_core::change::Change;
use grantor_core::store::{Store, StoreError};
use grantor_core::usage::{self, Held, Summary, Usage, Use};
use grantor_jose::id::Id;
use grantor_storage::{MOST_SHOWN, UsagesOf};

use crate::api_tokens::DAY;
use crate::app::App;
use crate::pages::used::{LATELY, NAMED, Used};

/// So many usages are noted between two times that they are kept, some 10 MB; what is beyond is not known then.
const MOST: usize = 20_000;

/// From so many on they are kept sooner.
const MANY: usize = MOST / 8;

/// So many usages of one of them, so that nobody hides what others do by a great many networks: of the rest, networks are not
/// told apart, and then the uses are not known.
const MOST_OF_ONE: usize = 16;

/// So many are looked up at a time.
const AT_ONCE: usize = 64;

/// So many are kept in one commit: as many as a database takes without waiting for each.
const IN_ONE_COMMIT: usize = 16;

/// The usages of each since they were last kept.
#[derive(Debug, Default)]
pub(crate) struct Tallies(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    of_each: HashMap<Held, Vec<Usage>>,
    /// How many usages that is.
    count: usize,
}

impl Noted {
    fn add(&mut self, usage: Usage) {
        let room = self.count < MOST;
        if let Some(known) = self.of_each.get_mut(&usage.held) {
            self.count += usize::from(add(known, usage, room));
        } else if room {
            self.of_each.insert(usage.held.clone(), vec![usage]);
            self.count += 1;
        }
    }
}

impl Tallies {
    pub(crate) fn note(&self, used: Use) {
        let usage = Usage::from(used);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).add(usage);
    }

    /// Whether so much is noted that it should be kept soon.
    fn are_many(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).count >= MANY
    }

    fn take(&self) -> Vec<Usage> {
        let noted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut taken: Vec<Usage> = noted.of_each.into_values().flatten().collect();
        taken.sort_unstable_by(|one, other| one.order().cmp(&other.order()));
        taken
    }

    fn give_back(&self, taken: impl IntoIterator<Item = Usage>) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for usage in taken {
            noted.add(usage);
        }
    }
}

/// Counts a usage to those that are known of the same origin; says whether it became another one.
fn add(known: &mut Vec<Usage>, mut usage: Usage, room: bool) -> bool {
    if count(known, &usage) {
        return false;
    }
    if known.len() >= MOST_OF_ONE && !usage.network.is_empty() {
        usage.network.clear();
        if count(known, &usage) {
            return false;
        }
    }
    let fits = room && known.len() < 2 * MOST_OF_ONE;
    if fits {
        known.push(usage);
    }
    fits
}

/// Counts a usage to the one that it does not differ from, where there is one.
fn count(known: &mut [Usage], usage: &Usage) -> bool {
    let same = known.iter_mut().find(|known| known.order() == usage.order());
    let Some(same) = same else { return false };
    same.uses = same.uses.saturating_add(usage.uses);
    same.last_at = same.last_at.max(usage.last_at);
    true
}

impl App {
    /// Whether so many uses are noted that they should be kept soon.
    pub fn uses_are_many(&self) -> bool {
        self.tallies.are_many()
    }

    /// Keeps what was counted. What cannot be kept now is counted on; what can never be is given up, so that it keeps nothing else
    /// from being kept.
    pub(crate) async fn keep_tallies(&self) -> Result<(), StoreError> {
        let mut taken = self.tallies.take().into_iter();
        loop {
            let batch: Vec<Usage> = taken.by_ref().take(AT_ONCE).collect();
            if batch.is_empty() {
                return Ok(());
            }
            let Err((error, left)) = self.keep_some(batch).await else { continue };
            if error.is_passing() {
                self.tallies.give_back(left.into_iter().chain(taken));
                return Err(error);
            }
            for usage in left {
                match self.keep_some(vec![usage]).await {
                    Ok(()) => {}
                    // The person has gone meanwhile, and is not there the next time.
                    Err((StoreError::Conflict, left)) => self.tallies.give_back(left),
                    Err((error, _)) => tracing::error!(%error, "a use of a token could not be kept"),
                }
            }
        }
    }

    /// Keeps some of it, but what was done for a person who is gone; with an error comes what is left.
    async fn keep_some(&self, noted: Vec<Usage>) -> Result<(), (StoreError, Vec<Usage>)> {
        let (known, present) = match self.known_of(&noted).await {
            Ok(known) => known,
            Err(error) => return Err((error, noted)),
        };
        let is_here = |usage: &Usage| usage.held.user_id.is_none_or(|id| present.contains(&id));
        let mut kept = usage::to_keep(noted.into_iter().filter(is_here).collect(), known);
        while !kept.is_empty() {
            let rest = kept.split_off(kept.len().min(IN_ONE_COMMIT));
            let changes = kept.iter().map(|usage| Change::UsageAdd(Box::new(usage.clone()))).collect();
            if let Err(error) = self.provider.store.commit(changes).await {
                kept.extend(rest);
                return Err((error, kept));
            }
            kept = rest;
        }
        Ok(())
    }

    /// What is known of the same origins and days, and who of the people is there.
    async fn known_of(&self, noted: &[Usage]) -> Result<(Vec<Usage>, Vec<Id>), StoreError> {
        let store = &self.provider.store;
        let mut held: Vec<Held> = noted.iter().map(|usage| usage.held.clone()).collect();
        held.dedup();
        let people: Vec<Id> = held.iter().filter_map(|held| held.user_id).collect();
        let present = if people.is_empty() { people } else { store.users_present(&people).await? };
        let since = noted.iter().map(|usage| usage.day).min().unwrap_or_default();
        Ok((store.usages_known(&held, since).await?, present))
    }

    /// What something was used for, as far back as that is kept.
    pub(crate) async fn usages_of(&self, whose: UsagesOf) -> Result<Vec<Usage>, StoreError> {
        let since = self.clock.now().minus(self.provider.policy.lifetimes.usage_kept).day();
        self.provider.store.usages(&whose, since).await
    }

    /// Since which day it is known what a person's tokens were used for, where these are all usages that can be read of them; none
    /// where nothing is. Nobody is told that a token was not used in days of which nothing is known.
    pub(crate) async fn watched_since(&self, usages: &[Usage]) -> Result<Option<i64>, StoreError> {
        let oldest = self.provider.store.usages_oldest().await?;
        let is_cut = i64::try_from(usages.len()).is_ok_and(|read| read >= MOST_SHOWN);
        let read = usages.iter().map(|usage| usage.day).min().filter(|_| is_cut);
        Ok(oldest.max(read))
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
        is_whole: app.provider.policy.lifetimes.usage_kept.as_secs() >= LATELY.unsigned_abs() * DAY.as_secs(),
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

    fn told(taken: &[Usage]) -> Vec<(i64, i64)> {
        taken.iter().map(|usage| (usage.uses, usage.last_at.seconds())).collect()
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
        let (own, other) = taken.split_at(MOST_OF_ONE + 1);
        assert_eq!(own.iter().map(|usage| usage.uses).sum::<i64>(), 256);
        assert_eq!(told(other), [(1, 2)]);
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
