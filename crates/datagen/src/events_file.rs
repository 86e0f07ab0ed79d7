//! Bytes in, a complete `events.json` out, or none.
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
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use fs_err as fs;
use tempfile::NamedTempFile;

use crate::Error;

const PREFIX: &str = ".events.json.";
const SUFFIX: &str = ".tmp";

/// What to do with an `events.json` that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IfExists {
    /// Put the new events in its place.
    Overwrite,
    /// Keep its events and put this run's behind them. This run begins at --start-date again and knows nothing of the
    /// events before it: the same --seed gives events with the same ids once more, so use another one.
    Append,
    /// Leave it alone and write the first free of events-1.json, events-2.json, …
    NewFile,
}

/// An events file that is being written.
#[derive(Debug)]
pub(crate) struct EventsFile {
    directory: PathBuf,
    if_exists: IfExists,
    temporary: NamedTempFile,
}

impl EventsFile {
    /// Makes the directory and the temporary file; with `append`, the old events are in it already.
    pub(crate) fn begin(directory: &Path, if_exists: IfExists) -> Result<Self, Error> {
        fs::create_dir_all(directory).map_err(Error::EventsFile)?;
        remove_leftovers(directory);
        let mut temporary = locked_temporary(directory).map_err(Error::EventsFile)?;
        if if_exists == IfExists::Append {
            copy_old_events(&directory.join(file_name(0)), &mut temporary).map_err(Error::EventsFile)?;
        }
        Ok(Self { directory: directory.to_owned(), if_exists, temporary })
    }

    /// Gives the finished file its name, which is returned.
    pub(crate) fn publish(self) -> Result<PathBuf, Error> {
        self.temporary.as_file().sync_all().map_err(Error::EventsFile)?;
        let path = self.directory.join(file_name(0));
        if self.if_exists == IfExists::NewFile {
            return publish_at_free_name(self.temporary, &self.directory);
        }
        match self.temporary.persist(&path) {
            Ok(_) => Ok(path),
            Err(failed) => Err(Error::Publish { path, source: failed.error }),
        }
    }
}

impl Write for EventsFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        #[expect(clippy::disallowed_methods, reason = "this is `write`; our caller deals with the rest")]
        self.temporary.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.flush()
    }
}

/// `events.json`, `events-1.json`, `events-2.json`, …
fn file_name(number: u64) -> String {
    if number == 0 { "events.json".to_owned() } else { format!("events-{number}.json") }
}

/// Never replaces a file, not even one that appears at this moment.
fn publish_at_free_name(mut temporary: NamedTempFile, directory: &Path) -> Result<PathBuf, Error> {
    let mut number = 0;
    loop {
        let path = directory.join(file_name(number));
        match temporary.persist_noclobber(&path) {
            Ok(_) => return Ok(path),
            Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => temporary = failed.file,
            Err(failed) => return Err(Error::Publish { path, source: failed.error }),
        }
        number += 1;
    }
}

/// Copies the old file, if there is one, and ends its last line.
fn copy_old_events(old: &Path, temporary: &mut NamedTempFile) -> io::Result<()> {
    let mut old = match fs::File::open(old) {
        Ok(old) => old,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    // The files themselves, so that the system can copy without us, or share the blocks.
    let copied = io::copy(old.file_mut(), temporary.as_file_mut())?;
    if copied == 0 {
        return Ok(());
    }
    let mut last = [0];
    old.seek(SeekFrom::End(-1))?;
    old.read_exact(&mut last)?;
    if last == *b"\n" { Ok(()) } else { temporary.as_file_mut().write_all(b"\n") }
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
fn remove_leftovers(directory: &Path) {
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
