//! Wherever a run is killed, is every partition old or new, and is the next run enough to repair the target?
//!
//! Two loads of the same partitions take turns on one target and are killed (`kill -9`): at moments spread
//! over a whole run, and just while it publishes. After each kill every partition is wholly that of one of
//! the two loads; a run that is then left alone ends in its own state, whatever mess it starts from.

use std::{collections::BTreeMap, process::Child, thread, time::Instant};

use crate::support::{
    events::{Die, account_open, file_of, plain_events},
    files::{Tree, assert_no_debris, assert_same_tree, published, tree},
    readback::quarantine,
    workdir::{Loader, Workdir},
};

/// Of each kind.
const KILLS: u32 = 10;
const PARTITIONS: usize = 60;

/// By name, the files of each partition.
type Partitions = BTreeMap<String, Tree>;

/// A load, and the partitions that it leaves if it is not killed.
struct Load {
    name: &'static str,
    codec: &'static str,
    partitions: Partitions,
}

/// Two loads of the same partitions that take turns over one target.
struct Rivals<'a> {
    dir: &'a Workdir,
    loads: [Load; 2],
}

impl<'a> Rivals<'a> {
    /// 10,000 events over 12 days: 60 partitions, each of them in both loads; and one bad line, another one
    /// in each.
    fn new(dir: &'a Workdir, codecs: [&'static str; 2]) -> Self {
        let loads = [("old", 1, codecs[0]), ("new", 2, codecs[1])].map(|(name, seed, codec)| {
            let mut lines = plain_events(seed, 10_000, 100);
            lines.insert(100, format!("bad line of the {name} load"));
            let source = dir.write(&format!("{name}.json"), file_of(lines));
            dir.loader_into(name).source(source).args(["--backfill", "--compression", codec]).succeeds();
            Load { name, codec, partitions: partitions(dir, name) }
        });
        let [old, new] = &loads;
        assert!(old.partitions.len() == PARTITIONS && old.partitions.keys().eq(new.partitions.keys()));
        Self { dir, loads }
    }

    fn loader(&self, which: usize) -> Loader {
        let Load { name, codec, .. } = &self.loads[which];
        self.dir.loader().source(format!("{name}.json")).args(["--backfill", "--compression", codec])
    }

    fn start(&self, which: usize) -> Child {
        self.loader(which).into_command().spawn().unwrap()
    }

    /// Runs a load to its end, and expects its state and no debris.
    fn complete(&self, which: usize) {
        let outcome = self.loader(which).succeeds();
        let found = partitions(self.dir, "target");
        for (name, files) in &self.loads[which].partitions {
            assert_same_tree(files, &found[name], &format!("{name} after {outcome}"));
        }
        assert_no_debris(&self.dir.target());
    }

    /// Runs a load of another day, which finishes or undoes what it finds.
    fn settle(&self) {
        let other = self.dir.write("other.json", account_open("other", "2030-01-01T00:00:00", 1));
        let outcome = self.dir.loader().source(other).arg("--backfill").succeeds();
        let new = self.check(&format!("after {outcome}"));
        assert!(new == 0 || new == PARTITIONS, "{new} of {PARTITIONS} partitions are new after {outcome}");
        assert_no_debris(&self.dir.target());
    }

    /// Asserts that every partition is wholly that of one load; how many are those of the new one.
    fn check(&self, what: &str) -> usize {
        let found = partitions(self.dir, "target");
        let [old, new] = self.loads.each_ref().map(|load| &load.partitions);
        assert!(found.keys().eq(old.keys()), "{what}: there are {:?}", found.keys());
        for (name, files) in &found {
            let is_whole = *files == old[name] || *files == new[name];
            assert!(is_whole, "{what}: {name} is neither old nor new, it holds {:?}", files.keys());
        }
        quarantine(&self.dir.target()); // Half a record would not be read.
        found.iter().filter(|(name, files)| **files == new[*name]).count()
    }
}

/// The partitions of the two loads.
fn partitions(dir: &Workdir, target: &str) -> Partitions {
    let mut partitions = Partitions::new();
    for (path, bytes) in published(&dir.path(target)) {
        let (partition, file) = path.rsplit_once('/').unwrap();
        if !partition.starts_with('_') && !partition.starts_with("2030") {
            partitions.entry(partition.to_owned()).or_default().insert(file.to_owned(), bytes);
        }
    }
    partitions
}

/// Kills the process; whether it was still running.
fn kill_9(child: &mut Child) -> bool {
    child.kill().unwrap();
    !child.wait().unwrap().success()
}

#[test]
fn a_load_that_is_killed_leaves_every_partition_old_or_new() {
    let dir = Workdir::on_disk();
    let rivals = Rivals::new(&dir, ["zstd", "zstd"]);
    rivals.complete(0);
    let started = Instant::now();
    rivals.complete(1);
    let usual = started.elapsed();

    let mut die = Die::new(3);
    let mut cut_short = 0;
    for kill in 0..KILLS {
        let which = (kill % 2) as usize;
        let moment = usual.mul_f64(f64::from(kill) / f64::from(KILLS));
        let mut child = rivals.start(which);
        thread::sleep(moment);
        cut_short += u32::from(kill_9(&mut child));
        rivals.check(&format!("killed {moment:?} after its start"));
        if die.one_in(3) {
            rivals.complete(which);
        }
    }
    assert!(
        cut_short >= KILLS / 3,
        "only {cut_short} of {KILLS} runs were still running when they were killed"
    );
    rivals.complete(0);
    rivals.complete(1);
    let bad_lines = quarantine(&dir.target()).into_iter().map(|bad| String::from_utf8(bad.raw).unwrap());
    let expected = ["bad line of the new load", "bad line of the old load"];
    assert_eq!(bad_lines.collect::<Vec<_>>(), expected, "each is kept once");
}

/// A file of the same name takes the old one's place.
#[test]
fn a_load_that_is_killed_while_it_publishes_is_finished_or_undone_by_the_next() {
    kill_while_publishing(["zstd", "zstd"]);
}

/// The old file has to go while the new one comes.
#[test]
fn a_load_that_is_killed_while_it_changes_the_codec_is_finished_or_undone_by_the_next() {
    kill_while_publishing(["zstd", "snappy"]);
}

/// Kills at the moment when a partition changes: some are new then, and some still old.
fn kill_while_publishing(codecs: [&'static str; 2]) {
    let dir = Workdir::on_disk();
    let rivals = Rivals::new(&dir, codecs);
    rivals.complete(0);
    let mut die = Die::new(4);
    let mut torn = 0;
    for _ in 0..KILLS {
        let new = rivals.check("before the kill");
        let which = usize::from(new == 0 || (new < PARTITIONS && die.one_in(2)));
        let found = partitions(&dir, "target");
        let wanted = &rivals.loads[which].partitions;
        let unlike: Vec<_> = found.keys().filter(|name| found[*name] != wanted[*name]).collect();
        let watched = dir.target().join(die.pick(&unlike));
        // Whatever changes in a directory, or replaces it, changes its time.
        let stamp = || fs_err::metadata(&watched).and_then(|directory| directory.modified()).ok();
        let before = stamp();
        let mut child = rivals.start(which);
        while stamp() == before && child.try_wait().unwrap().is_none() {}
        kill_9(&mut child);
        let new = rivals.check(&format!("killed when {} changed", watched.display()));
        torn += u32::from(new > 0 && new < PARTITIONS);
        if die.one_in(4) {
            let before = tree(&dir.target());
            rivals.loader(which).arg("--dry-run").succeeds();
            assert_same_tree(&before, &tree(&dir.target()), "a dry run over what a killed run left");
            rivals.complete(die.index(2));
        } else if die.one_in(2) {
            rivals.settle();
        }
    }
    assert!(torn > 0, "no run was killed between two partitions");
    rivals.complete(0);
}
