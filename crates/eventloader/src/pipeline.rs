//! A load from its settings to its report; the only file that knows all stages.
//!
//! ```text
//! bytes → blocks → lines → events → (filter) → columns → latest → partitions → files → commit
//! ```
//!
//! Invariant: up to the commit nothing visible in the target changes, and the commit comes only after the counts balance.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    thread,
    time::Instant,
};

use events_core::partition::Day;

use crate::{
    accounts::{Fallen, PartitionKey},
    catalogs,
    commit::{Action, Change, LoadFacts, Target, TargetLayout},
    error::Error,
    ingest::{self, Ingested},
    latest::{Arbiter, Superseded},
    memory::MemoryShares,
    parquet::{PART_ROWS, PartitionWriter, StagedFile, Table},
    plan::Plan,
    quarantine::Quarantine,
    report::{PartitionReport, Report, SupersededPartition, SupersededSample},
    rows::{Partition, RowStore},
    selection::DayRange,
    settings::Settings,
    sources,
    stages::{Stage, Stages},
    workers,
};

/// Days without events that a report lists; a range of days may span millennia.
const DAYS_LISTED_MAX: usize = 1_000;

/// Loads events; on success the target holds them, and they are on disk.
///
/// # Errors
/// Any [`Error`]; the target is as it was before, but for [`Error::Unfinished`] and [`Error::Report`].
pub fn load(settings: &Settings) -> Result<Report, Error> {
    let started = Instant::now();
    settings.selection.check(&settings.catalog)?;
    if settings.flatten {
        let Settings { catalog, selection, layout, partition_unit, .. } = settings;
        catalogs::check_layout(catalog, selection, *layout, *partition_unit)?;
    }
    let sources = sources::list(&settings.sources, Some(&settings.target))?;
    let layout = TargetLayout::new(settings.layout, settings.partition_unit);
    let mut target = if settings.dry_run { None } else { Some(Target::open(&settings.target)?) };
    let stages = Stages::default();
    let staging = match &mut target {
        Some(target) => target.begin(&layout).map(Some),
        None => layout.check(&settings.target).map(|()| None),
    };
    let outcome = staging
        .and_then(|staging| stage(settings, &sources, staging.as_deref(), &stages))
        .and_then(|staged| settings.interruption.begin_commit().map(|()| staged));
    let Staged { mut report, changes, rows } = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            if let Some(target) = target {
                target.abandon();
            }
            return Err(error);
        }
    };
    if let Some(target) = target {
        let mut clock = stages.clock();
        let load = LoadFacts { dedupe_scope: settings.dedupe_scope, counts: report.fates() };
        thread::scope(|scope| {
            // Giving memory back takes about as long as the commit, which has little to compute.
            scope.spawn(|| drop(rows));
            target.commit(changes, layout, load, settings.threads)
        })?;
        clock.lap_of(settings.threads, Stage::Commit);
        report.committed = true;
    }
    report.stages = stages.report();
    report.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(report)
}

/// What is ready to be committed.
struct Staged {
    /// Checked.
    report: Report,
    changes: Vec<Change>,
    /// Written by now.
    rows: RowStore,
}

/// Everything before the commit.
fn stage(
    settings: &Settings,
    sources: &[sources::Source],
    staging: Option<&Path>,
    stages: &Stages,
) -> Result<Staged, Error> {
    let plan = Plan::new(&settings.catalog);
    let shares = MemoryShares::of(settings.memory_bytes, settings.threads);
    let spill_dir = staging.map_or_else(std::env::temp_dir, Path::to_owned);
    let arbiter = Arbiter::new(settings.dedupe_scope);
    let rows = RowStore::new(plan.event_types.len(), settings.partition_unit, shares, arbiter, spill_dir);
    let quarantine = Quarantine::new(staging.map(PathBuf::from));

    let ingested = ingest::ingest(settings, &plan, sources, shares, rows, quarantine, stages)?;
    check_bad_lines(settings, &ingested)?;
    let Ingested { rows, quarantine, mut report, .. } = ingested;
    let mut clock = stages.clock();
    let superseded = rows.superseded(settings.threads, settings.superseded_samples_max)?;
    clock.lap_of(settings.threads, Stage::Latest);
    let encoders = settings.threads.min(shares.encoders);
    let writing = Writing { settings, plan: &plan, rows: &rows, superseded: &superseded, staging, stages };
    let mut changes = writing.write_partitions(encoders, &mut report)?;
    enter_rows(&mut report, &rows, &superseded, &plan);
    report.dry_run = settings.dry_run;
    report.check()?;
    for change in quarantine.finish(sources, &settings.target)? {
        let action = change.action(&settings.target)?;
        if action != Action::Unchanged {
            changes.push(change);
        }
    }
    Ok(Staged { report, changes, rows })
}

fn check_bad_lines(settings: &Settings, ingested: &Ingested) -> Result<(), Error> {
    let (bad, lines) = (ingested.report.quarantined.total, ingested.report.lines);
    match settings.bad_lines_max {
        Some(limit) if limit.is_exceeded(bad, lines) => Err(Error::TooManyBadLines {
            bad,
            lines,
            limit: limit.to_string(),
            first: ingested.first_bad.clone().unwrap_or_default(),
        }),
        _ => Ok(()),
    }
}

/// Rows on their way into staged files.
struct Writing<'a> {
    settings: &'a Settings,
    plan: &'a Plan,
    rows: &'a RowStore,
    superseded: &'a Superseded,
    staging: Option<&'a Path>,
    stages: &'a Stages,
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
    fn write_partitions(&self, encoders: usize, report: &mut Report) -> Result<Vec<Change>, Error> {
        let settings = self.settings;
        let mut clock = self.stages.clock();
        let mut partitions = self.rows.partitions(self.superseded, settings.threads)?;
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
            if files.is_empty() {
                continue;
            }
            days.insert(settings.partition_unit.day_of(partition.unit_index));
            let fallen = fallen.remove(&partition.key()).unwrap_or_default();
            report.partitions.push(partition_report(path, &files, action, fallen));
            if action != Action::Unchanged {
                changes.push(change);
            }
        }
        report.superseded_partitions = fallen
            .into_iter()
            .map(|(partition, Fallen { read, left_out })| SupersededPartition {
                path: self.path(partition),
                superseded: left_out,
                read,
            })
            .collect();
        report.superseded_partitions.sort_by(|a, b| a.path.cmp(&b.path));
        report.partitions.sort_by(|a, b| a.path.cmp(&b.path));
        changes.sort_by(|a, b| a.directory.cmp(&b.directory));
        report.days_without_events = days_without_events(settings, &days);
        Ok(changes)
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
        let ordered = self.rows.ordered(partition, self.superseded);
        clock.lap(Stage::Order);
        let files = writer.write(ordered, table, PART_ROWS, (&path, number), &mut clock)?;
        self.stages.add_bytes(Stage::Encode, files.iter().map(|file| file.bytes).sum());
        let change = Change::partition(&path, (&event_type.domain, &event_type.name), &files);
        // What has no rows left is no change.
        let action = if files.is_empty() { Action::Unchanged } else { change.action(&settings.target)? };
        clock.lap(Stage::Compare);
        Ok(Written { path, files, change, action })
    }
}

/// Enters what became of the rows: of all, and of each source; and of some by name.
fn enter_rows(report: &mut Report, rows: &RowStore, superseded: &Superseded, plan: &Plan) {
    report.superseded = superseded.rows();
    (report.redelivered, report.corrected) = (superseded.redelivered(), superseded.corrected());
    report.written = report.partitions.iter().map(|partition| partition.rows).sum();
    let by_source = rows.accounts().by_source(superseded.by_block());
    for (index, source) in report.sources.iter_mut().enumerate() {
        source.fates.superseded = by_source.get(&index).copied().unwrap_or_default();
        source.fates.written = rows.accounts().written(index);
    }
    let samples = superseded.samples().iter().map(|sample| {
        let event_type = &plan.event_types[sample.type_index].event_type;
        SupersededSample::new(sample, event_type, rows.accounts(), &report.sources)
    });
    report.superseded_samples = samples.collect();
}

fn partition_report(path: String, files: &[StagedFile], action: Action, fallen: Fallen) -> PartitionReport {
    PartitionReport {
        path,
        rows: files.iter().map(|file| file.rows).sum(),
        superseded: fallen.left_out,
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
