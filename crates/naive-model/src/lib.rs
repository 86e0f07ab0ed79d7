//! For tests alone: what a load must come to, written from the contract by someone who has not read the
//! loader.
//!
//! Slow, short, and easy to compare with docs/: JSON is read by `serde_json`, instants by `chrono`, and
//! numbers are computed digit by digit. The tests of the loader's command line ask for whole loads
//! ([`load()`], [`load_as()`]); the fuzz targets judge one text at a time.
//!
//! - [`framing`] cuts a text into lines, elements or [`documents`](Framing), [`records()`] these into
//!   records;
//! - [`json`] reads one of these into a tree, which keeps numbers as written and keys that occur twice;
//! - [`judge`] says what it is: an event, a bad line and why, blank, or filtered;
//! - `envelope` does the same for the records of an envelope;
//! - [`columns`] and [`values`] make the text of each column's value;
//! - `versions` finds the latest version of each event;
//! - [`event_types`] are the tables: the built-in ones by hand, those of any catalog from the catalog;
//! - [`value_text`] writes a value as text, and also reads it from an Arrow array, so that both sides can be
//!   compared.
//!
//! Invariant: no code is shared with the loader, except for the catalog types of `events-core`, which say
//! what a user's catalog declares.
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "only tests use it: what it can't do fails the test at that line"
)]

pub mod columns;
mod envelope;
pub mod event_types;
mod documents;
pub mod framing;
pub mod json;
pub mod judge;
mod load;

pub mod value_text;
mod records;
pub mod values;
mod versions;

pub use self::{
    documents::Framing,
    judge::Wanted,
    load::{BadLine, Expected, Flags, OfSource, Row, Rows, Source, load, load_as},
    records::records,
};
