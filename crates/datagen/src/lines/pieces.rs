//! An event's position and time → the file and the batch that its line belongs to.
//!
//! Invariant: the split depends on an event's position and time only, so the same events are in the same
//! pieces with any number of threads. A line that arrives late is in the file of the events among which it
//! arrives.

use std::{num::NonZero, ops::Range};

/// How a run is split into pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Split {
    /// The events of the run.
    pub(crate) events: Range<u64>,
    pub(crate) files: FileSplit,
    /// How many events of a live feed are sent together.
    pub(crate) batch_events: Option<NonZero<u64>>,
}

/// How the events are distributed over files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileSplit {
    /// One file for all of them.
    Single,
    /// This many files, with equal numbers of events as far as possible.
    Equal(NonZero<u64>),
    /// One file for each such unit of time.
    ByTime { unit_micros: i64 },
}

/// Identifies a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PieceKey {
    /// The file: its number from 0, or its unit of time counted from 1970.
    pub(crate) file: i64,
    /// The batch of a live feed.
    pub(crate) batch: u64,
}

/// Consecutive lines of a chunk that have the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) key: PieceKey,
    /// The offset in the chunk's lines at which it ends.
    pub(crate) end: usize,
    /// The number of lines.
    pub(crate) lines: u64,
    /// The number of events.
    pub(crate) events: u64,
}

impl Split {
    /// A run that is written to one file.
    #[cfg(test)]
    pub(crate) fn single(events: Range<u64>) -> Self {
        Self { events, files: FileSplit::Single, batch_events: None }
    }

    /// The piece of the event at position `index` and time `micros`.
    #[inline]
    pub(crate) fn key_of(&self, index: u64, micros: i64) -> PieceKey {
        let file = match self.files {
            FileSplit::Single => 0,
            FileSplit::Equal(files) => self.file_of(index - self.events.start, files),
            FileSplit::ByTime { unit_micros } => micros.div_euclid(unit_micros),
        };
        let batch = self.batch_events.map_or(0, |batch| (index - self.events.start) / batch);
        PieceKey { file, batch }
    }

    /// The last file whose first event is not after this one: file f begins at f * length / files.
    fn file_of(&self, index: u64, files: NonZero<u64>) -> i64 {
        let length = self.events.end - self.events.start;
        // No file is empty.
        let files = files.get().min(length);
        let file = ((u128::from(index) + 1) * u128::from(files) - 1) / u128::from(length);
        i64::try_from(file).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_as_equal_as_can_be() {
        for (events, files) in [(10_u64, 3_u64), (3, 3), (2_048, 7), (5, 1), (100_000, 99_999), (2, 5)] {
            let files = NonZero::new(files).unwrap();
            let split = Split { files: FileSplit::Equal(files), ..Split::single(1_000..1_000 + events) };
            let mut counts = std::collections::BTreeMap::new();
            for index in split.events.clone() {
                *counts.entry(split.key_of(index, 0).file).or_insert(0_u64) += 1;
            }
            let (least, most) = (counts.values().min().unwrap(), counts.values().max().unwrap());
            assert!(most - least <= 1, "{events} events in {files} files: {counts:?}");
            let expected = files.get().min(events);
            assert!(counts.keys().copied().eq(0..i64::try_from(expected).unwrap()), "{counts:?}");
        }
    }
}
