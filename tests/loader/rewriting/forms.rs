//! A target that is rewritten into another layout, unit of time, codec or encodings: is it, byte for byte,
//! what a load in that form leaves?

use super::{is_well, rewrite};
use crate::support::{
    events::{Die, file_of, three_days},
    files::{assert_same_tree, modified, published, tree},
    hostile::RandomTypes,
    readback::{rows, text_of},
    workdir::Workdir,
};

/// The flags of a form. Whether payloads are flat or nested stays.
fn form(die: &mut Die) -> Vec<&'static str> {
    vec![
        *die.pick(&["--layout=plain", "--layout=hive"]),
        *die.pick(&["--partition-by=day", "--partition-by=hour"]),
        *die.pick(&["--compression=zstd", "--compression=snappy", "--compression=none"]),
        *die.pick(&["--encodings=compact", "--encodings=basic"]),
    ]
}

/// Events of one random type on three days, in all hours, each once.
fn events_of(die: &mut Die, types: &RandomTypes) -> String {
    let count = 1 + die.roll(60);
    let lines = (0..count).map(|id| {
        let (day, hour) = (10 + die.roll(3), die.roll(24));
        let data = types.payload(die);
        format!(
            r#"{{"event_id": "e{id}", "timestamp": "2024-10-{day}T{hour:02}:00:00.{id:06}", "domain": "d", "event_type": "e", "data": {data}}}"#
        )
    });
    file_of(lines.collect::<Vec<_>>())
}

#[test]
fn a_target_in_any_form_becomes_one_in_any_other() {
    for seed in 0..30 {
        let mut die = Die::new(seed);
        let dir = Workdir::new();
        let types = RandomTypes::new(&mut die);
        dir.write("d.toml", &types.catalog);
        dir.write("in.json", events_of(&mut die, &types));
        let (from, to) = (form(&mut die), form(&mut die));
        let flatten = *die.pick(&["--flatten=true", "--flatten=false"]);
        let load = |target: &str, form: &[&str]| {
            let args = ["-b", "--catalog=d.toml", "--max-bad-lines=100%", flatten];
            dir.loader_into(target).source("in.json").args(args).args(form).succeeds();
        };
        load("target", &from);
        load("asked", &to);
        let flags = ["--catalog=d.toml", *die.pick(&["--threads=1", "--threads=3"])];
        let outcome = rewrite(&dir, "target").args(flags).args(&to).succeeds();
        let what = format!("seed {seed}, {from:?} to {to:?} {flatten}: {outcome}\n{}", types.catalog);
        assert_same_tree(&published(&dir.path("asked")), &published(&dir.target()), &what);
        is_well(&dir, "target");
        let again = rewrite(&dir, "target").args(flags).args(&to).succeeds();
        assert!(again.stderr.starts_with("nothing to rewrite: "), "{again} after {what}");
    }
}

#[test]
fn merges_and_replays_go_on_in_the_new_form() {
    let dir = Workdir::new();
    let lines = three_days(5);
    let (first, rest) = lines.split_at(lines.len() / 2);
    dir.write("1.json", file_of(first));
    dir.write("2.json", file_of(rest));
    let form = ["--layout=hive", "--partition-by=hour", "--compression=snappy", "--encodings=basic"];
    let load = |target: &str, source: &str, form: &[&str]| {
        let args = ["-b", "--mode=merge", "--skip-loaded"];
        dir.loader_into(target).source(source).args(args).args(form).succeeds()
    };
    load("target", "1.json", &[]);
    rewrite(&dir, "target").args(form).succeeds();
    let known = load("target", "1.json", &form);
    assert_eq!(known.count("lines"), 0, "sources stay loaded");
    load("target", "2.json", &form);
    load("asked", "1.json", &form);
    load("asked", "2.json", &form);
    assert_same_tree(&published(&dir.path("asked")), &published(&dir.target()), "merged after a rewrite");
    is_well(&dir, "target");
    // The old layout is refused, and a replay takes the new one by itself.
    dir.loader()
        .source("2.json")
        .args(["-b", "--mode=merge"])
        .exits(2)
        .says(&["--layout hive --partition-by hour"]);
    dir.bare_loader().arg("replay").arg(dir.target()).succeeds();
}

#[test]
fn partitions_that_are_as_they_should_be_are_left_alone() {
    let dir = Workdir::new();
    let lines = three_days(2);
    dir.write("1.json", file_of(&lines));
    dir.loader().source("1.json").arg("-b").succeeds();
    let before = (tree(&dir.target()), modified(&dir.target()));
    let outcome = rewrite(&dir, "target").succeeds();
    assert!(outcome.stderr.contains("nothing to rewrite"), "{outcome}");
    assert!(before == (tree(&dir.target()), modified(&dir.target())), "not even the record changes");

    let of_day = |day: &str, target: &std::path::Path| {
        let mut modified = modified(target);
        modified.retain(|name, _| name.starts_with(&format!("2024/10/{day}/")));
        modified
    };
    let (tenth, twelfth) = (of_day("10", &dir.target()), of_day("12", &dir.target()));
    let range = ["--since=2024-10-11", "--until=2024-10-11", "--compression=snappy"];
    let rows_before = text_of(&rows(&dir.target()));
    rewrite(&dir, "target").args(range).succeeds();
    assert!(!tenth.is_empty() && !twelfth.is_empty());
    assert!(tenth == of_day("10", &dir.target()) && twelfth == of_day("12", &dir.target()));
    assert!(of_day("11", &dir.target()).keys().all(|name| name.ends_with(".snappy.parquet")));
    assert_eq!(rows_before, text_of(&rows(&dir.target())));
    is_well(&dir, "target");
}

/// Readers would see some days in one layout and some in the other.
#[test]
fn a_part_of_the_days_stays_in_the_layout_of_the_others() {
    let dir = Workdir::new();
    dir.write("1.json", file_of(three_days(3)));
    dir.loader().source("1.json").arg("-b").succeeds();
    let before = tree(&dir.target());
    for flag in ["--layout=hive", "--partition-by=hour"] {
        let refused = rewrite(&dir, "target").args([flag, "--since=2024-10-11"]).exits(2);
        refused.says(&["nothing was changed", "leave out --since and --until"]);
    }
    rewrite(&dir, "target").args(["--since=2024-10-12", "--until=2024-10-11"]).exits(2);
    assert_same_tree(&before, &tree(&dir.target()), "refused");
    rewrite(&dir, "target").args(["--layout=plain", "--since=2024-10-11"]).succeeds();
}

#[test]
fn a_rewrite_is_a_commit_of_its_own_kind() {
    let dir = Workdir::new();
    dir.write("1.json", file_of(three_days(4)));
    dir.loader().source("1.json").arg("-b").succeeds();
    let partitions = rows(&dir.target()).len();
    let rewritten =
        rewrite(&dir, "target").args(["--partition-by=hour", "--threads=2", "--memory=64MiB"]).succeeds();
    let hours = rows(&dir.target()).len();
    assert!(hours > partitions);
    let count: usize = rows(&dir.target()).values().map(Vec::len).sum();
    let said = format!("{count} rows of {hours} partitions written again");
    assert!(rewritten.stderr.contains(&said), "{rewritten}: {said}");
    let listed = dir.bare_loader().arg("list").arg(dir.target()).args(["--json"]).succeeds().stdout;
    let last: serde_json::Value = serde_json::from_str(listed.lines().last().unwrap()).unwrap();
    assert_eq!((&last["mode"], &last["partitions"]), (&"rewrite".into(), &hours.into()), "{listed}");
    let listed = dir.bare_loader().arg("list").arg(dir.target()).succeeds().stdout;
    assert!(listed.lines().last().unwrap().contains(" rewrite "), "{listed}");
    is_well(&dir, "target");
}

#[test]
fn a_target_without_rows_gets_another_layout_too() {
    let dir = Workdir::new();
    dir.write("1.json", "bad");
    dir.write("2.json", file_of(three_days(6)));
    dir.loader().source("1.json").args(["-b", "--max-bad-lines=100%"]).succeeds();
    rewrite(&dir, "target").args(["--layout=hive", "--partition-by=hour"]).succeeds();
    is_well(&dir, "target");
    let form = ["--layout=hive", "--partition-by=hour"];
    dir.loader().source("2.json").args(["-b", "--mode=merge"]).args(form).succeeds();
    dir.loader().source("2.json").args(["-b", "--mode=merge"]).exits(2).says(&["--layout hive"]);
    is_well(&dir, "target");
}
