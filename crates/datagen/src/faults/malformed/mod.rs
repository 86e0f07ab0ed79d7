//! A clean line and an unused id → a line that no loader may accept as an event, and the reason.
//!
//! Such a line never replaces the clean line: it has an id of its own, unless the id is what is wrong.
//!
//! Invariant: a bad line has no newline, is not blank, and never begins with `[`. So wherever it is in a
//! file, even at the beginning, the file is read as lines. It is bad by itself, under the catalogs of both
//! worlds.

mod edits;

use std::io::{self, Write};

use events_core::event;

use self::edits::{BAD_EPOCH, REASONS};
pub use super::clean_line::ID_BYTES;
use super::{
    clean_line::{CleanLine, with_id},
    in_turn,
};
use crate::worlds::EventType;

/// This many consecutive ordinals give every bad line that can be made from a clean one.
pub const MALFORMED_KINDS: u64 = REASONS.len() as u64 * edits::VARIANTS_MAX as u64;

/// A loader accepts lines of up to 16 MiB; this is one byte more.
pub const TOO_LONG_BYTES: usize = (16 << 20) + 1;

/// A line that must not become a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Its bytes, without the newline.
    pub bytes: Vec<u8>,
    /// The reason that the loader must give, as it is named in the quarantine.
    pub reason: &'static str,
}

/// The bad line for `ordinal`: the reasons take turns, and so do each reason's variants.
///
/// # Panics
///
/// If `clean` is not a line of a world.
#[must_use]
pub fn malformed_line(clean: &[u8], id: &[u8; ID_BYTES], ordinal: u64) -> BadLine {
    malformed_from(&CleanLine::new(&with_id(clean, id)), ordinal)
}

/// The bad line for `ordinal` that is made from a line with an unused id.
pub(super) fn malformed_from(line: &CleanLine<'_>, ordinal: u64) -> BadLine {
    let first = in_turn(ordinal, REASONS.len());
    let mut in_order = REASONS[first..].iter().chain(&REASONS[..first]);
    let bad = in_order.find_map(|(reason, variants)| {
        let variants =
            if *reason == "bad_timestamp" && line.calendar_time().is_none() { BAD_EPOCH } else { variants };
        let first = in_turn(ordinal / REASONS.len() as u64, variants.len());
        // Some variants need a field that not every event has; then the next variant takes their turn. In
        // other envelopes there are reasons without one.
        let mut in_order = variants[first..].iter().chain(&variants[..first]);
        in_order.find_map(|edit| edit(line)).map(|bytes| BadLine { bytes, reason })
    });
    bad.expect("some reason has a variant for every event")
}

/// A line of an event type that is in neither world's catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownEventLine {
    /// Its bytes, without the newline.
    pub bytes: Vec<u8>,
    /// `domain/event_type`, the name under which the loader's report counts it in `unknown_events`.
    pub name: String,
}

/// Domains and event types of other applications, or misspelt ones of this one.
const UNKNOWN_EVENTS: [(&str, &str); 8] = [
    ("account", "account-freeze"),
    ("card", "authorization"),
    ("transaction", "refund"),
    ("account", "payment-to"),
    ("transaction", "account-open"),
    ("Account", "account-open"),
    ("transaction", "payment_from"),
    ("customer", "created"),
];

/// The line of an unknown type for `ordinal`; the types take turns.
///
/// # Panics
///
/// If `clean` is not a line of a world.
#[must_use]
pub fn unknown_event_line(clean: &[u8], id: &[u8; ID_BYTES], ordinal: u64) -> UnknownEventLine {
    unknown_event_from(&CleanLine::new(&with_id(clean, id)), ordinal)
}

/// The line of an unknown type for `ordinal` that is made from a line with an unused id.
pub(super) fn unknown_event_from(line: &CleanLine<'_>, ordinal: u64) -> UnknownEventLine {
    let first = in_turn(ordinal, UNKNOWN_EVENTS.len());
    let mut in_order = UNKNOWN_EVENTS[first..].iter().chain(&UNKNOWN_EVENTS[..first]);
    let name = event::EVENT_TYPE;
    if let Some(domain) = line.constant_domain() {
        let known = |name: &str| EventType::ALL.iter().any(|known| known.name() == name);
        let unknown = in_order.find(|(_, event_type)| !known(event_type));
        let (_, event_type) = unknown.expect("some of the types are in no domain");
        let bytes = line.replaced(line.base(name), format!("\"{event_type}\""));
        return UnknownEventLine { bytes, name: format!("{domain}/{event_type}") };
    }
    let (domain, event_type) = UNKNOWN_EVENTS[first];
    let (domain_at, type_at) = (line.base(event::DOMAIN), line.base(name));
    let mut edits = [(domain_at, domain), (type_at, event_type)];
    edits.sort_by_key(|(at, _)| at.start);
    let [(first, first_text), (second, second_text)] = edits;
    let text = line.text();
    let bytes = [
        &text[..first.start],
        &format!("\"{first_text}\"{}\"{second_text}\"", &text[first.end..second.start]),
        &text[second.end..],
    ];
    UnknownEventLine { bytes: bytes.concat().into_bytes(), name: format!("{domain}/{event_type}") }
}

/// Writes a line of [`TOO_LONG_BYTES`] that would be good if it were shorter, without its newline.
///
/// # Errors
///
/// The errors of `out`.
///
/// # Panics
///
/// If `clean` is not a line of a world.
pub fn write_too_long_line(clean: &[u8], id: &[u8; ID_BYTES], out: &mut impl Write) -> io::Result<()> {
    write_too_long_from(&CleanLine::new(&with_id(clean, id)), out)
}

/// Writes a line that is too long, made from a line with an unused id.
pub(super) fn write_too_long_from(line: &CleanLine<'_>, out: &mut impl Write) -> io::Result<()> {
    static FILLER: [u8; 1 << 16] = [b'x'; 1 << 16];
    let (at, key, quote) = match line.payload_end() {
        Some(end) => (end, r#", "note": ""#.as_bytes(), b"\"".as_slice()),
        // More of the text that the payload is in.
        None => (line.data_end() - 1, b"".as_slice(), b"".as_slice()),
    };
    let line = line.text().as_bytes();
    let (front, end) = line.split_at(at);
    out.write_all(&[front, key].concat())?;
    let mut missing = TOO_LONG_BYTES - line.len() - key.len() - quote.len();
    while missing > 0 {
        let filler = &FILLER[..missing.min(FILLER.len())];
        out.write_all(filler)?;
        missing -= filler.len();
    }
    out.write_all(&[quote, end].concat())
}

#[cfg(test)]
mod tests;
