//! The flags for memory and threads, shared by the commands that load → numbers.
//!
//! Invariant: neither changes what is written.

use std::thread;

use clap::{Args, builder::RangedU64ValueParser};

use super::RESOURCES;
use crate::runtime::memory;

/// A larger number of threads is a typing error.
pub(super) const THREADS_MAX: u64 = 1_024;

/// The resources of a run.
#[derive(Debug, Args)]
pub(super) struct ResourceArgs {
    /// The memory that the process may use: 512MiB, 2GiB, …; rows beyond it are spilled to disk
    /// [default: 2GiB, or half of what there is]
    ///
    /// At least 64MiB. The default is 2GiB, but at most half of what the machine or its cgroup has. Rows are
    /// spilled to an unnamed temporary file in the target (in a dry run: in $TMPDIR). Where memory has no
    /// room for what all threads need, fewer of them read or write at a time; -v shows how many.
    #[arg(long, value_name = "SIZE", value_parser = memory::parse_size, help_heading = RESOURCES)]
    memory: Option<usize>,

    /// The number of threads [default: all cores]
    ///
    /// The output is the same for any number.
    #[arg(
        long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=THREADS_MAX),
        help_heading = RESOURCES
    )]
    threads: Option<usize>,
}

impl ResourceArgs {
    /// The memory given, or else the default.
    pub(super) fn memory_bytes(&self) -> usize {
        self.memory.unwrap_or_else(memory::default_bytes)
    }

    /// The number of threads given, or else the number of cores.
    pub(super) fn threads(&self) -> usize {
        threads_of(self.threads)
    }
}

/// The number of threads given, or else the number of cores.
pub(super) fn threads_of(given: Option<usize>) -> usize {
    given.or_else(|| thread::available_parallelism().ok().map(usize::from)).unwrap_or(1)
}
