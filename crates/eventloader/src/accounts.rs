//! Rows where they come in and where they go out → how many there are of each source and each partition.
//!
//! Invariant: each row is counted as it is found, by its own batch and position, never as what is left of another count:
//! `report/proof.rs` holds the counts against each other.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::batch::Position;

/// The rows of a run, by where they come from and where they go to.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    /// By block: the source that it is of.
    sources: Vec<usize>,
    read: BTreeMap<PartitionKey, u64>,
    gone: Mutex<Gone>,
}

/// Event type and unit of time.
pub(crate) type PartitionKey = (usize, i64);

/// What became of rows.
#[derive(Debug, Default)]
struct Gone {
    written: BTreeMap<usize, u64>,
    left_out: BTreeMap<PartitionKey, u64>,
}

/// The rows that fell into a partition.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fallen {
    /// As they were read.
    pub(crate) read: u64,
    /// Those that it leaves out, because they are superseded.
    pub(crate) left_out: u64,
}

impl Accounts {
    /// Takes note of the next block, and of how many rows it has for each partition.
    pub(crate) fn add_block(&mut self, source: usize, rows: impl Iterator<Item = (PartitionKey, u64)>) {
        self.sources.push(source);
        for (partition, rows) in rows {
            *self.read.entry(partition).or_default() += rows;
        }
    }

    /// The source of a row.
    pub(crate) fn source_of(&self, position: Position) -> usize {
        let (block, _) = position.block_and_line();
        self.sources[block as usize]
    }

    /// Rows of a source that go out to be written.
    pub(crate) fn add_written(&self, source: usize, rows: u64) {
        *self.gone().written.entry(source).or_default() += rows;
    }

    /// Rows that a partition leaves out.
    pub(crate) fn add_left_out(&self, partition: PartitionKey, rows: u64) {
        *self.gone().left_out.entry(partition).or_default() += rows;
    }

    /// How many rows of a source went out.
    pub(crate) fn written(&self, source: usize) -> u64 {
        self.gone().written.get(&source).copied().unwrap_or_default()
    }

    /// For each source that has some, the sum of these counts of its blocks.
    pub(crate) fn by_source(&self, of_blocks: impl Iterator<Item = u64>) -> BTreeMap<usize, u64> {
        let mut sums = BTreeMap::new();
        for (&source, count) in self.sources.iter().zip(of_blocks).filter(|(_, count)| *count > 0) {
            *sums.entry(source).or_default() += count;
        }
        sums
    }

    /// All partitions that rows fell into.
    pub(crate) fn partitions(&self) -> BTreeMap<PartitionKey, Fallen> {
        let gone = self.gone();
        let mut partitions: BTreeMap<PartitionKey, Fallen> = BTreeMap::new();
        for (&partition, &read) in &self.read {
            partitions.entry(partition).or_default().read = read;
        }
        for (&partition, &left_out) in &gone.left_out {
            partitions.entry(partition).or_default().left_out = left_out;
        }
        partitions
    }

    fn gone(&self) -> MutexGuard<'_, Gone> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
