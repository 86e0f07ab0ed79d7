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

use self::edits::REASONS;
pub use super::clean_line::ID_BYTES;
use super::{
    clean_line::{CleanLine, with_id},
    in_turn,
};

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
    let clean = with_id(clean, id);
    let line = CleanLine::new(&clean);
    let (reason, variants) = REASONS[in_turn(ordinal, REASONS.len())];
    let first = in_turn(ordinal / REASONS.len() as u64, variants.len());
    // Some variants need a field that not every event has; then the next variant takes their turn.
    let mut in_order = variants[first..].iter().chain(&variants[..first]);
    let bytes = in_order.find_map(|edit| edit(&line)).expect("each reason has a variant for every event");
    BadLine { bytes, reason }
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
    let clean = with_id(clean, id);
    let line = CleanLine::new(&clean);
    let (domain, event_type) = UNKNOWN_EVENTS[in_turn(ordinal, UNKNOWN_EVENTS.len())];
    let both = line.base(event::DOMAIN).start..line.base(event::EVENT_TYPE).end;
    let bytes = line.replaced(both, format!(r#""{domain}", "{}": "{event_type}""#, event::EVENT_TYPE));
    UnknownEventLine { bytes, name: format!("{domain}/{event_type}") }
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
    static FILLER: [u8; 1 << 16] = [b'x'; 1 << 16];
    let line = with_id(clean, id);
    let (front, end) = line.split_at(CleanLine::new(&line).payload_end());
    let (key, quote) = (br#", "note": ""#.as_slice(), b"\"".as_slice());
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
