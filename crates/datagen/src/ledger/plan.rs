//! A number of events in, chunks of decisions out: what happens to which account, and when.
//!
//! One event after the other, each allowed by those before it. When a payment has begun, its second side follows within
//! [`LEGS_APART_MAX`] events; until then both accounts stay as they are.
//!
//! Invariant: decisions depend on the seed and on the decisions before; how many events were asked for only decides where the last
//! chunk ends. Memory is that of the accounts that live.

mod decisions;

use std::collections::VecDeque;

use chrono::NaiveDate;

pub(super) use self::decisions::Decisions;
use super::currency::Currency;
use super::numbers::ACCOUNTS_MAX;
use super::pace::Pace;
use super::population::{Account, LIVING_MAX, Place, Population};
use super::{Change, Direction, Payment, Status, What};
use crate::Error;
use crate::clock::{CALENDAR_END, midnight};
use crate::streams::{Engine, Stream, StreamKey};
use crate::world::{self, CHUNK_EVENTS};

/// The second side of a payment comes at most about so many events behind the first.
const LEGS_APART_MAX: u32 = 8;

/// With fewer accounts than this more of them are opened.
const YOUNG: usize = 64;

/// Tries to find an account that will do, before something else happens.
const TRIES: usize = 4;

/// An event as it was decided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decision {
    /// Since 1970.
    pub(super) micros: i64,
    pub(super) currency: Currency,
    pub(super) what: What,
}

/// A run of consecutive events.
#[derive(Debug)]
pub(crate) struct Chunk {
    first_event: u64,
    pub(super) decisions: Vec<Decision>,
}

impl world::Chunk for Chunk {
    fn first_event(&self) -> u64 {
        self.first_event
    }

    fn events(&self) -> u32 {
        u32::try_from(self.decisions.len()).unwrap_or(CHUNK_EVENTS)
    }
}

/// The chunks of one run, in order.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    start_date: NaiveDate,
    end: u64,
    life: StreamKey,
    steps: StreamKey,
    pace: Pace,
    /// The next event, and its time.
    index: u64,
    micros: i64,
    population: Population,
    payments: u64,
    /// Payments whose second side is to come, in their order.
    in_flight: VecDeque<InFlight>,
}

#[derive(Clone, Copy, Debug)]
struct InFlight {
    /// The event from which on its second side may come.
    due: u64,
    payment: Payment,
    currency: Currency,
    from: Place,
    to: Place,
}

impl Plan {
    /// Plans a run, and refuses one of which it can tell at once that it would leave the calendar.
    pub(super) fn new(
        seed: u64,
        start_date: NaiveDate,
        events_per_day: u64,
        end: u64,
    ) -> Result<Self, Error> {
        let micros = midnight(start_date) * 1_000_000;
        // A step is at least a microsecond.
        if end > (CALENDAR_END * 1_000_000).abs_diff(micros) {
            return Err(Error::CalendarEnds { events: end, start_date });
        }
        Ok(Self {
            start_date,
            end,
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

    /// Decides the next event, and when the one behind it is.
    #[inline]
    fn step(&mut self, life: &mut Engine, steps: &mut Engine) -> Result<Decision, Error> {
        if self.micros >= CALENDAR_END * 1_000_000 {
            return Err(Error::CalendarEnds { events: self.end, start_date: self.start_date });
        }
        if self.population.opened >= ACCOUNTS_MAX {
            return Err(Error::AccountsEnd { accounts: ACCOUNTS_MAX });
        }
        let (currency, what) = self.decide(life);
        let decision = Decision { micros: self.micros, currency, what };
        self.index += 1;
        self.micros += self.pace.draw_step(self.micros, steps);
        Ok(decision)
    }

    /// Decides what the next event is. There is always one: if nothing else can happen, an account is opened.
    #[inline]
    fn decide(&mut self, engine: &mut Engine) -> (Currency, What) {
        if let Some(arriving) = self.in_flight.front().filter(|arriving| arriving.due <= self.index).copied()
        {
            self.in_flight.pop_front();
            return (arriving.currency, self.arrive(arriving));
        }
        let currency = Currency::draw(engine);
        let living = self.population.living();
        // A bank that begins gets its first customers soon.
        let opening = if living < YOUNG { 12 } else { 3 };
        let drawn = engine.below(64);
        let decided = if drawn < opening && living < LIVING_MAX {
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

    fn open(&mut self, currency: Currency) -> What {
        let place = self.population.add(currency);
        What::Account { account: self.population.account(place).ordinal, change: Change::Opened }
    }

    /// A pending or suspended account opens; now and then, or if there is none, an open one is suspended.
    fn change(&mut self, currency: Currency, engine: &mut Engine) -> Option<What> {
        if engine.below(8) == 0
            && let Some(place) = self.draw_idle(currency, engine)
        {
            self.population.suspend(place);
            let account = self.population.account(place).ordinal;
            let change = Change::Became { old: Status::Open, new: Status::Suspended };
            return Some(What::Account { account, change });
        }
        let Account { ordinal, status: old, .. } = self.population.admit(currency, engine)?;
        Some(What::Account { account: ordinal, change: Change::Became { old, new: Status::Open } })
    }

    /// An account that owes nothing closes.
    fn close(&mut self, currency: Currency, engine: &mut Engine) -> Option<What> {
        let owes_nothing = |account: &Account| account.balance >= 0;
        let closed = if engine.below(8) == 0 {
            self.population.remove_waiting(currency, owes_nothing)
        } else {
            let place = self.draw_idle(currency, engine)?;
            let account = *self.population.account(place);
            owes_nothing(&account).then(|| {
                self.population.remove_open(place);
                account
            })
        };
        let Account { ordinal, status, .. } = closed?;
        Some(What::Account { account: ordinal, change: Change::Closed { old: status } })
    }

    /// An open account without payments in flight.
    fn draw_idle(&self, currency: Currency, engine: &mut Engine) -> Option<Place> {
        if self.population.open_accounts(currency) == 0 {
            return None;
        }
        let mut tries = (0..TRIES).map(|_| self.population.draw_any(currency, engine));
        tries.find(|&place| self.population.account(place).in_flight == 0)
    }

    /// The first side of a payment.
    #[inline]
    fn pay(&mut self, currency: Currency, engine: &mut Engine) -> Option<What> {
        if self.population.open_accounts(currency) < 2 {
            return None;
        }
        let (mut from, mut to) =
            (self.population.draw_active(currency, engine), self.population.draw_active(currency, engine));
        if from == to {
            to = self.population.next_open(from);
        }
        let has = |place| self.population.account(place).balance - currency.terms().balance_min;
        let mut amount = draw_amount(engine);
        if has(from) < amount && has(to) > has(from) {
            (from, to) = (to, from);
        }
        amount = amount.min(has(from));
        if amount <= 0 {
            return None;
        }
        for place in [from, to] {
            self.population.account_mut(place).in_flight += 1;
        }
        let to_ordinal = self.population.account(to).ordinal;
        let payer = self.population.account_mut(from);
        payer.balance -= amount;
        let payment = Payment { ordinal: self.payments, from: payer.ordinal, to: to_ordinal, amount };
        let what = What::Payment { direction: Direction::From, payment, balance: payer.balance };
        self.payments += 1;
        let due = self.index + u64::from(engine.between(1, LEGS_APART_MAX));
        self.in_flight.push_back(InFlight { due, payment, currency, from, to });
        Some(what)
    }

    /// The second side of a payment.
    #[inline]
    fn arrive(&mut self, arriving: InFlight) -> What {
        let InFlight { payment, from, to, .. } = arriving;
        for place in [from, to] {
            self.population.account_mut(place).in_flight -= 1;
        }
        let payee = self.population.account_mut(to);
        payee.balance += payment.amount;
        What::Payment { direction: Direction::To, payment, balance: payee.balance }
    }
}

/// The times of all events, without end: they hang on nothing that is decided.
pub(super) fn times(seed: u64, start_date: NaiveDate, events_per_day: u64) -> impl Iterator<Item = i64> {
    let (pace, steps) = (Pace::new(events_per_day), StreamKey::new(seed, Stream::Pace));
    let mut engine = steps.engine(0);
    let mut next = midnight(start_date) * 1_000_000;
    (0_u64..).map(move |index| {
        if index.is_multiple_of(u64::from(CHUNK_EVENTS)) {
            engine = steps.engine(index / u64::from(CHUNK_EVENTS));
        }
        let time = next;
        next += pace.draw_step(time, &mut engine);
        time
    })
}

/// An amount in minor units: half of them are 512 to 1,023, a quarter 1,024 to 2,047, and so on up to 2^20.
#[inline]
fn draw_amount(engine: &mut Engine) -> i64 {
    const POWER_MIN: u32 = 9;
    const POWER_MAX: u32 = 19;
    let power = (POWER_MIN + u64::from_le_bytes(engine.bytes()).trailing_ones()).min(POWER_MAX);
    i64::from((1 << power) + engine.below(1 << power))
}

impl Iterator for Plan {
    type Item = Result<Chunk, Error>;

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
            match self.step(&mut life, &mut steps) {
                Ok(decision) => decisions.push(decision),
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok(Chunk { first_event, decisions }))
    }
}
