//! The files of one event type → the result of checking their rows, and the events that occur more than once.
//!
//! Each file's rows are checked once (`rows.rs`). Ids are hashed, and the hashes sorted, as many at once as
//! memory allows; the others follow in further passes that only read the id column. Ids with equal hashes are
//! read once more and compared themselves.
//!
//! Invariant: an event is reported if and only if it occurs twice in the scope in which its loads kept it
//! once: the event type, or the day.

use std::collections::{BTreeMap, HashSet};

use arrow::array::StringArray;
use event_target::{DedupeScope, Location};
use events_core::timestamp::DAY_MICROS;
use xxhash_rust::xxh3::xxh3_64;

use super::{Problem, Reading, recorded::RecordedFile, rows};
use crate::runtime::plural;

/// The bytes that an id takes while it is compared.
const ENTRY_BYTES: usize = size_of::<u64>();
/// The most duplicate events that are listed.
const NAMED_MAX: usize = 10;

type Files<'a> = [(&'a String, &'a RecordedFile)];

/// Finds ids that occur more than once.
pub(super) struct Ids {
    entries_max: usize,
}

impl Ids {
    pub(super) fn new(memory_bytes: usize) -> Self {
        // Half of the memory: while they are collected from the threads, there are two copies of each.
        Self { entries_max: (memory_bytes / ENTRY_BYTES / 2).max(1) }
    }

    /// Checks all rows of all files. Returns the result for each file, and a problem for each duplicate
    /// event.
    pub(super) fn read(
        &self,
        reading: &Reading<'_>,
        files: &Files<'_>,
        threads: usize,
    ) -> (Vec<rows::Checked>, Vec<Problem>) {
        let expected: u64 = files.iter().map(|(_, file)| file.rows).sum();
        let passes = expected.div_ceil(self.entries_max as u64).max(1);
        let (mut all_checked, mut twice) = (Vec::new(), HashSet::new());
        for pass in 0..passes {
            let read = workers::compute(threads, files.len(), |number| {
                let (path, file) = files[number];
                let mut hashes = Vec::new();
                let take = |ids: &StringArray, micros: &[i64]| {
                    let of_rows =
                        ids.iter().flatten().zip(micros).map(|(id, &micros)| hash(id, micros, file));
                    hashes.extend(of_rows.filter(|hash| hash % passes == pass));
                };
                // The first pass reports files that can't be read.
                let checked = if pass == 0 {
                    Some(rows::check(reading, path, file, take))
                } else {
                    drop(rows::ids(reading.target, path, take));
                    None
                };
                (hashes, checked)
            });
            let mut hashes = Vec::new();
            for (of_file, checked) in read {
                hashes.extend(of_file);
                all_checked.extend(checked);
            }
            hashes.sort_unstable();
            twice.extend(hashes.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]));
        }
        let duplicates =
            if twice.is_empty() { Vec::new() } else { duplicates(reading.target, files, &twice, threads) };
        (all_checked, duplicates)
    }
}

/// The hash of an id, combined with the day if it must only be unique within a day.
fn hash(id: &str, micros: i64, file: &RecordedFile) -> u64 {
    xxh3_64(id.as_bytes())
        ^ day(micros, file).map_or(0, |day| day.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

fn day(micros: i64, file: &RecordedFile) -> Option<i64> {
    (file.dedupe_scope == DedupeScope::Day).then(|| micros.div_euclid(DAY_MICROS))
}

/// Those of the suspects that really are the same event.
fn duplicates(target: &Location, files: &Files<'_>, suspects: &HashSet<u64>, threads: usize) -> Vec<Problem> {
    let found = workers::compute(threads, files.len(), |number| {
        let (path, file) = files[number];
        let mut found = Vec::new();
        let take = |ids: &StringArray, micros: &[i64]| {
            for (id, &micros) in ids.iter().flatten().zip(micros) {
                if suspects.contains(&hash(id, micros, file)) {
                    found.push((id.to_owned(), day(micros, file)));
                }
            }
        };
        drop(rows::ids(target, path, take));
        found
    });
    let mut places = BTreeMap::<_, Vec<&str>>::new();
    for (found, (path, _)) in found.into_iter().zip(files) {
        for event in found {
            places.entry(event).or_default().push(path.as_str());
        }
    }
    places.retain(|_, places| places.len() > 1);
    let events = places.len();
    let mut problems: Vec<_> = places
        .into_iter()
        .take(NAMED_MAX)
        .map(|((id, _), places)| {
            let times = places.len();
            Problem::new(
                places[0],
                format!("event {id:?} occurs {times} times, last in {}", places[times - 1]),
            )
        })
        .collect();
    if events > NAMED_MAX {
        let more = plural((events - NAMED_MAX) as u64, "event");
        problems.push(Problem::new("(all files)", format!("{more} more of this type occur more than once")));
    }
    problems
}
