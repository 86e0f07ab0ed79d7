//! Bytes → a complete events file, or none.
//!
//! The bytes go to a temporary file in the same directory, which is flushed to the disk and then renamed.
//! `append` first copies the old events into it, so a run that is stopped by anything, even a full disk or a
//! power cut, leaves the old file as it was.
//!
//! A temporary file has a name that no reader of `*.json` picks up, and its writer holds a lock on it for as
//! long as it lives. A file without that lock was left by a killed run, and the next run removes it.
//!
//! Invariant: only `EventsFile::publish` and `publish_under_free_name` touch a file that others read. Two
//! runs that append to one file at the same time are not merged: the one that finishes last wins.

use std::{
    fs::TryLockError,
    io::{self, BufRead, Read, Seek, SeekFrom, Write},
    path::Path,
};

use fs_err as fs;
use tempfile::NamedTempFile;

use super::file_names::EventsFileName;
use crate::render::compression::Compression;

const PREFIX: &str = ".events.json.";
const SUFFIX: &str = ".tmp";

/// An events file that is being written.
#[derive(Debug)]
pub(super) struct EventsFile(NamedTempFile);

impl EventsFile {
    /// Makes the temporary file.
    pub(super) fn begin(directory: &Path) -> io::Result<Self> {
        locked_temporary(directory).map(Self)
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Copies the old file, if there is one, and adds a newline if its last line has none.
    pub(super) fn copy_old(&mut self, old: &Path, compression: Compression) -> io::Result<()> {
        let mut old = match fs::File::open(old) {
            Ok(old) => old,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        // File to file, so that the system can copy in the kernel or share the blocks.
        let copied = io::copy(old.file_mut(), self.0.as_file_mut())?;
        if copied > 0 && last_byte(old, compression)?.is_some_and(|last| last != b'\n') {
            let mut end = Vec::new();
            compression.compressor().append(b"\n", &mut end);
            self.write(&end)?;
        }
        Ok(())
    }

    /// Gives the finished file its name, replacing any file of that name.
    pub(super) fn publish(self, path: &Path) -> io::Result<()> {
        self.0.as_file().sync_all()?;
        self.0.persist(path).map(drop).map_err(|failed| failed.error)
    }

    /// Gives the finished file the first free name, beginning with `name`, and returns it. Never replaces a
    /// file, not even one that appears at this moment.
    pub(super) fn publish_under_free_name(
        self,
        directory: &Path,
        mut name: EventsFileName,
    ) -> io::Result<EventsFileName> {
        self.0.as_file().sync_all()?;
        let mut temporary = self.0;
        loop {
            match temporary.persist_noclobber(directory.join(name.to_string())) {
                Ok(_) => return Ok(name),
                Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => temporary = failed.file,
                Err(failed) => return Err(failed.error),
            }
            name = name.next_copy();
        }
    }
}

/// The last byte of the text of a file.
fn last_byte(mut file: fs::File, compression: Compression) -> io::Result<Option<u8>> {
    if compression == Compression::None {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        return Ok(Some(last[0]));
    }
    file.rewind()?;
    let (mut text, mut last) = (compression.reader(file)?, None);
    loop {
        let length = match text.fill_buf()? {
            [] => return Ok(last),
            bytes => {
                last = bytes.last().copied();
                bytes.len()
            }
        };
        text.consume(length);
    }
}

/// A temporary file that we hold the lock of.
fn locked_temporary(directory: &Path) -> io::Result<NamedTempFile> {
    loop {
        let temporary = builder().tempfile_in(directory)?;
        // A run that is cleaning up may hold the lock by now, or have removed the file.
        let ours = match temporary.as_file().try_lock() {
            Ok(()) => temporary.path().exists(),
            Err(TryLockError::WouldBlock) => false,
            // The file system has no locks, so no run can mistake the file for a leftover.
            Err(TryLockError::Error(_)) => true,
        };
        if ours {
            return Ok(temporary);
        }
    }
}

fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    // Not private to the user, as temporary files are by default: the file's mode is subject to the umask,
    // like any other.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}

/// Removes the temporary files whose writers are dead. This is best effort: what cannot be removed is left
/// for the next run.
pub(super) fn remove_leftovers(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        if !ours {
            continue;
        }
        if let Ok(file) = fs::File::open(entry.path())
            && file.try_lock().is_ok()
        {
            // We hold the lock until the file is gone. A writer that has just created the file notices and
            // creates another.
            drop(fs::remove_file(entry.path()));
        }
    }
}
