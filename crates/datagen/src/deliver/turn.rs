//! A directory of events files → the turn of one run to write there; other runs wait for theirs.
//!
//! What a run continues is what the run before it has left, and what it replaces is all of that. The turn is
//! a lock on a hidden file in the directory, which is there as long as a run writes. The system takes the
//! lock from a run that was killed.
//!
//! Invariant: where the file system has locks, one run at a time has its turn in a directory.

use std::{
    fs::TryLockError,
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use fs_err as fs;

use super::progress::Progress;

/// The name of the file.
pub(super) const TURN_FILE: &str = ".datagen.lock";

/// A run's turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    path: PathBuf,
    _lock: fs::File,
}

impl Turn {
    /// Waits for the turn; says so if there is a reason to.
    pub(super) fn take(directory: &Path, progress: &dyn Progress) -> io::Result<Self> {
        let path = directory.join(TURN_FILE);
        let mut is_said = false;
        loop {
            let lock = open(&path)?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    if !is_said {
                        progress.waits_for(directory);
                        is_said = true;
                    }
                    lock.lock()?;
                }
                // The file system has no locks. A file that others change meanwhile is found out when the
                // new one is to take its place.
                Err(TryLockError::Error(_)) => return Ok(Self { path, _lock: lock }),
            }
            // The run before may have removed the file that we had opened.
            if is_at(&lock, &path)? {
                return Ok(Self { path, _lock: lock });
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // While the lock is held. If the file can't be removed, the next run uses it.
        drop(fs::remove_file(&self.path));
    }
}

/// Opens the file to write, as network file systems require of a lock; if it is another user's, to read.
fn open(path: &Path) -> io::Result<fs::File> {
    match fs::OpenOptions::new().write(true).create(true).truncate(false).open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && path.exists() => {
            fs::File::open(path)
        }
        opened => opened,
    }
}

fn is_at(file: &fs::File, path: &Path) -> io::Result<bool> {
    let own = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((own.dev(), own.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
