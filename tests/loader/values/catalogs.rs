//! Are a user's own events loaded as a catalog says, and does the message about a wrong catalog name the
//! line?

use std::path::PathBuf;

use serde_json::json;

use crate::support::{
    events::{account_open, file_of},
    files::{assert_same_tree, tree},
    readback::{self, details, metadata_entries_of, rows, rows_of, schema_of, text_of},
    workdir::{Loader, Outcome, Workdir},
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

fn file(dir: &Workdir, partition: &str) -> PathBuf {
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
        let loader = dir.loader().source(&source).args(["-b", "--dry-run", "--max-bad-lines=100%"]);
        arrange(loader).succeeds().count("written")
    };
    let variable = "EVENTLOADER_CATALOG";
    assert_eq!(written(&|loader| loader), 0);
    assert_eq!(written(&|loader| loader.env(variable, "")), 0);
    assert_eq!(written(&|loader| loader.env(variable, "customer.toml")), 1);
    assert_eq!(written(&|loader| loader.env(variable, "customer.toml:a:")), 5);
    assert_eq!(written(&|loader| loader.args(["--catalog", "a", "--catalog", "customer.toml"])), 5);
    // The flag alone decides.
    assert_eq!(written(&|loader| loader.env(variable, "a").args(["--catalog", "customer.toml"])), 1);
    assert_eq!(written(&|loader| loader.env(variable, "no/such/file").args(["--catalog", "a"])), 4);
    // A file that is named twice counts once.
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
    // This was once accepted, and overflowed the stack of the load.
    let deep = "list(".repeat(2_000) + "int32" + &")".repeat(2_000);
    one(&format!("[domain.a.events.b.fields]\nx = '{deep}'"), &["c/x.toml:2: expected string", "64 levels"]);
    one("[domain.a.events.b]\n[domain.a.events.b]", &["c/x.toml:2: duplicate key"]);
    one(
        "[domain.a.events.b]\ndirectory = '../etc'",
        &["c/x.toml:2: \"../etc\" is not a safe directory name"],
    );
    one(
        "[domain.a.events.b.fields]\nx = { type = 'date', column = 'timestamp' }",
        &["c/x.toml:2: a/b: the event's own timestamp and data.x would share the column \"timestamp\""],
    );
    one("[domain.a.events.payment-to]", &["c/x.toml:1: ", "transaction/payment-to (built in)", "directory"]);
    let twice = [("c/x.toml", "[domain.a.events.b]"), ("c/y.toml", "\n[domain.a.events.b]")];
    is_refused(&twice, &flags, &["c/y.toml:2: a/b is defined twice, here and at c/x.toml:1"]);
    let dir = Workdir::new();
    dir.write("x.toml", b"[domain.a.events.b]\n# \xFF\n");
    let outcome = dir.bare_loader().args(["-s", "in", "-b", "--catalog", "x.toml"]).exits(2);
    outcome.says(&["x.toml:2: a catalog is UTF-8"]);
}

/// Engines differ in what they do with such files, and none shows both values: see `scripts/engines.py`.
#[test]
fn a_column_named_like_a_directory_of_the_hive_layout_is_refused() {
    let catalog = "[domain.shop.fields]\nid = 'int64'\n\
         at = { column = 'Year', fields = { opened = 'date', y = { type = 'int32', column = 'YEAR' } } }\n\
         [domain.shop.events.sale.fields]\nhours = { column = 'hour', list = 'int32' }\n\
         [domain.shop.events.visit.fields]\nyear = 'int32'\nat = 'string'\n";
    let dir = Workdir::new();
    dir.write("shop.toml", catalog);
    let sale = r#"{"event_id": "s", "timestamp": "2024-10-10", "domain": "shop", "event_type": "sale", "data": {"at": {"y": 1999}, "hours": [7]}}"#;
    let visit = r#"{"event_id": "v", "timestamp": "2024-10-10", "domain": "shop", "event_type": "visit", "data": {"year": 1999}}"#;
    let source = dir.write("in.json", file_of([sale, visit]));
    let load = |flags: &[&str]| {
        let target = flags.join(" ");
        dir.loader_into(&target)
            .source(&source)
            .args(["-b", "--catalog", "shop.toml"])
            .args(flags.iter().copied())
    };
    let year = [
        "shop.toml:3: shop/sale: data.at.y would be the column \"YEAR\"",
        "the layout hive",
        "`column = \"…\"`",
        "the layout plain",
    ];
    load(&["--layout=hive"]).exits(2).says(&year);
    load(&["--layout=hive", "--dry-run"]).exits(2).says(&year);
    load(&["--layout=hive", "-e", "sale"]).exits(2).says(&year);
    assert_eq!(tree(&dir.path("")).len(), 2, "nothing was written: {:?}", tree(&dir.path("")).keys());
    let show = |format: &str| {
        dir.bare_loader().args([
            "catalog",
            "show",
            "--catalog",
            "shop.toml",
            "--layout=hive",
            "--format",
            format,
        ])
    };
    show("spark").exits(2).says(&year);

    // Neither a name that a path gives, nor a member of the one column `data`, nor an object's, nor an event
    // type that isn't loaded.
    load(&["--layout=hive", "-e", "visit"]).succeeds();
    load(&["--layout=hive", "-f", "false"]).succeeds();
    load(&["--layout=plain", "--partition-by=hour"]).succeeds();
    dir.write("shop.toml", catalog.replace("'YEAR'", "'founded'"));
    // Also by day, so that a catalog fits the layout whatever the unit.
    for unit in ["--partition-by=day", "--partition-by=hour"] {
        let hour = ["shop.toml:5: shop/sale: data.hours", "\"hour\""];
        load(&["--layout=hive", unit]).exits(2).says(&hour);
    }
    show("spark").exits(2).says(&["\"hour\""]);
    dir.write("shop.toml", catalog.replace("'YEAR'", "'founded'").replace("'hour'", "'hours'"));
    load(&["--layout=hive"]).succeeds();
    show("spark").succeeds();
}

/// Engines read the event type from the directory: it must be the type, and the only one of its name.
#[test]
fn a_directory_of_the_hive_layout_is_named_as_its_event_type() {
    let dir = Workdir::new();
    let event = |domain: &str, event_type: &str| {
        format!(
            r#"{{"event_id": "{domain}", "timestamp": "2024-10-10", "domain": "{domain}", "event_type": "{event_type}"}}"#
        )
    };
    let types = ["order placed/EU", "100%", "Grüße", "_x", "a=b"];
    let source = dir.write("in.json", file_of(types.map(|name| event("shop", name))));
    let names = types.map(|name| format!("[domain.shop.events.{name:?}]\n")).concat();
    let load = |flags: &[&str]| {
        let target = flags.join(" ");
        let loader = dir.loader_into(&target).source(&source).args(["-b", "--catalog", "shop.toml"]);
        loader.args(flags.iter().copied())
    };
    let directories = |outcome: Outcome| -> Vec<String> {
        let of = |partition: String| partition.rsplit_once('/').unwrap().1.replace(" 1 created", "");
        outcome.partitions().into_iter().map(of).collect()
    };
    dir.write("shop.toml", &names);
    assert_eq!(
        directories(load(&["--layout=plain"]).succeeds()),
        ["100~25", "Grüße", "a~3Db", "order~20placed~2FEU", "~5Fx"]
    );
    assert_eq!(
        directories(load(&["--layout=hive"]).succeeds()),
        ["100%25", "Grüße", "_x", "a%3Db", "order%20placed%2FEU"].map(|value| format!("event_type={value}"))
    );
    for flags in [&["--layout=plain"][..], &["--layout=hive"]] {
        let again = load(flags).args(["--mode", "merge"]).succeeds();
        assert_eq!((again.count("written"), again.count("redelivered")), (0, 5));
        dir.bare_loader().arg("verify").arg(dir.path(&flags.join(" "))).succeeds();
    }

    dir.write("shop.toml", names + "[domain.shop.events.sale]\ndirectory = 'sales'");
    load(&["--layout=hive"])
        .exits(2)
        .says(&["shop.toml:7: shop/sale: engines read", "remove `directory = \"sales\"`"]);
    load(&["--layout=hive", "-e", "100%"]).succeeds();
    dir.write("shop.toml", "[domain.shop.events.sale]\n[domain.card.events.sale]\ndirectory = 'card-sale'");
    load(&["--layout=hive"]).exits(2).says(&["shop.toml:", "`directory = \"card-sale\"`"]);
    dir.write("shop.toml", format!("[domain.shop.events.{}]", "x".repeat(250)));
    load(&["--layout=hive"]).exits(2).says(&["shop.toml:1: shop/xxx", "a name of 261 bytes"]);
    load(&["--layout=plain"]).arg("--max-bad-lines=100%").succeeds();
    dir.write("shop.toml", format!("[domain.shop.events.'{}']", "ü ".repeat(70)));
    load(&["--layout=plain"]).exits(2).says(&["shop.toml:1: ", "of 350 bytes"]);
}

/// Event types whose names differ in case have directories that differ, but not everywhere.
#[test]
fn a_file_system_that_ignores_case_is_not_given_two_directories_of_one_name() {
    let dir = Workdir::new();
    dir.write("shop.toml", "[domain.shop.events.Sale]\n[domain.shop.events.sale]");
    let event = |name: &str| {
        format!(r#"{{"event_id": "a", "timestamp": "2024-10-10", "domain": "shop", "event_type": "{name}"}}"#)
    };
    dir.write("in.json", file_of([event("Sale"), event("sale")]));
    let load = |target: &str| dir.loader_into(target).args(["-s", "in.json", "-b", "--catalog", "shop.toml"]);
    // Such a file system finds the loader's own directory under this name, too.
    fs_err::create_dir_all(dir.path("folding/_EVENTLOADER")).unwrap();
    load("folding").exits(2).says(&["shop.toml:2: shop/sale: ", "ignores case", "\"sale\" with shop/Sale"]);
    load("folding").args(["-e", "sale"]).succeeds();
    if dir.path("").join("SHOP.toml").exists() {
        return; // This one does.
    }
    let outcome = load("target").succeeds();
    assert_eq!(outcome.partitions(), ["2024/10/10/Sale 1 created", "2024/10/10/sale 1 created"]);
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
        "event types not in the catalog: card/authorization 2, card/dispute 1, card/settlement 1\n",
        "add them to customer.toml with: eventloader catalog infer --catalog customer.toml in.json -o customer.toml\n",
    ] {
        assert!(outcome.stderr.contains(part), "expected {part:?} in {outcome}");
    }
    assert_eq!(outcome.reasons(), [("unknown_event".to_owned(), 4)].into());
    assert_eq!(readback::quarantine(&dir.target()).len(), 4);
    assert!(details(&dir.target())[0].contains("found card/authorization"), "{:?}", details(&dir.target()));

    let names: Vec<_> =
        (0..1_500).map(|index| EVENTS[1].replace("authorization", &format!("t{index}"))).collect();
    dir.write("many.json", file_of(names));
    let outcome = dir.loader_into("many").args(["-s", "many.json", "-b", "--max-bad-lines=100%"]).succeeds();
    let events = outcome.report()["unknown_events"].as_object().unwrap();
    assert_eq!((events.len(), events["(others)"].as_u64()), (1_001, Some(500)));
}
