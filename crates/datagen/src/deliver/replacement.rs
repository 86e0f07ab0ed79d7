//! Bytes → a file that has all of them, or is as it was before.
//!
//! The bytes go to a temporary file next to the file that it will replace, which is flushed to the disk and
//! then renamed. Links to the file stay, and the new file has the owner, the group and the mode of the old
//! one, as far as the system allows. What is no file (a pipe, a device) can't be replaced: it is written
//! into.
//!
//! A temporary file has a name that no reader of `*.json` picks up, and its writer holds a lock on it for as
//! long as it lives. A file without that lock was left by a killed run, and the next run removes it.
//!
//! Invariant: only `publish` and `publish_new` change what others read.

use std::{
    fs::{Metadata, TryLockError},
    io::{self, Write},
    os::unix::fs::{MetadataExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};

use fs_err as fs;
use tempfile::NamedTempFile;

use super::real_path::real_path;

/// What temporary files of events and of records are named.
pub(super) const EVENTS_PREFIX: &str = ".events.json.";
pub(super) const RECORD_PREFIX: &str = ".datagen.";
const SUFFIX: &str = ".tmp";

/// A file that is being written.
#[derive(Debug)]
pub(super) struct Replacement {
    /// Where the file is, whatever links lead there.
    path: PathBuf,
    old: Option<Old>,
    bytes: Bytes,
}

#[derive(Debug)]
enum Bytes {
    Temporary(NamedTempFile),
    /// Into what is no file.
    Straight(fs::File),
}

/// The file that was there.
#[derive(Debug)]
pub(super) struct Old {
    metadata: Metadata,
    /// Whether the new file has its owner and its group.
    is_owner_kept: bool,
}

impl Replacement {
    /// Begins a file. Its directory must exist.
    pub(super) fn begin(path: &Path, prefix: &str) -> io::Result<Self> {
        let metadata = metadata_of(path)?;
        if metadata.as_ref().is_some_and(|metadata| !metadata.is_file()) {
            let file = fs::OpenOptions::new().write(true).open(path)?;
            return Ok(Self { path: path.to_owned(), old: None, bytes: Bytes::Straight(file) });
        }
        let is_link = fs::read_link(path).is_ok();
        let path = real_path(path)?;
        let directory = path.parent().unwrap_or(Path::new("/"));
        if is_link {
            // Whoever writes to a directory has tidied up there, but not where its links lead.
            remove_leftovers(directory);
        }
        let temporary = locked_temporary(directory, prefix)?;
        let old = metadata.map(|metadata| Old::passed_on(metadata, &temporary)).transpose()?;
        Ok(Self { path, old, bytes: Bytes::Temporary(temporary) })
    }

    /// Where the file is, whatever links lead there.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file that was there when this began.
    pub(super) fn old(&self) -> Option<&Old> {
        self.old.as_ref()
    }

    /// Whether the bytes go to a temporary file.
    pub(super) fn is_temporary(&self) -> bool {
        matches!(self.bytes, Bytes::Temporary(_))
    }

    /// The temporary file, unless the bytes go straight to their place.
    pub(super) fn temporary(&mut self) -> Option<&mut NamedTempFile> {
        match &mut self.bytes {
            Bytes::Temporary(temporary) => Some(temporary),
            Bytes::Straight(_) => None,
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match &mut self.bytes {
            Bytes::Temporary(temporary) => temporary,
            Bytes::Straight(file) => file,
        }
    }

    /// Puts the finished file in its place.
    pub(super) fn publish(self) -> io::Result<()> {
        match self.bytes {
            Bytes::Temporary(temporary) => {
                temporary.as_file().sync_all()?;
                temporary.persist(&self.path).map(drop).map_err(|failed| failed.error)
            }
            Bytes::Straight(mut file) => file.flush(),
        }
    }

    /// Gives the finished file the first free of these names, and returns that. Never replaces a file, not
    /// even one that appears at this moment. What is no file keeps the name that it has.
    pub(super) fn publish_new(self, names: impl IntoIterator<Item = PathBuf>) -> io::Result<Option<PathBuf>> {
        let Bytes::Temporary(mut temporary) = self.bytes else { return self.publish().map(|()| None) };
        temporary.as_file().sync_all()?;
        for name in names {
            match temporary.persist_noclobber(&name) {
                Ok(_) => return Ok(Some(name)),
                Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => temporary = failed.file,
                Err(failed) => return Err(failed.error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "another program has made a file of that name"))
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer().write_all(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer().flush()
    }
}

impl Old {
    /// Gives the owner, the group and the mode of the old file to the new one.
    fn passed_on(metadata: Metadata, temporary: &NamedTempFile) -> io::Result<Self> {
        let file = temporary.as_file();
        let own = file.metadata()?;
        let is_same = (own.uid(), own.gid()) == (metadata.uid(), metadata.gid());
        let is_owner_kept = is_same || fchown(file, Some(metadata.uid()), Some(metadata.gid())).is_ok();
        if !is_owner_kept {
            // The group may be one of the user's.
            drop(fchown(file, None, Some(metadata.gid())));
        }
        // After the owner: a change of that takes the set-user-ID bit away.
        file.set_permissions(metadata.permissions())?;
        Ok(Self { metadata, is_owner_kept })
    }

    /// Whether only writing into the file itself keeps its other names and its owner.
    pub(super) fn must_stay(&self) -> bool {
        self.metadata.nlink() > 1 || !self.is_owner_kept
    }

    /// Its size when the new file was begun.
    pub(super) fn bytes(&self) -> u64 {
        self.metadata.len()
    }

    /// Fails unless this is the file, and nobody has written to it since.
    pub(super) fn check_unchanged(&self, now: &Metadata) -> io::Result<()> {
        let of = |it: &Metadata| (it.dev(), it.ino(), it.len(), it.mtime(), it.mtime_nsec());
        if of(&self.metadata) == of(now) {
            return Ok(());
        }
        Err(io::Error::other("another program has changed the file meanwhile"))
    }
}

/// What is known of what a path leads to; `None` if there is nothing.
fn metadata_of(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let message = format!("{} is a directory", path.display());
            Err(io::Error::new(io::ErrorKind::IsADirectory, message))
        }
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A temporary file that we hold the lock of.
fn locked_temporary(directory: &Path, prefix: &str) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(SUFFIX);
    // Not private to the user, as temporary files are by default: the mode of a new file is subject to the
    // umask, like any other.
    builder.permissions(PermissionsExt::from_mode(0o666));
    loop {
        let temporary = builder.tempfile_in(directory)?;
        // A run that is cleaning up may hold the lock by now, or have removed the file.
        let is_ours = match temporary.as_file().try_lock() {
            Ok(()) => temporary.path().exists(),
            Err(TryLockError::WouldBlock) => false,
            // The file system has no locks, so no run can mistake the file for a leftover.
            Err(TryLockError::Error(_)) => true,
        };
        if is_ours {
            return Ok(temporary);
        }
    }
}

/// Whether a file of this name is one that is being written, or was left by a run that was killed.
pub(super) fn is_temporary(name: &str) -> bool {
    let is_ours = [EVENTS_PREFIX, RECORD_PREFIX].iter().any(|prefix| name.starts_with(prefix));
    is_ours && name.ends_with(SUFFIX)
}

/// Removes the temporary files whose writers are dead. This is best effort: what cannot be removed is left
/// for the next run.
pub(super) fn remove_leftovers(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(is_temporary)
            && let Ok(file) = fs::File::open(entry.path())
            && file.try_lock().is_ok()
        {
            // We hold the lock until the file is gone. A writer that has just created the file notices and
            // creates another.
            drop(fs::remove_file(entry.path()));
        }
    }
}
