//! A range of a file of lines → the lines whose first byte is in it.
//!
//! Several processes read a file so, each a range. The ends of a range are anywhere: whoever reads a range
//! finds the lines' own ends.
//!
//! Invariant: ranges that have each byte of a file once have each of its lines once. A file that is another
//! one than when it was divided fails.

use std::{
    fs::Metadata,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::SystemTime,
};

use event_parser::{Buffer, CutError, Framing};
use event_target::Fingerprint;
use serde::{Deserialize, Serialize};

use super::{
    Framed, Source, Window,
    defect::{Defect, unreadable},
    hashing_reader::HashingReader,
    objects::ReadAhead,
    open::open,
    steady_file::SteadyFile,
};
use crate::{error::Error, runtime::Progress};

/// How much is read at once to find the end of a line.
const PIECE_BYTES: usize = 64 << 10;

/// Lines of a file.
#[derive(Debug, Clone)]
pub(crate) struct FileLines {
    path: PathBuf,
    /// The first byte of the first line.
    start: u64,
    /// The first byte behind the last line.
    end: u64,
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

impl FileLines {
    /// The lines whose first byte is at `start` or behind it, and before `end`.
    ///
    /// # Errors
    /// The file can't be read, or is another one. `name` is for messages.
    pub(crate) fn within(
        (name, path): (&str, &Path),
        range: (u64, u64),
        state: FileState,
    ) -> Result<Self, Error> {
        Self::find(path, range, state).map_err(|error| unreadable(name, range.0, None, error))
    }

    fn find(path: &Path, (start, end): (u64, u64), state: FileState) -> io::Result<Self> {
        state.check(path)?;
        let mut file = storage::File::open(path)?;
        let [start, end] = [start, end].map(|at| line_start(&mut file, at, state.bytes));
        Ok(Self { path: path.to_owned(), start: start?, end: end? })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The offset of the first line.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    pub(super) fn open(&self) -> io::Result<impl Read + Send + use<>> {
        SteadyFile::open_range(&self.path, self.start..self.end)
    }
}

/// The content of a file that is read in ranges.
///
/// # Errors
/// It can't be read, or is another one. `name` is for messages.
pub(crate) fn fingerprint_of((name, path): (&str, &Path), state: FileState) -> Result<Fingerprint, Error> {
    let hash = || {
        state.check(path)?;
        let file = SteadyFile::open_range(path, 0..state.bytes)?;
        let (mut reader, hash) = HashingReader::new(file, None);
        io::copy(&mut reader, &mut io::sink())?;
        Ok(hash.fingerprint())
    };
    hash().map_err(|error| unreadable(name, 0, None, error))
}

/// Whether a source is plain lines, so that it can be read in ranges.
///
/// # Errors
/// It can't be read.
pub(crate) fn is_splittable(source: &Source, framed: &Framed) -> Result<bool, Error> {
    let failed = |offset, compression, error| unreadable(&source.name, offset, compression, error);
    let ahead = ReadAhead::of([source], Window::least());
    let text = open(source, &ahead, &Progress::hidden(), false).map_err(|error| failed(0, None, error))?;
    let compression = text.compression;
    let mut cutter = framed.cutter(text, PIECE_BYTES);
    cutter
        .next_block(Buffer::default())
        .map_err(|CutError { offset, source }| failed(offset, compression, source))?;
    Ok(compression.is_none() && cutter.framing() == Framing::Lines)
}

/// The first byte of the first line that begins at `at` or behind it; the length of the file if there is
/// none.
fn line_start(file: &mut (impl Read + Seek), at: u64, file_bytes: u64) -> io::Result<u64> {
    if at == 0 || at >= file_bytes {
        return Ok(at.min(file_bytes));
    }
    // A line that begins at `at` follows a newline.
    let mut offset = at - 1;
    file.seek(SeekFrom::Start(offset))?;
    let mut piece = vec![0; PIECE_BYTES];
    while offset < file_bytes {
        let read = file.read(&mut piece)?;
        if read == 0 {
            break;
        }
        if let Some(newline) = memchr::memchr(b'\n', &piece[..read]) {
            return Ok((offset + newline as u64 + 1).min(file_bytes));
        }
        offset += read as u64;
    }
    Ok(file_bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn ranges_have_each_line_once_wherever_they_are_cut() {
        for text in ["", "\n", "a", "a\n", "a\n\nbcd\ne", "abc\nde\n", "\n\n\n"] {
            let bytes = text.len() as u64;
            for cut in 0..=bytes {
                let start = |at| line_start(&mut Cursor::new(text), at, bytes).unwrap();
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
