//! The tables of event types in a `PostgreSQL` database: their SQL, rows → `COPY BINARY`, `COPY BINARY` →
//! rows.
//!
//! ```text
//! event type → Table → CREATE TABLE, indexes, ALTER TABLE, COPY …
//! Rows → Encoder → tuples of COPY … FROM STDIN (FORMAT binary)
//! COPY … TO STDOUT (FORMAT binary) → Decoder → Batch
//! ```
//!
//! There is no connection here, and no I/O.
//!
//! Why there is an encoder: `pgpq` 0.12 takes whole record batches, so rows would have to be gathered first;
//! it makes composite types of objects, where these tables have `jsonb`, knows neither maps nor lists of
//! lists, and writes lists of instants as arrays of `timestamp`, which the server refuses for a column of
//! `timestamp with time zone`. `postgres-protocol` 0.6 writes single values, and no `numeric`.
//!
//! Invariant: what the server returns for encoded rows is decoded to the same values.

mod columns;
mod decoder;
mod encoder;
mod json;
mod names;
mod numeric;
mod table;
mod tuple;
mod types;
mod values;
mod widening;

pub use self::{
    decoder::{DecodeError, Decoder, ctid_text},
    encoder::{EncodeError, Encoder, HEADER, TRAILER},
    names::{BadTable, check_schema, quoted_literal},
    table::Table,
    types::type_name,
};

#[cfg(test)]
mod tests;
