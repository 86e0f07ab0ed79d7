//! Catalogs that grow wider between loads: does a target take their rows into one table, change no value, and
//! refuse what would be narrower?

mod random;
mod refused;

use std::path::Path;

use crate::support::{
    events::file_of,
    files::{Tree, assert_no_debris, assert_same_tree, modified, published, tree},
    readback::{rows, schema_of, text_of},
    workdir::{Loader, Outcome, Workdir},
};

const FORMS: [&[&str]; 2] = [&[], &["--layout", "hive", "--flatten", "false"]];

/// A catalog of one event type, `shop/sale`, with these fields.
fn catalog(fields: &str) -> String {
    format!("[domain.shop.events.sale.fields]\n{fields}\n")
}

fn sale(id: &str, timestamp: &str, data: &str) -> String {
    format!(
        r#"{{"event_id": "{id}", "timestamp": "{timestamp}", "domain": "shop", "event_type": "sale", "data": {data}}}"#
    )
}

/// A merge of these lines with a catalog of these fields.
fn merging(dir: &Workdir, fields: &str, lines: &[String]) -> Loader {
    dir.write("in.json", file_of(lines));
    dir.write("catalog.toml", catalog(fields));
    dir.loader().source("in.json").args(["--backfill", "--mode", "merge", "--catalog", "catalog.toml"])
}

fn merge(dir: &Workdir, fields: &str, lines: &[String], flags: &[&str]) -> Outcome {
    merging(dir, fields, lines).args(flags).succeeds()
}

fn partitions(target: &Path) -> Tree {
    let mut tree = published(target);
    tree.retain(|name, _| !name.starts_with('_'));
    tree
}

#[track_caller]
fn is_well(dir: &Workdir) {
    let verified = dir.bare_loader().arg("verify").arg(dir.target()).succeeds();
    assert_eq!(verified.stdout, "", "verify");
    assert_no_debris(&dir.target());
}

/// The column that one field `v` has in each row.
fn values(dir: &Workdir) -> Vec<String> {
    let rows = rows(&dir.target());
    rows.values().flatten().map(|row| row.last().unwrap().clone()).collect()
}

/// Each step, with the value that is stored, and the same value as the wider column has it: as it was stored,
/// not as it was written.
#[test]
fn each_step_keeps_the_value_as_it_was_stored() {
    for (narrow, value, wide, widened) in [
        ("int32", "12.0", "int64", "12"),
        ("int32", "-2147483648", "decimal(10,0)", "-2147483648"),
        ("int32", "2147483647", "decimal(12,2)", "2147483647.00"),
        ("int32", "-5", "float64", "-5"),
        ("int64", "9223372036854775807", "decimal(20,1)", "9223372036854775807.0"),
        ("decimal(3,1)", "-99.9", "decimal(38,36)", "-99.900000000000000000000000000000000000"),
        ("decimal(4,2)", "1.005", "decimal(6,4)", "1.0100"),
        ("date", "\"0001-01-01\"", "timestamp", "0001-01-01T00:00:00.000000Z"),
        ("date", "\"2024-10-10\"", "timestamp(ms)", "2024-10-10T00:00:00.000000Z"),
        ("int64", "12.0", "string", "\"12\""),
        ("int32", "1e2", "string", "\"100\""),
        ("decimal(6,2)", "12.5", "string", "\"12.50\""),
        ("float64", "5.0", "string", "\"5\""),
        ("float64", "0.10", "string", "\"0.1\""),
        ("float64", "1E+21", "string", "\"1e21\""),
        ("boolean", "\"true\"", "string", "\"true\""),
        ("date", "\"2024-02-29\"", "string", "\"2024-02-29\""),
        ("timestamp", "\"2024-10-10 02:00:00.120+02:00\"", "string", "\"2024-10-10T00:00:00.120Z\""),
        ("timestamp(s)", "1728518407", "string", "\"2024-10-10T00:00:07Z\""),
        ("json", "[1.50, \"a\"]", "string", r#""[1.50,\"a\"]""#),
        ("list(int32)", "[1, null, 2]", "list(int64)", "[1, null, 2]"),
        ("list(list(int32))", "[[1], []]", "list(list(string))", r#"[["1"], []]"#),
        (
            "map(date)",
            r#"{"a": "2024-10-10"}"#,
            "map(timestamp)",
            r#"map("a" = 2024-10-10T00:00:00.000000Z)"#,
        ),
        ("list(int32)", "[1, null, 2.0]", "string", r#""[1,null,2]""#),
        ("list(date)", "[\"2024-10-10\"]", "string", r#""[\"2024-10-10\"]""#),
        ("list(json)", r#"[{"a": 1}, "b"]"#, "string", r#""[\"{\\\"a\\\":1}\",\"\\\"b\\\"\"]""#),
        ("map(decimal(4,2))", r#"{"a\n": 1.5, "b": null}"#, "string", r#""{\"a\\n\":1.50,\"b\":null}""#),
    ] {
        for flags in FORMS {
            let what = format!("{value} of {narrow} as {wide}, {flags:?}");
            let dir = Workdir::new();
            let held = [
                sale("a", "2024-10-10T01:00:00", &format!(r#"{{"v": {value}}}"#)),
                sale("b", "2024-10-10T02:00:00", r#"{"v": null}"#),
            ];
            merge(&dir, &format!("v = '{narrow}'"), &held, flags);
            let new = sale("c", "2024-10-10T03:00:00", r#"{"v": null}"#);
            let merged = merge(&dir, &format!("v = '{wide}'"), &[new], flags);
            assert_eq!((merged.count("written"), merged.count("held_kept")), (1, 2), "{what}");
            assert_eq!(values(&dir), [widened, "null", "null"], "{what}");
            is_well(&dir);
        }
    }
}

/// What was stored is all that is left of an event, so its text may differ from the one that comes again: of
/// two versions with one time, the later in the input is kept, as always.
#[test]
fn a_text_that_comes_again_as_it_was_written_is_kept() {
    let dir = Workdir::new();
    let written = [
        sale("a", "2024-10-10T01:00:00", r#"{"v": 12.0}"#),
        sale("b", "2024-10-10T01:00:00", r#"{"v": 12}"#),
    ];
    merge(&dir, "v = 'int32'", &written, &[]);
    let again = merge(&dir, "v = 'string'", &written, &[]);
    assert_eq!((again.count("redelivered"), again.count("corrected"), again.count("written")), (1, 0, 1));
    assert_eq!(values(&dir), ["\"12.0\"", "\"12\""]);
    is_well(&dir);
}

#[test]
fn members_of_objects_are_widened_where_they_are() {
    let narrow = "v = { list = { fields = { n = { type = 'int32', column = 'm' }, o = { fields = { at = 'date' } } } } }";
    let wide = "v = { list = { fields = { new = 'boolean', o = { fields = { at = 'timestamp', more = 'string' } }, \
                n = { type = 'int64', column = 'm' } } } }";
    let held = r#"{"v": [{"n": 1, "o": {"at": "2024-10-10"}}, null, {"n": null}]}"#;
    let new = r#"{"v": [{"n": 3000000000, "new": true}]}"#;
    let text = r#""[{\"m\":1,\"o\":{\"at\":\"2024-10-10\"}},null,{}]""#;
    for flags in FORMS {
        let dir = Workdir::new();
        merge(&dir, narrow, &[sale("a", "2024-10-10T01:00:00", held)], flags);
        merge(&dir, wide, &[sale("b", "2024-10-10T02:00:00", new)], flags);
        let at = "o: {at: 2024-10-10T00:00:00.000000Z, more: null}";
        assert_eq!(
            values(&dir),
            [
                format!("[{{new: null, {at}, m: 1}}, null, {{new: null, o: null, m: null}}]"),
                "[{new: true, o: null, m: 3000000000}]".to_owned()
            ],
            "{flags:?}"
        );
        is_well(&dir);
        let dir = Workdir::new();
        merge(&dir, narrow, &[sale("a", "2024-10-10T01:00:00", held)], flags);
        merge(&dir, "v = 'string'", &[sale("b", "2024-10-10T02:00:00", "{}")], flags);
        assert_eq!(values(&dir), [text, "null"], "{flags:?}");
    }
}

/// In a flat table an object has columns of its own, which a text would lose.
#[test]
fn an_object_becomes_a_text_where_it_is_one_column() {
    let (object, text) = ("v = { fields = { a = 'int32', b = 'map(date)' } }", "v = 'string'");
    let held = [sale("a", "2024-10-10T01:00:00", r#"{"v": {"a": 1, "b": {"k": "2024-10-10"}}}"#)];
    let new = [sale("b", "2024-10-10T02:00:00", r#"{"v": "text"}"#)];
    let dir = Workdir::new();
    merge(&dir, object, &held, &[]);
    let refused = merging(&dir, text, &new).exits(1);
    refused.says(&["no field for its column data_v_a, which would be lost", "nothing was changed"]);
    let dir = Workdir::new();
    merge(&dir, object, &held, FORMS[1]);
    merge(&dir, text, &new, FORMS[1]);
    assert_eq!(values(&dir), [r#""{\"a\":1,\"b\":{\"k\":\"2024-10-10\"}}""#, "\"text\""]);
    is_well(&dir);
}

#[test]
fn only_partitions_that_change_are_written_in_the_new_types() {
    for flags in FORMS {
        let dir = Workdir::new();
        let day = |day: u32, hour: u32, n: &str| {
            sale(
                &format!("{day} {hour}"),
                &format!("2024-10-{day}T{hour:02}:00:00"),
                &format!(r#"{{"n": {n}}}"#),
            )
        };
        let held = [day(10, 1, "1"), day(11, 1, "2"), day(12, 1, "3")];
        merge(&dir, "n = 'int32'", &held, flags);
        let (before, stamps, stored) =
            (tree(&dir.target()), modified(&dir.target()), partitions(&dir.target()));
        // The same values from a wider catalog are the same content.
        let again = merge(&dir, "n = 'int64'\nmore = 'string'", &held, flags);
        assert_eq!((again.count("redelivered"), again.count("written")), (3, 0));
        assert_eq!(again.partitions(), [""; 0]);
        assert_same_tree(&stored, &partitions(&dir.target()), "a redelivery");
        let merged =
            merge(&dir, "n = 'int64'\nmore = 'string'", &[day(11, 2, "3000000000"), held[0].clone()], flags);
        assert_eq!(merged.partitions().len(), 1);
        let after = tree(&dir.target());
        let schemas: Vec<_> = after.keys().filter(|name| name.ends_with(".parquet")).collect();
        let column = if flags.is_empty() { "data_n" } else { "n" };
        let of = |day: &str, value_type: &str| {
            let schema = format!("{value_type} {column};");
            let name = schemas.iter().find(|name| name.contains(day)).unwrap();
            let found = schema_of(&dir.target().join(name));
            assert!(found.contains(&schema), "{name}: {schema} in {found}");
            (before.get(*name) == after.get(*name), stamps.get(*name) == modified(&dir.target()).get(*name))
        };
        let days =
            if flags.is_empty() { ["10/10", "10/11", "10/12"] } else { ["day=10", "day=11", "day=12"] };
        assert_eq!(of(days[0], "INT32"), (true, true));
        assert_eq!(of(days[1], "INT64"), (false, false));
        assert_eq!(of(days[2], "INT32"), (true, true));
        is_well(&dir);
        assert_eq!(rows(&dir.target()).values().flatten().count(), 4);
    }
}

/// What was quarantined because a type was too narrow becomes rows with a wider one.
#[test]
fn a_replay_brings_in_what_was_out_of_range() {
    for flags in FORMS {
        let dir = Workdir::new();
        let line =
            |id: u64, n: u64| sale(&id.to_string(), "2024-10-10T05:00:00", &format!(r#"{{"n": {n}}}"#));
        let lines: Vec<_> = (0..40).map(|id| line(id, id * 1_000_000_000)).collect();
        let first = merge(&dir, "n = 'int32'", &lines, flags);
        assert_eq!(first.count("quarantined.total"), 37);
        dir.write("catalog.toml", catalog("n = 'int64'"));
        let replay = dir.bare_loader().arg("replay").arg(dir.target()).args(["--catalog", "catalog.toml"]);
        let replayed = replay.reporting().succeeds();
        assert_eq!((replayed.count("written"), replayed.count("held_kept")), (37, 3), "{flags:?}");
        assert!(!dir.path("target/_quarantine").exists());
        let backfill = ["--backfill", "--catalog", "catalog.toml"];
        dir.loader_into("one").source("in.json").args(backfill).args(flags).succeeds();
        assert_same_tree(
            &partitions(&dir.path("one")),
            &partitions(&dir.target()),
            "as if it had been int64",
        );
        is_well(&dir);
    }
}

/// Overwriting a day of a merged target takes events out of other days, whose files may be of older types.
#[test]
fn a_load_that_overwrites_reads_older_types() {
    for flags in FORMS {
        let dir = Workdir::new();
        let held = [
            sale("a", "2024-10-10T01:00:00", r#"{"n": 1}"#),
            sale("b", "2024-10-10T02:00:00", r#"{"n": 2}"#),
            sale("c", "2024-10-12T02:00:00", r#"{"n": 3}"#),
        ];
        merge(&dir, "n = 'int32'", &held, flags);
        let new = ["a", "c"].map(|id| sale(id, "2024-10-11T01:00:00", r#"{"n": 3000000000}"#));
        dir.write("in.json", file_of(&new));
        dir.write("catalog.toml", catalog("n = 'int64'"));
        let overwriting = ["--backfill", "--mode", "overwrite", "--catalog", "catalog.toml"];
        let loaded = dir.loader().source("in.json").args(overwriting).args(flags).succeeds();
        assert_eq!((loaded.count("written"), loaded.count("held_superseded")), (1, 1));
        let values: Vec<_> = text_of(&rows(&dir.target()));
        let has = |part: &str| values.iter().any(|row| row.contains(part));
        assert!(values.len() == 3 && has("\"b\"") && has("3000000000"), "{flags:?}: {values:?}");
        is_well(&dir);
    }
}

/// The versions of events compare as numbers, however wide the column was when they were stored.
#[test]
fn versions_of_old_and_new_types_compare() {
    for (narrow, wide) in [("int32", "int64"), ("int32", "decimal(20,3)"), ("decimal(4,1)", "decimal(9,3)")] {
        let dir = Workdir::new();
        let merge = |value_type: &str, version: &str, day: u32| {
            let line = sale("a", &format!("2024-10-{day}T01:00:00"), &format!(r#"{{"n": {version}}}"#));
            dir.write("in.json", file_of([line]));
            let version = format!("[domain.shop.events.sale]\nversion = 'n'\nfields.n = '{value_type}'\n");
            dir.write("catalog.toml", version);
            let flags = ["--backfill", "--mode", "merge", "--catalog", "catalog.toml"];
            dir.loader().source("in.json").args(flags).succeeds()
        };
        merge(narrow, "10", 12);
        assert_eq!(merge(wide, "9", 13).count("written"), 0, "{narrow} → {wide}");
        assert_eq!(merge(wide, "10", 12).count("redelivered"), 1, "{narrow} → {wide}");
        assert_eq!(merge(wide, "11", 10).count("held_superseded"), 1, "{narrow} → {wide}");
        is_well(&dir);
    }
}
