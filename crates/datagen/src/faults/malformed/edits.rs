//! A clean line → the line with one mistake: the tables of all mistakes, by the reason that a loader must
//! give.
//!
//! Each line has one mistake, since with two the reason would depend on the loader's order of checks.
//!
//! Invariant: every reason has a variant that fits every event type of both worlds. None of them makes a line
//! begin with `[`, which, as a file's first byte, would turn the whole file into an array.

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
        let text = line.text();
        let half = (0..text.len() / 2).rev().find(|at| text.is_char_boundary(*at))?;
        Some(text[..half].into())
    },
    |line| Some(line.inserted(line.data_end(), ",")),
    |line| Some(line.text().replace('"', "'").into_bytes()),
    |line| Some([line.text(), line.text()].join(" ").into_bytes()),
    |line| Some(line.replaced(line.base_key(DATA), DATA)),
    |line| Some(line.replaced(number(line).1, "NaN")),
    |line| Some(in_domain(line, b"\t")),
    |line| Some(in_domain(line, br"\ud800")),
    |line| Some(line.text().as_bytes()[..line.data_end()].to_vec()),
    |line| Some(line.inserted(line.text().len(), "}")),
    |line| Some(line.inserted(line.text().len(), " // to be checked")),
    |line| Some(line.inserted(line.payload_start(), r#""checked": True, "#)),
    |line| Some(line.inserted(line.payload_start(), r#""pages": 007, "#)),
    |line| Some(in_domain(line, br"\x41")),
    |line| {
        let end = line.base(TIMESTAMP).end;
        Some(line.replaced(end..end + 1, ""))
    },
    |line| Some(in_domain(line, b"\0")),
];

const INVALID_UTF8: &[Edit] = &[
    |line| Some(in_domain(line, b"\xFF")),
    |line| Some(in_domain(line, b"\xE9")),
    |line| Some(in_domain(line, b"\x80")),
    |line| Some(line.inserted(line.payload_start(), b"\"note\": \"\xC0\xAF\", ")),
    |line| Some(line.inserted(line.payload_start(), b"\"note\": \"\xED\xA0\x80\", ")),
    |line| Some(line.inserted(line.payload_end(), b", \"note\": \"\xF4\x90\x80\x80\"")),
    |line| Some(line.inserted(line.text().len(), b"\xE2\x82")),
];

const NOT_AN_EVENT: &[Edit] = &[
    |line| Some(without(line, DOMAIN)),
    |line| Some(line.replaced(line.base(EVENT_TYPE), "17")),
    |line| Some(line.text()[line.base(EVENT_ID)].into()),
    |line| Some(line.replaced(line.base(TIMESTAMP), "1728518400")),
    |line| Some(line.replaced(line.base(DATA), r#""{}""#)),
    |_| Some(b"{}".to_vec()),
    |line| Some(without(line, EVENT_TYPE)),
    |_| Some(b"12.50".to_vec()),
    |line| Some(without(line, TIMESTAMP)),
    |line| Some(line.replaced(line.base(EVENT_ID), "4711")),
    |_| Some(b"null".to_vec()),
    |line| Some(line.replaced(line.base(DOMAIN), "null")),
    |line| Some(line.replaced(line.base(DATA), "[]")),
    |_| Some(b" true".to_vec()),
];

const MISSING_EVENT_ID: &[Edit] = &[
    |line| Some(without(line, EVENT_ID)),
    |line| Some(line.replaced(line.base(EVENT_ID), "null")),
    |line| Some(line.replaced(line.base(EVENT_ID), r#""""#)),
    |line| Some(line.replaced(line.base_key(EVENT_ID), r#""eventId""#)),
];

const BAD_TIMESTAMP: &[Edit] = &[
    |line| Some(with_time(line, &[&line.time()[..4], "-02-30", &line.time()[10..]])),
    |line| Some(with_time(line, &[&line.time()[..10], "T24:00:00"])),
    |line| Some(with_time(line, &[&line.time()[..4], "-13-", &line.time()[8..]])),
    |line| Some(with_time(line, &["yesterday"])),
    |line| Some(with_time(line, &["10000-01-01T00:00:00"])),
    |line| Some(with_time(line, &[&line.time()[..17], "60"])),
    |line| Some(with_time(line, &[])),
    |line| Some(with_time(line, &["0000", &line.time()[4..]])),
    |line| Some(with_time(line, &[&line.time().replace('-', "/")])),
    |line| Some(with_time(line, &["1728518400"])),
    |line| Some(with_time(line, &[&line.time()[..19], "+25:00"])),
    |line| Some(with_time(line, &[&line.time()[..19], ","])),
    |line| Some(with_time(line, &[&line.time()[..8], "00", &line.time()[10..]])),
    |line| Some(with_time(line, &[&line.time()[..13]])),
    |line| Some(with_time(line, &[line.time(), " "])),
];

const TYPE_MISMATCH: &[Edit] = &[
    |line| Some(line.replaced(number(line).1, r#""12.5x""#)),
    |line| Some(line.replaced(line.payload("merchant")?, r#""Velvet Bakery""#)),
    |line| Some(line.replaced(number(line).1, "true")),
    |line| Some(line.replaced(number(line).1, r#"{"value": 1}"#)),
    |line| Some(line.replaced(line.payload("balance")?, r#""none""#)),
    |line| Some(line.replaced(line.payload("holder")?, "7")),
    |line| Some(line.replaced(number(line).1, r#""12,50""#)),
    |line| Some(line.replaced(number(line).1, "[]")),
    |line| Some(line.replaced(line.payload("category")?, r#""bakery""#)),
    |line| Some(line.replaced(number(line).1, r#""""#)),
    |line| Some(line.replaced(number(line).1, r#""NaN""#)),
];

const OUT_OF_RANGE: &[Edit] = &[
    |line| Some(line.replaced(number(line).1, "1e30")),
    |line| Some(line.replaced(account_id(line)?, "2147483648")),
    |line| Some(line.replaced(number(line).1, "1000000000000000")),
    |line| Some(line.replaced(account_id(line)?, "-2147483649")),
    |line| Some(line.replaced(number(line).1, r#""-1e15""#)),
    |line| Some(line.replaced(line.payload("balance")?, "-9999999999999999.999")),
    |line| Some(line.replaced(account_id(line)?, r#""4294967296""#)),
    |line| Some(line.replaced(number(line).1, "1e400")),
    |line| Some(line.replaced(line.payload("category")?, "5411000000")),
];

const DUPLICATE_KEY: &[Edit] = &[
    |line| Some(again(line, EVENT_ID, EVENT_ID)),
    |line| Some(line.inserted(line.payload_start(), r#""id": 1, "#)),
    |line| Some(again(line, TIMESTAMP, TIMESTAMP)),
    |line| Some(line.inserted(line.data_end(), format!(r#", "{DATA}": null"#))),
    |line| {
        let (name, value) = number(line);
        let copy = format!(r#", "{name}": {}"#, &line.text()[value]);
        Some(line.inserted(line.payload_end(), copy))
    },
    |line| Some(again(line, DOMAIN, r"\u0064omain")),
    |line| {
        let object = line.payload("holder").or_else(|| line.payload("merchant"))?;
        let is_object = line.text()[object.clone()].starts_with('{');
        is_object.then(|| line.inserted(object.start + 1, r#""name": "Ada Baker", "#))
    },
    |line| Some(again(line, EVENT_TYPE, EVENT_TYPE)),
];

/// The field of the payload that is a number in both worlds: an account's id, a payment's amount.
fn number(line: &CleanLine<'_>) -> (&'static str, std::ops::Range<usize>) {
    let name = if is_account(line) { "id" } else { "amount" };
    (name, line.payload(name).expect("accounts have an id, payments an amount"))
}

fn account_id(line: &CleanLine<'_>) -> Option<std::ops::Range<usize>> {
    if is_account(line) { line.payload("id") } else { None }
}

fn is_account(line: &CleanLine<'_>) -> bool {
    &line.text()[line.base(DOMAIN)] == r#""account""#
}

/// The line with bytes appended to the name of its domain.
fn in_domain(line: &CleanLine<'_>, bytes: &[u8]) -> Vec<u8> {
    line.inserted(line.base(DOMAIN).end - 1, bytes)
}

fn with_time(line: &CleanLine<'_>, parts: &[&str]) -> Vec<u8> {
    line.replaced(line.base(TIMESTAMP), format!("\"{}\"", parts.concat()))
}

/// The line without a base field, which must not be the last.
fn without(line: &CleanLine<'_>, name: &str) -> Vec<u8> {
    let value = line.base(name);
    line.replaced(line.base_key(name).start..value.end + ", ".len(), "")
}

/// The line with a base field repeated before `data`, with its key written as `key`.
fn again(line: &CleanLine<'_>, name: &str, key: &str) -> Vec<u8> {
    let copy = format!("\"{key}\": {}, ", &line.text()[line.base(name)]);
    line.inserted(line.base_key(DATA).start, copy)
}
