//! The settings of a load → a job that an engine runs: its splits, what its tasks need to know, and at last
//! its commit.
//!
//! Invariant: from [`Job::open`] to [`Job::commit`] or [`Job::abandon`] the job holds the lock of its target,
//! so neither a load nor another driver can be at work there.

use std::sync::Arc;

use event_parser::Plan;
use event_target::{DedupeScope, Exchange, Mode, Staging, Target, TargetLayout};
use foldhash::quality::RandomState;

use super::{
    held::{HeldFiles, held_files},
    job_place::JobPlace,
    split::{Dividing, Split, splits_of},
    task::JobSpec,
    wire::broken,
};
use crate::{
    commands::{
        load::{layout_fit, list},
        report_place,
    },
    error::Error,
    existing::Record,
    input::{Framed, Source},
    runtime::{MemoryShares, Needs},
    settings::{Input, Settings},
};

/// Tasks of another version may hash, cut or write otherwise.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The least memory of a task that is set by nobody.
const TASK_MEMORY_BYTES: usize = 512 << 20;

/// A load that an engine distributes.
#[derive(Debug)]
pub struct Job {
    pub(super) settings: Settings,
    pub(super) target: Target,
    pub(super) staging: Staging,
    pub(super) exchange: Exchange,
    pub(super) layout: TargetLayout,
    pub(super) sources: Vec<Source>,
    pub(super) spec: JobSpec,
}

/// A job that has begun in its target.
struct Begun {
    staging: Staging,
    exchange: (Exchange, JobPlace),
    held: HeldFiles,
}

/// How a job is divided.
#[derive(Debug, Clone, Copy)]
pub struct Division {
    /// About so many bytes of a file are read by one task.
    pub split_bytes: u64,
    /// So many tasks decide which rows are the latest; as many as there are splits where `None`.
    pub buckets: Option<u32>,
    /// The most memory that a task may take; 512 MiB where `None`.
    pub task_memory_bytes: Option<usize>,
}

impl Job {
    /// Lists the sources, locks the target, and divides the work. What the tasks make their settings of is in
    /// `arguments`.
    ///
    /// # Errors
    /// Those of a load before it reads, and settings that an engine can't do.
    pub fn open(settings: Settings, arguments: String, division: Division) -> Result<Self, Error> {
        refuse(&settings)?;
        settings.selection.check(&settings.catalog)?;
        layout_fit(&settings, false).check()?;
        let sources = list(&settings)?.sources;
        if let Some(report) = &settings.report {
            report_place::refuse(report, &sources, &settings.target)?;
        }
        let plan = Plan::for_layout(&settings.catalog, settings.layout);
        let task_memory_bytes = division.task_memory_bytes.unwrap_or(TASK_MEMORY_BYTES);
        let splits = divide(&sources, &settings, &plan, (division.split_bytes, task_memory_bytes))?;
        let layout = TargetLayout::new(settings.layout, settings.partition_unit);
        let mut target = Target::open(&settings.target)?;
        let begun = match Self::begin(&settings, &plan, (&mut target, &layout)) {
            Ok(begun) => begun,
            Err(error) => {
                target.abandon();
                return Err(error);
            }
        };
        let Begun { staging, exchange, held: (held, held_tasks) } = begun;
        let parts = u32::try_from(splits.len() + held_tasks.len()).unwrap_or(u32::MAX);
        let spec = JobSpec {
            version: VERSION.to_owned(),
            arguments,
            seed: std::hash::BuildHasher::hash_one(&RandomState::default(), splits.len()),
            buckets: division.buckets.unwrap_or(parts).clamp(1, BUCKETS_MAX),
            groups: parts.saturating_mul(GROUPS_PER_PART).clamp(GROUPS_MIN, BUCKETS_MAX),
            task_memory_bytes,
            place: exchange.1,
            splits,
            held,
            held_tasks,
        };
        let job = Self { settings, target, staging, exchange: exchange.0, layout, sources, spec };
        match job.tell_tasks() {
            Ok(()) => Ok(job),
            Err(error) => {
                job.abandon();
                Err(error)
            }
        }
    }

    /// Leaves in the exchange what tasks need to know.
    fn tell_tasks(&self) -> Result<(), Error> {
        let spec = serde_json::to_vec(&self.spec).map_err(|error| broken(&error.to_string()))?;
        self.exchange.put(&self.spec.place.name, &spec).map_err(Error::io("beginning a job"))
    }

    /// Begins the load in its target; in a merge, lists the files there, and which tasks search them.
    fn begin(
        settings: &Settings,
        plan: &Plan,
        (target, layout): (&mut Target, &TargetLayout),
    ) -> Result<Begun, Error> {
        let staging = target.begin(layout)?;
        layout_fit(settings, settings.target.folds_case()?).check()?;
        let record = Record::read(settings)?;
        let keeps_once = record.is_merged() || record.has_unique_ids();
        if (settings.mode, settings.dedupe_scope) == (Mode::Overwrite, DedupeScope::Input) && keeps_once {
            return Err(Error::Usage(
                "the target was merged, so its other days take part where days are overwritten; use --mode \
                 merge, or load it with eventloader"
                    .to_owned(),
            ));
        }
        let held = match settings.mode {
            Mode::Merge => held_files(settings, plan, record.history())?,
            _ => HeldFiles::default(),
        };
        let exchange = staging.exchange().ok_or_else(|| no_exchange("the target"))?;
        let place = JobPlace::of(&exchange, &settings.stores)?;
        Ok(Begun { staging, exchange: (exchange, place), held })
    }

    /// The number of parts that are read: splits and, in a merge, groups of files of the target.
    #[must_use]
    pub fn split_count(&self) -> usize {
        self.spec.splits.len() + self.spec.held_tasks.len()
    }

    /// What a task finds the job by: a text of one line.
    #[must_use]
    pub fn handle(&self) -> String {
        self.spec.place.handle()
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Ends the job without a commit. The target is left as it was found.
    pub fn abandon(self) {
        self.target.abandon();
    }
}

/// Divides the sources.
fn divide(
    sources: &[Source],
    settings: &Settings,
    plan: &Plan,
    (split_bytes, task_memory_bytes): (u64, usize),
) -> Result<Vec<Split>, Error> {
    let framed = Framed { framing: settings.framing, records: Arc::clone(plan.records()) };
    let needs = Needs::to_load(plan, settings.flatten, settings.format.codec);
    let dividing = Dividing {
        framed: &framed,
        split_bytes: split_bytes.max(1),
        block_bytes: MemoryShares::of(task_memory_bytes, 1, needs).block_bytes as u64,
        are_hashed: settings.mode == Mode::Merge,
    };
    splits_of(sources, dividing)
}

/// The most buckets, and the most groups.
const BUCKETS_MAX: u32 = 1 << 16;
/// So many groups of partitions for each part that is read. A group is written by one task and synced at
/// once: with more groups, a large partition holds fewer others up; with fewer, more are synced at once.
const GROUPS_PER_PART: u32 = 4;
/// The least number of groups. One large split may have many partitions.
const GROUPS_MIN: u32 = 64;

/// A database is written in one transaction, which is one process's.
fn no_exchange(what: &str) -> Error {
    Error::Usage(format!("{what} is a database, which one process writes to; load it with eventloader"))
}

/// Refuses what only a load on one machine does.
fn refuse(settings: &Settings) -> Result<(), Error> {
    let refused = |what: &str| Err(Error::Usage(format!("{what}; load it with eventloader")));
    if !matches!(settings.input, Input::Sources { skip_loaded: false, .. }) {
        return refused("--skip-loaded: an engine reads all that it is given");
    }
    if settings.target.database_of().is_some() {
        return Err(no_exchange("--target-path"));
    }
    if settings.dry_run {
        return refused("--dry-run: an engine does not do it");
    }
    Ok(())
}
