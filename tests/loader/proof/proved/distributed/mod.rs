//! A load in pieces, in the hands of an engine that does what engines may: does it leave what one machine
//! leaves?

mod engine;
mod losses;
#[cfg(feature = "objects")]
mod on_buckets;
mod targets;

use std::{
    env,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use eventloader::commands::distributed::Division;

use self::targets::Targets;
use super::combination::{Combination, Generated, Way};
use crate::support::{events::Die, workdir::Workdir};

const COMBINATIONS: u64 = 24;

/// Of a random combination, what an engine does.
fn combination(seed: u64) -> Combination {
    let mut die = Die::new(seed);
    let made = [Combination::random, Combination::random_dressed, Combination::random_changed];
    let mut made = made[usize::try_from(seed % 3).unwrap()](&mut die);
    made.way = *die.pick(&[Way::Backfill, Way::Merges]);
    made.killed_at = None;
    for flag in ["--memory", "--threads"] {
        while let Some(at) = made.flags.iter().position(|argument| argument == flag) {
            made.flags.drain(at..=at + 1);
        }
    }
    made
}

/// The arguments of each load.
fn loads(combination: &Combination, generated: &Generated, die: &mut Die) -> Vec<Vec<String>> {
    let texts = |arguments: &[&str]| arguments.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    if combination.way == Way::Merges {
        let files: Vec<_> = generated.files.iter().map(|file| file.display().to_string()).collect();
        let skips_loaded = die.one_in(3);
        let merge = |number: usize| {
            // With those that were loaded before.
            let first = if skips_loaded { 0 } else { number };
            let sources = files[first..=number].iter().flat_map(|file| ["-s", file]);
            let flags = ["--backfill", "--mode", "merge"].into_iter();
            let flags = flags.chain(skips_loaded.then_some("--skip-loaded"));
            texts(&sources.chain(flags).collect::<Vec<_>>())
        };
        let mut loads: Vec<_> = (0..files.len()).map(merge).collect();
        // The last one again changes nothing.
        loads.extend(loads.last().cloned());
        if die.one_in(2) {
            // Days of a target that was merged are overwritten.
            let file: &String = die.pick(&files);
            loads.push(texts(&["-s", file, "--backfill"]));
        }
        return loads;
    }
    let days: Vec<_> = generated.days().into_iter().collect();
    let days = match days.as_slice() {
        [first, .., last] if die.one_in(3) => texts(&["--since", first, "--until", last]),
        [first, ..] if die.one_in(3) => texts(&["--date", first]),
        _ => texts(&["--backfill"]),
    };
    vec![[texts(&["-s", &generated.directory()]), days].concat()]
}

/// More files than a process may have open.
#[test]
fn a_day_of_many_splits_is_merged_from_all_of_them() {
    let combination = Combination::new("simple", &["-n", "1700", "--faults", "corrections=90"]);
    let (dir, mut die) = (Workdir::new(), Die::new(1));
    let generated = combination.generate(&dir);
    let arguments = ["-s", &generated.directory(), "--backfill"].map(str::to_owned);
    let division = Division { split_bytes: 1_000, buckets: Some(2), task_memory_bytes: None };
    let targets = Targets::in_directory(&dir);
    targets.load_divided(&combination, &arguments, (division, &mut die), "many splits");
}

#[test]
fn a_job_leaves_what_one_machine_leaves() {
    let combinations = env::var("PROVED_COMBINATIONS").ok().and_then(|text| text.parse().ok());
    let combinations = combinations.unwrap_or(COMBINATIONS);
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(seed) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < combinations)
                {
                    let (dir, mut die) = (Workdir::new(), Die::new(1_000 + seed));
                    let mut combination = combination(seed);
                    let samples = format!("--superseded-samples={}", die.roll(9));
                    combination.flags.push(samples);
                    let generated = combination.generate(&dir);
                    let targets = Targets::in_directory(&dir);
                    for arguments in loads(&combination, &generated, &mut die) {
                        let what = format!("combination {seed}, {combination}");
                        targets.load_both(&combination, &arguments, &mut die, &what);
                    }
                }
            });
        }
    });
}

/// A sale of a shop, in its version.
fn sale(id: u32, version: u32, timestamp: &str) -> String {
    format!(
        r#"{{"event_id": "{id}", "timestamp": "{timestamp}", "domain": "shop", "event_type": "sale", "data": {{"n": {version}}}}}"#
    )
}

/// Where a version decides, events may move to earlier days, and in a circle; and bad lines stand among them.
#[test]
fn events_move_between_days_as_they_do_on_one_machine() {
    let mut combination = Combination::new("simple", &[]);
    for seed in 0..12 {
        let (dir, mut die) = (Workdir::new(), Die::new(seed));
        let targets = Targets::in_directory(&dir);
        let catalog =
            "[domain.shop.events.sale]\nversion = 'n'\n[domain.shop.events.sale.fields]\nn = 'int64'\n";
        dir.write("shop.toml", catalog);
        combination.flags = vec!["--catalog".to_owned(), dir.path("shop.toml").display().to_string()];
        for load in 0..4 {
            let mut lines: Vec<_> = (0..60)
                .map(|_| {
                    let (id, version) =
                        (u32::try_from(die.roll(40)).unwrap(), u32::try_from(die.roll(9)).unwrap());
                    sale(id, version, &format!("2024-10-1{}T0{}:00:00Z", die.roll(4), die.roll(10)))
                })
                .collect();
            // The same event and time as a row, and no version.
            lines.push(sale(3, 1, "2024-10-11T01:00:00Z").replace("\"n\": 1", "\"n\": \"?\""));
            let name = format!("{load}.json");
            dir.write(&name, format!("{}\n", lines.join("\n")));
            let source = dir.path(&name).display().to_string();
            let arguments = ["-s", &source, "--backfill", "--mode", "merge"].map(str::to_owned);
            targets.load_both(&combination, &arguments, &mut die, &format!("seed {seed}, load {load}"));
        }
    }
}

/// A table has one type of a column for all of its files, whatever rows a merge has.
#[test]
fn a_column_that_gets_another_type_is_written_again_in_all_days() {
    let mut combination = Combination::new("simple", &[]);
    for seed in 0..6 {
        let (dir, mut die) = (Workdir::new(), Die::new(seed));
        let targets = Targets::in_directory(&dir);
        combination.flags = ["--table", "delta", "--catalog"].map(str::to_owned).to_vec();
        combination.flags.push(dir.path("shop.toml").display().to_string());
        for (load, kind) in
            ["int32", "int64", "decimal(20, 2)", "decimal(38, 2)", "decimal(38, 2)"].iter().enumerate()
        {
            dir.write("shop.toml", format!("[domain.shop.events.sale.fields]\nn = '{kind}'\n"));
            let days = if load == 0 { 4 } else { 1 };
            let lines: Vec<_> = (0..40)
                .map(|_| {
                    let (id, n) = (u32::try_from(die.roll(60)).unwrap(), u32::try_from(die.roll(9)).unwrap());
                    sale(id, n, &format!("2024-10-1{}T0{}:00:00Z", die.roll(days), die.roll(10)))
                })
                .collect();
            let name = format!("{load}.json");
            dir.write(&name, format!("{}\n", lines.join("\n")));
            let source = dir.path(&name).display().to_string();
            let arguments = ["-s", &source, "--backfill", "--mode", "merge"].map(str::to_owned);
            targets.load_both(&combination, &arguments, &mut die, &format!("seed {seed}, load {load}"));
        }
    }
}
