//! Bytes of a page → compressed.
//!
//! One compressor serves all pages that a worker writes: making a zstd context for each column of each file took longer than
//! compressing it, where partitions are small.
//!
//! Invariant: the outcome depends on the page's bytes and the codec alone.

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};

use super::Codec;

/// A codec with its buffers.
pub(super) struct PageCompressor {
    codec: PageCodec,
    compressed: Vec<u8>,
}

enum PageCodec {
    Zstd(zstd::bulk::Compressor<'static>),
    Snappy(Box<snap::raw::Encoder>),
    None,
}

impl PageCompressor {
    pub(super) fn new(codec: Codec) -> Result<Self> {
        let codec = match codec {
            Codec::Zstd => PageCodec::Zstd(zstd::bulk::Compressor::new(super::ZSTD_LEVEL)?),
            Codec::Snappy => PageCodec::Snappy(Box::new(snap::raw::Encoder::new())),
            Codec::None => PageCodec::None,
        };
        Ok(Self { codec, compressed: Vec::new() })
    }

    pub(super) fn compress(&mut self, page: &[u8]) -> Result<Bytes> {
        let compressed = &mut self.compressed;
        let length = match &mut self.codec {
            PageCodec::Zstd(zstd) => {
                compressed.resize(zstd::zstd_safe::compress_bound(page.len()), 0);
                zstd.compress_to_buffer(page, compressed.as_mut_slice())?
            }
            PageCodec::Snappy(snappy) => {
                compressed.resize(snap::raw::max_compress_len(page.len()), 0);
                snappy.compress(page, compressed).map_err(|error| ParquetError::External(error.into()))?
            }
            PageCodec::None => return Ok(Bytes::copy_from_slice(page)),
        };
        // The buffer is kept for the next page; what is handed out takes no more memory than it has bytes.
        Ok(Bytes::copy_from_slice(&compressed[..length]))
    }
}
