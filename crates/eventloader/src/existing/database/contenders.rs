//! The ids of the input → the rows of the tables that have one of them, which compete with it.
//!
//! The database looks for them: by the index on `event_id`, or by reading the table once, whichever it finds
//! better.
//!
//! Invariant: of an event that the input has, every row in its table competes, but for those of partitions
//! that the load replaces. Rows of a partition that no load recorded are refused.

use std::{
    collections::{BTreeMap, HashSet},
    iter,
};

use event_parser::Plan;
use event_rows::{Batch, PartitionKey, Position, RowRef, gather};
use event_target::{Differs, History, TargetError};
use events_core::partition::PartitionUnit;

use super::{OpenDatabase, StoredRows, StoredTable, ids, not_as_recorded};
use crate::{
    error::Error,
    existing::{Existing, ExistingColumns},
    latest::Superseded,
    rows::{RowStore, Turnstile},
    runtime::Interruption,
    settings::Settings,
};

/// Where the rows that compete are in their tables.
#[derive(Debug, Default)]
pub(crate) struct StoredPlaces(BTreeMap<PartitionKey, OfPartition>);

#[derive(Debug)]
struct OfPartition {
    /// The number in the positions of its rows.
    number: u32,
    /// The `ctid` of each row, by its number in the positions.
    ctids: Vec<u64>,
}

impl StoredPlaces {
    /// The `ctid` of each superseded row of a partition.
    pub(crate) fn superseded<'s>(
        &'s self,
        partition: PartitionKey,
        superseded: &'s Superseded,
    ) -> impl Iterator<Item = u64> + 's {
        let of_partition = self.0.get(&partition).into_iter();
        let rows = of_partition.flat_map(|of| iter::repeat(of.number).zip(0..).zip(&of.ctids));
        let left_out = rows.filter(|((file, row), _)| superseded.contains(Position::existing(*file, *row)));
        left_out.map(|(_, ctid)| *ctid)
    }
}

impl Existing<'_> {
    /// Adds the rows that have an id of the input to the competing rows.
    pub(crate) fn add_stored(
        &mut self,
        rows: RowStore,
        (database, settings, plan): (&OpenDatabase, &Settings, &Plan),
        history: &History,
        interruption: &Interruption,
    ) -> Result<RowStore, Error> {
        let rows = Turnstile::new(rows);
        let mut places = StoredPlaces::default();
        for (type_index, columns) in self.columns.iter().enumerate() {
            let Some(columns) = columns else { continue };
            if self.partitions.range((type_index, i64::MIN)..=(type_index, i64::MAX)).next().is_none() {
                continue;
            }
            let (context, form) = ((&self.target, database, history), settings.table_form());
            let table = StoredTable::of(context, plan.event_type(type_index), (form, self.unit))?;
            table.lock(database)?;
            let within = self.within(type_index, &table, &rows);
            let mut found = Found { existing: self, columns, settings, history, places: &mut places };
            let take = |batch: Batch, ctids: Vec<u64>| {
                interruption.check()?;
                let batch = found.positioned(type_index, batch, ctids)?;
                let versions = columns.versions(&batch.columns, batch.rows());
                let batch = Batch { versions, ..batch };
                let add = |rows: &mut RowStore| rows.add_existing(type_index, batch);
                rows.enter(|_| true, |rows| Ok(add(rows)?.into_iter().collect())).map(|_| ())
            };
            search(database, &table, (type_index, &rows), &within, take)?;
        }
        self.places = places;
        let mut rows = rows.into_inner();
        rows.seal()?;
        Ok(rows)
    }

    /// The condition for the rows that compete, beside their ids.
    fn within(&self, type_index: usize, table: &StoredTable<'_>, rows: &Turnstile<RowStore>) -> String {
        let mut conditions = vec!["true".to_owned()];
        if let Some(days) = &self.days {
            let days = days.range((type_index, i64::MIN)..=(type_index, i64::MAX)).map(|(_, day)| *day);
            let units = days.flat_map(|day| match self.unit {
                PartitionUnit::Day => day..day + 1,
                PartitionUnit::Hour => day * 24..(day + 1) * 24,
            });
            conditions.push(table.within(units));
        }
        if !self.replaced.is_empty() {
            let read: Vec<_> = rows.look(|rows| rows.ledger().partition_keys().collect());
            let replaced = read.into_iter().filter(|(of, _)| *of == type_index).map(|(_, unit)| unit);
            conditions.push(format!("NOT {}", table.within(replaced)));
        }
        conditions.join(" AND ")
    }

    /// Refuses a partition with columns that a merge would lose, by its record.
    pub(crate) fn check_columns(&self, key: PartitionKey, history: &History) -> Result<(), Error> {
        let Some(columns) = &self.columns[key.0] else { return Ok(()) };
        for file in self.partitions.get(&key).into_iter().flatten() {
            let recorded = history.files.get(&file.path).and_then(|file| file.table.as_ref());
            let Some(held) = recorded.and_then(|name| history.tables.get(name)) else { continue };
            columns.check_recorded(held).map_err(|problem| {
                let problem = format!("can't be merged with: {problem}");
                let refused = TargetError::Unusable { path: self.target.address(&file.path), problem };
                Error::from(refused).of_type(columns.event_type())
            })?;
        }
        Ok(())
    }

    /// Where the rows that compete are in their tables.
    pub(crate) fn places(&self) -> &StoredPlaces {
        &self.places
    }
}

/// Hands the rows of a table that are `within` a condition, and have an id of the input, to `take`.
fn search(
    database: &OpenDatabase,
    table: &StoredTable<'_>,
    (type_index, rows): (usize, &Turnstile<RowStore>),
    within: &str,
    mut take: impl FnMut(Batch, Vec<u64>) -> Result<(), Error>,
) -> Result<(), Error> {
    let Some(stored) = StoredRows::of(table) else { return Ok(()) };
    let mut session = database.session();
    if !database.is_dry_run() {
        ids::send(type_index, rows, &mut **session)?;
        let condition = format!("t.event_id IN (SELECT i.event_id FROM {} AS i) AND {within}", ids::TABLE);
        return stored.read(&mut **session, (&condition, true), &mut take);
    }
    // It may not create a table. An id may be asked for several times.
    let mut found = HashSet::new();
    for piece in 0..rows.look(|rows| rows.id_pieces(type_index)) {
        for ids in ids::literals(type_index, piece, rows)? {
            let condition = format!("t.event_id = ANY ({ids}) AND {within}");
            stored.read(&mut **session, (&condition, true), &mut |batch, ctids| {
                let is_new: Vec<_> = ctids.iter().map(|ctid| found.insert(*ctid)).collect();
                let new = || (0..).zip(&is_new).filter(|(_, is_new)| **is_new).map(|(row, _)| row);
                let refs: Vec<_> = new().map(|row| RowRef::new(0, row)).collect();
                let batch = gather(&[batch], &refs).map_err(Error::encode("rows of the target"))?;
                take(batch, new().map(|row| ctids[row]).collect())
            })?;
        }
    }
    Ok(())
}

/// Rows that were found, and the partitions that they are in.
struct Found<'f, 'p> {
    existing: &'f Existing<'p>,
    columns: &'f ExistingColumns<'p>,
    settings: &'f Settings,
    history: &'f History,
    places: &'f mut StoredPlaces,
}

impl Found<'_, '_> {
    /// The batch with the position of each row, whose places are kept.
    fn positioned(&mut self, type_index: usize, batch: Batch, ctids: Vec<u64>) -> Result<Batch, Error> {
        let mut positions = Vec::with_capacity(batch.rows());
        for (&micros, ctid) in batch.micros.iter().zip(ctids) {
            let key = (type_index, self.existing.unit.index_of(micros));
            if !self.places.0.contains_key(&key) {
                let number = self.first_of(key)?;
                self.places.0.insert(key, OfPartition { number, ctids: Vec::new() });
            }
            let Some(OfPartition { number, ctids }) = self.places.0.get_mut(&key) else { continue };
            let row = u32::try_from(ctids.len()).unwrap_or(u32::MAX);
            positions.push(Position::existing(*number, row));
            ctids.push(ctid);
        }
        Ok(Batch { positions, ..batch })
    }

    /// Checks a partition that has a row that competes, and returns its number.
    fn first_of(&self, key: PartitionKey) -> Result<u32, Error> {
        let target = &self.existing.target;
        let Some(file) = self.existing.partitions.get(&key).and_then(|files| files.first()) else {
            let path = self.settings.partition_path(self.columns.event_type(), key.1);
            return Err(not_as_recorded((target, self.history), &[(&path, Differs::Foreign)]));
        };
        self.existing.check_columns(key, self.history)?;
        Ok(file.number)
    }
}
