//! Bytes of a page → compressed, and as a page; also decides which column chunks are compressed at all.
//!
//! One compressor serves all pages that a worker writes: in small partitions, making a zstd context for each
//! column of each file took longer than compressing it.
//!
//! Invariant: the result depends on the page's bytes and the codec alone.

use bytes::Bytes;
use parquet::{
    basic::Encoding,
    column::page::{CompressedPage, Page},
    errors::{ParquetError, Result},
};

use crate::{Codec, chunk::PageFacts, uuid_frame};

/// Smaller column chunks are not compressed: they would hardly get shorter, and setting up a codec takes
/// longer than writing them. A day's partition of a few hundred rows mostly has such chunks.
const COMPRESSED_BYTES_MIN: usize = 256;
/// The same for bit-packed integers, of which compression saves 5 %, which is 0.5 % of a small file.
const COMPRESSED_PACKED_BYTES_MIN: usize = 4_096;

/// A codec with its buffers.
pub(crate) struct PageCompressor {
    codec: PageCodec,
    compressed: Vec<u8>,
}

enum PageCodec {
    Zstd(zstd::bulk::Compressor<'static>),
    Snappy(Box<snap::raw::Encoder>),
    None,
}

impl PageCompressor {
    pub(crate) fn new(codec: Codec) -> Result<Self> {
        let codec = match codec {
            Codec::Zstd => PageCodec::Zstd(zstd::bulk::Compressor::new(crate::ZSTD_LEVEL)?),
            Codec::Snappy => PageCodec::Snappy(Box::new(snap::raw::Encoder::new())),
            Codec::None => PageCodec::None,
        };
        Ok(Self { codec, compressed: Vec::new() })
    }

    /// Whether there is a shorter way to compress the texts of `count` UUIDs.
    pub(crate) fn takes_uuids(&self, count: usize) -> bool {
        matches!(self.codec, PageCodec::Zstd(_)) && count >= uuid_frame::UUIDS_MIN
    }

    /// The page of `front` and the texts of UUIDs.
    pub(crate) fn compress_uuids(&mut self, front: &[u8], uuids: &[u128]) -> Bytes {
        self.compressed.clear();
        uuid_frame::encode(front, uuids, &mut self.compressed);
        Bytes::copy_from_slice(&self.compressed)
    }

    pub(crate) fn compress(&mut self, page: &[u8]) -> Result<Bytes> {
        let compressed = &mut self.compressed;
        let length = match &mut self.codec {
            PageCodec::Zstd(zstd) => {
                let bytes_max = zstd::zstd_safe::compress_bound(page.len());
                zstd.compress_to_buffer(page, room(compressed, bytes_max))?
            }
            PageCodec::Snappy(snappy) => {
                let bytes_max = snap::raw::max_compress_len(page.len());
                snappy
                    .compress(page, room(compressed, bytes_max))
                    .map_err(|error| ParquetError::External(error.into()))?
            }
            PageCodec::None => return Ok(Bytes::copy_from_slice(page)),
        };
        // The buffer is kept for the next page; the returned bytes take no more memory than needed.
        Ok(Bytes::copy_from_slice(&compressed[..length]))
    }
}

/// The first `bytes` of a buffer that only grows: setting them to zero for each page would cost as much as
/// copying it.
fn room(buffer: &mut Vec<u8>, bytes: usize) -> &mut [u8] {
    if buffer.len() < bytes {
        buffer.resize(bytes, 0);
    }
    &mut buffer[..bytes]
}

/// The size from which on chunks that begin with a page in this encoding are compressed.
pub(crate) fn compressed_bytes_min(encoding: Encoding) -> usize {
    if encoding == Encoding::DELTA_BINARY_PACKED { COMPRESSED_PACKED_BYTES_MIN } else { COMPRESSED_BYTES_MIN }
}

/// A page of values, with `buf` compressed from `bytes` bytes.
pub(crate) fn data_page(buf: Bytes, bytes: usize, facts: &PageFacts) -> CompressedPage {
    let page = Page::DataPage {
        buf,
        num_values: count(facts.rows),
        encoding: facts.encoding,
        def_level_encoding: Encoding::RLE,
        rep_level_encoding: Encoding::RLE,
        statistics: None,
    };
    CompressedPage::new(page, bytes)
}

/// The page of a dictionary with `entries` entries.
pub(crate) fn dictionary_page(buf: Bytes, bytes: usize, entries: usize) -> CompressedPage {
    let page =
        Page::DictionaryPage { buf, num_values: count(entries), encoding: Encoding::PLAIN, is_sorted: false };
    CompressedPage::new(page, bytes)
}

/// A count of a page's rows or bytes, which always fits.
pub(crate) fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
