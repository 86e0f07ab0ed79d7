//! Why a line is bad: a reason with a code, and the location in words.
//!
//! Invariant: every fault has what was expected and what was found, in texts of bounded length.

use std::fmt;

use events_core::{catalog::ValueType, timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    columns::{Slot, ValueFault},
    json::{END_OF_LINE, Malformed, Scanner},
    plan::{KindPlan, Shape},
};

/// Longest excerpt of a line in a message.
const EXCERPT_CHARS: usize = 60;

/// Longest name of an event type in a message.
const NAME_CHARS: usize = 200;

/// The reason why a line is bad. A line has one, even if more is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The line is not JSON, or is in an array at a place for no element.
    MalformedJson,
    /// The line is not UTF-8.
    InvalidUtf8,
    /// The line is JSON without the base fields of an event.
    NotAnEvent,
    /// The event has no `event_id`.
    MissingEventId,
    /// The `timestamp` is not one.
    BadTimestamp,
    /// The catalog has no such domain or event type.
    UnknownEvent,
    /// A value is of a type that its column does not take, or is missing and required.
    TypeMismatch,
    /// A value is outside the range of its column's type.
    OutOfRange,
    /// A key that is read occurs twice in one object.
    DuplicateKey,
    /// The line is longer than [`crate::LINE_BYTES_MAX`].
    LineTooLong,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 10] = [
        Self::MalformedJson,
        Self::InvalidUtf8,
        Self::NotAnEvent,
        Self::MissingEventId,
        Self::BadTimestamp,
        Self::UnknownEvent,
        Self::TypeMismatch,
        Self::OutOfRange,
        Self::DuplicateKey,
        Self::LineTooLong,
    ];

    /// Its code in the quarantine and in the report.
    #[must_use]
    pub fn code(self) -> &'static str {
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
pub struct Fault {
    /// The reason.
    pub reason: Reason,
    /// Where in the line, and how.
    pub detail: Detail,
}

/// Where a line is bad, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// The path of the field, with dots from the event's root; `None` for the whole line.
    pub field: Option<String>,
    /// What was expected there.
    pub expected: String,
    /// What was found there, shortened.
    pub found: String,
}

/// `data.amount: expected int32, found "x"`
impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}

/// What a payload must be, where it becomes columns.
pub(crate) const EXPECTED_PAYLOAD: &str = "an object or null";

impl Fault {
    /// Whether nothing else is wrong but that the payload is no object.
    #[must_use]
    pub fn is_of_payload(&self) -> bool {
        self.reason == Reason::NotAnEvent && self.detail.expected == EXPECTED_PAYLOAD
    }

    /// Whether the line goes on with another object where it should end.
    #[must_use]
    pub fn is_further_value(&self) -> bool {
        self.reason == Reason::MalformedJson
            && self.detail.expected == END_OF_LINE
            && self.detail.found.starts_with('{')
    }

    #[cold]
    pub(crate) fn new(reason: Reason, field: Option<&str>, expected: &str, found: impl Into<String>) -> Self {
        let detail =
            Detail { field: field.map(str::to_owned), expected: expected.to_owned(), found: found.into() };
        Self { reason, detail }
    }

    #[cold]
    pub(crate) fn malformed(line: &[u8], malformed: Malformed) -> Self {
        let found = match line.get(malformed.at()..) {
            None | Some([]) => "the end of the line".to_owned(),
            Some(rest) => excerpt(rest),
        };
        let found = format!("{found} at byte {}", malformed.at() + 1);
        Self::new(Reason::MalformedJson, None, malformed.expected(), found)
    }

    /// The fault of a text at a place in an array where no element may be.
    #[cold]
    pub(crate) fn out_of_place(element: &[u8], due: &str) -> Self {
        Self::new(Reason::MalformedJson, None, due, excerpt(element))
    }

    /// The fault of a document's text that is in no record. Positions count from the text's start.
    #[cold]
    pub(crate) fn around_records(text: &[u8], at: usize, expected: &str) -> Self {
        let found = match text.get(at..) {
            None | Some([]) => "the end of the document".to_owned(),
            Some(rest) => format!("{} at byte {}", excerpt(rest), at + 1),
        };
        Self::new(Reason::MalformedJson, None, expected, found)
    }

    /// The fault of a document without the path to records.
    #[cold]
    pub(crate) fn no_records(document: &[u8], paths: &str) -> Self {
        if std::str::from_utf8(document).is_err() {
            return Self::invalid_utf8(document);
        }
        let mut scanner = Scanner::new(document);
        match scanner.value().and_then(|_| scanner.end()) {
            Err(malformed) => Self::malformed(document, malformed),
            Ok(()) => Self::new(Reason::NotAnEvent, None, &format!("records at {paths}"), excerpt(document)),
        }
    }

    #[cold]
    pub(crate) fn invalid_utf8(line: &[u8]) -> Self {
        let at = std::str::from_utf8(line).map_or_else(|error| error.valid_up_to(), str::len);
        let found = format!("byte 0x{:02X} at byte {}", line.get(at).copied().unwrap_or_default(), at + 1);
        Self::new(Reason::InvalidUtf8, None, "UTF-8", found)
    }

    /// An event of a type that the catalog does not have. Its name is given in full, up to the length of a
    /// plausible name.
    #[cold]
    pub(crate) fn unknown_event(domain: &[u8], event_type: &[u8]) -> Self {
        let name = [domain, b"/", event_type].concat();
        let name: String = String::from_utf8_lossy(&name).chars().take(NAME_CHARS).collect();
        Self::new(Reason::UnknownEvent, None, "an event type of the catalog", name)
    }

    /// An event of a type that the catalog does not name, and whose name can't be that of a directory.
    #[cold]
    pub(crate) fn event_type_too_long(domain: &[u8], event_type: &[u8], bytes_max: usize) -> Self {
        let mut fault = Self::unknown_event(domain, event_type);
        fault.detail.expected = format!(
            "an event type that the catalog names, or whose directory's name has at most {bytes_max} bytes"
        );
        fault
    }

    /// A required field is missing.
    #[cold]
    pub(crate) fn required(path: &str, found: &str) -> Self {
        Self::new(Reason::TypeMismatch, Some(path), "a value (required)", found)
    }

    /// A text has a U+0000, and the target is a database.
    #[cold]
    pub(crate) fn nul(path: &str) -> Self {
        Self::new(
            Reason::OutOfRange,
            Some(path),
            "text without U+0000, which PostgreSQL can't hold",
            "U+0000",
        )
    }

    /// An id has more bytes than an index of the database that is the target holds.
    #[cold]
    pub(crate) fn long_id(path: &str, bytes: usize, bytes_max: usize) -> Self {
        let expected = format!("an id of at most {bytes_max} bytes, which an index of PostgreSQL holds");
        Self::new(Reason::OutOfRange, Some(path), &expected, format!("{bytes} bytes"))
    }

    /// A value does not fit its column, or something in it its list or map.
    #[cold]
    pub(crate) fn value(path: &str, kind: &KindPlan, fault: ValueFault, found: &[u8]) -> Self {
        let (reason, expected) = match (fault, kind) {
            (ValueFault::Within(fault), _) => return fault.within(path),
            (ValueFault::Required, _) => return Self::required(path, &excerpt(found)),
            (ValueFault::OutOfRange, KindPlan::Value(ValueType::Decimal { precision, scale })) => {
                (Reason::OutOfRange, format!("{kind}: at most {} digits before the point", precision - scale))
            }
            (ValueFault::OutOfRange, KindPlan::Value(ValueType::Epoch(unit))) => {
                (Reason::OutOfRange, unit.expected().to_owned())
            }
            (ValueFault::OutOfRange, _) => (Reason::OutOfRange, format!("{kind}, in its range")),
            (_, KindPlan::Value(ValueType::Timestamp)) => {
                (Reason::TypeMismatch, timestamp::EXPECTED_TIMESTAMP.to_owned())
            }
            (_, KindPlan::Value(ValueType::Epoch(unit))) => {
                (Reason::TypeMismatch, unit.expected().to_owned())
            }
            (_, KindPlan::Value(ValueType::Date)) => {
                (Reason::TypeMismatch, timestamp::EXPECTED_DATE.to_owned())
            }
            (_, KindPlan::Object(_)) => (Reason::TypeMismatch, "an object".to_owned()),
            (_, _) => (Reason::TypeMismatch, kind.to_string()),
        };
        Self::new(reason, Some(path), &expected, excerpt(found))
    }

    /// The fault of a column of an object whose values are in `slots`.
    #[cold]
    pub(crate) fn column(
        shape: &Shape,
        column: usize,
        fault: ValueFault,
        slots: &[Slot],
        line: &[u8],
    ) -> Self {
        let plan = &shape.columns[column];
        match slots[column] {
            Slot::Missing => Self::value(&plan.path, &plan.kind, fault, b"nothing"),
            Slot::Value(value) => Self::value(&plan.path, &plan.kind, fault, value.text(line)),
            Slot::NotAnObject(value) => {
                // The outermost object that contains the column and has another value instead.
                let object = shape.objects.iter().find(|object| {
                    object.columns.contains(&column)
                        && slots[object.columns.clone()].iter().all(|s| *s == slots[column])
                });
                let path = object.map_or(plan.path.as_str(), |object| object.path.as_str());
                Self::new(Reason::TypeMismatch, Some(path), "an object", excerpt(value.text(line)))
            }
        }
    }

    /// The fault of something at `path`; its own path so far begins there.
    #[cold]
    pub(crate) fn within(mut self, path: &str) -> Self {
        let inner = self.detail.field.unwrap_or_default();
        self.detail.field = Some(format!("{path}{inner}"));
        self
    }
}

/// The place of a value in a map, in the path of a fault. `key` is between its quotes, as written.
#[cold]
pub(crate) fn key_place(key: &[u8]) -> String {
    format!("[\"{}\"]", excerpt(key))
}

/// The beginning of a piece of a line, for a message.
pub(crate) fn excerpt(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * EXCERPT_CHARS)]);
    let mut excerpt: String = text.chars().take(EXCERPT_CHARS).collect();
    if excerpt.len() < text.len() {
        excerpt.push('…');
    }
    excerpt
}
