//! A map that holds so many things at most: the oldest make room for new ones.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// A map of bounded size. What was put in first leaves first, which is right for things that all live about as long.
#[derive(Debug)]
pub(crate) struct Bounded<K, V> {
    entries: HashMap<K, (u64, V)>,
    /// Each key with the number of its putting in; one that was replaced or removed since is passed over.
    order: VecDeque<(u64, K)>,
    capacity: usize,
    next: u64,
}

impl<K: Clone + Eq + Hash, V> Bounded<K, V> {
    /// An empty one.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new(), capacity, next: 0 }
    }

    /// What is kept under the key.
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    /// Puts something in, in the place of what was there under that key.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        let number = self.next;
        self.next += 1;
        self.order.push_back((number, key.clone()));
        self.entries.insert(key, (number, value));
        while self.entries.len() > self.capacity {
            self.drop_oldest();
        }
        // What is put in again and again pushes nobody out, and leaves no more behind than there are things.
        if self.order.len() > 2 * self.capacity {
            let entries = &self.entries;
            self.order.retain(|(number, key)| entries.get(key).is_some_and(|(current, _)| current == number));
        }
    }

    /// Takes something out.
    pub(crate) fn remove(&mut self, key: &K) {
        self.entries.remove(key);
    }

    fn drop_oldest(&mut self) {
        let Some((number, key)) = self.order.pop_front() else { return };
        if self.entries.get(&key).is_some_and(|(current, _)| *current == number) {
            self.entries.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_oldest_makes_room() {
        let mut bounded = Bounded::new(2);
        for key in ["a", "b", "c"] {
            bounded.insert(key, key.len());
        }
        assert_eq!((bounded.get(&"a"), bounded.get(&"b"), bounded.get(&"c")), (None, Some(&1), Some(&1)));
    }

    #[test]
    fn what_is_put_in_again_and_again_pushes_nothing_out() {
        let mut bounded = Bounded::new(2);
        bounded.insert("a", 0);
        for number in 0..99 {
            bounded.insert("b", number);
        }
        assert_eq!((bounded.get(&"a"), bounded.get(&"b")), (Some(&0), Some(&98)));
    }

    proptest! {
        #[test]
        fn what_was_put_in_last_is_there_and_it_never_grows(steps in prop::collection::vec((0_u8..12, any::<bool>()), 0..200), capacity in 1_usize..8) {
            let mut bounded = Bounded::new(capacity);
            for (number, (key, remove)) in steps.into_iter().enumerate() {
                if remove {
                    bounded.remove(&key);
                    prop_assert_eq!(bounded.get(&key), None);
                } else {
                    bounded.insert(key, number);
                    prop_assert_eq!(bounded.get(&key), Some(&number));
                }
                prop_assert!(bounded.entries.len() <= capacity && bounded.order.len() <= 2 * capacity);
            }
        }
    }
}
