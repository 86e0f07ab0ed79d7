//! A clean line → the line with one mistake: the tables of all mistakes, by the reason that a loader must
//! give.
//!
//! Each line has one mistake, since with two the reason would depend on the loader's order of checks.
//!
//! Invariant: every reason has a variant that fits every event type of both worlds, in their own envelope.
//! None of them makes a line begin with `[`, which, as a file's first byte, would turn the whole file into an
//! array.

use std::ops::Range;

use events_core::event::{DATA, DOMAIN, EVENT_ID, EVENT_TYPE, TIMESTAMP};

use super::super::clean_line::CleanLine;

/// Makes a mistake; `None` if the line lacks the field for it.
type Edit = fn(&CleanLine<'_>) -> Option<Vec<u8>>;

/// The reasons, with their variants.
pub(super) const REASONS: [(&str, &[Edit]); 8] = [
    ("malformed_json", MALFORMED_JSON),
    ("invalid_utf8", INVALID_UTF8),
    ("not_an_event", NOT_AN_EVENT),
    ("missing_event_id", MISSING_EVENT_ID),
    ("bad_timestamp", BAD_TIMESTAMP),
    ("type_mismatch", TYPE_MISMATCH),
    ("out_of_range", OUT_OF_RANGE),
    ("duplicate_key", DUPLICATE_KEY),
];

/// The largest number of variants of a reason.
pub(super) const VARIANTS_MAX: usize = {
    let (mut most, mut at) = (0, 0);
    while at < REASONS.len() {
        if REASONS[at].1.len() > most {
            most = REASONS[at].1.len();
        }
        at += 1;
    }
    most
};

const MALFORMED_JSON: &[Edit] = &[
    |line| {
        let text = line.as_whole_line()?.text();
        let half = (0..text.len() / 2).rev().find(|at| text.is_char_boundary(*at))?;
        Some(text[..half].into())
    },
    |line| Some(line.inserted(line.data_end(), ",")),
    |line| Some(line.as_whole_line()?.text().replace('"', "'").into_bytes()),
    |line| {
        let text = line.as_whole_line()?.text();
        Some([text, text].join(" ").into_bytes())
    },
    |line| {
        let key = line.base_key(DATA);
        Some(line.replaced(key.clone(), line.text()[key].trim_matches('"')))
    },
    |line| Some(line.replaced(number(line)?.1, "NaN")),
    |line| Some(in_name(line, b"\t")),
    |line| Some(in_name(line, br"\ud800")),
    |line| {
        let line = line.as_whole_line()?;
        Some(line.text().as_bytes()[..line.data_end()].to_vec())
    },
    |line| Some(line.as_whole_line()?.inserted(line.text().len(), "}")),
    |line| Some(line.as_whole_line()?.inserted(line.text().len(), " // to be checked")),
    |line| Some(line.inserted(line.payload_start()?, r#""checked": True, "#)),
    |line| Some(line.inserted(line.payload_start()?, r#""pages": 007, "#)),
    |line| Some(in_name(line, br"\x41")),
    |line| {
        let end = line.base(TIMESTAMP).end;
        line.text()[end..].starts_with(',').then(|| line.replaced(end..end + 1, ""))
    },
    |line| Some(in_name(line, b"\0")),
];

const INVALID_UTF8: &[Edit] = &[
    |line| Some(in_name(line, b"\xFF")),
    |line| Some(in_name(line, b"\xE9")),
    |line| Some(in_name(line, b"\x80")),
    |line| Some(line.inserted(line.payload_start()?, b"\"note\": \"\xC0\xAF\", ")),
    |line| Some(line.inserted(line.payload_start()?, b"\"note\": \"\xED\xA0\x80\", ")),
    |line| Some(line.inserted(line.payload_end()?, b", \"note\": \"\xF4\x90\x80\x80\"")),
    |line| Some(line.as_whole_line()?.inserted(line.text().len(), b"\xE2\x82")),
];

/// In other envelopes, a number may be an id or a time, one part may take the place of another, and null is
/// blank.
const NOT_AN_EVENT: &[Edit] = &[
    |line| without(line.in_own_envelope()?, DOMAIN),
    |line| Some(line.replaced(line.in_own_envelope()?.base(EVENT_TYPE), "17")),
    |line| Some(line.text()[line.in_own_envelope()?.base(EVENT_ID)].into()),
    |line| Some(line.replaced(line.in_own_envelope()?.base(TIMESTAMP), "1728518400")),
    |line| Some(line.replaced(line.in_own_envelope()?.base(DATA), r#""{}""#)),
    |line| line.in_own_envelope().map(|_| b"{}".to_vec()),
    |line| without(line.in_own_envelope()?, EVENT_TYPE),
    |_| Some(b"12.50".to_vec()),
    |line| without(line.in_own_envelope()?, TIMESTAMP),
    |line| Some(line.replaced(line.in_own_envelope()?.base(EVENT_ID), "4711")),
    |line| line.in_own_envelope().map(|_| b"null".to_vec()),
    |line| Some(line.replaced(line.in_own_envelope()?.base(DOMAIN), "null")),
    |line| Some(line.replaced(line.in_own_envelope()?.base(DATA), "[]")),
    |_| Some(b" true".to_vec()),
];

const MISSING_EVENT_ID: &[Edit] = &[
    |line| without(line, EVENT_ID),
    |line| Some(line.replaced(line.find(EVENT_ID)?, "null")),
    |line| Some(line.replaced(line.in_own_envelope()?.find(EVENT_ID)?, r#""""#)),
    |line| Some(line.replaced(line.key(EVENT_ID)?, r#""eventId""#)),
];

const BAD_TIMESTAMP: &[Edit] = &[
    |line| with_time(line, |time| [&time[..4], "-02-30", &time[10..]].concat()),
    |line| with_time(line, |time| [&time[..10], "T24:00:00"].concat()),
    |line| with_time(line, |time| [&time[..4], "-13-", &time[8..]].concat()),
    |line| with_time(line, |_| "yesterday".to_owned()),
    |line| with_time(line, |_| "10000-01-01T00:00:00".to_owned()),
    |line| with_time(line, |time| [&time[..17], "60"].concat()),
    |line| with_time(line, |_| String::new()),
    |line| with_time(line, |time| ["0000", &time[4..]].concat()),
    |line| with_time(line, |time| time.replace('-', "/")),
    |line| with_time(line, |_| "1728518400".to_owned()),
    |line| with_time(line, |time| [&time[..19], "+25:00"].concat()),
    |line| with_time(line, |time| [&time[..19], ","].concat()),
    |line| with_time(line, |time| [&time[..8], "00", &time[10..]].concat()),
    |line| with_time(line, |time| time[..13].to_owned()),
    |line| with_time(line, |time| [time, " "].concat()),
];

/// Of a timestamp that is a number, in other envelopes.
pub(super) const BAD_EPOCH: &[Edit] = &[
    |line| with_epoch(line, r#""yesterday""#),
    |line| with_epoch(line, r#""""#),
    |line| with_epoch(line, r#""2024-10-10T00:00:00Z""#),
    |line| with_epoch(line, r#""999999999999999999999999""#),
    |line| with_epoch(line, r#""1728518400s""#),
];

const TYPE_MISMATCH: &[Edit] = &[
    |line| Some(line.replaced(number(line)?.1, r#""12.5x""#)),
    |line| Some(line.replaced(line.payload("merchant")?, r#""Velvet Bakery""#)),
    |line| Some(line.replaced(number(line)?.1, "true")),
    |line| Some(line.replaced(number(line)?.1, r#"{"value": 1}"#)),
    |line| Some(line.replaced(line.payload("balance")?, r#""none""#)),
    |line| Some(line.replaced(line.payload("holder")?, "7")),
    |line| Some(line.replaced(number(line)?.1, r#""12,50""#)),
    |line| Some(line.replaced(number(line)?.1, "[]")),
    |line| Some(line.replaced(line.payload("category")?, r#""bakery""#)),
    |line| Some(line.replaced(number(line)?.1, r#""""#)),
    |line| Some(line.replaced(number(line)?.1, r#""NaN""#)),
];

const OUT_OF_RANGE: &[Edit] = &[
    |line| Some(line.replaced(number(line)?.1, "1e30")),
    |line| Some(line.replaced(account_id(line)?, "2147483648")),
    |line| Some(line.replaced(number(line)?.1, "1000000000000000")),
    |line| Some(line.replaced(account_id(line)?, "-2147483649")),
    |line| Some(line.replaced(number(line)?.1, r#""-1e15""#)),
    |line| Some(line.replaced(line.payload("balance")?, "-9999999999999999.999")),
    |line| Some(line.replaced(account_id(line)?, r#""4294967296""#)),
    |line| Some(line.replaced(number(line)?.1, "1e400")),
    |line| Some(line.replaced(line.payload("category")?, "5411000000")),
];

const DUPLICATE_KEY: &[Edit] = &[
    |line| again(line, EVENT_ID, EVENT_ID),
    |line| Some(line.inserted(line.payload_start()?, r#""id": 1, "#)),
    |line| again(line, TIMESTAMP, TIMESTAMP),
    |line| Some(line.inserted(line.in_own_envelope()?.data_end(), format!(r#", "{DATA}": null"#))),
    |line| {
        let (name, value) = number(line)?;
        let copy = format!(r#", "{name}": {}"#, &line.text()[value]);
        Some(line.inserted(line.payload_end()?, copy))
    },
    |line| again(line.in_own_envelope()?, DOMAIN, r"\u0064omain"),
    |line| {
        let object = line.payload("holder").or_else(|| line.payload("merchant"))?;
        let is_object = line.text()[object.clone()].starts_with('{');
        is_object.then(|| line.inserted(object.start + 1, r#""name": "Ada Baker", "#))
    },
    |line| again(line, EVENT_TYPE, EVENT_TYPE),
];

/// The field of the payload that is a number in both worlds: an account's id, a payment's amount.
fn number(line: &CleanLine<'_>) -> Option<(&'static str, Range<usize>)> {
    let named = |name| Some((name, line.payload(name)?));
    named("amount").or_else(|| named("id"))
}

fn account_id(line: &CleanLine<'_>) -> Option<Range<usize>> {
    if line.payload("amount").is_none() { line.payload("id") } else { None }
}

/// The line with bytes appended to the name of its domain, or of its type.
fn in_name(line: &CleanLine<'_>, bytes: &[u8]) -> Vec<u8> {
    let name = line.find(DOMAIN).unwrap_or_else(|| line.base(EVENT_TYPE));
    line.inserted(name.end - 1, bytes)
}

fn with_time(line: &CleanLine<'_>, edit: fn(&str) -> String) -> Option<Vec<u8>> {
    let time = edit(line.calendar_time()?);
    Some(line.replaced(line.base(TIMESTAMP), format!("\"{time}\"")))
}

fn with_epoch(line: &CleanLine<'_>, value: &str) -> Option<Vec<u8>> {
    line.calendar_time().is_none().then(|| line.replaced(line.base(TIMESTAMP), value))
}

/// The line without a base field, which must not be the last.
fn without(line: &CleanLine<'_>, name: &str) -> Option<Vec<u8>> {
    let (key, value) = (line.key(name)?, line.find(name)?);
    let comma = line.text()[value.end..].starts_with(", ");
    comma.then(|| line.replaced(key.start..value.end + ", ".len(), ""))
}

/// The line with a base field repeated before `data`, with its key written as `key`; in another envelope,
/// repeated at once.
fn again(line: &CleanLine<'_>, name: &str, key: &str) -> Option<Vec<u8>> {
    let value = &line.text()[line.find(name)?];
    let own = line.key(name)?;
    match line.in_own_envelope() {
        Some(line) => Some(line.inserted(line.base_key(DATA).start, format!("\"{key}\": {value}, "))),
        None => Some(line.inserted(own.start, format!("{}: {value}, ", &line.text()[own]))),
    }
}
