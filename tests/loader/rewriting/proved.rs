//! A target that is not as recorded, a disk that gives back other bytes, files of other programs: does a
//! rewrite keep the rows, or refuse?

use std::path::Path;

use parquet::arrow::ArrowWriter;

use super::{is_well, rewrite};
use crate::support::{
    events::{account_open, event, file_of, plain_events},
    files::{assert_same_tree, published, tree},
    readback::{batches_of, codecs_of, rows, schema_of, text_of},
    workdir::Workdir,
};

/// What someone does to a file.
type Spoil = fn(&Path);

const FILE: &str = "2024/10/10/account-open/part-00000.zstd.parquet";

fn loaded(flags: &[&str]) -> Workdir {
    let dir = Workdir::new();
    let reason = |id: &str, day: u32| {
        event(
            id,
            &format!("2024-10-{day}T00:00:00"),
            "account-open",
            r#"{"id": 1, "reason": "a needle in it"}"#,
        )
    };
    dir.write("1.json", file_of([reason("a", 10), reason("b", 11)]));
    dir.loader().source("1.json").arg("-b").args(flags).succeeds();
    dir
}

/// What is compared is what the disk gives back, not what was meant to be written.
#[test]
fn a_staged_file_that_reads_back_as_other_rows_stops_the_rewrite() {
    let dir = loaded(&[]);
    let before = tree(&dir.target());
    let run = || rewrite(&dir, "target").args(["--compression=none", "--threads=1"]);
    // A copy would be compared by its checksums, which takes more operations.
    let operations = rewrite(&loaded(&[]), "target").args(["--compression=none", "--threads=1"]).operations();
    let is_read_back =
        |operation: &String| operation.starts_with("looks open") && operation.ends_with(".staged");
    let read_back = 1 + operations.iter().position(is_read_back).expect("staged files are read back");
    for (text, other, said) in
        [(&b"a needle"[..], &b"a noodle"[..], "are not the same"), (b"PAR1", b"PAR2", "can't be read back")]
    {
        let outcome = run().held_at(read_back, || {
            let staging = dir.target().join("_eventloader/staging/00");
            let staged = fs_err::read_dir(staging).unwrap().next().unwrap().unwrap().path();
            let mut bytes = fs_err::read(&staged).unwrap();
            // In pages, and in what is said of them.
            for at in 0..=bytes.len() - text.len() {
                if bytes[at..].starts_with(text) {
                    bytes[at..at + other.len()].copy_from_slice(other);
                }
            }
            fs_err::write(&staged, bytes).unwrap();
        });
        assert_eq!(outcome.status.code(), Some(1), "{outcome}");
        assert!(outcome.stderr.contains(said) && outcome.stderr.contains("nothing was changed"), "{outcome}");
        assert_same_tree(&before, &tree(&dir.target()), "refused");
    }
    run().succeeds();
    is_well(&dir, "target");
}

#[test]
fn a_target_that_is_not_as_its_loads_left_it_is_refused() {
    let spoil: [(&str, &str, Spoil); 3] = [
        ("is missing", FILE, |file| fs_err::remove_file(file).unwrap()),
        ("has other bytes", FILE, |file| fs_err::write(file, "other").unwrap()),
        ("was not written by any load", "2024/10/10/account-open/x.parquet", |file| {
            fs_err::copy(file, file.with_file_name("x.parquet")).unwrap();
        }),
    ];
    for (said, path, spoil) in spoil {
        let dir = loaded(&[]);
        spoil(&dir.target().join(FILE));
        let before = tree(&dir.target());
        for flags in [&["--layout=hive"][..], &["--since=2024-10-10", "--compression=snappy"]] {
            // Where nothing is left of a partition, a part of the days does not change it.
            if said != "is missing" || flags.len() == 1 {
                rewrite(&dir, "target").args(flags).exits(1).says(&[path, said, "nothing was changed"]);
                assert_same_tree(&before, &tree(&dir.target()), said);
            }
        }
        rewrite(&dir, "target").args(["--since=2024-10-11", "--compression=snappy"]).succeeds();
    }
    let dir = Workdir::new();
    rewrite(&dir, "target").exits(1).says(&["no load has ever written there"]);
    assert!(!dir.target().exists());
}

/// Parts that another program has made of a partition, with its own encodings and row groups.
#[test]
fn small_parts_of_another_program_become_what_a_load_writes() {
    let dir = Workdir::new();
    dir.write("1.json", file_of(plain_events(7, 3_000, 20)));
    dir.loader().source("1.json").arg("-b").succeeds();
    let (loaded, rows_loaded) = (published(&dir.target()), text_of(&rows(&dir.target())));
    for (number, name) in loaded.keys().enumerate().filter(|(_, name)| name.ends_with(".parquet")) {
        let path = dir.target().join(name);
        let all = batches_of(&path);
        let all = arrow::compute::concat_batches(&all[0].schema(), &all).unwrap();
        fs_err::remove_file(&path).unwrap();
        // An odd number of rows in each, so that no part ends where a batch or a page does.
        let part_rows = 1 + all.num_rows() / (2 + number % 5);
        for (part, first) in (0..all.num_rows()).step_by(part_rows).enumerate() {
            let path = path.with_file_name(format!("data-{part:03}.parquet"));
            let file = std::fs::File::create(path).unwrap();
            let mut writer = ArrowWriter::try_new(file, all.schema(), None).unwrap();
            writer.write(&all.slice(first, part_rows.min(all.num_rows() - first))).unwrap();
            writer.close().unwrap();
        }
    }
    dir.bare_loader().arg("accept").arg(dir.target()).succeeds();
    assert_eq!(text_of(&rows(&dir.target())), rows_loaded);
    let outcome = rewrite(&dir, "target").succeeds();
    assert_same_tree(&loaded, &published(&dir.target()), &format!("{outcome}"));
    is_well(&dir, "target");
}

#[test]
fn files_of_other_programs_that_are_no_data_stay() {
    let dir = loaded(&[]);
    dir.write("target/2024/10/10/account-open/notes.txt", "mine");
    rewrite(&dir, "target").arg("--compression=snappy").succeeds();
    rewrite(&dir, "target").arg("--layout=hive").succeeds();
    assert_eq!(fs_err::read(dir.path("target/2024/10/10/account-open/notes.txt")).unwrap(), b"mine");
    let file =
        dir.target().join("year=2024/month=10/day=10/event_type=account-open/part-00000.snappy.parquet");
    assert_eq!(codecs_of(&file), ["UNCOMPRESSED"]);
    let files = published(&dir.target()).len();
    assert_eq!(files, 3, "two partitions, and the notes: {:?}", published(&dir.target()).keys());
    is_well(&dir, "target");
}

/// What a load of an old version has left: its record has no stamps and no columns.
#[test]
fn targets_of_the_first_version_are_rewritten() {
    for name in ["day", "folded"] {
        let dir = Workdir::new();
        let source =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/loader/data/targets-0.1.0").join(name);
        for (file, bytes) in tree(&source) {
            dir.write(&format!("target/{file}"), bytes);
        }
        let before = text_of(&rows(&dir.target()));
        rewrite(&dir, "target")
            .args(["--layout=hive", "--partition-by=hour", "--encodings=basic"])
            .succeeds();
        is_well(&dir, "target");
        rewrite(&dir, "target").args(["--layout=plain", "--partition-by=day"]).succeeds();
        is_well(&dir, "target");
        assert_eq!(before, text_of(&rows(&dir.target())), "{name}");
        dir.write("2.json", account_open("new", "2024-10-10T05:00:00", 1));
        let scope = if name == "day" { &["--dedupe-scope=day"][..] } else { &[] };
        dir.loader().source("2.json").args(["-b", "--mode=merge"]).args(scope).succeeds();
        is_well(&dir, "target");
    }
}

/// Files of the layout hive once had a column `event_type`. A catalog with a column `hour` was allowed then,
/// and is not any more: such a target stays in its form.
#[test]
fn the_first_form_of_hive_is_left_behind_where_the_catalog_allows_it() {
    let dir = Workdir::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/loader/data/hive_with_event_type");
    for (file, bytes) in tree(&source) {
        dir.write(&file, bytes);
    }
    let with = || rewrite(&dir, "target").args(["--catalog", "shop.toml"]);
    let has_column = || {
        let found = rows(&dir.target());
        let of_day = |path: &&String| path.starts_with("year=2024/month=10/day=10/");
        let path = found.keys().find(of_day).unwrap();
        let file = tree(&dir.target().join(path)).into_keys().next().unwrap();
        schema_of(&dir.target().join(path).join(file)).contains("event_type")
    };
    let before = text_of(&rows(&dir.target()));
    with()
        .args(["--since", "2024-10-11", "--layout", "hive"])
        .exits(2)
        .says(&["leave out --since and --until"]);
    with().args(["--layout", "hive"]).exits(2).says(&["data.hours", "hour"]);
    for range in [&["--since", "2024-10-11"][..], &[]] {
        with().args(range).args(["--compression", "snappy"]).succeeds();
        is_well(&dir, "target");
    }
    assert!(has_column() && before == text_of(&rows(&dir.target())));
    fs_err::remove_dir_all(dir.target().join("year=2024/month=10/day=11/event_type=sales")).unwrap();
    dir.bare_loader().arg("accept").arg(dir.target()).succeeds();
    let count = || rows(&dir.target()).values().map(Vec::len).sum::<usize>();
    let (rows_before, _) = (count(), rewrite(&dir, "target").succeeds());
    assert!(!has_column() && rows_before == count());
    is_well(&dir, "target");
    dir.write("2.json", account_open("new", "2024-10-10T05:00:00", 1));
    dir.loader().source("2.json").args(["-b", "--mode=merge", "--layout=hive"]).succeeds();
    is_well(&dir, "target");
}
