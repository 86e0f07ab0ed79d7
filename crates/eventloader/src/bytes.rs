//! A source → its text, decompressed.
//!
//! gzip and zstd are recognised by their first bytes, never by a file's name; all members and frames are read.
//!
//! Invariant: a compressed source that is truncated or corrupt, or goes on with something else, ends in an error, never in
//! a silent end of the text.

use std::io::{self, BufReader, Cursor, Read};

use crate::{
    blocks::Buffer,
    disk,
    progress::{Counted, Progress},
    quarantine::ReplayText,
    raw_content::{RawContent, SoFar, Summed},
    sources::Source,
};

/// Bytes that are read from a compressed file at once.
const COMPRESSED_READ_BYTES: usize = 256 << 10;

/// What zstd says of a frame that refers back further than 2^27 bytes, its limit where nothing else is set (`ZSTD_WINDOWLOG_LIMIT_DEFAULT`).
const ZSTD_WINDOW_TOO_LARGE: &str = "Frame requires too much memory";

/// The text of a source, to be read.
pub(crate) struct Text {
    reader: Box<dyn Read + Send>,
    /// The name of the format, where the source is compressed.
    pub(crate) compression: Option<&'static str>,
    so_far: Option<SoFar>,
}

/// Opens a source; errors name the path. Progress is counted in bytes as they are stored, compressed or not. One that was looked at
/// before is read as it was then; it, and whatever `is_summed`, tells at its end what it holds.
pub(crate) fn open(source: &Source, progress: &Progress, is_summed: bool) -> io::Result<Text> {
    if let (Some(path), Some(selection)) = (&source.path, &source.replay) {
        let reader = Box::new(ReplayText::open(path, selection)?);
        return Ok(Text { reader, compression: None, so_far: None });
    }
    let mut input: Box<dyn Read + Send> = match &source.path {
        Some(path) => Box::new(disk::File::open(path)?),
        None => Box::new(io::stdin()),
    };
    let mut so_far = None;
    if is_summed || source.surveyed.is_some() {
        let (summed, told) = Summed::new(input, source.surveyed);
        (input, so_far) = (Box::new(summed), Some(told));
    }
    let mut input = Counted { input, progress: progress.clone() };
    let mut magic = Vec::with_capacity(4);
    input.by_ref().take(4).read_to_end(&mut magic)?;
    let whole = Cursor::new(magic.clone()).chain(input);
    let buffered = |whole| BufReader::with_capacity(COMPRESSED_READ_BYTES, whole);
    Ok(match magic.as_slice() {
        [0x1F, 0x8B, ..] => Text {
            reader: Box::new(flate2::bufread::MultiGzDecoder::new(buffered(whole))),
            compression: Some("gzip"),
            so_far,
        },
        // A frame, or one that decoders skip, as parallel compressors write it in front.
        [0x28, 0xB5, 0x2F, 0xFD] | [0x50..=0x5F, 0x2A, 0x4D, 0x18] => {
            let reader = zstd::Decoder::with_buffer(buffered(whole))?;
            Text { reader: Box::new(reader), compression: Some("zstd"), so_far }
        }
        _ => Text { reader: Box::new(whole), compression: None, so_far },
    })
}

impl Text {
    /// One that is in memory.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn of(text: &[u8]) -> Self {
        Self { reader: Box::new(Cursor::new(text.to_vec())), compression: None, so_far: None }
    }

    /// What was read of it so far, as it is stored, if that is told.
    pub(crate) fn content(&self) -> Option<RawContent> {
        self.so_far.as_ref().map(SoFar::content)
    }

    /// Appends up to `length` bytes, fewer only at the end; with an error, those that came before it are appended too.
    pub(crate) fn read_to(&mut self, bytes: &mut Buffer, length: usize) -> io::Result<usize> {
        bytes.read_from(&mut *self.reader, length).map_err(|error| match self.compression {
            Some(_) if error.to_string().contains(ZSTD_WINDOW_TOO_LARGE) => {
                let problem = "its zstd data needs more than 128 MiB to be read; compress it again without --long or --ultra";
                io::Error::new(error.kind(), problem)
            }
            Some(format) => {
                io::Error::new(error.kind(), format!("its {format} data is cut off or damaged ({error})"))
            }
            None => error,
        })
    }
}
