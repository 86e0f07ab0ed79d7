//! What a commit does to a table: its actions, as they are in the log.
//!
//! Invariant: an action is written as one line of JSON, the same for the same action, and reads back as
//! itself. Members that this crate does not know are no error, as the protocol demands of readers.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::uri;

/// Names and texts; of other writers, some texts are null.
pub type Texts = BTreeMap<String, Option<String>>;

/// By the name of a partition column: the value as text; `None` is null.
pub type PartitionValues = BTreeMap<String, Option<String>>;

/// One action of a commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// Who made the commit, and what for. Any members; `timestamp` is set by [`crate::Table::commit`].
    CommitInfo(Map<String, Value>),
    /// What a reader and a writer must know.
    Protocol(Protocol),
    /// What the table is.
    #[serde(rename = "metaData")]
    Metadata(Metadata),
    /// How far an application is.
    #[serde(rename = "txn")]
    Transaction(Transaction),
    /// A file is in the table from now on; or it was, and its statistics or tags change.
    Add(AddFile),
    /// A file is in the table no more.
    Remove(RemoveFile),
}

/// What a reader and a writer of a table must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Protocol {
    /// Of readers.
    pub min_reader_version: u32,
    /// Of writers.
    pub min_writer_version: u32,
    /// What a reader must know beside it, from version 3 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader_features: Option<Vec<String>>,
    /// What a writer must know beside it, from version 7 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer_features: Option<Vec<String>>,
}

impl Protocol {
    /// That of new tables.
    pub const OWN: Self =
        Self { min_reader_version: 1, min_writer_version: 2, reader_features: None, writer_features: None };
}

/// What a table is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// A UUID.
    pub id: String,
    /// Its name, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it holds, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The format of its files.
    pub format: Format,
    /// Its columns, as [`crate::schema_string`] writes them.
    pub schema_string: String,
    /// The columns whose values are in the log, in the order of the directories.
    pub partition_columns: Vec<String>,
    /// Its properties.
    #[serde(default, deserialize_with = "null_is_default")]
    pub configuration: Texts,
    /// When it was made, in milliseconds since 1970.
    #[serde(rename = "createdTime", default, skip_serializing_if = "Option::is_none")]
    pub created_ms: Option<i64>,
}

impl Metadata {
    /// A new table of Parquet files.
    #[must_use]
    pub fn new(id: String, schema_string: String, partition_columns: Vec<String>, created_ms: i64) -> Self {
        Self {
            id,
            name: None,
            description: None,
            format: Format::default(),
            schema_string,
            partition_columns,
            configuration: Texts::new(),
            created_ms: Some(created_ms),
        }
    }
}

/// The format of a table's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// Always `parquet`.
    pub provider: String,
    /// Always empty.
    #[serde(default, deserialize_with = "null_is_default")]
    pub options: Texts,
}

impl Default for Format {
    fn default() -> Self {
        Self { provider: "parquet".to_owned(), options: Texts::new() }
    }
}

/// How far an application is that writes to the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    /// The application.
    pub app_id: String,
    /// Its number for what it has done.
    pub version: i64,
    /// When, in milliseconds since 1970.
    #[serde(rename = "lastUpdated", default, skip_serializing_if = "Option::is_none")]
    pub updated_ms: Option<i64>,
}

/// A file of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddFile {
    /// Its path below the table, as it is in the store. (In the log it is percent-encoded.)
    #[serde(with = "uri")]
    pub path: String,
    /// Its values of the partition columns.
    pub partition_values: PartitionValues,
    /// Its length.
    #[serde(rename = "size")]
    pub size_bytes: u64,
    /// When it was written, in milliseconds since 1970.
    #[serde(rename = "modificationTime")]
    pub modification_time_ms: i64,
    /// Whether the commit brings rows with it; `false` if it only puts the table's rows into other files.
    /// That is said of a commit, not of a file: in a snapshot it is `false`, as in a checkpoint.
    pub data_change: bool,
    /// Numbers of rows and nulls, minima and maxima, as JSON.
    #[serde(rename = "stats", default, skip_serializing_if = "Option::is_none")]
    pub statistics: Option<String>,
    /// More about it, by name.
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "Texts::is_empty")]
    pub tags: Texts,
}

impl AddFile {
    /// What removes it from the table.
    #[must_use]
    pub fn removed(&self, at_ms: i64, data_change: bool) -> RemoveFile {
        RemoveFile {
            path: self.path.clone(),
            deletion_time_ms: Some(at_ms),
            data_change,
            extended_file_metadata: Some(true),
            partition_values: Some(self.partition_values.clone()),
            size_bytes: Some(self.size_bytes),
        }
    }
}

/// A file that is in a table no more; until it is deleted, readers of older versions need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoveFile {
    /// Its path below the table, as it is in the store.
    #[serde(with = "uri")]
    pub path: String,
    /// When it was removed, in milliseconds since 1970.
    #[serde(rename = "deletionTimestamp", default, skip_serializing_if = "Option::is_none")]
    pub deletion_time_ms: Option<i64>,
    /// Whether the commit takes rows with it. In a snapshot it is `false`, as in a checkpoint.
    #[serde(default = "yes")]
    pub data_change: bool,
    /// Whether the members below are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_file_metadata: Option<bool>,
    /// Its values of the partition columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_values: Option<PartitionValues>,
    /// Its length.
    #[serde(rename = "size", default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
}

/// A line of a commit, or a row of a checkpoint: at most one action that this crate knows.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    commit_info: Option<Map<String, Value>>,
    protocol: Option<Protocol>,
    #[serde(rename = "metaData")]
    metadata: Option<Metadata>,
    txn: Option<Transaction>,
    add: Option<AddFile>,
    remove: Option<RemoveFile>,
}

impl Line {
    /// Its action; `None` if it has one that this crate need not know.
    fn action(self) -> Result<Option<Action>, String> {
        let Self { commit_info, protocol, metadata, txn, add, remove } = self;
        let actions = [
            commit_info.map(Action::CommitInfo),
            protocol.map(Action::Protocol),
            metadata.map(Action::Metadata),
            txn.map(Action::Transaction),
            add.map(Action::Add),
            remove.map(Action::Remove),
        ];
        let mut actions = actions.into_iter().flatten();
        let action = actions.next();
        if actions.next().is_some() { Err("it has more than one action".to_owned()) } else { Ok(action) }
    }
}

impl Action {
    /// The action of a line of JSON; `None` if it has one that this crate need not know.
    pub(crate) fn of_line(line: &[u8]) -> Result<Option<Self>, String> {
        let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        line.action()
    }

    /// The same of a row of a checkpoint.
    pub(crate) fn of_value(row: Value) -> Result<Option<Self>, String> {
        let line: Line = serde_json::from_value(row).map_err(|error| error.to_string())?;
        line.action()
    }
}

/// What the protocol takes for said where nothing is.
fn yes() -> bool {
    true
}

/// Of other writers, some maps are null.
fn null_is_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
