//! The partitions of one event type → the statements that bring its table to them.
//!
//! ```text
//! lock → compare what is replaced → rows go → columns come → rows come → indexes
//! ```
//!
//! Rows go before columns change, because a new type moves the rows. A new table gets its indexes when its
//! rows are there, which takes less time.
//!
//! Invariant: a table to which nothing changes is not written to.

use std::collections::BTreeMap;

use event_postgres::ctid_text;
use event_rows::PartitionKey;
use event_target::{DedupeScope, Differs};
use events_core::table::TableColumns;
use foldhash::quality::SeedableRandomState;

use super::{
    copy::Copy,
    partition::{Sent, TablePartition},
    unchanged::{new_contents, stored_contents},
};
use crate::{
    error::Error,
    existing::{Existing, OpenDatabase, StoredTable, not_as_recorded},
    latest::SupersededCounts,
    output::{Staged, Writing},
    rows::Partition,
    runtime::Stage,
};

/// So many rows are deleted by one statement.
const DELETED_AT_ONCE: usize = 10_000;

/// A table that is about to change.
pub(super) struct TableLoad<'a> {
    writing: &'a Writing<'a>,
    database: &'a OpenDatabase,
    table: StoredTable<'a>,
    /// The name of its columns in the commit.
    columns: &'a str,
    partitions: &'a [Partition],
    /// The same partitions.
    of: Vec<TablePartition>,
    /// What was found out about those that are unchanged, by their numbers.
    unchanged: BTreeMap<usize, Sent>,
}

impl<'a> TableLoad<'a> {
    pub(super) fn new(
        writing: &'a Writing<'a>,
        database: &'a OpenDatabase,
        partitions: &'a [Partition],
        superseded: &BTreeMap<PartitionKey, SupersededCounts>,
        columns: &'a BTreeMap<usize, (String, TableColumns)>,
    ) -> Result<Self, Error> {
        let Writing { settings, plan, history, .. } = *writing;
        let type_index = partitions.first().map_or(0, |first| first.type_index);
        let context = (&settings.target, database, history);
        let form = (settings.table_form(), settings.partition_unit);
        let table = StoredTable::of(context, plan.event_type(type_index), form)?;
        let columns = columns.get(&type_index).map_or("", |(name, _)| name.as_str());
        let of = partitions.iter().map(|partition| {
            let key = partition.key();
            let of_target = superseded.get(&key).map_or(0, |counts| counts.existing);
            let facts = (writing.is_replaced(partition), of_target);
            TablePartition::new(key, writing.path(key), facts, (history, columns))
        });
        let of = of.collect();
        Ok(Self { writing, database, table, columns, partitions, of, unchanged: BTreeMap::new() })
    }

    /// Does everything.
    pub(super) fn run(mut self, threads: usize) -> Result<Vec<Staged>, Error> {
        let mut clock = self.writing.stages.clock();
        self.table.lock(self.database)?;
        self.compare(threads)?;
        self.check_merged()?;
        clock.lap(Stage::Compare);
        let is_changed = |number: &usize| !self.unchanged.contains_key(number);
        let changed: Vec<_> = (0..self.partitions.len()).filter(is_changed).collect();
        let mut sent = BTreeMap::new();
        if !changed.is_empty() {
            self.delete()?;
            self.prepare()?;
            clock.lap(Stage::Copy);
            let partitions = changed.iter().map(|number| &self.partitions[*number]).collect();
            let Self { writing, database, ref table, .. } = self;
            let copy = Copy { writing, database, table: &table.wanted, partitions };
            sent.extend(changed.into_iter().zip(copy.run(threads)?));
            clock = self.writing.stages.clock();
            self.finish()?;
            clock.lap(Stage::Copy);
        }
        sent.append(&mut self.unchanged);
        let event_type = self.table.event_type();
        let staged = (0..).zip(self.of).map(|(number, partition)| {
            let sent = sent.remove(&number).unwrap_or_default();
            partition.staged(event_type, self.columns, sent)
        });
        staged.collect()
    }

    /// Finds the partitions that are replaced by what they have already.
    fn compare(&mut self, threads: usize) -> Result<(), Error> {
        let state = SeedableRandomState::random();
        let Self { writing, partitions, .. } = *self;
        // Where rows are spilled, nobody knows how many there are before they are read.
        let may_be_same = |number: &usize| {
            let (partition, of) = (&partitions[*number], &self.of[*number]);
            let rows = partition.rows_in_memory() as u64;
            let is_spilled = writing.rows.is_spilled();
            of.is_replaced && of.has_columns && (is_spilled || rows == of.recorded.0)
        };
        let candidates: Vec<_> = (0..partitions.len()).filter(may_be_same).collect();
        let new = workers::map(threads, candidates.len(), |index| {
            new_contents(writing, &state, &partitions[candidates[index]])
        })?;
        let mut session = self.database.session();
        for (number, (contents, sent)) in candidates.into_iter().zip(new) {
            if sent.rows != self.of[number].recorded.0 {
                continue;
            }
            let unit = partitions[number].unit_index;
            if contents == stored_contents((writing, &mut **session), &state, &self.table, unit)? {
                self.of[number].is_unchanged = true;
                writing.controls.progress.partition_written();
                self.unchanged.insert(number, sent);
            }
        }
        Ok(())
    }

    /// Refuses partitions to be merged that have columns which the catalog does not have, or not as many rows
    /// as recorded: the rest would be recorded as all that there is.
    fn check_merged(&self) -> Result<(), Error> {
        let merged: Vec<_> = self.of.iter().filter(|of| !of.is_replaced).collect();
        if let Some(existing) = self.writing.existing {
            let history = self.writing.history;
            merged.iter().try_for_each(|of| existing.check_columns(of.key, history))?;
        }
        let mut counts = self.table.counts(self.database, merged.iter().map(|of| of.key.1))?;
        let differing = merged.into_iter().filter_map(|of| {
            let rows = counts.remove(&of.key.1).unwrap_or_default();
            let differs = match (rows, of.recorded.0) {
                (rows, recorded) if rows == recorded => return None,
                (0, _) => Differs::Missing,
                (_, 0) => Differs::Foreign,
                _ => Differs::OtherRows,
            };
            Some((of.path.as_str(), differs))
        });
        let differing: Vec<_> = differing.collect();
        if differing.is_empty() {
            return Ok(());
        }
        let Writing { settings, history, .. } = *self.writing;
        Err(not_as_recorded((&settings.target, history), &differing))
    }

    /// Deletes the rows that are replaced, and those that are superseded.
    fn delete(&self) -> Result<(), Error> {
        let Some(held) = &self.table.held else { return Ok(()) };
        if self.database.is_dry_run() {
            return Ok(());
        }
        let name = held.qualified_name();
        let replaced = self.of.iter().filter(|of| of.is_replaced && !of.is_unchanged);
        let mut replaced: Vec<_> = replaced.map(|of| of.key.1).collect();
        replaced.sort_unstable();
        if !replaced.is_empty() {
            self.database.change(&format!("DELETE FROM {name} WHERE {}", self.table.within(replaced)))?;
        }
        let superseded = self.writing.superseded;
        let places = self.writing.existing.map(Existing::places);
        let rows = self.of.iter().filter(|of| !of.is_replaced);
        let rows =
            rows.flat_map(|of| places.into_iter().flat_map(|places| places.superseded(of.key, superseded)));
        let mut ctids = rows.map(|ctid| format!("\"{}\"", ctid_text(ctid)));
        let sql = format!("DELETE FROM {name} WHERE ctid = ANY ($1::pg_catalog.tid[])");
        let mut deleted = 0;
        loop {
            let next: Vec<_> = ctids.by_ref().take(DELETED_AT_ONCE).collect();
            if next.is_empty() {
                break;
            }
            self.writing.controls.interruption.check()?;
            deleted += self.database.session().execute(&sql, &[&format!("{{{}}}", next.join(","))])?;
        }
        let expected: u64 = self.of.iter().filter(|of| !of.is_replaced).map(|of| of.superseded).sum();
        if deleted != expected {
            return Err(Error::Unbalanced(format!("{name}: {expected} rows superseded, {deleted} deleted")));
        }
        Ok(())
    }

    /// Creates the table, or gives it the columns that it needs.
    fn prepare(&self) -> Result<(), Error> {
        let StoredTable { wanted, held, has_unique_ids, .. } = &self.table;
        let Some(held) = held else { return self.database.change(&wanted.create()).map(|_| ()) };
        let altered = wanted.alter(held.columns());
        if !altered.is_empty() {
            self.database.change(&format!("{altered}{}", wanted.comments()))?;
        }
        if *has_unique_ids && !self.keeps_ids_once() {
            self.database.change(&format!("{}{}", wanted.drop_id_index(), wanted.id_index(false)))?;
        }
        Ok(())
    }

    /// Creates the indexes of a new table.
    fn finish(&self) -> Result<(), Error> {
        if self.table.held.is_some() {
            return Ok(());
        }
        self.database.change(&self.table.wanted.indexes(self.keeps_ids_once())).map(|_| ())
    }

    /// Whether an event is in the whole table once.
    fn keeps_ids_once(&self) -> bool {
        self.writing.settings.dedupe_scope == DedupeScope::Target
    }
}
