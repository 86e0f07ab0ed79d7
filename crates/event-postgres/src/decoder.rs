//! What `COPY (…) TO STDOUT (FORMAT binary)` of [`Table::select`] returns → rows.
//!
//! Invariant: it does not matter how the bytes are cut into pieces.

use event_rows::{Batch, CHUNK_TEXT_BYTES, IdsBuilder, Position, ReadId};
use events_core::event;
use thiserror::Error;

use crate::{
    columns::ColumnBuilder,
    encoder::HEADER,
    table::Table,
    tuple::{Cut, Fields},
    values::EPOCH_MICROS,
};

/// Bytes that are not what the server writes for the table.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The bytes are not those of `COPY BINARY`.
    #[error("the server's answer is not in the form of COPY BINARY: {0}")]
    Framing(&'static str),
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
    names: Vec<String>,
    builders: Vec<ColumnBuilder>,
    ids: IdsBuilder,
    micros: Vec<i64>,
    /// The `ctid` of each row, if it was asked for.
    ctids: Option<Vec<u64>>,
    /// The bytes of the rows that were not taken yet.
    row_bytes: usize,
    /// The rows that were taken.
    taken: u32,
    state: State,
    /// The beginning of a header or tuple whose end has not come yet.
    rest: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Tuples,
    Ended,
}

impl Decoder {
    /// For the answer to [`Table::select`], with or without `ctid`.
    #[must_use]
    pub fn new(table: &Table, with_ctid: bool) -> Self {
        Self {
            names: table.columns().columns().map(|(name, _)| name.to_owned()).collect(),
            builders: table.types().map(ColumnBuilder::new).collect(),
            ids: IdsBuilder::default(),
            micros: Vec::new(),
            ctids: with_ctid.then(Vec::new),
            row_bytes: 0,
            taken: 0,
            state: State::Header,
            rest: Vec::new(),
        }
    }

    /// Takes the next piece of the answer.
    ///
    /// # Errors
    /// It is not what the server writes for the table.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            let used = self.read(bytes)?;
            self.rest.extend_from_slice(&bytes[used..]);
        } else {
            let mut rest = std::mem::take(&mut self.rest);
            rest.extend_from_slice(bytes);
            let used = self.read(&rest)?;
            rest.drain(..used);
            self.rest = rest;
        }
        Ok(())
    }

    /// Reads what is whole. Returns how many bytes that is.
    fn read(&mut self, bytes: &[u8]) -> Result<usize, DecodeError> {
        let mut at = 0;
        if self.state == State::Header {
            let Some(header) = bytes.first_chunk::<{ HEADER.len() }>() else { return Ok(0) };
            if header != HEADER {
                return Err(DecodeError::Framing("it does not begin as one does"));
            }
            self.state = State::Tuples;
            at = HEADER.len();
        }
        loop {
            let rest = &bytes[at..];
            if self.state == State::Ended {
                return if rest.is_empty() {
                    Ok(at)
                } else {
                    Err(DecodeError::Framing("it goes on behind its end"))
                };
            }
            match Fields::cut(rest)? {
                Cut::Unfinished => return Ok(at),
                Cut::End(length) => {
                    self.state = State::Ended;
                    at += length;
                }
                Cut::Tuple(fields, length) => {
                    self.add(fields)?;
                    self.row_bytes += length;
                    at += length;
                }
            }
        }
    }

    fn add(&mut self, mut fields: Fields<'_>) -> Result<(), DecodeError> {
        let base = 2 + usize::from(self.ctids.is_some());
        if fields.len() != base + self.builders.len() {
            return Err(DecodeError::Framing("a row has another number of columns than were asked for"));
        }
        if let Some(ctids) = &mut self.ctids {
            ctids.push(fields.next().flatten().and_then(ctid).ok_or_else(|| of_base("ctid"))?);
        }
        let id = fields.next().flatten().filter(|id| str::from_utf8(id).is_ok());
        self.ids.push(&ReadId::Text(id.ok_or_else(|| of_base(event::EVENT_ID))?.into()));
        let instant = fields.next().flatten().and_then(|bytes| bytes.try_into().ok()).map(i64::from_be_bytes);
        let micros = instant.and_then(|micros| micros.checked_add(EPOCH_MICROS));
        self.micros.push(micros.ok_or_else(|| of_base(event::TIMESTAMP))?);
        for (index, (builder, field)) in self.builders.iter_mut().zip(fields).enumerate() {
            builder.push(field).map_err(|problem| {
                let column = self.names[index].clone();
                DecodeError::Value { column, problem }
            })?;
        }
        Ok(())
    }

    /// The rows that were read and not taken yet, if there are so many of them, or if they have more than
    /// [`CHUNK_TEXT_BYTES`]; with the `ctid` of each, if it was asked for. Their positions are those of rows
    /// of a first file, counted from the first row that was read; the caller may set others.
    pub fn take_batch(&mut self, rows_min: usize) -> Option<(Batch, Vec<u64>)> {
        let is_enough = self.micros.len() >= rows_min || self.row_bytes >= CHUNK_TEXT_BYTES;
        (is_enough && !self.micros.is_empty()).then(|| self.take())
    }

    fn take(&mut self) -> (Batch, Vec<u64>) {
        self.row_bytes = 0;
        let micros = std::mem::take(&mut self.micros);
        let first = self.taken;
        self.taken = first.saturating_add(u32::try_from(micros.len()).unwrap_or(u32::MAX));
        let batch = Batch {
            positions: (first..self.taken).map(|row| Position::existing(0, row)).collect(),
            micros,
            ids: std::mem::take(&mut self.ids).finish(),
            columns: self.builders.iter_mut().map(ColumnBuilder::take).collect(),
            versions: None,
        };
        (batch, self.ctids.as_mut().map(std::mem::take).unwrap_or_default())
    }

    /// The last rows.
    ///
    /// # Errors
    /// The answer has no end.
    pub fn finish(mut self) -> Result<Option<(Batch, Vec<u64>)>, DecodeError> {
        if self.state != State::Ended {
            return Err(DecodeError::Framing("it has no end"));
        }
        Ok(self.take_batch(1))
    }
}

fn of_base(column: &str) -> DecodeError {
    let problem = "it is null, or has another type than a load gives it".to_owned();
    DecodeError::Value { column: column.to_owned(), problem }
}

/// A block of four bytes, and the number of a row in it of two.
fn ctid(bytes: &[u8]) -> Option<u64> {
    let bytes: [u8; 6] = bytes.try_into().ok()?;
    Some(bytes.into_iter().fold(0, |number, byte| number << 8 | u64::from(byte)))
}

/// A `ctid` as SQL writes it: `(block,row)`. As a number it is `block` × 65,536 + `row`.
#[must_use]
pub fn ctid_text(ctid: u64) -> String {
    format!("({},{})", ctid >> 16, ctid & 0xFFFF)
}
