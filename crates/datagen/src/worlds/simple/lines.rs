//! An event of the simple world → its line, one JSON object.
//!
//! Keys in a fixed order, `: ` and `, ` as separators, a newline after every line. Each line equals what
//! `serde_json` writes for the structs of `payload.rs`; the tests compare them.
//!
//! Invariant: no word and no status needs escaping, so no byte of a line is looked at twice.

use super::{AccountChange, Details, Direction, SimpleEvent, Status};
use crate::lines::{
    clock::Clock,
    line::{Line, Short},
    sentence::Sentence,
};

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

/// The status as it is written.
#[inline]
pub(super) fn status_name(status: Status) -> &'static Short {
    static NAMES: [Short; 4] =
        [Short::new(b"OPEN"), Short::new(b"CLOSED"), Short::new(b"PENDING"), Short::new(b"SUSPENDED")];
    &NAMES[status as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::{line::LINE_BYTES_MAX, words::WORD_BYTES_MAX};

    #[test]
    fn the_longest_line_has_room() {
        let mut bytes = [0; LINE_BYTES_MAX];
        let mut line = Line::new(&mut bytes);
        let longest_word = Short::new(&[b'w'; WORD_BYTES_MAX]).followed_by(b' ');
        line.fragment(&[b'x'; 14 + 36 + 17 + 19]);
        line.fragment(br#"", "domain": "account", "event_type": "status-change", "data": {"id": "#);
        line.number(999_999);
        line.fragment(br#", "old_status": ""#);
        line.short(status_name(Status::Suspended));
        line.fragment(br#"", "new_status": ""#);
        line.short(status_name(Status::Suspended));
        line.fragment(br#"", "reason": ""#);
        line.sentence([longest_word; 8].iter());
        line.fragment(b"\"}}\n");
        assert!(line.length() + 16 <= LINE_BYTES_MAX, "{}", line.length());
    }
}
