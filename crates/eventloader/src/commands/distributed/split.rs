//! Sources → splits: what one task reads, and the numbers of its blocks.
//!
//! A large file of plain lines is read in ranges. Everything else is read as a whole: compressed data has no
//! place to begin in, and the elements of an array or documents are told apart from the beginning.
//!
//! Invariant: in the order of the splits, the numbers of their blocks ascend, so positions order rows as
//! those of a load on one machine.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    error::Error,
    input::{FileLines, FileState, Framed, Origin, Source, is_splittable},
};

/// The bytes of a block, at least: but for the last one of a range, and those that a very short memory
/// makes smaller.
pub(super) const BLOCK_BYTES: u64 = 4 << 20;
/// Bytes of text that a stored byte becomes at most: those of gzip, by its format. More needs smaller files.
const TEXT_PER_STORED_BYTE: u64 = 1_032;
/// Places of blocks that end early: where lines are many and short, a block has fewer bytes.
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
    /// A range of a file of lines, with the state of the file; the whole file where `None`.
    range: Option<(u64, u64, FileState)>,
    /// The number of its first block, and the one behind its last block at most.
    pub(super) first_block: u32,
    end_block: u32,
}

impl Split {
    /// Opens what is to be read.
    pub(super) fn source(&self) -> Result<Source, Error> {
        let origin = match self.range {
            None => Origin::File(self.path.clone()),
            Some((start, end, state)) => {
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

/// Divides the sources, in input order, into splits of about `split_bytes`.
pub(super) fn splits_of(sources: &[Source], framed: &Framed, split_bytes: u64) -> Result<Vec<Split>, Error> {
    let (mut splits, mut next_block) = (Vec::new(), 0);
    for (index, source) in sources.iter().enumerate() {
        let Origin::File(path) = &source.origin else { return Err(no_file(&source.name)) };
        let path = path.clone();
        let state = FileState::of(&source.name, &path)?.ok_or_else(|| no_file(&source.name))?;
        let is_split = state.bytes > split_bytes && is_splittable(source, framed)?;
        let ranges = if is_split { ranges_of(state.bytes, split_bytes) } else { vec![(0, state.bytes)] };
        for (start, end) in ranges {
            let text_bytes =
                if is_split { end - start } else { state.bytes.saturating_mul(TEXT_PER_STORED_BYTE) };
            let first_block = next_block;
            // As many again: a line of a range may be as long as the range, and be read in fragments.
            next_block += 2 * text_bytes.div_ceil(BLOCK_BYTES) + BLOCKS_SPARE;
            let number = |block: u64| u32::try_from(block.min(BLOCKS_MAX)).unwrap_or(u32::MAX);
            splits.push(Split {
                source: index,
                name: source.name.clone(),
                identity: source.identity.clone(),
                path: absolute(&path)?,
                range: is_split.then_some((start, end, state)),
                first_block: number(first_block),
                end_block: number(next_block),
            });
        }
    }
    Ok(splits)
}

fn ranges_of(bytes: u64, split_bytes: u64) -> Vec<(u64, u64)> {
    let count = bytes.div_ceil(split_bytes).max(1);
    (0..count).map(|number| (bytes * number / count, bytes * (number + 1) / count)).collect()
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
