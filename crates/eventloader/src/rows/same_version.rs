//! Event ids and timestamps of bad lines, and all rows of the run → the last row that has the same.
//!
//! A row costs one look-up of its timestamp, and only in event types that are asked for.
//!
//! Invariant: whole ids are compared. The result does not depend on whether rows are spilled.

use std::collections::BTreeMap;

use event_rows::{Id, Position};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::RowStore;
use crate::{error::Error, latest::RANGES};

/// A bad line that says of which event and time it is.
#[derive(Debug)]
pub(crate) struct DatedLine {
    /// Where the line is.
    pub(crate) position: Position,
    pub(crate) id: Box<str>,
    /// The last row of the run with the same id and timestamp.
    pub(crate) last_row: Option<Position>,
}

/// Bad lines by event type and timestamp.
#[derive(Debug, Default)]
pub(crate) struct DatedLines {
    by_type: BTreeMap<usize, HashMap<i64, Vec<DatedLine>, FixedState>>,
    bytes: usize,
}

impl DatedLines {
    pub(crate) fn add(&mut self, type_index: usize, micros: i64, id: Box<str>, position: Position) {
        self.bytes += 2 * size_of::<DatedLine>() + size_of::<i64>() + id.len();
        let line = DatedLine { position, id, last_row: None };
        self.by_type.entry(type_index).or_default().entry(micros).or_default().push(line);
    }

    /// The memory that they take, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Each with its event type and timestamp.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, i64, &DatedLine)> {
        self.by_type.iter().flat_map(|(type_index, by_time)| {
            by_time.iter().flat_map(|(micros, lines)| lines.iter().map(|line| (*type_index, *micros, line)))
        })
    }
}

/// Compares a row with the lines of its event type.
fn compare(lines: &mut HashMap<i64, Vec<DatedLine>, FixedState>, micros: i64, id: Id<'_>, row: Position) {
    let Some(lines) = lines.get_mut(&micros) else { return };
    for line in lines.iter_mut().filter(|line| Id::of(&line.id) == id) {
        let is_later = line.last_row.is_none_or(|last| row.is_behind_in_input(last));
        if is_later {
            line.last_row = Some(row);
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
        let counts = |row: Position| !row.is_existing() && !row.is_later_candidate() && counts(row);
        for (&type_index, lines) in &mut lines.by_type {
            let Some(spill) = &self.spill else {
                for batch in &self.types[type_index].batches {
                    for (row, (&micros, &position)) in batch.micros.iter().zip(&batch.positions).enumerate() {
                        if lines.contains_key(&micros) && counts(position) {
                            compare(lines, micros, batch.ids.get(row), position);
                        }
                    }
                }
                continue;
            };
            spill.each_contenders(type_index, 0..RANGES, &self.deduper, |contenders| {
                let uuids = contenders.uuids.iter().map(|row| (Id::Uuid(row.uuid), row.version));
                let texts = contenders.texts.iter().map(|row| (Id::Text(&row.text), row.version));
                for (id, version) in uuids.chain(texts).filter(|(_, version)| counts(version.position)) {
                    compare(lines, version.micros, id, version.position);
                }
            })?;
        }
        Ok(())
    }
}
