//! What a world is: a plan that cuts its stream into chunks, the events of a chunk, and how one of them is written.
//!
//! There are two: `simple`, whose events know nothing of each other, and `ledger`, whose accounts have lives. All that comes
//! behind them (rendering, faults, truth, files) is the same code for both.
//!
//! Invariant: a plan runs alone and in order; whatever else a world does is a function of one chunk, so that any thread can
//! do it.

use events_core::truth::RowDigest;
use uuid::Uuid;

use crate::Error;
use crate::clock::Clock;
use crate::event_id::EventIds;
use crate::line::Line;

/// Events per chunk. The engines are keyed by chunk, so this belongs to the stream version. About 500 kB of lines: they
/// are still in the second-level cache when they are written, and handing a chunk over costs little beside the 130 µs
/// that it takes (1,024, 2,048 and 4,096 measured alike, with `datagen -n 20000000 --threads 2 | cat >/dev/null`).
pub(crate) const CHUNK_EVENTS: u32 = 2048;

/// No stream has an event at this place: the calendar has fewer microseconds.
pub(crate) const PLACES_END: u64 = 1 << 59;

/// A world of one seed.
pub(crate) trait World: Sync {
    /// What a thread must know to make the events of a chunk.
    type Chunk: Chunk;
    /// An event, before it is text.
    type Event: Event;

    /// The chunks of the stream, in order, up to the event at `end`, which is not in. Refuses what it can tell cheaply
    /// to be impossible.
    fn chunks(&self, end: u64) -> Result<impl Iterator<Item = Result<Self::Chunk, Error>>, Error>;

    /// The times of all events of the stream, in order, in microseconds since 1970, and on beyond the calendar.
    fn times(&self) -> impl Iterator<Item = i64>;

    /// The events of a chunk, in order.
    fn events<'w>(&'w self, chunk: &'w Self::Chunk) -> impl Iterator<Item = Self::Event> + 'w;

    /// Writes an event as a line; the newline too.
    fn write_line(&self, event: &Self::Event, line: &mut Line<'_>, clock: &mut Clock);

    /// Gives the values of an event's row, in the order of its columns.
    fn write_row(&self, event: &Self::Event, row: &mut RowDigest);

    /// What an event adds to the sums of its decimal columns, in their order, in units of the columns' last digits.
    fn sums(&self, event: &Self::Event) -> [i128; SUMS_MAX];

    /// Another version of an event: the same id and type, `seconds` later, with a payload that certainly differs; `number` decides
    /// how.
    fn corrected(&self, event: &Self::Event, number: u64, seconds: i64) -> Self::Event;

    /// The ids of the stream's events.
    fn ids(&self) -> &EventIds;
}

/// No table has more decimal columns.
pub(crate) const SUMS_MAX: usize = 2;

/// A run of consecutive events of a stream.
pub(crate) trait Chunk: Send + Sync {
    /// The place of its first event in the stream.
    fn first_event(&self) -> u64;

    /// How many events; [`CHUNK_EVENTS`] except in the last chunk.
    fn events(&self) -> u32;
}

/// An event of a world.
pub(crate) trait Event: Copy {
    /// Its place in the stream.
    fn index(&self) -> u64;

    /// Its time, in microseconds since 1970.
    fn micros(&self) -> i64;

    /// Its type.
    fn event_type(&self) -> EventType;
}

/// The types of events that both worlds have, in the order of their domains and names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum EventType {
    AccountClose,
    AccountOpen,
    StatusChange,
    PaymentFrom,
    PaymentTo,
}

impl EventType {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::AccountClose, Self::AccountOpen, Self::StatusChange, Self::PaymentFrom, Self::PaymentTo];

    /// `domain` and `event_type`.
    pub(crate) fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::AccountClose => ("account", "account-close"),
            Self::AccountOpen => ("account", "account-open"),
            Self::StatusChange => ("account", "status-change"),
            Self::PaymentFrom => ("transaction", "payment-from"),
            Self::PaymentTo => ("transaction", "payment-to"),
        }
    }

    /// Gives the columns that every row begins with.
    #[inline]
    pub(crate) fn write_base(self, id: Uuid, micros: i64, row: &mut RowDigest) {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        row.text(id.as_hyphenated().encode_lower(&mut text).as_bytes());
        row.timestamp(micros);
        let (domain, event_type) = self.names();
        row.text(domain.as_bytes());
        row.text(event_type.as_bytes());
    }
}

impl EventType {
    /// As `event_type` has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AccountOpen => "account-open",
            Self::AccountClose => "account-close",
            Self::StatusChange => "status-change",
            Self::PaymentTo => "payment-to",
            Self::PaymentFrom => "payment-from",
        }
    }
}
