//! A target whose files are not all the loader's to move: in a lower layer of overlayfs, behind a mount
//! point, in another user's sticky directory, immutable. Is each load done or refused beforehand, and never
//! stuck?
//!
//! These need a mount in a namespace, another user, or `chattr`. Where the system does not allow that, a test
//! prints why and ends; `forbidden.rs` covers the errors themselves everywhere.
#![allow(clippy::print_stdout, reason = "a test that was left out must say so")]

use std::{
    os::unix::{
        fs::PermissionsExt,
        process::{CommandExt, ExitStatusExt},
    },
    path::Path,
    process::{Command, Output},
};

use crate::support::{
    events::{account_open, file_of},
    files::{Tree, assert_no_debris, assert_same_tree, published},
    workdir::{LOADER, Loader, Workdir},
};

const LEFT_OUT: i32 = 77;
const PARTITION: &str = "2024/10/11/account-open";

/// Runs a script of the shell in which mounts are allowed and seen by nobody else; `$EL` is the loader.
/// `None` if the system does not allow that; the script says so by the exit code 77.
fn with_mounts(dir: &Workdir, script: &str) -> Option<Output> {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script]).env("EL", LOADER);
    let output = command.current_dir(dir.path(".")).output().unwrap();
    // unshare itself says why it could not start the script.
    let is_left_out = output.status.code() == Some(LEFT_OUT)
        || output.stderr.starts_with(b"unshare: ")
        || output.status.signal().is_some();
    if is_left_out {
        println!("left out: no mounts here: {}", String::from_utf8_lossy(&output.stderr));
    }
    (!is_left_out).then_some(output)
}

/// Three days of one event each, `number` in it.
fn three_days(number: i32) -> String {
    let days =
        [10, 11, 12].map(|day| account_open(&format!("e{day}"), &format!("2024-10-{day}T00:00:00"), number));
    file_of(days)
}

/// A workdir with a target and another source for the same days.
fn with_target() -> Workdir {
    let dir = Workdir::on_disk();
    let old = dir.write("old.json", three_days(1));
    dir.loader().source(old).arg("--backfill").succeeds();
    dir.write("new.json", three_days(2));
    dir
}

/// What a load of the new source leaves where nothing is odd.
fn expected(dir: &Workdir, flags: &[&str]) -> Tree {
    dir.loader_into("expected").source("old.json").arg("--backfill").succeeds();
    dir.loader_into("expected").source("new.json").arg("--backfill").args(flags).succeeds();
    published(&dir.path("expected"))
}

#[test]
fn a_target_in_a_lower_layer_of_overlayfs_is_loaded_and_merged() {
    let dir = with_target();
    let expected_files = expected(&dir, &["--compression", "snappy"]);
    // Moves the only event of the second day to the third.
    dir.write("moves.json", account_open("e11", "2024-10-12T05:00:00", 3));
    dir.loader_into("expected").source("moves.json").args(["--backfill", "--mode=merge"]).succeeds();
    let merged = published(&dir.path("expected"));
    fs_err::create_dir(dir.path("low")).unwrap();
    fs_err::rename(dir.target(), dir.path("low/target")).unwrap();
    let script = "
        mkdir up work merged
        mount -t overlay overlay -o lowerdir=low,upperdir=up,workdir=work,userxattr merged || exit 77
        set -e
        $EL -s new.json -t merged/target --backfill --compression snappy -q
        cp -r merged/target loaded
        $EL -s moves.json -t merged/target --backfill --mode merge -q
        cp -r merged/target merged.copy
        $EL verify merged/target
        $EL recover merged/target";
    let Some(output) = with_mounts(&dir, script) else { return };
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("no problems") && said.contains("nothing to recover"), "{said}");
    assert_same_tree(&expected_files, &published(&dir.path("loaded")), "loaded with another codec");
    assert_same_tree(&merged, &published(&dir.path("merged.copy")), "a merge that empties a partition");
    assert_no_debris(&dir.path("merged.copy"));
}

#[test]
fn a_mount_point_below_a_target_is_refused_beforehand() {
    let mounts = [
        ("a partition on another file system", "mount -t tmpfs tmpfs", PARTITION),
        ("a day on another file system", "mount -t tmpfs tmpfs", "2024/10/11"),
        ("a partition of the same file system", "mount --bind elsewhere", PARTITION),
    ];
    for (what, mount, place) in mounts {
        let dir = with_target();
        let before = published(&dir.target());
        fs_err::create_dir(dir.path("elsewhere")).unwrap();
        for codec in ["zstd", "snappy"] {
            let script = format!(
                "{mount} target/{place} || exit 77
                $EL -s new.json -t target --backfill --compression {codec}"
            );
            let Some(output) = with_mounts(&dir, &script) else { return };
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{what}, {codec}: {said}");
            for part in [PARTITION, "is on another file system", "nothing was changed"] {
                assert!(said.contains(part), "{what}, {codec}: expected {part:?} in {said}");
            }
            assert_same_tree(&before, &published(&dir.target()), what);
            assert_no_debris(&dir.target());
        }
        // Nothing hinders other days.
        dir.write("other.json", account_open("f", "2024-10-13T00:00:00", 1));
        dir.loader().source("other.json").arg("--backfill").succeeds();
    }
}

/// The user that owns nothing.
const NOBODY: u32 = 65_534;

/// The loader as nobody, if this process may start it; the target is theirs as far as not changed again.
fn as_nobody(dir: &Workdir) -> Option<Loader> {
    let mut command = Command::new(LOADER);
    command.uid(NOBODY).gid(NOBODY);
    let mut probe = Command::new(LOADER);
    if let Err(error) = probe.uid(NOBODY).gid(NOBODY).arg("--version").output() {
        println!("left out: no other user here: {error}");
        return None;
    }
    Some(Loader::new(command, dir).arg("-t").arg(dir.target()))
}

fn set_mode(path: &Path, mode: u32) {
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Lets anybody change everything in a directory and see the directory.
fn open_to_all(dir: &Workdir) {
    set_mode(&dir.path("."), 0o777);
    let mut unread = vec![dir.target()];
    while let Some(next) = unread.pop() {
        set_mode(&next, if next.is_dir() { 0o777 } else { 0o666 });
        if next.is_dir() {
            unread.extend(fs_err::read_dir(next).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}

#[test]
fn files_of_another_user_in_a_sticky_directory_are_refused_beforehand() {
    for codec in ["zstd", "snappy"] {
        let dir = with_target();
        open_to_all(&dir);
        set_mode(&dir.target().join(PARTITION), 0o1777);
        let before = published(&dir.target());
        let Some(loader) = as_nobody(&dir) else { return };
        let outcome = loader.source("new.json").args(["--backfill", "--compression", codec]).exits(1);
        outcome.says(&[PARTITION, "part-00000", "sticky", "nothing was changed"]);
        assert_same_tree(&before, &published(&dir.target()), "after the load was refused");
        assert_no_debris(&dir.target());
    }
}

#[test]
fn a_partition_that_can_be_changed_but_not_moved_is_replaced_file_by_file() {
    // The directory of its day is sticky, or may not be written.
    for mode in [0o1777, 0o555] {
        let dir = with_target();
        open_to_all(&dir);
        set_mode(&dir.target().join("2024/10/11"), mode);
        let Some(loader) = as_nobody(&dir) else { return };
        loader.source("new.json").args(["--backfill", "--compression", "snappy"]).succeeds();
        let expected = expected(&dir, &["--compression", "snappy"]);
        assert_same_tree(&expected, &published(&dir.target()), &format!("with a day of mode {mode:o}"));
        assert_no_debris(&dir.target());
    }
}

/// Sets an attribute of a file system while `work` is done; `None` if the system does not allow that.
fn with_attribute<T>(attribute: &str, path: &Path, work: impl FnOnce() -> T) -> Option<T> {
    let chattr = |sign: &str| {
        let output = Command::new("chattr").arg(format!("{sign}{attribute}")).arg(path).output();
        output.map_err(|error| error.to_string()).and_then(|output| {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            if output.status.success() { Ok(()) } else { Err(said) }
        })
    };
    if let Err(problem) = chattr("+") {
        println!("left out: no attributes here: {problem}");
        return None;
    }
    let done = work();
    chattr("-").unwrap();
    Some(done)
}

#[test]
fn what_is_immutable_or_append_only_is_refused_beforehand() {
    let file = format!("{PARTITION}/part-00000.zstd.parquet");
    for (attribute, place) in [("i", file.as_str()), ("a", &file), ("i", PARTITION), ("a", PARTITION)] {
        for codec in ["zstd", "snappy"] {
            let dir = with_target();
            let before = published(&dir.target());
            let load = || dir.loader().source("new.json").args(["--backfill", "--compression", codec]).run();
            let Some(outcome) = with_attribute(attribute, &dir.target().join(place), load) else { return };
            assert_eq!(outcome.status.code(), Some(1), "{attribute} of {place}: {outcome}");
            outcome.says(&[place, "nothing was changed"]);
            assert_same_tree(&before, &published(&dir.target()), "after the load was refused");
            assert_no_debris(&dir.target());
        }
    }
}

#[test]
fn an_immutable_file_of_another_program_stays_where_it_is() {
    let dir = with_target();
    let note = dir.write(&format!("target/{PARTITION}/_README"), "do not touch");
    let load = || dir.loader().source("new.json").args(["--backfill", "--compression=snappy"]).run();
    let Some(outcome) = with_attribute("i", &note, load) else { return };
    assert!(outcome.status.success(), "{outcome}");
    let mut expected = expected(&dir, &["--compression", "snappy"]);
    expected.insert(format!("{PARTITION}/_README"), b"do not touch".to_vec());
    assert_same_tree(&expected, &published(&dir.target()), "after the load");
    assert_no_debris(&dir.target());
}
