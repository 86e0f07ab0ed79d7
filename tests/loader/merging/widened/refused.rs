//! Catalogs that are narrower than what a target holds, in any partition: refused, with both types named.

use super::{FORMS, merge, merging, sale};
use crate::support::{
    files::{assert_same_tree, tree},
    workdir::{Outcome, Workdir},
};

#[track_caller]
fn refuses(dir: &Workdir, fields: &str, data: &str, flags: &[&str], code: i32) -> Outcome {
    let before = tree(&dir.target());
    // A day that the target does not have.
    let line = sale("new", "2024-11-11T01:00:00", data);
    let refused = merging(dir, fields, &[line]).args(flags).exits(code);
    refused.says(&["nothing was changed"]);
    assert_same_tree(&before, &tree(&dir.target()), "after a load that was refused");
    refused
}

#[test]
fn what_would_be_narrower_is_refused_by_both_types() {
    for (held, asked) in [
        ("int64", "int32"),
        ("decimal(12,2)", "int64"),
        ("decimal(12,2)", "decimal(12,4)"),
        ("decimal(12,2)", "decimal(11,2)"),
        ("int64", "decimal(18,0)"),
        ("int64", "float64"),
        ("float64", "int32"),
        ("float64", "decimal(38,10)"),
        ("timestamp", "date"),
        ("string", "int32"),
        ("string", "json"),
        ("json", "boolean"),
        ("boolean", "int32"),
        ("int32", "json"),
        ("int32", "list(int32)"),
        ("list(int64)", "list(int32)"),
        ("list(int32)", "map(int32)"),
        ("map(list(string))", "map(list(date))"),
    ] {
        for flags in FORMS {
            let dir = Workdir::new();
            let held_row = sale("held", "2024-10-10T01:00:00", r#"{"v": null}"#);
            merge(&dir, &format!("v = '{held}'"), &[held_row], flags);
            let refused = refuses(&dir, &format!("v = '{asked}'"), r#"{"v": null}"#, flags, 2);
            let (column, held, asked) = if flags.is_empty() {
                ("data_v", innermost(held, asked), innermost(asked, held))
            } else {
                ("data.v", innermost(held, asked), innermost(asked, held))
            };
            let expected = format!(
                "has the column {column} of shop/sale as {held}, but the catalog as {asked}, which does not \
                 have all of its values"
            );
            refused.says(&[&expected, &format!("give the field the type {held}, or a wider one")]);
        }
    }
}

/// What differs of two types: what is in the lists and maps that both are.
fn innermost(held: &str, asked: &str) -> String {
    let inner = |text: &str, container: &str| {
        text.strip_prefix(container).and_then(|rest| rest.strip_suffix(')')).map(str::to_owned)
    };
    for container in ["list(", "map("] {
        if let (Some(held), Some(asked)) = (inner(held, container), inner(asked, container)) {
            return innermost(&held, &asked);
        }
    }
    held.to_owned()
}

/// Types of one kind have columns of one type: nothing is narrower.
#[test]
fn another_unit_of_time_is_no_other_column() {
    let dir = Workdir::new();
    let row = |id: &str, value: &str| sale(id, "2024-10-10T01:00:00", &format!(r#"{{"v": {value}}}"#));
    merge(&dir, "v = 'timestamp(s)'", &[row("a", "1")], &[]);
    merge(&dir, "v = 'timestamp'", &[row("b", "\"1970-01-01T00:00:02Z\"")], &[]);
    merge(&dir, "v = 'timestamp(ms)'", &[row("c", "3000")], &[]);
    let seconds = [1, 2, 3].map(|second| format!("1970-01-01T00:00:{second:02}.000000Z"));
    assert_eq!(super::values(&dir), seconds);
}

/// Numbers and texts have different orders, so what the one decided can't be decided again by the other.
#[test]
fn a_version_does_not_become_a_text() {
    for flags in FORMS {
        let dir = Workdir::new();
        let version = |value_type: &str| format!("v = '{value_type}'\n[domain.shop]\nversion = 'v'");
        merge(&dir, &version("int32"), &[sale("a", "2024-10-10T01:00:00", r#"{"v": 10}"#)], flags);
        let refused = refuses(&dir, &version("string"), r#"{"v": "9"}"#, flags, 2);
        refused.says(&[
            "of shop/sale as int32, but the catalog as string",
            "decides which version",
            "another order",
        ]);
        // Where it decides nothing, it may.
        merge(&dir, &version("int64"), &[sale("b", "2024-10-10T01:00:00", r#"{"v": 11}"#)], flags);
    }
}

/// A target of older loads, which did not record the columns of their files: they are found in the files.
#[test]
fn what_no_commit_has_recorded_is_found_in_the_files() {
    for flags in FORMS {
        let dir = Workdir::new();
        let row = |id: &str| sale(id, "2024-10-10T01:00:00", r#"{"v": null}"#);
        merge(&dir, "v = 'int64'", &[row("a")], flags);
        let commit = "target/_eventloader/commit-000001.json";
        let mut record: serde_json::Value =
            serde_json::from_slice(&fs_err::read(dir.path(commit)).unwrap()).unwrap();
        record["load"].as_object_mut().unwrap().remove("tables").unwrap();
        record["changes"][0].as_object_mut().unwrap().remove("table").unwrap();
        dir.write(commit, record.to_string());
        let before = tree(&dir.target());
        let refused = merging(&dir, "v = 'int32'", &[row("b")]).args(flags).exits(1);
        let column = if flags.is_empty() { "data_v" } else { "data.v" };
        refused.says(&[
            "part-00000.zstd.parquet: can't be merged with",
            &format!("its column {column} is int64, but int32 in the catalog"),
            "nothing was changed",
        ]);
        assert_same_tree(&before, &tree(&dir.target()), "after a load that was refused");
        merge(&dir, "v = 'decimal(19,0)'", &[row("b")], flags);
        refuses(&dir, "v = 'int64'", "{}", flags, 2).says(&["as decimal(19,0), but the catalog as int64"]);
        super::is_well(&dir);
    }
}

/// What is gone binds no later load.
#[test]
fn what_was_overwritten_is_forgotten() {
    let dir = Workdir::new();
    let row = sale("a", "2024-10-10T01:00:00", r#"{"v": 1}"#);
    merge(&dir, "v = 'string'", std::slice::from_ref(&row), &[]);
    refuses(&dir, "v = 'int32'", "{}", &[], 2);
    dir.write("in.json", format!("{row}\n"));
    dir.loader().source("in.json").args(["--backfill", "--catalog", "catalog.toml"]).succeeds();
    merge(&dir, "v = 'int32'", &[sale("b", "2024-10-10T02:00:00", r#"{"v": 2}"#)], &[]);
    assert_eq!(super::values(&dir), ["1", "2"]);
}
