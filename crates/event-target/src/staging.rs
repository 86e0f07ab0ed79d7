//! New files of a load → staged files, hashed while they are written; or, in a dry run, only counted.
//!
//! Invariant: a dry run creates no file, and counts the same bytes.

use std::{
    env, fmt,
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use storage::{LocalObject, NewFile, Object, Upload, Uploaded};
use xxhash_rust::xxh3::Xxh3Default;

use crate::{Exchange, StagedFile, Stamp, Transaction, tables::Attempt};

/// The destination of a load's new files.
#[derive(Debug, Clone)]
pub enum Staging {
    /// This directory of a target of partitions.
    Directory(PathBuf),
    /// Their places in a target of tables, as objects that nothing refers to yet.
    Tables(Arc<Attempt>),
    /// The tables of a database; what is a file all the same, bad lines, waits on the local disk.
    Database(Arc<Transaction>),
    /// None: a dry run counts their bytes and discards them.
    Discard,
}

/// Where a new file will be, once it is committed.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p> {
    /// Its directory in the target.
    pub directory: &'p str,
    /// Its name up to the extension. What else tells two commits apart goes between them.
    pub stem: &'p str,
    /// The end of its name, without the dot before it; there may be none.
    pub extension: &'p str,
}

impl Place<'_> {
    /// The name of the file where commits need not be told apart.
    #[must_use]
    pub fn file_name(self) -> String {
        let Self { stem, extension, .. } = self;
        if extension.is_empty() { stem.to_owned() } else { format!("{stem}.{extension}") }
    }
}

/// A file that is being staged.
pub struct StagedWriter {
    /// `None` if the bytes are discarded.
    upload: Option<Box<dyn Upload>>,
    staged: String,
    name: String,
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

    /// Where the processes of this run leave files for each other; `None` where only one can do it.
    #[must_use]
    pub fn exchange(&self) -> Option<Exchange> {
        match self {
            Self::Directory(directory) => Some(Exchange::in_directory(directory)),
            Self::Tables(attempt) => Some(attempt.exchange()),
            Self::Database(_) | Self::Discard => None,
        }
    }

    /// Ends what a process has staged for a run, in these directories of the staging directory, where there
    /// is one. All of it is durable then, and goes with the run if that does not commit it.
    ///
    /// # Errors
    /// That of the system.
    pub fn hand_over(&self, exchange: &Exchange, directories: &[PathBuf]) -> io::Result<()> {
        match self {
            Self::Directory(_) => storage::sync_files_in(directories),
            Self::Tables(attempt) => attempt.hand_over(exchange),
            Self::Database(_) | Self::Discard => Ok(()),
        }
    }

    /// Gives up what a process has staged for a run. Files go with the run.
    pub fn give_up(&self) {
        if let Self::Tables(attempt) = self {
            attempt.clear(|_| false);
        }
    }

    /// The path of a local file that nobody but this run reads; `None` in a dry run.
    #[must_use]
    pub fn scratch(&self, name: &str) -> Option<PathBuf> {
        match self {
            Self::Directory(directory) => Some(directory.join(name)),
            Self::Tables(attempt) => Some(attempt.scratch().join(name)),
            Self::Database(transaction) => Some(transaction.scratch().join(name)),
            Self::Discard => None,
        }
    }

    /// A directory for files that nobody else needs: on the file system of the target, except in a dry run.
    #[must_use]
    pub fn temporary_directory(&self) -> PathBuf {
        match self {
            Self::Directory(directory) => directory.clone(),
            Self::Tables(attempt) => attempt.scratch().to_owned(),
            Self::Database(transaction) => transaction.scratch().to_owned(),
            Self::Discard => env::temp_dir(),
        }
    }

    /// Creates a directory for staged files: threads that create files in one directory wait for each other.
    ///
    /// # Errors
    /// That of the system.
    pub fn create_directory(&self, name: &str) -> io::Result<()> {
        match self {
            Self::Directory(directory) => storage::create_directory(&directory.join(name)),
            Self::Database(transaction) => storage::create_directory(&transaction.scratch().join(name)),
            Self::Tables(_) | Self::Discard => Ok(()),
        }
    }

    /// Begins a file. `staged` is a name of its own among those of the run; `place` is where it will be.
    ///
    /// # Errors
    /// That of the system.
    pub fn create(&self, staged: String, place: Place<'_>) -> io::Result<StagedWriter> {
        let (mut staged, mut name, checksum) = (staged, place.file_name(), Xxh3Default::new());
        let upload: Option<Box<dyn Upload>> = match self {
            Self::Directory(directory) => Some(Box::new(NewFile::create(&directory.join(&staged))?)),
            Self::Database(transaction) => {
                Some(Box::new(NewFile::create(&transaction.scratch().join(&staged))?))
            }
            Self::Tables(attempt) => {
                name = attempt.name(place);
                staged = format!("{}/{name}", place.directory);
                Some(attempt.upload(&staged)?)
            }
            Self::Discard => None,
        };
        Ok(StagedWriter { upload, staged, name, pending: Vec::new(), bytes: 0, checksum })
    }

    /// Opens a staged file to read it back.
    ///
    /// # Errors
    /// That of the system, or that it was discarded.
    pub fn open(&self, file: &StagedFile) -> io::Result<Box<dyn Object>> {
        match self {
            Self::Directory(directory) => Ok(Box::new(LocalObject::open(&directory.join(&file.staged))?)),
            Self::Database(transaction) => {
                Ok(Box::new(LocalObject::open(&transaction.scratch().join(&file.staged))?))
            }
            Self::Tables(attempt) => attempt.open(file),
            Self::Discard => Err(io::Error::new(ErrorKind::NotFound, "it was discarded")),
        }
    }

    /// How messages name a staged file.
    #[must_use]
    pub fn address(&self, file: &StagedFile) -> PathBuf {
        match self {
            Self::Directory(directory) => directory.join(&file.staged),
            Self::Database(transaction) => transaction.scratch().join(&file.staged),
            Self::Tables(attempt) => attempt.address(file),
            Self::Discard => PathBuf::from(&file.staged),
        }
    }
}

impl fmt::Debug for StagedWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StagedWriter").field("staged", &self.staged).finish_non_exhaustive()
    }
}

impl StagedWriter {
    /// Ends the file, and returns it with its bytes, if these are at hand to be read back.
    ///
    /// # Errors
    /// That of the system.
    pub fn finish(mut self, rows: u64) -> io::Result<(StagedFile, Option<Box<dyn Object>>)> {
        self.flush()?;
        let Self { upload, staged, name, bytes, checksum, .. } = self;
        let uploaded = upload.map(Upload::finish).transpose()?;
        let (stamp, object) = match uploaded {
            Some(Uploaded { stamp, object }) => (stamp.get().copied().map(Stamp::from), object),
            None => (None, None),
        };
        let checksum = checksum.digest();
        Ok((StagedFile { name, staged, rows, bytes, checksum, stamp, statistics: None }, object))
    }
}

impl Write for StagedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.upload.is_some() {
            if self.pending.len() + bytes.len() > PENDING_BYTES_MAX {
                self.flush()?;
            }
            match &mut self.upload {
                Some(upload) if bytes.len() > PENDING_BYTES_MAX => upload.write_all(bytes)?,
                _ => self.pending.extend_from_slice(bytes),
            }
        }
        self.bytes += bytes.len() as u64;
        self.checksum.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(upload) = &mut self.upload
            && !self.pending.is_empty()
        {
            upload.write_all(&self.pending)?;
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
