//! The ids of an event type's rows → a temporary table, so that the database can look for them.
//!
//! Invariant: the ids are in memory a piece at a time, whether the rows are or not. The table ends with the
//! transaction.

use std::io;

use event_postgres::{HEADER, TRAILER, quoted_literal};
use event_rows::Id;
use event_target::{Session, TargetError};

use crate::{
    error::Error,
    rows::{RowStore, Turnstile},
};

/// The table. An id may be in it several times.
pub(super) const TABLE: &str = "pg_temp.eventloader_ids";

/// The bytes that are sent at once, about.
const PIECE_BYTES: usize = 1 << 20;

/// So many ids are in one statement.
const IDS_AT_ONCE: usize = 10_000;

/// Fills the table with the ids of an event type.
pub(super) fn send(
    type_index: usize,
    rows: &Turnstile<RowStore>,
    session: &mut dyn Session,
) -> Result<(), Error> {
    session.execute(
        &format!(
            "DROP TABLE IF EXISTS {TABLE}; \
             CREATE TEMPORARY TABLE eventloader_ids (event_id text COLLATE \"C\" NOT NULL) ON COMMIT DROP"
        ),
        &[],
    )?;
    let mut tuples = Tuples { type_index, rows, piece: 0, sent: 0, bytes: HEADER.to_vec(), is_ended: false };
    let mut failed = None;
    let counted =
        session.copy_in(&format!("COPY {TABLE} (event_id) FROM STDIN (FORMAT binary)"), &mut || {
            tuples.next_piece().map_err(|error| {
                let stopped = TargetError::io("reading the ids")(io::Error::other(error.to_string()));
                failed = Some(error);
                stopped
            })
        });
    if let Some(error) = failed {
        return Err(error);
    }
    let (counted, sent) = (counted?, tuples.sent);
    if counted != sent {
        return Err(Error::Unbalanced(format!("{sent} ids sent, {counted} counted by the database")));
    }
    session.execute(&format!("ANALYZE {TABLE}"), &[])?;
    Ok(())
}

/// One piece of the ids as arrays in SQL, for a transaction that may not create a table.
pub(super) fn literals(
    type_index: usize,
    piece: usize,
    rows: &Turnstile<RowStore>,
) -> Result<Vec<String>, Error> {
    let mut arrays = vec![Vec::new()];
    rows.look(|rows| {
        rows.each_id(type_index, piece, |id| {
            let mut text = Vec::new();
            id.write_to(&mut text);
            let text = String::from_utf8_lossy(&text).replace('\\', r"\\").replace('"', "\\\"");
            if arrays.last().is_some_and(|array| array.len() >= IDS_AT_ONCE) {
                arrays.push(Vec::new());
            }
            if let Some(array) = arrays.last_mut() {
                array.push(format!("\"{text}\""));
            }
        })
    })?;
    let literal = |ids: Vec<String>| {
        format!("{}::pg_catalog.text[]", quoted_literal(&format!("{{{}}}", ids.join(","))))
    };
    Ok(arrays.into_iter().filter(|ids| !ids.is_empty()).map(literal).collect())
}

/// Ids on their way into the table.
struct Tuples<'r> {
    type_index: usize,
    rows: &'r Turnstile<RowStore>,
    /// The next piece of ids.
    piece: usize,
    sent: u64,
    bytes: Vec<u8>,
    is_ended: bool,
}

impl Tuples<'_> {
    fn next_piece(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let Self { type_index, rows, piece, sent, bytes, is_ended } = self;
        let pieces = rows.look(|rows| rows.id_pieces(*type_index));
        while bytes.len() < PIECE_BYTES && *piece < pieces {
            rows.look(|rows| {
                rows.each_id(*type_index, *piece, |id| {
                    push(id, bytes);
                    *sent += 1;
                })
            })?;
            *piece += 1;
        }
        if *piece == pieces && !*is_ended {
            *is_ended = true;
            bytes.extend_from_slice(TRAILER);
        }
        let bytes = std::mem::take(bytes);
        Ok((!bytes.is_empty()).then_some(bytes))
    }
}

/// Appends the tuple of an id: the number of its columns, the length, the text.
fn push(id: Id<'_>, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&1_i16.to_be_bytes());
    let length_at = bytes.len();
    bytes.extend_from_slice(&[0; 4]);
    id.write_to(bytes);
    // A line is far shorter than 2 GiB.
    let length = i32::try_from(bytes.len() - length_at - 4).unwrap_or(i32::MAX);
    bytes[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_tuple_of_one_text() {
        let mut bytes = Vec::new();
        push(Id::Text("aé"), &mut bytes);
        push(Id::of("00112233-4455-6677-8899-aabbccddeeff"), &mut bytes);
        assert_eq!(bytes[..9], *b"\0\x01\0\0\0\x03a\xc3\xa9");
        assert_eq!(bytes[9..], *b"\0\x01\0\0\0\x2400112233-4455-6677-8899-aabbccddeeff");
    }
}
