//! Do memory, disk, read errors and many bad lines end as promised?

use std::process::Command;

use serde_json::json;

use crate::support::{
    events::{Die, account_open, event, file_of, plain_events, three_days},
    files::{assert_no_debris, assert_same_tree, published, tree},
    peak_memory::assert_peak,
    readback::{codecs_of, parquet_files},
    workdir::{LOADER, Loader, Workdir},
};

#[test]
fn more_bad_lines_than_allowed_change_nothing() {
    // Ten lines, blank one included, of which three are bad.
    let dir = Workdir::on_disk();
    let mut lines: Vec<_> =
        (0..6).map(|index| account_open(&format!("e{index}"), "2024-10-10T08:00:00", index)).collect();
    lines.extend(["{", "", "[]", "x"].map(str::to_owned));
    let source = dir.write("in.json", file_of(lines));
    for limit in ["2", "0", "29%", "0%"] {
        let outcome = dir.loader().source(&source).args(["--backfill", "--max-bad-lines", limit]).exits(3);
        outcome.says(&["3", limit]);
        assert!(
            !dir.target().exists(),
            "{limit}: nothing of the target was made: {:?}",
            tree(&dir.target()).keys()
        );
    }
    for limit in ["3", "4", "30%", "100%"] {
        let outcome = dir.loader().source(&source).args(["--backfill", "--max-bad-lines", limit]).succeeds();
        assert_eq!((outcome.count("quarantined.total"), outcome.count("written")), (3, 6), "{limit}");
    }
    let before = published(&dir.target());
    let worse = dir.write("worse.json", "{}\n");
    dir.loader().source(worse).source(&source).args(["--backfill", "--max-bad-lines=3"]).exits(3);
    assert_same_tree(&before, &published(&dir.target()), "a target that held a load before");
    assert_no_debris(&dir.target());
}

/// 60,000 events with 2 KiB of text each, all different, out of order, over 20 days. A third of them, and all
/// of the first day, are superseded by events anywhere else in the file.
fn large_events() -> String {
    let mut die = Die::new(1);
    let lines = (0..60_000_u32).map(|index| {
        let (event_id, second) = match index {
            0..5_000 => (index, die.roll(86_400)),
            5_000..10_000 => (index - 5_000, 86_400 * (1 + die.roll(19))),
            _ => (u32::try_from(die.roll(50_000)).unwrap(), 86_400 + die.roll(86_400 * 19)),
        };
        let reason = format!("{:016x}", die.roll(u64::MAX)).repeat(128);
        let timestamp =
            chrono::DateTime::from_timestamp_secs(1_728_518_400 + i64::try_from(second).unwrap()).unwrap();
        let timestamp = format!("{}.{index:06}", timestamp.format("%Y-%m-%dT%H:%M:%S"));
        event(
            &format!("{event_id:032x}"),
            &timestamp,
            "account-open",
            &format!("{{\"reason\": \"{reason}\"}}"),
        )
    });
    file_of(lines)
}

/// Rows that fit into memory and rows that are spilled are written alike and reported alike.
#[test]
fn a_load_beyond_its_memory_writes_the_same_bytes() {
    let dir = Workdir::on_disk();
    let source = dir.write("in.json", large_events());
    let load = |target: &str, memory: &str| {
        let loader =
            dir.loader_into(target).source(&source).args(["--since=2024-10-10", "--until=2024-10-29"]);
        let outcome = loader.args(["--compression=snappy", "--memory", memory]).succeeds();
        assert_no_debris(&dir.path(target));
        let mut report = outcome.report().clone();
        report["duration_ms"].take();
        report["stages"].take();
        (published(&dir.path(target)), report)
    };
    let (in_memory, report) = load("in-memory", "4GiB");
    assert!(
        report["superseded"].as_u64() > Some(10_000) && report["written"].as_u64() > Some(30_000),
        "{report:#}"
    );
    assert_eq!(report["days_without_events"], json!(["2024-10-10"]));
    let (spilled, report_of_spilled) = load("spilled", "64MiB");
    assert_same_tree(&in_memory, &spilled, "120 MB of rows in 64 MiB");
    assert_eq!(report, report_of_spilled, "in memory, and spilled");
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_never_holds_more_than_its_memory() {
    let dir = Workdir::on_disk();
    dir.write("wide-rows.json", large_events());
    dir.write("tiny-bad-lines.json", "{}\n".repeat(500_000));
    for source in ["wide-rows.json", "tiny-bad-lines.json"] {
        let limits = ["--backfill", "--memory=64MiB", "--threads=8", "--max-bad-lines=100%"];
        assert_peak(dir.loader().source(source).args(limits), 64, source);
    }
    // All that the target holds competes, and each partition is read while it is written.
    let corrected = fs_err::read_to_string(dir.path("wide-rows.json"))
        .unwrap()
        .replace("\"reason\": \"", "\"reason\": \"x");
    dir.write("corrected.json", corrected);
    let merge = ["--backfill", "--memory=64MiB", "--threads=8", "--mode=merge"];
    assert_peak(dir.loader().source("corrected.json").args(merge), 64, "a merge of wide rows");
}

/// Starts the loader with a limit of the shell: `-f` for blocks per file (larger files fail, as on a full
/// disk), or `-n` for open files.
fn limited(dir: &Workdir, limit: &str, value: u32) -> Loader {
    limited_after("", dir, limit, value)
}

/// The same after another command of the shell.
fn limited_after(first: &str, dir: &Workdir, limit: &str, value: u32) -> Loader {
    let mut shell = Command::new("sh");
    let script = format!(r#"{first} ulimit "$1" "$2"; shift 2; exec "$@""#);
    shell.args(["-c", &script, "sh", limit, &value.to_string(), LOADER]);
    Loader::new(shell, dir).arg("-t").arg(dir.target())
}

/// With SIGXFSZ as the shell has it, and ignored, which makes a full disk of the limit.
#[test]
fn a_full_disk_changes_nothing() {
    for first in ["", "trap '' XFSZ;"] {
        let dir = Workdir::on_disk();
        let source = dir.write("in.json", file_of(plain_events(1, 20_000, 10)));
        let small = dir.write("small.json", file_of(three_days(1)));
        let full_disk = || limited_after(first, &dir, "-f", 8).source(&source).arg("--backfill");
        let partition = "writing 2024/10/1";
        full_disk().exits(1).says(&[partition, "File too large"]);
        assert!(
            !dir.target().exists(),
            "a first load that fails leaves no target: {:?}",
            tree(&dir.target()).keys()
        );

        dir.loader().source(small).arg("--backfill").succeeds();
        let before = published(&dir.target());
        full_disk().exits(1).says(&[partition, "File too large"]);
        assert_same_tree(&before, &published(&dir.target()), "after a full disk");
        assert_no_debris(&dir.target());
        dir.loader().source(&source).arg("--backfill").succeeds();
        assert_no_debris(&dir.target());
    }
}

/// Wherever the loader can open no more files, it names the file, and the target is as it was.
#[test]
fn too_few_open_files_change_nothing() {
    for (codec, old_lines) in [("zstd", three_days(1)), ("snappy", three_days(1)), ("zstd", Vec::new())] {
        let dir = Workdir::new();
        let old = dir.write("old.json", file_of(old_lines));
        let new = dir.write("new.json", file_of(three_days(2)));
        let new_flags = ["--backfill", "--threads=2", "--compression", codec];
        for target in ["before", "after"] {
            dir.loader_into(target).source(&old).arg("--backfill").succeeds();
        }
        dir.loader_into("after").source(&new).args(new_flags).succeeds();
        let (before, after) = (published(&dir.path("before")), published(&dir.path("after")));

        let (mut failed, mut loaded) = (0, 0);
        // Below four, the system can't start the program.
        for files in 4..=14 {
            let _ = fs_err::remove_dir_all(dir.target());
            dir.loader().source(&old).arg("--backfill").succeeds();
            let outcome = limited(&dir, "-n", files).source(&new).args(new_flags).run();
            match outcome.status.code() {
                Some(0) => loaded += 1,
                Some(1) => {
                    outcome.says(&["Too many open files"]);
                    let what = format!("with {files} open files: {outcome}");
                    assert_same_tree(&before, &published(&dir.target()), &what);
                    dir.loader().source(&new).args(new_flags).succeeds();
                    failed += 1;
                }
                _ => panic!("with {files} open files: {outcome}"),
            }
            assert_same_tree(&after, &published(&dir.target()), &format!("in the end, {files} open files"));
            assert_no_debris(&dir.target());
        }
        assert!(failed > 2 && loaded > 2, "{failed} failed, {loaded} loaded");
    }
}

/// If one partition can't be published, none is.
#[test]
fn a_partition_that_cannot_be_written_changes_nothing() {
    let dir = Workdir::on_disk();
    let lines = [
        account_open("a", "2024-10-10T08:00:00", 1),
        account_open("b", "2024-10-11T08:00:00", 1),
        account_open("c", "2024-10-12T08:00:00", 1),
    ];
    let source = dir.write("in.json", file_of(lines));
    let old = dir.write("old.json", account_open("old", "2024-10-10T08:00:00", 1));
    dir.loader().source(old).arg("--backfill").succeeds();
    for obstacle in ["2024/10/11", "2024/10/12/account-open"] {
        let in_the_way = dir.write(&format!("target/{obstacle}"), "a file where a directory should be");
        let before = published(&dir.target());
        dir.loader().source(&source).arg("--backfill").exits(1).says(&[obstacle]);
        assert_same_tree(&before, &published(&dir.target()), &format!("with a file at {obstacle}"));
        assert_no_debris(&dir.target());
        fs_err::remove_file(in_the_way).unwrap();
    }
    let outcome = dir.loader().source(source).arg("--backfill").succeeds();
    assert_eq!(outcome.count("written"), 3);
}

/// Reading `/proc/self/mem` from its start fails, as reading from a broken disk does.
#[cfg(target_os = "linux")]
#[test]
fn a_source_that_cannot_be_read_changes_nothing() {
    let dir = Workdir::on_disk();
    let good = dir.write("in.json", file_of(three_days(1)));
    let outcome = dir.loader().source(good).source("/proc/self/mem").arg("--backfill").exits(1);
    outcome.says(&["/proc/self/mem"]);
    assert!(!dir.target().exists());
}

/// A file has the codec that its name says.
#[test]
fn the_default_codec_is_one_of_the_contract_s() {
    let dir = Workdir::on_disk();
    dir.loader().source(dir.write("in.json", file_of(three_days(1)))).arg("--backfill").succeeds();
    let mut compressed = 0;
    for name in parquet_files(&tree(&dir.target())) {
        let codec = name.rsplit('.').nth(1).unwrap();
        for written in codecs_of(&dir.target().join(&name)) {
            // Column chunks of a few bytes are not worth compressing.
            let is_named = written.to_lowercase().starts_with(codec);
            assert!(is_named || written == "UNCOMPRESSED", "{name} is {written}");
            compressed += usize::from(is_named);
        }
    }
    assert!(compressed > 0, "no file has the codec that it is named for");
}
