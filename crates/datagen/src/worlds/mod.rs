//! What a world is: a plan that divides its stream into chunks, the events of a chunk, and how one of them is
//! written.
//!
//! There are two: `simple`, with independent events, and `ledger`, with accounts that open, live and close.
//! Everything after them (rendering, faults, truth, files) is the same code for both.
//!
//! Invariant: a plan runs alone and in order. Everything else that a world does is a function of one chunk,
//! so any thread can do it.

pub(crate) mod ledger;
pub mod payload;
pub(crate) mod simple;
pub(crate) mod table;

use std::sync::Arc;

use events_core::truth::RowDigest;
use uuid::Uuid;

use crate::{
    error::Error,
    lines::{
        clock::Clock,
        line::{Line, text_of},
    },
    stream::{EVENT_INDEX_MAX, event_id::EventIds},
};

/// A world of one seed.
pub(crate) trait World: Sync {
    /// What a thread needs to know to produce the events of a chunk.
    type Chunk: Chunk;
    /// An event, before it is text.
    type Event: Event;

    /// The chunks of the stream, in order, up to `end`. Fails early if it is cheap to tell that the stream
    /// ends before the event that `end` names.
    fn chunks(&self, end: End) -> Result<impl Iterator<Item = Result<Self::Chunk, Error>>, Error>;

    /// The number of events before a time, in microseconds since 1970, which is at most the calendar's end.
    fn count_before(&self, micros: i64) -> u64;

    /// About how many events there are in so many microseconds.
    fn events_within(&self, micros: u64) -> u64;

    /// The time of the event at a position, in microseconds since 1970; `None` if the calendar ends before.
    fn time_of(&self, index: u64) -> Option<i64>;

    /// The events of a chunk, in order.
    fn events<'w>(&'w self, chunk: &'w Self::Chunk) -> impl Iterator<Item = Self::Event> + 'w;

    /// Writes an event as a line, including the newline.
    fn write_line(&self, event: &Self::Event, line: &mut Line<'_>, clock: &mut Clock);

    /// Adds the values of an event's payload to `row`, in the order of its columns.
    fn write_payload(&self, event: &Self::Event, row: &mut RowDigest);

    /// What an event adds to the sums of its decimal columns, in their order, in units of each column's last
    /// digit.
    fn sums(&self, event: &Self::Event) -> [i128; SUMS_MAX];

    /// Another version of an event: the same id and type, `seconds` later, with a payload that certainly
    /// differs; `number` decides how.
    fn corrected(&self, event: &Self::Event, number: u64, seconds: i64) -> Self::Event;

    /// The ids of the stream's events.
    fn ids(&self) -> &EventIds;
}

/// Where a run ends: at what comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// The position of the first event that is not in the run.
    pub(crate) event: u64,
    /// The first time that is not in the run, in microseconds since 1970: at most the calendar's end.
    pub(crate) micros: Option<i64>,
}

impl End {
    /// Before the event at a position, which the stream must reach.
    pub(crate) fn before_event(event: u64) -> Self {
        Self { event, micros: None }
    }

    /// Before a time, wherever in the stream that is.
    pub(crate) fn before_time(micros: i64) -> Self {
        Self { event: EVENT_INDEX_MAX, micros: Some(micros) }
    }
}

/// The largest number of decimal columns of a table.
pub(crate) const SUMS_MAX: usize = 2;

/// A run of consecutive events of a stream.
pub(crate) trait Chunk: Send + Sync {
    /// The position of its first event in the stream.
    fn first_event(&self) -> u64;

    /// The number of events: `CHUNK_EVENTS` except in the last chunk.
    fn events(&self) -> u32;
}

/// A chunk to render.
#[derive(Debug)]
pub(crate) struct Job<C> {
    /// The chunk before it, whose lines may arrive late.
    pub(crate) before: Option<Arc<C>>,
    pub(crate) chunk: Arc<C>,
}

/// An event of a world.
pub(crate) trait Event: Copy {
    /// Its position in the stream.
    fn index(&self) -> u64;

    /// Its id.
    fn id(&self) -> Uuid;

    /// Its time, in microseconds since 1970.
    fn micros(&self) -> i64;

    /// Its type.
    fn event_type(&self) -> EventType;
}

/// The event at a position of a stream, and its line.
pub(crate) fn find<W: World>(world: &W, index: u64) -> Result<(W::Event, String), Error> {
    let mut last = None;
    for chunk in world.chunks(End::before_event(index.saturating_add(1)))? {
        last = Some(chunk?);
    }
    let event = last.and_then(|chunk| world.events(&chunk).last());
    let event = event.expect("the last event of the chunks up to an index is at that index");
    Ok((event, text_of(|line| world.write_line(&event, line, &mut Clock::new()))))
}

/// The event types, which both worlds share, in the order of their domains and names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum EventType {
    AccountClose,
    AccountOpen,
    StatusChange,
    PaymentFrom,
    PaymentTo,
}

impl EventType {
    /// All event types.
    pub(crate) const ALL: [Self; 5] =
        [Self::AccountClose, Self::AccountOpen, Self::StatusChange, Self::PaymentFrom, Self::PaymentTo];

    /// The `domain` and the `event_type` of a line.
    pub(crate) fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::AccountClose => ("account", "account-close"),
            Self::AccountOpen => ("account", "account-open"),
            Self::StatusChange => ("account", "status-change"),
            Self::PaymentFrom => ("transaction", "payment-from"),
            Self::PaymentTo => ("transaction", "payment-to"),
        }
    }

    /// The `event_type` of a line.
    pub(crate) fn name(self) -> &'static str {
        self.names().1
    }
}

/// Adds the columns that every row begins with; `names` are the domain and the type.
#[inline]
pub(crate) fn write_base(event: &impl Event, names: (&str, &str), row: &mut RowDigest) {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    row.text(event.id().as_hyphenated().encode_lower(&mut text).as_bytes());
    row.timestamp(event.micros());
    row.text(names.0.as_bytes());
    row.text(names.1.as_bytes());
}
