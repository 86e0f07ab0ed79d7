//! A file's bytes → their count and XXH3, while they are written or read back.

use std::{
    io::{self, Write},
    path::Path,
};

use xxhash_rust::xxh3::Xxh3Default;

use crate::disk::File;

/// Counts and sums up what goes to a file, or to nothing.
pub(super) struct ChecksumWriter {
    file: Option<File>,
    /// What was not written yet: small files are written in one piece.
    pending: Vec<u8>,
    pub(super) bytes: u64,
    checksum: Xxh3Default,
}

/// Bytes that wait to be written, at most.
const PENDING_BYTES_MAX: usize = 256 << 10;

impl ChecksumWriter {
    pub(super) fn new(file: Option<File>) -> Self {
        Self { file, pending: Vec::new(), bytes: 0, checksum: Xxh3Default::new() }
    }

    pub(super) fn checksum(&self) -> u64 {
        self.checksum.digest()
    }

    /// The file, all written.
    pub(super) fn into_file(mut self) -> io::Result<Option<File>> {
        self.flush()?;
        Ok(self.file)
    }
}

impl Write for ChecksumWriter {
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
        if let Some(file) = &mut self.file {
            file.write_all(&self.pending)?;
        }
        self.pending.clear();
        Ok(())
    }
}

/// Length and checksum of a file, as [`super::StagedFile`] has them.
pub(crate) fn checksum_of(path: &Path) -> io::Result<(u64, u64)> {
    let mut writer = ChecksumWriter::new(None);
    io::copy(&mut File::open(path)?, &mut writer)?;
    Ok((writer.bytes, writer.checksum()))
}
