//! Does the summary say of each day what is so, in a few lines, with nouns that fit their numbers?

use crate::support::{
    events::{account_open, file_of},
    workdir::{Outcome, Workdir},
};

/// The lines of the summary about days.
fn days(outcome: &Outcome) -> Vec<&str> {
    outcome.stderr.lines().filter(|line| line.contains("events on") || line.contains("events read")).collect()
}

const NONE: &str = "no events on 2024-10-11; any partitions of that day are unchanged";
const REMOVED: &str = "events on 2024-10-10 are superseded by later versions; partitions that held nothing else \
                       are removed";
const SUPERSEDED: &str = "all events read of 2024-10-10 are superseded by later versions; any partitions of that \
                          day are unchanged";

/// The event of the 10th is corrected on the 12th.
#[test]
fn a_day_without_rows_is_said_to_have_no_events_only_if_it_has_none() {
    let dir = Workdir::new();
    let of = |day: i32| account_open("a", &format!("2024-10-{day}T08:00:00"), day);
    dir.write("10.json", of(10));
    dir.write("12.json", of(12));
    let range = ["--since", "2024-10-10", "--until", "2024-10-12"];

    let both = dir.loader_into("both").source("10.json").source("12.json").args(range).succeeds();
    assert_eq!(days(&both), [SUPERSEDED, NONE], "{both}");

    dir.loader().source("10.json").arg("--backfill").succeeds();
    let merge = |source: &str| dir.loader().source(source).args(range).arg("--mode=merge").succeeds();
    let moved = merge("12.json");
    assert_eq!(days(&moved), [REMOVED, NONE], "{moved}");
    assert!(!dir.target().join("2024/10/10").exists());
    let late = merge("10.json");
    let last = NONE.replace("2024-10-11", "2024-10-11 to 2024-10-12").replace("that day", "those days");
    assert_eq!(days(&late), [SUPERSEDED, &last], "{late}");
    let again = merge("12.json");
    assert!(again.stderr.contains("all events read of 2024-10-12 are superseded"), "{again}");
}

#[test]
fn a_range_of_millennia_is_a_few_lines_and_the_report_says_how_many_days_there_are() {
    let dir = Workdir::new();
    dir.write(
        "in.json",
        file_of(
            (10..28)
                .step_by(2)
                .map(|day| account_open(&format!("e{day}"), &format!("2024-10-{day}T08:00:00"), day)),
        ),
    );
    let loaded =
        dir.loader().source("in.json").args(["--since", "0001-01-01", "--until", "9999-12-31"]).succeeds();
    assert!(loaded.stderr.lines().count() < 12, "{loaded}");
    assert!(loaded.stderr.contains("no events on 0001-01-01 to 2024-10-09; any partitions"), "{loaded}");
    assert!(
        loaded.stderr.contains("no rows were written for 2,912,878 more days"),
        "the rest is counted: {loaded}"
    );
    let listed = loaded.report()["days_without_events"].as_array().unwrap().len() as u64;
    assert_eq!((listed, loaded.count("days_without_events_total")), (1_000, 3_652_059 - 9));
}

#[test]
fn one_is_not_many() {
    let dir = Workdir::new();
    dir.write("good.json", account_open("a", "2024-10-10T08:00:00", 1));
    dir.write("bad.json", "bad\n");
    let load = || dir.loader().source("good.json").arg("--backfill");
    let loaded = load().succeeds();
    let verified = dir.bare_loader().arg("verify").arg(dir.target()).succeeds();
    let refused = load().source("bad.json").args(["--max-bad-lines", "0"]).exits(3);
    let checked = dir.bare_loader().args(["catalog", "check", "good.json"]).succeeds();
    let inferred =
        dir.bare_loader().args(["catalog", "infer", "good.json", "--all", "--sample-lines", "1"]).succeeds();
    let text = [&loaded, &verified, &refused, &inferred].map(|outcome| outcome.stderr.as_str()).join("\n");
    let text = format!("{text}\n{}", checked.stdout);
    for (number, noun) in text.split_whitespace().zip(text.split_whitespace().skip(1)) {
        let is_plural = noun.trim_end_matches([',', ':', ';']).ends_with('s') && noun != "ms";
        assert!(number != "1" || !is_plural, "1 {noun}: {text}");
    }
    assert!(text.contains("1 line read from 1 source") && text.contains("1 row in 1 file"), "{text}");
    assert!(text.contains("bad lines: 1 of 2, and the limit is 0"), "{text}");
}
