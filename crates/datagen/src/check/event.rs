//! A line → its event, as the line states it; or why it is not one.
//!
//! The event type is compared with the payload, and the payload is believed: so a wrong type is one finding.
//!
//! Invariant: an event's line is, byte for byte, the one in which a stream would write what it states.

use std::collections::HashSet;

use chrono::NaiveDateTime;
use serde_json::Value;

use super::{
    finding::Violation,
    payload::{self, Data},
    text::{Mismatch, Text},
};
use crate::config::WorldName;

/// An event.
#[derive(Debug, Clone)]
pub(super) struct Event<'l> {
    id: &'l str,
    /// The time; `None` if its form is wrong.
    pub(super) micros: Option<i64>,
    pub(super) event_type: EventType,
    pub(super) data: Data<'l>,
    /// The rule that it breaks by itself.
    pub(super) violation: Option<Violation>,
}

/// An event type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventType {
    Open,
    Close,
    Change,
    From,
    To,
}

impl EventType {
    pub(super) const ALL: [Self; 5] = [Self::Open, Self::Close, Self::Change, Self::From, Self::To];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Open => "account-open",
            Self::Close => "account-close",
            Self::Change => "status-change",
            Self::From => "payment-from",
            Self::To => "payment-to",
        }
    }

    pub(super) fn domain(self) -> &'static str {
        match self {
            Self::Open | Self::Close | Self::Change => "account",
            Self::From | Self::To => "transaction",
        }
    }
}

/// The world of a stream that begins with this line: the ledger's times have a fraction.
pub(super) fn world_of(first_line: &[u8]) -> WorldName {
    let time = String::from_utf8_lossy(first_line);
    let time = time.split_once("\"timestamp\": \"").map_or("", |(_, rest)| rest);
    let time = time.split('"').next().unwrap_or_default();
    if time.contains('.') { WorldName::Ledger } else { WorldName::Simple }
}

/// Whether a line is an object that has none of the keys of an event but, perhaps, its time and its data.
pub(super) fn is_in_other_envelope(line: &[u8]) -> bool {
    let object = serde_json::from_slice::<serde_json::Map<String, Value>>(line).unwrap_or_default();
    !object.is_empty() && ["event_id", "domain", "event_type"].iter().all(|key| !object.contains_key(*key))
}

impl<'l> Event<'l> {
    pub(super) fn parse(line: &'l [u8], world: WorldName) -> Result<Self, Violation> {
        let not_utf8 = |_| Violation::new("json", "an event in UTF-8", "other bytes");
        let line = str::from_utf8(line).map_err(not_utf8)?;
        let mut text = Text::new(line);
        Self::parse_text(&mut text, world).map_err(|mismatch| explain(line, &mismatch))
    }

    fn parse_text(text: &mut Text<'l>, world: WorldName) -> Result<Self, Mismatch> {
        text.literal("{\"event_id\": ")?;
        let id = text.string()?;
        text.literal(", \"timestamp\": ")?;
        let timestamp = text.string()?;
        text.literal(", \"domain\": ")?;
        let domain = text.string()?;
        text.literal(", \"event_type\": ")?;
        let name = text.string()?;
        text.literal(", \"data\": ")?;
        let said = EventType::ALL.into_iter().find(|of_type| of_type.name() == name);
        let (data, event_type) = payload::parse(text, said, world)?;
        text.literal("}")?;
        text.end()?;
        let mut violation = None;
        if (domain, name) != (event_type.domain(), event_type.name()) {
            let expected = format!("{}/{} for such data", event_type.domain(), event_type.name());
            violation = Some(Violation::new("domain-and-type", expected, format!("{domain}/{name}")));
        }
        let micros = micros_of(timestamp, world);
        if micros.is_none() {
            let form = match world {
                WorldName::Simple => "YYYY-MM-DDTHH:MM:SS",
                WorldName::Ledger => "YYYY-MM-DDTHH:MM:SS.ffffff",
            };
            violation.get_or_insert(Violation::new("timestamp", form, timestamp.escape_debug()));
        }
        Ok(Self { id, micros, event_type, data, violation })
    }

    /// Checks that the id is a version 4 UUID that no earlier event had.
    pub(super) fn check_id(&self, seen: &mut HashSet<u128>) -> Option<Violation> {
        let is_as_expected = |(at, byte): (usize, u8)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            14 => byte == b'4',
            19 => matches!(byte, b'8' | b'9' | b'a' | b'b'),
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        };
        let found = || self.id.escape_debug();
        if self.id.len() != 36 || !self.id.bytes().enumerate().all(is_as_expected) {
            return Some(Violation::new("event-id", "a version 4 UUID in lower case", found()));
        }
        let number = u128::from_str_radix(&self.id.replace('-', ""), 16).unwrap_or_default();
        (!seen.insert(number))
            .then(|| Violation::new("event-id", "an id of its own", format!("{} again", found())))
    }
}

/// Explains why a text is not a line of a stream, in terms of JSON.
fn explain(line: &str, mismatch: &Mismatch) -> Violation {
    const KEYS: [&str; 5] = ["data", "domain", "event_id", "event_type", "timestamp"];
    let rest: String = line.get(mismatch.at..).unwrap_or_default().chars().take(24).collect();
    let found =
        if rest.is_empty() { "the end of the line".to_owned() } else { format!("`{}`", rest.escape_debug()) };
    let found = format!("{found} after byte {}", mismatch.at);
    match serde_json::from_str::<Value>(line) {
        Err(error) => Violation::new("json", "a JSON object", format!("something else: {error}")),
        Ok(Value::Object(event)) if event.keys().map(String::as_str).eq(KEYS) => {
            Violation::new("form", &mismatch.expected, found)
        }
        Ok(Value::Object(_)) => Violation::new("keys", &mismatch.expected, found),
        Ok(_) => Violation::new("json", "a JSON object", "another value"),
    }
}

fn micros_of(timestamp: &str, world: WorldName) -> Option<i64> {
    let (format, length) = match world {
        WorldName::Simple => ("%Y-%m-%dT%H:%M:%S", 19),
        WorldName::Ledger => ("%Y-%m-%dT%H:%M:%S%.6f", 26),
    };
    let time = NaiveDateTime::parse_from_str(timestamp, format).ok()?;
    let is_as_written = timestamp.len() == length && time.format(format).to_string() == timestamp;
    is_as_written.then(|| time.and_utc().timestamp_micros())
}
