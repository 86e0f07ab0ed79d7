//! A text → numbered blocks of whole lines, of whole elements of a JSON array, or of whole documents.
//!
//! The text tells which (`recognise`), unless the caller knows. A block ends after a newline, an element or a
//! document, or with the text.
//!
//! Invariant: the blocks, concatenated in order, are the text, byte for byte (except for the newline after an
//! over-long line). A line, element or document that is longer than [`LINE_BYTES_MAX`] by more than a block
//! comes in fragments, never whole.

mod arrays;
mod buffer;
mod cutter;
mod documents;
mod element_scanner;
mod enclosing;
pub(crate) mod nesting;
mod open_document;
mod recognise;
mod record_cutter;
mod record_scanner;
mod records;
mod replayed;

use std::iter;

use self::open_document::is_space;
pub(crate) use self::record_cutter::{Cut, RecordCutter, Rest};
pub use self::{
    arrays::{Element, Unit},
    buffer::Buffer,
    cutter::{CutError, Cutter},
    recognise::Framing,
    records::Records,
    replayed::replayed_line,
};

/// The longest line that is read as an event, in bytes without its newline. It is `DuckDB`'s
/// `maximum_object_size`.
pub const LINE_BYTES_MAX: usize = 16 << 20;
/// The length of the fragments that an over-long line is kept in, in bytes. The last fragment may be shorter.
pub const FRAGMENT_BYTES: usize = 1 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Some lines of a text, or elements of its array.
#[derive(Debug, Default)]
pub struct Block {
    /// The bytes of the text.
    pub bytes: Buffer,
    /// The number of the block. Positions of rows begin with it, so it must be unique in a run and ascend in
    /// input order.
    pub number: u32,
    /// The offset of the block in its text, in bytes.
    pub offset: u64,
    /// What the bytes are.
    pub content: Content,
}

/// What the bytes of a block are.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub enum Content {
    /// Whole lines.
    #[default]
    Lines,
    /// These elements of an array, documents or records, and the text between them.
    Elements(Vec<Element>),
    /// A fragment of an over-long line or element.
    Fragment(Fragment),
}

/// The position of a fragment in its line or element.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Fragment {
    /// Bytes of the line before this fragment: a multiple of [`FRAGMENT_BYTES`].
    pub bytes_before: u64,
    /// Newlines in the element before this fragment. A line has none.
    pub newlines_before: u64,
    /// Newlines in this fragment, and the one after it if the line ends here.
    pub newlines: u32,
}

/// A line of a block, or a replacement for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'b> {
    /// A line without its newline, or an element.
    Text(&'b [u8]),
    /// A text at a place where no element or record may be.
    OutOfPlace(&'b [u8]),
    /// The first fragment of a line that is too long.
    TooLong,
    /// A further fragment of such a line.
    Continued,
}

impl Block {
    /// The lines of the block, as [`crate::Parser`] sees them, without the byte order mark of the text.
    #[must_use]
    pub fn lines<'b>(&'b self, records: &'b Records) -> Box<dyn Iterator<Item = Line<'b>> + 'b> {
        match &self.content {
            Content::Lines if records.are_documents() => Box::new(self.texts().map(Line::Text)),
            Content::Lines => Box::new(self.texts().flat_map(|text| records_of(records, text, false))),
            Content::Elements(elements) => {
                Box::new(elements.iter().flat_map(|Element { range, due, unit }| {
                    let text = &self.bytes[range.clone()];
                    if due.is_some() && text.len() <= LINE_BYTES_MAX {
                        vec![Line::OutOfPlace(text)]
                    } else if records.are_documents() || matches!(unit, Unit::Record(_)) {
                        vec![Line::Text(text)]
                    } else {
                        records_of(records, text, *unit == Unit::Document)
                    }
                }))
            }
            Content::Fragment(fragment) => Box::new(iter::once(match fragment.bytes_before {
                0 => Line::TooLong,
                _ => Line::Continued,
            })),
        }
    }

    fn texts(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        iter::from_fn(move || {
            let rest = self.bytes.get(start..).filter(|rest| !rest.is_empty())?;
            let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let mark = if self.offset == 0 && start == 0 { BYTE_ORDER_MARK } else { b"" };
            start += length + 1;
            Some(rest[..length].strip_prefix(mark).unwrap_or(&rest[..length]))
        })
    }
}

/// The records of a document, or the document.
fn records_of<'b>(records: &Records, document: &'b [u8], may_be_long: bool) -> Vec<Line<'b>> {
    if document.iter().all(|byte| is_space(*byte)) {
        return vec![Line::Text(document)];
    }
    let mut cutter = RecordCutter::default();
    let rest = match cutter.cut(records, document, may_be_long) {
        Cut::Record => return vec![Line::Text(document)],
        Cut::NoPath => Some(0..document.len()),
        Cut::Records(rest) => rest.map(|rest| rest.start..rest.end),
    };
    let line = |Element { range, due, .. }: &Element| match due {
        Some(_) => Line::OutOfPlace(&document[range.clone()]),
        None => Line::Text(&document[range.clone()]),
    };
    let rest = rest.map(|rest| Line::OutOfPlace(&document[rest]));
    cutter.elements().iter().map(line).chain(rest).collect()
}

/// The newlines in a block, or in a part of one.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "a block has fewer bytes")]
pub fn newlines_in(bytes: &[u8]) -> u32 {
    memchr::memchr_iter(b'\n', bytes).count() as u32
}
