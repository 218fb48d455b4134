//! What everybody owes, in a memory of fixed size.
//!
//! # Why nothing is pushed out that counts
//!
//! The table is made of buckets of eight cells; a keyed hash, whose key nobody knows, says which bucket somebody is in. Who
//! comes new takes the cell of whoever owes least in the bucket. Most cells owe nothing any more, and nothing is lost with
//! them. In a flood of addresses that each ask once, these owe least, so they push out each other, and never one that asks
//! so often that it has to wait: that one owes nearly as much as anybody may.
//!
//! Where all eight still owe something, who comes new takes over the least of their debts, or else a flood of strangers would
//! let each other off. But never so much that the first request is refused: nobody is shut out because of others. So a table
//! that is too small for a flood gives newcomers their rate, and not their burst.
//!
//! Each bucket has a lock of its own, held for some nanoseconds, so threads do not wait for one another.
//!
//! The crate `governor` has the same rule, and keeps a cell for each key until somebody sweeps: its memory grows with a flood.

use std::hash::{BuildHasher, Hash};
use std::sync::{Mutex, PoisonError};

use crate::rate::{Price, Wait};

/// How many cells a bucket has: what fits two lines of the processor's cache.
const CELLS: usize = 8;

/// What one key owes.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    /// The hash of the key.
    key: u64,
    /// When nothing is owed any more.
    until: u64,
}

type Bucket = Mutex<[Cell; CELLS]>;

/// What everybody owes. `S` is the keyed hash.
pub struct RateTable<S> {
    buckets: Box<[Bucket]>,
    hasher: S,
}

impl<S> std::fmt::Debug for RateTable<S> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "RateTable of {} cells", self.buckets.len() * CELLS)
    }
}

impl<S: BuildHasher> RateTable<S> {
    /// A table of at least `cells` cells, 17 bytes each.
    pub fn new(cells: usize, hasher: S) -> Self {
        let buckets = cells.div_ceil(CELLS).next_power_of_two();
        Self { buckets: (0..buckets).map(|_| Bucket::default()).collect(), hasher }
    }

    /// Counts a request of `key` at `now`, in nanoseconds since any moment.
    ///
    /// # Errors
    /// How long it has to wait; it is not counted then.
    pub fn charge(&self, key: &impl Hash, price: Price, now: u64) -> Result<(), Wait> {
        let key = self.hasher.hash_one(key);
        let at = usize::try_from(key).unwrap_or(usize::MAX) & (self.buckets.len() - 1);
        let mut cells = self.buckets[at].lock().unwrap_or_else(PoisonError::into_inner);
        let Some(cell) = find(&mut cells, key) else { return Ok(()) };
        // More than the most is owed only where the clock was set back. What was owed before is not known any more then, and
        // nobody shall wait for a clock.
        let mut owed = Some(cell.until.saturating_sub(now)).filter(|owed| *owed <= price.most()).unwrap_or(0);
        if cell.key != key {
            owed = owed.min(price.most_before());
        }
        let charged = price.charge(owed);
        *cell = Cell { key, until: now.saturating_add(charged.unwrap_or(owed)) };
        charged.map(|_| ())
    }
}

/// The cell of the key, or the one that it takes over; a bucket has at least one.
fn find(cells: &mut [Cell; CELLS], key: u64) -> Option<&mut Cell> {
    match cells.iter().position(|cell| cell.key == key) {
        Some(at) => cells.get_mut(at),
        None => cells.iter_mut().min_by_key(|cell| cell.until),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::HashMap;
    use std::hash::{BuildHasherDefault, DefaultHasher};
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::rate::Allowance;

    const SECOND: u64 = 1_000_000_000;
    const START: u64 = 1_800_000_000 * SECOND;

    type Fixed = BuildHasherDefault<DefaultHasher>;

    fn table(cells: usize) -> RateTable<Fixed> {
        RateTable::new(cells, Fixed::default())
    }

    fn price(rate: &str, burst: u64) -> Price {
        Allowance { rate: rate.parse().unwrap(), burst: Duration::from_secs(burst) }.price(1)
    }

    /// How many of `many` requests of `key` at one moment are answered.
    fn answered(table: &RateTable<Fixed>, key: u32, (price, now): (Price, u64), many: u32) -> u32 {
        (0..many).map(|_| u32::from(table.charge(&key, price, now).is_ok())).sum()
    }

    /// The same rule in a memory that grows: nobody is forgotten.
    #[derive(Default)]
    struct Reference(HashMap<u32, u64>);

    impl Reference {
        fn charge(&mut self, key: u32, price: Price, now: u64) -> Result<(), Wait> {
            let until = self.0.entry(key).or_default();
            let charged = price.charge(until.saturating_sub(now));
            charged.map(|owed| *until = now + owed)
        }
    }

    #[test]
    fn each_has_a_limit_of_its_own() {
        let (table, price) = (table(64), price("10/m", 60));
        assert_eq!(answered(&table, 1, (price, START), 100), 10);
        assert_eq!(answered(&table, 2, (price, START), 100), 10);
        assert_eq!(answered(&table, 1, (price, START + 6 * SECOND), 100), 1);
    }

    #[test]
    fn a_flood_of_strangers_does_not_free_one_that_has_to_wait() {
        let (table, price) = (table(64), price("60/m", 60));
        assert_eq!(answered(&table, 0, (price, START), 100), 60);
        let mut free = 0;
        // 200 strangers a second, on 64 cells, each asks once.
        for number in 1..=2000_u32 {
            let now = START + u64::from(number) * SECOND / 200;
            assert!(table.charge(&number, price, now).is_ok(), "a stranger's first request is answered");
            free += answered(&table, 0, (price, now), 1);
        }
        assert_eq!(free, 10, "one a second, as without them");
    }

    #[test]
    fn a_full_table_gives_newcomers_their_rate_without_their_burst() {
        let (table, price) = (table(8), price("60/m", 60));
        for number in 0..8 {
            assert_eq!(answered(&table, number, (price, START), 60), 60);
        }
        assert_eq!(answered(&table, 100, (price, START), 60), 1);
        assert_eq!(answered(&table, 100, (price, START + 5 * SECOND), 60), 5);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait() {
        let (table, price) = (table(8), price("60/m", 60));
        assert_eq!(answered(&table, 1, (price, START), 100), 60);
        let earlier = START - 3600 * SECOND;
        assert_eq!(answered(&table, 1, (price, earlier), 100), 60);
        assert_eq!(answered(&table, 1, (price, earlier + SECOND), 100), 1);
    }

    proptest! {
        #[test]
        fn where_there_is_room_it_decides_as_a_memory_without_bounds(
            requests in proptest::collection::vec((0..8_u32, 0..20 * SECOND), 1..300)
        ) {
            let (table, price, mut reference) = (table(8), price("6/m", 60), Reference::default());
            let mut now = START;
            for (key, step) in requests {
                now += step / 16;
                prop_assert_eq!(table.charge(&key, price, now), reference.charge(key, price, now));
            }
        }

        #[test]
        fn in_any_flood_the_one_that_asks_most_gets_no_more_than_alone(
            flood in proptest::collection::vec((1..40_u32, 0..SECOND), 1..400)
        ) {
            // Each stranger stays below a tenth of what they may owe; there is a cell for each fifth of them.
            let (table, price, mut reference) = (table(8), price("600/m", 60), Reference::default());
            for _ in 0..600 {
                table.charge(&0, price, START).unwrap();
                reference.charge(0, price, START).unwrap();
            }
            let mut now = START;
            for (stranger, step) in flood {
                now += step / 8;
                prop_assert!(table.charge(&stranger, price, now).is_ok());
                prop_assert_eq!(table.charge(&0, price, now), reference.charge(0, price, now));
            }
        }

        #[test]
        fn nobodys_first_request_is_refused(
            others in proptest::collection::vec((1..100_u32, 1..80_u32), 0..100)
        ) {
            let (table, price) = (table(8), price("60/m", 60));
            for (key, many) in others {
                answered(&table, key, (price, START), many);
            }
            prop_assert!(table.charge(&0, price, START).is_ok());
        }
    }
}
