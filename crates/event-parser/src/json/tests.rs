//! The scanner, and the text of its values, against `serde_json`.

use proptest::prelude::*;

use super::*;
use crate::fuzzing::json;

#[test]
fn hand_written_texts_are_judged_as_serde_json_judges_them() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    for text in [
        "",
        " ",
        "null",
        "nul",
        "nulll",
        "true",
        "tru",
        "false",
        "{}",
        "[]",
        "{ }",
        "[ ]",
        "[[]]",
        "[{}]",
        "{\"a\":{}}",
        "[1,]",
        "[,1]",
        "{,}",
        "{\"a\":1,}",
        "{\"a\"}",
        "{\"a\" 1}",
        "{a:1}",
        "{'a':1}",
        "[1 2]",
        "[}",
        "{]",
        "[1",
        "{\"a\":1",
        "0",
        "-0",
        "01",
        "-",
        "+1",
        "1.",
        ".5",
        "1.5",
        "1e5",
        "1e",
        "1e+",
        "1E-5",
        "1e400",
        "NaN",
        "Infinity",
        "0x10",
        "\"\"",
        "\"",
        "\"a",
        "\"\\",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\u0041\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\\u0041\"",
        "\"\\ud83dx\"",
        "\"\\ud83d",
        "\"\\b\\f\\n\\r\\t\\/\\\\\\\"\"",
        "\"a\u{1}b\"",
        "\"a\tb\"",
        "\"a\u{0}b\"",
        "\"a\u{7f}b\"",
        "\"東京 é 😀\"",
        "\"123456789\\n123456789\"",
        "{} {}",
        "{}x",
        "[1]]",
        " {} ",
        "\t[1 , 2 ]\r\n",
        "// x",
        "[1] // x",
        "{\"a\":1,\"a\":2}",
        "{\"\\u0061\":\" \\u00e9 \"}",
    ] {
        json(text.as_bytes());
    }
    for levels in [1, 126, 127, 128, 129, 100_000] {
        json(nested(levels).as_bytes());
    }
    let mut scanner = Scanner::new(b"1e400");
    assert!(scanner.value().is_ok() && scanner.end().is_ok());
}

#[test]
fn a_compacted_value_is_the_same_however_it_was_formatted() {
    let mut out = Vec::new();
    compact_into(br#"{ "b" : [ 1e2 , 1.50 ,null ], "a": " \u00e9 \/ \u000A \" " }"#, &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), r#"{"b":[1e2,1.50,null],"a":" é / \n \" "}"#);
}

proptest! {
    #[test]
    fn arbitrary_json_like_text_is_judged_as_serde_json_judges_it(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("{".to_owned()), Just("}".to_owned()), Just("[".to_owned()), Just("]".to_owned()),
                Just(",".to_owned()), Just(":".to_owned()), Just(" ".to_owned()), Just("null".to_owned()),
                Just("true".to_owned()), "\"[a-z\\\\u0-9éd8]{0,12}\"", "-?[0-9]{1,3}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,2})?",
            ],
            0..12,
        )
    ) {
        json(pieces.concat().as_bytes());
    }

    #[test]
    fn valid_json_with_one_byte_changed_is_judged_as_serde_json_judges_it(at in 0_usize..200, byte: u8) {
        let mut text = br#"{"event_id": "a\u00e9\ud83d\ude00b", "data": {"id": -12.5e+3, "x": [true, null, {"y": "z"}, []], "w": {}}}"#.to_vec();
        let length = text.len();
        text[at % length] = byte;
        json(&text);
    }
}
