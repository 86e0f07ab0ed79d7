//! Is every partition old or new, and the next run enough, wherever a run was killed?
//!
//! Two loads of the same partitions take turns over one target, and are killed (`kill -9`) at moments that are spread
//! over all of a run, more of them where it publishes. After each kill every file is one of the two loads', whole; a run
//! that is left alone then ends in its own state, whatever mess it started from.

use std::{path::Path, thread, time::Instant};

use crate::{
    events::{Die, file_of, plain_events},
    files::{Tree, assert_no_debris, assert_same_tree, changes, published},
    readback::quarantine,
    support::{Loader, Workdir},
};

const KILLS: u32 = 30;

/// Two loads of the same partitions, by name: the files that each leaves when it is left alone.
struct Loads<'a> {
    dir: &'a Workdir,
    states: [(&'static str, Tree); 2],
}

impl<'a> Loads<'a> {
    /// 20,000 events over 29 days: 145 partitions, each of them in both loads; and one bad line, another one in each.
    fn new(dir: &'a Workdir) -> Self {
        let states = [("old", 1), ("new", 2)].map(|(name, seed)| {
            let mut lines = plain_events(seed, 20_000, 125);
            lines.insert(100, format!("bad line of the {name} load"));
            dir.write(&format!("{name}.json"), file_of(lines));
            dir.loader_into(name).source(format!("{name}.json")).arg("--backfill").succeeds();
            (name, partitions(&dir.path(name)))
        });
        let [(_, old), (_, new)] = &states;
        assert!(
            old.len() == 145 && old.keys().eq(new.keys()) && !changes(old, new).is_empty(),
            "{:?}",
            old.keys()
        );
        Self { dir, states }
    }

    fn loader(&self, name: &str) -> Loader {
        self.dir.loader().source(format!("{name}.json")).arg("--backfill")
    }

    /// Lets a load end, and expects its state.
    fn complete(&self, which: usize) {
        let (name, state) = &self.states[which];
        self.loader(name).succeeds();
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
        let mut child = loads.loader(loads.states[which].0).into_command().spawn().unwrap();
        let moment = usual.mul_f64(f64::from(kill / 2) / f64::from(KILLS / 2));
        if kill < KILLS {
            thread::sleep(moment);
        }
        child.kill().unwrap();
        cut_short += u32::from(!child.wait().unwrap().success());
        let new = loads.check(&format!("after kill {kill}, {moment:?} into the load"));
        eprintln!("{kill} {moment:?}: {new} new, {:?}", private(&dir.target()));
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
    let bad_lines: Vec<_> =
        quarantine(&dir.target()).into_iter().map(|bad| String::from_utf8(bad.raw).unwrap()).collect();
    assert_eq!(bad_lines, ["bad line of the new load", "bad line of the old load"], "each kept once");
}

fn private(target: &Path) -> Vec<String> {
    crate::files::tree(target).into_keys().filter(|name| name.starts_with("_eventloader/")).take(5).collect()
}
