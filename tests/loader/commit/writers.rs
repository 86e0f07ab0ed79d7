//! Several loads of one target of tables at once: does each commit as a whole, behind the others, or not?
//!
//! There is no lock. A load is held just before it creates its record (`EVENTLOADER_FAULT=…:hold`) while
//! others commit; and loads are started at the same time, to meet wherever they do. What they leave together
//! is what they leave one after the other. Who can't follow exits with 4, says so, and leaves nothing behind.

use std::thread;

use crate::support::{
    events::{account_open, event, file_of, three_days},
    files::{Tree, assert_same_tree, tree},
    tables::{assert_swept, contents, is_unfinished, records},
    workdir::{Loader, Outcome, Workdir},
};

/// Loads a file, which a target of tables has as its own.
fn load(dir: &Workdir, target: &str, source: &str) -> Loader {
    dir.bare_loader().source(source).arg("-t").arg(dir.path(target)).args([
        "--backfill",
        "--threads=1",
        "--table=delta",
    ])
}

fn merge(dir: &Workdir, target: &str, source: &str) -> Loader {
    load(dir, target, source).args(["--mode", "merge"])
}

fn pay(id: &str, day: u32) -> String {
    let data = r#"{"id": 1, "to": 2, "from": 3, "amount": 4.5}"#;
    event(id, &format!("2024-10-{day}T00:00:00"), "payment-to", data)
}

fn open(id: &str, day: u32, number: i32) -> String {
    account_open(id, &format!("2024-10-{day}T00:00:00"), number)
}

/// Days 10 and 11 in `target`, and files for other loads.
fn with_two_days() -> Workdir {
    let dir = Workdir::new();
    dir.write("first.json", file_of([open("a", 10, 1), open("b", 11, 2), pay("p", 10)]));
    load(&dir, "target", "first.json").succeeds();
    dir.write("day-10.json", file_of([open("c", 10, 3), "bad of day 10".into()]));
    dir.write("day-12.json", file_of([open("d", 12, 4), "bad of day 12".into()]));
    dir.write("pay.json", file_of([pay("q", 11)]));
    // One moves from day 10 to 11, one is new.
    dir.write("moves.json", file_of([open("a", 11, 5), open("e", 10, 6), "bad that moves".into()]));
    dir
}

/// What creates a record.
const RECORDING: (&str, &str) = ("rename to", "/_eventloader/commits/");

/// Holds a run before it creates its record.
fn before_its_record(run: Loader, meanwhile: impl FnOnce()) -> Outcome {
    run.held_at_first(RECORDING.0, RECORDING.1, meanwhile)
}

fn copy(dir: &Workdir, from: &str, to: &str) {
    fs_err::remove_dir_all(dir.path(to)).ok();
    for (file, bytes) in tree(&dir.path(from)) {
        dir.write(&format!("{to}/{file}"), bytes);
    }
}

/// What these runs leave one after the other.
fn one_after_the_other(
    dir: &Workdir,
    runs: &[&dyn Fn(&str) -> Loader],
) -> std::collections::BTreeMap<String, Tree> {
    copy(dir, "target", "serial");
    for run in runs {
        run("serial").succeeds();
    }
    contents(&tree(&dir.path("serial")))
}

#[track_caller]
fn is_well(dir: &Workdir, target: &str) {
    assert!(!is_unfinished(&tree(&dir.path(target))), "all tables have the last record");
    let verified = dir.bare_loader().arg("verify").arg(dir.path(target)).succeeds();
    assert_eq!(verified.stdout, "", "verify of {target}");
    let sweep = dir.bare_loader().arg("recover").arg(dir.path(target));
    sweep.args(["--quiet", "--sweep", "--older-than", "0s"]).succeeds();
    assert_swept(&dir.path(target));
}

/// A run, given where it works and its target.
type Run<'r> = &'r dyn Fn(&Workdir, &str) -> Loader;

/// `run` is held before its record while others commit; it follows them.
#[track_caller]
fn follows(run: Run<'_>, others: &[Run<'_>]) {
    let dir = with_two_days();
    let run = |target: &str| run(&dir, target);
    let others: Vec<_> = others.iter().map(|other| |target: &str| other(&dir, target)).collect();
    let mut all: Vec<&dyn Fn(&str) -> Loader> = others.iter().map(|other| other as _).collect();
    all.push(&run);
    let expected = one_after_the_other(&dir, &all);
    let outcome = before_its_record(run("target"), || {
        for other in &others {
            other("target").succeeds();
        }
    });
    assert_eq!(outcome.status.code(), Some(0), "{outcome}");
    let found = tree(&dir.target());
    assert_eq!(records(&found).len(), 2 + others.len(), "each is a commit");
    assert!(contents(&found) == expected, "{:?}", contents(&found).keys());
    is_well(&dir, "target");
}

/// `run` is held before its record while another commits, and can't follow; again, it can.
#[track_caller]
fn is_refused(run: &dyn Fn(&Workdir, &str) -> Loader, other: &dyn Fn(&Workdir, &str) -> Loader) {
    let dir = with_two_days();
    let (run, other) = (|target: &str| run(&dir, target), |target: &str| other(&dir, target));
    let expected = one_after_the_other(&dir, &[&other, &run]);
    let alone = one_after_the_other(&dir, &[&other]);
    copy(&dir, "target", "before");
    let outcome = before_its_record(run("target"), || {
        other("target").succeeds();
    });
    assert_eq!(outcome.status.code(), Some(4), "{outcome}");
    outcome.says(&["nothing was changed"]);
    assert!(contents(&tree(&dir.target())) == alone, "what the other has committed stays");
    // Beside what was there, there are no files but those that the other run alone leaves.
    copy(&dir, "target", "after");
    fs_err::remove_dir_all(dir.target()).unwrap();
    copy(&dir, "before", "target");
    other("target").succeeds();
    assert_eq!(names(&dir, "after"), names(&dir, "target"));
    run("after").succeeds();
    assert!(contents(&tree(&dir.path("after"))) == expected, "again, it follows");
    is_well(&dir, "after");
}

/// The names of all files, without the ids of attempts, which are random.
fn names(dir: &Workdir, target: &str) -> Vec<String> {
    let is_id = |part: &str| part.len() == 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut names: Vec<_> = tree(&dir.path(target)).into_keys().collect();
    for name in &mut names {
        let parts: Vec<_> =
            name.split_inclusive(['-', '.', '/']).filter(|part| !is_id(&part[..part.len() - 1])).collect();
        *name = parts.concat();
    }
    names.sort();
    names
}

#[test]
fn loads_of_other_days_and_types_follow() {
    let day_10 = |dir: &Workdir, target: &str| load(dir, target, "day-10.json");
    let day_12 = |dir: &Workdir, target: &str| load(dir, target, "day-12.json");
    let pay = |dir: &Workdir, target: &str| load(dir, target, "pay.json");
    follows(&day_10, &[&day_12]);
    follows(&day_12, &[&day_10, &pay]);
    follows(&pay, &[&day_10]);
}

#[test]
fn of_two_loads_of_one_day_one_is_refused() {
    let day_10 = |dir: &Workdir, target: &str| load(dir, target, "day-10.json");
    let other = |dir: &Workdir, target: &str| {
        dir.write("other.json", file_of([open("x", 10, 7)]));
        load(dir, target, "other.json")
    };
    is_refused(&day_10, &other);
    is_refused(&other, &day_10);
}

#[test]
fn a_merge_follows_what_it_did_not_read() {
    let moves = |dir: &Workdir, target: &str| merge(dir, target, "moves.json");
    let pay = |dir: &Workdir, target: &str| merge(dir, target, "pay.json");
    follows(&moves, &[&pay]);
    follows(&pay, &[&moves]);
}

#[test]
fn a_merge_of_types_that_others_changed_is_refused() {
    let moves = |dir: &Workdir, target: &str| merge(dir, target, "moves.json");
    // The day of another version of its event, and one that only has its type.
    for source in ["day-10.json", "day-12.json"] {
        let other = |dir: &Workdir, target: &str| load(dir, target, source);
        let merges = |dir: &Workdir, target: &str| merge(dir, target, source);
        is_refused(&moves, &other);
        is_refused(&moves, &merges);
    }
}

/// The record that came first was not brought to its tables: who comes behind it does that.
#[test]
fn who_follows_a_run_that_was_killed_finishes_it() {
    let dir = with_two_days();
    let (day_10, day_12) =
        (|target: &str| load(&dir, target, "day-10.json"), |target: &str| load(&dir, target, "day-12.json"));
    let expected = one_after_the_other(&dir, &[&day_10, &day_12]);
    let outcome = before_its_record(day_12("target"), || {
        let stop = "rename to@/_delta_log/:stop";
        assert_eq!(day_10("target").env("EVENTLOADER_FAULT", stop).run().status.code(), None);
        assert!(is_unfinished(&tree(&dir.target())), "it was killed between its record and its tables");
    });
    assert_eq!(outcome.status.code(), Some(0), "{outcome}");
    assert!(contents(&tree(&dir.target())) == expected);
    is_well(&dir, "target");
}

/// What comes at the same time to a target that is not there yet: one creates each table.
#[test]
fn days_that_are_loaded_at_once_are_those_of_one_backfill() {
    for writers in [2, 5, 5] {
        let dir = Workdir::new();
        let sources: Vec<_> = (0..writers).map(|writer| format!("in/{writer}.json")).collect();
        for (day, source) in (10..).zip(&sources) {
            let lines = (0..20).map(|number| open(&format!("{day}-{number}"), day, number));
            let payments = (0..20).map(|number| pay(&format!("{day}-{number}"), day));
            dir.write(source, file_of(lines.chain(payments).chain([format!("bad of {source}")])));
        }
        thread::scope(|scope| {
            let runs: Vec<_> =
                sources.iter().map(|source| scope.spawn(|| load(&dir, "target", source).run())).collect();
            for run in runs {
                let outcome = run.join().unwrap();
                assert_eq!(outcome.status.code(), Some(0), "{outcome}");
            }
        });
        let mut one = dir.bare_loader().arg("-t").arg(dir.path("one")).args(["--backfill", "--table=delta"]);
        for source in &sources {
            one = one.source(source);
        }
        one.succeeds();
        let (found, expected) = (contents(&tree(&dir.target())), contents(&tree(&dir.path("one"))));
        for (name, files) in &expected {
            assert_same_tree(files, &found[name], name);
        }
        assert_eq!(found.len(), expected.len());
        assert_eq!(records(&tree(&dir.target())).len(), writers);
        is_well(&dir, "target");
    }
}

/// Five load the same day: who is refused leaves nothing, and what is there is of one.
#[test]
fn of_five_loads_of_one_day_each_is_whole_or_refused() {
    let dir = Workdir::new();
    dir.write("first.json", file_of([open("first", 10, 0)]));
    load(&dir, "target", "first.json").succeeds();
    let sources: Vec<_> = (0..5).map(|writer| format!("in-{writer}.json")).collect();
    for (number, source) in (0..).zip(&sources) {
        dir.write(source, file_of((0..20).map(|row| open(&format!("{source}-{row}"), 10, number))));
        load(&dir, &format!("alone-{source}"), source).succeeds();
    }
    let committed = thread::scope(|scope| {
        let runs: Vec<_> =
            sources.iter().map(|source| scope.spawn(|| load(&dir, "target", source).run())).collect();
        let outcomes = runs.into_iter().map(|run| run.join().unwrap());
        let code = |outcome: Outcome| match outcome.status.code() {
            Some(0) => 1,
            Some(4) => {
                outcome.says(&["nothing was changed"]);
                0
            }
            _ => panic!("{outcome}"),
        };
        outcomes.map(code).sum::<usize>()
    });
    let found = tree(&dir.target());
    assert!(committed > 0);
    assert_eq!(records(&found).len(), 1 + committed);
    let loads: Vec<_> =
        sources.iter().map(|source| contents(&tree(&dir.path(&format!("alone-{source}"))))).collect();
    assert!(loads.contains(&contents(&found)), "{:?}", contents(&found).keys());
    is_well(&dir, "target");
}

/// Merges of the same types, each again until it is let in: no row is lost, none is twice.
#[test]
fn merges_at_once_are_one_backfill_in_the_end() {
    const WRITERS: usize = 5;
    let dir = Workdir::new();
    let lines = three_days(17);
    let sources: Vec<_> = (0..10).map(|number| format!("in/{number}.json")).collect();
    for (lines, source) in lines.chunks(lines.len().div_ceil(sources.len())).zip(&sources) {
        dir.write(source, file_of(lines));
    }
    let refused: usize = thread::scope(|scope| {
        let write = |writer: usize| {
            let mut refused = 0;
            for source in sources.iter().skip(writer).step_by(WRITERS) {
                loop {
                    let outcome = merge(&dir, "target", source).run();
                    match outcome.status.code() {
                        Some(0) => break,
                        Some(4) => refused += 1,
                        _ => panic!("{outcome}"),
                    }
                    assert!(refused < 200, "never let in: {outcome}");
                }
            }
            refused
        };
        let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move || write(writer))).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    load(&dir, "one", "in").succeeds();
    let (found, expected) = (contents(&tree(&dir.target())), contents(&tree(&dir.path("one"))));
    let is_table = |name: &&String| !name.starts_with('_');
    assert!(found.keys().filter(is_table).eq(expected.keys().filter(is_table)));
    for (name, files) in expected.iter().filter(|(name, _)| is_table(name)) {
        assert_same_tree(files, &found[name], &format!("{name}, after {refused} merges were refused"));
    }
    is_well(&dir, "target");
}
