//! Are lists, objects in lists and required fields what their catalog says, in both layouts and when rows are
//! spilled?

use std::{fmt::Write as _, path::PathBuf};

use serde_json::json;

use crate::support::{
    events::file_of,
    files::{assert_same_tree, published},
    readback::{details, rows, rows_of, schema_of},
    workdir::{Loader, Workdir},
};

/// An event of the only type of [`catalog_of`].
fn sale(event_id: &str, data: &str) -> String {
    format!(
        r#"{{"event_id": "{event_id}", "timestamp": "2025-01-01T00:00:00", "domain": "shop", "event_type": "sale", "data": {data}}}"#
    )
}

/// A catalog of one type, with these fields.
fn catalog_of(fields: &str) -> String {
    format!("[domain.shop.events.sale.fields]\n{fields}\n")
}

/// Loads payloads of a type with these fields; flags follow.
fn load(dir: &Workdir, fields: &str, payloads: &[&str]) -> Loader {
    let lines = payloads.iter().enumerate().map(|(index, data)| sale(&format!("e{index}"), data));
    let source = dir.write("in.json", file_of(lines));
    let catalog = dir.write("catalog.toml", catalog_of(fields));
    dir.loader().source(source).arg("--backfill").arg("--catalog").arg(catalog)
}

/// The payload's columns of all rows.
fn payloads(dir: &Workdir) -> Vec<String> {
    let rows = rows(&dir.target());
    rows.values().flatten().map(|row| row[4..].join(" ")).collect()
}

/// The only file of the only partition.
fn file(dir: &Workdir) -> PathBuf {
    dir.target().join("2025/01/01/sale/part-00000.zstd.parquet")
}

#[test]
fn lists_hold_values_of_any_type() {
    let dir = Workdir::new();
    let fields = "n = 'list(int32)'\nm = 'list(decimal(5,2))'\nt = 'list(timestamp)'\nj = 'list(json)'\nd = 'list(list(date))'";
    let payloads_in = [
        r#"{"n": [1, "2", 3.0, null], "m": [1.005, "7"], "t": ["2025-01-01 00:00:00Z"], "j": [1, {"a": [ ]}, null], "d": [["2025-01-01"], [], null]}"#,
        r#"{"n": [ ], "m": null, "d": [[null, "2024-02-29"]]}"#,
        r#"{"n": 1}"#,
        r#"{"n": [1, 2147483648]}"#,
        r#"{"n": [1, 2, [3]]}"#,
        r#"{"m": [1000]}"#,
        r#"{"d": [[], ["2025-01-01", "2025-02-30"]]}"#,
        r#"{"d": [[], "2025-01-01"]}"#,
        r#"{"n": {"0": 1}}"#,
        r#"{"n": [5]}"#,
    ];
    load(&dir, fields, &payloads_in).succeeds();
    assert_eq!(
        payloads(&dir),
        [
            r#"[1, 2, 3, null] [1.01, 7.00] [2025-01-01T00:00:00.000000Z] ["1", "{\"a\":[]}", null] [[2025-01-01], [], null]"#,
            "[] null null null [[null, 2024-02-29]]",
            "[5] null null null null",
        ]
    );
    assert_eq!(
        details(&dir.target()),
        [
            "type_mismatch data.n: expected list(int32), found 1",
            "out_of_range data.n[1]: expected int32, in its range, found 2147483648",
            "type_mismatch data.n[2]: expected int32, found [3]",
            "out_of_range data.m[0]: expected decimal(5,2): at most 3 digits before the point, found 1000",
            "type_mismatch data.d[1][1]: expected a date like 2024-10-10 that exists, of the years 0001 to 9999, found \"2025-02-30\"",
            "type_mismatch data.d[1]: expected list(date), found \"2025-01-01\"",
            "type_mismatch data.n: expected list(int32), found {\"0\": 1}",
        ]
    );
}

const ITEMS: &str = "items = { list = { fields = { \
     sku = { type = 'string', required = true, column = 'article' }, \
     price = { fields = { value = 'decimal(6,2)' } }, \
     sizes = 'list(int32)', \
     parts = { list = { fields = { n = 'int32' } } } } } }\nn = 'int32'";

#[test]
fn lists_hold_objects() {
    let dir = Workdir::new();
    let lines = [
        r#"{"items": [{"sku": "a", "price": {"value": 1.5, "tax": 1}, "sizes": [1], "parts": [{"n": 1}, null, {}]}, null, {"parts": [], "sku": "b", "x": {"y": 1}}], "n": 7}"#,
        r#"{"items": []}"#,
        r#"{"items": [{"sku": "a", "price": null, "parts": [{"n": 1, "o": 2}]}, {"sku": "b", "x": 1, "x": 2}]}"#,
        r#"{"items": [{"sku": "a"}, {"sku": null}]}"#,
        r#"{"items": [{"sku": "a"}, {}]}"#,
        r#"{"items": [{"sku": "a"}, 5]}"#,
        r#"{"items": [{"sku": "a", "price": 5}]}"#,
        r#"{"items": [{"sku": "a", "parts": [{}, {"n": "x"}]}]}"#,
        r#"{"items": [{"sku": "a", "sizes": [1, 2, 2.5]}]}"#,
        r#"{"items": [{"sku": "a"}, {"sku": "b", "sku": "b"}]}"#,
        // A key that occurs twice is reported before any value.
        r#"{"items": [{"sku": 1, "price": 5}, {"sku": "b", "parts": [{}, {"n": 1, "\u006e": 1}]}], "n": "x"}"#,
        r#"{"items": {"sku": "a"}}"#,
    ];
    let outcome = load(&dir, ITEMS, &lines).succeeds();
    assert_eq!(
        payloads(&dir),
        [
            r#"[{article: "a", price: {value: 1.50}, sizes: [1], parts: [{n: 1}, null, {n: null}]}, null, {article: "b", price: null, sizes: null, parts: []}] 7"#,
            "[] null",
            r#"[{article: "a", price: null, sizes: null, parts: [{n: 1}]}, {article: "b", price: null, sizes: null, parts: null}] null"#,
        ]
    );
    assert_eq!(
        details(&dir.target()),
        [
            "type_mismatch data.items[1].sku: expected a value (required), found null",
            "type_mismatch data.items[1].sku: expected a value (required), found nothing",
            "type_mismatch data.items[1]: expected an object, found 5",
            "type_mismatch data.items[0].price: expected an object, found 5",
            "type_mismatch data.items[0].parts[1].n: expected int32, found \"x\"",
            "type_mismatch data.items[0].sizes[2]: expected int32, found 2.5",
            "duplicate_key data.items[1].sku: expected the key once, found it twice",
            "duplicate_key data.items[1].parts[1].n: expected the key once, found it twice",
            "type_mismatch data.items: expected list(object), found {\"sku\": \"a\"}",
        ]
    );
    assert_eq!(
        outcome.report()["unknown_fields"],
        json!({"data.items.price.tax": 1, "data.items.x": 2, "data.items.parts.o": 1})
    );
}

#[test]
fn what_is_required_must_be_there() {
    let dir = Workdir::new();
    let fields = "id = { type = 'int32', required = true }\n\
         shop = { required = true, fields = { name = 'string' } }\n\
         place = { fields = { city = { type = 'string', required = true } } }\n\
         tags = { type = 'list(string)', required = true }";
    let good = r#"{"id": 1, "shop": {}, "place": {"city": "x"}, "tags": []}"#;
    let lines = [
        good,
        r#"{"shop": {}, "place": {"city": "x"}, "tags": []}"#,
        r#"{"id": null, "shop": {}, "place": {"city": "x"}, "tags": []}"#,
        r#"{"id": 1, "place": {"city": "x"}, "tags": []}"#,
        r#"{"id": 1, "shop": null, "place": {"city": "x"}, "tags": []}"#,
        r#"{"id": 1, "shop": 5, "place": {"city": "x"}, "tags": []}"#,
        r#"{"id": 1, "shop": {}, "tags": []}"#,
        r#"{"id": 1, "shop": {}, "place": {"city": "x"}, "tags": null}"#,
        "null",
    ];
    let outcome = load(&dir, fields, &lines).succeeds();
    assert_eq!(payloads(&dir), [r#"1 null "x" []"#]);
    assert_eq!(
        details(&dir.target()),
        [
            "type_mismatch data.id: expected a value (required), found nothing",
            "type_mismatch data.id: expected a value (required), found null",
            "type_mismatch data.shop: expected a value (required), found nothing",
            "type_mismatch data.shop: expected a value (required), found null",
            "type_mismatch data.shop: expected an object, found 5",
            "type_mismatch data.place.city: expected a value (required), found nothing",
            "type_mismatch data.tags: expected a value (required), found null",
            "type_mismatch data.shop: expected a value (required), found nothing",
        ]
    );
    assert_eq!(outcome.reasons(), [("type_mismatch".to_owned(), 8)].into());
}

#[test]
fn the_nested_layout_has_lists_and_the_members_names() {
    let dir = Workdir::new();
    let fields = format!("{ITEMS}\nid = {{ type = 'int32', column = 'sale_id' }}");
    let lines = [r#"{"items": [{"sku": "a", "price": {"value": 1}}, null], "n": 7, "id": 1}"#, "null"];
    load(&dir, &fields, &lines).args(["-f", "false"]).succeeds();
    let schema = schema_of(&file(&dir));
    assert!(schema.contains(NESTED_SCHEMA), "{schema}");
    assert_eq!(
        payloads(&dir),
        [r#"[{article: "a", price: {value: 1.00}, sizes: null, parts: null}, null] 7 1"#, "null null null"]
    );
}

const NESTED_SCHEMA: &str = "  OPTIONAL group data {
    OPTIONAL group items (LIST) {
      REPEATED group list {
        OPTIONAL group element {
          OPTIONAL BYTE_ARRAY article (STRING);
          OPTIONAL group price {
            OPTIONAL INT32 value (DECIMAL(6,2));
          }
          OPTIONAL group sizes (LIST) {
            REPEATED group list {
              OPTIONAL INT32 element;
            }
          }
          OPTIONAL group parts (LIST) {
            REPEATED group list {
              OPTIONAL group element {
                OPTIONAL INT32 n;
              }
            }
          }
        }
      }
    }
    OPTIONAL INT32 n;
    OPTIONAL INT32 sale_id;
  }
";

#[test]
fn a_type_without_fields_is_loaded_in_both_layouts() {
    for flatten in ["true", "false"] {
        let dir = Workdir::new();
        let outcome = load(&dir, "", &[r#"{"id": 1}"#, "null"]).args(["-f", flatten]).succeeds();
        assert_eq!(outcome.count("written"), 2, "{outcome}");
        assert_eq!(rows_of(&file(&dir))[0].len(), 4);
    }
}

/// Enough rows to be spilled with 64 MiB, with lists and objects in them.
fn large_input(dir: &Workdir) -> PathBuf {
    let mut lines = String::new();
    for index in 0..60_000_u32 {
        let items: Vec<_> = (0..index % 5)
            .map(|item| format!(r#"{{"sku": "{item}-{index:0240}", "sizes": [{index}, null], "parts": [{{"n": {item}}}, {{}}]}}"#))
            .collect();
        let second = index.wrapping_mul(2_654_435_761) % 86_400;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        writeln!(
            lines,
            "{{\"event_id\": \"{}\", \"timestamp\": \"2025-01-01T{hour:02}:{minute:02}:{second:02}\", \"domain\": \"shop\", \
             \"event_type\": \"sale\", \"data\": {{\"items\": [{}], \"n\": {index}}}}}",
            index / 2 * 3,
            items.join(",")
        )
        .unwrap();
    }
    dir.write("large.json", lines)
}

#[test]
fn spilled_or_not_and_with_any_number_of_threads_the_bytes_are_the_same() {
    let dir = Workdir::new();
    let source = large_input(&dir);
    dir.write("catalog.toml", catalog_of(ITEMS));
    for flatten in ["true", "false"] {
        let run = |target: &str, flags: [&str; 4]| {
            let loader = dir.loader_into(target).source(&source).args(["-b", "--catalog", "catalog.toml"]);
            loader.args(["-f", flatten]).args(flags).succeeds();
            published(&dir.path(target))
        };
        let large = run(&format!("large-{flatten}"), ["--memory", "2GiB", "--threads", "1"]);
        let small = run(&format!("small-{flatten}"), ["--memory", "64MiB", "--threads", "3"]);
        assert_same_tree(&large, &small, "with 64 MiB and three threads");
    }
}
