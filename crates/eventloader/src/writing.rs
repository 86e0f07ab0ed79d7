//! The rows of a run that are kept → partitions in staged files, each with what it will change.
//!
//! Invariant: changes come in the order of time, which is the order in which a merge publishes them (docs/merge.md).

use std::{collections::HashSet, path::Path};

use events_core::partition::Day;

use crate::{
    accounts::{Fallen, PartitionKey},
    commit::{Action, Change},
    error::Error,
    held::Held,
    latest::Superseded,
    parquet::{PART_ROWS, PartitionWriter, StagedFile, Table},
    plan::Plan,
    report::{PartitionReport, Report, SupersededPartition},
    rows::{Partition, RowStore},
    selection::DayRange,
    settings::Settings,
    stages::{Stage, Stages},
    workers,
};

/// Days without events that a report lists; a range of days may span millennia.
const DAYS_LISTED_MAX: usize = 1_000;

/// Rows on their way into staged files.
pub(crate) struct Writing<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) plan: &'a Plan,
    pub(crate) rows: &'a RowStore,
    pub(crate) superseded: &'a Superseded,
    /// Of a merge.
    pub(crate) held: Option<&'a Held<'a>>,
    pub(crate) staging: Option<&'a Path>,
    pub(crate) stages: &'a Stages,
}

/// A partition in staged files.
struct Written {
    path: String,
    files: Vec<StagedFile>,
    change: Change,
    action: Action,
}

impl Writing<'_> {
    /// Writes all partitions, the largest first so that no thread is left with one at the end.
    pub(crate) fn write_partitions(
        &self,
        encoders: usize,
        report: &mut Report,
    ) -> Result<Vec<Change>, Error> {
        let settings = self.settings;
        let mut clock = self.stages.clock();
        let mut partitions = self.rows.partitions(self.superseded, settings.threads)?;
        if self.held.is_some() {
            partitions = self.rows.changed(partitions, self.superseded);
        }
        partitions.sort_by_key(|partition| std::cmp::Reverse(partition.rows_in_memory()));
        clock.lap_of(settings.threads, Stage::Group);
        settings.progress.begin_writing(partitions.len());
        let tables = self.tables(&partitions)?;
        let make_writer = |thread| PartitionWriter::new(settings.codec, self.staging, thread);
        let written = workers::map_with(encoders, partitions.len(), make_writer, |writer, number| {
            settings.interruption.check()?;
            let partition = &partitions[number];
            let Some(table) = &tables[partition.type_index] else {
                unreachable!("there is a table for each type that has rows")
            };
            let written = self.write(partition, number, table, writer)?;
            settings.progress.partition_written();
            Ok(written)
        })?;
        let mut changes = Vec::new();
        let mut days = HashSet::new();
        let mut fallen = self.rows.accounts().partitions();
        for (Written { path, files, change, action }, partition) in written.into_iter().zip(&partitions) {
            // All rows of a spilled partition may turn out to be superseded.
            if files.is_empty() && action != Action::Removed {
                continue;
            }
            if !files.is_empty() {
                days.insert(settings.partition_unit.day_of(partition.unit_index));
            }
            let fallen = fallen.remove(&partition.key()).unwrap_or_default();
            report.partitions.push(partition_report(path, &files, action, fallen));
            if action != Action::Unchanged {
                changes.push((partition.unit_index, change));
            }
        }
        report.superseded_partitions = fallen
            .into_iter()
            .map(|(partition, Fallen { read, left_out, .. })| SupersededPartition {
                path: self.path(partition),
                superseded: left_out,
                read,
            })
            .collect();
        report.superseded_partitions.sort_by(|a, b| a.path.cmp(&b.path));
        report.partitions.sort_by(|a, b| a.path.cmp(&b.path));
        // In the order of time: see docs/merge.md.
        changes.sort_by(|(a_unit, a), (b_unit, b)| (a_unit, &a.directory).cmp(&(b_unit, &b.directory)));
        report.days_without_events = days_without_events(settings, &days);
        Ok(changes.into_iter().map(|(_, change)| change).collect())
    }

    /// The tables of the event types that have rows, by event type.
    fn tables(&self, partitions: &[Partition]) -> Result<Vec<Option<Table<'_>>>, Error> {
        let with_rows: HashSet<_> = partitions.iter().map(|partition| partition.type_index).collect();
        let types = self.plan.event_types.iter().enumerate();
        let tables = types.map(|(index, plan)| {
            with_rows.contains(&index).then(|| Table::new(plan, self.settings.flatten, self.settings.codec))
        });
        tables.map(Option::transpose).collect::<Result<_, _>>().map_err(Error::encode("the tables' schemas"))
    }

    fn path(&self, (type_index, unit_index): PartitionKey) -> String {
        let directory = &self.plan.event_types[type_index].event_type.directory;
        self.settings.layout.path(self.settings.partition_unit, unit_index, directory)
    }

    fn write(
        &self,
        partition: &Partition,
        number: usize,
        table: &Table<'_>,
        writer: &mut PartitionWriter,
    ) -> Result<Written, Error> {
        let settings = self.settings;
        let event_type = &self.plan.event_types[partition.type_index].event_type;
        let path = self.path(partition.key());
        let mut clock = self.stages.clock();
        let ordered = self.rows.ordered(partition, self.superseded, self.held);
        clock.lap(Stage::Order);
        let files = writer.write(ordered, table, PART_ROWS, (&path, number), &mut clock)?;
        self.stages.add_bytes(Stage::Encode, files.iter().map(|file| file.bytes).sum());
        let change = Change::partition(&path, (&event_type.domain, &event_type.name), &files);
        // What has no rows left is no change, unless it held some.
        let is_change = !files.is_empty() || self.held.is_some_and(|held| held.contains(partition.key()));
        let action = if is_change { change.action(&settings.target)? } else { Action::Unchanged };
        clock.lap(Stage::Compare);
        Ok(Written { path, files, change, action })
    }
}

fn partition_report(path: String, files: &[StagedFile], action: Action, fallen: Fallen) -> PartitionReport {
    PartitionReport {
        path,
        rows: files.iter().map(|file| file.rows).sum(),
        superseded: fallen.left_out,
        held: fallen.held.read,
        held_superseded: fallen.held.left_out,
        read: fallen.read,
        files: files.len(),
        bytes: files.iter().map(|file| file.bytes).sum(),
        action,
    }
}

/// The days between two given ends that have no rows, as far as they are worth listing.
fn days_without_events(settings: &Settings, with_rows: &HashSet<i64>) -> Vec<String> {
    let Some(DayRange { first: Some(first), last: Some(last) }) = settings.selection.days else {
        return Vec::new();
    };
    let days = (first.epoch_days()..=last.epoch_days()).filter(|day| !with_rows.contains(day));
    days.take(DAYS_LISTED_MAX).map(|day| Day::from_epoch_days(day).to_string()).collect()
}
