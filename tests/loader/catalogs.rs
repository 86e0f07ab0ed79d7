//! Are events of the user's own loaded as a catalog says, and is a wrong catalog told its line?

use serde_json::json;

use crate::{
    events::{account_open, file_of},
    files::{assert_same_tree, published, tree},
    readback::{self, metadata_entries_of, quarantine_records, rows, rows_of, schema_of, text_of},
    support::{Loader, Outcome, Workdir},
};

const CARD: &str = r#"
[domain.card]
description = "Cards of all kinds"

[domain.card.fields]
id = { type = "string", required = true, column = "card_id", description = "The card" }
amount = { description = "What was paid", fields = { value = "decimal(12,2)", currency = "string" } }
merchant = { column = "shop", fields = { name = "string", mcc = "int32", address = { fields = { city = "string", geo = { fields = { lat = "float64", lon = "float64" } } } } } }
tags = "list(string)"
approved = "boolean"

[domain.card.events.authorization]
description = "A payment was asked for"

[domain.card.events.settlement]
directory = "card-settlement"

[domain.card.events.settlement.fields]
settled_at = "timestamp"

[domain.card.events.dispute.fields]
reason = "json"
"#;

const CUSTOMER: &str = r#"
[domain.customer.events.created.fields]
id = { type = "int64", required = true }
name = "string"
address = { required = true, fields = { city = "string", zip = "string" } }
born = "date"
"#;

/// Events as another application writes them: nested, with lists, any offset, any script.
const EVENTS: [&str; 5] = [
    r#"{"event_id": "a1", "timestamp": "2025-03-29T22:22:19", "domain": "card", "event_type": "authorization", "data": {"id": "crd_1", "amount": {"value": "1283.94", "currency": "EUR"}, "merchant": {"name": "Livraria \"Aurora\"", "mcc": 4111, "address": {"city": "東京", "geo": {"lat": 24.519456, "lon": -43.786506}}}, "tags": [], "approved": true}}"#,
    r#"{"event_id": "a2", "timestamp": "2025-03-29T23:42:44.250Z", "domain": "card", "event_type": "authorization", "data": {"id": "crd_2", "amount": {"value": 18.005, "currency": "JPY"}, "merchant": null, "tags": ["online", null, "3ds"], "approved": false}}"#,
    r#"{"event_id": "s1", "timestamp": "2025-03-29T23:02:56-03:00", "domain": "card", "event_type": "settlement", "data": {"id": "crd_3", "tags": null, "settled_at": "2025-03-30T23:02:56"}}"#,
    r#"{"event_id": "d1", "timestamp": "2025-03-29T23:28:20", "domain": "card", "event_type": "dispute", "data": {"id": "crd_4", "amount": {}, "reason": {"code": "13.1", "text": null}}}"#,
    r#"{"event_id": "c1", "timestamp": "2025-03-30T03:36:30+0900", "domain": "customer", "event_type": "created", "data": {"id": 921463507191, "name": "李雷", "address": {"street": "Rua 58", "city": "München", "zip": "36463"}, "born": "1950-03-16"}}"#,
];

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

/// `field: expected …, found …` of the bad lines.
fn details(dir: &Workdir) -> Vec<String> {
    let text = |record: &serde_json::Value| {
        let text = |key: &str| record["detail"][key].as_str().unwrap_or_default().to_owned();
        let reason = record["reason"].as_str().unwrap();
        format!("{reason} {}: expected {}, found {}", text("field"), text("expected"), text("found"))
    };
    quarantine_records(&dir.target()).iter().map(|(record, _)| text(record)).collect()
}

fn file(dir: &Workdir, partition: &str) -> std::path::PathBuf {
    dir.target().join(partition).join("part-00000.zstd.parquet")
}

#[test]
fn events_of_other_domains_are_loaded_as_their_catalogs_say() {
    let dir = Workdir::new();
    dir.write("catalogs/card.toml", CARD);
    dir.write("catalogs/customer.toml", CUSTOMER);
    let source = dir.write("in.json", file_of(EVENTS));
    let outcome = dir.loader().source(source).args(["-b", "--catalog", "catalogs"]).succeeds();
    assert_eq!((outcome.count("written"), outcome.count("quarantined.total")), (5, 0), "{outcome}");
    assert_eq!(outcome.report()["unknown_fields"], json!({"data.address.street": 1}));
    assert_eq!(
        text_of(&rows(&dir.target())),
        [
            r#"2025/03/29/authorization: "a1" 2025-03-29T22:22:19.000000Z "card" "authorization" "crd_1" 1283.94 "EUR" "Livraria \"Aurora\"" 4111 "東京" 24.519456 -43.786506 [] true"#,
            r#"2025/03/29/authorization: "a2" 2025-03-29T23:42:44.250000Z "card" "authorization" "crd_2" 18.01 "JPY" null null null null null ["online", null, "3ds"] false"#,
            r#"2025/03/29/created: "c1" 2025-03-29T18:36:30.000000Z "customer" "created" 921463507191 "李雷" "München" "36463" 1950-03-16"#,
            r#"2025/03/29/dispute: "d1" 2025-03-29T23:28:20.000000Z "card" "dispute" "crd_4" null null null null null null null null null "{\"code\":\"13.1\",\"text\":null}""#,
            r#"2025/03/30/card-settlement: "s1" 2025-03-30T02:02:56.000000Z "card" "settlement" "crd_3" null null null null null null null null null 2025-03-30T23:02:56.000000Z"#,
        ]
    );
    assert_eq!(schema_of(&file(&dir, "2025/03/29/authorization")), CARD_SCHEMA);
}

const CARD_SCHEMA: &str = "\
message arrow_schema {
  OPTIONAL BYTE_ARRAY event_id (STRING);
  OPTIONAL INT64 timestamp (TIMESTAMP(MICROS,true));
  OPTIONAL BYTE_ARRAY domain (STRING);
  OPTIONAL BYTE_ARRAY event_type (STRING);
  OPTIONAL BYTE_ARRAY card_id (STRING);
  OPTIONAL INT64 data_amount_value (DECIMAL(12,2));
  OPTIONAL BYTE_ARRAY data_amount_currency (STRING);
  OPTIONAL BYTE_ARRAY shop_name (STRING);
  OPTIONAL INT32 shop_mcc;
  OPTIONAL BYTE_ARRAY shop_address_city (STRING);
  OPTIONAL DOUBLE shop_address_geo_lat;
  OPTIONAL DOUBLE shop_address_geo_lon;
  OPTIONAL group data_tags (LIST) {
    REPEATED group list {
      OPTIONAL BYTE_ARRAY element (STRING);
    }
  }
  OPTIONAL BOOLEAN data_approved;
}
";

#[test]
fn descriptions_are_in_the_files() {
    let dir = Workdir::new();
    dir.write("card.toml", CARD);
    let source = dir.write("in.json", file_of([EVENTS[0], EVENTS[2]]));
    dir.loader().source(&source).args(["-b", "--catalog", "card.toml"]).succeeds();
    let fields = ["description.card_id: The card", "description.data_amount: What was paid"];
    assert_eq!(
        metadata_entries_of(&file(&dir, "2025/03/29/authorization")),
        [&["description: A payment was asked for"][..], &fields].concat()
    );
    assert_eq!(metadata_entries_of(&file(&dir, "2025/03/30/card-settlement")), fields);
    dir.loader_into("nested")
        .source(&source)
        .args(["-b", "-f", "false", "--catalog", "card.toml"])
        .succeeds();
    assert_eq!(
        metadata_entries_of(&dir.path("nested/2025/03/30/card-settlement/part-00000.zstd.parquet")),
        ["description.data.card_id: The card", "description.data.amount: What was paid"]
    );
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
        details(&dir),
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
        // A key that occurs twice is told of before any value.
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
        details(&dir),
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
        details(&dir),
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
    let schema = schema_of(&file(&dir, "2025/01/01/sale"));
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
        assert_eq!(rows_of(&file(&dir, "2025/01/01/sale"))[0].len(), 4);
    }
}

/// Rows enough to be spilled in 64 MiB, with lists and objects in them.
fn large_input(dir: &Workdir) -> std::path::PathBuf {
    let mut lines = String::new();
    for index in 0..60_000_u32 {
        let items: Vec<_> = (0..index % 5)
            .map(|item| format!(r#"{{"sku": "{item}-{index:0240}", "sizes": [{index}, null], "parts": [{{"n": {item}}}, {{}}]}}"#))
            .collect();
        let second = index.wrapping_mul(2_654_435_761) % 86_400;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        lines += &format!(
            "{{\"event_id\": \"{}\", \"timestamp\": \"2025-01-01T{hour:02}:{minute:02}:{second:02}\", \"domain\": \"shop\", \
             \"event_type\": \"sale\", \"data\": {{\"items\": [{}], \"n\": {index}}}}}\n",
            index / 2 * 3,
            items.join(",")
        );
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

#[test]
fn a_built_in_type_is_replaced_and_the_others_stay() {
    let dir = Workdir::new();
    let catalog = "[domain.account.events.account-open]\ndirectory = 'opened'\n\
         [domain.account.events.account-open.fields]\nid = { type = 'string', column = 'account_id' }\n";
    dir.write("own.toml", catalog);
    let close = account_open("b", "2024-10-10T08:00:00", 2).replace("account-open", "account-close");
    let source = dir.write("in.json", file_of([account_open("a", "2024-10-10T08:00:00", 1), close]));
    let outcome = dir.loader().source(&source).args(["-b", "--catalog", "own.toml"]).succeeds();
    assert_eq!(
        outcome.partitions(),
        ["2024/10/10/account-close 1 created", "2024/10/10/opened 1 created"],
        "{outcome}"
    );
    assert_eq!(rows_of(&file(&dir, "2024/10/10/opened"))[0][4..], ["\"1\""]);
    assert_eq!(rows_of(&file(&dir, "2024/10/10/account-close"))[0].len(), 8);
}

#[test]
fn catalogs_come_from_flags_or_else_from_the_environment() {
    let dir = Workdir::new();
    dir.write("a/card.toml", CARD);
    dir.write("a/.card.toml", "an editor's");
    dir.write("a/notes.txt", "no catalog");
    dir.write("customer.toml", CUSTOMER);
    let source = dir.write("in.json", file_of(EVENTS));
    let written = |arrange: &dyn Fn(Loader) -> Loader| -> u64 {
        let loader = dir.loader().source(&source).args(["-b", "--dry-run"]);
        arrange(loader).succeeds().count("written")
    };
    let variable = "EVENTLOADER_CATALOG";
    assert_eq!(written(&|loader| loader), 0);
    assert_eq!(written(&|loader| loader.env(variable, "")), 0);
    assert_eq!(written(&|loader| loader.env(variable, "customer.toml")), 1);
    assert_eq!(written(&|loader| loader.env(variable, "customer.toml:a:")), 5);
    assert_eq!(written(&|loader| loader.args(["--catalog", "a", "--catalog", "customer.toml"])), 5);
    // The flag decides alone.
    assert_eq!(written(&|loader| loader.env(variable, "a").args(["--catalog", "customer.toml"])), 1);
    assert_eq!(written(&|loader| loader.env(variable, "no/such/file").args(["--catalog", "a"])), 4);
    // A file that is named twice is one.
    assert_eq!(written(&|loader| loader.args(["--catalog", "a", "--catalog", "a/card.toml"])), 4);
}

/// A load with these catalogs must fail in one line that holds `parts`, with nothing written.
#[track_caller]
fn is_refused(catalogs: &[(&str, &str)], flags: &[&str], parts: &[&str]) -> Outcome {
    let dir = Workdir::new();
    let source = dir.write("in.json", file_of(EVENTS));
    for (name, text) in catalogs {
        dir.write(name, text);
    }
    let before = tree(&dir.path(""));
    let outcome = dir.bare_loader().source(source).args(["-t", "target", "-b"]).args(flags).exits(2);
    outcome.says(parts);
    assert_same_tree(&before, &tree(&dir.path("")), "after a refused catalog");
    outcome
}

#[test]
fn a_wrong_catalog_is_told_its_file_and_line() {
    let flags = ["--catalog", "c"];
    is_refused(&[], &["--catalog", "c/x.toml"], &["--catalog", "c/x.toml"]);
    is_refused(&[("c/notes.md", "")], &flags, &["--catalog", "c: the directory has no catalog", "*.toml"]);
    let one = |text: &str, parts: &[&str]| is_refused(&[("c/x.toml", text)], &flags, parts);
    one("[domain.a.events.b.fields]\nx = 'int'", &["catalog: c/x.toml:2: expected string, int32", "\"int\""]);
    one("[domain.a.events.b]\n[domain.a.events.b]", &["c/x.toml:2: duplicate key"]);
    one("[domain.a.events.b]\ndirectory = '../etc'", &["c/x.toml:2: \"../etc\" is no safe directory name"]);
    one(
        "[domain.a.events.b.fields]\nx = { type = 'date', column = 'timestamp' }",
        &["c/x.toml:2: a/b: the event's own timestamp and data.x would share the column \"timestamp\""],
    );
    one("[domain.a.events.payment-to]", &["c/x.toml:1: ", "transaction/payment-to (built in)", "directory"]);
    let twice = [("c/x.toml", "[domain.a.events.b]"), ("c/y.toml", "\n[domain.a.events.b]")];
    is_refused(&twice, &flags, &["c/y.toml:2: a/b is there twice, here and at c/x.toml:1"]);
    let dir = Workdir::new();
    dir.write("x.toml", b"[domain.a.events.b]\n# \xFF\n");
    let outcome = dir.bare_loader().args(["-s", "in", "-b", "--catalog", "x.toml"]).exits(2);
    outcome.says(&["x.toml:2: a catalog is UTF-8"]);
}

#[test]
fn the_flags_know_the_users_names() {
    let dir = Workdir::new();
    dir.write("customer.toml", CUSTOMER);
    let source = dir.write("in.json", file_of(EVENTS));
    let loader = || dir.loader().source(&source).args(["-b", "--catalog", "customer.toml"]);
    let outcome = loader().args(["-D", "customer", "-e", "created"]).succeeds();
    assert_eq!((outcome.count("written"), outcome.count("filtered")), (1, 4));
    loader().args(["-D", "custommer"]).exits(2).says(&["did you mean \"customer\"?"]);
}

#[test]
fn unknown_events_are_counted_by_name_and_their_catalog_can_be_drafted() {
    let dir = Workdir::new();
    dir.write("customer.toml", CUSTOMER);
    dir.write("in.json", file_of(EVENTS));
    let outcome = dir.loader().args(["-s", "in.json", "-b", "--catalog", "customer.toml"]).succeeds();
    let expected = json!({"card/authorization": 2, "card/dispute": 1, "card/settlement": 1});
    assert_eq!(outcome.report()["unknown_events"], expected);
    for part in [
        "not in the catalog: card/authorization 2, card/dispute 1, card/settlement 1\n",
        "draft a catalog of them with: eventloader catalog infer in.json\n",
    ] {
        assert!(outcome.stderr.contains(part), "expected {part:?} in {outcome}");
    }
    assert_eq!(outcome.reasons(), [("unknown_event".to_owned(), 4)].into());
    assert_eq!(readback::quarantine(&dir.target()).len(), 4);
    assert!(details(&dir)[0].contains("found card/authorization"), "{:?}", details(&dir));

    let names: Vec<_> =
        (0..1_500).map(|index| EVENTS[1].replace("authorization", &format!("t{index}"))).collect();
    dir.write("many.json", file_of(names));
    let outcome = dir.loader_into("many").args(["-s", "many.json", "-b"]).succeeds();
    let events = outcome.report()["unknown_events"].as_object().unwrap();
    assert_eq!((events.len(), events["(others)"].as_u64()), (1_001, Some(500)));
}

/// The fenced blocks of docs/catalog.md in a language, in order.
fn blocks_of_the_reference(language: &str) -> Vec<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/catalog.md");
    let text = fs_err::read_to_string(path).unwrap();
    let fence = format!("\n```{language}\n");
    let blocks = text.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned());
    blocks.collect()
}

#[test]
fn every_catalog_of_the_reference_is_one() {
    let blocks = blocks_of_the_reference("toml");
    assert!(blocks.len() >= 5, "{blocks:#?}");
    for block in blocks {
        let dir = Workdir::new();
        dir.write("x.toml", &block);
        dir.write("in.json", "");
        let outcome = dir.loader().args(["-s", "in.json", "-b", "--catalog", "x.toml"]).run();
        assert!(outcome.status.success(), "{outcome}\nof\n{block}");
    }
}

#[test]
fn the_example_of_the_reference_comes_to_the_row_that_it_shows() {
    let dir = Workdir::new();
    dir.write("shop.toml", &blocks_of_the_reference("toml")[0]);
    let event: serde_json::Value = serde_json::from_str(&blocks_of_the_reference("json")[0]).unwrap();
    dir.write("in.json", event.to_string());
    let outcome = dir.loader().args(["-s", "in.json", "-b", "--catalog", "shop.toml"]).succeeds();
    let file = file(&dir, "2025/03/29/returned");
    let names: Vec<_> = schema_names(&schema_of(&file));
    let row = rows_of(&file).remove(0);
    let shown: Vec<_> = names.iter().zip(row).map(|(name, value)| format!("{name:<28} {value}")).collect();
    assert_eq!(shown.join("\n"), blocks_of_the_reference("text")[0], "{outcome}");
    assert_eq!(
        outcome.report()["unknown_fields"],
        json!({"data.customer.address.zip": 1, "data.items.colour": 1})
    );
}

#[test]
fn the_message_in_the_reference_is_the_loader_s() {
    let text = "[domain.a.events.b.fields]\nx = 'int'";
    let dir = Workdir::new();
    dir.write("shop.toml", text);
    let outcome = dir.bare_loader().args(["-s", "in", "-b", "--catalog", "shop.toml"]).exits(2);
    assert_eq!(outcome.stderr.trim_end(), blocks_of_the_reference("text")[1]);
}

/// The names of a message type's columns; nested ones' once.
fn schema_names(schema: &str) -> Vec<String> {
    let of_root = |line: &&str| line.starts_with("  ") && !line.starts_with("   ") && !line.ends_with("  }");
    let name = |line: &str| line.split([' ', ';']).filter(|word| !word.is_empty()).nth(2).unwrap().to_owned();
    schema.lines().filter(of_root).map(name).collect()
}
