//! The ids and times of all rows of an event type → which of them are superseded.
//!
//! Within one event type the highest timestamp per id wins, and among equal ones the row that comes last in the input.
//! With [`DedupeScope::Day`] that is decided within each day of the timestamp.
//!
//! The contenders are split by a hash of their id into ranges that fit the processor's cache, and each range is resolved
//! on its own. Which rows lose does not depend on the hash, so it may be seeded at random: no input can be made to collide.
//! Of rows in memory only a part of the hash is brought together, and the ids are looked up where two of these are equal:
//! nearly always because they are two versions of one event. Spilled rows are read back with their ids.
//!
//! Invariant: of the contenders with one id (and day) all but one are superseded. Ids are compared themselves, whole.

use std::{hash::BuildHasher, ops::Range};

use events_core::timestamp::DAY_MICROS;
use foldhash::quality::RandomState;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use crate::{
    batch::{Batch, Position},
    error::Error,
    ids::Id,
    partitions::RowRef,
    workers,
};

/// Into how many ranges ids are split; a power of two. One million ids in memory make ranges of 48 KiB.
pub(crate) const RANGES: usize = 256;

/// Where "latest" is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DedupeScope {
    /// Over the whole input.
    Input,
    /// Within each day.
    Day,
}

/// A row in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contender {
    /// Half of the hash of its id.
    fingerprint: u32,
    row: RowRef,
}

/// A spilled row whose id is a UUID.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UuidContender {
    pub(crate) uuid: u128,
    pub(crate) micros: i64,
    pub(crate) position: Position,
}

/// A spilled row whose id is another text.
#[derive(Debug, Clone)]
pub(crate) struct TextContender {
    pub(crate) text: Box<str>,
    pub(crate) micros: i64,
    pub(crate) position: Position,
}

/// Spilled rows of one event type that may be versions of each other.
#[derive(Debug, Default, Clone)]
pub(crate) struct SpilledContenders {
    pub(crate) uuids: Vec<UuidContender>,
    pub(crate) texts: Vec<TextContender>,
}

/// Splits contenders into ranges, and compares them.
#[derive(Debug)]
pub(crate) struct Arbiter {
    hasher: RandomState,
    scope: DedupeScope,
}

/// The rows that are not the latest version of their event.
#[derive(Debug, Default)]
pub(crate) struct Superseded {
    /// By block: one bit per line; empty where no row of the block is superseded.
    blocks: Vec<Vec<u64>>,
    rows: u64,
}

impl Arbiter {
    pub(crate) fn new(scope: DedupeScope) -> Self {
        Self { hasher: RandomState::default(), scope }
    }

    /// Adds the rows of the batch with this index whose ids fall into `ranges` to `split`, which has a place for each of them.
    fn split(&self, index: usize, batch: &Batch, ranges: &Range<usize>, split: &mut [Vec<Contender>]) {
        for (row, &micros) in batch.micros.iter().enumerate() {
            let hash = self.hash(batch.ids.get(row), micros);
            let range = range_of(hash);
            if ranges.contains(&range) {
                let contender = Contender { fingerprint: fingerprint_of(hash), row: RowRef::new(index, row) };
                split[range - ranges.start].push(contender);
            }
        }
    }

    /// Adds the rows of `batch` to `split`, for the spill file.
    pub(crate) fn split_for_spill(&self, batch: &Batch, split: &mut [SpilledContenders]) {
        for (row, (&micros, &position)) in batch.micros.iter().zip(&batch.positions).enumerate() {
            let id = batch.ids.get(row);
            let split = &mut split[range_of(self.hash(id, micros))];
            match id {
                Id::Uuid(uuid) => split.uuids.push(UuidContender { uuid, micros, position }),
                Id::Text(text) => split.texts.push(TextContender { text: text.into(), micros, position }),
            }
        }
    }

    /// The day within which a row competes; the same for all where the scope is the input.
    fn day(&self, micros: i64) -> i64 {
        match self.scope {
            DedupeScope::Input => 0,
            DedupeScope::Day => micros.div_euclid(DAY_MICROS),
        }
    }

    fn hash(&self, id: Id<'_>, micros: i64) -> u64 {
        match id {
            Id::Uuid(uuid) => self.hasher.hash_one((uuid, self.day(micros))),
            Id::Text(text) => self.hasher.hash_one((text, self.day(micros))),
        }
    }

    /// The positions of all rows in memory that lose, of one range in all parts.
    fn losers(&self, batches: &[&Batch], parts: &[&[Contender]]) -> Vec<Position> {
        let batch = |c: &Contender| (batches[c.row.batch()], c.row.row());
        let id = |c: &Contender| {
            let (batch, row) = batch(c);
            batch.ids.get(row)
        };
        let mut losers = Vec::new();
        self.collect_losers(
            parts,
            // The table looks at the highest and at the lowest bits.
            |c| u64::from(c.fingerprint).wrapping_mul(0x9E37_79B9_7F4A_7C15),
            |a, b| a.fingerprint == b.fingerprint && id(a) == id(b),
            |c| {
                let (batch, row) = batch(c);
                (batch.micros[row], batch.positions[row])
            },
            &mut losers,
        );
        losers
    }

    /// The positions of all spilled rows of a range that lose.
    fn spilled_losers(&self, range: &SpilledContenders) -> Vec<Position> {
        let mut losers = Vec::new();
        self.collect_losers(
            &[&range.uuids],
            |c| self.hash(Id::Uuid(c.uuid), c.micros),
            |a, b| a.uuid == b.uuid,
            |c| (c.micros, c.position),
            &mut losers,
        );
        self.collect_losers(
            &[&range.texts],
            |c| self.hash(Id::Text(&c.text), c.micros),
            |a, b| a.text == b.text,
            |c| (c.micros, c.position),
            &mut losers,
        );
        losers
    }

    fn collect_losers<C>(
        &self,
        parts: &[&[C]],
        hash: impl Fn(&C) -> u64,
        same_id: impl Fn(&C, &C) -> bool,
        order: impl Fn(&C) -> (i64, Position),
        losers: &mut Vec<Position>,
    ) {
        // Holds the best contender so far of each id.
        let mut best: HashTable<&C> = HashTable::with_capacity(parts.iter().map(|part| part.len()).sum());
        for contender in parts.iter().copied().flatten() {
            let same = |other: &&C| {
                same_id(contender, other) && self.day(order(contender).0) == self.day(order(other).0)
            };
            match best.entry(hash(contender), same, |other| hash(other)) {
                hashbrown::hash_table::Entry::Vacant(entry) => drop(entry.insert(contender)),
                hashbrown::hash_table::Entry::Occupied(mut entry) => {
                    let other = *entry.get();
                    let loser = if order(contender) > order(other) {
                        *entry.get_mut() = contender;
                        other
                    } else {
                        contender
                    };
                    losers.push(order(loser).1);
                }
            }
        }
    }
}

impl Superseded {
    pub(crate) fn add(&mut self, losers: Vec<Position>) {
        for position in losers.into_iter().filter(|position| !position.is_rival()) {
            let (block, line) = position.block_and_line();
            let (block, word) = (block as usize, line as usize / 64);
            if self.blocks.len() <= block {
                self.blocks.resize_with(block + 1, Vec::new);
            }
            let bits = &mut self.blocks[block];
            if bits.len() <= word {
                bits.resize(word + 1, 0);
            }
            bits[word] |= 1 << (line % 64);
            self.rows += 1;
        }
    }

    /// How many rows are superseded.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn contains(&self, position: Position) -> bool {
        let (block, line) = position.block_and_line();
        let bits = self.blocks.get(block as usize).and_then(|bits| bits.get(line as usize / 64));
        bits.is_some_and(|bits| bits >> (line % 64) & 1 == 1)
    }
}

/// The range of a hash: its middle bits, since the hash table of spilled rows uses both ends.
fn range_of(hash: u64) -> usize {
    (hash >> 32) as usize & (RANGES - 1)
}

#[expect(clippy::cast_possible_truncation, reason = "its lower half, of which the range takes no bit")]
fn fingerprint_of(hash: u64) -> u32 {
    hash as u32
}

/// The rows in memory that lose, of those whose ids fall into `ranges`.
pub(crate) fn resolve(
    arbiter: &Arbiter,
    batches: &[&Batch],
    ranges: &Range<usize>,
    threads: usize,
) -> Result<Vec<Vec<Position>>, Error> {
    let share = batches.len().div_ceil(threads).max(1);
    let shares: Vec<_> = batches.chunks(share).collect();
    let split = workers::map(threads, shares.len(), |number| {
        let rows: usize = shares[number].iter().map(|batch| batch.rows()).sum();
        // With room for its likely part.
        let likely = rows / RANGES;
        let mut split: Vec<_> = ranges.clone().map(|_| Vec::with_capacity(likely + likely / 8)).collect();
        for (index, batch) in shares[number].iter().enumerate() {
            arbiter.split(number * share + index, batch, ranges, &mut split);
        }
        Ok(split)
    })?;
    workers::map(threads, ranges.len(), |index| {
        let parts: Vec<_> = split.iter().map(|part| part[index].as_slice()).collect();
        Ok(arbiter.losers(batches, &parts))
    })
}

/// The spilled rows that lose, of those whose ids fall into `ranges`; `contenders` reads a range of them.
pub(crate) fn resolve_spilled(
    arbiter: &Arbiter,
    ranges: &Range<usize>,
    threads: usize,
    contenders: impl Fn(usize) -> Result<SpilledContenders, Error> + Sync,
) -> Result<Vec<Vec<Position>>, Error> {
    workers::map(
        threads,
        ranges.len(),
        |index| Ok(arbiter.spilled_losers(&contenders(ranges.start + index)?)),
    )
}
