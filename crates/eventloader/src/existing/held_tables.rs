//! The record of a target, and the footers of files whose columns it does not have → the tables that the
//! target holds.
//!
//! Invariant: each recorded file with rows is in exactly one table of its type. Nothing but footers is read.

use std::{cmp::Reverse, collections::BTreeMap};

use event_target::{History, Location, StoredFile, TargetError};
use events_core::table::TableColumns;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};

use super::ParquetFile;
use crate::error::Error;

/// Files of an event type that have the same columns.
#[derive(Debug, Clone)]
pub(crate) struct HeldTable {
    /// Their columns.
    pub(crate) columns: TableColumns,
    /// How many files have them.
    pub(crate) files: usize,
    /// The number of the last commit that wrote one.
    last_commit: u64,
}

/// Those of each domain and type, the last one that was written first.
pub(crate) type HeldTables = BTreeMap<(String, String), Vec<HeldTable>>;

/// Reads the columns of all files with rows.
///
/// # Errors
/// A file can't be read, or has a column that no load writes.
pub(crate) fn held_tables(target: &Location, history: &History, threads: usize) -> Result<HeldTables, Error> {
    let mut tables = HeldTables::new();
    let mut unknown = Vec::new();
    for (path, file) in &history.files {
        let Some(event_type) = &file.event_type else { continue };
        let recorded = file.table.as_ref().and_then(|name| history.tables.get(name));
        match recorded {
            Some(columns) => add(&mut tables, event_type, file, columns),
            None => unknown.push((path, event_type, file)),
        }
    }
    let read = workers::map(threads, unknown.len(), |index| {
        let (path, _, file) = unknown[index];
        columns_of(target, path, file.bytes)
    })?;
    for ((_, event_type, file), columns) in unknown.into_iter().zip(read) {
        add(&mut tables, event_type, file, &columns);
    }
    for of_type in tables.values_mut() {
        of_type.sort_by_key(|table| Reverse(table.last_commit));
    }
    Ok(tables)
}

fn add(tables: &mut HeldTables, event_type: &(String, String), file: &StoredFile, columns: &TableColumns) {
    let of_type = tables.entry(event_type.clone()).or_default();
    match of_type.iter_mut().find(|known| known.columns == *columns) {
        Some(known) => {
            known.files += 1;
            known.last_commit = known.last_commit.max(file.commit);
        }
        None => of_type.push(HeldTable { columns: columns.clone(), files: 1, last_commit: file.commit }),
    }
}

fn columns_of(target: &Location, path: &str, bytes: u64) -> Result<TableColumns, Error> {
    let unusable = |problem| TargetError::Unusable { path: target.address(path), problem };
    let file = target.open(path, Some(bytes)).map_err(Error::io("reading the target"))?;
    let file = ParquetFile::from(file);
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::load(&file, options).map_err(|error| unusable(error.to_string()))?;
    let columns = TableColumns::of_schema(metadata.schema());
    Ok(columns.map_err(|(name, data_type)| {
        unusable(format!("its column {name} is of type {data_type}, which no load writes"))
    })?)
}
