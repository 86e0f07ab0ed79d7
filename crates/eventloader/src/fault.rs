//! Why a line is bad: the reason by its code, and the place in words.
//!
//! Invariant: every fault names what was expected and what was found, in texts of bounded length.

use events_core::{catalog::ValueType, timestamp};
use serde::Serialize;

use crate::{columns::ValueFault, json::Malformed};

/// Longest excerpt of a line in a message.
const EXCERPT_CHARS: usize = 60;

/// The codes of CONTRACT.md section 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    MalformedJson,
    InvalidUtf8,
    NotAnEvent,
    MissingEventId,
    BadTimestamp,
    UnknownEvent,
    TypeMismatch,
    OutOfRange,
    DuplicateKey,
    LineTooLong,
}

impl Reason {
    /// As the quarantine and the report write it.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed_json",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::NotAnEvent => "not_an_event",
            Self::MissingEventId => "missing_event_id",
            Self::BadTimestamp => "bad_timestamp",
            Self::UnknownEvent => "unknown_event",
            Self::TypeMismatch => "type_mismatch",
            Self::OutOfRange => "out_of_range",
            Self::DuplicateKey => "duplicate_key",
            Self::LineTooLong => "line_too_long",
        }
    }
}

/// Why one line is bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) reason: Reason,
    pub(crate) detail: Detail,
}

/// Where a line is bad, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Detail {
    /// Path of the field, with dots from the event's root; none where the whole line is meant.
    pub(crate) field: Option<String>,
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl Fault {
    #[cold]
    pub(crate) fn new(reason: Reason, field: Option<&str>, expected: &str, found: impl Into<String>) -> Self {
        let detail =
            Detail { field: field.map(str::to_owned), expected: expected.to_owned(), found: found.into() };
        Self { reason, detail }
    }

    #[cold]
    pub(crate) fn malformed(line: &[u8], malformed: Malformed) -> Self {
        let found = match line.get(malformed.at..) {
            None | Some([]) => "the end of the line".to_owned(),
            Some(rest) => excerpt(rest),
        };
        let found = format!("{found} at byte {}", malformed.at + 1);
        Self::new(Reason::MalformedJson, None, malformed.expected, found)
    }

    /// Of what stands where an array has no place for it.
    #[cold]
    pub(crate) fn out_of_place(element: &[u8], due: &str) -> Self {
        Self::new(Reason::MalformedJson, None, due, excerpt(element))
    }

    #[cold]
    pub(crate) fn invalid_utf8(line: &[u8]) -> Self {
        let at = std::str::from_utf8(line).map_or_else(|error| error.valid_up_to(), str::len);
        let found = format!("byte 0x{:02X} at byte {}", line.get(at).copied().unwrap_or_default(), at + 1);
        Self::new(Reason::InvalidUtf8, None, "UTF-8", found)
    }

    #[cold]
    pub(crate) fn value(path: &str, value_type: ValueType, fault: ValueFault, found: &[u8]) -> Self {
        let (reason, expected) = match (fault, value_type) {
            (ValueFault::OutOfRange, ValueType::Decimal { precision, scale }) => (
                Reason::OutOfRange,
                format!("{value_type}: at most {} digits before the point", precision - scale),
            ),
            (ValueFault::OutOfRange, _) => (Reason::OutOfRange, format!("{value_type}, in its range")),
            (_, ValueType::Timestamp) => (Reason::TypeMismatch, timestamp::EXPECTED_TIMESTAMP.to_owned()),
            (_, ValueType::Date) => (Reason::TypeMismatch, timestamp::EXPECTED_DATE.to_owned()),
            (_, _) => (Reason::TypeMismatch, value_type.to_string()),
        };
        Self::new(reason, Some(path), &expected, excerpt(found))
    }
}

/// The front of a piece of a line, for a message.
pub(crate) fn excerpt(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * EXCERPT_CHARS)]);
    let mut excerpt: String = text.chars().take(EXCERPT_CHARS).collect();
    if excerpt.len() < text.len() {
        excerpt.push('…');
    }
    excerpt
}
