//! The one source of randomness, and of new identifiers.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::{Zeroize, Zeroizing};

use crate::hash;
use crate::id::{EPOCH_MS, Id, NODE_BITS, SEQUENCE_BITS, TIME_BITS};
use crate::secret::Secret;

const BLOCK: usize = 4096;
const NODE_MASK: u32 = (1 << NODE_BITS) - 1;

thread_local! {
    static POOL: RefCell<Pool> = RefCell::new(Pool { block: Zeroizing::new([0; BLOCK]), spent: BLOCK });
}

/// Bytes of the system's generator that are not handed out yet.
struct Pool {
    block: Zeroizing<[u8; BLOCK]>,
    spent: usize,
}

impl Pool {
    /// Hands out each byte once, and wipes it behind itself.
    fn fill(&mut self, mut out: &mut [u8]) {
        while !out.is_empty() {
            if self.spent == BLOCK {
                from_system(&mut *self.block);
                self.spent = 0;
            }
            let length = out.len().min(BLOCK - self.spent);
            let (now, later) = out.split_at_mut(length);
            let source = &mut self.block[self.spent..self.spent + length];
            now.copy_from_slice(source);
            source.zeroize();
            self.spent += length;
            out = later;
        }
    }
}

fn from_system(out: &mut [u8]) {
    drawn(SystemRandom::new().fill(out));
}

/// What was drawn from the system's source.
///
/// # Panics
/// When the source has failed.
#[expect(
    clippy::expect_used,
    reason = "a system without randomness can make no key: it must stop, not go on with less"
)]
pub(crate) fn drawn<T>(drawn: Result<T, Unspecified>) -> T {
    drawn.expect("the system's random source failed")
}

/// The random source. It asks the system for 4096 bytes at a time and thread, because a system call for each secret would cost
/// more than the secret.
#[derive(Clone, Default)]
pub struct Random {
    seeded: Option<Arc<Seeded>>,
}

impl Random {
    /// The system's source.
    pub const fn new() -> Self {
        Self { seeded: None }
    }

    /// A source that says the same each time. **For tests only.**
    pub fn seeded(seed: u64) -> Self {
        Self { seeded: Some(Arc::new(Seeded { seed, next: AtomicU64::new(0) })) }
    }

    /// Fills `out` with random bytes.
    ///
    /// # Panics
    /// When the system's source fails.
    pub fn fill(&self, out: &mut [u8]) {
        match &self.seeded {
            Some(seeded) => seeded.fill(out),
            // The pool is gone only while its thread ends.
            None => POOL.try_with(|pool| pool.borrow_mut().fill(out)).unwrap_or_else(|_| from_system(out)),
        }
    }

    /// `N` random bytes.
    ///
    /// # Panics
    /// When the system's source fails.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.seeded.is_some() { "Random(seeded)" } else { "Random" })
    }
}

struct Seeded {
    seed: u64,
    next: AtomicU64,
}

impl Seeded {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            let block = self.next.fetch_add(1, Ordering::Relaxed);
            let mut input = [0; 16];
            input[..8].copy_from_slice(&self.seed.to_be_bytes());
            input[8..].copy_from_slice(&block.to_be_bytes());
            chunk.copy_from_slice(&hash::sha256(&input)[..chunk.len()]);
        }
    }
}

/// The numbers of nodes from here on are for those that have lost theirs.
pub const NODES: u8 = 96;

/// Makes identifiers and secrets.
///
/// Shared by all threads; an identifier costs one atomic operation. Two mints with different nodes never make the same
/// identifier; one mint never makes one twice, nor one that sorts before its last, also when the clock steps back (but for
/// those made in the very moment in which its node changes).
#[derive(Debug)]
pub struct Mint {
    random: Random,
    /// The number of the node; above it, where the sequence of a millisecond begins.
    node: AtomicU32,
    /// Milliseconds since 2024 and sequence of the last identifier.
    last: AtomicU64,
}

impl Mint {
    /// A mint with the system's random source. `node` is a number below [`NODES`] that no other process on the same database
    /// has; bits above 7 are ignored.
    pub const fn new(node: u8) -> Self {
        Self::with(Random::new(), node)
    }

    /// A mint that makes the same each time. **For tests only.**
    pub fn seeded(seed: u64) -> Self {
        Self::with(Random::seeded(seed), 0)
    }

    const fn with(random: Random, node: u8) -> Self {
        Self { random, node: AtomicU32::new(node as u32 & NODE_MASK), last: AtomicU64::new(0) }
    }

    /// Makes identifiers with another number from now on, for a database that gives one to each node.
    pub fn set_node(&self, node: u8) {
        self.change_node(u32::from(node) & NODE_MASK);
    }

    /// Makes identifiers without a number of its own from now on, for a database that may have given it to somebody else.
    ///
    /// One of 32 numbers and of 8,192 places in each millisecond are taken by chance, so that two such mints hardly meet.
    ///
    /// # Panics
    /// When the system's random source fails.
    pub fn lose_node(&self) {
        let chance = u32::from(u16::from_be_bytes(self.bytes()));
        let spare = NODE_MASK + 1 - u32::from(NODES);
        let begin = chance % (1 << (SEQUENCE_BITS - 1));
        let node = u32::from(NODES) + u32::from(self.bytes::<1>()[0]) % spare;
        self.change_node(begin << NODE_BITS | node);
    }

    /// From the next millisecond on, so that also a lower number makes identifiers that sort behind the last.
    fn change_node(&self, node: u32) {
        self.node.store(node, Ordering::Relaxed);
        self.last.fetch_add(1 << SEQUENCE_BITS, Ordering::Relaxed);
    }

    /// Makes no identifier from now on that sorts before `id`: for a start after the clock was set back.
    pub fn resume_after(&self, id: Id) {
        let number = id.as_i64().max(0).cast_unsigned();
        let sequence = number & ((1 << SEQUENCE_BITS) - 1);
        let time = number >> (SEQUENCE_BITS + NODE_BITS);
        self.last.fetch_max((time << SEQUENCE_BITS) | sequence, Ordering::Relaxed);
    }

    /// A new identifier at `now_ms` milliseconds since 1970.
    ///
    /// More than 16,384 in one millisecond run ahead of the clock, which then catches up.
    pub fn id(&self, now_ms: i64) -> Id {
        let elapsed = now_ms.saturating_sub(EPOCH_MS).clamp(0, (1 << TIME_BITS) - 1).cast_unsigned();
        let node = self.node.load(Ordering::Relaxed);
        let earliest = elapsed << SEQUENCE_BITS | u64::from(node >> NODE_BITS);
        let step = |last: u64| earliest.max(last + 1);
        let last = self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(step(last)))
            .unwrap_or_else(|last| last);
        let ticket = step(last);
        let time = ticket >> SEQUENCE_BITS;
        let sequence = ticket & ((1 << SEQUENCE_BITS) - 1);
        let number = (((time << NODE_BITS) | u64::from(node & NODE_MASK)) << SEQUENCE_BITS) | sequence;
        Id::from_i64((number & (u64::MAX >> 1)).cast_signed())
    }

    /// A new secret of 32 random bytes.
    ///
    /// # Panics
    /// When the system's random source fails.
    pub fn secret(&self) -> Secret {
        Secret::from_bytes(self.random.bytes())
    }

    /// `N` random bytes.
    ///
    /// # Panics
    /// When the system's random source fails.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        self.random.bytes()
    }

    /// The random source.
    pub const fn random(&self) -> &Random {
        &self.random
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use ring::agreement::EphemeralPrivateKey;
    use std::collections::BTreeSet;

    const NOW: i64 = EPOCH_MS + 90_000_000_000;

    #[test]
    fn eight_threads_make_no_identifier_twice_while_the_clock_steps_back() {
        let mint = Mint::new(3);
        let make = |thread: i64| {
            let ids: Vec<Id> = (0..20_000).map(|round| mint.id(NOW - round % 7 - thread)).collect();
            assert!(ids.is_sorted_by(|left, right| left < right));
            ids
        };
        let all: Vec<Id> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|thread| scope.spawn(move || make(thread))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 160_000);
        assert!(all.iter().all(|id| id.as_i64() > 0));
    }

    #[test]
    fn an_identifier_tells_when_it_was_made() {
        let mint = Mint::new(0);
        assert_eq!(mint.id(NOW).created_ms(), NOW);
        assert_eq!(mint.id(NOW + 5).created_ms(), NOW + 5);
        assert_eq!(mint.id(NOW - 60_000).created_ms(), NOW + 5);
    }

    #[test]
    fn a_mint_resumes_after_the_last_identifier_of_another() {
        let last = Mint::new(9).id(NOW + 1_000);
        let mint = Mint::new(9);
        mint.resume_after(last);
        assert!(mint.id(NOW) > last);
    }

    #[test]
    fn a_mint_without_a_number_goes_on_and_keeps_away_from_those_that_have_one() {
        let mint = Mint::new(9);
        let mut last = mint.id(NOW);
        let mut places = BTreeSet::new();
        for now in (1..=100).map(|round| NOW + 10 * round) {
            mint.lose_node();
            let id = mint.id(now);
            let place = id.as_i64() & ((1 << SEQUENCE_BITS) - 1);
            let node = id.as_i64() >> SEQUENCE_BITS & i64::from(NODE_MASK);
            assert!(
                id > last && id.created_ms() == now && node >= i64::from(NODES) && place < 1 << (SEQUENCE_BITS - 1)
            );
            places.insert((node, place));
            mint.set_node(9);
            last = mint.id(now);
            assert!(last > id && last.as_i64() >> SEQUENCE_BITS & i64::from(NODE_MASK) == 9);
        }
        // Two of a hundred meet once in fifty runs; ten never.
        assert!(places.len() > 90, "{places:?}");
    }

    #[test]
    fn the_ends_of_time_make_identifiers_too() {
        for now in [i64::MIN, -1, 0, EPOCH_MS, i64::MAX] {
            assert!(Mint::new(255).id(now).as_i64() > 0);
        }
    }

    #[test]
    fn random_bytes_differ_over_blocks_and_sizes() {
        let random = Random::new();
        let mut seen = BTreeSet::new();
        assert!((0..1_000).all(|_| seen.insert(random.bytes::<17>())));
        let mut long = vec![0; 3 * BLOCK + 1];
        random.fill(&mut long);
        assert!(long.chunks(64).all(|chunk| chunk.len() < 64 || chunk.iter().any(|byte| *byte != 0)));
    }

    #[test]
    #[should_panic(expected = "the system's random source failed")]
    fn without_a_source_nothing_goes_on() {
        drawn::<EphemeralPrivateKey>(Err(Unspecified));
    }

    #[test]
    fn handed_out_bytes_are_wiped() {
        let mut pool = Pool { block: Zeroizing::new([0; BLOCK]), spent: BLOCK };
        pool.fill(&mut [0; 100]);
        assert_eq!(pool.spent, 100);
        assert!(pool.block[..100].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_seeded_mint_says_the_same_again() {
        let (one, two) = (Mint::seeded(7), Mint::seeded(7));
        assert_eq!(one.bytes::<40>(), two.bytes::<40>());
        assert_eq!(one.id(NOW), two.id(NOW));
        assert_ne!(one.bytes::<40>(), Mint::seeded(8).bytes::<40>());
    }
}
