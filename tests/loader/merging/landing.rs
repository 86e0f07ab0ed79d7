//! `--skip-loaded`, `list`: can one command line keep loading a directory that fills up?
//!
//! A source that was merged is recognised by its content; one that is still being written is left for a later
//! run.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{
    events::{Die, account_open, file_of, three_days},
    files::{Tree, assert_no_debris, assert_same_tree, published, tree},
    forms::{Form, gzip},
    readback::{quarantine, rows},
    workdir::{Outcome, Workdir},
};

const MERGE: [&str; 4] = ["--backfill", "--mode", "merge", "--skip-loaded"];

fn load(dir: &Workdir) -> Outcome {
    dir.loader().source("landing").args(MERGE).succeeds()
}

fn partitions(target: &Path) -> Tree {
    let mut tree = published(target);
    tree.retain(|name, _| !name.starts_with('_'));
    tree
}

/// `reason file` of the sources that were skipped.
fn passed_over(outcome: &Outcome) -> Vec<String> {
    let sources = outcome.report()["passed_over"].as_array().unwrap();
    let text = |source: &Value| {
        let path = source["path"].as_str().unwrap();
        format!("{} {}", source["reason"].as_str().unwrap(), path.rsplit('/').next().unwrap())
    };
    sources.iter().map(text).collect()
}

fn line(number: i32) -> String {
    account_open(&format!("event {number}"), "2024-10-10T01:00:00", number)
}

#[test]
fn what_was_merged_is_known_by_its_content() {
    let dir = Workdir::new();
    let (a, b) = (file_of([line(1)]), file_of([line(2), "bad".to_owned()]));
    dir.write("landing/a.json", &a);
    dir.write("landing/b.json", &b);
    assert_eq!(load(&dir).count("written"), 2);
    let before = tree(&dir.target());
    let again = load(&dir);
    assert_eq!(
        (again.count("lines"), passed_over(&again)),
        (0, vec!["loaded a.json".into(), "loaded b.json".into()])
    );
    assert!(again.stderr.contains("skipped, already loaded: 2 sources"), "{again}");
    assert_same_tree(&before, &tree(&dir.target()), "nothing is new");

    fs_err::rename(dir.path("landing/a.json"), dir.path("landing/z.json")).unwrap();
    dir.write("landing/copy.json.gz", gzip(b.as_bytes()));
    dir.write("landing/twin.json", file_of([line(3)]));
    dir.write("landing/twin too.json", file_of([line(3)]));
    let other = load(&dir);
    assert_eq!(passed_over(&other), ["loaded b.json", "same twin.json", "loaded z.json"]);
    // The same lines as other bytes are another content; merging them changes nothing.
    assert_eq!((other.count("written"), other.count("redelivered")), (1, 1));
    assert_eq!(quarantine(&dir.target()).len(), 2, "the bad line of each source");
}

/// A source counts as loaded for what was loaded of it, and only until something is overwritten.
#[test]
fn a_source_is_loaded_again_where_more_of_it_is_wanted_or_it_may_be_gone() {
    let dir = Workdir::new();
    dir.write("landing/a.json", file_of(three_days(1)));
    dir.write("mine.toml", "[domain.card.events.sale.fields]\nid = 'int32'\n");
    let read = |flags: &[&str]| {
        let outcome =
            dir.loader().source("landing").args(["--mode", "merge", "--skip-loaded"]).args(flags).succeeds();
        outcome.count("lines") > 0
    };
    assert!(read(&["--date", "2024-10-10"]));
    assert!(!read(&["--date", "2024-10-10"]));
    assert!(read(&["--date", "2024-10-11"]), "another day");
    assert!(read(&["--backfill", "-D", "account"]), "a domain");
    assert!(read(&["--backfill"]), "all of it");
    assert!(!read(&["--backfill"]));
    assert!(read(&["--backfill", "--catalog", "mine.toml"]), "another catalog may know what was quarantined");
    assert!(!read(&["--backfill"]), "still known");
    dir.write("other.json", file_of([line(1)]));
    dir.loader().source("other.json").arg("--backfill").succeeds();
    assert!(read(&["--backfill"]), "what was overwritten may have been its rows");
    assert!(!read(&["--backfill"]));
}

/// What a catalog means decides what was loaded of a source, not where its text stands or how it is written.
#[test]
fn a_catalog_that_means_the_same_loads_nothing_again() {
    let dir = Workdir::new();
    let sale = r#"{"event_id": "s", "timestamp": "2024-10-10", "domain": "shop", "event_type": "sale", "data": {"id": 1, "of": "x"}}"#;
    dir.write("landing/a.json", file_of([sale]));
    let fields = "[domain.shop.events.sale.fields]\nid = 'int32'\nof = 'string'\n";
    dir.write("shop.toml", fields);
    let read = |catalog: &str| {
        let flags = ["--catalog", catalog];
        dir.loader().source("landing").args(MERGE).args(flags).succeeds().count("lines") > 0
    };
    assert!(read("shop.toml"));
    assert!(!read("./shop.toml"), "another path");
    assert!(!read(dir.path("shop.toml").to_str().unwrap()), "an absolute path");
    dir.write("shop.toml", format!("# our shop\n\n{fields}"));
    assert!(!read("shop.toml"), "a comment");
    dir.write("catalogs/sales.toml", fields);
    assert!(!read("catalogs"), "another file, in a directory");
    dir.write(
        "shop.toml",
        "[domain.shop.events.sale]\ndescription = 'A sale'\n[domain.shop.events.sale.fields]\n\
         of = { type = 'string', description = 'The article' }\nid = 'int32'\n",
    );
    assert!(!read("shop.toml"), "descriptions, and another order");
    dir.write("shop.toml", "[domain.shop.events.sale.fields]\nid = 'int64'\nof = 'string'\n");
    let wider = dir.loader().source("landing").args(MERGE).args(["--catalog", "shop.toml"]);
    assert!(!wider.exits(1).stderr.is_empty(), "another type is another meaning: the source is read again");
}

#[test]
fn what_is_still_being_written_is_left_whole() {
    let dir = Workdir::new();
    fs_err::create_dir_all(dir.path("landing")).unwrap();
    assert_eq!(load(&dir).count("lines"), 0, "a directory that is empty for now");
    let whole = file_of([line(1), line(2)]);
    let array = format!("[{},\n{}]\n", line(3), line(4));
    let packed = gzip(file_of([line(5), line(6)]).as_bytes());
    let zstd = Form::Zstd.encode(file_of([line(7)]).as_bytes());
    let cut = |bytes: &[u8], at: usize| bytes[..at].to_vec();
    dir.write("landing/1.json", cut(whole.as_bytes(), whole.len() - 9));
    dir.write("landing/2.json", cut(array.as_bytes(), array.len() - 2));
    dir.write("landing/3.json.gz", cut(&packed, packed.len() - 3));
    dir.write("landing/4.json.zst", cut(&zstd, zstd.len() - 3));
    dir.write("landing/5.json.gz", cut(&packed, 5));
    dir.write("landing/6.json", file_of([line(8)]));
    let first = load(&dir);
    let unfinished =
        ["1.json", "2.json", "3.json.gz", "4.json.zst", "5.json.gz"].map(|name| format!("unfinished {name}"));
    assert_eq!((first.count("written"), passed_over(&first)), (1, unfinished.to_vec()));
    assert!(first.stderr.contains("1.json: its last line has no end"), "{first}");
    assert!(quarantine(&dir.target()).is_empty(), "no half line is a bad line");
    // A last line without a newline is whole if it is JSON.
    dir.write("landing/1.json", whole.trim_end());
    dir.write("landing/2.json", &array);
    dir.write("landing/3.json.gz", &packed);
    dir.write("landing/4.json.zst", &zstd);
    dir.write("landing/5.json.gz", &packed);
    let second = load(&dir);
    assert_eq!(
        (second.count("written"), passed_over(&second)),
        (7, vec!["same 5.json.gz".into(), "loaded 6.json".into()])
    );
    assert_eq!(rows(&dir.target()).into_values().flatten().count(), 8);
}

/// Files grow by pieces that end anywhere, and each run loads what is whole; in the end everything is there.
#[test]
fn files_that_grow_are_loaded_to_their_end() {
    let dir = Workdir::new();
    let (lines, mut die) = (three_days(5), Die::new(5));
    dir.write("all.json", file_of(&lines));
    dir.loader_into("one").source("all.json").arg("--backfill").succeeds();
    let files = [file_of(&lines[..150]), file_of(&lines[150..])];
    let mut ends = [0, 0];
    while (0..2).any(|file| ends[file] < files[file].len()) {
        for (file, text) in files.iter().enumerate() {
            ends[file] = (ends[file] + die.index(9_000)).min(text.len());
            while !text.is_char_boundary(ends[file]) {
                ends[file] += 1;
            }
            dir.write(&format!("landing/{file}.json"), &text[..ends[file]]);
        }
        load(&dir);
    }
    load(&dir);
    assert_same_tree(&partitions(&dir.path("one")), &partitions(&dir.target()), "grown");
    let raw = |target: &Path| {
        quarantine(target).into_iter().map(|line| line.raw).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(raw(&dir.path("one")), raw(&dir.target()), "bad lines are whole lines");
    assert_no_debris(&dir.target());
}

#[test]
fn skipping_asks_for_a_merge() {
    let dir = Workdir::new();
    dir.write("landing/a.json", "");
    let overwriting = dir.loader().source("landing").args(["--backfill", "--skip-loaded"]);
    overwriting.exits(2).says(&["--skip-loaded", "add --mode merge"]);
}

fn list(dir: &Workdir, args: &[&str]) -> Outcome {
    dir.bare_loader().arg("list").arg(dir.target()).args(args).succeeds()
}

#[test]
fn list_shows_what_was_committed() {
    let dir = Workdir::new();
    dir.write("a.json", file_of([line(1), line(1), "bad".to_owned()]));
    dir.loader().source("a.json").arg("--backfill").succeeds();
    dir.write("landing/b.json", file_of([account_open("b", "2024-10-11T00:00:00", 1)]));
    dir.write("landing/c.json", file_of([line(1)]));
    load(&dir);
    dir.write("landing/d.json", "");
    load(&dir);
    load(&dir);
    let listed = list(&dir, &[]).stdout;
    let columns = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let found: Vec<_> = listed.lines().map(columns).collect();
    assert_eq!(found[0][..2], ["commit", "when"]);
    let without_time = |row: &Vec<String>| [&row[..1], &row[2..]].concat().join(" ");
    let rows: Vec<_> = found[1..].iter().map(without_time).collect();
    assert_eq!(
        rows,
        [
            "1 overwrite 3 1 1 1 1 a.json",
            "2 merge 2 1 1 0 1 landing/b.json and 1 more",
            "3 merge 0 0 0 0 0 landing/d.json"
        ],
        "{listed}"
    );
    let json: Vec<Value> =
        list(&dir, &["--json"]).stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let second = [
        &json[1]["commit"],
        &json[1]["mode"],
        &json[1]["sources"],
        &json[1]["partitions"],
        &json[1]["written"],
    ];
    assert_eq!(second, [&json!(2), &json!("merge"), &json!(2), &json!(1), &json!(1)]);
    dir.bare_loader().arg("list").arg(dir.path("nowhere")).exits(1).says(&["no load has ever written there"]);
}

/// After hundreds of loads the loader has few files of its own, and nothing is forgotten.
#[test]
fn many_loads_are_folded() {
    let dir = Workdir::new();
    for number in 0..230 {
        let landing = dir.path("landing");
        if landing.exists() {
            fs_err::remove_dir_all(landing).unwrap();
        }
        dir.write(&format!("landing/{number}.json"), file_of([line(number % 200), format!("bad {number}")]));
        load(&dir);
    }
    let own = tree(&dir.path("target/_eventloader"));
    assert!(own.len() < 110, "{} files of the loader's own", own.len());
    assert_no_debris(&dir.target());
    let verified = dir.bare_loader().arg("verify").arg(dir.target()).succeeds();
    assert!(verified.stdout.is_empty() && verified.stderr.contains("from 230 commits"), "{verified}");
    assert_eq!(list(&dir, &[]).stdout.lines().count(), 231);
    dir.write("landing/again.json", file_of([line(7), "bad 7".to_owned()]));
    assert_eq!(
        passed_over(&load(&dir)),
        ["loaded 229.json", "loaded again.json"],
        "an early one is still known"
    );
    fs_err::remove_file(dir.path("target/2024/10/10/account-open/part-00000.zstd.parquet")).unwrap();
    let verified = dir.bare_loader().arg("verify").arg(dir.target()).exits(1);
    assert!(verified.stdout.contains("is missing: commit"), "{verified}");
}
