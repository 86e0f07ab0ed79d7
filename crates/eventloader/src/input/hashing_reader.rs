//! The bytes of a source as stored → their length and checksum, computed while they are read.
//!
//! Invariant: the fingerprint covers all bytes that were read. A source whose fingerprint is already known is
//! read up to that length, and must still have that content.

use std::{
    io::{self, Read},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use event_target::{ContentChecksum, Fingerprint};
use xxhash_rust::xxh3::Xxh3Default;

use super::defect::Defect;

/// Hashes what is read from a source.
pub(crate) struct HashingReader<R> {
    input: R,
    /// Its fingerprint when it was screened, if it was.
    expected: Option<Fingerprint>,
    running_hash: RunningHash,
}

/// The hash so far; its owner keeps it when the reader is handed away.
#[derive(Clone)]
pub(crate) struct RunningHash(Arc<Mutex<(u64, Xxh3Default)>>);

impl RunningHash {
    fn get(&self) -> MutexGuard<'_, (u64, Xxh3Default)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let (bytes, checksum) = &*self.get();
        Fingerprint { bytes: *bytes, checksum: ContentChecksum::of(checksum) }
    }
}

impl<R: Read> HashingReader<R> {
    pub(crate) fn new(input: R, expected: Option<Fingerprint>) -> (Self, RunningHash) {
        let running_hash = RunningHash(Arc::new(Mutex::new((0, Xxh3Default::new()))));
        (Self { input, expected, running_hash: running_hash.clone() }, running_hash)
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut running_hash = self.running_hash.get();
        let left = self.expected.map_or(u64::MAX, |expected| expected.bytes - running_hash.0);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.input.read(&mut buffer[..length])?;
        running_hash.0 += read as u64;
        running_hash.1.update(&buffer[..read]);
        drop(running_hash);
        let has_ended = read == 0 && !buffer.is_empty();
        if has_ended && self.expected.is_some_and(|expected| expected != self.running_hash.fingerprint()) {
            return Err(Defect::Changed.into());
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], expected: Option<Fingerprint>) -> (io::Result<Vec<u8>>, Fingerprint) {
        let (mut reader, running_hash) = HashingReader::new(text, expected);
        let mut all = Vec::new();
        let result = reader.read_to_end(&mut all).map(|_| all);
        (result, running_hash.fingerprint())
    }

    #[test]
    fn a_source_is_read_as_far_as_it_went_and_must_be_the_same() {
        let (all, content) = read(b"one\ntwo\n", None);
        assert_eq!((all.unwrap().len(), content.bytes), (8, 8));
        let (all, again) = read(b"one\ntwo\nthree, half", Some(content));
        assert_eq!((all.unwrap(), again), (b"one\ntwo\n".to_vec(), content));
        for changed in [&b"one\nTwo\n"[..], b"one\n", b""] {
            assert!(read(changed, Some(content)).0.is_err(), "{changed:?}");
        }
    }

    #[test]
    fn a_checksum_is_read_as_it_is_written() {
        let content = read(b"x", None).1;
        let text = serde_json::to_string(&content).unwrap();
        assert_eq!(serde_json::from_str::<Fingerprint>(&text).unwrap(), content);
    }
}
