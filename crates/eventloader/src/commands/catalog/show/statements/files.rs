//! The address of a target, and its layout → where the files of an event type are.
//!
//! Invariant: a pattern matches the files of its event type and of no other, whatever their names are: the
//! name of a directory has no character that is special in a pattern.

use events_core::partition::{Day, Layout, PartitionUnit};

/// The files of an event type.
pub(super) struct Files<'t> {
    address: &'t str,
    layout: Layout,
    unit: PartitionUnit,
    directory: &'t str,
}

impl<'t> Files<'t> {
    /// `address` is that of the target.
    pub(super) fn new(address: &'t str, (layout, unit): (Layout, PartitionUnit), directory: &'t str) -> Self {
        let end = address.trim_end_matches('/');
        // The root of a file system, or of a stage.
        let address = if end.is_empty() || end.ends_with(':') { address } else { end };
        Self { address, layout, unit, directory }
    }

    /// The target's address, without a `/` behind it.
    pub(super) fn target(&self) -> &'t str {
        self.address
    }

    /// The address of the Delta table.
    pub(super) fn table(&self) -> String {
        self.below(self.directory)
    }

    /// The name of the event type's directories.
    pub(super) fn directory(&self) -> &'t str {
        self.directory
    }

    pub(super) fn is_by_hour(&self) -> bool {
        self.unit == PartitionUnit::Hour
    }

    /// What matches the directories of the event type: `lake/*/*/*/sale`.
    pub(super) fn directories(&self, day: Option<Day>) -> String {
        self.below(&self.pattern(day, "*"))
    }

    /// What matches its files: `lake/*/*/*/sale/*.parquet`.
    pub(super) fn glob(&self, day: Option<Day>) -> String {
        format!("{}/*.parquet", self.directories(day))
    }

    /// The directory that all event types of a day are below, where days are above event types.
    pub(super) fn day(&self, day: Day) -> String {
        let path = self.path(day, 0);
        self.below(&path.split('/').take(3).collect::<Vec<_>>().join("/"))
    }

    /// A regular expression for its files, below the target.
    pub(super) fn expression(&self, day: Option<Day>) -> String {
        let directories = self.pattern(day, "[0-9]+").replace('.', "[.]");
        format!("{directories}/[^/]*[.]parquet")
    }

    /// The same, with the numbers of one level (the year is 0) as its only group.
    pub(super) fn expression_of(&self, level: usize) -> String {
        let levels = self.expression(None);
        let with_group = levels.split('/').enumerate().map(|(index, part)| {
            if index == level { part.replace("[0-9]+", "([0-9]+)") } else { part.to_owned() }
        });
        with_group.collect::<Vec<_>>().join("/")
    }

    /// The partitions of a day, each with its hour where it is one of an hour.
    pub(super) fn partitions(&self, day: Day) -> Vec<(Option<i64>, String)> {
        let hours = if self.is_by_hour() { 0..24 } else { 0..1 };
        let partition = |hour| (self.is_by_hour().then_some(hour), self.below(&self.path(day, hour)));
        hours.map(partition).collect()
    }

    fn below(&self, path: &str) -> String {
        let separator = if self.address.ends_with('/') { "" } else { "/" };
        format!("{}{separator}{path}", self.address)
    }

    fn path(&self, day: Day, hour: i64) -> String {
        let index = match self.unit {
            PartitionUnit::Day => day.epoch_days(),
            PartitionUnit::Hour => day.epoch_days() * 24 + hour,
        };
        self.layout.path(self.unit, index, self.directory)
    }

    /// The directories of a day, or of all, with `any` for the numbers that are not given.
    fn pattern(&self, day: Option<Day>, any: &str) -> String {
        let path = self.path(day.unwrap_or(Day::from_epoch_days(0)), 0);
        let levels: Vec<_> = path.split('/').collect();
        let given = if day.is_some() { 3 } else { 0 };
        let pattern = levels.iter().enumerate().map(|(index, level)| match level.split_once('=') {
            _ if index < given || index + 1 == levels.len() => (*level).to_owned(),
            Some((name, _)) => format!("{name}={any}"),
            None => any.to_owned(),
        });
        pattern.collect::<Vec<_>>().join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_what_is_known_and_stand_for_the_rest() {
        let day = Day::parse("2024-10-09");
        let of = |layout, unit| Files::new("s3://lake/x/", (layout, unit), "a.b%20c");
        let plain = of(Layout::Plain, PartitionUnit::Day);
        assert_eq!(plain.glob(None), "s3://lake/x/*/*/*/a.b%20c/*.parquet");
        assert_eq!(plain.glob(day), "s3://lake/x/2024/10/09/a.b%20c/*.parquet");
        assert_eq!(plain.day(day.unwrap()), "s3://lake/x/2024/10/09");
        assert_eq!(plain.expression(None), "[0-9]+/[0-9]+/[0-9]+/a[.]b%20c/[^/]*[.]parquet");
        let hive = of(Layout::Hive, PartitionUnit::Hour);
        assert_eq!(hive.directories(day), "s3://lake/x/year=2024/month=10/day=9/hour=*/event_type=a.b%20c");
        assert_eq!(
            hive.expression_of(1),
            "year=[0-9]+/month=([0-9]+)/day=[0-9]+/hour=[0-9]+/event_type=a[.]b%20c/[^/]*[.]parquet"
        );
        let partitions = hive.partitions(day.unwrap());
        assert_eq!(partitions.len(), 24);
        assert_eq!(
            partitions[23],
            (Some(23), "s3://lake/x/year=2024/month=10/day=9/hour=23/event_type=a.b%20c".to_owned())
        );
        assert_eq!(of(Layout::Delta, PartitionUnit::Day).table(), "s3://lake/x/a.b%20c");
        assert_eq!(
            Files::new("/", (Layout::Plain, PartitionUnit::Day), "a").glob(None),
            "/*/*/*/a/*.parquet"
        );
    }
}
