//! `--mode merge`: however the input is cut into files and runs, is the target what one backfill of
//! everything leaves?
//!
//! The files' bytes are compared: random pieces, some of them merged twice or killed halfway, leave what one
//! backfill leaves. The versions of an event have different timestamps there; ties have a test of their own.

use std::{collections::BTreeSet, path::Path};

use crate::support::{
    events::{Die, account_open, event, file_of, three_days},
    files::{Tree, assert_no_debris, assert_same_tree, modified, paths, published, tree},
    readback::{quarantine, rows, text_of},
    workdir::{Outcome, Workdir},
};

/// The partitions of a target, with their bytes.
fn partitions(target: &Path) -> Tree {
    let mut tree = published(target);
    tree.retain(|name, _| !name.starts_with('_'));
    tree
}

/// Its directories and files, except for the loader's own.
fn places(target: &Path) -> Vec<String> {
    paths(target).into_iter().filter(|path| !path.starts_with('_')).collect()
}

fn bad_lines(target: &Path) -> BTreeSet<Vec<u8>> {
    quarantine(target).into_iter().map(|line| line.raw).collect()
}

fn merge(dir: &Workdir, source: &str) -> Outcome {
    dir.loader().source(source).args(["--backfill", "--mode", "merge"]).succeeds()
}

/// The partitions that a report names, with what was done to them.
fn actions(outcome: &Outcome) -> Vec<String> {
    let partitions = outcome.report()["partitions"].as_array().unwrap();
    let action = |partition: &serde_json::Value| {
        let text = |name: &str| partition[name].as_str().unwrap().to_owned();
        format!("{} {}", text("action"), text("path"))
    };
    partitions.iter().map(action).collect()
}

/// Cuts lines into pieces at random, in random order, some lines in several of them.
fn cut(die: &mut Die, lines: &[String]) -> Vec<Vec<String>> {
    let mut pieces = vec![Vec::new(); 2 + die.index(6)];
    let mut lines = lines.to_vec();
    if die.one_in(2) {
        die.shuffle(&mut lines);
    }
    for line in lines {
        for _ in 0..=usize::from(die.one_in(10)) {
            let piece = die.index(pieces.len());
            pieces[piece].push(line.clone());
        }
    }
    die.shuffle(&mut pieces);
    pieces
}

#[test]
fn any_way_to_cut_the_input_leaves_the_target_of_one_backfill() {
    const FLAGS: [&[&str]; 6] = [
        &[],
        &["--partition-by", "hour"],
        &["--layout", "hive", "--flatten", "false"],
        &["--partition-by", "hour", "--layout", "hive", "--threads", "3"],
        &["--dedupe-scope", "day"],
        &["--dedupe-scope", "day", "--partition-by", "hour", "--flatten", "false"],
    ];
    for seed in 0..24 {
        let mut die = Die::new(seed);
        let flags = *die.pick(&FLAGS);
        let what = format!("seed {seed}, {flags:?}");
        let dir = Workdir::new();
        let lines = three_days(seed);
        dir.write("all.json", file_of(&lines));
        dir.loader_into("one").source("all.json").arg("--backfill").args(flags).succeeds();
        for (number, piece) in cut(&mut die, &lines).iter().enumerate() {
            let name = format!("piece-{number}.json");
            dir.write(&name, file_of(piece));
            let run = || dir.loader().source(&name).args(["--backfill", "--mode", "merge"]).args(flags);
            if die.one_in(3) {
                let (operation, fault) = (1 + die.roll(150), die.pick(&["stop", "power", "names", "torn"]));
                run().env("EVENTLOADER_FAULT", &format!("{operation}:{fault}")).run();
            }
            run().succeeds();
            if die.one_in(4) {
                let before = tree(&dir.target());
                let again = run().succeeds();
                assert_eq!(again.count("written"), 0, "{what}: a piece that was merged before");
                assert_same_tree(&before, &tree(&dir.target()), &what);
            }
        }
        assert_same_tree(&partitions(&dir.path("one")), &partitions(&dir.target()), &what);
        assert_eq!(places(&dir.path("one")), places(&dir.target()), "{what}");
        assert_eq!(bad_lines(&dir.path("one")), bad_lines(&dir.target()), "{what}");
        assert_no_debris(&dir.target());
        let verified = dir.bare_loader().arg("verify").arg(dir.target()).succeeds();
        assert_eq!(verified.stdout, "", "{what}: verify");
    }
}

/// Each step moves an event in another way.
#[test]
fn an_event_goes_where_its_latest_version_belongs() {
    let dir = Workdir::new();
    let load = |name: &str, lines: &[String]| {
        dir.write(name, file_of(lines));
        merge(&dir, name)
    };
    let found = || text_of(&rows(&dir.target())).join("\n");

    let first = load(
        "1.json",
        &[account_open("a", "2024-10-10T01:00:00", 1), account_open("b", "2024-10-10T02:00:00", 2)],
    );
    assert_eq!(actions(&first), ["created 2024/10/10/account-open"]);

    let moved = load("2.json", &[account_open("a", "2024-10-11T01:00:00", 11)]);
    assert_eq!(actions(&moved), ["replaced 2024/10/10/account-open", "created 2024/10/11/account-open"]);
    assert_eq!((moved.count("written"), moved.count("held_superseded"), moved.count("held_kept")), (1, 1, 1));
    assert!(!found().contains("01:00:00.000000Z \"account\" \"account-open\" 1 "), "{}", found());

    let late = load(
        "3.json",
        &[account_open("a", "2024-10-09T01:00:00", 9), account_open("a", "2024-10-10T03:00:00", 9)],
    );
    assert_eq!((late.count("written"), late.count("superseded"), late.count("corrected")), (0, 2, 2));
    assert_eq!(actions(&late), [""; 0]);
    assert!(!dir.path("target/2024/10/09").exists(), "an older version makes no partition");

    let emptied = load("4.json", &[account_open("b", "2024-10-12T00:00:00", 12)]);
    assert_eq!(actions(&emptied), ["removed 2024/10/10/account-open", "created 2024/10/12/account-open"]);
    assert!(!dir.path("target/2024/10/10").exists(), "an empty partition leaves no directory");

    let other_type = load("5.json", &[event("a", "2024-10-13T00:00:00", "status-change", r#"{"id": 1}"#)]);
    assert_eq!(actions(&other_type), ["created 2024/10/13/status-change"], "ids are those of a type");
    assert_eq!(rows(&dir.target()).len(), 3);
}

#[test]
fn of_versions_with_one_time_the_one_that_is_loaded_last_is_kept() {
    let dir = Workdir::new();
    for id in [1, 2, 3, 2] {
        dir.write("in.json", file_of([account_open("a", "2024-10-10T01:00:00", id)]));
        let loaded = merge(&dir, "in.json");
        assert_eq!(loaded.count("written"), 1);
        assert!(text_of(&rows(&dir.target()))[0].contains(&format!("\"account-open\" {id} ")));
    }
    dir.write("in.json", file_of([account_open("a", "2024-10-10T01:00:00Z", 2)]));
    let again = merge(&dir, "in.json");
    assert_eq!(
        (again.count("redelivered"), again.count("written"), again.count("held_superseded")),
        (1, 0, 0)
    );
}

#[test]
fn what_was_loaded_before_changes_nothing_and_is_not_touched() {
    let dir = Workdir::new();
    dir.write("in.json", file_of(three_days(7)));
    merge(&dir, "in.json");
    let (before, stamps) = (tree(&dir.target()), modified(&dir.target()));
    for flags in [&[][..], &["--compression", "snappy"], &["--memory", "64MiB", "--threads", "2"]] {
        let again =
            dir.loader().source("in.json").args(["--backfill", "--mode", "merge"]).args(flags).succeeds();
        assert_eq!((again.count("written"), again.count("held_superseded")), (0, 0), "{flags:?}");
        assert_eq!(again.partitions(), [""; 0], "{flags:?}: no partition was written again");
        assert_same_tree(&before, &tree(&dir.target()), &format!("{flags:?}"));
        assert_eq!(modified(&dir.target()), stamps, "{flags:?}");
    }
}

/// Merges one day of a source; its events of other days come when their days are merged.
#[test]
fn days_are_merged_one_by_one_in_any_order() {
    let dir = Workdir::new();
    dir.write("in.json", file_of(three_days(3)));
    dir.loader_into("one").source("in.json").arg("--backfill").succeeds();
    for day in ["2024-10-12", "2024-10-10", "2024-10-13", "2024-10-11", "2024-10-10"] {
        dir.loader().source("in.json").args(["--date", day, "--mode", "merge"]).succeeds();
    }
    assert_same_tree(&partitions(&dir.path("one")), &partitions(&dir.target()), "day by day");
}

/// Rows that do not fit into memory, with ids that are not UUIDs, which are spilled in another form.
#[test]
fn what_does_not_fit_the_memory_is_merged_alike() {
    let dir = Workdir::new();
    let mut die = Die::new(1);
    let line = |index: u32, minute: u32, text: u64| {
        let id = if index.is_multiple_of(2) {
            format!("{index:08x}-0000-4000-8000-000000000000")
        } else {
            format!("id {index}")
        };
        let timestamp = format!("2024-10-{:02}T00:{:02}:{:02}", 10 + index % 3, minute, index % 60);
        let reason = format!("{text:016x}").repeat(60);
        event(&id, &timestamp, "account-open", &format!(r#"{{"id": {index}, "reason": "{reason}"}}"#))
    };
    let first: Vec<_> = (0..60_000).map(|index| line(index, 0, die.roll(1 << 60))).collect();
    let second: Vec<_> =
        (20_000..80_000)
            .map(|index: u32| {
                if index.is_multiple_of(5) {
                    first[20_000].clone()
                } else {
                    line(index, 1, die.roll(1 << 60))
                }
            })
            .collect();
    dir.write("1.json", file_of(&first));
    dir.write("2.json", file_of(&second));
    dir.loader_into("one").source("1.json").source("2.json").arg("--backfill").succeeds();
    for memory in ["64MiB", "2GiB"] {
        let target = format!("in {memory}");
        for source in ["1.json", "2.json"] {
            let flags = ["--backfill", "--mode", "merge", "--memory", memory, "--threads", "2"];
            dir.loader_into(&target).source(source).args(flags).succeeds();
        }
        assert_same_tree(&partitions(&dir.path("one")), &partitions(&dir.path(&target)), &target);
    }
}

#[test]
fn the_report_names_what_the_target_held() {
    let dir = Workdir::new();
    dir.write(
        "1.json",
        file_of([account_open("a", "2024-10-10T01:00:00", 1), account_open("b", "2024-10-10T02:00:00", 2)]),
    );
    merge(&dir, "1.json");
    dir.write(
        "2.json",
        file_of([account_open("a", "2024-10-09T00:00:00", 0), account_open("b", "2024-10-10T03:00:00", 3)]),
    );
    let args = ["--backfill", "--mode", "merge", "--superseded-samples", "9", "-v"];
    let merged = dir.loader().source("2.json").args(args).succeeds();
    for said in [
        "1 row of the target superseded by the input",
        "account-open a corrected; kept: the target's row of 2024-10-10",
    ] {
        assert!(merged.stderr.contains(said), "{said:?} is said in {}", merged.stderr);
    }
    let sample = &merged.report()["superseded_samples"][0];
    assert_eq!(sample["by"]["timestamp"], "2024-10-10T01:00:00.000000Z");
    assert_eq!(sample["by"]["source"], serde_json::Value::Null);
    let partition = &merged.report()["partitions"][0];
    assert_eq!((partition["held"].as_u64(), partition["held_superseded"].as_u64()), (Some(2), Some(1)));
    assert_eq!(partition["rows"], 2);
}

#[test]
fn a_dry_run_says_the_same_and_changes_nothing() {
    let dir = Workdir::new();
    dir.write("1.json", file_of([account_open("a", "2024-10-10T01:00:00", 1)]));
    merge(&dir, "1.json");
    let before = tree(&dir.target());
    dir.write("2.json", file_of([account_open("a", "2024-10-11T01:00:00", 1)]));
    let args = ["--backfill", "--mode", "merge", "--dry-run"];
    let dry = dir.loader().source("2.json").args(args).succeeds();
    assert_same_tree(&before, &tree(&dir.target()), "after a dry run");
    assert_eq!(actions(&dry), actions(&merge(&dir, "2.json")));
}

/// A column that is new in the catalog is null, one of a wider type is widened (`widened.rs`); one that the
/// catalog no longer has would be lost.
#[test]
fn catalogs_may_grow_but_not_shrink() {
    for flatten in ["true", "false"] {
        let dir = Workdir::new();
        let catalog = |fields: &str| format!("[domain.card.events.sale.fields]\n{fields}\n");
        let small = "id = 'int32'\nshop = { fields = { name = 'string' } }\n\
             items = { list = { map = { fields = { n = 'int32' } } } }";
        let large = "id = 'int64'\nshop = { fields = { name = 'string', tags = 'list(string)' } }\nat = 'date'\n\
             items = { list = { map = { fields = { sku = 'string', n = 'int32' } } } }";
        dir.write("small.toml", catalog(small));
        dir.write("large.toml", catalog(large));
        let sale = |id: &str, hour: u32, data: &str| {
            format!(
                r#"{{"event_id": "{id}", "timestamp": "2024-10-10T{hour:02}:00:00", "domain": "card", "event_type": "sale", "data": {data}}}"#
            )
        };
        let old = [
            sale(
                "a",
                1,
                r#"{"id": 1, "shop": {"name": "x"}, "items": [{"a": {"n": 1}, "b": null}, {}, null]}"#,
            ),
            sale("b", 2, r#"{"id": 2}"#),
            sale("c", 3, "null"),
        ];
        let new = [sale(
            "d",
            4,
            r#"{"id": 4, "shop": {"name": "y", "tags": ["t", null]}, "at": "2024-01-01", "items": [{"c": {"sku": "s"}}]}"#,
        )];
        dir.write("old.json", file_of(&old));
        dir.write("new.json", file_of(&new));
        let merge = |source: &str, catalog: &str| {
            let args = ["--backfill", "--mode", "merge", "--flatten", flatten, "--catalog", catalog];
            dir.loader().source(source).args(args)
        };
        merge("old.json", "small.toml").succeeds();
        merge("new.json", "large.toml").succeeds();
        let backfill = ["--backfill", "--flatten", flatten, "--catalog", "large.toml"];
        dir.loader_into("one").source("old.json").source("new.json").args(backfill).succeeds();
        assert_same_tree(&partitions(&dir.path("one")), &partitions(&dir.target()), "with a larger catalog");
        dir.write("old.json", file_of([sale("e", 5, "{}")]));
        let refused = merge("old.json", "small.toml").exits(2);
        let column = if flatten == "true" { "data_id" } else { "data.id" };
        refused.says(&[
            &format!("{column} of card/sale as int64, but the catalog as int32"),
            "nothing was changed",
        ]);
        dir.write("small.toml", catalog(&small.replace("int32'\nshop", "int64'\nshop")));
        let refused = merge("old.json", "small.toml").exits(1);
        refused.says(&["the catalog has no field for its column", "nothing was changed"]);
    }
}

/// Files that no load has written are not taken over silently.
#[test]
fn what_no_load_has_written_is_refused() {
    let dir = Workdir::new();
    let line = account_open("a", "2024-10-10T01:00:00", 1);
    dir.write("in.json", file_of([&line]));
    merge(&dir, "in.json");
    let file = "target/2024/10/10/account-open/part-00000.zstd.parquet";
    let (right, more) =
        (fs_err::read(dir.path(file)).unwrap(), file_of([account_open("b", "2024-10-10T02:00:00", 2)]));
    dir.write("more.json", &more);
    let refused = |what: &str| {
        let before = tree(&dir.target());
        let outcome = dir.loader().source("more.json").args(["--backfill", "--mode", "merge"]).exits(1);
        outcome.says(&[what, "nothing was changed"]);
        assert_same_tree(&before, &tree(&dir.target()), what);
    };
    let accept = || dir.bare_loader().arg("accept").arg(dir.target()).succeeds();
    dir.write(file, "no Parquet");
    refused("part-00000.zstd.parquet has other bytes");
    dir.write(file, &right);
    dir.write("target/2024/10/10/account-open/copy.parquet", &right);
    refused("copy.parquet was not written by any load");
    // Accepting says that they are meant, and a merge still looks at their rows.
    accept();
    refused("are not ordered by");
    fs_err::remove_file(dir.path("target/2024/10/10/account-open/copy.parquet")).unwrap();
    dir.write("target/2024/10/11/account-open/moved.parquet", &right);
    dir.write("more.json", more.replace("10-10", "10-11"));
    accept();
    refused("rows of another day");
}

/// Ids that ascend with time, as many do, show which files can't hold an event: these are not read.
#[test]
fn files_that_cannot_hold_an_event_are_not_read() {
    let dir = Workdir::new();
    let day = |day: u32, hour: u32| {
        let line = |index: u32| {
            account_open(&format!("{day:02}-{index:05}"), &format!("2024-10-{day}T{hour:02}:00:00"), 1)
        };
        file_of((0..4_000).map(line))
    };
    dir.write("1.json", day(10, 1));
    dir.write("2.json", day(11, 1));
    dir.write("3.json", day(11, 2));
    merge(&dir, "1.json");
    merge(&dir, "2.json");
    let file = "target/2024/10/10/account-open/part-00000.zstd.parquet";
    let mut damaged = fs_err::read(dir.path(file)).unwrap();
    // The ids come first; the footer stays.
    damaged[4..60].fill(0xFF);
    // Its time is set back, so that the damage does not show before the file is read.
    let time = fs_err::metadata(dir.path(file)).unwrap().modified().unwrap();
    dir.write(file, damaged);
    fs_err::File::options().write(true).open(dir.path(file)).unwrap().set_modified(time).unwrap();
    assert_eq!(actions(&merge(&dir, "3.json")), ["replaced 2024/10/11/account-open"]);
    dir.write("4.json", file_of([account_open("10-00007", "2024-10-12T00:00:00", 1)]));
    let merging = dir.loader().source("4.json").args(["--backfill", "--mode", "merge"]);
    merging.exits(1).says(&["2024/10/10/account-open", "can't be merged with", "nothing was changed"]);
}

#[test]
fn scopes_that_mean_nothing_are_refused() {
    let dir = Workdir::new();
    dir.write("in.json", "");
    let load = |args: [&str; 3]| dir.loader().source("in.json").arg("--backfill").args(args).exits(2);
    load(["--mode", "merge", "--dedupe-scope=input"]).says(&["use target or day"]);
    load(["--mode", "overwrite", "--dedupe-scope=target"]).says(&["--mode merge"]);
}
