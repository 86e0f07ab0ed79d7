//! An event of the ledger in, what became of its accounts up to it out, as the plan alone tells it: nothing is rendered.
//!
//! An account's events are those that change it: its opening, its changes, its closing, the first side of a payment for the
//! payer, the second for the payee.
//!
//! Invariant: memory is that of the plan and of so many events as were asked for, whatever came before them.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZero;

use super::currency::Currency;
use super::numbers::Numbers;
use super::plan::{Decision, Decisions};
use super::{Change, Direction, LedgerEvent, LedgerWorld, Payment, Status, What, lines};
use crate::Error;
use crate::clock::Clock;
use crate::line::{Line, written};

/// What there is to say of an event besides its line.
#[derive(Debug)]
pub(crate) struct History {
    numbers: Numbers,
    /// The place of the event.
    until: u64,
    /// Of a payment.
    other_side: Option<OtherSide>,
    /// Of a payment the payer first.
    accounts: Vec<AccountHistory>,
}

/// The side of a payment that the event is not.
#[derive(Debug)]
struct OtherSide {
    payment: u64,
    direction: Direction,
    /// Where it is; `None` if the calendar ends before.
    place: Option<u64>,
}

/// The last events of one account.
#[derive(Debug)]
struct AccountHistory {
    account: u32,
    /// What it is to the payment, if the event is one.
    role: Option<&'static str>,
    currency: Currency,
    balance: i64,
    /// How many events there were, these included.
    count: u64,
    entries: VecDeque<Entry>,
}

/// One event, and what it left.
#[derive(Clone, Copy, Debug)]
struct Entry {
    index: u64,
    decision: Decision,
    balance: i64,
}

impl LedgerWorld {
    /// Decides the stream again up to an event, and if that is a payment, on to its other side.
    pub(crate) fn history(
        &self,
        of: &LedgerEvent,
        kept_max: Option<NonZero<usize>>,
    ) -> Result<History, Error> {
        let until = of.index;
        let mut history = History::before(self, of);
        for (index, decision) in (0..).zip(Decisions::new(self.plan(until.saturating_add(1))?)) {
            match decision {
                Ok(decision) => history.take(index, decision, kept_max),
                Err(error) if index <= until => return Err(error),
                Err(_) => break,
            }
            if index >= until && history.other_side.as_ref().is_none_or(|side| side.place.is_some()) {
                break;
            }
        }
        Ok(history)
    }
}

impl History {
    /// Before the first event.
    fn before(world: &LedgerWorld, event: &LedgerEvent) -> Self {
        let Decision { currency, what, .. } = event.decision;
        let account = |account, role| AccountHistory {
            account,
            role,
            currency,
            balance: 0,
            count: 0,
            entries: VecDeque::new(),
        };
        let (accounts, other_side) = match what {
            What::Account { account: changed, .. } => (vec![account(changed, None)], None),
            What::Payment { direction, payment: Payment { ordinal, from, to, .. }, .. } => (
                vec![account(from, Some("payer")), account(to, Some("payee"))],
                Some(OtherSide { payment: ordinal, direction: direction.other(), place: None }),
            ),
        };
        Self { numbers: world.details.numbers.clone(), until: event.index, other_side, accounts }
    }

    fn take(&mut self, index: u64, decision: Decision, kept_max: Option<NonZero<usize>>) {
        if let Some(side) = &mut self.other_side
            && let What::Payment { direction, payment, .. } = decision.what
            && (direction, payment.ordinal) == (side.direction, side.payment)
        {
            side.place = Some(index);
        }
        let changed = decision.what.account();
        if index <= self.until
            && let Some(account) = self.accounts.iter_mut().find(|account| account.account == changed)
        {
            account.take(index, decision, kept_max);
        }
    }
}

impl AccountHistory {
    fn take(&mut self, index: u64, decision: Decision, kept_max: Option<NonZero<usize>>) {
        if let What::Payment { balance, .. } = decision.what {
            self.balance = balance;
        }
        if kept_max.is_some_and(|kept_max| self.entries.len() >= kept_max.get()) {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { index, decision, balance: self.balance });
        self.count += 1;
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { numbers, until, other_side, accounts } = self;
        match other_side {
            Some(OtherSide { place: Some(place), .. }) => {
                writeln!(f, "the other side of the payment is event {place}")?;
            }
            Some(_) => writeln!(f, "the other side of the payment never comes: the calendar ends before")?,
            None => {}
        }
        for AccountHistory { account, role, currency, count, entries, .. } in accounts {
            let number = numbers.account(*account);
            let role = role.map(|role| format!(", the {role}")).unwrap_or_default();
            let currency = String::from_utf8_lossy(&currency.terms().code);
            let shown = if *count > entries.len() as u64 {
                format!("the last {} of {count} events", entries.len())
            } else {
                format!("all {count} events")
            };
            writeln!(f, "\naccount {number}{role}, in {currency}: {shown} up to event {until}")?;
            let width = until.to_string().len();
            for entry in entries {
                entry.write(f, numbers, width)?;
            }
        }
        Ok(())
    }
}

impl Entry {
    /// Place, time, type, what changed, balance.
    fn write(&self, f: &mut fmt::Formatter<'_>, numbers: &Numbers, width: usize) -> fmt::Result {
        let Self { index, decision: Decision { micros, currency, what }, balance } = self;
        let money = |units| written(|line| line.minor_units(units, currency.terms().minor_digits));
        let changed = match *what {
            What::Account { change, .. } => written(|line| write_change(line, change)),
            What::Payment { direction: Direction::From, payment: Payment { to, amount, .. }, .. } => {
                format!("-{} to {}", money(amount), numbers.account(to))
            }
            What::Payment { direction: Direction::To, payment: Payment { from, amount, .. }, .. } => {
                format!("+{} from {}", money(amount), numbers.account(from))
            }
        };
        let time = written(|line| lines::write_time(line, *micros, &mut Clock::new()));
        let (event_type, balance) = (what.event_type().name(), money(*balance));
        writeln!(f, "{index:>width$}  {time}  {event_type:<13}  {changed:<27}  {balance:>12}")
    }
}

fn write_change(line: &mut Line<'_>, change: Change) {
    match change {
        Change::Opened => line.short(lines::status_name(Status::Pending)),
        Change::Became { old, new } => {
            line.short(lines::status_name(old));
            line.fragment(b" -> ");
            line.short(lines::status_name(new));
        }
        Change::Closed { old } => {
            line.short(lines::status_name(old));
            line.fragment(b" -> CLOSED");
        }
    }
}
