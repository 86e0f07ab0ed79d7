//! Batches from all blocks → all good rows of the run, by event type; in memory up to a share, spilled beyond it.
//!
//! Spilling is a [`SpillJob`] that the worker does who was told to, while the others go on; rows that are on their way to
//! the file count until they are there.
//!
//! Invariant: either all rows are in memory or all are spilled once [`RowStore::seal`] was called, so that a partition is
//! written from one kind of place.

use std::{path::PathBuf, sync::Arc};

use events_core::partition::PartitionUnit;

use crate::{
    accounts::{Accounts, PartitionKey},
    batch::{Batch, Position},
    error::Error,
    latest::{self, Arbiter, RANGES, Samples, Superseded},
    lines::BlockOutcome,
    memory::MemoryShares,
    merge::OrderedRows,
    partitions,
    spill::{Spill, SpillFile, SpilledRun},
    workers,
};

/// How many runs may be on their way to the spill file at once. With what is collected meanwhile they share the memory for rows.
const JOBS_MAX: usize = 2;

/// All good rows of a run.
#[derive(Debug)]
pub(crate) struct RowStore {
    types: Vec<TypeRows>,
    in_memory_bytes: usize,
    unit: PartitionUnit,
    shares: MemoryShares,
    arbiter: Arc<Arbiter>,
    spill_dir: PathBuf,
    spill: Option<Spill>,
    /// How many were given out and are not done.
    jobs: usize,
    accounts: Accounts,
}

/// The rows of one event type, and what competes with them.
#[derive(Debug, Default)]
struct TypeRows {
    batches: Vec<Batch>,
    rivals: Vec<Batch>,
}

/// Rows to be written to the spill file, as one run.
#[must_use = "its rows are nowhere else"]
pub(crate) struct SpillJob {
    types: Vec<TypeRows>,
    file: Arc<SpillFile>,
    unit: PartitionUnit,
    arbiter: Arc<Arbiter>,
}

impl SpillJob {
    pub(crate) fn write(self) -> Result<SpilledRun, Error> {
        let mut run = SpilledRun::default();
        for (type_index, TypeRows { batches, rivals }) in self.types.into_iter().enumerate() {
            self.file.write(type_index, &batches, &rivals, self.unit, &self.arbiter, &mut run)?;
        }
        Ok(run)
    }
}

/// One partition to write.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) type_index: usize,
    /// Its unit of time, counted from 1970.
    pub(crate) unit_index: i64,
    /// Its rows, where they are in memory.
    refs: Vec<partitions::RowRef>,
}

impl Partition {
    pub(crate) fn key(&self) -> PartitionKey {
        (self.type_index, self.unit_index)
    }

    /// How many rows it has, as far as they are in memory.
    pub(crate) fn rows_in_memory(&self) -> usize {
        self.refs.len()
    }
}

impl RowStore {
    pub(crate) fn new(
        types: usize,
        unit: PartitionUnit,
        shares: MemoryShares,
        arbiter: Arbiter,
        spill_dir: PathBuf,
    ) -> Self {
        let types = (0..types).map(|_| TypeRows::default()).collect();
        Self {
            types,
            in_memory_bytes: 0,
            unit,
            shares,
            arbiter: Arc::new(arbiter),
            spill_dir,
            spill: None,
            jobs: 0,
            accounts: Accounts::default(),
        }
    }

    /// Adds the rows of the next block. If there is no room left, some are to be spilled now.
    pub(crate) fn add(&mut self, outcome: &mut BlockOutcome) -> Result<Option<SpillJob>, Error> {
        let BlockOutcome { source, lines, of_array, .. } = *outcome;
        self.accounts.add_block(source, lines, of_array, outcome.rows.drain());
        for (type_index, batch) in outcome.batches.drain(..) {
            self.in_memory_bytes += batch.memory_bytes();
            self.types[type_index].batches.push(batch);
        }
        for (type_index, batch) in outcome.rivals.drain(..) {
            self.in_memory_bytes += batch.memory_bytes();
            self.types[type_index].rivals.push(batch);
        }
        let room = if self.spill.is_some() { self.run_bytes() } else { self.shares.rows_bytes };
        if self.in_memory_bytes > room && self.jobs < JOBS_MAX {
            return self.spill(self.run_bytes()).map(Some);
        }
        Ok(None)
    }

    /// Whether nothing may be added until a job is done.
    pub(crate) fn is_full(&self) -> bool {
        self.jobs >= JOBS_MAX && self.in_memory_bytes > self.run_bytes()
    }

    /// A job was done.
    pub(crate) fn spilled(&mut self, run: SpilledRun) {
        self.jobs -= 1;
        if let Some(spill) = &mut self.spill {
            spill.add(run);
        }
    }

    /// Memory that the rows of one run take.
    fn run_bytes(&self) -> usize {
        self.shares.rows_bytes / (JOBS_MAX + 1)
    }

    /// Takes about so many bytes of rows out, of all event types alike.
    fn spill(&mut self, bytes: usize) -> Result<SpillJob, Error> {
        let spill = match &mut self.spill {
            Some(spill) => spill,
            empty => {
                empty.insert(Spill::create(&self.spill_dir).map_err(Error::io("creating the spill file"))?)
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
        let types = self
            .types
            .iter_mut()
            .map(|rows| TypeRows { batches: taken(&mut rows.batches), rivals: taken(&mut rows.rivals) });
        let types = types.collect();
        self.in_memory_bytes -= taken_bytes;
        self.jobs += 1;
        Ok(SpillJob { types, file, unit: self.unit, arbiter: Arc::clone(&self.arbiter) })
    }

    /// All rows are added and no job is left: if some were spilled, so is the rest.
    pub(crate) fn seal(&mut self) -> Result<(), Error> {
        if self.spill.is_some() {
            let run = self.spill(self.in_memory_bytes)?.write()?;
            self.spilled(run);
        }
        Ok(())
    }

    /// Finds the superseded rows of all event types, and keeps so many as samples.
    pub(crate) fn superseded(&self, threads: usize, samples_max: usize) -> Result<Superseded, Error> {
        let samples = Samples::new(samples_max);
        let mut superseded = Superseded::default();
        for (type_index, rows) in self.types.iter().enumerate() {
            let batches: Vec<_> = rows.batches.iter().chain(&rows.rivals).collect();
            let bytes = match &self.spill {
                Some(spill) => spill.contenders_bytes(type_index),
                None => batches.iter().map(|batch| batch.rows() * latest::ROW_BYTES_MAX).sum(),
            };
            let passes = bytes.div_ceil(self.shares.contenders_bytes).clamp(1, RANGES);
            for first in (0..RANGES).step_by(RANGES.div_ceil(passes)) {
                let ranges = first..(first + RANGES.div_ceil(passes)).min(RANGES);
                let of_type = samples.of_type(type_index);
                let losers = match &self.spill {
                    Some(spill) => {
                        let contenders = |range| spill.contenders(type_index, range);
                        latest::resolve_spilled(&self.arbiter, &ranges, threads, of_type, contenders)?
                    }
                    None => latest::resolve(&self.arbiter, &batches, &ranges, threads, of_type)?,
                };
                for losers in losers {
                    superseded.add(losers);
                }
            }
        }
        superseded.set_samples(samples.into_list());
        Ok(superseded)
    }

    /// The rows by where they come from and go to; in full when all partitions were written.
    pub(crate) fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The partitions that have rows left.
    pub(crate) fn partitions(
        &self,
        superseded: &Superseded,
        threads: usize,
    ) -> Result<Vec<Partition>, Error> {
        let is_left_out = |position: Position| superseded.contains(position);
        let grouped = workers::map(threads, self.types.len(), |type_index| {
            let batches = &self.types[type_index].batches;
            let grouped = partitions::group(batches, self.unit, is_left_out);
            for (batch, kept) in batches.iter().zip(grouped.kept) {
                self.accounts.add_written(self.accounts.source_of(batch.positions[0]), kept);
            }
            for (unit_index, rows) in grouped.left_out {
                self.accounts.add_left_out((type_index, unit_index), rows);
            }
            let partition = |(unit_index, refs)| Partition { type_index, unit_index, refs };
            Ok(grouped.partitions.into_iter().map(partition).collect::<Vec<_>>())
        })?;
        let mut partitions: Vec<_> = grouped.into_iter().flatten().collect();
        if let Some(spill) = &self.spill {
            let spilled = spill.partitions();
            partitions.extend(spilled.map(|(type_index, unit_index)| Partition {
                type_index,
                unit_index,
                refs: Vec::new(),
            }));
        }
        Ok(partitions)
    }

    /// The rows of a partition in the order in which they are written.
    pub(crate) fn ordered<'a>(
        &'a self,
        partition: &Partition,
        superseded: &'a Superseded,
    ) -> OrderedRows<'a> {
        if let Some(spill) = &self.spill {
            return OrderedRows::spilled(spill, partition.key(), superseded, &self.accounts);
        }
        let batches = &self.types[partition.type_index].batches;
        let mut refs = partition.refs.clone();
        partitions::sort(&mut refs, batches);
        OrderedRows::InMemory { batches, refs, done: 0 }
    }
}
