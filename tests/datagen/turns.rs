//! Runs that write to one directory at the same time, and other programs that do.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::Stdio,
};

use fs_err as fs;
use tempfile::TempDir;

use crate::{
    continued::{APPEND, NEW_FILE},
    support::{command, names, stdout, text, write},
};

#[test]
fn runs_at_once_are_one_run_after_the_other() {
    for flags in [&APPEND[..], &["--if-exists", "append", "--rotate", "day", "--compress", "zstd"], &NEW_FILE]
    {
        let directory = TempDir::new().unwrap();
        let base_path = directory.path().to_str().unwrap();
        let runs = [(); 6].map(|()| {
            let arguments = [&["-w", "-q", "-n", "500", "-b", base_path], flags].concat();
            command(&arguments).stderr(Stdio::piped()).spawn().unwrap()
        });
        for run in runs {
            let output = run.wait_with_output().unwrap();
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        }
        let files = names(directory.path());
        let mut lines: Vec<_> = files.iter().map(|name| text(directory.path(), name)).collect();
        if flags == NEW_FILE {
            // events-1.json sorts before events.json.
            lines.rotate_right(1);
        }
        assert!(lines.concat() == stdout(&["-n", "3000"]), "{flags:?}: {files:?}");
    }
}

#[test]
fn a_run_that_has_to_wait_says_so_and_sees_what_the_other_has_left() {
    let directory = TempDir::new().unwrap();
    let base_path = directory.path().to_str().unwrap();
    let other = fs::File::create(directory.path().join(".datagen.lock")).unwrap();
    other.lock().unwrap();
    let mut waiting = command(&[&["-w", "-b", base_path], &APPEND[..]].concat());
    let mut waiting = waiting.stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(waiting.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, format!("waiting for another run that writes to {base_path}\n"));
    fs::write(directory.path().join("events.json"), stdout(&["-n", "7"])).unwrap();
    drop(other);
    said.read_to_string(&mut line).unwrap();
    assert!(waiting.wait().unwrap().success(), "{line}");
    assert_eq!(text(directory.path(), "events.json"), stdout(&["-n", "17"]));
    assert_eq!(names(directory.path()), ["events.json"]);
}

/// What another program writes behind the events while they are continued is not lost.
#[test]
fn a_file_that_another_program_changes_meanwhile_is_not_replaced() {
    let directory = TempDir::new().unwrap();
    write(directory.path(), &["-n", "5"]);
    let path = directory.path().join("events.json");
    let feed = ["-w", "-b", directory.path().to_str().unwrap(), "-n", "10", "--rate", "10"];
    let mut feed = command(&[&feed[..], &APPEND].concat()).stderr(Stdio::piped()).spawn().unwrap();
    while names(directory.path()).len() < 3 {
        std::thread::yield_now();
    }
    let more = stdout(&["-n", "1", "--first-event", "5"]);
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(more.as_bytes()).unwrap();
    let mut said = String::new();
    feed.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(feed.wait().unwrap().code(), Some(1), "{said}");
    assert!(
        said.contains("another program has changed the file meanwhile; no events file was changed"),
        "{said}"
    );
    assert_eq!(text(directory.path(), "events.json"), stdout(&["-n", "6"]));
    assert_eq!(names(directory.path()), ["events.json"]);
}
