//! Partitions of a target that was merged are overwritten: is each event still in one?

use std::{collections::BTreeSet, path::Path};

use crate::support::{
    events::{Die, account_open, file_of, three_days},
    files::{Tree, assert_no_debris, assert_same_tree, published, tree},
    readback::{rows, text_of},
    workdir::{Outcome, Workdir},
};

fn partitions(target: &Path) -> Tree {
    let mut tree = published(target);
    tree.retain(|name, _| !name.starts_with('_'));
    tree
}

fn merge(dir: &Workdir, source: &str) -> Outcome {
    dir.loader().source(source).args(["--backfill", "--mode", "merge"]).succeeds()
}

#[track_caller]
fn is_well(dir: &Workdir, what: &str) {
    let verified = dir.bare_loader().arg("verify").arg(dir.target()).succeeds();
    assert_eq!(verified.stdout, "", "{what}");
    assert_no_debris(&dir.target());
}

/// A day is loaded again from all that was ever delivered of it, or from all that was ever delivered: the
/// target has it already, so nothing changes.
#[test]
fn loading_a_day_of_a_merged_target_again_changes_nothing() {
    const FLAGS: [&[&str]; 4] = [
        &[],
        &["--partition-by", "hour"],
        &["--layout", "hive", "--flatten", "false"],
        &["--memory", "64MiB", "--threads", "3"],
    ];
    for seed in 0..8 {
        let mut die = Die::new(seed);
        let (dir, flags, mut lines) = (Workdir::new(), *die.pick(&FLAGS), three_days(seed));
        let what = format!("seed {seed}, {flags:?}");
        die.shuffle(&mut lines);
        dir.write("all.json", file_of(&lines));
        for (number, piece) in lines.chunks(150).enumerate() {
            let name = format!("{number}.json");
            dir.write(&name, file_of(piece));
            let args = ["--backfill", "--mode", "merge"];
            dir.loader().source(&name).args(args).args(flags).succeeds();
        }
        let before = partitions(&dir.target());
        for day in ["2024-10-11", "2024-10-10", "2024-10-13", "2024-10-12"] {
            let of_day: Vec<_> = lines.iter().filter(|line| line.contains(day)).collect();
            dir.write("day.json", file_of(of_day));
            let source = if die.one_in(2) { "day.json" } else { "all.json" };
            dir.loader().source(source).args(["--date", day]).args(flags).succeeds();
            assert_same_tree(&before, &partitions(&dir.target()), &format!("{what}: {day} from {source}"));
            is_well(&dir, &what);
        }
        dir.loader().source("all.json").arg("--backfill").args(flags).succeeds();
        assert_same_tree(&before, &partitions(&dir.target()), &format!("{what}: everything"));
        is_well(&dir, &what);
    }
}

/// Whatever is loaded in whatever mode, once the target was merged: no event is in two partitions.
#[test]
fn no_event_is_ever_in_two_partitions_of_a_merged_target() {
    for seed in 0..8 {
        let mut die = Die::new(100 + seed);
        let dir = Workdir::new();
        let mut lines = three_days(seed);
        die.shuffle(&mut lines);
        dir.write("first.json", file_of(&lines[..60]));
        merge(&dir, "first.json");
        for round in 0..5 {
            let (from, count) = (die.index(lines.len() - 60), 1 + die.index(60));
            dir.write("piece.json", file_of(&lines[from..from + count]));
            let days =
                *die.pick(&[&["--backfill"][..], &["--date", "2024-10-11"], &["--since", "2024-10-11"]]);
            let mode = if die.one_in(3) { "merge" } else { "overwrite" };
            dir.loader().source("piece.json").args(days).args(["--mode", mode]).succeeds();
            is_well(&dir, &format!("seed {seed}, round {round}"));
        }
    }
}

/// What becomes of each event, step by step.
#[test]
fn other_partitions_take_part_and_those_that_are_replaced_do_not() {
    let dir = Workdir::new();
    let found = || {
        let rows = text_of(&rows(&dir.target()));
        let id_of = |row: &String| row.split('"').nth(1).unwrap().to_owned();
        let day_of = |row: &String| row[..10].to_owned();
        rows.iter().map(|row| format!("{} {}", id_of(row), day_of(row))).collect::<BTreeSet<_>>()
    };
    let load = |name: &str, lines: &[String], mode: &str| {
        dir.write(name, file_of(lines));
        let outcome = dir.loader().source(name).args(["--backfill", "--mode", mode]).succeeds();
        is_well(&dir, name);
        outcome
    };
    let set = |events: &[&str]| events.iter().map(|event| (*event).to_owned()).collect::<BTreeSet<_>>();
    let (a, b) = (account_open("a", "2024-10-10T01:00:00", 1), account_open("b", "2024-10-10T02:00:00", 2));
    load("1.json", &[a.clone(), b.clone(), account_open("c", "2024-10-10T03:00:00", 3)], "merge");
    load("2.json", &[account_open("a", "2024-10-11T01:00:00", 10)], "merge");
    assert_eq!(found(), set(&["a 2024/10/11", "b 2024/10/10", "c 2024/10/10"]));
    // `a` has a later version on another day; `c` is not in the day any more.
    let again = load("3.json", &[a.clone(), b], "overwrite");
    assert_eq!((again.count("superseded"), again.count("written")), (1, 1));
    assert_eq!(found(), set(&["a 2024/10/11", "b 2024/10/10"]));
    // A later version of `b` leaves its old day empty.
    let moved = load("4.json", &[account_open("b", "2024-10-12T00:00:00", 3)], "overwrite");
    assert_eq!(moved.count("held_superseded"), 1);
    assert_eq!(found(), set(&["a 2024/10/11", "b 2024/10/12"]));
    assert!(!dir.path("target/2024/10/10").exists());
    // All that is there of a day is somewhere else.
    load("5.json", &[account_open("d", "2024-10-10T00:00:00", 3)], "overwrite");
    load("6.json", &[a], "overwrite");
    assert_eq!(found(), set(&["a 2024/10/11", "b 2024/10/12"]));
    let before = tree(&dir.target());
    let dry = dir.loader().source("5.json").args(["--backfill", "--dry-run"]).succeeds();
    assert_eq!(dry.count("written"), 1);
    assert_same_tree(&before, &tree(&dir.target()), "after a dry run");
}

/// Also in a target that was never merged: a backfill leaves what it leaves in an empty target.
#[test]
fn a_day_whose_events_are_all_elsewhere_is_removed() {
    let (first, second) =
        (account_open("a", "2024-10-10T01:00:00", 1), account_open("a", "2024-10-11T01:00:00", 2));
    for memory in ["2GiB", "64MiB"] {
        let dir = Workdir::new();
        dir.write("1.json", file_of([&first]));
        dir.write("2.json", file_of([&first, &second]));
        let load = |target: &str, source: &str, args: &[&str]| {
            dir.loader_into(target).source(source).args(["--memory", memory]).args(args).succeeds()
        };
        load("target", "1.json", &["--backfill"]);
        let second = load("target", "2.json", &["--backfill"]);
        assert_eq!(
            second.partitions(),
            ["2024/10/10/account-open 0 removed", "2024/10/11/account-open 1 created"]
        );
        load("one", "2.json", &["--backfill"]);
        assert_same_tree(&partitions(&dir.path("one")), &partitions(&dir.target()), "a backfill");
        is_well(&dir, memory);
        // Day by day: the later version counts before its own day is loaded.
        load("days", "1.json", &["--date", "2024-10-10"]);
        load("days", "2.json", &["--date", "2024-10-10"]);
        assert!(partitions(&dir.path("days")).is_empty());
        load("days", "2.json", &["--date", "2024-10-11"]);
        assert_same_tree(&partitions(&dir.path("one")), &partitions(&dir.path("days")), "day by day");
    }
}
