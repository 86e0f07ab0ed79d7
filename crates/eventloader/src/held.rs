//! What a target holds already → the rows that compete with those of a merge, and the partitions that it changes.
//!
//! Where an event lives is told by the files themselves: the column of ids of every partition of the event type is read, but for row
//! groups whose least and greatest id have none of the input's between them, and held against the ids of the input. Rows that have one of these are read whole, and compete like rows of the input that come
//! before it. No index is kept, so none can be wrong; docs/merge.md has what that costs.
//!
//! Invariant: of an event that the input has, every row that the target holds competes. Memory grows with such rows, not with
//! the target, but for the names of its files.

mod columns;
mod reader;
mod tree;

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use events_core::partition::PartitionUnit;

use self::columns::HeldColumns;
pub(crate) use self::reader::HeldRows;
use crate::{
    accounts::PartitionKey,
    batch::Batch,
    commit::TargetLayout,
    error::Error,
    latest::DedupeScope,
    plan::Plan,
    rows::RowStore,
    settings::Settings,
    spill::SpilledRun,
    workers,
};

/// A file of the target.
#[derive(Debug)]
struct HeldFile {
    path: PathBuf,
    /// What its rows' positions begin with.
    number: u32,
}

/// The partitions of a target, of the event types that a merge has rows of.
#[derive(Debug)]
pub(crate) struct Held<'p> {
    unit: PartitionUnit,
    /// By event type; none of types without rows.
    columns: Vec<Option<HeldColumns<'p>>>,
    partitions: tree::Partitions,
    /// By event type, the days whose partitions are looked through; none where that is all.
    days: Option<BTreeSet<(usize, i64)>>,
}

impl<'p> Held<'p> {
    /// Lists the partitions that may hold events of the input.
    pub(crate) fn list(settings: &Settings, plan: &'p Plan, rows: &RowStore) -> Result<Self, Error> {
        let read = rows.accounts().partitions();
        let with_rows: BTreeSet<_> = read.keys().map(|(type_index, _)| *type_index).collect();
        let directory = |&index: &usize| (index, plan.event_types[index].event_type.directory.as_str());
        let types: Vec<_> = with_rows.iter().map(directory).collect();
        let layout = TargetLayout::new(settings.layout, settings.partition_unit);
        let columns = plan.event_types.iter().enumerate();
        let columns = columns.map(|(index, plan)| {
            with_rows.contains(&index).then(|| HeldColumns::new(plan, settings.flatten))
        });
        let unit = settings.partition_unit;
        let day = |(type_index, unit_index): &PartitionKey| (*type_index, unit.day_of(*unit_index));
        Ok(Self {
            unit,
            columns: columns.collect(),
            partitions: tree::list(&settings.target, &layout, &types)?,
            days: (settings.dedupe_scope == DedupeScope::Day).then(|| read.keys().map(day).collect()),
        })
    }

    /// Whether the target has a partition.
    pub(crate) fn contains(&self, partition: PartitionKey) -> bool {
        self.partitions.contains_key(&partition)
    }

    /// All rows of a partition, in order; none of one that is not there.
    pub(crate) fn rows_of(&self, partition: PartitionKey) -> Option<HeldRows<'_>> {
        let columns = self.columns[partition.0].as_ref()?;
        let instants = self.unit.instants_of(partition.1);
        Some(HeldRows::new(columns, self.partitions.get(&partition)?, instants))
    }

    /// Adds the rows that have an id of the input; so many threads read whole rows at once.
    pub(crate) fn add_contenders(
        &self,
        rows: RowStore,
        readers: usize,
        settings: &Settings,
    ) -> Result<RowStore, Error> {
        let adding = Adding { rows: Mutex::new(rows), moved: Condvar::new() };
        for (type_index, columns) in self.columns.iter().enumerate() {
            let Some(columns) = columns else { continue };
            let files: Vec<_> = self.files_to_search(type_index).collect();
            let found = Self::search(type_index, &files, &adding, settings)?;
            let found: Vec<_> = files.into_iter().zip(found).filter(|(_, rows)| !rows.is_empty()).collect();
            // As many as encode at once: each holds about as much.
            workers::map(readers, found.len(), |index| {
                settings.interruption.check()?;
                let (file, rows) = &found[index];
                file.rows_at(rows, columns, |batch| adding.add(type_index, batch))
            })?;
        }
        let mut rows = adding.rows.into_inner().unwrap_or_else(PoisonError::into_inner);
        rows.seal()?;
        Ok(rows)
    }

    fn files_to_search(&self, of_type: usize) -> impl Iterator<Item = &HeldFile> {
        let is_searched = move |(type_index, unit_index): PartitionKey| {
            let day = (type_index, self.unit.day_of(unit_index));
            self.days.as_ref().is_none_or(|days| days.contains(&day))
        };
        let of_type = self.partitions.range((of_type, i64::MIN)..=(of_type, i64::MAX));
        of_type.filter(move |(partition, _)| is_searched(**partition)).flat_map(|(_, files)| files)
    }

    /// By file: the rows that have an id of the input, ascending.
    fn search(
        type_index: usize,
        files: &[&HeldFile],
        adding: &Adding,
        settings: &Settings,
    ) -> Result<Vec<Vec<u32>>, Error> {
        let mut found = vec![Vec::new(); files.len()];
        let passes = adding.rows().id_passes(type_index);
        for ranges in passes {
            let wanted = adding.rows().ids(type_index, ranges)?;
            let in_pass = workers::map(settings.threads, files.len(), |index| {
                settings.interruption.check()?;
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

/// Rows to which all threads add.
struct Adding {
    rows: Mutex<RowStore>,
    /// A spill job is done.
    moved: Condvar,
}

impl Adding {
    fn rows(&self) -> MutexGuard<'_, RowStore> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds rows of the target; spills some where memory is short.
    fn add(&self, type_index: usize, batch: Batch) -> Result<(), Error> {
        let is_full = |rows: &mut RowStore| rows.is_full();
        let mut rows = self.moved.wait_while(self.rows(), is_full).unwrap_or_else(PoisonError::into_inner);
        let job = rows.add_held(type_index, batch)?;
        drop(rows);
        let Some(job) = job else { return Ok(()) };
        // Nobody is to wait for a job that failed.
        let (run, failed) =
            job.write().map_or_else(|error| (SpilledRun::default(), Err(error)), |run| (run, Ok(())));
        self.rows().spilled(run);
        self.moved.notify_all();
        failed
    }
}
