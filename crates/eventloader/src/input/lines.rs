//! A range of a file or object of lines → the lines whose first byte is in it.
//!
//! Several processes read a source so, each a range. The ends of a range are anywhere: whoever reads a range
//! finds the lines' own ends.
//!
//! Invariant: ranges that have each byte of a source once have each of its lines once. A source that is
//! another one than when it was divided fails.

use std::{
    fs::Metadata,
    io::{self, Read},
    path::{Path, PathBuf},
    time::SystemTime,
};

use event_parser::{Buffer, CutError, Framing};
use event_target::Fingerprint;
use serde::{Deserialize, Serialize};
use storage::{LocalObject, Object};

use super::{
    Framed, Source, Window,
    defect::{Defect, unreadable},
    hashing_reader::HashingReader,
    objects::{ReadAhead, StoredObject},
    open::open,
    steady_file::SteadyFile,
};
use crate::{error::Error, runtime::Progress};

/// How much is read at once to find the end of a line.
const PIECE_BYTES: usize = 64 << 10;

/// Lines of a file or of an object.
#[derive(Debug, Clone)]
pub(crate) enum Lines {
    /// Between the first byte of the first line and the one behind the last line.
    OfFile { path: PathBuf, start: u64, end: u64 },
    /// All that there is in this part of an object.
    OfObject(StoredObject),
}

/// What tells that a file is still the one that was divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileState {
    /// Its length.
    pub(crate) bytes: u64,
    /// When it was written to last.
    pub(crate) modified: Option<SystemTime>,
}

impl FileState {
    /// That of a source's file; `None` if it is not there, or no file.
    ///
    /// # Errors
    /// It can't be looked at. `name` is for messages.
    pub(crate) fn of(name: &str, path: &Path) -> Result<Option<Self>, Error> {
        Self::find(path).map_err(|error| unreadable(name, 0, None, error))
    }

    fn find(path: &Path) -> io::Result<Option<Self>> {
        let found = storage::find(path)?.filter(Metadata::is_file);
        Ok(found.map(|found| Self { bytes: found.len(), modified: found.modified().ok() }))
    }

    /// Fails if the file is another one by now. It may have grown.
    fn check(self, path: &Path) -> io::Result<()> {
        let now = Self::find(path)?.ok_or(io::ErrorKind::NotFound)?;
        if now.bytes < self.bytes {
            return Err(Defect::Cut.into());
        }
        if now.bytes == self.bytes && now.modified != self.modified {
            return Err(Defect::Changed.into());
        }
        Ok(())
    }
}

impl Lines {
    /// The lines of a file whose first byte is at `start` or behind it, and before `end`.
    ///
    /// # Errors
    /// The file can't be read, or is another one. `name` is for messages.
    pub(crate) fn of_file(
        (name, path): (&str, &Path),
        (start, end): (u64, u64),
        state: FileState,
    ) -> Result<Self, Error> {
        let find = || {
            state.check(path)?;
            let file = LocalObject::open(path)?;
            let [start, end] = [start, end].map(|at| line_start(&file, at, state.bytes));
            Ok(Self::OfFile { path: path.to_owned(), start: start?, end: end? })
        };
        find().map_err(|error| unreadable(name, start, None, error))
    }

    /// The same of an object, of which so many bytes are read.
    ///
    /// # Errors
    /// It can't be read, or is another one.
    pub(crate) fn of_object(
        (name, object): (&str, StoredObject),
        (start, end): (u64, u64),
        bytes: u64,
    ) -> Result<Self, Error> {
        let find = || {
            let opened = object.open()?;
            let [start, end] = [start, end].map(|at| line_start(&*opened, at, bytes));
            Ok(Self::OfObject(object.within(start?..end?)))
        };
        find().map_err(|error| unreadable(name, start, None, error))
    }

    /// The file that they are of, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        if let Self::OfFile { path, .. } = self { Some(path) } else { None }
    }

    /// The object that they are of, if it is one.
    pub(crate) fn object(&self) -> Option<&StoredObject> {
        if let Self::OfObject(object) = self { Some(object) } else { None }
    }

    /// The offset of the first line.
    pub(crate) fn start(&self) -> u64 {
        match self {
            Self::OfFile { start, .. } => *start,
            Self::OfObject(object) => object.start(),
        }
    }

    pub(super) fn open(&self, ahead: &ReadAhead) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Self::OfFile { path, start, end } => Ok(Box::new(SteadyFile::open_range(path, *start..*end)?)),
            Self::OfObject(object) => Ok(Box::new(ahead.reader(object)?)),
        }
    }
}

/// The content of a file that is read in ranges: that which is `expected`, or else the file was changed.
///
/// # Errors
/// It can't be read, or is another one. `name` is for messages.
pub(crate) fn fingerprint_of_file(
    (name, path): (&str, &Path),
    state: FileState,
    expected: Option<Fingerprint>,
) -> Result<Fingerprint, Error> {
    let hash = || {
        state.check(path)?;
        hashed(SteadyFile::open_range(path, 0..state.bytes)?, expected)
    };
    hash().map_err(|error| unreadable(name, 0, None, error))
}

/// The same of an object.
///
/// # Errors
/// It can't be read, or is another one.
pub(crate) fn fingerprint_of_object(
    source: &Source,
    object: &StoredObject,
    window: Window,
) -> Result<Fingerprint, Error> {
    let ahead = ReadAhead::of([source], window);
    let hash = || hashed(ahead.reader(object)?, source.fingerprint);
    hash().map_err(|error| unreadable(&source.name, 0, None, error))
}

fn hashed(stored: impl Read, expected: Option<Fingerprint>) -> io::Result<Fingerprint> {
    let (mut reader, hash) = HashingReader::new(stored, expected);
    io::copy(&mut reader, &mut io::sink())?;
    Ok(hash.fingerprint())
}

/// Whether a source is plain lines, so that it can be read in ranges.
///
/// # Errors
/// It can't be read.
pub(crate) fn is_splittable(source: &Source, framed: &Framed) -> Result<bool, Error> {
    let failed = |offset, compression, error| unreadable(&source.name, offset, compression, error);
    // Its beginning alone is read, whatever its content is.
    let source = &Source { fingerprint: None, ..source.clone() };
    let ahead = ReadAhead::of([source], Window::least());
    let text = open(source, &ahead, &Progress::hidden(), false).map_err(|error| failed(0, None, error))?;
    let compression = text.compression;
    let mut cutter = framed.cutter(text, PIECE_BYTES);
    cutter
        .next_block(Buffer::default())
        .map_err(|CutError { offset, source }| failed(offset, compression, source))?;
    Ok(compression.is_none() && cutter.framing() == Framing::Lines)
}

/// The first byte of the first line that begins at `at` or behind it; `bytes`, the length of the text, if
/// there is none.
fn line_start(text: &dyn Object, at: u64, bytes: u64) -> io::Result<u64> {
    if at == 0 || at >= bytes {
        return Ok(at.min(bytes));
    }
    // A line that begins at `at` follows a newline.
    let mut offset = at - 1;
    let mut piece = vec![0; PIECE_BYTES];
    while offset < bytes {
        let length = usize::try_from(bytes - offset).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        text.read_exact_at(&mut piece[..length], offset)?;
        if let Some(newline) = memchr::memchr(b'\n', &piece[..length]) {
            return Ok(offset + newline as u64 + 1);
        }
        offset += length as u64;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct InMemory(&'static str);

    impl Object for InMemory {
        fn bytes(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
            let offset = usize::try_from(offset).unwrap();
            bytes.copy_from_slice(&self.0.as_bytes()[offset..offset + bytes.len()]);
            Ok(())
        }
    }

    #[test]
    fn ranges_have_each_line_once_wherever_they_are_cut() {
        for text in ["", "\n", "a", "a\n", "a\n\nbcd\ne", "abc\nde\n", "\n\n\n"] {
            let bytes = text.len() as u64;
            for cut in 0..=bytes {
                let start = |at| line_start(&InMemory(text), at, bytes).unwrap();
                let (first, middle, last) = (start(0), start(cut), start(bytes));
                assert_eq!((first, last), (0, bytes), "{text:?}");
                let middle = usize::try_from(middle).unwrap();
                // The line of the byte before the cut is in the first range as a whole.
                let expected = match usize::try_from(cut).unwrap() {
                    0 => 0,
                    cut => text[cut - 1..].find('\n').map_or(text.len(), |newline| cut + newline),
                };
                assert_eq!(middle, expected, "{text:?} at {cut}");
            }
        }
    }
}
