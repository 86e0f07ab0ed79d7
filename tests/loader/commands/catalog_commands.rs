//! Does a drafted catalog load what it was drafted from, does `check` predict a load, does `show` show its
//! tables?

mod diff;
mod drafts;
mod envelopes;
mod extend;
mod random;
mod statements;
mod tables;
mod webhooks;

use std::collections::BTreeMap;

use self::random::Shape;
use crate::support::{
    events::{Die, account_open, file_of},
    files,
    readback::{rows, text_of},
    workdir::{Loader, Outcome, Workdir},
};

/// Events as other applications write them: nested, with lists, any offset, any script, fields that only some
/// have, values of different types; one event comes twice.
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
    insta::assert_snapshot!(draft(&dir).stdout, @r#"
    # Drafted by `eventloader catalog infer`: the types hold for every value that was seen.
    # 6 events of 6 lines

    # Fields that all event types of the domain carry.
    [domain.card.fields]
    id                     = "string"         # always; "crd_1" or "crd_2"
    amount.fields.value    = "decimal(10,2)"  # always; 0.10 to 1283.94; text, always with 2 digits after the point: exact
    amount.fields.currency = "string"         # always; "EUR" or "JPY"

    # 2 events
    [domain.card.events.authorization]
    [domain.card.events.authorization.fields]
    merchant.fields.name           = "string"        # always; "Livraria \"Aurora\"" or "東京"
    merchant.fields.mcc            = "int32"         # always; 4111 to 5411
    merchant.fields.geo.fields.lat = "float64"       # always; -6.05 to 24.519456; up to 6 digits after the point: measured, no money
    tags                           = "list(string)"  # always; 0 to 2 elements: "online"
    approved                       = "boolean"       # always; true in 1 of 2
    note                           = "json"          # in 1 of 2, null in 1 of them; always null: any type would do

    # 2 events
    [domain.card.events.dispute]
    directory = "card.dispute"
    [domain.card.events.dispute.fields]
    reason.fields.code      = "string"         # always; "13.1"
    #   reason.fields.code: alternative: float64 holds all of them, as numbers
    reason.fields.text      = "string"         # null in 1 of 2; "fraud"
    # items: always; 0 to 2 objects
    items.list.fields.sku   = "string"         # always; "A-1" or "B-7"
    items.list.fields.price = "decimal(10,2)"  # always; 2.5 to 10.25; at most 2 digits after the point: exact; more would be rounded
    items.list.fields.gift  = "boolean"        # in 1 of 2; true in 1 of 1
    votes                   = "map(int32)"     # always; 1 to 3; a map: 2 keys like "2025-03-01" (ids, dates or the like)

    # 2 events
    [domain.customer.events.dispute]
    directory = "customer.dispute"
    [domain.customer.events.dispute.fields]
    Id         = "int64"      # always; 7 to 921463507191
    id         = { type = "string", column = "data_id_2" }  # always; 12, "x"; a number in 1, text in 1
    "zip code" = { type = "string", column = "data_zip_code" }  # always; "03694" or "36463"
    born       = "date"       # always; 1950-03-16 to 1999-12-31
    since      = "timestamp"  # always; 2025-03-16 to 2025-03-16T10:00:00Z
    age        = "string"     # always; 40, "41"; a number in 1, text in 1
    #   age: alternative: int32 holds all of them, as numbers
    "#);
}

#[test]
fn a_draft_loads_what_it_was_drafted_from() {
    let dir = Workdir::new();
    dir.write("in.json", EVENTS);
    draft(&dir);
    let outcome = dir.loader().source("in.json").args(["-b", "--catalog", "draft.toml"]).succeeds();
    assert_eq!((outcome.count("written"), outcome.count("superseded")), (5, 1), "{outcome}");
    insta::assert_snapshot!(text_of(&rows(&dir.target())).join("\n"), @r#"
    2025/03/29/authorization: "a2" 2025-03-29T13:30:45.000000Z "card" "authorization" "crd_2" 0.10 "JPY" "東京" 5411 -6.05 ["online", null] false null
    2025/03/29/authorization: "a1" 2025-03-29T22:22:19.000000Z "card" "authorization" "crd_1" 1283.94 "EUR" "Livraria \"Aurora\"" 4111 24.519456 [] true null
    2025/03/30/card.dispute: "d1" 2025-03-30T02:28:20.000000Z "card" "dispute" "crd_1" 9.99 "EUR" "13.1" null [{sku: "A-1", price: 2.50, gift: null}, {sku: "B-7", price: 10.25, gift: true}] map("2025-03-01" = 3, "2025-03-02" = 1)
    2025/03/30/customer.dispute: "c1" 2025-03-30T03:36:30.000000Z "customer" "dispute" 921463507191 "x" "03694" 1950-03-16 2025-03-16T10:00:00.000000Z "40"
    2025/03/30/customer.dispute: "c2" 2025-03-30T03:36:31.000000Z "customer" "dispute" 7 "12" "36463" 1999-12-31 2025-03-16T00:00:00.000000Z "41"
    "#);
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

/// Whatever the events are, the draft loads all of them, and the order of the lines does not change it.
#[test]
fn a_draft_of_random_events_loads_them_and_does_not_depend_on_their_order() {
    let (mut with_types, mut with_maps) = (0, 0);
    for seed in 0..40 {
        let mut die = Die::new(seed);
        let shapes = Shape::some(&mut die);
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
        with_types += u32::from(expected.stdout.contains("\n[types."));
        with_maps += u32::from(expected.stdout.contains("\"map("));
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
    assert!(with_types > 3 && with_maps > 3, "{with_types} drafts have types, {with_maps} maps");
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
    let known = catalog(&dir, ["infer", "in.json", "--catalog", "draft.toml"]).succeeds();
    for told in ["built in (--all drafts them, too): account/account-open (1 event)", "draft.toml: no change"]
    {
        assert!(known.stderr.contains(told), "{known}");
    }
    assert_eq!(known.stdout, outcome.stdout);
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
fn domains_whose_names_make_one_file_name_have_a_file_each() {
    let dir = Workdir::new();
    let domains = ["a b", "a_b", "a_b-2", "A_B", "../x", "", "\u{00e9}"];
    let line = |domain: &&str| {
        let domain = serde_json::to_string(domain).unwrap();
        format!(
            r#"{{"event_id":"1","timestamp":"2024-10-10","domain":{domain},"event_type":"t","data":{{"x":1}}}}"#
        )
    };
    dir.write("in.json", file_of(domains.iter().map(line)));
    catalog(&dir, ["infer", "in.json", "--output", "out", "--force"]).succeeds();
    let files: Vec<_> = files::tree(&dir.path("out")).into_keys().collect();
    assert_eq!(files.len(), domains.len(), "{files:?}");
    let outcome = dir.loader().source("in.json").args(["-b", "--catalog", "out"]).succeeds();
    assert_eq!(outcome.count("written"), domains.len() as u64);
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
    insta::assert_snapshot!(outcome.stdout, @r#"
    (no event)            0 would load, 1 would be quarantined
        malformed_json 1, the first in.json:5: expected a key in double quotes, found the end of the line at byte 2
    account/account-open  1 would load, 2 would be quarantined
        type_mismatch 2, the first in.json:3: data.id: expected int32, found "x"
    card/authorization    0 would load, 1 would be quarantined
        unknown_event 1, the first in.json:6: expected an event type of the catalog, found card/authorization
    Not in the catalog, would be left out:
        data.tier in 1
    6 lines: 1 would load, 4 would be quarantined, 1 blank, 0 of other domains or types
    "#);
    assert!(!dir.target().exists() && !dir.path("data").exists(), "{outcome}");
    dir.write("pretty.json", format!("[\n{good},\n\n{wrong}\n]"));
    let outcome = catalog(&dir, ["check", "pretty.json"]).exits(3);
    assert!(outcome.stdout.contains("type_mismatch 1, the first pretty.json:4: data.id"), "{outcome}");
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
    catalog(&dir, ["infer", "empty.json"]).exits(1).says(&["nothing to draft", "0 events of 1 line"]);
}
