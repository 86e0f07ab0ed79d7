//! The settings of a load, and the job that it is a part of → what a task needs to do its part.
//!
//! Invariant: all tasks of a job agree on hashes, so the same id falls into the same bucket everywhere.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use event_parser::Plan;
use event_target::{DedupeScope, Exchange};
use serde::{Deserialize, Serialize};
use storage::Store;

use super::{
    held::HeldFile,
    job_place::JobPlace,
    partitions_read::Partitions,
    split::Split,
    wire::{TypeName, broken},
};
use crate::{
    commands::load::memory_shares,
    error::Error,
    latest::Deduper,
    rows::RowLedger,
    runtime::{MemoryShares, open_store},
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
    /// Whether some sources are objects of a bucket.
    pub(super) reads_objects: bool,
    /// Whether days of a target that was merged are overwritten: then rows of its other days take part.
    pub(super) overwrites_merged: bool,
    /// Event types all of whose files in the target are written again if the input has rows of them.
    pub(super) converted: BTreeSet<TypeName>,
    /// Where this is.
    pub(super) place: JobPlace,
    pub(super) splits: Vec<Split>,
    /// In a merge: the files of the target, and which of them each further task searches.
    pub(super) held: Vec<HeldFile>,
    pub(super) held_tasks: Vec<(usize, usize)>,
}

/// The settings of a job → those of its tasks, each of which is one thread.
pub(super) fn of_task(settings: Settings, task_memory_bytes: usize) -> Settings {
    Settings { threads: 1, memory_bytes: task_memory_bytes, ..settings }
}

/// A part of a job, in any process.
#[derive(Debug)]
pub struct Task {
    pub(super) settings: Settings,
    pub(super) plan: Plan,
    pub(super) job: JobSpec,
    pub(super) exchange: Exchange,
    /// The stores of sources that were opened, by their addresses.
    stores: Mutex<HashMap<String, Arc<dyn Store>>>,
    pub(super) shares: MemoryShares,
    pub(super) deduper: Arc<Deduper>,
    /// The partitions that the input has, once they were read.
    pub(super) partitions: OnceLock<Arc<Partitions>>,
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
        let mut settings = of_task(settings, job.task_memory_bytes);
        if job.overwrites_merged {
            settings.dedupe_scope = DedupeScope::Target;
        }
        let plan = Plan::for_layout(&settings.catalog, settings.layout);
        let shares = memory_shares(&settings, &plan, job.reads_objects)?;
        let mut held_by_partition = HashMap::<_, Vec<_>>::new();
        for (index, file) in job.held.iter().enumerate() {
            held_by_partition.entry((file.event_type.clone(), file.unit)).or_default().push(index);
        }
        let deduper = Arc::new(Deduper::seeded(settings.dedupe_scope, job.seed));
        let exchange = settings.target.exchange(&job.place.at);
        let exchange = exchange.ok_or_else(|| broken("a task has another target than the job"))?;
        let (stores, partitions) = (Mutex::default(), OnceLock::new());
        Ok(Self { settings, plan, job, exchange, stores, shares, deduper, partitions, held_by_partition })
    }

    /// Opens the store of an address, once.
    pub(super) fn open_store(&self, address: &str) -> Result<Arc<dyn Store>, Error> {
        let mut opened = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = opened.get(address) {
            return Ok(Arc::clone(store));
        }
        let store = open_store(address, &self.settings.stores)?;
        opened.insert(address.to_owned(), Arc::clone(&store));
        Ok(store)
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
