//! `datagen check` → which lines, and by which rules.

use std::path::PathBuf;

use clap::Args;

use crate::WorldName;
use crate::check::CheckSettings;

/// `check`
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct CheckArgs {
    /// Files of one stream, in its order, plain or compressed; - is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    files: Vec<PathBuf>,

    /// Whose rules hold [default: those of the first line: times of the ledger have a fraction]
    #[arg(long, value_name = "WORLD", value_enum)]
    world: Option<WorldName>,

    /// Undo the faults first that this log of `--faults-log` tells of
    ///
    /// The log is held in memory, some 100 bytes for each faulty line.
    #[arg(long, value_name = "FILE")]
    faults_log: Option<PathBuf>,

    /// The place in its stream of the first event: where the run began that wrote the lines
    ///
    /// The ledger can be checked from its beginning only, since what an event may be depends on those before it.
    #[arg(long, value_name = "K", default_value_t = 0)]
    first_event: u64,

    /// Show so many problems, and count the others; 0 for all
    #[arg(long, value_name = "N", default_value_t = 20)]
    max_problems: u64,

    /// Say nothing but problems and errors
    #[arg(short, long)]
    pub quiet: bool,
}

impl CheckArgs {
    /// What is to be checked.
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

Exit codes: 0 all rules hold, 1 problems (each a line on standard output: FILE:LINE: rule: expected …, found …) or an error, \
2 wrong usage.";
