//! Ids of the input → whether another row has one of them.
//!
//! Only hashes are held. Two ids may share one, once in about 2^64 / (ids × rows) times; what is found is compared as a whole later.
//!
//! Invariant: every id that was added is found.

use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashSet;

use super::Arbiter;
use crate::ids::Id;

/// Bytes that an id takes in it, at most: tables grow by doubling, when they are seven eighths full.
pub(crate) const ID_BYTES_MAX: usize = 2 * (size_of::<u64>() + 1) * 8 / 7;

/// A set of ids.
#[derive(Debug)]
pub(crate) struct IdSet {
    arbiter: Arc<Arbiter>,
    hashes: HashSet<u64, FixedState>,
}

impl IdSet {
    pub(crate) fn new(arbiter: &Arc<Arbiter>) -> Self {
        Self { arbiter: Arc::clone(arbiter), hashes: HashSet::default() }
    }

    pub(crate) fn insert(&mut self, id: Id<'_>) {
        self.hashes.insert(self.arbiter.hash_id(id));
    }

    pub(crate) fn contains(&self, id: Id<'_>) -> bool {
        self.hashes.contains(&self.arbiter.hash_id(id))
    }
}
