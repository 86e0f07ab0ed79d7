//! The sources of a merge → those to load now, without those that the target already has, that are still
//! being written, or that can't be read as events at all.
//!
//! A source is recognised by its content; an object of a bucket, without reading it, also by its address,
//! length and `ETag`. A new source is read once, as a whole, before the load. It is left for a later run if
//! its last line is not JSON yet, its array or last document has no end, or its compressed data breaks off.
//! What is damaged, or in a container that is not read, will never be whole: it is left out, too, and the run
//! says so.
//!
//! Invariant: a source that is skipped is reported with the reason. Any other is loaded with the content that
//! was screened, or the load fails.

mod refusal;

use std::{
    collections::HashSet,
    io::{self, Read},
    iter,
};

use event_parser::Buffer;
use event_target::{Fingerprint, LoadedSource, Merged};
use serde::Serialize;

use self::refusal::refusal;
use super::{
    defect::unreadable,
    framed::Framed,
    hashing_reader::HashingReader,
    objects::{ReadAhead, StoredObject, Window},
    open::open,
    sources::{Listed, Origin, Source},
    steady_file::SteadyFile,
};
use crate::{
    error::Error,
    runtime::{Interruption, Progress},
};

/// The number of bytes that are read at once.
const PIECE_BYTES: usize = 1 << 20;

/// The sources to load, and the others.
#[derive(Debug, Default, Clone)]
pub(crate) struct Screened {
    pub(crate) sources: Vec<Source>,
    pub(crate) skipped: Vec<SkippedSource>,
    /// Objects that were read before it was known that the target has their contents.
    pub(crate) recognised: Vec<LoadedSource>,
}

/// A source that is not loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct SkippedSource {
    pub(crate) path: String,
    pub(crate) reason: SkipReason,
    /// What is wrong with the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SkipReason {
    /// The target already has its content.
    Loaded,
    /// Another source of this run has the same content.
    Same,
    /// It is still being written, or cut off.
    Unfinished,
    /// Its bytes are not what was written.
    Damaged,
    /// It is in a container or an encoding that is not read.
    Foreign,
    /// It is a link that leads nowhere.
    Dangling,
}

impl SkipReason {
    /// Whether no later run will load the source as it is.
    pub(crate) fn is_lasting(self) -> bool {
        matches!(self, Self::Damaged | Self::Foreign)
    }
}

impl From<Listed> for Screened {
    fn from(listed: Listed) -> Self {
        let dangling = |path| SkippedSource { path, reason: SkipReason::Dangling, detail: None };
        let skipped = listed.dangling.into_iter().map(dangling).collect();
        Self { sources: listed.sources, skipped, recognised: Vec::new() }
    }
}

/// How sources are screened.
#[derive(Clone, Copy)]
pub(crate) struct Screening<'a> {
    /// What the target already has.
    pub(crate) known: &'a Merged,
    pub(crate) framed: &'a Framed,
    pub(crate) threads: usize,
    pub(crate) window: Window,
    pub(crate) interruption: &'a Interruption,
}

/// What screening found of a source.
#[derive(Debug, Default, Clone)]
struct Found {
    /// Its content; `None` if it was not read.
    content: Option<Fingerprint>,
    /// Why it is skipped, and what is wrong with it.
    reason: Option<(SkipReason, Option<String>)>,
}

/// Screens all sources.
pub(crate) fn screen(listed: Listed, screening: Screening<'_>) -> Result<Screened, Error> {
    let Screened { sources, skipped, .. } = listed.into();
    let mut found = workers::map(screening.threads, sources.len(), |index| screening.file(&sources[index]))?;
    for (index, of_object) in screening.objects(&sources)? {
        found[index] = of_object;
    }
    let mut screened = Screened { skipped, ..Screened::default() };
    let mut seen = HashSet::new();
    for (source, Found { content, reason }) in sources.into_iter().zip(found) {
        let is_same = content.is_some_and(|content| reason.is_none() && !seen.insert(content));
        let reason = reason.or_else(|| is_same.then_some((SkipReason::Same, None)));
        let Some((reason, detail)) = reason else {
            screened.sources.push(Source { fingerprint: content, ..source });
            continue;
        };
        let etag = source.object().and_then(StoredObject::etag).map(str::to_owned);
        if matches!(reason, SkipReason::Loaded | SkipReason::Same) && content.is_some() && etag.is_some() {
            screened.recognised.push(LoadedSource { path: source.name.clone(), content, etag });
        }
        screened.skipped.push(SkippedSource { path: source.name, reason, detail });
    }
    Ok(screened)
}

impl Screening<'_> {
    /// A file. Most were loaded before, so its content alone is read first. Nothing is found of standard
    /// input and everything else that is not a file, which is read only once.
    fn file(self, source: &Source) -> Result<Found, Error> {
        self.interruption.check()?;
        let Origin::File(path) = &source.origin else { return Ok(Found::default()) };
        if !storage::is_file(path) {
            return Ok(Found::default());
        }
        let failed = |error| unreadable(&source.name, 0, None, error);
        let content = SteadyFile::open(path).and_then(content_of).map_err(failed)?;
        if self.known.contents.contains(&content) {
            return Ok(Found::loaded(Some(content)));
        }
        let looked_at = Source { fingerprint: Some(content), ..source.clone() };
        let nothing_ahead = ReadAhead::of(None, self.window);
        let text = open(&looked_at, &nothing_ahead, &Progress::hidden(), false);
        let (refusal, _) = refusal(text, self.framed).map_err(failed)?;
        Ok(Found::new(content, refusal))
    }

    /// All objects, by their places among the sources. Threads take turns, so that each can fetch ahead.
    fn objects(self, sources: &[Source]) -> Result<Vec<(usize, Found)>, Error> {
        let objects = sources.iter().enumerate();
        let objects = objects.filter_map(|(index, source)| Some((index, source, source.object()?)));
        let (known, new): (Vec<_>, Vec<_>) =
            objects.partition(|(_, source, object)| self.is_known(source, object));
        let threads = self.threads.min(new.len());
        let window = self.window.shared_by(threads);
        let read = workers::map(threads, threads, |thread| {
            let mine = || new.iter().skip(thread).step_by(threads);
            let ahead = ReadAhead::of(mine().map(|(_, source, _)| *source), window);
            let look_at = |&(index, source, object)| Ok((index, self.object(source, object, &ahead)?));
            mine().map(look_at).collect::<Result<Vec<_>, Error>>()
        })?;
        let known = known.into_iter().map(|(index, ..)| (index, Found::loaded(None)));
        Ok(known.chain(read.into_iter().flatten()).collect())
    }

    /// Whether the target has an object as it is.
    fn is_known(self, source: &Source, object: &StoredObject) -> bool {
        let version = object.version();
        version.is_some() && self.known.objects.get(&source.name) == version.as_ref()
    }

    /// An object that may be new. It is read once, unless it can't be loaded.
    fn object(self, source: &Source, object: &StoredObject, ahead: &ReadAhead) -> Result<Found, Error> {
        self.interruption.check()?;
        let failed = |error| unreadable(&source.name, 0, None, error);
        let text = open(source, ahead, &Progress::hidden(), true);
        let (refusal, content) = refusal(text, self.framed).map_err(failed)?;
        let content = if let Some(content) = content.filter(|content| content.bytes == object.bytes()) {
            content
        } else {
            let again = ReadAhead::of(iter::once(source), self.window.shared_by(self.threads));
            again.reader(object).and_then(content_of).map_err(failed)?
        };
        if self.known.contents.contains(&content) {
            return Ok(Found::loaded(Some(content)));
        }
        Ok(Found::new(content, refusal))
    }
}

impl Found {
    fn new(content: Fingerprint, refusal: Option<refusal::Refusal>) -> Self {
        let reason = refusal.map(|(reason, detail)| (reason, Some(detail)));
        Self { content: Some(content), reason }
    }

    fn loaded(content: Option<Fingerprint>) -> Self {
        Self { content, reason: Some((SkipReason::Loaded, None)) }
    }
}

/// The content of a source.
fn content_of(stored: impl Read) -> io::Result<Fingerprint> {
    let (mut reader, running_hash) = HashingReader::new(stored, None);
    let mut piece = Buffer::default();
    while piece.read_from(&mut reader, PIECE_BYTES)? > 0 {
        piece.clear();
    }
    Ok(running_hash.fingerprint())
}
