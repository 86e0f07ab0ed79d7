//! Sources → splits: what one task reads, and the numbers of its blocks.
//!
//! A large file or object of plain lines is read in ranges. Everything else is read as a whole: compressed
//! data has no place to begin in, and the elements of an array or documents are told apart from the
//! beginning.
//!
//! Invariant: in the order of the splits, the numbers of their blocks ascend, so positions order rows as
//! those of a load on one machine.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use event_parser::Plan;
use event_target::{Fingerprint, Mode};
use serde::{Deserialize, Serialize};
use storage::Found;

use crate::{
    error::Error,
    input::{
        FileState, Framed, Lines, OpenStore, Origin, Source, StoredObject, Window, fingerprint_of_file,
        fingerprint_of_object, is_splittable,
    },
    settings::Settings,
};

/// Bytes of text that a stored byte becomes: more than JSON ever does, unless somebody means harm.
const TEXT_PER_STORED_BYTE: u64 = 100;
/// Blocks may be so much smaller than usual: where lines are short, or their values take much memory.
const BLOCK_SHARE_MIN: u64 = 8;
/// Places for blocks of small files.
const BLOCKS_SPARE: u64 = 64;
/// The beginnings of so many sources are read at once: each mostly waits for the disk or the network.
const LOOKED_AT_ONCE: usize = 16;
/// Positions have room for so many blocks.
const BLOCKS_MAX: u64 = 1 << 29;

/// What one task reads.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Split {
    /// The index of its source.
    pub(super) source: usize,
    name: String,
    identity: String,
    stored: Stored,
    /// The content of the source, if it was screened.
    fingerprint: Option<Fingerprint>,
    pub(super) work: Work,
    /// The number of its first block, and the one behind its last block at most.
    pub(super) first_block: u32,
    end_block: u32,
}

/// Where the bytes of a source are, for any process.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Stored {
    /// An absolute path.
    File { path: PathBuf, state: FileState },
    /// An object as it was listed.
    Object {
        store: String,
        key: String,
        bytes: u64,
        modified: SystemTime,
        stamp: (u64, i64),
        etag: Option<String>,
    },
}

/// What is done with a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Work {
    /// All of it is read.
    Whole,
    /// Lines whose first byte is in a range are read.
    Lines { start: u64, end: u64 },
    /// Its content is hashed, for the record of a merge: others read its lines.
    Hash,
}

impl Split {
    /// The content of a source that is only hashed.
    pub(super) fn fingerprint(&self, open: &OpenStore<'_>, window: Window) -> Result<Fingerprint, Error> {
        if let Stored::File { path, state } = &self.stored {
            return fingerprint_of_file((&self.name, path), self.read(*state), self.fingerprint);
        }
        let object = self.object(open)?;
        let source = self.source_at(Origin::Object(object.clone()));
        fingerprint_of_object(&source, &object, window)
    }

    /// Opens what is to be read.
    pub(super) fn source(&self, open: &OpenStore<'_>) -> Result<Source, Error> {
        let origin = match (&self.stored, self.work) {
            (Stored::File { path, state }, Work::Lines { start, end }) => {
                Origin::Lines(Lines::of_file((&self.name, path), (start, end), self.read(*state))?)
            }
            (Stored::File { path, .. }, _) => Origin::File(path.clone()),
            (Stored::Object { bytes, .. }, Work::Lines { start, end }) => {
                let object = (self.name.as_str(), self.object(open)?);
                Origin::Lines(Lines::of_object(object, (start, end), *bytes)?)
            }
            (Stored::Object { .. }, _) => Origin::Object(self.object(open)?),
        };
        Ok(self.source_at(origin))
    }

    fn source_at(&self, origin: Origin) -> Source {
        // Of a part, nobody has the content.
        let fingerprint = self.fingerprint.filter(|_| !matches!(origin, Origin::Lines(_)));
        Source { name: self.name.clone(), origin, identity: self.identity.clone(), fingerprint }
    }

    /// The file, as far as it was there when it was screened: it may have grown.
    fn read(&self, state: FileState) -> FileState {
        FileState { bytes: self.fingerprint.map_or(state.bytes, |content| content.bytes), ..state }
    }

    fn object(&self, open: &OpenStore<'_>) -> Result<StoredObject, Error> {
        let Stored::Object { store, key, bytes, modified, stamp, etag } = self.stored.clone() else {
            return Err(no_file(&self.name));
        };
        Ok(StoredObject::new(open(&store)?, Found { key, bytes, modified, stamp, etag }))
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

/// Divides the sources, in input order. So many bytes are a split, and usually a block, at most.
pub(super) fn splits_of_sources(
    (settings, plan): (&Settings, &Plan),
    sources: &[Source],
    (split_bytes, block_bytes): (u64, u64),
) -> Result<Vec<Split>, Error> {
    let framed = Framed { framing: settings.framing, records: Arc::clone(plan.records()) };
    // For the record of what was merged.
    let are_hashed = settings.mode == Mode::Merge;
    let looked_at = workers::map(LOOKED_AT_ONCE, sources.len(), |index| {
        let source = &sources[index];
        let (stored, stored_bytes) = Stored::of(source)?;
        let bytes = source.fingerprint.map_or(stored_bytes, |content| content.bytes);
        let is_divided = bytes > split_bytes && is_splittable(source, &framed)?;
        Ok::<_, Error>((stored, bytes, is_divided))
    })?;
    let (mut splits, mut next_block) = (Vec::new(), 0);
    for (index, (source, (stored, bytes, is_divided))) in sources.iter().zip(looked_at).enumerate() {
        let mut works = if is_divided { lines_of(bytes, split_bytes) } else { vec![Work::Whole] };
        if is_divided && are_hashed {
            works.push(Work::Hash);
        }
        for work in works {
            let text_bytes = match work {
                Work::Whole => bytes.saturating_mul(TEXT_PER_STORED_BYTE),
                Work::Lines { start, end } => end - start,
                Work::Hash => 0,
            };
            let first_block = next_block;
            next_block += BLOCK_SHARE_MIN * text_bytes.div_ceil(block_bytes) + BLOCKS_SPARE;
            let number = |block: u64| u32::try_from(block.min(BLOCKS_MAX)).unwrap_or(u32::MAX);
            splits.push(Split {
                source: index,
                name: source.name.clone(),
                identity: source.identity.clone(),
                stored: stored.clone(),
                fingerprint: source.fingerprint,
                work,
                first_block: number(first_block),
                end_block: number(next_block),
            });
        }
    }
    Ok(splits)
}

impl Stored {
    /// Where a source is, and its length.
    fn of(source: &Source) -> Result<(Self, u64), Error> {
        match &source.origin {
            Origin::File(path) => {
                let state = FileState::of(&source.name, path)?.ok_or_else(|| no_file(&source.name))?;
                Ok((Self::File { path: absolute(path)?, state }, state.bytes))
            }
            Origin::Object(object) => {
                let (store, found) = object.place();
                let Found { key, bytes, modified, stamp, etag } = found.clone();
                Ok((Self::Object { store, key, bytes, modified, stamp, etag }, bytes))
            }
            _ => Err(no_file(&source.name)),
        }
    }
}

/// The ranges of a source of lines.
fn lines_of(bytes: u64, split_bytes: u64) -> Vec<Work> {
    let count = bytes.div_ceil(split_bytes).max(1);
    let at = |number: u64| bytes / count * number + bytes % count * number / count;
    (0..count).map(|number| Work::Lines { start: at(number), end: at(number + 1) }).collect()
}

fn no_file(name: &str) -> Error {
    Error::Usage(format!(
        "{name}: an engine reads files, directories and objects; load anything else with eventloader"
    ))
}

/// Tasks run elsewhere, with another working directory.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(Error::io("finding a path"))
}
