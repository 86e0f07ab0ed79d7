//! Tests of whole logs, in a directory and in memory.

mod commits;
mod damage;
mod foreign;
mod history;
mod memory;
mod refusals;

use std::path::Path;

use storage::{LocalStore, Store};

use self::memory::MemoryStore;
use crate::{
    Action, AddFile, LogError, Metadata, PartitionKind, Protocol, Snapshot, Table, Texts, Transaction,
    schema_string,
};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The key of the table of most tests.
const ROOT: &str = "shop/sale";

fn local(directory: &Path) -> LocalStore {
    LocalStore::new(directory.to_owned(), "_own/staging")
}

fn key(name: &str) -> String {
    format!("{ROOT}/_delta_log/{name}")
}

fn commit_key(version: u64) -> String {
    key(&format!("{version:020}.json"))
}

fn checkpoint_key(version: u64) -> String {
    key(&format!("{version:020}.checkpoint.parquet"))
}

fn metadata() -> Metadata {
    let schema = arrow::datatypes::Schema::empty();
    let schema = schema_string(&schema, &[("day", PartitionKind::Date)]).unwrap();
    Metadata::new("6b1d".to_owned(), schema, vec!["day".to_owned()], 5)
}

fn file(path: &str, size_bytes: u64) -> AddFile {
    AddFile {
        path: path.to_owned(),
        partition_values: [("day".to_owned(), Some("2024-10-10".to_owned()))].into(),
        size_bytes,
        modification_time_ms: 7,
        data_change: true,
        statistics: Some(format!("{{\"numRecords\":{size_bytes}}}")),
        tags: Texts::from([("xxh3".to_owned(), Some("00ff".to_owned()))]),
    }
}

fn transaction(app_id: &str, version: i64) -> Action {
    Action::Transaction(Transaction { app_id: app_id.to_owned(), version, updated_ms: None })
}

fn beginning() -> Vec<Action> {
    vec![Action::Protocol(Protocol::OWN), Action::Metadata(metadata())]
}

/// Commits the actions, behind whatever is there.
fn try_to_commit(table: &Table<'_>, at_ms: i64, actions: &[Action]) -> Result<Snapshot, LogError> {
    let mut snapshot = table.snapshot()?;
    let begin = if snapshot.is_none() { beginning() } else { Vec::new() };
    let actions = [&begin, actions].concat();
    table.commit::<LogError>(&mut snapshot, at_ms, |_| Ok(Some(actions.clone())))?;
    Ok(snapshot.unwrap())
}

fn commit(table: &Table<'_>, at_ms: i64, actions: &[Action]) -> Snapshot {
    try_to_commit(table, at_ms, actions).unwrap()
}

/// The paths of a table's files.
fn paths(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.files.keys().map(String::as_str).collect()
}
