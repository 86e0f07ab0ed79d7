//! Sources, one after the other → numbered blocks of whole lines, elements or documents.
//!
//! The workers share one reader. An idle worker takes the next block, so memory has as many blocks as there
//! are workers, however large the input is.
//!
//! Invariant: the blocks, concatenated in the order of their numbers, are the sources in input order.

use event_parser::{Block, Buffer, CutError, Cutter, Framing};
use event_target::Fingerprint;

use super::{
    defect::unreadable,
    framed::Framed,
    objects::{ReadAhead, Window},
    open::{Text, open},
    sources::{Origin, Source},
};
use crate::{error::Error, runtime::Progress};

/// A block of a source.
#[derive(Debug)]
pub(crate) struct SourceBlock {
    /// The index of the source.
    pub(crate) source: usize,
    pub(crate) block: Block,
}

/// Facts about a source that was read.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct SourceFacts {
    /// Bytes of its text.
    pub(crate) bytes: u64,
    /// Its content as stored, if it was hashed.
    pub(crate) fingerprint: Option<Fingerprint>,
}

/// Cuts the sources into blocks.
pub(crate) struct BlockReader {
    sources: Vec<Source>,
    ahead: ReadAhead,
    progress: Progress,
    block_bytes: usize,
    framed: Framed,
    /// The open source, and its cutter.
    open: Option<Cutter<Text>>,
    /// The index of the open source, or of the next one.
    source: usize,
    next_number: u32,
    /// Whether sources are hashed while they are read.
    are_hashed: bool,
    facts: Vec<SourceFacts>,
}

impl BlockReader {
    /// Objects among the sources are fetched ahead, as much as the window says.
    pub(crate) fn new(
        sources: Vec<Source>,
        window: Window,
        block_bytes: usize,
        framed: Framed,
        progress: Progress,
    ) -> Self {
        progress.begin_reading(|| sources.iter().map(Source::stored_bytes).sum());
        let ahead = ReadAhead::of(&sources, window);
        let facts = vec![SourceFacts::default(); sources.len()];
        Self {
            sources,
            ahead,
            progress,
            block_bytes,
            framed,
            open: None,
            source: 0,
            next_number: 0,
            are_hashed: false,
            facts,
        }
    }

    /// The first block has this number.
    pub(crate) fn numbered_from(self, next_number: u32) -> Self {
        Self { next_number, ..self }
    }

    /// Hashes each source while it is read.
    pub(crate) fn hashing(self) -> Self {
        Self { are_hashed: true, ..self }
    }

    /// Facts about each source, after all blocks were taken.
    pub(crate) fn into_facts(self) -> Vec<SourceFacts> {
        self.facts
    }

    /// The next block, of about this size.
    pub(crate) fn next_block_of(
        &mut self,
        block_bytes: usize,
        recycled: Buffer,
    ) -> Result<Option<SourceBlock>, Error> {
        self.block_bytes = block_bytes;
        if let Some(cutter) = &mut self.open {
            cutter.set_block_bytes(block_bytes);
        }
        self.next_block(recycled)
    }

    /// The next block, in the memory of `recycled`; `None` at the end of the input.
    pub(crate) fn next_block(&mut self, recycled: Buffer) -> Result<Option<SourceBlock>, Error> {
        let mut recycled = Some(recycled);
        while self.source < self.sources.len() {
            let cutter = match &mut self.open {
                Some(cutter) => cutter,
                closed => {
                    match open(&self.sources[self.source], &self.ahead, &self.progress, self.are_hashed) {
                        Ok(text) => {
                            let cutter = self.framed.cutter(text, self.block_bytes);
                            let cutter = cutter.numbered_from(self.next_number);
                            closed.insert(match &self.sources[self.source].origin {
                                Origin::Records(_) => cutter.replaying(),
                                Origin::Lines(lines) => {
                                    cutter.framed(Framing::Lines).starting_at(lines.start())
                                }
                                _ => cutter,
                            })
                        }
                        Err(source) => return Err(self.failed(None, CutError { offset: 0, source })),
                    }
                }
            };
            let block = match cutter.next_block(recycled.take().unwrap_or_default()) {
                Ok(block) => block,
                Err(error) => {
                    let compression = cutter.reader().compression;
                    return Err(self.failed(compression, error));
                }
            };
            let source = self.source;
            let facts = &mut self.facts[source];
            facts.bytes = cutter.offset() - self.sources[source].first_offset();
            self.next_number = cutter.next_number();
            if block.is_none() || cutter.is_done() {
                facts.fingerprint = cutter.reader().fingerprint();
                self.open = None;
                self.source += 1;
            }
            if let Some(block) = block {
                return Ok(Some(SourceBlock { source, block }));
            }
        }
        Ok(None)
    }

    /// Ends reading after an error: workers that ask for another block get nothing more.
    fn failed(&mut self, compression: Option<&'static str>, error: CutError) -> Error {
        let CutError { offset, source } = error;
        let error = unreadable(&self.sources[self.source].name, offset, compression, source);
        (self.open, self.source) = (None, self.sources.len());
        error
    }
}
