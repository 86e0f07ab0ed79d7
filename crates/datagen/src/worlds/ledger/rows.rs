//! An event of the ledger → the values of its payload in the row that a correct load makes of it.
//!
//! Invariant: the columns are those of the ledger's catalog, in its order.

use events_core::truth::RowDigest;

use super::{
    Change, LedgerEvent, Outcome,
    currency::Currency,
    details::{Details, Merchant},
    lines::status_name,
};
use crate::lines::digits::hex_digits;

/// The scale of the columns of amounts and balances.
const SCALE: u8 = 3;

#[inline]
pub(super) fn write(event: &LedgerEvent, details: &Details, row: &mut RowDigest) {
    match event.decision.outcome {
        Outcome::Account { account, change } => write_account(event, account, change, details, row),
        Outcome::Payment { payment, balance, .. } => {
            let currency = event.decision.currency;
            let (channel, merchant) = details.purchase(payment.ordinal, payment.to, currency);
            row.text(&hex_digits(details.numbers.payment(payment.ordinal)));
            row.integer(details.numbers.account(payment.to).into());
            row.integer(details.numbers.account(payment.from).into());
            row.decimal(to_scale(payment.amount, currency), SCALE);
            row.text(&currency.terms().code);
            row.decimal(to_scale(balance, currency), SCALE);
            row.text(channel.as_bytes());
            write_merchant(merchant.as_ref(), row);
        }
    }
}

fn write_account(event: &LedgerEvent, account: u32, change: Change, details: &Details, row: &mut RowDigest) {
    row.integer(details.numbers.account(account).into());
    match change {
        Change::Opened => {
            row.null();
            row.text(b"PENDING");
        }
        Change::StatusChanged { old, new } => {
            row.text(status_name(old).as_bytes());
            row.text(status_name(new).as_bytes());
        }
        Change::Closed { old } => {
            row.text(status_name(old).as_bytes());
            row.text(b"CLOSED");
        }
    }
    row.text_of(|bytes| event.reason(details).append_to(bytes));
    row.text(details.account_channel(event.index).as_bytes());
    if change == Change::Opened {
        let currency = event.decision.currency;
        let holder = details.holder(account, currency);
        row.text(&currency.terms().code);
        row.text_of(|bytes| {
            bytes.extend_from_slice(holder.first_name.as_bytes());
            bytes.push(b' ');
            bytes.extend_from_slice(holder.last_name.as_bytes());
        });
        row.text(holder.country);
    }
}

fn write_merchant(merchant: Option<&Merchant>, row: &mut RowDigest) {
    let Some(&Merchant { name, trade, category, city, country }) = merchant else {
        return (0..4).for_each(|_| row.null());
    };
    row.text_of(|bytes| {
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(trade.as_bytes());
    });
    row.integer(category.into());
    row.text(city.as_bytes());
    row.text(country);
}

/// Converts minor units to units of the columns' last digit.
pub(super) fn to_scale(units: i64, currency: Currency) -> i128 {
    let digits = u32::from(SCALE.saturating_sub(currency.terms().minor_digits));
    i128::from(units) * 10_i128.pow(digits)
}
