//! Batches of one event type → its rows by partition, in the order in which they are written.
//!
//! Rows are not moved for this: a partition is a list of references into the batches, brought into (timestamp, event id)
//! order, and its columns are gathered at the end, some thousand rows at a time.
//!
//! Invariant: ids are unique within a partition (the superseded rows are left out), so the order is total and the same
//! events give the same partition in whatever order they came.

use std::{collections::BTreeMap, iter, ops::Range};

use arrow::{
    array::{Array, ArrayRef, AsArray},
    compute::interleave,
    datatypes::DataType,
};
use events_core::{partition::PartitionUnit, timestamp::HOUR_MICROS};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::{
    accounts::PartitionKey,
    batch::{Batch, Position},
    error::Error,
    ids::{self, Ids},
};

/// Rows that are gathered and encoded at once.
pub(crate) const CHUNK_ROWS: usize = 2_048;

/// Bytes of text that are gathered at once, but for a single row with more: Arrow's offsets end at 2 GiB, and a chunk
/// stands in memory beside what it is gathered from.
pub(crate) const CHUNK_TEXT_BYTES: usize = 16 << 20;

/// A row of one of several batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowRef {
    pub(crate) batch: u32,
    pub(crate) row: u32,
}

/// Some rows of a partition, in order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'r> {
    pub(crate) batches: &'r [Batch],
    pub(crate) refs: &'r [RowRef],
}

impl<'r> Rows<'r> {
    pub(crate) fn len(self) -> usize {
        self.refs.len()
    }

    pub(crate) fn range(self, rows: Range<usize>) -> Self {
        Self { refs: &self.refs[rows], ..self }
    }

    /// Neighbours that are of the same batch, with the batch.
    pub(crate) fn runs(self) -> impl Iterator<Item = (&'r Batch, &'r [RowRef])> {
        let runs = self.refs.chunk_by(|a, b| a.batch == b.batch);
        runs.map(move |refs| (&self.batches[refs[0].batch()], refs))
    }

    /// What it takes to bring columns of the rows together.
    pub(crate) fn gathering(self) -> Gathering<'r> {
        // Batches are counted anew: some rows touch few of many.
        let (mut batches, mut numbers) = (Vec::new(), vec![usize::MAX; self.batches.len()]);
        let index = |row: &RowRef| {
            let number = &mut numbers[row.batch()];
            if *number == usize::MAX {
                *number = batches.len();
                batches.push(&self.batches[row.batch()]);
            }
            (*number, row.row())
        };
        let indices = self.refs.iter().map(index).collect();
        Gathering { batches, indices }
    }
}

/// Rows by the batches that they are of.
pub(crate) struct Gathering<'r> {
    batches: Vec<&'r Batch>,
    /// For each row its batch among these, and its place there.
    indices: Vec<(usize, usize)>,
}

impl Gathering<'_> {
    /// One column of the rows.
    pub(crate) fn column(&self, index: usize) -> Result<ArrayRef, Error> {
        let arrays: Vec<_> = self.batches.iter().map(|batch| batch.columns[index].as_ref()).collect();
        interleave(&arrays, &self.indices).map_err(Error::encode("a partition's rows"))
    }

    /// All columns of the rows.
    pub(crate) fn columns(&self) -> Result<Vec<ArrayRef>, Error> {
        let columns = self.batches.first().map_or(0, |batch| batch.columns.len());
        (0..columns).map(|index| self.column(index)).collect()
    }

    fn ids(&self) -> Ids {
        let uuids = self.batches.iter().map(|batch| match &batch.ids {
            Ids::Uuids(uuids) => Some(uuids.as_slice()),
            Ids::Texts(_) => None,
        });
        if let Some(uuids) = uuids.collect::<Option<Vec<_>>>() {
            return Ids::Uuids(self.indices.iter().map(|&(batch, row)| uuids[batch][row]).collect());
        }
        let (mut ends, mut bytes) = (vec![0], Vec::new());
        for &(batch, row) in &self.indices {
            self.batches[batch].ids.get(row).write_to(&mut bytes);
            ends.push(ids::end_of(&bytes));
        }
        Ids::Texts(ids::text_array(ends, bytes))
    }
}

impl RowRef {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "batches and their rows are bounded by blocks and lines"
    )]
    pub(crate) fn new(batch: usize, row: usize) -> Self {
        Self { batch: batch as u32, row: row as u32 }
    }

    pub(crate) fn batch(self) -> usize {
        self.batch as usize
    }

    pub(crate) fn row(self) -> usize {
        self.row as usize
    }

    pub(crate) fn micros(self, batches: &[Batch]) -> i64 {
        batches[self.batch()].micros[self.row()]
    }

    /// Bytes of all that has no fixed width in the row.
    pub(crate) fn text_bytes(self, batches: &[Batch]) -> usize {
        let (batch, row) = (&batches[self.batch()], self.row());
        let id = match batch.ids.get(row) {
            ids::Id::Uuid(_) => 0,
            ids::Id::Text(text) => text.len(),
        };
        id + batch.columns.iter().map(|column| text_bytes(column, row..row + 1)).sum::<usize>()
    }

    pub(crate) fn id(self, batches: &[Batch]) -> ids::Id<'_> {
        batches[self.batch()].ids.get(self.row())
    }
}

/// Rows by partition.
#[derive(Debug, Default)]
pub(crate) struct Grouped {
    /// By the index of its unit of time: the rows of each partition that has some, in input order.
    pub(crate) partitions: BTreeMap<i64, Vec<RowRef>>,
    /// The same of rows that were left out, counted.
    pub(crate) left_out: BTreeMap<i64, u64>,
    /// By batch: how many of its rows were not.
    pub(crate) kept: Vec<u64>,
}

/// Brings the rows of each partition together, without those that `is_left_out` names.
pub(crate) fn group(
    batches: &[Batch],
    unit: PartitionUnit,
    is_left_out: impl Fn(Position) -> bool,
) -> Grouped {
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

/// How many rows of each event type fall into each unit of time.
pub(crate) fn count(
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

/// Neighbours that share their unit of time, with its index: mostly they do, so it is looked for only where it changes.
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

/// Brings rows into (timestamp, event id) order.
///
/// Input mostly is in the order of time, but for rows that come a little late (a stream of several machines) and a few that
/// come much later (a correction, a retry). The first are moved past their neighbours, the others are merged in.
pub(crate) fn sort(refs: &mut [RowRef], batches: &[Batch]) {
    /// How many others a row that comes a little late may pass.
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

/// Two lists that are in the order of time as one.
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

/// How many of the next rows are taken at once: at most `rows_max`, and at most [`CHUNK_TEXT_BYTES`]; one at least.
///
/// It depends on the rows alone, since files must not depend on how their rows were kept.
pub(crate) fn chunk_len(batches: &[Batch], refs: &[RowRef], rows_max: usize) -> usize {
    let rows_max = rows_max.min(refs.len());
    if all_texts_fit(batches, &refs[..rows_max]) {
        return rows_max;
    }
    let mut bytes = 0;
    let fits = |row: &&RowRef| {
        bytes += row.text_bytes(batches);
        bytes <= CHUNK_TEXT_BYTES
    };
    refs.iter().take(rows_max).take_while(fits).count().max(1).min(refs.len())
}

/// Whether all texts of all batches that the rows are of would fit: then there is no need to look at each row.
fn all_texts_fit(batches: &[Batch], refs: &[RowRef]) -> bool {
    let mut seen: Vec<u32> = refs.chunk_by(|a, b| a.batch == b.batch).map(|run| run[0].batch).collect();
    seen.sort_unstable();
    seen.dedup();
    let of_batch = |&batch: &u32| {
        let batch = &batches[batch as usize];
        let ids = match &batch.ids {
            Ids::Uuids(_) => 0,
            Ids::Texts(texts) => texts.value_data().len(),
        };
        ids + batch.columns.iter().map(|column| text_bytes(column, 0..column.len())).sum::<usize>()
    };
    seen.iter().map(of_batch).sum::<usize>() <= CHUNK_TEXT_BYTES
}

/// Bytes of the texts in some rows of a column, those in lists and objects included.
fn text_bytes(column: &ArrayRef, rows: Range<usize>) -> usize {
    let between = |ends: &[i32]| usize::try_from(ends[rows.end] - ends[rows.start]).unwrap_or(0);
    match column.data_type() {
        DataType::Utf8 => between(column.as_string::<i32>().value_offsets()),
        DataType::List(_) => {
            let list = column.as_list::<i32>();
            let ends = list.value_offsets();
            let elements =
                usize::try_from(ends[rows.start]).unwrap_or(0)..usize::try_from(ends[rows.end]).unwrap_or(0);
            text_bytes(list.values(), elements)
        }
        DataType::Struct(_) => {
            let members = column.as_struct().columns();
            members.iter().map(|member| text_bytes(member, rows.clone())).sum()
        }
        _ => 0,
    }
}

/// Brings the rows `refs` of some batches together, in that order, for the spill file.
pub(crate) fn gather(batches: &[Batch], refs: &[RowRef]) -> Result<Batch, Error> {
    let gathering = Rows { batches, refs }.gathering();
    let Gathering { batches, indices } = &gathering;
    Ok(Batch {
        positions: indices.iter().map(|&(batch, row)| batches[batch].positions[row]).collect(),
        micros: indices.iter().map(|&(batch, row)| batches[batch].micros[row]).collect(),
        ids: gathering.ids(),
        columns: gathering.columns()?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_come_in_the_order_of_time_and_id(
            batches in prop::collection::vec(prop::collection::vec((0_i64..20, 0_u128..5), 1..40), 1..4),
            straggler in any::<prop::sample::Index>(),
        ) {
            // Each batch is mostly in order, as input is.
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
