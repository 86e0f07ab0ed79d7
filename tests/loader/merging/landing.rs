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

/// With a checksum of its content, as the tool of that name writes it.
fn checksummed_zstd(text: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    std::io::Write::write_all(&mut encoder, text).unwrap();
    encoder.finish().unwrap()
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
    assert!(read("shop.toml"), "another type is another meaning: the source is read again");
}

/// The same of an envelope, whether a flag, a catalog or its keys say it, and of types with names.
#[test]
fn an_envelope_and_types_that_mean_the_same_load_nothing_again() {
    let dir = Workdir::new();
    let charge = r#"{"id": "evt_1", "object": "event", "created": 1728518407, "type": "charge", "livemode": true, "data": {"object": {"fee": {"value": 1}, "paid": [{"value": 2}]}}}"#;
    dir.write("landing/a.json", file_of([charge]));
    let types = "[domain.stripe.events.charge.fields]\nfee = 'price'\npaid = 'list(price)'\n\
                 [types.price]\nfields.value = 'int32'\n";
    dir.write("types.toml", types);
    dir.write("spelt-out.toml", "[domain.stripe.events.charge.fields]\npaid.list.fields.value = 'int32'\nfee.fields.value.type = 'int32'\n");
    dir.write("envelope.toml", "[envelope]\npreset = 'stripe'\n");
    let preset = dir.bare_loader().args(["catalog", "show", "--envelope", "stripe"]).succeeds().stdout;
    dir.write("keys.toml", preset);
    dir.write("all/both.toml", format!("{types}# as they send it\n[envelope]\npreset = 'stripe'\n"));
    let read =
        |flags: &[&str]| dir.loader().source("landing").args(MERGE).args(flags).succeeds().count("lines") > 0;
    assert!(read(&["--envelope", "stripe", "--catalog", "types.toml"]));
    for same in [
        &["--envelope", "stripe", "--catalog", "spelt-out.toml"][..],
        &["--catalog", "types.toml", "--catalog", "envelope.toml"],
        &["--catalog", "keys.toml", "--catalog", "./types.toml"],
        &["--catalog", "all"],
    ] {
        assert!(!read(same), "{same:?}");
    }
    assert!(read(&["--envelope", "stripe", "--catalog", "types.toml", "-D", "stripe"]), "a selection");
    dir.write("other.toml", "[envelope]\npreset = 'stripe'\ndata = '{data}'\n");
    assert!(read(&["--catalog", "types.toml", "--catalog", "other.toml"]), "another payload");
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

/// Beside good sources: what breaks off may be finished later; all else is left out by name, with an exit
/// code that a scheduler sees. Loaded by itself, it is an error.
#[test]
fn what_is_damaged_is_not_unfinished() {
    let text = file_of(three_days(3));
    let packed = gzip(text.as_bytes());
    let zstd = checksummed_zstd(text.as_bytes());
    let with = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 0x55;
        bytes
    };
    let behind = |bytes: &[u8], more: &[u8]| [bytes, more].concat();
    for (what, bytes) in [
        ("a wrong CRC", with(&packed, packed.len() - 8)),
        ("a wrong length", with(&packed, packed.len() - 1)),
        ("a flipped byte", with(&packed, packed.len() / 2)),
        ("a flipped byte in a header", with(&packed, 2)),
        ("a newline behind gzip", behind(&packed, b"\n")),
        ("text behind gzip", behind(&packed, b"garbage")),
        ("a wrong checksum", with(&zstd, zstd.len() - 1)),
        ("a flipped byte in zstd", with(&zstd, zstd.len() / 2)),
        ("one byte behind zstd", behind(&zstd, b"\n")),
        ("text behind zstd", behind(&zstd, b"garbage")),
        ("zeros behind zstd", behind(&zstd, &[0; 8])),
        ("zeros behind lines", behind(text.as_bytes(), &[0; 4096])),
        ("zeros behind half a line", behind(&text.as_bytes()[..text.len() - 9], &[0; 9])),
        ("zeros behind half an array", behind(b"[{},", &[0; 9])),
        ("nothing but zeros", vec![0; 4096]),
        ("zeros in half a gzip", behind(&packed[..packed.len() / 2], &vec![0; packed.len() / 2])),
        ("another container", b"BZh91AY&SY\xBB}\xCF\"\0\0".to_vec()),
        ("another encoding", b"\xFF\xFE{\0\"\0".to_vec()),
    ] {
        let dir = Workdir::new();
        dir.write("landing/a-good.json", file_of([line(1)]));
        let path = dir.write("landing/b-bad.json", &bytes);
        dir.write("landing/c-good.json", file_of([line(2)]));
        let is_foreign = what.starts_with("another");
        let expected = if is_foreign { "foreign b-bad.json" } else { "damaged b-bad.json" };
        let first = dir.loader().source("landing").args(MERGE).exits(6);
        assert_eq!((first.count("written"), passed_over(&first)), (2, vec![expected.to_owned()]), "{what}");
        // Every run says so, and a quiet one says nothing else.
        let quiet = dir.loader().source("landing").args(MERGE).arg("-q").exits(6);
        quiet.says(&["error: left out ", "landing/b-bad.json: it"]);
        dir.loader_into("dry").source("landing").args(MERGE).arg("--dry-run").exits(6);
        // Zeros in a text are a bad line of it.
        if !["zeros behind lines", "zeros behind half a line", "nothing but zeros"].contains(&what) {
            let alone = dir.loader_into("alone").source(path).source("landing/a-good.json").arg("--backfill");
            alone.exits(1).says(&["b-bad.json"]);
            assert!(!dir.path("alone").exists(), "{what}");
        }
        // It is loaded once it is whole.
        dir.write("landing/b-bad.json", &packed);
        dir.loader().source("landing").args(MERGE).succeeds();
    }
}

/// An array may break off anywhere, behind any bracket, and lines may follow it.
#[test]
fn an_array_that_is_being_written_is_left_whole_wherever_it_breaks_off() {
    let dir = Workdir::new();
    let open = r#"{"event_id": "2", "timestamp": "2024-10-10", "domain": "account", "event_type": "account-open", "data": {"reason": "[{]}\\\"]", "x": [["a"], [{"b": []}]]}}"#;
    let text = format!("[\n{open},\n{open}\n]\n{open}\n[1]\n{open}");
    let end = text.find("\n]\n").unwrap() + 2;
    let mut unfinished = Vec::new();
    for length in 1..text.len() {
        let name = format!("{length:04}.json");
        dir.write(&format!("landing/{name}"), &text[..length]);
        let last = text[..length].rsplit('\n').next().unwrap();
        let is_whole = last.is_empty() || serde_json::from_str::<Value>(last).is_ok();
        // The array's own bracket is no line.
        if length < end || (length > end && !is_whole) {
            unfinished.push(format!("unfinished {name}"));
        }
    }
    let outcome = dir.loader().source("landing").args(MERGE).arg("--dry-run").succeeds();
    assert_eq!(passed_over(&outcome), unfinished);

    fs_err::remove_dir_all(dir.path("landing")).unwrap();
    dir.write("landing/good.json", file_of([line(1)]));
    dir.write("landing/array.json", &text);
    // The line `[1]` is no event.
    assert_eq!(load(&dir).reasons(), [("not_an_event".to_owned(), 1)].into());
    // What an array has wrong is no reason to wait.
    for (index, text) in ["[{},]", "[{}, junk]", "[{}] x", "[{}]\n\n \n"].iter().enumerate() {
        dir.write("landing/array.json", text);
        let outcome = load(&dir);
        let known = passed_over(&outcome);
        // The text behind the array is not JSON: it may be half of a line.
        let expected = if text.ends_with('x') {
            vec!["unfinished array.json", "loaded good.json"]
        } else {
            vec!["loaded good.json"]
        };
        assert_eq!(known, expected, "{index}");
    }
}

#[cfg(unix)]
#[test]
fn names_of_unfinished_files_are_left_out_and_links_that_lead_nowhere_are_named() {
    let dir = Workdir::new();
    for name in
        ["a.json.tmp", "a.json.part", ".a.json.swp", "a.json.swp", "a.json~", "b.tmp/a.json", "_a.json"]
    {
        dir.write(&format!("landing/{name}"), "{half");
    }
    dir.write("landing/part.json", file_of([line(1)]));
    dir.write("landing/x.tmp.json", file_of([line(2)]));
    std::os::unix::fs::symlink("nowhere.json", dir.path("landing/link.json")).unwrap();
    std::os::unix::fs::symlink("loop.json", dir.path("landing/loop.json")).unwrap();
    let dangling = ["dangling link.json", "dangling loop.json"];
    let outcome = load(&dir);
    assert_eq!((outcome.count("lines"), passed_over(&outcome)), (2, dangling.map(str::to_owned).to_vec()));
    assert!(outcome.stderr.contains("a link that leads nowhere: landing/link.json"), "{outcome}");
    for source in ["landing", "landing/[lpx]*.json"] {
        let outcome = dir.loader().source(source).arg("--backfill").succeeds();
        assert_eq!(
            (outcome.count("lines"), passed_over(&outcome)),
            (2, dangling.map(str::to_owned).to_vec())
        );
    }
    // What is named itself is read, or an error.
    dir.loader().source("landing/link.json").arg("--backfill").exits(1).says(&["landing/link.json"]);
    let named = dir.loader().source("landing/a.json~").args(["--backfill", "--max-bad-lines=1"]).succeeds();
    assert_eq!(named.count("lines"), 1);
    let checked = dir.bare_loader().args(["catalog", "check", "landing"]).succeeds();
    assert!(checked.stdout.contains("landing/link.json leads nowhere"), "{checked}");
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
    let kinds = |load: &Value| json!([load["redelivered"], load["corrected"], load["held_superseded"]]);
    assert_eq!(
        json.iter().map(kinds).collect::<Vec<_>>(),
        [json!([1, 0, 0]), json!([1, 0, 0]), json!([0, 0, 0])]
    );
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
