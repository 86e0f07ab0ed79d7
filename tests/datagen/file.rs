//! `--write-data`: a complete file or none, and what happens to an existing one.

use std::process::Stdio;

use fs_err as fs;
use tempfile::TempDir;

use crate::support::{command, names, run, stdout, write};

#[test]
fn a_missing_directory_is_made_and_the_file_is_what_standard_output_gets() {
    let temporary = TempDir::new().unwrap();
    let directory = temporary.path().join("raw/events");
    let said = write(&directory, &["-n", "5000"]);
    let expected = stdout(&["-n", "5000"]);
    let path = directory.join("events.json");
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    assert_eq!(said, format!("wrote 5000 events ({} bytes) to {}\n", expected.len(), path.display()));
    assert_eq!(names(&directory), ["events.json"]);
}

#[test]
fn the_default_directory_is_data_raw_events() {
    let temporary = TempDir::new().unwrap();
    let output = command(&["-w"]).current_dir(temporary.path()).output().unwrap();
    assert!(output.status.success());
    assert_eq!(names(&temporary.path().join("data/raw_events")), ["events.json"]);
}

#[test]
fn overwrite_is_the_default() {
    let directory = TempDir::new().unwrap();
    for arguments in [&["-s", "1"][..], &["-s", "2", "--if-exists", "overwrite"], &["-s", "3"]] {
        write(directory.path(), arguments);
        let text = fs::read_to_string(directory.path().join("events.json")).unwrap();
        assert_eq!(text, stdout(&arguments[..2]));
    }
    assert_eq!(names(directory.path()), ["events.json"]);
}

#[test]
fn new_file_takes_the_first_free_name() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("events-2.json"), "").unwrap();
    for (first_event, name) in [("0", "events.json"), ("10", "events-1.json"), ("20", "events-3.json")] {
        let said = write(directory.path(), &["--if-exists", "new-file"]);
        assert!(said.trim_end().ends_with(&format!("/{name}")), "{said}");
        let written = fs::read_to_string(directory.path().join(name)).unwrap();
        assert_eq!(written, stdout(&["--first-event", first_event]));
    }
    assert_eq!(fs::read_to_string(directory.path().join("events-2.json")).unwrap(), "");
    assert_eq!(names(directory.path()), ["events-1.json", "events-2.json", "events-3.json", "events.json"]);
}

/// Which events each run has depends on which files it saw; none may lose its own.
#[test]
fn runs_side_by_side_never_take_each_others_name() {
    let directory = TempDir::new().unwrap();
    let base_path = directory.path().to_str().unwrap();
    let start = || {
        let arguments = ["-w", "-b", base_path, "--if-exists", "new-file"];
        command(&arguments).stderr(Stdio::null()).spawn().unwrap()
    };
    for mut run in [(); 6].map(|()| start()) {
        assert!(run.wait().unwrap().success());
    }
    let written = names(directory.path());
    assert_eq!(written.len(), 6, "{written:?}");
    let possible = stdout(&["-n", "60"]);
    let possible: Vec<String> =
        possible.split_inclusive('\n').collect::<Vec<_>>().chunks(10).map(<[&str]>::concat).collect();
    for name in written {
        let lines = fs::read_to_string(directory.path().join(&name)).unwrap();
        assert!(possible.contains(&lines), "{name}: {lines}");
    }
}

#[test]
fn a_killed_run_changes_nothing() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.json");
    fs::write(&path, "old\n").unwrap();
    let base_path = directory.path().to_str().unwrap();
    let mut endless = command(&["-w", "-b", base_path, "-n", "2000000000"]).spawn().unwrap();
    while names(directory.path()).len() < 2 {
        std::thread::yield_now();
    }
    endless.kill().unwrap();
    endless.wait().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "old\n");
    let [left, events] = &names(directory.path())[..] else { panic!("one file was left") };
    assert!(left.starts_with(".events.json.") && left.split('.').next_back() == Some("tmp"), "{left}");
    assert_eq!(events, "events.json");

    write(directory.path(), &[]);
    assert_eq!(names(directory.path()), ["events.json"]);
}

#[test]
fn the_file_of_a_run_that_is_alive_is_no_leftover() {
    let directory = TempDir::new().unwrap();
    let path = |name| directory.path().join(name);
    let alive = fs::File::create(path(".events.json.alive.tmp")).unwrap();
    alive.lock().unwrap();
    for name in [".events.json.dead.tmp", ".events.json.mine", "events.json.tmp"] {
        fs::write(path(name), "").unwrap();
    }
    write(directory.path(), &[]);
    let expected = [".events.json.alive.tmp", ".events.json.mine", "events.json", "events.json.tmp"];
    assert_eq!(names(directory.path()), expected);
}

#[test]
fn what_cannot_be_written_is_one_line_and_exit_code_1() {
    let temporary = TempDir::new().unwrap();
    let file = temporary.path().join("file");
    fs::write(&file, "").unwrap();
    let taken = temporary.path().join("taken");
    fs::create_dir_all(taken.join("events.json/x")).unwrap();
    for base_path in [&file, &taken] {
        let output = run(&["-w", "-b", base_path.to_str().unwrap()]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("error: ") && said.contains(base_path.to_str().unwrap()), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    assert_eq!(names(&taken), ["events.json"]);
}

/// The file is subject to the umask, unlike temporary files, which only the user may read.
#[cfg(unix)]
#[test]
fn others_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;

    let directory = TempDir::new().unwrap();
    write(directory.path(), &[]);
    let ordinary = directory.path().join("ordinary");
    fs::write(&ordinary, "").unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(directory.path().join("events.json")), mode(ordinary));
}
