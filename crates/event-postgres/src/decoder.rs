//! What `COPY (…) TO STDOUT (FORMAT binary)` of [`Table::select`] returns → rows.
//!
//! Invariant: it does not matter how the bytes are cut into pieces.

use event_rows::Batch;
use thiserror::Error;

use crate::table::Table;

/// Bytes that are not what the server writes for the table.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The bytes are not those of `COPY BINARY`.
    #[error("the server's answer is no COPY BINARY: {0}")]
    Framing(String),
    /// A value is not one that a load writes.
    #[error("its column {column} has a value that no load writes: {problem}")]
    Value {
        /// The column.
        column: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Reads the rows of one table.
#[derive(Debug)]
pub struct Decoder {
    table: Table,
    with_ctid: bool,
}

impl Decoder {
    /// For the answer to [`Table::select`] with or without `ctid`.
    #[must_use]
    pub fn new(table: &Table, with_ctid: bool) -> Self {
        Self { table: table.clone(), with_ctid }
    }

    /// Takes the next piece of the answer.
    ///
    /// # Errors
    /// It is not what the server writes for the table.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        let _ = (bytes, &self.table, self.with_ctid);
        Ok(())
    }

    /// The rows that were read and not taken yet, if there are so many of them, or if they have more than
    /// [`event_rows::CHUNK_TEXT_BYTES`]; with the `ctid` of each, if it was asked for. Their positions are those
    /// of rows of a first file, counted from the first row that was read; the caller may set others.
    pub fn take_batch(&mut self, rows_min: usize) -> Option<(Batch, Vec<u64>)> {
        let _ = rows_min;
        None
    }

    /// The last rows.
    ///
    /// # Errors
    /// The answer has no end.
    pub fn finish(self) -> Result<Option<(Batch, Vec<u64>)>, DecodeError> {
        Ok(None)
    }
}

/// A `ctid` as SQL writes it: `(block,row)`. In a number it is `block` × 65,536 + `row`.
#[must_use]
pub fn ctid_text(ctid: u64) -> String {
    format!("({},{})", ctid >> 16, ctid & 0xFFFF)
}
