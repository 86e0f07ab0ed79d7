//! The sources of a merge → those to load now, without those that the target already has, that are still
//! being written, or that can't be read as events at all.
//!
//! A source is recognised by its content. A new source is read once, as a whole, before the load. It is left
//! for a later run if its last line is not JSON yet, its array or last document has no end, or its compressed
//! data breaks off.
//! What is damaged, or in a container that is not read, will never be whole: it is left out, too, and the run
//! says so.
//!
//! Invariant: a source that is skipped is reported with the reason. Any other is loaded with the content that
//! was screened, or the load fails.

use std::{
    collections::HashSet,
    io::{self, ErrorKind, Read},
};

use event_parser::{Block, Buffer, Content, Cutter, Framing, LINE_BYTES_MAX, Unit};
use event_target::Fingerprint;
use serde::{Serialize, de::IgnoredAny};

use super::{
    defect::{Defect, unreadable},
    framed::Framed,
    hashing_reader::HashingReader,
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

/// The only line of a text may begin with it.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

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
        Self { sources: listed.sources, skipped: listed.dangling.into_iter().map(dangling).collect() }
    }
}

/// Why a source can't be loaded, and what is wrong with it.
type Refusal = (SkipReason, String);

/// Screens all sources; `loaded` are the contents that the target already has.
pub(crate) fn screen(
    listed: Listed,
    loaded: &HashSet<Fingerprint>,
    framed: &Framed,
    threads: usize,
    interruption: &Interruption,
) -> Result<Screened, Error> {
    let Screened { sources, skipped } = listed.into();
    let contents = workers::map(threads, sources.len(), |index| -> Result<_, Error> {
        interruption.check()?;
        let source = &sources[index];
        let failed = |error| unreadable(&source.name, 0, None, error);
        let Some(content) = content_of(source).map_err(failed)? else { return Ok(None) };
        if loaded.contains(&content) {
            return Ok(Some((content, Some((SkipReason::Loaded, None)))));
        }
        let looked_at = Source { fingerprint: Some(content), ..source.clone() };
        let refused = refusal(&looked_at, framed).map_err(failed)?;
        Ok(Some((content, refused.map(|(reason, detail)| (reason, Some(detail))))))
    })?;
    let (mut screened, mut seen) = (Screened { sources: Vec::new(), skipped }, HashSet::new());
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

/// The content of a source; `None` for standard input and everything else that is not a file, which is read
/// only once.
fn content_of(source: &Source) -> io::Result<Option<Fingerprint>> {
    let Origin::File(path) = &source.origin else { return Ok(None) };
    if !storage::is_file(path) {
        return Ok(None);
    }
    let (mut reader, running_hash) = HashingReader::new(SteadyFile::open(path)?, None);
    let mut piece = Buffer::default();
    while piece.read_from(&mut reader, PIECE_BYTES)? > 0 {
        piece.clear();
    }
    Ok(Some(running_hash.fingerprint()))
}

/// Why a source can't be loaded as it is, if that is so; fails if it can't be read, or changes meanwhile.
fn refusal(source: &Source, framed: &Framed) -> io::Result<Option<Refusal>> {
    let mut framing = framed.framing;
    let ended = open(source, &Progress::hidden(), false).and_then(|text| {
        let mut cutter = framed.cutter(Watched { text, last: None }, PIECE_BYTES);
        let end = end_of(&mut cutter);
        framing = cutter.framing();
        let ends_in_nul = cutter.reader().last == Some(0);
        end.map(|open_line| (open_line, ends_in_nul)).or_else(|error| match error.kind() {
            ErrorKind::UnexpectedEof if ends_in_nul => Ok((OpenLine::Unknown, true)),
            _ => Err(error),
        })
    });
    let unfinished = |detail: &str| Ok(Some((SkipReason::Unfinished, detail.to_owned())));
    match ended {
        // No JSON ends like this. Writers that reserve space leave it at the end, and so do crashes: nothing
        // tells whether anybody will ever finish it.
        Ok((_, true)) => {
            let detail = "it ends in NUL bytes: reserved space, or what a crash has left";
            Ok(Some((SkipReason::Damaged, detail.to_owned())))
        }
        Ok((OpenLine::Partial, _)) => unfinished("its last line has no end"),
        Ok(_) => Ok(None),
        Err(error) => match Defect::of(&error) {
            Some(defect @ Defect::BreaksOff(_)) => unfinished(&defect.to_string()),
            Some(defect @ Defect::Damaged { .. }) => Ok(Some((SkipReason::Damaged, defect.to_string()))),
            Some(defect @ Defect::Foreign(_)) => Ok(Some((SkipReason::Foreign, defect.to_string()))),
            None if error.kind() == ErrorKind::UnexpectedEof => unfinished(match framing {
                Framing::Documents => "its last document has no end",
                _ => "its array has no end",
            }),
            _ => Err(error),
        },
    }
}

/// A reader that remembers its last byte.
struct Watched<R> {
    text: R,
    last: Option<u8>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.text.read(bytes)?;
        self.last = bytes[..read].last().copied().or(self.last);
        Ok(read)
    }
}

/// What a text has behind its last newline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenLine {
    /// Nothing, or a line that is whole.
    Whole,
    /// A line that is not JSON, or not yet.
    Partial,
    /// It is too long to be an event, or was not reached.
    Unknown,
}

/// Reads a text to its end, as a load does.
fn end_of(cutter: &mut Cutter<impl Read>) -> io::Result<OpenLine> {
    let mut last = OpenLine::Whole;
    let mut recycled = Buffer::default();
    while let Some(block) = cutter.next_block(recycled).map_err(|failure| failure.source)? {
        last = open_line(&block, last);
        recycled = block.bytes;
    }
    Ok(last)
}

/// What a text has behind its last newline, as far as this block; `before` is the same without it.
fn open_line(block: &Block, before: OpenLine) -> OpenLine {
    let line = match &block.content {
        Content::Fragment(_) => return OpenLine::Unknown,
        Content::Lines => {
            let line = block.bytes.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line).trim_ascii()
        }
        Content::Elements(elements) => {
            let last = elements.last();
            let behind = &block.bytes[last.map_or(0, |element| element.range.end)..];
            // Between an element and the end of the text is the array's bracket, except for lines behind the
            // array.
            if behind.iter().any(|byte| matches!(byte, b']' | b'\n')) {
                return OpenLine::Whole;
            }
            let Some(last) = last else { return before };
            match &block.bytes[last.range.clone()] {
                // Documents and records without an end are errors.
                _ if matches!(last.unit, Unit::Record(_)) => b"",
                [b'{' | b'[', ..] if last.unit == Unit::Document => b"",
                b"]" => b"",
                line => line,
            }
        }
    };
    match line {
        [] => OpenLine::Whole,
        _ if line.len() > LINE_BYTES_MAX => OpenLine::Unknown,
        _ if serde_json::from_slice::<IgnoredAny>(line).is_ok() => OpenLine::Whole,
        _ => OpenLine::Partial,
    }
}
