//! A file, or standard input → its lines, decompressed, each with its location.
//!
//! Invariant: everything that was read is passed on, even if there is no newline at the end.

use std::{
    io::{self, BufRead, BufReader, Cursor, Read},
    path::Path,
    sync::Arc,
};

use fs_err as fs;

use super::finding::Location;
use crate::error::Error;

const READ_BYTES: usize = 256 << 10;

/// A line without its newline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InputLine {
    pub(super) location: Location,
    pub(super) text: Vec<u8>,
    pub(super) has_end: bool,
}

/// Reads all lines of a file.
pub(super) fn read(path: &Path, take: &mut dyn FnMut(InputLine) -> Result<(), Error>) -> Result<(), Error> {
    let name = path.display().to_string();
    let failed = |source| Error::Check { name: name.clone(), source };
    let file: Arc<str> = name.as_str().into();
    let mut text = open(path).map_err(failed)?;
    for line in 1.. {
        let mut bytes = Vec::new();
        if text.read_until(b'\n', &mut bytes).map_err(failed)? == 0 {
            break;
        }
        let has_end = bytes.pop_if(|last| *last == b'\n').is_some();
        take(InputLine { location: Location { file: Arc::clone(&file), line }, text: bytes, has_end })?;
    }
    Ok(())
}

/// Opens the text of a file; gzip and zstd are recognized by their first bytes.
fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut input: Box<dyn Read> =
        if path == Path::new("-") { Box::new(io::stdin()) } else { Box::new(fs::File::open(path)?) };
    let mut magic = Vec::new();
    input.by_ref().take(4).read_to_end(&mut magic)?;
    let whole = BufReader::with_capacity(READ_BYTES, Cursor::new(magic.clone()).chain(input));
    Ok(match magic.as_slice() {
        [0x1F, 0x8B, ..] => {
            Box::new(BufReader::with_capacity(READ_BYTES, flate2::bufread::MultiGzDecoder::new(whole)))
        }
        [0x28, 0xB5, 0x2F, 0xFD] => {
            Box::new(BufReader::with_capacity(READ_BYTES, zstd::Decoder::with_buffer(whole)?))
        }
        _ => Box::new(whole),
    })
}
