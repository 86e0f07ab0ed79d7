//! The settings of a load → a job that an engine runs: its splits, what its tasks need to know, and at last
//! its commit.
//!
//! Invariant: from [`Job::open`] to [`Job::commit`] or [`Job::abandon`] the job holds the lock of its target,
//! so neither a load nor another driver can be at work there.

use event_parser::Plan;
use event_target::{DedupeScope, Exchange, History, Mode, Staging, Target, TargetLayout};
use foldhash::quality::RandomState;

use super::{
    held::{HeldFiles, held_files, held_types},
    job_place::JobPlace,
    split::splits_of_sources,
    task::{JobSpec, of_task},
    wire::{TypeName, broken},
};
use crate::{
    commands::{
        facts::what_is_loaded,
        load::{layout_fit, list, memory_shares, screened},
        report_place,
    },
    error::Error,
    existing::Record,
    input::{Listed, Screened, reads_objects},
    output::converted_types,
    runtime::Interruption,
    settings::{Input, Settings},
};

/// Tasks of another version may hash, cut or write otherwise.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The least memory of a task that is set by nobody.
const TASK_MEMORY_BYTES: usize = 512 << 20;

/// The most buckets, and the most groups.
const BUCKETS_MAX: u32 = 1 << 16;
/// So many groups of partitions for each part that is read. A group is written by one task and synced at
/// once: with more groups, a large partition holds fewer others up; with fewer, more are synced at once.
const GROUPS_PER_PART: u32 = 4;
/// The least number of groups. One large split may have many partitions.
const GROUPS_MIN: u32 = 64;

/// A load that an engine distributes.
#[derive(Debug)]
pub struct Job {
    pub(super) target: Target,
    pub(super) begun: Begun,
}

/// All of a job but the target that it changes.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) settings: Settings,
    pub(super) staging: Staging,
    pub(super) exchange: Exchange,
    pub(super) layout: TargetLayout,
    /// The sources to read, and the others.
    pub(super) screened: Screened,
    /// What its tasks need to know.
    pub(super) spec: JobSpec,
}

/// How a job is divided.
#[derive(Debug, Clone, Copy)]
pub struct Division {
    /// About so many bytes of a source are read by one task.
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
    pub fn open(settings: &Settings, arguments: String, division: Division) -> Result<Self, Error> {
        refuse(settings)?;
        settings.selection.check(&settings.catalog)?;
        layout_fit(settings, false).check()?;
        let listed = list(settings)?;
        if let Some(report) = &settings.report {
            report_place::refuse(report, &listed.sources, &settings.target)?;
        }
        let mut target = Target::open(&settings.target)?;
        match Begun::in_target(&mut target, settings, listed, (arguments, division)) {
            Ok(begun) => Ok(Self { target, begun }),
            Err(error) => {
                target.abandon();
                Err(error)
            }
        }
    }

    /// The number of parts that are read: splits and, where rows of the target take part, groups of its
    /// files.
    #[must_use]
    pub fn split_count(&self) -> usize {
        self.begun.spec.splits.len() + self.begun.spec.held_tasks.len()
    }

    /// What a task finds the job by: a text of one line.
    #[must_use]
    pub fn handle(&self) -> String {
        self.begun.spec.place.handle()
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.begun.settings
    }

    /// Ends the job without a commit. The target is left as it was found.
    pub fn abandon(self) {
        self.target.abandon();
    }
}

impl Begun {
    /// Begins in its target, divides the work, and leaves what tasks need to know in the exchange.
    fn in_target(
        target: &mut Target,
        asked: &Settings,
        listed: Listed,
        (arguments, division): (String, Division),
    ) -> Result<Self, Error> {
        let layout = TargetLayout::new(asked.layout, asked.partition_unit);
        let staging = target.begin(&layout)?;
        layout_fit(asked, asked.target.folds_case()?).check()?;
        let mut record = Record::read(asked)?;
        let plan = Plan::for_layout(&asked.catalog, asked.layout);
        let known = record.merged(&what_is_loaded(asked));
        let screened = screened(asked, (&plan, &known), listed, &Interruption::default())?;
        let keeps_once = record.is_merged() || record.has_unique_ids();
        let mut settings = asked.clone();
        // Events that were corrected onto other days must not come back where they were.
        let overwrites_merged =
            keeps_once && (asked.mode, asked.dedupe_scope) == (Mode::Overwrite, DedupeScope::Input);
        if overwrites_merged {
            settings.dedupe_scope = DedupeScope::Target;
        }
        let exchange = staging.exchange().ok_or_else(|| no_exchange("the target"))?;
        let place = JobPlace::of(&exchange, &settings.stores)?;
        let job = (&settings, &plan, record.history());
        let spec = Self::spec(job, (&screened, overwrites_merged), (arguments, place), division)?;
        let text = serde_json::to_vec(&spec).map_err(|error| broken(&error.to_string()))?;
        exchange.put(&spec.place.name, &text).map_err(Error::io("beginning a job"))?;
        Ok(Self { settings, staging, exchange, layout, screened, spec })
    }

    fn spec(
        (settings, plan, history): (&Settings, &Plan, &History),
        (screened, overwrites_merged): (&Screened, bool),
        (arguments, place): (String, JobPlace),
        division: Division,
    ) -> Result<JobSpec, Error> {
        let task_memory_bytes = division.task_memory_bytes.unwrap_or(TASK_MEMORY_BYTES);
        let reads_objects = reads_objects(&screened.sources);
        let shares = memory_shares(&of_task(settings.clone(), task_memory_bytes), plan, reads_objects)?;
        let (split_bytes, block_bytes) = (division.split_bytes.max(1), shares.block_bytes as u64);
        let splits = splits_of_sources((settings, plan), &screened.sources, (split_bytes, block_bytes))?;
        let takes_part = settings.mode == Mode::Merge || overwrites_merged;
        let (held, held_tasks) = if takes_part && !splits.is_empty() {
            held_files(settings, plan, history)?
        } else {
            HeldFiles::default()
        };
        let parts = u32::try_from(splits.len() + held_tasks.len()).unwrap_or(u32::MAX);
        let held_types = held_types((settings, plan, history)).into_iter().map(|(index, _)| index);
        let converted = converted_types((settings, plan, history), held_types);
        let name = |type_index: usize| -> TypeName {
            let event_type = plan.event_type(type_index);
            (event_type.domain.clone(), event_type.name.clone())
        };
        Ok(JobSpec {
            version: VERSION.to_owned(),
            arguments,
            seed: std::hash::BuildHasher::hash_one(&RandomState::default(), splits.len()),
            buckets: division.buckets.unwrap_or(parts).clamp(1, BUCKETS_MAX),
            groups: parts.saturating_mul(GROUPS_PER_PART).clamp(GROUPS_MIN, BUCKETS_MAX),
            task_memory_bytes,
            reads_objects,
            overwrites_merged,
            converted: converted.into_iter().map(name).collect(),
            place,
            splits,
            held,
            held_tasks,
        })
    }
}

/// A database is written in one transaction, which is one process's.
fn no_exchange(what: &str) -> Error {
    Error::Usage(format!("{what} is a database, which one process writes to; load it with eventloader"))
}

/// Refuses what only a load on one machine does.
fn refuse(settings: &Settings) -> Result<(), Error> {
    if settings.target.database_of().is_some() {
        return Err(no_exchange("--target-path"));
    }
    let refused = |what: &str| Err(Error::Usage(format!("{what}; load it with eventloader")));
    match settings.input {
        Input::Replay(_) => refused("an engine does not replay the quarantine"),
        _ if settings.dry_run => refused("--dry-run: tasks of an engine leave rows in the target's staging"),
        Input::Sources { .. } => Ok(()),
    }
}
