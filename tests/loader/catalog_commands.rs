//! Does a drafted catalog load what it was drafted from, does check foretell a load, does show show its tables?

mod random;

use std::collections::BTreeMap;

use self::random::Shape;
use crate::{
    events::{Die, account_open, file_of},
    readback::{rows, text_of},
    support::{Loader, Outcome, Workdir},
};

/// Events as other applications write them: nested, lists, any offset, any script, fields that only some have, values that
/// disagree; one of them twice.
const EVENTS: &str = r#"{"event_id": "a1", "timestamp": "2025-03-29T22:22:19", "domain": "card", "event_type": "authorization", "data": {"id": "crd_1", "amount": {"value": "1283.94", "currency": "EUR"}, "merchant": {"name": "Livraria \"Aurora\"", "mcc": 4111, "geo": {"lat": 24.519456}}, "tags": [], "approved": true}}
{"event_id": "a2", "timestamp": "2025-03-29T22:30:45+0900", "domain": "card", "event_type": "authorization", "data": {"id": "crd_2", "amount": {"value": "0.10", "currency": "JPY"}, "merchant": {"name": "東京", "mcc": 5411, "geo": {"lat": -6.05}}, "tags": ["online", null], "approved": false, "note": null}}
{"event_id": "d1", "timestamp": "2025-03-29T23:28:20-03:00", "domain": "card", "event_type": "dispute", "data": {"id": "crd_1", "amount": {"value": "9.99", "currency": "EUR"}, "reason": {"code": "13.1", "text": null}, "items": [{"sku": "A-1", "price": 2.5}, {"sku": "B-7", "price": 10.25, "gift": true}], "votes": {"2025-03-01": 3, "2025-03-02": 1}}}
{"event_id": "d1", "timestamp": "2025-03-30T00:00:00Z", "domain": "card", "event_type": "dispute", "data": {"id": "crd_1", "amount": {"value": "9.99", "currency": "EUR"}, "reason": {"code": "13.1", "text": "fraud"}, "items": [], "votes": {}}}
{"event_id": "c1", "timestamp": "2025-03-30T03:36:30", "domain": "customer", "event_type": "dispute", "data": {"Id": 921463507191, "id": "x", "zip code": "03694", "born": "1950-03-16", "since": "2025-03-16T10:00:00Z", "age": 40}}
{"event_id": "c2", "timestamp": "2025-03-30T03:36:31", "domain": "customer", "event_type": "dispute", "data": {"Id": 7, "id": 12, "zip code": "36463", "born": "1999-12-31", "since": "2025-03-16", "age": "41"}}
"#;

/// `eventloader catalog` with these arguments.
fn catalog<const N: usize>(dir: &Workdir, args: [&str; N]) -> Loader {
    dir.bare_loader().arg("catalog").args(args)
}

/// Drafts a catalog from `in.json` into `draft.toml`.
#[track_caller]
fn draft(dir: &Workdir) -> Outcome {
    let outcome = catalog(dir, ["infer", "in.json"]).succeeds();
    dir.write("draft.toml", &outcome.stdout);
    outcome
}

#[test]
fn a_draft_says_what_was_seen() {
    let dir = Workdir::new();
    dir.write("in.json", EVENTS);
    insta::assert_snapshot!(draft(&dir).stdout, @"");
}

#[test]
fn a_draft_loads_what_it_was_drafted_from() {
    let dir = Workdir::new();
    dir.write("in.json", EVENTS);
    draft(&dir);
    let outcome = dir.loader().source("in.json").args(["-b", "--catalog", "draft.toml"]).succeeds();
    assert_eq!((outcome.count("written"), outcome.count("superseded")), (5, 1), "{outcome}");
    insta::assert_snapshot!(text_of(&rows(&dir.target())).join("\n"), @"");
    catalog(&dir, ["check", "in.json", "--catalog", "draft.toml"]).succeeds();
}

#[test]
fn every_form_of_the_input_gives_the_same_draft() {
    let dir = Workdir::new();
    dir.write("in.json", EVENTS);
    let expected = draft(&dir).stdout;
    let mut lines: Vec<&str> = EVENTS.lines().collect();
    lines.reverse();
    dir.write("array.json", format!("[\n{}\n]", lines.join(",\n")));
    assert_eq!(catalog(&dir, ["infer", "array.json"]).succeeds().stdout, expected);
    let outcome = catalog(&dir, ["infer", "-", "--threads", "3", "-q"]).stdin(EVENTS).succeeds();
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), (expected.as_str(), ""));
}

/// Whatever the events are: the draft loads all of them, and no order of the lines changes it.
#[test]
fn a_draft_of_random_events_loads_them_and_does_not_depend_on_their_order() {
    for seed in 0..40 {
        let mut die = Die::new(seed);
        let shapes: Vec<Shape> = (0..1 + die.roll(4)).map(|_| Shape::random(&mut die)).collect();
        let count = 1 + die.roll(60);
        let mut lines: Vec<String> = (0..count)
            .map(|index| {
                let shape = die.index(shapes.len());
                shapes[shape].event(&mut die, index)
            })
            .collect();
        let dir = Workdir::new();
        dir.write("in.json", file_of(&lines));
        let expected = draft(&dir);
        let outcome = dir.loader().source("in.json").args(["-b", "--catalog", "draft.toml"]).succeeds();
        assert_eq!(outcome.reasons(), BTreeMap::new(), "seed {seed}: {outcome}\n{}", expected.stdout);
        assert!(outcome.report()["unknown_fields"].as_object().unwrap().is_empty(), "seed {seed}: {outcome}");
        die.shuffle(&mut lines);
        dir.write("in.json", file_of(&lines));
        assert_eq!(draft(&dir).stdout, expected.stdout, "seed {seed}, shuffled");
        // Nested as well: there columns are members, with names of their own.
        let loader = dir.loader_into("nested").source("in.json");
        let outcome = loader.args(["-b", "-f", "false", "--catalog", "draft.toml"]).succeeds();
        assert_eq!(outcome.reasons(), BTreeMap::new(), "seed {seed}: {outcome}\n{}", expected.stdout);
    }
}

#[test]
fn bad_lines_are_left_out_and_counted() {
    let dir = Workdir::new();
    let bad = [
        "{",
        "[]",
        r#"{"event_id": "x", "timestamp": "2025-03-29T22:22:19", "domain": "card", "event_type": "new", "data": 1}"#,
        r#"{"timestamp": "2025-03-29T22:22:19", "domain": "card", "event_type": "authorization", "data": {"id": 1}}"#,
        r#"{"event_id": "x", "timestamp": "yesterday", "domain": "card", "event_type": "authorization", "data": {"id": 1}}"#,
        r#"{"event_id": "x", "timestamp": "2025-03-29", "domain": "card", "event_type": "authorization", "data": {"id": "crd_1", "id": "crd_2"}}"#,
    ];
    dir.write("in.json", format!("{EVENTS}\n{}", file_of(bad)));
    let outcome = draft(&dir);
    let told = "Bad whatever a catalog says, to be quarantined: 6 (bad_timestamp 1, duplicate_key 1, malformed_json 1, missing_event_id 1, not_an_event 2)";
    assert!(outcome.stderr.contains(told), "{outcome}");
    let outcome = dir.loader().source("in.json").args(["-b", "--catalog", "draft.toml"]).succeeds();
    assert_eq!(outcome.count("quarantined.total"), 6, "{outcome}");
}

#[test]
fn what_the_catalog_has_is_left_out_unless_all_is_asked_for() {
    let dir = Workdir::new();
    dir.write("in.json", format!("{EVENTS}{}\n", account_open("x", "2024-10-10", 5)));
    let outcome = draft(&dir);
    assert!(!outcome.stdout.contains("[domain.account"), "{outcome}");
    assert!(outcome.stdout.contains("account/account-open (1 event)"), "{outcome}");
    assert!(
        catalog(&dir, ["infer", "in.json", "--all"])
            .succeeds()
            .stdout
            .contains("[domain.account.events.account-open]")
    );
    let known = catalog(&dir, ["infer", "in.json", "--catalog", "draft.toml"]).exits(1);
    known.says(&["nothing to draft", "card/dispute (2 events)"]);
}

#[test]
fn files_are_one_per_domain_and_never_replaced_unasked() {
    let dir = Workdir::new();
    dir.write("in.json", EVENTS);
    let outcome = catalog(&dir, ["infer", "in.json", "--output", "out"]).succeeds();
    assert_eq!(outcome.stdout, "");
    let outcome = dir.loader().source("in.json").args(["-b", "--catalog", "out"]).succeeds();
    assert_eq!(outcome.count("written"), 5);
    dir.write("out/card.toml", "mine");
    catalog(&dir, ["infer", "in.json", "--output", "out"]).exits(1).says(&["out/card.toml", "--force"]);
    assert_eq!(fs_err::read_to_string(dir.path("out/card.toml")).unwrap(), "mine");
    catalog(&dir, ["infer", "in.json", "--output", "out", "--force"]).succeeds();
    assert!(fs_err::read_to_string(dir.path("out/card.toml")).unwrap().contains("[domain.card.fields]"));
}

#[test]
fn only_the_first_lines_and_only_some_types_are_read_where_that_is_asked_for() {
    let dir = Workdir::new();
    dir.write("in.json", EVENTS);
    let outcome = catalog(&dir, ["infer", "in.json", "--sample-lines", "2"]).succeeds();
    assert!(
        outcome.stdout.contains("2 events of 2 lines") && !outcome.stdout.contains("dispute"),
        "{outcome}"
    );
    let outcome = catalog(&dir, ["infer", "in.json", "-D", "customer"]).succeeds();
    assert!(outcome.stdout.contains("[domain.customer.events.dispute]"), "{outcome}");
    assert!(!outcome.stdout.contains("[domain.card"), "{outcome}");
}

#[test]
fn check_foretells_what_a_load_does() {
    let dir = Workdir::new();
    let wrong = r#"{"event_id": "e", "timestamp": "2024-10-10", "domain": "account", "event_type": "account-open", "data": {"id": "x", "tier": 1}}"#;
    let good = account_open("x", "2024-10-10", 5).replace(r#"{"id": 5}"#, r#"{"id": 5, "tier": 2}"#);
    dir.write("in.json", file_of([good.as_str(), "", wrong, wrong, "{", EVENTS.lines().next().unwrap()]));
    let outcome = catalog(&dir, ["check", "in.json"]).exits(3);
    insta::assert_snapshot!(outcome.stdout, @"");
    assert!(!dir.target().exists() && !dir.path("data").exists(), "{outcome}");
    dir.write("pretty.json", format!("[\n{good},\n\n{wrong}\n]"));
    let outcome = catalog(&dir, ["check", "pretty.json"]).exits(3);
    assert!(outcome.stdout.contains("type_mismatch 1, the first pretty.json:4: data.id"), "{outcome}");
}

const SHOP: &str = r#"
[domain.shop.events.order-placed]
description = "It's an order"
[domain.shop.events.order-placed.fields]
id    = { type = "int64", column = "Order", description = "The order" }
total = "decimal(12,2)"
on    = "date"
note  = "json"
sizes = { list = { list = "float64" } }
items = { list = { fields = { sku = "string", paid = "boolean", "at last" = { type = "timestamp", column = "at_last" } } } }
"#;

#[track_caller]
fn shown(format: &str) -> String {
    let dir = Workdir::new();
    dir.write("shop.toml", SHOP);
    catalog(&dir, ["show", "--catalog", "shop.toml", "-D", "shop", "--format", format]).succeeds().stdout
}

#[test]
fn tables_are_shown_for_people_and_engines() {
    insta::assert_snapshot!(shown("text"), @"");
    insta::assert_snapshot!(shown("arrow"), @"");
    insta::assert_snapshot!(shown("duckdb"), @"");
    insta::assert_snapshot!(shown("spark"), @"");
    insta::assert_snapshot!(shown("postgres"), @"");
}

#[test]
fn the_built_in_tables_are_shown_and_wrong_usage_is_told_in_one_line() {
    let dir = Workdir::new();
    let outcome = catalog(&dir, ["show"]).succeeds();
    assert_eq!(outcome.stdout.matches("\n  event_id ").count(), 5, "{outcome}");
    catalog(&dir, ["show", "-e", "acount-open"]).exits(2).says(&["did you mean", "account-open"]);
    catalog(&dir, ["infer"]).exits(2).says(&["SOURCE"]);
    catalog(&dir, ["infer", "missing.json"]).exits(1).says(&["missing.json"]);
    dir.write("empty.json", "\n");
    catalog(&dir, ["infer", "empty.json"]).exits(1).says(&["nothing to draft", "0 events of 1 lines"]);
}
