//! Rows → the tuples of `COPY … FROM STDIN (FORMAT binary)`.
//!
//! Rows are taken straight from their batches, in the order of the references, and each is written as a
//! whole: the columns of a batch are looked at once ([`crate::values`]), and then each value costs a branch
//! and a copy.
//!
//! Invariant: the bytes are a function of the rows and their table alone.

use event_rows::{Batch, Ids, Rows, UUID_TEXT_BYTES, uuid_text};
use events_core::schema::BASE_COLUMNS;
use thiserror::Error;

use crate::{
    table::Table,
    values::{Values, fixed, micros_of_server, put_length},
};

/// What stands before the first tuple: the signature, no flags, no extension.
/// <https://www.postgresql.org/docs/current/sql-copy.html>
pub const HEADER: &[u8; 19] = b"PGCOPY\n\xFF\r\n\0\0\0\0\0\0\0\0\0";

/// What stands behind the last tuple: a tuple of -1 columns.
pub const TRAILER: &[u8; 2] = &[0xFF, 0xFF];

/// The most bytes of a value. <https://www.postgresql.org/docs/current/limits.html>
const VALUE_BYTES_MAX: usize = (1 << 30) - 1;

/// A row that the server can't take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// A value is too long.
    #[error("the column {column} has a value of {bytes} bytes, and PostgreSQL's have less than 1 GiB")]
    LongValue {
        /// The column.
        column: String,
        /// The length of the value, encoded.
        bytes: usize,
    },
}

/// Writes rows of one table. Each thread has its own.
#[derive(Debug)]
pub struct Encoder<'r> {
    /// The names of the columns behind the base ones.
    columns: Vec<String>,
    /// The number of columns, as a tuple begins.
    front: [u8; 2],
    /// The domain and the event type, which all rows have.
    of_type: Vec<u8>,
    /// The batches that rows were written of last.
    batches: &'r [Batch],
    /// The columns of those that were looked at.
    views: Vec<Option<Vec<Values<'r>>>>,
    /// For the JSON of a value.
    json: String,
}

impl<'r> Encoder<'r> {
    /// For rows of this table: their batches have its columns.
    #[must_use]
    pub fn new(table: &Table) -> Self {
        let columns: Vec<_> = table.columns().columns().map(|(name, _)| name.to_owned()).collect();
        let count = i16::try_from(BASE_COLUMNS + columns.len()).unwrap_or(i16::MAX);
        let (domain, event_type) = table.of_type();
        let mut of_type = Vec::new();
        for text in [domain, event_type] {
            put_length(&mut of_type, text.len());
            of_type.extend_from_slice(text.as_bytes());
        }
        let (front, json) = (count.to_be_bytes(), String::new());
        Self { columns, front, of_type, batches: &[], views: Vec::new(), json }
    }

    /// Appends the tuples of all rows.
    ///
    /// # Errors
    /// A value that the server can't take.
    pub fn encode(&mut self, rows: Rows<'r>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.encode_up_to(rows, usize::MAX, out).map(drop)
    }

    /// Appends the tuples of the first rows, of one at least, until `out` has `bytes_max` bytes or more.
    /// Returns how many rows they are.
    ///
    /// # Errors
    /// A value that the server can't take.
    pub fn encode_up_to(
        &mut self,
        rows: Rows<'r>,
        bytes_max: usize,
        out: &mut Vec<u8>,
    ) -> Result<usize, EncodeError> {
        if !std::ptr::eq(self.batches, rows.batches) {
            self.batches = rows.batches;
            self.views.clear();
            self.views.resize_with(rows.batches.len(), || None);
        }
        for (count, row) in rows.refs.iter().enumerate() {
            if count > 0 && out.len() >= bytes_max {
                return Ok(count);
            }
            let batch = &rows.batches[row.batch()];
            let columns =
                self.views[row.batch()].get_or_insert_with(|| batch.columns.iter().map(Values::of).collect());
            let row = row.row();
            out.extend_from_slice(&self.front);
            put_id(out, &batch.ids, row);
            out.extend_from_slice(&fixed(micros_of_server(batch.micros[row])));
            out.extend_from_slice(&self.of_type);
            for (index, values) in columns.iter().enumerate() {
                let bytes = values.put(out, row, &mut self.json);
                if bytes > VALUE_BYTES_MAX {
                    return Err(EncodeError::LongValue { column: self.columns[index].clone(), bytes });
                }
            }
        }
        Ok(rows.len())
    }
}

#[inline]
fn put_id(out: &mut Vec<u8>, ids: &Ids, row: usize) {
    match ids {
        Ids::Uuids(uuids) => {
            let mut bytes = [0; 4 + UUID_TEXT_BYTES];
            bytes[3] = 36;
            bytes[4..].copy_from_slice(&uuid_text(uuids[row]));
            out.extend_from_slice(&bytes);
        }
        Ids::Texts(texts) => {
            let text = texts.value(row);
            put_length(out, text.len());
            out.extend_from_slice(text.as_bytes());
        }
    }
}
