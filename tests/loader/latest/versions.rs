//! Where the catalog names fields as the version of an event: do they decide which version is the latest,
//! before the timestamp, wherever "latest" is decided?

use serde_json::json;

use crate::support::{
    events::{Die, file_of},
    files::{assert_same_tree, published},
    readback::{details, rows, text_of},
    workdir::{Outcome, Workdir},
};

/// A catalog of orders with this version, a list in TOML.
fn catalog(version: &str) -> String {
    format!(
        "[domain.shop]\nversion = {version}\n[domain.shop.fields]\nn = 'int64'\nprice = 'decimal(12,2)'\n\
         at = 'timestamp'\ntext = 'string'\nnote = 'string'\nsource = {{ fields = {{ lsn = 'int32' }} }}\n\
         [domain.shop.events.order]\n"
    )
}

fn order(id: &str, timestamp: &str, data: &str) -> String {
    format!(
        r#"{{"event_id": "{id}", "timestamp": "{timestamp}", "domain": "shop", "event_type": "order", "data": {data}}}"#
    )
}

fn load(dir: &Workdir, lines: &[String], version: &str, flags: &[&str]) -> Outcome {
    dir.write("shop.toml", catalog(version));
    dir.write("in.json", file_of(lines));
    dir.loader().source("in.json").args(["-b", "--catalog", "shop.toml"]).args(flags).succeeds()
}

/// The notes of all rows, in the order of the rows.
fn notes(dir: &Workdir) -> Vec<String> {
    let rows = text_of(&rows(&dir.target()));
    let note = |row: &String| row.split("note ").nth(1).unwrap().split(" end").next().unwrap().to_owned();
    rows.iter().map(note).collect()
}

#[test]
fn fields_are_compared_by_what_they_hold() {
    let early = "2024-10-10T23:00:00";
    for (version, lower, higher) in [
        ("'n'", r#""n": 9"#, r#""n": 10"#),
        ("'n'", r#""n": -10"#, r#""n": "-9""#),
        ("'n'", r#""n": -1"#, r#""n": 0"#),
        ("'price'", r#""price": "9.99""#, r#""price": 10"#),
        ("'price'", r#""price": -0.02"#, r#""price": -0.01"#),
        ("'at'", r#""at": "2024-10-10T10:00:00+02:00""#, r#""at": "2024-10-10T09:00:00Z""#),
        ("'at'", r#""at": "1969-12-31T00:00:00Z""#, r#""at": "1970-01-01T00:00:00Z""#),
        ("'text'", r#""text": "10""#, r#""text": "9""#),
        ("'text'", r#""text": "a""#, r#""text": "a\u0000""#),
        ("'text'", r#""text": "z""#, r#""text": "é""#),
        ("'source.lsn'", r#""source": {"lsn": 1}"#, r#""source": {"lsn": 2}"#),
        ("['text', 'n']", r#""text": "a", "n": 2"#, r#""text": "ab", "n": 1"#),
        ("['text', 'n']", r#""text": "a", "n": 9"#, r#""text": "a", "n": 10"#),
        ("['n', 'source.lsn']", r#""n": 1, "source": {"lsn": 7}"#, r#""n": 2, "source": {"lsn": 1}"#),
    ] {
        for flatten in ["true", "false"] {
            let line = |timestamp: &str, fields: &str, note: &str| {
                order("a", timestamp, &format!(r#"{{{fields}, "note": "note {note} end"}}"#))
            };
            let (low, high) = (line("2024-10-12", lower, "low"), line(early, higher, "high"));
            for lines in [[low.clone(), high.clone()], [high, low]] {
                let dir = Workdir::new();
                let loaded = load(&dir, &lines, version, &["--flatten", flatten]);
                assert_eq!(notes(&dir), ["high"], "{version}: {lower} and {higher}, {flatten}");
                assert_eq!((loaded.count("corrected"), loaded.count("written")), (1, 1));
            }
        }
    }
}

/// Equal versions: the later timestamp; equal timestamps, too: the later in the input.
#[test]
fn equal_versions_are_decided_by_the_timestamp_and_then_by_the_input() {
    let line = |timestamp: &str, note: &str| {
        order("a", timestamp, &format!(r#"{{"n": 1, "note": "note {note} end"}}"#))
    };
    let dir = Workdir::new();
    load(&dir, &[line("2024-10-11", "late"), line("2024-10-10", "early")], "'n'", &[]);
    assert_eq!(notes(&dir), ["late"]);
    load(&dir, &[line("2024-10-11", "first"), line("2024-10-11", "second")], "'n'", &[]);
    assert_eq!(notes(&dir), ["second"]);
}

#[test]
fn an_event_without_its_version_is_a_bad_line() {
    for (version, data, path) in [
        ("'n'", r#"{"note": "x"}"#, "data.n"),
        ("'n'", r#"{"n": null}"#, "data.n"),
        ("['text', 'n']", r#"{"n": 1}"#, "data.text"),
        ("'source.lsn'", r#"{"n": 1}"#, "data.source.lsn"),
        ("'source.lsn'", "null", "data.source.lsn"),
    ] {
        let dir = Workdir::new();
        let loaded = load(&dir, &[order("a", "2024-10-10", data)], version, &["--max-bad-lines=1"]);
        assert_eq!(loaded.reasons(), [("type_mismatch".to_owned(), 1)].into(), "{version} {data}");
        let details = details(&dir.target());
        assert!(details[0].contains(path) && details[0].contains("required"), "{details:?}");
    }
}

/// A day by itself, and the days one after the other: as one backfill.
#[test]
fn all_days_compete_whichever_are_loaded() {
    let line = |id: &str, day: u32, n: u32| {
        order(id, &format!("2024-10-{day}"), &format!(r#"{{"n": {n}, "note": "note {id}{n} end"}}"#))
    };
    let lines = [
        line("a", 10, 3),
        line("a", 11, 2),
        line("a", 12, 1),
        line("b", 10, 1),
        line("b", 11, 2),
        line("b", 12, 1),
        line("c", 11, 1),
        line("c", 12, 2),
    ];
    let dir = Workdir::new();
    let loaded = load(&dir, &lines, "'n'", &[]);
    assert_eq!(notes(&dir), ["a3", "b2", "c2"], "{loaded}");
    for flags in [&[][..], &["--flatten", "false"], &["--layout", "hive"]] {
        let dir = Workdir::new();
        load(&dir, &lines, "'n'", flags);
        for day in ["2024-10-11", "2024-10-10", "2024-10-12"] {
            let args = ["--date", day, "--catalog", "shop.toml"];
            dir.loader_into("days").source("in.json").args(args).args(flags).succeeds();
        }
        assert_same_tree(&published(&dir.target()), &published(&dir.path("days")), &format!("{flags:?}"));
    }
    let day = load(&dir, &lines, "'n'", &["--dedupe-scope", "day"]);
    assert_eq!(day.count("written"), 8, "each day has its own latest version");
}

/// One type has a version, the other has none: with any memory and threads the same bytes, loaded at once or
/// merged.
#[test]
fn what_does_not_fit_the_memory_is_decided_alike() {
    let dir = Workdir::new();
    let mut die = Die::new(3);
    let mut line = |index: u64| {
        let id = if index.is_multiple_of(2) {
            format!("{:08x}-0000-4000-8000-000000000000", die.roll(15_000))
        } else {
            format!("id {}", die.roll(15_000))
        };
        let (n, day, text) = (die.roll(3), 10 + die.roll(3), "x".repeat(900));
        let data = format!(r#"{{"n": {n}, "text": "{}", "note": "{index} {text}"}}"#, die.roll(2));
        let line = order(&id, &format!("2024-10-{day}"), &data);
        if index.is_multiple_of(3) { line.replace("\"order\"", "\"other\"") } else { line }
    };
    let lines: Vec<_> = (0..50_000).map(&mut line).collect();
    dir.write("in/1.json", file_of(&lines[..25_000]));
    dir.write("in/2.json", file_of(&lines[25_000..]));
    let catalog = catalog("['text', 'n']") + "[domain.shop.events.other]\nversion = []\n";
    dir.write("shop.toml", catalog);
    let load = |target: &str, source: &str, flags: &[&str]| {
        dir.loader_into(target).source(source).args(["-b", "--catalog", "shop.toml"]).args(flags).succeeds()
    };
    let one = load("target", "in", &["--superseded-samples", "50", "--memory", "2GiB"]);
    for flags in [&["--memory", "64MiB", "--threads", "1"][..], &["--memory", "64MiB", "--threads", "3"]] {
        let spilled = load("spilled", "in", &[flags, &["--superseded-samples", "50"]].concat());
        assert_same_tree(&published(&dir.target()), &published(&dir.path("spilled")), &format!("{flags:?}"));
        for count in ["superseded_samples", "redelivered", "corrected", "written"] {
            assert_eq!(one.report()[count], spilled.report()[count], "{count}");
        }
    }
    for source in ["in/1.json", "in/2.json"] {
        load("merged", source, &["--mode", "merge", "--memory", "64MiB"]);
    }
    assert_same_tree(&published(&dir.target()), &published(&dir.path("merged")), "merged");
}

#[test]
fn samples_name_the_version() {
    let dir = Workdir::new();
    let line = |n: u32, lsn: u32| {
        order(
            "a",
            "2024-10-10",
            &format!(r#"{{"n": {n}, "source": {{"lsn": {lsn}}}, "note": "note {n} end"}}"#),
        )
    };
    let flags = ["--superseded-samples", "9", "--mode", "merge", "-v"];
    let version = "['source.lsn', 'n']";
    let loaded = load(&dir, &[line(2, 7), line(1, 6)], version, &flags);
    let sample = &loaded.report()["superseded_samples"][0];
    assert_eq!(sample["version"], json!({"source.lsn": "6", "n": "1"}), "{sample:#}");
    assert_eq!(sample["by"]["version"], json!({"source.lsn": "7", "n": "2"}), "{sample:#}");
    let loaded = load(&dir, &[line(3, 5)], version, &flags);
    let said = "kept: the target's row of 2024-10-10T00:00:00.000000Z, source.lsn 7, n 2";
    assert!(loaded.stderr.contains(said), "{loaded}");
}

/// Change events of a database, whose position in its log is a part of the envelope: in a catalog with an
/// envelope, and in one that names a field of the preset that a flag gives.
#[test]
fn a_field_of_the_envelope_may_be_the_version() {
    let change = |lsn: u32, time: u64, note: &str| {
        let source = format!(r#"{{"db": "shop", "table": "orders", "ts_ms": {time}, "lsn": {lsn}}}"#);
        let after = format!(r#"{{"id": 1, "note": "note {note} end"}}"#);
        format!(r#"{{"op": "{note}", "source": {source}, "after": {after}}}"#)
    };
    let types = "[domain.shop.events.orders.fields]\nid = 'int32'\nnote = 'string'\n";
    let envelope = "[envelope]\npreset = 'debezium'\nfields = { op = 'string', source = { fields = { lsn = 'int64' } } }\n\
         version = 'source.lsn'\n";
    let (low, high) = (change(9, 1_728_604_800_000, "b"), change(10, 1_728_518_400_000, "a"));
    let load = |catalog: String, flags: &[&str]| {
        let dir = Workdir::new();
        dir.write("shop.toml", catalog);
        for lines in [[&low, &high], [&high, &low]] {
            dir.write("in.json", file_of(lines));
            let args = ["-b", "--mode", "merge", "--catalog", "shop.toml"];
            dir.loader().source("in.json").args(args).args(flags).succeeds();
        }
        notes(&dir)
    };
    assert_eq!(load(format!("{envelope}{types}"), &[]), ["a"]);
    assert_eq!(load(format!("{envelope}{types}"), &["--flatten", "false"]), ["a"]);
    let by_op = types.replace(
        "[domain.shop.events.orders.fields]",
        "[domain.shop]\nversion = 'op'\n[domain.shop.events.orders.fields]",
    );
    assert_eq!(load(by_op, &["--envelope", "debezium"]), ["b"]);
}

/// Types that no catalog names have the version of those that stand for them.
#[test]
fn a_type_that_no_catalog_names_may_have_a_version() {
    let dir = Workdir::new();
    let line = |n: u32, day: u32, event_type: &str| {
        let line = order(
            "a",
            &format!("2024-10-{day}"),
            &format!(r#"{{"n": {n}, "note": "note {event_type}{n} end"}}"#),
        );
        line.replace("\"order\"", &format!("\"{event_type}\""))
    };
    let lines = ["x", "y"].map(|name| [line(2, 10, name), line(1, 12, name), line(1, 11, name)]).concat();
    dir.write("in.json", file_of(lines));
    dir.write(
        "shop.toml",
        "[domain.shop.events.\"*\"]\nversion = 'n'\nfields = { n = 'int32', note = 'string' }\n",
    );
    for flags in [&["-b"][..], &["--date", "2024-10-10"], &["--date", "2024-10-12", "--mode", "merge"]] {
        dir.loader().source("in.json").args(["--catalog", "shop.toml"]).args(flags).succeeds();
        assert_eq!(notes(&dir), ["x2", "y2"], "{flags:?}");
    }
}

#[test]
fn a_catalog_is_shown_with_what_decides() {
    let dir = Workdir::new();
    dir.write("shop.toml", catalog("['source.lsn', 'n']"));
    let shown =
        dir.bare_loader().args(["catalog", "show", "--catalog", "shop.toml", "-D", "shop"]).succeeds();
    let said = "The latest version of an event is that by source.lsn, then by n, then by the timestamp";
    assert!(shown.stdout.contains(said), "{shown}");
}

#[test]
fn a_version_that_can_t_be_is_refused_at_its_line() {
    let dir = Workdir::new();
    dir.write("in.json", "");
    for (version, message) in [
        ("'gone'", "found \"gone\", which it does not have"),
        ("'source'", "found \"source\" of type object"),
    ] {
        dir.write("shop.toml", catalog(version));
        let refused = dir.loader().source("in.json").args(["-b", "--catalog", "shop.toml"]).exits(2);
        refused.says(&["shop.toml:2: version of shop/order: expected fields of", message]);
    }
}
