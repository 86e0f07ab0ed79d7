//! A database as a target → what it has of the events that are loaded.
//!
//! ```text
//! open.rs          the transaction that a load reads and changes it in
//! stored_table.rs  the table of an event type, as it is
//! stored_rows.rs   rows of a table, in the columns of a load
//! ids.rs           the ids of the input, in a temporary table
//! contenders.rs    the rows with an id of the input, which compete with it
//! presence.rs      partitions that have lost all rows
//! same_version.rs  ids and timestamps that a table has
//! ```
//!
//! Invariant: nothing is changed here, but for a temporary table that ends with the transaction.

mod contenders;
mod ids;
mod open;
mod presence;
mod same_version;
mod stored_rows;
mod stored_table;

pub(crate) use self::{
    contenders::StoredPlaces,
    open::OpenDatabase,
    presence::without_rows,
    same_version::versions_in_database,
    stored_rows::{StoredRows, read_held},
    stored_table::{StoredTable, has_unique_ids, not_as_recorded},
};
