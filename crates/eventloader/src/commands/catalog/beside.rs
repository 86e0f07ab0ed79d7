//! The keys of events beside those of the base contract → how often each occurs, in bounded memory.
//!
//! Only fields of `data` become columns, so a draft has to name what stands beside it.
//!
//! Invariant: the result depends only on the set of lines, not on their order.

use std::collections::BTreeMap;

use super::texts::shown;
use crate::runtime::{escape_for_terminal, grouped};

/// The most different keys that are counted by name.
const KEYS_MAX: usize = 1_000;
/// The most that are named.
const NAMED_MAX: usize = 20;

/// The keys beside those of the base contract.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Beside {
    /// By name: the number of times that each occurs.
    Named(BTreeMap<Box<[u8]>, u64>),
    /// There are more than can be counted.
    Many,
}

impl Default for Beside {
    fn default() -> Self {
        Self::Named(BTreeMap::new())
    }
}

impl Beside {
    pub(crate) fn add(&mut self, key: &[u8]) {
        self.add_times(key, 1);
    }

    /// Adds what another thread has seen.
    pub(crate) fn merge(&mut self, other: Self) {
        match other {
            Self::Named(keys) => keys.iter().for_each(|(key, count)| self.add_times(key, *count)),
            Self::Many => *self = Self::Many,
        }
    }

    fn add_times(&mut self, key: &[u8], times: u64) {
        let Self::Named(keys) = self else { return };
        if let Some(count) = keys.get_mut(key) {
            *count += times;
        } else if keys.len() < KEYS_MAX {
            keys.insert(key.into(), times);
        } else {
            *self = Self::Many;
        }
    }

    /// The most frequent ones with their number, and how many there are beyond these: `amount in 7, n in 1
    /// and 3 more`. `None` if there is none.
    pub(crate) fn named(&self) -> Option<String> {
        let Self::Named(keys) = self else {
            return Some(format!("more than {} keys", grouped(KEYS_MAX as u64)));
        };
        let mut keys: Vec<_> = keys.iter().collect();
        // Those with one number stay in the order of their names.
        keys.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let (named, others) = keys.split_at(keys.len().min(NAMED_MAX));
        let named: Vec<_> = named
            .iter()
            .map(|(key, count)| format!("{} in {}", escape_for_terminal(&shown(key)), grouped(**count)))
            .collect();
        let others = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        (!named.is_empty()).then(|| named.join(", ") + &others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_are_named_and_the_others_counted() {
        let mut beside = Beside::default();
        assert_eq!(beside.named(), None);
        for key in ["b", "n", "a", "n"] {
            beside.add(key.as_bytes());
        }
        assert_eq!(beside.named().as_deref(), Some("n in 2, a in 1, b in 1"));
        for key in 0..NAMED_MAX {
            beside.add(format!("x{key}").as_bytes());
        }
        assert!(beside.named().unwrap().ends_with("x6 in 1 and 3 more"), "{:?}", beside.named());
    }

    #[test]
    fn more_than_can_be_counted_are_none_by_name_in_any_order() {
        let many = |keys: std::ops::Range<usize>| {
            let mut beside = Beside::default();
            keys.for_each(|key| beside.add(key.to_string().as_bytes()));
            beside
        };
        let mut merged = many(0..600);
        merged.merge(many(500..KEYS_MAX));
        assert_eq!(merged, {
            let mut all = many(0..KEYS_MAX);
            all.merge(many(500..600));
            all
        });
        merged.merge(many(KEYS_MAX..KEYS_MAX + 1));
        assert_eq!(merged, Beside::Many);
    }
}
