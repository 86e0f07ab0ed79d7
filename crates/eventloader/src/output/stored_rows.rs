//! Files of a target, read one after the other → the same rows, cut anew into partitions and chunks.
//!
//! Invariant: rows keep their order, each is in one chunk, and a chunk ends where it would in a load of the
//! partition's rows.

use std::{collections::VecDeque, sync::Arc};

use event_rows::{Batch, CHUNK_TEXT_BYTES, RowRef, Rows, chunk_rows, column_text_bytes};
use events_core::partition::PartitionUnit;

use super::partition_rows::Chunks;
use crate::{
    error::Error,
    existing::{ExistingRows, RowsDigest},
};

/// The rows of neighbouring partitions, in order.
#[derive(Debug)]
pub(crate) struct StoredRows<'a> {
    partitions: VecDeque<ExistingRows<'a>>,
    /// All rows that were read.
    digest: RowsDigest,
    unit: PartitionUnit,
    /// The end of the partition that rows are taken for.
    end: i64,
    /// What was read, and the rows of it that were not taken yet.
    batches: Vec<Batch>,
    /// The bytes of the texts of each batch.
    texts: Vec<usize>,
    refs: Vec<RowRef>,
    /// How many of these were taken last.
    taken: usize,
}

impl<'a> StoredRows<'a> {
    /// The rows of these partitions, for partitions of `unit`.
    pub(crate) fn new(partitions: impl IntoIterator<Item = ExistingRows<'a>>, unit: PartitionUnit) -> Self {
        Self {
            partitions: partitions.into_iter().collect(),
            digest: RowsDigest::default(),
            unit,
            end: i64::MIN,
            batches: Vec::new(),
            texts: Vec::new(),
            refs: Vec::new(),
            taken: 0,
        }
    }

    /// Goes on to the partition of the next row, and returns its unit; `None` at the end.
    pub(crate) fn next_partition(&mut self) -> Result<Option<i64>, Error> {
        self.read_ahead(1)?;
        let Some(first) = self.refs.first() else { return Ok(None) };
        let unit_index = self.unit.index_of(first.micros(&self.batches));
        self.end = self.unit.instants_of(unit_index).end;
        Ok(Some(unit_index))
    }

    /// The digest of all rows that were read.
    pub(crate) fn digest(&self) -> &RowsDigest {
        &self.digest
    }

    /// Forgets what was taken, and reads until there are so many rows, as much text as a chunk may have, or
    /// no more.
    fn read_ahead(&mut self, rows: usize) -> Result<(), Error> {
        self.refs.drain(..self.taken);
        self.taken = 0;
        let unused = self.refs.first().map_or(self.batches.len(), |row| row.batch());
        if unused > 0 {
            self.batches.drain(..unused);
            self.texts.drain(..unused);
            for row in &mut self.refs {
                *row = RowRef::new(row.batch() - unused, row.row());
            }
        }
        // Some of the first batch may be taken.
        let mut waiting: usize = self.texts.iter().skip(1).sum();
        while self.refs.len() < rows && waiting <= CHUNK_TEXT_BYTES {
            let Some(partition) = self.partitions.front_mut() else { break };
            match partition.next_digested(Some(&mut self.digest))? {
                Some(mut batch) => {
                    if batch.rows() < rows {
                        shrink(&mut batch);
                    }
                    let number = self.batches.len();
                    self.refs.extend((0..batch.rows()).map(|row| RowRef::new(number, row)));
                    let text = column_text_bytes(&batch);
                    waiting += if number == 0 { 0 } else { text };
                    self.texts.push(text);
                    self.batches.push(batch);
                }
                None => drop(self.partitions.pop_front()),
            }
        }
        Ok(())
    }
}

/// Frees what the reader has allocated beyond the values: of a few long rows, up to as much again.
fn shrink(batch: &mut Batch) {
    for array in batch.columns.iter_mut().filter_map(Arc::get_mut) {
        array.shrink_to_fit();
    }
}

impl Chunks for StoredRows<'_> {
    fn next_chunk(&mut self, rows_max: usize) -> Result<Option<Rows<'_>>, Error> {
        self.read_ahead(rows_max)?;
        let Self { batches, refs, end, .. } = self;
        let of_partition = refs.partition_point(|row| row.micros(batches) < *end);
        self.taken = chunk_rows(batches, &refs[..of_partition], rows_max);
        let rows = Rows { batches: &self.batches, refs: &self.refs[..self.taken] };
        Ok((!rows.is_empty()).then_some(rows))
    }
}
