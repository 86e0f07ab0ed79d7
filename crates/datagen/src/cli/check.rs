//! `datagen check` → which lines, and by which rules.
//!
//! Invariant: no file is opened here.

use std::path::PathBuf;

use clap::Args;

use super::values::{WORLDS, one_of};
use crate::{check::CheckSettings, config::WorldName};

/// `check`
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct CheckArgs {
    /// Files of one stream, in its order, plain or compressed; - is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    files: Vec<PathBuf>,

    /// The world whose rules must hold [default: detected from the first line]
    #[arg(long, value_name = "WORLD", value_parser = one_of(WORLDS))]
    world: Option<WorldName>,

    /// First undo the faults in this log, which `datagen --faults-log` wrote
    ///
    /// The log is kept in memory, about 100 bytes for each faulty line.
    #[arg(long, value_name = "FILE")]
    faults_log: Option<PathBuf>,

    /// The position of the first event in its stream, as given to the run that wrote the lines
    ///
    /// The ledger can only be checked from its beginning, since each event depends on those before it.
    #[arg(long, value_name = "K", default_value_t = 0)]
    first_event: u64,

    /// Show at most N problems and count the others; 0 for all
    #[arg(long, value_name = "N", default_value_t = 20)]
    max_problems: u64,

    /// Print only problems and errors
    #[arg(short, long)]
    pub quiet: bool,
}

impl CheckArgs {
    /// What to check.
    #[must_use]
    pub fn settings(&self) -> CheckSettings {
        CheckSettings {
            files: self.files.clone(),
            world: self.world,
            faults_log: self.faults_log.clone(),
            first_event: self.first_event,
            problems_max: (self.max_problems > 0).then_some(self.max_problems),
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  datagen --world ledger -n 1000000 | datagen check
  datagen check data/raw_events/events-*.json.zst
  datagen -n 5000 --faults late=50,blank=9 --faults-log log > faulty.json; datagen check faulty.json --faults-log log

Exit codes: 0 all rules hold, 1 problems (each is a line on standard output: FILE:LINE: rule: expected …, \
found …) or an error, 2 wrong usage.";
