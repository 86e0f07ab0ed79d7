//! A clean line → a line that means the same row, but is written in another way.
//!
//! Timestamps get an offset and other forms that a loader accepts; lines get a key that is in no schema.
//!
//! Invariant: the instant, to the microsecond, is that of the clean line, and the written year is 0001 to
//! 9999, too. An unknown key is unknown to the catalogs of both worlds.

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta};
use events_core::{event, timestamp::parse_timestamp};

use super::{clean_line::CleanLine, in_turn};

/// This many consecutive ordinals give every form of a timestamp.
pub const OFFSET_FORMS: u64 = FORMS.len() as u64;

/// This many consecutive ordinals give every unknown field.
pub const UNKNOWN_FIELD_KINDS: u64 = UNKNOWN_FIELDS.len() as u64;

/// Rewrites the timestamp of a clean line in the form of `ordinal`; the forms take turns.
///
/// # Panics
///
/// If `clean` is not a line of a world.
#[must_use]
pub fn with_offset(clean: &[u8], ordinal: u64) -> Vec<u8> {
    offset_in(&CleanLine::new(clean), ordinal)
}

pub(super) fn offset_in(line: &CleanLine<'_>, ordinal: u64) -> Vec<u8> {
    let micros = parse_timestamp(line.time().as_bytes()).expect("a clean line has a timestamp");
    line.replaced(line.base(event::TIMESTAMP), format!("\"{}\"", offset_text(micros, ordinal)))
}

/// A way to write an instant.
struct Form {
    separator: char,
    fraction: Fraction,
    /// How many minutes the written time is ahead of UTC.
    ahead: i64,
    offset: &'static str,
}

#[derive(Clone, Copy)]
enum Fraction {
    /// As few digits as possible, none for a whole second.
    Shortest,
    /// Six digits.
    Micros,
    /// Nine digits, of which a loader drops three.
    Nanos,
}

impl Form {
    const fn new(separator: char, fraction: Fraction, ahead: i64, offset: &'static str) -> Self {
        Self { separator, fraction, ahead, offset }
    }
}

/// Many of them change the date for a good part of the day.
const FORMS: [Form; 14] = [
    Form::new('T', Fraction::Shortest, 0, "Z"),
    Form::new('T', Fraction::Micros, 330, "+05:30"),
    Form::new(' ', Fraction::Shortest, -480, "-08:00"),
    Form::new('T', Fraction::Shortest, 840, "+1400"),
    Form::new('t', Fraction::Nanos, -720, "-1200"),
    Form::new('T', Fraction::Micros, 0, "+00:00"),
    Form::new(' ', Fraction::Nanos, 345, "+0545"),
    Form::new('T', Fraction::Shortest, -210, "-03:30"),
    Form::new('t', Fraction::Shortest, 0, "z"),
    Form::new('T', Fraction::Nanos, 0, "Z"),
    Form::new('T', Fraction::Micros, 1439, "+23:59"),
    Form::new(' ', Fraction::Micros, -1439, "-2359"),
    Form::new('T', Fraction::Nanos, 0, "-00:00"),
    Form::new(' ', Fraction::Shortest, 0, "+0000"),
];

/// The form to use if an offset would leave the calendar.
const UTC: Form = Form::new('T', Fraction::Shortest, 0, "Z");

/// An instant, in microseconds since 1970, in the form of `ordinal`.
///
/// # Panics
///
/// If the instant is not in the years 0001 to 9999.
#[must_use]
pub fn offset_text(micros: i64, ordinal: u64) -> String {
    let utc = DateTime::from_timestamp_micros(micros).expect("an instant of the calendar").naive_utc();
    let (form, time) = local(utc, &FORMS[in_turn(ordinal, FORMS.len())]).unwrap_or((&UTC, utc));
    let below_second = time.and_utc().timestamp_subsec_micros();
    let fraction = match form.fraction {
        Fraction::Shortest if below_second == 0 => String::new(),
        Fraction::Shortest => format!(".{below_second:06}").trim_end_matches('0').to_owned(),
        Fraction::Micros => format!(".{below_second:06}"),
        Fraction::Nanos => format!(".{below_second:06}789"),
    };
    let (date, time_of_day) = (time.format("%Y-%m-%d"), time.format("%H:%M:%S"));
    format!("{date}{}{time_of_day}{fraction}{}", form.separator, form.offset)
}

/// The local time of a form, if its year has four digits.
fn local(utc: NaiveDateTime, form: &'static Form) -> Option<(&'static Form, NaiveDateTime)> {
    let local = utc.checked_add_signed(TimeDelta::minutes(form.ahead))?;
    (1..=9999).contains(&local.year()).then_some((form, local))
}

/// The position of an unknown field.
enum FieldPosition {
    /// Before the payload's fields.
    PayloadStart,
    /// After the payload's fields.
    PayloadEnd,
    /// Before the fields of an object in the payload, if there is such an object.
    Object(&'static str),
    /// Before `data`.
    BeforeData,
    /// After `data`.
    AfterData,
}

/// Unknown fields: the position, the path under which the loader's report counts it in `unknown_fields`, and
/// the value.
const UNKNOWN_FIELDS: [(FieldPosition, &str, &str); 10] = [
    (FieldPosition::PayloadEnd, "data.loyalty_tier", r#""gold""#),
    (FieldPosition::PayloadStart, "data.trace_id", r#""7c9e6679f4a1""#),
    (FieldPosition::AfterData, "schema_version", "2"),
    (
        FieldPosition::PayloadEnd,
        "data.device",
        r#"{"os": "linux", "screen": {"width": 1280, "height": 720}}"#,
    ),
    (FieldPosition::Object("merchant"), "data.merchant.terminal", "17"),
    (FieldPosition::BeforeData, "source", r#"{"service": "ledger", "host": null}"#),
    (FieldPosition::Object("holder"), "data.holder.title", r#""Dr""#),
    (FieldPosition::PayloadStart, "data.tags", r#"["new", 1.50, [true, null]]"#),
    (FieldPosition::PayloadEnd, "data.note", "null"),
    (FieldPosition::BeforeData, "ingested_at", r#""2031-01-01T00:00:00Z""#),
];

/// Adds a key to a clean line, all keys in turn; returns it with the path under which the loader's report
/// counts it.
///
/// An object is one unknown field, whatever it contains.
///
/// # Panics
///
/// If `clean` is not a line of a world.
#[must_use]
pub fn with_unknown_field(clean: &[u8], ordinal: u64) -> (Vec<u8>, String) {
    unknown_field_in(&CleanLine::new(clean), ordinal)
}

pub(super) fn unknown_field_in(line: &CleanLine<'_>, ordinal: u64) -> (Vec<u8>, String) {
    let first = in_turn(ordinal, UNKNOWN_FIELDS.len());
    let mut in_order = UNKNOWN_FIELDS[first..].iter().chain(&UNKNOWN_FIELDS[..first]);
    in_order
        .find_map(|(position, path, value)| {
            let path = path.replace("data.", line.payload_path());
            Some((with_field(line, position, &path, value)?, path))
        })
        .expect("every line has a payload to add a field to")
}

fn with_field(line: &CleanLine<'_>, position: &FieldPosition, path: &str, value: &str) -> Option<Vec<u8>> {
    let name = path.rsplit_once('.').map_or(path, |(_, name)| name);
    let (before, after) = (format!("\"{name}\": {value}, "), format!(", \"{name}\": {value}"));
    match position {
        FieldPosition::PayloadStart => Some(line.inserted(line.payload_start()?, before)),
        FieldPosition::PayloadEnd => Some(line.inserted(line.payload_end()?, after)),
        FieldPosition::Object(object) => {
            let object = line.payload(object)?;
            let is_object = line.text()[object.clone()].starts_with('{');
            is_object.then(|| line.inserted(object.start + 1, before))
        }
        // In another envelope, these would be beside the event, or more of its payload.
        FieldPosition::BeforeData => {
            let line = line.in_own_envelope()?;
            Some(line.inserted(line.base_key(event::DATA).start, before))
        }
        FieldPosition::AfterData => {
            let line = line.in_own_envelope()?;
            Some(line.inserted(line.data_end(), after))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// From 0001-01-01T00:00:00 to the last microsecond of 9999.
    const INSTANTS: [i64; 8] = [
        -62_135_596_800_000_000,
        -62_135_596_799_999_999,
        -1,
        0,
        951_782_399_500_000,
        1_728_518_407_000_000,
        1_728_604_799_123_456,
        253_402_300_799_999_999,
    ];

    #[test]
    fn every_form_is_the_same_instant() {
        for micros in INSTANTS {
            for ordinal in 0..OFFSET_FORMS {
                let text = offset_text(micros, ordinal);
                assert_eq!(parse_timestamp(text.as_bytes()), Some(micros), "{text}");
            }
        }
    }

    #[test]
    fn forms_are_as_they_should_be() {
        let text = |ordinal| offset_text(1_728_604_799_500_000, ordinal);
        let texts: Vec<_> = (0..7).map(text).collect();
        assert_eq!(
            texts,
            [
                "2024-10-10T23:59:59.5Z",
                "2024-10-11T05:29:59.500000+05:30",
                "2024-10-10 15:59:59.5-08:00",
                "2024-10-11T13:59:59.5+1400",
                "2024-10-10t11:59:59.500000789-1200",
                "2024-10-10T23:59:59.500000+00:00",
                "2024-10-11 05:44:59.500000789+0545",
            ]
        );
        assert_eq!(text(OFFSET_FORMS), texts[0], "they start over");
        assert_eq!(offset_text(253_402_300_799_000_000, 3), "9999-12-31T23:59:59Z", "instead of 10000");
        assert_eq!(offset_text(-62_135_596_800_000_000, 2), "0001-01-01T00:00:00Z", "instead of 0000");
    }

    #[test]
    fn an_unknown_field_is_all_that_is_added() {
        let id = "00000000-0000-4000-8000-000000000000";
        let clean = format!(
            r#"{{"event_id": "{id}", "timestamp": "2024-10-10T00:00:00", "domain": "account", "event_type": "account-open", "data": {{"id": 1, "holder": {{"name": "Ada Baker"}}, "merchant": null}}}}"#
        );
        let mut paths = HashSet::new();
        for ordinal in 0..UNKNOWN_FIELD_KINDS {
            let (line, path) = with_unknown_field(clean.as_bytes(), ordinal);
            let mut value: serde_json::Value = serde_json::from_slice(&line).unwrap();
            let (object, name) = path.rsplit_once('.').unwrap_or(("", &path));
            let pointer =
                if object.is_empty() { String::new() } else { format!("/{}", object.replace('.', "/")) };
            let fields = value.pointer_mut(&pointer).unwrap().as_object_mut().unwrap();
            assert!(fields.remove(name).is_some(), "{path} in {}", String::from_utf8_lossy(&line));
            assert_eq!(value, serde_json::from_str::<serde_json::Value>(&clean).unwrap(), "{path}");
            paths.insert(path);
        }
        assert_eq!(paths.len(), UNKNOWN_FIELDS.len() - 1, "all but that of the merchant, which is null");
    }
}
