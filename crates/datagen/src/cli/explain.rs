//! `datagen explain` → which event, of which stream, and how much of the history of its accounts.
//!
//! Invariant: an event is selected either by its position or by its id.

use std::num::NonZero;

use clap::{ArgGroup, Args};
use uuid::Uuid;

use super::stream::StreamArgs;
use crate::{config::Config, explain::Which};

const EVENT: &str = "Event";

/// `explain`
#[derive(Debug, Clone, Args)]
#[command(
    after_long_help = EXAMPLES,
    group = ArgGroup::new("which").required(true).args(["event", "event_id"])
)]
pub struct ExplainArgs {
    #[command(flatten)]
    stream: StreamArgs,

    /// The position of the event in the stream; the first is 0
    #[arg(long, value_name = "N", help_heading = EVENT)]
    event: Option<u64>,

    /// The id of the event
    #[arg(long, value_name = "UUID", value_parser = parse_id, help_heading = EVENT)]
    event_id: Option<Uuid>,

    /// Show the last K events of each account; 0 for all
    ///
    /// Memory grows with this number, not with the position of the event.
    #[arg(long, value_name = "K", default_value_t = 20, help_heading = EVENT)]
    history: usize,
}

impl ExplainArgs {
    /// The stream of the event.
    #[must_use]
    pub fn config(&self) -> Config {
        self.stream.config()
    }

    /// The selected event.
    #[must_use]
    pub fn which(&self) -> Which {
        self.event_id.map_or_else(|| Which::Index(self.event.unwrap_or_default()), Which::Id)
    }

    /// The maximum number of events of each account's history; `None` for all.
    #[must_use]
    pub fn history_max(&self) -> Option<NonZero<usize>> {
        NonZero::new(self.history)
    }
}

const EXAMPLES: &str = "\
Examples:
  datagen explain -s 7 --event 4711                    an event of the simple world
  datagen explain --world ledger -s 7 --event 4711     one of the ledger, and the history of its accounts
  datagen explain --event 4711 | head -1               only its line
  datagen explain --event-id c07bbad8-2549-4b56-9328-d7180e2f906e";

fn parse_id(text: &str) -> Result<Uuid, &'static str> {
    Uuid::try_parse(text)
        .map_err(|_| "write it as in the events, for example c07bbad8-2549-4b56-9328-d7180e2f906e")
}
