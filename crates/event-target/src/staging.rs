//! New files of a load → staged files, hashed while they are written; or, in a dry run, only counted.
//!
//! Invariant: a dry run creates no file, and counts the same bytes.

use std::{
    env, fmt,
    io::{self, Write},
    path::{Path, PathBuf},
};

use storage::File;
use xxhash_rust::xxh3::Xxh3Default;

use crate::{StagedFile, Stamp};

/// The destination of a load's new files.
#[derive(Debug, Clone)]
pub enum Staging {
    /// This directory of the target.
    Directory(PathBuf),
    /// None: a dry run counts their bytes and discards them.
    Discard,
}

/// A file that is being staged.
pub struct StagedWriter {
    /// `None` if the bytes are discarded.
    file: Option<File>,
    staged: String,
    /// Bytes that are not written yet: small files are written in one piece.
    pending: Vec<u8>,
    bytes: u64,
    checksum: Xxh3Default,
}

/// The most bytes that wait to be written.
const PENDING_BYTES_MAX: usize = 256 << 10;

impl Staging {
    /// Whether files are discarded.
    #[must_use]
    pub fn is_discarded(&self) -> bool {
        matches!(self, Self::Discard)
    }

    /// The path of a staged file; `None` if files are discarded.
    #[must_use]
    pub fn path(&self, staged: &str) -> Option<PathBuf> {
        match self {
            Self::Directory(directory) => Some(directory.join(staged)),
            Self::Discard => None,
        }
    }

    /// A directory for files that nobody else needs: on the file system of the target, except in a dry run.
    #[must_use]
    pub fn temporary_directory(&self) -> PathBuf {
        match self {
            Self::Directory(directory) => directory.clone(),
            Self::Discard => env::temp_dir(),
        }
    }

    /// Creates a directory for staged files: threads that create files in one directory wait for each other.
    ///
    /// # Errors
    /// That of the system.
    pub fn create_directory(&self, name: &str) -> io::Result<()> {
        self.path(name).map_or(Ok(()), |path| storage::create_directory(&path))
    }

    /// Begins a file; `staged` is its path in the staging directory.
    ///
    /// # Errors
    /// That of the system.
    pub fn create(&self, staged: String) -> io::Result<StagedWriter> {
        let file = self.path(&staged).map(|path| File::create(&path)).transpose()?;
        Ok(StagedWriter { file, staged, pending: Vec::new(), bytes: 0, checksum: Xxh3Default::new() })
    }
}

impl fmt::Debug for StagedWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StagedWriter").field("staged", &self.staged).finish_non_exhaustive()
    }
}

impl StagedWriter {
    /// Ends the file, and returns it with its handle, unless it was discarded. `name` is its name in its
    /// directory.
    ///
    /// # Errors
    /// That of the system.
    pub fn finish(mut self, name: String, rows: u64) -> io::Result<(StagedFile, Option<File>)> {
        self.flush()?;
        let Self { file, staged, bytes, checksum, .. } = self;
        let stamp = file.as_ref().map(|file| file.metadata().map(|found| Stamp::from(&found))).transpose()?;
        Ok((StagedFile { name, staged, rows, bytes, checksum: checksum.digest(), stamp }, file))
    }
}

impl Write for StagedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.file.is_some() {
            if self.pending.len() + bytes.len() > PENDING_BYTES_MAX {
                self.flush()?;
            }
            match &mut self.file {
                Some(file) if bytes.len() > PENDING_BYTES_MAX => file.write_all(bytes)?,
                _ => self.pending.extend_from_slice(bytes),
            }
        }
        self.bytes += bytes.len() as u64;
        self.checksum.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(file) = &mut self.file
            && !self.pending.is_empty()
        {
            file.write_all(&self.pending)?;
        }
        self.pending.clear();
        Ok(())
    }
}

impl From<&Path> for Staging {
    fn from(directory: &Path) -> Self {
        Self::Directory(directory.to_owned())
    }
}
