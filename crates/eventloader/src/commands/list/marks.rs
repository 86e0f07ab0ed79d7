//! The cube → the days on which an event type has unusually few rows, unusually many, or none.
//!
//! Types that have rows on most of their days are judged, each by itself. The first and the last day of the
//! target may be incomplete, so they are not judged. Nothing else is guessed: no trend, no season.
//!
//! Invariant: what is marked follows from the rows in the calendar and the constants below, which the page
//! names.

use std::collections::BTreeMap;

use super::cube::{Cube, Held};

/// A type with rows on fewer days is not judged.
pub(super) const DAYS_MIN: usize = 7;
/// Nor is one that has rows on less than this share of the days from its first to its last, in percent.
pub(super) const DAYS_SHARE_MIN_PERCENT: usize = 80;
/// Nor is the number of rows of a type with a smaller median.
pub(super) const MEDIAN_ROWS_MIN: u64 = 20;
/// Few are less than the median divided by this, many are more than the median times this.
pub(super) const FACTOR: u64 = 2;

/// What is unusual about the rows of a type on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// None, though other types have some.
    Missing,
    Few,
    Many,
}

/// Something unusual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marked {
    pub(super) mark: Mark,
    pub(super) rows: u64,
    /// The median of the type's days.
    pub(super) median: u64,
}

/// By kind and day.
pub(super) type Marks = BTreeMap<(usize, i64), Marked>;

/// The median number of rows of each kind, over the days on which it has some; 0 if it has none.
pub(super) fn medians(cube: &Cube) -> Vec<u64> {
    let mut rows = vec![Vec::new(); cube.kinds.len()];
    for (kind, held) in cube.days.values().flatten().filter(|(_, held)| held.rows > 0) {
        rows[*kind].push(held.rows);
    }
    let median = |mut rows: Vec<u64>| {
        rows.sort_unstable();
        rows.get(rows.len() / 2).copied().unwrap_or_default()
    };
    rows.into_iter().map(median).collect()
}

pub(super) fn marks(cube: &Cube, medians: &[u64]) -> Marks {
    let mut marks = Marks::new();
    let mut days = cube.days.keys().copied();
    let (Some(first), Some(last)) = (days.next(), days.next_back()) else { return marks };
    for (kind, &median) in medians.iter().enumerate() {
        let rows = |held: &BTreeMap<usize, Held>| held.get(&kind).map_or(0, |held| held.rows);
        let of_type: Vec<_> = cube.days.iter().map(|(day, held)| (*day, rows(held))).collect();
        let Some(begin) = of_type.iter().position(|(_, rows)| *rows > 0) else { continue };
        let end = of_type.iter().rposition(|(_, rows)| *rows > 0).unwrap_or(begin);
        let with_rows = of_type.iter().filter(|(_, rows)| *rows > 0).count();
        if with_rows < DAYS_MIN || with_rows * 100 < (end + 1 - begin) * DAYS_SHARE_MIN_PERCENT {
            continue;
        }
        // Behind its last day, too: a type that stopped is missing.
        for &(day, rows) in of_type[begin..].iter().filter(|(day, _)| *day != first && *day != last) {
            let mark = match rows {
                0 => Mark::Missing,
                _ if median < MEDIAN_ROWS_MIN => continue,
                _ if rows * FACTOR < median => Mark::Few,
                _ if rows > median * FACTOR => Mark::Many,
                _ => continue,
            };
            marks.insert((kind, day), Marked { mark, rows, median });
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::list::cube::Kind;

    /// The rows of types on the days from 1 on.
    fn marked(types: &[&[u64]]) -> Vec<(usize, i64, Mark)> {
        let mut cube = Cube::default();
        for (kind, rows) in types.iter().enumerate() {
            cube.kinds.push(Kind::Type { domain: "d".to_owned(), name: kind.to_string() });
            for (&rows, day) in rows.iter().zip(1..).filter(|(rows, _)| **rows > 0) {
                cube.days.entry(day).or_default().insert(kind, Held { rows, ..Held::default() });
            }
        }
        marks(&cube, &medians(&cube))
            .into_iter()
            .map(|((kind, day), marked)| (kind, day, marked.mark))
            .collect()
    }

    #[test]
    fn days_are_marked_by_the_median_of_their_type() {
        let usual: &[u64] = &[100; 10];
        assert_eq!(marked(&[usual]), []);
        assert_eq!(
            marked(&[&[1, 100, 49, 50, 100, 100, 200, 201, 100, 900]]),
            [(0, 3, Mark::Few), (0, 8, Mark::Many)]
        );
        // Of small numbers, only that there are none.
        assert_eq!(marked(&[usual, &[9, 9, 1, 9, 9, 9, 0, 9, 9, 9]]), [(1, 7, Mark::Missing)]);
        // One that stopped; one that has just begun, and one that is rare.
        assert_eq!(marked(&[usual, &[50, 50, 50, 50, 50, 50, 50, 50, 0, 0]]), [(1, 9, Mark::Missing)]);
        assert_eq!(marked(&[usual, &[0, 0, 0, 0, 0, 0, 0, 50, 50, 500]]), []);
        assert_eq!(marked(&[usual, &[50, 0, 50, 0, 50, 50, 0, 50, 50, 50]]), []);
    }
}
