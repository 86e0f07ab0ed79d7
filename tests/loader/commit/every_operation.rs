//! If any file operation of a load or a recovery fails, or is the last one, is the target in an allowed
//! state?
//!
//! A walk lists the operations of a run (`EVENTLOADER_FILE_LOG`) and then repeats the run for each of them,
//! from the same state, with a fault there (`EVENTLOADER_FAULT`): an error, a disk that stays broken, `kill
//! -9`, a torn write, or a power cut that loses contents or names that were not synced. After each, every
//! partition is old or new, and what the run said about it is true; then recovery, or simply the next load,
//! makes the target old or new as a whole, without debris, so that `verify` finds nothing.
//!
//! Only debug builds can inject faults (`disk/faults.rs`). `cargo test -p eventloader --test loader_cli
//! every_operation -- --nocapture` prints how many were tried.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Output,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::support::{
    events::{account_open, event, file_of},
    files::{Tree, assert_no_debris, published, tree},
    readback::rows,
    workdir::{Loader, Workdir},
};

/// The faults, and whether each can happen to an operation that changes nothing.
const FAULTS: [(&str, bool); 6] =
    [("error", true), ("errors", true), ("stop", false), ("torn", false), ("power", false), ("names", false)];

/// By directory of a target, the files in it that matter to users.
type Directories = BTreeMap<String, Tree>;

fn directories(target: &Path) -> Directories {
    let mut directories = Directories::new();
    for (path, bytes) in published(target) {
        // In the quarantine each file stands by itself.
        let of_quarantine = path.starts_with("_quarantine/").then_some((path.as_str(), ""));
        let (directory, file) = of_quarantine.or_else(|| path.rsplit_once('/')).unwrap();
        directories.entry(directory.to_owned()).or_default().insert(file.to_owned(), bytes);
    }
    directories
}

/// A run, with the states before and after it.
struct Walk<'a> {
    name: &'static str,
    dir: &'a Workdir,
    /// The target before it; none for a first load.
    start: Option<Tree>,
    old: Directories,
    new: Directories,
    run: &'a (dyn Fn(&Workdir, &str) -> Loader + Sync),
    /// Whether the commit is recorded before it begins.
    is_recorded: bool,
    /// Whether events move, so that none may ever be in two partitions.
    moves_events: bool,
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Done,
    NothingChanged,
    Recorded,
    Died,
}

impl End {
    fn of(output: &Output, what: &str) -> Self {
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) => Self::Done,
            Some(1) if said.contains("; the commit is recorded") => Self::Recorded,
            Some(1) => Self::NothingChanged,
            None => Self::Died,
            _ => panic!("{what}: ended with {}, and said: {said}", output.status),
        }
    }
}

impl<'a> Walk<'a> {
    /// A walk over `run`, from what the target of `dir` is now.
    fn new(name: &'static str, dir: &'a Workdir, run: &'a (dyn Fn(&Workdir, &str) -> Loader + Sync)) -> Self {
        let start = dir.target().exists().then(|| tree(&dir.target()));
        let is_recorded = start.as_ref().is_some_and(|tree| tree.contains_key("_eventloader/journal.json"));
        let mut walk = Self {
            name,
            dir,
            start,
            old: Directories::new(),
            new: Directories::new(),
            run,
            is_recorded,
            moves_events: false,
        };
        if walk.start.is_some() && !is_recorded {
            walk.verify("target", "before the run");
        }
        // For a recovery, the old state is the one before the interrupted load, which the test has kept.
        walk.old = directories(&if is_recorded { dir.path("before") } else { dir.target() });
        walk.begin("new");
        run(dir, "new").succeeds();
        walk.new = directories(&dir.path("new"));
        assert!(walk.old != walk.new, "{name}: the run changes something");
        walk
    }

    /// A target of that name, in the state in which the walk starts.
    fn begin(&self, target: &str) {
        let path = self.dir.path(target);
        if path.exists() {
            fs_err::remove_dir_all(&path).unwrap();
        }
        for (file, bytes) in self.start.iter().flatten() {
            self.dir.write(&format!("{target}/{file}"), bytes);
        }
    }

    /// The operations of a whole run in their order: whether each changes something, and what it is.
    fn operations(&self) -> Vec<(bool, String)> {
        self.begin("counted");
        let log = self.dir.path("operations");
        fs_err::remove_file(&log).ok();
        (self.run)(self.dir, "counted").env("EVENTLOADER_FILE_LOG", log.to_str().unwrap()).succeeds();
        let log = fs_err::read_to_string(log).unwrap();
        let operations = log.lines().map(|line| match line.split_once(' ').unwrap() {
            ("changes", operation) => (true, operation.to_owned()),
            (_, operation) => (false, operation.to_owned()),
        });
        operations.collect()
    }

    /// Tries every fault at every operation; how many were tried.
    #[expect(clippy::print_stdout, reason = "the number of points is the result")]
    fn go(&self) -> usize {
        let operations = self.operations();
        let faults = |changes: bool| FAULTS.iter().filter(move |(_, at_looks)| changes || *at_looks);
        let points: Vec<_> = operations
            .iter()
            .zip(1..)
            .flat_map(|((changes, operation), number)| {
                faults(*changes).map(move |(fault, _)| (number, *fault, operation.as_str()))
            })
            .collect();
        assert!(points.len() > 100, "{}: only {} points: is this a debug build?", self.name, points.len());
        let next = AtomicUsize::new(0);
        let ends = Mutex::new(BTreeMap::<String, usize>::new());
        thread::scope(|scope| {
            for worker in 0..2 {
                let (next, ends, points) = (&next, &ends, &points);
                scope.spawn(move || {
                    while let Some(&point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let end = self.try_point(&format!("target-{worker}"), point);
                        *ends.lock().unwrap().entry(format!("{end:?}")).or_default() += 1;
                    }
                });
            }
        });
        let (points, operations) = (points.len(), operations.len());
        println!(
            "{}: {operations} operations, {points} points tried: {:?}",
            self.name,
            ends.into_inner().unwrap()
        );
        points
    }

    fn try_point(&self, target: &str, (number, fault, operation): (usize, &str, &str)) -> End {
        let what = format!("{}, {fault} at operation {number} ({operation})", self.name);
        self.begin(target);
        let path = self.dir.path(target);
        let mut command = (self.run)(self.dir, target)
            .env("EVENTLOADER_FAULT", &format!("{number}:{fault}"))
            .into_command();
        let output = command.stderr(std::process::Stdio::piped()).output().unwrap();
        let end = End::of(&output, &what);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let what = format!("{what}: {end:?}, it said {said:?}");

        let found = self.whole_directories(&path, &what);
        // The load can't control which of several partitions a power cut leaves old.
        if self.moves_events && !matches!(fault, "power" | "names") {
            assert_no_event_twice(&path, &what);
        }
        match end {
            End::Done => assert_eq!(found, self.new, "{what}: all is new"),
            End::NothingChanged if !self.is_recorded => assert_eq!(found, self.old, "{what}: nothing is new"),
            _ => {}
        }
        let is_new = match end {
            End::Done | End::Recorded => true,
            End::NothingChanged => self.is_recorded,
            // Either is allowed; from here on the target is wholly that.
            End::Died => {
                let private = |name: &str| path.join("_eventloader").join(name).exists();
                self.is_recorded || private("journal.json") || found == self.new
            }
        };
        if path.join("_eventloader").exists() {
            self.dir.bare_loader().arg("recover").arg(&path).arg("--quiet").succeeds();
            assert_no_debris(&path);
            // Else it is byte for byte the target that was verified before.
            if Some(tree(&path)) != self.start {
                self.verify(target, &what);
            }
        }
        let (expected, state) = if is_new { (&self.new, "new") } else { (&self.old, "old") };
        let found = self.whole_directories(&path, &what);
        assert!(found == *expected, "{what}: after recovery all is {state}, but found {:?}", found.keys());
        // A third of the operations, to save time.
        if number % 3 == 0 {
            (self.run)(self.dir, target).succeeds();
            assert_eq!(self.whole_directories(&path, &what), self.new, "{what}: after the run was repeated");
        }
        end
    }

    fn verify(&self, target: &str, what: &str) {
        let verified = self.dir.bare_loader().arg("verify").arg(self.dir.path(target)).succeeds();
        assert_eq!(verified.stdout, "", "{what}: problems after recovery");
    }

    /// What is in the target, if each directory of it is old or new.
    fn whole_directories(&self, target: &Path, what: &str) -> Directories {
        let found = directories(target);
        let names = self.old.keys().chain(self.new.keys()).chain(found.keys());
        for name in names {
            let (old, new, found) = (self.old.get(name), self.new.get(name), found.get(name));
            assert!(
                found == old || found == new,
                "{what}: {name} is neither old nor new, it holds {:?}",
                found.map(|files| files.keys().collect::<Vec<_>>())
            );
        }
        found
    }
}

/// An event that moves between partitions is in one of them or, for a moment, in neither.
fn assert_no_event_twice(target: &Path, what: &str) {
    let mut seen = BTreeSet::new();
    for row in rows(target).into_values().flatten() {
        assert!(seen.insert(row[0].clone()), "{what}: event {} is in two partitions", row[0]);
    }
}

/// A workdir with a target that the new load changes in every way: a file is replaced by one of the same
/// name, one by a file of another name, a partition is created, one stays as it is; and there are bad lines.
fn with_old_target() -> Workdir {
    let dir = Workdir::new();
    let of_codec = |name: &str, codec: &str, lines: Vec<String>| {
        dir.write(name, file_of(lines));
        let args = ["--backfill", "--compression", codec, "--threads", "1"];
        dir.loader().source(name).args(args).succeeds();
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

fn load(dir: &Workdir, target: &str) -> Loader {
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

/// A merge that moves events: out of a partition that this empties, out of one that stays, into an existing
/// one and into a new one, and from a file that is replaced by one of another name.
#[test]
fn of_a_merge() {
    let dir = Workdir::new();
    let load = |name: &str, codec: &str, lines: Vec<String>| {
        dir.write(name, file_of(lines));
        let args = ["--backfill", "--compression", codec, "--threads", "1", "--mode", "merge"];
        dir.loader().source(name).args(args).succeeds();
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
    let run = |dir: &Workdir, target: &str| load_by(dir, target, "1").args(["--mode", "merge"]);
    let mut walk = Walk::new("a merge", &dir, &run);
    walk.moves_events = true;
    assert!(walk.go() > 250);
}

/// A replay, which removes one file of the quarantine and rewrites another: either the bad line is there or
/// its row.
#[test]
fn of_a_replay() {
    let dir = Workdir::new();
    let sale =
        |id: &str, data: &str| account_open(id, "2024-10-10T00:00:00", 1).replace("account-open", data);
    dir.write("old.json", file_of([sale("a", "sale"), "bad".into()]));
    dir.write("other.json", file_of([sale("b", "sale"), account_open("c", "2024-10-11T00:00:00", 2)]));
    let args = ["--backfill", "--threads", "1"];
    dir.loader().source("old.json").source("other.json").args(args).succeeds();
    dir.write("sales.toml", "[domain.account.events.sale.fields]\nid = 'int32'\n");
    let run = |dir: &Workdir, target: &str| {
        let replay = dir.bare_loader().arg("replay").arg(dir.path(target));
        replay.arg("--catalog").arg(dir.path("sales.toml")).args(["--threads", "1"])
    };
    assert!(Walk::new("a replay", &dir, &run).go() > 250);
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
