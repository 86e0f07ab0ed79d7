//! The recorded files of a target → rows and bytes by event type and day.
//!
//! Invariant: each file with rows counts once, so all sums over the cube are those over the record.

use std::collections::{BTreeMap, BTreeSet};

use event_target::{History, StoredFile, TargetLayout};
use events_core::partition::{Layout, PartitionUnit};

/// The most event types that are told apart. The smallest of more are one, which has their sums.
const TYPES_MAX: usize = 200;

/// What is held of an event type, on a day or altogether.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) files: u64,
    pub(super) partitions: u64,
}

impl Held {
    pub(super) fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.bytes += other.bytes;
        self.files += other.files;
        self.partitions += other.partitions;
    }

    pub(super) fn sum<'h>(all: impl IntoIterator<Item = &'h Self>) -> Self {
        let mut sum = Self::default();
        all.into_iter().for_each(|held| sum.add(*held));
        sum
    }
}

/// An event type, or those that are not told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Type { domain: String, name: String },
    Others(usize),
}

/// Rows and bytes by event type and day.
#[derive(Debug, Default)]
pub(super) struct Cube {
    /// By domain and name.
    pub(super) kinds: Vec<Kind>,
    /// By day, counted from 1970, and kind.
    pub(super) days: BTreeMap<i64, BTreeMap<usize, Held>>,
    /// Files in directories that stand for no day.
    pub(super) undated: Held,
}

impl Cube {
    pub(super) fn of(history: &History) -> Self {
        let types: BTreeSet<_> =
            history.files.values().filter_map(|file| file.event_type.as_ref()).cloned().collect();
        let types: Vec<_> = types.into_iter().collect();
        let parts = history.layout.as_ref().and_then(TargetLayout::parts);
        let (mut days, mut undated) = (BTreeMap::<i64, BTreeMap<usize, Held>>::new(), Held::default());
        let mut last_partition = "";
        for (path, file) in &history.files {
            let Some(event_type) = &file.event_type else { continue };
            let partition = path.rsplit_once('/').map_or("", |(partition, _)| partition);
            let held = held(file, partition != last_partition);
            last_partition = partition;
            match (parts.and_then(|parts| day_of(parts, partition)), types.binary_search(event_type)) {
                (Some(day), Ok(kind)) => days.entry(day).or_default().entry(kind).or_default().add(held),
                _ => undated.add(held),
            }
        }
        let kinds = types.into_iter().map(|(domain, name)| Kind::Type { domain, name }).collect();
        let mut cube = Self { kinds, days, undated };
        cube.join_smallest(TYPES_MAX);
        cube
    }

    /// Joins the kinds with the fewest rows, if there are more than this.
    fn join_smallest(&mut self, kinds_max: usize) {
        if self.kinds.len() <= kinds_max {
            return;
        }
        let mut by_rows: Vec<_> =
            self.by_kind().into_iter().enumerate().map(|(kind, held)| (held.rows, kind)).collect();
        by_rows.sort_unstable_by_key(|&(rows, kind)| (std::cmp::Reverse(rows), kind));
        let kept: BTreeSet<_> = by_rows.into_iter().take(kinds_max - 1).map(|(_, kind)| kind).collect();
        let others = self.kinds.len() - kept.len();
        for held in self.days.values_mut() {
            let mut joined = BTreeMap::<usize, Held>::new();
            for (kind, held) in std::mem::take(held) {
                let place = if kept.contains(&kind) { kept.range(..kind).count() } else { kept.len() };
                joined.entry(place).or_default().add(held);
            }
            *held = joined;
        }
        let mut kinds: Vec<_> = kept.iter().map(|kind| self.kinds[*kind].clone()).collect();
        kinds.push(Kind::Others(others));
        self.kinds = kinds;
    }

    /// What is held of each kind.
    pub(super) fn by_kind(&self) -> Vec<Held> {
        let mut by_kind = vec![Held::default(); self.kinds.len()];
        for (kind, held) in self.days.values().flatten() {
            by_kind[*kind].add(*held);
        }
        by_kind
    }

    /// What is held of all kinds.
    pub(super) fn all(&self) -> Held {
        let mut all = Held::sum(self.days.values().flat_map(BTreeMap::values));
        all.add(self.undated);
        all
    }
}

fn held(file: &StoredFile, is_first_of_partition: bool) -> Held {
    Held { rows: file.rows, bytes: file.bytes, files: 1, partitions: u64::from(is_first_of_partition) }
}

/// The day of a partition, counted from 1970.
fn day_of((layout, unit): (Layout, PartitionUnit), partition: &str) -> Option<i64> {
    layout.index_in(unit, partition).map(|index| unit.day_of(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cube(kinds: usize) -> Cube {
        let kind = |number| Kind::Type { domain: "d".to_owned(), name: format!("{number}") };
        let held = |number: usize| Held { rows: 10 * number as u64, bytes: 1, files: 1, partitions: 1 };
        let day = |first| (first..kinds).map(|kind| (kind, held(kind))).collect();
        let days = BTreeMap::from([(0, day(0)), (1, day(1))]);
        Cube { kinds: (0..kinds).map(kind).collect(), days, undated: Held::default() }
    }

    #[test]
    fn the_smallest_types_are_joined_and_every_sum_stays() {
        let (whole, mut joined) = (cube(9), cube(9));
        joined.join_smallest(4);
        let names: Vec<_> = joined.kinds.iter().map(|kind| format!("{kind:?}")).collect();
        assert_eq!(names.len(), 4);
        assert!(
            names[0].contains("\"6\"") && names[2].contains("\"8\"") && names[3] == "Others(6)",
            "{names:?}"
        );
        assert_eq!(joined.all(), whole.all());
        for day in [0, 1] {
            assert_eq!(Held::sum(joined.days[&day].values()), Held::sum(whole.days[&day].values()));
        }
        assert_eq!(joined.by_kind()[0].rows, 120);
        assert_eq!(joined.by_kind()[3].rows, 2 * (10 + 20 + 30 + 40 + 50));
        let mut few = cube(4);
        few.join_smallest(4);
        assert_eq!(few.kinds, cube(4).kinds);
    }
}
