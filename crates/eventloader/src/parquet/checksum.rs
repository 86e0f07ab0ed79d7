//! A file's bytes → their count and XXH3, while they are written or read back.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use xxhash_rust::xxh3::Xxh3Default;

/// Counts and sums up what goes to a file, or to nothing.
pub(super) struct ChecksumWriter {
    pub(super) file: Option<File>,
    pub(super) bytes: u64,
    checksum: Xxh3Default,
}

impl ChecksumWriter {
    pub(super) fn new(file: Option<File>) -> Self {
        Self { file, bytes: 0, checksum: Xxh3Default::new() }
    }

    pub(super) fn checksum(&self) -> u64 {
        self.checksum.digest()
    }
}

impl Write for ChecksumWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
        }
        self.bytes += bytes.len() as u64;
        self.checksum.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), File::flush)
    }
}

/// Length and checksum of a file, as [`super::StagedFile`] has them.
pub(crate) fn checksum_of(path: &Path) -> io::Result<(u64, u64)> {
    let mut writer = ChecksumWriter::new(None);
    io::copy(&mut fs_err::File::open(path)?, &mut writer)?;
    Ok((writer.bytes, writer.checksum()))
}
