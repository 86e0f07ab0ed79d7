//! Why a line is bad: the reason by its code, and the place in words.
//!
//! Invariant: every fault names what was expected and what was found, in texts of bounded length.

use events_core::{catalog::ValueType, timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    columns::{Slot, ValueFault},
    json::Malformed,
    plan::{KindPlan, Shape},
};

/// Longest excerpt of a line in a message.
const EXCERPT_CHARS: usize = 60;

/// Longest name of an event type in a message.
const NAME_CHARS: usize = 200;

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
    pub(crate) const ALL: [Self; 10] = [
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
        let found = match line.get(malformed.at()..) {
            None | Some([]) => "the end of the line".to_owned(),
            Some(rest) => excerpt(rest),
        };
        let found = format!("{found} at byte {}", malformed.at() + 1);
        Self::new(Reason::MalformedJson, None, malformed.expected(), found)
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

    /// An event of a type that the catalog doesn't have; it is named in full, but for what nobody would call a name.
    #[cold]
    pub(crate) fn unknown_event(domain: &[u8], event_type: &[u8]) -> Self {
        let name = [domain, b"/", event_type].concat();
        let name: String = String::from_utf8_lossy(&name).chars().take(NAME_CHARS).collect();
        Self::new(Reason::UnknownEvent, None, "an event type of the catalog", name)
    }

    /// A field that must be there and is not.
    #[cold]
    pub(crate) fn required(path: &str, found: &str) -> Self {
        Self::new(Reason::TypeMismatch, Some(path), "a value (required)", found)
    }

    /// A value that doesn't fit its column, or an element that doesn't fit its list.
    #[cold]
    pub(crate) fn value(path: &str, kind: &KindPlan, fault: ValueFault, found: &[u8]) -> Self {
        let (reason, expected) = match (fault, kind) {
            (ValueFault::Within(fault), _) => return fault.within(path),
            (ValueFault::Required, _) => return Self::required(path, &excerpt(found)),
            (ValueFault::OutOfRange, KindPlan::Value(ValueType::Decimal { precision, scale })) => {
                (Reason::OutOfRange, format!("{kind}: at most {} digits before the point", precision - scale))
            }
            (ValueFault::OutOfRange, _) => (Reason::OutOfRange, format!("{kind}, in its range")),
            (_, KindPlan::Value(ValueType::Timestamp)) => {
                (Reason::TypeMismatch, timestamp::EXPECTED_TIMESTAMP.to_owned())
            }
            (_, KindPlan::Value(ValueType::Date)) => {
                (Reason::TypeMismatch, timestamp::EXPECTED_DATE.to_owned())
            }
            (_, KindPlan::Object(_)) => (Reason::TypeMismatch, "an object".to_owned()),
            (_, _) => (Reason::TypeMismatch, kind.to_string()),
        };
        Self::new(reason, Some(path), &expected, excerpt(found))
    }

    /// The fault of a column of an object that is held in `slots`.
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
                // The outermost object that holds the column and no other value was found for.
                let object = shape.objects.iter().find(|object| {
                    object.columns.contains(&column)
                        && slots[object.columns.clone()].iter().all(|s| *s == slots[column])
                });
                let path = object.map_or(plan.path.as_str(), |object| object.path.as_str());
                Self::new(Reason::TypeMismatch, Some(path), "an object", excerpt(value.text(line)))
            }
        }
    }

    /// The fault of something that stands at `path`, told so far by its path from there.
    #[cold]
    pub(crate) fn within(mut self, path: &str) -> Self {
        let inner = self.detail.field.unwrap_or_default();
        self.detail.field = Some(format!("{path}{inner}"));
        self
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
