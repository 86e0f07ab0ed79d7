//! Batches of one event type → the rows of each partition, in the order in which they are written.
//!
//! Invariant: event ids are unique within a partition (superseded rows are left out), so the (timestamp,
//! event id) order is total, and the same events give the same partition in whatever order they arrived.

use std::{collections::BTreeMap, iter, ops::Range};

use events_core::partition::PartitionUnit;
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::{batch::Batch, position::Position, references::RowRef};

/// Event type (its index in the catalog) and unit of time (counted from 1970).
pub type PartitionKey = (usize, i64);

/// Rows by partition.
#[derive(Debug, Default)]
pub struct Grouped {
    /// By the index of its unit of time: the rows of each partition, in input order.
    pub partitions: BTreeMap<i64, Vec<RowRef>>,
    /// The number of rows that were left out, in the same way.
    pub left_out: BTreeMap<i64, u64>,
    /// By batch: the number of rows that were kept.
    pub kept: Vec<u64>,
}

/// Groups rows by partition, without those for which `is_left_out` is true.
pub fn group(batches: &[Batch], unit: PartitionUnit, is_left_out: impl Fn(Position) -> bool) -> Grouped {
    let mut grouped = Grouped::default();
    for (batch_index, batch) in batches.iter().enumerate() {
        let mut kept = 0;
        for (index, rows) in unit_runs(&batch.micros, unit) {
            let refs = grouped.partitions.entry(index).or_default();
            let (before, mut left_out) = (refs.len(), 0);
            let is_kept = |row: &usize| {
                let is_left_out = is_left_out(batch.positions[*row]);
                left_out += u64::from(is_left_out);
                !is_left_out
            };
            refs.extend(rows.filter(is_kept).map(|row| RowRef::new(batch_index, row)));
            kept += (refs.len() - before) as u64;
            if left_out > 0 {
                *grouped.left_out.entry(index).or_default() += left_out;
            }
        }
        grouped.kept.push(kept);
    }
    grouped.partitions.retain(|_, refs| !refs.is_empty());
    grouped
}

/// The number of rows of each event type in each unit of time.
#[must_use]
pub fn count_by_partition(
    batches: &[(usize, Batch)],
    unit: PartitionUnit,
) -> HashMap<PartitionKey, u64, FixedState> {
    let mut counts = HashMap::default();
    for (type_index, batch) in batches {
        for (index, rows) in unit_runs(&batch.micros, unit) {
            *counts.entry((*type_index, index)).or_default() += rows.len() as u64;
        }
    }
    counts
}

/// Neighbours that share their unit of time, with its index: most do, so it is only computed where it
/// changes.
fn unit_runs(micros: &[i64], unit: PartitionUnit) -> impl Iterator<Item = (i64, Range<usize>)> {
    let mut next = 0;
    iter::from_fn(move || {
        let first = next;
        let index = unit.index_of(*micros.get(first)?);
        let instants = unit.instants_of(index);
        next += micros[first..].iter().take_while(|micros| instants.contains(*micros)).count();
        Some((index, first..next))
    })
}

/// Sorts rows into (timestamp, event id) order.
///
/// Input is mostly in the order of time, except for rows that are a little late (a stream of several
/// machines) and a few that are much later (a correction, a retry). The former are moved past their
/// neighbours, the latter are merged.
pub fn sort(refs: &mut [RowRef], batches: &[Batch]) {
    /// The most rows that a slightly late row passes.
    const PASSED_MAX: usize = 32;
    let mut in_time: Vec<(i64, RowRef)> = Vec::with_capacity(refs.len());
    let mut late = Vec::new();
    for &row in refs.iter() {
        let micros = row.micros(batches);
        let mut place = in_time.len();
        if place > PASSED_MAX && in_time[place - PASSED_MAX].0 > micros {
            late.push((micros, row));
            continue;
        }
        in_time.push((micros, row));
        while place > 0 && in_time[place - 1].0 > micros {
            in_time[place] = in_time[place - 1];
            place -= 1;
        }
        in_time[place] = (micros, row);
    }
    late.sort_by_key(|(micros, _)| *micros);
    let mut rows = if late.is_empty() { in_time } else { merged(&in_time, &late) };
    for same_time in rows.chunk_by_mut(|(a, _), (b, _)| a == b) {
        if same_time.len() > 1 {
            same_time.sort_unstable_by(|(_, a), (_, b)| a.id(batches).cmp(&b.id(batches)));
        }
    }
    for (place, (_, row)) in refs.iter_mut().zip(rows) {
        *place = row;
    }
}

/// Merges two lists that are in the order of time.
fn merged(mut a: &[(i64, RowRef)], b: &[(i64, RowRef)]) -> Vec<(i64, RowRef)> {
    let mut merged = Vec::with_capacity(a.len() + b.len());
    for &row in b {
        let (before, behind) = a.split_at(a.iter().take_while(|(micros, _)| *micros <= row.0).count());
        merged.extend_from_slice(before);
        merged.push(row);
        a = behind;
    }
    merged.extend_from_slice(a);
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ids::Ids;

    proptest! {
        #[test]
        fn rows_come_in_the_order_of_time_and_id(
            batches in prop::collection::vec(prop::collection::vec((0_i64..20, 0_u128..5), 1..40), 1..4),
            straggler in any::<prop::sample::Index>(),
        ) {
            // Each batch is mostly in order, like the input.
            let mut events = batches;
            for batch in &mut events {
                batch.sort_unstable();
                let (middle, other) = (batch.len() / 2, straggler.index(batch.len()));
                batch.swap(other, middle);
            }
            let batches: Vec<_> = events
                .iter()
                .map(|batch| Batch {
                    positions: vec![Position::new(0, 0); batch.len()],
                    micros: batch.iter().map(|(micros, _)| *micros).collect(),
                    ids: Ids::Uuids(batch.iter().map(|(_, id)| *id).collect()),
                    columns: Vec::new(),
                    versions: None,
                })
                .collect();
            let all = |batch: usize| (0..events[batch].len()).map(move |row| RowRef::new(batch, row));
            let mut refs: Vec<_> = (0..events.len()).flat_map(all).collect();
            sort(&mut refs, &batches);
            let event = |row: &RowRef| events[row.batch()][row.row()];
            let mut expected: Vec<_> = events.concat();
            expected.sort_unstable();
            prop_assert_eq!(refs.iter().map(event).collect::<Vec<_>>(), expected);
        }
    }
}
