//! What a later rename needs → whether the system would allow it; nothing is renamed.
//!
//! Only the system knows permissions, sticky directories, immutable files and the borders of file systems in
//! full. So it is asked, by renames that no system carries out: to the name `.`, and of a file to the name
//! of a directory. It says so only when nothing else forbids the rename.
//!
//! Invariant: no name changes.

use std::{io, path::Path};

use rustix::io::Errno;

use crate::Operation;

/// The system's reasons against a rename that can't be.
const NEVER: [Errno; 6] =
    [Errno::BUSY, Errno::INVAL, Errno::EXIST, Errno::NOTEMPTY, Errno::ISDIR, Errno::NOTDIR];

/// Whether `file` could be renamed into `directory`: both must be on one file system, and not divided by a
/// mount point.
pub fn try_to_enter(directory: &Path, file: &Path) -> io::Result<()> {
    Operation::look("try to enter", directory).begin()?;
    match rustix::fs::rename(file, directory.join(".")) {
        Ok(()) => Ok(()),
        Err(error) if NEVER.contains(&error) => Ok(()),
        Err(error) => Err(refused("move a file into", directory, error)),
    }
}

/// Whether `file` could be deleted, replaced or renamed; `directory` is any other one on its file system.
/// A file that does not exist could.
pub fn try_to_take(file: &Path, directory: &Path) -> io::Result<()> {
    Operation::look("try to take", file).begin()?;
    match rustix::fs::rename(file, directory) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) if NEVER.contains(&error) => Ok(()),
        Err(error) => Err(refused("replace or delete", file, error)),
    }
}

fn refused(doing: &str, path: &Path, error: Errno) -> io::Error {
    let error = io::Error::from(error);
    io::Error::new(error.kind(), format!("failed to {doing} `{}`: {error}", path.display()))
}
