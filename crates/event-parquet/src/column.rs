//! One flat column of a row group: values, some rows at a time → its pages.
//!
//! A column with repeated values has a dictionary until that grows too large; all others use the encoding
//! that suits their type (`values.rs`), or `PLAIN` (`plain.rs`). Pages are version 1, which all readers know.
//!
//! Invariant: page boundaries depend on the rows alone.

use std::{fmt, sync::Arc};

use arrow::array::{Array, ArrayRef, AsArray};
use bytes::Bytes;
use event_rows::{Batch, RowRef, Rows, UUID_TEXT_BYTES};
use parquet::{
    basic::{Compression, Encoding},
    column::{page::CompressedPage, writer::ColumnCloseResult},
    errors::Result,
    schema::types::ColumnDescPtr,
};

use crate::{
    Codec, Encodings,
    bounds::Bounds,
    chunk::{self, PageFacts},
    dictionary::Dictionary,
    hybrid,
    pages::{PageCompressor, compressed_bytes_min, count, data_page, dictionary_page},
    uuid_texts::UuidTexts,
    values::Values,
};

/// The most rows of a page: the unit that a reader skips or decodes.
const PAGE_ROWS: usize = 16_384;
/// The most bytes of a page's texts, except for a single longer one.
const PAGE_TEXT_BYTES: usize = 1 << 20;
/// A dictionary that grows beyond this is abandoned: it is one page, which readers keep in memory as a whole.
const DICTIONARY_BYTES_MAX: usize = 1 << 20;
/// The same for the dictionaries of all columns together, which a writer keeps in memory: their shares are
/// less in tables of more than 32 columns.
const DICTIONARIES_BYTES_MAX: usize = 32 << 20;

/// The source of a column's values.
pub(crate) enum Input<'t> {
    /// The rows' ids.
    Ids,
    /// The rows' timestamps.
    Micros,
    /// This column of the rows' batches.
    Column(usize),
    /// The same text in all rows.
    Same(&'t str),
    /// A list, a map or an object, with its values gathered here; not for this encoder.
    Nested(ArrayRef),
}

/// A column chunk that is being written.
pub(crate) struct ColumnChunk {
    column: ColumnDescPtr,
    compression: Compression,
    encodings: Encodings,
    values: Values,
    /// Whether each row of the page has a value; empty as long as all have one.
    present: Vec<bool>,
    page_rows: usize,
    dictionary: UseOfDictionary,
    dictionary_bytes_max: usize,
    pages: Vec<(CompressedPage, PageFacts)>,
    /// The first page, until it is known whether compression is worthwhile.
    first_page: Option<Box<(Vec<u8>, PageFacts)>>,
    /// See [`Self::bytes`].
    bytes: usize,
}

enum UseOfDictionary {
    Undecided,
    /// A dictionary, and whether new pages use it or only earlier ones do.
    Made(Dictionary, bool),
    None,
}

/// Buffers that are reused for each page; each thread has its own.
pub struct Scratch {
    pub(crate) compressor: PageCompressor,
    body: Vec<u8>,
    places: Vec<u32>,
}

impl Scratch {
    /// Buffers for pages of this codec.
    ///
    /// # Errors
    /// The codec can't be set up.
    pub fn new(codec: Codec) -> Result<Self> {
        Ok(Self { compressor: PageCompressor::new(codec)?, body: Vec::new(), places: Vec::new() })
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

impl ColumnChunk {
    /// An empty chunk for inputs of this kind, with room for some rows, in a table of some columns.
    pub(crate) fn new(
        column: &ColumnDescPtr,
        (compression, encodings): (Compression, Encodings),
        input: &Input<'_>,
        rows: usize,
        columns: usize,
    ) -> Self {
        let values = match input {
            Input::Ids => Values::Uuids(Vec::with_capacity(rows)),
            Input::Same(text) => Values::Same { text: (*text).into(), count: 0 },
            Input::Micros | Input::Column(_) | Input::Nested(_) => Values::of_column(column, rows),
        };
        Self {
            column: Arc::clone(column),
            compression,
            encodings,
            values,
            present: Vec::new(),
            page_rows: 0,
            dictionary: UseOfDictionary::Undecided,
            dictionary_bytes_max: DICTIONARY_BYTES_MAX.min(DICTIONARIES_BYTES_MAX / columns.max(1)),
            pages: Vec::new(),
            first_page: None,
            bytes: 0,
        }
    }

    /// Bytes of the pages so far, before compression.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of the values that wait for the end of their page.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.values.len() * size_of::<u64>() + self.values.text_bytes().unwrap_or(0) + self.present.len()
    }

    /// Adds some rows.
    pub(crate) fn append(&mut self, input: &Input<'_>, rows: Rows<'_>, scratch: &mut Scratch) -> Result<()> {
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

    /// The number of these rows that the page has room for; at least one.
    fn room(&self, input: &Input<'_>, rows: Rows<'_>) -> usize {
        let room = rows.len().min(PAGE_ROWS - self.page_rows);
        let (Input::Column(index), Values::Texts(texts)) = (input, &self.values) else { return room };
        let mut left = PAGE_TEXT_BYTES.saturating_sub(texts.bytes().len());
        // Rows of one batch are mostly neighbours in it, so the text between the first and the last of them
        // is not much longer.
        let at_most = |(batch, refs): (&Batch, &[RowRef])| {
            let rows = refs.iter().map(|row| row.row());
            let (first, last) =
                rows.fold((usize::MAX, 0), |(first, last), row| (first.min(row), last.max(row)));
            let ends = batch.columns[*index].as_string::<i32>().value_offsets();
            usize::try_from(ends[last + 1] - ends[first]).unwrap_or(usize::MAX)
        };
        if rows.range(0..room).runs().map(at_most).fold(0, usize::saturating_add) <= left {
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

    /// Ends the page, if it has rows.
    pub(crate) fn finish_page(&mut self, scratch: &mut Scratch) -> Result<()> {
        if self.page_rows == 0 {
            return Ok(());
        }
        let Scratch { compressor, body, places } = scratch;
        body.clear();
        self.encode_levels(places, body);
        self.decide_dictionary();
        if let Some(texts) = self.uuid_texts(compressor) {
            let encoding = texts.encode_front(body);
            let bytes = body.len() + texts.uuids().len() * UUID_TEXT_BYTES;
            let page = compressor.compress_uuids(body, texts.uuids());
            let facts = self.facts(encoding, texts.bounds());
            self.keep_page(page, bytes, facts, compressor)?;
        } else {
            let (encoding, bounds) = self.encode_values(places, body);
            let facts = self.facts(encoding, bounds);
            let is_first = self.pages.is_empty() && self.first_page.is_none();
            if is_first && body.len() < compressed_bytes_min(encoding) {
                self.bytes += body.len();
                self.first_page = Some(Box::new((body.clone(), facts)));
            } else {
                self.keep_page(compressor.compress(body)?, body.len(), facts, compressor)?;
            }
        }
        self.values.clear();
        self.present.clear();
        self.page_rows = 0;
        Ok(())
    }

    fn facts(&self, encoding: Encoding, bounds: Option<Bounds>) -> PageFacts {
        PageFacts {
            encoding,
            rows: self.page_rows,
            nulls: self.page_rows - self.values.len(),
            bounds,
            text_bytes: self.values.text_bytes(),
        }
    }

    /// Adds a page that was compressed from `bytes` bytes, after the first one, if that still waits for
    /// others.
    fn keep_page(
        &mut self,
        page: Bytes,
        bytes: usize,
        facts: PageFacts,
        compressor: &mut PageCompressor,
    ) -> Result<()> {
        if let Some(first) = self.first_page.take() {
            let (body, facts) = *first;
            self.pages.push((data_page(compressor.compress(&body)?, body.len(), &facts), facts));
        }
        self.bytes += bytes;
        self.pages.push((data_page(page, bytes, &facts), facts));
        Ok(())
    }

    /// For each row whether it has a value: as one run if all have one, or none. Their length comes first.
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

    fn decide_dictionary(&mut self) {
        if matches!(self.dictionary, UseOfDictionary::Undecided) && self.values.len() > 0 {
            self.dictionary = match self.values.dictionary(self.encodings) {
                Some(dictionary) => UseOfDictionary::Made(dictionary, true),
                None => UseOfDictionary::None,
            };
        }
    }

    /// The page's values as UUIDs behind one prefix, if they are, and there is a shorter way to compress
    /// them.
    fn uuid_texts(&self, compressor: &PageCompressor) -> Option<UuidTexts<'_>> {
        let has_dictionary = matches!(self.dictionary, UseOfDictionary::Made(_, true));
        if has_dictionary || self.encodings == Encodings::Basic || !compressor.takes_uuids(self.values.len())
        {
            return None;
        }
        self.values.uuid_texts()
    }

    fn encode_values(&mut self, places: &mut Vec<u32>, body: &mut Vec<u8>) -> (Encoding, Option<Bounds>) {
        if self.values.len() == 0 {
            return (Encoding::PLAIN, None);
        }
        let UseOfDictionary::Made(dictionary, open @ true) = &mut self.dictionary else {
            return (self.values.encode(self.encodings, body), self.values.bounds());
        };
        places.clear();
        self.values.places(dictionary, places);
        let width = hybrid::bit_width(dictionary.len().saturating_sub(1) as u64);
        body.push(width);
        hybrid::encode(places, width, body);
        *open = dictionary.bytes() <= self.dictionary_bytes_max;
        let bounds = dictionary.bounds_of_texts(places).or_else(|| self.values.bounds());
        (Encoding::RLE_DICTIONARY, bounds)
    }

    /// Whether a reader of the finished chunk could skip pages.
    pub(crate) fn has_pages_to_skip(&self) -> bool {
        let finished = self.pages.len() + usize::from(self.first_page.is_some());
        finished + usize::from(self.page_rows > 0) > 1
    }

    /// The column chunk's bytes, and its metadata for the file's footer; see [`chunk::assemble_chunk`].
    pub(crate) fn finish(
        mut self,
        indexed: bool,
        scratch: &mut Scratch,
    ) -> Result<(Bytes, ColumnCloseResult)> {
        self.finish_page(scratch)?;
        let Scratch { compressor, body, .. } = scratch;
        body.clear();
        let entries = match &self.dictionary {
            UseOfDictionary::Made(dictionary, _) => {
                dictionary.encode(self.values.is_32(), body);
                Some(dictionary.len())
            }
            UseOfDictionary::Undecided | UseOfDictionary::None => None,
        };
        let is_small = self.first_page.as_ref().is_some_and(|page| {
            let (first, facts) = page.as_ref();
            first.len() + body.len() < compressed_bytes_min(facts.encoding)
        });
        let compression = if is_small { Compression::UNCOMPRESSED } else { self.compression };
        let mut packed = |bytes: &[u8]| {
            if is_small { Ok(Bytes::copy_from_slice(bytes)) } else { compressor.compress(bytes) }
        };
        let dictionary = match entries {
            Some(entries) => Some(dictionary_page(packed(body)?, body.len(), entries)),
            None => None,
        };
        if let Some(page) = self.first_page.take() {
            let (first, facts) = *page;
            self.pages.push((data_page(packed(&first)?, first.len(), &facts), facts));
        }
        chunk::assemble_chunk(&self.column, compression, dictionary, self.pages, indexed)
    }
}
