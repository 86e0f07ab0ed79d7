//! The ledger world: accounts that open, live and close, and payments between them, each seen by both sides.
//!
//! ```text
//! plan (what happens: population, pace)  →  chunks of decisions  →  details (who and where)  →  lines
//! ```
//!
//! What an event may be depends on all events before it, so the decisions are made in order, by one thread: some 40 ns for
//! each, of the 150 ns that an event takes in all (`datagen --world ledger -n 20000000 --threads 2`). All the rest of an event
//! (names, places, reasons, ids) is a function of the numbers in its decision, so that any thread can write any chunk, and both
//! sides of a payment tell the same.
//!
//! Invariant: the rules of `datagen check`, which proves them with code of its own: an account's events follow from each
//! other, payments are between two open accounts of one currency and come as twins, no balance falls below its limit.

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

use self::details::Details;
pub(crate) use self::history::History;
use self::plan::{Chunk, Decision, Plan};
use crate::Error;
use crate::clock::Clock;
use crate::event_id::EventIds;
use crate::line::Line;
use crate::sentence::Sentence;
use crate::world::{self, Chunk as _, EventType, SUMS_MAX, World};

/// An event, before it is text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LedgerEvent {
    index: u64,
    id: Uuid,
    decision: Decision,
    /// What decides how it differs from the event that it corrects.
    correction: Option<u64>,
}

impl LedgerEvent {
    /// Why something becomes of an account.
    fn reason(&self, details: &Details) -> Sentence {
        let reason = details.reason(self.index);
        self.correction.map_or(reason, |number| reason.changed(number))
    }
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// Something becomes of an account.
    Account { account: u32, change: Change },
    /// One side of a payment, and what it leaves there, in minor units.
    Payment { direction: Direction, payment: Payment, balance: i64 },
}

/// What becomes of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Opened,
    Became { old: Status, new: Status },
    Closed { old: Status },
}

/// What an account can be while it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Pending,
    Open,
    Suspended,
}

/// The two sides of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    From,
    To,
}

/// Money that moves. Accounts and payments are known by when they came: the first is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Payment {
    ordinal: u64,
    from: u32,
    to: u32,
    /// In minor units, at least one.
    amount: i64,
}

/// The ledger world of one seed.
#[derive(Clone, Debug)]
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

    fn plan(&self, end: u64) -> Result<Plan, Error> {
        Plan::new(self.seed, self.start_date, self.events_per_day, end)
    }
}

impl World for LedgerWorld {
    type Chunk = Chunk;
    type Event = LedgerEvent;

    fn chunks(&self, end: u64) -> Result<impl Iterator<Item = Result<Chunk, Error>>, Error> {
        self.plan(end)
    }

    fn times(&self) -> impl Iterator<Item = i64> {
        plan::times(self.seed, self.start_date, self.events_per_day)
    }

    #[inline]
    fn events<'w>(&'w self, chunk: &'w Chunk) -> impl Iterator<Item = LedgerEvent> + 'w {
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
    fn write_row(&self, event: &LedgerEvent, row: &mut RowDigest) {
        rows::write(event, &self.details, row);
    }

    fn sums(&self, event: &LedgerEvent) -> [i128; SUMS_MAX] {
        match event.decision.what {
            What::Payment { payment, balance, .. } => {
                let currency = event.decision.currency;
                [payment.amount, balance].map(|units| rows::to_scale(units, currency))
            }
            What::Account { .. } => [0, 0],
        }
    }

    fn corrected(&self, event: &LedgerEvent, number: u64, seconds: i64) -> LedgerEvent {
        let mut corrected = LedgerEvent { correction: Some(number), ..*event };
        corrected.decision.micros += seconds * 1_000_000;
        if let What::Payment { payment, .. } = &mut corrected.decision.what {
            payment.amount += 1 + (number % 100).cast_signed();
        }
        corrected
    }

    fn ids(&self) -> &EventIds {
        &self.ids
    }
}

impl world::Event for LedgerEvent {
    fn index(&self) -> u64 {
        self.index
    }

    fn micros(&self) -> i64 {
        self.decision.micros
    }

    fn event_type(&self) -> EventType {
        self.decision.what.event_type()
    }
}

impl What {
    fn event_type(&self) -> EventType {
        match self {
            Self::Account { change: Change::Opened, .. } => EventType::AccountOpen,
            Self::Account { change: Change::Became { .. }, .. } => EventType::StatusChange,
            Self::Account { change: Change::Closed { .. }, .. } => EventType::AccountClose,
            Self::Payment { direction: Direction::From, .. } => EventType::PaymentFrom,
            Self::Payment { direction: Direction::To, .. } => EventType::PaymentTo,
        }
    }

    /// The account that it changes.
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
