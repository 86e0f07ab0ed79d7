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

use xxhash_rust::xxh3::xxh3_128;

use crate::{
    catalogs,
    commit::{Action, Change, History, LoadFacts, LoadedSource, Target, TargetLayout},
    error::Error,
    held::Held,
    ingest::{self, Ingested},
    latest::{Arbiter, Superseded},
    memory::MemoryShares,
    plan::Plan,
    quarantine::{self, Quarantine},
    report::{PartitionReport, Report, SourceReport, SupersededSample},
    rows::RowStore,
    settings::{Mode, Settings},
    sources::{self, Source},
    stages::{Stage, Stages},
    survey::{self, Survey},
    writing::Writing,
};

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
    let sources = match (&settings.replay, settings.skip_loaded) {
        (Some(_), _) => Vec::new(),
        // A landing directory may be empty for now.
        (None, true) => sources::list_any(&settings.sources, Some(&settings.target))?,
        (None, false) => sources::list(&settings.sources, Some(&settings.target))?,
    };
    let layout = TargetLayout::new(settings.layout, settings.partition_unit);
    let open = if settings.replay.is_some() { Target::open_existing } else { Target::open };
    let mut target = if settings.dry_run { None } else { Some(open(&settings.target)?) };
    let stages = Stages::default();
    let staging = match &mut target {
        Some(target) => target.begin(&layout).map(Some),
        None => layout.check(&settings.target).map(|()| None),
    };
    let outcome = staging
        .and_then(|staging| stage(settings, sources, staging.as_deref(), &stages))
        .and_then(|staged| settings.interruption.begin_commit().map(|()| staged));
    let Staged { mut report, changes, rows, what, is_news } = match outcome {
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
        let load = LoadFacts {
            mode: settings.mode,
            dedupe_scope: settings.dedupe_scope,
            counts: report.fates(),
            held_kept: report.held_kept,
            sources: report.sources.iter().map(loaded_source).collect(),
            what,
        };
        thread::scope(|scope| {
            // Giving memory back takes about as long as the commit, which has little to compute.
            scope.spawn(|| drop(rows));
            target.commit(changes, layout, (load, is_news), settings.threads)
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
    /// What is loaded of sources.
    what: String,
    /// Whether there is a source that the target does not know.
    is_news: bool,
}

/// Everything before the commit.
fn stage(
    settings: &Settings,
    sources: Vec<Source>,
    staging: Option<&Path>,
    stages: &Stages,
) -> Result<Staged, Error> {
    let what = what_is_loaded(settings);
    let mut known = HashSet::new();
    if settings.mode == Mode::Merge {
        known = History::read(&settings.target, |_, _| {})?.merged(&what);
    }
    let sources = match &settings.replay {
        Some(selection) => quarantine::sources(&settings.target, selection)?,
        None => sources,
    };
    let Survey { sources, passed_over } = if settings.skip_loaded {
        survey::survey(settings, sources, &known)?
    } else {
        Survey { sources, passed_over: Vec::new() }
    };
    let plan = Plan::new(&settings.catalog);
    let shares = MemoryShares::of(settings.memory_bytes, settings.threads);
    let spill_dir = staging.map_or_else(std::env::temp_dir, Path::to_owned);
    let arbiter = Arbiter::new(settings.dedupe_scope);
    let rows = RowStore::new(plan.event_types.len(), settings.partition_unit, shares, arbiter, spill_dir);
    let quarantine = Quarantine::new(staging.map(PathBuf::from));

    let ingested = ingest::ingest(settings, &plan, &sources, shares, rows, quarantine, stages)?;
    check_bad_lines(settings, &ingested)?;
    let Ingested { mut rows, quarantine, mut report, .. } = ingested;
    let mut clock = stages.clock();
    let mut held = None;
    if settings.mode == Mode::Merge {
        let held = held.insert(Held::list(settings, &plan, &rows)?);
        rows = held.add_contenders(rows, settings.threads.min(shares.encoders), settings)?;
        clock.lap_of(settings.threads, Stage::Search);
    }
    let superseded = rows.superseded(settings.threads, settings.superseded_samples_max, held.is_some())?;
    clock.lap_of(settings.threads, Stage::Latest);
    let encoders = settings.threads.min(shares.encoders);
    let (plan, held) = (&plan, held.as_ref());
    let writing = Writing { settings, plan, rows: &rows, superseded: &superseded, held, staging, stages };
    let mut changes = writing.write_partitions(encoders, &mut report)?;
    enter_rows(&mut report, &rows, &superseded, plan);
    report.dry_run = settings.dry_run;
    report.passed_over = passed_over;
    report.check()?;
    for change in quarantine.finish(&sources, &settings.target)? {
        let action = change.action(&settings.target)?;
        if action != Action::Unchanged {
            changes.push(change);
        }
    }
    let is_new = |source: &SourceReport| source.content.is_some_and(|content| !known.contains(&content));
    let is_news = report.sources.iter().any(is_new);
    Ok(Staged { report, changes, rows, what, is_news })
}

/// Stands for all that decides what is loaded of a source.
fn what_is_loaded(settings: &Settings) -> String {
    let Settings { catalog, selection, .. } = settings;
    let text = format!("{:?} {selection:?}", catalog.event_types());
    format!("{:032x}", xxh3_128(text.as_bytes()))
}

fn loaded_source(source: &SourceReport) -> LoadedSource {
    LoadedSource { path: source.path.clone(), content: source.content }
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

/// Enters what became of the rows: of all, and of each source; and of some by name.
fn enter_rows(report: &mut Report, rows: &RowStore, superseded: &Superseded, plan: &Plan) {
    report.superseded = superseded.rows();
    (report.redelivered, report.corrected) = (superseded.redelivered(), superseded.corrected());
    report.held_superseded = superseded.held_rows();
    let held_kept = |partition: &PartitionReport| partition.held - partition.held_superseded;
    let in_files: u64 = report.partitions.iter().map(|partition| partition.rows).sum();
    report.held_kept = report.partitions.iter().map(held_kept).sum();
    report.written = in_files.saturating_sub(report.held_kept);
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
