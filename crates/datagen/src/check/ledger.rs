//! Events of the ledger, in order → the rules of accounts and payments that they break.
//!
//! A wrong line is taken at its word where possible, so that the following lines agree with it. If it leaves
//! open what is true, some contradictions in later lines may only follow from it: a number of them are
//! ignored (`consequences`), and what those lines state is believed. So a changed line usually gives one
//! finding. A stream with many wrong lines may give fewer findings than it has, but never none.
//!
//! Invariant: until there is a finding, no contradiction is ignored.

use std::collections::{HashMap, HashSet, VecDeque};

use super::{
    event::{Event, EventType},
    finding::{Findings, Location, Violation},
    payload::{Account as Said, Data, LedgerPayment, Merchant, Payment, is_status},
    simple::check_reason,
    terms::{
        ACCOUNT_CHANNELS, ACCOUNT_IDS, CURRENCIES, amount_of, check_opening, check_payment, currency_of,
        decimal_text, minor_units, one_of,
    },
    text::whole,
};
use crate::error::Error;

/// The second side of a payment comes at most this many events after the first.
const FLIGHT_EVENTS_MAX: u64 = 1_000;
/// How many contradictions may follow from a line that leaves open what is true.
const CONSEQUENCES: u32 = 6;

/// The totals of a ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LedgerTotals {
    /// Accounts that were opened.
    pub accounts: u64,
    /// Payments that were begun.
    pub payments: u64,
    /// Payments without their second side at the end of the stream.
    pub in_flight: u64,
}

/// The accounts and payments so far.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    accounts: HashMap<u64, Account>,
    closed: HashSet<u64>,
    /// Payments of which only one side was seen.
    in_flight: HashMap<String, Leg>,
    /// The same payments, in the order in which they began.
    flights: VecDeque<(u64, String)>,
    payments: HashSet<u64>,
    opened: u64,
    consequences: u32,
}

#[derive(Debug)]
struct Account {
    /// `None` if unknown.
    status: Option<String>,
    currency: Option<usize>,
    balance: Option<i128>,
}

/// A payment, as its first side states it.
#[derive(Debug)]
struct Leg {
    location: Location,
    said: [String; 6],
    amount: Option<i128>,
}

impl Ledger {
    /// A line could not be parsed, so what it states is missing.
    pub(super) fn expect_consequences_of_lost_line(&mut self) {
        self.consequences += CONSEQUENCES;
    }

    /// A contradiction of earlier events; `None` if it may follow from an earlier finding.
    fn contradiction(&mut self, violation: Violation) -> Option<Violation> {
        if self.consequences > 0 {
            self.consequences -= 1;
            return None;
        }
        self.consequences += CONSEQUENCES;
        Some(violation)
    }

    pub(super) fn take(
        &mut self,
        event: &Event<'_>,
        location: &Location,
        number: u64,
        findings: &mut Findings<'_>,
    ) -> Result<Option<Violation>, Error> {
        while self.flights.front().is_some_and(|(begun, _)| begun + FLIGHT_EVENTS_MAX < number) {
            let Some((_, id)) = self.flights.pop_front() else { break };
            if let Some(leg) = self.in_flight.remove(&id) {
                let expected = format!("payment-to of {id} within {FLIGHT_EVENTS_MAX} events");
                if let Some(violation) = self.contradiction(Violation::new("payment-pair", expected, "none"))
                {
                    findings.add(&leg.location, violation)?;
                }
            }
        }
        Ok(match &event.data {
            Data::Account(said) => self.take_account(event.event_type, said),
            Data::Payment(said) => said.ledger.and_then(|ledger| match event.event_type {
                EventType::To => self.take_second_side(said, &ledger),
                _ => self.take_first_side(said, &ledger, location, number),
            }),
        })
    }

    fn take_account(&mut self, event_type: EventType, said: &Said<'_>) -> Option<Violation> {
        let own = check_reason(said.reason)
            .or_else(|| one_of("channel", &ACCOUNT_CHANNELS, said.channel.unwrap_or_default()))
            .or_else(|| said.opening.as_ref().and_then(check_opening));
        let Some(id) = whole(said.id).filter(|id| ACCOUNT_IDS.contains(id)) else {
            self.consequences += CONSEQUENCES;
            let expected = format!("{} to {}", ACCOUNT_IDS.start(), ACCOUNT_IDS.end());
            return Some(Violation::new("account-id", expected, said.id));
        };
        let of_life = match event_type {
            EventType::Open => self.open(id, said),
            _ => self.change(id, event_type, said),
        };
        own.or(of_life)
    }

    fn open(&mut self, id: u64, said: &Said<'_>) -> Option<Violation> {
        if self.accounts.contains_key(&id) || self.closed.contains(&id) {
            let violation = Violation::new("opened-once", "an account that was not opened before", id);
            return self.contradiction(violation);
        }
        self.opened += 1;
        let currency = said.opening.and_then(|opening| currency_of(opening.currency));
        let account = Account { status: Some("PENDING".to_owned()), currency, balance: Some(0) };
        self.accounts.insert(id, account);
        let is_right = (said.old, said.new) == (None, Some("PENDING"));
        (!is_right).then(|| Violation::new("life", "old_status null and new_status PENDING", statuses(said)))
    }

    fn change(&mut self, id: u64, event_type: EventType, said: &Said<'_>) -> Option<Violation> {
        let new = said.new.filter(|new| is_status(new)).map(str::to_owned);
        let is_closing = said.new == Some("CLOSED");
        let Some(account) = self.accounts.get_mut(&id) else {
            let expected =
                if self.closed.contains(&id) { "nothing after account-close" } else { "account-open before" };
            if !is_closing && !self.closed.contains(&id) {
                self.accounts.insert(id, Account { status: new, currency: None, balance: None });
            }
            return self.contradiction(Violation::new(
                "life",
                expected,
                format!("{} of {id}", event_type.name()),
            ));
        };
        let (before, balance) = (std::mem::replace(&mut account.status, new), account.balance);
        if is_closing {
            self.accounts.remove(&id);
            self.closed.insert(id);
        }
        if before.as_deref().is_some_and(|before| said.old != Some(before)) {
            let violation =
                Violation::new("life", format!("old_status {}", before.unwrap_or_default()), statuses(said));
            return self.contradiction(violation);
        }
        let is_allowed = match event_type {
            EventType::Close => is_closing && matches!(said.old, Some("PENDING" | "OPEN" | "SUSPENDED")),
            _ => matches!(
                (said.old, said.new),
                (Some("PENDING" | "SUSPENDED"), Some("OPEN")) | (Some("OPEN"), Some("SUSPENDED"))
            ),
        };
        if !is_allowed {
            // Its next event will show its status.
            if let Some(account) = self.accounts.get_mut(&id) {
                account.status = None;
            }
            let expected = format!("a step that {} may take", event_type.name());
            self.consequences += CONSEQUENCES;
            return Some(Violation::new("life", expected, statuses(said)));
        }
        (is_closing && balance.is_some_and(|balance| balance < 0)).then(|| {
            Violation::new("close-in-debt", "a balance that is not negative", balance.unwrap_or_default())
        })
    }

    fn take_first_side(
        &mut self,
        said: &Payment<'_>,
        ledger: &LedgerPayment<'_>,
        location: &Location,
        number: u64,
    ) -> Option<Violation> {
        let own = check_payment(said, ledger);
        let amount = amount_of(said, ledger);
        let is_new = self.payments.insert(u64::from_str_radix(said.id, 16).unwrap_or_default());
        self.in_flight.insert(
            said.id.to_owned(),
            Leg { location: location.clone(), said: sides(said, ledger), amount },
        );
        self.flights.push_back((number, said.id.to_owned()));
        if own.is_some() {
            self.consequences += CONSEQUENCES;
        }
        let parties = self.check_parties(said, ledger);
        let balance = self.check_balance(said.from, ledger, amount.map(|amount| -amount));
        let again = (!is_new).then(|| Violation::new("payment-pair", "a payment id of its own", said.id));
        own.or(again).or(parties).or(balance)
    }

    fn take_second_side(&mut self, said: &Payment<'_>, ledger: &LedgerPayment<'_>) -> Option<Violation> {
        let own = check_payment(said, ledger);
        if own.is_some() {
            self.consequences += CONSEQUENCES;
        }
        let sides = sides(said, ledger);
        let mut pair = None;
        let id = if self.in_flight.contains_key(said.id) {
            Some(said.id.to_owned())
        } else {
            // Perhaps it is the same payment under another id.
            self.in_flight.iter().find(|(_, leg)| leg.said == sides).map(|(id, _)| id.clone())
        };
        let leg = id.and_then(|id| Some((self.in_flight.remove(&id)?, id)));
        let mut amount = amount_of(said, ledger);
        match leg {
            None => {
                let found = format!("none of {}", said.id);
                pair = self.contradiction(Violation::new("payment-pair", "payment-from before", found));
            }
            Some((leg, id)) => {
                if id != said.id {
                    let expected = format!("id {id}, as in line {}", leg.location.line);
                    pair = self.contradiction(Violation::new("payment-pair", expected, said.id));
                } else if let Some(field) = (0..sides.len()).find(|&field| sides[field] != leg.said[field]) {
                    let expected =
                        format!("{} {}, as in line {}", SIDES[field], leg.said[field], leg.location.line);
                    pair = self.contradiction(Violation::new("payment-pair", expected, &sides[field]));
                    if pair.is_some() {
                        // The first side, which had no finding, is believed.
                        amount = leg.amount;
                        let balance =
                            self.balance_of(said.to).zip(amount).map(|(balance, amount)| balance + amount);
                        self.set_balance(&leg.said[0], balance);
                        return own.or(pair);
                    }
                }
            }
        }
        let parties = self.check_parties(said, ledger);
        let balance = self.check_balance(said.to, ledger, amount);
        own.or(pair).or(parties).or(balance)
    }

    fn check_parties(&mut self, said: &Payment<'_>, ledger: &LedgerPayment<'_>) -> Option<Violation> {
        if said.to == said.from {
            return Some(Violation::new("payment-accounts", "two accounts", format!("{} twice", said.to)));
        }
        let currency = currency_of(ledger.currency);
        for (name, id) in [("from", said.from), ("to", said.to)] {
            let account = whole(id).and_then(|id| self.accounts.get(&id));
            let found = match account {
                None => "one that is not there".to_owned(),
                Some(Account { status: Some(status), .. }) if status != "OPEN" => status.clone(),
                Some(Account { currency: Some(own), .. }) if Some(*own) != currency && currency.is_some() => {
                    format!("one in {}", CURRENCIES[*own].0)
                }
                Some(_) => continue,
            };
            let expected = format!("an open account in {} as {name}", ledger.currency);
            let found = format!("{found} ({id})");
            // It is reported once; the account's next events will show its state.
            if let Some(account) = whole(id).and_then(|id| self.accounts.get_mut(&id)) {
                (account.status, account.currency) = (None, None);
            }
            return self.contradiction(Violation::new("payment-accounts", expected, found));
        }
        None
    }

    fn balance_of(&self, account: &str) -> Option<i128> {
        self.accounts.get(&whole(account)?)?.balance
    }

    fn set_balance(&mut self, account: &str, balance: Option<i128>) {
        if let Some(account) = whole(account).and_then(|id| self.accounts.get_mut(&id)) {
            account.balance = balance;
        }
    }

    /// Updates an account's balance, and compares it with the one that its side of a payment states.
    fn check_balance(
        &mut self,
        account: &str,
        ledger: &LedgerPayment<'_>,
        by: Option<i128>,
    ) -> Option<Violation> {
        let currency = CURRENCIES[currency_of(ledger.currency)?];
        let Some(said) = minor_units(ledger.balance, currency.1) else {
            let moved = self.balance_of(account).zip(by).map(|(balance, by)| balance + by);
            self.set_balance(account, moved);
            let expected = format!("{} decimals", currency.1);
            return Some(Violation::new("balance", expected, ledger.balance));
        };
        let true_balance = self.balance_of(account).zip(by).map(|(balance, by)| balance + by);
        self.set_balance(account, true_balance.or(Some(said)));
        if let Some(true_balance) = true_balance.filter(|balance| *balance != said) {
            let expected = decimal_text(true_balance, currency.1);
            let violation = self.contradiction(Violation::new("balance", expected, ledger.balance));
            if violation.is_none() {
                self.set_balance(account, Some(said));
            }
            return violation;
        }
        (said < currency.2).then(|| {
            let expected = format!("no less than {}", decimal_text(currency.2, currency.1));
            Violation::new("balance-limit", expected, ledger.balance)
        })
    }

    /// Ends the stream, and returns its totals.
    pub(super) fn finish(mut self, events: u64, findings: &mut Findings<'_>) -> Result<LedgerTotals, Error> {
        let payments = self.payments.len() as u64;
        while let Some((begun, id)) = self.flights.pop_front() {
            if begun + FLIGHT_EVENTS_MAX >= events {
                break;
            }
            if let Some(leg) = self.in_flight.remove(&id) {
                let violation = Violation::new("payment-pair", format!("payment-to of {id}"), "none");
                if let Some(violation) = self.contradiction(violation) {
                    findings.add(&leg.location, violation)?;
                }
            }
        }
        Ok(LedgerTotals { accounts: self.opened, payments, in_flight: self.in_flight.len() as u64 })
    }
}

fn statuses(said: &Said<'_>) -> String {
    format!("{}, then {}", said.old.unwrap_or("null"), said.new.unwrap_or("null"))
}

/// The fields that both sides of a payment have in common.
const SIDES: [&str; 6] = ["to", "from", "amount", "currency", "channel", "merchant"];

fn sides(said: &Payment<'_>, ledger: &LedgerPayment<'_>) -> [String; 6] {
    let merchant = ledger.merchant.map_or_else(
        || "null".to_owned(),
        |Merchant { name, category, city, country }| format!("{name}, {category}, {city}, {country}"),
    );
    [said.to, said.from, said.amount, ledger.currency, ledger.channel, &merchant].map(str::to_owned)
}
