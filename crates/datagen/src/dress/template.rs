//! A text with placeholders, such as `evt_$id` → the bytes of one event.
//!
//! A template is compiled once and then only copies: there is no search and no map per event.
//!
//! Invariant: what is inserted needs no escaping in JSON, except for `$line`, whose form within a string is
//! `$quoted`.

use std::{io::Write, ops::Range};

/// The parts of an event, from which its record is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'l> {
    /// Its position in the stream.
    pub(super) index: u64,
    /// Its time, in microseconds since 1970.
    pub(super) micros: i64,
    /// Its table, and the domain and the type of that.
    pub(super) table: usize,
    pub(super) names: (&'l str, &'l str),
    /// Its line in its own envelope, without the newline.
    pub(super) line: &'l [u8],
}

/// The place of the id in a line, and that of the timestamp to the second.
const ID: Range<usize> = 14..50;
const SECONDS: Range<usize> = 67..86;

impl Parts<'_> {
    fn data(&self) -> &[u8] {
        let names = self.names.0.len() + self.names.1.len();
        // The timestamp has a fraction of six digits, or none.
        let time = if self.line[SECONDS.end] == b'.' { SECONDS.len() + 7 } else { SECONDS.len() };
        let keys = br#"", "domain": "", "event_type": "", "data": "#.len();
        &self.line[SECONDS.start + time + keys + names..self.line.len() - 1]
    }
}

/// How exact a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Millis,
    Micros,
    /// The digits after the microseconds are zeros.
    Nanos,
}

impl Unit {
    /// A time as it can be read from what was written.
    pub(super) fn floor(self, micros: i64) -> i64 {
        let step = match self {
            Self::Seconds => 1_000_000,
            Self::Millis => 1_000,
            Self::Micros | Self::Nanos => 1,
        };
        micros.div_euclid(step) * step
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Id,
    Index,
    Domain,
    Type,
    Data,
    Line,
    Quoted,
    Iso(Unit),
    Epoch(Unit),
}

/// A compiled template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

impl Template {
    /// Compiles a text.
    ///
    /// # Panics
    ///
    /// If it has a placeholder that does not exist; a test compiles all of them.
    pub(super) fn new(text: &str) -> Self {
        let mut parts = text.split('$');
        let mut pieces = vec![Piece::Literal(parts.next().unwrap_or_default().to_owned())];
        for part in parts {
            let end = part.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(part.len());
            let (name, literal) = part.split_at(end);
            pieces.push(Piece::named(name).unwrap_or_else(|| panic!("${name} is no placeholder")));
            pieces.push(Piece::Literal(literal.to_owned()));
        }
        pieces.retain(|piece| !matches!(piece, Piece::Literal(text) if text.is_empty()));
        Self(pieces)
    }

    /// The text that stands before the event's own id.
    pub(super) fn before_id(&self) -> Option<String> {
        let at = self.0.iter().position(|piece| matches!(piece, Piece::Id | Piece::Quoted))?;
        let Piece::Literal(before) = self.0.get(at.checked_sub(1)?)? else { return None };
        // The last key and what follows it: an id is nowhere else behind these.
        let last_key = before.rfind(", ").map_or(0, |comma| comma + 2);
        let quoted = if self.0[at] == Piece::Quoted { r#"{\"event_id\": \""# } else { "" };
        Some(format!("{}{quoted}", &before[last_key..]))
    }

    /// Appends the text for an event.
    pub(super) fn render(&self, parts: &Parts<'_>, out: &mut Vec<u8>) {
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Id => out.extend_from_slice(&parts.line[ID]),
                Piece::Index => digits(parts.index.into(), out),
                Piece::Domain => out.extend_from_slice(parts.names.0.as_bytes()),
                Piece::Type => out.extend_from_slice(parts.names.1.as_bytes()),
                Piece::Data => out.extend_from_slice(parts.data()),
                Piece::Line => out.extend_from_slice(parts.line),
                Piece::Quoted => quote(parts.line, out),
                Piece::Iso(unit) => {
                    out.extend_from_slice(&parts.line[SECONDS]);
                    fraction(parts.micros, *unit, out);
                    out.push(b'Z');
                }
                Piece::Epoch(Unit::Seconds) => digits(parts.micros.div_euclid(1_000_000).into(), out),
                Piece::Epoch(Unit::Millis) => digits(parts.micros.div_euclid(1_000).into(), out),
                Piece::Epoch(Unit::Micros) => digits(parts.micros.into(), out),
                Piece::Epoch(Unit::Nanos) => digits(i128::from(parts.micros) * 1_000, out),
            }
        }
    }
}

impl Piece {
    fn named(name: &str) -> Option<Self> {
        let unit = |name| {
            Some(match name {
                "s" => Unit::Seconds,
                "ms" => Unit::Millis,
                "us" => Unit::Micros,
                "ns" => Unit::Nanos,
                _ => return None,
            })
        };
        Some(match name {
            "id" => Self::Id,
            "index" => Self::Index,
            "domain" => Self::Domain,
            "type" => Self::Type,
            "data" => Self::Data,
            "line" => Self::Line,
            "quoted" => Self::Quoted,
            _ => match name.split_once('_')? {
                ("iso", name) => Self::Iso(unit(name)?),
                ("epoch", name) => Self::Epoch(unit(name)?),
                _ => return None,
            },
        })
    }
}

fn digits(number: i128, out: &mut Vec<u8>) {
    write!(out, "{number}").expect("writing to memory cannot fail");
}

fn fraction(micros: i64, unit: Unit, out: &mut Vec<u8>) {
    let below_second = micros.rem_euclid(1_000_000);
    let written = match unit {
        Unit::Seconds => Ok(()),
        Unit::Millis => write!(out, ".{:03}", below_second / 1_000),
        Unit::Micros => write!(out, ".{below_second:06}"),
        Unit::Nanos => write!(out, ".{below_second:06}000"),
    };
    written.expect("writing to memory cannot fail");
}

/// A line within a string: only its quotes need a backslash.
fn quote(line: &[u8], out: &mut Vec<u8>) {
    for part in line.split_inclusive(|byte| *byte == b'"') {
        match part.split_last() {
            Some((b'"', before)) => {
                out.extend_from_slice(before);
                out.extend_from_slice(br#"\""#);
            }
            _ => out.extend_from_slice(part),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"event_id": "c07bbad8-2549-4b56-9328-d7180e2f906e", "timestamp": "2024-10-10T00:00:07.012345", "domain": "account", "event_type": "account-close", "data": {"id": 7, "reason": "Zoë."}}"#;
    const NAMES: (&str, &str) = ("account", "account-close");
    const MICROS: i64 = 1_728_518_407_012_345;

    fn text(template: &str, micros: i64) -> String {
        let line = LINE.as_bytes();
        let mut out = Vec::new();
        Template::new(template)
            .render(&Parts { index: 4711, micros, table: 0, names: NAMES, line }, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn placeholders_are_the_parts_of_an_event() {
        for (template, expected) in [
            ("", ""),
            ("evt_$id", "evt_c07bbad8-2549-4b56-9328-d7180e2f906e"),
            ("$domain/$type:$index", "account/account-close:4711"),
            ("<$data>", r#"<{"id": 7, "reason": "Zoë."}>"#),
            ("$line", LINE),
            ("$quoted", &LINE.replace('"', "\\\"")),
            ("$iso_s", "2024-10-10T00:00:07Z"),
            ("$iso_ms", "2024-10-10T00:00:07.012Z"),
            ("$iso_us", "2024-10-10T00:00:07.012345Z"),
            ("$iso_ns", "2024-10-10T00:00:07.012345000Z"),
            ("$epoch_s $epoch_ms $epoch_us", "1728518407 1728518407012 1728518407012345"),
            ("$epoch_ns", "1728518407012345000"),
        ] {
            assert_eq!(text(template, MICROS), expected);
        }
    }

    #[test]
    fn a_time_before_1970_is_that_of_its_unit_too() {
        assert_eq!(text("$epoch_s $epoch_ms $epoch_us $epoch_ns", -1), "-1 -1 -1 -1000");
        assert_eq!(text("$epoch_ns", 253_402_300_799_999_999), "253402300799999999000");
        for (unit, expected) in
            [(Unit::Seconds, -1_000_000), (Unit::Millis, -1_000), (Unit::Micros, -1), (Unit::Nanos, -1)]
        {
            assert_eq!(unit.floor(-1), expected);
        }
    }

    #[test]
    fn the_data_of_a_line_without_a_fraction_is_found() {
        let line = LINE.replace(".012345", "");
        let parts = Parts { index: 0, micros: 0, table: 0, names: NAMES, line: line.as_bytes() };
        assert_eq!(parts.data(), r#"{"id": 7, "reason": "Zoë."}"#.as_bytes());
    }
}
