//! A table of observed values → type.

use event_parser::json::Scanner;

use super::*;
use crate::commands::catalog::walk::Walk;

/// The evidence of JSON values that are separated by spaces (none of them has one inside).
pub(in crate::commands::catalog) fn seen(values: &str) -> Evidence {
    let mut evidence = Evidence::default();
    for value in values.split(' ') {
        let line = value.as_bytes();
        let mut walk = Walk { line, scanner: Scanner::new(line), members_added: 0 };
        walk.value(&mut evidence, 1).unwrap();
    }
    evidence
}

fn name(kind: &DecidedKind) -> String {
    match kind {
        DecidedKind::Value(value_type) => value_type.to_string(),
        DecidedKind::List(element) => format!("list({})", name(element)),
        DecidedKind::Object => "object".to_owned(),
    }
}

#[test]
fn values_decide_their_type() {
    for (values, expected) in [
        ("1 2 -3", "int32"),
        ("1 null", "int32"),
        ("1073741823", "int32"),
        ("1073741824", "int64"),
        ("1 2147483648", "int64"),
        ("9223372036854775807", "int64"),
        ("1 9223372036854775808", "decimal(38,0)"),
        ("1e400", "string"),
        ("818.32 5.1 7", "decimal(10,2)"),
        ("1.5 2.25", "decimal(10,2)"),
        ("0.1234", "decimal(10,4)"),
        ("123456.78", "decimal(10,2)"),
        ("1234567.89", "decimal(18,2)"),
        ("12345678901234567.89", "decimal(38,2)"),
        ("36.5 1.0", "float64"),
        ("12.0 13.0", "float64"),
        ("1e2 5.25", "float64"),
        ("24.519456 117.3", "float64"),
        ("0.30000000000000004", "float64"),
        ("0.1000000000000000055 1", "decimal(38,19)"),
        ("1e-400 0.1", "string"),
        ("1e300 0.1000000000000000055", "string"),
        ("true false null", "boolean"),
        (r#""true" "false""#, "string"),
        (r#"true "false""#, "string"),
        (r#"1 "2""#, "string"),
        ("1 true", "string"),
        (r#""1283.94" "0.10""#, "decimal(10,2)"),
        (r#""1283.94" "0.1""#, "string"),
        (r#""10.4" "13.1""#, "string"),
        (r#""36463" "00123""#, "string"),
        (r#""36463""#, "string"),
        (r#""0.00000001""#, "decimal(18,8)"),
        (r#""1e2""#, "string"),
        (r#""2024-02-29""#, "date"),
        (r#""2024-02-29" "2024-02-29T10:00:00Z""#, "timestamp"),
        (r#""2024-02-29t10:00:00.5+0900""#, "timestamp"),
        (r#""2024-02-29" "2024-02-30""#, "string"),
        (r#""2024-02-29" """#, "string"),
        (r#""東京""#, "string"),
        ("null", "json"),
        ("{}", "json"),
        ("[]", "list(json)"),
        ("[null]", "list(json)"),
        ("[] [1] [null]", "list(int32)"),
        (r#"[1,"a"]"#, "list(string)"),
        (r#"["1.50"]"#, "list(decimal(10,2))"),
        ("[[1],[]]", "list(list(int32))"),
        (r#"[{"a":1}]"#, "list(object)"),
        (r#"[{"a":1},2]"#, "list(json)"),
        (r#"{"a":1} null"#, "object"),
        (r#"{"a":1} 2"#, "json"),
        (r#"{"a":1} [2]"#, "json"),
        (r#"[2] "x""#, "json"),
        (r#"{"17":1} {"18":1}"#, "json"),
        (r#"{"2024-01-01":1}"#, "json"),
        (r#"{"37f8a88b-17fc-495a-87a0-ca6e0822e8f3":1}"#, "json"),
        (r#"{"address1":1,"address2":1}"#, "object"),
    ] {
        assert_eq!(name(&decide(&seen(values)).kind), expected, "{values}");
    }
}

#[test]
fn an_object_with_ever_new_keys_is_a_map_but_a_wide_one_is_not() {
    let sparse: Vec<_> = (0..40).map(|i| format!(r#"{{"user_{i}":1}}"#)).collect();
    assert_eq!(decide(&seen(&sparse.join(" "))).kind, DecidedKind::Value(ValueType::Json));
    let keys: Vec<_> = (0..200).map(|i| format!(r#""field_{i}":1"#)).collect();
    let wide = format!("{{{}}}", keys.join(","));
    assert_eq!(decide(&seen(&wide)).kind, DecidedKind::Object);
    let endless: Vec<_> = (0..600).map(|i| format!(r#""field_{i}":1"#)).collect();
    assert_eq!(
        decide(&seen(&format!("{{{}}}", endless.join(",")))).kind,
        DecidedKind::Value(ValueType::Json)
    );
}

#[test]
fn what_is_nested_too_deep_is_json() {
    let nested = format!("{}1{}", "[".repeat(30), "]".repeat(30));
    let mut kind = decide(&seen(&nested)).kind;
    let mut depth = 0;
    while let DecidedKind::List(element) = kind {
        (kind, depth) = (*element, depth + 1);
    }
    assert_eq!((kind, depth), (DecidedKind::Value(ValueType::Json), 15));
}

#[test]
fn a_narrower_type_that_would_lose_few_is_named() {
    let alternative = |values: &str| decide(&seen(values)).alternative;
    let ten = "1 2 3 4 5 6 7 8 9";
    for (values, expected) in [
        (format!("{ten} 3000000000"), Some("int32 would quarantine 1 of 10")),
        (format!("{ten} \"x\""), Some("int32 would quarantine 1 of 10")),
        (format!("{ten} 1.25"), Some("int32 would quarantine 1 of 10")),
        ("1 2 3000000000".to_owned(), None),
        ("1 2 \"x\"".to_owned(), None),
        (r#"1 "2""#.to_owned(), Some("int32 holds all of them, too")),
        (r#""true" "false""#.to_owned(), Some("boolean holds all of them, too")),
        ("1073741824".to_owned(), None),
        ("12.0 1.0".to_owned(), Some("int32 holds all of them, too")),
        (r#""a" "b""#.to_owned(), None),
    ] {
        assert_eq!(alternative(&values).as_deref(), expected, "{values}");
    }
}
