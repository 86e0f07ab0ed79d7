//! A file of the target → bytes, as the `parquet` crate asks for them when it reads.
//!
//! Invariant: reading past the end of the file is an error, whatever lengths the file itself claims.

use std::{io, sync::Arc};

use bytes::Bytes;
use parquet::{
    errors::Result as ParquetResult,
    file::reader::{ChunkReader, Length},
};
use storage::{Object, ObjectReader};

/// A file as `parquet` wants to read it.
pub(crate) struct ParquetFile {
    object: Arc<dyn Object>,
    bytes: u64,
}

impl From<Box<dyn Object>> for ParquetFile {
    fn from(object: Box<dyn Object>) -> Self {
        Self { bytes: object.bytes(), object: object.into() }
    }
}

impl Length for ParquetFile {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for ParquetFile {
    type T = io::BufReader<ObjectReader>;

    fn get_read(&self, offset: u64) -> ParquetResult<Self::T> {
        Ok(io::BufReader::new(ObjectReader::new(Arc::clone(&self.object), offset)))
    }

    fn get_bytes(&self, offset: u64, length: usize) -> ParquetResult<Bytes> {
        // Lengths come from the file, which may claim anything.
        if offset.checked_add(length as u64).is_none_or(|end| end > self.bytes) {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let mut bytes = vec![0; length];
        self.object.read_exact_at(&mut bytes, offset)?;
        Ok(bytes.into())
    }
}
