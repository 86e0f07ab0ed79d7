//! Are maps what their catalog says: any keys in the order of the event, each once, in both layouts, also of
//! objects with a name, and when rows are merged or spilled?

use std::{fmt::Write as _, path::PathBuf};

use serde_json::json;

use crate::support::{
    events::file_of,
    files::{assert_same_tree, published},
    readback::{details, encodings_of, rows, schema_of, text_of},
    workdir::{Loader, Workdir},
};

const CATALOG: &str = r#"
[types.price]
fields = { value = { type = "decimal(6,2)", required = true, column = "amount", description = "Without tax" }, at = "timestamp(s)" }

[types.person.fields]
name   = "string"
prices = "map(price)"

[domain.shop.events.sale.fields]
m = "map(string)"
n = { type = "map(int32)", column = "counts" }
d = "map(map(list(date)))"
p = { map = { list = "price" }, description = "By currency" }
b = "person"
l = "list(map(json))"
"#;

fn sale(event_id: &str, data: &str) -> String {
    format!(
        r#"{{"event_id": "{event_id}", "timestamp": "2025-01-01T00:00:00", "domain": "shop", "event_type": "sale", "data": {data}}}"#
    )
}

fn load(dir: &Workdir, target: &str, payloads: &[&str]) -> Loader {
    let lines = payloads.iter().enumerate().map(|(index, data)| sale(&format!("e{index}"), data));
    let source = dir.write("in.json", file_of(lines));
    dir.write("shop.toml", CATALOG);
    dir.loader_into(target).source(source).args(["--backfill", "--catalog", "shop.toml"])
}

fn payloads(dir: &Workdir) -> Vec<String> {
    rows(&dir.target()).values().flatten().map(|row| row[4..].join(" ")).collect()
}

fn file(dir: &Workdir) -> PathBuf {
    dir.target().join("2025/01/01/sale/part-00000.zstd.parquet")
}

const GOOD: [&str; 5] = [
    r#"{"m": {"b": "x", "a": 1.50, "": null, "\u0062\n": {"y": [ 1 ]}, "é": true}, "n": {"1": "2", "x": 3.0}}"#,
    r#"{"m": {}, "d": {"a": {"b": ["2025-01-01", null], "c": []}, "d": {}, "e": null}, "l": [{"a": 1, "b": "c"}, {}, null]}"#,
    r#"{"p": {"EUR": [{"value": 1.005, "at": 1728518407, "x": 1}, null], "USD": []}}"#,
    r#"{"b": {"name": "Zoë", "prices": {"EUR": {"value": "2"}, "USD": null}}, "m": null}"#,
    r#"{"b": {"prices": {}}, "x": {"m": 1}}"#,
];

const ROWS: [&str; 5] = [
    r#"map("b" = "x", "a" = "1.50", "" = null, "b\n" = "{\"y\":[1]}", "é" = "true") map("1" = 2, "x" = 3) null null null null null"#,
    r#"map() null map("a" = map("b" = [2025-01-01, null], "c" = []), "d" = map(), "e" = null) null null null [map("a" = "1", "b" = "\"c\""), map(), null]"#,
    r#"null null null map("EUR" = [{amount: 1.01, at: 2024-10-10T00:00:07.000000Z}, null], "USD" = []) null null null"#,
    r#"null null null null "Zoë" map("EUR" = {amount: 2.00, at: null}, "USD" = null) null"#,
    "null null null null null map() null",
];

#[test]
fn maps_have_any_keys_in_the_order_of_the_event() {
    for flatten in ["true", "false"] {
        for encodings in ["compact", "basic"] {
            let dir = Workdir::new();
            let flags = ["-f", flatten, "--encodings", encodings];
            let outcome = load(&dir, "target", &GOOD).args(flags).succeeds();
            assert_eq!(payloads(&dir), ROWS);
            let report = outcome.report();
            assert_eq!(report["unknown_fields"], json!({"data.p.x": 1, "data.x": 1}));
            assert_eq!(report["coerced"], json!({"data.m": 1, "data.n": 1, "data.b.prices.value": 1}));
            assert_eq!(report["rounded"], json!({"data.p.value": 1}));
            dir.bare_loader().arg("verify").arg(dir.target()).succeeds();
            if encodings == "basic" {
                let known = ["PLAIN", "RLE", "RLE_DICTIONARY"];
                let found = encodings_of(&file(&dir));
                assert!(found.iter().all(|encoding| known.contains(&encoding.as_str())), "{found:?}");
            }
        }
    }
}

#[test]
fn what_does_not_fit_a_map_is_named_by_its_key() {
    let dir = Workdir::new();
    let lines = [
        "{}",
        r#"{"m": [["a", 1]]}"#,
        r#"{"m": "{}"}"#,
        r#"{"n": {"a": 1, "b": 2147483648}}"#,
        r#"{"d": {"a": {}, "b \"c\"\u0001": {"d": ["2025-01-01", "2025-02-30"]}}}"#,
        r#"{"p": {"EUR": [{"value": 1}, {"at": 1}]}}"#,
        r#"{"p": {"EUR": [{"value": 1}, {"value": 2, "\u0076alue": 3}]}}"#,
        r#"{"b": {"prices": {"EUR": 5}}}"#,
        r#"{"l": [{}, {"a": 1, "b": 2, "a": 3}]}"#,
        // A key that occurs twice is reported before any value, however both are written.
        r#"{"n": "x", "m": {"a": 1, "b": 2, "\u0061": 3}}"#,
        r#"{"m": {"0": 0, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "6": 6, "7": 7, "8": 8, "\u0034": 9, "1": 1}}"#,
        r#"{"d": {"a": {"b": null, "b": null}, "a": null}}"#,
    ];
    load(&dir, "target", &lines).succeeds();
    assert_eq!(payloads(&dir), ["null null null null null null null"]);
    let long = "a date like 2024-10-10 that exists, of the years 0001 to 9999";
    assert_eq!(
        details(&dir.target()),
        [
            "type_mismatch data.m: expected map(string), found [[\"a\", 1]]".to_owned(),
            "type_mismatch data.m: expected map(string), found \"{}\"".to_owned(),
            "out_of_range data.n[\"b\"]: expected int32, in its range, found 2147483648".to_owned(),
            format!(r#"type_mismatch data.d["b \"c\"\u0001"]["d"][1]: expected {long}, found "2025-02-30""#),
            "type_mismatch data.p[\"EUR\"][1].value: expected a value (required), found nothing".to_owned(),
            "duplicate_key data.p[\"EUR\"][1].value: expected the key once, found it twice".to_owned(),
            "type_mismatch data.b.prices[\"EUR\"]: expected an object, found 5".to_owned(),
            "duplicate_key data.l[1][\"a\"]: expected the key once, found it twice".to_owned(),
            "duplicate_key data.m[\"\\u0061\"]: expected the key once, found it twice".to_owned(),
            "duplicate_key data.m[\"\\u0034\"]: expected the key once, found it twice".to_owned(),
            "duplicate_key data.d[\"a\"][\"b\"]: expected the key once, found it twice".to_owned(),
        ]
    );
}

#[test]
fn files_have_maps_as_the_parquet_format_has_them() {
    let dir = Workdir::new();
    load(&dir, "target", &GOOD).succeeds();
    let schema = schema_of(&file(&dir));
    assert!(schema.contains(FLAT_SCHEMA), "{schema}");
    load(&dir, "nested", &GOOD).args(["-f", "false"]).succeeds();
    let schema = schema_of(&dir.path("nested/2025/01/01/sale/part-00000.zstd.parquet"));
    assert!(schema.contains(NESTED_SCHEMA), "{schema}");
}

const FLAT_SCHEMA: &str = "  OPTIONAL group data_m (MAP) {
    REPEATED group key_value {
      REQUIRED BYTE_ARRAY key (STRING);
      OPTIONAL BYTE_ARRAY value (STRING);
    }
  }
  OPTIONAL group counts (MAP) {
    REPEATED group key_value {
      REQUIRED BYTE_ARRAY key (STRING);
      OPTIONAL INT32 value;
    }
  }
";

const NESTED_SCHEMA: &str = "    OPTIONAL group b {
      OPTIONAL BYTE_ARRAY name (STRING);
      OPTIONAL group prices (MAP) {
        REPEATED group key_value {
          REQUIRED BYTE_ARRAY key (STRING);
          OPTIONAL group value {
            OPTIONAL INT32 amount (DECIMAL(6,2));
            OPTIONAL INT64 at (TIMESTAMP(MICROS,true));
          }
        }
      }
    }
";

/// Entries are in the order of the event, so another order is another version, as it is of a `json`.
#[test]
fn the_order_of_keys_is_part_of_a_version() {
    let dir = Workdir::new();
    dir.write("shop.toml", CATALOG);
    let [first, same, other] = [
        r#"{"m": {"a": "1", "b": "2"}, "n": {"x": 1}}"#,
        r#"{"n": {"\u0078": 1.0}, "m": { "a" : "1", "b": "2" }}"#,
        r#"{"m": {"b": "2", "a": "1"}, "n": {"x": 1}}"#,
    ];
    let merge = |target: &str, data: &[&str]| {
        let source = dir.write("in.json", file_of(data.iter().map(|data| sale("e", data))));
        let flags = ["-b", "--mode", "merge", "--catalog", "shop.toml"];
        dir.loader_into(target).source(source).args(flags).succeeds()
    };
    let one = merge("one", &[first, same, other]);
    assert_eq!((one.count("redelivered"), one.count("corrected")), (1, 1), "{one}");
    merge("parts", &[first]);
    assert_eq!(merge("parts", &[same]).count("redelivered"), 1);
    merge("parts", &[other]);
    assert_eq!(text_of(&rows(&dir.path("parts"))), text_of(&rows(&dir.path("one"))));
    assert!(text_of(&rows(&dir.path("one")))[0].contains(r#"map("b" = "2", "a" = "1") map("x" = 1)"#));
}

/// Enough rows to be spilled with 64 MiB.
fn large_input(dir: &Workdir) -> [PathBuf; 2] {
    let mut parts = [String::new(), String::new()];
    for index in 0..40_000_u32 {
        let second = index.wrapping_mul(2_654_435_761) % 86_400;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let prices: Vec<_> = (0..index % 5)
            .map(|item| format!(r#""C{item}": [{{"value": {item}.5, "at": {index}}}, null]"#))
            .collect();
        writeln!(
            parts[usize::from(index % 3 == 0)],
            "{{\"event_id\": \"{}\", \"timestamp\": \"2025-01-01T{hour:02}:{minute:02}:{second:02}\", \"domain\": \"shop\", \
             \"event_type\": \"sale\", \"data\": {{\"m\": {{\"k{}\": \"{index:0300}\", \"z\": null}}, \"p\": {{{}}}}}}}",
            index / 2 * 3,
            index % 17,
            prices.join(", ")
        )
        .unwrap();
    }
    let [first, second] = parts;
    [dir.write("1.json", first), dir.write("2.json", second)]
}

#[test]
fn spilled_merged_or_neither_the_bytes_are_the_same() {
    let dir = Workdir::new();
    dir.write("shop.toml", CATALOG);
    let [first, second] = large_input(&dir);
    for flatten in ["true", "false"] {
        let load = |target: &str, sources: &[&PathBuf], flags: &[&str]| {
            let loader = dir.loader_into(target).args(["-b", "--catalog", "shop.toml", "-f", flatten]);
            let loader = sources.iter().fold(loader, Loader::source);
            loader.args(flags).succeeds();
            published(&dir.path(target))
        };
        let [large, small, merged] = ["large", "small", "merged"].map(|name| format!("{name}-{flatten}"));
        let large = load(&large, &[&first, &second], &["--memory", "2GiB", "--threads", "1"]);
        let small = load(&small, &[&first, &second], &["--memory", "64MiB", "--threads", "3"]);
        assert_same_tree(&large, &small, "with 64 MiB and three threads");
        load(&merged, &[&first], &["--mode", "merge"]);
        let merged = load(&merged, &[&second], &["--mode", "merge"]);
        assert_same_tree(&large, &merged, "in two merges");
    }
}

/// As deep as a catalog may be. One thread: without optimisation, a level takes 40 KB of a stack when it is
/// written.
#[test]
fn fields_of_64_levels_are_written_and_read() {
    let dir = Workdir::new();
    // 42 objects and 21 maps.
    let types = (0..42)
        .map(|level| {
            let next = if level == 41 { "int32".to_owned() } else { format!("t{}", level + 1) };
            let next = if level % 2 == 0 { format!("map({next})") } else { next };
            format!("[types.t{level}.fields]\na = '{next}'\n")
        })
        .collect::<Vec<_>>()
        .concat();
    dir.write("shop.toml", format!("{types}[domain.shop.events.sale.fields]\nx = 't0'\ny = 'list(t0)'\n"));
    let deep = (0..42).rev().fold("1".to_owned(), |inner, level| match level % 2 {
        0 => format!(r#"{{"a": {{"k": {inner}}}}}"#),
        _ => format!(r#"{{"a": {inner}}}"#),
    });
    dir.write("in.json", file_of([sale("e", &format!(r#"{{"x": {deep}, "y": [{deep}]}}"#))]));
    for flatten in ["true", "false"] {
        let load = || {
            let flags = ["-b", "--mode", "merge", "--threads", "1", "--catalog", "shop.toml", "-f", flatten];
            dir.loader_into(flatten).source("in.json").args(flags).succeeds()
        };
        assert_eq!(load().count("written"), 1);
        assert_eq!(load().count("redelivered"), 1);
        dir.bare_loader().arg("verify").arg(dir.path(flatten)).succeeds();
    }
}
