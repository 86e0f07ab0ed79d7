//! The bytes of a block, in memory that is reused for one block after the other.
//!
//! Invariant: memory is zeroed once, by its allocation, and not for every block: that would cost as much as
//! reading. A short input never touches the rest of its block.

use std::{
    io::{self, ErrorKind, Read},
    ops::Deref,
};

/// The bytes of a block. Their memory may be longer.
#[derive(Debug, Default)]
pub struct Buffer {
    memory: Vec<u8>,
    length: usize,
}

impl Buffer {
    /// Forgets the bytes, and keeps the memory.
    pub fn clear(&mut self) {
        self.length = 0;
    }

    /// Forgets the bytes, and has memory for that many.
    pub fn clear_for(&mut self, length: usize) {
        self.length = 0;
        if self.memory.len() < length {
            // Fresh pages are zeros already; memory that grows is copied and written.
            self.memory = Vec::new();
            self.memory = vec![0; length];
        }
    }

    /// Keeps the first `length` bytes.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Moves all of `bytes` to the end.
    pub fn append(&mut self, bytes: &mut Vec<u8>) {
        self.room(bytes.len()).copy_from_slice(bytes);
        self.length += bytes.len();
        bytes.clear();
    }

    /// Appends `length` bytes, or fewer if the input ends.
    ///
    /// # Errors
    /// The input's own. The bytes before it are appended.
    pub fn read_from(&mut self, input: &mut (impl Read + ?Sized), length: usize) -> io::Result<usize> {
        let mut missing = length;
        while missing > 0 {
            match input.read(self.room(missing)) {
                Ok(0) => break,
                Ok(read) => {
                    self.length += read;
                    missing -= read;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(length - missing)
    }

    /// The memory after the bytes, with at least this length.
    fn room(&mut self, length: usize) -> &mut [u8] {
        let end = self.length + length;
        if self.memory.len() < end {
            self.memory.resize(end, 0);
        }
        &mut self.memory[self.length..end]
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns one byte at a time, and fails at the end.
    struct Dripping(&'static [u8]);

    impl Read for Dripping {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Err(io::Error::other("dry")) };
            (bytes[0], self.0) = (*first, rest);
            Ok(1)
        }
    }

    #[test]
    fn what_was_read_stays_also_before_an_error_and_nothing_of_earlier_bytes_does() {
        let mut buffer = Buffer::default();
        assert_eq!(buffer.read_from(&mut "earlier".as_bytes(), 100).unwrap(), 7);
        buffer.clear_for(3);
        buffer.append(&mut b"ab".to_vec());
        assert_eq!(buffer.read_from(&mut Dripping(b"cdef"), 3).unwrap(), 3);
        assert!(buffer.read_from(&mut Dripping(b"fg"), 3).is_err());
        assert_eq!(&*buffer, b"abcdefg");
        buffer.truncate(1);
        assert_eq!(&*buffer, b"a");
    }
}
