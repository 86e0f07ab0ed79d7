//! An event of the ledger → its line, one JSON object.
//!
//! The form is that of the simple world; the payloads have more fields, and objects in them. Amounts have
//! exactly as many decimals as their currency (ISO 4217).
//!
//! Invariant: no text needs escaping; the longest line fits into `LINE_BYTES_MAX`.

use super::{Change, Direction, LedgerEvent, Outcome, Payment, Status, currency::Currency, details::Details};
use crate::lines::{
    clock::Clock,
    line::{Line, Short},
};

/// Writes the line of an event.
#[inline]
pub(super) fn write(line: &mut Line<'_>, event: &LedgerEvent, details: &Details, clock: &mut Clock) {
    line.begin(event.id);
    write_time(line, event.decision.micros, clock);
    let currency = event.decision.currency;
    match event.decision.outcome {
        Outcome::Account { account, change } => write_account(line, event, account, change, details),
        Outcome::Payment { direction: Direction::From, payment, balance } => {
            line.fragment(br#"", "domain": "transaction", "event_type": "payment-from", "data": {"id": ""#);
            write_payment(line, &payment, balance, currency, details);
        }
        Outcome::Payment { direction: Direction::To, payment, balance } => {
            line.fragment(br#"", "domain": "transaction", "event_type": "payment-to", "data": {"id": ""#);
            write_payment(line, &payment, balance, currency, details);
        }
    }
}

/// Writes a time to the microsecond, always with six decimals.
#[inline]
pub(super) fn write_time(line: &mut Line<'_>, micros: i64, clock: &mut Clock) {
    line.fragment(clock.text(micros.div_euclid(1_000_000)));
    line.fragment(b".");
    line.six_digits(u32::try_from(micros.rem_euclid(1_000_000)).unwrap_or_default());
}

#[inline]
fn write_account(line: &mut Line<'_>, event: &LedgerEvent, account: u32, change: Change, details: &Details) {
    match change {
        Change::Opened => {
            line.fragment(br#"", "domain": "account", "event_type": "account-open", "data": {"id": "#);
        }
        Change::StatusChanged { .. } => {
            line.fragment(br#"", "domain": "account", "event_type": "status-change", "data": {"id": "#);
        }
        Change::Closed { .. } => {
            line.fragment(br#"", "domain": "account", "event_type": "account-close", "data": {"id": "#);
        }
    }
    line.long_number(u64::from(details.numbers.account(account)));
    match change {
        Change::Opened => line.fragment(br#", "old_status": null, "new_status": "PENDING"#),
        Change::StatusChanged { old, new } => {
            line.fragment(br#", "old_status": ""#);
            line.short(status_name(old));
            line.fragment(br#"", "new_status": ""#);
            line.short(status_name(new));
        }
        Change::Closed { old } => {
            line.fragment(br#", "old_status": ""#);
            line.short(status_name(old));
            line.fragment(br#"", "new_status": "CLOSED"#);
        }
    }
    line.fragment(br#"", "reason": ""#);
    line.sentence(event.reason(details).spaced_words());
    line.fragment(br#"", "channel": ""#);
    line.short(details.account_channel(event.index));
    if change == Change::Opened {
        let currency = event.decision.currency;
        let holder = details.holder(account, currency);
        line.fragment(br#"", "currency": ""#);
        line.fragment(&currency.terms().code);
        line.fragment(br#"", "holder": {"name": ""#);
        line.short(holder.first_name);
        line.fragment(b" ");
        line.short(holder.last_name);
        line.fragment(br#"", "country": ""#);
        line.fragment(holder.country);
        line.fragment(b"\"}}}\n");
    } else {
        line.fragment(b"\"}}\n");
    }
}

/// Writes the payload of a payment, beginning with its id.
#[inline]
fn write_payment(
    line: &mut Line<'_>,
    payment: &Payment,
    balance: i64,
    currency: Currency,
    details: &Details,
) {
    let terms = currency.terms();
    line.hex(details.numbers.payment(payment.ordinal));
    line.fragment(br#"", "to": "#);
    line.long_number(u64::from(details.numbers.account(payment.to)));
    line.fragment(br#", "from": "#);
    line.long_number(u64::from(details.numbers.account(payment.from)));
    line.fragment(br#", "amount": "#);
    line.minor_units(payment.amount, terms.minor_digits);
    line.fragment(br#", "currency": ""#);
    line.fragment(&terms.code);
    line.fragment(br#"", "balance": "#);
    line.minor_units(balance, terms.minor_digits);
    let (channel, merchant) = details.purchase(payment.ordinal, payment.to, currency);
    line.fragment(br#", "channel": ""#);
    line.short(channel);
    let Some(merchant) = merchant else {
        return line.fragment(b"\", \"merchant\": null}}\n");
    };
    line.fragment(br#"", "merchant": {"name": ""#);
    line.short(merchant.name);
    line.fragment(b" ");
    line.short(merchant.trade);
    line.fragment(br#"", "category": "#);
    line.number(merchant.category);
    line.fragment(br#", "city": ""#);
    line.short(merchant.city);
    line.fragment(br#"", "country": ""#);
    line.fragment(merchant.country);
    line.fragment(b"\"}}}\n");
}

/// The status as it is written.
#[inline]
pub(super) fn status_name(status: Status) -> &'static Short {
    static NAMES: [Short; 3] = [Short::new(b"PENDING"), Short::new(b"OPEN"), Short::new(b"SUSPENDED")];
    &NAMES[status as usize]
}
