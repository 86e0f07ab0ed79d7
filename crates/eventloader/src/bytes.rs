//! A source → a reader of its text, decompressed.
//!
//! gzip and zstd are recognised by their first bytes, never by a file's name; all members and frames are read.
//!
//! Invariant: a compressed source that is truncated or corrupt ends in an error, never in a silent end of the text.

use std::io::{self, BufReader, Cursor, Read};

use crate::sources::Source;

/// Bytes that are read from a compressed file at once.
const COMPRESSED_READ_BYTES: usize = 256 << 10;

/// Opens a source; errors name the path.
pub(crate) fn open(source: &Source) -> io::Result<Box<dyn Read + Send>> {
    let mut input: Box<dyn Read + Send> = match &source.path {
        Some(path) => Box::new(fs_err::File::open(path)?),
        None => Box::new(io::stdin()),
    };
    let mut magic = Vec::with_capacity(4);
    input.by_ref().take(4).read_to_end(&mut magic)?;
    let whole = Cursor::new(magic.clone()).chain(input);
    Ok(match magic.as_slice() {
        [0x1F, 0x8B, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(
            COMPRESSED_READ_BYTES,
            whole,
        ))),
        [0x28, 0xB5, 0x2F, 0xFD] => {
            Box::new(zstd::Decoder::with_buffer(BufReader::with_capacity(COMPRESSED_READ_BYTES, whole))?)
        }
        _ => Box::new(whole),
    })
}
