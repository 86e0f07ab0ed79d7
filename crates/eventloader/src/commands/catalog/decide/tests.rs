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
        DecidedKind::Map(value) => format!("map({})", name(value)),
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
        (r#""1.10" "1.20""#, "string"),
        (r#""22.04" "24.10""#, "string"),
        (r#""1.101""#, "string"),
        (r#""1.20" "-0.00""#, "decimal(10,2)"),
        (r#""1.2050""#, "decimal(10,4)"),
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
        (r#"["1.50"]"#, "list(string)"),
        (r#"["101.50"]"#, "list(decimal(10,2))"),
        ("[[1],[]]", "list(list(int32))"),
        (r#"[{"a":1}]"#, "list(object)"),
        (r#"[{"a":1},2]"#, "list(json)"),
        (r#"{"a":1} null"#, "object"),
        (r#"{"a":1} 2"#, "json"),
        (r#"{"a":1} [2]"#, "json"),
        (r#"[2] "x""#, "json"),
        (r#"{"17":1} {"18":1}"#, "map(int32)"),
        (r#"{"2024-01-01":1}"#, "map(int32)"),
        (r#"{"37f8a88b-17fc-495a-87a0-ca6e0822e8f3":[{"n":1}]}"#, "map(list(object))"),
        (r#"{"authorization.k8s.io/decision":"allow"}"#, "map(string)"),
        (r#"{"17":1} {"18":"a"}"#, "json"),
        (r#"{"17":null}"#, "json"),
        (r#"{"address1":1,"address2":1}"#, "object"),
    ] {
        assert_eq!(name(&decide(b"f", &seen(values)).kind), expected, "{values}");
    }
}

#[test]
fn an_object_whose_keys_are_data_is_a_map_and_one_with_optional_fields_is_not() {
    let type_of =
        |field: &str, values: &[String]| name(&decide(field.as_bytes(), &seen(&values.join(" "))).kind);
    let sparse = |keys: usize, value: &str| {
        (0..keys).map(|key| format!(r#"{{"user_{key}x":{value}}}"#)).collect::<Vec<_>>()
    };
    assert_eq!(type_of("f", &sparse(40, "1")), "map(int32)");
    assert_eq!(type_of("f", &sparse(8, "\"v\"")), "map(string)");
    assert_eq!(type_of("f", &sparse(7, "\"v\"")), "object");
    assert_eq!(type_of("metadata", &sparse(7, "\"v\"")), "map(string)");
    assert_eq!(type_of("metadata", &sparse(2, "\"v\"")), "object");
    assert_eq!(type_of("metadata", &sparse(7, "1")), "object");
    // Values of two types: only many rare keys are data for sure.
    let mixed = |keys: usize| [sparse(keys, "1"), vec![r#"{"user_0x":"v"}"#.to_owned()]].concat();
    assert_eq!((type_of("f", &mixed(8)), type_of("f", &mixed(40))), ("object".to_owned(), "json".to_owned()));
    let wide: Vec<_> = (0..200).map(|key| format!(r#""field_{key}":1"#)).collect();
    assert_eq!(type_of("metadata", &[format!("{{{}}}", wide.join(","))]), "object");
    let endless = |value: &str| {
        let members: Vec<_> = (0..600).map(|key| format!(r#""field_{key}":{value}"#)).collect();
        format!("{{{}}}", members.join(","))
    };
    assert_eq!(type_of("f", &[endless("1")]), "map(int32)");
    assert_eq!(type_of("f", &[endless("1"), r#"{"more":3000000000}"#.to_owned()]), "map(int64)");
    assert_eq!(type_of("f", &[endless("1"), endless("true")]), "json");
}

#[test]
fn of_too_many_keys_the_first_value_of_each_counts_in_any_order() {
    let members: Vec<_> = (0..600).map(|key| format!(r#""f{key}":1"#)).collect();
    let endless = format!("{{{}}}", members.join(","));
    let repeated = format!(r#"{{{},"f1":"x","f599":"x","f599":"x"}}"#, members.join(","));
    let one = seen(&format!("{endless} {repeated}"));
    assert_eq!(one, seen(&format!("{repeated} {endless}")));
    let objects = one.objects.as_deref().unwrap();
    assert_eq!((objects.with_repeated_key, name(&decide(b"f", &one).kind).as_str()), (1, "map(int32)"));
    let mut merged = seen(&endless);
    merged.merge(seen(&repeated));
    assert_eq!(merged, one);
    let mut merged = seen(r#"{"a":2}"#);
    merged.merge(seen(&repeated));
    assert_eq!(merged, seen(&format!(r#"{repeated} {{"a":2}}"#)));
}

#[test]
fn what_is_nested_too_deep_is_json() {
    let nested = format!("{}1{}", "[".repeat(30), "]".repeat(30));
    let mut kind = decide(b"f", &seen(&nested)).kind;
    let mut depth = 0;
    while let DecidedKind::List(element) = kind {
        (kind, depth) = (*element, depth + 1);
    }
    assert_eq!((kind, depth), (DecidedKind::Value(ValueType::Json), 15));
}

#[test]
fn a_narrower_type_that_would_lose_few_is_named() {
    let alternative = |values: &str| decide(b"f", &seen(values)).alternative;
    let ten = "1 2 3 4 5 6 7 8 9";
    let halves = "0.5 1.5 2.5 3.5 4.5 5.5 6.5 7.5 8.5";
    for (values, expected) in [
        (format!("{ten} 3000000000"), Some("int32 would quarantine 1 of 10")),
        (format!("{ten} \"x\""), Some("int32 would quarantine 1 of 10")),
        (format!("{ten} 1.25"), Some("int32 would quarantine 1 of 10")),
        ("1 2 3000000000".to_owned(), None),
        ("1 2 \"x\"".to_owned(), None),
        (r#"1 "2""#.to_owned(), Some("int32 holds all of them, as numbers")),
        (r#""13.1""#.to_owned(), Some("float64 holds all of them, as numbers")),
        (r#""1.10""#.to_owned(), Some("decimal(10,2) holds all of them, as numbers")),
        (r#""0.1000000000000000055""#.to_owned(), Some("float64 would round 1 of 1")),
        ("1 277447099861456945273576150847928801582".to_owned(), Some("float64 would round 1 of 2")),
        ("9007199254740993 1e300".to_owned(), Some("float64 would round 1 of 2")),
        (
            format!("{halves} \"0.1000000000000000055\" \"x\" {halves}"),
            Some("float64 would quarantine 1 and round 1 of 20"),
        ),
        (r#""2024-02-29" "2024-02-29T10:00:00.1234567""#.to_owned(), None),
        (
            format!("{} \"x\"", [r#""2024-02-29T10:00:00.1234567""#; 9].join(" ")),
            Some("timestamp would quarantine 1 and cut digits of 9 of 10"),
        ),
        (r#""true" "false""#.to_owned(), Some("boolean holds all of them, too")),
        ("5000000000".to_owned(), None),
        (
            "1728518447 1731117814".to_owned(),
            Some(
                "timestamp(s) holds all of them, too: 2024-10-10T00:00:47.000000Z to 2024-11-09T02:03:34.000000Z",
            ),
        ),
        ("12.0 1.0".to_owned(), Some("int32 holds all of them, too")),
        (r#""a" "b""#.to_owned(), None),
    ] {
        assert_eq!(alternative(&values).as_deref(), expected, "{values}");
    }
}

#[test]
fn a_name_decides_where_values_could_mean_two_things() {
    for (field, values, expected) in [
        ("v", r#""1.10" "1.20""#, "string"),
        ("price", r#""1.10" "1.20""#, "decimal(10,2)"),
        ("prices", r#"["1.10"]"#, "list(decimal(10,2))"),
        ("price", r#""1.1.0""#, "string"),
        ("api_version", r#""2024-06-20""#, "string"),
        ("apiVersion", r#""2024-06-20T00:00:00Z""#, "string"),
        ("version", r#""101.10""#, "string"),
        ("versions", r#"["2024-06-20"]"#, "list(string)"),
        ("version", "1.10 1.11", "string"),
        ("version", "1.5 2", "string"),
        ("version", "3", "int32"),
        ("conversion", "1.10 1.11", "decimal(10,2)"),
        ("id", "257073", "int64"),
        ("orderId", "1", "int64"),
        ("ids", "[1]", "list(int64)"),
        ("id", r#""257073""#, "string"),
        ("age", "40", "int32"),
        ("created", "1728518447", "timestamp(s)"),
        ("created", "1728518447 0", "int64"),
        ("created", "1728518447 1728518447.5", "float64"),
        ("ts_ms", "1728518864137", "timestamp(ms)"),
        ("updated_at", "1728518864137000", "timestamp(us)"),
        ("__REALTIME_TIMESTAMP", r#""1728518579123456""#, "timestamp(us)"),
        ("ts_ns", "1728518864137000000", "timestamp(ns)"),
        ("timeUnixNano", r#""1728518612000000001""#, "string"),
        ("ts_ns", "1728518612000000001", "int64"),
        ("size", "1728518447", "int64"),
        ("created_id", "1728518447", "int64"),
    ] {
        assert_eq!(name(&decide(field.as_bytes(), &seen(values)).kind), expected, "{field}: {values}");
    }
    let alternative = |field: &str, values: &str| decide(field.as_bytes(), &seen(values)).alternative;
    assert_eq!(alternative("version", r#""1.10""#), None);
    assert_eq!(alternative("id", "1728518447"), None);
    assert_eq!(alternative("created", "1728518447"), None);
    assert_eq!(
        alternative("ts_ns", "1728518612000000001").as_deref(),
        Some("timestamp(ns) would cut digits of 1 of 1: 2024-10-10T00:03:32.000000Z")
    );
    assert_eq!(alternative("id", r#""257073""#).as_deref(), Some("int64 holds all of them, as numbers"));
}

#[test]
fn digits_that_a_timestamp_cuts_are_told() {
    let because = |values: &str| decide(b"at", &seen(values)).because;
    assert_eq!(because(r#""2024-02-29T10:00:00.123456000Z""#), None);
    assert_eq!(
        because(r#""2024-02-29T10:00:00.123456789Z" "2024-02-29""#).as_deref(),
        Some("digits beyond microseconds, in 1 of 2, are cut")
    );
}

#[test]
fn objects_and_lists_among_other_values_are_named_with_their_cost() {
    let alternative = |values: &str| decide(b"f", &seen(values)).alternative;
    let nine = |value: &str| [value; 9].join(" ");
    for (values, expected) in [
        (
            r#"{"x":1,"y":"a"} []"#.to_owned(),
            Some(
                "{ fields = { x = \"int32\", y = \"string\" } } would quarantine 1 of 2: empty lists, as PHP writes an object without members",
            ),
        ),
        (
            r"[1] {}".to_owned(),
            Some(
                "\"list(int32)\" would quarantine 1 of 2: empty objects, as some programs write a list without elements",
            ),
        ),
        (nine(r#"["a"]"#) + r#" "a""#, Some("\"list(string)\" would quarantine 1 of 10")),
        (
            nine(r#"{"o":{"a.b":[{"c":1}]}}"#) + " false",
            Some(
                "{ fields = { o = { fields = { \"a.b\" = { list = { fields = { c = \"int32\" } } } } } } } would quarantine 1 of 10",
            ),
        ),
        (nine(r#"{"x":1}"#) + " [2]", Some("{ fields = { x = \"int32\" } } would quarantine 1 of 10")),
        (r#"{"x":1} [2]"#.to_owned(), None),
        (r#"{"17":1} []"#.to_owned(), None),
        ("{} []".to_owned(), None),
    ] {
        assert_eq!(alternative(&values).as_deref(), expected, "{values}");
    }
    let wide: Vec<_> = (0..60).map(|field| format!(r#""field_{field}":1"#)).collect();
    assert_eq!(
        alternative(&format!("{{{}}} []", wide.join(","))).as_deref().map(|told| &told[..33]),
        Some("an object of 60 fields would quar")
    );
}
