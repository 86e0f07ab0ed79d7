//! Rows where they come in and where they go out → how many there are of each source and each partition; where a row stands.
//!
//! Invariant: each row is counted as it is found, by its own batch and position, never as what is left of another count:
//! `report/proof.rs` holds the counts against each other.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

use crate::batch::Position;

/// The rows of a run, by where they come from and where they go to.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    /// By block.
    origins: Vec<BlockOrigin>,
    /// Of the last block's source, up to the block's end.
    lines_behind: u64,
    read: BTreeMap<PartitionKey, u64>,
    gone: Mutex<Gone>,
}

/// Where the rows of a block come from.
#[derive(Debug, Clone, Copy)]
struct BlockOrigin {
    source: usize,
    /// Lines of the source before the block.
    lines_before: u64,
    of_array: bool,
}

/// Where a row comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) source: usize,
    pub(crate) number: LineNumber,
}

/// Which of its source a line is, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LineNumber {
    /// Of the file's lines.
    Line(u64),
    /// Of the array's elements, several of which may stand on one line.
    Element(u64),
}

/// Event type and unit of time.
pub(crate) type PartitionKey = (usize, i64);

/// What became of rows.
#[derive(Debug, Default)]
struct Gone {
    written: BTreeMap<usize, u64>,
    left_out: BTreeMap<PartitionKey, u64>,
    held: BTreeMap<PartitionKey, HeldRowsCount>,
}

/// Rows that a partition held before a merge.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeldRowsCount {
    /// As they were read.
    pub(crate) read: u64,
    /// Those that it leaves out from now on, because they are superseded.
    pub(crate) left_out: u64,
}

/// The rows that fell into a partition.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fallen {
    /// As they were read.
    pub(crate) read: u64,
    /// Those that it leaves out, because they are superseded.
    pub(crate) left_out: u64,
    /// Those that it held before.
    pub(crate) held: HeldRowsCount,
}

impl Accounts {
    /// Takes note of the next block: its source, its lines, whether these are elements of an array, and how many rows it has
    /// for each partition.
    pub(crate) fn add_block(
        &mut self,
        source: usize,
        lines: u32,
        of_array: bool,
        rows: impl Iterator<Item = (PartitionKey, u64)>,
    ) {
        if self.origins.last().is_none_or(|last| last.source != source) {
            self.lines_behind = 0;
        }
        self.origins.push(BlockOrigin { source, lines_before: self.lines_behind, of_array });
        self.lines_behind += u64::from(lines);
        for (partition, rows) in rows {
            *self.read.entry(partition).or_default() += rows;
        }
    }

    /// The source of a row.
    pub(crate) fn source_of(&self, position: Position) -> usize {
        let (block, _) = position.block_and_line();
        self.origins[block as usize].source
    }

    /// Where a row, or a rival, comes from.
    pub(crate) fn origin_of(&self, position: Position) -> Origin {
        let (block, line) = position.of_line().block_and_line();
        let BlockOrigin { source, lines_before, of_array } = self.origins[block as usize];
        let number = lines_before + u64::from(line) + 1;
        let number = if of_array { LineNumber::Element(number) } else { LineNumber::Line(number) };
        Origin { source, number }
    }

    /// Rows of a source that go out to be written.
    pub(crate) fn add_written(&self, source: usize, rows: u64) {
        *self.gone().written.entry(source).or_default() += rows;
    }

    /// Rows that a partition leaves out.
    pub(crate) fn add_left_out(&self, partition: PartitionKey, rows: u64) {
        *self.gone().left_out.entry(partition).or_default() += rows;
    }

    /// Rows that a partition held before, all of them.
    pub(crate) fn add_held(&self, partition: PartitionKey, rows: HeldRowsCount) {
        if rows.read > 0 {
            self.gone().held.insert(partition, rows);
        }
    }

    /// How many rows of an event type were read.
    pub(crate) fn rows_of_type(&self, type_index: usize) -> u64 {
        self.read.range((type_index, i64::MIN)..=(type_index, i64::MAX)).map(|(_, rows)| rows).sum()
    }

    /// How many rows of a partition were read.
    pub(crate) fn rows_of(&self, partition: PartitionKey) -> u64 {
        self.read.get(&partition).copied().unwrap_or_default()
    }

    /// How many rows of a source went out.
    pub(crate) fn written(&self, source: usize) -> u64 {
        self.gone().written.get(&source).copied().unwrap_or_default()
    }

    /// For each source that has some, the sum of these counts of its blocks.
    pub(crate) fn by_source(&self, of_blocks: impl Iterator<Item = u64>) -> BTreeMap<usize, u64> {
        let mut sums = BTreeMap::new();
        for (origin, count) in self.origins.iter().zip(of_blocks).filter(|(_, count)| *count > 0) {
            *sums.entry(origin.source).or_default() += count;
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
        for (&partition, &held) in &gone.held {
            partitions.entry(partition).or_default().held = held;
        }
        partitions
    }

    fn gone(&self) -> MutexGuard<'_, Gone> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
