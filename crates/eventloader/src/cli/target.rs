//! `eventloader list`, `recover` and `verify` → what they need to know.

use std::path::PathBuf;

use clap::{Args, builder::RangedU64ValueParser};

use super::{THREADS_MAX, threads_of};
use crate::{commands::verify::VerifySettings, runtime::memory};

/// `recover`
#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// The directory of the partitions
    #[arg(value_name = "TARGET", default_value = "data/target/")]
    pub target: PathBuf,

    /// Say nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// `list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// The directory of the partitions
    #[arg(value_name = "TARGET", default_value = "data/target/")]
    pub target: PathBuf,

    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The directory of the partitions
    #[arg(value_name = "TARGET", default_value = "data/target/")]
    target: PathBuf,

    /// What the target must hold: the file that `datagen --manifest` wrote with the events
    ///
    /// For a target that all of them were loaded into, with the catalog of their world. Rows, contents and sums are compared by day and
    /// event type, and the bad lines by reason, in any layout, flat or nested. docs/manifest.md has the format.
    #[arg(long, value_name = "MANIFEST")]
    against: Option<PathBuf>,

    /// Upper bound for what the process holds: 512MiB, 2GiB, …; ids beyond it are compared in several passes
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = memory::parse_size)]
    memory: usize,

    /// How many threads work [default: all cores]
    #[arg(
        long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=THREADS_MAX)
    )]
    threads: Option<usize>,

    /// Say nothing but problems and errors
    #[arg(short, long)]
    pub quiet: bool,
}

impl VerifyArgs {
    /// What the command line asks for, in full.
    #[must_use]
    pub fn settings(&self) -> VerifySettings {
        VerifySettings {
            target: self.target.clone(),
            against: self.against.clone(),
            memory_bytes: self.memory,
            threads: threads_of(self.threads),
        }
    }
}
