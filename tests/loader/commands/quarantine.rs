//! `quarantine`: are bad lines shown by reason, source and field, and given back byte for byte?

use std::process::Stdio;

use serde_json::{Value, json};

#[cfg(target_os = "linux")]
use crate::support::peak_memory::assert_peak;
use crate::support::{
    events::{account_open, file_of},
    files::{assert_same_tree, tree},
    readback::quarantine,
    workdir::{Loader, Workdir},
};

const LOAD: [&str; 3] = ["--backfill", "--mode=merge", "--max-bad-lines=100%"];

fn look(dir: &Workdir, args: &[&str]) -> Loader {
    dir.bare_loader().arg("quarantine").arg(dir.target()).args(args)
}

fn groups(dir: &Workdir, args: &[&str]) -> Vec<Value> {
    let printed = look(dir, &[&["--json"], args].concat()).succeeds().stdout;
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn raw(dir: &Workdir, args: &[&str]) -> Vec<u8> {
    let mut command = look(dir, &[&["--raw"], args].concat()).into_command();
    let output = command.stdout(Stdio::piped()).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

fn with_bad_lines() -> Workdir {
    let dir = Workdir::new();
    let wrong = |id: &str, value: &str| {
        account_open(id, "2024-10-10T01:00:00", 7).replace(": 7", &format!(": {value}"))
    };
    let long = format!("{{\"text\": \"{}\"}}", "ä".repeat(200));
    dir.write(
        "in/1.json",
        file_of([&*wrong("a", "\"x\""), "junk", &wrong("b", "\"y\""), &wrong("c", "3000000000"), &long]),
    );
    let good = account_open("d", "2024-10-10T01:00:00", 4);
    dir.write("in/2.json", [b"\xFFbytes\n\x1B[2Jjunk\n", good.as_bytes(), b"\n"].concat());
    dir.loader().source("in").args(LOAD).succeeds();
    dir
}

#[test]
fn bad_lines_are_shown_by_reason_source_and_field_with_the_first_of_each() {
    let dir = with_bad_lines();
    let before = tree(&dir.target());
    let name = |group: &Value| {
        let source = group["source"].as_str().unwrap().rsplit('/').next().unwrap();
        json!([group["reason"], source, group["field"], group["lines"], group["first"]["line"]])
    };
    let all: Vec<_> = groups(&dir, &[]).iter().map(name).collect();
    let expected = json!([
        ["invalid_utf8", "2.json", null, 1, 1],
        ["malformed_json", "1.json", null, 1, 2],
        ["malformed_json", "2.json", null, 1, 2],
        ["not_an_event", "1.json", "domain", 1, 5],
        ["out_of_range", "1.json", "data.id", 1, 4],
        ["type_mismatch", "1.json", "data.id", 2, 1],
    ]);
    assert_eq!(Value::from(all), expected);
    let mismatch = groups(&dir, &["--reason", "type_mismatch"]).remove(0);
    assert_eq!(mismatch["first"]["found"], "\"x\"");
    assert_eq!(mismatch["first"]["offset"], 0);
    let excerpt = mismatch["first"]["excerpt"].as_str().unwrap();
    assert!(excerpt.starts_with("{\"event_id\": \"a\"") && excerpt.ends_with('…'), "{excerpt}");
    assert_eq!(groups(&dir, &["--source", "2.json", "--reason", "malformed_json"]).len(), 1);
    assert!(groups(&dir, &["--reason", "duplicate_key"]).is_empty());

    let shown = look(&dir, &[]).succeeds();
    shown.says(&["7 bad lines of 2 sources"]);
    let place = dir.path("in/1.json").display().to_string();
    let group = format!(
        "type_mismatch, data.id: 2 lines of {place}\n    line 1: expected int32, found \"x\"\n    {{\"event_id\": \"a\""
    );
    assert!(shown.stdout.contains(&group), "{shown}");
    assert!(
        shown.stdout.contains("\\u001B[2Jjunk") && !shown.stdout.contains('\u{1b}'),
        "safe on a terminal"
    );
    assert_eq!(look(&dir, &["-q"]).succeeds().stderr, "");

    look(&dir, &["--source", "nope"])
        .exits(1)
        .says(&["nope: no line of it is in the quarantine", "--source"]);
    look(&dir, &["--reason", "nope"]).exits(2).says(&["unknown reason", "type_mismatch"]);
    look(&dir, &["--json", "--raw"]).exits(2);
    dir.bare_loader().args(["quarantine", "nowhere"]).exits(1).says(&["no load has ever committed"]);
    assert_same_tree(&before, &tree(&dir.target()), "nothing is changed");
}

/// What is printed is what stood in the sources, and can be loaded again.
#[test]
fn lines_are_given_back_byte_for_byte() {
    let dir = with_bad_lines();
    let both = [fs_err::read(dir.path("in/1.json")).unwrap(), b"\xFFbytes\n\x1B[2Jjunk\n".to_vec()].concat();
    let mut lines: Vec<_> =
        raw(&dir, &[]).split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    lines.sort();
    let mut expected: Vec<_> = both.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    expected.sort();
    assert_eq!(lines, expected);
    assert_eq!(raw(&dir, &["--source", "1.json"]), fs_err::read(dir.path("in/1.json")).unwrap());
    assert_eq!(raw(&dir, &["--reason", "invalid_utf8"]), b"\xFFbytes\n");
    let text = raw(&dir, &[]);
    dir.loader_into("again").arg("-s-").args(LOAD).stdin(text).succeeds();
    let bad = |target| {
        let mut bad: Vec<_> =
            quarantine(&dir.path(target)).into_iter().map(|bad| (bad.reason, bad.raw)).collect();
        bad.sort();
        bad
    };
    assert_eq!(bad("again"), bad("target"));
}

/// Elements, documents and records are printed without what stood around them; a line in fragments is one.
#[test]
fn elements_documents_and_long_lines_are_given_back_whole() {
    let dir = Workdir::new();
    let element = "{\n  \"not\": \"an event\"\n}";
    dir.write("a.json", format!("[\n{element} ,\n{} ]", account_open("a", "2024-10-10T01:00:00", 1)));
    dir.write("b.json", format!("{element}\n{element}\n"));
    let long = format!("\"{}\"", "x".repeat(17 << 20));
    dir.write("c.json", file_of([&*long, "last"]));
    dir.loader().source("a.json").source("b.json").source("c.json").args(LOAD).succeeds();
    assert_eq!(raw(&dir, &["--source", "a.json"]), format!("{element}\n").as_bytes());
    assert_eq!(raw(&dir, &["--source", "b.json"]), format!("{element}\n{element}\n").as_bytes());
    assert!(raw(&dir, &["--source", "c.json"]) == format!("{long}\nlast\n").as_bytes());
    look(&dir, &["-q", "--raw", "--reason=line_too_long"]).succeeds();
    assert_eq!(groups(&dir, &["--reason=line_too_long"])[0]["lines"], 1);
}

#[test]
fn a_damaged_record_is_named_and_the_others_are_shown() {
    let dir = with_bad_lines();
    for (name, file) in tree(&dir.target().join("_quarantine")) {
        if name.starts_with("1.json") {
            drop(file);
            let path = dir.target().join("_quarantine").join(&name);
            let text = fs_err::read(&path).unwrap();
            let mut lines: Vec<_> = text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
            lines[1] = b"{\"source\": broken\n".to_vec();
            lines[3].insert(5, 0xFF);
            fs_err::write(&path, lines.concat()).unwrap();
            let looked = look(&dir, &["--json"]).exits(1);
            for line in [2, 4] {
                assert!(
                    looked.stderr.contains(&format!("{name}:{line}: not a quarantine record")),
                    "{looked}"
                );
            }
            assert!(looked.stderr.contains("5 bad lines of 2 sources"), "{looked}");
            assert_eq!(looked.stdout.lines().count(), 4, "{looked}");
        }
    }
}

/// Fields are keys of the data where there are maps.
#[test]
fn groups_are_limited_in_number() {
    let dir = Workdir::new();
    dir.write("stock.toml", "[domain.account.events.account-open.fields]\nstock = 'map(int32)'\n");
    let line = |number| {
        account_open("a", "2024-10-10T01:00:00", 1)
            .replace("\"id\": 1", &format!("\"stock\": {{\"{number}\": []}}"))
    };
    dir.write("in.json", file_of((0..20_100).map(line)));
    dir.loader().source("in.json").args(LOAD).args(["--catalog", "stock.toml"]).succeeds();
    let groups = groups(&dir, &[]);
    assert_eq!(groups.len(), 20_001);
    let others = groups.iter().find(|group| group["source"] == "(others)").unwrap();
    assert_eq!((&others["lines"], &others["reason"]), (&100.into(), &"type_mismatch".into()));
}

/// Many lines, of which each is a group, or all are one.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_number_of_lines() {
    let dir = Workdir::new();
    let filler = "x".repeat(1_000);
    dir.write("in.json", file_of((0..50_000).map(|number| format!("junk {number} {filler}"))));
    dir.loader().source("in.json").args(LOAD).succeeds();
    for args in [&["--raw"][..], &["--json"], &[]] {
        assert_peak(look(&dir, args), 24, &format!("{args:?}"));
    }
    let discard = dir.bare_loader().arg("discard").arg(dir.target()).args(["--threads", "1"]);
    assert_peak(discard, 24, "discard");
}

/// It waits for no load, so its lines can be piped into one of the same target.
#[test]
fn a_running_load_does_not_matter() {
    let dir = with_bad_lines();
    dir.write("more.json", file_of([account_open("e", "2024-10-10T01:00:00", 1)]));
    let load = dir.loader().source("more.json").args(LOAD);
    load.held_at(20, || assert_eq!(groups(&dir, &[]).len(), 6));
}
