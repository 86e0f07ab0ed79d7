//! Does a file that changes while it is read fail the load, unless it only grows?
//!
//! A load is held at each of its reads of the file, and the file is changed meanwhile. Only debug builds can
//! be held.

use std::{io::Write, path::Path, time::SystemTime};

use crate::support::{
    events::{account_open, file_of},
    files::{assert_no_debris, assert_same_tree, published},
    forms::Form,
    readback::rows,
    workdir::{Loader, Workdir},
};

const LINES: i32 = 20;

/// The ways to read a source: all of them notice.
const READERS: [&[&str]; 4] = [
    &["-t", "target", "--backfill"],
    &["-t", "target", "--backfill", "--mode", "merge"],
    &["-t", "target", "--backfill", "--mode", "merge", "--skip-loaded"],
    &["-t", "target", "--date", "2024-10-10", "--dry-run"],
];

fn lines(first: i32) -> Vec<String> {
    (first..first + LINES).map(|id| account_open(&format!("e{id}"), "2024-10-10T12:00:00", id)).collect()
}

/// A target with other rows of the day, and a source that was written long ago.
fn prepared(form: Form) -> Workdir {
    let dir = Workdir::in_form(form);
    dir.write_lines("before.json", lines(100));
    dir.bare_loader().args(READERS[0]).source("before.json").succeeds();
    dir.write_lines("in.json", lines(0));
    let file = fs_err::OpenOptions::new().write(true).open(dir.path("in.json")).unwrap();
    file.file().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    dir
}

fn loader(dir: &Workdir, flags: &[&str]) -> Loader {
    dir.bare_loader().args(flags).args(["--threads=1", "-s", "in.json"])
}

/// The places of the reads of the source among all operations of a run, from 1.
fn reads(form: Form, flags: &[&str]) -> Vec<usize> {
    let dir = prepared(form);
    let operations = loader(&dir, flags).operations();
    let is_read = |operation: &String| operation.starts_with("looks read ") && operation.ends_with("in.json");
    let found = operations.iter().enumerate().filter(|(_, operation)| is_read(operation));
    let found: Vec<_> = found.map(|(index, _)| index + 1).collect();
    assert!(found.len() > 1, "{operations:?}");
    found
}

/// To the end of its tenth line, or of half of its bytes.
fn cut(path: &Path) {
    let bytes = fs_err::read(path).unwrap();
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(index, _)| index + 1);
    let length = ends.collect::<Vec<_>>().get(9).copied().unwrap_or(bytes.len() / 2);
    fs_err::OpenOptions::new().write(true).open(path).unwrap().set_len(length as u64).unwrap();
}

/// With as many bytes, of which one differs, unless they are compressed.
fn rewrite(path: &Path) {
    let mut bytes = fs_err::read(path).unwrap();
    if let Some(at) = bytes.windows(4).position(|window| window == b"\"e1\"") {
        bytes[at + 1] = b'E';
    }
    fs_err::write(path, bytes).unwrap();
}

#[test]
fn a_file_that_shrinks_or_is_rewritten_fails_the_load_by_name() {
    for form in [Form::Lines, Form::Array, Form::Gzip, Form::Zstd] {
        for flags in READERS {
            for operation in reads(form, flags) {
                for (what, change) in [("cut", cut as fn(&Path)), ("rewritten", rewrite)] {
                    let dir = prepared(form);
                    let before = published(&dir.target());
                    let outcome = loader(&dir, flags).held_at(operation, || change(&dir.path("in.json")));
                    // What was screened is known by its content, which is the same in compressed files.
                    let is_same = what == "rewritten" && flags.contains(&"--skip-loaded");
                    let is_same = is_same && matches!(form, Form::Gzip | Form::Zstd);
                    if is_same && outcome.status.success() {
                        continue;
                    }
                    let what = format!("{form:?}, {what} at operation {operation}: {outcome}");
                    assert_eq!(outcome.status.code(), Some(1), "{what}");
                    outcome.says(&["in.json", "while it was read", "nothing was loaded"]);
                    assert_same_tree(&before, &published(&dir.target()), &what);
                    assert_no_debris(&dir.target());
                }
            }
        }
    }
}

#[test]
fn a_file_that_grows_or_is_moved_is_loaded_as_it_was_when_it_was_opened() {
    for flags in READERS.into_iter().filter(|flags| !flags.contains(&"--dry-run")) {
        for operation in reads(Form::Lines, flags) {
            for what in ["grown", "moved"] {
                let dir = prepared(Form::Lines);
                let path = dir.path("in.json");
                let outcome = loader(&dir, flags).held_at(operation, || match what {
                    "grown" => {
                        let mut file = fs_err::OpenOptions::new().append(true).open(&path).unwrap();
                        file.write_all(file_of(lines(50)).as_bytes()).unwrap();
                    }
                    _ => fs_err::rename(&path, dir.path("archived.json")).unwrap(),
                });
                if what == "moved" && flags.contains(&"--skip-loaded") && !outcome.status.success() {
                    // Moved between screening and loading, it can't be found any more.
                    outcome.says(&["in.json"]);
                    continue;
                }
                let what = format!("{what} at operation {operation}: {outcome}");
                assert_eq!(outcome.status.code(), Some(0), "{what}");
                let rows = rows(&dir.target());
                let loaded = rows["2024/10/10/account-open"]
                    .iter()
                    .filter(|row| row[0].trim_matches('"').len() < 4)
                    .count();
                assert_eq!(loaded, usize::try_from(LINES).unwrap(), "{what}");
            }
        }
    }
}
