//! Is every partition old or new, and the next run enough, wherever a run was killed?
//!
//! Two loads of the same partitions take turns over one target, and are killed (`kill -9`): at moments that are spread
//! over all of a run, and just when it publishes. After each kill every file is one of the two loads', whole; a run that
//! is left alone then ends in its own state, whatever mess it started from.

use std::{path::Path, process::Child, thread, time::Instant};

use crate::{
    events::{Die, file_of, plain_events},
    files::{Tree, assert_no_debris, assert_same_tree, changes, published, tree},
    readback::quarantine,
    support::{Loader, Workdir},
};

/// Of each kind.
const KILLS: u32 = 15;
const PARTITIONS: usize = 60;

/// Two loads of the same partitions, by name: the files that each leaves when it is left alone.
struct Loads<'a> {
    dir: &'a Workdir,
    states: [(&'static str, Tree); 2],
}

impl<'a> Loads<'a> {
    /// 10,000 events over 12 days: 60 partitions, each of them in both loads; and one bad line, another one in each.
    fn new(dir: &'a Workdir) -> Self {
        let states = [("old", 1), ("new", 2)].map(|(name, seed)| {
            let mut lines = plain_events(seed, 10_000, 100);
            lines.insert(100, format!("bad line of the {name} load"));
            dir.write(&format!("{name}.json"), file_of(lines));
            dir.loader_into(name).source(format!("{name}.json")).arg("--backfill").succeeds();
            (name, partitions(&dir.path(name)))
        });
        let [(_, old), (_, new)] = &states;
        assert!(
            old.len() == PARTITIONS && old.keys().eq(new.keys()) && !changes(old, new).is_empty(),
            "{:?}",
            old.keys()
        );
        Self { dir, states }
    }

    fn loader(&self, which: usize) -> Loader {
        self.dir.loader().source(format!("{}.json", self.states[which].0)).arg("--backfill")
    }

    fn start(&self, which: usize) -> Child {
        self.loader(which).into_command().spawn().unwrap()
    }

    /// Lets a load end, and expects its state.
    fn complete(&self, which: usize) {
        let (name, state) = &self.states[which];
        self.loader(which).succeeds();
        assert_same_tree(state, &partitions(&self.dir.target()), &format!("the {name} load, left alone"));
        assert_no_debris(&self.dir.target());
    }

    /// Every file is whole and of one of the loads. How many of them are of the second.
    fn check(&self, what: &str) -> usize {
        let [(_, old), (_, new)] = &self.states;
        let found = partitions(&self.dir.target());
        assert!(found.keys().eq(old.keys()), "{what}: files {:?}", found.keys());
        for (name, bytes) in &found {
            assert!(
                *bytes == old[name] || *bytes == new[name],
                "{what}: {name} is neither the old nor the new file"
            );
        }
        quarantine(&self.dir.target()); // Half a record would not be read.
        found.iter().filter(|(name, bytes)| **bytes == new[*name]).count()
    }
}

/// The files of all partitions.
fn partitions(target: &Path) -> Tree {
    let mut tree = published(target);
    tree.retain(|name, _| !name.starts_with('_'));
    tree
}

#[test]
fn a_load_that_is_killed_leaves_every_partition_old_or_new() {
    let dir = Workdir::new();
    let loads = Loads::new(&dir);
    loads.complete(0);
    let started = Instant::now();
    loads.complete(1);
    let usual = started.elapsed();

    let mut die = Die::new(3);
    let mut cut_short = 0;
    for kill in 0..KILLS {
        let which = (kill % 2) as usize;
        let moment = usual.mul_f64(f64::from(kill) / f64::from(KILLS));
        let mut child = loads.start(which);
        thread::sleep(moment);
        cut_short += u32::from(kill_9(&mut child));
        loads.check(&format!("killed {moment:?} after its start"));
        if die.one_in(3) {
            loads.complete(which);
        }
    }
    assert!(
        cut_short >= KILLS / 3,
        "only {cut_short} of {KILLS} runs were still running when they were killed"
    );
    loads.complete(0);
    loads.complete(1);
    let bad_lines = quarantine(&dir.target()).into_iter().map(|bad| String::from_utf8(bad.raw).unwrap());
    assert_eq!(
        bad_lines.collect::<Vec<_>>(),
        ["bad line of the new load", "bad line of the old load"],
        "each kept once"
    );
}

/// Kills at the moment when one of the partitions changes: some then are new, and some still old.
#[test]
fn a_load_that_is_killed_while_it_publishes_is_finished_or_undone_by_the_next() {
    let dir = Workdir::new();
    let loads = Loads::new(&dir);
    loads.complete(0);
    let mut die = Die::new(4);
    let mut torn = 0;
    for _ in 0..KILLS {
        let new = loads.check("before the kill");
        let which = usize::from(new == 0 || (new < PARTITIONS && die.one_in(2)));
        let state = &loads.states[which].1;
        let found = partitions(&dir.target());
        let unlike: Vec<_> = found.keys().filter(|name| found[*name] != state[*name]).collect();
        let watched = dir.target().join(die.pick(&unlike));
        let stamp = || fs_err::metadata(&watched).unwrap().modified().unwrap();
        let before = stamp();
        let mut child = loads.start(which);
        while stamp() == before && child.try_wait().unwrap().is_none() {}
        kill_9(&mut child);
        let new = loads.check(&format!("killed when {} changed", watched.display()));
        torn += u32::from(new > 0 && new < PARTITIONS);
        if die.one_in(4) {
            let before = tree(&dir.target());
            loads.loader(which).arg("--dry-run").succeeds();
            assert_same_tree(&before, &tree(&dir.target()), "a dry run over what a killed run left");
            loads.complete(die.index(2));
        }
    }
    assert!(torn > 0, "no run was killed between two partitions");
}

/// Kills; whether there was something to kill.
fn kill_9(child: &mut Child) -> bool {
    child.kill().unwrap();
    !child.wait().unwrap().success()
}
