//! If any file operation of a load or a recovery fails, or is the last one, is the target in an allowed
//! state?
//!
//! A walk (`walk.rs`) lists the operations of a run (`EVENTLOADER_FILE_LOG`) and then repeats the run for
//! each of them, from the same state, with a fault there (`EVENTLOADER_FAULT`): an error, a disk that stays
//! broken, an error although it was done, `kill -9`, a torn write, or a power cut that loses contents or
//! names that were not synced. After each, every partition is old or new, and what the run said about it is
//! true; then recovery, or simply the next load, makes the target old or new as a whole, without debris, so
//! that `verify` finds nothing.
//!
//! Only debug builds can inject faults (`storage/src/faults.rs`). `cargo test -p eventloader --test
//! loader_cli every_operation -- --nocapture` prints how many were tried.

use super::walk::{FAULTS, Walk};
use crate::support::{
    events::{account_open, event, file_of},
    files::tree,
    tables::is_unfinished,
    workdir::{Loader, Workdir},
};

/// The flags that say what a new target is.
type Kind = &'static [&'static str];
const PARTITIONS: Kind = &[];
const TABLES: Kind = &["--table", "delta"];

/// A workdir with a target that the new load changes in every way: a file is replaced by one of the same
/// name, one by a file of another name, a partition is created, one stays as it is; and there are bad lines.
pub(super) fn with_old_target() -> Workdir {
    with_old_target_of(PARTITIONS)
}

fn with_old_target_of(kind: Kind) -> Workdir {
    let dir = Workdir::new();
    let of_codec = |name: &str, codec: &str, lines: Vec<String>| {
        dir.write(name, file_of(lines));
        let args = ["--backfill", "--compression", codec, "--threads", "1"];
        dir.loader().source(name).args(args).args(kind).succeeds();
    };
    let pay =
        |id: &str, day: &str| event(id, day, "payment-to", r#"{"id": 1, "to": 2, "from": 3, "amount": 4.5}"#);
    let stays = account_open("c", "2024-10-12T00:00:00", 3);
    of_codec(
        "old.json",
        "zstd",
        vec![account_open("a", "2024-10-10T00:00:00", 1), stays.clone(), "bad, old".into()],
    );
    of_codec("other.json", "snappy", vec![account_open("b", "2024-10-11T00:00:00", 2)]);
    let new = [
        account_open("a", "2024-10-10T01:00:00", 11),
        account_open("b", "2024-10-11T01:00:00", 12),
        stays,
        pay("d", "2024-10-13T00:00:00"),
        "bad, new".into(),
    ];
    // Replaces the old source, so that its quarantine changes too.
    dir.write("old.json", file_of(new));
    dir
}

pub(super) fn load(dir: &Workdir, target: &str) -> Loader {
    load_by(dir, target, "1")
}

fn load_by(dir: &Workdir, target: &str, threads: &str) -> Loader {
    dir.bare_loader().source("old.json").arg("-t").arg(dir.path(target)).args([
        "--backfill",
        "--threads",
        threads,
    ])
}

fn recover(dir: &Workdir, target: &str) -> Loader {
    dir.bare_loader().arg("recover").arg(dir.path(target))
}

#[test]
fn of_a_first_load() {
    let dir = with_old_target();
    fs_err::remove_dir_all(dir.target()).unwrap();
    assert!(Walk::new("a first load", &dir, &load).go() > 250);
}

#[test]
fn of_a_load_that_replaces() {
    let dir = with_old_target();
    assert!(Walk::new("a load that replaces", &dir, &load).go() > 250);
}

/// Recovers a load that stopped when its commit was recorded, and one that stopped after publishing half of
/// it.
#[test]
fn of_a_recovery() {
    let dir = with_old_target();
    let before = tree(&dir.target());
    for (file, bytes) in &before {
        dir.write(&format!("before/{file}"), bytes);
    }
    let walk = Walk::new("a load that replaces", &dir, &load);
    let operations = walk.operations();
    let is_publishing = |(changes, operation): &(bool, String)| {
        *changes
            && operation.starts_with("rename to")
            && operation.contains(".parquet")
            && !operation.contains("_eventloader")
    };
    let first = operations.iter().position(is_publishing).unwrap();
    let last = operations.iter().rposition(is_publishing).unwrap();
    assert!(first < last, "several files are published: {operations:#?}");
    for stopped_at in [first, last] {
        walk.begin("target");
        let stop = format!("{}:stop", stopped_at + 1);
        load(&dir, "target").env("EVENTLOADER_FAULT", &stop).run();
        assert!(
            dir.target().join("_eventloader/journal.json").exists(),
            "stopped at {:?}",
            operations[stopped_at]
        );
        Walk::new("a recovery", &dir, &recover).go();
    }
}

/// A workdir for a merge that moves events: out of a partition that this empties, out of one that stays, into
/// an existing one and into a new one, and from a file that is replaced by one of another name.
pub(super) fn with_events_that_move() -> Workdir {
    with_events_that_move_of(PARTITIONS)
}

fn with_events_that_move_of(kind: Kind) -> Workdir {
    let dir = Workdir::new();
    let load = |name: &str, codec: &str, lines: Vec<String>| {
        dir.write(name, file_of(lines));
        let args = ["--backfill", "--compression", codec, "--threads", "1", "--mode", "merge"];
        dir.loader().source(name).args(args).args(kind).succeeds();
    };
    let open =
        |id: &str, day: u32, number: i32| account_open(id, &format!("2024-10-{day:02}T00:00:00"), number);
    load(
        "1.json",
        "zstd",
        vec![open("alone", 9, 1), open("a", 10, 2), open("b", 10, 3), open("stays", 12, 4)],
    );
    load("2.json", "snappy", vec![open("c", 11, 5)]);
    dir.write(
        "old.json",
        file_of([open("alone", 10, 6), open("a", 11, 7), open("c", 13, 8), open("b", 9, 9), "bad".into()]),
    );
    dir
}

pub(super) fn merge(dir: &Workdir, target: &str) -> Loader {
    load_by(dir, target, "1").args(["--mode", "merge"])
}

#[test]
fn of_a_merge() {
    let dir = with_events_that_move();
    let mut walk = Walk::new("a merge", &dir, &merge);
    walk.moves_events = true;
    assert!(walk.go() > 250);
}

/// A workdir for a merge that moves events both ways between two days that keep other rows, and between two
/// that don't, one of which has a file of another name before; and from one of them to a day before all
/// others. A version decides before the timestamp.
pub(super) fn with_events_that_move_both_ways() -> Workdir {
    with_events_that_move_both_ways_of(PARTITIONS)
}

fn with_events_that_move_both_ways_of(kind: Kind) -> Workdir {
    let dir = Workdir::new();
    dir.write(
        "versions.toml",
        "[domain.account]\nversion = 'id'\nfields.id = 'int32'\nevents.account-open = {}\n",
    );
    let load = |name: &str, codec: &str, lines: Vec<String>| {
        dir.write(name, file_of(lines));
        let args = ["--backfill", "--compression", codec, "--threads", "1", "--mode", "merge"];
        dir.loader().source(name).args(args).args(["--catalog", "versions.toml"]).args(kind).succeeds();
    };
    let open =
        |id: &str, day: u32, number: i32| account_open(id, &format!("2024-10-{day:02}T00:00:00"), number);
    let first = [("a", 10), ("stays", 10), ("changes", 10), ("b", 11), ("rests", 11), ("d", 13), ("e", 13)];
    load("1.json", "zstd", first.map(|(id, day)| open(id, day, 1)).into());
    load("2.json", "snappy", vec![open("c", 12, 1)]);
    let moved = [
        open("a", 11, 2),
        open("b", 10, 2),
        open("changes", 10, 2),
        open("c", 13, 2),
        open("d", 12, 2),
        open("e", 9, 2),
        "bad".to_owned(),
    ];
    dir.write("old.json", file_of(moved));
    dir
}

pub(super) fn merge_by_version(dir: &Workdir, target: &str) -> Loader {
    merge(dir, target).arg("--catalog").arg(dir.path("versions.toml"))
}

#[test]
fn of_a_merge_that_moves_events_both_ways() {
    let dir = with_events_that_move_both_ways();
    let mut walk = Walk::new("a merge that moves events both ways", &dir, &merge_by_version);
    walk.both_ways();
    // From where the commit is recorded, also where directories can't be exchanged or renamed.
    for forbidden in ["", "ENOSYS:exchange:", "EXDEV:exchange:;EXDEV:rename to:.old"] {
        walk.forbidden = forbidden;
        let operations = walk.operations();
        let is_recording = |(_, operation): &(bool, String)| {
            operation.starts_with("rename to") && operation.ends_with("/journal.json")
        };
        assert!(walk.go_from(operations.iter().position(is_recording).unwrap()) > 50);
    }
}

/// A workdir for a replay that removes one file of the quarantine and rewrites another.
pub(super) fn with_lines_to_replay() -> Workdir {
    with_lines_to_replay_of(PARTITIONS)
}

fn with_lines_to_replay_of(kind: Kind) -> Workdir {
    let dir = Workdir::new();
    let sale =
        |id: &str, data: &str| account_open(id, "2024-10-10T00:00:00", 1).replace("account-open", data);
    dir.write("old.json", file_of([sale("a", "sale"), "bad".into()]));
    dir.write("other.json", file_of([sale("b", "sale"), account_open("c", "2024-10-11T00:00:00", 2)]));
    let args = ["--backfill", "--threads", "1"];
    dir.loader().source("old.json").source("other.json").args(args).args(kind).succeeds();
    dir.write("sales.toml", "[domain.account.events.sale.fields]\nid = 'int32'\n");
    dir
}

pub(super) fn replay(dir: &Workdir, target: &str) -> Loader {
    let replay = dir.bare_loader().arg("replay").arg(dir.path(target));
    replay.arg("--catalog").arg(dir.path("sales.toml")).args(["--threads", "1"])
}

/// Either the bad line is there or its row.
#[test]
fn of_a_replay() {
    let dir = with_lines_to_replay();
    assert!(Walk::new("a replay", &dir, &replay).go() > 250);
}

fn discard(dir: &Workdir, target: &str) -> Loader {
    dir.bare_loader().arg("discard").arg(dir.path(target)).args(["--reason=unknown_event", "--threads", "1"])
}

/// Of one file all lines go, of the other one.
#[test]
fn of_a_discard() {
    let dir = with_lines_to_replay();
    let walk = Walk { is_once: true, ..Walk::new("a discard", &dir, &discard) };
    assert!(walk.go() > 50);
}

fn merge_of_open_types(dir: &Workdir, target: &str) -> Loader {
    merge(dir, target).arg("--catalog").arg(dir.path("open.toml"))
}

/// An event of one type moves to another day, and another type is new.
#[test]
fn of_a_merge_of_types_that_no_catalog_names() {
    let dir = Workdir::new();
    dir.write("open.toml", "[domain.'*'.events.'*']");
    let of_type = |id: &str, day: u32, name: &str| {
        format!(
            r#"{{"event_id": "{id}", "timestamp": "2024-10-{day}", "domain": "shop", "event_type": "{name}", "data": {{"day": {day}}}}}"#
        )
    };
    dir.write(
        "old.json",
        file_of([of_type("a", 10, "order placed/EU"), of_type("b", 11, "order placed/EU")]),
    );
    merge_of_open_types(&dir, "target").succeeds();
    dir.write(
        "old.json",
        file_of([of_type("a", 11, "order placed/EU"), of_type("c", 10, "Größe"), "bad".into()]),
    );
    assert!(Walk::new("a merge of open types", &dir, &merge_of_open_types).go() > 250);
}

/// Publishing where directories can't be exchanged, and where they can't be renamed either: from the moment
/// on that the commit is recorded.
#[test]
fn of_publishing_in_other_ways() {
    let renames_files = "EXDEV:exchange:;EXDEV:rename to:.old";
    let (replaced, moved) = (with_old_target(), with_events_that_move());
    let mut walks = [
        Walk::new("a load that replaces by two renames", &replaced, &load),
        Walk::new("a load that replaces files", &replaced, &load),
        Walk::new("a merge that replaces files", &moved, &merge),
    ];
    for (walk, forbidden) in walks.iter_mut().zip(["ENOSYS:exchange:", renames_files, renames_files]) {
        walk.forbidden = forbidden;
        walk.moves_events = walk.name.contains("merge");
        let operations = walk.operations();
        let is_recording = |(_, operation): &(bool, String)| {
            operation.starts_with("rename to") && operation.ends_with("/journal.json")
        };
        assert!(walk.go_from(operations.iter().position(is_recording).unwrap()) > 50);
    }
}

/// The load that folds earlier commits: what it records, and what they recorded, is kept.
#[test]
fn of_folding_the_history() {
    let dir = Workdir::new();
    for number in 0..99 {
        dir.write("old.json", file_of([account_open("a", "2024-10-10T00:00:00", number)]));
        load(&dir, "target").succeeds();
    }
    dir.write("old.json", file_of([account_open("a", "2024-10-10T00:00:00", 100)]));
    let walk = Walk::new("a load that folds", &dir, &load);
    let operations = walk.operations();
    let first = operations.iter().position(|(_, operation)| operation.contains("history.json.new")).unwrap();
    let last = operations.iter().rposition(|(_, operation)| operation.contains("commit-0001")).unwrap();
    assert!(last - first > 100, "a hundred commits are folded: {first} to {last}");
    // Every operation up to the first deleted commit, then some.
    let points = (first..first + 12).chain((first + 12..=last + 3).step_by(17));
    for (point, (fault, at_looks)) in points.flat_map(|point| FAULTS.map(|fault| (point, fault))) {
        let (changes, operation) = &operations[point];
        if *changes || at_looks {
            walk.try_point("target-0", (point + 1, fault, operation));
        }
    }
}

/// The same with two threads, whose operations come in any order.
#[test]
fn of_a_load_by_two_threads_with_a_broken_disk() {
    let dir = with_old_target();
    let run = |dir: &Workdir, target: &str| load_by(dir, target, "2");
    let walk = Walk::new("a load by two threads", &dir, &run);
    let operations = walk.operations().len();
    for number in 1..=operations {
        walk.try_point("target-2", (number, if number % 2 == 0 { "errors" } else { "stop" }, "any of them"));
    }
}

/// A workdir with a target that a rewrite changes in every way: columns of text become those of a catalog,
/// in another directory; files are replaced by those of another name; partitions become hours; all in other
/// directories.
fn to_rewrite(kind: Kind) -> Workdir {
    let dir = Workdir::new();
    let sale = |id: &str, time: &str| account_open(id, time, 1).replace("account-open", "sale");
    dir.write(
        "open.toml",
        "[domain.account.events.'*']\n[domain.account.events.account-open.fields]\nid = 'int32'\n",
    );
    dir.write(
        "sales.toml",
        "[domain.account.fields]\nid = 'int64'\n[domain.account.events]\nsale = {}\naccount-open = {}\n",
    );
    let lines = [
        account_open("a", "2024-10-10T01:00:00", 1),
        account_open("b", "2024-10-10T02:00:00", 2),
        sale("c", "2024-10-10T01:00:00"),
        account_open("d", "2024-10-11T23:00:00", 3),
        "bad".to_owned(),
    ];
    dir.write("old.json", file_of(lines));
    let args = ["--backfill", "--threads", "1", "--catalog", "open.toml"];
    dir.loader().source("old.json").args(args).args(kind).succeeds();
    dir
}

fn rewrite(dir: &Workdir, target: &str, form: &[&str]) -> Loader {
    let rewrite = dir.bare_loader().arg("rewrite").arg(dir.path(target)).args(["--threads", "1"]);
    rewrite.arg("--catalog").arg(dir.path("sales.toml")).args(form)
}

#[test]
fn of_a_rewrite() {
    let dir = to_rewrite(PARTITIONS);
    let run = |dir: &Workdir, target: &str| rewrite(dir, target, &["--compression=snappy"]);
    let mut walk = Walk::new("a rewrite", &dir, &run);
    walk.moves_events = true;
    assert!(walk.go() > 250);
}

#[test]
fn of_a_rewrite_into_another_layout() {
    let dir = to_rewrite(PARTITIONS);
    let run = |dir: &Workdir, target: &str| rewrite(dir, target, &["--layout=hive", "--partition-by=hour"]);
    let mut walk = Walk::new("a rewrite into another layout", &dir, &run);
    walk.moves_events = true;
    for forbidden in ["", "EXDEV:exchange:;EXDEV:rename to:.old"] {
        walk.forbidden = forbidden;
        let operations = walk.operations();
        let is_recording = |(_, operation): &(bool, String)| {
            operation.starts_with("rename to") && operation.ends_with("/journal.json")
        };
        assert!(walk.go_from(operations.iter().position(is_recording).unwrap()) > 50);
    }
}

// --- Targets of tables ---

fn load_tables(dir: &Workdir, target: &str) -> Loader {
    load(dir, target).args(TABLES)
}

#[test]
fn of_a_first_load_of_tables() {
    let dir = with_old_target_of(TABLES);
    fs_err::remove_dir_all(dir.target()).unwrap();
    assert!(Walk::new("a first load of tables", &dir, &load_tables).go() > 250);
}

#[test]
fn of_a_load_of_tables_that_replaces() {
    let dir = with_old_target_of(TABLES);
    assert!(Walk::new("a load of tables that replaces", &dir, &load).go() > 250);
}

/// Recovers a load that stopped when it was recorded, and one that stopped between two tables.
#[test]
fn of_a_recovery_of_tables() {
    let dir = with_old_target_of(TABLES);
    for (file, bytes) in &tree(&dir.target()) {
        dir.write(&format!("before/{file}"), bytes);
    }
    let walk = Walk::new("a load of tables that replaces", &dir, &load);
    let operations = walk.operations();
    let is_publishing = |(changes, operation): &(bool, String)| {
        *changes && operation.starts_with("rename to") && operation.contains("/_delta_log/")
    };
    let first = operations.iter().position(is_publishing).unwrap();
    let last = operations.iter().rposition(is_publishing).unwrap();
    assert!(first < last, "several tables are published: {operations:#?}");
    for stopped_at in [first, last] {
        walk.begin("target");
        let stop = format!("{}:stop", stopped_at + 1);
        load(&dir, "target").env("EVENTLOADER_FAULT", &stop).run();
        assert!(is_unfinished(&tree(&dir.target())), "stopped at {:?}", operations[stopped_at]);
        Walk::new("a recovery of tables", &dir, &recover).go();
    }
}

/// All that a merge moves changes in one moment, in whatever direction.
#[test]
fn of_a_merge_of_tables() {
    let dir = with_events_that_move_both_ways_of(TABLES);
    assert!(Walk::new("a merge of tables", &dir, &merge_by_version).go() > 250);
}

#[test]
fn of_a_replay_of_tables() {
    let dir = with_lines_to_replay_of(TABLES);
    assert!(Walk::new("a replay of tables", &dir, &replay).go() > 250);
}

#[test]
fn of_a_discard_of_tables() {
    let dir = with_lines_to_replay_of(TABLES);
    let walk = Walk { is_once: true, ..Walk::new("a discard of tables", &dir, &discard) };
    assert!(walk.go() > 50);
}

#[test]
fn of_a_rewrite_of_tables() {
    let dir = to_rewrite(TABLES);
    let run = |dir: &Workdir, target: &str| rewrite(dir, target, &["--compression=snappy"]);
    assert!(Walk::new("a rewrite of tables", &dir, &run).go() > 250);
}

/// The load that writes the first checkpoints, and the one that summarizes the records.
#[test]
fn of_a_load_with_checkpoints() {
    let dir = Workdir::new();
    for (loads, summary) in [(10, ".checkpoint.parquet"), (9, "_eventloader/history.json")] {
        for number in 0..loads {
            dir.write("old.json", file_of([account_open("a", "2024-10-10T00:00:00", number)]));
            load_tables(&dir, "target").succeeds();
        }
        dir.write("old.json", file_of([account_open("a", "2024-10-10T00:00:00", 100 + loads)]));
        let walk = Walk::new("a load with checkpoints", &dir, &load);
        let operations = walk.operations();
        assert!(operations.iter().any(|(_, operation)| operation.ends_with(summary)), "{operations:#?}");
        let is_recording = |(_, operation): &(bool, String)| {
            operation.starts_with("rename to") && operation.contains("/_eventloader/commits/")
        };
        assert!(walk.go_from(operations.iter().position(is_recording).unwrap()) > 50);
        load(&dir, "target").succeeds();
    }
}
