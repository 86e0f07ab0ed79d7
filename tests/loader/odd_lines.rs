//! Is this one strange line a row, with these values, or a bad line, for this reason?
//!
//! Tables of a name or value, a line, and `Ok` of a column's value or `Err` of a reason. A table is loaded as one file
//! (`$` in a line becomes an event id of its own), and all lines that come out wrong are listed together. Here is what
//! a line as a whole may be; the values of its columns are in `values`.

mod values;

use crate::{
    events::event,
    oracle::{self, Flags},
    readback::{BadLine, Rows, json_string, quarantine, quarantine_records, rows},
    support::{Workdir, visible},
};

/// A value of the column that a table is about, as text; or a reason.
type Outcome<'a> = Result<&'a str, &'a str>;

/// Columns that tables are about.
const TIMESTAMP: usize = 1;
const DOMAIN: usize = 2;
const ID: usize = 4;
/// `data_old_status` of an account's events, `data_to` of a payment's.
const TEXT: usize = 5;
const AMOUNT: usize = 7;

/// Loads the lines of a table as one file, and compares what became of each.
#[track_caller]
fn check<N: AsRef<str>, L: AsRef<[u8]>>(column: usize, table: &[(N, L, Outcome)]) {
    let dir = Workdir::new();
    let mut lines = Vec::new();
    for (index, (_, line, _)) in table.iter().enumerate() {
        let mut line = line.as_ref().to_vec();
        if let Some(at) = line.windows(3).position(|bytes| bytes == b"\"$\"") {
            line.splice(at + 1..at + 2, event_id(index).bytes());
        }
        lines.extend(line);
        lines.push(b'\n');
    }
    // The table judges the model too: what it can't tell right here, it could not tell about random lines.
    let model = oracle::load(&[("in.json".to_owned(), lines.clone())], &Flags::default());
    compare(column, table, &model.rows, &model.bad_lines, "the model");

    let outcome = dir.loader().source(dir.write("in.json", lines)).arg("--backfill").succeeds();
    compare(column, table, &rows(&dir.target()), &quarantine(&dir.target()), &outcome.to_string());
}

#[track_caller]
fn compare<N: AsRef<str>, L: AsRef<[u8]>>(
    column: usize,
    table: &[(N, L, Outcome)],
    rows: &Rows,
    bad_lines: &[BadLine],
    after: &str,
) {
    let rows: Vec<_> = rows.values().flatten().collect();
    let mut wrong = Vec::new();
    for (index, (name, line, expected)) in table.iter().enumerate() {
        let row = rows.iter().find(|row| row[0] == json_string(&event_id(index)));
        let bad = bad_lines.iter().find(|bad| bad.line == 1 + index as u64);
        let found = match (row, bad) {
            (Some(row), None) => Ok(row[column].as_str()),
            (None, Some(bad)) => Err(bad.reason.as_str()),
            (None, None) => Err("neither row nor bad line"),
            (Some(_), Some(_)) => Err("both row and bad line"),
        };
        if found != *expected {
            let (name, line) = (name.as_ref(), visible(line.as_ref()));
            wrong.push(format!("{name}\n    line     {line}\n    expected {expected:?}\n    found    {found:?}"));
        }
    }
    let (count, all) = (wrong.len(), table.len());
    assert!(wrong.is_empty(), "{count} of {all} lines came out wrong:\n  {}\nafter {after}", wrong.join("\n  "));
    assert_eq!(rows.len() + bad_lines.len(), all, "every line is one row or one bad line, after {after}");
}

fn event_id(index: usize) -> String {
    format!("event {index}")
}

/// An `account-open` of 2024-10-10 with this payload.
fn open(data: &str) -> String {
    event("$", "2024-10-10T00:00:00", "account-open", data)
}

/// Text of 2024-10-10T00:00:00 in the column `timestamp`, where a table is about whether there is a row at all.
const ROW: Outcome = Ok("2024-10-10T00:00:00.000000Z");

#[test]
fn json_is_rfc_8259_strictly() {
    let good = open("{}");
    let malformed = Err("malformed_json");
    check(TIMESTAMP, &[
        ("plain", good.clone(), ROW),
        ("no white space", good.replace(": ", ":").replace(", ", ","), ROW),
        ("white space of all kinds", good.replace(": ", " \t:\r ").replace(", ", "\r,\t"), ROW),
        ("white space around", format!(" \t{good} \t\r"), ROW),
        ("CRLF", format!("{good}\r"), ROW),
        ("trailing comma", good.replace("{}}", "{},}"), malformed),
        ("leading comma", good.replacen('{', "{,", 1), malformed),
        ("no comma", good.replacen(", ", " ", 1), malformed),
        ("single quotes", good.replace('"', "'"), malformed),
        ("key without quotes", good.replace("\"data\"", "data"), malformed),
        ("comment", format!("{good} // and more"), malformed),
        ("two objects", format!("{good}{good}"), malformed),
        ("two objects with a space", format!("{good} {{}}"), malformed),
        ("something after it", format!("{good}x"), malformed),
        ("a NUL after it", format!("{good}\0"), malformed),
        ("a BOM that is not at the start of the file", format!("\u{FEFF}{good}"), malformed),
        ("a no-break space around", format!("\u{A0}{good}"), malformed),
        ("a vertical tab around", format!("\u{B}{good}"), malformed),
        ("cut off", good[..good.len() - 1].to_owned(), malformed),
        ("cut off in a string", good[..20].to_owned(), malformed),
        ("raw tab in a string", open("{\"reason\": \"a\tb\"}"), malformed),
        ("raw NUL in a string", open("{\"reason\": \"a\0b\"}"), malformed),
        ("raw tab in a key that nobody reads", open("{\"a\tb\": 1}"), malformed),
        ("raw DEL in a string", open("{\"reason\": \"a\u{7f}b\"}"), ROW),
        ("escaped NUL in a string", open(r#"{"reason": "a\u0000b"}"#), ROW),
        ("unknown escape", open(r#"{"reason": "\x41"}"#), malformed),
        ("short escape", open(r#"{"reason": "\u41"}"#), malformed),
        ("lone high surrogate", open(r#"{"reason": "\ud800"}"#), malformed),
        ("lone low surrogate", open(r#"{"reason": "\udc00"}"#), malformed),
        ("surrogates the wrong way round", open(r#"{"reason": "\udc00\ud800"}"#), malformed),
        ("high surrogate before another escape", open(r#"{"reason": "\ud83d\u0041"}"#), malformed),
        ("lone surrogate in a field that nobody reads", open(r#"{"other": ["\ud800"]}"#), malformed),
        ("lone surrogate in a key that nobody reads", open(r#"{"\udfff": 1}"#), malformed),
        ("surrogate pair", open(r#"{"reason": "\ud83d\ude00"}"#), ROW),
        ("NaN", open(r#"{"id": NaN}"#), malformed),
        ("Infinity in a field that nobody reads", open(r#"{"other": -Infinity}"#), malformed),
        ("leading zero in a field that nobody reads", open(r#"{"other": 012}"#), malformed),
        ("plus sign", open(r#"{"other": +1}"#), malformed),
        ("no digit after the point", open(r#"{"other": 1.}"#), malformed),
        ("no digit before the point", open(r#"{"other": .5}"#), malformed),
        ("no digit in the exponent", open(r#"{"other": 1e}"#), malformed),
        ("1e400 in a field that nobody reads", open(r#"{"other": 1e400}"#), ROW),
        ("a number of 400 digits in a field that nobody reads", open(&format!("{{\"other\": {}}}", "9".repeat(400))), ROW),
        ("True", open(r#"{"other": True}"#), malformed),
        ("nul", open(r#"{"other": nul}"#), malformed),
    ]);
}

#[test]
fn nesting_ends_at_127_levels() {
    // The event is the first level, `data` the second.
    let nested = |levels: usize| open(&format!("{{\"other\": {}{}}}", "[".repeat(levels - 2), "]".repeat(levels - 2)));
    let objects = |levels: usize| open(&format!("{{\"other\": {}1{}}}", "{\"a\":".repeat(levels - 2), "}".repeat(levels - 2)));
    let text = |levels: usize| nested(levels).replace("other", "reason");
    let malformed = Err("malformed_json");
    check(TIMESTAMP, &[
        ("127 levels", nested(127), ROW),
        ("128 levels", nested(128), malformed),
        ("127 levels of objects", objects(127), ROW),
        ("128 levels of objects", objects(128), malformed),
        ("127 levels in a column", text(127), ROW),
        ("128 levels in a column", text(128), malformed),
        ("100,000 levels", nested(100_000), malformed),
        ("100,000 levels in a column", text(100_000), malformed),
        ("100,000 levels, none closed", open(&"[".repeat(100_000)), malformed),
        ("1,000 brackets in a string", open(&format!("{{\"other\": \"{}\"}}", "[".repeat(1000))), ROW),
    ]);
}

#[test]
fn a_line_is_utf_8() {
    let with = |bytes: &[u8]| {
        let (before, after) = (open("{\"reason\": \"a"), "b\"}}");
        [&before.as_bytes()[..before.len() - 1], bytes, after.as_bytes()].concat()
    };
    let invalid = Err("invalid_utf8");
    check(TIMESTAMP, &[
        ("two bytes", with("é".as_bytes()), ROW),
        ("four bytes", with("😀".as_bytes()), ROW),
        ("a stray byte", with(b"\xFF"), invalid),
        ("a continuation without a start", with(b"\x80"), invalid),
        ("Latin-1", with(b"\xE9"), invalid),
        ("an overlong form", with(b"\xC0\xAF"), invalid),
        ("a surrogate", with(b"\xED\xA0\x80"), invalid),
        ("beyond Unicode", with(b"\xF4\x90\x80\x80"), invalid),
        ("in a line that is no JSON either", b"{\xFF".to_vec(), invalid),
        ("a noncharacter", with("\u{FFFF}".as_bytes()), ROW),
    ]);
}

#[test]
fn an_event_has_its_base_fields() {
    let good = open("{}");
    let with = |field: &str, value: &str| {
        let start = good.find(&format!("\"{field}\": ")).unwrap() + field.len() + 4;
        let length = if good[start..].starts_with('{') { 2 } else { good[start + 1..].find('"').unwrap() + 2 };
        format!("{}{value}{}", &good[..start], &good[start + length..])
    };
    let without = |field: &str| good.replace(&format!("\"{field}\""), &format!("\"no_{field}\""));
    let no_event = Err("not_an_event");
    let no_id = Err("missing_event_id");
    check(TIMESTAMP, &[
        ("as it should be", good.clone(), ROW),
        ("an array", format!("[{good}]"), no_event),
        ("a string", "\"event\"".to_owned(), no_event),
        ("a number", "12".to_owned(), no_event),
        ("null", "null".to_owned(), no_event),
        ("an empty object", "{}".to_owned(), no_event),
        ("no domain", without("domain"), no_event),
        ("no event_type", without("event_type"), no_event),
        ("no timestamp", without("timestamp"), no_event),
        ("no event_id", without("event_id"), no_id),
        ("no data", without("data"), ROW),
        ("domain null", with("domain", "null"), no_event),
        ("domain a number", with("domain", "1"), no_event),
        ("event_type an array", with("event_type", "[\"account-open\"]"), no_event),
        ("timestamp null", with("timestamp", "null"), no_event),
        ("timestamp a number", with("timestamp", "1728518400"), no_event),
        ("event_id null", with("event_id", "null"), no_id),
        ("event_id empty", with("event_id", "\"\""), no_id),
        ("event_id a number", with("event_id", "1"), no_event),
        ("event_id an object", with("event_id", "{}"), no_event),
        ("data null", with("data", "null"), ROW),
        ("data an array", with("data", "[]"), no_event),
        ("data a string", with("data", "\"{}\""), no_event),
        ("data false", with("data", "false"), no_event),
        ("Domain is not domain", good.replace("\"domain\"", "\"Domain\""), no_event),
        ("Event_ID is not event_id", good.replace("\"event_id\"", "\"Event_ID\""), no_id),
        ("Event_ID beside event_id", good.replace("\"data\"", "\"Event_ID\": 1, \"data\""), ROW),
        ("an unknown domain", with("domain", "\"card\""), Err("unknown_event")),
        ("an unknown type", with("event_type", "\"account-opened\""), Err("unknown_event")),
        ("the type of another domain", with("event_type", "\"payment-to\""), Err("unknown_event")),
        ("Account is not account", with("domain", "\"Account\""), Err("unknown_event")),
        ("a space at the end is none", with("event_type", "\"account-open \""), Err("unknown_event")),
        ("an empty type", with("event_type", "\"\""), Err("unknown_event")),
        ("a type that would be a path", with("event_type", "\"../../account-open\""), Err("unknown_event")),
        ("escapes in a value", with("domain", r#""\u0061ccoun\u0074""#), ROW),
        ("escapes in a key", good.replace("\"domain\"", r#""\u0064omain""#), ROW),
        ("keys in another order", format!("{{{}, {}", "\"data\": {}", &without("data")[1..]), ROW),
    ]);
}

#[test]
fn the_first_fault_in_order_is_the_reason() {
    let good = open("{}");
    let plus = |fields: &str| good.replace("\"data\"", &format!("{fields}, \"data\""));
    let bad_time = |line: &str| line.replace("2024-10-10", "2024-13-10");
    let unknown = |line: &str| line.replace("account-open", "other");
    check(TIMESTAMP, &[
        ("malformed, and too many domains", format!("{},", plus("\"domain\": 1")), Err("malformed_json")),
        ("domain twice, and no string", plus("\"domain\": null"), Err("duplicate_key")),
        ("domain no string, timestamp twice", plus("\"timestamp\": 1").replace("\"account\"", "1"), Err("not_an_event")),
        ("timestamp twice, unknown event", unknown(&plus("\"timestamp\": 1")), Err("duplicate_key")),
        ("unknown event, event_id twice", unknown(&plus("\"event_id\": 1")), Err("unknown_event")),
        ("unknown event, bad timestamp", unknown(&bad_time(&good)), Err("unknown_event")),
        ("data twice, no event_id", plus("\"data\": 1").replace("event_id", "id"), Err("duplicate_key")),
        ("no event_id, bad timestamp", bad_time(&good).replace("event_id", "id"), Err("missing_event_id")),
        ("bad timestamp, data no object", bad_time(&good).replace("{}}", "1}"), Err("bad_timestamp")),
        ("payload's key twice, another of wrong type", open(r#"{"id": "x", "reason": 1, "reason": 2}"#), Err("duplicate_key")),
        ("columns in the schema's order", event("$", "2024-10-10", "payment-to", r#"{"amount": 1e9, "id": 1}"#), Err("out_of_range")),
    ]);
}

#[test]
fn a_key_that_is_read_occurs_once() {
    let good = open(r#"{"id": 1}"#);
    let plus = |field: &str| good.replace("\"data\"", &format!("{field}, \"data\""));
    let twice = Err("duplicate_key");
    check(ID, &[
        ("event_id", plus("\"event_id\": \"e\""), twice),
        ("timestamp", plus("\"timestamp\": \"2024-10-10\""), twice),
        ("domain", plus("\"domain\": \"account\""), twice),
        ("event_type", plus("\"event_type\": \"account-open\""), twice),
        ("data", plus("\"data\": {}"), twice),
        ("data null", plus("\"data\": null"), twice),
        ("with escapes", plus(r#""\u0064omain": "account""#), twice),
        ("id", open(r#"{"id": 1, "id": 1}"#), twice),
        ("id, with escapes", open(r#"{"id": 1, "\u0069d": 1}"#), twice),
        ("a null", open(r#"{"reason": null, "reason": "x"}"#), twice),
        ("the second last", open(r#"{"id": 1, "old_status": "a", "new_status": "b", "reason": "c", "id": 2}"#), twice),
        ("thrice", open(r#"{"id": 1, "id": 1, "id": 1}"#), twice),
        ("a key that nobody reads", open(r#"{"id": 1, "other": 1, "other": 2}"#), Ok("1")),
        ("a base field that nobody reads", plus("\"trace\": 1, \"trace\": 2"), Ok("1")),
        ("inside a field that nobody reads", open(r#"{"id": 1, "other": {"id": 1, "id": 2}}"#), Ok("1")),
        ("differing in case", open(r#"{"id": 1, "ID": 2, "Id": 3}"#), Ok("1")),
        ("another domain's field", open(r#"{"id": 1, "amount": 2, "amount": 3}"#), Ok("1")),
        ("a base field's name in the payload", open(r#"{"id": 1, "event_id": 2, "event_id": 3}"#), Ok("1")),
        ("a payload's name among the base fields", plus("\"id\": 5, \"id\": 6"), Ok("1")),
        ("inside a string column's object", open(r#"{"id": 1, "reason": {"id": 1, "id": 2}}"#), Ok("1")),
    ]);
}

#[test]
fn event_ids_are_compared_as_they_are_written() {
    let uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
    let ids = [
        uuid.to_owned(),
        uuid.to_uppercase(),
        uuid.replace('-', ""),
        format!("{{{uuid}}}"),
        format!(" {uuid}"),
        format!("urn:uuid:{uuid}"),
        uuid.replacen('a', "A", 1),
        format!("{}/", &uuid[..35]),
        "\\u0000".to_owned(),
        "\\u0000\\u0000".to_owned(),
    ];
    let mut lines: Vec<String> = ids.iter().map(|id| open("{}").replace('$', id)).collect();
    // The same id in other letters of JSON is the same id.
    lines.push(open("{}").replace('$', &uuid.replacen('a', "\\u0061", 1)));
    let dir = Workdir::new();
    let outcome = dir.loader().source(dir.write("in.json", lines.join("\n"))).arg("--backfill").succeeds();
    assert_eq!((outcome.count("written"), outcome.count("superseded")), (10, 1), "{outcome}");
}

#[test]
fn ten_thousand_keys_are_as_good_as_one() {
    let fields: String = (0..10_000).map(|index| format!("\"key_{index}\": {index}, ")).collect();
    let line = open(&format!("{{{fields} \"id\": 12}}"));
    check(ID, &[("10,000 keys", line.clone(), Ok("12")), ("one of them again", line.replace("key_7\"", "id\""), Err("duplicate_key"))]);

    let dir = Workdir::new();
    let outcome = dir.loader().source(dir.write("in.json", line)).arg("--backfill").succeeds();
    let unknown = outcome.report()["unknown_fields"].as_object().unwrap();
    assert_eq!((unknown.len(), &unknown["data.key_9999"]), (10_000, &serde_json::json!(1)));
}

#[test]
fn a_line_has_16_mib_and_not_one_byte_more() {
    const MAX: usize = 16 * 1024 * 1024;
    let line = open("{\"id\": 1}");
    let fits = format!("{line}{}", " ".repeat(MAX - line.len()));
    let too_long = format!("{fits}\t");
    let dir = Workdir::new();
    let source = dir.write("in.json", [too_long.as_str(), &fits, "{}"].join("\n"));
    let outcome = dir.loader().source(source).arg("--backfill").succeeds();

    assert_eq!((outcome.count("lines"), outcome.count("written")), (3, 1), "{outcome}");
    let bad_lines = quarantine(&dir.target());
    let found: Vec<_> = bad_lines.iter().map(|bad| (bad.line, bad.offset, bad.reason.as_str())).collect();
    assert_eq!(found, [(1, 0, "line_too_long"), (3, (2 * MAX + 3) as u64, "not_an_event")]);
    assert!(bad_lines[0].raw == too_long.as_bytes(), "all fragments together are the line");
    assert_eq!(outcome.reasons()["line_too_long"], 1, "fragments are one bad line");
}

#[test]
fn a_bad_line_tells_where_it_was_and_what_was_expected() {
    let dir = Workdir::new();
    let lines = ["{\"x\"", &open(r#"{"id": "twelve"}"#), &event("$", "2024-10-10", "payment-to", r#"{"amount": 100000000}"#)];
    let source = dir.write("in.json", lines.join("\n"));
    dir.loader().source(&source).arg("--backfill").succeeds();

    let records = quarantine_records(&dir.target());
    let fields = records.iter().map(|(record, _)| {
        assert_eq!(record["source"], source.display().to_string());
        for key in ["expected", "found"] {
            assert!(record["detail"][key].as_str().is_some_and(|text| !text.is_empty()), "no {key} in {record}");
        }
        record["detail"]["field"].as_str().map(str::to_owned)
    });
    assert_eq!(fields.collect::<Vec<_>>(), [None, Some("data.id".to_owned()), Some("data.amount".to_owned())]);
}
