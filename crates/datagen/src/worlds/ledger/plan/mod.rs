//! The end of a run → chunks of decisions: what happens to which account, and when.
//!
//! One event is decided after the other, each consistent with those before it. The second side of a payment
//! follows the first within about [`LEGS_APART_MAX`] events; until then neither account changes its status.
//!
//! Invariant: a decision depends on the seed and on the decisions before it; the end of the run only decides
//! where the last chunk ends. Memory is that of the live accounts.

mod decisions;

use std::collections::VecDeque;

use chrono::NaiveDate;

pub(super) use self::decisions::Decisions;
use super::{
    Change, Direction, Outcome, Payment, Status,
    currency::Currency,
    numbers::ACCOUNTS_MAX,
    pace::Pace,
    population::{Account, LIVE_ACCOUNTS_MAX, Population, Slot},
};
use crate::{
    error::Error,
    lines::clock::{CALENDAR_END, midnight},
    stream::{
        CHUNK_EVENTS,
        random::{Engine, Stream, StreamKey},
    },
    worlds::{Chunk, End},
};

/// The second side of a payment comes at most about this many events after the first.
const LEGS_APART_MAX: u32 = 8;

/// A bank with fewer accounts than this opens more of them.
const YOUNG_BANK_ACCOUNTS: usize = 64;

/// How many accounts are tried before something else happens.
const ACCOUNT_TRIES: usize = 4;

/// A decided event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decision {
    /// Microseconds since 1970.
    pub(super) micros: i64,
    pub(super) currency: Currency,
    pub(super) outcome: Outcome,
}

/// A run of consecutive events.
#[derive(Debug)]
pub(crate) struct LedgerChunk {
    first_event: u64,
    pub(super) decisions: Vec<Decision>,
}

impl Chunk for LedgerChunk {
    fn first_event(&self) -> u64 {
        self.first_event
    }

    fn events(&self) -> u32 {
        u32::try_from(self.decisions.len()).unwrap_or(CHUNK_EVENTS)
    }
}

/// The chunks of one run, in order.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    start_date: NaiveDate,
    end: u64,
    /// The run ends before this time, if it does not end before.
    until: i64,
    life: StreamKey,
    steps: StreamKey,
    pace: Pace,
    /// The next event, and its time.
    index: u64,
    micros: i64,
    population: Population,
    payments: u64,
    /// Payments whose second side is still to come, in order.
    in_flight: VecDeque<InFlight>,
}

#[derive(Debug, Clone, Copy)]
struct InFlight {
    /// The first event that may be its second side.
    due: u64,
    payment: Payment,
    currency: Currency,
    from: Slot,
    to: Slot,
}

impl Plan {
    /// Plans a run. Fails if it is obvious that the run would leave the calendar.
    pub(super) fn new(
        seed: u64,
        start_date: NaiveDate,
        events_per_day: u64,
        end: End,
    ) -> Result<Self, Error> {
        let micros = midnight(start_date) * 1_000_000;
        // A step is at least a microsecond.
        if end.micros.is_none() && end.event > (CALENDAR_END * 1_000_000).abs_diff(micros) {
            return Err(Error::CalendarEnds { events: end.event, start_date });
        }
        Ok(Self {
            start_date,
            end: end.event,
            until: end.micros.unwrap_or(i64::MAX),
            life: StreamKey::new(seed, Stream::Life),
            steps: StreamKey::new(seed, Stream::Pace),
            pace: Pace::new(events_per_day),
            index: 0,
            micros,
            population: Population::default(),
            payments: 0,
            in_flight: VecDeque::new(),
        })
    }

    /// Decides the next event, and the time of the one after it.
    #[inline]
    fn step(&mut self, life: &mut Engine, steps: &mut Engine) -> Result<Decision, Error> {
        if self.micros >= CALENDAR_END * 1_000_000 {
            return Err(Error::CalendarEnds { events: self.end, start_date: self.start_date });
        }
        if self.population.opened >= ACCOUNTS_MAX {
            return Err(Error::AccountsEnd { accounts: ACCOUNTS_MAX });
        }
        let (currency, outcome) = self.decide(life);
        let decision = Decision { micros: self.micros, currency, outcome };
        self.index += 1;
        self.micros += self.pace.draw_step(self.micros, steps);
        Ok(decision)
    }

    /// Decides what happens next. There is always something: if nothing else can happen, an account opens.
    #[inline]
    fn decide(&mut self, engine: &mut Engine) -> (Currency, Outcome) {
        if let Some(arriving) = self.in_flight.front().filter(|arriving| arriving.due <= self.index).copied()
        {
            self.in_flight.pop_front();
            return (arriving.currency, self.arrive(arriving));
        }
        let currency = Currency::draw(engine);
        let live = self.population.live_accounts();
        // A new bank gets its first customers quickly.
        let opening = if live < YOUNG_BANK_ACCOUNTS { 12 } else { 3 };
        let drawn = engine.below(64);
        let decided = if drawn < opening && live < LIVE_ACCOUNTS_MAX {
            Some(self.open(currency))
        } else if (opening..2 * opening + 1).contains(&drawn) {
            self.change(currency, engine)
        } else if drawn == 63 || drawn < opening {
            self.close(currency, engine)
        } else {
            None
        };
        let decided = decided.or_else(|| self.pay(currency, engine));
        let decided = decided.or_else(|| self.change(currency, engine));
        (currency, decided.unwrap_or_else(|| self.open(currency)))
    }

    fn open(&mut self, currency: Currency) -> Outcome {
        let slot = self.population.add(currency);
        Outcome::Account { account: self.population.account(slot).ordinal, change: Change::Opened }
    }

    /// A pending or suspended account becomes open. In one of eight cases an open one is suspended instead.
    fn change(&mut self, currency: Currency, engine: &mut Engine) -> Option<Outcome> {
        if engine.below(8) == 0
            && let Some(slot) = self.draw_idle(currency, engine)
        {
            self.population.suspend(slot);
            let account = self.population.account(slot).ordinal;
            let change = Change::StatusChanged { old: Status::Open, new: Status::Suspended };
            return Some(Outcome::Account { account, change });
        }
        let Account { ordinal, status: old, .. } = self.population.admit(currency, engine)?;
        Some(Outcome::Account { account: ordinal, change: Change::StatusChanged { old, new: Status::Open } })
    }

    /// An account without debt closes.
    fn close(&mut self, currency: Currency, engine: &mut Engine) -> Option<Outcome> {
        let has_no_debt = |account: &Account| account.balance >= 0;
        let closed = if engine.below(8) == 0 {
            self.population.remove_waiting(currency, has_no_debt)
        } else {
            let slot = self.draw_idle(currency, engine)?;
            let account = *self.population.account(slot);
            has_no_debt(&account).then(|| {
                self.population.remove_open(slot);
                account
            })
        };
        let Account { ordinal, status, .. } = closed?;
        Some(Outcome::Account { account: ordinal, change: Change::Closed { old: status } })
    }

    /// An open account without payments in flight.
    fn draw_idle(&self, currency: Currency, engine: &mut Engine) -> Option<Slot> {
        if self.population.open_accounts(currency) == 0 {
            return None;
        }
        let mut tries = (0..ACCOUNT_TRIES).map(|_| self.population.draw_any(currency, engine));
        tries.find(|&slot| self.population.account(slot).in_flight == 0)
    }

    /// The first side of a payment.
    #[inline]
    fn pay(&mut self, currency: Currency, engine: &mut Engine) -> Option<Outcome> {
        if self.population.open_accounts(currency) < 2 {
            return None;
        }
        let (mut from, mut to) =
            (self.population.draw_active(currency, engine), self.population.draw_active(currency, engine));
        if from == to {
            to = self.population.next_open(from);
        }
        let available = |slot| self.population.account(slot).balance - currency.terms().balance_min;
        let mut amount = draw_amount(engine);
        if available(from) < amount && available(to) > available(from) {
            (from, to) = (to, from);
        }
        amount = amount.min(available(from));
        if amount <= 0 {
            return None;
        }
        for slot in [from, to] {
            self.population.account_mut(slot).in_flight += 1;
        }
        let to_ordinal = self.population.account(to).ordinal;
        let payer = self.population.account_mut(from);
        payer.balance -= amount;
        let payment = Payment { ordinal: self.payments, from: payer.ordinal, to: to_ordinal, amount };
        let outcome = Outcome::Payment { direction: Direction::From, payment, balance: payer.balance };
        self.payments += 1;
        let due = self.index + u64::from(engine.between(1, LEGS_APART_MAX));
        self.in_flight.push_back(InFlight { due, payment, currency, from, to });
        Some(outcome)
    }

    /// The second side of a payment.
    #[inline]
    fn arrive(&mut self, arriving: InFlight) -> Outcome {
        let InFlight { payment, from, to, .. } = arriving;
        for slot in [from, to] {
            self.population.account_mut(slot).in_flight -= 1;
        }
        let payee = self.population.account_mut(to);
        payee.balance += payment.amount;
        Outcome::Payment { direction: Direction::To, payment, balance: payee.balance }
    }
}

/// An amount in minor units: half are 512 to 1,023, a quarter 1,024 to 2,047, and so on up to 2^20.
#[inline]
fn draw_amount(engine: &mut Engine) -> i64 {
    const POWER_MIN: u32 = 9;
    const POWER_MAX: u32 = 19;
    let power = (POWER_MIN + u64::from_le_bytes(engine.bytes()).trailing_ones()).min(POWER_MAX);
    i64::from((1 << power) + engine.below(1 << power))
}

impl Iterator for Plan {
    type Item = Result<LedgerChunk, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let left = self.end - self.index;
        let events = usize::try_from(left.min(u64::from(CHUNK_EVENTS))).unwrap_or_default();
        if events == 0 {
            return None;
        }
        let first_event = self.index;
        let chunk = first_event / u64::from(CHUNK_EVENTS);
        let (mut life, mut steps) = (self.life.engine(chunk), self.steps.engine(chunk));
        let mut decisions = Vec::with_capacity(events);
        for _ in 0..events {
            if self.micros >= self.until {
                self.end = self.index;
                break;
            }
            match self.step(&mut life, &mut steps) {
                Ok(decision) => decisions.push(decision),
                Err(error) => return Some(Err(error)),
            }
        }
        (!decisions.is_empty()).then_some(Ok(LedgerChunk { first_event, decisions }))
    }
}
