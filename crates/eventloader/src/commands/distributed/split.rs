//! Sources → splits: what one task reads, and the numbers of its blocks.
//!
//! A large file of plain lines is read in ranges. Everything else is read as a whole: compressed data has no
//! place to begin in, and the elements of an array or documents are told apart from the beginning.
//!
//! Invariant: in the order of the splits, the numbers of their blocks ascend, so positions order rows as
//! those of a load on one machine.

use std::path::{Path, PathBuf};

use event_target::Fingerprint;
use serde::{Deserialize, Serialize};

use crate::{
    error::Error,
    input::{FileLines, FileState, Framed, Origin, Source, fingerprint_of, is_splittable},
};

/// Bytes of text that a stored byte becomes: more than JSON ever does, unless somebody means harm.
const TEXT_PER_STORED_BYTE: u64 = 100;
/// Blocks may be so much smaller than usual: where lines are short, or their values take much memory.
const BLOCK_SHARE_MIN: u64 = 8;
/// Places for blocks of small files.
const BLOCKS_SPARE: u64 = 64;
/// Positions have room for so many blocks.
const BLOCKS_MAX: u64 = 1 << 29;

/// What one task reads.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Split {
    /// The index of its source.
    pub(super) source: usize,
    name: String,
    identity: String,
    path: PathBuf,
    pub(super) work: Work,
    /// The number of its first block, and the one behind its last block at most.
    pub(super) first_block: u32,
    end_block: u32,
}

/// What is done with a file.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum Work {
    /// All of it is read.
    Whole,
    /// Lines whose first byte is in a range are read.
    Lines { start: u64, end: u64, state: FileState },
    /// Its content is hashed, for the record of a merge: others read its lines.
    Hash { state: FileState },
}

/// How sources are divided.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dividing<'a> {
    pub(super) framed: &'a Framed,
    pub(super) split_bytes: u64,
    /// The usual size of a block.
    pub(super) block_bytes: u64,
    /// Whether the record needs their contents.
    pub(super) are_hashed: bool,
}

impl Split {
    /// The content of a file that is only hashed.
    pub(super) fn fingerprint(&self, state: FileState) -> Result<Fingerprint, Error> {
        fingerprint_of((&self.name, &self.path), state)
    }

    /// Opens what is to be read.
    pub(super) fn source(&self) -> Result<Source, Error> {
        let origin = match self.work {
            Work::Whole | Work::Hash { .. } => Origin::File(self.path.clone()),
            Work::Lines { start, end, state } => {
                Origin::Lines(FileLines::within((&self.name, &self.path), (start, end), state)?)
            }
        };
        let (name, identity) = (self.name.clone(), self.identity.clone());
        Ok(Source { name, origin, identity, fingerprint: None })
    }

    /// Refuses more blocks than there are numbers for.
    pub(super) fn check_blocks(&self, blocks: usize) -> Result<(), Error> {
        if blocks as u64 <= u64::from(self.end_block - self.first_block) {
            return Ok(());
        }
        Err(Error::Distributed(format!(
            "{}: has {blocks} blocks of text, too many for its size; load it with eventloader, or in smaller files",
            self.name
        )))
    }
}

/// Divides the sources, in input order.
pub(super) fn splits_of(sources: &[Source], dividing: Dividing<'_>) -> Result<Vec<Split>, Error> {
    let Dividing { framed, split_bytes, block_bytes, are_hashed } = dividing;
    let (mut splits, mut next_block) = (Vec::new(), 0);
    for (index, source) in sources.iter().enumerate() {
        let Origin::File(path) = &source.origin else { return Err(no_file(&source.name)) };
        let state = FileState::of(&source.name, path)?.ok_or_else(|| no_file(&source.name))?;
        let is_divided = state.bytes > split_bytes && is_splittable(source, framed)?;
        let mut works = if is_divided { lines_of(state, split_bytes) } else { vec![Work::Whole] };
        if is_divided && are_hashed {
            works.push(Work::Hash { state });
        }
        for work in works {
            let text_bytes = match work {
                Work::Whole => state.bytes.saturating_mul(TEXT_PER_STORED_BYTE),
                Work::Lines { start, end, .. } => end - start,
                Work::Hash { .. } => 0,
            };
            let first_block = next_block;
            next_block += BLOCK_SHARE_MIN * text_bytes.div_ceil(block_bytes) + BLOCKS_SPARE;
            let number = |block: u64| u32::try_from(block.min(BLOCKS_MAX)).unwrap_or(u32::MAX);
            splits.push(Split {
                source: index,
                name: source.name.clone(),
                identity: source.identity.clone(),
                path: absolute(path)?,
                work,
                first_block: number(first_block),
                end_block: number(next_block),
            });
        }
    }
    Ok(splits)
}

/// The ranges of a file of lines.
fn lines_of(state: FileState, split_bytes: u64) -> Vec<Work> {
    let (bytes, count) = (state.bytes, state.bytes.div_ceil(split_bytes).max(1));
    let at = |number: u64| bytes / count * number + bytes % count * number / count;
    (0..count).map(|number| Work::Lines { start: at(number), end: at(number + 1), state }).collect()
}

fn no_file(name: &str) -> Error {
    Error::Usage(format!(
        "{name}: an engine reads files and directories; load anything else with eventloader"
    ))
}

/// Tasks run elsewhere, with another working directory.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(Error::io("finding a path"))
}
