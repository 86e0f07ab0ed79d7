//! All good rows of a run, without the superseded ones → the partitions to write.
//!
//! Invariant: a partition in the list has rows left; or, if rows are spilled or in a merge, it may have none
//! left but some to remove.

use std::collections::{BTreeMap, BTreeSet};

use event_rows::{Batch, PartitionKey, Position, RowRef, group, sort};

use super::{RowStore, RowsOut, spill::SortedRun};
use crate::latest::{Superseded, SupersededCounts};

/// One partition to write.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) type_index: usize,
    /// Its unit of time, counted from 1970.
    pub(crate) unit_index: i64,
    /// Its rows, if they are in memory.
    refs: Vec<RowRef>,
}

impl Partition {
    pub(crate) fn key(&self) -> PartitionKey {
        (self.type_index, self.unit_index)
    }

    /// How many of its rows are in memory.
    pub(crate) fn rows_in_memory(&self) -> usize {
        self.refs.len()
    }
}

/// The partitions to write, and the counts of the rows that were grouped.
#[derive(Debug, Default)]
pub(crate) struct GroupedRows {
    pub(crate) partitions: Vec<Partition>,
    pub(crate) out: RowsOut,
}

impl RowStore {
    /// Groups the rows by partition. Of rows in memory, counts those that go out and those that are left out.
    pub(crate) fn group(&self, superseded: &Superseded, threads: usize) -> GroupedRows {
        let is_left_out = |position: Position| superseded.contains(position);
        let by_type = workers::compute(threads, self.types.len(), |type_index| {
            group(&self.types[type_index].batches, self.unit, is_left_out)
        });
        let mut grouped = GroupedRows::default();
        for (type_index, of_type) in by_type.into_iter().enumerate() {
            for (batch, kept) in self.types[type_index].batches.iter().zip(of_type.kept) {
                self.count_written(batch, kept, is_left_out, &mut grouped.out);
            }
            for (unit_index, rows) in of_type.left_out {
                grouped.out.add_left_out((type_index, unit_index), rows);
            }
            let partition = |(unit_index, refs)| Partition { type_index, unit_index, refs };
            grouped.partitions.extend(of_type.partitions.into_iter().map(partition));
        }
        if let Some(spill) = &self.spill {
            grouped.partitions.extend(spill.partitions().map(without_rows_in_memory));
        }
        grouped
    }

    /// Counts the kept rows of a batch by source.
    fn count_written(
        &self,
        batch: &Batch,
        kept: u64,
        is_left_out: impl Fn(Position) -> bool,
        out: &mut RowsOut,
    ) {
        let source = |position: &Position| self.ledger.source_of(*position);
        let [first, last] = [batch.positions.first(), batch.positions.last()].map(|end| end.and_then(source));
        if first == last {
            // Rows are in input order, so those between are of the same source.
            if let Some(source) = first {
                out.add_written(source, kept);
            }
            return;
        }
        let kept = batch.positions.iter().filter(|position| !is_left_out(**position));
        for source in kept.filter_map(source) {
            out.add_written(source, 1);
        }
    }

    /// Keeps, in a merge, the partitions whose rows change, and adds those that only lose existing rows, and
    /// those that are `converted` to other types.
    pub(crate) fn keep_changed(
        &self,
        grouped: &mut GroupedRows,
        superseded: &Superseded,
        mut converted: BTreeSet<PartitionKey>,
    ) {
        let mut counts: BTreeMap<_, _> = superseded.by_partition().collect();
        let mut changed = Vec::new();
        for partition in std::mem::take(&mut grouped.partitions) {
            let SupersededCounts { read, existing } = counts.remove(&partition.key()).unwrap_or_default();
            let is_converted = converted.remove(&partition.key());
            if existing > 0 || is_converted || read < self.ledger.rows_of(partition.key()) {
                changed.push(partition);
            } else {
                // It would have been counted while it was written.
                grouped.out.add_left_out(partition.key(), read);
            }
        }
        let losing = counts.into_iter().filter(|(_, counts)| counts.existing > 0).map(|(key, _)| key);
        converted.extend(losing);
        changed.extend(converted.into_iter().map(without_rows_in_memory));
        grouped.partitions = changed;
    }

    /// Adds, in a load that overwrites, the partitions that only lose rows: those from which an event goes
    /// elsewhere, and those that are replaced by nothing, because all that was read for them is superseded.
    pub(crate) fn add_losing(&self, grouped: &mut GroupedRows, superseded: &Superseded) {
        let losing = superseded.by_partition().filter(|(_, counts)| counts.existing > 0).map(|(key, _)| key);
        let mut losing: BTreeSet<_> = losing.chain(self.ledger.partition_keys()).collect();
        for partition in &grouped.partitions {
            losing.remove(&partition.key());
        }
        grouped.partitions.extend(losing.into_iter().map(without_rows_in_memory));
    }

    /// The sorted rows of a partition that are in memory.
    pub(crate) fn sorted_refs(&self, partition: &Partition) -> Vec<RowRef> {
        let mut refs = partition.refs.clone();
        sort(&mut refs, &self.types[partition.type_index].batches);
        refs
    }

    /// Whether all rows are spilled; otherwise all are in memory.
    pub(crate) fn is_spilled(&self) -> bool {
        self.spill.is_some()
    }

    /// The spilled rows of a partition, as sorted runs; `None` if all rows of the store are in memory.
    pub(crate) fn spilled_runs(&self, partition: PartitionKey) -> Option<Vec<SortedRun<'_>>> {
        self.spill.as_ref().map(|spill| spill.runs(partition))
    }
}

fn without_rows_in_memory((type_index, unit_index): PartitionKey) -> Partition {
    Partition { type_index, unit_index, refs: Vec::new() }
}
