//! Do partitions that are replaced keep who may read and write them: mode, group, access control lists?

use std::{
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
};

use crate::support::{
    events::{account_open, file_of},
    files::assert_no_debris,
    workdir::Workdir,
};

const PARTITION: &str = "2024/10/10/account-open";
/// A group that is nobody's.
const GROUP: u32 = 54_321;

/// Each way to replace what a partition holds: arguments, and what the system forbids.
const WAYS: [(&str, &str); 4] = [
    ("zstd", ""),
    ("snappy", ""),
    ("snappy", "ENOSYS:exchange:"),
    ("snappy", "EXDEV:exchange:;EXDEV:rename to:.old"),
];

fn with_target() -> Workdir {
    let dir = Workdir::on_disk();
    let line = |number| file_of([account_open("a", "2024-10-10T00:00:00", number), format!("bad {number}")]);
    dir.write("in.json", line(1));
    dir.loader().source("in.json").arg("--backfill").succeeds();
    dir.write("in.json", line(2));
    dir
}

fn set_mode(path: &Path, mode: u32) {
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Mode and group.
fn access(path: &Path) -> (String, u32) {
    let found = fs_err::metadata(path).unwrap();
    (format!("{:o}", found.mode() & 0o7777), found.gid())
}

/// Gives it another group if this process may do that; the group that it has.
fn give_group(path: &Path) -> u32 {
    let _ = chown(path, None, Some(GROUP));
    access(path).1
}

fn file_in(directory: &Path) -> std::path::PathBuf {
    fs_err::read_dir(directory).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn a_partition_that_is_replaced_keeps_its_mode_and_its_group() {
    for (codec, forbidden) in WAYS {
        let dir = with_target();
        let (partition, quarantine) = (dir.target().join(PARTITION), dir.target().join("_quarantine"));
        let mut expected = Vec::new();
        for directory in [&partition, &quarantine] {
            let file = file_in(directory);
            let groups = [give_group(directory), give_group(&file)];
            set_mode(directory, 0o2770);
            set_mode(&file, 0o640);
            expected.extend([("2770".to_owned(), groups[0]), ("640".to_owned(), groups[1])]);
        }
        let load = dir.loader().source("in.json").args(["--backfill", "--compression", codec]);
        let outcome = load.env("EVENTLOADER_FORBID", forbidden).succeeds();
        assert_eq!(outcome.partitions(), [format!("{PARTITION} 1 replaced")]);
        let found =
            [&partition, &file_in(&partition), &quarantine, &file_in(&quarantine)].map(|path| access(path));
        assert_eq!(found.to_vec(), expected, "{codec}, without {forbidden:?}");
        assert_no_debris(&dir.target());
    }
}

#[test]
fn new_files_have_the_group_of_a_directory_that_hands_it_on() {
    let dir = with_target();
    for directory in
        [dir.target().join("2024/10"), dir.target().join("2024/10/10"), dir.target().join(PARTITION)]
    {
        give_group(&directory);
        set_mode(&directory, 0o2775);
    }
    fs_err::remove_file(file_in(&dir.target().join(PARTITION))).unwrap();
    let other_day = account_open("b", "2024-10-11T00:00:00", 1);
    dir.write("in.json", file_of([account_open("a", "2024-10-10T00:00:00", 1), other_day]));
    let group = access(&dir.target().join("2024/10")).1;
    dir.loader().source("in.json").arg("--backfill").succeeds();
    for place in [PARTITION, "2024/10/11/account-open"] {
        let partition = dir.target().join(place);
        assert_eq!([access(&partition).1, access(&file_in(&partition)).1], [group; 2], "{place}");
    }
}

/// An access control list as Linux stores it: a group of its own may do everything.
#[cfg(target_os = "linux")]
fn list() -> Vec<u8> {
    const NO_ID: u32 = u32::MAX;
    let entries: [(u16, u16, u32); 5] =
        [(0x01, 7, NO_ID), (0x04, 5, NO_ID), (0x08, 7, GROUP), (0x10, 7, NO_ID), (0x20, 5, NO_ID)];
    let entry = |(tag, allowed, id): (u16, u16, u32)| {
        [tag.to_le_bytes().as_slice(), &allowed.to_le_bytes(), &id.to_le_bytes()].concat()
    };
    [2_u32.to_le_bytes().to_vec(), entries.map(entry).concat()].concat()
}

#[cfg(target_os = "linux")]
#[test]
#[allow(clippy::print_stdout, reason = "a test that was left out must say so")]
fn a_partition_that_is_replaced_keeps_its_access_control_lists_and_attributes() {
    use rustix::fs::{XattrFlags, getxattr, setxattr};
    let of_file = [("user.note", b"a note".to_vec()), ("system.posix_acl_access", list())];
    let of_directory = [of_file[0].clone(), of_file[1].clone(), ("system.posix_acl_default", list())];
    for (codec, forbidden) in WAYS {
        let dir = with_target();
        let partition = dir.target().join(PARTITION);
        for (path, attributes) in [(&partition, &of_directory[..]), (&file_in(&partition), &of_file)] {
            for (name, value) in attributes {
                if let Err(error) = setxattr(path, *name, value, XattrFlags::empty()) {
                    println!("left out: no {name} here: {error}");
                    return;
                }
            }
        }
        let load = dir.loader().source("in.json").args(["--backfill", "--compression", codec]);
        load.env("EVENTLOADER_FORBID", forbidden).succeeds();
        for (path, attributes) in [(&partition, &of_directory[..]), (&file_in(&partition), &of_file)] {
            for (name, value) in attributes {
                let mut found = vec![0; 1_000];
                let length = getxattr(path, *name, found.as_mut_slice());
                let found = length.map(|length| found[..length].to_vec());
                assert_eq!(found.as_ref(), Ok(value), "{name} of {}, {codec}", path.display());
            }
        }
    }
}
