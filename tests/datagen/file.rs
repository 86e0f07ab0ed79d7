//! `--write-data`: a complete file or none, and what happens to an existing one.

use std::{
    fs::Permissions,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::Path,
    process::Command,
};

use fs_err as fs;
use tempfile::TempDir;

use crate::support::{command, names, run, stdout, text, write};

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
    symlink("nowhere", directory.path().join("events-4.json")).unwrap();
    let names_taken = ["events.json", "events-1.json", "events-3.json", "events-5.json"];
    for (first_event, name) in ["0", "10", "20", "30"].into_iter().zip(names_taken) {
        let said = write(directory.path(), &["--if-exists", "new-file"]);
        assert!(said.trim_end().ends_with(&format!("/{name}")), "{said}");
        let written = fs::read_to_string(directory.path().join(name)).unwrap();
        assert_eq!(written, stdout(&["--first-event", first_event]));
    }
    assert_eq!(fs::read_to_string(directory.path().join("events-2.json")).unwrap(), "");
    assert_eq!(fs::read_link(directory.path().join("events-4.json")).unwrap(), Path::new("nowhere"));
    assert_eq!(names(directory.path()).len(), 6);
}

#[test]
fn a_killed_run_changes_nothing() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.json");
    fs::write(&path, "old\n").unwrap();
    let base_path = directory.path().to_str().unwrap();
    let mut endless = command(&["-w", "-b", base_path, "-n", "2000000000"]).spawn().unwrap();
    while names(directory.path()).len() < 3 {
        std::thread::yield_now();
    }
    endless.kill().unwrap();
    endless.wait().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "old\n");
    let [lock, left, events] = &names(directory.path())[..] else { panic!("two files were left") };
    assert_eq!(lock, ".datagen.lock");
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
#[test]
fn others_may_read_the_file() {
    let directory = TempDir::new().unwrap();
    write(directory.path(), &[]);
    let ordinary = directory.path().join("ordinary");
    fs::write(&ordinary, "").unwrap();
    assert_eq!(mode(&directory.path().join("events.json")), mode(&ordinary));
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// The flags of a run that appends, or replaces; and where its events begin.
const WAYS: [(&str, &str); 2] = [("append", "10"), ("overwrite", "0")];

#[test]
fn a_file_keeps_its_mode_its_owner_and_the_links_to_it() {
    for (if_exists, first_event) in WAYS {
        let directory = TempDir::new().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::create_dir_all(path("in")).unwrap();
        fs::create_dir_all(path("disk")).unwrap();
        fs::write(path("disk/events"), stdout(&[])).unwrap();
        fs::set_permissions(path("disk/events"), Permissions::from_mode(0o640)).unwrap();
        // Only root may give files away.
        let is_root = chown(path("disk/events"), Some(1234), Some(4321)).is_ok();
        symlink("../disk/events", path("in/events.json")).unwrap();
        write(&path("in"), &["--if-exists", if_exists]);
        let old = if if_exists == "append" { stdout(&[]) } else { String::new() };
        let expected = old + &stdout(&["--first-event", first_event]);
        assert_eq!(fs::read_to_string(path("disk/events")).unwrap(), expected, "{if_exists}");
        assert_eq!(fs::read_link(path("in/events.json")).unwrap(), Path::new("../disk/events"));
        assert_eq!(mode(&path("disk/events")), 0o640, "{if_exists}");
        if is_root {
            let metadata = fs::metadata(path("disk/events")).unwrap();
            assert_eq!((metadata.uid(), metadata.gid()), (1234, 4321), "{if_exists}");
        }
        assert_eq!(
            (names(&path("in")), names(&path("disk"))),
            (vec!["events.json".into()], vec!["events".into()])
        );
    }
}

/// Appending goes into the file itself then; what is replaced keeps the old events under its other name.
#[test]
fn other_names_of_a_file_see_what_is_appended() {
    for (if_exists, first_event) in WAYS {
        for compress in ["none", "zstd"] {
            let directory = TempDir::new().unwrap();
            let flags = ["--if-exists", if_exists, "--compress", compress];
            write(directory.path(), &flags);
            let [name] = &names(directory.path())[..] else { panic!("one file") };
            let (path, other) = (directory.path().join(name), directory.path().join("other"));
            fs::hard_link(&path, &other).unwrap();
            write(directory.path(), &flags);
            let (old, new) = (stdout(&[]), stdout(&["--first-event", first_event]));
            let appended = format!("{old}{new}");
            let expected = if if_exists == "append" { [&appended, &appended] } else { [&new, &old] };
            let found = [text(directory.path(), name), text(directory.path(), "other")];
            assert!([&found[0], &found[1]] == expected, "{if_exists} {compress}");
        }
    }
}

#[test]
fn a_line_that_was_cut_off_is_cut_out_of_a_file_with_other_names() {
    let directory = TempDir::new().unwrap();
    let (path, other) = (directory.path().join("events.json"), directory.path().join("other"));
    let lines = stdout(&["-n", "9"]);
    fs::write(&path, &lines[..lines.len() - 100]).unwrap();
    fs::hard_link(&path, &other).unwrap();
    write(directory.path(), &["-n", "3", "--if-exists", "append"]);
    assert_eq!(fs::read_to_string(&other).unwrap(), stdout(&["-n", "11"]));
}

#[test]
fn records_keep_their_mode_and_the_links_to_them_and_go_into_pipes() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    for flag in ["--manifest", "--faults-log"] {
        let (place, link) = (path("place"), path("link"));
        fs::write(&place, "").unwrap();
        fs::set_permissions(&place, Permissions::from_mode(0o600)).unwrap();
        symlink("place", &link).unwrap();
        stdout(&["--faults", "late=5", flag, &link]);
        let expected = fs::read_to_string(&place).unwrap();
        assert!(!expected.is_empty() && mode(Path::new(&place)) == 0o600, "{expected}");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let piped = run(&["-w", "-q", "-b", &path("in"), "--faults", "late=5", flag, "/dev/stdout"]);
        assert_eq!(String::from_utf8(piped.stdout).unwrap(), expected);
        fs::remove_file(&link).unwrap();
        assert_eq!(names(directory.path()), ["in", "place"]);
    }
    let null = fs::metadata("/dev/null").unwrap().file_type();
    stdout(&["--manifest", "/dev/null", "--faults-log", "/dev/null"]);
    assert_eq!(fs::metadata("/dev/null").unwrap().file_type(), null, "a device is no file to replace");
}

/// Links, `..`, case, hard links, standard output, and names that a later run would take for events.
#[test]
fn outputs_that_would_be_one_file_are_refused_before_anything_is_written() {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    fs::create_dir_all(root.join("in")).unwrap();
    fs::write(root.join("in/events.json"), "old\n").unwrap();
    symlink("in", root.join("to-in")).unwrap();
    symlink("in/events.json", root.join("to-events")).unwrap();
    symlink("nothing", root.join("to-nothing")).unwrap();
    symlink("../place", root.join("in/events-1.json")).unwrap();
    fs::hard_link(root.join("in/events.json"), root.join("linked")).unwrap();
    let before = (names(root), names(&root.join("in")));
    for (arguments, expected) in [
        (
            &["--manifest", "in/events.json"][..],
            "the manifest cannot be in/events.json, the name of an events file",
        ),
        (&["--faults-log", "to-in/../in/events.json"], "the faults log cannot be "),
        (&["--manifest", "in/EVENTS.json"], "the manifest cannot be "),
        (&["--manifest", "in/events-2024-10-10T07-2.json.gz"], "the manifest cannot be "),
        (&["--manifest", "in/events-2024-10-10t07.json"], "the manifest cannot be "),
        (&["--manifest", "in/.datagen.lock"], "the manifest cannot be "),
        (&["--manifest", "to-events"], "the manifest cannot be "),
        (&["--manifest", "linked"], "the manifest and an events file would be the same file, linked"),
        (&["--manifest", "place"], "the manifest and an events file would be the same file"),
        (
            &["--manifest", "t", "--faults-log", "./t"],
            "the faults log and the manifest would be the same file, ./t",
        ),
        (&["--manifest", "t", "--faults-log", "T"], "the faults log and the manifest would be the same file"),
        (
            &["--manifest", "nothing", "--faults-log", "in/../to-nothing"],
            "the faults log and the manifest would",
        ),
        (&["-b", "new", "--manifest", "new/events.json"], "the manifest cannot be "),
        (&["-b", "new/x/..", "--manifest", "new/events.json"], "the manifest cannot be "),
    ] {
        let base_path = if arguments.contains(&"-b") { &["-w"][..] } else { &["-w", "-b", "in"] };
        let output = command(&[base_path, arguments].concat()).current_dir(root).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{arguments:?}: {said}");
        assert!(said.contains(expected) && said.contains("choose another path for --manifest"), "{said}");
        assert_eq!((names(root), names(&root.join("in"))), before, "{arguments:?}");
        assert_eq!(fs::read_to_string(root.join("in/events.json")).unwrap(), "old\n");
    }
    let out = fs::File::create(root.join("out.json")).unwrap().into_parts().0;
    let run = command(&["--manifest", "to-in/../out.json"]).current_dir(root).stdout(out).output().unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(said.contains("the manifest and standard output would be the same file"), "{said}");
}

#[test]
fn records_may_be_in_the_directory_that_is_made_for_the_events() {
    let directory = TempDir::new().unwrap();
    let base_path = directory.path().join("new/in");
    let path = |name: &str| base_path.join(name).to_str().unwrap().to_owned();
    write(&base_path, &["--manifest", &path("truth"), "--faults-log", &path("../log")]);
    assert_eq!(
        (names(&base_path).len(), names(&directory.path().join("new"))),
        (2, vec!["in".into(), "log".into()])
    );
}

/// The limit of a file's size would end the process by SIGXFSZ, without a word.
#[test]
fn a_file_beyond_its_size_limit_is_one_line_and_exit_code_1() {
    let directory = TempDir::new().unwrap();
    for arguments in ["-w -b .", "", "--generate man"] {
        let limited = format!("ulimit -f 4; exec \"$0\" {arguments} -n 20000 > out.json");
        let limited = limited.replace("--generate man -n 20000", "--generate man");
        let output = Command::new("sh")
            .args(["-c", &limited, env!("CARGO_BIN_EXE_datagen")])
            .current_dir(directory.path())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("File too large") && said.lines().count() == 1, "{arguments:?}: {said}");
        assert_eq!(names(directory.path()), ["out.json"], "{arguments:?}: nothing else is left");
    }
}
