//! Does the report name the first superseded rows by their place in their sources, each beside the row that
//! is kept?
//!
//! `model` compares samples with the report over random files, and `accounting` over spilled rows; the
//! expectations here are written by hand.

use serde_json::{Value, json};

use crate::support::{
    events::{account_open, event, file_of},
    forms::Form,
    workdir::{Outcome, Workdir},
};

/// Longer than the longest line allowed, by more than the largest block, so that it is read in fragments.
const LONG_LINE_BYTES: usize = 21 << 20;

fn at(event_id: &str, time: &str, id: i32) -> String {
    account_open(event_id, &format!("2024-10-10T{time}"), id)
}

/// `source:number event_id kind source:number` of each sample; elements have `#` for `:`.
#[track_caller]
fn samples(outcome: &Outcome) -> Vec<String> {
    let place = |row: &Value| {
        let source = row["source"].as_str().expect("a source is a text").rsplit('/').next().unwrap();
        match (&row["line"], &row["element"]) {
            (Value::Number(line), Value::Null) => format!("{source}:{line}"),
            (Value::Null, Value::Number(element)) => format!("{source}#{element}"),
            _ => panic!("{row} stands on a line or is an element"),
        }
    };
    let text = |sample: &Value| {
        let [event_id, kind] = ["event_id", "kind"].map(|key| sample[key].as_str().unwrap());
        format!("{} {event_id} {kind} {}", place(sample), place(&sample["by"]))
    };
    outcome.report()["superseded_samples"].as_array().expect("samples are a list").iter().map(text).collect()
}

#[test]
fn a_sample_has_all_that_it_takes_to_find_both_rows() {
    let dir = Workdir::new();
    let payment = |time: &str, cents: u32| {
        event("p\"1", time, "payment-to", &format!(r#"{{"amount": 1.{cents}}}"#)).replace("p\"1", "p\\\"1")
    };
    let lines = [payment("2024-10-10T10:00:00.0000019+02:00", 10), payment("2024-10-11", 20)];
    let source = dir.write("in.json", file_of(lines)).display().to_string();
    let outcome = dir.loader().source(&source).args(["-b", "--superseded-samples=1"]).succeeds();
    let expected = json!([{
        "domain": "transaction",
        "event_type": "payment-to",
        "event_id": "p\"1",
        "kind": "corrected",
        "timestamp": "2024-10-10T08:00:00.000001Z",
        "source": source,
        "line": 1,
        "by": {"timestamp": "2024-10-11T00:00:00.000000Z", "source": source, "line": 2},
    }]);
    assert_eq!(outcome.report()["superseded_samples"], expected, "{outcome}");
}

#[test]
fn the_first_in_the_input_are_named_and_none_unless_asked_for() {
    let dir = Workdir::new();
    let a = [at("x", "08:00:00", 1), at("y", "08:00:00", 1), String::new(), at("z", "09:00:00", 2)];
    let b = [at("z", "08:00:00", 1), at("x", "08:00:00", 1), "{".to_owned(), at("y", "07:00:00", 1)];
    dir.write("in/a.json", file_of(a));
    dir.write("in/b.json", file_of(b));
    let all =
        ["a.json:1 x redelivered b.json:2", "b.json:1 z corrected a.json:4", "b.json:4 y corrected a.json:2"];
    let load = |args: &[&str]| dir.loader().source("in").arg("-b").args(args).succeeds();
    assert!(samples(&load(&[])).is_empty());
    for (count, expected) in [("0", 0), ("1", 1), ("2", 2), ("3", 3), ("10000", 3)] {
        let outcome = load(&["--superseded-samples", count]);
        assert_eq!(samples(&outcome), &all[..expected], "{outcome}");
        assert_eq!(outcome.count("superseded"), 3, "all are counted: {outcome}");
    }
}

/// Line numbers go on from block to block, past blank and bad lines and past a line of many fragments.
#[test]
fn lines_are_those_of_the_file_whatever_the_blocks() {
    let long = "x".repeat(LONG_LINE_BYTES);
    let blanks = "\n \r\n".repeat(100_000);
    let [a, b, c] = ["a", "b", "c"].map(|event_id| at(event_id, "08:00:00", 1));
    let later = at("b", "08:00:01", 1);
    let text = format!("{a}\n\n{long}\n{b}\n{{\n{blanks}{c}\n{long}\n{c}\n{later}\n{a}");
    let expected = ["in.json:1 a redelivered", "in.json:4 b corrected", "in.json:200006 c redelivered"];
    let kept = [10, 9, 8].map(|behind| 200_000 + behind);
    let expected: Vec<_> = expected.iter().zip(kept).map(|(row, by)| format!("{row} in.json:{by}")).collect();
    for run in [
        ["--memory=2GiB", "--threads=1"],
        ["--memory=64MiB", "--threads=2"],
        ["--memory=64MiB", "--threads=7"],
    ] {
        let dir = Workdir::new();
        let source = dir.write("in.json", &text);
        let outcome = dir.loader().source(source).args(["-b", "--superseded-samples=9"]).args(run).succeeds();
        assert_eq!(samples(&outcome), expected, "{outcome}");
    }
}

/// Elements may share a line and span many; one in many fragments is one element.
#[test]
fn in_an_array_elements_are_counted() {
    let long = format!("\"{}\"", "\n".repeat(LONG_LINE_BYTES));
    let [a, b, c] = ["a", "b", "c"].map(|event_id| at(event_id, "08:00:00", 1));
    let filler = "12 ,\n".repeat(200_000);
    let text = format!(
        "[{a}, {b}\n,\n{long},\n{c} junk, {filler} {},{b},\n{c},\n {a}\n]\n{a}",
        a.replace("\": ", "\"\n:\n")
    );
    let expected = [
        "1 a redelivered",
        "2 b redelivered",
        "4 c redelivered",
        "200006 a redelivered",
        "200009 a redelivered",
    ];
    let kept = [10, 7, 8, 10, 10].map(|behind| 200_000 + behind);
    let expected: Vec<_> =
        expected.iter().zip(kept).map(|(row, by)| format!("in.json#{row} in.json#{by}")).collect();
    for run in [["--memory=2GiB", "--threads=1"], ["--memory=64MiB", "--threads=7"]] {
        let dir = Workdir::new();
        let source = dir.write("in.json", &text);
        let outcome = dir.loader().source(source).args(["-b", "--superseded-samples=9"]).args(run).succeeds();
        assert_eq!(samples(&outcome), expected, "{outcome}");
    }
}

#[test]
fn the_row_that_is_kept_may_be_of_a_later_day_that_was_not_asked_for() {
    let dir = Workdir::in_form(Form::Gzip);
    let lines = [
        at("a", "08:00:00", 1),
        at("a", "09:00:00", 1),
        account_open("b", "2024-10-09T08:00:00", 1),
        account_open("a", "2024-10-11T08:00:00", 1),
        account_open("a", "2024-10-12T08:00:00", 1).replace(": 1}", ": \"bad\"}"),
    ];
    let source = dir.write_lines("in.json", lines);
    let load = |scope: &str| {
        let args = ["--date=2024-10-10", "--superseded-samples=9", scope];
        dir.loader().source(&source).args(args).succeeds()
    };
    let outcome = load("--dedupe-scope=input");
    assert_eq!(
        samples(&outcome),
        ["in.json:1 a corrected in.json:4", "in.json:2 a corrected in.json:4"],
        "{outcome}"
    );
    assert_eq!(outcome.report()["superseded_samples"][0]["by"]["timestamp"], "2024-10-11T08:00:00.000000Z");
    let outcome = load("--dedupe-scope=day");
    assert_eq!(samples(&outcome), ["in.json:1 a corrected in.json:2"], "{outcome}");
}

#[test]
fn the_summary_lists_them_for_those_who_ask_and_a_terminal_obeys_none() {
    let dir = Workdir::new();
    let steering = "\\u001b[2J".to_owned() + &"é".repeat(300);
    let lines = [at(&steering, "08:00:00", 1), at(&steering, "08:00:00", 2)];
    dir.write("in.json", file_of(&lines));
    dir.write("in/array.json", format!("[{}]", lines.join(",")));
    let load = |source: &str, args: &[&str]| dir.loader().source(source).arg("-b").args(args).succeeds();

    let outcome = load("in.json", &["-v", "--superseded-samples=9"]);
    let cut = "é".repeat(200 - "e[2J".len());
    assert_eq!(outcome.report()["superseded_samples"][0]["event_id"], format!("\u{1b}[2J{cut}"), "{outcome}");
    let line = format!("in.json:1: account-open \\u001B[2J{cut} corrected; kept: in.json:2");
    let lines: Vec<_> = outcome.stderr.lines().map(str::trim).collect();
    let superseded = lines.iter().position(|line| line.contains("superseded by a later version")).unwrap();
    assert_eq!(lines[superseded + 1], line, "{outcome}");

    let outcome = load("in", &["-v", "--superseded-samples=9"]);
    assert!(outcome.stderr.contains("array.json, element 1: account-open "), "{outcome}");
    assert!(outcome.stderr.contains("array.json, element 2\n"), "{outcome}");
    for args in [&["-v"][..], &["--superseded-samples=9"]] {
        let outcome = load("in.json", args);
        assert!(!outcome.stderr.contains("; kept: "), "{outcome}");
    }
}
