//! Sources, one after the other → numbered blocks of whole lines.
//!
//! A block ends behind a newline, or with its file. The workers share one reader: who needs work takes the next block, so
//! memory holds as many blocks as there are workers, however large the input is.
//!
//! Invariant: the blocks in order of their numbers, put together, are the sources in input order, byte for byte (but for
//! the newline behind an over-long line). A line that is longer than [`LINE_BYTES_MAX`] by more than a block comes in
//! fragments, never whole.

use std::io::Read;

use crate::{bytes, error::Error, sources::Source};

/// Longest line that is read as an event, without its newline: `DuckDB`'s `maximum_object_size`.
pub(crate) const LINE_BYTES_MAX: usize = 16 << 20;
/// Length of the pieces that an over-long line is quarantined in; the last may be shorter.
pub(crate) const FRAGMENT_BYTES: usize = 1 << 20;

/// Some lines of one source.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    /// Counts all blocks of the run, in input order.
    pub(crate) number: u32,
    /// Index of the source.
    pub(crate) source: usize,
    /// Where the block begins in the source's text.
    pub(crate) offset: u64,
    pub(crate) content: Content,
}

/// What a block holds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Whole lines.
    #[default]
    Lines,
    /// A piece of an over-long line that began `begins_before` bytes ago: a whole number of [`FRAGMENT_BYTES`].
    Fragment { begins_before: u64 },
}

/// Cuts the sources into blocks.
pub(crate) struct BlockReader {
    sources: Vec<Source>,
    block_bytes: usize,
    next_source: usize,
    next_number: u32,
    open: Option<OpenSource>,
    /// Bytes of each source that were handed out.
    bytes_read: Vec<u64>,
}

struct OpenSource {
    reader: Box<dyn Read + Send>,
    index: usize,
    /// Read, but behind the last block's end.
    carry: Vec<u8>,
    offset: u64,
    ended: bool,
    /// Bytes of the over-long line that were handed out already, while inside of one.
    long_line: Option<u64>,
}

impl BlockReader {
    pub(crate) fn new(sources: Vec<Source>, block_bytes: usize) -> Self {
        let bytes_read = vec![0; sources.len()];
        Self { sources, block_bytes, next_source: 0, next_number: 0, open: None, bytes_read }
    }

    /// Bytes of text read from each source, once all blocks were taken.
    pub(crate) fn into_bytes_read(self) -> Vec<u64> {
        self.bytes_read
    }

    /// The next block, in the memory of `recycled`; `None` when all is read.
    pub(crate) fn next_block(&mut self, recycled: Vec<u8>) -> Result<Option<Block>, Error> {
        let mut bytes = recycled;
        loop {
            if self.open.is_none() && !self.open_next()? {
                return Ok(None);
            }
            let Some(open) = &mut self.open else { return Ok(None) };
            bytes.clear();
            let from = open.offset;
            let source = open.index;
            let content = match open.fill(&mut bytes, self.block_bytes) {
                Ok(content) => content,
                Err(error) => return Err(self.failed(source, from, error)),
            };
            self.bytes_read[source] = open.offset;
            if open.ended && open.carry.is_empty() && open.long_line.is_none() {
                self.open = None;
            }
            if let Some(content) = content {
                let number = self.next_number;
                self.next_number += 1;
                return Ok(Some(Block { bytes, number, source, offset: from, content }));
            }
        }
    }

    fn open_next(&mut self) -> Result<bool, Error> {
        let Some(source) = self.sources.get(self.next_source) else { return Ok(false) };
        let reader = match bytes::open(source) {
            Ok(reader) => reader,
            Err(error) => return Err(self.failed(self.next_source, 0, error)),
        };
        let index = self.next_source;
        self.next_source += 1;
        self.open =
            Some(OpenSource { reader, index, carry: Vec::new(), offset: 0, ended: false, long_line: None });
        Ok(true)
    }
}

impl BlockReader {
    /// Ends reading: the workers that come for another block after an error find nothing more.
    fn failed(&mut self, source: usize, offset: u64, error: std::io::Error) -> Error {
        self.open = None;
        self.next_source = self.sources.len();
        Error::Read { path: self.sources[source].name.clone(), offset, source: error }
    }
}

impl OpenSource {
    /// Fills `bytes` with the next block; `None` where nothing is left.
    fn fill(&mut self, bytes: &mut Vec<u8>, block_bytes: usize) -> std::io::Result<Option<Content>> {
        bytes.append(&mut self.carry);
        if let Some(handed_out) = self.long_line {
            return self.fill_fragment(bytes, block_bytes, handed_out).map(Some);
        }
        let mut wanted = block_bytes;
        loop {
            let searched = if wanted == block_bytes { 0 } else { bytes.len() };
            self.read_up_to(bytes, wanted)?;
            if self.ended {
                self.offset += bytes.len() as u64;
                return Ok((!bytes.is_empty()).then_some(Content::Lines));
            }
            if let Some(newline) = memchr::memrchr(b'\n', &bytes[searched..]) {
                self.cut(bytes, searched + newline + 1);
                return Ok(Some(Content::Lines));
            }
            if bytes.len() > LINE_BYTES_MAX {
                return self.fill_fragment(bytes, block_bytes, 0).map(Some);
            }
            wanted = bytes.len() + block_bytes;
        }
    }

    /// Fills `bytes` with the next piece of an over-long line; its newline is left out.
    fn fill_fragment(
        &mut self,
        bytes: &mut Vec<u8>,
        block_bytes: usize,
        handed_out: u64,
    ) -> std::io::Result<Content> {
        self.read_up_to(bytes, block_bytes.max(FRAGMENT_BYTES))?;
        let content = Content::Fragment { begins_before: handed_out };
        if let Some(newline) = memchr::memchr(b'\n', bytes) {
            self.cut(bytes, newline + 1);
            bytes.pop();
            self.long_line = None;
        } else if self.ended {
            self.offset += bytes.len() as u64;
            self.long_line = None;
        } else {
            self.cut(bytes, bytes.len() / FRAGMENT_BYTES * FRAGMENT_BYTES);
            self.long_line = Some(handed_out + bytes.len() as u64);
        }
        Ok(content)
    }

    fn read_up_to(&mut self, bytes: &mut Vec<u8>, length: usize) -> std::io::Result<()> {
        let missing = length.saturating_sub(bytes.len());
        if missing > 0 && !self.ended {
            bytes.reserve(missing);
            let read = self.reader.by_ref().take(missing as u64).read_to_end(bytes)?;
            self.ended = read < missing;
        }
        Ok(())
    }

    /// Hands out the first `length` bytes; the rest waits for the next block.
    fn cut(&mut self, bytes: &mut Vec<u8>, length: usize) {
        self.carry.extend_from_slice(&bytes[length..]);
        bytes.truncate(length);
        self.offset += length as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cuts `text` into blocks of at most `block_bytes` (or one line).
    fn blocks_of(text: &[u8], block_bytes: usize) -> Vec<Block> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.json");
        fs_err::write(&path, text).unwrap();
        let source = Source { name: "x.json".into(), path: Some(path), identity: "x".into() };
        let mut reader = BlockReader::new(vec![source], block_bytes);
        let mut blocks = Vec::new();
        while let Some(block) = reader.next_block(Vec::new()).unwrap() {
            blocks.push(block);
        }
        assert_eq!(reader.into_bytes_read(), [text.len() as u64]);
        blocks
    }

    #[test]
    fn blocks_put_together_are_the_text_whatever_their_size() {
        let text = b"a\nbb\n\nccc\r\ndddd\neeeee\n\n\nlast line without a newline";
        for block_bytes in 1..text.len() + 2 {
            let blocks = blocks_of(text, block_bytes);
            let mut offset = 0;
            for (number, block) in blocks.iter().enumerate() {
                assert_eq!((block.number as usize, block.offset), (number, offset), "{block_bytes}");
                assert!(block.content == Content::Lines && !block.bytes.is_empty());
                let last = number + 1 == blocks.len();
                assert!(last || block.bytes.ends_with(b"\n"), "{block_bytes}: {block:?}");
                offset += block.bytes.len() as u64;
            }
            assert_eq!(blocks.into_iter().flat_map(|block| block.bytes).collect::<Vec<_>>(), text);
        }
    }

    #[test]
    fn an_over_long_line_comes_in_fragments_and_the_lines_around_it_whole() {
        let long = vec![b'x'; LINE_BYTES_MAX + 9 * FRAGMENT_BYTES + 5];
        let text = [b"before\n".as_slice(), &long, b"\nafter\n"].concat();
        let blocks = blocks_of(&text, 4 << 20);
        let (mut lines, mut seen) = (Vec::new(), 0);
        for block in blocks {
            match block.content {
                Content::Lines => lines.extend(block.bytes),
                Content::Fragment { begins_before } => {
                    assert_eq!(begins_before, seen);
                    assert_eq!(seen % FRAGMENT_BYTES as u64, 0);
                    seen += block.bytes.len() as u64;
                }
            }
        }
        assert_eq!((lines.as_slice(), seen), (b"before\nafter\n".as_slice(), long.len() as u64));
    }
}
