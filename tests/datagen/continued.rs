//! `--if-exists append` and `new-file`: runs that continue existing events equal one run, byte for byte.

use std::path::Path;

use fs_err as fs;
use tempfile::TempDir;

use crate::support::{all_text, failure, names, run, stdout, text, write, write_failure};

pub(crate) const WORLDS: [&str; 2] = ["simple", "ledger"];
pub(crate) const APPEND: [&str; 2] = ["--if-exists", "append"];
pub(crate) const NEW_FILE: [&str; 2] = ["--if-exists", "new-file"];

/// Runs once for each number of events.
fn write_each(directory: &Path, arguments: &[&str], counts: &[&str]) {
    for count in counts {
        write(directory, &[&["-n", count], arguments].concat());
    }
}

#[test]
fn appended_runs_are_one_run() {
    for world in WORLDS {
        for compress in ["none", "gzip", "zstd"] {
            let directory = TempDir::new().unwrap();
            let flags = ["--world", world, "-s", "7", "--compress", compress];
            // Across the ends of chunks of 2,048 events, and by no event at all.
            let counts = ["500", "1548", "0", "1", "3000"];
            write_each(directory.path(), &[&flags[..], &APPEND].concat(), &counts);
            let [name] = &names(directory.path())[..] else { panic!("one file") };
            let expected = stdout(&["--world", world, "-s", "7", "-n", "5049"]);
            assert!(text(directory.path(), name) == expected, "{world} {compress}");
        }
    }
}

#[test]
fn what_was_appended_is_said() {
    let directory = TempDir::new().unwrap();
    write(directory.path(), &["-n", "500"]);
    let said = write(directory.path(), &["-n", "3000", "--if-exists", "append"]);
    let length = stdout(&["-n", "3000", "--first-event", "500"]).len();
    let path = directory.path().join("events.json");
    assert_eq!(said, format!("appended 3000 events ({length} bytes) to {}\n", path.display()));
}

#[test]
fn new_files_go_on_where_the_others_end() {
    for world in WORLDS {
        let directory = TempDir::new().unwrap();
        write_each(directory.path(), &[&["--world", world][..], &NEW_FILE].concat(), &["500", "2500", "10"]);
        let files =
            ["events.json", "events-1.json", "events-2.json"].map(|name| text(directory.path(), name));
        assert_eq!(files.concat(), stdout(&["--world", world, "-n", "3010"]));
        assert_eq!(names(directory.path()).len(), 3);
    }
}

#[test]
fn file_numbers_continue_after_the_highest() {
    for if_exists in [APPEND, NEW_FILE] {
        let directory = TempDir::new().unwrap();
        write_each(directory.path(), &[&["--files", "2"][..], &if_exists].concat(), &["500", "2500", "10"]);
        let expected: Vec<_> = (1..=6).map(|number| format!("events-0000{number}.json")).collect();
        assert_eq!(names(directory.path()), expected);
        assert_eq!(all_text(directory.path()), stdout(&["-n", "3010"]));
    }
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("events-99998.json"), "").unwrap();
    let (code, said) = write_failure(directory.path(), &[&["--files", "2"][..], &APPEND].concat());
    assert_eq!((code, said.lines().count()), (1, 1), "{said}");
    assert!(said.contains("ask for fewer --files"), "{said}");
}

#[test]
fn an_appended_day_stays_one_file() {
    for world in WORLDS {
        for compress in ["none", "zstd"] {
            let directory = TempDir::new().unwrap();
            let flags = ["--world", world, "--rotate", "day", "--compress", compress];
            write_each(directory.path(), &[&flags[..], &APPEND].concat(), &["2000", "3000", "1"]);
            let once = TempDir::new().unwrap();
            write_each(once.path(), &flags, &["5001"]);
            assert_eq!(names(directory.path()), names(once.path()));
            for name in names(once.path()) {
                assert!(text(directory.path(), &name) == text(once.path(), &name), "{world} {name}");
            }
        }
    }
}

#[test]
fn a_new_file_of_a_day_leaves_the_first_alone() {
    let directory = TempDir::new().unwrap();
    write_each(directory.path(), &[&["--rotate", "day"][..], &NEW_FILE].concat(), &["100", "20"]);
    let files = ["events-2024-10-10.json", "events-2024-10-10-1.json"];
    assert_eq!(files.map(|name| text(directory.path(), name)).concat(), stdout(&["-n", "120"]));
    assert_eq!(names(directory.path()).len(), 2);
}

/// Whatever files the events are in, and whatever is between them, the largest position counts.
#[test]
fn the_last_event_is_found_among_files_of_every_kind() {
    let directory = TempDir::new().unwrap();
    let of = |first: &str, count: &str, more: &[&str]| {
        stdout(&[&["--world", "ledger", "--first-event", first, "-n", count], more].concat())
    };
    for (name, lines) in [
        ("events.json", of("300", "100", &[])),
        ("events-00004.json", of("0", "100", &[])),
        (
            "events-2024-10-12T07.json",
            format!(
                "\n{}\n{{}}\n",
                of("100", "200", &["--faults", "late=50,unknown-fields=60,unknown-events=20"])
            ),
        ),
        ("events-2024-10-13.json", "no event\n".to_owned()),
        // Other files are ignored.
        ("events-x.json", of("5000", "10", &[])),
    ] {
        fs::write(directory.path().join(name), lines).unwrap();
    }
    write(
        directory.path(),
        &[
            "--world",
            "ledger",
            "-n",
            "10",
            "--rotate",
            "hour",
            "--if-exists",
            "new-file",
            "--compress",
            "gzip",
        ],
    );
    let compressed =
        names(directory.path()).into_iter().filter(|name| name.split('.').next_back() == Some("gz"));
    let written: String = compressed.map(|name| text(directory.path(), &name)).collect();
    assert_eq!(written, of("400", "10", &[]));
}

#[test]
fn an_open_last_line_is_ended_and_an_empty_file_stays_empty() {
    for (old, first_event) in
        [(stdout(&["-n", "4"]).trim_end().to_owned(), "4"), (stdout(&["-n", "4"]), "4"), (String::new(), "0")]
    {
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("events.json"), &old).unwrap();
        write(directory.path(), &["-n", "2", "--if-exists", "append"]);
        let end = if old.is_empty() { "" } else { "\n" };
        let new = stdout(&["-n", "2", "--first-event", first_event]);
        assert_eq!(text(directory.path(), "events.json"), format!("{}{end}{new}", old.trim_end()));
    }
}

#[test]
fn an_open_last_line_of_a_compressed_file_is_ended() {
    let directory = TempDir::new().unwrap();
    let old = zstd::encode_all(stdout(&["-n", "4"]).trim_end().as_bytes(), 1).unwrap();
    fs::write(directory.path().join("events.json.zst"), old).unwrap();
    write(directory.path(), &["-n", "2", "--if-exists", "append", "--compress", "zstd"]);
    assert_eq!(text(directory.path(), "events.json.zst"), stdout(&["-n", "6"]));
}

#[test]
fn another_stream_is_not_continued() {
    let stream = ["--world", "ledger", "-s", "3"];
    for (old, other) in [
        (&stream[..], &["--world", "ledger", "-s", "4"][..]),
        (&stream, &["--world", "simple", "-s", "3"]),
        (&stream, &["--world", "ledger", "-s", "3", "-d", "2024-10-11"]),
        (&stream, &["--world", "ledger", "-s", "3", "--events-per-day", "1441"]),
        (&["-s", "3"], &["-s", "3", "--world", "ledger"]),
    ] {
        let directory = TempDir::new().unwrap();
        write(directory.path(), old);
        let before = all_text(directory.path());
        for if_exists in [APPEND, NEW_FILE] {
            let (code, said) = write_failure(directory.path(), &[other, &if_exists[..]].concat());
            assert_eq!((code, said.lines().count()), (1, 1), "{said}");
            assert!(said.contains("are not of this stream") && said.contains("--base-path"), "{said}");
        }
        assert_eq!(all_text(directory.path()), before);
        assert_eq!(names(directory.path()), ["events.json"]);
    }
}

#[test]
fn what_datagen_has_not_written_is_not_continued() {
    for old in ["{}\n", "{\"event_id\": \"c07bbad8-2549-4b56-9328-d7180e2f906e\"}", "no json"] {
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("events.json"), old).unwrap();
        let (code, said) = write_failure(directory.path(), &["--if-exists", "append"]);
        assert_eq!((code, said.lines().count()), (1, 1), "{old}: {said}");
        assert_eq!(text(directory.path(), "events.json"), old);
    }
}

#[test]
fn a_damaged_file_is_named() {
    let directory = TempDir::new().unwrap();
    write(directory.path(), &["-n", "5000", "--compress", "gzip"]);
    let path = directory.path().join("events.json.gz");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
    let (code, said) = write_failure(directory.path(), &["--if-exists", "append"]);
    assert_eq!((code, said.lines().count()), (1, 1), "{said}");
    assert!(said.contains("events.json.gz") && said.contains("repair or remove it"), "{said}");
}

#[test]
fn records_of_earlier_runs_stay() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (base_path, manifest, log) = (path("in"), path("truth.json"), path("log"));
    let continued = |if_exists: [&str; 2]| {
        let to = ["-w", "-b", &base_path, "--manifest", &manifest, "--faults-log", &log];
        let output = run(&[&to[..], &["-n", "50", "--faults", "late=5"], &if_exists].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let said = continued(APPEND);
    assert!(said.ends_with("/in/events.json\n"), "{said}");
    for (if_exists, number) in [(APPEND, 1), (NEW_FILE, 2)] {
        let said = continued(if_exists);
        let expected = [format!("truth-{number}.json"), format!("log-{number}")].map(|name| path(&name));
        let expected = format!(", the manifest to {}, the faults log to {}\n", expected[0], expected[1]);
        assert!(said.ends_with(&expected), "{said}");
    }
    assert_eq!(
        names(directory.path()),
        ["in", "log", "log-1", "log-2", "truth-1.json", "truth-2.json", "truth.json"]
    );
    for (name, first_event) in [("truth.json", 0), ("truth-1.json", 50), ("truth-2.json", 100)] {
        let manifest = text(directory.path(), name);
        assert!(manifest.contains(&format!("\"first_event\":{first_event},\"num_events\":50")), "{manifest}");
    }
    continued(["--if-exists", "overwrite"]);
    assert!(text(directory.path(), "truth.json").contains("\"first_event\":0,"));
    assert_eq!(names(directory.path()).len(), 7, "a run that replaces the events replaces their manifest");
}

#[test]
fn first_event_passes_over_those_before_it() {
    for world in WORLDS {
        let stream = stdout(&["--world", world, "-n", "5000"]);
        let lines: Vec<_> = stream.split_inclusive('\n').collect();
        for first in [0, 1, 2047, 2048, 4990, 5000] {
            for threads in ["1", "3"] {
                let (first_event, count) = (first.to_string(), (5000 - first).to_string());
                let flags =
                    ["--world", world, "--threads", threads, "--first-event", &first_event, "-n", &count];
                assert!(
                    stdout(&flags) == lines[first..].concat(),
                    "{world}, from {first}, {threads} threads"
                );
            }
        }
    }
    let (code, said) = failure(&["-w", "--first-event", "3", "--if-exists", "append"]);
    assert_eq!((code, said.lines().count()), (2, 1), "{said}");
}
