//! Arguments → a [`RunSpec`], or the settings of a subcommand.
//!
//! Only text and types are looked at; a bad value fails here, before any file is opened.
//!
//! Invariant: this folder is the only one that declares flags.

mod amount;
mod catalog;
mod changes;
mod check;
mod explain;
mod faults;
mod messages;
mod output;
mod progress;
mod stream;
mod values;

use std::{fmt::Display, num::NonZero, thread};

use clap::{Parser, Subcommand};
use command_line::Document;

use self::{
    amount::{AmountArgs, SizeArgs},
    changes::ChangeArgs,
    faults::FaultArgs,
    output::{OUTPUT, OutputArgs},
    stream::{EVENTS, StreamArgs},
    values::{ENVELOPES, one_of},
};
pub use self::{
    catalog::CatalogArgs, check::CheckArgs, explain::ExplainArgs, messages::message,
    progress::TerminalProgress,
};
use crate::{
    config::{Config, EnvelopeName},
    deliver::{Amount, RunSpec},
};

/// Generates seeded, fake account and transaction events as JSON lines.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "datagen",
    version = command_line::version!(STREAM),
    about,
    long_about = LONG_ABOUT,
    after_long_help = EXAMPLES,
    help_expected = true,
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// What to do instead of generating events.
    #[command(subcommand)]
    pub command: Option<Command>,

    #[command(flatten)]
    stream: StreamArgs,

    /// Write the events as the records of another producer, by the name of the loader's preset
    ///
    /// The events, their faults and their manifest are those of the world, as far as the envelope can hold
    /// them: a record of Stripe has no more than whole seconds, for instance. `datagen catalog --envelope
    /// NAME` prints the catalog for the loader; docs/stream.md describes the records.
    #[arg(long, value_name = "NAME", value_parser = one_of(ENVELOPES), help_heading = EVENTS)]
    envelope: Option<EnvelopeName>,

    #[command(flatten)]
    amount: AmountArgs,

    #[command(flatten)]
    size: SizeArgs,

    #[command(flatten)]
    changes: ChangeArgs,

    #[command(flatten)]
    faults: FaultArgs,

    #[command(flatten)]
    output: OutputArgs,

    /// Print the man page or a shell's completions instead of events
    #[arg(long, value_name = "WHAT", value_enum, exclusive = true, help_heading = OUTPUT)]
    pub generate: Option<Document>,
}

impl Cli {
    /// The run that was asked for.
    #[must_use]
    pub fn run_spec(&self) -> RunSpec {
        let threads = self.output.threads.and_then(NonZero::new);
        let threads = threads.or_else(|| thread::available_parallelism().ok());
        RunSpec {
            stream: Config {
                threads: threads.unwrap_or(NonZero::<usize>::MIN),
                envelope: self.envelope,
                changes: self.changes.counts(),
                ..self.stream.config()
            },
            first_event: self.amount.first_event,
            amount: self.amount(),
            faults: self.faults.list(),
            output: self.output.output(),
            records: self.faults.records(),
        }
    }

    fn amount(&self) -> Amount {
        self.size.or(self.amount.amount())
    }

    /// Shows the progress of the run, unless nobody would see it or it was not wanted; `say` prints a line.
    #[must_use]
    pub fn progress(&self, say: fn(&dyn Display)) -> TerminalProgress {
        let counts_bytes = matches!(self.amount(), Amount::Bytes(_));
        let say = (!self.output.quiet).then_some(say);
        TerminalProgress::new(self.output.hides_progress(), counts_bytes, say)
    }

    /// Whether to print only errors.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.output.quiet
    }
}

/// What to do instead of generating events.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Show one event and the history of its account, without generating the rest
    ///
    /// Prints the event's line as it is in the stream, then what it is. In the ledger, the history of its
    /// account follows; for a payment, those of both accounts, the payer's first: for each event its
    /// position, its time, its type, what changed, and the balance after it.
    ///
    /// In the ledger, each event depends on those before it, so they are decided again, twice, but not
    /// written: 0.05 s for the event at 1,000,000, 8 s for the one at 100,000,000. In the simple world, the
    /// latter takes 0.2 s.
    Explain(ExplainArgs),

    /// Prove that lines are a stream of a world, by the rules in docs/stream.md
    ///
    /// In one pass, with code that shares nothing with the generator, it checks that ids are unique and times
    /// ascend; that accounts are opened before anything else happens to them and change only in allowed
    /// steps; that payments connect two open accounts and both sides agree; that balances add up and never
    /// fall below their limit; and that each line has the one form in which it is written. A problem is
    /// reported once, at its line; what may only follow from it is not reported. Memory: about 50 bytes for
    /// each event, since ids must be unique.
    Check(CheckArgs),

    /// Print the catalog of the ledger world, of an envelope, or of a run with changes, for `eventloader
    /// --catalog`
    ///
    /// The events of the ledger have the types that the loader knows, but more fields. With --envelope, the
    /// catalog has the types of the dressed events, and names the envelope. With --changes, it has the types
    /// that the events have at the end of the run that the other flags describe.
    Catalog(Box<CatalogArgs>),
}

/// A fact for `--version`.
const STREAM: &str = "stream version 1";

const LONG_ABOUT: &str = "\
Generates seeded, fake account and transaction events as JSON lines, ordered by time, to standard output or \
files.

There are two worlds. In the simple world, half of the events are of the domain account (account-open, \
account-close, status-change, equally often), half of the domain transaction (payment-to, payment-from, \
equally often), and all are independent. In the ledger, accounts open, live and close, and pay each other. Every \
event has a unique id, a version 4 UUID.";

const EXAMPLES: &str = "\
Examples:
  datagen                                          ten events to look at
  datagen -s 7 -n 1000000 | eventloader -s - -b    straight into the loader
  datagen -s 7 -n 1000000 -w                       data/raw_events/events.json
  datagen -s 7 -n 500 -w --if-exists append        the next 500 events after them
  datagen --end-date 2024-10-16 -w --rotate day --compress zstd
                                                   a file for each day of a week
  datagen --duration 365d --rate 100 | consumer    a live feed
  datagen explain --world ledger --event 4711      an event of the ledger and its history
  datagen --world ledger -n 999 | datagen check    is it a stream of the ledger?
  datagen --envelope stripe -n 1000                the events as Stripe would send them
  datagen --changes add=4,widen=6,split=1 -n 1000  fields appear and widen, a type splits

Exit codes: 0 success (also if the reader of standard output stops early, as head does), 1 failure, \
2 wrong usage.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::stream::STREAM_VERSION;

    #[test]
    fn the_command_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn version_names_the_stream_version() {
        assert_eq!(STREAM, format!("stream version {STREAM_VERSION}"));
    }
}
