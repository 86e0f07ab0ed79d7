//! Links, pipes and directories where files should be: no link leads a load out of its target, no commit
//! begins that can't be finished, and no source makes the load wait.

use std::{
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

use crate::support::{
    events::{file_of, plain_events},
    files::{assert_no_debris, paths},
    workdir::Workdir,
};

const PARTITION: &str = "2024/10/10/account-open";
const FILE: &str = "part-00000.zstd.parquet";

/// A workdir with a source of one day.
fn with_source() -> (Workdir, std::path::PathBuf) {
    let dir = Workdir::on_disk();
    let source = dir.write("in.json", file_of(plain_events(1, 200, 100)));
    fs_err::create_dir_all(dir.path("outside")).unwrap();
    (dir, source)
}

/// Puts an obstacle at `place` of the target, and expects the load to refuse it and to change nothing.
#[track_caller]
fn is_refused(place: &str, make: impl Fn(&Path, &Path), says: &[&str]) {
    let (dir, source) = with_source();
    let path = dir.target().join(place);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    make(&path, &dir.path("outside"));
    let before = paths(&dir.path("."));
    for arguments in [&["--backfill"][..], &["--backfill", "--dry-run"]] {
        // A dry run looks at partitions only: it writes no files of its own.
        if arguments.len() == 2 && place.starts_with("_eventloader") {
            continue;
        }
        let outcome = dir.loader().source(&source).args(arguments).exits(1);
        outcome.says(&[place.split('/').next_back().unwrap(), "nothing was changed"]);
        outcome.says(says);
        assert_eq!(paths(&dir.path(".")), before, "{place}: what is there after the load was refused");
    }
}

#[test]
fn a_link_on_the_way_to_a_partition_is_refused() {
    for place in ["2024", "2024/10", "2024/10/10", PARTITION] {
        is_refused(place, |path, outside| symlink(outside, path).unwrap(), &["is a link"]);
        is_refused(place, |path, _| symlink("nowhere", path).unwrap(), &["is a link"]);
    }
}

#[test]
fn a_link_among_the_loader_s_own_directories_is_refused() {
    for place in ["_eventloader", "_eventloader/staging"] {
        is_refused(place, |path, outside| symlink(outside, path).unwrap(), &["is a link"]);
    }
}

#[test]
fn a_link_instead_of_the_quarantine_is_refused() {
    let (dir, _) = with_source();
    let source = dir.write("bad.json", "no event\n");
    fs_err::create_dir_all(dir.target()).unwrap();
    symlink(dir.path("outside"), dir.target().join("_quarantine")).unwrap();
    let loader = dir.loader().source(source).args(["--backfill", "--max-bad-lines=100%"]);
    loader.exits(1).says(&["_quarantine", "is a link"]);
    assert_eq!(fs_err::read_dir(dir.path("outside")).unwrap().count(), 0);
}

#[test]
fn a_directory_that_is_named_like_a_file_is_refused_before_anything_is_recorded() {
    for name in [FILE, "other.parquet"] {
        let place = format!("{PARTITION}/{name}");
        let make = |path: &Path, _: &Path| {
            fs_err::create_dir_all(path).unwrap();
            fs_err::write(path.join("part.parquet"), "of another program").unwrap();
        };
        is_refused(&place, make, &["is a directory"]);
    }
}

#[test]
fn a_link_instead_of_a_partition_s_file_is_replaced_and_not_followed() {
    let (dir, source) = with_source();
    dir.loader_into("expected").source(&source).arg("--backfill").succeeds();
    let (expected, live) = (dir.path("expected").join(PARTITION).join(FILE), dir.target().join(PARTITION));
    for content in [b"of another program".to_vec(), fs_err::read(&expected).unwrap()] {
        let outside = dir.path("outside/x");
        fs_err::write(&outside, &content).unwrap();
        let _ = fs_err::remove_dir_all(dir.target());
        fs_err::create_dir_all(&live).unwrap();
        symlink(&outside, live.join(FILE)).unwrap();
        dir.loader().source(&source).arg("--backfill").succeeds();
        assert!(fs_err::symlink_metadata(live.join(FILE)).unwrap().is_file(), "the link is still there");
        assert_eq!(fs_err::read(live.join(FILE)).unwrap(), fs_err::read(&expected).unwrap());
        assert_eq!(fs_err::read(&outside).unwrap(), content);
        assert_no_debris(&dir.target());
    }
}

#[test]
fn a_pipe_in_a_directory_is_left_out_and_one_that_is_named_is_read() {
    let (dir, source) = with_source();
    fs_err::create_dir_all(dir.path("in")).unwrap();
    fs_err::copy(&source, dir.path("in/events.json")).unwrap();
    let pipe = dir.path("in/pipe.json");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success(), "mkfifo");
    // If it were opened, the loader would wait for ever.
    let outcome = dir.loader().source(dir.path("in")).arg("--backfill").succeeds();
    assert_eq!(outcome.count("lines"), 200);
    let mut writer = Command::new("cp").arg(&source).arg(&pipe).stdout(Stdio::null()).spawn().unwrap();
    let outcome = dir.loader_into("piped").source(&pipe).arg("--backfill").succeeds();
    assert_eq!(outcome.count("lines"), 200);
    assert!(writer.wait().unwrap().success());
}
