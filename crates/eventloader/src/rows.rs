//! Batches from all blocks → all good rows of the run, by event type; in memory up to a share, spilled beyond it.
//!
//! Invariant: either all rows are in memory or all are spilled once [`RowStore::seal`] was called, so that a partition is
//! written from one kind of place.

use std::path::PathBuf;

use events_core::partition::PartitionUnit;

use crate::{
    batch::{Batch, Position},
    error::Error,
    latest::{self, Arbiter, Contender, RANGES, Superseded},
    lines::BlockOutcome,
    memory::MemoryShares,
    merge::OrderedRows,
    partitions,
    spill::Spill,
};

/// All good rows of a run.
#[derive(Debug)]
pub(crate) struct RowStore {
    types: Vec<TypeRows>,
    in_memory_bytes: usize,
    unit: PartitionUnit,
    shares: MemoryShares,
    arbiter: Arbiter,
    spill_dir: PathBuf,
    spill: Option<Spill>,
}

/// The rows of one event type, and what competes with them.
#[derive(Debug, Default)]
struct TypeRows {
    batches: Vec<Batch>,
    rivals: Vec<Batch>,
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
        Self { types, in_memory_bytes: 0, unit, shares, arbiter, spill_dir, spill: None }
    }

    /// Adds the rows of a block; spills all if there is no room left.
    pub(crate) fn add(&mut self, outcome: &mut BlockOutcome) -> Result<(), Error> {
        for (type_index, batch) in outcome.batches.drain(..) {
            self.in_memory_bytes += batch.memory_bytes();
            self.types[type_index].batches.push(batch);
        }
        for (type_index, batch) in outcome.rivals.drain(..) {
            self.in_memory_bytes += batch.memory_bytes();
            self.types[type_index].rivals.push(batch);
        }
        if self.in_memory_bytes > self.shares.rows_bytes { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result<(), Error> {
        let spill = match &mut self.spill {
            Some(spill) => spill,
            empty => {
                empty.insert(Spill::create(&self.spill_dir).map_err(Error::io("creating the spill file"))?)
            }
        };
        for (type_index, rows) in self.types.iter_mut().enumerate() {
            let TypeRows { batches, rivals } = std::mem::take(rows);
            spill.add(type_index, &batches, &rivals, self.unit, &self.arbiter)?;
        }
        self.in_memory_bytes = 0;
        Ok(())
    }

    /// All rows are added: if some were spilled, so is the rest.
    pub(crate) fn seal(&mut self) -> Result<(), Error> {
        if self.spill.is_some() { self.spill() } else { Ok(()) }
    }

    /// Finds the superseded rows of all event types.
    pub(crate) fn superseded(&self, threads: usize) -> Result<Superseded, Error> {
        let mut superseded = Superseded::default();
        for (type_index, rows) in self.types.iter().enumerate() {
            let batches: Vec<_> = rows.batches.iter().chain(&rows.rivals).collect();
            let bytes = match &self.spill {
                Some(spill) => spill.contenders_bytes(type_index),
                None => batches.iter().map(|batch| batch.rows() * size_of::<Contender>()).sum(),
            };
            let passes = bytes.div_ceil(self.shares.contenders_bytes).clamp(1, RANGES);
            for first in (0..RANGES).step_by(RANGES.div_ceil(passes)) {
                let ranges = first..(first + RANGES.div_ceil(passes)).min(RANGES);
                let losers = match &self.spill {
                    Some(spill) => {
                        let contenders = |range| spill.contenders(type_index, range);
                        latest::resolve_spilled(&self.arbiter, &ranges, threads, contenders)?
                    }
                    None => latest::resolve(&self.arbiter, &batches, &ranges, threads)?,
                };
                for losers in losers {
                    superseded.add(losers);
                }
            }
        }
        Ok(superseded)
    }

    /// The partitions that have rows left.
    pub(crate) fn partitions(&self, superseded: &Superseded) -> Vec<Partition> {
        let is_left_out = |position: Position| superseded.contains(position);
        let mut partitions = Vec::new();
        for (type_index, rows) in self.types.iter().enumerate() {
            for (unit_index, refs) in partitions::group(&rows.batches, self.unit, is_left_out) {
                partitions.push(Partition { type_index, unit_index, refs });
            }
        }
        if let Some(spill) = &self.spill {
            let spilled = spill.partitions();
            partitions.extend(spilled.map(|(type_index, unit_index)| Partition {
                type_index,
                unit_index,
                refs: Vec::new(),
            }));
        }
        partitions
    }

    /// The rows of a partition in the order in which they are written.
    pub(crate) fn ordered<'a>(
        &'a self,
        partition: &Partition,
        superseded: &'a Superseded,
    ) -> OrderedRows<'a> {
        if let Some(spill) = &self.spill {
            let runs = spill.runs(partition.type_index, partition.unit_index);
            return OrderedRows::spilled(spill, runs, superseded);
        }
        let batches = &self.types[partition.type_index].batches;
        let mut refs = partition.refs.clone();
        partitions::sort(&mut refs, batches);
        OrderedRows::InMemory { batches, refs, done: 0 }
    }
}
