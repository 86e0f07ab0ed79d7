//! Are objects of a bucket read as files are: the same bytes, once, in order, or not at all?

mod servers;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::Value;

use crate::support::{
    bucket::{Bucket, wait_until},
    events::{account_open, event, file_of, three_days},
    files::{Tree, assert_no_debris, assert_same_tree, published, tree},
    forms::{FORMS, gzip, zstd},
    peak_memory::assert_peak,
    readback::{quarantine, rows},
    workdir::{Loader, Outcome, Workdir},
};

fn one_event(event_id: &str) -> String {
    account_open(event_id, "2024-10-10T12:00:00", 1) + "\n"
}

fn lines(count: i32) -> String {
    file_of((0..count).map(|id| account_open(&format!("e{id}"), "2024-10-10T12:00:00", id)))
}

/// Into the target `target`, with a report.
fn loader(dir: &Workdir, bucket: &Bucket) -> Loader {
    bucket.reached_by(dir.loader())
}

/// Everything that a file can be.
fn all_kinds() -> BTreeMap<String, Vec<u8>> {
    let events = three_days(7);
    let mut all = BTreeMap::new();
    for (form, lines) in FORMS.into_iter().zip(events.chunks(events.len().div_ceil(FORMS.len()))) {
        all.insert(format!("in/{form:?}"), form.encode(&form.write(lines).text));
    }
    let pretty =
        "{\n  \"event_id\": \"p\", \"timestamp\": \"2024-10-10T08:00:00\", \"domain\": \"account\",\n";
    for (name, content) in [
        ("in/empty.json", String::new()),
        ("in/mark.json", format!("\u{FEFF}{}", one_event("mark"))),
        ("in/torn.json", one_event("whole") + r#"{"event_id": "torn", "#),
        ("in/bad.json", one_event("good") + "no JSON\n\n{}\n"),
        ("in/documents.json", format!("{pretty}\"event_type\": \"nothing\", \"data\": {{}}\n}}\n").repeat(3)),
        ("in/deep/er/a b+%20ü&.json", one_event("odd name")),
        ("in/_private/x.json", one_event("private")),
        ("in/.hidden", one_event("hidden")),
        ("in/deep/half.tmp", one_event("half")),
        ("in-2/other.json", one_event("other")),
    ] {
        all.insert(name.to_owned(), content.into_bytes());
    }
    all
}

/// The same in a directory and on a bucket.
fn both(all: &BTreeMap<String, Vec<u8>>) -> (Workdir, Bucket) {
    let (dir, bucket) = (Workdir::new(), Bucket::new());
    for (name, content) in all {
        dir.write(name, content);
        bucket.put(name, content.as_slice());
    }
    (dir, bucket)
}

/// A target without what the names of its sources decide.
fn rows_and_names(tree: Tree) -> Tree {
    tree.into_iter().filter(|(name, _)| !name.starts_with("_quarantine/")).collect()
}

/// A report with names as files have them, and without times.
fn comparable(dir: &Workdir, place: &str, outcome: &Outcome) -> Value {
    let root = format!("{}/", dir.path("").display()).replace("//", "/");
    let text = outcome.report().to_string().replace(place, "").replace(&root, "");
    let mut report: Value = serde_json::from_str(&text).unwrap();
    for timed in ["stages", "duration_ms", "target"] {
        report.as_object_mut().unwrap().remove(timed);
    }
    report
}

#[test]
fn objects_leave_the_target_and_the_report_that_files_do() {
    let (dir, bucket) = both(&all_kinds());
    let cases = [("overwrite", "in/"), ("merge", "in"), ("merge", "in*/**/*[!p]")];
    for (case, (mode, given)) in cases.into_iter().enumerate() {
        let flags = ["--backfill", "--mode", mode, "--memory=64MiB"];
        let loader = |target| dir.loader_into(target).args(flags);
        let of_files = format!("of-files-{case}");
        let files = loader(&of_files).source(dir.path(given)).succeeds();
        let of_objects = format!("of-objects-{case}");
        let objects = bucket.reached_by(loader(&of_objects)).source(format!("s3://b/{given}")).succeeds();
        assert!(files.count("written") > 0);
        let of = |outcome| comparable(&dir, "s3://b/", outcome);
        assert_eq!(of(&files), of(&objects), "{objects}");
        let of = |target| rows_and_names(published(&dir.path(target)));
        assert_same_tree(&of(&of_files), &of(&of_objects), given);
        let bad = |target: &str| {
            let place =
                |name: &str| name.rsplit_once("in/").map_or(String::new(), |(_, name)| name.to_owned());
            let bad = quarantine(&dir.path(target)).into_iter();
            bad.map(|bad| (place(&bad.source), bad.line, bad.offset, bad.reason, bad.raw)).collect::<Vec<_>>()
        };
        assert_eq!(bad(&of_files), bad(&of_objects));
    }
}

#[test]
fn objects_and_files_are_one_input_in_the_order_of_their_names() {
    let (dir, bucket) = (Workdir::new(), Bucket::new());
    bucket.put("b.json", one_event("b"));
    bucket.put("a/1.json", one_event("a1") + "{\n");
    dir.write("t.json", one_event("t"));
    dir.write("a.json", one_event("file"));
    let given = ["s3://b/b.json", "-", "t.json", "s3://b/a/", "a.json", "s3://b/*.json", "s3://b/b.json"];
    let loader = given.into_iter().fold(loader(&dir, &bucket), Loader::source).stdin(one_event("stdin"));
    let outcome = loader.arg("-b").succeeds();
    let sources = outcome.report()["sources"].as_array().unwrap();
    let names: Vec<_> = sources.iter().map(|source| source["path"].as_str().unwrap()).collect();
    assert_eq!(names, ["a.json", "s3://b/a/1.json", "s3://b/b.json", "t.json", "-"]);
    assert_eq!((outcome.count("written"), outcome.count("lines")), (5, 6));
    assert_eq!(quarantine(&dir.target())[0].source, "s3://b/a/1.json");
    let file = tree(&dir.target().join("_quarantine")).into_keys().next().unwrap();
    assert!(file.starts_with("1.json-"), "{file}");
    // The bad line is found by the end of its source's name.
    let shown = dir.bare_loader().args(["quarantine", "target", "--raw", "--source", "a/1.json"]).succeeds();
    assert_eq!(shown.stdout, "{\n");
}

/// The ways to read a source: all of them notice.
const READERS: [&[&str]; 4] = [
    &["--backfill"],
    &["--backfill", "--mode", "merge"],
    &["--backfill", "--mode", "merge", "--skip-loaded"],
    &["--date", "2024-10-10", "--dry-run"],
];

#[test]
fn an_object_that_is_replaced_while_it_is_read_fails_the_load_by_name() {
    // Of as many parts as there are at 64 MiB.
    let content = lines(25_000);
    assert!(content.len() > 3 << 20);
    for flags in READERS {
        for compress in [|text: &[u8]| text.to_vec(), |text: &[u8]| [gzip(text), vec![0; 3 << 20]].concat()] {
            let stored = compress(content.as_bytes());
            // At its first byte, somewhere inside, and at its last part.
            for part in [0, 1, stored.len() >> 20] {
                let again = compress(content.as_bytes());
                let replaced = AtomicUsize::new(0);
                let bucket = Bucket::with(move |bucket, key, offset| {
                    if offset == part << 20 && replaced.fetch_add(1, Ordering::SeqCst) == 0 {
                        bucket.put(key, again.as_slice());
                    }
                });
                bucket.put("in.json", stored.as_slice());
                let dir = Workdir::new();
                dir.write("before.json", one_event("before"));
                dir.loader().source("before.json").arg("--backfill").succeeds();
                let before = published(&dir.target());
                let loader =
                    loader(&dir, &bucket).args(flags).args(["--memory=64MiB", "-s", "s3://b/in.json"]);
                let outcome = loader.exits(1);
                outcome.says(&[
                    "s3://b/in.json: reading failed",
                    "it was changed while it was read",
                    "run again",
                ]);
                assert_same_tree(&before, &published(&dir.target()), "what was there before");
                assert_no_debris(&dir.target());
            }
        }
    }
}

#[test]
fn small_objects_are_fetched_many_at_a_time_each_once() {
    // After the first few, whoever fetches one at a time would wait long for the others.
    let answered = AtomicUsize::new(0);
    let bucket = Bucket::with(move |bucket, _, _| {
        if answered.fetch_add(1, Ordering::SeqCst) >= 8 {
            wait_until(|| bucket.under_way_most() >= 8);
        }
    });
    for index in 0..2_000 {
        bucket.put(&format!("in/{index:04}.json"), one_event(&format!("e{index:04}")));
    }
    let dir = Workdir::new();
    let outcome = loader(&dir, &bucket).source("s3://b/in").arg("--backfill").succeeds();
    assert_eq!(outcome.count("written"), 2_000);
    let requests = bucket.requests();
    let of = |kind: &str| requests.iter().filter(|request| request.starts_with(kind)).count();
    // One listing tells whether the bucket is there.
    assert_eq!((of("GET"), of("HEAD"), of("LIST")), (2_000, 1, 1 + 20), "{:?}", &requests[..30]);
    assert!((8..=32).contains(&bucket.under_way_most()), "{} at once", bucket.under_way_most());
}

#[test]
fn a_large_object_is_fetched_in_parts_at_a_time_in_bounded_memory() {
    let content = lines(400_000);
    let parts = content.len().div_ceil(1 << 20);
    let bucket = Bucket::with(|bucket, _, _| wait_until(|| bucket.under_way_most() >= 3));
    bucket.put("in.json", content);
    let dir = Workdir::on_disk();
    let load = |threads| {
        let flags = ["--backfill", "--memory=64MiB", threads];
        bucket.reached_by(dir.loader()).args(flags).source("s3://b/in.json")
    };
    assert_peak(load("--threads=2"), 64, "two threads");
    assert_eq!(bucket.gets().len(), parts);
    assert_eq!(rows(&dir.target()).values().map(Vec::len).sum::<usize>(), 400_000);
    assert!((3..=4).contains(&bucket.under_way_most()), "{} at once", bucket.under_way_most());
}

#[test]
fn what_a_glob_can_match_is_listed_and_nothing_else() {
    let bucket = Bucket::new();
    for day in 1..=9 {
        for name in ["events-1.jsonl.gz", "events-2.jsonl.gz", "other.gz"] {
            bucket.put(&format!("2024/0{day}/{name}"), gzip(one_event(&format!("{day}{name}")).as_bytes()));
        }
    }
    bucket.put("2025/01/events-1.jsonl.gz", gzip(one_event("later").as_bytes()));
    let dir = Workdir::new();
    let found = |glob: &str| {
        bucket.requests();
        let outcome = loader(&dir, &bucket).source(format!("s3://b/{glob}")).arg("--backfill").succeeds();
        let is_listing = |request: &String| request.starts_with("LIST");
        let listed: Vec<_> = bucket.requests().into_iter().filter(is_listing).skip(1).collect();
        (outcome.count("written"), listed.join(" "))
    };
    assert_eq!(found("2024/*/events-*.jsonl.gz"), (18, "LIST 2024/".to_owned()));
    assert_eq!(found("2024/0[1-3]/events-1*"), (3, "LIST 2024/0".to_owned()));
    assert_eq!(found("**/events-1.jsonl.gz"), (10, "LIST ".to_owned()));
    assert_eq!(found("202?/01"), (4, "LIST 202".to_owned()), "a directory that matches");
}

#[test]
fn what_is_not_there_is_an_error_by_its_name() {
    let (dir, bucket) = (Workdir::new(), Bucket::new());
    bucket.put("in/a.json", one_event("a"));
    // Keys that can't be named; they are in nobody's way elsewhere.
    bucket.put("./first.json", one_event("first"));
    bucket.put("odd/./b.json", one_event("b"));
    bucket.put("empty//b.json", one_event("b"));
    let fails = |source: &str, parts: &[&str]| {
        let outcome = loader(&dir, &bucket).source(source).arg("--backfill").exits(1);
        outcome.says(parts);
    };
    fails("s3://b/none.json", &["s3://b/none.json: no such object", "check --source-file"]);
    fails("s3://b/none/*.json", &["s3://b/none/*.json: matches no object", "check --source-file"]);
    fails("s3://b/none/", &["s3://b/none/: has no object to read", "check --source-file"]);
    fails("s3://b/odd/", &["failed to list `s3://b/odd/`", "odd/./b.json"]);
    fails("s3://b/empty/*/b.json", &["failed to list `s3://b/empty/`", "empty//b.json"]);
    fails("s3://b/empty//b.json", &["`s3://b/empty//b.json`", "empty path segment"]);
    fails("s3://none/in/", &["s3://none", "no bucket \"none\"", "NoSuchBucket"]);
    for (source, target) in [("s3://b/in/", "s3a://b/in/lake"), ("s3://b/in/a.json", "s3://b/in")] {
        let loader = bucket.reached_by(dir.bare_loader()).args(["-t", target, "--backfill"]).source(source);
        loader.exits(2).says(&["the target s3", "source s3://b/in", "choose another --target-path"]);
    }
    let landing = ["--backfill", "--mode=merge", "--skip-loaded", "-s", "s3://b/none/"];
    loader(&dir, &bucket).args(landing).succeeds();
    assert!(rows(&dir.target()).is_empty());
}

#[test]
fn catalogs_are_drafted_from_and_checked_with_objects() {
    let orders = (0..30_000).map(|id| {
        let data = format!(r#"{{"id": {id}, "note": "{id:0100}"}}"#);
        event(&format!("o{id}"), "2024-10-10T08:00:00", "order-placed", &data)
    });
    let content = file_of(orders);
    let (dir, bucket) = both(&BTreeMap::from([
        ("in/a.json".to_owned(), content.clone().into_bytes()),
        ("in/b.zst".to_owned(), zstd(content.as_bytes())),
    ]));
    let on = |command: [&str; 2], source: &str| dir.bare_loader().args(["catalog"]).args(command).arg(source);
    let of_files = on(["infer", "--threads=2"], "in").succeeds();
    let of_objects = bucket.reached_by(on(["infer", "--threads=2"], "s3://b/in")).succeeds();
    assert_eq!(of_files.stdout, of_objects.stdout);
    // Only their beginnings are read twice.
    let bytes = |gets: Vec<String>| -> usize {
        let length = |get: &String| {
            let (start, last) = get.rsplit_once(' ')?.1.split_once('-')?;
            Some(last.parse::<usize>().ok()? + 1 - start.parse::<usize>().ok()?)
        };
        gets.iter().filter_map(length).sum()
    };
    let (plain, compressed) = (content.len(), zstd(content.as_bytes()).len());
    let (once, read) = (plain + compressed, bytes(bucket.gets()));
    // 4 MiB of text, what was on its way behind them, and the compressed file, which is shorter than that.
    let twice_at_most = (5 << 20) + compressed;
    assert!(
        read > once && read - once <= twice_at_most,
        "{read} bytes of {once}, {compressed} of them compressed"
    );
    dir.write("orders.toml", &of_objects.stdout);
    let check = |source: &str| on(["check", "--catalog=orders.toml"], source);
    let of_objects = bucket.reached_by(check("s3://b/in/*")).succeeds();
    assert_eq!(check("in").succeeds().stdout, of_objects.stdout);
    // Whoever reads the first lines only does not fetch everything behind them.
    let long = |id| {
        event(&format!("o{id}"), "2024-10-10T08:00:00", "order", &format!(r#"{{"note": "{id:020000}"}}"#))
    };
    bucket.put("long.json", file_of((0..1_500).map(long)));
    bucket.requests();
    bucket.reached_by(on(["infer", "--sample-lines=10"], "s3://b/long.json")).succeeds();
    let read = bytes(bucket.gets());
    assert!(read < 20 << 20, "{read} bytes of 30,000,000");
}
