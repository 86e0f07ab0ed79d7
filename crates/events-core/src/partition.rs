//! An event's instant and type → the directory of its row.
//!
//! A partition is one unit of time (a day, or an hour of it) of one event type. Its path is relative to the
//! target; in a database it is the name under which the rows are recorded.
//!
//! Invariant: the unit is that of the timestamp in UTC, and two partitions never share a path.

use std::{borrow::Cow, fmt, ops::Range};

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    catalog::EventType,
    directory_name, event,
    timestamp::{DAY_MICROS, EXPECTED_DATE, HOUR_MICROS},
};

/// The time span of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionUnit {
    /// One day.
    Day,
    /// One hour: one level below the day.
    Hour,
}

impl PartitionUnit {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Hour => "hour",
        }
    }

    /// The unit of an instant, counted from 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn index_of(self, micros: i64) -> i64 {
        micros.div_euclid(self.micros())
    }

    /// The instants of a unit, as microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn instants_of(self, index: i64) -> Range<i64> {
        index * self.micros()..(index + 1) * self.micros()
    }

    fn micros(self) -> i64 {
        match self {
            Self::Day => DAY_MICROS,
            Self::Hour => HOUR_MICROS,
        }
    }

    /// The day that a unit belongs to, counted from 1970-01-01.
    #[must_use]
    pub fn day_of(self, index: i64) -> i64 {
        match self {
            Self::Day => index,
            Self::Hour => index.div_euclid(24),
        }
    }
}

/// The most bytes of the name of a table in a database: those of a `PostgreSQL` identifier (`NAMEDATALEN` -
/// 1).
const TABLE_NAME_BYTES_MAX: usize = 63;

/// The names of a target's directories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `2024/10/10/account-open`
    Plain,
    /// `year=2024/month=10/day=10/event_type=account-open`: engines read columns from these names, so the
    /// files have no columns that are called like them.
    Hive,
    /// The same directories, but the files have a column `event_type`, too. So were targets of the layout
    /// hive written at first; a target keeps its form.
    HiveWithEventType,
    /// `account-open/day=2024-10-10`: a Delta table for each event type, with the partition columns `day`
    /// and, by hour, `hour`.
    Delta,
    /// `account-open/2024-10-10`, by hour `account-open/2024-10-10T07`: the rows of a unit of time in a table
    /// of a database.
    Database,
}

impl Layout {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Hive | Self::HiveWithEventType => "hive",
            Self::Delta => "delta",
            Self::Database => "database",
        }
    }

    /// Whether the files have a column `event_type`.
    #[must_use]
    pub fn has_event_type_column(self) -> bool {
        self != Self::Hive
    }

    /// The columns that engines read from a partition's path, in the order of its parts.
    #[must_use]
    pub fn columns(self, unit: PartitionUnit) -> &'static [&'static str] {
        match (self, unit) {
            (Self::Plain | Self::Database, _) => &[],
            (Self::Delta, PartitionUnit::Day) => &["day"],
            (Self::Delta, PartitionUnit::Hour) => &["day", "hour"],
            (Self::Hive | Self::HiveWithEventType, PartitionUnit::Day) => {
                &["year", "month", "day", event::EVENT_TYPE]
            }
            (Self::Hive | Self::HiveWithEventType, PartitionUnit::Hour) => {
                &["year", "month", "day", "hour", event::EVENT_TYPE]
            }
        }
    }

    /// The names that no column of the files may have: those of the directories. `hour` is one of them also
    /// by day, so that a catalog fits the layout whatever the unit; where that was allowed before, it still
    /// is.
    #[must_use]
    pub fn reserved_names(self, unit: PartitionUnit) -> &'static [&'static str] {
        match self {
            Self::Plain | Self::HiveWithEventType | Self::Database => self.columns(unit),
            Self::Hive | Self::Delta => self.columns(PartitionUnit::Hour),
        }
    }

    /// The name of an event type's directories: what the catalog gives or, where engines read the event type
    /// from it, the type itself. Of a type that no catalog names, it is `domain.type`. It never begins with
    /// `_` or `.` where it stands at the top of a target, beside the target's own directories. In a database
    /// it is the name of the table.
    #[must_use]
    pub fn directory(self, event_type: &EventType) -> Cow<'_, str> {
        match self {
            Self::Plain | Self::HiveWithEventType | Self::Delta | Self::Database => {
                Cow::Borrowed(&event_type.directory)
            }
            Self::Hive => match event_type.directory_text() {
                Cow::Borrowed(text) => directory_name::as_hive_value(text),
                Cow::Owned(text) => Cow::Owned(directory_name::as_hive_value(&text).into_owned()),
            },
        }
    }

    /// The bytes of the longest name in a partition's path: that of an event type's directory.
    #[must_use]
    pub fn name_bytes(self, event_type: &EventType) -> usize {
        let column = match self {
            Self::Plain | Self::Delta | Self::Database => 0,
            Self::Hive | Self::HiveWithEventType => event::EVENT_TYPE.len() + "=".len(),
        };
        column + self.directory(event_type).len()
    }

    /// The most bytes that [`Self::name_bytes`] may be.
    #[must_use]
    pub fn name_bytes_max(self) -> usize {
        match self {
            Self::Database => TABLE_NAME_BYTES_MAX,
            Self::Plain | Self::Hive | Self::HiveWithEventType | Self::Delta => {
                directory_name::NAME_BYTES_MAX
            }
        }
    }

    /// The most bytes of an event's id, where there is a limit: what an index of `PostgreSQL` always holds.
    /// It is the 2,704 of an entry, less the entry's header (8) and the length of the text (4).
    /// `BTMaxItemSize` in
    /// <https://github.com/postgres/postgres/blob/REL_15_STABLE/src/include/access/nbtree.h>
    #[must_use]
    pub fn id_bytes_max(self) -> Option<usize> {
        (self == Self::Database).then_some(2_692)
    }

    /// The event type that engines read from a partition's path; `None` if it has none, or if the files
    /// themselves have it.
    #[must_use]
    pub fn event_type_in(self, path: &str) -> Option<String> {
        let (name, value) = path.rsplit('/').next()?.split_once('=')?;
        (self == Self::Hive && name == event::EVENT_TYPE).then(|| directory_name::of_hive_value(value))?
    }

    /// The name of the event type's directory in a partition's path.
    ///
    /// ```
    /// use events_core::partition::Layout;
    /// assert_eq!(Layout::Delta.directory_in("account-open/day=2024-10-10"), "account-open");
    /// assert_eq!(Layout::Plain.directory_in("2024/10/10/account-open"), "account-open");
    /// ```
    #[must_use]
    pub fn directory_in(self, path: &str) -> &str {
        match self {
            Self::Delta | Self::Database => path.split_once('/').map_or(path, |(directory, _)| directory),
            Self::Plain | Self::Hive | Self::HiveWithEventType => {
                let last = path.rsplit_once('/').map_or(path, |(_, last)| last);
                last.rsplit_once('=').map_or(last, |(_, directory)| directory)
            }
        }
    }

    /// The unit of time in the path of a partition: the inverse of [`Self::path`]. `None` for any other path.
    ///
    /// ```
    /// use events_core::partition::{Layout, PartitionUnit};
    /// assert_eq!(Layout::Plain.index_in(PartitionUnit::Day, "1970/01/03/account-open"), Some(2));
    /// assert_eq!(Layout::Plain.index_in(PartitionUnit::Day, "account-open/day=1970-01-03"), None);
    /// ```
    #[must_use]
    pub fn index_in(self, unit: PartitionUnit, path: &str) -> Option<i64> {
        let (day, hour) = match self {
            Self::Delta => {
                let mut values = partition_values(path).map(|(_, value)| value);
                (Day::parse(values.next()?)?, values.next())
            }
            Self::Database => {
                let (_, instant) = path.split_once('/')?;
                let (day, hour) =
                    instant.split_once('T').map_or((instant, None), |(day, hour)| (day, Some(hour)));
                (Day::parse(day)?, hour)
            }
            Self::Plain | Self::Hive | Self::HiveWithEventType => {
                let mut parts =
                    path.split('/').map(|part| part.split_once('=').map_or(part, |(_, text)| text));
                let (year, month, of_month) = (parts.next()?, parts.next()?, parts.next()?);
                (Day::parse(&format!("{year:0>4}-{month:0>2}-{of_month:0>2}"))?, parts.next())
            }
        };
        let index = match unit {
            PartitionUnit::Day => day.epoch_days(),
            PartitionUnit::Hour => day.epoch_days() * 24 + i64::from(hour?.parse::<u8>().ok()?),
        };
        // Only a unit's own path counts.
        (self.path(unit, index, self.directory_in(path)) == path).then_some(index)
    }

    /// The path of a partition below the target, with `/` between its parts.
    ///
    /// ```
    /// use events_core::partition::{Layout, PartitionUnit};
    /// let day = PartitionUnit::Day.index_of(1_728_518_400_000_000);
    /// assert_eq!(Layout::Plain.path(PartitionUnit::Day, day, "account-open"), "2024/10/10/account-open");
    /// ```
    #[must_use]
    pub fn path(self, unit: PartitionUnit, index: i64, directory: &str) -> String {
        let day = Day::from_epoch_days(unit.day_of(index));
        let hour = match unit {
            PartitionUnit::Day => None,
            PartitionUnit::Hour => Some(index.rem_euclid(24)),
        };
        let (year, month, of_month) = (day.0.year(), day.0.month(), day.0.day());
        match (self, hour) {
            (Self::Plain, None) => format!("{year:04}/{month:02}/{of_month:02}/{directory}"),
            (Self::Plain, Some(hour)) => format!("{year:04}/{month:02}/{of_month:02}/{hour:02}/{directory}"),
            // Numbers as Spark, DuckDB and Polars write them: DuckDB reads a column with leading zeros as
            // text.
            (Self::Hive | Self::HiveWithEventType, None) => {
                format!("year={year}/month={month}/day={of_month}/event_type={directory}")
            }
            (Self::Hive | Self::HiveWithEventType, Some(hour)) => {
                format!("year={year}/month={month}/day={of_month}/hour={hour}/event_type={directory}")
            }
            (Self::Delta, None) => format!("{directory}/day={day}"),
            (Self::Delta, Some(hour)) => format!("{directory}/day={day}/hour={hour}"),
            (Self::Database, None) => format!("{directory}/{day}"),
            (Self::Database, Some(hour)) => format!("{directory}/{day}T{hour:02}"),
        }
    }
}

/// The columns that engines read from a partition's path, with their values, in the order of its parts.
///
/// ```
/// let values = events_core::partition::partition_values("account-open/day=2024-10-10/hour=7");
/// assert!(values.eq([("day", "2024-10-10"), ("hour", "7")]));
/// ```
pub fn partition_values(path: &str) -> impl Iterator<Item = (&str, &str)> {
    path.split('/').filter_map(|part| part.split_once('='))
}

/// A day of the calendar, in UTC, of the years 0001 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(NaiveDate);

impl Day {
    /// The day `days` after 1970-01-01.
    ///
    /// Days outside chrono's range can't come from a parsed timestamp; they become 1970-01-01.
    #[must_use]
    pub fn from_epoch_days(days: i64) -> Self {
        let date = i32::try_from(days).ok().and_then(NaiveDate::from_epoch_days);
        Self(date.unwrap_or_default())
    }

    /// Parses `YYYY-MM-DD`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        crate::timestamp::parse_date(text.as_bytes()).map(|days| Self::from_epoch_days(days.into()))
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn epoch_days(self) -> i64 {
        self.0.to_epoch_days().into()
    }

    /// The first instant of the day, in microseconds since the Unix epoch.
    #[must_use]
    pub fn start_micros(self) -> i64 {
        self.epoch_days() * DAY_MICROS
    }

    /// The first instant after the day, in microseconds since the Unix epoch.
    #[must_use]
    pub fn end_micros(self) -> i64 {
        self.start_micros() + DAY_MICROS
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// As text.
impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| de::Error::custom(format_args!("expected {EXPECTED_DATE}, found {text:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_before_1970_belong_to_their_own_day_and_hour() {
        assert_eq!(PartitionUnit::Day.index_of(-1), -1);
        let hour = PartitionUnit::Hour.index_of(-1);
        assert_eq!(Layout::Plain.path(PartitionUnit::Hour, hour, "x"), "1969/12/31/23/x");
        assert_eq!(
            Layout::Hive.path(PartitionUnit::Hour, hour, "x"),
            "year=1969/month=12/day=31/hour=23/event_type=x"
        );
        assert_eq!(Layout::Delta.path(PartitionUnit::Hour, hour, "x"), "x/day=1969-12-31/hour=23");
        assert_eq!(Layout::Database.path(PartitionUnit::Hour, hour, "x"), "x/1969-12-31T23");
    }

    #[test]
    fn the_columns_of_a_layout_are_those_that_its_paths_name() {
        for unit in [PartitionUnit::Day, PartitionUnit::Hour] {
            for layout in
                [Layout::Plain, Layout::Hive, Layout::HiveWithEventType, Layout::Delta, Layout::Database]
            {
                let path = layout.path(unit, 0, "x");
                let names = partition_values(&path).map(|(name, _)| name);
                assert!(names.eq(layout.columns(unit).iter().copied()), "{path}");
                assert_eq!(layout.directory_in(&path), "x", "{path}");
            }
        }
    }

    #[test]
    fn the_path_of_a_partition_says_which_unit_of_time_it_is() {
        for layout in
            [Layout::Plain, Layout::Hive, Layout::HiveWithEventType, Layout::Delta, Layout::Database]
        {
            for unit in [PartitionUnit::Day, PartitionUnit::Hour] {
                for instant in [-62_135_596_800_000_000, -1, 0, 253_402_300_799_999_999] {
                    let index = unit.index_of(instant);
                    let path = layout.path(unit, index, "x");
                    assert_eq!(layout.index_in(unit, &path), Some(index), "{path}");
                }
            }
        }
        let (day, hour) = (PartitionUnit::Day, PartitionUnit::Hour);
        for (layout, unit, path) in [
            (Layout::Delta, day, "x/day=2024-02-30"),
            (Layout::Delta, day, "x/day=2024-02-03/hour=1"),
            (Layout::Delta, day, "x/y/day=2024-02-03"),
            (Layout::Delta, day, "x"),
            (Layout::Delta, hour, "x/day=2024-02-03"),
            (Layout::Delta, hour, "x/day=2024-02-03/hour=24"),
            (Layout::Delta, hour, "x/day=2024-02-03/hour=07"),
            (Layout::Delta, hour, "x/day=2024-02-03/hour=7/z"),
            (Layout::Plain, day, "2024/2/03/x"),
            (Layout::Plain, day, "2024/02/30/x"),
            (Layout::Plain, day, "2024/02/03/04/x"),
            (Layout::Plain, hour, "2024/02/03/24/x"),
            (Layout::Plain, hour, "2024/02/03/x"),
            (Layout::Hive, day, "2024/02/03/x"),
            (Layout::Hive, day, "year=2024/month=02/day=3/event_type=x"),
            (Layout::Hive, day, "_quarantine"),
        ] {
            assert_eq!(layout.index_in(unit, path), None, "{path}");
        }
        for (unit, path) in [
            (day, "x/2024-02-30"),
            (day, "x/2024-02-03T01"),
            (day, "x/y/2024-02-03"),
            (day, "x"),
            (hour, "x/2024-02-03"),
            (hour, "x/2024-02-03T24"),
            (hour, "x/2024-02-03T7"),
            (hour, "x/2024-02-03T07/z"),
        ] {
            assert_eq!(Layout::Database.index_in(unit, path), None, "{path}");
        }
    }

    #[test]
    fn a_day_spans_its_instants() {
        let day = Day::parse("2024-02-29").unwrap();
        assert_eq!(PartitionUnit::Day.index_of(day.start_micros()), day.epoch_days());
        assert_eq!(PartitionUnit::Day.index_of(day.end_micros() - 1), day.epoch_days());
        assert_eq!(PartitionUnit::Day.index_of(day.end_micros()), day.epoch_days() + 1);
        assert_eq!(day.to_string(), "2024-02-29");
        assert_eq!(Day::parse("2023-02-29"), None);
    }
}
