//! Losers → the set of superseded rows, and how many were redelivered and how many corrected.
//!
//! In a merge, rows that the target holds lose too. They are in a set of their own and counted apart, for they are no lines.
//!
//! Invariant: a row is in the set once, whatever it was beaten by; rivals are in none, for they are no rows.

use std::collections::BTreeMap;

use events_core::partition::PartitionUnit;
use serde::Serialize;

use super::samples::Sample;
use crate::{
    accounts::PartitionKey,
    batch::Position,
};

/// How a row was beaten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A row that is kept, or corrected itself, says the same.
    Redelivered,
    /// Another version says something else.
    Corrected,
}

/// A row that lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loser {
    pub(crate) position: Position,
    pub(crate) micros: i64,
    pub(crate) kind: Kind,
}

/// The rows that are not the latest version of their event.
#[derive(Debug, Default)]
pub(crate) struct Superseded {
    blocks: Bits,
    rows: u64,
    redelivered: u64,
    corrected: u64,
    samples: Vec<Sample>,
    merged: Option<InMerge>,
}

/// By block: one bit per line; empty where no row of the block is in the set.
#[derive(Debug, Default)]
struct Bits(Vec<Vec<u64>>);

/// What is counted in a merge besides.
#[derive(Debug)]
struct InMerge {
    unit: PartitionUnit,
    /// By file, as by block.
    held: Bits,
    by_partition: BTreeMap<PartitionKey, Lost>,
}

/// Rows of a partition that lost.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Lost {
    /// Rows of the input.
    pub(crate) read: u64,
    /// Rows that the partition held.
    pub(crate) held: u64,
}

impl Bits {
    fn set(&mut self, position: Position) {
        let (block, line) = position.block_and_line();
        let (block, word) = (block as usize, line as usize / 64);
        if self.0.len() <= block {
            self.0.resize_with(block + 1, Vec::new);
        }
        let bits = &mut self.0[block];
        if bits.len() <= word {
            bits.resize(word + 1, 0);
        }
        bits[word] |= 1 << (line % 64);
    }

    fn contains(&self, position: Position) -> bool {
        let (block, line) = position.block_and_line();
        let bits = self.0.get(block as usize).and_then(|bits| bits.get(line as usize / 64));
        bits.is_some_and(|bits| bits >> (line % 64) & 1 == 1)
    }

    fn counts(&self) -> impl Iterator<Item = u64> {
        self.0.iter().map(|bits| bits.iter().map(|word| u64::from(word.count_ones())).sum())
    }
}

impl Superseded {
    /// Of a merge, by partitions of this unit.
    pub(crate) fn of_merge(unit: PartitionUnit) -> Self {
        let merged = InMerge { unit, held: Bits::default(), by_partition: BTreeMap::new() };
        Self { merged: Some(merged), ..Self::default() }
    }

    /// Adds losers of an event type.
    pub(crate) fn add(&mut self, type_index: usize, losers: Vec<Loser>) {
        for Loser { position, micros, kind } in losers {
            if let Some(InMerge { unit, held, by_partition }) = &mut self.merged {
                let lost = by_partition.entry((type_index, unit.index_of(micros))).or_default();
                if position.is_held() {
                    lost.held += 1;
                    held.set(position);
                    continue;
                }
                lost.read += 1;
            }
            self.blocks.set(position);
            self.rows += 1;
            *match kind {
                Kind::Redelivered => &mut self.redelivered,
                Kind::Corrected => &mut self.corrected,
            } += 1;
        }
    }

    /// Of a merge, by partition: how many rows lost. Empty otherwise.
    pub(crate) fn by_partition(&self) -> impl Iterator<Item = (PartitionKey, Lost)> {
        let by_partition = self.merged.iter().flat_map(|merged| &merged.by_partition);
        by_partition.map(|(partition, lost)| (*partition, *lost))
    }

    /// How many rows of the target lost.
    pub(crate) fn held_rows(&self) -> u64 {
        self.merged.iter().flat_map(|merged| merged.held.counts()).sum()
    }

    /// Takes the samples of all losers.
    pub(crate) fn set_samples(&mut self, samples: Vec<Sample>) {
        self.samples = samples;
    }

    /// The first of them in input order, as many as were asked for.
    pub(crate) fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// How many rows are superseded.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// How many of them a version with the same content stands for.
    pub(crate) fn redelivered(&self) -> u64 {
        self.redelivered
    }

    /// How many of them were versions of their own.
    pub(crate) fn corrected(&self) -> u64 {
        self.corrected
    }

    /// By block: how many rows are superseded.
    pub(crate) fn by_block(&self) -> impl Iterator<Item = u64> {
        self.blocks.counts()
    }

    #[inline]
    pub(crate) fn contains(&self, position: Position) -> bool {
        match &self.merged {
            Some(merged) if position.is_held() => merged.held.contains(position),
            _ => self.blocks.contains(position),
        }
    }
}
