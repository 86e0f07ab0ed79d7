//! The requested days for which no row was written → the report's list of them, and a few lines for people
//! that say why.
//!
//! Invariant: neither grows with the range, which may span millennia. A day is said to have no events only if
//! the input has none, whatever became of them.

use std::{collections::BTreeMap, fmt, fmt::Write};

use event_parser::DayRange;
use events_core::partition::Day;

use super::LoadOutcome;
use crate::runtime::plural;

/// The most days that the report lists.
const LISTED_MAX: usize = 1_000;
/// The most lines for people.
const LINES_MAX: usize = 5;

/// Why no row was written for a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    NoEvents,
    /// The input has events of it, and all of them are superseded.
    Superseded,
    /// A merge has removed a partition of it.
    Removed,
}

/// Consecutive days with the same reason, both ends included.
#[derive(Debug, PartialEq, Eq)]
struct Stretch {
    first: i64,
    last: i64,
    why: Why,
}

/// The days of a closed range for which no row was written.
#[derive(Debug, Default)]
pub(super) struct DaysWithoutRows(Vec<Stretch>);

impl DaysWithoutRows {
    pub(super) fn of(outcome: LoadOutcome<'_>) -> Self {
        let LoadOutcome { settings, ledger, written, .. } = outcome;
        let Some(DayRange { first: Some(first), last: Some(last) }) = settings.selection.days else {
            return Self::default();
        };
        let day = |unit_index| settings.partition_unit.day_of(unit_index);
        let mut known: BTreeMap<i64, Option<Why>> =
            ledger.partition_keys().map(|key| (day(key.1), Some(Why::Superseded))).collect();
        for partition in written.partitions.iter().filter(|partition| partition.files == 0) {
            known.insert(day(partition.key.1), Some(Why::Removed));
        }
        for partition in written.partitions.iter().filter(|partition| partition.files > 0) {
            known.insert(day(partition.key.1), None);
        }
        Self::between(first.epoch_days(), last.epoch_days(), &known)
    }

    /// `known` has the days of which there is more to say than that they have no events; `None` for those
    /// with rows.
    fn between(first: i64, last: i64, known: &BTreeMap<i64, Option<Why>>) -> Self {
        let mut stretches = Self::default();
        let mut next = first;
        for (&day, &why) in known.range(first..=last) {
            stretches.add(next, day - 1, Why::NoEvents);
            if let Some(why) = why {
                stretches.add(day, day, why);
            }
            next = day + 1;
        }
        stretches.add(next, last, Why::NoEvents);
        stretches
    }

    fn add(&mut self, first: i64, last: i64, why: Why) {
        match self.0.last_mut() {
            _ if first > last => {}
            Some(before) if before.why == why && before.last + 1 == first => before.last = last,
            _ => self.0.push(Stretch { first, last, why }),
        }
    }

    /// How many they are.
    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(Stretch::days).sum()
    }

    /// The first of them, up to the number that is listed.
    pub(super) fn listed(&self) -> Vec<String> {
        let days = self.0.iter().flat_map(|stretch| stretch.first..=stretch.last);
        days.take(LISTED_MAX).map(|day| Day::from_epoch_days(day).to_string()).collect()
    }
}

impl Stretch {
    fn days(&self) -> u64 {
        (self.last - self.first + 1).unsigned_abs()
    }
}

/// One line for each stretch, up to a few.
impl fmt::Display for DaysWithoutRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(LINES_MAX).try_for_each(|stretch| writeln!(f, "{stretch}"))?;
        let more: u64 = self.0.iter().skip(LINES_MAX).map(Stretch::days).sum();
        if more > 0 { writeln!(f, "no rows were written for {}", plural(more, "more day")) } else { Ok(()) }
    }
}

impl fmt::Display for Stretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut days = Day::from_epoch_days(self.first).to_string();
        let mut of_them = "that day";
        if self.last > self.first {
            write!(days, " to {}", Day::from_epoch_days(self.last))?;
            of_them = "those days";
        }
        match self.why {
            Why::NoEvents => write!(f, "no events on {days}; any partitions of {of_them} are unchanged"),
            Why::Superseded => write!(
                f,
                "all events read of {days} are superseded by later versions; any partitions of {of_them} are \
                 unchanged"
            ),
            Why::Removed => write!(
                f,
                "events on {days} are superseded by later versions; partitions that held nothing else are removed"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_millennia_is_a_few_lines() {
        let day = |text| Day::parse(text).unwrap().epoch_days();
        let (first, last) = (day("0001-01-01"), day("9999-12-31"));
        let known = (0..20).map(|day| (2 * day, None)).collect();
        let days = DaysWithoutRows::between(first, last, &known);
        assert_eq!(days.count(), 3_652_059 - 20);
        let listed = days.listed();
        assert_eq!((listed.len(), listed[0].as_str()), (LISTED_MAX, "0001-01-01"));
        let text = days.to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), LINES_MAX + 1, "{text}");
        assert_eq!(
            lines[0],
            "no events on 0001-01-01 to 1969-12-31; any partitions of those days are unchanged"
        );
        assert_eq!(lines[1], "no events on 1970-01-02; any partitions of that day are unchanged");
        assert!(lines[LINES_MAX].starts_with("no rows were written for 2,9"), "{text}");
    }

    #[test]
    fn each_day_has_its_reason() {
        let known =
            [(1, Some(Why::Superseded)), (2, Some(Why::Superseded)), (4, Some(Why::Removed)), (5, None)];
        let days = DaysWithoutRows::between(0, 6, &known.into());
        let stretch = |first, last, why| Stretch { first, last, why };
        assert_eq!(
            days.0,
            [
                stretch(0, 0, Why::NoEvents),
                stretch(1, 2, Why::Superseded),
                stretch(3, 3, Why::NoEvents),
                stretch(4, 4, Why::Removed),
                stretch(6, 6, Why::NoEvents),
            ]
        );
        assert_eq!((days.count(), days.listed().len()), (6, 6));
    }
}
