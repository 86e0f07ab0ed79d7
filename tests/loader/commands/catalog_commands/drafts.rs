//! Does a draft say what its types would do to the values, and does it leave room for the next ones?

use std::collections::BTreeSet;

use serde_json::json;

use super::{catalog, draft};
use crate::support::{
    events::{Die, file_of},
    readback::{rows, text_of},
    workdir::{Outcome, Workdir},
};

/// An event of the type shop/sale with this payload, in the second `index` of a day.
fn sale(index: usize, data: &str) -> String {
    format!(
        r#"{{"event_id":"e{index}","timestamp":"2025-01-01T00:00:{index:02}Z","domain":"shop","event_type":"sale","data":{data}}}"#
    )
}

/// Drafts a catalog from `in.json` with these payloads.
#[track_caller]
fn drafted(payloads: &[&str]) -> (Workdir, Outcome) {
    let dir = Workdir::new();
    dir.write("in.json", file_of(payloads.iter().enumerate().map(|(index, data)| sale(index, data))));
    let outcome = draft(&dir);
    (dir, outcome)
}

/// Loads `next.json` with the draft, and returns what became of it.
#[track_caller]
fn load_next(dir: &Workdir, payloads: &[&str]) -> Outcome {
    dir.write("next.json", file_of(payloads.iter().enumerate().map(|(index, data)| sale(index, data))));
    dir.loader().source("next.json").args(["-b", "--catalog", "draft.toml"]).succeeds()
}

#[test]
fn versions_are_text_and_ids_have_room_so_that_the_next_release_loads() {
    let (dir, outcome) = drafted(&[
        r#"{"id": 257073, "v": "1.10", "api_version": "2024-06-20", "unit_price": "9.99", "tags": [{"parent_id": 1}]}"#,
        r#"{"id": 257074, "v": "1.20", "api_version": "2024-10-28", "unit_price": "0.05", "tags": []}"#,
    ]);
    insta::assert_snapshot!(outcome.stdout, @r#"
    # Drafted by `eventloader catalog infer`: the types hold for every value that was seen.
    # 2 events of 2 lines

    # 2 events
    [domain.shop.events.sale]
    [domain.shop.events.sale.fields]
    id                         = "int64"          # always; 257073 to 257074; an id: room for larger ones
    v                          = "string"         # always; "1.10" or "1.20"; looks like a version
    #   v: alternative: decimal(10,2) holds all of them, as numbers
    api_version                = "string"         # always; "2024-06-20" or "2024-10-28"; a version, whatever it looks like
    unit_price                 = "decimal(10,2)"  # always; 0.05 to 9.99; text, always with 2 digits after the point: exact
    # tags: always; 0 to 1 object
    tags.list.fields.parent_id = "int64"          # always; 1; an id: room for larger ones
    "#);
    let next = r#"{"id": 3000000000, "v": "1.10.1", "api_version": "2025-01-27.acacia", "unit_price": "12.50", "tags": [{"parent_id": 3000000000}]}"#;
    let outcome = load_next(&dir, &[next]);
    assert_eq!((outcome.count("written"), &outcome.report()["rounded"]), (1, &json!({})), "{outcome}");
}

#[test]
fn an_alternative_says_which_digits_it_would_lose() {
    let (_, outcome) = drafted(&[
        r#"{"a": 9007199254740993, "d": 18446744073709551615, "e": 277447099861456945273576150847928801582}"#,
        r#"{"a": 1, "d": 4, "e": 5}"#,
    ]);
    insta::assert_snapshot!(outcome.stdout, @r#"
    # Drafted by `eventloader catalog infer`: the types hold for every value that was seen.
    # 2 events of 2 lines

    # 2 events
    [domain.shop.events.sale]
    [domain.shop.events.sale.fields]
    a = "int64"          # always; 1 to 9007199254740993
    d = "decimal(38,0)"  # always; 4 to 18446744073709551615; too large for int64
    e = "string"         # always; 5 to 277447099861456945273576150847928801582; no number type holds all of its digits
    #   e: alternative: float64 would round 1 of 2
    "#);
}

#[test]
fn digits_that_timestamps_will_lose_are_told() {
    let (dir, outcome) = drafted(&[
        r#"{"t": "2025-01-01T00:00:00.123456789Z", "u": "2025-01-01T00:00:00.123456000Z"}"#,
        r#"{"t": "2025-01-01T00:00:00,1Z", "u": "2025-01-01 00:00 UTC"}"#,
    ]);
    insta::assert_snapshot!(outcome.stdout, @r#"
    # Drafted by `eventloader catalog infer`: the types hold for every value that was seen.
    # 2 events of 2 lines

    # 2 events
    [domain.shop.events.sale]
    [domain.shop.events.sale.fields]
    t = "timestamp"  # always; 2025-01-01T00:00:00,1Z to 2025-01-01T00:00:00.123456789Z; digits beyond microseconds, in 1 of 2, are cut
    u = "timestamp"  # always; 2025-01-01 00:00 UTC to 2025-01-01T00:00:00.123456000Z
    "#);
    let outcome = load_next(&dir, &[r#"{"t": "2025-01-01T00:00:00.123456789Z"}"#]);
    assert_eq!(outcome.report()["rounded"], json!({"data.t": 1}), "{outcome}");

    let line = sale(1, "{}").replace("00:01Z", "00:01.1234567Z");
    dir.write("in.json", file_of([line, sale(2, "{}")]));
    let told = "The timestamp has digits beyond microseconds in 1 event: they are cut";
    let outcome = draft(&dir);
    assert!(outcome.stderr.contains(told) && outcome.stdout.contains(told), "{outcome}");
}

/// PHP writes an object without members as `[]`.
#[test]
fn an_object_that_is_once_a_list_is_named_with_what_it_would_cost() {
    let mut payloads = vec![r#"{"o": {"x": 1, "y": "a"}, "tags": ["a"]}"#; 19];
    payloads.push(r#"{"o": [], "tags": "a"}"#);
    let (dir, outcome) = drafted(&payloads);
    insta::assert_snapshot!(outcome.stdout, @r#"
    # Drafted by `eventloader catalog infer`: the types hold for every value that was seen.
    # 20 events of 20 lines

    # 20 events
    [domain.shop.events.sale]
    [domain.shop.events.sale.fields]
    o    = "json"  # always; an object in 19, a list in 1
    #   o: alternative: { fields = { x = "int32", y = "string" } } would quarantine 1 of 20: empty lists, as PHP writes an object without members
    tags = "json"  # always; "a"; a list in 19, text in 1
    #   tags: alternative: "list(string)" would quarantine 1 of 20
    "#);
    // What the alternative says, it does.
    let mended =
        outcome.stdout.replace(r#"o    = "json""#, r#"o    = { fields = { x = "int32", y = "string" } }"#);
    dir.write("draft.toml", mended);
    let outcome = dir.loader().source("in.json").args(["-b", "--catalog", "draft.toml"]).succeeds();
    assert_eq!((outcome.count("written"), outcome.count("quarantined.total")), (19, 1), "{outcome}");
}

#[test]
fn fields_beside_the_envelope_are_named() {
    let dir = Workdir::new();
    let flat = sale(1, "").replace(r#""data":"#, r#""n":1,"amount":5"#);
    dir.write(
        "in.json",
        file_of([
            flat.clone(),
            sale(2, r#"{"x":1}"#),
            flat.replace("e1", "e3").replace("amount", "a\\u001b"),
        ]),
    );
    let outcome = draft(&dir);
    let told = r"Beside `data`, and left out, because only its fields become columns: n in 2, a\u001B in 1, amount in 1";
    assert!(outcome.stderr.contains(told) && outcome.stdout.contains("n in 2,"), "{outcome}");
    dir.write("in.json", sale(2, r#"{"x":1}"#));
    assert!(!draft(&dir).stdout.contains("Beside"));
}

/// No directory depends on the order of the types.
#[test]
fn types_that_would_share_a_directory_get_that_of_domain_and_type() {
    let of_type = |index: usize, domain: &str, event_type: &str| {
        let line = sale(index, "{}").replace("\"shop\"", &format!("{domain:?}"));
        line.replace("\"sale\"", &format!("{event_type:?}"))
    };
    let directories = |lines: &[String]| {
        let dir = Workdir::new();
        dir.write("in.json", file_of(lines));
        draft(&dir);
        let outcome = dir.loader().source("in.json").args(["-b", "--catalog", "draft.toml"]).succeeds();
        assert_eq!(outcome.count("quarantined.total"), 0, "{outcome}");
        let of_row = |row: &String| row.split(':').next().unwrap_or_default().replace("2025/01/01/", "");
        text_of(&rows(&dir.target())).iter().map(of_row).collect::<BTreeSet<_>>()
    };
    let mut lines = vec![of_type(1, "shop", "sale"), of_type(2, "club", "sale"), of_type(3, "club", "join")];
    assert_eq!(directories(&lines), ["club.sale", "join", "shop.sale"].map(str::to_owned).into());
    lines.extend([
        of_type(4, "shop", "order completed"),
        of_type(5, "shop", "Order Completed"),
        of_type(6, "shop floor", "order completed"),
        of_type(7, "_", ""),
        of_type(8, "shop", ""),
        of_type(9, "shop", &"x".repeat(240)),
        of_type(10, "club", &"x".repeat(240)),
    ]);
    let expected = directories(&lines);
    assert_eq!(expected.len(), lines.len(), "{expected:?}");
    lines.reverse();
    assert_eq!(directories(&lines), expected);
    assert!(["club.sale", "join", "shop.sale"].iter().all(|known| expected.contains(*known)), "{expected:?}");
    assert_eq!(directories(&lines[8..9]), ["sale".to_owned()].into(), "alone it has its own name");
}

#[test]
fn a_file_is_written_only_if_there_is_a_draft_and_replaced_only_if_asked() {
    let dir = Workdir::new();
    dir.write("in.json", sale(1, r#"{"x":1}"#));
    dir.write("bad.json", "{\n");
    catalog(&dir, ["infer", "bad.json", "-o", "shop.toml"]).exits(1).says(&["nothing to draft"]);
    assert!(!dir.path("shop.toml").exists());
    let outcome = catalog(&dir, ["infer", "in.json", "-o", "shop.toml"]).succeeds();
    assert!(outcome.stdout.is_empty() && outcome.stderr.contains("wrote shop.toml"), "{outcome}");
    let expected = catalog(&dir, ["infer", "in.json"]).succeeds().stdout;
    let text = || fs_err::read_to_string(dir.path("shop.toml")).unwrap();
    assert_eq!(text(), expected);

    dir.write("shop.toml", "mine");
    catalog(&dir, ["infer", "in.json", "-o", "shop.toml"]).exits(1).says(&["shop.toml exists", "--force"]);
    catalog(&dir, ["infer", "bad.json", "-o", "shop.toml", "--force"]).exits(1);
    assert_eq!(text(), "mine");
    catalog(&dir, ["infer", "in.json", "-o", "shop.toml", "--force"]).succeeds();
    assert_eq!(text(), expected);
    catalog(&dir, ["infer", "in.json", "-o", "in.json", "--force"]).exits(2).says(&["in.json is the source"]);
    let outcome = catalog(&dir, ["infer", "in.json", "-o", "/dev/stdout", "-q"]).succeeds();
    assert_eq!(outcome.stdout, expected);
    catalog(&dir, ["infer", "in.json", "-o", "none/shop.toml"])
        .exits(1)
        .says(&["none/shop.toml", "No such file"]);
    let names: Vec<_> =
        fs_err::read_dir(dir.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn many_types_that_occurred_once_let_expect_others() {
    let of_type = |index: usize, event_type: usize| {
        sale(index, r#"{"n":1}"#).replace("\"sale\"", &format!("\"type-{event_type}\""))
    };
    // 20 types: 4 of them, or 5, once.
    let types = |once: usize| -> Vec<String> {
        let all = (0..20).chain(once..20).enumerate();
        all.map(|(index, event_type)| of_type(index, event_type)).collect()
    };
    let dir = Workdir::new();
    dir.write("in.json", file_of(types(4)));
    assert!(!draft(&dir).stdout.contains("\"*\""));
    dir.write("in.json", file_of(types(5)));
    let outcome = draft(&dir);
    let told = "5 of 20 event types occurred once: others will come; their payload is JSON";
    assert!(outcome.stdout.ends_with(&format!("\n# {told}\n[domain.shop.events.\"*\"]\n")), "{outcome}");
    let told = format!("Other event types of shop are loaded through \"*\". {told}");
    assert!(outcome.stderr.contains(&told), "{outcome}");
    dir.write("next.json", of_type(1, 99));
    let outcome = dir.loader().source("next.json").args(["-b", "--catalog", "draft.toml"]).succeeds();
    assert_eq!((outcome.count("written"), outcome.count("quarantined.total")), (1, 0), "{outcome}");
}

#[test]
fn too_many_types_are_one_star_in_any_order() {
    let line = |index: usize| {
        let event_type = if index > 2_000 { "sale".to_owned() } else { format!("type-{}", index % 1_001) };
        let line = sale(index % 60, r#"{"n":1}"#).replace("\"sale\"", &format!("{event_type:?}"));
        line.replace(&format!("\"e{}\"", index % 60), &format!("\"e{index}\""))
    };
    let mut lines: Vec<_> = (0..2_005).map(line).collect();
    lines.push(sale(1, r#"{"n":1}"#).replace("2025", "xxxx"));
    lines.push(sale(1, "5"));
    let dir = Workdir::new();
    dir.write("in.json", file_of(&lines));
    let outcome = draft(&dir);
    insta::assert_snapshot!(outcome.stdout, @r#"
    # Drafted by `eventloader catalog infer`: the types hold for every value that was seen.
    # 2,005 events of 2,007 lines
    # Bad whatever a catalog says, to be quarantined: 2 (bad_timestamp 1, not_an_event 1)
    # Event types are loaded through "*". There are more than 1,000 event types: none of them was looked at, and
    #   their payload is JSON. Does domain or event_type hold data?

    # There are more than 1,000 event types: none of them was looked at, and their payload is JSON. Does domain or
    #   event_type hold data?
    [domain."*"]
    "#);
    let loaded =
        dir.loader().source("in.json").args(["-b", "--catalog", "draft.toml", "--dry-run"]).succeeds();
    assert_eq!((loaded.count("written"), loaded.count("quarantined.total")), (2_006, 1), "{loaded}");
    lines.reverse();
    dir.write("in.json", file_of(&lines));
    assert_eq!(draft(&dir).stdout, outcome.stdout);
    let threads = catalog(&dir, ["infer", "in.json", "--threads", "3"]).succeeds();
    assert_eq!(threads.stdout, outcome.stdout);
}

#[test]
fn a_type_or_domain_called_star_has_no_name_in_a_catalog() {
    let dir = Workdir::new();
    let starred = [sale(1, "{}").replace("\"sale\"", "\"*\""), sale(2, "{}").replace("\"shop\"", "\"*\"")];
    dir.write(
        "in.json",
        file_of([sale(3, r#"{"n":1}"#), starred.concat(), sale(4, "{}")].iter().chain(&starred)),
    );
    let outcome = draft(&dir);
    assert!(outcome.stderr.contains("(malformed_json 1, unknown_event 2)"), "{outcome}");
    assert!(!outcome.stdout.contains("[domain.\"*\""), "{outcome}");
}

#[test]
fn a_date_is_a_text_where_its_key_has_other_texts_elsewhere() {
    let other = |data: &str| sale(2, data).replace("\"sale\"", "\"refund\"");
    let dir = Workdir::new();
    dir.write(
        "in.json",
        file_of([
            sale(1, r#"{"api": "2024-06-20", "on": "2024-06-20", "items": [{"api": "2024-06-20"}]}"#),
            other(r#"{"note": {"api": "2024-09-30.acacia", "on": "2024-06-21"}}"#),
        ]),
    );
    let drafted = draft(&dir).stdout;
    for told in [
        "api                   = \"string\"  # always; \"2024-06-20\"; elsewhere, this key has other texts\n#   api: alternative: date holds all of them here\n",
        "items.list.fields.api = \"string\"",
        "on                    = \"date\"",
        "note.fields.on  = \"date\"",
    ] {
        assert!(drafted.contains(told), "{told}\n{drafted}");
    }
}

/// Objects of one kind within each other, in many ways: spelt out, their type would have 6^12 fields.
#[test]
fn objects_that_are_alike_within_each_other_do_not_multiply() {
    let mut die = Die::new(3);
    let events: Vec<_> = (0..60)
        .map(|index| {
            let within = |inner: String, _| {
                let key = die.roll(6);
                format!(r#"{{"id":1,"url":"u","kind":"k","state":"s","k{key}":{inner}}}"#)
            };
            sale(index, &(0..12).fold(r#"{"id":1,"url":"u","kind":"k","state":"s"}"#.to_owned(), within))
        })
        .collect();
    let dir = Workdir::new();
    dir.write("in.json", file_of(&events));
    draft(&dir);
    let outcome = dir.loader().source("in.json").args(["-b", "--catalog", "draft.toml"]).succeeds();
    assert_eq!((outcome.count("written"), outcome.report()["unknown_fields"].clone()), (60, json!({})));
}
