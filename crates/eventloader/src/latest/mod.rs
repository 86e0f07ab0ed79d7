//! The ids, versions and timestamps of all rows of an event type → which of the rows are superseded.
//!
//! Within one event type the highest version per id wins, if the type has one; then the highest timestamp
//! and, of equal ones, the row that comes last in the input. With [`DedupeScope::Day`] this is decided within
//! each day. Rows of the target come before the input. If two rows have the same content and one of them is
//! in the target already, that one stays.
//!
//! The contenders are split by a hash of their id into ranges that fit the processor's cache, and each range
//! is resolved on its own. The hash does not influence which rows are superseded, so its seed is random: no
//! input can be made to collide. For rows in memory, only a part of the hash is collected, and the ids are
//! looked up if two of these are equal: nearly always because they are two versions of one event. Spilled
//! rows are read back with their ids.
//!
//! Whether a superseded row was redelivered or corrected depends on contents. In memory these are hashed only
//! for rows that share id and timestamp: rows with other timestamps differ. Spilled rows have their content
//! hash beside them, and the keys of their versions. If samples are requested, the superseded rows that come
//! first in the input are kept (`samples.rs`).
//!
//! Invariant: of the contenders with one id (and day) all but one are superseded. Whole ids are compared.

mod contender_bytes;
mod contents;
mod id_set;
mod samples;
mod spilled;
mod superseded;
mod versions;

use std::{hash::BuildHasher, ops::Range};

use event_rows::{Batch, Id, RowRef, VersionOrder};
use event_target::DedupeScope;
use events_core::timestamp::DAY_MICROS;
use foldhash::{SharedSeed, quality::SeedableRandomState};
use hashbrown::{HashTable, hash_table::Entry};

use self::contents::{Contents, Marks};
pub(crate) use self::{
    id_set::{ID_BYTES_MAX, IdSet, IdSetBuilder},
    samples::{Sample, SampledRow, Sampler, Samples},
    spilled::{
        SpilledContender, SpilledContenders, TextContender, UuidContender, VersionedContender,
        resolve_spilled,
    },
    superseded::{
        Move, Resolved, Superseded, SupersededCounts, SupersededKind, SupersededRow, SupersededTotals,
    },
    versions::Version,
};

/// The number of ranges of ids; a power of two. One million ids in memory make ranges of 48 KiB.
pub(crate) const RANGES: usize = 256;

/// The most bytes that a row in memory takes while it is decided: as a contender, or as a superseded row with
/// its winner, its content and its kind.
pub(crate) const ROW_BYTES_MAX: usize =
    2 * size_of::<RowRef>() + size_of::<u64>() + size_of::<SupersededRow>();

/// A row in memory.
#[derive(Debug, Clone, Copy)]
struct Contender {
    /// Half of the hash of its id.
    fingerprint: u32,
    row: RowRef,
}

/// Splits contenders into ranges, and compares them.
#[derive(Debug)]
pub(crate) struct Deduper {
    hasher: SeedableRandomState,
    scope: DedupeScope,
}

/// Superseded rows, each with the row that is kept. Those of one event are neighbours, in input order.
type SupersededPairs<R> = Vec<(R, R)>;

impl Deduper {
    pub(crate) fn new(scope: DedupeScope) -> Self {
        Self { hasher: SeedableRandomState::random(), scope }
    }

    /// The same where several processes must agree on the hashes of ids and contents.
    pub(crate) fn seeded(scope: DedupeScope, seed: u64) -> Self {
        // It must live as long as the process.
        let shared = Box::leak(Box::new(SharedSeed::from_u64(seed)));
        Self { hasher: SeedableRandomState::with_seed(seed, shared), scope }
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

    /// Adds the rows of a batch whose ids fall into `ranges` to `split`, which has an entry for each range.
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

    /// The day within which a row competes; the same for all unless the scope is the day.
    pub(crate) fn day_of(&self, micros: i64) -> i64 {
        match self.scope {
            DedupeScope::Input | DedupeScope::Target => 0,
            DedupeScope::Day => micros.div_euclid(DAY_MICROS),
        }
    }

    /// The hash of an id, independent of its row's timestamp.
    pub(crate) fn hash_id(&self, id: Id<'_>) -> u64 {
        match id {
            Id::Uuid(uuid) => self.hasher.hash_one(uuid),
            Id::Text(text) => self.hasher.hash_one(text),
        }
    }

    fn hash(&self, id: Id<'_>, micros: i64) -> u64 {
        match id {
            Id::Uuid(uuid) => self.hasher.hash_one((uuid, self.day_of(micros))),
            Id::Text(text) => self.hasher.hash_one((text, self.day_of(micros))),
        }
    }

    /// The superseded rows of one range in all parts, in memory.
    fn pairs(&self, batches: &[&Batch], parts: &[&[Contender]]) -> SupersededPairs<RowRef> {
        let batch = |c: &Contender| (batches[c.row.batch()], c.row.row());
        let id = |c: &Contender| {
            let (batch, row) = batch(c);
            batch.ids.get(row)
        };
        let pairs = self.find_superseded(
            parts,
            // The table looks at the highest and at the lowest bits.
            |c| u64::from(c.fingerprint).wrapping_mul(0x9E37_79B9_7F4A_7C15),
            |a, b| a.fingerprint == b.fingerprint && id(a) == id(b),
            |c| {
                let (batch, row) = batch(c);
                batch.version_order(row)
            },
        );
        let mut pairs: Vec<_> =
            pairs.into_iter().map(|(winner, superseded)| (winner.row, superseded.row)).collect();
        // Batches are in input order.
        pairs.sort_unstable();
        pairs
    }

    /// Each superseded contender with the one that is kept of its id, in no order. A later candidate
    /// supersedes rows, and is never superseded itself.
    fn find_superseded<'c, C>(
        &self,
        parts: &[&'c [C]],
        hash: impl Fn(&C) -> u64,
        same_id: impl Fn(&C, &C) -> bool,
        order: impl Fn(&'c C) -> VersionOrder<'c>,
    ) -> SupersededPairs<&'c C> {
        let same = |a: &'c C, b: &'c C| {
            same_id(a, b) && self.day_of(order(a).micros) == self.day_of(order(b).micros)
        };
        // The best contender so far of each id.
        let mut best: HashTable<&C> = HashTable::with_capacity(parts.iter().map(|part| part.len()).sum());
        let mut superseded_rows = Vec::new();
        for contender in parts.iter().copied().flatten() {
            match best.entry(hash(contender), |&other| same(contender, other), |other| hash(other)) {
                Entry::Vacant(entry) => drop(entry.insert(contender)),
                Entry::Occupied(mut entry) => {
                    let other = *entry.get();
                    let superseded = if order(contender) > order(other) {
                        *entry.get_mut() = contender;
                        other
                    } else {
                        contender
                    };
                    if !order(superseded).position.is_later_candidate() {
                        superseded_rows.push(superseded);
                    }
                }
            }
        }
        let winner = |superseded: &'c C| match best.find(hash(superseded), |&other| same(superseded, other)) {
            Some(winner) => *winner,
            None => unreachable!("the latest version of each id is in the table"),
        };
        superseded_rows.into_iter().map(|superseded| (winner(superseded), superseded)).collect()
    }
}

/// The range of a hash: its middle bits, because the hash table of spilled rows uses both ends.
fn range_of(hash: u64) -> usize {
    (hash >> 32) as usize & (RANGES - 1)
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half, which the range does not use")]
fn fingerprint_of(hash: u64) -> u32 {
    hash as u32
}

/// The superseded rows in memory whose ids fall into `ranges`.
pub(crate) fn resolve(
    deduper: &Deduper,
    batches: &[&Batch],
    ranges: &Range<usize>,
    threads: usize,
    sampler: Sampler<'_>,
) -> Vec<Resolved> {
    let share = batches.len().div_ceil(threads).max(1);
    let shares: Vec<_> = batches.chunks(share).collect();
    let split = workers::compute(threads, shares.len(), |number| {
        let rows: usize = shares[number].iter().map(|batch| batch.rows()).sum();
        // With room for its likely share.
        let likely = rows / RANGES;
        let mut split: Vec<_> = ranges.clone().map(|_| Vec::with_capacity(likely + likely / 8)).collect();
        for (index, batch) in shares[number].iter().enumerate() {
            deduper.split(number * share + index, batch, ranges, &mut split);
        }
        split
    });
    let mut pairs = workers::compute(threads, ranges.len(), |index| {
        let parts: Vec<_> = split.iter().map(|part| part[index].as_slice()).collect();
        deduper.pairs(batches, &parts)
    });
    drop(split);
    let contents = contents_of(deduper, batches, &pairs, threads);
    let version = |row: RowRef| Version {
        micros: batches[row.batch()].micros[row.row()],
        content: contents.get(row).unwrap_or_default(),
        position: batches[row.batch()].positions[row.row()],
    };
    for pairs in &mut pairs {
        versions::let_existing_win(pairs, version);
    }
    workers::compute(threads, pairs.len(), |index| {
        let pairs = &pairs[index];
        let versions = pairs.iter().map(|&(winner, superseded)| (version(winner), version(superseded)));
        let rows = versions::judge(versions);
        let order = |row: RowRef| batches[row.batch()].version_order(row.row());
        let id = |row: RowRef| samples::text_of(batches[row.batch()].ids.get(row.row()));
        sampler.offer(&rows, pairs, order, id);
        let orders = pairs.iter().map(|&(winner, superseded)| (order(winner), order(superseded)));
        Resolved { rows, moves: versions::moves(orders) }
    })
}

/// The contents of the rows of those events that have two rows with the same timestamp.
fn contents_of(
    deduper: &Deduper,
    batches: &[&Batch],
    pairs: &[SupersededPairs<RowRef>],
    threads: usize,
) -> Contents {
    let mut marks = Marks::new(batches.len());
    let micros = |row: RowRef| batches[row.batch()].micros[row.row()];
    let mut times = Vec::new();
    for event in pairs.iter().flat_map(|pairs| pairs.chunk_by(|(a, _), (b, _)| a == b)) {
        let winner = event[0].0;
        times.clear();
        times.extend(event.iter().map(|&(_, superseded)| micros(superseded)));
        if versions::times_meet(micros(winner), &mut times) {
            marks.add(winner, batches);
            for &(_, superseded) in event {
                marks.add(superseded, batches);
            }
        }
    }
    marks.hash(&deduper.hasher, batches, threads)
}
