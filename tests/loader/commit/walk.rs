//! A run of the loader → every file operation of it, each with a fault injected; and what must be so after.
//!
//! Invariant: after each point the target is wholly old or wholly new, without debris, and `verify` finds
//! nothing; what the run said about it was true.

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

use naive_model::Rows;

use crate::support::{
    files::{Tree, assert_no_debris, published, tree},
    readback::rows,
    tables,
    workdir::{Loader, Workdir},
};

/// The faults, and whether each can happen to an operation that changes nothing.
pub(super) const FAULTS: [(&str, bool); 7] = [
    ("error", true),
    ("errors", true),
    ("lost", false),
    ("stop", false),
    ("torn", false),
    ("power", false),
    ("names", false),
];

/// By directory of a target, the files in it that matter to users; of a target of tables, by table.
pub(super) type Directories = BTreeMap<String, Tree>;

pub(super) fn directories(target: &Path) -> Directories {
    if tables::is_of_tables(target) {
        return tables::contents(&tree(target));
    }
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
pub(super) struct Walk<'a> {
    pub(super) name: &'static str,
    pub(super) dir: &'a Workdir,
    /// The target before it; none for a first load.
    pub(super) start: Option<Tree>,
    pub(super) old: Directories,
    pub(super) new: Directories,
    pub(super) run: &'a (dyn Fn(&Workdir, &str) -> Loader + Sync),
    /// Whether the commit is recorded before it begins.
    pub(super) is_recorded: bool,
    /// Whether the target is one of tables.
    pub(super) is_of_tables: bool,
    /// The number of records before it, in a target of tables.
    pub(super) records: usize,
    /// Whether it is refused once it is done.
    pub(super) is_once: bool,
    /// Whether events move, so that none may ever be in two partitions.
    pub(super) moves_events: bool,
    /// The rows of partitions that are published twice, as they are between: without those whose events move.
    pub(super) between: Rows,
    /// What the system forbids all the time (`EVENTLOADER_FORBID`). Then a partition may be missing while it
    /// is published.
    pub(super) forbidden: &'static str,
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    Done,
    NothingChanged,
    Recorded,
    Unknown,
    Died,
}

impl End {
    pub(super) fn of(output: &Output, what: &str) -> Self {
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) => Self::Done,
            Some(1) if said.contains("; the commit is recorded") => Self::Recorded,
            Some(1) if said.contains("; it is not known whether commit ") => Self::Unknown,
            Some(1) => Self::NothingChanged,
            None => Self::Died,
            _ => panic!("{what}: ended with {}, and said: {said}", output.status),
        }
    }
}

impl<'a> Walk<'a> {
    /// A walk over `run`, from what the target of `dir` is now.
    pub(super) fn new(
        name: &'static str,
        dir: &'a Workdir,
        run: &'a (dyn Fn(&Workdir, &str) -> Loader + Sync),
    ) -> Self {
        let start = dir.target().exists().then(|| tree(&dir.target()));
        let is_recorded = start.as_ref().is_some_and(|tree| {
            tree.contains_key("_eventloader/journal.json") || tables::is_unfinished(tree)
        });
        let records = start.as_ref().map_or(0, |tree| tables::records(tree).len());
        let mut walk = Self {
            name,
            dir,
            start,
            old: Directories::new(),
            new: Directories::new(),
            run,
            is_recorded,
            is_of_tables: false,
            records,
            is_once: false,
            moves_events: false,
            between: Rows::new(),
            forbidden: "",
        };
        if walk.start.is_some() && !is_recorded {
            walk.verify("target", "before the run");
        }
        // For a recovery, the old state is the one before the interrupted load, which the test has kept.
        walk.old = directories(&if is_recorded { dir.path("before") } else { dir.target() });
        walk.begin("new");
        run(dir, "new").succeeds();
        walk.is_of_tables = tables::is_of_tables(&dir.path("new"));
        walk.new = directories(&dir.path("new"));
        assert!(walk.old != walk.new, "{name}: the run changes something");
        walk
    }

    /// Lets events move both ways between partitions.
    pub(super) fn both_ways(&mut self) {
        self.moves_events = true;
        let new = rows(&self.dir.path("new"));
        let partition_of = |id: &str| new.iter().find(|(_, rows)| rows.iter().any(|row| row[0] == id));
        self.between = rows(&self.dir.target());
        for (partition, rows) in &mut self.between {
            rows.retain(|row| partition_of(&row[0]).is_none_or(|(new, _)| new == partition));
        }
    }

    /// A target of that name, in the state in which the walk starts.
    pub(super) fn begin(&self, target: &str) {
        let path = self.dir.path(target);
        if path.exists() {
            fs_err::remove_dir_all(&path).unwrap();
        }
        for (file, bytes) in self.start.iter().flatten() {
            self.dir.write(&format!("{target}/{file}"), bytes);
        }
    }

    /// The operations of a whole run in their order: whether each changes something, and what it is.
    pub(super) fn operations(&self) -> Vec<(bool, String)> {
        self.begin("counted");
        let log = self.dir.path("operations");
        fs_err::remove_file(&log).ok();
        let run = (self.run)(self.dir, "counted").env("EVENTLOADER_FORBID", self.forbidden);
        run.env("EVENTLOADER_FILE_LOG", log.to_str().unwrap()).succeeds();
        let log = fs_err::read_to_string(log).unwrap();
        let operations = log.lines().map(|line| match line.split_once(' ').unwrap() {
            ("changes", operation) => (true, operation.to_owned()),
            (_, operation) => (false, operation.to_owned()),
        });
        operations.collect()
    }

    /// Tries every fault at every operation; how many were tried.
    pub(super) fn go(&self) -> usize {
        self.go_from(0)
    }

    /// The same from that operation on, counted from 0.
    #[expect(clippy::print_stdout, reason = "the number of points is the result")]
    pub(super) fn go_from(&self, first: usize) -> usize {
        let operations = self.operations();
        // Tables are read over and over, each in many operations that do the same.
        let step = if self.is_of_tables { 4 } else { 1 };
        let faults = |changes: bool| FAULTS.iter().filter(move |(_, at_looks)| changes || *at_looks);
        let points: Vec<_> = operations
            .iter()
            .zip(1..)
            .skip(first)
            .filter(|((changes, _), number)| *changes || number % step == 0)
            .flat_map(|((changes, operation), number)| {
                faults(*changes).map(move |(fault, _)| (number, *fault, operation.as_str()))
            })
            .collect();
        assert!(points.len() > 50, "{}: only {} points: is this a debug build?", self.name, points.len());
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

    pub(super) fn try_point(&self, target: &str, (number, fault, operation): (usize, &str, &str)) -> End {
        let what = format!("{}, {fault} at operation {number} ({operation})", self.name);
        self.begin(target);
        let path = self.dir.path(target);
        let mut command = (self.run)(self.dir, target)
            .env("EVENTLOADER_FAULT", &format!("{number}:{fault}"))
            .env("EVENTLOADER_FORBID", self.forbidden)
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
            End::Unknown | End::Died => self.is_recorded || self.has_recorded(&path) || found == self.new,
        };
        // Without a record, nobody can tell what a target was going to be.
        let is_target = !self.is_of_tables || !tables::records(&tree(&path)).is_empty();
        if is_target && path.join("_eventloader").exists() {
            // Every other recovery is by a system that allows everything.
            let forbidden = if number % 2 == 0 { self.forbidden } else { "" };
            let recover = self.dir.bare_loader().arg("recover").arg(&path).arg("--quiet");
            recover.env("EVENTLOADER_FORBID", forbidden).succeeds();
            self.look_for_debris(&path, &what);
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
            let code = i32::from(self.is_once && is_new);
            (self.run)(self.dir, target).exits(code);
            assert_eq!(self.whole_directories(&path, &what), self.new, "{what}: after the run was repeated");
            if self.is_of_tables {
                self.look_for_debris(&path, &what);
            }
        }
        end
    }

    /// Nothing is left behind; of a target of tables nothing that a sweep does not find.
    fn look_for_debris(&self, target: &Path, what: &str) {
        if !self.is_of_tables {
            return assert_no_debris(target);
        }
        assert!(!tables::is_unfinished(&tree(target)), "{what}: recovery brings the record to all tables");
        let sweep = self.dir.bare_loader().arg("recover").arg(target).args(["--quiet", "--sweep"]);
        sweep.args(["--older-than", "0s"]).succeeds();
        tables::assert_swept(target);
    }

    /// Whether the run's commit is recorded.
    fn has_recorded(&self, target: &Path) -> bool {
        is_recorded(target)
            || (tables::is_of_tables(target) && tables::records(&tree(target)).len() > self.records)
    }

    pub(super) fn verify(&self, target: &str, what: &str) {
        let verified = self.dir.bare_loader().arg("verify").arg(self.dir.path(target)).succeeds();
        assert_eq!(verified.stdout, "", "{what}: problems after recovery");
    }

    /// What is in the target, if each directory of it is old or new.
    pub(super) fn whole_directories(&self, target: &Path, what: &str) -> Directories {
        let found = if self.is_of_tables { tables::contents(&tree(target)) } else { directories(target) };
        let may_miss = !self.forbidden.is_empty() && is_recorded(target);
        let is_between = |name: &String| {
            let between = self.between.get(name).filter(|_| is_recorded(target));
            between.is_some_and(|between| rows(target).get(name).is_none_or(|found| found == between))
        };
        let names = self.old.keys().chain(self.new.keys()).chain(found.keys());
        for name in names {
            let (old, new, found) = (self.old.get(name), self.new.get(name), found.get(name));
            assert!(
                found == old || found == new || (may_miss && found.is_none()) || is_between(name),
                "{what}: {name} is neither old nor new, it holds {:?}",
                found.map(|files| files.keys().collect::<Vec<_>>())
            );
        }
        found
    }
}

fn is_recorded(target: &Path) -> bool {
    target.join("_eventloader/journal.json").exists()
}

/// An event that moves between partitions is in one of them or, for a moment, in neither.
pub(super) fn assert_no_event_twice(target: &Path, what: &str) {
    let mut seen = BTreeSet::new();
    // What is staged is no partition.
    let partitions = rows(target).into_iter().filter(|(partition, _)| !partition.starts_with('_'));
    for row in partitions.flat_map(|(_, rows)| rows) {
        assert!(seen.insert(row[0].clone()), "{what}: event {} is in two partitions", row[0]);
    }
}
