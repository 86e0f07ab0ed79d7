//! Where the lines of a chunk belong: which events begin a new file.
//!
//! Invariant: a cut depends on an event's place and time alone, so the same events are in the same files with any number of
//! threads; a line that arrives late is in the file of the events among which it arrives.

use std::ops::Range;

/// How a stream is cut into files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It is one file.
    Whole,
    /// So many files, of as many events each as can be.
    Files { events: Range<u64>, files: u64 },
    /// A file for each such unit of time.
    Rotate { unit_micros: i64 },
}

/// The part of a chunk that belongs to one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Which file: its number from 0, or its unit of time counted from 1970.
    pub(crate) file: i64,
    /// Up to where it reaches in the chunk's lines.
    pub(crate) end: usize,
    /// How many lines.
    pub(crate) lines: u64,
}

impl Cut {
    /// The file of the event at `index`, at `micros`.
    pub(crate) fn file_of(&self, index: u64, micros: i64) -> i64 {
        match self {
            Self::Whole => 0,
            Self::Files { events, files } => {
                // The last file whose first event is not behind this one: file f begins at f * length / files.
                let (place, length) =
                    (u128::from(index - events.start), u128::from(events.end - events.start));
                let file = ((place + 1) * u128::from(*files) - 1) / length;
                i64::try_from(file).unwrap_or(i64::MAX)
            }
            Self::Rotate { unit_micros } => micros.div_euclid(*unit_micros),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_as_equal_as_can_be() {
        for (events, files) in [(10_u64, 3_u64), (3, 3), (2_048, 7), (5, 1), (100_000, 99_999), (2, 5)] {
            let cut = Cut::Files { events: 1_000..1_000 + events, files };
            let mut counts = std::collections::BTreeMap::new();
            for index in 1_000..1_000 + events {
                *counts.entry(cut.file_of(index, 0)).or_insert(0_u64) += 1;
            }
            let (least, most) = (counts.values().min().unwrap(), counts.values().max().unwrap());
            assert!(most - least <= 1, "{events} events in {files} files: {counts:?}");
            assert_eq!(counts.len() as u64, files.min(events));
            assert!(counts.keys().all(|file| *file < i64::try_from(files).unwrap()));
        }
    }
}
