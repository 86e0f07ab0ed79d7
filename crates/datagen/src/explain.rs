//! A stream and one of its events in, its line out, with what it is and, of the ledger, what its accounts did before.
//!
//! The way to the event is that of a run: the world's plan, up to the event's chunk; no line is written but its own.
//!
//! Invariant: the line is byte for byte that of the stream.

use std::fmt;
use std::num::NonZero;

use uuid::Uuid;

use crate::clock::Clock;
use crate::event_id::EventIds;
use crate::ledger::{History, LedgerWorld};
use crate::line::written;
use crate::simple::SimpleWorld;
use crate::world::{CHUNK_EVENTS, Event, EventType, PLACES_END, World};
use crate::{Config, Error, WorldName};

/// Which event of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one at this place; the first is 0.
    Place(u64),
    /// The one with this `event_id`.
    Id(Uuid),
}

/// What there is to say of an event.
#[derive(Debug)]
pub struct Explanation {
    /// With its newline.
    line: String,
    index: u64,
    event_type: EventType,
    seed: u64,
    /// Of the simple world there is none.
    history: Option<History>,
}

/// Explains an event of the stream that `config` names, with the last `history_max` events of each of its accounts.
///
/// # Errors
///
/// [`Error::UnknownId`] when no event of the stream has the id, [`Error::CalendarEnds`] and [`Error::AccountsEnd`] when the
/// stream is not so long.
pub fn explain(
    config: &Config,
    which: Which,
    history_max: Option<NonZero<usize>>,
) -> Result<Explanation, Error> {
    let &Config { seed, start_date, events_per_day, .. } = config;
    let index = match which {
        Which::Place(index) => index,
        Which::Id(id) => {
            let index = EventIds::new(seed).index(id).filter(|index| *index < PLACES_END);
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

/// The event at a place, and its line.
fn find<W: World>(world: &W, index: u64) -> Result<(W::Event, String), Error> {
    let mut last = None;
    for chunk in world.chunks(index.saturating_add(1))? {
        last = Some(chunk?);
    }
    let event = last.and_then(|chunk| world.events(&chunk).last());
    let event = event.expect("the last event of a stream that ends behind a place is at the place");
    Ok((event, written(|line| world.write_line(&event, line, &mut Clock::new()))))
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
            None => writeln!(f, "no history: the events of the simple world know nothing of each other"),
        }
    }
}
