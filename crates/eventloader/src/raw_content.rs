//! A source as it is stored → its length and its checksum, while it is read: by these it is known again, whatever it is called.
//!
//! Invariant: what is told is of the bytes that went through, all of them; a source that was looked at before is read as far as it
//! went then, and must not have changed.

use std::{
    fmt,
    io::{self, Read},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use xxhash_rust::xxh3::Xxh3Default;

/// What a source holds, compressed if it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct RawContent {
    pub(crate) bytes: u64,
    pub(crate) checksum: ContentChecksum,
}

/// XXH3, 128 bits: 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ContentChecksum(u128);

impl fmt::Display for ContentChecksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for ContentChecksum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentChecksum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map(Self).map_err(D::Error::custom)
    }
}

/// A source is not what it was when it was looked at.
#[derive(Debug, thiserror::Error)]
#[error("it was changed while it was read")]
pub(crate) struct Changed;

/// Sums up what is read from a source.
pub(crate) struct Summed<R> {
    input: R,
    /// What it held when it was looked at, if it was.
    expected: Option<RawContent>,
    so_far: SoFar,
}

/// What went through, to be asked for by whoever hands the reader away.
#[derive(Clone)]
pub(crate) struct SoFar(Arc<Mutex<(u64, Xxh3Default)>>);

impl SoFar {
    fn get(&self) -> MutexGuard<'_, (u64, Xxh3Default)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn content(&self) -> RawContent {
        let (bytes, checksum) = &*self.get();
        RawContent { bytes: *bytes, checksum: ContentChecksum(checksum.digest128()) }
    }
}

impl<R: Read> Summed<R> {
    pub(crate) fn new(input: R, expected: Option<RawContent>) -> (Self, SoFar) {
        let so_far = SoFar(Arc::new(Mutex::new((0, Xxh3Default::new()))));
        (Self { input, expected, so_far: so_far.clone() }, so_far)
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut so_far = self.so_far.get();
        let left = self.expected.map_or(u64::MAX, |expected| expected.bytes - so_far.0);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.input.read(&mut buffer[..length])?;
        so_far.0 += read as u64;
        so_far.1.update(&buffer[..read]);
        drop(so_far);
        let has_ended = read == 0 && !buffer.is_empty();
        if has_ended && self.expected.is_some_and(|expected| expected != self.so_far.content()) {
            return Err(io::Error::other(Changed));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], expected: Option<RawContent>) -> (io::Result<Vec<u8>>, RawContent) {
        let (mut summed, so_far) = Summed::new(text, expected);
        let mut all = Vec::new();
        let result = summed.read_to_end(&mut all).map(|_| all);
        (result, so_far.content())
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
        assert_eq!(serde_json::from_str::<RawContent>(&text).unwrap(), content);
    }
}
