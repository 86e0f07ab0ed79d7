//! Arguments in, an [`Order`] out.
//!
//! Text and types only; a bad value fails here, before any file is opened.

mod amount;
mod check;
mod explain;
mod faults;
mod output;
mod stream;

use std::num::NonZero;
use std::thread;

use clap::{Parser, Subcommand};
use command_line::Document;

use self::amount::AmountArgs;
pub use self::check::CheckArgs;
pub use self::explain::ExplainArgs;
use self::faults::FaultArgs;
use self::output::{OUTPUT, OutputArgs};
use self::stream::StreamArgs;
use crate::Config;
use crate::order::Order;

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

    #[command(flatten)]
    amount: AmountArgs,

    #[command(flatten)]
    faults: FaultArgs,

    #[command(flatten)]
    output: OutputArgs,

    /// Print the man page or a shell's completions instead of events
    #[arg(long, value_name = "WHAT", value_enum, exclusive = true, help_heading = OUTPUT)]
    pub generate: Option<Document>,
}

impl Cli {
    /// What the run is to be.
    #[must_use]
    pub fn order(&self) -> Order {
        let threads = self.output.threads.and_then(NonZero::new);
        let threads = threads.or_else(|| thread::available_parallelism().ok());
        Order {
            stream: Config { threads: threads.unwrap_or(NonZero::<usize>::MIN), ..self.stream.config() },
            first_event: self.amount.first_event,
            amount: self.amount.amount(),
            faults: self.faults.list(),
            output: self.output.output(),
            records: self.faults.records(),
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

    /// Prove that lines are a stream of a world, by the rules of docs/stream.md
    ///
    /// In one pass, by code that shares nothing with the generation: ids that are given once, times that ascend, accounts that are opened
    /// before anything becomes of them and change by allowed steps, payments between two open accounts, told by both sides alike,
    /// balances that add up and never fall below their limit; and each line in the one form in which it is written. A problem is told
    /// once, at its line; what may only follow from it is not. Memory: some 50 bytes for each event, for its id is to be its own.
    Check(CheckArgs),

    /// Print the catalog of the ledger world, for `eventloader --catalog`
    ///
    /// Its events have the types that the loader knows, but more fields.
    Catalog,
}

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
  datagen -s 7 -n 500 -w --if-exists append        the next 500 behind them
  datagen --end-date 2024-10-16 -w --rotate day --compress zstd
                                                   a file for each day of a week
  datagen --duration 365d --rate 100 | consumer    a live feed
  datagen explain --world ledger --event 4711      an event of the ledger, and its past
  datagen --world ledger -n 999 | datagen check    is it a stream of the ledger?

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
