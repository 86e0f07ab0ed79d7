//! A load, from its settings to its report; the only file that knows all stages.
//!
//! ```text
//! input → ingest (parse) → rows → latest → existing → output → commit → report
//! ```
//!
//! Invariant: nothing visible in the target changes before the commit, and the commit only happens if the
//! counts balance.

use std::{sync::Arc, time::Instant};

use event_parser::Plan;
use event_target::{Action, Change, DedupeScope, History, Merged, Mode, Staging, TargetLayout};

use crate::{
    commands::{
        conclude::{Checked, Done, OtherSources},
        facts::what_is_loaded,
        fitting::{LeftOut, stage_fitting},
        layout_fit::LayoutFit,
        named_version::version_of,
        report_place,
        sink::{ReadyCommit, Sink},
        ties::{LastRows, Ties},
    },
    error::Error,
    existing::{Existing, OpenDatabase, Record},
    ingest::{Ingest, Ingested},
    input::{
        Framed, Listed, Screened, Screening, Source, Window, list_any, list_sources, reads_objects, screen,
    },
    latest::Deduper,
    output::Writing,
    quarantine::{self, LastOnes, Quarantine},
    report::Report,
    rows::{RowStore, SpillPlace},
    runtime::{Controls, Interruption, MemoryShares, Needs, Stage, Stages, open_store},
    settings::{Input, Settings},
};

/// Loads events. On success the target has them, and they are on disk.
///
/// # Errors
/// Any [`Error`]. The target is as it was before, except with [`event_target::TargetError::Unfinished`].
pub fn load(settings: &Settings, controls: &Controls) -> Result<Report, Error> {
    let started = Instant::now();
    controls.interruption.begin_load();
    settings.selection.check(&settings.catalog)?;
    let is_replay = matches!(settings.input, Input::Replay(_));
    // Of a replay, only the types of its lines count.
    if !is_replay {
        layout_fit(settings, false).check()?;
    }
    let mut listed = list(settings)?;
    if let Some(report) = &settings.report {
        report_place::refuse(report, &listed.sources, &settings.target)?;
    }
    let stages = Stages::default();
    let mut sink = Sink::open(settings)?;
    let layout = TargetLayout::new(settings.layout, settings.partition_unit);
    let stage = |settings: &Settings, staging: &Staging| {
        if !is_replay {
            layout_fit(settings, settings.target.folds_case()?).check()?;
        }
        Load { settings, controls, stages: &stages }.stage(std::mem::take(&mut listed), staging)
    };
    let has_rows = |staged: &Staged| staged.report.has_good_lines();
    let outcome = stage_fitting(&mut sink, settings, &layout, stage, has_rows);
    let outcome = outcome.and_then(|staged| controls.interruption.begin_commit().map(|()| staged));
    let (Staged { mut report, commit, rows }, left_out) = match outcome {
        Ok(ready) => ready,
        Err(error) => {
            sink.abandon();
            return Err(error);
        }
    };
    for LeftOut { event_type: (domain, name), refused } in left_out {
        // Of the others, something is.
        let problem = refused.to_string().replace("; nothing was changed", "");
        report.leave_out(format!("{domain}/{name}"), problem);
    }
    let mut clock = stages.clock();
    // Freeing the memory takes about as long as the commit, which needs little CPU time.
    let ((), committed) = workers::both(|| drop(rows), || sink.commit(commit, layout, settings.threads));
    report.committed = committed?;
    if report.committed {
        clock.lap_of(settings.threads, Stage::Commit);
    }
    report.stages = stages.report();
    report.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(report)
}

/// The sources of a load; those of a replay are listed once the target is locked.
pub(super) fn list(settings: &Settings) -> Result<Listed, Error> {
    let target = settings.target.root();
    let open = |root: &str| open_store(root, &settings.stores);
    match &settings.input {
        Input::Replay(_) => Ok(Listed::default()),
        // A landing directory may be empty for now.
        Input::Sources { paths, skip_loaded: true } => list_any(paths, Some(&target), &open),
        Input::Sources { paths, skip_loaded: false } => list_sources(paths, Some(&target), &open),
    }
}

pub(super) fn layout_fit(settings: &Settings, folds_case: bool) -> LayoutFit<'_> {
    let Settings { catalog, selection, layout, partition_unit: unit, flatten, .. } = settings;
    LayoutFit { catalog, selection, only: None, layout: *layout, unit: *unit, flatten: *flatten, folds_case }
}

/// The memory of each stage of a load.
pub(super) fn memory_shares(
    settings: &Settings,
    plan: &Plan,
    reads_objects: bool,
) -> Result<MemoryShares, Error> {
    let &Settings { memory_bytes, threads, flatten, format, ref target, .. } = settings;
    let needs = match (target.database_of(), target.directory()) {
        (Some(_), _) => Needs::to_copy(plan),
        (None, Some(_)) => Needs::to_load(plan, flatten, format.codec),
        (None, None) => Needs::to_load(plan, flatten, format.codec).to_upload(memory_bytes),
    };
    let ahead_bytes = Window::of(memory_bytes).memory_bytes(reads_objects);
    let needs = Needs { ahead_bytes: needs.ahead_bytes + ahead_bytes, ..needs };
    if needs.least_bytes() > memory_bytes {
        let needed = needs.least_bytes();
        return Err(Error::Memory { columns: plan.columns(), needed, allowed: memory_bytes });
    }
    Ok(MemoryShares::of(memory_bytes, threads, needs))
}

/// The sources to read, and those that are skipped.
pub(super) fn screened(
    settings: &Settings,
    (plan, known): (&Plan, &Merged),
    listed: Listed,
    interruption: &Interruption,
) -> Result<Screened, Error> {
    let Input::Sources { skip_loaded: true, .. } = settings.input else { return Ok(listed.into()) };
    let framed = Framed { framing: settings.framing, records: Arc::clone(plan.records()) };
    let (framed, threads, window) = (&framed, settings.threads, Window::of(settings.memory_bytes));
    screen(listed, Screening { known, framed, threads, window, interruption })
}

/// A load in progress.
#[derive(Clone, Copy)]
struct Load<'a> {
    settings: &'a Settings,
    controls: &'a Controls,
    stages: &'a Stages,
}

/// A load that is ready to be committed.
struct Staged {
    /// Its counts balance.
    report: Report,
    commit: ReadyCommit,
    /// They are already written.
    rows: RowStore,
}

impl Load<'_> {
    /// Everything before the commit.
    fn stage(self, listed: Listed, staging: &Staging) -> Result<Staged, Error> {
        let record = Record::read(self.settings)?;
        let Settings { mode, dedupe_scope, .. } = *self.settings;
        // Events that were corrected onto other days must not come back where they were.
        let keeps_once = record.is_merged() || record.has_unique_ids();
        if (mode, dedupe_scope) == (Mode::Overwrite, DedupeScope::Input) && keeps_once {
            let settings = Settings { dedupe_scope: DedupeScope::Target, ..self.settings.clone() };
            return Load { settings: &settings, ..self }.stage_with(record, listed, staging);
        }
        self.stage_with(record, listed, staging)
    }

    fn stage_with(self, mut record: Record<'_>, listed: Listed, staging: &Staging) -> Result<Staged, Error> {
        let Self { settings, controls, stages } = self;
        let database = OpenDatabase::of(&settings.target, staging)?;
        let known = record.merged(&what_is_loaded(settings));
        let plan = Plan::for_layout(&settings.catalog, settings.layout);
        let Screened { sources, skipped, recognised } =
            self.screen(&plan, listed, (record.history(), &known))?;
        let shares = self.shares(&plan, &sources)?;
        let Ingested { rows, mut quarantine, counts: input, .. } =
            self.ingest(&plan, shares, &sources, staging)?;
        let checked = Checked { settings, plan: &plan, ledger: rows.ledger() };
        let reads = checked.check_read(&input, &record)?;
        let (existing, rows) =
            self.add_existing((&plan, database.as_ref()), rows, &mut record, shares.encoders)?;
        let mut clock = stages.clock();
        let superseded =
            rows.superseded(settings.threads, settings.superseded_samples_max, existing.is_some())?;
        clock.lap_of(settings.threads, Stage::Latest);
        let bytes_max = shares.contenders_bytes;
        let ties = Ties {
            settings,
            plan: &plan,
            history: record.history(),
            ledger: rows.ledger(),
            last_rows: LastRows::OfRun(&rows, &superseded),
            database: database.as_ref(),
            bytes_max,
        };
        // Before anything is written: in a database, superseded rows are gone afterwards.
        let lasts = ties.judge(&mut quarantine)?;
        let writing = Writing {
            settings,
            plan: &plan,
            rows: &rows,
            superseded: &superseded,
            history: record.history(),
            existing: existing.as_ref(),
            database: database.as_ref(),
            staging,
            piece: None,
            controls,
            stages,
        };
        let (written, mut changes) = writing.write_partitions(shares.encoders)?;
        changes.extend(quarantine_changes(
            (settings, &plan, record.history()),
            (quarantine, &sources),
            &lasts,
        )?);
        let totals = superseded.into_totals(|by_block| rows.ledger().by_source(by_block));
        let done = Done { input: &input, superseded: &totals, written, changes, reads };
        let others = OtherSources { known: &known, skipped, recognised };
        let checked = Checked { settings, plan: &plan, ledger: rows.ledger() };
        let (report, commit) = checked.conclude(record, done, others)?;
        Ok(Staged { report, commit, rows })
    }

    /// The memory of each stage, which decides how many threads are at work.
    fn shares(self, plan: &Plan, sources: &[Source]) -> Result<MemoryShares, Error> {
        let threads = self.settings.threads;
        let shares = memory_shares(self.settings, plan, reads_objects(sources))?;
        for (stage, of_stage) in [(Stage::Parse, shares.workers), (Stage::Encode, shares.encoders)] {
            if of_stage < threads {
                self.stages.limit(stage, of_stage);
            }
        }
        Ok(shares)
    }

    /// The sources to read, and those that are skipped.
    fn screen(
        self,
        plan: &Plan,
        listed: Listed,
        (history, known): (&History, &Merged),
    ) -> Result<Screened, Error> {
        let Self { settings, controls, .. } = self;
        let Input::Replay(selection) = &settings.input else {
            return screened(settings, (plan, known), listed, &controls.interruption);
        };
        let sources = quarantine::sources((&settings.target, history), selection)?;
        Ok(Screened { sources, ..Screened::default() })
    }

    fn ingest(
        self,
        plan: &Plan,
        shares: MemoryShares,
        sources: &[Source],
        staging: &Staging,
    ) -> Result<Ingested, Error> {
        let Self { settings, controls, stages } = self;
        let rows = RowStore::new(
            plan.event_type_count(),
            settings.partition_unit,
            shares,
            Deduper::new(settings.dedupe_scope),
            SpillPlace::Unnamed(staging.temporary_directory()),
        );
        let ingest = Ingest { settings, plan, shares, controls, stages, first_block: 0 };
        ingest.run(sources, rows, Quarantine::new(staging.clone(), settings.catalog.envelope()))
    }

    /// Where rows of the target take part, lists the existing partitions, and adds the existing rows that
    /// compete with the input.
    fn add_existing<'p>(
        self,
        (plan, database): (&'p Plan, Option<&OpenDatabase>),
        rows: RowStore,
        record: &mut Record<'_>,
        readers: usize,
    ) -> Result<(Option<Existing<'p>>, RowStore), Error> {
        let Self { settings, controls, stages } = self;
        if settings.mode != Mode::Merge && settings.dedupe_scope != DedupeScope::Target {
            return Ok((None, rows));
        }
        let mut clock = stages.clock();
        let mut existing = Existing::list(settings, plan, rows.ledger(), record.history())?;
        record.check(&existing, plan)?;
        let interruption = &controls.interruption;
        let rows = match database {
            Some(database) => {
                let context = (database, settings, plan);
                existing.add_stored(rows, context, record.history(), interruption)?
            }
            None => existing.add_contenders(rows, (settings.threads, readers), interruption)?,
        };
        clock.lap_of(settings.threads, Stage::Search);
        Ok((Some(existing), rows))
    }
}

/// The changes of the quarantine.
pub(super) fn quarantine_changes(
    (settings, plan, history): (&Settings, &Plan, &History),
    (quarantine, sources): (Quarantine, &[Source]),
    lasts: &LastOnes,
) -> Result<Vec<Change>, Error> {
    let target = (&settings.target, history);
    let changes = match &settings.input {
        Input::Replay(selection) => quarantine.finish_replay(sources, target.0, selection, lasts)?,
        Input::Sources { .. } => {
            quarantine.finish(sources, target, lasts, |line| version_of(settings, plan, line).is_some())?
        }
    };
    let mut kept = Vec::new();
    for change in changes {
        if target.0.action(&change, target.1)? != Action::Unchanged {
            kept.push(change);
        }
    }
    Ok(kept)
}
