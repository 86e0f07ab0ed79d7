//! A file of the target → bytes, as the `parquet` crate asks for them when it reads.
//!
//! Invariant: reading past the end of the file is an error, whatever lengths the file itself claims.

use std::{io, path::Path, sync::Arc};

use bytes::Bytes;
use parquet::{
    errors::Result as ParquetResult,
    file::reader::{ChunkReader, Length},
};
use storage::File;

/// A file as `parquet` wants to read it.
pub(crate) struct ParquetFile {
    file: Arc<File>,
    bytes: u64,
}

impl ParquetFile {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let bytes = file.length()?;
        Ok(Self { file: Arc::new(file), bytes })
    }
}

impl Length for ParquetFile {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for ParquetFile {
    type T = io::BufReader<ReadFrom>;

    fn get_read(&self, offset: u64) -> ParquetResult<Self::T> {
        Ok(io::BufReader::new(ReadFrom { file: Arc::clone(&self.file), offset, end: self.bytes }))
    }

    fn get_bytes(&self, offset: u64, length: usize) -> ParquetResult<Bytes> {
        // Lengths come from the file, which may claim anything.
        if offset.checked_add(length as u64).is_none_or(|end| end > self.bytes) {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes.into())
    }
}

/// A file from an offset on.
pub(crate) struct ReadFrom {
    file: Arc<File>,
    offset: u64,
    end: u64,
}

impl io::Read for ReadFrom {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let length = bytes.len().min(left);
        self.file.read_exact_at(&mut bytes[..length], self.offset)?;
        self.offset += length as u64;
        Ok(length)
    }
}
