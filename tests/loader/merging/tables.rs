//! Merges into Delta tables: is the target what one backfill leaves, and is what is lost or changed beside
//! the loader named, and never taken for all that there is?

use std::{collections::BTreeSet, path::Path};

use serde_json::json;

use crate::support::{
    events::{Die, account_open, event, file_of, three_days},
    files::{assert_same_tree, tree},
    readback::{files_of_rows, quarantine, rows, text_of},
    tables::{self, assert_swept},
    workdir::{Loader, Workdir},
};

const RECORD_2: &str = "target/_eventloader/commits/00000000000000000002.json";

fn load(dir: &Workdir, source: &str, flags: &[&str]) -> Loader {
    dir.loader().source(source).args(["-b", "--table", "delta"]).args(flags)
}

fn merge(dir: &Workdir, source: &str) -> Loader {
    load(dir, source, &["--mode", "merge"])
}

fn run(dir: &Workdir, command: &str, args: &[&str]) -> Loader {
    dir.bare_loader().arg(command).arg(dir.target()).args(args)
}

#[track_caller]
fn is_well(dir: &Workdir) {
    assert_eq!(run(dir, "verify", &[]).succeeds().stdout, "");
    run(dir, "recover", &["--sweep", "--older-than", "0s"]).succeeds();
    assert_swept(&dir.target());
}

/// The run fails and says this, and the target stays as it is.
#[track_caller]
fn refuses(dir: &Workdir, run: Loader, code: i32, parts: &[&str]) {
    let before = tree(&dir.target());
    run.exits(code).says(parts);
    assert_same_tree(&before, &tree(&dir.target()), "after a run that was refused");
}

/// October 10 and 11 of one type, 11 of another, by two merges; a bad line. `more.json` has another day.
fn merged() -> Workdir {
    let dir = Workdir::new();
    let first = [
        account_open("a", "2024-10-10T01:00:00", 1),
        account_open("b", "2024-10-10T02:00:00", 2),
        "a bad line".to_owned(),
    ];
    let second = [
        account_open("c", "2024-10-11T01:00:00", 3),
        event("x", "2024-10-11T00:00:00", "status-change", r#"{"id": 1}"#),
    ];
    dir.write("1.json", file_of(first));
    dir.write("2.json", file_of(second));
    dir.write("more.json", file_of([account_open("d", "2024-10-12T00:00:00", 4)]));
    for source in ["1.json", "2.json"] {
        merge(&dir, source).succeeds();
    }
    dir
}

/// The path in the target of the file of a table's day.
fn file(dir: &Workdir, day: &str) -> String {
    let mut files = files_of_rows(&dir.target()).into_iter();
    files.find(|path| path.starts_with(&format!("account-open/day={day}/"))).unwrap()
}

#[test]
fn any_way_to_cut_the_input_leaves_the_tables_of_one_backfill() {
    for (seed, flags) in
        [(0, &[][..]), (1, &["--partition-by", "hour"]), (2, &["--flatten", "false", "--threads", "3"])]
    {
        let (dir, mut die) = (Workdir::new(), Die::new(seed));
        let mut lines = three_days(seed);
        dir.write("all.json", file_of(&lines));
        let whole = ["--table", "delta", "-b"];
        dir.loader_into("whole").source("all.json").args(whole).args(flags).succeeds();
        die.shuffle(&mut lines);
        for (number, piece) in lines.chunks(lines.len() / 4).enumerate() {
            let source = dir.write(&format!("{number}.json"), file_of(piece));
            for _ in 0..=usize::from(die.one_in(3)) {
                merge(&dir, source.to_str().unwrap()).args(flags).succeeds();
            }
        }
        let partitions = |target: &Path| {
            let mut contents = tables::contents(&tree(target));
            contents.retain(|name, _| !name.starts_with('_'));
            contents
        };
        let bad = |target: &Path| quarantine(target).into_iter().map(|bad| bad.raw).collect::<BTreeSet<_>>();
        let (whole, target) = (dir.path("whole"), dir.target());
        assert!(partitions(&whole) == partitions(&target), "seed {seed}: the rows' files differ");
        is_well(&dir);
        assert_eq!(bad(&whole), bad(&target), "seed {seed}");
    }
}

#[test]
fn a_file_that_is_lost_or_exchanged_is_named_until_it_is_accepted() {
    type Damage = fn(&mut Vec<u8>, Vec<u8>);
    let dir = merged();
    let (first, second) = (file(&dir, "2024-10-10"), file(&dir, "2024-10-11"));
    let [path, other] = [&first, &second].map(|file| dir.target().join(file));
    let (whole, another) = (fs_err::read(&path).unwrap(), fs_err::read(&other).unwrap());
    let damages: [Damage; 3] = [
        |bytes, _| bytes.truncate(bytes.len() / 2),
        |bytes, _| bytes[5] ^= 1,
        |bytes, another| *bytes = another,
    ];
    for damage in damages {
        let mut bytes = whole.clone();
        damage(&mut bytes, another.clone());
        fs_err::write(&path, bytes).unwrap();
        let named = [&*first, "has other bytes", "commit 1 wrote", "nothing was changed"];
        refuses(&dir, merge(&dir, "more.json"), 1, &named);
        refuses(&dir, merge(&dir, "more.json").arg("--dry-run"), 1, &named[..3]);
        assert!(run(&dir, "verify", &[]).exits(1).stdout.starts_with(&first));
        fs_err::write(&path, &whole).unwrap();
    }
    fs_err::remove_file(&path).unwrap();
    let named = [&*first, "is missing (commit 1 wrote 2 rows)"];
    refuses(&dir, merge(&dir, "more.json"), 1, &named);
    refuses(&dir, load(&dir, "2.json", &["--mode", "merge", "--skip-loaded"]), 1, &named);
    refuses(&dir, run(&dir, "rewrite", &["--compression", "none"]), 1, &[&first]);
    run(&dir, "accept", &["--reload"]).succeeds();
    assert_eq!(text_of(&rows(&dir.target())).len(), 2, "readers don't look for the file any more");
    merge(&dir, "more.json").succeeds();
    load(&dir, "1.json", &["--mode", "merge", "--skip-loaded"]).succeeds();
    assert_eq!(text_of(&rows(&dir.target())).len(), 5);
    is_well(&dir);
}

#[test]
fn bad_lines_that_are_lost_are_named_by_each_command() {
    let dir = merged();
    let name = tree(&dir.path("target/_quarantine")).into_keys().next().unwrap();
    let path = format!("target/_quarantine/{name}");
    let whole = fs_err::read(dir.path(&path)).unwrap();
    fs_err::remove_file(dir.path(&path)).unwrap();
    let is_missing = [&*name, "is missing (commit 1 wrote it)", "eventloader accept"];
    refuses(&dir, merge(&dir, "more.json"), 1, &is_missing);
    refuses(&dir, run(&dir, "replay", &[]), 1, &is_missing);
    refuses(&dir, run(&dir, "discard", &["--reason", "malformed_json"]), 1, &is_missing);
    refuses(&dir, run(&dir, "quarantine", &[]), 1, &[&name]);
    dir.write(&path, whole);
    run(&dir, "discard", &["--reason", "malformed_json"]).succeeds();
    is_well(&dir);
}

/// Another program takes a day out of a table, and puts another one into it.
#[test]
fn what_another_program_says_in_a_log_counts_once_it_is_accepted() {
    let dir = merged();
    let gone = file(&dir, "2024-10-10");
    let inside = |path: &str| path.strip_prefix("account-open/").unwrap().to_owned();
    let foreign = "account-open/day=2024-10-13/of-another-program.parquet";
    dir.loader_into("other")
        .source(dir.write("13.json", file_of([account_open("e", "2024-10-13", 5)])))
        .arg("-b")
        .succeeds();
    let bytes = fs_err::read(dir.path("other/2024/10/13/account-open/part-00000.zstd.parquet")).unwrap();
    let size = bytes.len();
    dir.write(&format!("target/{foreign}"), bytes);
    let of_day = |day: &str| json!({"day": day});
    let actions = [
        json!({"remove": {"path": inside(&gone), "deletionTimestamp": 1, "dataChange": true, "partitionValues": of_day("2024-10-10")}}),
        json!({"add": {"path": inside(foreign), "partitionValues": of_day("2024-10-13"), "size": size, "modificationTime": 1, "dataChange": true}}),
    ];
    let log = "target/account-open/_delta_log/00000000000000000002.json";
    dir.write(log, actions.map(|action| action.to_string()).join("\n"));
    refuses(&dir, merge(&dir, "more.json"), 1, &[&gone, "is no longer in its table's log"]);
    let problems = run(&dir, "verify", &[]).exits(1).stdout;
    assert!(problems.contains(&gone) && problems.contains(foreign), "{problems}");
    run(&dir, "accept", &[]).succeeds();
    assert_eq!(run(&dir, "verify", &[]).succeeds().stdout, "");
    let merged = merge(&dir, "more.json").succeeds();
    assert_eq!(merged.partitions(), ["account-open/day=2024-10-12 1 created"]);
    // What another program wrote takes part in merges, too.
    assert_eq!(merge(&dir, "13.json").succeeds().count("written"), 0);
    let verified = run(&dir, "verify", &[]).succeeds();
    assert!(verified.stderr.contains("4 rows in 4 files"), "{verified}");
}

#[test]
fn a_record_that_is_lost_is_never_replaced() {
    let dir = merged();
    fs_err::remove_file(dir.path(RECORD_2)).unwrap();
    let lost = ["00000000000000000002.json", "is missing"];
    refuses(&dir, merge(&dir, "more.json"), 1, &lost);
    assert!(run(&dir, "verify", &[]).exits(1).stdout.contains(lost[0]));
    refuses(&dir, load(&dir, "more.json", &[]), 1, &["was not written by any load"]);
    run(&dir, "accept", &[]).succeeds();
    merge(&dir, "more.json").succeeds();
    let verified = run(&dir, "verify", &[]).succeeds();
    assert!(verified.stderr.contains("5 rows in 4 files"), "{verified}");
    // Without any record, nobody knows what the tables have.
    fs_err::remove_dir_all(dir.path("target/_eventloader")).unwrap();
    let has_tables = ["target", "has tables (", "_delta_log), but no records of loads"];
    refuses(&dir, dir.loader().source("more.json").arg("-b"), 1, &has_tables);
    refuses(&dir, run(&dir, "verify", &[]), 1, &has_tables);
    refuses(&dir, load(&dir, "more.json", &[]), 1, &["has commit 4 in its log", "records end before it"]);
}

/// From the first file on, the target is one of tables.
#[test]
fn a_first_load_that_is_killed_leaves_a_target_of_tables() {
    let dir = Workdir::new();
    dir.write("in.json", file_of([account_open("a", "2024-10-10T01:00:00", 1), "bad".to_owned()]));
    let operations = load(&dir, "in.json", &[]).operations();
    let recorded = operations.iter().position(|operation| operation.contains("/commits/0000")).unwrap();
    for back in [1, 6, 12, 18] {
        fs_err::remove_dir_all(dir.target()).ok();
        let operation = recorded.saturating_sub(back).max(1);
        load(&dir, "in.json", &[]).env("EVENTLOADER_FAULT", &format!("{operation}:stop")).run();
        if !tables::is_of_tables(&dir.target()) {
            run(&dir, "recover", &[]).exits(1).says(&["no load has ever written there"]);
            continue;
        }
        assert_eq!(run(&dir, "verify", &[]).succeeds().stdout, "");
        run(&dir, "recover", &[]).succeeds();
        let plain = dir.loader().source("in.json").args(["-b", "--layout", "plain"]);
        plain.exits(2).says(&["was written with Delta tables by day", "not with the layout plain"]);
        run(&dir, "recover", &["--sweep", "--older-than", "0s"]).succeeds();
        let left: Vec<_> = tree(&dir.target()).into_keys().collect();
        assert!(left.is_empty(), "killed at operation {operation}: {left:?}");
        dir.loader().source("in.json").arg("-b").succeeds();
        assert_eq!(files_of_rows(&dir.target()).len(), 1);
    }
}

#[test]
fn a_column_that_grows_wider_is_the_same_in_all_files_of_its_table() {
    let dir = Workdir::new();
    let sale = |id: &str, day: u32, data: &str| {
        format!(
            r#"{{"event_id": "{id}", "timestamp": "2024-10-{day}", "domain": "shop", "event_type": "sale", "data": {data}}}"#
        )
    };
    let narrow = dir.write("narrow.toml", "[domain.shop.events.sale.fields]\nn = 'int32'\n");
    let wide = dir.write("wide.toml", "[domain.shop.events.sale.fields]\nn = 'int64'\nnew = 'string'\n");
    let with = |source: &str, catalog: &Path, flags: &[&str]| {
        load(&dir, source, flags).arg("--catalog").arg(catalog)
    };
    dir.write("1.json", file_of([sale("a", 10, r#"{"n": 1}"#), sale("b", 11, r#"{"n": 2}"#)]));
    dir.write("2.json", file_of([sale("c", 11, r#"{"n": 9000000000, "new": "x"}"#)]));
    with("1.json", &narrow, &[]).succeeds();
    let both = ["data_n as integer", "as long", "rewrite the target with this catalog"];
    refuses(&dir, with("2.json", &wide, &[]), 1, &both);
    let merged = with("2.json", &wide, &["--mode", "merge"]).succeeds();
    let actions = ["sale/day=2024-10-10 1 replaced", "sale/day=2024-10-11 2 replaced"];
    assert_eq!(merged.partitions(), actions);
    let narrower = with("1.json", &narrow, &["--mode", "merge"]);
    refuses(&dir, narrower, 2, &["int64"]);
    is_well(&dir);
    assert_eq!(text_of(&rows(&dir.target())).len(), 3);
}

/// Whatever a type is called, its table has a name that readers and the loader tell from their own.
#[test]
fn types_that_no_catalog_names_are_tables_whatever_they_are_called() {
    let dir = Workdir::new();
    dir.write("open.toml", "[domain.'*']");
    let names =
        ["_x", ".x", "a/b", "..", "ü x", "x=1", "_delta_log", "_eventloader", "day=2024-10-10", "%41"];
    let lines = names.iter().enumerate().map(|(index, name)| {
        format!(r#"{{"event_id": "{index}", "timestamp": "2024-10-1{}", "domain": "_d", "event_type": "{name}", "data": {{"n": 1}}}}"#, index % 3)
    });
    let lines: Vec<_> = lines.collect();
    dir.write("all.json", file_of(&lines));
    let flags = ["--catalog", "open.toml", "--partition-by", "hour"];
    dir.loader_into("plain").source("all.json").arg("-b").args(flags).succeeds();
    for (number, line) in lines.iter().enumerate() {
        let source = dir.write(&format!("{number}.json"), file_of([line]));
        merge(&dir, source.to_str().unwrap()).args(flags).succeeds();
    }
    let values = |target: &str| {
        let rows = rows(&dir.path(target)).into_values().flatten();
        rows.collect::<BTreeSet<_>>()
    };
    assert_eq!(values("plain"), values("target"));
    assert_eq!(tables::tables(&tree(&dir.target())).len(), names.len());
    is_well(&dir);
}

#[test]
fn a_rewrite_keeps_the_partitions_of_tables_and_their_kind() {
    let dir = merged();
    let before = text_of(&rows(&dir.target()));
    let stays = "a target of tables stays one";
    refuses(&dir, run(&dir, "rewrite", &["--partition-by", "hour"]), 2, &["by day", "by hour", stays]);
    refuses(&dir, run(&dir, "rewrite", &["--layout", "plain"]), 2, &["Delta tables by day", stays]);
    run(&dir, "rewrite", &["--compression", "none"]).succeeds();
    assert_eq!(text_of(&rows(&dir.target())), before);
    assert!(files_of_rows(&dir.target()).iter().all(|path| path.ends_with(".none.parquet")));
    is_well(&dir);
}

#[test]
fn a_load_without_a_row_and_a_dry_run_leave_what_they_should() {
    let dir = Workdir::new();
    dir.write("empty.json", "");
    dir.write("bad.json", "bad\n");
    dir.write("good.json", file_of([account_open("a", "2024-10-10", 1)]));
    load(&dir, "good.json", &["--dry-run"]).succeeds();
    load(&dir, "bad.json", &[]).exits(3);
    assert!(!dir.target().exists(), "nothing was begun");
    load(&dir, "empty.json", &[]).succeeds();
    load(&dir, "bad.json", &["--max-bad-lines", "100%"]).succeeds();
    assert_eq!(quarantine(&dir.target()).len(), 1);
    let dry = load(&dir, "good.json", &["--mode", "merge", "--dry-run"]);
    let before = tree(&dir.target());
    assert_eq!(dry.succeeds().partitions(), ["account-open/day=2024-10-10 1 created"]);
    assert_same_tree(&before, &tree(&dir.target()), "a dry run");
    dir.loader().source("good.json").arg("-b").succeeds();
    is_well(&dir);
}
