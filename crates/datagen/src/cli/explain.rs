//! `datagen explain` → which event, of which stream, and how much of its account's history.

use std::num::NonZero;

use clap::{ArgGroup, Args};
use uuid::Uuid;

use super::stream::StreamArgs;
use crate::Config;
use crate::explain::Which;

const WHICH: &str = "Which event";

/// `explain`
#[derive(Clone, Debug, Args)]
#[command(
    after_long_help = EXAMPLES,
    group = ArgGroup::new("which").required(true).args(["event", "event_id"])
)]
pub struct ExplainArgs {
    #[command(flatten)]
    stream: StreamArgs,

    /// The event at this place in the stream; the first is 0
    #[arg(long, value_name = "N", help_heading = WHICH)]
    event: Option<u64>,

    /// The event with this id
    #[arg(long, value_name = "UUID", value_parser = parse_id, help_heading = WHICH)]
    event_id: Option<Uuid>,

    /// How many events of each account to show, the last of them; 0 for all
    ///
    /// Memory grows with this number, not with the place of the event.
    #[arg(long, value_name = "K", default_value_t = 20, help_heading = WHICH)]
    history: usize,
}

impl ExplainArgs {
    /// The stream in which the event is.
    #[must_use]
    pub fn config(&self) -> Config {
        self.stream.config()
    }

    /// The event.
    #[must_use]
    pub fn which(&self) -> Which {
        self.event_id.map_or_else(|| Which::Place(self.event.unwrap_or_default()), Which::Id)
    }

    /// How many events of each account's history; `None` for all.
    #[must_use]
    pub fn history_max(&self) -> Option<NonZero<usize>> {
        NonZero::new(self.history)
    }
}

const EXAMPLES: &str = "\
Examples:
  datagen explain -s 7 --event 4711                    an event of the simple world
  datagen explain --world ledger -s 7 --event 4711     one of the ledger, and what its accounts did
  datagen explain --event 4711 | head -1               its line alone
  datagen explain --event-id c07bbad8-2549-4b56-9328-d7180e2f906e";

fn parse_id(text: &str) -> Result<Uuid, &'static str> {
    Uuid::try_parse(text)
        .map_err(|_| "write it as events have it, for example c07bbad8-2549-4b56-9328-d7180e2f906e")
}
