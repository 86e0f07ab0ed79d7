//! Generated events, loaded in any way: does the target hold what their manifest says, and is each wrong
//! loader found out?
//!
//! Fixed seeds choose what is random: world, number of events, start, faults, flags, and the way of loading
//! (`combination.rs`). A combination that fails prints the command lines that reproduce it.
//! `PROVED_COMBINATIONS=5000` tries more of them.
//!
//! `wrong_loaders.rs` has the targets that wrong loaders would leave: each must be found out, every time.
//! `distributed.rs` loads combinations in pieces, as an engine does: the result must be that of one machine.
//! `cargo test -p eventloader --test loader_cli proved` runs all.

mod combination;
mod distributed;
mod proof;
mod recorded;
mod wrong_input;
mod wrong_loaders;
mod wrong_target;

use std::{
    env,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    thread,
};

use datagen::EnvelopeName;

use self::combination::Combination;
use crate::support::{events::Die, workdir::Workdir};

/// How many combinations are tried by default.
const COMBINATIONS: u64 = 220;
/// And how many of them in other envelopes.
const DRESSED_COMBINATIONS: u64 = 36;
/// And how many of them change on the way.
const CHANGED_COMBINATIONS: u64 = 36;

#[test]
fn whatever_is_generated_and_however_it_is_loaded_the_manifest_is_met() {
    prove(COMBINATIONS, Combination::random);
}

/// The same for records of other producers: (world, preset, faults, framing, compression, files, kills).
#[test]
fn whoever_s_records_carry_the_events_the_manifest_is_met() {
    prove(DRESSED_COMBINATIONS, Combination::random_dressed);
}

/// The same for events that change on the way, with the catalog of their end: (changes, world, preset, …).
#[test]
fn whatever_changes_on_the_way_the_manifest_is_met() {
    prove(CHANGED_COMBINATIONS, Combination::random_changed);
}

fn prove(by_default: u64, random: fn(&mut Die) -> Combination) {
    let combinations = env::var("PROVED_COMBINATIONS").ok().and_then(|text| text.parse().ok());
    let combinations = combinations.unwrap_or(by_default);
    let (next, kills) = (AtomicU64::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(seed) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < combinations)
                {
                    let combination = random(&mut Die::new(seed));
                    let outcome = combination.run();
                    assert!(outcome.is_proved(), "combination {seed}, {combination}\n{outcome}");
                    kills.fetch_add(outcome.kills(), Ordering::Relaxed);
                }
            });
        }
    });
    let kills = kills.into_inner() as u64;
    assert!(kills >= combinations / 4, "only {kills} runs of {combinations} combinations were killed");
}

/// Random combinations prove nothing about what they don't reach.
#[test]
fn the_combinations_reach_every_way_and_every_fault() {
    let all: Vec<_> =
        (0..COMBINATIONS).map(|seed| Combination::random(&mut Die::new(seed)).to_string()).collect();
    for needle in [
        "--world simple",
        "--world ledger",
        "duplicates=",
        "corrections=",
        "stale=",
        "ties=",
        "late=",
        "offsets=",
        "unknown-fields=",
        "malformed=",
        "unknown-events=",
        "blank=",
        "too-long=",
        "--files",
        "--rotate day",
        "--compress gzip",
        "--compress zstd",
        "--layout hive",
        "--table delta",
        "--partition-by hour",
        "--flatten false",
        "--compression none",
        "--encodings basic",
        "--mode merge",
        "--dedupe-scope day",
        "-n 0 ",
        "--date each day",
        "in random order",
        "killed",
    ] {
        let reached = all.iter().filter(|combination| combination.contains(needle)).count();
        assert!(reached >= 5, "{needle} is in {reached} of {} combinations", all.len());
    }
}

/// Each envelope is among the dressed ones, and each way to read it.
#[test]
fn the_dressed_combinations_reach_every_envelope() {
    let all: Vec<_> =
        (0..200).map(|seed| Combination::random_dressed(&mut Die::new(seed)).to_string()).collect();
    let envelopes = EnvelopeName::ALL.map(|envelope| format!("--envelope {}", envelope.name()));
    let others = ["--framing lines", "--framing documents", "killed", "--mode merge", "--compress zstd"];
    for needle in envelopes.iter().map(String::as_str).chain(others) {
        let reached = all.iter().filter(|combination| combination.contains(needle)).count();
        assert!(reached >= 5, "{needle} is in {reached} of {} combinations", all.len());
    }
}

/// Each change is among the changed ones, in each world, in other envelopes, and loaded in each way.
#[test]
fn the_changed_combinations_reach_every_change() {
    let all: Vec<_> = (0..CHANGED_COMBINATIONS)
        .map(|seed| Combination::random_changed(&mut Die::new(seed)).to_string())
        .collect();
    let changes = ["add=", "drop=", "widen=", "nest=", "split="];
    let others =
        ["--world simple", "--world ledger", "--envelope", "late=", "killed", "--mode merge", "--date"];
    for needle in changes.iter().chain(&others) {
        let reached = all.iter().filter(|combination| combination.contains(needle)).count();
        assert!(reached >= 5, "{needle} is in {reached} of {} combinations", all.len());
    }
}

/// What `infer` recognises by its keys is what it is dressed as, and its draft loads all of it.
#[test]
fn a_draft_of_each_dressed_stream_names_its_envelope_and_loads_it() {
    for envelope in EnvelopeName::ALL {
        let dir = Workdir::new();
        let config = datagen::Config { envelope: Some(envelope), num_events: 300, ..Default::default() };
        let mut lines = Vec::new();
        datagen::generate(&config, &mut lines).unwrap();
        let events = dir.write("events.json", lines);
        let draft = dir.path("draft.toml");
        let infer = ["catalog", "infer", events.to_str().unwrap(), "--all", "-o", draft.to_str().unwrap()];
        dir.bare_loader().args(infer).succeeds();
        let text = fs_err::read_to_string(&draft).unwrap();
        let preset = format!("preset     = \"{}\"\n", envelope.name());
        assert!(text.contains(&preset), "{text}");
        let load = dir.loader().source(&events).arg("--backfill").arg("--catalog").arg(&draft);
        assert_eq!(load.succeeds().count("written"), 300, "{text}");
    }
}
