//! `replay`: do bad lines that are good by today's catalog become rows and leave the quarantine, and no
//! others?

use std::path::Path;

use crate::support::{
    events::{Die, account_open, file_of},
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
    dir.loader().source("in").args(["--backfill", "--max-bad-lines=100%"]).succeeds();
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
    // Of the last, no line is left.
    let there = dir.path("in/1.json");
    for source in ["nope", "n/1.json", "2.json"] {
        let refused = replay(&dir, &["--source", "1.json", "--source", source]).exits(1);
        refused.says(&[source, "check --source", there.to_str().unwrap()]);
    }
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
    dir.loader().source("in.json").args(["--backfill", "--max-bad-lines=100%"]).succeeds();
    assert_eq!(counts(&replay(&dir, &[]).succeeds()), [1, 1, 0, 0], "nothing new is known");
    dir.write("sales.toml", SALES);
    assert_eq!(counts(&replay(&dir, &["--catalog", "sales.toml"]).succeeds()), [1, 0, 0, 1]);
    assert!(!dir.path("target/_quarantine").exists());
    assert_eq!(counts(&replay(&dir, &[]).succeeds()), [0, 0, 0, 0]);
    verify(&dir);
}

/// A sale that the first of these catalogs refuses if it has no note. Its type is no name of a directory.
const NOTE_REQUIRED: &str =
    "[domain.card.events.'sale/EU'.fields]\nid = 'int32'\nnote = { type = 'string', required = true }\n";
const NOTE_OPTIONAL: &str =
    "[domain.card.events.'sale/EU'.fields]\nid = 'int32'\nnote = { type = 'string', required = false }\n";

/// A version of an event at one of two times; the number is the version's own.
fn version(event: u64, number: u64, is_good: bool) -> String {
    let note = if is_good { r#", "note": "n""# } else { "" };
    let sale = sale(&format!("event-{event}"), &format!(r#"{{"id": {number}{note}}}"#));
    sale.replace(r#""sale""#, r#""sale/EU""#)
}

/// Loads `runs`, each with its files, by both catalogs: by the first and then a replay with the second, and
/// by the second alone.
fn replayed_and_loaded(dir: &Workdir, runs: &[Vec<&str>], flags: &[&str]) -> [Vec<String>; 2] {
    dir.write("required.toml", NOTE_REQUIRED);
    dir.write("optional.toml", NOTE_OPTIONAL);
    for (target, catalog) in [("target", "required.toml"), ("loaded", "optional.toml")] {
        for run in runs {
            let sources = run.iter().flat_map(|source| ["-s", source]);
            // Some files have no good line.
            let flags = [&["-b", "--max-bad-lines", "100%", "--catalog", catalog], flags].concat();
            dir.loader_into(target).args(sources).args(flags).succeeds();
        }
    }
    replay(dir, &["--catalog", "optional.toml"]).succeeds();
    assert!(bad_lines(dir).is_empty());
    verify(dir);
    ["target", "loaded"].map(|target| text_of(&rows(&dir.path(target))))
}

/// A bad line and a good one of one event and time: the later of them is kept, as if the line had been good.
#[test]
fn the_place_of_a_bad_line_decides_ties() {
    let (bad, good) = (version(1, 701, false), version(1, 702, true));
    let merge = &["--mode", "merge"][..];
    for (first, second, kept) in [(&bad, &good, "702"), (&good, &bad, "701")] {
        for (runs, flags) in [
            (vec![vec!["one.json"]], &[][..]),
            (vec![vec!["one.json"]], &["--partition-by", "hour", "--layout", "hive"]),
            (vec![vec!["a.json", "b.json"]], &[]),
            (vec![vec!["a.json", "b.json"]], merge),
            (vec![vec!["a.json"], vec!["b.json"]], merge),
            (vec![vec!["a.json"], vec!["b.json"]], &["--mode", "merge", "--layout", "hive"]),
            // The same again changes nothing.
            (vec![vec!["a.json"], vec!["b.json"], vec!["b.json"]], merge),
            // Rows of the day that come later do not make the row one that came later.
            (vec![vec!["a.json"], vec!["b.json"], vec!["other.json"]], merge),
        ] {
            let dir = Workdir::new();
            dir.write("one.json", file_of([first, second]));
            dir.write("a.json", file_of([first]));
            dir.write("b.json", file_of([second]));
            dir.write("other.json", file_of([version(2, 703, true)]));
            let [replayed, loaded] = replayed_and_loaded(&dir, &runs, flags);
            assert_eq!(replayed, loaded, "{runs:?} {flags:?}");
            assert!(replayed[0].contains(kept), "{runs:?} {flags:?} {replayed:?}");
        }
    }
}

/// Two versions of each event at one time, good or bad, anywhere in up to three files that come in one run or
/// in several.
#[test]
fn a_replay_leaves_what_the_right_catalog_would_have_left() {
    for seed in 0..12 {
        let mut die = Die::new(seed);
        let dir = Workdir::new();
        let mut lines: Vec<_> = (0..40).map(|number| version(number / 2, number, die.one_in(2))).collect();
        die.shuffle(&mut lines);
        let names = ["b.json", "c.json", "a.json"];
        for (name, lines) in names.iter().zip(lines.chunks(14)) {
            dir.write(name, file_of(lines));
        }
        let runs = match seed % 3 {
            0 => vec![names.to_vec()],
            1 => vec![names[..2].to_vec(), names[2..].to_vec()],
            _ => names.iter().map(|name| vec![*name]).collect(),
        };
        let [replayed, loaded] = replayed_and_loaded(&dir, &runs, &["--mode", "merge"]);
        assert_eq!(loaded.len(), 20);
        assert_eq!(replayed, loaded, "seed {seed}: {runs:?}");
    }
}

/// What a line was found to be stays with it: when other days of its file are loaded, and when it is bad
/// again.
#[test]
fn a_bad_line_that_came_last_still_does_when_its_file_is_loaded_again() {
    let dir = Workdir::new();
    dir.write("required.toml", NOTE_REQUIRED);
    dir.write("optional.toml", NOTE_OPTIONAL);
    dir.write("in.json", file_of([version(1, 701, true), version(1, 702, false)]));
    let load = |day: &str| {
        let days = ["--mode", "merge", "--catalog", "required.toml", "--date", day];
        dir.loader().source("in.json").args(days).succeeds();
    };
    load("2024-10-10");
    load("2024-10-11");
    assert_eq!(counts(&replay(&dir, &["--catalog", "required.toml"]).succeeds()), [1, 1, 0, 0]);
    assert_eq!(counts(&replay(&dir, &["--catalog", "optional.toml"]).succeeds()), [1, 0, 0, 1]);
    let replayed = text_of(&rows(&dir.target()));
    assert!(replayed.len() == 1 && replayed[0].contains("702"), "{replayed:?}");
    verify(&dir);
}

/// What a line says is not all that it is read by: its place in an array or a document counts, the mark at
/// the start of its source, and that no newline may stand in a string. A replay by the same catalog finds the
/// same.
#[test]
fn a_line_is_read_again_as_it_stood() {
    let dir = Workdir::new();
    let good = |id: &str| account_open(id, "2024-10-10T01:00:00", 2);
    let mark = "\u{feff}";
    let broken_string = good("e").replace("account-open", "account\nopen");
    dir.write("a.json", format!("[{} {}]", good("a"), good("behind no comma")));
    dir.write("b.json", format!("[{}] {}\n", good("b"), good("behind the end")));
    dir.write("c.json", format!("{mark}{}\n", sale("c", "{\"id\": 1}")));
    dir.write("d.json", format!("{mark}{}\n{mark}{}\n", good("d"), good("with a mark")));
    dir.write("e.json", format!("[{broken_string}]"));
    dir.write(
        "f.json",
        format!("[{}]", good("f").replace("\"id\"", "\"id\": 3, \"new_status\": \"a\nb\", \"i\"")),
    );
    let load = |target: &str, args: &[&str]| {
        dir.loader_into(target).args(["-b", "--max-bad-lines=100%"]).args(args).succeeds()
    };
    let sources = ["a", "b", "c", "d", "e", "f"].map(|name| format!("-s{name}.json"));
    load("target", &sources.each_ref().map(String::as_str));
    let before = quarantine(&dir.target());
    assert_eq!(before.len(), 6, "{:?}", bad_lines(&dir));
    assert_eq!(counts(&replay(&dir, &[]).succeeds()), [6, 6, 0, 0]);
    assert_eq!(quarantine(&dir.target()), before);
    // A catalog that knows the sale changes nothing of the others.
    dir.write("sales.toml", SALES);
    assert_eq!(counts(&replay(&dir, &["--catalog", "sales.toml"]).succeeds()), [6, 5, 0, 1]);
    let kept: Vec<_> = before.into_iter().filter(|bad| bad.reason != "unknown_event").collect();
    assert_eq!(quarantine(&dir.target()), kept);
    verify(&dir);
    let mut sources = sources.to_vec();
    sources.push("--catalog=sales.toml".to_owned());
    load("loaded", &sources.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(text_of(&rows(&dir.target())), text_of(&rows(&dir.path("loaded"))));
}
