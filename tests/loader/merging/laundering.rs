//! Files of a target that are lost between two merges: is that named, and never recorded as all that there
//! is?

use std::path::{Path, PathBuf};

use crate::support::{
    events::{Die, account_open, event, file_of, three_days},
    files::{Tree, assert_no_debris, assert_same_tree, published, tree},
    readback::quarantine,
    workdir::{Loader, Outcome, Workdir},
};

const MERGE: [&str; 3] = ["--backfill", "--mode", "merge"];
const DAY_1: &str = "2024/10/10/account-open/part-00000.zstd.parquet";
const DAY_2: &str = "2024/10/11/account-open/part-00000.zstd.parquet";

fn partitions(target: &Path) -> Tree {
    let mut tree = published(target);
    tree.retain(|name, _| !name.starts_with('_'));
    tree
}

fn bad_lines(target: &Path) -> Vec<Vec<u8>> {
    quarantine(target).into_iter().map(|line| line.raw).collect()
}

fn verify(dir: &Workdir) -> Outcome {
    dir.bare_loader().arg("verify").arg(dir.target()).run()
}

#[track_caller]
fn is_well(dir: &Workdir) {
    let verified = verify(dir);
    assert!(verified.status.success() && verified.stdout.is_empty(), "{verified}");
    assert_no_debris(&dir.target());
}

fn accept(dir: &Workdir, args: &[&str]) -> Loader {
    dir.bare_loader().arg("accept").arg(dir.target()).args(args)
}

fn merge(dir: &Workdir, source: &str) -> Loader {
    dir.loader().source(source).args(MERGE)
}

/// A merge is refused for this reason, and changes nothing.
#[track_caller]
fn refuses(dir: &Workdir, merge: Loader, parts: &[&str]) {
    let before = tree(&dir.target());
    let refused = merge.exits(1);
    refused.says(parts);
    refused.says(&["is not as its loads left it", "nothing was changed", "eventloader verify", "accept"]);
    assert_same_tree(&before, &tree(&dir.target()), "after a merge that was refused");
}

/// Two days of one type, and one day of another, by two merges; a bad line.
fn merged() -> Workdir {
    let dir = Workdir::new();
    let first = [
        account_open("a", "2024-10-10T01:00:00", 1),
        account_open("b", "2024-10-10T02:00:00", 2),
        "a bad line".to_owned(),
    ];
    let second = [
        account_open("c", "2024-10-11T01:00:00", 3),
        event("x", "2024-10-11T00:00:00", "status-change", r#"{"id": 1}"#),
    ];
    dir.write("landing/1.json", file_of(first));
    dir.write("landing/2.json", file_of(second));
    for source in ["landing/1.json", "landing/2.json"] {
        merge(&dir, source).succeeds();
    }
    dir.write("more.json", file_of([account_open("d", "2024-10-12T00:00:00", 4)]));
    dir.write("other.json", file_of([event("y", "2024-10-11T01:00:00", "status-change", r#"{"id": 2}"#)]));
    dir
}

fn damage(dir: &Workdir, file: &str, how: impl FnOnce(&Path)) {
    how(&dir.target().join(file));
}

#[test]
fn a_merge_refuses_a_target_that_has_lost_rows_of_its_types() {
    type Damage = fn(&Path);
    let dir = merged();
    let whole = fs_err::read(dir.target().join(DAY_1)).unwrap();
    let kinds: [(&str, Damage); 3] = [
        ("is missing (commit 1 wrote 2 rows)", |file| fs_err::remove_file(file).unwrap()),
        ("has other bytes (commit 1 wrote 2 rows)", |file| {
            let bytes = fs_err::read(file).unwrap();
            fs_err::write(file, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("has other bytes (commit 1 wrote 2 rows)", |file| {
            let mut bytes = fs_err::read(file).unwrap();
            bytes[5] ^= 1;
            fs_err::write(file, bytes).unwrap();
        }),
    ];
    for (what, how) in kinds {
        damage(&dir, DAY_1, how);
        refuses(&dir, merge(&dir, "more.json"), &[DAY_1, what]);
        refuses(&dir, merge(&dir, "more.json").arg("--dry-run"), &[DAY_1, what]);
        fs_err::remove_file(dir.target().join(DAY_1)).ok();
        dir.write(&format!("target/{DAY_1}"), &whole);
    }
    fs_err::remove_file(dir.target().join(DAY_1)).unwrap();
    fs_err::os::unix::fs::symlink("/dev/null", dir.target().join(DAY_1)).unwrap();
    let run = merge(&dir, "landing").arg("--skip-loaded");
    refuses(&dir, run, &[DAY_1, "is not a regular file (commit 1 wrote 2 rows)"]);
    accept(&dir, &[]).exits(1).says(&[DAY_1, "is not a regular file, so it can't be accepted"]);
    fs_err::remove_dir_all(dir.path("target/2024/10/10")).unwrap();
    refuses(&dir, merge(&dir, "more.json"), &[DAY_1, "is missing"]);
    // Of another type, nothing was lost; `--skip-loaded` relies on all that was ever loaded.
    merge(&dir, "other.json").succeeds();
    refuses(&dir, merge(&dir, "landing").arg("--skip-loaded"), &[DAY_1, "is missing"]);
    dir.write(&format!("target/{DAY_1}"), &whole);
    merge(&dir, "more.json").succeeds();
    is_well(&dir);
}

/// Bad lines count, too: a replay would leave those that are lost for good.
#[test]
fn a_merge_refuses_a_target_that_has_lost_bad_lines() {
    let dir = merged();
    let file = tree(&dir.path("target/_quarantine")).into_keys().next().unwrap();
    let whole = fs_err::read(dir.path("target/_quarantine").join(&file)).unwrap();
    dir.write(&format!("target/_quarantine/{file}"), "");
    refuses(&dir, merge(&dir, "more.json"), &["_quarantine/", "has other bytes (commit 1 wrote it)"]);
    fs_err::remove_dir_all(dir.path("target/_quarantine")).unwrap();
    let replay = dir.bare_loader().arg("replay").arg(dir.target());
    refuses(&dir, replay, &["_quarantine/", "is missing (commit 1 wrote it)"]);
    dir.write(&format!("target/_quarantine/{file}"), whole);
    merge(&dir, "more.json").succeeds();
    is_well(&dir);
}

#[test]
fn what_was_deleted_on_purpose_is_accepted() {
    let dir = merged();
    assert!(accept(&dir, &[]).succeeds().stderr.contains("nothing to accept"));
    fs_err::remove_dir_all(dir.path("target/2024/10/10")).unwrap();
    let accepted = accept(&dir, &[]).succeeds();
    assert!(accepted.stderr.contains("gone: 1 file with 2 rows; sources stay loaded"), "{accepted}");
    is_well(&dir);
    let passed = merge(&dir, "landing").arg("--skip-loaded").succeeds();
    assert_eq!((passed.count("lines"), dir.path("target/2024/10/10").exists()), (0, false));
    let listed = dir.bare_loader().arg("list").arg(dir.target()).succeeds().stdout;
    let last = listed.lines().last().unwrap();
    assert!(last.contains("accept") && last.ends_with("1 file gone"), "{listed}");

    let accepted = accept(&dir, &["--reload"]).succeeds();
    assert!(accepted.stderr.contains("every source counts as new"), "{accepted}");
    let again = merge(&dir, "landing").arg("--skip-loaded").succeeds();
    assert_eq!((again.count("written"), again.count("redelivered")), (2, 2), "only what is missing");
    dir.loader_into("one").source("landing").arg("--backfill").succeeds();
    assert_same_tree(&partitions(&dir.path("one")), &partitions(&dir.target()), "loaded again");
    is_well(&dir);
}

/// Files that were mended or brought by hand are accepted as far as they can be read.
#[test]
fn what_is_there_is_accepted_with_its_rows() {
    let dir = merged();
    dir.loader_into("else").source("more.json").arg("--backfill").succeeds();
    let whole = fs_err::read(dir.target().join(DAY_1)).unwrap();
    let day_3 = "2024/10/12/account-open/part-00000.zstd.parquet";
    fs_err::create_dir_all(dir.path("target/2024/10/12/account-open")).unwrap();
    fs_err::copy(dir.path("else").join(day_3), dir.target().join(day_3)).unwrap();
    refuses(&dir, merge(&dir, "more.json"), &[day_3, "was not written by any load"]);
    dir.loader_into("else").source("more.json").args(["--backfill", "--compression", "none"]).succeeds();
    damage(&dir, DAY_1, |file| fs_err::write(file, "no Parquet").unwrap());
    let unreadable = accept(&dir, &[]).exits(1);
    unreadable.says(&[
        DAY_1,
        "can't be read",
        "delete it, or put the right file there",
        "nothing was changed",
    ]);
    dir.write("a.json", file_of([account_open("a", "2024-10-10T01:00:00", 1)]));
    dir.loader_into("one row").source("a.json").arg("--backfill").succeeds();
    fs_err::copy(dir.path("one row").join(DAY_1), dir.target().join(DAY_1)).unwrap();
    let accepted = accept(&dir, &[]).succeeds();
    for part in ["changed: 1 file with 1 row", "new: 1 file with 1 row"] {
        assert!(accepted.stderr.contains(part), "{part} in {accepted}");
    }
    is_well(&dir);
    let merged = merge(&dir, "more.json").succeeds();
    assert_eq!(merged.count("redelivered"), 1, "the accepted row takes part");
    dir.write(&format!("target/{DAY_1}"), whole);
    refuses(&dir, merge(&dir, "more.json"), &[DAY_1, "has other bytes (commit 3 wrote 1 row)"]);
}

/// A commit's record that is gone takes with it what is known of its files.
#[test]
fn a_lost_record_is_named_until_it_is_accepted() {
    for record in ["commit-000001.json", "commit-000002.json"] {
        let dir = merged();
        merge(&dir, "other.json").succeeds();
        fs_err::remove_file(dir.path("target/_eventloader").join(record)).unwrap();
        refuses(&dir, merge(&dir, "more.json"), &[record, "is missing"]);
        let verified = verify(&dir);
        assert!(verified.stdout.contains(&format!("{record}: is missing")), "{verified}");
        accept(&dir, &[]).succeeds();
        is_well(&dir);
        merge(&dir, "more.json").succeeds();
        is_well(&dir);
    }
    let dir = merged();
    fs_err::copy(
        dir.path("target/_eventloader/commit-000001.json"),
        dir.path("target/_eventloader/commit-000002.json"),
    )
    .unwrap();
    merge(&dir, "more.json").exits(1).says(&["commit-000002.json", "it is the record of commit 1"]);
    // The layout is in each commit, too.
    let dir = merged();
    fs_err::remove_file(dir.path("target/_eventloader/layout.json")).unwrap();
    merge(&dir, "more.json").args(["--layout", "hive"]).exits(2).says(&["was written with the layout plain"]);
    merge(&dir, "more.json").succeeds();
    is_well(&dir);
}

/// The files of a target that a test may damage; a lock has no content.
fn files_of(target: &Path) -> Vec<PathBuf> {
    let paths = tree(target).into_keys().filter(|path| path != "_eventloader/lock");
    paths.map(|path| target.join(path)).collect()
}

/// Does something to a file.
fn spoil(die: &mut Die, target: &Path, file: &Path, earlier: &Tree) {
    let bytes = fs_err::read(file).unwrap();
    match die.roll(5) {
        0 => fs_err::remove_file(file).unwrap(),
        1 => fs_err::write(file, &bytes[..die.index(bytes.len())]).unwrap(),
        2 => {
            let other = die.pick(&files_of(target)).clone();
            fs_err::copy(other, file).map(drop).unwrap();
        }
        3 => {
            // What a backup of some time ago had there.
            let path = file.strip_prefix(target).unwrap().to_str().unwrap();
            match earlier.get(path) {
                Some(old) => fs_err::write(file, old).unwrap(),
                None => fs_err::remove_file(file).unwrap(),
            }
        }
        _ => {
            let mut bytes = bytes;
            let place = die.index(bytes.len());
            bytes[place] ^= 1;
            fs_err::write(file, bytes).unwrap();
        }
    }
}

/// Whatever is done to any file of a target between two merges: `verify` and the merges never agree that all
/// is well while a row or a bad line is gone. Once the file is back, nothing is lost.
#[test]
fn whatever_is_lost_is_named_and_never_laundered() {
    for seed in 0..16 {
        let mut die = Die::new(seed);
        let dir = Workdir::new();
        for (number, piece) in three_days(seed).chunks(70).enumerate() {
            dir.write(&format!("in/{number}.json"), file_of(piece));
        }
        let pieces: Vec<_> = tree(&dir.path("in")).into_keys().map(|name| format!("in/{name}")).collect();
        let spoiled_before = 1 + die.index(pieces.len() - 1);
        let flags: &[&str] = if die.one_in(2) { &["--skip-loaded"] } else { &[] };
        let mut earlier = Tree::new();
        for piece in &pieces[..spoiled_before] {
            earlier = tree(&dir.target());
            merge(&dir, piece).args(flags).succeeds();
        }
        let whole = tree(&dir.target());
        let file = die.pick(&files_of(&dir.target())).clone();
        spoil(&mut die, &dir.target(), &file, &earlier);
        let name = file.strip_prefix(dir.target()).unwrap().to_str().unwrap().to_owned();
        let what = format!("seed {seed}, {flags:?}, {name}");
        for piece in &pieces {
            let merged = merge(&dir, piece).args(flags).run();
            assert!(matches!(merged.status.code(), Some(0..=2)), "{what}: {merged}");
        }
        for piece in &pieces {
            dir.loader_into("one").source(piece).args(MERGE).succeeds();
        }
        let has_all = || {
            partitions(&dir.path("one")) == partitions(&dir.target())
                && bad_lines(&dir.path("one")) == bad_lines(&dir.target())
        };
        assert!(has_all() || !verify(&dir).status.success(), "{what}: a loss, and verify finds no problem");
        if tree(&dir.target()).iter().all(|(path, bytes)| *path == name || whole.get(path) == Some(bytes)) {
            // No merge has changed anything.
            fs_err::write(&file, &whole[&name]).unwrap();
            for piece in &pieces {
                merge(&dir, piece).args(flags).succeeds();
            }
            assert!(has_all(), "{what}: the file is back");
            is_well(&dir);
        }
    }
}

/// The files that a run opens, by their paths in the target.
fn opened(dir: &Workdir, run: Loader) -> Vec<String> {
    let log = dir.path("file.log");
    fs_err::remove_file(&log).ok();
    run.env("EVENTLOADER_FILE_LOG", log.to_str().unwrap()).succeeds();
    let log = fs_err::read_to_string(log).unwrap();
    let target = format!("{}/", dir.target().display());
    let opened = log.lines().filter_map(|line| line.strip_prefix("looks open ")?.strip_prefix(&target));
    opened.filter(|path| path.ends_with(".parquet")).map(str::to_owned).collect()
}

/// A copy has other inodes and times: it is read once, and then known.
#[test]
fn a_copied_target_is_as_good_and_soon_as_quick() {
    let dir = merged();
    for (path, bytes) in tree(&dir.target()) {
        dir.write(&format!("copy/{path}"), bytes);
    }
    fs_err::remove_dir_all(dir.target()).unwrap();
    fs_err::rename(dir.path("copy"), dir.target()).unwrap();
    let run = |source: &str| merge(&dir, source).source("landing").arg("--skip-loaded");
    let read = opened(&dir, run("other.json"));
    assert!([DAY_1, DAY_2].iter().all(|day| read.iter().any(|path| path == day)), "{read:?}");
    dir.write("last.json", file_of([event("z", "2024-10-11T02:00:00", "status-change", r#"{"id": 3}"#)]));
    let read = opened(&dir, run("last.json"));
    assert!(read.iter().all(|path| path.contains("status-change")), "{read:?}");
    is_well(&dir);
}

/// Targets that eventloader 0.1.0 has written, with and without folded commits: their records have no stamps.
#[test]
fn a_target_of_an_earlier_version_goes_on() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/loader/data/targets-0.1.0");
    for (name, commits, file) in [("day", 2, DAY_1), ("folded", 101, DAY_2)] {
        let dir = Workdir::new();
        for (path, bytes) in tree(&data.join(name)) {
            dir.write(&format!("target/{path}"), bytes);
        }
        dir.write("target/_eventloader/lock", "");
        is_well(&dir);
        dir.write("new.json", file_of([account_open("new", "2024-10-11T09:00:00", 1)]));
        let whole = fs_err::read(dir.target().join(file)).unwrap();
        let merge_it = || merge(&dir, "new.json").args(["--dedupe-scope", "day", "--skip-loaded"]);
        fs_err::remove_file(dir.target().join(file)).unwrap();
        refuses(&dir, merge_it(), &[file, "is missing"]);
        dir.write(&format!("target/{file}"), whole);
        assert_eq!(merge_it().succeeds().count("written"), 1);
        is_well(&dir);
        let listed = dir.bare_loader().arg("list").arg(dir.target()).succeeds().stdout;
        assert_eq!(listed.lines().count(), 1 + commits + 1, "{name}: {listed}");
    }
}

/// `accept` is a commit: it is done or not, whatever goes wrong.
#[test]
fn accepting_can_be_interrupted_anywhere() {
    let dir = merged();
    fs_err::remove_file(dir.target().join(DAY_1)).unwrap();
    let (start, log) = (tree(&dir.target()), dir.path("file.log"));
    accept(&dir, &[]).env("EVENTLOADER_FILE_LOG", log.to_str().unwrap()).succeeds();
    let log = fs_err::read_to_string(log).unwrap();
    let changing = (1..).zip(log.lines()).filter(|(_, line)| line.starts_with("changes"));
    for (operation, line) in changing {
        for fault in ["errors", "power"] {
            fs_err::remove_dir_all(dir.target()).unwrap();
            for (path, bytes) in &start {
                dir.write(&format!("target/{path}"), bytes);
            }
            let what = format!("{fault} at {operation}, {line}");
            let run = accept(&dir, &[]).env("EVENTLOADER_FAULT", &format!("{operation}:{fault}")).run();
            assert_same_tree(&partitions_of(&start), &partitions(&dir.target()), &what);
            if run.status.success() || verify(&dir).status.success() {
                is_well(&dir);
            }
            accept(&dir, &[]).succeeds();
            is_well(&dir);
        }
    }
}

fn partitions_of(tree: &Tree) -> Tree {
    let mut tree = tree.clone();
    tree.retain(|name, _| !name.starts_with('_'));
    tree
}
