//! The sources of a merge → those to load now, without those that the target already has or that are still
//! being written.
//!
//! A source is recognised by its content. A new source is read once, as a whole, before the load. It is left
//! for a later run if its last line is not JSON yet, its array has no end, or its compressed data breaks off.
//!
//! Invariant: a source that is skipped is reported with the reason. Any other is loaded with the content that
//! was screened, or the load fails.

use std::{
    collections::HashSet,
    io::{self, ErrorKind, Read},
};

use event_parser::{Buffer, LINE_BYTES_MAX, is_blank, opening_bracket};
use event_target::Fingerprint;
use serde::{Serialize, de::IgnoredAny};

use super::{
    hashing_reader::{Changed, HashingReader},
    open::open,
    sources::{Origin, Source},
};
use crate::{
    error::Error,
    runtime::{Interruption, Progress},
};

const BREAKS_OFF: &str = "its compressed data breaks off";

/// The number of bytes that are read at once.
const PIECE_BYTES: usize = 1 << 20;

/// The sources to load, and the others.
#[derive(Debug, Default)]
pub(crate) struct Screened {
    pub(crate) sources: Vec<Source>,
    pub(crate) skipped: Vec<SkippedSource>,
}

/// A source that is not loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct SkippedSource {
    pub(crate) path: String,
    pub(crate) reason: SkipReason,
    /// Why the source counts as unfinished.
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
}

/// Screens all sources; `loaded` are the contents that the target already has.
pub(crate) fn screen(
    sources: Vec<Source>,
    loaded: &HashSet<Fingerprint>,
    threads: usize,
    interruption: &Interruption,
) -> Result<Screened, Error> {
    let contents = workers::map(threads, sources.len(), |index| -> Result<_, Error> {
        interruption.check()?;
        let source = &sources[index];
        let failed = |source_error| unreadable(source, source_error);
        let Some(content) = content_of(source).map_err(failed)? else { return Ok(None) };
        if loaded.contains(&content) {
            return Ok(Some((content, Some((SkipReason::Loaded, None)))));
        }
        let looked_at = Source { fingerprint: Some(content), ..source.clone() };
        let unfinished = unfinished(&looked_at).map_err(failed)?;
        Ok(Some((content, unfinished.map(|detail| (SkipReason::Unfinished, Some(detail.to_owned()))))))
    })?;
    let (mut screened, mut seen) = (Screened::default(), HashSet::new());
    for (source, looked_at) in sources.into_iter().zip(contents) {
        let Some((content, reason)) = looked_at else {
            screened.sources.push(source);
            continue;
        };
        let reason = reason.or_else(|| (!seen.insert(content)).then_some((SkipReason::Same, None)));
        match reason {
            Some((reason, detail)) => {
                screened.skipped.push(SkippedSource { path: source.name, reason, detail });
            }
            None => screened.sources.push(Source { fingerprint: Some(content), ..source }),
        }
    }
    Ok(screened)
}

fn unreadable(source: &Source, error: io::Error) -> Error {
    Error::Read { path: source.name.clone(), offset: 0, text: "the file", source: error }
}

/// The content of a source; `None` for standard input and everything else that is not a file, which is read
/// only once.
fn content_of(source: &Source) -> io::Result<Option<Fingerprint>> {
    let Origin::File(path) = &source.origin else { return Ok(None) };
    if !storage::is_file(path) {
        return Ok(None);
    }
    let (mut reader, running_hash) = HashingReader::new(storage::File::open(path)?, None);
    let mut piece = Buffer::default();
    while piece.read_from(&mut reader, PIECE_BYTES)? > 0 {
        piece.clear();
    }
    Ok(Some(running_hash.fingerprint()))
}

/// The sign that a source is incomplete, if there is one.
fn unfinished(source: &Source) -> io::Result<Option<&'static str>> {
    let mut text = match open(source, &Progress::hidden(), false) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(Some(BREAKS_OFF)),
        opened => opened?,
    };
    match last_line(&mut text) {
        Ok(Ending::ArrayWithoutEnd) => Ok(Some("its array has no end")),
        Ok(Ending::Line(line))
            if !line.is_empty() && serde_json::from_slice::<IgnoredAny>(&line).is_err() =>
        {
            Ok(Some("its last line has no end"))
        }
        Ok(_) => Ok(None),
        Err(_) if text.compression.is_some() => Ok(Some(BREAKS_OFF)),
        Err(error) if is_changed(&error) => Ok(Some("it was changed while it was read")),
        Err(error) => Err(error),
    }
}

fn is_changed(error: &io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Changed>()).is_some()
}

/// How a text ends.
enum Ending {
    Array,
    ArrayWithoutEnd,
    /// The text after the last newline; empty if the line is too long to be an event.
    Line(Vec<u8>),
}

fn last_line(text: &mut impl Read) -> io::Result<Ending> {
    let mut piece = Buffer::default();
    let (mut line, mut is_array, mut last) = (Vec::new(), None, b' ');
    loop {
        piece.clear();
        if piece.read_from(text, PIECE_BYTES)? == 0 {
            break;
        }
        if is_array.is_none() && !is_blank(&piece) {
            is_array = Some(opening_bracket(&piece).is_some());
        }
        last = piece.iter().copied().rfind(|byte| !byte.is_ascii_whitespace()).unwrap_or(last);
        match memchr::memrchr(b'\n', &piece) {
            Some(newline) => line = piece[newline + 1..].to_vec(),
            None if line.len() <= LINE_BYTES_MAX => line.extend_from_slice(&piece),
            None => {}
        }
    }
    Ok(match is_array {
        Some(true) if last == b']' => Ending::Array,
        Some(true) => Ending::ArrayWithoutEnd,
        _ if line.len() > LINE_BYTES_MAX => Ending::Line(Vec::new()),
        _ => Ending::Line(line.trim_ascii().to_vec()),
    })
}
