//! A record → the logs of its tables.
//!
//! ```text
//! account-open/_delta_log/00000000000000000004.json   removes what the days had, adds the new files
//! ```
//!
//! What a table's commit says follows from the record and from the table alone, so any process may write it,
//! and two that do it at once write the same. `txn` in it has the number of the record, so it is done once.
//!
//! Invariant: a table's commits are in the order of their records.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use delta_log::{
    Action, AddFile, Metadata, PartitionValues, Protocol, Snapshot, Table, Transaction, WiderTable,
};
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_128;

use super::{inside_table, partition_values, records::Records, table_of};
use crate::{Change, ChangedFile, Commit, Mode, QUARANTINE, TargetError};

/// Names our commits among those of other writers of a table.
pub(super) const APPLICATION: &str = "eventloader";
/// A checkpoint is written with each version that this divides.
const CHECKPOINT_VERSIONS: u64 = 10;
/// So many tables are written at once: each mostly waits for the disk or the network.
const TABLES_AT_ONCE: usize = 16;

/// What a record does to one table.
struct TableCommit<'r> {
    record: &'r Commit,
    table: &'r str,
    changes: Vec<&'r Change>,
    /// The partitions that it replaces.
    replaced: BTreeSet<PartitionValues>,
    /// Paths in the table that are recorded as gone.
    gone: BTreeSet<&'r str>,
}

/// What a table was when its log was read.
#[derive(Debug)]
pub(super) struct Seen {
    /// `None` if there was no log.
    pub(super) snapshot: Option<Snapshot>,
    /// What the log gets then, once that was checked.
    actions: Option<Vec<Action>>,
}

/// What tables were, by their directories.
pub(super) type Snapshots = BTreeMap<String, Seen>;

/// Reads the logs of the tables that a record changes.
pub(super) fn snapshots(store: &dyn storage::Store, record: &Commit) -> Result<Snapshots, TargetError> {
    let tables = commits_of(record);
    let read = workers::map(TABLES_AT_ONCE, tables.len(), |number| {
        let table = tables[number].table;
        let snapshot = Table::new(store, table).snapshot()?;
        Ok::<_, TargetError>((table.to_owned(), Seen { snapshot, actions: None }))
    })?;
    Ok(read.into_iter().collect())
}

/// Refuses what some table's log would not take. A record of it could never be brought to its tables.
pub(super) fn check(
    store: &dyn storage::Store,
    record: &Commit,
    snapshots: &mut Snapshots,
) -> Result<(), TargetError> {
    commits_of(record).iter().try_for_each(|commit| {
        let Some(Seen { snapshot, actions: checked }) = snapshots.get_mut(commit.table) else {
            return Ok(());
        };
        let snapshot = snapshot.as_ref();
        if let Some(snapshot) = snapshot.filter(|snapshot| commit.is_in(snapshot))
            && (Records { store }).is_free(record.number)
        {
            return Err(commit.record_is_gone(store, snapshot));
        }
        let Some(actions) = commit.actions(snapshot)? else { return Ok(()) };
        Table::new(store, commit.table).check(snapshot, &actions)?;
        *checked = Some(actions);
        Ok(())
    })
}

/// Brings a record to all of its tables; those that have it already stay as they are. Of tables that were
/// read lately, only what came since is read.
pub(super) fn publish(
    store: &dyn storage::Store,
    record: &Commit,
    snapshots: Snapshots,
) -> Result<(), TargetError> {
    let tables = commits_of(record);
    let snapshots = Mutex::new(snapshots);
    workers::map(TABLES_AT_ONCE, tables.len(), |number| {
        let seen = snapshots.lock().unwrap_or_else(PoisonError::into_inner).remove(tables[number].table);
        let read = || Table::new(store, tables[number].table).snapshot();
        let seen = seen.map_or_else(|| read().map(|snapshot| Seen { snapshot, actions: None }), Ok)?;
        tables[number].publish(store, seen)
    })
    .map(drop)
}

/// Whether all tables of a record have it.
pub(super) fn is_published(store: &dyn storage::Store, record: &Commit) -> Result<bool, TargetError> {
    let snapshots = snapshots(store, record)?;
    Ok(commits_of(record).iter().all(|commit| {
        let snapshot = snapshots.get(commit.table).and_then(|seen| seen.snapshot.as_ref());
        snapshot.is_some_and(|snapshot| commit.is_in(snapshot))
    }))
}

fn commits_of(record: &Commit) -> Vec<TableCommit<'_>> {
    let mut tables = BTreeMap::<&str, TableCommit<'_>>::new();
    let empty = |table| {
        let (changes, replaced, gone) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        TableCommit { record, table, changes, replaced, gone }
    };
    for change in record.changes.iter().filter(|change| change.event_type.is_some()) {
        let table = table_of(&change.directory);
        let commit = tables.entry(table).or_insert_with(|| empty(table));
        commit.replaced.insert(partition_values(&change.directory));
        commit.changes.push(change);
    }
    for path in record.load.accepted.iter().flat_map(|accepted| &accepted.gone) {
        if let Some((table, inside)) = path.split_once('/').filter(|(table, _)| *table != QUARANTINE) {
            tables.entry(table).or_insert_with(|| empty(table)).gone.insert(inside);
        }
    }
    tables.into_values().collect()
}

impl TableCommit<'_> {
    fn publish(&self, store: &dyn storage::Store, seen: Seen) -> Result<(), TargetError> {
        let table = Table::new(store, self.table);
        let Seen { mut snapshot, actions: mut checked } = seen;
        let done = table.commit(&mut snapshot, self.record.at_ms(), |snapshot| match checked.take() {
            // Nobody was first.
            Some(checked) => Ok(Some(checked)),
            None => self.actions(snapshot),
        })?;
        let Some(snapshot) = snapshot.filter(|_| done.is_some()) else { return Ok(()) };
        if snapshot.version > 0 && snapshot.version % CHECKPOINT_VERSIONS == 0 {
            // Without it, readers read some more commits, until the next one is written.
            let _ = table.checkpoint(&snapshot, self.record.at_ms());
        }
        Ok(())
    }

    fn is_in(&self, snapshot: &Snapshot) -> bool {
        let number = i64::try_from(self.record.number).unwrap_or(i64::MAX);
        snapshot.transaction(APPLICATION).is_some_and(|last| last >= number)
    }

    /// What the table's log gets; `None` if it has it already.
    fn actions(&self, snapshot: Option<&Snapshot>) -> Result<Option<Vec<Action>>, TargetError> {
        if snapshot.is_some_and(|snapshot| self.is_in(snapshot)) {
            return Ok(None);
        }
        let at_ms = self.record.at_ms();
        let mut actions = vec![Action::CommitInfo(self.commit_info())];
        let schema = self.record.schemas.get(self.table);
        match (snapshot, schema) {
            (None, None) if self.changes.iter().all(|change| change.files.is_empty()) => return Ok(None),
            (None, None) => return Err(self.log_is_gone()),
            (None, Some(schema)) => {
                actions.push(Action::Protocol(Protocol::OWN));
                actions.push(Action::Metadata(self.new_metadata(schema, at_ms)));
            }
            (Some(snapshot), Some(schema)) if snapshot.metadata.schema_string != *schema => {
                let metadata = Metadata { schema_string: schema.clone(), ..snapshot.metadata.clone() };
                actions.push(Action::Metadata(metadata));
            }
            (Some(_), _) => {}
        }
        let version = i64::try_from(self.record.number).unwrap_or(i64::MAX);
        actions.push(Action::Transaction(Transaction {
            app_id: APPLICATION.to_owned(),
            version,
            updated_ms: Some(at_ms),
        }));
        let adds = self.adds(at_ms);
        let kept: BTreeSet<_> = adds.iter().map(|add| add.path.as_str()).collect();
        let files = snapshot.into_iter().flat_map(|snapshot| snapshot.files.values());
        let others = files.filter(|file| !kept.contains(file.path.as_str()));
        let (removed, staying): (Vec<_>, Vec<_>) = others.partition(|file| self.removes(file));
        actions.extend(removed.into_iter().map(|file| {
            let data_change = self.record.load.mode != Mode::Rewrite;
            Action::Remove(file.removed(at_ms, data_change))
        }));
        if let (Some(snapshot), Some(schema)) = (snapshot, schema) {
            actions.extend(with_new_columns(&staying, &snapshot.metadata, schema).map(Action::Add));
        }
        actions.extend(adds.into_iter().map(Action::Add));
        Ok(Some(actions))
    }

    fn log_is_gone(&self) -> TargetError {
        let problem = "has no log any more, though earlier loads wrote to it; bring it back".to_owned();
        TargetError::Unusable { path: self.table.into(), problem }
    }

    /// A table gets a commit once there is the record. So where there is none, it was lost, and another one
    /// of its number would never come to the table.
    fn record_is_gone(&self, store: &dyn storage::Store, snapshot: &Snapshot) -> TargetError {
        let problem = format!(
            "has commit {} in its log, but the target's records end before it: some are gone from \
             _eventloader/commits; bring them back, or load into a new target",
            snapshot.transaction(APPLICATION).unwrap_or_default()
        );
        TargetError::Unusable { path: store.address(self.table).into(), problem }
    }

    /// Whether the record takes a file out of the table: it is recorded as gone, or its partition is
    /// replaced.
    fn removes(&self, file: &AddFile) -> bool {
        self.gone.contains(file.path.as_str()) || self.replaced.contains(&file.partition_values)
    }

    fn adds(&self, at_ms: i64) -> Vec<AddFile> {
        let add = |change: &Change, file: &ChangedFile| AddFile {
            path: format!("{}/{}", inside_table(&change.directory), file.name),
            partition_values: partition_values(&change.directory),
            size_bytes: file.bytes,
            modification_time_ms: at_ms,
            data_change: self.record.load.mode != Mode::Rewrite,
            statistics: file.statistics.clone(),
            tags: BTreeMap::from([("xxh3".to_owned(), Some(format!("{:016x}", file.checksum)))]),
        };
        let mut adds: Vec<_> = self
            .changes
            .iter()
            .flat_map(|change| change.files.iter().map(move |file| add(change, file)))
            .collect();
        adds.sort_by(|a, b| a.path.cmp(&b.path));
        adds
    }

    fn new_metadata(&self, schema: &str, at_ms: i64) -> Metadata {
        let days = self.changes.iter().map(|change| partition_values(&change.directory));
        let has_hours = days.flat_map(BTreeMap::into_keys).any(|column| column == "hour");
        let columns: &[&str] = if has_hours { &["day", "hour"] } else { &["day"] };
        let partition_columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Metadata::new(self.id(), schema.to_owned(), partition_columns, at_ms)
    }

    /// The table's own id, as a UUID: whoever creates the table by this record gives it the same.
    fn id(&self) -> String {
        let hash = xxh3_128(format!("{} {}", self.record.attempt, self.table).as_bytes());
        let hex = format!("{hash:032x}");
        // Version 8 is for ids that are made in some way of one's own.
        format!("{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }

    fn commit_info(&self) -> serde_json::Map<String, Value> {
        let Commit { number, attempt, load, .. } = self.record;
        let (operation, parameters) = match load.mode {
            Mode::Overwrite => ("WRITE", json!({"mode": "Overwrite"})),
            Mode::Merge => ("MERGE", json!({})),
            Mode::Rewrite => ("OPTIMIZE", json!({})),
            Mode::Accept | Mode::Discard => ("UPDATE", json!({})),
        };
        let info = json!({
            "operation": operation,
            "operationParameters": parameters,
            "engineInfo": concat!("eventloader/", env!("CARGO_PKG_VERSION")),
            "eventloader": {"commit": number, "attempt": attempt},
        });
        info.as_object().cloned().unwrap_or_default()
    }
}

/// The files that stay in a table which gets columns, with statistics of these, if they have any: all rows
/// are null there. Without, there are readers that find none of them.
fn with_new_columns<'f>(
    files: &'f [&'f AddFile],
    held: &'f Metadata,
    schema: &str,
) -> impl Iterator<Item = AddFile> + 'f {
    let table = WiderTable::new(schema, &held.schema_string);
    files.iter().filter_map(move |file| {
        let statistics = table.as_ref()?.statistics(file.statistics.as_ref()?, &held.partition_columns)?;
        Some(AddFile { statistics: Some(statistics), data_change: false, ..(*file).clone() })
    })
}
