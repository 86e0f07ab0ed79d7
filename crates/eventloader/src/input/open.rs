//! A source → its text, decompressed.
//!
//! gzip and zstd are recognised by their first bytes, never by a file's name. All members and frames are
//! read.
//!
//! Invariant: a compressed source that is truncated, corrupt, or followed by other data ends in an error,
//! never in a silent end of the text.

use std::io::{self, BufReader, Cursor, Read};

use event_target::Fingerprint;

use super::{
    hashing_reader::{HashingReader, RunningHash},
    sources::{Origin, Source},
};
use crate::runtime::{CountingReader, Progress};

/// The number of bytes that are read from a compressed file at once.
const COMPRESSED_READ_BYTES: usize = 256 << 10;

/// zstd's error for a frame that refers back further than 2^27 bytes, its default limit
/// (`ZSTD_WINDOWLOG_LIMIT_DEFAULT`).
const ZSTD_WINDOW_TOO_LARGE: &str = "Frame requires too much memory";

/// The text of a source.
pub(super) struct Text {
    reader: Box<dyn Read + Send>,
    /// The name of the format, where the source is compressed.
    pub(super) compression: Option<&'static str>,
    running_hash: Option<RunningHash>,
}

/// Opens a source; errors name the path. Progress counts stored bytes, compressed or not. A source that was
/// screened is read with its content at that time. It has a fingerprint when it was read to its end, and so
/// has any source with `is_hashed`.
pub(super) fn open(source: &Source, progress: &Progress, is_hashed: bool) -> io::Result<Text> {
    let mut input: Box<dyn Read + Send> = match &source.origin {
        Origin::File(path) => Box::new(storage::File::open(path)?),
        Origin::StandardInput => Box::new(io::stdin()),
        Origin::Records(records) => {
            return Ok(Text { reader: records.open()?, compression: None, running_hash: None });
        }
    };
    let mut running_hash = None;
    if is_hashed || source.fingerprint.is_some() {
        let (reader, hash) = HashingReader::new(input, source.fingerprint);
        (input, running_hash) = (Box::new(reader), Some(hash));
    }
    let mut input = CountingReader { input, progress: progress.clone() };
    let mut magic = Vec::with_capacity(4);
    input.by_ref().take(4).read_to_end(&mut magic)?;
    let whole = Cursor::new(magic.clone()).chain(input);
    let buffered = |whole| BufReader::with_capacity(COMPRESSED_READ_BYTES, whole);
    let (reader, compression): (Box<dyn Read + Send>, _) = match magic.as_slice() {
        [0x1F, 0x8B, ..] => (Box::new(flate2::bufread::MultiGzDecoder::new(buffered(whole))), Some("gzip")),
        // A frame, or a skippable one, which parallel compressors write first.
        [0x28, 0xB5, 0x2F, 0xFD] | [0x50..=0x5F, 0x2A, 0x4D, 0x18] => {
            (Box::new(zstd::Decoder::with_buffer(buffered(whole))?), Some("zstd"))
        }
        _ => (Box::new(whole), None),
    };
    Ok(Text { reader, compression, running_hash })
}

impl Text {
    /// The fingerprint of the bytes read so far, if it is computed.
    pub(super) fn fingerprint(&self) -> Option<Fingerprint> {
        self.running_hash.as_ref().map(RunningHash::fingerprint)
    }
}

impl Read for Text {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.reader.read(bytes).map_err(|error| match self.compression {
            _ if error.kind() == io::ErrorKind::Interrupted => error,
            Some(_) if error.to_string().contains(ZSTD_WINDOW_TOO_LARGE) => {
                let problem = "its zstd data needs more than 128 MiB to be read; compress it again without \
                               --long or --ultra";
                io::Error::new(error.kind(), problem)
            }
            Some(format) => {
                io::Error::new(error.kind(), format!("its {format} data is cut off or damaged ({error})"))
            }
            None => error,
        })
    }
}
