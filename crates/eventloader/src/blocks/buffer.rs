//! A block's bytes, in memory that one block after the other is read into.
//!
//! Invariant: memory is set to zero once, when it is taken, not for every block: that would cost as much as reading does.

use std::{
    io::{self, ErrorKind, Read},
    ops::Deref,
};

/// Bytes, of memory that may be longer.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    memory: Vec<u8>,
    length: usize,
}

impl Buffer {
    pub(crate) fn clear(&mut self) {
        self.length = 0;
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Moves all of `bytes` to the end.
    pub(crate) fn append(&mut self, bytes: &mut Vec<u8>) {
        self.room(bytes.len()).copy_from_slice(bytes);
        self.length += bytes.len();
        bytes.clear();
    }

    /// Appends up to `length` bytes, fewer only where the input ends; with an error, those that came before it stay.
    pub(crate) fn read_from(&mut self, input: &mut dyn Read, length: usize) -> io::Result<usize> {
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

    /// The memory behind the bytes, at least so much of it.
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

    /// Gives a byte at a time, and fails at the end.
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
        buffer.clear();
        buffer.append(&mut b"ab".to_vec());
        assert_eq!(buffer.read_from(&mut Dripping(b"cdef"), 3).unwrap(), 3);
        assert!(buffer.read_from(&mut Dripping(b"fg"), 3).is_err());
        assert_eq!(&*buffer, b"abcdefg");
        buffer.truncate(1);
        assert_eq!(&*buffer, b"a");
    }
}
