//! Superseded rows, with those that are kept → the first of them in input order, for the report.
//!
//! All event types and ranges of ids offer theirs to one collector, from all threads and in any order. Ids
//! are copied only for rows that it accepts.
//!
//! Invariant: at the end it has the superseded rows that come first in the input, whatever the order in which
//! they were offered, and never more than requested.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use event_rows::{Id, Position, VersionOrder, uuid_text};
use serde::{Deserialize, Serialize};

use super::superseded::{SupersededKind, SupersededRow};
use crate::runtime::names;

/// A superseded row beside the one that is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) type_index: usize,
    /// Cut like the names in the report.
    pub(crate) event_id: String,
    pub(crate) kind: SupersededKind,
    pub(crate) row: SampledRow,
    /// A row of the input, a later candidate, or a row of the target.
    pub(crate) by: SampledRow,
}

/// What the report says of a row.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SampledRow {
    pub(crate) micros: i64,
    #[serde(with = "bits")]
    pub(crate) position: Position,
    /// The key of its version, if its type has one.
    pub(crate) version: Option<Box<[u8]>>,
}

impl From<VersionOrder<'_>> for SampledRow {
    fn from(VersionOrder { key, micros, position }: VersionOrder<'_>) -> Self {
        Self { micros, position, version: key.map(Into::into) }
    }
}

/// A position as its eight bytes.
mod bits {
    use event_rows::Position;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(position: &Position, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(position.to_bits())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Position, D::Error> {
        u64::deserialize(deserializer).map(Position::from_bits)
    }
}

/// Collects samples of all event types.
#[derive(Debug)]
pub(crate) struct Samples {
    rows_max: usize,
    first: Mutex<First<Sample>>,
}

/// Collects samples of one event type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sampler<'s> {
    samples: &'s Samples,
    type_index: usize,
}

/// The entries that come first in the input, up to a number.
#[derive(Debug)]
struct First<T> {
    entries_max: usize,
    entries: BTreeMap<Position, T>,
}

impl<T> First<T> {
    fn new(entries_max: usize) -> Self {
        Self { entries_max, entries: BTreeMap::new() }
    }

    /// The position from which on it accepts no more; `None` until it is full.
    fn end(&self) -> Option<Position> {
        let (last, _) = self.entries.last_key_value()?;
        (self.entries.len() >= self.entries_max).then_some(*last)
    }

    /// Adds an entry, which is only made if it is among the first.
    fn add(&mut self, position: Position, entry: impl FnOnce() -> T) {
        if self.end().is_some_and(|end| position > end) {
            return;
        }
        self.entries.insert(position, entry());
        if self.entries.len() > self.entries_max {
            self.entries.pop_last();
        }
    }
}

impl Samples {
    pub(crate) fn new(rows_max: usize) -> Self {
        Self { rows_max, first: Mutex::new(First::new(rows_max)) }
    }

    pub(crate) fn of_type(&self, type_index: usize) -> Sampler<'_> {
        Sampler { samples: self, type_index }
    }

    /// In input order.
    pub(crate) fn into_list(self) -> Vec<Sample> {
        let first = self.first.into_inner().unwrap_or_else(PoisonError::into_inner);
        first.entries.into_values().collect()
    }

    fn first(&self) -> MutexGuard<'_, First<Sample>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sampler<'_> {
    /// Accepts the samples of a range that are among the first. `superseded_rows` are the judged rows, and
    /// `pairs` the superseded rows, each with the row that is kept.
    pub(super) fn offer<'k, R: Copy>(
        self,
        superseded_rows: &[SupersededRow],
        pairs: &[(R, R)],
        row: impl Fn(R) -> VersionOrder<'k>,
        id: impl Fn(R) -> String,
    ) {
        let Self { samples, type_index } = self;
        if samples.rows_max == 0 {
            return;
        }
        let end = samples.first().end();
        let mut kinds = First::new(samples.rows_max);
        let is_line = |superseded: &&SupersededRow| !superseded.position.is_existing();
        for superseded in superseded_rows
            .iter()
            .filter(is_line)
            .filter(|superseded| end.is_none_or(|end| superseded.position < end))
        {
            kinds.add(superseded.position, || superseded.kind);
        }
        let judged = |&(winner, superseded): &(R, R)| {
            let kind = *kinds.entries.get(&row(superseded).position)?;
            Some((winner, superseded, kind))
        };
        let judged: Vec<_> = pairs.iter().filter_map(judged).collect();
        let mut first = samples.first();
        for (winner, superseded, kind) in judged {
            let (row, by) = (row(superseded), row(winner));
            let sample = || {
                let (row, by) = (row.into(), by.into());
                Sample { type_index, event_id: id(superseded), kind, row, by }
            };
            first.add(row.position, sample);
        }
    }
}

/// An id, whole.
pub(super) fn whole_text_of(id: Id<'_>) -> Box<str> {
    match id {
        Id::Uuid(uuid) => String::from_utf8_lossy(&uuid_text(uuid)).into(),
        Id::Text(text) => text.into(),
    }
}

/// An id for the report.
pub(super) fn text_of(id: Id<'_>) -> String {
    match id {
        Id::Uuid(_) => whole_text_of(id).into(),
        Id::Text(text) => names::cut_name(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_input_are_kept_in_whatever_order_they_come() {
        for entries_max in 1..6 {
            for step in [1, 2, 3, 4] {
                let mut first = First::new(entries_max);
                // Steps through 0 to 4; the step and 5 are coprime.
                for line in (0..5).map(|index| index * step % 5) {
                    first.add(Position::new(0, line), || line);
                }
                let kept: Vec<_> = first.entries.into_values().collect();
                let expected: Vec<_> = (0..5).take(entries_max).collect();
                assert_eq!(kept, expected, "step {step}");
            }
        }
    }
}
