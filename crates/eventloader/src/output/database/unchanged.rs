//! The new rows of a partition, and those that its table has of it → whether they are the same.
//!
//! Both are hashed in the order of (timestamp, event id). Nothing is read of a partition that has another
//! number of rows by the record.
//!
//! Invariant: rows that differ in any value are not the same, as far as 64 bits tell.

use std::hash::BuildHasher;

use event_rows::{Batch, Id, RowRef, Rows, chunk_rows_of, hash_rows};
use event_target::Session;
use foldhash::quality::SeedableRandomState;

use super::partition::Sent;
use crate::{
    error::Error,
    existing::{StoredRows, StoredTable},
    output::{
        Writing,
        partition_rows::{Chunks, PartitionRows},
    },
    rows::Partition,
};

/// A hash of rows in their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Contents {
    rows: u64,
    hash: u64,
}

impl Contents {
    fn add(&mut self, state: &SeedableRandomState, rows: Rows<'_>) {
        for (batch, refs) in rows.runs() {
            let numbers: Vec<_> = refs.iter().map(|row| row.row).collect();
            for (content, row) in hash_rows(state, batch, &numbers).into_iter().zip(refs) {
                let id = match batch.ids.get(row.row()) {
                    Id::Uuid(uuid) => state.hash_one(uuid),
                    Id::Text(text) => state.hash_one(text),
                };
                self.rows += 1;
                self.hash = state.hash_one((self.hash, id, content));
            }
        }
    }
}

/// The new rows of a partition.
pub(super) fn new_contents(
    writing: &Writing<'_>,
    state: &SeedableRandomState,
    partition: &Partition,
) -> Result<(Contents, Sent), Error> {
    writing.controls.interruption.check()?;
    let Writing { rows, superseded, plan, settings, .. } = *writing;
    let columns = settings.table_form().schema(plan.event_type(partition.type_index)).fields().len();
    let mut rows = PartitionRows::new(rows, partition, superseded, None);
    let mut contents = Contents::default();
    while let Some(chunk) = rows.next_chunk(chunk_rows_of(columns))? {
        contents.add(state, chunk);
    }
    Ok((contents, Sent { rows: contents.rows, bytes: 0, out: rows.into_rows_out() }))
}

/// The rows that a table has of a unit of time.
pub(super) fn stored_contents(
    (writing, session): (&Writing<'_>, &mut dyn Session),
    state: &SeedableRandomState,
    table: &StoredTable<'_>,
    unit: i64,
) -> Result<Contents, Error> {
    let Some(stored) = StoredRows::of(table) else { return Ok(Contents::default()) };
    let condition = format!("{} ORDER BY t.\"timestamp\", t.event_id", table.within([unit]));
    let mut contents = Contents::default();
    stored.read(session, (&condition, false), &mut |batch: Batch, _| {
        writing.controls.interruption.check()?;
        let refs: Vec<_> = (0..batch.rows()).map(|row| RowRef::new(0, row)).collect();
        contents.add(state, Rows { batches: &[batch], refs: &refs });
        Ok(())
    })?;
    Ok(contents)
}
