//! Memory and threads of a run, for the commands that load.

use std::thread;

use clap::{Args, builder::RangedU64ValueParser};

use super::RUN;
use crate::runtime::memory;

/// More threads than this are a slip of the keyboard.
pub(super) const THREADS_MAX: u64 = 1_024;

/// What a run may use.
#[derive(Debug, Args)]
pub(super) struct ResourceArgs {
    /// Upper bound for what the process holds: 512MiB, 2GiB, …; rows beyond it are spilled to disk
    ///
    /// At least 64MiB. Rows are spilled to an unnamed temporary file in the target (in a dry run: in $TMPDIR).
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = memory::parse_size, help_heading = RUN)]
    pub(super) memory: usize,

    /// How many threads work [default: all cores]
    ///
    /// The output is the same bytes for every number.
    #[arg(
        long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=THREADS_MAX),
        help_heading = RUN
    )]
    threads: Option<usize>,
}

impl ResourceArgs {
    /// The threads asked for, or else as many as there are cores.
    pub(super) fn threads(&self) -> usize {
        threads_of(self.threads)
    }
}

/// The threads asked for, or else as many as there are cores.
pub(super) fn threads_of(given: Option<usize>) -> usize {
    given.or_else(|| thread::available_parallelism().ok().map(usize::from)).unwrap_or(1)
}
