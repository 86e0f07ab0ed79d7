//! Bytes in, a complete events file out, or none.
//!
//! The bytes go to a temporary file in the same directory, which is flushed to the disk and then renamed. `append`
//! first copies the old events into it; so a run that is stopped by anything, a full disk or a power cut included,
//! leaves the old file as it was.
//!
//! A temporary file has a name that no reader of `*.json` picks up, and its writer holds a lock on it for as long as it
//! lives. A file without that lock is what a killed run left, and the next run removes it.
//!
//! Invariant: nothing but `EventsFile::publish` touches a file that others read. Two runs that append to one file at
//! the same time are not merged: the one that finishes last wins.

use std::fs::TryLockError;
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::path::Path;

use fs_err as fs;
use tempfile::NamedTempFile;

use crate::compression::Compression;
use crate::file_names::EventsFileName;

const PREFIX: &str = ".events.json.";
const SUFFIX: &str = ".tmp";

/// An events file that is being written.
#[derive(Debug)]
pub(crate) struct EventsFile(NamedTempFile);

impl EventsFile {
    /// Makes the temporary file.
    pub(crate) fn begin(directory: &Path) -> io::Result<Self> {
        locked_temporary(directory).map(Self)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Copies the old file, if there is one, and ends its last line.
    pub(crate) fn copy_old(&mut self, old: &Path, compression: Compression) -> io::Result<()> {
        let mut old = match fs::File::open(old) {
            Ok(old) => old,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        // The files themselves, so that the system can copy without us, or share the blocks.
        let copied = io::copy(old.file_mut(), self.0.as_file_mut())?;
        if copied > 0 && last_byte(old, compression)?.is_some_and(|last| last != b'\n') {
            let mut end = Vec::new();
            compression.compressor().append(b"\n", &mut end);
            self.write(&end)?;
        }
        Ok(())
    }

    /// Gives the finished file its name, in the place of any other.
    pub(crate) fn publish(self, path: &Path) -> io::Result<()> {
        self.0.as_file().sync_all()?;
        self.0.persist(path).map(drop).map_err(|failed| failed.error)
    }

    /// Gives the finished file a name that is free, this one or the next that is, and tells which. Never replaces a file, not even one
    /// that appears at this moment.
    pub(crate) fn publish_at_free(
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

/// A temporary file that carries our lock.
fn locked_temporary(directory: &Path) -> io::Result<NamedTempFile> {
    loop {
        let temporary = builder().tempfile_in(directory)?;
        // A run that cleans up may have come between; then it holds the lock, or has removed the file.
        let ours = match temporary.as_file().try_lock() {
            Ok(()) => temporary.path().exists(),
            Err(TryLockError::WouldBlock) => false,
            // A file system without locks: nobody can take the file for a leftover there.
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
    // Not private to us, as temporary files are by default: it becomes a file like any other, under the umask.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}

/// Removes the temporary files whose writer is dead. That is a courtesy: what fails here is left for the next run.
pub(crate) fn remove_leftovers(directory: &Path) {
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
            // The lock is held until the file is gone: its writer, if it has just made it, sees that and makes another.
            drop(fs::remove_file(entry.path()));
        }
    }
}
