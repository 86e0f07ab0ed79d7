//! What another program has written to the log of a table, or what is gone from it: is it respected, refused
//! before anything is recorded, or named?

use serde_json::{Value, json};

use crate::support::{
    events::{account_open, file_of},
    files::{assert_same_tree, tree},
    workdir::{Loader, Workdir},
};

/// What another program does to a table's `metaData`.
type Edit = Box<dyn Fn(&mut Value)>;

/// A target of tables with one event on October 10, after one load.
fn loaded() -> Workdir {
    let dir = Workdir::new();
    dir.write("in.json", file_of([account_open("a", "2024-10-10T08:00:00", 1)]));
    load(&dir, &["--table", "delta"]).succeeds();
    dir
}

fn load(dir: &Workdir, flags: &[&str]) -> Loader {
    dir.bare_loader().args(["-s", "in.json", "-b", "-t", "lake"]).args(flags)
}

/// Another source, with an event of the same day.
fn another_event(dir: &Workdir) {
    dir.write("in.json", file_of([account_open("b", "2024-10-10T09:00:00", 2)]));
}

fn log(version: u64) -> String {
    format!("lake/account-open/_delta_log/{version:020}.json")
}

/// What the first commit says of the table.
fn metadata(dir: &Workdir) -> Value {
    let text = fs_err::read_to_string(dir.path(&log(0))).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.into_iter().find(|line| line.get("metaData").is_some()).unwrap()
}

#[test]
fn a_table_that_needs_more_care_is_refused_and_nothing_is_changed() {
    let with = |name: &'static str, value: &'static str| {
        move |metadata: &mut Value| metadata["metaData"]["configuration"][name] = value.into()
    };
    let invariant = |metadata: &mut Value| {
        let schema = metadata["metaData"]["schemaString"].as_str().unwrap();
        let schema = schema.replacen("\"metadata\":{}", "\"metadata\":{\"delta.invariants\":\"{}\"}", 1);
        metadata["metaData"]["schemaString"] = schema.into();
    };
    let edits: [(Edit, &str); 5] = [
        (Box::new(with("delta.appendOnly", "true")), "is append-only (`delta.appendOnly` = true)"),
        (
            Box::new(with("delta.constraints.small", "n < 9")),
            "has a CHECK constraint (`delta.constraints.small`)",
        ),
        (Box::new(with("delta.columnMapping.mode", "name")), "has column mapping"),
        (Box::new(invariant), "has an invariant on the column \"event_id\""),
        (
            Box::new(|line| {
                *line = json!({"protocol": {
                    "minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["deletionVectors"],
                    "writerFeatures": ["deletionVectors"],
                }});
            }),
            "needs the Delta protocol of reader version 3 and writer version 7 with deletionVectors",
        ),
    ];
    for (edit, why) in edits {
        let dir = loaded();
        let mut line = metadata(&dir);
        edit(&mut line);
        dir.write(&log(1), line.to_string());
        another_event(&dir);
        let before = tree(&dir.path("lake"));
        load(&dir, &[])
            .exits(1)
            .says(&[&format!("the table lake/account-open {why}"), "nothing was changed"]);
        assert_same_tree(&before, &tree(&dir.path("lake")), why);
    }
}

#[test]
fn an_append_only_table_takes_new_days() {
    let dir = loaded();
    let mut line = metadata(&dir);
    line["metaData"]["configuration"]["delta.appendOnly"] = "true".into();
    dir.write(&log(1), line.to_string());
    dir.write("in.json", file_of([account_open("b", "2024-10-11T09:00:00", 2)]));
    load(&dir, &[]).succeeds();
    dir.bare_loader().args(["verify", "lake"]).succeeds();
}

/// A name, a description and properties that somebody gave the table stay, also where a load brings columns.
#[test]
fn what_others_say_of_a_table_stays() {
    let dir = loaded();
    let mut line = metadata(&dir);
    line["metaData"]["name"] = "accounts".into();
    line["metaData"]["configuration"]["delta.logRetentionDuration"] = "interval 9 days".into();
    dir.write(&log(1), line.to_string());
    let catalog = "[domain.account.events.account-open.fields]\nid = 'int32'\nbranch = 'string'\n";
    dir.write("account.toml", catalog);
    load(&dir, &["--catalog", "account.toml"]).succeeds();
    let commit = fs_err::read_to_string(dir.path(&log(2))).unwrap();
    let new = commit.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let new = new.into_iter().find_map(|line| line.get("metaData").cloned()).unwrap();
    assert!(new["schemaString"].as_str().unwrap().contains("data_branch"), "{new}");
    assert_eq!(new["name"], "accounts");
    assert_eq!(new["configuration"]["delta.logRetentionDuration"], "interval 9 days");
    assert_eq!(new["id"], line["metaData"]["id"]);
}

#[test]
fn a_damaged_log_is_an_error_that_says_where() {
    for (text, what) in
        [("{\"commitInfo\":{}}\n{\"add\":{\"path\":", ", line 2: EOF while parsing"), ("", ": it is empty")]
    {
        let dir = loaded();
        dir.write(&log(1), text);
        another_event(&dir);
        let before = tree(&dir.path("lake"));
        load(&dir, &[]).exits(1).says(&[&format!("{}{what}", log(1))]);
        assert_same_tree(&before, &tree(&dir.path("lake")), what);
    }
    let dir = loaded();
    dir.write(&log(2), "{}");
    another_event(&dir);
    let missing = format!("{} is missing", log(1));
    load(&dir, &[]).exits(1).says(&[&missing]);
}

const DAY: &str = "lake/account-open/day=2024-10-10";

/// The file that the load wrote.
fn own_file(dir: &Workdir) -> String {
    let mut names = fs_err::read_dir(dir.path(DAY)).unwrap();
    names.next().unwrap().unwrap().file_name().into_string().unwrap()
}

/// An action of another program that has to do with a file of the day.
fn action(kind: &str, name: &str) -> String {
    let path = format!("day=2024-10-10/{name}");
    let file = json!({
        "path": path, "partitionValues": {"day": "2024-10-10"}, "dataChange": true, "size": 1, "modificationTime": 1,
    });
    json!({ kind: file }).to_string()
}

/// What a load replaces is what readers see of a day, not what was recorded of it.
#[test]
fn a_day_that_is_loaded_again_is_made_whole_whatever_became_of_it() {
    let (not_written, gone) = ("was not written by any load", "is no longer in its table's log");
    for (adds, removes) in [(true, false), (false, true), (true, true)] {
        let dir = loaded();
        let actions =
            [(adds, action("add", "foreign.parquet")), (removes, action("remove", &own_file(&dir)))];
        let actions = actions.into_iter().filter_map(|(is_done, action)| is_done.then_some(action));
        dir.write(&log(1), actions.collect::<Vec<_>>().join("\n"));
        dir.write(&format!("{DAY}/foreign.parquet"), "?");
        let problems = dir.bare_loader().args(["verify", "lake"]).exits(1).stdout;
        assert_eq!((problems.contains(not_written), problems.contains(gone)), (adds, removes), "{problems}");
        assert!(load(&dir, &[]).succeeds().stderr.contains("1 replaced"));
        dir.bare_loader().args(["verify", "lake"]).succeeds();
        assert!(load(&dir, &[]).succeeds().stderr.contains("1 unchanged"));
    }
    let dir = loaded();
    fs_err::remove_file(dir.path(DAY).join(own_file(&dir))).unwrap();
    assert!(load(&dir, &[]).succeeds().stderr.contains("1 replaced"));
    dir.bare_loader().args(["verify", "lake"]).succeeds();
}

#[test]
fn a_record_that_is_lost_or_not_in_its_tables_is_named_by_its_path() {
    let dir = loaded();
    another_event(&dir);
    load(&dir, &["--mode", "merge"]).succeeds();
    let record = |number: u64| format!("_eventloader/commits/{number:020}.json");
    let verify = || dir.bare_loader().args(["verify", "lake"]);
    // As if the run had been killed between the record and the log.
    fs_err::remove_file(dir.path(&log(1))).unwrap();
    fs_err::remove_file(dir.path("lake/_eventloader/published.json")).unwrap();
    let interrupted = format!("{}: a commit was interrupted", record(2));
    assert!(verify().exits(1).stdout.starts_with(&interrupted));
    dir.bare_loader().args(["recover", "lake"]).succeeds();
    verify().succeeds();
    fs_err::remove_file(dir.path("lake").join(record(1))).unwrap();
    assert!(verify().exits(1).stdout.starts_with(&format!("{}: is missing", record(1))));
    dir.bare_loader().args(["accept", "lake"]).succeeds();
    verify().succeeds();
}
