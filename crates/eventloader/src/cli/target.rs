//! `eventloader recover` and `eventloader verify` → what they need to know.

use std::path::PathBuf;

use clap::{Args, builder::RangedU64ValueParser};

use super::{THREADS_MAX, threads_of};
use crate::{memory, verify::VerifySettings};

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

/// `verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The directory of the partitions
    #[arg(value_name = "TARGET", default_value = "data/target/")]
    target: PathBuf,

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
            memory_bytes: self.memory,
            threads: threads_of(self.threads),
        }
    }
}
