//! The base fields of one line: collected while it is scanned, judged when all are known.
//!
//! Invariant: a field has its first value. A repeated key is remembered, because it makes the line bad.

use std::borrow::Cow;

use event_rows::{ReadId, UUID_TEXT_BYTES, parse_uuid_text};
use events_core::{event, timestamp};

use crate::{
    fault::{Fault, Reason, excerpt},
    json::{Kind, Malformed, Scanner, Value},
    payload::duplicate_key,
};

pub(super) const BASE_NAMES: [&str; 5] =
    [event::EVENT_ID, event::TIMESTAMP, event::DOMAIN, event::EVENT_TYPE, event::DATA];
pub(super) const EVENT_ID: usize = 0;
pub(super) const TIMESTAMP: usize = 1;
pub(super) const DOMAIN: usize = 2;
pub(super) const EVENT_TYPE: usize = 3;
pub(super) const DATA: usize = 4;

/// The base fields of a line.
#[derive(Debug, Default)]
pub(super) struct Base {
    pub(super) values: [Option<Value>; 5],
    pub(super) repeated: [bool; 5],
    /// The id, if it is a UUID.
    pub(super) uuid: Option<u128>,
    /// The timestamp up to its seconds, if it has these; the rest of its text follows them.
    pub(super) to_seconds: Option<i64>,
}

impl Base {
    pub(super) fn refuse_repeated(&self, field: usize) -> Result<(), Fault> {
        if self.repeated[field] { Err(duplicate_key(BASE_NAMES[field])) } else { Ok(()) }
    }

    pub(super) fn string<'l>(&self, line: &'l [u8], field: usize) -> Result<Cow<'l, [u8]>, Fault> {
        match self.values[field] {
            None => Err(Fault::new(Reason::NotAnEvent, Some(BASE_NAMES[field]), "a string", "nothing")),
            Some(value) => {
                value.string(line).ok_or_else(|| wrong_base_type(field, "a string", value.text(line)))
            }
        }
    }

    /// The instant of the timestamp's text `time`.
    #[inline]
    pub(super) fn micros(&self, time: &[u8]) -> Option<i64> {
        match self.to_seconds {
            Some(micros) => instant(micros, time.get(timestamp::SECONDS_BYTES..)?),
            None => timestamp::parse_timestamp(time),
        }
    }

    /// An id is parsed while it is scanned: its digits and hyphens can't end a string.
    #[inline]
    pub(super) fn scan_id(&mut self, scanner: &mut Scanner<'_>) -> Result<Value, Malformed> {
        match scanner.string_with_front(parse_uuid_text)? {
            Some((value, uuid)) => {
                let is_all = value.end() - value.start() == UUID_TEXT_BYTES + 2;
                self.uuid = is_all.then_some(uuid);
                Ok(value)
            }
            None => scanner.value(),
        }
    }

    /// So is a timestamp, up to its seconds.
    #[inline]
    pub(super) fn scan_timestamp(&mut self, scanner: &mut Scanner<'_>) -> Result<Value, Malformed> {
        match scanner.string_with_front(timestamp::parse_to_seconds)? {
            Some((value, micros)) => {
                self.to_seconds = Some(micros);
                Ok(value)
            }
            None => scanner.value(),
        }
    }

    pub(super) fn event_id<'l>(&self, line: &'l [u8]) -> Result<ReadId<'l>, Fault> {
        if let Some(uuid) = self.uuid {
            return Ok(ReadId::Uuid(uuid));
        }
        let missing =
            |found: &str| Fault::new(Reason::MissingEventId, Some(event::EVENT_ID), "the event's id", found);
        match self.values[EVENT_ID] {
            None => Err(missing("nothing")),
            Some(value) if value.kind() == Kind::Null => Err(missing("null")),
            Some(value) => match value.string(line) {
                Some(id) if id.is_empty() => Err(missing("\"\"")),
                Some(id) => Ok(ReadId::Text(id)),
                None => Err(wrong_base_type(EVENT_ID, "a string", value.text(line))),
            },
        }
    }
}

/// The instant of a timestamp that was parsed up to its seconds, and continues with `rest`.
#[inline]
pub(super) fn instant(to_seconds: i64, rest: &[u8]) -> Option<i64> {
    timestamp::parse_behind_seconds(to_seconds, rest)
}

#[cold]
pub(super) fn wrong_base_type(field: usize, expected: &str, found: &[u8]) -> Fault {
    Fault::new(Reason::NotAnEvent, Some(BASE_NAMES[field]), expected, excerpt(found))
}
