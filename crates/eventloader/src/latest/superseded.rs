//! Superseded rows → the set of them, and how many were redelivered and how many corrected.
//!
//! In a merge, rows of the target are superseded, too. They are in a separate set and counted separately,
//! because they are not lines of the input.
//!
//! Invariant: a row is in the set once. Later candidates are never in it, because they are not rows.

use std::collections::{BTreeMap, BTreeSet};

use event_rows::{PartitionKey, Place, Position};
use events_core::partition::PartitionUnit;
use foldhash::fast::RandomState;
use hashbrown::HashSet;
use serde::{Deserialize, Serialize};

use super::samples::Sample;

/// How a row was superseded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SupersededKind {
    /// A row that is kept, or was itself corrected, has the same content.
    Redelivered,
    /// Another version has other content.
    Corrected,
}

/// A superseded row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SupersededRow {
    pub(crate) position: Position,
    pub(crate) micros: i64,
    pub(crate) kind: SupersededKind,
}

/// A row of the target whose later version comes from the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) position: Position,
    pub(crate) from_micros: i64,
    pub(crate) to_micros: i64,
}

/// What was found out about some rows of an event type.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) rows: Vec<SupersededRow>,
    /// Of event types with a version.
    pub(crate) moves: Vec<Move>,
}

impl Resolved {
    pub(super) fn append(&mut self, mut other: Self) {
        self.rows.append(&mut other.rows);
        self.moves.append(&mut other.moves);
    }
}

/// The rows that are not the latest version of their event.
#[derive(Debug, Default)]
pub(crate) struct Superseded {
    blocks: PositionSet,
    rows: u64,
    redelivered: u64,
    corrected: u64,
    samples: Vec<Sample>,
    merged: Option<InMerge>,
}

/// How many rows are superseded, and the first of them.
#[derive(Debug, Default)]
pub(crate) struct SupersededTotals {
    /// Rows of the input.
    pub(crate) rows: u64,
    /// Those with the content of a version that is kept or was itself corrected.
    pub(crate) redelivered: u64,
    /// Those that were versions with their own content.
    pub(crate) corrected: u64,
    /// Rows that the target had.
    pub(crate) existing_rows: u64,
    /// Rows of the input, by source.
    pub(crate) by_source: BTreeMap<usize, u64>,
    /// The first in input order, as many as requested.
    pub(crate) samples: Vec<Sample>,
}

/// Positions, either all of the input or all of the target.
#[derive(Debug)]
enum PositionSet {
    /// By block or file: one bit per line or row; empty if none of them is in the set.
    Bits(Vec<Vec<u64>>),
    /// A few, of blocks with numbers far from each other.
    Listed(HashSet<Position, RandomState>),
}

/// Additional counts of a merge.
#[derive(Debug)]
struct InMerge {
    unit: PartitionUnit,
    /// Rows of the target, by file.
    existing: PositionSet,
    by_partition: BTreeMap<PartitionKey, SupersededCounts>,
    /// Rows of the target whose events move to another partition, of event types with a version.
    leaving: PositionSet,
    /// From which partition to which other one of the same event type they move.
    moves: BTreeSet<(PartitionKey, PartitionKey)>,
}

/// Superseded rows of a partition.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct SupersededCounts {
    /// Rows of the input.
    pub(crate) read: u64,
    /// Rows that the partition had before.
    pub(crate) existing: u64,
}

/// The two numbers of a position: block and line, or file and row.
#[inline]
fn numbers(position: Position) -> (u32, u32) {
    match position.place() {
        Place::Existing { file, row } => (file, row),
        Place::Input { block, line } | Place::LaterCandidate { block, line } => (block, line),
    }
}

impl Default for PositionSet {
    fn default() -> Self {
        Self::Bits(Vec::new())
    }
}

impl PositionSet {
    fn set(&mut self, position: Position) {
        let blocks = match self {
            Self::Bits(blocks) => blocks,
            Self::Listed(positions) => {
                positions.insert(position);
                return;
            }
        };
        let (block, line) = numbers(position);
        let (block, word) = (block as usize, line as usize / 64);
        if blocks.len() <= block {
            blocks.resize_with(block + 1, Vec::new);
        }
        let bits = &mut blocks[block];
        if bits.len() <= word {
            bits.resize(word + 1, 0);
        }
        bits[word] |= 1 << (line % 64);
    }

    fn contains(&self, position: Position) -> bool {
        let blocks = match self {
            Self::Bits(blocks) => blocks,
            Self::Listed(positions) => return positions.contains(&position),
        };
        let (block, line) = numbers(position);
        let bits = blocks.get(block as usize).and_then(|bits| bits.get(line as usize / 64));
        bits.is_some_and(|bits| bits >> (line % 64) & 1 == 1)
    }

    /// By block or file, those with any; of listed ones one by one.
    fn counts(&self) -> impl Iterator<Item = (u32, u64)> {
        let (blocks, listed) = match self {
            Self::Bits(blocks) => (blocks.as_slice(), None),
            Self::Listed(positions) => (&[][..], Some(positions)),
        };
        let count = |bits: &Vec<u64>| bits.iter().map(|word| u64::from(word.count_ones())).sum();
        let of_bits = (0..).zip(blocks.iter().map(count)).filter(|(_, count)| *count > 0);
        of_bits.chain(listed.into_iter().flatten().map(|position| (numbers(*position).0, 1)))
    }
}

impl Superseded {
    /// An empty set for a merge, with counts by partitions of this unit.
    pub(crate) fn of_merge(unit: PartitionUnit) -> Self {
        let merged = InMerge {
            unit,
            existing: PositionSet::default(),
            by_partition: BTreeMap::new(),
            leaving: PositionSet::default(),
            moves: BTreeSet::new(),
        };
        Self { merged: Some(merged), ..Self::default() }
    }

    /// Those of one partition, which were found out elsewhere.
    pub(crate) fn listed(rows: impl Iterator<Item = Position>) -> Self {
        let blocks = PositionSet::Listed(rows.collect());
        Self { blocks, ..Self::default() }
    }

    /// The same in a merge, with rows of the target, some of whose events move to another partition.
    pub(crate) fn listed_in_merge(
        unit: PartitionUnit,
        partition: PartitionKey,
        rows: Vec<Position>,
        leaving: Vec<Position>,
    ) -> Self {
        let (existing, read): (HashSet<_, _>, HashSet<_, _>) =
            rows.into_iter().partition(|position| position.is_existing());
        let counts = SupersededCounts { read: read.len() as u64, existing: existing.len() as u64 };
        let merged = InMerge {
            unit,
            existing: PositionSet::Listed(existing),
            by_partition: BTreeMap::from([(partition, counts)]),
            leaving: PositionSet::Listed(leaving.into_iter().collect()),
            moves: BTreeSet::new(),
        };
        Self { blocks: PositionSet::Listed(read), merged: Some(merged), ..Self::default() }
    }

    /// Whether any event of the partition's rows in the target moves to another one, in an event type that
    /// has a version.
    pub(crate) fn has_leaving(&self) -> bool {
        self.merged.as_ref().is_some_and(|merged| merged.leaving.counts().next().is_some())
    }

    /// Adds superseded rows of an event type.
    pub(crate) fn add(&mut self, type_index: usize, Resolved { rows, moves }: Resolved) {
        if let Some(InMerge { unit, leaving, moves: known, .. }) = &mut self.merged {
            for Move { position, from_micros, to_micros } in moves {
                let [from, to] = [from_micros, to_micros].map(|micros| (type_index, unit.index_of(micros)));
                if from != to {
                    leaving.set(position);
                    known.insert((from, to));
                }
            }
        }
        for SupersededRow { position, micros, kind } in rows {
            if let Some(InMerge { unit, existing, by_partition, .. }) = &mut self.merged {
                let counts = by_partition.entry((type_index, unit.index_of(micros))).or_default();
                if position.is_existing() {
                    counts.existing += 1;
                    existing.set(position);
                    continue;
                }
                counts.read += 1;
            }
            self.blocks.set(position);
            self.rows += 1;
            *match kind {
                SupersededKind::Redelivered => &mut self.redelivered,
                SupersededKind::Corrected => &mut self.corrected,
            } += 1;
        }
    }

    /// The counts of a merge, by partition. Empty otherwise.
    pub(crate) fn by_partition(&self) -> impl Iterator<Item = (PartitionKey, SupersededCounts)> {
        let by_partition = self.merged.iter().flat_map(|merged| &merged.by_partition);
        by_partition.map(|(partition, lost)| (*partition, *lost))
    }

    /// From which partition to which other one events move, in event types that have a version.
    pub(crate) fn moves(&self) -> impl Iterator<Item = (PartitionKey, PartitionKey)> {
        self.merged.iter().flat_map(|merged| merged.moves.iter().copied())
    }

    /// Whether the event of a row of the target moves to another partition, in an event type that has a
    /// version.
    pub(crate) fn is_leaving(&self, position: Position) -> bool {
        self.merged.as_ref().is_some_and(|merged| merged.leaving.contains(position))
    }

    /// The totals; `by_source` makes counts by block counts by source.
    pub(crate) fn into_totals(
        self,
        by_source: impl FnOnce(&mut dyn Iterator<Item = (u32, u64)>) -> BTreeMap<usize, u64>,
    ) -> SupersededTotals {
        let existing_rows = self.merged.iter().flat_map(|merged| merged.existing.counts());
        let existing_rows = existing_rows.map(|(_, rows)| rows).sum();
        let by_source = by_source(&mut self.blocks.counts());
        let Self { rows, redelivered, corrected, samples, .. } = self;
        SupersededTotals { rows, redelivered, corrected, existing_rows, by_source, samples }
    }

    /// Sets the samples of all superseded rows.
    pub(crate) fn set_samples(&mut self, samples: Vec<Sample>) {
        self.samples = samples;
    }

    #[inline]
    pub(crate) fn contains(&self, position: Position) -> bool {
        match &self.merged {
            Some(merged) if position.is_existing() => merged.existing.contains(position),
            _ => self.blocks.contains(position),
        }
    }
}
