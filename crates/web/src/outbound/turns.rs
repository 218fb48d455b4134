//! How much is asked of other servers at once, for whom: whoever names addresses may name very many hosts, or one that never
//! answers, and shall not keep others from asking.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::OutboundError;

/// For all together.
const AT_ONCE: usize = 32;
/// For each who asks.
const FOR_ONE: usize = 8;
/// How many may wait for the turns of one who asks.
const WAITING: usize = 32;

/// For whom is being asked.
#[derive(Debug)]
pub(crate) struct Turns {
    all: Arc<Semaphore>,
    /// How many each has.
    for_one: usize,
    /// What each has taken at the moment; they have no entry without.
    askers: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Default for Turns {
    fn default() -> Self {
        Self::of(AT_ONCE, FOR_ONE)
    }
}

/// Leave to ask, until the last of its clones is dropped: a look-up that nobody waits for any more goes on, and keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Turn(#[expect(dead_code, reason = "held until it is dropped")] Arc<Taken>);

#[derive(Debug)]
struct Taken {
    _own: OwnedSemaphorePermit,
    _shared: OwnedSemaphorePermit,
    _place: Place,
}

/// The entry of one who asks; whoever leaves it last removes it.
#[derive(Debug)]
struct Place {
    turns: Arc<Turns>,
    name: String,
    /// Taken out when it is left.
    asker: Option<Arc<Semaphore>>,
}

impl Turns {
    /// So many for all together, and for each.
    pub(crate) fn of(at_once: usize, for_one: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(at_once)), for_one, askers: Mutex::default() }
    }

    /// Waits for so long until it may be asked for somebody.
    pub(crate) async fn take(self: &Arc<Self>, asker: &str, patience: Duration) -> Result<Turn, OutboundError> {
        let (place, turns) = self.place(asker).ok_or(OutboundError::Busy)?;
        let taking = async {
            let own = turns.acquire_owned().await.ok()?;
            let shared = Arc::clone(&self.all).acquire_owned().await.ok()?;
            Some(Taken { _own: own, _shared: shared, _place: place })
        };
        let taken = timeout(patience, taking).await.ok().flatten().ok_or(OutboundError::Busy)?;
        Ok(Turn(Arc::new(taken)))
    }

    /// A place among those who ask for one; none where too many wait there.
    fn place(self: &Arc<Self>, name: &str) -> Option<(Place, Arc<Semaphore>)> {
        let mut askers = self.askers.lock().unwrap_or_else(PoisonError::into_inner);
        let asker = askers.entry(name.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(self.for_one)));
        // Each place holds one, each permit another, and the map one.
        let is_full = Arc::strong_count(asker) > 2 * self.for_one + WAITING;
        let place = || Place { turns: Arc::clone(self), name: name.to_owned(), asker: Some(Arc::clone(asker)) };
        (!is_full).then(|| (place(), Arc::clone(asker)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut askers = self.turns.askers.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that of two who leave at once the second one sees that it is the last.
        drop(self.asker.take());
        if askers.get(&self.name).is_some_and(|asker| Arc::strong_count(asker) == 1) {
            askers.remove(&self.name);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const AT_LEAST: Duration = Duration::from_millis(1);

    #[tokio::test]
    async fn one_who_asks_does_not_take_all_turns_however_many_hosts_are_named() {
        let turns = Arc::new(Turns::default());
        let mut slow = Vec::new();
        for _ in 0..FOR_ONE {
            slow.push(turns.take("upstream corp", AT_LEAST).await.unwrap());
        }
        assert!(matches!(turns.take("upstream corp", AT_LEAST).await, Err(OutboundError::Busy)));
        assert!(turns.take("upstream other", AT_LEAST).await.is_ok());
        slow.pop();
        assert!(turns.take("upstream corp", AT_LEAST).await.is_ok());
    }

    #[tokio::test]
    async fn a_turn_lasts_as_long_as_anybody_who_holds_it() {
        let turns = Arc::new(Turns::default());
        let mut held = Vec::new();
        for _ in 0..FOR_ONE {
            let turn = turns.take("one", AT_LEAST).await.unwrap();
            held.push(turn.clone());
        }
        assert!(turns.take("one", AT_LEAST).await.is_err());
    }

    #[tokio::test]
    async fn all_together_have_so_many_turns_and_what_is_over_leaves_nothing() {
        let turns = Arc::new(Turns::default());
        let mut taken = Vec::new();
        for number in 0..AT_ONCE {
            taken.push(turns.take(&format!("upstream {number}"), AT_LEAST).await.unwrap());
        }
        assert!(matches!(turns.take("one more", AT_LEAST).await, Err(OutboundError::Busy)));
        drop(taken);
        assert!(turns.askers.lock().unwrap().is_empty());
    }
}
