//! An event of the simple world in, its line out: one JSON object, in the form of the contract.
//!
//! Keys in the contract's order, `: ` and `, ` between things, a newline after every line. Each line equals what
//! `serde_json` writes for [`crate::payload`]'s structs; the tests hold them to each other.
//!
//! Invariant: no word and no status needs escaping, so no byte of a line is looked at twice.

use super::{AccountChange, Details, Direction, SimpleEvent, Status};
use crate::clock::Clock;
use crate::line::{Line, Short};
use crate::sentence::Sentence;

/// Writes the line of an event.
#[inline]
pub(super) fn write(line: &mut Line<'_>, event: &SimpleEvent, clock: &mut Clock) {
    line.begin(event.id);
    line.fragment(clock.text(event.time));
    match event.details {
        Details::Account { change, reason } => write_account(line, event.entity, change, reason),
        Details::Payment { direction, to, from, cents } => {
            match direction {
                Direction::To => line
                    .fragment(br#"", "domain": "transaction", "event_type": "payment-to", "data": {"id": "#),
                Direction::From => line.fragment(
                    br#"", "domain": "transaction", "event_type": "payment-from", "data": {"id": "#,
                ),
            }
            line.number(event.entity);
            line.fragment(br#", "to": "#);
            line.number(to);
            line.fragment(br#", "from": "#);
            line.number(from);
            line.fragment(br#", "amount": "#);
            line.amount(cents);
            line.fragment(b"}}\n");
        }
    }
}

#[inline]
fn write_account(line: &mut Line<'_>, entity: u32, change: AccountChange, reason: Sentence) {
    match change {
        AccountChange::Open => {
            line.fragment(br#"", "domain": "account", "event_type": "account-open", "data": {"id": "#);
            line.number(entity);
            line.fragment(br#", "old_status": null, "new_status": "PENDING", "reason": ""#);
        }
        AccountChange::Close => {
            line.fragment(br#"", "domain": "account", "event_type": "account-close", "data": {"id": "#);
            line.number(entity);
            line.fragment(br#", "old_status": null, "new_status": "CLOSED", "reason": ""#);
        }
        AccountChange::Status { old, new } => {
            line.fragment(br#"", "domain": "account", "event_type": "status-change", "data": {"id": "#);
            line.number(entity);
            line.fragment(br#", "old_status": ""#);
            line.short(status_name(old));
            line.fragment(br#"", "new_status": ""#);
            line.short(status_name(new));
            line.fragment(br#"", "reason": ""#);
        }
    }
    line.sentence(reason.spaced_words());
    line.fragment(b"\"}}\n");
}

/// As it is written.
#[inline]
pub(super) fn status_name(status: Status) -> &'static Short {
    static NAMES: [Short; 4] =
        [Short::new(b"OPEN"), Short::new(b"CLOSED"), Short::new(b"PENDING"), Short::new(b"SUSPENDED")];
    &NAMES[status as usize]
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
