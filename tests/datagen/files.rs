//! Several files, compressed files, and which existing files are replaced.

use std::{collections::BTreeMap, path::Path, process::Stdio};

use fs_err as fs;
use serde::Deserialize;
use tempfile::TempDir;

use crate::support::{
    all_text, command, decompressed, failure, names, run, stdout, text, write, write_failure,
};

const WORLDS: [&str; 2] = ["simple", "ledger"];

/// All files of a directory, as they are.
fn contents(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |name: String| (name.clone(), fs::read(directory.join(name)).unwrap());
    names(directory).into_iter().map(read).collect()
}

#[test]
fn files_are_equal_parts_of_the_stream() {
    for world in WORLDS {
        let directory = TempDir::new().unwrap();
        let said = write(directory.path(), &["--world", world, "-n", "5003", "--files", "7"]);
        let expected: Vec<_> = (1..=7).map(|number| format!("events-0000{number}.json")).collect();
        assert_eq!(names(directory.path()), expected);
        let stream = stdout(&["--world", world, "-n", "5003"]);
        assert_eq!(all_text(directory.path()), stream);
        let lengths = expected.iter().map(|name| text(directory.path(), name).lines().count());
        assert!(
            lengths.clone().all(|lines| lines == 714 || lines == 715),
            "{:?}",
            lengths.collect::<Vec<_>>()
        );
        let place = directory.path().display();
        assert_eq!(
            said,
            format!(
                "wrote 5003 events ({} bytes) to 7 files in {place}, events-00001.json to events-00007.json\n",
                stream.len()
            )
        );
    }
}

#[test]
fn there_are_no_more_files_than_events() {
    let directory = TempDir::new().unwrap();
    write(directory.path(), &["-n", "3", "--files", "99999"]);
    assert_eq!(names(directory.path()), ["events-00001.json", "events-00002.json", "events-00003.json"]);
    let said = write(directory.path(), &["-n", "0", "--files", "2"]);
    assert_eq!((said.as_str(), names(directory.path()).len()), ("wrote 0 events (0 bytes), no file\n", 0));
}

#[test]
fn a_rotated_file_has_the_events_of_its_day_or_hour() {
    // The timestamp begins at byte 67.
    for (world, unit, prefix, count) in [
        ("simple", "day", 10, "7"),
        ("ledger", "day", 10, "7"),
        ("simple", "hour", 13, "168"),
        ("ledger", "hour", 13, "168"),
    ] {
        let directory = TempDir::new().unwrap();
        let said = write(directory.path(), &["--world", world, "--duration", "7d", "--rotate", unit]);
        let files = names(directory.path());
        assert_eq!(files.len().to_string(), count, "{world} {unit}");
        assert!(said.contains(&format!(" to {count} files in ")), "{said}");
        for name in &files {
            let time = name.strip_prefix("events-").unwrap().strip_suffix(".json").unwrap();
            let lines = text(directory.path(), name);
            assert!(!lines.is_empty() && lines.lines().all(|line| &line[67..67 + prefix] == time), "{name}");
        }
        assert_eq!(all_text(directory.path()), stdout(&["--world", world, "--duration", "7d"]));
    }
}

/// In each mode, compressed or not, the bytes of the files are the same for any number of threads.
#[test]
fn threads_do_not_matter() {
    let modes: [&[&str]; 5] = [
        &["--files", "5"],
        &["--rotate", "day", "--compress", "gzip"],
        &["--rotate", "hour"],
        &["--compress", "zstd"],
        &["--bytes", "3MB", "--compress", "zstd", "--rotate", "day"],
    ];
    for (world, mode) in WORLDS.into_iter().flat_map(|world| modes.map(|mode| (world, mode))) {
        let amount: &[&str] = if mode.contains(&"--bytes") { &[] } else { &["-n", "13000"] };
        let written = ["1", "2", "3", "7"].map(|threads| {
            let directory = TempDir::new().unwrap();
            write(directory.path(), &[&["--world", world, "--threads", threads], amount, mode].concat());
            contents(directory.path())
        });
        assert!(written.iter().all(|files| *files == written[0]), "{world} {mode:?}");
    }
}

#[test]
fn compressed_events_are_the_same_events() {
    for (format, end) in [("gzip", "gz"), ("zstd", "zst")] {
        let expected = stdout(&["-n", "9000"]);
        let output = run(&["-n", "9000", "--compress", format]);
        assert!(output.stdout.len() * 3 < expected.len(), "{format}: {} bytes", output.stdout.len());
        assert_eq!(String::from_utf8(decompressed(&output.stdout)).unwrap(), expected);

        let directory = TempDir::new().unwrap();
        let said = write(directory.path(), &["-n", "9000", "--compress", format]);
        let name = format!("events.json.{end}");
        assert_eq!(names(directory.path()), [name.as_str()]);
        assert_eq!(fs::read(directory.path().join(&name)).unwrap(), output.stdout);
        let (plain, compressed) = (expected.len(), output.stdout.len());
        assert!(
            said.starts_with(&format!("wrote 9000 events ({plain} bytes, {compressed} compressed) to ")),
            "{said}"
        );
    }
}

#[test]
fn a_run_that_overwrites_replaces_the_whole_set_and_nothing_else() {
    let directory = TempDir::new().unwrap();
    let others = ["events-1.json", "events-2024.json", "events.jsonl", "notes.json"];
    for name in others {
        fs::write(directory.path().join(name), "mine\n").unwrap();
    }
    fs::create_dir(directory.path().join("events-00009.json")).unwrap();
    for (arguments, expected) in [
        (&["--files", "3"][..], &["events-00001.json", "events-00002.json", "events-00003.json"][..]),
        (&["--files", "2", "--compress", "zstd"], &["events-00001.json.zst", "events-00002.json.zst"]),
        (&["--rotate", "day"], &["events-2024-10-10.json"]),
        (&["--rotate", "hour"], &["events-2024-10-10T00.json"]),
        (&["--compress", "gzip"], &["events.json.gz"]),
        (&[], &["events.json"]),
    ] {
        write(directory.path(), arguments);
        let mut found = names(directory.path());
        found.retain(|name| !others.contains(&name.as_str()) && name != "events-00009.json");
        assert_eq!(found, expected, "{arguments:?}");
    }
    for name in others {
        assert_eq!(text(directory.path(), name), "mine\n", "{name}");
    }
    assert!(directory.path().join("events-00009.json").is_dir());
}

/// A run that fails leaves the complete files, and those that it would have replaced.
#[test]
fn a_run_that_fails_leaves_complete_files() {
    let directory = TempDir::new().unwrap();
    write(directory.path(), &["-n", "90", "--files", "9"]);
    let old = contents(directory.path());
    fs::remove_file(directory.path().join("events-00003.json")).unwrap();
    fs::create_dir_all(directory.path().join("events-00003.json/x")).unwrap();
    let (code, said) = write_failure(directory.path(), &["-n", "5000", "--files", "5"]);
    assert_eq!((code, said.lines().count()), (1, 1), "{said}");
    assert!(said.contains("events-00003.json"), "{said}");
    assert!(said.contains("2 events files are complete, no other was changed"), "{said}");
    let stream = stdout(&["-n", "2000"]);
    assert_eq!(
        text(directory.path(), "events-00001.json") + &text(directory.path(), "events-00002.json"),
        stream
    );
    for number in 4..=9 {
        let name = format!("events-0000{number}.json");
        assert_eq!(text(directory.path(), &name).into_bytes(), old[&name]);
    }
    assert_eq!(names(directory.path()).len(), 9);
}

#[test]
fn files_of_a_live_feed_appear_one_by_one() {
    let directory = TempDir::new().unwrap();
    let base_path = directory.path().to_str().unwrap();
    let arguments = ["-w", "-b", base_path, "-n", "1000000", "--rotate", "day", "--rate", "20000"];
    let mut feed = command(&arguments).stderr(Stdio::null()).spawn().unwrap();
    let complete = |name: &str| directory.path().join(name).exists();
    let half =
        |name: &String| name.starts_with(".events.json.") && name.split('.').next_back() == Some("tmp");
    let half_files = || names(directory.path()).iter().filter(|name| half(name)).count();
    // The third file is begun a moment after the second is complete.
    while !complete("events-2024-10-11.json") || half_files() == 0 {
        assert_eq!(feed.try_wait().unwrap(), None, "the feed has ended");
        std::thread::yield_now();
    }
    feed.kill().unwrap();
    feed.wait().unwrap();
    let files = ["events-2024-10-10.json", "events-2024-10-11.json"].map(|name| text(directory.path(), name));
    assert_eq!(files.concat(), stdout(&["--end-date", "2024-10-11"]));
    assert_eq!(half_files(), 1);
}

/// A line of the faults log.
#[derive(Debug, Deserialize)]
struct Logged {
    file: String,
    line: usize,
    action: String,
    clean: Option<String>,
}

/// `line` counts in the named file: an altered line is there, and differs from the clean one.
#[test]
fn the_log_of_faults_names_files() {
    for mode in [&["--files", "3"][..], &["--rotate", "day"]] {
        let (directory, records) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let log = records.path().join("log");
        let faults = ["-n", "6000", "--faults", "offsets=40,blank=5", "--faults-log", log.to_str().unwrap()];
        write(directory.path(), &[&faults, mode].concat());
        let log = fs::read_to_string(log).unwrap();
        let logged: Vec<Logged> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(logged.len(), 45);
        for Logged { file, line, action, clean } in logged {
            let lines = text(directory.path(), &file);
            let line = lines.split('\n').nth(line - 1).unwrap();
            match action.as_str() {
                "altered" => {
                    let clean = clean.unwrap();
                    assert!(line[..60] == clean[..60] && line != clean, "{line}");
                }
                _ => assert_eq!(line.trim(), ""),
            }
        }
    }
}

#[test]
fn flags_that_contradict_each_other_are_exit_code_2() {
    for arguments in [
        &["--files", "2"][..],
        &["--rotate", "day"],
        &["-w", "--files", "2", "--rotate", "day"],
        &["-w", "--files", "0"],
        &["-w", "--files", "100000"],
        &["-w", "--rotate", "week"],
        &["--compress", "bzip2"],
        &["--rate", "0"],
        &["--rate", "10000001"],
    ] {
        let (code, said) = failure(arguments);
        assert_eq!((code, said.lines().count()), (2, 1), "{arguments:?}: {said}");
    }
}
