//! A file → its bytes, up to the length that it had when it was opened.
//!
//! A file may grow while it is read: what is added is left for a later run. The open file tells whether
//! anything else happened to it, so a file that was moved or deleted meanwhile is still read as it is.
//!
//! Invariant: what was read is the file as it was when it was opened, or its reader fails.

use std::{
    fs::Metadata,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::defect::Defect;

/// An open file.
#[derive(Debug)]
pub(super) struct SteadyFile {
    file: storage::File,
    path: PathBuf,
    opened: Metadata,
    /// The bytes still to be read; `None` if its length is not known.
    left: Option<u64>,
}

impl SteadyFile {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = storage::File::open(path)?;
        let opened = file.metadata()?;
        // A pipe has no length. What the kernel calls a file (`/proc`) has length 0, and content all the
        // same.
        let left = (opened.is_file() && opened.len() > 0).then_some(opened.len());
        Ok(Self { file, path: path.to_owned(), opened, left })
    }

    /// The bytes of this range.
    pub(super) fn open_range(path: &Path, range: Range<u64>) -> io::Result<Self> {
        let mut file = Self::open(path)?;
        if range.end > file.opened.len() {
            return Err(Defect::Cut.into());
        }
        file.file.seek(SeekFrom::Start(range.start))?;
        Ok(Self { left: Some(range.end - range.start), ..file })
    }

    /// Fails if the file has become another one without growing.
    fn check(&self) -> io::Result<()> {
        let (then, now) = (&self.opened, self.file.metadata()?);
        if now.len() < then.len() {
            return Err(Defect::Cut.into());
        }
        if now.len() == then.len() && self.is_rewritten(&now)? {
            return Err(Defect::Changed.into());
        }
        Ok(())
    }

    /// Whether something was written to it. A program can take the time of that back (`mtime`), but not that
    /// of the last change to the file as a whole (`ctime`), which other changes explain, too: of its owner,
    /// its mode or its names.
    fn is_rewritten(&self, now: &Metadata) -> io::Result<bool> {
        let then = &self.opened;
        let written = |found: &Metadata| (found.mtime(), found.mtime_nsec());
        let changed = |found: &Metadata| (found.ctime(), found.ctime_nsec());
        let explained = |found: &Metadata| (found.mode(), found.uid(), found.gid(), found.nlink());
        if written(then) != written(now) {
            return Ok(true);
        }
        if changed(then) == changed(now) || explained(then) != explained(now) {
            return Ok(false);
        }
        Ok(storage::find(&self.path)?.is_some_and(|there| storage::is_one(&there, now)))
    }
}

impl Read for SteadyFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let Some(left) = self.left else { return self.file.read(bytes) };
        if bytes.is_empty() {
            return Ok(0);
        }
        if left == 0 {
            return self.check().map(|()| 0);
        }
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let read = self.file.read(&mut bytes[..length])?;
        if read == 0 {
            return Err(Defect::Cut.into());
        }
        self.left = Some(left - read as u64);
        Ok(read)
    }
}
