//! A target of Delta tables, one for each event type, on a directory or in a bucket.
//!
//! ```text
//! account-open/_delta_log/                                  the table's log: readers see what it names
//! account-open/day=2024-10-10/part-00000-<id>.zstd.parquet  written once, by the run of this id
//! _quarantine/events.json-3f…-<id>.jsonl                    the bad lines of a source, since that run
//! _eventloader/commits/00000000000000000007.json            a commit: who creates it has committed
//! ```
//!
//! docs/tables.md is the protocol. `target.rs` carries out a run's commit, `publish.rs` brings it to the logs
//! of its tables, `look.rs` reads what is there, `sweep.rs` deletes what nothing refers to.
//!
//! Invariant: what is committed is decided by [`storage::create`] of a record, and by nothing else.

mod attempt;
mod comparison;
mod conflict;
mod look;
mod publish;
mod records;
mod schema;
mod sweep;
mod target;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, io, path::Path, sync::Arc};

use storage::Store;

use self::comparison::Logs;

pub use self::{attempt::Attempt, conflict::Reads, sweep::Swept};
pub(crate) use self::{look::stem_and_extension, records::key as record_key, target::OpenTables};

/// The prefix of the records; in a local target, a directory that is there from the first run on.
pub(crate) const COMMITS: &str = "_eventloader/commits/";

/// Files of runs that nobody else needs, in a local target.
pub(crate) const SCRATCH: &str = "_eventloader/staging";

/// A target of tables.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub(crate) store: Arc<dyn Store>,
    logs: Arc<Logs>,
}

impl Tables {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, logs: Arc::default() }
    }
}

/// The log of some table in a directory, from there.
pub(crate) fn log_in(root: &Path) -> io::Result<Option<String>> {
    let names = storage::names_in(root)?.unwrap_or_default();
    let mut logs = names.iter().filter_map(|name| Some(format!("{}/_delta_log", name.to_str()?)));
    Ok(logs.find(|log| storage::is_directory(&root.join(log))))
}

/// The directory of the table that a partition belongs to.
fn table_of(directory: &str) -> &str {
    directory.split_once('/').map_or(directory, |(table, _)| table)
}

/// The path of a partition in its table.
fn inside_table(directory: &str) -> &str {
    directory.split_once('/').map_or("", |(_, inside)| inside)
}

/// The values of the partition columns, as a log names them.
fn partition_values(directory: &str) -> BTreeMap<String, Option<String>> {
    let values = events_core::partition::partition_values(inside_table(directory));
    values.map(|(column, value)| (column.to_owned(), Some(value.to_owned()))).collect()
}
