//! The rows of a run that are kept → partitions in staged files, or in the tables of a database, and the
//! changes that they make.
//!
//! Invariant: changes are in the order in which a merge publishes them (`publication.rs`, docs/merge.md).

mod database;
mod partition_rows;
mod partition_writer;
mod publication;
mod stored_rows;
mod table_schema;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use event_parquet::Table;
use event_parser::Plan;
use event_rows::PartitionKey;
use event_target::{Action, Change, History, Mode, StagedFile, Staging, TargetError};
use events_core::table::{Fate, TableColumns};

use self::{partition_rows::PartitionRows, publication::Publication};
pub(crate) use self::{
    partition_writer::{PART_ROWS, PartitionName, PartitionWriter, part_name},
    publication::Place,
    stored_rows::StoredRows,
    table_schema::{table_schema, table_schemas},
};
use crate::{
    error::Error,
    existing::{Existing, OpenDatabase},
    latest::Superseded,
    rows::{GroupedRows, Partition, PartitionCounts, RowStore, RowsOut},
    runtime::{Controls, Stage, Stages},
    settings::Settings,
};

/// About as many columns of tables are kept, of about 1 KB each. Tables beyond them are made for each of
/// their partitions, which takes a small part of the time of writing it.
const TABLE_COLUMNS_MAX: usize = 4_096;

/// The context in which a run writes its partitions.
pub(crate) struct Writing<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) plan: &'a Plan,
    pub(crate) rows: &'a RowStore,
    pub(crate) superseded: &'a Superseded,
    /// What the target has.
    pub(crate) history: &'a History,
    /// The existing partitions, where their rows take part.
    pub(crate) existing: Option<&'a Existing<'a>>,
    /// The database that the target is, if it is one.
    pub(crate) database: Option<&'a OpenDatabase>,
    pub(crate) staging: &'a Staging,
    /// What is known of the one partition that is written, if it is one alone.
    pub(crate) piece: Option<Piece<'a>>,
    pub(crate) controls: &'a Controls,
    pub(crate) stages: &'a Stages,
}

/// A partition that is written by itself, by a process that does not know of others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece<'a> {
    /// The directory for its staged files.
    pub(crate) staged_in: &'a str,
    /// Whether it is written again whatever its rows are.
    pub(crate) is_converted: bool,
}

/// Everything that was written.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// By path.
    pub(crate) partitions: Vec<WrittenPartition>,
    /// The partitions all of whose rows are superseded, by path; nothing was written for them.
    pub(crate) superseded: Vec<SupersededPartition>,
    /// The columns of the tables that have partitions, by their names in the changes.
    pub(crate) tables: BTreeMap<String, TableColumns>,
    /// In a target of tables: their schemas, by their directories.
    pub(crate) schemas: BTreeMap<String, String>,
    /// What became of the rows.
    pub(crate) out: RowsOut,
}

/// A partition in staged files.
#[derive(Debug)]
pub(crate) struct WrittenPartition {
    pub(crate) key: PartitionKey,
    pub(crate) path: String,
    pub(crate) files: usize,
    /// As counted in the footers of its files.
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) action: Action,
    pub(crate) counts: PartitionCounts,
}

/// A partition all of whose rows are superseded.
#[derive(Debug)]
pub(crate) struct SupersededPartition {
    pub(crate) path: String,
    pub(crate) counts: PartitionCounts,
}

/// A partition as a thread has written it.
struct Staged {
    path: String,
    files: Vec<StagedFile>,
    change: Change,
    action: Action,
    out: RowsOut,
}

/// Those of these event types whose tables get another type of a column: a table has one type for all of its
/// files, so a merge that has rows of it writes all of them again.
pub(crate) fn converted_types(
    (settings, plan, history): (&Settings, &Plan, &History),
    types: impl Iterator<Item = usize>,
) -> BTreeSet<usize> {
    if !settings.target.is_of_tables() || settings.mode != Mode::Merge {
        return BTreeSet::new();
    }
    let held = history.tables_by_type();
    let is_converted = |type_index: &usize| {
        let event_type = plan.event_type(*type_index);
        let asked = TableColumns::of(event_type, settings.table_form());
        let held = held.get(&(event_type.domain.as_str(), event_type.name.as_str()));
        let mut changes = held.into_iter().flatten().flat_map(|held| held.changes(&asked));
        changes.any(|change| matches!(change.fate, Fate::Widened { .. }))
    };
    types.filter(is_converted).collect()
}

/// What a change of a partition does to what the target has.
pub(crate) fn action_of(
    (settings, history): (&Settings, &History),
    change: &Change,
) -> Result<Action, TargetError> {
    match settings.target.action(change, history)? {
        // It had no rows before.
        Action::Created if change.files.is_empty() => Ok(Action::Unchanged),
        action => Ok(action),
    }
}

/// Changes by partition, in the order in which they are published; what comes first stays only where it has
/// to. `moves` are the partitions between which events move.
///
/// # Errors
/// The path of a partition for which it is missing.
pub(crate) fn in_publication_order(
    moves: BTreeSet<(Place, Place)>,
    mut changes: BTreeMap<Place, Change>,
) -> Result<Vec<Change>, String> {
    let publication = Publication::new(moves);
    for (place, change) in &mut changes {
        match (publication.is_twice(place), &change.first) {
            (true, None) => return Err(place.1.clone()),
            (true, Some(_)) => {}
            (false, _) => change.first = None,
        }
    }
    Ok(publication.in_order(changes))
}

impl Writing<'_> {
    /// Writes all partitions, the largest first, so that no thread is left with one at the end. Returns
    /// changes only for partitions that do change.
    pub(crate) fn write_partitions(&self, encoders: usize) -> Result<(Written, Vec<Change>), Error> {
        if let Some(database) = self.database {
            return self.write_tables(database, encoders);
        }
        let Self { settings, controls, .. } = self;
        let mut clock = self.stages.clock();
        let (mut partitions, out) = self.grouped();
        partitions.sort_by_key(|partition| Reverse(partition.rows_in_memory()));
        clock.lap_of(settings.threads, Stage::Group);
        controls.progress.begin_writing(partitions.len());
        let tables = self.tables(&partitions)?;
        let columns = self.columns(&partitions);
        let place = |(from, to)| (self.place(from), self.place(to));
        // The commit of tables is one moment for all partitions of an event type.
        let is_of_tables = settings.target.is_of_tables();
        let moves = self.superseded.moves().filter(|_| !is_of_tables);
        let publication = Publication::new(moves.map(place).collect());
        let make_writer = |thread: usize| {
            let (codec, layout) = (settings.format.codec, settings.layout);
            match self.piece {
                Some(Piece { staged_in, .. }) => {
                    PartitionWriter::in_directory(codec, layout, self.staging, staged_in.to_owned())
                }
                None => PartitionWriter::new(codec, layout, self.staging, thread),
            }
        };
        let staged = workers::map_with(encoders, partitions.len(), make_writer, |writer, number| {
            controls.interruption.check()?;
            let partition = &partitions[number];
            let made;
            let table = if let Some(table) = tables.get(&partition.type_index) {
                table
            } else {
                made = self.table(partition.type_index)?;
                &made
            };
            let mut staged = self.write(partition, number, table, writer)?;
            let Staged { path, change, .. } = &mut staged;
            change.table = columns.get(&partition.type_index).map(|(name, _)| name.clone());
            // Of one partition alone, nobody knows what others need.
            let may_be_twice = self.is_of_one() && self.superseded.has_leaving() && !is_of_tables;
            if may_be_twice || publication.is_twice(&(partition.unit_index, path.clone())) {
                let name = PartitionName { path, number: partitions.len() + number };
                let first = self.write_first(partition, name, table, writer)?;
                change.set_first(&first);
            }
            controls.progress.partition_written();
            Ok(staged)
        })?;
        let (mut written, changes) = self.collect(&partitions, staged, out, &publication);
        let types = partitions.iter().map(|partition| partition.type_index).collect();
        written.schemas = table_schemas((settings, self.plan), &types)?;
        written.tables = columns.into_values().collect();
        Ok((written, changes))
    }

    /// Whether it is one partition alone that is written.
    fn is_of_one(&self) -> bool {
        self.piece.is_some()
    }

    /// The partitions to write, and what became of the rows that were grouped.
    fn grouped(&self) -> (Vec<Partition>, RowsOut) {
        let mut grouped = self.rows.group(self.superseded, self.settings.threads);
        match (self.existing, self.settings.mode) {
            (Some(existing), Mode::Merge) => {
                let converted = self.converted(existing);
                self.rows.keep_changed(&mut grouped, self.superseded, converted);
            }
            _ => self.rows.add_losing(&mut grouped, self.superseded),
        }
        let GroupedRows { partitions, out } = grouped;
        (partitions, out)
    }

    /// The partitions that are written again whatever their rows are; see [`converted_types`].
    fn converted(&self, existing: &Existing<'_>) -> BTreeSet<PartitionKey> {
        if let Some(Piece { is_converted, .. }) = self.piece {
            return existing.partition_keys().filter(|_| is_converted).collect();
        }
        let types = converted_types((self.settings, self.plan, self.history), existing.types());
        existing.partition_keys().filter(|key| types.contains(&key.0)).collect()
    }

    /// Collects what the threads have written.
    fn collect(
        &self,
        partitions: &[Partition],
        staged: Vec<Staged>,
        out: RowsOut,
        publication: &Publication,
    ) -> (Written, Vec<Change>) {
        let mut written = Written { out, ..Written::default() };
        let mut changes = BTreeMap::new();
        let mut seen = Vec::new();
        for (Staged { path, files, change, action, out }, partition) in staged.into_iter().zip(partitions) {
            written.out.add(out);
            // All rows of a spilled partition may turn out to be superseded.
            if !files.is_empty() || action == Action::Removed {
                if action != Action::Unchanged {
                    changes.insert((partition.unit_index, path.clone()), change);
                }
                seen.push((partition.key(), path, files, action));
            }
        }
        let mut counts = self.rows.ledger().partitions(&written.out);
        for (key, path, files, action) in seen {
            written.partitions.push(WrittenPartition {
                key,
                path,
                files: files.len(),
                rows: files.iter().map(|file| file.rows).sum(),
                bytes: files.iter().map(|file| file.bytes).sum(),
                action,
                counts: counts.remove(&key).unwrap_or_default(),
            });
        }
        let superseded = counts.into_iter();
        written.superseded =
            superseded.map(|(key, counts)| SupersededPartition { path: self.path(key), counts }).collect();
        written.superseded.sort_by(|a, b| a.path.cmp(&b.path));
        written.partitions.sort_by(|a, b| a.path.cmp(&b.path));
        (written, publication.in_order(changes))
    }

    /// The tables of the event types that have rows, by event type; those of very many columns are missing.
    fn tables(&self, partitions: &[Partition]) -> Result<BTreeMap<usize, Table<'_>>, Error> {
        let mut tables = BTreeMap::new();
        let mut columns = 0;
        for Partition { type_index, .. } in partitions {
            if !tables.contains_key(type_index) && columns < TABLE_COLUMNS_MAX {
                let table = self.table(*type_index)?;
                columns += table.columns();
                tables.insert(*type_index, table);
            }
        }
        Ok(tables)
    }

    /// The columns of the event types that have rows, each with its name.
    fn columns(&self, partitions: &[Partition]) -> BTreeMap<usize, (String, TableColumns)> {
        let types: BTreeSet<_> = partitions.iter().map(|partition| partition.type_index).collect();
        let columns = types.into_iter().map(|type_index| {
            let event_type = self.plan.event_type(type_index);
            let columns = TableColumns::of(event_type, self.settings.table_form());
            (type_index, (columns.fingerprint(), columns))
        });
        columns.collect()
    }

    fn table(&self, type_index: usize) -> Result<Table<'_>, Error> {
        let Settings { format, .. } = *self.settings;
        let table = Table::new(self.plan.event_type(type_index), self.settings.table_form(), format);
        table.map_err(Error::encode("the tables' schemas"))
    }

    fn path(&self, (type_index, unit_index): PartitionKey) -> String {
        self.settings.partition_path(self.plan.event_type(type_index), unit_index)
    }

    fn place(&self, key: PartitionKey) -> Place {
        (key.1, self.path(key))
    }

    /// Writes what a partition has first: its rows in the target without those whose events move elsewhere.
    fn write_first(
        &self,
        partition: &Partition,
        name: PartitionName<'_>,
        table: &Table<'_>,
        writer: &mut PartitionWriter<'_>,
    ) -> Result<Vec<StagedFile>, Error> {
        let mut clock = self.stages.clock();
        let mut rows = PartitionRows::that_stay(self.rows, partition, self.superseded, self.existing);
        writer.write(&mut rows, table, PART_ROWS, name, &mut clock)
    }

    fn write(
        &self,
        partition: &Partition,
        number: usize,
        table: &Table<'_>,
        writer: &mut PartitionWriter<'_>,
    ) -> Result<Staged, Error> {
        let event_type = self.plan.event_type(partition.type_index);
        let path = self.path(partition.key());
        let mut clock = self.stages.clock();
        let mut rows = PartitionRows::new(self.rows, partition, self.superseded, self.existing);
        clock.lap(Stage::Order);
        let name = PartitionName { path: &path, number };
        let files = writer.write(&mut rows, table, PART_ROWS, name, &mut clock)?;
        self.stages.add_bytes(Stage::Encode, files.iter().map(|file| file.bytes).sum());
        let change = Change::partition(&path, (&event_type.domain, &event_type.name), &files)
            .with_version(event_type.version_names());
        let action = match (self.is_of_one() && self.settings.target.is_of_tables(), files.is_empty()) {
            (false, _) => action_of((self.settings, self.history), &change)?,
            // Who has the record of the tables compares the change with it.
            (true, true) => Action::Removed,
            (true, false) => Action::Replaced,
        };
        clock.lap(Stage::Compare);
        Ok(Staged { path, files, change, action, out: rows.into_rows_out() })
    }
}
