//! What the loads of a target have in common: does the target remember it, for later loads and replays?

use std::path::Path;

use crate::support::{
    events::{account_open, event, file_of},
    files::{assert_no_debris, assert_same_tree, paths, published, tree},
    readback::{rows, text_of},
    workdir::{Loader, Workdir},
};

const MODES: [&[&str]; 2] = [&[], &["--mode", "merge"]];

fn sale(id: &str, timestamp: &str, data: &str) -> String {
    sold(id, timestamp, "sale", data)
}

fn sold(id: &str, timestamp: &str, event_type: &str, data: &str) -> String {
    format!(
        r#"{{"event_id": "{id}", "timestamp": "{timestamp}", "domain": "shop", "event_type": "{event_type}", "data": {data}}}"#
    )
}

fn catalog(event_type: &str, directory: &str) -> String {
    format!("[domain.shop.events.\"{event_type}\"]\ndirectory = '{directory}'\nfields = {{ id = 'int32' }}\n")
}

#[track_caller]
fn refuses(dir: &Workdir, load: Loader, parts: &[&str]) {
    let before = tree(&dir.target());
    let refused = load.exits(2);
    refused.says(parts);
    refused.says(&["nothing was changed"]);
    assert_same_tree(&before, &tree(&dir.target()), "after a load that was refused");
}

#[track_caller]
fn is_well(dir: &Workdir) {
    let verified = dir.bare_loader().arg("verify").arg(dir.target()).succeeds();
    assert_eq!(verified.stdout, "", "verify");
    assert_no_debris(&dir.target());
}

/// Otherwise readers would see two tables of one type, and an event in both. In the layout hive, a directory
/// is always named as its type.
#[test]
fn an_event_type_stays_in_its_directory() {
    let dir = Workdir::new();
    dir.write("1.json", file_of([sold("a", "2024-10-10", "order completed", "{\"id\": 1}")]));
    dir.write("old.toml", catalog("order completed", "order-completed"));
    dir.write("new.toml", catalog("order completed", "order-completed-2"));
    let load = |catalog: &str, flags: &[&str]| {
        let args = ["--backfill", "--catalog", catalog];
        dir.loader().source("1.json").args(args).args(flags)
    };
    load("old.toml", &[]).succeeds();
    let both =
        ["shop/order completed", "\"order-completed-2\"", "`directory = \"order-completed\"` in the catalog"];
    for mode in MODES {
        refuses(&dir, load("new.toml", mode), &both);
        refuses(&dir, load("new.toml", mode).arg("--dry-run"), &both);
    }
    refuses(&dir, dir.bare_loader().arg("replay").arg(dir.target()).args(["--catalog", "new.toml"]), &both);
    load("old.toml", &["--mode", "merge"]).succeeds();
    is_well(&dir);
    // What the target does not hold any more may be put anywhere.
    for year in paths(&dir.target()).iter().filter(|path| path.contains("2024") && !path.contains('/')) {
        fs_err::remove_dir_all(dir.target().join(year)).unwrap();
    }
    dir.bare_loader().arg("accept").arg(dir.target()).succeeds();
    load("new.toml", &["--mode", "merge"]).succeeds();
    is_well(&dir);
}

/// A catalog can't give a directory with bytes in hexadecimal: the name of the type makes it.
#[test]
fn the_directory_of_an_odd_name_is_that_of_no_catalog() {
    let dir = Workdir::new();
    dir.write("1.json", file_of([sold("a", "2024-10-10", "order completed", "{\"id\": 1}")]));
    let given = catalog("order completed", "orders");
    dir.write("given.toml", &given);
    dir.write("left-out.toml", given.replace("directory = 'orders'\n", ""));
    let load = |catalog: &str| dir.loader().source("1.json").args(["--backfill", "--catalog", catalog]);
    load("left-out.toml").succeeds();
    let advice = ["\"order~20completed\"", "\"orders\"", "leave `directory` out of the catalog"];
    refuses(&dir, load("given.toml"), &advice);
    load("left-out.toml").succeeds();
    is_well(&dir);
}

/// A hundred commits later, too.
#[test]
fn directories_and_columns_are_remembered_when_commits_are_folded() {
    let dir = Workdir::new();
    dir.write("old.toml", catalog("order completed", "order-completed"));
    dir.write("new.toml", catalog("order completed", "orders"));
    for number in 0..101 {
        let id = format!("{number}");
        dir.write("1.json", file_of([sold(&id, "2024-10-10", "order completed", "{\"id\": 1}")]));
        let args = ["--backfill", "--mode", "merge", "--catalog", "old.toml"];
        dir.loader().source("1.json").args(args).succeeds();
    }
    assert!(dir.path("target/_eventloader/history.json").exists());
    let load = dir.loader().source("1.json").args(["--backfill", "--catalog", "new.toml"]);
    refuses(&dir, load, &["\"order-completed\"", "\"orders\""]);
    dir.write("new.toml", catalog("order completed", "order-completed").replace("int32", "boolean"));
    dir.write("1.json", file_of([sold("new", "2024-11-11", "order completed", "{}")]));
    let args = ["--backfill", "--mode", "merge", "--catalog", "new.toml"];
    refuses(
        &dir,
        dir.loader().source("1.json").args(args),
        &["data_id", "as int32, but the catalog as boolean"],
    );
}

/// Overwriting would replace the rows of one type by those of another.
#[test]
fn a_directory_stays_with_its_event_type() {
    let dir = Workdir::new();
    dir.write("1.json", file_of([sold("a", "2024-10-10", "sold", "{\"id\": 1}")]));
    dir.write("2.json", file_of([sale("b", "2024-10-10", "{\"id\": 2}")]));
    dir.write("sold.toml", catalog("sold", "sales"));
    dir.write("sale.toml", catalog("sale", "sales"));
    dir.loader().source("1.json").args(["--backfill", "--catalog", "sold.toml"]).succeeds();
    for mode in MODES {
        let load = dir.loader().source("2.json").args(["--backfill", "--catalog", "sale.toml"]).args(mode);
        let outcome = load.run();
        assert!(!outcome.status.success(), "{outcome}");
        outcome.says(&["2024/10/10/sales", "nothing was changed"]);
    }
    is_well(&dir);
}

/// A replay needs no flag to leave what a backfill with today's catalog would have left. Event `a` has a
/// version on each of two days, the second of which is bad by the old catalog.
#[test]
fn a_replay_goes_on_as_the_target_was_loaded() {
    const FLAGS: [&[&str]; 5] = [
        &[],
        &["--dedupe-scope", "day"],
        &["--dedupe-scope", "day", "--compression", "snappy"],
        &["--flatten", "false", "--layout", "hive"],
        &["--flatten", "false", "--partition-by", "hour", "--compression", "none", "--dedupe-scope", "day"],
    ];
    let lines = [
        sale("a", "2024-10-10T01:00:00", r#"{"id": 1, "of": "x"}"#),
        sale("b", "2024-10-10T02:00:00", r#"{"id": 2}"#),
        sale("a", "2024-10-11T01:00:00", r#"{"of": "y"}"#),
    ];
    for (number, flags) in FLAGS.into_iter().enumerate() {
        for mode in MODES {
            let dir = Workdir::new();
            dir.write("in.json", file_of(&lines));
            let fields = "of = 'string'\n[domain.shop.events.sale.fields.id]\ntype = 'int32'\n";
            dir.write("new.toml", format!("[domain.shop.events.sale.fields]\n{fields}"));
            dir.write("old.toml", format!("[domain.shop.events.sale.fields]\n{fields}required = true\n"));
            let load = |target: &str, catalog: &str| {
                let load =
                    dir.loader_into(target).source("in.json").args(["--backfill", "--catalog", catalog]);
                load.args(flags).args(mode)
            };
            let loaded = load("target", "old.toml").succeeds();
            assert_eq!(loaded.count("quarantined.total"), 1);
            let replay = dir.bare_loader().arg("replay").arg(dir.target()).args(["--catalog", "new.toml"]);
            replay.succeeds();
            load("one", "new.toml").succeeds();
            let found = published(&dir.target());
            assert_same_tree(&published(&dir.path("one")), &found, &format!("{number} {mode:?}"));
            let versions = text_of(&rows(&dir.target())).len();
            assert_eq!(versions, if flags.contains(&"day") { 3 } else { 2 }, "{flags:?}");
            is_well(&dir);
        }
    }
}

/// The same in a target that eventloader 0.1.0 has loaded with scope day.
#[test]
fn the_scope_of_an_older_target_is_known() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/loader/data/targets-0.1.0/day");
    let dir = Workdir::new();
    for (path, bytes) in tree(&data) {
        dir.write(&format!("target/{path}"), bytes);
    }
    let before = text_of(&rows(&dir.target()));
    dir.write("sale.toml", "[domain.card.events.sale.fields]\nid = 'int32'\n");
    let replay = dir.bare_loader().arg("replay").arg(dir.target()).args(["--catalog", "sale.toml"]);
    replay.succeeds();
    let after = text_of(&rows(&dir.target()));
    assert!(before.iter().all(|row| after.contains(row)), "{before:#?} {after:#?}");
    assert_eq!(after.len(), before.len() + 1);
    is_well(&dir);
}

/// A merge that keeps each event once would delete the versions of other days.
#[test]
fn a_merge_does_not_change_the_scope_of_a_target() {
    let dir = Workdir::new();
    dir.write("1.json", file_of([account_open("a", "2024-10-10", 1), account_open("a", "2024-10-11", 2)]));
    dir.write("2.json", file_of([account_open("a", "2024-10-12", 3)]));
    dir.loader().source("1.json").args(["--backfill", "--dedupe-scope", "day"]).succeeds();
    let merge = || dir.loader().source("2.json").args(["--backfill", "--mode", "merge"]);
    refuses(
        &dir,
        merge(),
        &["2024/10/10/account-open was loaded so", "--dedupe-scope day", "--mode overwrite"],
    );
    merge().args(["--dedupe-scope", "day"]).succeeds();
    assert_eq!(rows(&dir.target()).len(), 3);
    is_well(&dir);
    // Where some partitions are of one kind and some of the other, a replay has to be told.
    let other = [event("b", "2024-10-12", "status-change", r#"{"id": 1}"#), "bad".to_owned()];
    dir.write("3.json", file_of(other));
    dir.loader().source("3.json").arg("--backfill").succeeds();
    let replay = || dir.bare_loader().arg("replay").arg(dir.target());
    replay().exits(2).says(&["--dedupe-scope", "some partitions of the target were loaded with day"]);
    replay().args(["--dedupe-scope", "input"]).exits(2).says(&["use target or day"]);
    replay().args(["--dedupe-scope", "day"]).succeeds();
    is_well(&dir);
}
