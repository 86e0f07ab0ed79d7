//! One flat column of a row group: values, chunk by chunk → its pages, with statistics and indexes.
//!
//! A column that repeats its values has a dictionary until that grows too large; all others are written in the encoding
//! that suits their type (`values.rs`). Pages are version 1: all readers know them.
//!
//! Invariant: where a page ends depends on the rows alone.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use bytes::Bytes;
use parquet::{
    basic::{BoundaryOrder, Compression, Encoding, EncodingMask, PageType},
    column::{
        page::{CompressedPage, Page, PageWriter},
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

use super::{bounds::Bounds, dictionary::Dictionary, hybrid, pages::PageCompressor, values::Values};
use crate::{
    batch::Batch,
    partitions::{RowRef, Rows},
};

/// Rows of a page, at most: what a reader skips or decodes at once.
const PAGE_ROWS: usize = 16_384;
/// Bytes of a page's texts, at most, but for a single longer one.
const PAGE_TEXT_BYTES: usize = 1 << 20;
/// A dictionary that grows beyond this is given up: it is one page, which readers hold in full.
const DICTIONARY_BYTES_MAX: usize = 1 << 20;

/// Where a column's values are.
pub(super) enum Input<'t> {
    /// In the rows' ids.
    Ids,
    /// In the rows' times.
    Micros,
    /// In this column of the rows' batches.
    Column(usize),
    /// The same text in all rows.
    Same(&'t str),
    /// A list or an object, of which each row's are here: not for this encoder.
    Nested(ArrayRef),
}

/// A column chunk that is being written.
pub(super) struct ColumnChunk {
    column: ColumnDescPtr,
    compression: Compression,
    values: Values,
    /// Of the page's rows whether they have a value; empty as long as all have one.
    present: Vec<bool>,
    page_rows: usize,
    dictionary: UseOfDictionary,
    pages: Vec<(CompressedPage, PageFacts)>,
    /// See [`Self::bytes`].
    bytes: usize,
}

enum UseOfDictionary {
    Undecided,
    /// New pages use it, or (`false`) only earlier ones do.
    Made(Dictionary, bool),
    None,
}

/// What is remembered of a page.
struct PageFacts {
    encoding: Encoding,
    rows: usize,
    nulls: usize,
    bounds: Option<Bounds>,
    text_bytes: Option<usize>,
}

/// Buffers that one page after the other is made in.
pub(super) struct Scratch {
    pub(super) compressor: PageCompressor,
    body: Vec<u8>,
    places: Vec<u32>,
}

impl Scratch {
    pub(super) fn new(compressor: PageCompressor) -> Self {
        Self { compressor, body: Vec::new(), places: Vec::new() }
    }
}

impl ColumnChunk {
    /// An empty one, for inputs of this kind.
    pub(super) fn new(column: &ColumnDescPtr, compression: Compression, input: &Input<'_>) -> Self {
        let values = match input {
            Input::Ids => Values::Uuids(Vec::new()),
            Input::Same(text) => Values::Same { text: (*text).into(), count: 0 },
            Input::Micros | Input::Column(_) | Input::Nested(_) => Values::of_column(column),
        };
        Self {
            column: Arc::clone(column),
            compression,
            values,
            present: Vec::new(),
            page_rows: 0,
            dictionary: UseOfDictionary::Undecided,
            pages: Vec::new(),
            bytes: 0,
        }
    }

    /// Bytes of the pages so far, before compression.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds some rows.
    pub(super) fn append(&mut self, input: &Input<'_>, rows: Rows<'_>, scratch: &mut Scratch) -> Result<()> {
        let mut done = 0;
        while done < rows.len() {
            let rest = rows.range(done..rows.len());
            let taken = self.room(input, rest);
            self.take(input, rest.range(0..taken));
            done += taken;
            if self.page_rows == PAGE_ROWS || self.values.text_bytes().unwrap_or(0) >= PAGE_TEXT_BYTES {
                self.finish_page(scratch)?;
            }
        }
        Ok(())
    }

    /// How many of these rows the page has room for; one at least.
    fn room(&self, input: &Input<'_>, rows: Rows<'_>) -> usize {
        let room = rows.len().min(PAGE_ROWS - self.page_rows);
        let (Input::Column(index), Values::Texts(texts)) = (input, &self.values) else { return room };
        let mut left = PAGE_TEXT_BYTES.saturating_sub(texts.bytes().len());
        let texts_of = |batch: &'_ Batch| batch.columns[*index].as_string::<i32>().value_data().len();
        if rows.runs().map(|(batch, _)| texts_of(batch)).sum::<usize>() <= left {
            return room;
        }
        let fits = |row: &&RowRef| {
            let texts = rows.batches[row.batch()].columns[*index].as_string::<i32>();
            let length = usize::try_from(texts.value_length(row.row())).unwrap_or(0);
            left.checked_sub(length).map(|rest| left = rest).is_some()
        };
        rows.refs[..room].iter().take_while(fits).count().max(1)
    }

    fn take(&mut self, input: &Input<'_>, rows: Rows<'_>) {
        match input {
            Input::Column(index) => {
                return rows
                    .runs()
                    .for_each(|(batch, refs)| self.take_of_array(&batch.columns[*index], refs));
            }
            Input::Ids => rows.runs().for_each(|(batch, refs)| self.values.extend_ids(&batch.ids, refs)),
            Input::Micros => {
                rows.runs().for_each(|(batch, refs)| self.values.extend_micros(&batch.micros, refs));
            }
            Input::Same(_) => self.values.repeat(rows.len()),
            Input::Nested(_) => unreachable!("lists and objects have a writer of their own"),
        }
        self.page_rows += rows.len();
    }

    fn take_of_array(&mut self, array: &ArrayRef, refs: &[RowRef]) {
        if array.null_count() > 0 {
            self.present.resize(self.page_rows, true);
            self.present.extend(refs.iter().map(|row| array.is_valid(row.row())));
        } else if !self.present.is_empty() {
            self.present.resize(self.page_rows + refs.len(), true);
        }
        self.values.extend(array, refs);
        self.page_rows += refs.len();
    }

    fn finish_page(&mut self, scratch: &mut Scratch) -> Result<()> {
        if self.page_rows == 0 {
            return Ok(());
        }
        let Scratch { compressor, body, places } = scratch;
        body.clear();
        self.encode_levels(places, body);
        let (encoding, bounds) = self.encode_values(places, body);
        let page = Page::DataPage {
            buf: compressor.compress(body)?,
            num_values: count(self.page_rows),
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let facts = PageFacts {
            encoding,
            rows: self.page_rows,
            nulls: self.page_rows - self.values.len(),
            bounds,
            text_bytes: self.values.text_bytes(),
        };
        self.pages.push((CompressedPage::new(page, body.len()), facts));
        self.bytes += body.len();
        self.values.clear();
        self.present.clear();
        self.page_rows = 0;
        Ok(())
    }

    /// For each row whether it has a value: as one run where all have, or none. Their length comes first.
    fn encode_levels(&self, levels: &mut Vec<u32>, body: &mut Vec<u8>) {
        body.extend_from_slice(&[0; 4]);
        let values = self.values.len();
        if values == self.page_rows || values == 0 {
            hybrid::encode_run(u32::from(values > 0), self.page_rows, 1, body);
        } else {
            levels.clear();
            levels.extend(self.present.iter().map(|present| u32::from(*present)));
            hybrid::encode(levels, 1, body);
        }
        let length = count(body.len() - 4);
        body[..4].copy_from_slice(&length.to_le_bytes());
    }

    fn encode_values(&mut self, places: &mut Vec<u32>, body: &mut Vec<u8>) -> (Encoding, Option<Bounds>) {
        if matches!(self.dictionary, UseOfDictionary::Undecided) && self.values.len() > 0 {
            self.dictionary = match self.values.dictionary() {
                Some(dictionary) => UseOfDictionary::Made(dictionary, true),
                None => UseOfDictionary::None,
            };
        }
        if self.values.len() == 0 {
            return (Encoding::PLAIN, None);
        }
        let UseOfDictionary::Made(dictionary, open @ true) = &mut self.dictionary else {
            return (self.values.encode(body), self.values.bounds());
        };
        places.clear();
        self.values.places(dictionary, places);
        let width = hybrid::bit_width(dictionary.len().saturating_sub(1) as u64);
        body.push(width);
        hybrid::encode(places, width, body);
        *open = dictionary.bytes() <= DICTIONARY_BYTES_MAX;
        let bounds = dictionary.bounds_of_texts(places).or_else(|| self.values.bounds());
        (Encoding::RLE_DICTIONARY, bounds)
    }

    /// The column chunk's bytes, and what the file's footer says of it.
    pub(super) fn finish(mut self, scratch: &mut Scratch) -> Result<(Bytes, ColumnCloseResult)> {
        self.finish_page(scratch)?;
        let dictionary = self.dictionary_page(scratch)?;
        let (pages, facts): (Vec<_>, Vec<_>) = self.pages.into_iter().unzip();
        let mut sink = TrackedWrite::new(Vec::new());
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
            offsets.append_offset_and_size(signed(spec.offset), count_signed(spec.compressed_size));
            offsets.append_row_count(signed(facts.rows as u64));
            offsets
                .append_unencoded_byte_array_data_bytes(facts.text_bytes.map(|bytes| signed(bytes as u64)));
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
        let metadata = ColumnChunkMetaData::builder(Arc::clone(&self.column))
            .set_compression(self.compression)
            .set_encodings_mask(EncodingMask::new_from_encodings(used))
            .set_page_encoding_stats(encodings)
            .set_num_values(signed(rows as u64))
            .set_total_compressed_size(signed(bytes.len() as u64))
            .set_total_uncompressed_size(signed(uncompressed as u64))
            .set_dictionary_page_offset(dictionary_offset)
            .set_data_page_offset(signed(first_page_offset.unwrap_or(0)))
            .set_unencoded_byte_array_data_bytes(text_bytes.map(|bytes| signed(bytes as u64)))
            .set_statistics(statistics(&self.column, &facts))
            .build()?;
        let bytes_written = bytes.len() as u64;
        let column_index = Some(column_index_of(&self.column, &facts).build()?);
        let offset_index = Some(offsets.build());
        let (rows_written, bloom_filter) = (rows as u64, None);
        let close = ColumnCloseResult {
            bytes_written,
            rows_written,
            metadata,
            bloom_filter,
            column_index,
            offset_index,
        };
        Ok((bytes, close))
    }

    fn dictionary_page(&self, scratch: &mut Scratch) -> Result<Option<CompressedPage>> {
        let UseOfDictionary::Made(dictionary, _) = &self.dictionary else { return Ok(None) };
        let Scratch { compressor, body, .. } = scratch;
        body.clear();
        dictionary.encode(self.values.is_32(), body);
        let page = Page::DictionaryPage {
            buf: compressor.compress(body)?,
            num_values: count(dictionary.len()),
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        Ok(Some(CompressedPage::new(page, body.len())))
    }
}

fn statistics(column: &ColumnDescriptor, pages: &[PageFacts]) -> Statistics {
    let nulls = pages.iter().map(|page| page.nulls as u64).sum();
    let bounds = pages.iter().filter_map(|page| page.bounds.clone()).reduce(Bounds::and);
    bounds.map_or_else(|| no_bounds(column, nulls), |bounds| bounds.statistics(nulls))
}

/// The bounds of each page.
fn column_index_of(column: &ColumnDescriptor, pages: &[PageFacts]) -> ColumnIndexBuilder {
    let mut index = ColumnIndexBuilder::new(column.physical_type());
    for page in pages {
        let (min, max) = page.bounds.as_ref().map(Bounds::to_bytes).unwrap_or_default();
        index.append(page.bounds.is_none(), min, max, signed(page.nulls as u64));
    }
    let bounds: Vec<_> = pages.iter().filter_map(|page| page.bounds.as_ref()).collect();
    let orders = bounds.windows(2).map(|pair| pair[0].order(pair[1]));
    index.set_boundary_order(match orders.fold((true, true), |all, one| (all.0 & one.0, all.1 & one.1)) {
        (true, _) => BoundaryOrder::ASCENDING,
        (false, true) => BoundaryOrder::DESCENDING,
        (false, false) => BoundaryOrder::UNORDERED,
    });
    index
}

/// Statistics of a column that has no value.
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

/// Pages have fewer rows and bytes than that.
fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn count_signed(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
