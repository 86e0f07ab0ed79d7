//! A directory of a run's own for files that nobody else needs.
//!
//! ```text
//! $TMPDIR/eventloader-<id>/lock   locked as long as the run lives
//! $TMPDIR/eventloader-<id>/…      staged files
//! ```
//!
//! Invariant: nobody else may read it. What a killed run has left, the next one of the same user deletes.

use std::{
    env,
    fs::Metadata,
    io::{self, ErrorKind},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use storage::File;

/// What the names of such directories begin with.
const PREFIX: &str = "eventloader-";
const LOCK: &str = "lock";
/// The permissions of others than the owner.
const OF_OTHERS: u32 = 0o077;

/// A directory of a run's own.
#[derive(Debug)]
pub(super) struct Scratch {
    directory: PathBuf,
    /// Ends with the process, whatever ends that.
    _lock: File,
}

impl Scratch {
    /// Creates one, and deletes those of runs that were killed.
    pub(super) fn new(id: &str) -> io::Result<Self> {
        Self::new_in(&env::temp_dir(), id)
    }

    fn new_in(parent: &Path, id: &str) -> io::Result<Self> {
        let directory = parent.join(format!("{PREFIX}{id}"));
        storage::create_private_directory(&directory)?;
        let lock = File::open_or_create(&directory.join(LOCK))?;
        lock.try_lock().map_err(|error| io::Error::new(ErrorKind::WouldBlock, error.to_string()))?;
        let scratch = Self { directory, _lock: lock };
        if let Some(own) = storage::look_at(&scratch.directory)? {
            scratch.delete_others(parent, &own);
        }
        Ok(scratch)
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        &self.directory
    }

    /// Deletes what is in it.
    pub(super) fn clear(&self) -> io::Result<()> {
        let names = storage::names_in(&self.directory)?.unwrap_or_default();
        names
            .iter()
            .filter(|name| *name != LOCK)
            .try_for_each(|name| storage::delete_all(&self.directory.join(name)))
    }

    /// Deletes the directories that runs of the same user have left. What can't be deleted stays.
    fn delete_others(&self, parent: &Path, own: &Metadata) {
        let Ok(Some(names)) = storage::names_in(parent) else { return };
        for name in names.iter().filter(|name| name.to_string_lossy().starts_with(PREFIX)) {
            let directory = parent.join(name);
            // Nobody else can put anything into a directory like this one.
            let is_like_own = |found: &Metadata| {
                found.is_dir() && found.uid() == own.uid() && found.mode() & OF_OTHERS == 0
            };
            let found = storage::look_at(&directory).ok().flatten();
            if directory != self.directory && found.as_ref().is_some_and(is_like_own) && is_left(&directory) {
                let _ = storage::delete_all(&directory);
            }
        }
    }
}

/// Whether nobody holds the lock of a directory any more.
fn is_left(directory: &Path) -> bool {
    File::open(&directory.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok())
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = storage::delete_all(&self.directory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(parent: &Path) -> Vec<String> {
        let names = storage::names_in(parent).unwrap().unwrap();
        let mut names: Vec<_> = names.into_iter().map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_killed_run_has_left_is_deleted_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let parent = folder.path();
        let running = Scratch::new_in(parent, "running").unwrap();
        File::create(&running.path().join("a")).unwrap();
        // As a kill leaves it: the files are there, and nobody has the lock.
        let left = parent.join("eventloader-left");
        storage::create_private_directory(&left).unwrap();
        File::create(&left.join(LOCK)).unwrap();
        File::create(&left.join("lines")).unwrap();
        // Others can write into this one, and this one has no lock.
        let open = parent.join("eventloader-open");
        storage::create_directory(&open).unwrap();
        File::create(&open.join(LOCK)).unwrap();
        storage::create_private_directory(&parent.join("eventloader-new")).unwrap();
        let next = Scratch::new_in(parent, "next").unwrap();
        let there = ["eventloader-new", "eventloader-next", "eventloader-open", "eventloader-running"];
        assert_eq!(names(parent), there);
        running.clear().unwrap();
        assert_eq!(names(running.path()), [LOCK]);
        drop((running, next));
        assert_eq!(names(parent), ["eventloader-new", "eventloader-open"]);
    }
}
