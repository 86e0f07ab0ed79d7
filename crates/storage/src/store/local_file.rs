//! A file as an object that is read, or as one that is written.
//!
//! Invariant: a file that is finished is not synced; who needs that syncs it, or the file system.

use std::{
    fs::Metadata,
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{Arc, OnceLock},
};

use super::{Object, Upload, Uploaded};
use crate::{File, delete_file};

/// An open file.
#[derive(Debug)]
pub struct LocalObject {
    file: File,
    bytes: u64,
}

impl LocalObject {
    /// An open file of this length.
    pub(super) fn new(file: File, bytes: u64) -> Self {
        Self { file, bytes }
    }

    /// Opens a file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let bytes = file.length()?;
        Ok(Self { file, bytes })
    }
}

impl Object for LocalObject {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(bytes, offset)
    }
}

/// A new file, under the name that it keeps until somebody renames it.
#[derive(Debug)]
pub struct NewFile(pub(super) File);

impl NewFile {
    /// Creates an empty file in a directory that exists.
    pub fn create(path: &Path) -> io::Result<Self> {
        File::create(path).map(Self)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Upload for NewFile {
    /// Lets the system begin to write a large file to the disk, so that whoever syncs does not have to wait
    /// for all of it at once: with 5,000,000 events (160 MiB) a commit then takes 0.01 to 0.06 s instead of
    /// 0.2 s.
    fn finish(self: Box<Self>) -> io::Result<Uploaded> {
        /// Many small files are written just as quickly all at once.
        const LARGE_BYTES: u64 = 1 << 20;
        let Self(file) = *self;
        let there = file.metadata()?;
        if there.len() >= LARGE_BYTES {
            file.begin_writeback();
        }
        let object = LocalObject::new(file, there.len());
        Ok(Uploaded { stamp: Arc::new(OnceLock::from(stamp_of(&there))), object: Some(Box::new(object)) })
    }

    fn abort(self: Box<Self>) {
        let path = self.0.path().to_owned();
        drop(self);
        let _ = delete_file(&path);
    }
}

/// Inode and time of a file.
pub(super) fn stamp_of(there: &Metadata) -> (u64, i64) {
    const SECOND_NANOS: i64 = 1_000_000_000;
    let nanos = there.mtime().saturating_mul(SECOND_NANOS).saturating_add(there.mtime_nsec());
    (there.ino(), nanos)
}
