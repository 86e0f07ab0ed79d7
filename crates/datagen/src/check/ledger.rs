//! Events of the ledger, in order → the rules of accounts and payments that they break.
//!
//! What a line says is taken over where it can be, so that the lines behind it agree. Where a line was wrong in a way that leaves open what
//! is true, some contradictions behind it may only follow from that: so many are passed over (`consequences`), and what they say is taken
//! for true. So a changed line is one finding, mostly; a stream with many may tell fewer than there are, but never none.
//!
//! Invariant: without a finding there is no contradiction that is passed over.

use std::collections::{HashMap, HashSet, VecDeque};

use super::event::{Account as Said, Data, Event, LedgerPayment, Merchant, Payment, Type, is_status};
use super::finding::{Findings, Place, Wrong};
use super::simple::check_reason;
use super::terms::{
    ACCOUNT_CHANNELS, ACCOUNT_IDS, CURRENCIES, amount_of, check_opening, check_payment, currency_of,
    decimal_text, minor_units, one_of,
};
use super::text::whole;
use crate::Error;

/// The second side of a payment comes at most so many events behind the first.
const FLIGHT_EVENTS_MAX: u64 = 1_000;
/// How many contradictions may follow from a line that leaves open what is true.
const CONSEQUENCES: u32 = 6;

/// Accounts and payments so far.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    accounts: HashMap<u64, Account>,
    closed: HashSet<u64>,
    /// Payments that were seen from one side.
    in_flight: HashMap<String, Leg>,
    /// These, by when they began.
    flights: VecDeque<(u64, String)>,
    payments: HashSet<u64>,
    opened: u64,
    consequences: u32,
}

#[derive(Debug)]
struct Account {
    /// None where it is not known.
    status: Option<String>,
    currency: Option<usize>,
    balance: Option<i128>,
}

/// A payment, as its first side told it.
#[derive(Debug)]
struct Leg {
    place: Place,
    said: [String; 6],
    amount: Option<i128>,
}

impl Ledger {
    /// A line could not be read: whatever it said is missing.
    pub(super) fn expect_consequences_of_a_lost_line(&mut self) {
        self.consequences += CONSEQUENCES;
    }

    /// Something that contradicts what was; none if that may follow from what was told before.
    fn contradiction(&mut self, wrong: Wrong) -> Option<Wrong> {
        if self.consequences > 0 {
            self.consequences -= 1;
            return None;
        }
        self.consequences += CONSEQUENCES;
        Some(wrong)
    }

    pub(super) fn take(
        &mut self,
        event: &Event<'_>,
        place: &Place,
        number: u64,
        findings: &mut Findings<'_>,
    ) -> Result<Option<Wrong>, Error> {
        while self.flights.front().is_some_and(|(begun, _)| begun + FLIGHT_EVENTS_MAX < number) {
            let Some((_, id)) = self.flights.pop_front() else { break };
            if let Some(leg) = self.in_flight.remove(&id) {
                let expected = format!("payment-to of {id} within {FLIGHT_EVENTS_MAX} events");
                if let Some(wrong) = self.contradiction(Wrong::new("payment-pair", expected, "none")) {
                    findings.add(&leg.place, wrong)?;
                }
            }
        }
        Ok(match &event.data {
            Data::Account(said) => self.take_account(event.event_type, said),
            Data::Payment(said) => said.ledger.and_then(|ledger| match event.event_type {
                Type::To => self.take_second_side(said, &ledger),
                _ => self.take_first_side(said, &ledger, place, number),
            }),
        })
    }

    fn take_account(&mut self, event_type: Type, said: &Said<'_>) -> Option<Wrong> {
        let own = check_reason(said.reason)
            .or_else(|| one_of("channel", &ACCOUNT_CHANNELS, said.channel.unwrap_or_default()))
            .or_else(|| said.opening.as_ref().and_then(check_opening));
        let Some(id) = whole(said.id).filter(|id| ACCOUNT_IDS.contains(id)) else {
            self.consequences += CONSEQUENCES;
            let expected = format!("{} to {}", ACCOUNT_IDS.start(), ACCOUNT_IDS.end());
            return Some(Wrong::new("account-id", expected, said.id));
        };
        let of_life = match event_type {
            Type::Open => self.open(id, said),
            _ => self.change(id, event_type, said),
        };
        own.or(of_life)
    }

    fn open(&mut self, id: u64, said: &Said<'_>) -> Option<Wrong> {
        if self.accounts.contains_key(&id) || self.closed.contains(&id) {
            let wrong = Wrong::new("opened-once", "an account that was not opened before", id);
            return self.contradiction(wrong);
        }
        self.opened += 1;
        let currency = said.opening.and_then(|opening| currency_of(opening.currency));
        let account = Account { status: Some("PENDING".to_owned()), currency, balance: Some(0) };
        self.accounts.insert(id, account);
        let is_right = (said.old, said.new) == (None, Some("PENDING"));
        (!is_right).then(|| Wrong::new("life", "old_status null and new_status PENDING", statuses(said)))
    }

    fn change(&mut self, id: u64, event_type: Type, said: &Said<'_>) -> Option<Wrong> {
        let new = said.new.filter(|new| is_status(new)).map(str::to_owned);
        let is_closing = said.new == Some("CLOSED");
        let Some(account) = self.accounts.get_mut(&id) else {
            let expected =
                if self.closed.contains(&id) { "nothing after account-close" } else { "account-open before" };
            if !is_closing && !self.closed.contains(&id) {
                self.accounts.insert(id, Account { status: new, currency: None, balance: None });
            }
            return self.contradiction(Wrong::new(
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
            let wrong =
                Wrong::new("life", format!("old_status {}", before.unwrap_or_default()), statuses(said));
            return self.contradiction(wrong);
        }
        let is_allowed = match event_type {
            Type::Close => is_closing && matches!(said.old, Some("PENDING" | "OPEN" | "SUSPENDED")),
            _ => matches!(
                (said.old, said.new),
                (Some("PENDING" | "SUSPENDED"), Some("OPEN")) | (Some("OPEN"), Some("SUSPENDED"))
            ),
        };
        if !is_allowed {
            // What became of it, its next event says.
            if let Some(account) = self.accounts.get_mut(&id) {
                account.status = None;
            }
            let expected = format!("a step that {} may take", event_type.name());
            self.consequences += CONSEQUENCES;
            return Some(Wrong::new("life", expected, statuses(said)));
        }
        (is_closing && balance.is_some_and(|balance| balance < 0)).then(|| {
            Wrong::new("close-in-debt", "a balance that is not negative", balance.unwrap_or_default())
        })
    }

    fn take_first_side(
        &mut self,
        said: &Payment<'_>,
        ledger: &LedgerPayment<'_>,
        place: &Place,
        number: u64,
    ) -> Option<Wrong> {
        let own = check_payment(said, ledger);
        let amount = amount_of(said, ledger);
        let is_new = self.payments.insert(u64::from_str_radix(said.id, 16).unwrap_or_default());
        self.in_flight
            .insert(said.id.to_owned(), Leg { place: place.clone(), said: sides(said, ledger), amount });
        self.flights.push_back((number, said.id.to_owned()));
        if own.is_some() {
            self.consequences += CONSEQUENCES;
        }
        let parties = self.check_parties(said, ledger);
        let balance = self.check_balance(said.from, ledger, amount.map(|amount| -amount));
        let again = (!is_new).then(|| Wrong::new("payment-pair", "a payment id of its own", said.id));
        own.or(again).or(parties).or(balance)
    }

    fn take_second_side(&mut self, said: &Payment<'_>, ledger: &LedgerPayment<'_>) -> Option<Wrong> {
        let own = check_payment(said, ledger);
        if own.is_some() {
            self.consequences += CONSEQUENCES;
        }
        let sides = sides(said, ledger);
        let mut pair = None;
        let id = if self.in_flight.contains_key(said.id) {
            Some(said.id.to_owned())
        } else {
            // Perhaps the same payment under another id.
            self.in_flight.iter().find(|(_, leg)| leg.said == sides).map(|(id, _)| id.clone())
        };
        let leg = id.and_then(|id| Some((self.in_flight.remove(&id)?, id)));
        let mut amount = amount_of(said, ledger);
        match leg {
            None => {
                let found = format!("none of {}", said.id);
                pair = self.contradiction(Wrong::new("payment-pair", "payment-from before", found));
            }
            Some((leg, id)) => {
                if id != said.id {
                    let expected = format!("id {id}, as in line {}", leg.place.line);
                    pair = self.contradiction(Wrong::new("payment-pair", expected, said.id));
                } else if let Some(field) = (0..sides.len()).find(|&field| sides[field] != leg.said[field]) {
                    let expected =
                        format!("{} {}, as in line {}", SIDES[field], leg.said[field], leg.place.line);
                    pair = self.contradiction(Wrong::new("payment-pair", expected, &sides[field]));
                    if pair.is_some() {
                        // The side that was not doubted is believed.
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

    fn check_parties(&mut self, said: &Payment<'_>, ledger: &LedgerPayment<'_>) -> Option<Wrong> {
        if said.to == said.from {
            return Some(Wrong::new("payment-accounts", "two accounts", format!("{} twice", said.to)));
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
            // It is told once; what the account is, its next events say.
            if let Some(account) = whole(id).and_then(|id| self.accounts.get_mut(&id)) {
                (account.status, account.currency) = (None, None);
            }
            return self.contradiction(Wrong::new("payment-accounts", expected, found));
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

    /// Moves an account's balance, and holds it against what its side of a payment says.
    fn check_balance(
        &mut self,
        account: &str,
        ledger: &LedgerPayment<'_>,
        by: Option<i128>,
    ) -> Option<Wrong> {
        let currency = CURRENCIES[currency_of(ledger.currency)?];
        let Some(said) = minor_units(ledger.balance, currency.1) else {
            let moved = self.balance_of(account).zip(by).map(|(balance, by)| balance + by);
            self.set_balance(account, moved);
            let expected = format!("{} digits behind the point", currency.1);
            return Some(Wrong::new("balance", expected, ledger.balance));
        };
        let true_balance = self.balance_of(account).zip(by).map(|(balance, by)| balance + by);
        self.set_balance(account, true_balance.or(Some(said)));
        if let Some(true_balance) = true_balance.filter(|balance| *balance != said) {
            let expected = decimal_text(true_balance, currency.1);
            let wrong = self.contradiction(Wrong::new("balance", expected, ledger.balance));
            if wrong.is_none() {
                self.set_balance(account, Some(said));
            }
            return wrong;
        }
        (said < currency.2).then(|| {
            let expected = format!("no less than {}", decimal_text(currency.2, currency.1));
            Wrong::new("balance-limit", expected, ledger.balance)
        })
    }

    /// The end of the stream: accounts, payments, and payments in flight.
    pub(super) fn finish(
        mut self,
        events: u64,
        findings: &mut Findings<'_>,
    ) -> Result<(u64, u64, u64), Error> {
        let payments = self.payments.len() as u64;
        while let Some((begun, id)) = self.flights.pop_front() {
            if begun + FLIGHT_EVENTS_MAX >= events {
                break;
            }
            if let Some(leg) = self.in_flight.remove(&id) {
                let wrong = Wrong::new("payment-pair", format!("payment-to of {id}"), "none");
                if let Some(wrong) = self.contradiction(wrong) {
                    findings.add(&leg.place, wrong)?;
                }
            }
        }
        Ok((self.opened, payments, self.in_flight.len() as u64))
    }
}

fn statuses(said: &Said<'_>) -> String {
    format!("{}, then {}", said.old.unwrap_or("null"), said.new.unwrap_or("null"))
}

/// What both sides of a payment say alike.
const SIDES: [&str; 6] = ["to", "from", "amount", "currency", "channel", "merchant"];

fn sides(said: &Payment<'_>, ledger: &LedgerPayment<'_>) -> [String; 6] {
    let merchant = ledger.merchant.map_or_else(
        || "null".to_owned(),
        |Merchant { name, category, city, country }| format!("{name}, {category}, {city}, {country}"),
    );
    [said.to, said.from, said.amount, ledger.currency, ledger.channel, &merchant].map(str::to_owned)
}
