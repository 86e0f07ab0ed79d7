//! Sources, one after the other → numbered blocks of whole lines, or of whole elements of a JSON array.
//!
//! A source whose text begins with `[` is an array, any other is lines; nothing else is guessed. A block ends behind a
//! newline or an element, or with its file. The workers share one reader: who needs work takes the next block, so memory
//! holds as many blocks as there are workers, however large the input is.
//!
//! Invariant: the blocks in order of their numbers, put together, are the sources in input order, byte for byte (but for
//! the newline behind an over-long line). A line or element that is longer than [`LINE_BYTES_MAX`] by more than a block
//! comes in fragments, never whole.

mod buffer;
mod open_source;

use crate::{
    arrays::Element, bytes, error::Error, progress::Progress, raw_content::RawContent, sources::Source,
};
pub(crate) use buffer::Buffer;
use open_source::{Failure, OpenSource};

/// Longest line that is read as an event, without its newline: `DuckDB`'s `maximum_object_size`.
pub(crate) const LINE_BYTES_MAX: usize = 16 << 20;
/// Length of the pieces that an over-long line is quarantined in; the last may be shorter.
pub(crate) const FRAGMENT_BYTES: usize = 1 << 20;

/// Some lines of one source, or elements of its array.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) bytes: Buffer,
    /// Counts all blocks of the run, in input order.
    pub(crate) number: u32,
    /// Index of the source.
    pub(crate) source: usize,
    /// Where the block begins in the source's text.
    pub(crate) offset: u64,
    pub(crate) content: Content,
}

/// What a block holds.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// Whole lines.
    #[default]
    Lines,
    /// These elements of an array, and what stands between them.
    Elements(Vec<Element>),
    /// A piece of an over-long line or element.
    Fragment(Fragment),
}

/// Where a piece of an over-long line or element stands in it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fragment {
    /// Bytes of the line before this piece: a whole number of [`FRAGMENT_BYTES`].
    pub(crate) bytes_before: u64,
    /// Newlines in the element before this piece; a line has none.
    pub(crate) newlines_before: u64,
    /// Newlines in this piece, and behind it if the line ends here.
    pub(crate) newlines: u32,
}

/// Cuts the sources into blocks.
pub(crate) struct BlockReader {
    sources: Vec<Source>,
    progress: Progress,
    block_bytes: usize,
    next_source: usize,
    next_number: u32,
    open: Option<OpenSource>,
    /// Bytes of each source that were handed out.
    bytes_read: Vec<u64>,
    /// Whether sources are summed up while they are read.
    are_summed: bool,
    contents: Vec<Option<RawContent>>,
}

impl BlockReader {
    pub(crate) fn new(sources: Vec<Source>, block_bytes: usize, progress: Progress) -> Self {
        let (bytes_read, contents) = (vec![0; sources.len()], vec![None; sources.len()]);
        progress.begin_reading(&sources);
        Self {
            sources,
            progress,
            block_bytes,
            next_source: 0,
            next_number: 0,
            open: None,
            bytes_read,
            are_summed: false,
            contents,
        }
    }

    /// The same, which also tells what each source holds.
    pub(crate) fn summed(self) -> Self {
        Self { are_summed: true, ..self }
    }

    /// Of a text in memory.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn of_text(text: &[u8], block_bytes: usize) -> Self {
        let source = Source {
            name: "text".to_owned(),
            path: None,
            identity: "text".to_owned(),
            surveyed: None,
            replay: None,
        };
        let mut open = OpenSource::new(bytes::Text::of(text), 0);
        open.recognise(block_bytes).expect("memory can be read");
        let mut reader = Self::new(vec![source], block_bytes, Progress::hidden());
        (reader.next_source, reader.open) = (1, Some(open));
        reader
    }

    /// Bytes of text read from each source, once all blocks were taken.
    pub(crate) fn into_bytes_read(self) -> Vec<u64> {
        self.bytes_read
    }

    /// What each source held as it is stored, once all blocks were taken and if that was to be told.
    pub(crate) fn contents(&self) -> &[Option<RawContent>] {
        &self.contents
    }

    /// The next block, in the memory of `recycled`; `None` when all is read.
    pub(crate) fn next_block(&mut self, recycled: Buffer) -> Result<Option<Block>, Error> {
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
                Err(failure) => {
                    let text = open.text.compression;
                    return Err(self.failed(source, text, failure));
                }
            };
            self.bytes_read[source] = open.offset;
            if content.is_none() || open.is_done() {
                self.contents[source] = open.text.content();
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
        let index = self.next_source;
        let text = match bytes::open(source, &self.progress, self.are_summed) {
            Ok(text) => text,
            Err(error) => return Err(self.failed(index, None, Failure { offset: 0, error })),
        };
        self.next_source += 1;
        let mut open = OpenSource::new(text, index);
        if source.replay.is_some() {
            // Of lines that stood anywhere, the first may begin with a bracket.
            self.open = Some(open);
            return Ok(true);
        }
        match open.recognise(self.block_bytes) {
            Ok(()) => self.open = Some(open),
            Err(failure) => return Err(self.failed(index, open.text.compression, failure)),
        }
        Ok(true)
    }

    /// Ends reading: the workers that come for another block after an error find nothing more.
    fn failed(&mut self, source: usize, compression: Option<&'static str>, failure: Failure) -> Error {
        self.open = None;
        self.next_source = self.sources.len();
        let text = compression.map_or("the file", |_| "its decompressed text");
        let Failure { offset, error } = failure;
        Error::Read { path: self.sources[source].name.clone(), offset, text, source: error }
    }
}

/// Newlines in a block, or a piece of one.
#[expect(clippy::cast_possible_truncation, reason = "a block has fewer bytes")]
pub(crate) fn newlines_in(bytes: &[u8]) -> u32 {
    memchr::memchr_iter(b'\n', bytes).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cuts `text` into blocks of at most `block_bytes` (or one line).
    fn blocks_of(text: &[u8], block_bytes: usize) -> Vec<Block> {
        let mut reader = BlockReader::of_text(text, block_bytes);
        let mut blocks = Vec::new();
        while let Some(block) = reader.next_block(Buffer::default()).unwrap() {
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
            assert_eq!(blocks.into_iter().flat_map(|block| block.bytes.to_vec()).collect::<Vec<_>>(), text);
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
                Content::Lines => lines.extend_from_slice(&block.bytes),
                Content::Fragment(fragment) => {
                    assert_eq!(fragment.bytes_before, seen);
                    assert_eq!(seen % FRAGMENT_BYTES as u64, 0);
                    seen += block.bytes.len() as u64;
                }
                Content::Elements(_) => panic!("no array"),
            }
        }
        assert_eq!((lines.as_slice(), seen), (b"before\nafter\n".as_slice(), long.len() as u64));
    }

    /// The elements of an array: text and offset.
    fn elements_of(text: &[u8], block_bytes: usize) -> Vec<(u64, Vec<u8>)> {
        let mut offset = 0;
        let mut found = Vec::new();
        for block in blocks_of(text, block_bytes) {
            assert_eq!(block.offset, offset);
            offset += block.bytes.len() as u64;
            let Content::Elements(elements) = block.content else { panic!("{:?}", block.content) };
            let element = |Element { range, .. }: Element| {
                (block.offset + range.start as u64, block.bytes[range].to_vec())
            };
            found.extend(elements.into_iter().map(element));
        }
        found
    }

    #[test]
    fn elements_are_the_same_whatever_the_size_of_the_blocks() {
        let text =
            "\u{FEFF}\n [{\"a\": [1, \"]},\\\"\"]}, {}, 12 , \"é,[\" {}\n,, [[]],\n]\n x \n\n{}\n".as_bytes();
        let whole = elements_of(text, 4 << 20);
        let raws: Vec<_> = whole.iter().map(|(_, raw)| std::str::from_utf8(raw).unwrap()).collect();
        assert_eq!(
            raws,
            ["{\"a\": [1, \"]},\\\"\"]}", "{}", "12", "\"é,[\"", "{}", ",", "[[]]", "]", "x", "{}"]
        );
        for block_bytes in 1..text.len() + 2 {
            assert_eq!(elements_of(text, block_bytes), whole, "{block_bytes}");
        }
    }

    #[test]
    fn an_over_long_element_comes_in_fragments_and_its_neighbours_whole() {
        let long =
            [b"{\"a\":\"".as_slice(), &vec![b'\n'; LINE_BYTES_MAX + 9 * FRAGMENT_BYTES], b"\"}"].concat();
        let text = [b"[1,\n".as_slice(), &long, b"\n, 2\n]"].concat();
        let (mut around, mut seen, mut newlines) = (Vec::new(), 0, 0);
        for block in blocks_of(&text, 4 << 20) {
            match block.content {
                Content::Elements(elements) => {
                    around.extend(elements.into_iter().map(|element| block.bytes[element.range].to_vec()));
                }
                Content::Fragment(fragment) => {
                    assert_eq!((fragment.bytes_before, fragment.newlines_before), (seen, newlines));
                    assert_eq!(block.offset - fragment.bytes_before, 4);
                    seen += block.bytes.len() as u64;
                    newlines += u64::from(fragment.newlines);
                }
                Content::Lines => panic!("an array"),
            }
        }
        assert_eq!(around, [b"1", b"2"]);
        assert_eq!((seen, newlines), (long.len() as u64, (LINE_BYTES_MAX + 9 * FRAGMENT_BYTES) as u64));
    }

    #[test]
    fn an_array_without_its_end_fails_where_its_last_element_begins() {
        let long = format!("[1, {{\"a\": \"{}", "x".repeat(LINE_BYTES_MAX + 9 * FRAGMENT_BYTES));
        let closed = format!("{long}\"}}");
        for (text, offset) in [
            ("[", 1),
            ("\n[{}", 4),
            ("[{}, ", 5),
            ("[{}, {\"a\": 1", 5),
            ("[{}, \"]", 5),
            (&long, 4),
            (&closed, closed.len() as u64),
        ] {
            for block_bytes in [1 + text.len() / 7, 4 << 20] {
                let mut reader = BlockReader::of_text(text.as_bytes(), block_bytes);
                let error = loop {
                    match reader.next_block(Buffer::default()) {
                        Ok(block) => assert!(block.is_some(), "no error for {}", &text[..text.len().min(20)]),
                        Err(error) => break error,
                    }
                };
                assert!(
                    matches!(&error, Error::Read { offset: at, .. } if *at == offset),
                    "{offset}: {error}"
                );
                assert!(reader.next_block(Buffer::default()).unwrap().is_none());
            }
        }
    }
}
