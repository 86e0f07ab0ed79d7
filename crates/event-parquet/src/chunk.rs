//! Pages of a column → the column chunk: their bytes, concatenated, with statistics and indexes.
//!
//! Invariant: the order that a column index claims is that of the bounds in it.

use std::sync::Arc;

use bytes::Bytes;
use parquet::{
    basic::{BoundaryOrder, Compression, Encoding, EncodingMask, PageType},
    column::{
        page::{CompressedPage, PageWriter},
        writer::ColumnCloseResult,
    },
    errors::Result,
    file::{
        metadata::{ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats},
        statistics::Statistics,
        writer::{SerializedPageWriter, TrackedWrite},
    },
    schema::types::{ColumnDescPtr, ColumnDescriptor},
};

use crate::bounds::Bounds;

/// The approximate size of a page's header.
const HEADER_BYTES: usize = 64;

/// The facts about a page that the chunk needs.
pub(crate) struct PageFacts {
    pub(crate) encoding: Encoding,
    pub(crate) rows: usize,
    pub(crate) nulls: usize,
    pub(crate) bounds: Option<Bounds>,
    pub(crate) text_bytes: Option<usize>,
}

/// The chunk's bytes, and its metadata for the file's footer; if it is `indexed`, with the indexes of its
/// pages.
pub(crate) fn assemble_chunk(
    column: &ColumnDescPtr,
    compression: Compression,
    dictionary: Option<CompressedPage>,
    pages: Vec<(CompressedPage, PageFacts)>,
    indexed: bool,
) -> Result<(Bytes, ColumnCloseResult)> {
    let (pages, facts): (Vec<_>, Vec<_>) = pages.into_iter().unzip();
    let page_bytes = dictionary.iter().chain(&pages).map(CompressedPage::compressed_size).sum::<usize>();
    let mut sink = TrackedWrite::new(Vec::with_capacity(page_bytes + (pages.len() + 1) * HEADER_BYTES));
    let mut writer = SerializedPageWriter::new(&mut sink);
    let mut offsets = OffsetIndexBuilder::new();
    let (mut uncompressed, mut encodings) = (0, Vec::new());
    let dictionary_offset = dictionary.is_some().then_some(0);
    if let Some(page) = dictionary {
        uncompressed += writer.write_page(page)?.uncompressed_size;
        encodings.push(stats(PageType::DICTIONARY_PAGE, Encoding::PLAIN));
    }
    let mut first_page_offset = None;
    for (page, facts) in pages.into_iter().zip(&facts) {
        let spec = writer.write_page(page)?;
        uncompressed += spec.uncompressed_size;
        first_page_offset.get_or_insert(spec.offset);
        if indexed {
            offsets.append_offset_and_size(signed(spec.offset), count_signed(spec.compressed_size));
            offsets.append_row_count(signed(facts.rows as u64));
            offsets
                .append_unencoded_byte_array_data_bytes(facts.text_bytes.map(|bytes| signed(bytes as u64)));
        }
        match encodings.last_mut() {
            Some(last) if last.page_type == PageType::DATA_PAGE && last.encoding == facts.encoding => {
                last.count += 1;
            }
            _ => encodings.push(stats(PageType::DATA_PAGE, facts.encoding)),
        }
    }
    writer.close()?;
    let bytes = Bytes::from(sink.into_inner()?);
    let rows: usize = facts.iter().map(|page| page.rows).sum();
    let text_bytes: Option<usize> = facts.iter().map(|page| page.text_bytes).sum();
    let used = encodings.iter().map(|stats| &stats.encoding).chain([&Encoding::RLE]);
    let metadata = ColumnChunkMetaData::builder(Arc::clone(column))
        .set_compression(compression)
        .set_encodings_mask(EncodingMask::new_from_encodings(used))
        .set_page_encoding_stats(encodings)
        .set_num_values(signed(rows as u64))
        .set_total_compressed_size(signed(bytes.len() as u64))
        .set_total_uncompressed_size(signed(uncompressed as u64))
        .set_dictionary_page_offset(dictionary_offset)
        .set_data_page_offset(signed(first_page_offset.unwrap_or(0)))
        .set_unencoded_byte_array_data_bytes(text_bytes.map(|bytes| signed(bytes as u64)))
        .set_statistics(statistics(column, &facts))
        .build()?;
    let bytes_written = bytes.len() as u64;
    let column_index = (indexed && are_bounded(&facts)).then(|| column_index_of(column, &facts).build());
    let (column_index, offset_index) = (column_index.transpose()?, indexed.then(|| offsets.build()));
    let (rows_written, bloom_filter) = (rows as u64, None);
    let close =
        ColumnCloseResult { bytes_written, rows_written, metadata, bloom_filter, column_index, offset_index };
    Ok((bytes, close))
}

/// Whether all pages with values have bounds; those with NaN have none.
fn are_bounded(pages: &[PageFacts]) -> bool {
    pages.iter().all(|page| page.bounds.is_some() || page.nulls == page.rows)
}

fn statistics(column: &ColumnDescriptor, pages: &[PageFacts]) -> Statistics {
    let nulls = pages.iter().map(|page| page.nulls as u64).sum();
    let bounds = || pages.iter().filter_map(|page| page.bounds.clone()).reduce(Bounds::and);
    let bounds = are_bounded(pages).then(bounds).flatten();
    bounds.map_or_else(|| no_bounds(column, nulls), |bounds| bounds.statistics(nulls))
}

/// The bounds of each page.
fn column_index_of(column: &ColumnDescriptor, pages: &[PageFacts]) -> ColumnIndexBuilder {
    let mut index = ColumnIndexBuilder::new(column.physical_type());
    let mut bounds = Vec::new();
    for page in pages {
        let shortened = page.bounds.as_ref().map(Bounds::shortened);
        let (min, max) = shortened.as_ref().map(Bounds::to_bytes).unwrap_or_default();
        index.append(shortened.is_none(), min, max, signed(page.nulls as u64));
        bounds.extend(shortened);
    }
    let orders = bounds.windows(2).map(|pair| pair[0].order(&pair[1]));
    index.set_boundary_order(match orders.fold((true, true), |all, one| (all.0 & one.0, all.1 & one.1)) {
        (true, _) => BoundaryOrder::ASCENDING,
        (false, true) => BoundaryOrder::DESCENDING,
        (false, false) => BoundaryOrder::UNORDERED,
    });
    index
}

/// Statistics of a column without values.
fn no_bounds(column: &ColumnDescriptor, nulls: u64) -> Statistics {
    use parquet::basic::Type;
    let nulls = Some(nulls);
    match column.physical_type() {
        Type::BOOLEAN => Statistics::boolean(None, None, None, nulls, false),
        Type::INT32 => Statistics::int32(None, None, None, nulls, false),
        Type::INT64 => Statistics::int64(None, None, None, nulls, false),
        Type::INT96 => Statistics::int96(None, None, None, nulls, false),
        Type::FLOAT => Statistics::float(None, None, None, nulls, false),
        Type::DOUBLE => Statistics::double(None, None, None, nulls, false),
        Type::BYTE_ARRAY => Statistics::byte_array(None, None, None, nulls, false),
        Type::FIXED_LEN_BYTE_ARRAY => Statistics::fixed_len_byte_array(None, None, None, nulls, false),
    }
}

fn stats(page_type: PageType, encoding: Encoding) -> PageEncodingStats {
    PageEncodingStats { page_type, encoding, count: 1 }
}

fn count_signed(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
