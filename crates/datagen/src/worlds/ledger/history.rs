//! An event of the ledger → the history of its accounts up to it, taken from the plan alone: nothing is
//! rendered.
//!
//! An account's events are those that change it: its opening, its status changes, its closing, the first side
//! of a payment for the payer, the second for the payee.
//!
//! Invariant: memory is that of the plan and of the number of events asked for, however many precede them.

use std::{collections::VecDeque, fmt, num::NonZero};

use super::{
    Change, Direction, LedgerEvent, LedgerWorld, Outcome, Payment, Status,
    currency::Currency,
    lines,
    numbers::Numbers,
    plan::{Decision, Decisions},
};
use crate::{
    error::Error,
    lines::{
        clock::Clock,
        line::{Line, text_of},
    },
    worlds::End,
};

/// The history that an event ends.
#[derive(Debug)]
pub(crate) struct History {
    numbers: Numbers,
    /// The position of the event.
    until: u64,
    /// Only for payments.
    other_side: Option<OtherSide>,
    /// For a payment, the payer first.
    accounts: Vec<AccountHistory>,
}

/// The other side of a payment.
#[derive(Debug)]
struct OtherSide {
    payment: u64,
    direction: Direction,
    /// Its position; `None` if the calendar ends before.
    index: Option<u64>,
}

/// The last events of one account.
#[derive(Debug)]
struct AccountHistory {
    account: u32,
    /// Its role in the payment, if the event is one.
    role: Option<&'static str>,
    currency: Currency,
    balance: i64,
    /// The number of all events, including `entries`.
    count: u64,
    entries: VecDeque<Entry>,
}

/// One event, and the balance after it.
#[derive(Debug, Clone, Copy)]
struct Entry {
    index: u64,
    decision: Decision,
    balance: i64,
}

impl LedgerWorld {
    /// Decides the stream again up to an event and, if that is a payment, on to its other side.
    pub(crate) fn history(
        &self,
        of: &LedgerEvent,
        kept_max: Option<NonZero<usize>>,
    ) -> Result<History, Error> {
        let until = of.index;
        let mut history = History::before(self, of);
        for (index, decision) in
            (0..).zip(Decisions::new(self.plan(End::before_event(until.saturating_add(1)))?))
        {
            match decision {
                Ok(decision) => history.take(index, decision, kept_max),
                Err(error) if index <= until => return Err(error),
                Err(_) => break,
            }
            if index >= until && history.other_side.as_ref().is_none_or(|side| side.index.is_some()) {
                break;
            }
        }
        Ok(history)
    }
}

impl History {
    /// The state before the first event.
    fn before(world: &LedgerWorld, event: &LedgerEvent) -> Self {
        let Decision { currency, outcome, .. } = event.decision;
        let account = |account, role| AccountHistory {
            account,
            role,
            currency,
            balance: 0,
            count: 0,
            entries: VecDeque::new(),
        };
        let (accounts, other_side) = match outcome {
            Outcome::Account { account: changed, .. } => (vec![account(changed, None)], None),
            Outcome::Payment { direction, payment: Payment { ordinal, from, to, .. }, .. } => (
                vec![account(from, Some("payer")), account(to, Some("payee"))],
                Some(OtherSide { payment: ordinal, direction: direction.other(), index: None }),
            ),
        };
        Self { numbers: world.details.numbers.clone(), until: event.index, other_side, accounts }
    }

    fn take(&mut self, index: u64, decision: Decision, kept_max: Option<NonZero<usize>>) {
        if let Some(side) = &mut self.other_side
            && let Outcome::Payment { direction, payment, .. } = decision.outcome
            && (direction, payment.ordinal) == (side.direction, side.payment)
        {
            side.index = Some(index);
        }
        let changed = decision.outcome.account();
        if index <= self.until
            && let Some(account) = self.accounts.iter_mut().find(|account| account.account == changed)
        {
            account.take(index, decision, kept_max);
        }
    }
}

impl AccountHistory {
    fn take(&mut self, index: u64, decision: Decision, kept_max: Option<NonZero<usize>>) {
        if let Outcome::Payment { balance, .. } = decision.outcome {
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
            Some(OtherSide { index: Some(index), .. }) => {
                writeln!(f, "the other side of the payment is event {index}")?;
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
    /// Writes position, time, type, change and balance.
    fn write(&self, f: &mut fmt::Formatter<'_>, numbers: &Numbers, width: usize) -> fmt::Result {
        let Self { index, decision: Decision { micros, currency, outcome }, balance } = self;
        let money = |units| text_of(|line| line.minor_units(units, currency.terms().minor_digits));
        let changed = match *outcome {
            Outcome::Account { change, .. } => text_of(|line| write_change(line, change)),
            Outcome::Payment { direction: Direction::From, payment: Payment { to, amount, .. }, .. } => {
                format!("-{} to {}", money(amount), numbers.account(to))
            }
            Outcome::Payment { direction: Direction::To, payment: Payment { from, amount, .. }, .. } => {
                format!("+{} from {}", money(amount), numbers.account(from))
            }
        };
        let time = text_of(|line| lines::write_time(line, *micros, &mut Clock::new()));
        let (event_type, balance) = (outcome.event_type().name(), money(*balance));
        writeln!(f, "{index:>width$}  {time}  {event_type:<13}  {changed:<27}  {balance:>12}")
    }
}

fn write_change(line: &mut Line<'_>, change: Change) {
    match change {
        Change::Opened => line.short(lines::status_name(Status::Pending)),
        Change::StatusChanged { old, new } => {
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
