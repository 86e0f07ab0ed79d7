//! Many texts in two buffers.
//!
//! Invariant: a text ends where the next one begins; the first begins at 0.

use std::ops::Range;

use event_rows::extend_with_part;

/// Texts, concatenated.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl Texts {
    /// An empty collection, with room for some short texts.
    pub(crate) fn with_capacity(texts: usize) -> Self {
        const TEXT_BYTES: usize = 16;
        Self { ends: Vec::with_capacity(texts), bytes: Vec::with_capacity(texts * TEXT_BYTES) }
    }

    pub(crate) fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
    }

    /// Adds a part of `texts`.
    #[inline]
    pub(crate) fn push_part(&mut self, texts: &[u8], part: Range<usize>) {
        extend_with_part(&mut self.bytes, texts, part);
        self.ends.push(self.bytes.len());
    }

    pub(crate) fn clear(&mut self) {
        self.ends.clear();
        self.bytes.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn get(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..self.ends[index]]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| &self.bytes[std::mem::replace(&mut start, end)..end])
    }

    pub(crate) fn lengths(&self) -> impl Iterator<Item = i64> {
        self.iter().map(|text| length(text.len()))
    }
}

/// A text's length for an encoder; far below the limit.
pub(crate) fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
