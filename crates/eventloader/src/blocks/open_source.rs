//! One source → its next block, cut behind a line or an element.
//!
//! Invariant: what is handed out, put together, is the text. Memory holds a block and what is carried over from it to the
//! next: less than a line or an element, of at most [`LINE_BYTES_MAX`] and a block.

use std::io;

use super::{Buffer, Content, FRAGMENT_BYTES, Fragment, LINE_BYTES_MAX, newlines_in};
use crate::{
    arrays::{self, ArrayScanner, Element},
    bytes::Text,
};

/// How far into a text its first character is looked for: whoever writes more white space in front doesn't mean an array.
const HEAD_BYTES: usize = 64 << 10;
/// A block has no more lines or elements than there are pieces of so many bytes in it: a crowd of tiny ones takes many times
/// its text when all are bad. No event is as short.
const LINE_BYTES_SMALL: usize = 64;

/// The source that is being read.
pub(super) struct OpenSource {
    pub(super) text: Text,
    pub(super) index: usize,
    /// Read, but behind the last block's end.
    carry: Vec<u8>,
    pub(super) offset: u64,
    ended: bool,
    /// How the text is an array, if it is one.
    array: Option<ArrayScanner>,
    /// The fragment that comes next, while inside of an over-long line.
    long_line: Option<Fragment>,
}

/// Reading broke off there in the text.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) offset: u64,
    pub(super) error: io::Error,
}

/// How many lines or elements a block may have.
fn lines_max(block_bytes: usize) -> usize {
    (block_bytes / LINE_BYTES_SMALL).max(1)
}

impl OpenSource {
    pub(super) fn new(text: Text, index: usize) -> Self {
        let (carry, array, long_line) = (Vec::new(), None, None);
        Self { text, index, carry, offset: 0, ended: false, array, long_line }
    }

    /// Reads on to the first character, and sees whether it begins an array.
    pub(super) fn recognise(&mut self, block_bytes: usize) -> Result<(), Failure> {
        // A byte order mark comes whole with the first step.
        let step = block_bytes.clamp(4, HEAD_BYTES);
        let mut head = Buffer::default();
        while !self.ended && head.len() < HEAD_BYTES && arrays::is_blank(&head) {
            let length = head.len() + step;
            self.read_up_to(&mut head, length)?;
        }
        self.array = arrays::opening_bracket(&head).map(ArrayScanner::new);
        self.carry = head.to_vec();
        Ok(())
    }

    /// Whether all was handed out; of an array it is only known once its end is looked for.
    pub(super) fn is_done(&self) -> bool {
        self.ended && self.carry.is_empty() && self.long_line.is_none() && self.array.is_none()
    }

    /// Fills `bytes` with the next block; `None` where nothing is left.
    pub(super) fn fill(
        &mut self,
        bytes: &mut Buffer,
        block_bytes: usize,
    ) -> Result<Option<Content>, Failure> {
        bytes.append(&mut self.carry);
        match (self.long_line, self.array.take()) {
            (Some(fragment), None) => self.fill_fragment(bytes, block_bytes, fragment).map(Some),
            (None, None) => self.fill_lines(bytes, block_bytes),
            (long_line, Some(mut array)) => {
                let content = match long_line {
                    Some(fragment) => {
                        self.fill_element_fragment(&mut array, bytes, block_bytes, fragment).map(Some)
                    }
                    None => self.fill_elements(&mut array, bytes, block_bytes),
                };
                self.array = Some(array);
                content
            }
        }
    }

    fn fill_lines(&mut self, bytes: &mut Buffer, block_bytes: usize) -> Result<Option<Content>, Failure> {
        let mut wanted = block_bytes;
        loop {
            let searched = if wanted == block_bytes { 0 } else { bytes.len() };
            self.read_up_to(bytes, wanted)?;
            let newline = memchr::memrchr(b'\n', &bytes[searched..]).map(|at| searched + at);
            if self.ended || newline.is_some() {
                let whole = if self.ended { bytes.len() } else { newline.map_or(0, |at| at + 1) };
                let newlines = || memchr::memchr_iter(b'\n', &bytes[..whole]);
                // Counting is many times faster than looking for each.
                let crowded = newlines().count() > lines_max(block_bytes);
                let last = crowded.then(|| newlines().nth(lines_max(block_bytes) - 1)).flatten();
                self.cut(bytes, last.map_or(whole, |at| at + 1));
                return Ok((!bytes.is_empty()).then_some(Content::Lines));
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
    ) -> Result<Content, Failure> {
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

    /// Fills `bytes` with whole elements of an array, and what stands between them.
    fn fill_elements(
        &mut self,
        array: &mut ArrayScanner,
        bytes: &mut Buffer,
        block_bytes: usize,
    ) -> Result<Option<Content>, Failure> {
        let mut elements = Vec::new();
        let mut wanted = block_bytes;
        loop {
            self.read_up_to(bytes, wanted)?;
            array.scan(bytes, &mut elements, lines_max(block_bytes));
            self.finish_array(array, bytes, &mut elements)?;
            let whole = array.unfinished();
            if whole > 0 {
                self.cut(bytes, whole);
                array.advance(whole);
                return Ok(Some(Content::Elements(elements)));
            }
            if bytes.is_empty() {
                return Ok(None);
            }
            if bytes.len() > LINE_BYTES_MAX {
                return self.fill_element_fragment(array, bytes, block_bytes, Fragment::default()).map(Some);
            }
            wanted = bytes.len() + block_bytes;
        }
    }

    /// Fills `bytes` with the next piece of an over-long element.
    fn fill_element_fragment(
        &mut self,
        array: &mut ArrayScanner,
        bytes: &mut Buffer,
        block_bytes: usize,
        mut fragment: Fragment,
    ) -> Result<Content, Failure> {
        self.read_up_to(bytes, block_bytes.max(FRAGMENT_BYTES))?;
        let mut elements = Vec::new();
        array.scan(bytes, &mut elements, 1);
        if elements.is_empty() {
            self.finish_array(array, bytes, &mut elements)
                .map_err(|failure| Failure { offset: failure.offset - fragment.bytes_before, ..failure })?;
        }
        if let Some(element) = elements.first() {
            self.cut(bytes, element.range.end);
            self.long_line = None;
        } else {
            self.cut_fragment(bytes, fragment);
        }
        array.advance(bytes.len());
        fragment.newlines = newlines_in(bytes);
        if let Some(next) = &mut self.long_line {
            next.newlines_before += u64::from(fragment.newlines);
        }
        Ok(Content::Fragment(fragment))
    }

    /// If the text has ended: finishes what stands behind the array, or fails where the array is cut off.
    fn finish_array(
        &mut self,
        array: &mut ArrayScanner,
        bytes: &[u8],
        elements: &mut Vec<Element>,
    ) -> Result<(), Failure> {
        if !self.ended || array.scanned() < bytes.len() {
            return Ok(());
        }
        let offset = self.offset + array.unfinished() as u64;
        array.finish(bytes, elements).map_err(|error| Failure { offset, error })
    }

    fn read_up_to(&mut self, bytes: &mut Buffer, length: usize) -> Result<(), Failure> {
        let missing = length.saturating_sub(bytes.len());
        if missing > 0 && !self.ended {
            let read = self.text.read_to(bytes, missing).map_err(|error| {
                // What came before the error is in `bytes`.
                Failure { offset: self.offset + bytes.len() as u64, error }
            })?;
            self.ended = read < missing;
        }
        Ok(())
    }

    /// Hands out whole fragments; or all, where the text ends.
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

    /// Hands out the first `length` bytes; the rest waits for the next block.
    fn cut(&mut self, bytes: &mut Buffer, length: usize) {
        self.carry.extend_from_slice(&bytes[length..]);
        bytes.truncate(length);
        self.offset += length as u64;
    }
}
