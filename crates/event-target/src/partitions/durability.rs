//! Files that were written or renamed → files that survive a power cut.
//!
//! On Linux one sync of the file system covers all files: with thousands of partitions, syncing each takes
//! many times longer. Elsewhere each file and directory is synced.
//!
//! Invariant: after a function of this module has succeeded, the files it names are on disk.

use std::{io, path::Path};

use storage::File;

use crate::Change;

/// Makes all staged files durable. `lock` is any open file of the target's file system.
#[cfg(target_os = "linux")]
pub(crate) fn sync_staged(lock: &File, _staging: &Path, _changes: &[Change]) -> io::Result<()> {
    lock.sync_file_system()
}

/// Makes all staged files durable.
#[cfg(not(target_os = "linux"))]
pub(crate) fn sync_staged(_lock: &File, staging: &Path, changes: &[Change]) -> io::Result<()> {
    let mut directories = std::collections::BTreeSet::from([staging.to_owned()]);
    for path in changes.iter().flat_map(Change::all_staged).map(|(staged, _)| staging.join(staged)) {
        File::open(&path)?.sync()?;
        directories.extend(path.parent().map(Path::to_owned));
    }
    directories.iter().try_for_each(|directory| sync_directory(directory))
}

/// Makes all renames into the changed directories durable.
#[cfg(target_os = "linux")]
pub(crate) fn sync_published(lock: &File, _root: &Path, _changes: &[Change]) -> io::Result<()> {
    lock.sync_file_system()
}

/// Makes all renames into the changed directories durable.
#[cfg(not(target_os = "linux"))]
pub(crate) fn sync_published(_lock: &File, root: &Path, changes: &[Change]) -> io::Result<()> {
    let mut directories = std::collections::BTreeSet::from([root.to_owned()]);
    for change in changes {
        let live = root.join(&change.directory);
        directories.extend(live.ancestors().take_while(|path| *path != root).map(Path::to_owned));
    }
    // A removed partition no longer exists.
    let is_there = |directory: &&std::path::PathBuf| storage::is_there(directory).unwrap_or(true);
    directories.iter().filter(is_there).try_for_each(|directory| sync_directory(directory))
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync()
}
