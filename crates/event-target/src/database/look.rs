//! What is in the schema of a target: its tables, and how many rows each partition has.
//!
//! Invariant: nothing is changed.

use std::collections::{BTreeMap, BTreeSet};

use events_core::{
    event,
    partition::{Layout, PartitionUnit},
    sql_text::{double_quoted, single_quoted},
};

use super::{ROWS, Schema, Session};
use crate::{
    Action, Change, ChangedFile, Compared, Difference, Differs, History, ListedFiles, Partitions, QUARANTINE,
    StoredFile, TargetError, TargetLayout,
};

/// The kind of a relation and its columns, by name.
const RELATION: &str = "\
    SELECT c.relkind::text, a.attname::text \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
    WHERE n.nspname = $1 AND c.relname = $2";
/// A table.
const TABLE: &str = "r";

/// The rows of partitions, by their paths.
type RowCounts = BTreeMap<String, u64>;

impl Schema {
    /// Whether one of the loader's own tables is there.
    ///
    /// # Errors
    /// Something else has its name.
    pub(super) fn has_own(
        &self,
        session: &mut dyn Session,
        name: &str,
        columns: &[(&str, &str, &str)],
    ) -> Result<bool, TargetError> {
        let rows = session.query(RELATION, &[self.database.schema(), name])?;
        let mut rows = rows.into_iter().map(|row| <[_; 2]>::try_from(row).unwrap_or_default()).peekable();
        let Some([kind, _]) = rows.peek() else { return Ok(false) };
        let is_table = kind.as_deref() == Some(TABLE);
        let there: BTreeSet<_> = rows.filter_map(|[_, column]| column).collect();
        if is_table && columns.iter().all(|(column, ..)| there.contains(*column)) {
            return Ok(true);
        }
        Err(self.unusable(format!("has a relation {name:?} that no eventloader made; use another schema")))
    }

    /// Creates one of the loader's own tables: columns with their types and what they are for.
    pub(super) fn create_own(
        &self,
        session: &mut dyn Session,
        name: &str,
        columns: &[(&str, &str, &str)],
        (key, is_for): (&str, &str),
    ) -> Result<(), TargetError> {
        let table = self.table(name);
        let lines = columns.iter().map(|(column, kind, _)| format!("{} {kind}", double_quoted(column)));
        let lines: Vec<_> = lines.chain([format!("PRIMARY KEY ({key})")]).collect();
        let create = format!("CREATE TABLE {table} ({})", lines.join(", "));
        let comment = format!("COMMENT ON TABLE {table} IS {}", single_quoted(is_for));
        let comments = columns.iter().map(|(column, _, is_for)| {
            format!("COMMENT ON COLUMN {table}.{} IS {}", double_quoted(column), single_quoted(is_for))
        });
        let statements: Vec<_> = [create, comment].into_iter().chain(comments).collect();
        session.execute(&statements.join("; "), &[]).map(|_| ())
    }

    /// Whether there is a table of this name.
    fn has_table(&self, session: &mut dyn Session, name: &str) -> Result<bool, TargetError> {
        let rows = session.query(RELATION, &[self.database.schema(), name])?;
        Ok(rows.first().and_then(|row| row.first()).is_some_and(|kind| kind.as_deref() == Some(TABLE)))
    }

    /// The rows of the partitions of a table; of all, or of units from the first to the last of a range.
    fn rows_of(
        &self,
        session: &mut dyn Session,
        (unit, directory): (PartitionUnit, &str),
        units: Option<(i64, i64)>,
    ) -> Result<RowCounts, TargetError> {
        if !self.has_table(session, directory)? {
            return Ok(RowCounts::new());
        }
        let (name, seconds) = match unit {
            PartitionUnit::Day => ("day", 86_400),
            PartitionUnit::Hour => ("hour", 3_600),
        };
        let timestamp = double_quoted(event::TIMESTAMP);
        let within = units.map_or_else(String::new, |(first, last)| {
            let (first, end) = (unit.instants_of(first).start, unit.instants_of(last).end);
            format!(" WHERE {timestamp} >= {} AND {timestamp} < {}", instant(first), instant(end))
        });
        // A numeric or, before version 14, a double: whole seconds are exact in both. `infinity` stays one.
        let sql = format!(
            "SELECT pg_catalog.trunc(EXTRACT(epoch FROM pg_catalog.date_trunc('{name}', \
             {timestamp} AT TIME ZONE 'UTC')) / {seconds})::text, pg_catalog.count(*) \
             FROM {}{within} GROUP BY 1",
            self.table(directory)
        );
        let rows = session.query(&sql, &[])?;
        let counts = rows.into_iter().filter_map(|row| {
            let [index, count] = <[_; 2]>::try_from(row).ok()?;
            let index = index.unwrap_or_else(|| "NULL".to_owned());
            let partition = match index.parse() {
                Ok(index) => Layout::Database.path(unit, index, directory),
                Err(_) => format!("{directory}/{index}"),
            };
            Some((format!("{partition}/{ROWS}"), count?.parse().ok()?))
        });
        Ok(counts.collect())
    }

    /// Compares the recorded files that are `wanted` with what is there: partitions by their numbers of rows,
    /// files of the quarantine by their lengths.
    pub(crate) fn compare(
        &self,
        history: &History,
        wanted: impl Fn(&str, &StoredFile) -> bool,
    ) -> Result<Compared, TargetError> {
        let files: Vec<_> = history.files.iter().filter(|(path, file)| wanted(path, file)).collect();
        let there = self.read(|session| {
            let mut there = self.bad_line_bytes(session)?;
            for (directory, units) in units_of(history, &files) {
                there.extend(self.rows_of(session, (units.0, directory), Some((units.1, units.2)))?);
            }
            Ok(there)
        })?;
        let differing = files.into_iter().filter_map(|(path, file)| {
            let (recorded, differs) = match file.event_type {
                Some(_) => (file.rows, Differs::OtherRows),
                None => (file.bytes, Differs::Changed),
            };
            let differs = match there.get(path) {
                Some(there) if *there == recorded => return None,
                Some(_) => differs,
                None => Differs::Missing,
            };
            Some(Difference { path: path.clone(), differs, recorded: Some((file.commit, file.rows)) })
        });
        Ok(Compared { differences: differing.collect(), stamps: BTreeMap::new() })
    }

    /// The partitions that these tables have, and no commit recorded.
    pub(crate) fn foreign(
        &self,
        history: &History,
        partitions: &Partitions,
    ) -> Result<Vec<Difference>, TargetError> {
        let tables: BTreeSet<_> =
            partitions.values().flatten().filter_map(|file| file.path.split('/').next()).collect();
        let there = self.row_counts(history, |directory| tables.contains(directory))?;
        let foreign = there.into_keys().filter(|path| !history.files.contains_key(path));
        Ok(foreign.map(|path| Difference { path, differs: Differs::Foreign, recorded: None }).collect())
    }

    /// The rows of all partitions of the tables that are `wanted`, of those that loads have written.
    pub(crate) fn row_counts(
        &self,
        history: &History,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<RowCounts, TargetError> {
        let Some((_, unit)) = history.layout.as_ref().and_then(TargetLayout::parts) else {
            return Ok(RowCounts::new());
        };
        let directories: BTreeSet<_> = history.directories().into_values().collect();
        self.read(|session| {
            let mut counts = RowCounts::new();
            for directory in directories.into_iter().filter(|directory| wanted(directory)) {
                counts.extend(self.rows_of(session, (unit, directory), None)?);
            }
            Ok(counts)
        })
    }

    /// All partitions and files of the quarantine that are there. The length of a partition is the one that
    /// is recorded; 0 if none is.
    pub(crate) fn list_files(&self) -> Result<ListedFiles, TargetError> {
        let history = self.history(|_, _| {})?;
        let mut files = self.row_counts(&history, |_| true)?;
        for (path, bytes) in &mut files {
            *bytes = history.files.get(path).map_or(0, |file| file.bytes);
        }
        files.extend(self.read(|session| self.bad_line_bytes(session))?);
        Ok(ListedFiles { files, ..ListedFiles::default() })
    }

    /// What a change does. Whether a partition has its rows already is not looked at.
    pub(crate) fn action(change: &Change, history: &History) -> Action {
        let recorded = |name: &str| history.files.get(&format!("{}/{name}", change.directory));
        let mut names = change.files.iter().map(|file| &file.name).chain(&change.removes);
        let is_there = names.any(|name| recorded(name).is_some())
            || (change.replaces_all && history.of_directory(&change.directory).next().is_some());
        let is_same = |file: &ChangedFile| {
            let has = |there: &StoredFile| (there.bytes, there.checksum) == (file.bytes, file.checksum);
            recorded(&file.name).is_some_and(has)
        };
        match is_there {
            false => Action::Created,
            true if change.files.is_empty() => Action::Removed,
            // The checksum of rows is not known.
            true if change.directory == QUARANTINE
                && change.removes.is_empty()
                && change.files.iter().all(is_same) =>
            {
                Action::Unchanged
            }
            true => Action::Replaced,
        }
    }
}

/// The tables of partitions, with the unit of time, and its first and last one among these files.
fn units_of<'h>(
    history: &History,
    files: &[(&'h String, &StoredFile)],
) -> BTreeMap<&'h str, (PartitionUnit, i64, i64)> {
    let mut tables = BTreeMap::new();
    let Some((layout, unit)) = history.layout.as_ref().and_then(TargetLayout::parts) else { return tables };
    for (path, _) in files.iter().filter(|(_, file)| file.event_type.is_some()) {
        let partition = path.rsplit_once('/').map_or("", |(partition, _)| partition);
        let Some(index) = layout.index_in(unit, partition) else { continue };
        let range = tables.entry(layout.directory_in(partition)).or_insert((unit, index, index));
        *range = (unit, range.1.min(index), range.2.max(index));
    }
    tables
}

/// An instant, in microseconds since 1970, in a statement.
fn instant(micros: i64) -> String {
    // Not a number of microseconds times an interval: that is computed in doubles.
    let day = PartitionUnit::Day.index_of(micros);
    let rest = micros - PartitionUnit::Day.instants_of(day).start;
    format!("(DATE '1970-01-01' + {day} + INTERVAL '{} hours') AT TIME ZONE 'UTC'", rest / 3_600_000_000)
}
