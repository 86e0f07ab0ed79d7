//! Bytes of a page → compressed, and as a page; which column chunks are compressed at all.
//!
//! One compressor serves all pages that a worker writes: making a zstd context for each column of each file took longer than
//! compressing it, where partitions are small.
//!
//! Invariant: the outcome depends on the page's bytes and the codec alone.

use bytes::Bytes;
use parquet::{
    basic::Encoding,
    column::page::{CompressedPage, Page},
    errors::{ParquetError, Result},
};

use crate::{Codec, chunk::PageFacts, uuid_frame};

/// A column chunk of fewer bytes is not compressed: it would hardly get shorter, and the tables of a codec take longer to make
/// than to write it. A day's partition of some hundred rows is mostly such chunks.
const COMPRESSED_BYTES_MIN: usize = 256;
/// The same for integers that are packed in bits: 5 % of them could be saved, 0.5 % of a small file.
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

    /// Whether there is a shorter way to compress the texts of so many UUIDs.
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
        // The buffer is kept for the next page; what is handed out takes no more memory than it has bytes.
        Ok(Bytes::copy_from_slice(&compressed[..length]))
    }
}

/// So many bytes of a buffer that only grows: setting them to zero for each page would cost as much as copying it.
fn room(buffer: &mut Vec<u8>, bytes: usize) -> &mut [u8] {
    if buffer.len() < bytes {
        buffer.resize(bytes, 0);
    }
    &mut buffer[..bytes]
}

/// Chunks that begin with a page in this encoding are compressed from so many bytes on.
pub(crate) fn compressed_bytes_min(encoding: Encoding) -> usize {
    if encoding == Encoding::DELTA_BINARY_PACKED { COMPRESSED_PACKED_BYTES_MIN } else { COMPRESSED_BYTES_MIN }
}

/// A page of values, of `buf` compressed from so many bytes.
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

/// The page of a dictionary of so many entries.
pub(crate) fn dictionary_page(buf: Bytes, bytes: usize, entries: usize) -> CompressedPage {
    let page =
        Page::DictionaryPage { buf, num_values: count(entries), encoding: Encoding::PLAIN, is_sorted: false };
    CompressedPage::new(page, bytes)
}

/// A count of a page's rows or bytes: there are fewer than that.
pub(crate) fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
