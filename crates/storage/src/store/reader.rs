//! An object → its bytes one after the other, from an offset on.
//!
//! Invariant: reading never goes beyond the end that the object has.

use std::{
    io::{self, Read},
    sync::Arc,
};

use super::Object;

/// Reads an object from an offset to its end.
#[derive(Debug)]
pub struct ObjectReader {
    object: Arc<dyn Object>,
    offset: u64,
}

impl ObjectReader {
    /// Begins at `offset`.
    #[must_use]
    pub fn new(object: Arc<dyn Object>, offset: u64) -> Self {
        Self { object, offset }
    }
}

impl Read for ObjectReader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.object.bytes().saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let length = bytes.len().min(left);
        self.object.read_exact_at(&mut bytes[..length], self.offset)?;
        self.offset += length as u64;
        Ok(length)
    }
}
