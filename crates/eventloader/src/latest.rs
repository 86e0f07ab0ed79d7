//! The ids and times of all rows of an event type → which of them are superseded.
//!
//! Within one event type the highest timestamp per id wins, and among equal ones the row that comes last in the input.
//! With [`DedupeScope::Day`] that is decided within each day of the timestamp. Rows that the target holds come before the
//! input; of two rows that say the same, one of which is there already, that one stays.
//!
//! The contenders are split by a hash of their id into ranges that fit the processor's cache, and each range is resolved
//! on its own. Which rows lose does not depend on the hash, so it may be seeded at random: no input can be made to collide.
//! Of rows in memory only a part of the hash is brought together, and the ids are looked up where two of these are equal:
//! nearly always because they are two versions of one event. Spilled rows are read back with their ids.
//!
//! Whether a loser was redelivered or corrected is a matter of contents (`content.rs`). In memory these are asked for only of
//! rows that have their id and their time in common: rows of other times differ. Spilled rows have their content beside them.
//! The losers that come first in the input are kept as samples, if any were asked for (`samples.rs`).
//!
//! Invariant: of the contenders with one id (and day) all but one are superseded. Ids are compared themselves, whole.

mod contents;
mod id_set;
mod samples;
mod spilled;
mod superseded;
mod versions;

use std::{hash::BuildHasher, ops::Range};

use events_core::timestamp::DAY_MICROS;
use foldhash::quality::RandomState;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use self::contents::{Contents, Marks};
pub(crate) use self::{
    id_set::{ID_BYTES_MAX, IdSet, IdSetBuilder},
    samples::{Sample, SampledRow, Sampler, Samples},
    spilled::{SpilledContenders, TextContender, UuidContender, resolve_spilled},
    superseded::{Kind, Loser, Lost, Superseded},
    versions::Version,
};
use crate::{
    batch::{Batch, Position},
    error::Error,
    ids::Id,
    partitions::RowRef,
    workers,
};

/// Into how many ranges ids are split; a power of two. One million ids in memory make ranges of 48 KiB.
pub(crate) const RANGES: usize = 256;

/// Bytes that a row in memory takes at most while it is decided: with its contender, or as a loser with its winner, its
/// content and its kind.
pub(crate) const ROW_BYTES_MAX: usize = 2 * size_of::<RowRef>() + size_of::<u64>() + size_of::<Loser>();

/// Where "latest" is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DedupeScope {
    /// Over the whole input.
    Input,
    /// Within each day.
    Day,
    /// Over the input and all that the target holds.
    Target,
}

/// A row in memory.
#[derive(Debug, Clone, Copy)]
struct Contender {
    /// Half of the hash of its id.
    fingerprint: u32,
    row: RowRef,
}

/// Splits contenders into ranges, and compares them.
#[derive(Debug)]
pub(crate) struct Arbiter {
    hasher: RandomState,
    scope: DedupeScope,
}

/// Rows that lost, each behind the one that it lost against: the losers of one event are neighbours, in input order.
type Beaten<R> = Vec<(R, R)>;

impl Arbiter {
    pub(crate) fn new(scope: DedupeScope) -> Self {
        Self { hasher: RandomState::default(), scope }
    }

    /// Adds the ids of a batch that fall into `ranges` to a set.
    pub(crate) fn add_ids(&self, batch: &Batch, ranges: &Range<usize>, ids: &mut IdSetBuilder) {
        for (row, &micros) in batch.micros.iter().enumerate() {
            let id = batch.ids.get(row);
            if ranges.contains(&range_of(self.hash(id, micros))) {
                ids.insert(id);
            }
        }
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

    /// The day within which a row competes; the same for all where the scope is the input.
    fn day(&self, micros: i64) -> i64 {
        match self.scope {
            DedupeScope::Input | DedupeScope::Target => 0,
            DedupeScope::Day => micros.div_euclid(DAY_MICROS),
        }
    }

    /// The hash of an id, whatever its row's time is.
    pub(crate) fn hash_id(&self, id: Id<'_>) -> u64 {
        match id {
            Id::Uuid(uuid) => self.hasher.hash_one(uuid),
            Id::Text(text) => self.hasher.hash_one(text),
        }
    }

    fn hash(&self, id: Id<'_>, micros: i64) -> u64 {
        match id {
            Id::Uuid(uuid) => self.hasher.hash_one((uuid, self.day(micros))),
            Id::Text(text) => self.hasher.hash_one((text, self.day(micros))),
        }
    }

    /// The rows in memory that lose, of one range in all parts.
    fn beaten(&self, batches: &[&Batch], parts: &[&[Contender]]) -> Beaten<RowRef> {
        let batch = |c: &Contender| (batches[c.row.batch()], c.row.row());
        let id = |c: &Contender| {
            let (batch, row) = batch(c);
            batch.ids.get(row)
        };
        let beaten = self.find_beaten(
            parts,
            // The table looks at the highest and at the lowest bits.
            |c| u64::from(c.fingerprint).wrapping_mul(0x9E37_79B9_7F4A_7C15),
            |a, b| a.fingerprint == b.fingerprint && id(a) == id(b),
            |c| {
                let (batch, row) = batch(c);
                (batch.micros[row], batch.positions[row])
            },
        );
        let mut beaten: Vec<_> = beaten.into_iter().map(|(winner, loser)| (winner.row, loser.row)).collect();
        // Batches are in input order.
        beaten.sort_unstable();
        beaten
    }

    /// Each contender that is beaten, behind the one that beats all of its id; in no order. Rivals only beat.
    fn find_beaten<'c, C>(
        &self,
        parts: &[&'c [C]],
        hash: impl Fn(&C) -> u64,
        same_id: impl Fn(&C, &C) -> bool,
        order: impl Fn(&C) -> (i64, Position),
    ) -> Beaten<&'c C> {
        let same = |a: &C, b: &C| same_id(a, b) && self.day(order(a).0) == self.day(order(b).0);
        // Holds the best contender so far of each id.
        let mut best: HashTable<&C> = HashTable::with_capacity(parts.iter().map(|part| part.len()).sum());
        let mut losers = Vec::new();
        for contender in parts.iter().copied().flatten() {
            match best.entry(hash(contender), |other| same(contender, other), |other| hash(other)) {
                hashbrown::hash_table::Entry::Vacant(entry) => drop(entry.insert(contender)),
                hashbrown::hash_table::Entry::Occupied(mut entry) => {
                    let other = *entry.get();
                    let loser = if is_later(order(contender), order(other)) {
                        *entry.get_mut() = contender;
                        other
                    } else {
                        contender
                    };
                    if !order(loser).1.is_rival() {
                        losers.push(loser);
                    }
                }
            }
        }
        let winner = |loser: &C| match best.find(hash(loser), |other| same(loser, other)) {
            Some(winner) => *winner,
            None => unreachable!("who beats another is in the table, or who beats it"),
        };
        losers.into_iter().map(|loser| (winner(loser), loser)).collect()
    }
}

/// Whether a version is later than another one: by its time or, if that is the same, by its place in the input.
fn is_later((time, place): (i64, Position), (other_time, other_place): (i64, Position)) -> bool {
    time.cmp(&other_time).then(place.cmp(&other_place)).is_gt()
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
    sampler: Sampler<'_>,
) -> Result<Vec<Vec<Loser>>, Error> {
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
    let mut beaten = workers::map(threads, ranges.len(), |index| {
        let parts: Vec<_> = split.iter().map(|part| part[index].as_slice()).collect();
        Ok(arbiter.beaten(batches, &parts))
    })?;
    drop(split);
    let contents = contents_of(arbiter, batches, &beaten, threads)?;
    let version = |row: RowRef| Version {
        micros: batches[row.batch()].micros[row.row()],
        content: contents.get(row).unwrap_or_default(),
        position: batches[row.batch()].positions[row.row()],
    };
    for beaten in &mut beaten {
        versions::let_held_win(beaten, version);
    }
    workers::map(threads, beaten.len(), |index| {
        let beaten = &beaten[index];
        let losers = versions::judge(beaten.iter().map(|&(winner, loser)| (version(winner), version(loser))));
        sampler.offer(
            &losers,
            beaten,
            |row| version(row).sampled(),
            |row| samples::text_of(batches[row.batch()].ids.get(row.row())),
        );
        Ok(losers)
    })
}

/// What the rows of those events say of which two rows have one time.
fn contents_of(
    arbiter: &Arbiter,
    batches: &[&Batch],
    beaten: &[Beaten<RowRef>],
    threads: usize,
) -> Result<Contents, Error> {
    let mut marks = Marks::new(batches.len());
    let micros = |row: RowRef| batches[row.batch()].micros[row.row()];
    let mut times = Vec::new();
    for event in beaten.iter().flat_map(|beaten| beaten.chunk_by(|(a, _), (b, _)| a == b)) {
        let winner = event[0].0;
        times.clear();
        times.extend(event.iter().map(|&(_, loser)| micros(loser)));
        if versions::times_meet(micros(winner), &mut times) {
            marks.add(winner, batches);
            for &(_, loser) in event {
                marks.add(loser, batches);
            }
        }
    }
    marks.hash(&arbiter.hasher, batches, threads)
}
