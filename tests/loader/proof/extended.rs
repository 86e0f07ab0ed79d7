//! Events that change on the way, merged hour by hour, each hour with a catalog that was extended by it: is
//! the target what the manifest says, to the last value?
//!
//! The catalog begins as that of the world, without any change. Some runs are killed at an operation on a
//! file and run again, of `infer` as well. The manifest knows all values as the catalog of the end has them,
//! whether older partitions were rewritten or not; rewritten, the target is that of one backfill, byte for
//! byte.

use std::{path::PathBuf, thread};

use clap::Parser;
use datagen::{
    ChangeCounts, Config,
    cli::Cli,
    deliver::{NoProgress, deliver},
};

use crate::support::{
    events::Die,
    files::{assert_same_tree, published},
    workdir::{Loader, Workdir},
};

/// Faults that no catalog cures, and that each envelope here can have.
const FAULTS: &str = "duplicates=60,corrections=50,stale=20,late=60,ties=20,blank=5";

/// A run of the ledger, about a day long.
struct Run {
    seed: u64,
    changes: &'static str,
    /// More of datagen's flags.
    stream: &'static [&'static str],
    flags: &'static [&'static str],
}

const RUNS: [Run; 5] = [
    Run { seed: 1, changes: "add=6,drop=3,widen=12,nest=4,split=1", stream: &[], flags: &[] },
    Run { seed: 2, changes: "widen=24", stream: &[], flags: &["--layout", "hive"] },
    Run { seed: 3, changes: "add=4,split=6,widen=4", stream: &[], flags: &["--partition-by", "hour"] },
    Run { seed: 4, changes: "nest=6,drop=4,add=9,widen=3", stream: &[], flags: &["--flatten", "false"] },
    Run {
        seed: 5,
        changes: "add=5,drop=2,widen=12,nest=3",
        stream: &["--envelope", "stripe"],
        flags: &["--memory", "64MiB"],
    },
];

/// A target whose catalog grows.
struct Growing {
    dir: Workdir,
    flags: &'static [&'static str],
}

impl Growing {
    /// Generates a file for each hour.
    fn generate(run: &Run) -> (Self, Vec<PathBuf>) {
        let dir = Workdir::new();
        let path = |name: &str| dir.path(name).display().to_string();
        let (seed, events, truth) = (run.seed.to_string(), path("in"), path("truth.json"));
        let stream =
            ["datagen", "-q", "--world", "ledger", "-n", "800", "-s", &seed, "--changes", run.changes];
        let stream = [&stream, run.stream].concat();
        let files = ["--faults", FAULTS, "-w", "--rotate", "hour", "-b", &events, "--manifest", &truth];
        let cli = Cli::try_parse_from([&stream[..], &files].concat()).unwrap();
        let spec = cli.run_spec();
        deliver(&spec, &NoProgress).unwrap();
        let mut files: Vec<_> =
            fs_err::read_dir(&events).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(files.len() > 10, "{} hours", files.len());
        let unchanged = Config { changes: ChangeCounts::default(), ..spec.stream };
        dir.write("mine.toml", datagen::catalog(&unchanged).unwrap());
        (Self { dir, flags: run.flags }, files)
    }

    /// Extends the catalog by a file.
    fn extend(&self, file: &str) -> Loader {
        let infer = ["catalog", "infer", "-q", "--catalog", "mine.toml", file, "-o", "mine.toml"];
        self.dir.bare_loader().args(infer)
    }

    fn merge(&self, file: &str) -> Loader {
        let merge = ["-s", file, "--backfill", "--mode", "merge", "--catalog", "mine.toml"];
        self.dir.loader().args(merge).args(self.flags)
    }

    fn verify(&self) {
        let verify = self.dir.bare_loader().arg("verify").arg(self.dir.target());
        let outcome = verify.args(["--against", "truth.json"]).run();
        assert!(
            outcome.status.success(),
            "{outcome}\n{}",
            fs_err::read_to_string(self.dir.path("mine.toml")).unwrap()
        );
    }
}

#[test]
fn a_catalog_that_is_extended_by_each_hour_keeps_up_with_all_changes() {
    thread::scope(|scope| {
        let runs = RUNS.iter().map(|run| scope.spawn(|| hour_by_hour(run)));
        let kills: usize = runs.collect::<Vec<_>>().into_iter().map(|run| run.join().unwrap()).sum();
        assert!(kills >= 18, "only {kills} runs were killed");
    });
}

/// Returns how many runs were killed.
fn hour_by_hour(run: &Run) -> usize {
    let (growing, files) = Growing::generate(run);
    let (mut die, mut kills) = (Die::new(run.seed), 0);
    let mut killed = |command: Loader, operations| {
        if die.one_in(4) {
            let operation = 1 + die.roll(operations);
            let killed = command.env("EVENTLOADER_FAULT", &format!("{operation}:stop")).run();
            kills += usize::from(killed.status.code().is_none());
        }
    };
    for file in &files {
        let file = file.to_str().unwrap();
        killed(growing.extend(file), 9);
        growing.extend(file).succeeds();
        killed(growing.merge(file), 120);
        let loaded = growing.merge(file).succeeds();
        assert_eq!(loaded.count("quarantined.total"), 0, "{loaded}");
    }
    growing.verify();
    let rewrite = growing.dir.bare_loader().arg("rewrite").arg(growing.dir.target());
    rewrite.args(["--catalog", "mine.toml"]).succeeds();
    growing.verify();
    let backfill = ["-s", "in", "--backfill", "--catalog", "mine.toml"];
    growing.dir.loader_into("at once").args(backfill).args(growing.flags).succeeds();
    let at_once = published(&growing.dir.path("at once"));
    assert_same_tree(&at_once, &published(&growing.dir.target()), "rewritten beside one backfill");
    kills
}

/// What the first catalog can't hold is bad: values of wider types, and types that it does not know. When it
/// is extended by everything, a replay brings all of it in.
#[test]
fn what_a_catalog_was_too_narrow_for_comes_in_by_a_replay() {
    let run = Run { seed: 6, changes: "widen=5,nest=4,split=2", stream: &[], flags: &[] };
    let (growing, files) = Growing::generate(&run);
    growing.extend(files[0].to_str().unwrap()).succeeds();
    let merge = |file: &PathBuf| growing.merge(file.to_str().unwrap()).arg("--max-bad-lines=100%").succeeds();
    let bad: u64 = files.iter().map(|file| merge(file).count("quarantined.total")).sum();
    assert!(bad > 100, "{bad} bad lines");
    growing.extend("in").succeeds();
    let replay = growing.dir.bare_loader().arg("replay").arg(growing.dir.target());
    let replayed = replay.args(["--catalog", "mine.toml"]).reporting().succeeds();
    assert_eq!(replayed.count("quarantined.total"), 0, "{replayed}");
    growing.verify();
}
