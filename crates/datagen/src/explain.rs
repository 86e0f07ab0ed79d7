//! A stream and one of its events → its line and what it is; in the ledger, also what its accounts did
//! before.
//!
//! The event is found as a run would reach it, by the world's plan up to the event's chunk, but only its own
//! line is written.
//!
//! Invariant: the line is byte for byte that of the stream.

use std::{fmt, num::NonZero};

use uuid::Uuid;

use crate::{
    config::{Config, WorldName},
    error::Error,
    stream::{CHUNK_EVENTS, EVENT_INDEX_MAX, event_id::EventIds},
    worlds::{
        Event, EventType, find,
        ledger::{History, LedgerWorld},
        simple::SimpleWorld,
    },
};

/// Selects an event of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The event at this position; the first is 0.
    Index(u64),
    /// The event with this `event_id`.
    Id(Uuid),
}

/// What is known about an event.
#[derive(Debug)]
pub struct Explanation {
    /// With its newline.
    line: String,
    index: u64,
    event_type: EventType,
    seed: u64,
    /// None in the simple world.
    history: Option<History>,
}

/// Explains an event of the stream of `config`, with the last `history_max` events of each of its accounts,
/// or all of them.
///
/// # Errors
///
/// [`Error::UnknownId`] if no event of the stream has the id; [`Error::CalendarEnds`] or
/// [`Error::AccountsEnd`] if the stream ends before the event.
pub fn explain(
    config: &Config,
    which: Which,
    history_max: Option<NonZero<usize>>,
) -> Result<Explanation, Error> {
    let &Config { seed, start_date, events_per_day, .. } = config;
    let index = match which {
        Which::Index(index) => index,
        Which::Id(id) => {
            let index = EventIds::new(seed).index(id).filter(|index| *index < EVENT_INDEX_MAX);
            index.ok_or(Error::UnknownId { id, seed })?
        }
    };
    match config.world {
        WorldName::Simple => {
            let (event, line) = find(&SimpleWorld::new(seed, start_date), index)?;
            Ok(Explanation { line, index, event_type: event.event_type(), seed, history: None })
        }
        WorldName::Ledger => {
            let world = LedgerWorld::new(seed, start_date, events_per_day);
            let (event, line) = find(&world, index)?;
            let history = Some(world.history(&event, history_max)?);
            Ok(Explanation { line, index, event_type: event.event_type(), seed, history })
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, index, event_type, seed, history } = self;
        let (world, chunk_events) =
            (if history.is_some() { "ledger" } else { "simple" }, u64::from(CHUNK_EVENTS));
        writeln!(f, "{line}")?;
        writeln!(f, "event {index} of the {world} world of seed {seed}: {}", event_type.name())?;
        writeln!(
            f,
            "line {} of a run without faults, event {} of chunk {}",
            u128::from(*index) + 1,
            index % chunk_events,
            index / chunk_events
        )?;
        match history {
            Some(history) => write!(f, "{history}"),
            None => writeln!(f, "no history: the events of the simple world are independent"),
        }
    }
}
