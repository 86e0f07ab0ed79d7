//! Lines in, the same lines out as gzip or zstd has them, and back.
//!
//! Each piece of the stream is compressed by itself, by the thread that wrote it, as a member of a gzip file or a frame of a
//! zstd file. Both formats are made to be put one behind the other: what the writer does with pieces stays the same.
//!
//! Invariant: the bytes depend on the lines and on how they are cut into pieces, not on which thread compresses them, nor on what it
//! compressed before.

use std::io::{self, BufRead, BufReader, Cursor, Read, Write};

use clap::ValueEnum;
use flate2::write::GzEncoder;
use zstd::bulk;
use zstd::zstd_safe::{self, CParameter};

/// Of pieces of a chunk, level 1 leaves 34 % of the simple world's bytes and 27 % of the ledger's, level 2 25 % and 20 % in 1.7 times
/// the time; level 6, the usual one, 23 % and 18 % in three times that.
const GZIP_LEVEL: u32 = 2;

/// Leaves 21 % of the simple world's bytes and 16 % of the ledger's; levels 2 to 4 leave as much and take 1.4 to 1.6 times the time,
/// level -1 leaves half more and saves a fifth of it.
const ZSTD_LEVEL: i32 = 1;

/// Bytes that are read from a file at once.
const READ_BYTES: usize = 256 << 10;

/// How events are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum)]
pub enum Compression {
    /// Not at all
    #[default]
    None,
    /// As gzip does; the files are named .json.gz
    Gzip,
    /// As zstd does: faster, and smaller; the files are named .json.zst
    Zstd,
}

impl Compression {
    /// What names of files end with behind `.json`.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }

    /// One for each thread.
    pub(crate) fn compressor(self) -> Compressor {
        match self {
            Self::None => Compressor::None,
            Self::Gzip => Compressor::Gzip,
            Self::Zstd => {
                let compressor = bulk::Compressor::new(ZSTD_LEVEL).and_then(|mut compressor| {
                    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
                    Ok(compressor)
                });
                Compressor::Zstd(Box::new(compressor.expect("zstd knows the level and the parameter")))
            }
        }
    }

    /// The lines of a file that was compressed so.
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

/// What compresses pieces, one after the other.
pub(crate) enum Compressor {
    None,
    Gzip,
    Zstd(Box<bulk::Compressor<'static>>),
}

impl Compressor {
    /// Whether it leaves pieces as they are.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Puts a piece behind what is in `out`.
    pub(crate) fn append(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::None => out.extend_from_slice(piece),
            Self::Gzip => {
                let mut member = GzEncoder::new(&mut *out, flate2::Compression::new(GZIP_LEVEL));
                let written = member.write_all(piece).and_then(|()| member.finish().map(drop));
                written.expect("memory takes what is written to it");
            }
            Self::Zstd(compressor) => {
                out.reserve(zstd_safe::compress_bound(piece.len()));
                let mut behind = Cursor::new(&mut *out);
                behind.set_position(behind.get_ref().len() as u64);
                let written = compressor.compress_to_buffer(piece, &mut behind);
                written.expect("there is room for whatever zstd makes of so many bytes");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_read_back_one_behind_the_other() {
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
