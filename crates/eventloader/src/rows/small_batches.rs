//! Batches of a few rows → fewer batches with the same rows.
//!
//! A block has few rows of each type if there are many types, or many small sources. An array takes some
//! hundred bytes beside its values, so such rows take many times the memory of the same rows in one batch.
//!
//! Invariant: rows keep their order.

use event_rows::{ARRAY_BYTES, Batch, RowRef, gather};

use crate::error::Error;

/// A batch of so many rows is left alone.
const ROWS: usize = 64;
/// The most bytes that are joined into one batch.
const JOINED_BYTES: usize = 4 << 20;

/// Whether most of a batch's memory is not for its values.
pub(super) fn is_small(batch: &Batch) -> bool {
    batch.rows() < ROWS && batch.memory_bytes() < 4 * ARRAY_BYTES * (batch.columns.len() + 1)
}

/// Joins neighbours that are small.
pub(super) fn join(batches: &mut Vec<Batch>) -> Result<(), Error> {
    let mut joined = Vec::with_capacity(batches.len());
    let mut waiting = Vec::new();
    let mut waiting_bytes = 0;
    for batch in batches.drain(..) {
        let is_small = is_small(&batch);
        if !is_small || waiting_bytes > JOINED_BYTES {
            joined.extend(joined_into_one(&mut waiting)?);
            waiting_bytes = 0;
        }
        if is_small {
            waiting_bytes += batch.memory_bytes();
            waiting.push(batch);
        } else {
            joined.push(batch);
        }
    }
    joined.extend(joined_into_one(&mut waiting)?);
    *batches = joined;
    Ok(())
}

fn joined_into_one(waiting: &mut Vec<Batch>) -> Result<Option<Batch>, Error> {
    if waiting.len() < 2 {
        return Ok(waiting.pop());
    }
    let rows = |(index, batch): (usize, &Batch)| (0..batch.rows()).map(move |row| RowRef::new(index, row));
    let refs: Vec<_> = waiting.iter().enumerate().flat_map(rows).collect();
    let joined = gather(waiting, &refs).map_err(Error::encode("rows in memory"))?;
    waiting.clear();
    Ok(Some(joined))
}
