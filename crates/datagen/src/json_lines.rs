//! A chunk in, its lines out: one JSON object per event, in the form of the contract.
//!
//! Keys in the contract's order, `: ` and `, ` between things, a newline after every line. Each line equals what
//! `serde_json` writes for [`crate::payload`]'s structs; the tests hold them to each other.
//!
//! Invariant: no word and no status needs escaping, so no byte of a line is looked at twice.

use crate::clock::Clock;
use crate::line::{LINE_BYTES_MAX, Line, Short};
use crate::plan::{CHUNK_EVENTS, Chunk};
use crate::sentence::Sentence;
use crate::simple::{AccountChange, Details, Direction, SimpleEvent, SimpleWorld, Status};

/// Large enough for every chunk; the system gives the pages that are touched, a bit more than half of it.
const CHUNK_BYTES_MAX: usize = CHUNK_EVENTS as usize * LINE_BYTES_MAX;

/// A reusable buffer that holds the lines of one chunk.
#[derive(Debug)]
pub(crate) struct Lines {
    bytes: Vec<u8>,
    length: usize,
}

impl Lines {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; CHUNK_BYTES_MAX], length: 0 }
    }

    /// The lines that were rendered last.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Replaces the lines with those of `chunk`.
    pub(crate) fn render(&mut self, world: &SimpleWorld, chunk: &Chunk) {
        let mut clock = Clock::new();
        self.length = 0;
        for event in world.events(chunk) {
            let room = self.bytes[self.length..].first_chunk_mut();
            let mut line = Line::new(room.expect("there is room for CHUNK_EVENTS lines of any length"));
            write_event(&mut line, &event, &mut clock);
            self.length += line.length();
        }
    }
}

#[inline]
fn write_event(line: &mut Line<'_>, event: &SimpleEvent, clock: &mut Clock) {
    let mut id = [0; uuid::fmt::Hyphenated::LENGTH];
    event.id.as_hyphenated().encode_lower(&mut id);
    line.fragment(br#"{"event_id": ""#);
    line.fragment(&id);
    line.fragment(br#"", "timestamp": ""#);
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

#[inline]
fn status_name(status: Status) -> &'static Short {
    static NAMES: [Short; 4] =
        [Short::new(b"OPEN"), Short::new(b"CLOSED"), Short::new(b"PENDING"), Short::new(b"SUSPENDED")];
    &NAMES[status as usize]
}

#[cfg(test)]
mod tests;
