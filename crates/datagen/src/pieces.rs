//! Where the lines of a chunk belong: which events begin a new file, and which are sent on together.
//!
//! Invariant: a cut depends on an event's place and time alone, so the same events are in the same pieces with any number of
//! threads; a line that arrives late is in the file of the events among which it arrives.

use std::num::NonZero;
use std::ops::Range;

/// How a run is cut into pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// The events of the run.
    pub(crate) events: Range<u64>,
    pub(crate) files: Files,
    /// How many events of a live feed are sent on together.
    pub(crate) batch_events: Option<NonZero<u64>>,
}

/// How the events are shared out among files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Files {
    /// All are in one.
    Whole,
    /// So many files, of as many events each as can be.
    Equal(NonZero<u64>),
    /// A file for each such unit of time.
    ByTime { unit_micros: i64 },
}

/// What an event belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Which file: its number from 0, or its unit of time counted from 1970.
    pub(crate) file: i64,
    /// Which batch of a live feed.
    pub(crate) batch: u64,
}

/// The part of a chunk that has the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) place: Place,
    /// Up to where it reaches in the chunk's lines.
    pub(crate) end: usize,
    /// How many lines.
    pub(crate) lines: u64,
    /// How many events.
    pub(crate) events: u64,
}

impl Cut {
    /// A run that is one file.
    #[cfg(test)]
    pub(crate) fn whole(events: Range<u64>) -> Self {
        Self { events, files: Files::Whole, batch_events: None }
    }

    /// The place of the event at `index`, at `micros`.
    #[inline]
    pub(crate) fn place_of(&self, index: u64, micros: i64) -> Place {
        let file = match self.files {
            Files::Whole => 0,
            Files::Equal(files) => self.file_of(index - self.events.start, files),
            Files::ByTime { unit_micros } => micros.div_euclid(unit_micros),
        };
        let batch = self.batch_events.map_or(0, |batch| (index - self.events.start) / batch);
        Place { file, batch }
    }

    /// The last file whose first event is not behind this one: file f begins at f * length / files.
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
            let cut = Cut { files: Files::Equal(files), ..Cut::whole(1_000..1_000 + events) };
            let mut counts = std::collections::BTreeMap::new();
            for index in cut.events.clone() {
                *counts.entry(cut.place_of(index, 0).file).or_insert(0_u64) += 1;
            }
            let (least, most) = (counts.values().min().unwrap(), counts.values().max().unwrap());
            assert!(most - least <= 1, "{events} events in {files} files: {counts:?}");
            let expected = files.get().min(events);
            assert!(counts.keys().copied().eq(0..i64::try_from(expected).unwrap()), "{counts:?}");
        }
    }
}
