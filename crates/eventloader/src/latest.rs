//! The ids and times of all rows of an event type → which of them are superseded.
//!
//! Within one event type the highest timestamp per id wins, and among equal ones the row that comes last in the input.
//! With [`DedupeScope::Day`] that is decided within each day of the timestamp.
//!
//! The contenders are split by a hash of their id into ranges that fit the processor's cache, and each range is resolved
//! on its own. Which rows lose does not depend on the hash, so it may be seeded at random: no input can be made to collide.
//!
//! Invariant: of the contenders with one id (and day) all but one are superseded. Ids are compared themselves, whole.

use std::{hash::BuildHasher, ops::Range};

use events_core::timestamp::DAY_MICROS;
use foldhash::quality::RandomState;
use hashbrown::HashTable;

use crate::{
    batch::{Batch, Position},
    error::Error,
    ids::Id,
    workers,
};

/// Into how many ranges ids are split; a power of two. One million ids make ranges of 128 KiB.
pub(crate) const RANGES: usize = 256;

/// Where "latest" is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DedupeScope {
    /// Over the whole input.
    Input,
    /// Within each day.
    Day,
}

/// A row whose id is a UUID.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UuidContender {
    pub(crate) uuid: u128,
    pub(crate) micros: i64,
    pub(crate) position: Position,
}

/// A row whose id is another text.
#[derive(Debug, Clone)]
pub(crate) struct TextContender {
    pub(crate) text: Box<str>,
    pub(crate) micros: i64,
    pub(crate) position: Position,
}

/// Rows of one event type that may be versions of each other.
#[derive(Debug, Default, Clone)]
pub(crate) struct Contenders {
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

impl Contenders {
    /// A range's, with room for its likely part of so many rows.
    fn of_rows(rows: usize) -> Self {
        let likely = rows / RANGES;
        Self { uuids: Vec::with_capacity(likely + likely / 8), texts: Vec::new() }
    }
}

impl Arbiter {
    pub(crate) fn new(scope: DedupeScope) -> Self {
        Self { hasher: RandomState::default(), scope }
    }

    /// Adds the rows of `batch` whose ids fall into `ranges` to `split`, which has a place for each of them.
    pub(crate) fn split(&self, batch: &Batch, ranges: &Range<usize>, split: &mut [Contenders]) {
        for (row, (&micros, &position)) in batch.micros.iter().zip(&batch.positions).enumerate() {
            match batch.ids.get(row) {
                Id::Uuid(uuid) => {
                    let range = Self::range_of(self.hash_uuid(uuid, micros));
                    if ranges.contains(&range) {
                        split[range - ranges.start].uuids.push(UuidContender { uuid, micros, position });
                    }
                }
                Id::Text(text) => {
                    let range = Self::range_of(self.hash_text(text, micros));
                    if ranges.contains(&range) {
                        let contender = TextContender { text: text.into(), micros, position };
                        split[range - ranges.start].texts.push(contender);
                    }
                }
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

    fn hash_uuid(&self, uuid: u128, micros: i64) -> u64 {
        self.hasher.hash_one((uuid, self.day(micros)))
    }

    fn hash_text(&self, text: &str, micros: i64) -> u64 {
        self.hasher.hash_one((text, self.day(micros)))
    }

    /// The range of a hash: its middle bits, since the hash table uses both ends.
    fn range_of(hash: u64) -> usize {
        (hash >> 32) as usize & (RANGES - 1)
    }

    /// The positions of all contenders that lose, of those in all parts.
    pub(crate) fn losers(&self, parts: &[&Contenders]) -> Vec<Position> {
        let mut losers = Vec::new();
        let uuids: Vec<_> = parts.iter().map(|part| part.uuids.as_slice()).collect();
        self.collect_losers(
            &uuids,
            |c| self.hash_uuid(c.uuid, c.micros),
            |a, b| a.uuid == b.uuid,
            |c| (c.micros, c.position),
            &mut losers,
        );
        let texts: Vec<_> = parts.iter().map(|part| part.texts.as_slice()).collect();
        self.collect_losers(
            &texts,
            |c| self.hash_text(&c.text, c.micros),
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

/// Resolves the ranges `ranges` of rows in memory together with what `spilled` has of a range.
pub(crate) fn resolve(
    arbiter: &Arbiter,
    batches: &[&Batch],
    ranges: &Range<usize>,
    threads: usize,
    spilled: impl Fn(usize) -> Result<Contenders, Error> + Sync,
) -> Result<Vec<Vec<Position>>, Error> {
    let share = batches.len().div_ceil(threads).max(1);
    let shares: Vec<_> = batches.chunks(share).collect();
    let split = workers::map(threads, shares.len(), |index| {
        let rows: usize = shares[index].iter().map(|batch| batch.rows()).sum();
        let mut split: Vec<_> = ranges.clone().map(|_| Contenders::of_rows(rows)).collect();
        for batch in shares[index] {
            arbiter.split(batch, ranges, &mut split);
        }
        Ok(split)
    })?;
    workers::map(threads, ranges.len(), |index| {
        let spilled = spilled(ranges.start + index)?;
        let parts: Vec<_> = split.iter().map(|part| &part[index]).chain([&spilled]).collect();
        Ok(arbiter.losers(&parts))
    })
}
