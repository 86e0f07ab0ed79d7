//! What makes a line an event: base fields, keys that occur once, ids, and which fault is named if there are
//! several.

use super::{ID, ROW, TIMESTAMP, check, open};
use crate::support::{events::event, workdir::Workdir};

#[test]
fn an_event_has_its_base_fields() {
    let good = open("{}");
    let with = |field: &str, value: &str| {
        let start = good.find(&format!("\"{field}\": ")).unwrap() + field.len() + 4;
        let length =
            if good[start..].starts_with('{') { 2 } else { good[start + 1..].find('"').unwrap() + 2 };
        format!("{}{value}{}", &good[..start], &good[start + length..])
    };
    let without = |field: &str| good.replace(&format!("\"{field}\""), &format!("\"no_{field}\""));
    let no_event = Err("not_an_event");
    let no_id = Err("missing_event_id");
    check(
        TIMESTAMP,
        &[
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
            (
                "a type that would be a path",
                with("event_type", "\"../../account-open\""),
                Err("unknown_event"),
            ),
            ("escapes in a value", with("domain", r#""\u0061ccoun\u0074""#), ROW),
            ("escapes in a key", good.replace("\"domain\"", r#""\u0064omain""#), ROW),
            ("keys in another order", format!("{{{}, {}", "\"data\": {}", &without("data")[1..]), ROW),
        ],
    );
}

#[test]
fn the_first_fault_in_order_is_the_reason() {
    let good = open("{}");
    let plus = |fields: &str| good.replace("\"data\"", &format!("{fields}, \"data\""));
    let bad_time = |line: &str| line.replace("2024-10-10", "2024-13-10");
    let unknown = |line: &str| line.replace("account-open", "other");
    check(
        TIMESTAMP,
        &[
            ("malformed, and too many domains", format!("{},", plus("\"domain\": 1")), Err("malformed_json")),
            ("domain twice, and no string", plus("\"domain\": null"), Err("duplicate_key")),
            (
                "domain no string, timestamp twice",
                plus("\"timestamp\": 1").replace("\"account\"", "1"),
                Err("not_an_event"),
            ),
            ("timestamp twice, unknown event", unknown(&plus("\"timestamp\": 1")), Err("duplicate_key")),
            ("unknown event, event_id twice", unknown(&plus("\"event_id\": 1")), Err("unknown_event")),
            ("unknown event, bad timestamp", unknown(&bad_time(&good)), Err("unknown_event")),
            ("data twice, no event_id", plus("\"data\": 1").replace("event_id", "id"), Err("duplicate_key")),
            (
                "no event_id, bad timestamp",
                bad_time(&good).replace("event_id", "id"),
                Err("missing_event_id"),
            ),
            ("bad timestamp, data no object", bad_time(&good).replace("{}}", "1}"), Err("bad_timestamp")),
            (
                "payload's key twice, another of wrong type",
                open(r#"{"id": "x", "reason": 1, "reason": 2}"#),
                Err("duplicate_key"),
            ),
            (
                "columns in the schema's order",
                event("$", "2024-10-10", "payment-to", r#"{"amount": 1e9, "id": 1}"#),
                Err("out_of_range"),
            ),
        ],
    );
}

#[test]
fn a_key_that_is_read_occurs_once() {
    let good = open(r#"{"id": 1}"#);
    let plus = |field: &str| good.replace("\"data\"", &format!("{field}, \"data\""));
    let twice = Err("duplicate_key");
    check(
        ID,
        &[
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
            (
                "the second last",
                open(r#"{"id": 1, "old_status": "a", "new_status": "b", "reason": "c", "id": 2}"#),
                twice,
            ),
            ("thrice", open(r#"{"id": 1, "id": 1, "id": 1}"#), twice),
            ("a key that nobody reads", open(r#"{"id": 1, "other": 1, "other": 2}"#), Ok("1")),
            ("a base field that nobody reads", plus("\"trace\": 1, \"trace\": 2"), Ok("1")),
            ("inside a field that nobody reads", open(r#"{"id": 1, "other": {"id": 1, "id": 2}}"#), Ok("1")),
            ("differing in case", open(r#"{"id": 1, "ID": 2, "Id": 3}"#), Ok("1")),
            ("another domain's field", open(r#"{"id": 1, "amount": 2, "amount": 3}"#), Ok("1")),
            (
                "a base field's name in the payload",
                open(r#"{"id": 1, "event_id": 2, "event_id": 3}"#),
                Ok("1"),
            ),
            ("a payload's name among the base fields", plus("\"id\": 5, \"id\": 6"), Ok("1")),
            ("inside a string column's object", open(r#"{"id": 1, "reason": {"id": 1, "id": 2}}"#), Ok("1")),
        ],
    );
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
    // The same id escaped in another way is the same id.
    lines.push(open("{}").replace('$', &uuid.replacen('a', "\\u0061", 1)));
    let dir = Workdir::new();
    let outcome = dir.loader().source(dir.write("in.json", lines.join("\n"))).arg("--backfill").succeeds();
    assert_eq!((outcome.count("written"), outcome.count("superseded")), (10, 1), "{outcome}");
}

#[test]
fn ten_thousand_keys_are_as_good_as_one() {
    let fields: Vec<_> = (0..10_000).map(|index| format!("\"key_{index}\": {index}")).collect();
    let line = open(&format!("{{{}, \"id\": 12}}", fields.join(", ")));
    check(
        ID,
        &[
            ("10,000 keys", line.clone(), Ok("12")),
            ("one of them again", line.replace("key_7\"", "id\""), Err("duplicate_key")),
        ],
    );

    let dir = Workdir::new();
    let outcome = dir.loader().source(dir.write("in.json", line)).arg("--backfill").succeeds();
    let unknown = outcome.report()["unknown_fields"].as_object().unwrap();
    assert_eq!(unknown.values().filter_map(serde_json::Value::as_u64).sum::<u64>(), 10_000, "{outcome}");
}
