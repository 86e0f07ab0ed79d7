//! Rows of several batches, by reference → their columns, gathered.
//!
//! Rows are not moved to sort or group them. Their columns are gathered at the end, a few thousand rows at a
//! time.
//!
//! Invariant: gathering never changes the order of the references, and a chunk's length depends on its rows
//! alone.

use std::ops::Range;

use arrow::{
    array::{Array, ArrayRef, AsArray},
    compute::interleave,
    datatypes::DataType,
    error::ArrowError,
};

use crate::{
    batch::Batch,
    ids::{self, Id, Ids},
    version_keys::VersionKeys,
};

/// The most rows that are gathered and encoded at once.
pub const CHUNK_ROWS: usize = 2_048;

/// The most values of a chunk: less than [`CHUNK_ROWS`] rows of more than 128 columns.
const CHUNK_VALUES: usize = CHUNK_ROWS * 128;

/// The most rows that are gathered and encoded at once in a table with so many columns.
#[must_use]
pub fn chunk_rows_of(columns: usize) -> usize {
    (CHUNK_VALUES / columns.max(1)).clamp(1, CHUNK_ROWS)
}

/// The most bytes of text that are gathered at once, except for a single row with more: Arrow's offsets end
/// at 2 GiB, and a chunk is in memory together with the batches that it is gathered from.
pub const CHUNK_TEXT_BYTES: usize = 16 << 20;

/// A row of one of several batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowRef {
    /// The index of the batch.
    pub batch: u32,
    /// The row in the batch.
    pub row: u32,
}

/// Some rows of a partition, in order.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'r> {
    /// The batches that the references point into.
    pub batches: &'r [Batch],
    /// The rows.
    pub refs: &'r [RowRef],
}

impl<'r> Rows<'r> {
    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.refs.is_empty()
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.refs.len()
    }

    /// Some of the rows.
    #[must_use]
    pub fn range(self, rows: Range<usize>) -> Self {
        Self { refs: &self.refs[rows], ..self }
    }

    /// Runs of neighbours from the same batch, with the batch.
    pub fn runs(self) -> impl Iterator<Item = (&'r Batch, &'r [RowRef])> {
        let runs = self.refs.chunk_by(|a, b| a.batch == b.batch);
        runs.map(move |refs| (&self.batches[refs[0].batch()], refs))
    }

    /// Prepares the rows to be gathered, column by column.
    #[must_use]
    pub fn gathering(self) -> Gathering<'r> {
        // Batches are numbered anew, because a few rows may come from a few of many batches.
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

/// Rows, prepared to be gathered.
#[derive(Debug)]
pub struct Gathering<'r> {
    batches: Vec<&'r Batch>,
    /// For each row, its batch among these and its row there.
    indices: Vec<(usize, usize)>,
}

impl Gathering<'_> {
    /// One column of the rows.
    ///
    /// # Errors
    /// The column is too long for Arrow, which [`CHUNK_TEXT_BYTES`] prevents.
    pub fn column(&self, index: usize) -> Result<ArrayRef, ArrowError> {
        let arrays: Vec<_> = self.batches.iter().map(|batch| batch.columns[index].as_ref()).collect();
        interleave(&arrays, &self.indices)
    }

    /// All columns of the rows.
    ///
    /// # Errors
    /// Those of [`Self::column`].
    pub fn columns(&self) -> Result<Vec<ArrayRef>, ArrowError> {
        let columns = self.batches.first().map_or(0, |batch| batch.columns.len());
        (0..columns).map(|index| self.column(index)).collect()
    }

    /// The keys of the versions; `None` where a batch has none.
    fn versions(&self) -> Option<VersionKeys> {
        let keys = self.batches.iter().map(|batch| batch.versions.as_ref());
        let keys = keys.collect::<Option<Vec<_>>>().filter(|keys| !keys.is_empty())?;
        Some(self.indices.iter().map(|&(batch, row)| keys[batch].get(row)).collect())
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
    /// A row of the batch with this index.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "batches and their rows are bounded by blocks and lines"
    )]
    pub fn new(batch: usize, row: usize) -> Self {
        Self { batch: batch as u32, row: row as u32 }
    }

    /// The index of the batch.
    #[must_use]
    pub fn batch(self) -> usize {
        self.batch as usize
    }

    /// The row in the batch.
    #[must_use]
    pub fn row(self) -> usize {
        self.row as usize
    }

    /// The timestamp of the row.
    #[must_use]
    pub fn micros(self, batches: &[Batch]) -> i64 {
        batches[self.batch()].micros[self.row()]
    }

    /// The bytes of all values of the row without a fixed width.
    #[must_use]
    pub fn text_bytes(self, batches: &[Batch]) -> usize {
        let (batch, row) = (&batches[self.batch()], self.row());
        let id = match batch.ids.get(row) {
            Id::Uuid(_) => 0,
            Id::Text(text) => text.len(),
        };
        id + batch.columns.iter().map(|column| text_bytes(column, row..row + 1)).sum::<usize>()
    }

    /// The event id of the row.
    #[must_use]
    pub fn id(self, batches: &[Batch]) -> Id<'_> {
        batches[self.batch()].ids.get(self.row())
    }
}

/// How many of the next rows are taken at once: at most `rows_max`, and at most [`CHUNK_TEXT_BYTES`]; at
/// least one.
///
/// The result depends on the rows alone, because files must not depend on how their rows were stored.
#[must_use]
pub fn chunk_rows(batches: &[Batch], refs: &[RowRef], rows_max: usize) -> usize {
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

/// The bytes of all texts in the columns of a batch, without those of its ids.
#[must_use]
pub fn column_text_bytes(batch: &Batch) -> usize {
    batch.columns.iter().map(|column| text_bytes(column, 0..column.len())).sum()
}

/// Whether all texts of all batches of the rows fit: then there is no need to look at each row.
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

/// The bytes of the texts in some rows of a column, including those in lists, maps and objects.
fn text_bytes(column: &ArrayRef, rows: Range<usize>) -> usize {
    let between = |ends: &[i32]| usize::try_from(ends[rows.end] - ends[rows.start]).unwrap_or(0);
    match column.data_type() {
        DataType::Utf8 => between(column.as_string::<i32>().value_offsets()),
        DataType::List(_) => {
            let list = column.as_list::<i32>();
            text_bytes(list.values(), rows_in(list.value_offsets(), rows))
        }
        DataType::Map(..) => {
            let map = column.as_map();
            let entries = rows_in(map.value_offsets(), rows);
            text_bytes(map.keys(), entries.clone()) + text_bytes(map.values(), entries)
        }
        DataType::Struct(_) => {
            let members = column.as_struct().columns();
            members.iter().map(|member| text_bytes(member, rows.clone())).sum()
        }
        _ => 0,
    }
}

/// What is in some lists or maps, given where each ends.
fn rows_in(ends: &[i32], rows: Range<usize>) -> Range<usize> {
    let end = |row: usize| usize::try_from(ends[row]).unwrap_or(0);
    end(rows.start)..end(rows.end)
}

/// Gathers the rows `refs` of some batches into one batch, in that order.
///
/// # Errors
/// Those of [`Gathering::column`].
pub fn gather(batches: &[Batch], refs: &[RowRef]) -> Result<Batch, ArrowError> {
    let gathering = Rows { batches, refs }.gathering();
    let Gathering { batches, indices } = &gathering;
    Ok(Batch {
        positions: indices.iter().map(|&(batch, row)| batches[batch].positions[row]).collect(),
        micros: indices.iter().map(|&(batch, row)| batches[batch].micros[row]).collect(),
        ids: gathering.ids(),
        columns: gathering.columns()?,
        versions: gathering.versions(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::StringArray;

    use super::*;
    use crate::position::Position;

    #[test]
    fn a_chunk_of_long_texts_is_shorter() {
        let texts: StringArray = (0..40).map(|_| Some("x".repeat(1 << 20))).collect();
        let batches = [Batch {
            positions: (0..40).map(|line| Position::new(0, line)).collect(),
            micros: (0..40).collect(),
            ids: Ids::Uuids((0..40).collect()),
            columns: vec![Arc::new(texts)],
            versions: None,
        }];
        let refs: Vec<_> = (0..40).map(|row| RowRef::new(0, row)).collect();
        let (mut rest, mut lengths) = (refs.as_slice(), Vec::new());
        while !rest.is_empty() {
            lengths.push(chunk_rows(&batches, rest, CHUNK_ROWS));
            rest = &rest[lengths[lengths.len() - 1]..];
        }
        assert_eq!(lengths, [16, 16, 8]);
    }
}
