//! The ledger world: accounts that open, live and close, and payments between them, each seen from both
//! sides.
//!
//! ```text
//! plan (what happens: population, pace)  →  chunks of decisions  →  details (who and where)  →  lines
//! ```
//!
//! What an event may be depends on all events before it, so one thread makes the decisions, in order: that
//! takes about 40 ns of the 150 ns that an event takes in all (`datagen --world ledger -n 20000000 --threads
//! 2`). The rest of an event (names, places, reasons, ids) is a function of the numbers in its decision, so
//! any thread can write any chunk, and both sides of a payment agree.
//!
//! Invariant: the rules of `datagen check`, which proves them with independent code: an account's events
//! follow from each other, payments connect two open accounts of one currency and have two sides, no balance
//! falls below its limit.

mod currency;
mod details;
mod history;
mod lines;
mod names;
mod numbers;
mod pace;
mod plan;
mod population;
mod rows;

use chrono::NaiveDate;
use events_core::truth::RowDigest;
use uuid::Uuid;

pub(crate) use self::history::History;
use self::{
    details::Details,
    pace::DAY_MICROS,
    plan::{Decision, LedgerChunk, Plan},
};
use crate::{
    error::Error,
    lines::{
        clock::{CALENDAR_END, Clock},
        line::Line,
        sentence::Sentence,
    },
    stream::event_id::EventIds,
    worlds::{Chunk, End, Event, EventType, SUMS_MAX, World},
};

/// An event, before it is text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LedgerEvent {
    index: u64,
    id: Uuid,
    decision: Decision,
    /// If it corrects an event, the number that decides how it differs.
    correction: Option<u64>,
}

impl LedgerEvent {
    /// The reason of an account event.
    fn reason(&self, details: &Details) -> Sentence {
        let reason = details.reason(self.index);
        self.correction.map_or(reason, |number| reason.changed(number))
    }
}

/// What happens in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// An account changes.
    Account { account: u32, change: Change },
    /// One side of a payment, and the balance after it, in minor units.
    Payment { direction: Direction, payment: Payment, balance: i64 },
}

/// A change of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Opened,
    StatusChanged { old: Status, new: Status },
    Closed { old: Status },
}

/// The status of a live account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Pending,
    Open,
    Suspended,
}

/// The two sides of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    From,
    To,
}

/// A payment. Accounts and payments are identified by their ordinals, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Payment {
    ordinal: u64,
    from: u32,
    to: u32,
    /// In minor units, at least 1.
    amount: i64,
}

/// The ledger world of one seed.
#[derive(Debug, Clone)]
pub(crate) struct LedgerWorld {
    seed: u64,
    start_date: NaiveDate,
    events_per_day: u64,
    ids: EventIds,
    details: Details,
}

impl LedgerWorld {
    pub(crate) fn new(seed: u64, start_date: NaiveDate, events_per_day: u64) -> Self {
        let (ids, details) = (EventIds::new(seed), Details::new(seed));
        Self { seed, start_date, events_per_day, ids, details }
    }

    fn plan(&self, end: End) -> Result<Plan, Error> {
        Plan::new(self.seed, self.start_date, self.events_per_day, end)
    }

    /// The times of all events, endlessly.
    fn times(&self) -> impl Iterator<Item = i64> {
        pace::times(self.seed, self.start_date, self.events_per_day)
    }
}

impl World for LedgerWorld {
    type Chunk = LedgerChunk;
    type Event = LedgerEvent;

    fn chunks(&self, end: End) -> Result<impl Iterator<Item = Result<LedgerChunk, Error>>, Error> {
        self.plan(end)
    }

    fn count_before(&self, micros: i64) -> u64 {
        self.times().take_while(|time| *time < micros).map(|_| 1).sum()
    }

    fn events_within(&self, micros: u64) -> u64 {
        let events =
            u128::from(micros) * u128::from(self.events_per_day) / u128::from(DAY_MICROS.unsigned_abs());
        u64::try_from(events).unwrap_or(u64::MAX)
    }

    fn time_of(&self, index: u64) -> Option<i64> {
        let mut times = self.times().take_while(|time| *time < CALENDAR_END * 1_000_000);
        times.nth(usize::try_from(index).ok()?)
    }

    #[inline]
    fn events<'w>(&'w self, chunk: &'w LedgerChunk) -> impl Iterator<Item = LedgerEvent> + 'w {
        (chunk.first_event()..).zip(&chunk.decisions).map(|(index, &decision)| LedgerEvent {
            index,
            id: self.ids.id(index),
            decision,
            correction: None,
        })
    }

    #[inline]
    fn write_line(&self, event: &LedgerEvent, line: &mut Line<'_>, clock: &mut Clock) {
        lines::write(line, event, &self.details, clock);
    }

    #[inline]
    fn write_payload(&self, event: &LedgerEvent, row: &mut RowDigest) {
        rows::write(event, &self.details, row);
    }

    fn sums(&self, event: &LedgerEvent) -> [i128; SUMS_MAX] {
        match event.decision.outcome {
            Outcome::Payment { payment, balance, .. } => {
                let currency = event.decision.currency;
                [payment.amount, balance].map(|units| rows::to_scale(units, currency))
            }
            Outcome::Account { .. } => [0, 0],
        }
    }

    fn corrected(&self, event: &LedgerEvent, number: u64, seconds: i64) -> LedgerEvent {
        let mut corrected = LedgerEvent { correction: Some(number), ..*event };
        corrected.decision.micros += seconds * 1_000_000;
        if let Outcome::Payment { payment, .. } = &mut corrected.decision.outcome {
            payment.amount += 1 + (number % 100).cast_signed();
        }
        corrected
    }

    fn ids(&self) -> &EventIds {
        &self.ids
    }
}

impl Event for LedgerEvent {
    fn index(&self) -> u64 {
        self.index
    }

    fn id(&self) -> Uuid {
        self.id
    }

    fn micros(&self) -> i64 {
        self.decision.micros
    }

    fn event_type(&self) -> EventType {
        self.decision.outcome.event_type()
    }
}

impl Outcome {
    fn event_type(&self) -> EventType {
        match self {
            Self::Account { change: Change::Opened, .. } => EventType::AccountOpen,
            Self::Account { change: Change::StatusChanged { .. }, .. } => EventType::StatusChange,
            Self::Account { change: Change::Closed { .. }, .. } => EventType::AccountClose,
            Self::Payment { direction: Direction::From, .. } => EventType::PaymentFrom,
            Self::Payment { direction: Direction::To, .. } => EventType::PaymentTo,
        }
    }

    /// The account whose state changes.
    fn account(&self) -> u32 {
        match *self {
            Self::Account { account, .. } => account,
            Self::Payment { direction: Direction::From, payment, .. } => payment.from,
            Self::Payment { direction: Direction::To, payment, .. } => payment.to,
        }
    }
}

impl Direction {
    fn other(self) -> Self {
        match self {
            Self::From => Self::To,
            Self::To => Self::From,
        }
    }
}
