//! Arguments in, a [`Config`] and a [`Destination`] out.
//!
//! Text and types only; a bad value fails here, before any file is opened.

mod explain;
mod faults;
mod stream;

use std::num::NonZero;
use std::path::PathBuf;
use std::thread;

use clap::builder::RangedU64ValueParser;
use clap::{Parser, Subcommand};
use command_line::Document;

pub use self::explain::ExplainArgs;
use self::faults::FaultArgs;
use self::stream::{EVENTS, StreamArgs};
use crate::Config;
use crate::destination::Destination;
use crate::events_file::IfExists;
use crate::faults::FaultListError;
use crate::records::RecordPaths;

/// More threads than this are a slip of the keyboard.
const THREADS_MAX: u64 = 1024;

/// Emits seeded, fake account and transaction events as JSON lines.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "datagen",
    version = VERSION,
    about,
    long_about = LONG_ABOUT,
    after_long_help = EXAMPLES,
    help_expected = true,
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// Something else than a run.
    #[command(subcommand)]
    pub command: Option<Command>,

    #[command(flatten)]
    stream: StreamArgs,

    /// How many events
    ///
    /// The first K lines of a longer run are the run with --num-events K.
    #[arg(short, long, value_name = "N", default_value_t = 10, help_heading = EVENTS)]
    num_events: u64,

    #[command(flatten)]
    faults: FaultArgs,

    /// Write events.json in --base-path instead of standard output
    ///
    /// The file appears under its name only when it is complete and on the disk. Until then it is a hidden temporary file next to it,
    /// so that a run that is stopped, killed or out of disk space leaves the old events.json as it was; the next run
    /// removes what such a run left. What was written, and where, is said on standard error.
    #[arg(short, long, help_heading = OUTPUT)]
    write_data: bool,

    /// The directory for --write-data; created when missing
    #[arg(short, long, value_name = "DIR", default_value = "data/raw_events/", help_heading = OUTPUT)]
    base_path: PathBuf,

    /// What --write-data does with an events.json that is there
    #[arg(
        long, value_name = "WHAT", value_enum, default_value_t = IfExists::Overwrite, help_heading = OUTPUT
    )]
    if_exists: IfExists,

    /// How many threads render events [default: all cores]
    ///
    /// The output is the same bytes for every number. Each takes about 2 MB of memory, whatever the number of events.
    #[arg(
        long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=THREADS_MAX),
        help_heading = OUTPUT
    )]
    threads: Option<usize>,

    /// Print the man page or a shell's completions instead of events
    #[arg(long, value_name = "WHAT", value_enum, exclusive = true, help_heading = OUTPUT)]
    pub generate: Option<Document>,
}

impl Cli {
    /// What to generate.
    ///
    /// # Errors
    ///
    /// [`FaultListError`] where there are more faults than events.
    pub fn config(&self) -> Result<Config, FaultListError> {
        let threads = self.threads.and_then(NonZero::new);
        let threads = threads.or_else(|| thread::available_parallelism().ok());
        Ok(Config {
            num_events: self.num_events,
            faults: self.faults.counts(self.num_events)?,
            threads: threads.unwrap_or(NonZero::<usize>::MIN),
            ..self.stream.config()
        })
    }

    /// What to write beside it.
    #[must_use]
    pub fn records(&self) -> RecordPaths {
        self.faults.records()
    }

    /// Where to put it.
    #[must_use]
    pub fn destination(&self) -> Destination {
        if self.write_data {
            Destination::EventsFile { base_path: self.base_path.clone(), if_exists: self.if_exists }
        } else {
            Destination::StandardOutput
        }
    }
}

/// What there is besides a run.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Show one event, and what its account did before, without generating the rest
    ///
    /// First the event's line as it stands in the stream, then what it is. Of the ledger also the history of its account, of a
    /// payment those of both accounts, the payer's first: of each event its place, its time, its type, what changed, and the
    /// balance after it.
    ///
    /// In the ledger what an event may be depends on those before it. They are decided again, twice, but not written: 0.05 s for
    /// the event at 1,000,000, 8 s for that at 100,000,000. In the simple world that takes 0.2 s.
    Explain(ExplainArgs),

    /// Print the catalog of the ledger world, for `eventloader --catalog`
    ///
    /// Its events have the types that the loader knows, but more fields.
    Catalog,
}

const OUTPUT: &str = "Output";

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (stream version 1)");

const LONG_ABOUT: &str = "\
Emits seeded, fake account and transaction events as JSON lines, in the order of time, to standard output or a file.

There are two worlds. In the simple one, half of the events are of the domain account (account-open, account-close, \
status-change, evenly), half of the domain transaction (payment-to, payment-from, evenly), and they know nothing of each \
other. In the ledger, accounts open, live and close, and pay each other. Every event has an id of its own, a version 4 UUID.";

const EXAMPLES: &str = "\
Examples:
  datagen                                          ten events to look at
  datagen -s 7 -n 1000000 | eventloader -s - -b    straight into the loader
  datagen -s 7 -n 1000000 -w                       data/raw_events/events.json
  datagen -s 8 -n 500 -d 2024-10-11 -w --if-exists append
                                                   another day's events behind them
  datagen explain --world ledger --event 4711      an event of the ledger, and its past

Exit codes: 0 done (also when the reader of standard output stops early, as head does), 1 failed, 2 wrong usage.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::STREAM_VERSION;

    #[test]
    fn the_command_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn version_names_the_stream_version() {
        assert!(VERSION.ends_with(&format!("(stream version {STREAM_VERSION})")));
    }
}
