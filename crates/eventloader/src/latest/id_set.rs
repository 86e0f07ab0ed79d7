//! Ids of the input → whether another row may have one of them, and whether rows between two ids may.
//!
//! Of each id, the set has a hash and the beginning of the text. Two ids may share a hash, once in about 2^64
//! / (ids × rows) times; whole ids are compared later.
//!
//! Invariant: every id that was added is found, by itself and between any two others.

use std::sync::Arc;

use event_rows::{Id, UUID_TEXT_BYTES, uuid_text};
use foldhash::fast::FixedState;
use hashbrown::HashSet;

use super::Deduper;

/// The beginning of an id that decides between which ids it is: all of a UUID.
const KEY_BYTES: usize = UUID_TEXT_BYTES;

/// The most bytes that an id takes in the set: in a hash table that grows by doubling, and as a text of its
/// own.
pub(crate) const ID_BYTES_MAX: usize =
    2 * (size_of::<u64>() + 1) * 8 / 7 + 2 * size_of::<Box<[u8]>>() + KEY_BYTES;

/// A set of ids that grows.
#[derive(Debug)]
pub(crate) struct IdSetBuilder {
    deduper: Arc<Deduper>,
    hashes: HashSet<u64, FixedState>,
    uuids: Vec<u128>,
    keys: Vec<Box<[u8]>>,
}

/// A set of ids.
#[derive(Debug)]
pub(crate) struct IdSet(IdSetBuilder);

impl IdSetBuilder {
    pub(crate) fn new(deduper: &Arc<Deduper>) -> Self {
        Self { deduper: Arc::clone(deduper), hashes: HashSet::default(), uuids: Vec::new(), keys: Vec::new() }
    }

    pub(crate) fn insert(&mut self, id: Id<'_>) {
        if self.hashes.insert(self.deduper.hash_id(id)) {
            match id {
                Id::Uuid(uuid) => self.uuids.push(uuid),
                Id::Text(text) => self.keys.push(key_of(text.as_bytes()).into()),
            }
        }
    }

    pub(crate) fn finish(mut self) -> IdSet {
        self.uuids.sort_unstable();
        self.keys.sort_unstable();
        IdSet(self)
    }
}

impl IdSet {
    pub(crate) fn contains(&self, id: Id<'_>) -> bool {
        self.0.hashes.contains(&self.0.deduper.hash_id(id))
    }

    /// Whether there may be an id from the first to the last of these texts. If there is one, the answer is
    /// yes.
    pub(crate) fn may_hold_between(&self, first: &[u8], last: &[u8]) -> bool {
        let (first, last) = (key_of(first), key_of(last));
        let IdSetBuilder { uuids, keys, .. } = &self.0;
        // A UUID orders as its text does.
        let uuid = uuids.get(uuids.partition_point(|uuid| uuid_text(*uuid).as_slice() < first));
        let key = keys.get(keys.partition_point(|key| **key < *first));
        uuid.is_some_and(|uuid| uuid_text(*uuid).as_slice() <= last) || key.is_some_and(|key| **key <= *last)
    }
}

/// The beginning of an id; such beginnings order as the whole ids do, or are equal.
fn key_of(text: &[u8]) -> &[u8] {
    &text[..text.len().min(KEY_BYTES)]
}

#[cfg(test)]
mod tests {
    use event_target::DedupeScope;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_is_found_by_itself_and_between_others(
            ids in prop::collection::vec("[0-9a-f]{8}-0000-4000-8000-00000000000[0-9]|[a-c]{0,40}", 1..20),
            [first, last] in ["[a-c]{0,40}|[0-9a-f]{3}", "[a-c]{0,40}|[0-9a-f]{3}"],
        ) {
            let mut set = IdSetBuilder::new(&Arc::new(Deduper::new(DedupeScope::Target)));
            for id in &ids {
                set.insert(Id::of(id));
            }
            let set = set.finish();
            prop_assert!(ids.iter().all(|id| set.contains(Id::of(id))));
            prop_assert!(!set.contains(Id::of("another")));
            let is_between = ids.iter().any(|id| (first.as_str()..=last.as_str()).contains(&id.as_str()));
            let may_be = set.may_hold_between(first.as_bytes(), last.as_bytes());
            prop_assert!(may_be || !is_between, "{ids:?} between {first} and {last}");
            if ids.iter().chain([&first, &last]).all(|id| id.len() <= KEY_BYTES) {
                prop_assert_eq!(may_be, is_between);
            }
        }
    }
}
