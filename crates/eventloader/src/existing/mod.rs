//! The existing rows of a target → those that compete with the rows of a merge, and the partitions that the
//! merge changes.
//!
//! There is no index, so none can be wrong: the files themselves show where an event is. The id column of
//! each partition of the event type is compared with the ids of the input, except for row groups whose range
//! of ids contains none of them. Rows with such an id are read whole, and compete like rows of the input that
//! come before it. docs/merge.md describes the cost. A load that overwrites partitions of a target that was
//! merged does the same with all other partitions, so that an event is still in one.
//!
//! Invariant: of an event that the input has, every row in the target competes. Memory grows with such rows
//! and with the names of the target's files, but not with the target.

mod columns;
mod database;
mod digest;
mod held_tables;
mod names;
mod parquet_file;
mod promotion;
mod read_back;
mod reader;
mod rows_found;
mod record;
mod same_numbers;
mod same_version;
mod stored_form;

use std::collections::BTreeSet;

use event_parser::Plan;
use event_rows::PartitionKey;
use event_target::{DedupeScope, History, Location, Mode, PartitionFile, Partitions, TargetLayout};
use events_core::partition::PartitionUnit;

use self::reader::ExistingFile;
pub(crate) use self::{
    columns::ExistingColumns,
    database::{
        OpenDatabase, StoredPlaces, StoredRows, StoredTable, has_unique_ids, not_as_recorded, read_held,
        versions_in_database,
    },
    digest::RowsDigest,
    held_tables::{HeldTable, HeldTables, held_tables},
    parquet_file::ParquetFile,
    promotion::Promotion,
    read_back::digest_of,
    reader::ExistingRows,
    record::Record,
    rows_found::{each_id, rows_at},
    same_version::{Versions, versions_in},
    stored_form::StoredForm,
};
use crate::{
    error::Error,
    rows::{RowLedger, RowStore, Turnstile},
    runtime::Interruption,
    settings::Settings,
};

/// The partitions of a target, of the event types that a merge has rows of.
#[derive(Debug)]
pub(crate) struct Existing<'p> {
    target: Location,
    unit: PartitionUnit,
    /// By event type; `None` of types without rows.
    columns: Vec<Option<ExistingColumns<'p>>>,
    partitions: Partitions,
    /// The days whose partitions are searched, by event type; `None` if all are.
    days: Option<BTreeSet<(usize, i64)>>,
    /// Partitions that the load replaces, by their paths: the rows that the target has in them don't count.
    replaced: BTreeSet<String>,
    /// In a database: where the rows that compete are.
    places: StoredPlaces,
}

impl<'p> Existing<'p> {
    /// Lists the partitions that may have events of the input.
    pub(crate) fn list(
        settings: &Settings,
        plan: &'p Plan,
        ledger: &RowLedger,
        history: &History,
    ) -> Result<Self, Error> {
        let read: BTreeSet<_> = ledger.partition_keys().collect();
        let with_rows: BTreeSet<_> = read.iter().map(|(type_index, _)| *type_index).collect();
        let directory = |&index: &usize| (index, settings.layout.directory(plan.event_type(index)));
        let types: Vec<_> = with_rows.iter().map(directory).collect();
        let types: Vec<_> = types.iter().map(|(index, directory)| (*index, &**directory)).collect();
        let layout = TargetLayout::new(settings.layout, settings.partition_unit);
        let columns = (0..plan.event_type_count()).map(|index| {
            let of_type = || ExistingColumns::new(plan.event_type(index), settings.table_form());
            with_rows.contains(&index).then(of_type)
        });
        let unit = settings.partition_unit;
        let day = |(type_index, unit_index): &PartitionKey| (*type_index, unit.day_of(*unit_index));
        let mut partitions = settings.target.list_partitions(history, &layout, &types)?;
        let mut replaced = BTreeSet::new();
        if settings.mode == Mode::Overwrite {
            partitions.retain(|key, _| !read.contains(key));
            let path = |key: &PartitionKey| settings.partition_path(plan.event_type(key.0), key.1);
            replaced = read.iter().map(path).collect();
        }
        Ok(Self {
            target: settings.target.clone(),
            unit,
            columns: columns.collect(),
            partitions,
            days: (settings.dedupe_scope == DedupeScope::Day).then(|| read.iter().map(day).collect()),
            replaced,
            places: StoredPlaces::default(),
        })
    }

    /// One partition, with the files that the target has of it.
    pub(crate) fn of_partition(
        settings: &Settings,
        plan: &'p Plan,
        key: PartitionKey,
        files: Vec<PartitionFile>,
    ) -> Self {
        let of_type = || ExistingColumns::new(plan.event_type(key.0), settings.table_form());
        let columns = (0..plan.event_type_count()).map(|index| (index == key.0).then(of_type));
        let files = if files.is_empty() { None } else { Some((key, files)) };
        Self {
            target: settings.target.clone(),
            unit: settings.partition_unit,
            columns: columns.collect(),
            partitions: files.into_iter().collect(),
            days: None,
            replaced: BTreeSet::new(),
            places: StoredPlaces::default(),
        }
    }

    /// The event types that the merge has rows of.
    pub(crate) fn types(&self) -> impl Iterator<Item = usize> {
        self.columns.iter().enumerate().filter(|(_, columns)| columns.is_some()).map(|(index, _)| index)
    }

    /// The partitions that the target has of these types.
    pub(crate) fn partition_keys(&self) -> impl Iterator<Item = PartitionKey> {
        self.partitions.keys().copied()
    }

    fn partitions(&self) -> &Partitions {
        &self.partitions
    }

    /// Whether a file, given by its path in the target, is in a partition that the load replaces.
    fn is_replaced(&self, path: &str) -> bool {
        path.rsplit_once('/').is_some_and(|(partition, _)| self.replaced.contains(partition))
    }

    /// All rows of a partition, in order; `None` if the target does not have it.
    pub(crate) fn rows_of(&self, partition: PartitionKey) -> Option<ExistingRows<'_>> {
        let columns = self.columns[partition.0].as_ref()?;
        let instants = self.unit.instants_of(partition.1);
        Some(ExistingRows::merged(columns, (&self.target, self.partitions.get(&partition)?), instants))
    }

    /// Adds the rows that have an id of the input to the competing rows. At most `readers` threads read whole
    /// rows at a time.
    pub(crate) fn add_contenders(
        &self,
        rows: RowStore,
        (threads, readers): (usize, usize),
        interruption: &Interruption,
    ) -> Result<RowStore, Error> {
        let rows = Turnstile::new(rows);
        for (type_index, columns) in self.columns.iter().enumerate() {
            let Some(columns) = columns else { continue };
            let files: Vec<_> = self.files_to_search(type_index).collect();
            let found = Self::search(type_index, &files, &rows, threads, interruption)?;
            let found: Vec<_> = files.into_iter().zip(found).filter(|(_, rows)| !rows.is_empty()).collect();
            workers::map(readers, found.len(), |index| {
                interruption.check()?;
                let _guard = rows.guard();
                let (file, found) = &found[index];
                file.rows_at(found, columns, |batch| {
                    let add = |rows: &mut RowStore| rows.add_existing(type_index, batch);
                    rows.enter(|_| true, |rows| Ok(add(rows)?.into_iter().collect())).map(|_| ())
                })
            })?;
        }
        let mut rows = rows.into_inner();
        rows.seal()?;
        Ok(rows)
    }

    fn files_to_search(&self, of_type: usize) -> impl Iterator<Item = ExistingFile<'_>> {
        let is_searched = move |(type_index, unit_index): PartitionKey| {
            let day = (type_index, self.unit.day_of(unit_index));
            self.days.as_ref().is_none_or(|days| days.contains(&day))
        };
        let of_type = self.partitions.range((of_type, i64::MIN)..=(of_type, i64::MAX));
        let searched = of_type.filter(move |(partition, _)| is_searched(**partition));
        searched.flat_map(|(_, files)| files).map(|file| ExistingFile::merged(&self.target, file))
    }

    /// The rows of each file that have an id of the input, ascending.
    fn search(
        type_index: usize,
        files: &[ExistingFile<'_>],
        rows: &Turnstile<RowStore>,
        threads: usize,
        interruption: &Interruption,
    ) -> Result<Vec<Vec<u32>>, Error> {
        let mut found = vec![Vec::new(); files.len()];
        for ranges in rows.look(|rows| rows.id_passes(type_index)) {
            let wanted = rows.look(|rows| rows.ids(type_index, ranges))?;
            let in_pass = workers::map(threads, files.len(), |index| {
                interruption.check()?;
                files[index].rows_with(&wanted)
            })?;
            for (found, rows) in found.iter_mut().zip(in_pass) {
                found.extend(rows);
            }
        }
        for rows in &mut found {
            rows.sort_unstable();
        }
        Ok(found)
    }
}
