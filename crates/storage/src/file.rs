//! An open file: what is done with it, each an operation.
//!
//! Invariant: an error names the path by which the file was opened or created.

use std::{
    fs::{Metadata, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::FileExt,
    path::Path,
};

use fs_err as fs;

#[cfg(debug_assertions)]
use crate::faults;
use crate::{Operation, is_one, look_at, named};

/// An open file; errors name its path.
#[derive(Debug)]
pub struct File(fs::File);

impl File {
    /// Opens a file to read.
    pub fn open(path: &Path) -> io::Result<Self> {
        Operation::look("open", path).begin()?;
        fs::File::open(path).map(Self)
    }

    /// Creates an empty file to write and to read back.
    pub fn create(path: &Path) -> io::Result<Self> {
        Operation::change("create", path).run(|| {
            let mut options = fs::OpenOptions::new();
            Self(options.create(true).truncate(true).read(true).write(true).open(path)?).tracked()
        })
    }

    /// Opens a file to read and write, with its content; creates it if missing.
    pub fn open_or_create(path: &Path) -> io::Result<Self> {
        Operation::change("open or create", path).run(|| {
            let mut options = fs::OpenOptions::new();
            Self(options.create(true).truncate(false).read(true).write(true).open(path)?).tracked()
        })
    }

    /// Creates a file without a name on the file system of `dir`; it disappears with the process.
    pub fn unnamed(dir: &Path) -> io::Result<Self> {
        Operation::change("create an unnamed file in", dir).run(|| {
            let file = tempfile::tempfile_in(dir).map_err(|error| named("create a file in", dir, &error))?;
            Ok(Self(fs::File::from_parts(file, dir)))
        })
    }

    /// Tells the fault injection that the written bytes are only in memory until they are synced.
    #[cfg_attr(
        not(debug_assertions),
        expect(clippy::unnecessary_wraps, reason = "it can fail in debug builds")
    )]
    fn tracked(self) -> io::Result<Self> {
        #[cfg(debug_assertions)]
        faults::created(self.0.file())?;
        Ok(self)
    }

    /// Makes written bytes durable or, for a directory, the names in it.
    pub fn sync(&self) -> io::Result<()> {
        Operation::change("sync", self.0.path()).run(|| {
            self.0.sync_all()?;
            #[cfg(debug_assertions)]
            faults::synced(self.0.file(), self.0.path())?;
            Ok(())
        })
    }

    /// Makes everything durable that was written to the file system of this file.
    #[cfg(target_os = "linux")]
    pub fn sync_file_system(&self) -> io::Result<()> {
        Operation::change("sync the file system of", self.0.path()).run(|| {
            rustix::fs::syncfs(self.0.file())?;
            #[cfg(debug_assertions)]
            faults::all_synced();
            Ok(())
        })
    }

    /// Takes the exclusive lock on the whole file, if nobody else holds a lock on it.
    pub fn try_lock(&self) -> Result<(), TryLockError> {
        self.0.file().try_lock()
    }

    /// Takes a shared lock on the whole file, if nobody holds the exclusive one.
    pub fn try_lock_shared(&self) -> Result<(), TryLockError> {
        self.0.file().try_lock_shared()
    }

    /// Another handle of the same open file.
    pub fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Cuts the file to this length, or extends it with zeros.
    pub fn set_len(&self, bytes: u64) -> io::Result<()> {
        Operation::change("set the length of", self.0.path()).run(|| self.0.set_len(bytes))
    }

    /// Whether this path still leads to this file.
    pub fn is_at(&self, path: &Path) -> io::Result<bool> {
        let Some(there) = look_at(path)? else { return Ok(false) };
        Ok(is_one(&self.0.metadata()?, &there))
    }

    /// The path by which it was opened or created.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Its metadata now, wherever its path leads by now.
    pub fn metadata(&self) -> io::Result<Metadata> {
        Operation::look("look at", self.0.path()).begin()?;
        self.0.metadata()
    }

    /// Its length in bytes.
    pub fn length(&self) -> io::Result<u64> {
        self.0.metadata().map(|found| found.len())
    }

    /// Fills `bytes` from `offset` on; an error if the file ends before.
    pub fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        Operation::look("read", self.0.path()).begin()?;
        let read = self.0.file().read_exact_at(bytes, offset);
        read.map_err(|error| named("read from", self.0.path(), &error))
    }

    /// Writes all of `bytes` at `offset`.
    pub fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        Operation::change("write", self.0.path()).run(|| {
            let written = self.0.file().write_all_at(bytes, offset);
            written.map_err(|error| named("write to", self.0.path(), &error))
        })
    }

    /// Lets the system begin to write the file to the disk. Nothing depends on it.
    pub fn begin_writeback(&self) {
        // On Linux this begins to write unsynced bytes, and returns.
        #[cfg(target_os = "linux")]
        let _ = rustix::fs::fadvise(self.0.file(), 0, None, rustix::fs::Advice::DontNeed);
    }
}

impl Read for File {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        Operation::look("read", self.0.path()).begin()?;
        self.0.read(bytes)
    }
}

impl Seek for File {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        #[cfg(debug_assertions)]
        let answer = faults::at_write(self.0.file(), Operation::change("write", self.0.path()), bytes)?;
        let written = self.0.write(bytes)?;
        #[cfg(debug_assertions)]
        answer.arrive(Operation::change("write", self.0.path()))?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
