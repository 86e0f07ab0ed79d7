//! Lines → the same lines compressed with gzip or zstd, and back.
//!
//! Each piece of the stream is compressed by itself, by the thread that rendered it, as a member of a gzip
//! file or a frame of a zstd file. Both formats allow members or frames to be concatenated, so the writer
//! handles pieces the same way in any format.
//!
//! Invariant: the bytes depend on the lines and on how they are split into pieces, not on which thread
//! compresses them, nor on what it compressed before.

use std::io::{self, BufRead, BufReader, Cursor, Read, Write};

use flate2::write::GzEncoder;
use zstd::{
    bulk,
    zstd_safe::{self, CParameter},
};

/// Level 1 compresses pieces of a chunk to 34 % (simple world) and 27 % (ledger), level 2 to 25 % and 20 % in
/// 1.7 times the time; level 6, the usual default, to 23 % and 18 % in three times that.
const GZIP_LEVEL: u32 = 2;

/// Compresses to 21 % (simple world) and 16 % (ledger). Levels 2 to 4 compress no better and take 1.4 to 1.6
/// times the time; level -1 gives 1.5 times the bytes and saves a fifth of the time.
const ZSTD_LEVEL: i32 = 1;

/// The number of bytes read from a file at once.
const READ_BYTES: usize = 256 << 10;

/// How events are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compression {
    /// Not compressed.
    #[default]
    None,
    /// gzip; files are named `.json.gz`.
    Gzip,
    /// zstd, faster and smaller; files are named `.json.zst`.
    Zstd,
}

impl Compression {
    /// The end of file names, after `.json`.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }

    /// Makes a compressor; each thread needs its own.
    pub(crate) fn compressor(self) -> Compressor {
        match self {
            Self::None => Compressor::None,
            Self::Gzip => Compressor::Gzip,
            Self::Zstd => {
                let compressor = bulk::Compressor::new(ZSTD_LEVEL).and_then(|mut compressor| {
                    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
                    Ok(compressor)
                });
                Compressor::Zstd(Box::new(compressor.expect("the level and the parameter are valid")))
            }
        }
    }

    /// Reads the lines of a file of this compression.
    pub(crate) fn reader(self, file: impl Read + 'static) -> io::Result<Box<dyn BufRead>> {
        let file = BufReader::with_capacity(READ_BYTES, file);
        Ok(match self {
            Self::None => Box::new(file),
            Self::Gzip => {
                let lines = flate2::bufread::MultiGzDecoder::new(file);
                Box::new(BufReader::with_capacity(READ_BYTES, lines))
            }
            Self::Zstd => {
                let lines = zstd::Decoder::with_buffer(file)?;
                Box::new(BufReader::with_capacity(READ_BYTES, lines))
            }
        })
    }
}

/// Compresses pieces, one after the other.
pub(crate) enum Compressor {
    None,
    Gzip,
    Zstd(Box<bulk::Compressor<'static>>),
}

impl Compressor {
    /// Whether pieces stay as they are.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Appends a compressed piece to `out`.
    pub(crate) fn append(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::None => out.extend_from_slice(piece),
            Self::Gzip => {
                let mut member = GzEncoder::new(&mut *out, flate2::Compression::new(GZIP_LEVEL));
                let written = member.write_all(piece).and_then(|()| member.finish().map(drop));
                written.expect("writing to memory cannot fail");
            }
            Self::Zstd(compressor) => {
                out.reserve(zstd_safe::compress_bound(piece.len()));
                let mut appended = Cursor::new(&mut *out);
                appended.set_position(appended.get_ref().len() as u64);
                let written = compressor.compress_to_buffer(piece, &mut appended);
                written.expect("the buffer has room for the largest possible frame");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_read_back_one_after_the_other() {
        let pieces = [b"one\n".repeat(10_000), b"two\n".to_vec(), b"three\n".repeat(3)];
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let (mut compressor, mut out) = (compression.compressor(), Vec::new());
            for piece in &pieces {
                compressor.append(piece, &mut out);
            }
            let mut read = Vec::new();
            compression.reader(Cursor::new(out)).unwrap().read_to_end(&mut read).unwrap();
            assert_eq!(read, pieces.concat(), "{compression:?}");
        }
    }

    #[test]
    fn a_compressor_that_was_used_writes_what_a_new_one_writes() {
        let (first, second) = (b"some words ".repeat(5_000), b"other words\n".repeat(700));
        for compression in [Compression::Gzip, Compression::Zstd] {
            let (mut used, mut of_used, mut of_new) = (compression.compressor(), Vec::new(), Vec::new());
            used.append(&first, &mut Vec::new());
            used.append(&second, &mut of_used);
            compression.compressor().append(&second, &mut of_new);
            assert_eq!(of_used, of_new, "{compression:?}");
        }
    }
}
