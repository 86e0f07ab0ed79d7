//! A chunk of the plan → its events: the decisions of the default world, "simple".
//!
//! Half of the events concern accounts, half transactions; within each half, the event types are equally
//! frequent. The events are independent.
//!
//! Invariant: an event is a pure function of (stream version, seed, index). Each group of fields draws from
//! its own stream, so a change to one group leaves the others as they are.

mod lines;
mod plan;
mod rows;

use chrono::NaiveDate;
use events_core::truth::RowDigest;
use uuid::Uuid;

pub(crate) use self::plan::SimpleChunk;
use self::plan::{Gaps, Plan};
use crate::{
    error::Error,
    lines::{clock::Clock, line::Line, sentence::Sentence},
    stream::{
        event_id::EventIds,
        random::{Engine, Stream, StreamKey},
    },
    worlds::{Chunk, End, Event, EventType, SUMS_MAX, World},
};

/// The largest id of an account or a transaction; the smallest is 1.
pub(crate) const ENTITY_ID_MAX: u32 = 999_999;

/// Amounts are below 1000.00.
const AMOUNT_CENTS_MAX: u32 = 99_999;

/// An event, before it is text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SimpleEvent {
    pub(crate) index: u64,
    pub(crate) id: Uuid,
    /// Seconds since 1970.
    pub(crate) time: i64,
    /// `data.id`.
    pub(crate) entity: u32,
    pub(crate) details: Details,
}

/// What happened, with the fields that are specific to it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Details {
    Account { change: AccountChange, reason: Sentence },
    Payment { direction: Direction, to: u32, from: u32, cents: u32 },
}

/// The three event types of the domain `account`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AccountChange {
    Open,
    Close,
    Status { old: Status, new: Status },
}

/// The two event types of the domain `transaction`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Direction {
    To,
    From,
}

/// The status of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Open,
    Closed,
    Pending,
    Suspended,
}

/// The event types of twelve events: half of each domain, evenly within it.
const TWELFTHS: [EventType; 12] = [
    EventType::AccountOpen,
    EventType::AccountOpen,
    EventType::AccountClose,
    EventType::AccountClose,
    EventType::StatusChange,
    EventType::StatusChange,
    EventType::PaymentTo,
    EventType::PaymentTo,
    EventType::PaymentTo,
    EventType::PaymentFrom,
    EventType::PaymentFrom,
    EventType::PaymentFrom,
];

/// The simple world of one seed.
#[derive(Debug, Clone)]
pub(crate) struct SimpleWorld {
    seed: u64,
    start_date: NaiveDate,
    ids: EventIds,
    gaps: StreamKey,
    kinds: StreamKey,
    entities: StreamKey,
    statuses: StreamKey,
    reasons: StreamKey,
    parties: StreamKey,
    amounts: StreamKey,
}

impl SimpleWorld {
    pub(crate) fn new(seed: u64, start_date: NaiveDate) -> Self {
        let key = |stream| StreamKey::new(seed, stream);
        Self {
            seed,
            start_date,
            ids: EventIds::new(seed),
            gaps: key(Stream::Gap),
            kinds: key(Stream::Kind),
            entities: key(Stream::Entity),
            statuses: key(Stream::Statuses),
            reasons: key(Stream::Reason),
            parties: key(Stream::Parties),
            amounts: key(Stream::Amount),
        }
    }

    fn plan(&self, end: End) -> Result<Plan, Error> {
        Plan::new(self.seed, self.start_date, end)
    }
}

impl World for SimpleWorld {
    type Chunk = SimpleChunk;
    type Event = SimpleEvent;

    fn chunks(&self, end: End) -> Result<impl Iterator<Item = Result<SimpleChunk, Error>>, Error> {
        self.plan(end)
    }

    fn count_before(&self, micros: i64) -> u64 {
        let chunks = self.plan(End::before_time(micros)).into_iter().flatten();
        chunks.map_while(Result::ok).map(|chunk| u64::from(chunk.events)).sum()
    }

    fn events_within(&self, micros: u64) -> u64 {
        plan::events_within(micros)
    }

    fn time_of(&self, index: u64) -> Option<i64> {
        plan::time_of(self.seed, self.start_date, index)
    }

    #[inline]
    fn events<'w>(&'w self, chunk: &'w SimpleChunk) -> impl Iterator<Item = SimpleEvent> + 'w {
        let engine = |key: StreamKey| key.engine(chunk.index);
        ChunkEvents {
            ids: &self.ids,
            index: chunk.first_event(),
            events_left: chunk.events,
            time: chunk.start,
            gaps: Gaps::new(self.gaps, chunk.index),
            kinds: engine(self.kinds),
            entities: engine(self.entities),
            statuses: engine(self.statuses),
            reasons: engine(self.reasons),
            parties: engine(self.parties),
            amounts: engine(self.amounts),
        }
    }

    #[inline]
    fn write_line(&self, event: &SimpleEvent, line: &mut Line<'_>, clock: &mut Clock) {
        lines::write(line, event, clock);
    }

    #[inline]
    fn write_payload(&self, event: &SimpleEvent, row: &mut RowDigest) {
        rows::write(event, row);
    }

    fn sums(&self, event: &SimpleEvent) -> [i128; SUMS_MAX] {
        match event.details {
            Details::Payment { cents, .. } => [cents.into(), 0],
            Details::Account { .. } => [0, 0],
        }
    }

    fn corrected(&self, event: &SimpleEvent, number: u64, seconds: i64) -> SimpleEvent {
        let details = match event.details {
            Details::Account { change, reason } => {
                Details::Account { change, reason: reason.changed(number) }
            }
            Details::Payment { direction, to, from, cents } => {
                // Any other amount.
                let step = 1 + number % u64::from(AMOUNT_CENTS_MAX);
                let cents = (u64::from(cents) + step) % u64::from(AMOUNT_CENTS_MAX + 1);
                Details::Payment { direction, to, from, cents: u32::try_from(cents).unwrap_or_default() }
            }
        };
        SimpleEvent { time: event.time + seconds, details, ..*event }
    }

    fn ids(&self) -> &EventIds {
        &self.ids
    }
}

impl Event for SimpleEvent {
    fn index(&self) -> u64 {
        self.index
    }

    fn id(&self) -> Uuid {
        self.id
    }

    fn micros(&self) -> i64 {
        self.time * 1_000_000
    }

    fn event_type(&self) -> EventType {
        match self.details {
            Details::Account { change: AccountChange::Open, .. } => EventType::AccountOpen,
            Details::Account { change: AccountChange::Close, .. } => EventType::AccountClose,
            Details::Account { change: AccountChange::Status { .. }, .. } => EventType::StatusChange,
            Details::Payment { direction: Direction::To, .. } => EventType::PaymentTo,
            Details::Payment { direction: Direction::From, .. } => EventType::PaymentFrom,
        }
    }
}

/// The events of one chunk.
#[derive(Debug)]
struct ChunkEvents<'w> {
    ids: &'w EventIds,
    index: u64,
    events_left: u32,
    time: i64,
    gaps: Gaps,
    kinds: Engine,
    entities: Engine,
    statuses: Engine,
    reasons: Engine,
    parties: Engine,
    amounts: Engine,
}

impl Iterator for ChunkEvents<'_> {
    type Item = SimpleEvent;

    #[inline]
    fn next(&mut self) -> Option<SimpleEvent> {
        self.events_left = self.events_left.checked_sub(1)?;
        let event = SimpleEvent {
            index: self.index,
            id: self.ids.id(self.index),
            time: self.time,
            entity: self.entities.between(1, ENTITY_ID_MAX),
            details: self.draw_details(),
        };
        self.index += 1;
        self.time += self.gaps.draw();
        Some(event)
    }
}

impl ChunkEvents<'_> {
    #[inline]
    fn draw_details(&mut self) -> Details {
        match TWELFTHS[self.kinds.below(12) as usize] {
            EventType::AccountOpen => self.draw_account(AccountChange::Open),
            EventType::AccountClose => self.draw_account(AccountChange::Close),
            EventType::StatusChange => {
                let (old, new) = Status::draw_two(&mut self.statuses);
                self.draw_account(AccountChange::Status { old, new })
            }
            EventType::PaymentTo => self.draw_payment(Direction::To),
            EventType::PaymentFrom => self.draw_payment(Direction::From),
        }
    }

    #[inline]
    fn draw_account(&mut self, change: AccountChange) -> Details {
        Details::Account { change, reason: Sentence::draw(&mut self.reasons) }
    }

    #[inline]
    fn draw_payment(&mut self, direction: Direction) -> Details {
        let to = self.parties.between(1, ENTITY_ID_MAX);
        // Any other account: a draw from one id fewer, skipping `to`.
        let other = self.parties.between(1, ENTITY_ID_MAX - 1);
        let from = other + u32::from(other >= to);
        Details::Payment { direction, to, from, cents: self.amounts.below(AMOUNT_CENTS_MAX + 1) }
    }
}

impl Status {
    const ALL: [Self; 4] = [Self::Open, Self::Closed, Self::Pending, Self::Suspended];

    /// Two different statuses; all twelve ordered pairs are equally likely.
    #[inline]
    fn draw_two(engine: &mut Engine) -> (Self, Self) {
        let pair = engine.below(12) as usize;
        let (old, step) = (pair / 3, pair % 3 + 1);
        (Self::ALL[old], Self::ALL[(old + step) % 4])
    }
}
