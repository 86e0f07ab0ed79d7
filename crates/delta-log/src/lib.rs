//! The log of one Delta table on a store: protocol reader 1, writer 2, and nothing beyond it.
//!
//! In: the objects of `TABLE/_delta_log/`, by whichever program they were written. Out: [`Snapshot`]s, what
//! the table is at a version; the commit of a next version, made by one object that must not exist yet;
//! checkpoints, from which a snapshot is read without the commits before them. Files of rows are never
//! touched.
//!
//! Invariant: a snapshot is what the log says or an error that names the object and the line. A table that
//! needs more than this crate knows is refused by the name of what it needs, and nothing is written.

mod action;
mod checkpoint;
mod commit;
mod error;
mod listing;
mod schema;
mod snapshot;
mod statistics;
mod support;
mod table;
mod uri;

#[cfg(test)]
mod tests;

pub use self::{
    action::{Action, AddFile, Format, Metadata, PartitionValues, Protocol, RemoveFile, Texts, Transaction},
    error::LogError,
    schema::{PartitionKind, SchemaError, schema_string},
    snapshot::Snapshot,
    statistics::{WiderTable, statistics},
    table::Table,
};
