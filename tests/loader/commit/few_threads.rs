//! A system that starts no more threads: does each command do the same with the one that it has?
//!
//! `RUST_MIN_STACK` asks for stacks that are larger than any memory, so the system refuses each thread as
//! it does beyond `ulimit -u` or the pids limit of a container.

use crate::support::{
    events::{file_of, plain_events, three_days},
    files::{assert_no_debris, assert_same_tree, published},
    workdir::{Loader, Workdir},
};

const NO_THREAD: (&str, &str) = ("RUST_MIN_STACK", "70368744177664");

/// One thread, of the eight that are asked for.
fn alone(loader: Loader) -> Loader {
    loader.arg("--threads=8").env(NO_THREAD.0, NO_THREAD.1)
}

#[test]
fn a_load_that_can_start_no_thread_writes_the_same() {
    let dir = Workdir::new();
    let mut lines = plain_events(1, 20_000, 100);
    lines.push("{".to_owned());
    let (source, more) =
        (dir.write("in.json", file_of(lines)), dir.write("more.json", file_of(three_days(2))));
    let [together, alone_there] = ["together", "alone"].map(|target| {
        let loader = |source| {
            let loader = dir.loader_into(target).source(source).arg("--backfill");
            if target == "alone" { alone(loader) } else { loader.arg("--threads=8") }
        };
        loader(&source).succeeds();
        loader(&more).arg("--mode=merge").succeeds();
        assert_no_debris(&dir.path(target));
        published(&dir.path(target))
    });
    assert_same_tree(&together, &alone_there, "with eight threads, and with one");
}

#[test]
fn the_other_commands_can_start_no_thread_either() {
    let dir = Workdir::new();
    let mut lines = plain_events(1, 2_000, 100);
    lines.push("{".to_owned());
    dir.write("in.json", file_of(lines));
    dir.loader().source("in.json").arg("--backfill").succeeds();
    let command = |name: &[&str]| alone(dir.bare_loader().args(name));
    command(&["verify", "target"]).succeeds();
    command(&["replay", "target", "--dry-run"]).succeeds();
    command(&["discard", "target"]).succeeds();
    command(&["rewrite", "target", "--layout=hive"]).succeeds();
    command(&["verify", "target"]).succeeds();
    for name in [&["catalog", "infer", "--all"][..], &["catalog", "check"]] {
        let said = |loader: Loader| loader.arg("in.json").run().stdout;
        let (alone, together) = (said(command(name)), said(dir.bare_loader().args(name)));
        assert!(alone.len() > 100, "{name:?}: {alone}");
        assert_eq!(alone, together, "{name:?}");
    }
}
