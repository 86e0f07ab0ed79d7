//! Event ids and timestamps of bad lines, and all rows of the run → the last row that has the same.
//!
//! Of an event type with a version, only the rows of the highest version count among those with one id and
//! timestamp: no other can be the row that the target will have. Rows of the target take part in that, and
//! are not counted themselves.
//!
//! A row costs one look-up of its timestamp, and only in event types that are asked for.
//!
//! Invariant: whole ids are compared. The result does not depend on whether rows are spilled.

use std::collections::BTreeMap;

use event_rows::{Id, Position, VersionOrder};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::{RowStore, TypeRows};
use crate::{
    error::Error,
    latest::{RANGES, SpilledContenders},
};

/// A bad line that says of which event and time it is.
#[derive(Debug)]
pub(crate) struct DatedLine {
    /// Where the line is.
    pub(crate) position: Position,
    pub(crate) id: Box<str>,
    /// The last row of the run with the same id and timestamp, and of the highest version among these.
    pub(crate) last_row: Option<Position>,
    /// That version's key; none before a row was found, and where the event type has no version.
    version: Option<Box<[u8]>>,
}

/// Bad lines by event type and timestamp.
#[derive(Debug, Default)]
pub(crate) struct DatedLines {
    by_type: BTreeMap<usize, HashMap<i64, Vec<DatedLine>, FixedState>>,
    /// By partition: those of event types of which the run has no rows.
    without_rows: BTreeMap<String, Vec<(i64, DatedLine)>>,
    bytes: usize,
}

impl DatedLines {
    pub(crate) fn add(&mut self, type_index: usize, micros: i64, id: Box<str>, position: Position) {
        self.bytes += 2 * size_of::<DatedLine>() + size_of::<i64>() + id.len();
        let line = DatedLine { position, id, last_row: None, version: None };
        self.by_type.entry(type_index).or_default().entry(micros).or_default().push(line);
    }

    /// Adds a line of a partition's event type, of which the run has no rows.
    pub(crate) fn add_without_rows(&mut self, path: String, micros: i64, id: Box<str>, position: Position) {
        self.bytes += 3 * size_of::<DatedLine>() + path.len() + id.len();
        let line = DatedLine { position, id, last_row: None, version: None };
        self.without_rows.entry(path).or_default().push((micros, line));
    }

    /// The lines of event types without rows, each with its partition.
    pub(crate) fn without_rows(&self) -> impl Iterator<Item = (&str, i64, &DatedLine)> {
        let lines = self.without_rows.iter();
        lines.flat_map(|(path, lines)| lines.iter().map(|(micros, line)| (path.as_str(), *micros, line)))
    }

    /// The memory that they take, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The others, each with its event type and timestamp.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, i64, &DatedLine)> {
        self.by_type.iter().flat_map(|(type_index, by_time)| {
            by_time.iter().flat_map(|(micros, lines)| lines.iter().map(|line| (*type_index, *micros, line)))
        })
    }
}

impl DatedLines {
    /// Compares rows of an event type with its lines.
    pub(crate) fn compare_with(&mut self, type_index: usize, contenders: &SpilledContenders) {
        let Some(lines) = self.by_type.get_mut(&type_index) else { return };
        contenders.each(|id, row| {
            let counts = if row.position.is_existing() {
                row.key.is_some()
            } else {
                !row.position.is_later_candidate()
            };
            if counts {
                compare(lines, id, row);
            }
        });
    }

    /// Sets the last row of each line, by its place, where one was found.
    pub(crate) fn set_last_rows(&mut self, found: &BTreeMap<Position, Position>) {
        let lines = self.by_type.values_mut().flat_map(HashMap::values_mut).flatten();
        lines.for_each(|line| line.last_row = found.get(&line.position).copied());
    }
}

/// Compares a row with the lines of its event type.
fn compare(lines: &mut HashMap<i64, Vec<DatedLine>, FixedState>, id: Id<'_>, row: VersionOrder<'_>) {
    let VersionOrder { key, micros, position } = row;
    let Some(lines) = lines.get_mut(&micros) else { return };
    for line in lines.iter_mut().filter(|line| Id::of(&line.id) == id) {
        let order = key.cmp(&line.version.as_deref());
        if order.is_gt() {
            line.version = key.map(Into::into);
            line.last_row = None;
        }
        let is_later = || line.last_row.is_none_or(|last| position.is_behind_in_input(last));
        if order.is_ge() && !position.is_existing() && is_later() {
            line.last_row = Some(position);
        }
    }
}

impl RowStore {
    /// Sets the last row of each line. Only rows of the input for which `counts` holds are looked at.
    pub(crate) fn find_last_rows(
        &self,
        lines: &mut DatedLines,
        counts: impl Fn(Position) -> bool,
    ) -> Result<(), Error> {
        let counts = |row: &VersionOrder<'_>| {
            let VersionOrder { key, position, .. } = *row;
            if position.is_existing() {
                key.is_some()
            } else {
                !position.is_later_candidate() && counts(position)
            }
        };
        for (&type_index, lines) in &mut lines.by_type {
            let Some(spill) = &self.spill else {
                let TypeRows { batches, competitors } = &self.types[type_index];
                let competitors = competitors.iter().filter(|batch| batch.versions.is_some());
                for batch in batches.iter().chain(competitors) {
                    for (row, micros) in batch.micros.iter().enumerate() {
                        if lines.contains_key(micros) && counts(&batch.version_order(row)) {
                            compare(lines, batch.ids.get(row), batch.version_order(row));
                        }
                    }
                }
                continue;
            };
            spill.each_contenders(type_index, 0..RANGES, &self.deduper, |contenders| {
                contenders.each(|id, row| {
                    if counts(&row) {
                        compare(lines, id, row);
                    }
                });
            })?;
        }
        Ok(())
    }
}
