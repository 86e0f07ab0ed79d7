//! A target is of directories or of tables: does it stay so, and is it told what it is?

use crate::support::{
    events::{account_open, file_of},
    files::{assert_same_tree, tree},
    workdir::{Loader, Workdir},
};

/// A directory with a source and two targets: `lake` of tables by hour, `plain` of directories.
fn with_both() -> Workdir {
    let dir = Workdir::new();
    dir.write("in.json", account_open("a", "2024-10-10T08:00:00", 1));
    load(&dir, "lake", &["--table", "delta", "--partition-by", "hour"]).succeeds();
    load(&dir, "plain", &[]).succeeds();
    dir
}

fn load(dir: &Workdir, target: &str, flags: &[&str]) -> Loader {
    dir.bare_loader().args(["-s", "in.json", "-b", "-t", target]).args(flags)
}

#[test]
fn a_target_of_tables_goes_on_without_a_flag() {
    let dir = with_both();
    for flags in [&[][..], &["--table", "delta"], &["--partition-by", "hour"], &["--mode", "merge"]] {
        load(&dir, "lake", flags).succeeds();
    }
    dir.bare_loader().args(["verify", "lake"]).succeeds();
    let hours = dir.target().with_file_name("lake").join("account-open/day=2024-10-10/hour=8");
    assert_eq!(fs_err::read_dir(dir.path("lake/account-open/day=2024-10-10")).unwrap().count(), 1);
    assert!(fs_err::read_dir(hours).unwrap().count() > 0);
}

#[test]
fn a_target_stays_of_its_kind() {
    let dir = with_both();
    let before = tree(&dir.path(""));
    let tables = "was written with Delta tables by hour, not with";
    let again = "load with --table delta --partition-by hour";
    load(&dir, "lake", &["--layout", "plain"]).exits(2).says(&[tables, "the layout plain by day", again]);
    load(&dir, "lake", &["--layout", "hive"]).exits(2).says(&[tables, "the layout hive by day", again]);
    load(&dir, "lake", &["--partition-by", "day"]).exits(2).says(&[tables, "Delta tables by day", again]);
    load(&dir, "plain", &["--table", "delta"])
        .exits(2)
        .says(&["the layout plain by day, not with Delta tables by day", "load with --layout plain"]);
    let stays = "a target of tables stays one, and no other becomes one";
    let rewrite = |args: &[&str]| dir.bare_loader().arg("rewrite").args(args).exits(2);
    rewrite(&["lake", "--layout", "plain"]).says(&[tables, "the layout plain by hour", stays]);
    rewrite(&["lake", "--table", "delta"]).says(&["--table is a flag of a load", stays]);
    assert_same_tree(&before, &tree(&dir.path("")), "a refusal changes nothing");
}

#[test]
fn directories_and_tables_exclude_each_other() {
    let dir = Workdir::new();
    dir.write("in.json", account_open("a", "2024-10-10T08:00:00", 1));
    load(&dir, "new", &["--table", "delta", "--layout", "plain"]).exits(2).says(&["--table", "--layout"]);
    load(&dir, "new", &["--table", "iceberg"]).exits(2).says(&["iceberg", "delta"]);
    assert!(!dir.path("new").exists());
}

/// Columns of tables may not be called like those that they are partitioned by, whatever the unit.
#[test]
fn a_column_named_like_a_partition_column_is_refused() {
    let dir = Workdir::new();
    dir.write("in.json", file_of([account_open("a", "2024-10-10T08:00:00", 1)]));
    for name in ["day", "Hour"] {
        let column = format!("a = {{ type = 'string', column = '{name}' }}");
        dir.write("shop.toml", format!("[domain.shop.events.sale.fields]\nb = 'date'\n{column}\n"));
        let misfit =
            format!("shop.toml:3: shop/sale: data.a would be the column {name:?}, which Delta tables");
        for unit in ["day", "hour"] {
            let flags = ["--catalog", "shop.toml", "--table", "delta", "--partition-by", unit];
            load(&dir, "new", &flags).exits(2).says(&[&misfit, "`column = \"…\"`", "the layout plain"]);
        }
        let show = ["catalog", "show", "--catalog", "shop.toml", "--table", "delta"];
        dir.bare_loader().args(show).exits(2).says(&[&misfit]);
        // Not among the members of the one column of the payload.
        load(&dir, name, &["--catalog", "shop.toml", "--table", "delta", "-f", "false"]).succeeds();
    }
    dir.write("shop.toml", "[domain.shop.events.sale.fields]\na = { type = 'string', column = 'year' }");
    let show = ["catalog", "show", "--catalog", "shop.toml", "-D", "shop", "--table", "delta"];
    let shown = dir.bare_loader().args(show).args(["--format", "spark"]).succeeds();
    assert!(shown.stdout.contains("USING delta\nPARTITIONED BY (`day`)"), "{shown}");
    let shown = dir.bare_loader().args(show).args(["--partition-by", "hour"]).succeeds();
    let lines: Vec<_> = shown.stdout.lines().map(str::trim_end).collect();
    assert_eq!(lines[0], "shop/sale, in sale/");
    assert_eq!(lines[lines.len() - 2..], ["  day         date", "  hour        int32"], "{shown}");
}

/// Fields of an envelope are columns beside the payload, be that flat or nested.
#[test]
fn a_column_of_an_envelope_named_like_a_partition_column_is_refused() {
    let dir = Workdir::new();
    dir.write("in.json", file_of([account_open("a", "2024-10-10T08:00:00", 1)]));
    let keys = ["event_id", "timestamp", "domain", "event_type", "data"];
    let envelope = keys.map(|key| format!("{key} = '{{{key}}}'\n")).concat();
    let envelope = format!("[envelope]\n{envelope}fields = {{ day = 'string' }}\n");
    dir.write("shop.toml", envelope);
    for (layout, owner) in [("--table=delta", "which Delta tables"), ("--layout=hive", "the layout hive")] {
        for flatten in ["true", "false"] {
            let flags = ["--catalog", "shop.toml", layout, "--flatten", flatten];
            load(&dir, "new", &flags).exits(2).says(&["day would be the column \"day\"", owner]);
        }
    }
}
