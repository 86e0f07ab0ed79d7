//! Batches from all blocks → all good rows of the run, by event type: in memory up to a share of it, spilled
//! beyond that.
//!
//! Spilling is a [`SpillJob`], which one worker does while the others go on. Rows count as memory until they
//! are in the file.
//!
//! Invariant: once [`RowStore::seal`] was called, either all rows are in memory or all are spilled, so a
//! partition is written from one kind of storage.

mod ledger;
mod partitions;
mod same_version;
mod small_batches;
mod spill;
mod turnstile;

use std::{iter, ops::Range, path::PathBuf, sync::Arc};

use event_rows::{Batch, Id, PartitionKey};
use event_target::Exchange;
use events_core::partition::PartitionUnit;
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use self::spill::{Spill, SpillFile, SpilledRun};
pub(crate) use self::{
    ledger::{BlockLines, ExistingCounts, LineNumber, Origin, PartitionCounts, RowLedger, RowsOut},
    partitions::{GroupedRows, Partition},
    same_version::{DatedLine, DatedLines},
    spill::{Location, SortedRun, SpillPlace, StoredFile, StoredRun},
    turnstile::Turnstile,
};
use crate::{
    error::Error,
    latest::{
        self, Deduper, ID_BYTES_MAX, IdSet, IdSetBuilder, RANGES, Samples, SpilledContenders, Superseded,
    },
    runtime::MemoryShares,
};

/// The most runs on their way to the spill file while rows are collected: they share the memory for rows.
const JOBS_MAX: usize = 2;

/// In how many pieces spilled ids are read; it divides the number of ranges.
const ID_PIECES: usize = 32;

/// What is compared by one thread rather than by more.
const BYTES_PER_THREAD: usize = 512 << 10;

/// All good rows of a run.
#[derive(Debug)]
pub(crate) struct RowStore {
    types: Vec<TypeRows>,
    in_memory_bytes: usize,
    /// The small batches that were added and not joined since, and their bytes.
    small_batches: usize,
    small_bytes: usize,
    unit: PartitionUnit,
    shares: MemoryShares,
    /// What event types take of the share of rows.
    types_bytes: usize,
    deduper: Arc<Deduper>,
    spill_place: SpillPlace,
    spill: Option<Spill>,
    /// The number of jobs that were given out and are not done.
    jobs: usize,
    ledger: RowLedger,
}

/// The rows of one event type, and what competes with them.
#[derive(Debug, Default)]
struct TypeRows {
    batches: Vec<Batch>,
    /// Later candidates, or rows that the target has.
    competitors: Vec<Batch>,
}

/// The rows of one block.
#[derive(Debug)]
pub(crate) struct BlockRows {
    /// The index of its source.
    pub(crate) source: usize,
    pub(crate) lines: u32,
    pub(crate) of_array: bool,
    /// The number of its rows in each partition.
    pub(crate) by_partition: HashMap<PartitionKey, u64, FixedState>,
    /// The rows, by the index of their event type.
    pub(crate) batches: Vec<(usize, Batch)>,
    /// Events of later days, which may supersede rows.
    pub(crate) later_candidates: Vec<(usize, Batch)>,
}

/// Rows to be written to the spill file, as one run.
#[must_use = "its rows are nowhere else"]
pub(crate) struct SpillJob {
    types: Vec<TypeRows>,
    file: Arc<SpillFile>,
    unit: PartitionUnit,
    deduper: Arc<Deduper>,
}

impl SpillJob {
    fn write(self) -> Result<SpilledRun, Error> {
        let mut run = SpilledRun::default();
        for (type_index, TypeRows { batches, competitors }) in self.types.into_iter().enumerate() {
            self.file.write(type_index, &batches, &competitors, self.unit, &self.deduper, &mut run)?;
        }
        Ok(run)
    }
}

impl RowStore {
    pub(crate) fn new(
        types: usize,
        unit: PartitionUnit,
        shares: MemoryShares,
        deduper: impl Into<Arc<Deduper>>,
        spill_place: SpillPlace,
    ) -> Self {
        let types = iter::repeat_with(TypeRows::default).take(types).collect();
        Self {
            types,
            in_memory_bytes: 0,
            small_batches: 0,
            small_bytes: 0,
            unit,
            shares,
            types_bytes: 0,
            deduper: deduper.into(),
            spill_place,
            spill: None,
            jobs: 0,
            ledger: RowLedger::default(),
        }
    }

    /// The rows of runs that other processes have stored; the ledger has their blocks.
    pub(crate) fn of_stored(
        (exchange, runs): (&Exchange, Vec<(PartitionKey, StoredRun)>),
        ledger: RowLedger,
        unit: PartitionUnit,
        shares: MemoryShares,
        deduper: impl Into<Arc<Deduper>>,
    ) -> Result<Self, Error> {
        let types = ledger.partition_keys().map(|(type_index, _)| type_index + 1).max().unwrap_or(0);
        let place = SpillPlace::Unnamed(PathBuf::new());
        let spill = Spill::of_stored(exchange, runs).map_err(Error::io("opening stored rows"))?;
        Ok(Self { spill, ledger, ..Self::new(types, unit, shares, deduper, place) })
    }

    /// Makes room for event types, the last of which were found while lines were read.
    pub(crate) fn add_types(&mut self, types: usize) {
        if self.types.len() < types {
            self.types.resize_with(types, TypeRows::default);
        }
    }

    /// The first block has this number.
    pub(crate) fn number_from(&mut self, first_block: u32) {
        self.ledger.begin_at(first_block);
    }

    /// Leaves some memory to event types that were found while lines were read.
    pub(crate) fn leave_room(&mut self, types_bytes: usize) {
        self.types_bytes = self.types_bytes.max(types_bytes);
    }

    /// Adds the rows of the next block. If there is no room left, returns rows to spill now.
    pub(crate) fn add(&mut self, block: BlockRows) -> Result<Option<SpillJob>, Error> {
        let BlockRows { source, lines, of_array, by_partition, batches, later_candidates } = block;
        self.ledger.add_block(source, lines, of_array, by_partition.into_iter());
        let types = batches.iter().chain(&later_candidates).map(|(type_index, _)| type_index + 1).max();
        self.add_types(types.unwrap_or(0));
        for (type_index, batch) in batches {
            let bytes = batch.memory_bytes();
            self.in_memory_bytes += bytes;
            if small_batches::is_small(&batch) {
                self.small_batches += 1;
                self.small_bytes += bytes;
            }
            self.types[type_index].batches.push(batch);
        }
        for (type_index, batch) in later_candidates {
            self.in_memory_bytes += batch.memory_bytes();
            self.types[type_index].competitors.push(batch);
        }
        self.spill_if_full()
    }

    /// Adds rows that the target has: they compete, and are written with their partition. If there is no room
    /// left, returns rows to spill now.
    pub(crate) fn add_existing(
        &mut self,
        type_index: usize,
        batch: Batch,
    ) -> Result<Option<SpillJob>, Error> {
        self.in_memory_bytes += batch.memory_bytes();
        self.types[type_index].competitors.push(batch);
        self.spill_if_full()
    }

    fn spill_if_full(&mut self) -> Result<Option<SpillJob>, Error> {
        let mut room = if self.spill.is_some() { self.run_bytes() } else { self.rows_bytes() };
        if self.in_memory_bytes > room && self.small_bytes > room / 2 && self.has_several_small_batches() {
            self.join_small_batches()?;
            // So that it is worthwhile the next time.
            room -= room / 4;
        }
        if self.in_memory_bytes > room && self.jobs < JOBS_MAX {
            return self.spill(self.run_bytes()).map(Some);
        }
        Ok(None)
    }

    /// Whether types have enough small batches for joining them to be worthwhile.
    fn has_several_small_batches(&self) -> bool {
        let types = self.types.iter().filter(|rows| !rows.batches.is_empty()).count();
        self.small_batches >= 3 * types
    }

    /// Makes room without spilling.
    fn join_small_batches(&mut self) -> Result<(), Error> {
        (self.small_batches, self.small_bytes) = (0, 0);
        for TypeRows { batches, .. } in &mut self.types {
            let bytes = |batches: &[Batch]| batches.iter().map(Batch::memory_bytes).sum::<usize>();
            let before = bytes(batches);
            small_batches::join(batches)?;
            self.in_memory_bytes = self.in_memory_bytes + bytes(batches) - before;
        }
        Ok(())
    }

    /// Whether nothing may be added until a job is done.
    pub(crate) fn is_full(&self) -> bool {
        self.jobs >= JOBS_MAX && self.in_memory_bytes > self.run_bytes()
    }

    /// Adds a run whose job was done.
    fn spilled(&mut self, run: SpilledRun) {
        self.jobs -= 1;
        if let Some(spill) = &mut self.spill {
            spill.add(run);
        }
    }

    /// The memory for all rows.
    fn rows_bytes(&self) -> usize {
        let rows_bytes = self.shares.rows_bytes;
        rows_bytes.saturating_sub(self.types_bytes).max(rows_bytes / 8)
    }

    /// The memory that the rows of one run take.
    fn run_bytes(&self) -> usize {
        // A single thread collects nothing while it writes a run.
        let is_alone = self.shares.workers.max(self.shares.encoders) == 1;
        if is_alone { self.rows_bytes() } else { self.rows_bytes() / (JOBS_MAX + 1) }
    }

    /// Takes about this many bytes of rows out, of all event types alike.
    fn spill(&mut self, bytes: usize) -> Result<SpillJob, Error> {
        let run_bytes = self.run_bytes();
        let spill = match &mut self.spill {
            Some(spill) => spill,
            empty => {
                let spill = Spill::create(&self.spill_place, run_bytes);
                empty.insert(spill.map_err(Error::io("creating the spill file"))?)
            }
        };
        let file = spill.file();
        let in_memory_bytes = self.in_memory_bytes.max(1);
        let mut taken_bytes = 0;
        let mut taken = |batches: &mut Vec<Batch>| -> Vec<Batch> {
            let share = (batches.len() * bytes).div_ceil(in_memory_bytes).min(batches.len());
            let taken: Vec<_> = batches.drain(..share).collect();
            taken_bytes += taken.iter().map(Batch::memory_bytes).sum::<usize>();
            taken
        };
        let types = self.types.iter_mut().map(|rows| TypeRows {
            batches: taken(&mut rows.batches),
            competitors: taken(&mut rows.competitors),
        });
        let types = types.collect();
        self.in_memory_bytes -= taken_bytes;
        if self.in_memory_bytes == 0 {
            (self.small_batches, self.small_bytes) = (0, 0);
        }
        self.jobs += 1;
        Ok(SpillJob { types, file, unit: self.unit, deduper: Arc::clone(&self.deduper) })
    }

    /// Ends adding: no job is left, and if some rows were spilled, the rest is spilled, too. To a named file,
    /// all are.
    pub(crate) fn seal(&mut self) -> Result<(), Error> {
        let is_stored = matches!(self.spill_place, SpillPlace::Named(_)) && self.in_memory_bytes > 0;
        if self.spill.is_some() || is_stored {
            let run = self.spill(self.in_memory_bytes)?.write()?;
            self.spilled(run);
        }
        Ok(())
    }

    /// The ranges in which the ids of an event type are kept in memory at a time.
    pub(crate) fn id_passes(&self, type_index: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let ids: u64 = self.ledger.rows_of_type(type_index);
        let bytes = usize::try_from(ids).unwrap_or(usize::MAX).saturating_mul(ID_BYTES_MAX);
        passes(bytes, self.shares.contenders_bytes)
    }

    /// The ids of an event type's rows that fall into some ranges.
    pub(crate) fn ids(&self, type_index: usize, ranges: Range<usize>) -> Result<IdSet, Error> {
        let mut ids = IdSetBuilder::new(&self.deduper);
        let Some(spill) = &self.spill else {
            let batches = &self.types[type_index].batches;
            for batch in batches {
                self.deduper.add_ids(batch, &ranges, &mut ids);
            }
            return Ok(ids.finish());
        };
        spill.each_contenders(type_index, ranges, &self.deduper, |contenders| {
            contenders.each(|id, _| ids.insert(id));
        })?;
        Ok(ids.finish())
    }

    /// In how many pieces the ids of an event type are read: some of them are in memory at a time.
    pub(crate) fn id_pieces(&self, type_index: usize) -> usize {
        if self.spill.is_some() { ID_PIECES } else { self.types[type_index].batches.len() }
    }

    /// Calls `look` with the ids of one piece; an id may come several times.
    pub(crate) fn each_id(
        &self,
        type_index: usize,
        piece: usize,
        mut look: impl FnMut(Id<'_>),
    ) -> Result<(), Error> {
        let Some(spill) = &self.spill else {
            let batch = &self.types[type_index].batches[piece];
            (0..batch.rows()).for_each(|row| look(batch.ids.get(row)));
            return Ok(());
        };
        let ranges = RANGES / ID_PIECES * piece..RANGES / ID_PIECES * (piece + 1);
        for contenders in spill.contenders(type_index, &ranges, &self.deduper)? {
            contenders.each(|id, _| look(id));
        }
        Ok(())
    }

    /// Finds the superseded rows of all event types, and keeps up to `samples_max` samples.
    pub(crate) fn superseded(
        &self,
        threads: usize,
        samples_max: usize,
        is_merge: bool,
    ) -> Result<Superseded, Error> {
        let samples = Samples::new(samples_max);
        let mut superseded = if is_merge { Superseded::of_merge(self.unit) } else { Superseded::default() };
        for (type_index, rows) in self.types.iter().enumerate() {
            let batches: Vec<_> = rows.batches.iter().chain(&rows.competitors).collect();
            let bytes = match &self.spill {
                Some(spill) => spill.contenders_bytes(type_index),
                None => batches.iter().map(|batch| batch.rows() * latest::ROW_BYTES_MAX).sum(),
            };
            // Starting threads takes longer than comparing a few rows.
            let threads = threads.min(bytes / BYTES_PER_THREAD + 1);
            for ranges in passes(bytes, self.shares.contenders_bytes) {
                let of_type = samples.of_type(type_index);
                let resolved = match &self.spill {
                    Some(spill) => {
                        let contenders =
                            |ranges: &Range<usize>| spill.contenders(type_index, ranges, &self.deduper);
                        latest::resolve_spilled(&self.deduper, &ranges, threads, of_type, contenders)?
                    }
                    None => latest::resolve(&self.deduper, &batches, &ranges, threads, of_type),
                };
                for resolved in resolved {
                    superseded.add(type_index, resolved);
                }
            }
        }
        superseded.set_samples(samples.into_list());
        Ok(superseded)
    }

    /// Where the rows of each partition are in the named file, run by run, and the length of that.
    pub(crate) fn stored(&self) -> (Vec<(PartitionKey, Vec<Location>)>, u64) {
        self.spill.as_ref().map(Spill::stored).unwrap_or_default()
    }

    /// The contenders of an event type whose ids fall into these ranges, if rows are spilled.
    pub(crate) fn contenders(
        &self,
        type_index: usize,
        ranges: &Range<usize>,
    ) -> Result<Vec<SpilledContenders>, Error> {
        let spill = self.spill.as_ref();
        spill.map_or(Ok(Vec::new()), |spill| spill.contenders(type_index, ranges, &self.deduper))
    }

    /// The batches of an event type, if its rows are in memory.
    pub(crate) fn batches(&self, type_index: usize) -> &[Batch] {
        &self.types[type_index].batches
    }

    /// The rows as they were read.
    pub(crate) fn ledger(&self) -> &RowLedger {
        &self.ledger
    }
}

/// The ranges of ids, in as few portions as fit.
fn passes(bytes: usize, bytes_max: usize) -> impl Iterator<Item = Range<usize>> {
    let step = RANGES.div_ceil(bytes.div_ceil(bytes_max).clamp(1, RANGES));
    (0..RANGES).step_by(step).map(move |first| first..(first + step).min(RANGES))
}
