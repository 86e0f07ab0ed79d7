//! The settings of a load, and the job that it is a part of → what a task needs to do its part.
//!
//! Invariant: all tasks of a job agree on hashes, so the same id falls into the same bucket everywhere.

use std::{collections::HashMap, sync::Arc};

use event_parser::Plan;
use event_target::Exchange;
use serde::{Deserialize, Serialize};

use super::{
    held::HeldFile,
    job_place::JobPlace,
    split::Split,
    wire::{TypeName, broken},
};
use crate::{
    error::Error,
    latest::Deduper,
    rows::RowLedger,
    runtime::{MemoryShares, Needs},
    settings::Settings,
};

/// What all tasks of a job know, beside the settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct JobSpec {
    /// The version of the program. Others may hash otherwise.
    pub(super) version: String,
    /// What the settings are made of.
    pub(super) arguments: String,
    /// The seed of all hashes.
    pub(super) seed: u64,
    pub(super) buckets: u32,
    /// The number of groups of partitions that are written together.
    pub(super) groups: u32,
    /// The most memory that a task may take.
    pub(super) task_memory_bytes: usize,
    /// Where this is.
    pub(super) place: JobPlace,
    pub(super) splits: Vec<Split>,
    /// In a merge: the files of the target, and which of them each further task searches.
    pub(super) held: Vec<HeldFile>,
    pub(super) held_tasks: Vec<(usize, usize)>,
}

/// A part of a job, in any process.
#[derive(Debug)]
pub struct Task {
    pub(super) settings: Settings,
    pub(super) plan: Plan,
    pub(super) job: JobSpec,
    pub(super) exchange: Exchange,
    pub(super) shares: MemoryShares,
    pub(super) deduper: Arc<Deduper>,
    /// The indices of the held files, by partition.
    pub(super) held_by_partition: HashMap<(TypeName, i64), Vec<usize>>,
}

impl Task {
    /// A task of the job with this handle ([`Job::handle`](super::Job::handle)); `settings` makes the
    /// settings of the job's arguments.
    ///
    /// # Errors
    /// The job is over, or this program has another version than the driver's.
    pub fn open(handle: &str, settings: impl FnOnce(&str) -> Result<Settings, Error>) -> Result<Self, Error> {
        let job = JobPlace::of_handle(handle)?.read()?;
        let job: JobSpec = serde_json::from_slice(&job).map_err(|error| broken(&error.to_string()))?;
        if job.version != super::job::VERSION {
            return Err(Error::Distributed(format!(
                "a worker has eventloader {}, and the driver {}; install the same version everywhere",
                super::job::VERSION,
                job.version
            )));
        }
        let settings = settings(&job.arguments)?;
        let settings = Settings { threads: 1, memory_bytes: job.task_memory_bytes, ..settings };
        let plan = Plan::for_layout(&settings.catalog, settings.layout);
        let needs = Needs::to_load(&plan, settings.flatten, settings.format.codec);
        if needs.least_bytes() > job.task_memory_bytes {
            let (columns, needed) = (plan.columns(), needs.least_bytes());
            return Err(Error::Memory { columns, needed, allowed: job.task_memory_bytes });
        }
        let shares = MemoryShares::of(job.task_memory_bytes, 1, needs);
        let mut held_by_partition = HashMap::<_, Vec<_>>::new();
        for (index, file) in job.held.iter().enumerate() {
            held_by_partition.entry((file.event_type.clone(), file.unit)).or_default().push(index);
        }
        let deduper = Arc::new(Deduper::seeded(settings.dedupe_scope, job.seed));
        let exchange = settings.target.exchange(&job.place.at);
        let exchange = exchange.ok_or_else(|| broken("a task has another target than the job"))?;
        Ok(Self { settings, plan, job, exchange, shares, deduper, held_by_partition })
    }

    /// Refuses to hand anything over to a job that is over: it would be left over.
    pub(super) fn check_that_job_is_on(&self) -> Result<(), Error> {
        if self.exchange.has(&self.job.place.name).map_err(Error::io("looking for the job"))? {
            return Ok(());
        }
        Err(broken("the job is over"))
    }

    pub(super) fn split(&self, number: usize) -> Result<&Split, Error> {
        self.job.splits.get(number).ok_or_else(|| broken(&format!("there is no split {number}")))
    }

    /// The split that a block is of.
    pub(super) fn split_of_block(&self, block: u32) -> Option<&Split> {
        let behind = self.job.splits.partition_point(|split| split.first_block <= block);
        self.job.splits.get(behind.checked_sub(1)?)
    }

    /// A ledger that knows the sources of these splits' blocks.
    pub(super) fn ledger(&self, splits: &[(usize, usize)]) -> Result<RowLedger, Error> {
        let mut ledger = RowLedger::default();
        for &(number, blocks) in splits {
            let split = self.split(number)?;
            ledger.add_blocks(split.source, split.first_block, &vec![(0, false); blocks]);
        }
        Ok(ledger)
    }
}

/// The index of an event type, by its name.
pub(super) fn type_index(plan: &Plan, (domain, name): &TypeName) -> Result<usize, Error> {
    let index = plan.index_of(domain.as_bytes(), name.as_bytes());
    index.ok_or_else(|| broken(&format!("no catalog of the job has the event type {domain}/{name}")))
}
