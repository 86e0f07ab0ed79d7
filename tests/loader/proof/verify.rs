//! `eventloader verify` and `recover`: is whatever was done to a target behind the loader's back reported
//! with its file, and nothing else?

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use arrow::{compute::concat_batches, record_batch::RecordBatch};
use event_target::Location;
use eventloader::commands::verify::{Verified, VerifySettings, verify};
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};

use crate::support::{
    events::{account_open, event, file_of, plain_events},
    files::{assert_no_debris, published, tree},
    workdir::{LOADER, Outcome, Workdir},
};

const DAY_1: &str = "2024/10/10/account-open/part-00000.zstd.parquet";
const DAY_2: &str = "2024/10/11/account-open/part-00000.zstd.parquet";

/// A target with some partitions and a bad line, by two loads.
fn loaded() -> Workdir {
    let dir = Workdir::new();
    let mut lines = plain_events(7, 3_000, 60);
    lines.push("a bad line".to_owned());
    dir.write("in.json", file_of(&lines));
    dir.loader().source("in.json").args(["--date", "2024-10-10"]).succeeds();
    dir.loader().source("in.json").arg("--backfill").succeeds();
    dir
}

fn run_verify(dir: &Workdir, code: i32) -> Outcome {
    dir.bare_loader().arg("verify").arg(dir.target()).exits(code)
}

/// Asserts that these problems are reported, and no others.
#[track_caller]
fn tells(dir: &Workdir, expected: &[&[&str]]) {
    let before = tree(&dir.target());
    let outcome = run_verify(dir, 1);
    let lines: Vec<_> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), expected.len(), "expected {expected:#?} of {outcome}");
    for parts in expected {
        let has_all = |line: &&str| parts.iter().all(|part| line.contains(part));
        assert!(lines.iter().any(has_all), "no problem has all of {parts:?} in {outcome}");
    }
    assert!(outcome.stderr.contains("problem"), "the last word of {outcome}");
    assert!(before == tree(&dir.target()), "verify changes nothing");
}

/// The same without the command line: what was verified, and the problems.
fn problems_of(settings: &VerifySettings) -> (Verified, Vec<String>) {
    let problems = RefCell::new(Vec::new());
    let verified = verify(settings, |problem| {
        problems.borrow_mut().push(problem.to_string());
        Ok(())
    });
    (verified.unwrap(), problems.into_inner())
}

fn batch_of(file: &Path) -> RecordBatch {
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(fs_err::File::open(file).unwrap().into_parts().0).unwrap();
    let schema = Arc::clone(reader.schema());
    let batches: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}

fn write_batch(file: &Path, batch: &RecordBatch) {
    let output = fs_err::File::create(file).unwrap();
    let mut writer = ArrowWriter::try_new(output, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn a_target_as_its_loads_left_it_is_well() {
    let dir = loaded();
    let outcome = run_verify(&dir, 0);
    assert_eq!(outcome.stdout, "");
    for part in ["3,000 rows", "15 files", "15 partitions", "2 commits", "no problems"] {
        assert!(outcome.stderr.contains(part), "expected {part:?} in {outcome}");
    }
    let quiet = dir.bare_loader().arg("verify").arg(dir.target()).arg("-q").succeeds();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}

/// Other layouts, nested payloads, codecs, hours; partitions that were replaced by others with fewer files.
#[test]
fn whatever_the_flags_a_fresh_target_is_well() {
    let dir = loaded();
    let flags: [&[&str]; 4] = [
        &["--layout", "hive", "--compression", "snappy"],
        &["--partition-by", "hour", "--flatten", "false", "--compression", "none"],
        &["--layout", "hive", "--partition-by", "hour", "--dedupe-scope", "day"],
        &["--memory", "64MiB", "--threads", "3"],
    ];
    for (number, flags) in flags.into_iter().enumerate() {
        let target = format!("target-{number}");
        for _ in 0..2 {
            dir.loader_into(&target).source("in.json").arg("--backfill").args(flags).succeeds();
        }
        let outcome = dir.bare_loader().arg("verify").arg(dir.path(&target)).succeeds();
        assert!(outcome.stderr.contains("3,000 rows"), "{flags:?}: {outcome}");
    }
}

#[test]
fn every_flipped_byte_is_found() {
    let dir = loaded();
    let path = dir.target().join(DAY_1);
    let good = fs_err::read(&path).unwrap();
    let settings = VerifySettings {
        target: Location::partitions(dir.target()),
        against: Vec::new(),
        memory_bytes: 1 << 30,
        threads: 1,
    };
    // In the magic, in a page, in the footer, in its length.
    for offset in [0, 5, good.len() / 3, good.len() / 2, good.len() - 100, good.len() - 6, good.len() - 1] {
        for bit in [1, 0x80] {
            let mut bytes = good.clone();
            bytes[offset] ^= bit;
            fs_err::write(&path, bytes).unwrap();
            let (_, problems) = problems_of(&settings);
            let is_told =
                problems.iter().any(|told| told.starts_with(DAY_1) && told.contains("commit 1 wrote"));
            assert!(is_told, "byte {offset} of {}: {problems:?}", good.len());
            assert!(problems.iter().all(|told| told.starts_with(DAY_1)), "byte {offset}: {problems:?}");
        }
    }
    fs_err::write(&path, &good).unwrap();
    run_verify(&dir, 0);
    fs_err::write(&path, &good[..good.len() / 2]).unwrap();
    tells(&dir, &[&[DAY_1, "its bytes differ from those"], &[DAY_1, "can't be decoded"]]);
}

#[test]
fn a_missing_file_is_found() {
    let dir = loaded();
    fs_err::remove_file(dir.target().join(DAY_1)).unwrap();
    tells(&dir, &[&[DAY_1, "is missing", "commit 1 wrote it"]]);
    fs_err::remove_dir_all(dir.target().join("2024/10/11")).unwrap();
    assert_eq!(run_verify(&dir, 1).stdout.matches("is missing").count(), 6);
}

#[test]
fn an_extra_file_is_found_and_what_is_no_data_is_left_alone() {
    let dir = loaded();
    fs_err::write(dir.target().join("2024/10/10/account-open/_SUCCESS"), "").unwrap();
    fs_err::write(dir.target().join("README"), "of the user's own").unwrap();
    run_verify(&dir, 0);
    dir.write("target/2024/10/10/account-open/data_0.parquet", "of another program");
    tells(&dir, &[&["2024/10/10/account-open/data_0.parquet", "was not written by any load"]]);
}

#[test]
fn a_duplicated_file_is_found() {
    let dir = loaded();
    let copy = "2024/10/10/account-open/part-00001.zstd.parquet";
    fs_err::copy(dir.target().join(DAY_1), dir.target().join(copy)).unwrap();
    tells(&dir, &[&[copy, "was not written by any load"]]);
    fs_err::remove_file(dir.target().join(copy)).unwrap();
    // A copy that replaces another file.
    fs_err::copy(dir.target().join(DAY_1), dir.target().join(DAY_2)).unwrap();
    tells(
        &dir,
        &[
            &[DAY_2, "its bytes differ from those that commit 2 wrote"],
            &[DAY_2, "rows in the wrong partition", "belongs to 2024/10/10"],
            &[DAY_2, "rows, commit 2 wrote"],
        ],
    );
}

#[test]
fn a_row_that_was_moved_to_another_day_is_found() {
    let dir = loaded();
    let [day_1, day_2] = [DAY_1, DAY_2].map(|day| dir.target().join(day));
    let (from, to) = (batch_of(&day_1), batch_of(&day_2));
    let rows = from.num_rows();
    write_batch(&day_1, &from.slice(0, rows - 1));
    write_batch(&day_2, &concat_batches(&to.schema(), &[from.slice(rows - 1, 1), to.clone()]).unwrap());
    tells(
        &dir,
        &[
            &[DAY_1, "its bytes differ from those"],
            &[DAY_2, "its bytes differ from those"],
            &[DAY_1, &format!("has {} rows, commit 1 wrote {rows}", rows - 1)],
            &[DAY_2, &format!("has {} rows", to.num_rows() + 1)],
            &[DAY_2, "1 row in the wrong partition", "row 1 belongs to 2024/10/10"],
        ],
    );
}

#[test]
fn rows_of_another_type_and_rows_out_of_order_are_found() {
    let dir = loaded();
    let file = dir.target().join(DAY_1);
    let good = fs_err::read(&file).unwrap();
    let batch = batch_of(&file);
    let last = batch.slice(batch.num_rows() - 1, 1);
    let rest = batch.slice(0, batch.num_rows() - 1);
    write_batch(&file, &concat_batches(&batch.schema(), &[last, rest]).unwrap());
    tells(&dir, &[&[DAY_1, "its bytes differ from those"], &[DAY_1, "1 row out of order", "row 2"]]);
    fs_err::write(&file, good).unwrap();
    fs_err::copy(dir.target().join("2024/10/10/account-close/part-00000.zstd.parquet"), &file).unwrap();
    assert!(run_verify(&dir, 1).stdout.contains("is of account/account-close"));
}

/// Overwriting replaces partitions: if another load corrects an event on another day, both versions are
/// there.
#[test]
fn an_event_in_two_partitions_is_found_unless_its_scope_is_the_day() {
    for (scope, code) in [("input", 1), ("day", 0)] {
        let dir = Workdir::new();
        for (file, day) in [("first.json", "2024-10-10"), ("second.json", "2024-10-11")] {
            let lines = [
                account_open("twice", &format!("{day}T00:00:00"), 1),
                account_open(file, &format!("{day}T00:00:00"), 2),
            ];
            dir.write(file, file_of(lines));
            dir.loader().source(file).args(["--backfill", "--dedupe-scope", scope]).succeeds();
        }
        let outcome = run_verify(&dir, code);
        if code == 1 {
            tells(&dir, &[&[DAY_1, "event \"twice\" occurs 2 times", DAY_2]]);
        } else {
            assert_eq!(outcome.stdout, "");
        }
    }
}

/// With little memory, ids are compared in many passes; many duplicates are only counted.
#[test]
fn the_same_is_found_with_any_memory() {
    let dir = Workdir::new();
    for (file, day) in [("first.json", "2024-10-10"), ("second.json", "2024-10-11")] {
        let lines: Vec<_> = (0..50)
            .map(|id| account_open(&format!("event {id}"), &format!("{day}T00:00:{id:02}"), id))
            .collect();
        dir.write(file, file_of(lines));
        dir.loader().source(file).arg("--backfill").succeeds();
    }
    let told = |memory_bytes, threads| {
        problems_of(&VerifySettings {
            target: Location::partitions(dir.target()),
            against: Vec::new(),
            memory_bytes,
            threads,
        })
    };
    let expected = told(1 << 30, 1);
    assert!(expected.1.iter().any(|told| told.contains("40 events more")), "{expected:?}");
    for (memory_bytes, threads) in [(1, 1), (16 * 7, 2), (16 * 50, 3)] {
        assert_eq!(told(memory_bytes, threads), expected, "with {memory_bytes} bytes");
    }
}

#[test]
fn a_quarantine_that_was_changed_is_found() {
    let dir = loaded();
    let quarantine =
        published(&dir.target()).into_keys().find(|name| name.starts_with("_quarantine/")).unwrap();
    let path = dir.target().join(&quarantine);
    let text = fs_err::read_to_string(&path).unwrap();
    fs_err::write(&path, text.replace("a bad line", "a BAD line")).unwrap();
    tells(&dir, &[&[&quarantine, "its bytes differ from those"]]);
    fs_err::remove_file(&path).unwrap();
    tells(&dir, &[&[&quarantine, "is missing"]]);
}

#[test]
fn a_link_in_the_place_of_a_file_is_found_and_not_followed() {
    let dir = loaded();
    let path = dir.target().join(DAY_1);
    fs_err::rename(&path, dir.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(dir.path("elsewhere"), &path).unwrap();
    tells(&dir, &[&[DAY_1, "is a link"], &[DAY_1, "is missing"]]);
}

#[test]
fn commits_that_do_not_balance_or_are_damaged_are_found() {
    let dir = loaded();
    let path = dir.target().join("_eventloader/commit-000002.json");
    let good = fs_err::read_to_string(&path).unwrap();
    fs_err::write(&path, good.replace("\"blank\":0", "\"blank\":1")).unwrap();
    tells(&dir, &[&["_eventloader/commit-000002.json", "do not balance"]]);
    fs_err::write(&path, &good[..100]).unwrap();
    run_verify(&dir, 1).says(&["commit-000002.json:1", "EOF"]);
}

/// A target whose first load was stopped just before it renamed a file to a path that contains this.
fn stopped_at(path: &str) -> Workdir {
    let dir = Workdir::new();
    dir.write("in.json", file_of(plain_events(7, 100, 60)));
    let load = |target: PathBuf| {
        dir.bare_loader().arg("-t").arg(target).source("in.json").args(["-b", "--threads", "1"])
    };
    let log = dir.path("operations");
    load(dir.path("whole")).env("EVENTLOADER_FILE_LOG", log.to_str().unwrap()).succeeds();
    let operations = fs_err::read_to_string(&log).unwrap();
    let is_wanted = |line: &str| line.starts_with("changes rename to") && line.contains(path);
    let number = 1 + operations.lines().position(is_wanted).unwrap();
    let outcome = load(dir.target()).env("EVENTLOADER_FAULT", &format!("{number}:stop")).run();
    assert_eq!(outcome.status.code(), None, "{outcome}");
    dir
}

#[track_caller]
fn recovers(dir: &Workdir, says: &str) -> Outcome {
    dir.bare_loader().arg("recover").arg(dir.target()).succeeds().says(&[says]);
    assert_no_debris(&dir.target());
    run_verify(dir, 0)
}

#[test]
fn a_load_that_was_interrupted_before_its_commit_is_undone() {
    let dir = stopped_at("journal.json");
    // Nothing was recorded, so the target is fine as it is.
    run_verify(&dir, 0);
    recovers(&dir, "it had recorded no commit");
    let verified = recovers(&dir, "nothing to recover");
    assert!(verified.stderr.contains("0 rows"), "{verified}");
}

#[test]
fn a_commit_that_was_interrupted_is_told_and_finished() {
    let dir = stopped_at(DAY_1);
    tells(&dir, &[&["_eventloader/journal.json", "eventloader recover"]]);
    let verified = recovers(&dir, "finished the commit of an interrupted load: 5 changes");
    assert!(verified.stderr.contains("100 rows"), "{verified}");
}

#[test]
fn a_target_that_is_none_is_refused_and_stays_none() {
    let dir = Workdir::new();
    for command in ["verify", "recover"] {
        let outcome = dir.bare_loader().arg(command).arg(dir.target()).exits(1);
        outcome.says(&["target", "no load has ever written there"]);
        assert!(!dir.target().exists());
    }
    dir.bare_loader().args(["verify", "a", "b"]).exits(2);
}

#[test]
fn neither_runs_while_a_load_is_at_work() {
    let dir = loaded();
    let mut load = Command::new(LOADER);
    load.current_dir(dir.path(".")).args(["-s", "-", "-b", "-q", "-t"]).arg(dir.target());
    let mut load = load.stdin(Stdio::piped()).spawn().unwrap();
    let lock = dir.target().join("_eventloader/lock");
    while fs_err::read_to_string(&lock).unwrap().trim() != load.id().to_string() {
        std::thread::yield_now();
    }
    for command in ["verify", "recover"] {
        let outcome = dir.bare_loader().arg(command).arg(dir.target()).exits(4);
        outcome.says(&["another load is using it", &load.id().to_string()]);
    }
    drop(load.stdin.take());
    assert!(load.wait().unwrap().success());
    run_verify(&dir, 0);
}

/// Two readers don't disturb each other, and a read-only target can be verified.
#[test]
fn verify_reads_only() {
    let dir = loaded();
    let lock = fs_err::File::open(dir.target().join("_eventloader/lock")).unwrap();
    lock.file().lock_shared().unwrap();
    run_verify(&dir, 0);
    dir.loader().source("in.json").arg("--backfill").exits(4);
    let payment = event("x", "2024-10-10T00:00:00", "payment-to", "null");
    drop(lock);
    dir.write("in.json", payment);
    dir.loader().source("in.json").arg("--backfill").succeeds();
    run_verify(&dir, 0);
}
