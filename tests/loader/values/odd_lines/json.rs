//! What counts as a line of JSON: the grammar, nesting, UTF-8, length.

use super::{ROW, TIMESTAMP, check, open};
use crate::support::{readback::quarantine, workdir::Workdir};

#[test]
fn json_is_rfc_8259_strictly() {
    let good = open("{}");
    let malformed = Err("malformed_json");
    check(
        TIMESTAMP,
        &[
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
            (
                "a number of 400 digits in a field that nobody reads",
                open(&format!("{{\"other\": {}}}", "9".repeat(400))),
                ROW,
            ),
            ("True", open(r#"{"other": True}"#), malformed),
            ("nul", open(r#"{"other": nul}"#), malformed),
        ],
    );
}

#[test]
fn nesting_ends_at_127_levels() {
    // The event is the first level, `data` the second.
    let nested =
        |levels: usize| open(&format!("{{\"other\": {}{}}}", "[".repeat(levels - 2), "]".repeat(levels - 2)));
    let objects = |levels: usize| {
        open(&format!("{{\"other\": {}1{}}}", "{\"a\":".repeat(levels - 2), "}".repeat(levels - 2)))
    };
    let text = |levels: usize| nested(levels).replace("other", "reason");
    let malformed = Err("malformed_json");
    check(
        TIMESTAMP,
        &[
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
        ],
    );
}

#[test]
fn a_line_is_utf_8() {
    let with = |bytes: &[u8]| {
        let (before, after) = (open("{\"reason\": \"a"), "b\"}}");
        [&before.as_bytes()[..before.len() - 1], bytes, after.as_bytes()].concat()
    };
    let invalid = Err("invalid_utf8");
    check(
        TIMESTAMP,
        &[
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
        ],
    );
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
