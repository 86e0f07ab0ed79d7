//! `replay`: do bad lines that are good by today's catalog become rows and leave the quarantine, and no
//! others?

use std::path::Path;

use crate::support::{
    events::{account_open, file_of},
    files::{assert_no_debris, assert_same_tree, published, tree},
    readback::{details, quarantine, rows, text_of},
    workdir::{Loader, Outcome, Workdir},
};

const SALES: &str = "[domain.card.events.sale.fields]\nid = 'int32'\n";

fn sale(id: &str, data: &str) -> String {
    format!(
        r#"{{"event_id": "{id}", "timestamp": "2024-10-10T05:00:00", "domain": "card", "event_type": "sale", "data": {data}}}"#
    )
}

fn replay(dir: &Workdir, args: &[&str]) -> Loader {
    dir.bare_loader().arg("replay").arg(dir.target()).args(args).reporting()
}

/// `reason raw` of all bad lines.
fn bad_lines(dir: &Workdir) -> Vec<String> {
    let text = |raw: &[u8]| String::from_utf8_lossy(raw).into_owned();
    quarantine(&dir.target()).iter().map(|bad| format!("{} {}", bad.reason, text(&bad.raw))).collect()
}

fn verify(dir: &Workdir) {
    let verified = dir.bare_loader().arg("verify").arg(dir.target()).succeeds();
    assert_eq!(verified.stdout, "", "verify");
    assert_no_debris(&dir.target());
}

fn counts(outcome: &Outcome) -> [u64; 4] {
    ["lines", "quarantined.total", "superseded", "written"].map(|name| outcome.count(name))
}

#[test]
fn what_a_new_catalog_knows_becomes_rows_and_the_rest_stays() {
    let dir = Workdir::new();
    let lines = [
        account_open("b", "2024-10-10T01:00:00", 2),
        "[not an event]".to_owned(),
        sale("a", r#"{"id": 1}"#),
        sale("c", r#"{"id": "x"}"#),
        "bad".to_owned(),
        sale("d", r#"{"id": 4}"#),
        // Another version of an event that is loaded already.
        sale("d", r#"{"id": 5}"#),
    ];
    dir.write("in/1.json", file_of(&lines));
    dir.write("in/2.json", file_of([sale("e", r#"{"id": 6}"#)]));
    dir.loader().source("in").arg("--backfill").succeeds();
    let before = quarantine(&dir.target());
    dir.write("sales.toml", SALES);

    let dry = replay(&dir, &["--catalog", "sales.toml", "--dry-run"]).succeeds();
    assert_eq!(counts(&dry), [7, 3, 1, 3]);
    assert_eq!(quarantine(&dir.target()), before, "a dry run changes nothing");

    let replayed = replay(&dir, &["--catalog", "sales.toml"]).succeeds();
    assert_eq!(counts(&replayed), [7, 3, 1, 3]);
    assert_eq!(
        bad_lines(&dir),
        [
            "malformed_json [not an event]".to_owned(),
            format!("type_mismatch {}", lines[3]),
            "malformed_json bad".to_owned()
        ],
        "with today's reason"
    );
    let places = |bad: &naive_model::BadLine| (bad.source.clone(), bad.line, bad.offset);
    let kept: Vec<_> = quarantine(&dir.target()).iter().map(places).collect();
    assert!(
        kept.iter().all(|place| before.iter().any(|bad| places(bad) == *place)),
        "each at its place: {kept:?}"
    );
    assert!(
        details(&dir.target()).iter().any(|detail| detail.contains("data.id")),
        "and with today's detail"
    );
    assert_eq!(tree(&dir.target().join("_quarantine")).len(), 1, "an empty file is gone");
    verify(&dir);
    dir.loader_into("one").source("in").args(["--backfill", "--catalog", "sales.toml"]).succeeds();
    let partitions = |target: &Path| {
        let mut tree = published(target);
        tree.retain(|name, _| !name.starts_with('_'));
        tree
    };
    assert_same_tree(
        &partitions(&dir.path("one")),
        &partitions(&dir.target()),
        "as if the catalog had been there",
    );

    let all = tree(&dir.target());
    assert_eq!(counts(&replay(&dir, &["--catalog", "sales.toml"]).succeeds()), [3, 3, 0, 0]);
    assert_same_tree(&all, &tree(&dir.target()), "again changes nothing");
}

#[test]
fn reasons_and_sources_select() {
    let dir = Workdir::new();
    dir.write("in/1.json", file_of([sale("a", r#"{"id": 1}"#), "bad".to_owned()]));
    dir.write("in/2.json", file_of([sale("b", r#"{"id": 2}"#)]));
    dir.write("in/12.json", file_of([sale("c", r#"{"id": 3}"#)]));
    dir.loader().source("in").arg("--backfill").succeeds();
    dir.write("sales.toml", SALES);
    let run =
        |args: &[&str]| counts(&replay(&dir, &[&["--catalog", "sales.toml"], args].concat()).succeeds());
    assert_eq!(run(&["--reason", "type_mismatch", "--reason", "out_of_range"]), [0, 0, 0, 0]);
    assert_eq!(run(&["--reason", "malformed_json"]), [1, 1, 0, 0]);
    assert_eq!(run(&["--source", "2.json"]), [1, 0, 0, 1], "the name of a file, not the end of one");
    assert_eq!(
        run(&["--source", dir.path("in/1.json").to_str().unwrap(), "--reason", "unknown_event"]),
        [1, 0, 0, 1]
    );
    assert_eq!(bad_lines(&dir).len(), 2);
    assert_eq!(run(&[]), [2, 1, 0, 1]);
    verify(&dir);
    replay(&dir, &["--reason", "bad"]).exits(2).says(&["--reason: unknown reason \"bad\"", "malformed_json"]);
    dir.bare_loader().arg("replay").arg("nowhere").exits(1).says(&["no load has ever written there"]);
}

/// Elements of a pretty-printed array, bytes that are not text, lines that were kept in fragments.
#[test]
fn lines_of_every_kind_are_replayed_as_they_were() {
    let dir = Workdir::new();
    let pretty = sale("a", r#"{"id": 1}"#).replace(", ", ",\n  ");
    dir.write("array.json", format!("[\n{pretty},\n{},\njunk]", account_open("b", "2024-10-10T01:00:00", 2)));
    let mut lines =
        file_of([sale("c", r#"{"id": 3}"#), format!("\"{}\"", "x".repeat(17 << 20))]).into_bytes();
    lines.extend(b"\xFFbytes\n");
    dir.write("lines.json", lines);
    let layout = ["--layout", "hive", "--partition-by", "hour", "--flatten", "false"];
    dir.loader().source("array.json").source("lines.json").arg("--backfill").args(layout).succeeds();
    let records = |dir: &Workdir| quarantine(&dir.target()).len();
    assert_eq!(records(&dir), 5);
    dir.write("sales.toml", SALES);
    let replayed = replay(&dir, &["--catalog", "sales.toml", "--flatten", "false"]).succeeds();
    assert_eq!(counts(&replayed), [4, 2, 0, 2]);
    assert_eq!(records(&dir), 3);
    let long = quarantine(&dir.target()).into_iter().find(|bad| bad.reason == "line_too_long").unwrap();
    assert_eq!(long.raw.len(), (17 << 20) + 2, "left as it was");
    assert!(
        text_of(&rows(&dir.target()))
            .iter()
            .any(|row| row.contains("event_type=sale") && row.contains("\"a\""))
    );
    verify(&dir);
}

#[test]
fn a_quarantine_that_is_empty_is_gone() {
    let dir = Workdir::new();
    dir.write("in.json", file_of([sale("a", r#"{"id": 1}"#)]));
    dir.loader().source("in.json").arg("--backfill").succeeds();
    assert_eq!(counts(&replay(&dir, &[]).succeeds()), [1, 1, 0, 0], "nothing new is known");
    dir.write("sales.toml", SALES);
    assert_eq!(counts(&replay(&dir, &["--catalog", "sales.toml"]).succeeds()), [1, 0, 0, 1]);
    assert!(!dir.path("target/_quarantine").exists());
    assert_eq!(counts(&replay(&dir, &[]).succeeds()), [0, 0, 0, 0]);
    verify(&dir);
}
