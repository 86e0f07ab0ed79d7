//! All good rows of a run, without those that are superseded → partitions, and the rows of each in order.
//!
//! Invariant: a partition that is handed out has rows left, or perhaps (spilled, or in a merge) none but some to take away.

use std::collections::BTreeMap;

use super::RowStore;
use crate::{
    accounts::PartitionKey,
    batch::Position,
    error::Error,
    held::Held,
    latest::{Lost, Superseded},
    merge::{OrderedRows, Run, RunMerge},
    partitions, workers,
};

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

    /// Of a merge, those of these partitions whose rows change, and those that only lose some that they held.
    pub(crate) fn changed(&self, partitions: Vec<Partition>, superseded: &Superseded) -> Vec<Partition> {
        let mut lost: BTreeMap<_, _> = superseded.by_partition().collect();
        let mut changed = Vec::new();
        for partition in partitions {
            let Lost { read, held } = lost.remove(&partition.key()).unwrap_or_default();
            if held > 0 || read < self.accounts.rows_of(partition.key()) {
                changed.push(partition);
            } else {
                // It would have been counted while it was written.
                self.accounts.add_left_out(partition.key(), read);
            }
        }
        let losing = lost.into_iter().filter(|(_, lost)| lost.held > 0);
        changed.extend(losing.map(|((type_index, unit_index), _)| Partition {
            type_index,
            unit_index,
            refs: Vec::new(),
        }));
        changed
    }

    /// The rows of a partition in the order in which they are written, with those that the target holds of it in a merge.
    pub(crate) fn ordered<'a>(
        &'a self,
        partition: &'a Partition,
        superseded: &'a Superseded,
        held: Option<&'a Held<'_>>,
    ) -> OrderedRows<'a> {
        let batches = &self.types[partition.type_index].batches;
        let sorted = || {
            let mut refs = partition.refs.clone();
            partitions::sort(&mut refs, batches);
            refs
        };
        let mut runs: Vec<_> =
            held.and_then(|held| held.rows_of(partition.key())).map(Run::of_held).into_iter().collect();
        match &self.spill {
            Some(spill) => runs.extend(Run::of_spilled(spill, partition.key())),
            None if runs.is_empty() => return OrderedRows::InMemory { batches, refs: sorted(), done: 0 },
            None => runs.push(Run::in_memory(batches, sorted())),
        }
        OrderedRows::Merged(RunMerge::new(runs, partition.key(), superseded, &self.accounts))
    }
}
