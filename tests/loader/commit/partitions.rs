//! Which files does a load replace, with what, and which does it leave alone?

use std::path::Path;

use naive_model::{Row, Rows};
use serde_json::json;

use crate::support::{
    events::{account_open, event, file_of, three_days},
    files::{assert_no_debris, assert_same_tree, changes, modified, published, tree},
    forms::each_form,
    readback::{codecs_of, parquet_files, rows, schema_of, text_of},
    workdir::Workdir,
};

/// Event ids per partition, in order: `partition: id id`.
fn ids(dir: &Workdir) -> Vec<String> {
    let ids =
        |rows: &[Vec<String>]| rows.iter().map(|row| row[0].replace('"', "")).collect::<Vec<_>>().join(" ");
    rows(&dir.target()).iter().map(|(partition, rows)| format!("{partition}: {}", ids(rows))).collect()
}

#[test]
fn a_load_replaces_the_partitions_that_it_has_rows_for_and_no_other() {
    each_form(|form| {
        let dir = Workdir::in_form(form);
        let payment = |id: &str, timestamp: &str| event(id, timestamp, "payment-to", "{}");
        let before = dir.write_lines(
            "before.json",
            [
                account_open("a1", "2024-10-10T08:00:00", 1),
                account_open("a2", "2024-10-11T08:00:00", 2),
                payment("p1", "2024-10-10T08:00:00"),
                payment("p2", "2024-10-11T08:00:00"),
            ],
        );
        let first = dir.loader().source(before).arg("--backfill").succeeds();
        let created = [
            "2024/10/10/account-open",
            "2024/10/10/payment-to",
            "2024/10/11/account-open",
            "2024/10/11/payment-to",
        ];
        assert_eq!(first.partitions(), created.map(|path| format!("{path} 1 created")));
        let (files, times) = (published(&dir.target()), modified(&dir.target()));

        let after = dir.write_lines(
            "after.json",
            [account_open("a3", "2024-10-11T09:00:00", 3), payment("p3", "2024-10-12T09:00:00")],
        );
        let second = dir.loader().source(after).arg("--backfill").succeeds();
        assert_eq!(
            second.partitions(),
            ["2024/10/11/account-open 1 replaced", "2024/10/12/payment-to 1 created"]
        );
        let expected = [
            "2024/10/10/account-open: a1",
            "2024/10/10/payment-to: p1",
            "2024/10/11/account-open: a3",
            "2024/10/11/payment-to: p2",
            "2024/10/12/payment-to: p3",
        ];
        assert_eq!(ids(&dir), expected);
        let changed = changes(&files, &published(&dir.target()));
        assert_eq!(changed.len(), 2, "{changed:#?}");
        let untouched =
            modified(&dir.target()).into_iter().filter(|(name, time)| times.get(name) == Some(time));
        assert_eq!(untouched.count(), 3, "the files of the other partitions were not even written anew");
    });
}

#[test]
fn a_day_without_events_leaves_what_is_there() {
    each_form(|form| {
        let dir = Workdir::in_form(form);
        let old = dir.write_lines("old.json", [account_open("a", "2024-10-11T08:00:00", 1)]);
        dir.loader().source(old).arg("--backfill").succeeds();
        let before = published(&dir.target());

        let new = dir.write_lines("new.json", [account_open("b", "2024-10-12T08:00:00", 1)]);
        let outcome = dir.loader().source(&new).args(["--date", "2024-10-11"]).succeeds();
        assert_eq!(outcome.report()["days_without_events"], json!(["2024-10-11"]));
        assert_eq!((outcome.count("filtered"), outcome.partitions()), (1, Vec::new()));
        assert_same_tree(&before, &published(&dir.target()), "a load of a day without events");

        let outcome =
            dir.loader().source(&new).args(["--since", "2024-10-10", "--until", "2024-10-13"]).succeeds();
        assert_eq!(
            outcome.report()["days_without_events"],
            json!(["2024-10-10", "2024-10-11", "2024-10-13"])
        );
        assert_eq!(ids(&dir), ["2024/10/11/account-open: a", "2024/10/12/account-open: b"]);
    });
}

/// Includes redeliveries, corrections across midnight, and bad lines; the days are loaded in another order.
#[test]
fn loading_day_by_day_writes_what_a_backfill_writes() {
    each_form(|form| {
        let dir = Workdir::in_form(form);
        let mut lines = three_days(1);
        lines.push(account_open("midnight", "2024-10-10T23:30:00", 1));
        lines.push(account_open("midnight", "2024-10-10T23:30:00-01:00", 2));
        lines.push(account_open("midnight", "2024-10-11T00:30:00+01:00", 3));
        lines.push(account_open("corrected by a bad line", "2024-10-10T12:00:00", 4));
        lines.push(
            account_open("corrected by a bad line", "2024-10-11T12:00:00", 5).replace("5}", "\"five\"}"),
        );
        let source = dir.write_lines("in.json", lines);
        let variants: [&[&str]; 4] = [
            &[],
            &["--dedupe-scope=day"],
            &["--layout=hive", "--partition-by=hour"],
            &["--flatten=false", "--event-type=account-open"],
        ];
        for (index, flags) in variants.iter().enumerate() {
            let (at_once, by_day) = (format!("at-once-{index}"), format!("by-day-{index}"));
            let whole = dir.loader_into(&at_once).source(&source).arg("--backfill").args(*flags).succeeds();
            assert!(
                whole.count("quarantined.total") > if form.is_array() { 1 } else { 10 }
                    && whole.count("superseded") > 5,
                "the input says something: {whole}"
            );
            for day in [12, 10, 13, 11] {
                let date = format!("2024-10-{day}");
                dir.loader_into(&by_day).source(&source).args(["--date", &date]).args(*flags).succeeds();
            }
            assert_same_tree(
                &published(&dir.path(&at_once)),
                &published(&dir.path(&by_day)),
                &format!("day by day with {flags:?}"),
            );
        }
    });
}

#[test]
fn a_second_run_changes_nothing() {
    each_form(|form| {
        let dir = Workdir::in_form(form);
        let source = dir.write_lines("in.json", three_days(2));
        let first = dir.loader().source(&source).arg("--backfill").succeeds();
        let (files, times) = (published(&dir.target()), modified(&dir.target()));

        let second = dir.loader().source(&source).arg("--backfill").succeeds();
        assert_same_tree(&files, &published(&dir.target()), "a second run");
        assert_eq!(times, modified(&dir.target()), "a second run doesn't even write the files anew");
        let unchanged: Vec<_> =
            first.partitions().iter().map(|line| line.replace("created", "unchanged")).collect();
        assert_eq!(second.partitions(), unchanged);
        for count in ["lines", "quarantined.total", "superseded", "written"] {
            assert_eq!(first.count(count), second.count(count), "{count}");
        }
        assert_no_debris(&dir.target());
    });
}

/// There are never two files with the same rows.
#[test]
fn another_codec_or_shape_replaces_the_file() {
    each_form(|form| {
        let dir = Workdir::in_form(form);
        let source = dir.write_lines("in.json", [account_open("a", "2024-10-10T08:00:00", 1)]);
        for (flags, action) in [
            (["--compression=snappy", "--flatten=true"], "created"),
            (["--compression=zstd", "--flatten=true"], "replaced"),
            (["--compression=none", "--flatten=true"], "replaced"),
            (["--compression=none", "--flatten=false"], "replaced"),
            (["--compression=none", "--flatten=false"], "unchanged"),
        ] {
            let outcome = dir.loader().source(&source).arg("--backfill").args(flags).succeeds();
            assert_eq!(outcome.partitions(), [format!("2024/10/10/account-open 1 {action}")], "{flags:?}");
            let files = parquet_files(&tree(&dir.target()));
            assert_eq!(files.len(), 1, "after {flags:?}: {files:?}");
        }
        assert_eq!(
            codecs_of(&dir.target().join("2024/10/10/account-open/part-00000.none.parquet")),
            ["UNCOMPRESSED"]
        );
    });
}

#[test]
fn the_layout_names_the_directories() {
    each_form(|form| {
        let lines = [
            account_open("a", "2024-10-10T00:00:00", 1),
            account_open("b", "2024-10-09T23:59:59.999999", 1),
            account_open("c", "2024-10-10T23:30:00-01:00", 1),
            account_open("d", "0001-02-03T04:05:06", 1),
            event("p", "2024-10-10T13:00:00", "payment-from", "{}"),
        ];
        let plain = [
            "0001/02/03/account-open: d",
            "2024/10/09/account-open: b",
            "2024/10/10/account-open: a",
            "2024/10/10/payment-from: p",
            "2024/10/11/account-open: c",
        ];
        let hive = [
            "year=1/month=2/day=3/event_type=account-open: d",
            "year=2024/month=10/day=9/event_type=account-open: b",
            "year=2024/month=10/day=10/event_type=account-open: a",
            "year=2024/month=10/day=10/event_type=payment-from: p",
            "year=2024/month=10/day=11/event_type=account-open: c",
        ];
        let hours = ["04", "23", "00", "13", "00"];
        let by_hour = |path: &str, prefix: &str, hour: &str| {
            let (day, rest) = path.rsplit_once('/').unwrap();
            format!("{day}/{prefix}{hour}/{rest}")
        };
        let plain_hours: Vec<_> =
            plain.iter().zip(hours).map(|(path, hour)| by_hour(path, "", hour)).collect();
        let hive_hours: Vec<_> = hive
            .iter()
            .zip(["4", "23", "0", "13", "0"])
            .map(|(path, hour)| by_hour(path, "hour=", hour))
            .collect();
        for (flags, mut expected) in [
            (["--layout=plain", "--partition-by=day"], plain.map(str::to_owned).to_vec()),
            (["--layout=hive", "--partition-by=day"], hive.map(str::to_owned).to_vec()),
            (["--layout=plain", "--partition-by=hour"], plain_hours),
            (["--layout=hive", "--partition-by=hour"], hive_hours),
        ] {
            expected.sort();
            let dir = Workdir::in_form(form);
            let source = dir.write_lines("in.json", &lines);
            let outcome = dir.loader().source(source).arg("--backfill").args(flags).succeeds();
            assert_eq!(ids(&dir), expected, "{flags:?}");
            let reported: Vec<_> =
                outcome.partitions().iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
            let paths: Vec<_> =
                expected.iter().map(|line| line.split(':').next().unwrap().to_owned()).collect();
            assert_eq!(reported, paths, "the report names the same partitions");
        }
    });
}

#[test]
fn a_target_keeps_the_layout_that_it_was_first_written_with() {
    let dir = Workdir::new();
    let source = dir.write("in.json", account_open("a", "2024-10-10T00:00:00", 1));
    let load = |flags: &[&str]| dir.loader().source(&source).arg("--backfill").args(flags.iter().copied());
    load(&["--layout=hive"]).succeeds();
    let before = tree(&dir.target());
    for (flags, asked_for) in [
        (&["--layout=plain"][..], "the layout plain by day"),
        (&["--layout=hive", "--partition-by=hour"], "the layout hive by hour"),
        (&["--dry-run"], "the layout plain by day"),
    ] {
        load(flags).exits(2).says(&["--layout hive --partition-by day", asked_for]);
        assert_same_tree(&before, &tree(&dir.target()), "after a refused layout");
    }
    load(&["--layout=hive", "--dry-run"]).succeeds();
}

/// Engines read the event type from the directories; a column of that name would be text in the files and a
/// dictionary, or a category, in the path.
#[test]
fn files_of_the_hive_layout_have_no_column_that_is_named_like_a_directory() {
    for flatten in ["--flatten=true", "--flatten=false"] {
        let dir = Workdir::new();
        dir.write("in.json", file_of(three_days(5)));
        for (target, layout) in [("plain", "--layout=plain"), ("hive", "--layout=hive")] {
            dir.loader_into(target).args(["-s", "in.json", "-b", layout, flatten]).succeeds();
            dir.bare_loader().arg("verify").arg(dir.path(target)).succeeds();
        }
        let rows_of_day = |rows: Rows| -> Vec<Vec<Row>> { rows.into_values().collect() };
        let mut expected: Vec<_> = rows_of_day(rows(&dir.path("plain")));
        expected.iter_mut().flatten().for_each(|row| drop(row.remove(3)));
        assert_eq!(rows_of_day(rows(&dir.path("hive"))), expected);
        for file in parquet_files(&tree(&dir.path("hive"))) {
            let schema = schema_of(&dir.path("hive").join(&file));
            for name in ["year", "month", "day", "hour", "event_type"] {
                assert!(!schema.contains(&format!(" {name} ")), "{file}: {schema}");
            }
        }
    }
}

#[test]
fn a_partition_of_the_hive_layout_is_accepted_with_the_type_of_its_path() {
    let dir = Workdir::new();
    dir.write("in.json", event("a", "2024-10-10T00:00:00", "account-close", "{}"));
    dir.loader().args(["-s", "in.json", "-b", "--layout=hive"]).succeeds();
    let day = dir.target().join("year=2024/month=10/day=10");
    fs_err::rename(day.join("event_type=account-close"), day.join("event_type=account%20closed")).unwrap();
    dir.bare_loader().arg("verify").arg(dir.target()).exits(1);
    dir.bare_loader().arg("accept").arg(dir.target()).succeeds();
    dir.bare_loader().arg("verify").arg(dir.target()).succeeds();
}

/// The target in `tests/loader/data/hive_with_event_type` was written before files of the hive layout lost
/// their column `event_type`. Files with it and files without it could not be read together.
#[test]
fn a_hive_target_of_an_earlier_version_keeps_its_form() {
    let dir = Workdir::new();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/loader/data/hive_with_event_type");
    for (name, bytes) in tree(&kept) {
        dir.write(&name, bytes);
    }
    let before = tree(&dir.target());
    let columns = || {
        let files = parquet_files(&tree(&dir.target()));
        let has_column = |file: &String| schema_of(&dir.target().join(file)).contains(" event_type ");
        assert!(files.iter().all(has_column), "{files:?}");
        dir.bare_loader().arg("verify").arg(dir.target()).succeeds();
        files.len()
    };
    assert_eq!(columns(), 3);
    let load = |flags: &[&str]| {
        let loader = dir.loader().args(["-s", "new.json", "--layout=hive", "--catalog", "shop.toml"]);
        loader.args(flags.iter().copied())
    };
    let sale = |id: &str| {
        event(id, "2024-10-12T08:00:00", "sale", r#"{"hours": 7}"#).replace("\"account\"", "\"shop\"")
    };
    dir.write(
        "new.json",
        file_of([
            account_open("a", "2024-10-12T09:00:00", 7),
            sale("s"),
            sale("t"),
            sale("u").replace("sale", "other"),
        ]),
    );
    let merged = load(&["-b", "--mode=merge"]).succeeds();
    let path = |day: u32, name: &str| format!("year=2024/month=10/day={day}/event_type={name}");
    assert_eq!(
        merged.partitions(),
        [
            format!("{} 0 removed", path(10, "account-open")),
            format!("{} 1 created", path(12, "account-open")),
            format!("{} 2 created", path(12, "sales")),
        ]
    );
    assert_eq!(columns(), 4);
    let replaced = load(&["--date=2024-10-12"]).succeeds();
    assert_eq!(replaced.count("written"), 3);
    assert_eq!(columns(), 4);
    dir.write("other.toml", "[domain.shop.events.other]");
    let replay = ["replay", "--catalog", "shop.toml", "--catalog", "other.toml"];
    dir.bare_loader().args(replay).arg(dir.target()).succeeds();
    assert_eq!(columns(), 5);
    assert_eq!(before["_eventloader/layout.json"], tree(&dir.target())["_eventloader/layout.json"]);
    load(&["-b", "--partition-by=hour", "-e", "account-open"])
        .exits(2)
        .says(&["the layout hive by hour", "--layout hive --partition-by day"]);

    // A new target has the new form, and so not this catalog.
    let new =
        dir.loader_into("new").args(["-s", "new.json", "-b", "--layout=hive", "--catalog", "shop.toml"]);
    new.exits(2).says(&["shop.toml:"]);
}

#[test]
fn latest_is_decided_over_the_input_or_within_each_day() {
    each_form(|form| {
        let version = |timestamp: &str, id: i32| account_open("e", timestamp, id);
        let lines = [
            version("2024-10-10T12:00:00", 2),
            version("2024-10-10T10:00:00", 1),
            version("2024-10-11T01:00:00", 3),
            // None of these is a later version: a bad line, another type, another id, an unknown type.
            version("2024-10-12T01:00:00", 4).replace("4}", "\"x\"}"),
            event("e", "2024-10-13T01:00:00", "account-close", "{\"id\": 5}"),
            account_open("E", "2024-10-11T00:30:00", 6),
            version("2024-10-14T01:00:00", 7).replace("account-open", "account-reopen"),
        ];
        for (flags, expected) in [
            (
                vec!["--backfill"],
                vec!["10/11/account-open 6", "10/11/account-open 3", "10/13/account-close 5"],
            ),
            (vec!["--date=2024-10-10"], vec![]),
            (vec!["--until=2024-10-11"], vec!["10/11/account-open 6", "10/11/account-open 3"]),
            (vec!["--until=2024-10-10", "--dedupe-scope=day"], vec!["10/10/account-open 2"]),
            (vec!["--until=2024-10-10", "--dedupe-scope=input"], vec![]),
            (
                vec!["--backfill", "--dedupe-scope=day", "--event-type=account-open"],
                vec!["10/10/account-open 2", "10/11/account-open 6", "10/11/account-open 3"],
            ),
            (
                vec!["--date=2024-10-10", "--dedupe-scope=day", "--partition-by=hour"],
                vec!["10/10/12/account-open 2"],
            ),
        ] {
            let dir = Workdir::in_form(form);
            let source = dir.write_lines("in.json", &lines);
            dir.loader().source(source).args(&flags).succeeds();
            let rows = rows(&dir.target());
            let found: Vec<_> = rows
                .iter()
                .flat_map(|(partition, rows)| {
                    rows.iter().map(|row| format!("{} {}", &partition[5..], row[4]))
                })
                .collect();
            assert_eq!(found, expected, "{flags:?}: {:#?}", text_of(&rows));
        }
    });
}

/// Another program may have left files with other names in the target; a reader would read both.
#[test]
fn foreign_parquet_files_of_a_partition_are_replaced_and_other_files_kept() {
    each_form(|form| {
        let dir = Workdir::in_form(form);
        let kept = [
            "2024/10/10/account-open/_SUCCESS",
            "2024/10/10/account-open/notes.txt",
            "2024/10/10/README",
            "2024/10/11/account-open/old.parquet",
        ];
        let replaced =
            ["part-00000-6e0a.snappy.parquet", "part-00000.parquet", "part-00001.zstd.parquet", "z.parquet"];
        for name in kept {
            dir.write(&format!("target/{name}"), name);
        }
        for name in replaced {
            dir.write(&format!("target/2024/10/10/account-open/{name}"), name);
        }
        let source = dir.write_lines("in.json", [account_open("a", "2024-10-10T08:00:00", 1)]);
        let outcome = dir.loader().source(&source).args(["--backfill", "--compression=zstd"]).succeeds();
        assert_eq!(outcome.partitions(), ["2024/10/10/account-open 1 replaced"]);
        let mut expected = [&kept[..], &["2024/10/10/account-open/part-00000.zstd.parquet"]].concat();
        expected.sort_unstable();
        assert_eq!(published(&dir.target()).into_keys().collect::<Vec<_>>(), expected);

        // A file that appeared between two runs goes too, even if the rows are the same.
        dir.write("target/2024/10/10/account-open/again.parquet", "again");
        dir.loader().source(&source).args(["--backfill", "--compression=zstd"]).succeeds();
        assert_eq!(published(&dir.target()).into_keys().collect::<Vec<_>>(), expected);
    });
}
