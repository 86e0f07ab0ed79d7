//! One text → its blocks, each cut after a line, an element or a document.
//!
//! Invariant: the blocks, concatenated, are the text. Memory contains a block, and the rest that is carried
//! over to the next one: less than a line, an element or a document, which is at most [`LINE_BYTES_MAX`] and
//! a block. The beginning of a text that does not tell its framing at once is as long at most.

use std::{
    io::{self, Cursor, Read},
    mem,
    sync::Arc,
};

use super::{
    Block, Buffer, Content, FRAGMENT_BYTES, Fragment, Framing, LINE_BYTES_MAX, Records,
    arrays::{ArrayScanner, Element, first_character, is_blank},
    documents::DocumentScanner,
    element_scanner::ElementScanner,
    newlines_in,
    recognise::{BLANK_BYTES_MAX, HEAD_BYTES_MAX, framing_of},
    replayed::elements_of,
};

/// The assumed minimum length of lines, which limits their number in a block: a crowd of tiny ones takes many
/// times its text when all are bad. No event is as short.
const LINE_BYTES_SMALL: usize = 64;

/// Cuts one text into blocks.
#[derive(Debug)]
pub struct Cutter<R> {
    reader: R,
    block_bytes: usize,
    next_number: u32,
    framing: Framing,
    is_replay: bool,
    records: Arc<Records>,
    /// What was read to know the framing, as far as no block has it. `None` before.
    head: Option<Cursor<Vec<u8>>>,
    /// How far its first character reaches, until a block has that.
    front: usize,
    /// Whether the reader has no more.
    is_read: bool,
    /// The text that was read after the end of the last block.
    carry: Vec<u8>,
    offset: u64,
    ended: bool,
    /// The state of the array or the documents, if the text is not lines.
    scanner: Option<ElementScanner>,
    /// The next fragment, inside an over-long line.
    long_line: Option<Fragment>,
}

/// A text that could not be read to its end.
#[derive(Debug, thiserror::Error)]
#[error("reading failed at byte {offset}: {source}")]
pub struct CutError {
    /// The offset in the text: how far reading came or, if an array or document breaks off, the first
    /// byte of the element or document.
    pub offset: u64,
    /// The reader's error, or that the array or the last document has no end.
    pub source: io::Error,
}

/// The most lines or elements of a block.
fn lines_max(block_bytes: usize) -> usize {
    (block_bytes / LINE_BYTES_SMALL).max(1)
}

impl<R: Read> Cutter<R> {
    /// Cuts a text into blocks of about `block_bytes`. The text itself tells its framing.
    #[must_use]
    pub fn new(reader: R, block_bytes: usize) -> Self {
        Self {
            reader,
            block_bytes,
            next_number: 0,
            framing: Framing::Auto,
            is_replay: false,
            records: Arc::default(),
            head: None,
            front: 0,
            is_read: false,
            carry: Vec::new(),
            offset: 0,
            ended: false,
            scanner: None,
            long_line: None,
        }
    }

    /// Reads the text in this framing, whatever it tells.
    #[must_use]
    pub fn framed(self, framing: Framing) -> Self {
        Self { framing, ..self }
    }

    /// Cuts documents that are too long to be read as a whole into their records.
    #[must_use]
    pub fn with_records(self, records: &Arc<Records>) -> Self {
        Self { records: Arc::clone(records), ..self }
    }

    /// Reads lines that [`replayed_line`](super::replayed_line) wrote. A document that may have several
    /// records is alone in its block.
    #[must_use]
    pub fn replaying(self) -> Self {
        Self { is_replay: true, framing: Framing::Lines, ..self }
    }

    /// The reader's first byte is at this offset of the text.
    #[must_use]
    pub fn starting_at(self, offset: u64) -> Self {
        Self { offset, ..self }
    }

    /// How the text is read; [`Framing::Auto`] before the first block.
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Numbers the blocks from here on.
    #[must_use]
    pub fn numbered_from(self, next_number: u32) -> Self {
        Self { next_number, ..self }
    }

    /// The number of the next block.
    #[must_use]
    pub fn next_number(&self) -> u32 {
        self.next_number
    }

    /// The length of the text in the blocks so far.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The reader of the text.
    #[must_use]
    pub fn reader(&self) -> &R {
        &self.reader
    }

    /// Cuts the following blocks of about this size.
    pub fn set_block_bytes(&mut self, block_bytes: usize) {
        self.block_bytes = block_bytes;
    }

    /// The next block, in the memory of `recycled`; `None` at the end of the text.
    ///
    /// # Errors
    /// The text could not be read to its end.
    pub fn next_block(&mut self, recycled: Buffer) -> Result<Option<Block>, CutError> {
        let mut bytes = recycled;
        bytes.clear_for(self.block_bytes);
        let offset = self.offset;
        let content = self.content(&mut bytes).inspect_err(|_| {
            // Further calls get nothing more.
            (self.ended, self.scanner, self.long_line) = (true, None, None);
            self.carry.clear();
        })?;
        let Some(content) = content else { return Ok(None) };
        let number = self.next_number;
        self.next_number += 1;
        Ok(Some(Block { bytes, number, offset, content }))
    }

    fn content(&mut self, bytes: &mut Buffer) -> Result<Option<Content>, CutError> {
        if self.head.is_none() {
            self.recognise()?;
        }
        self.fill(bytes)
    }

    /// Reads as much as is needed to know the framing.
    fn recognise(&mut self) -> Result<(), CutError> {
        let mut head = Buffer::default();
        // The first step is long enough for a whole byte order mark.
        let mut length = self.block_bytes.clamp(4, BLANK_BYTES_MAX);
        loop {
            let missing = length - head.len();
            let read = head.read_from(&mut self.reader, missing).map_err(|source| {
                let offset = head.len() as u64;
                CutError { offset, source }
            })?;
            self.is_read = read < missing;
            if self.framing == Framing::Auto
                && let Some(framing) = framing_of(&head, self.is_read, self.records.has_lists())
            {
                self.framing = framing;
            }
            let is_known = self.framing != Framing::Auto;
            let is_start_known = self.framing == Framing::Lines || !is_blank(&head);
            if self.is_read || is_known && (is_start_known || head.len() >= BLANK_BYTES_MAX) {
                break;
            }
            length = (2 * head.len()).min(HEAD_BYTES_MAX + BLANK_BYTES_MAX).max(head.len() + BLANK_BYTES_MAX);
        }
        self.scanner = self.scanner_of(&head)?;
        self.front = first_character(&head).map_or(head.len(), |first| first + 1);
        self.head = Some(Cursor::new(head.to_vec()));
        Ok(())
    }

    /// The scanner of a text that begins so.
    fn scanner_of(&self, head: &[u8]) -> Result<Option<ElementScanner>, CutError> {
        let start = first_character(head);
        Ok(match self.framing {
            Framing::Auto | Framing::Lines => None,
            Framing::Array => match start.map(|start| (start, head[start])) {
                None => None,
                Some((start, b'[')) => Some(ElementScanner::Array(ArrayScanner::new(start))),
                Some((start, _)) => {
                    let source = io::Error::other("the text does not begin with `[`, so it is no JSON array");
                    return Err(CutError { offset: start as u64, source });
                }
            },
            Framing::Documents => {
                let start = start.unwrap_or(head.len());
                Some(ElementScanner::Documents(DocumentScanner::new(start, Arc::clone(&self.records))))
            }
        })
    }

    /// Whether all blocks were taken. The end of an array or of documents is known only once the next block
    /// is asked for.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.ended && self.carry.is_empty() && self.long_line.is_none() && self.scanner.is_none()
    }

    /// Fills `bytes` with the next block; `None` at the end.
    fn fill(&mut self, bytes: &mut Buffer) -> Result<Option<Content>, CutError> {
        let block_bytes = self.block_bytes;
        bytes.append(&mut self.carry);
        match (self.long_line, self.scanner.take()) {
            (Some(fragment), None) => self.fill_fragment(bytes, block_bytes, fragment).map(Some),
            (None, None) => self.fill_lines(bytes, block_bytes),
            (long_line, Some(mut scanner)) => {
                let content = match long_line {
                    Some(fragment) => {
                        self.fill_element_fragment(&mut scanner, bytes, block_bytes, fragment).map(Some)
                    }
                    None => self.fill_elements(&mut scanner, bytes, block_bytes),
                };
                self.scanner = Some(scanner);
                content
            }
        }
    }

    fn fill_lines(&mut self, bytes: &mut Buffer, block_bytes: usize) -> Result<Option<Content>, CutError> {
        let mut wanted = block_bytes;
        loop {
            let searched = if wanted == block_bytes { 0 } else { bytes.len() };
            self.read_up_to(bytes, wanted)?;
            let newline = memchr::memrchr(b'\n', &bytes[searched..]).map(|at| searched + at);
            if self.ended || newline.is_some() {
                let whole = if self.ended { bytes.len() } else { newline.map_or(0, |at| at + 1) };
                let newlines = || memchr::memchr_iter(b'\n', &bytes[..whole]);
                let is_one = self.is_replay && !self.records.are_documents();
                let lines_max = if is_one { 1 } else { lines_max(block_bytes) };
                // Counting is many times faster than finding each of them.
                let crowded = newlines().count() > lines_max;
                let last = crowded.then(|| newlines().nth(lines_max - 1)).flatten();
                self.cut(bytes, last.map_or(whole, |at| at + 1));
                return Ok((!bytes.is_empty()).then(|| {
                    if self.is_replay { Content::Elements(elements_of(bytes)) } else { Content::Lines }
                }));
            }
            if bytes.len() > LINE_BYTES_MAX {
                return self.fill_fragment(bytes, block_bytes, Fragment::default()).map(Some);
            }
            wanted = bytes.len() + block_bytes;
        }
    }

    /// Fills `bytes` with the next piece of an over-long line; its newline is left out.
    fn fill_fragment(
        &mut self,
        bytes: &mut Buffer,
        block_bytes: usize,
        mut fragment: Fragment,
    ) -> Result<Content, CutError> {
        self.read_up_to(bytes, block_bytes.max(FRAGMENT_BYTES))?;
        if let Some(newline) = memchr::memchr(b'\n', bytes) {
            self.cut(bytes, newline + 1);
            bytes.truncate(bytes.len() - 1);
            self.long_line = None;
            fragment.newlines = 1;
        } else {
            self.cut_fragment(bytes, fragment);
        }
        Ok(Content::Fragment(fragment))
    }

    /// Fills `bytes` with whole elements or documents, and the text between them.
    fn fill_elements(
        &mut self,
        scanner: &mut ElementScanner,
        bytes: &mut Buffer,
        block_bytes: usize,
    ) -> Result<Option<Content>, CutError> {
        let mut elements = Vec::new();
        let mut wanted = block_bytes.max(mem::take(&mut self.front));
        loop {
            self.read_up_to(bytes, wanted)?;
            scanner.scan(bytes, &mut elements, lines_max(block_bytes));
            if scanner.went_back() {
                // A long document is read again, to be cut into its records.
                self.unread(bytes, block_bytes.max(scanner.scanned() + 1));
                wanted = block_bytes;
                continue;
            }
            self.finish_scanner(scanner, bytes, &mut elements)?;
            let whole = scanner.unfinished();
            if whole > 0 {
                self.cut(bytes, whole);
                scanner.advance(bytes);
                return Ok(Some(Content::Elements(elements)));
            }
            if bytes.is_empty() {
                return Ok(None);
            }
            if bytes.len() > LINE_BYTES_MAX {
                return self
                    .fill_element_fragment(scanner, bytes, block_bytes, Fragment::default())
                    .map(Some);
            }
            wanted = bytes.len() + block_bytes;
        }
    }

    /// Fills `bytes` with the next piece of an over-long element.
    fn fill_element_fragment(
        &mut self,
        scanner: &mut ElementScanner,
        bytes: &mut Buffer,
        block_bytes: usize,
        mut fragment: Fragment,
    ) -> Result<Content, CutError> {
        self.read_up_to(bytes, block_bytes.max(FRAGMENT_BYTES))?;
        let mut elements = Vec::new();
        scanner.scan(bytes, &mut elements, 1);
        if elements.is_empty() {
            self.finish_scanner(scanner, bytes, &mut elements)
                .map_err(|failure| CutError { offset: failure.offset - fragment.bytes_before, ..failure })?;
        }
        if let Some(element) = elements.first() {
            self.cut(bytes, element.range.end);
            self.long_line = None;
        } else {
            self.cut_fragment(bytes, fragment);
        }
        scanner.advance(bytes);
        fragment.newlines = newlines_in(bytes);
        if let Some(next) = &mut self.long_line {
            next.newlines_before += u64::from(fragment.newlines);
        }
        Ok(Content::Fragment(fragment))
    }

    /// At the end of the text: finishes the text after the array or document, or fails if that is cut off.
    fn finish_scanner(
        &mut self,
        scanner: &mut ElementScanner,
        bytes: &[u8],
        elements: &mut Vec<Element>,
    ) -> Result<(), CutError> {
        if !self.ended || scanner.scanned() < bytes.len() {
            return Ok(());
        }
        let offset = self.offset + scanner.unfinished() as u64;
        scanner.finish(bytes, elements).map_err(|source| CutError { offset, source })
    }

    fn read_up_to(&mut self, bytes: &mut Buffer, length: usize) -> Result<(), CutError> {
        let missing = length.saturating_sub(bytes.len());
        if missing == 0 || self.ended {
            return Ok(());
        }
        let head = self.head.as_mut().filter(|head| head.position() < head.get_ref().len() as u64);
        let mut read = match head {
            Some(head) => bytes.read_from(head, missing).unwrap_or_default(),
            None => 0,
        };
        if read < missing && !self.is_read {
            read += bytes.read_from(&mut self.reader, missing - read).map_err(|source| {
                // The bytes before the error are in `bytes`.
                CutError { offset: self.offset + bytes.len() as u64, source }
            })?;
        }
        self.ended = read < missing;
        Ok(())
    }

    /// Keeps the first `length` bytes; the others are read once more.
    fn unread(&mut self, bytes: &mut Buffer, length: usize) {
        let head = self.head.take().unwrap_or_default();
        let unread = head.get_ref().get(usize::try_from(head.position()).unwrap_or(usize::MAX)..);
        let length = length.min(bytes.len());
        let again = [&bytes[length..], unread.unwrap_or_default()].concat();
        bytes.truncate(length);
        (self.is_read, self.ended) = (self.is_read || self.ended, false);
        self.head = Some(Cursor::new(again));
    }

    /// Returns whole fragments; or everything, if the text ends.
    fn cut_fragment(&mut self, bytes: &mut Buffer, fragment: Fragment) {
        if self.ended {
            self.offset += bytes.len() as u64;
            self.long_line = None;
        } else {
            self.cut(bytes, bytes.len() / FRAGMENT_BYTES * FRAGMENT_BYTES);
            let bytes_before = fragment.bytes_before + bytes.len() as u64;
            self.long_line = Some(Fragment { bytes_before, ..fragment });
        }
    }

    /// Returns the first `length` bytes; the rest waits for the next block.
    fn cut(&mut self, bytes: &mut Buffer, length: usize) {
        self.carry.extend_from_slice(&bytes[length..]);
        bytes.truncate(length);
        self.offset += length as u64;
    }
}

#[cfg(test)]
mod tests;
