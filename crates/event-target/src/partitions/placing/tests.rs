//! Is a directory replaced as a whole, and is that continued from wherever it was interrupted?
#![expect(clippy::disallowed_methods, reason = "a test accesses files directly")]

use std::{collections::BTreeSet, os::unix::fs::MetadataExt};

use fs_err as fs;

use super::*;
use crate::{Action, StagedFile, staged_file::checksum_of};

const FILES: [(&str, &str); 2] = [("part-00000.zstd.parquet", "new 0"), ("part-00001.zstd.parquet", "new 1")];

/// A target whose partition `p` has files of another program, and the staged files of a change of it.
fn target() -> (tempfile::TempDir, Change) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("p")).unwrap();
    fs::create_dir_all(dir.path().join("staging")).unwrap();
    for (name, content) in [("a.parquet", "old a"), ("b.parquet", "old b"), ("_SUCCESS", "")] {
        fs::write(dir.path().join("p").join(name), content).unwrap();
    }
    let staged = FILES.map(|(name, content)| {
        let path = dir.path().join("staging").join(name).with_extension("staged");
        fs::write(&path, content).unwrap();
        let (bytes, checksum) = checksum_of(&path).unwrap();
        let staged = path.file_name().unwrap().to_string_lossy().into_owned();
        StagedFile { name: name.to_owned(), staged, rows: 1, bytes, checksum, stamp: None, statistics: None }
    });
    (dir, Change::partition("p", ("d", "t"), &staged))
}

#[track_caller]
fn assert_published(root: &Path) {
    let names = |path: &Path| -> BTreeSet<String> {
        fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect()
    };
    let expected = ["_SUCCESS", FILES[0].0, FILES[1].0].map(str::to_owned);
    assert_eq!(names(&root.join("p")), BTreeSet::from(expected));
    for (name, content) in FILES {
        assert_eq!(fs::read_to_string(root.join("p").join(name)).unwrap(), content);
    }
    assert!(!root.join("staging/swap-0").exists() && !root.join("staging/swap-0.old").exists());
}

#[test]
fn another_set_of_files_comes_in_one_step_and_other_files_stay() {
    let (dir, change) = target();
    let (root, staging) = (dir.path(), dir.path().join("staging"));
    assert_eq!(change.action(root).unwrap(), Action::Replaced);
    for _ in 0..2 {
        Placing::new(root, &staging).place(&change, 0).unwrap();
        assert_published(root);
    }
    assert_eq!(change.action(root).unwrap(), Action::Unchanged);
}

/// A directory can't be moved into a new one with certainty: it may be a mount point.
#[test]
fn beside_a_directory_files_are_replaced_one_by_one() {
    let (dir, change) = target();
    let (root, staging) = (dir.path(), dir.path().join("staging"));
    let inner = root.join("p/_SUCCESS");
    fs::remove_file(&inner).unwrap();
    fs::create_dir(&inner).unwrap();
    let number = || fs::metadata(root.join("p")).unwrap().ino();
    let before = number();
    for _ in 0..2 {
        Placing::new(root, &staging).place(&change, 0).unwrap();
        assert_published(root);
    }
    assert_eq!(number(), before, "it is another directory");
}

#[test]
fn a_partition_that_is_emptied_keeps_other_files_when_that_took_two_renames_and_a_crash() {
    let (dir, _) = target();
    let (root, staging) = (dir.path(), dir.path().join("staging"));
    fs::create_dir(staging.join("swap-0")).unwrap();
    fs::rename(root.join("p"), staging.join("swap-0.old")).unwrap();
    let change = Change::partition("p", ("d", "t"), &[]);
    Placing::new(root, &staging).place(&change, 0).unwrap();
    assert_eq!(storage::names_in(&root.join("p")).unwrap().unwrap(), ["_SUCCESS"]);
}

#[test]
fn publishing_goes_on_from_wherever_it_was_interrupted() {
    type Interruption = fn(&Path, &Path, &Path);
    let interruptions: [Interruption; 6] = [
        |_, _, swap| fs::create_dir(swap).unwrap(),
        |_, staging, swap| {
            fs::create_dir(swap).unwrap();
            fs::rename(staging.join("part-00000.zstd.staged"), swap.join(FILES[0].0)).unwrap();
        },
        // Exchanged, the old directory not deleted yet.
        |root, staging, swap| {
            fs::rename(root.join("p"), swap).unwrap();
            fs::create_dir(root.join("p")).unwrap();
            for (name, _) in FILES {
                let staged = staging.join(name).with_extension("staged");
                fs::rename(staged, root.join("p").join(name)).unwrap();
            }
        },
        // Between the two renames of a file system that can't exchange.
        |root, staging, swap| {
            fs::rename(root.join("p"), swap.with_extension("old")).unwrap();
            fs::create_dir(swap).unwrap();
            for (name, _) in FILES {
                fs::rename(staging.join(name).with_extension("staged"), swap.join(name)).unwrap();
            }
        },
        // One by one: one old file is deleted.
        |root, staging, swap| {
            fs::create_dir(swap).unwrap();
            for (name, _) in FILES {
                fs::rename(staging.join(name).with_extension("staged"), swap.join(name)).unwrap();
            }
            fs::remove_file(root.join("p/a.parquet")).unwrap();
        },
        // One by one: one new file is in its place.
        |root, staging, swap| {
            fs::create_dir(swap).unwrap();
            let [first, second] = FILES.map(|(name, _)| name);
            fs::rename(staging.join(second).with_extension("staged"), swap.join(second)).unwrap();
            for name in ["a.parquet", "b.parquet"] {
                fs::remove_file(root.join("p").join(name)).unwrap();
            }
            fs::rename(staging.join(first).with_extension("staged"), root.join("p").join(first)).unwrap();
        },
    ];
    for interrupt in interruptions {
        let (dir, change) = target();
        let (root, staging) = (dir.path(), dir.path().join("staging"));
        interrupt(root, &staging, &staging.join("swap-0"));
        Placing::new(root, &staging).place(&change, 0).unwrap();
        assert_published(root);
    }
}
