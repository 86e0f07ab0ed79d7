//! The sources of a merge → those that are to be loaded now: not what the target holds already, not what is still being written.
//!
//! A source is known by its content. Of what is not known, the whole text is read once before the load: a last line that is no JSON yet, an
//! array without its end, a compressed stream that breaks off are left for a later run, whole.
//!
//! Invariant: what is passed over is named, with the reason; what is not is loaded as it was looked at, or the load fails.

use std::collections::HashSet;

use serde::{Serialize, de::IgnoredAny};

use crate::{
    arrays,
    blocks::{Buffer, LINE_BYTES_MAX},
    bytes::{self, Text},
    disk,
    error::Error,
    progress::Progress,
    raw_content::{Changed, RawContent, Summed},
    settings::Settings,
    sources::Source,
    workers,
};

const BREAKS_OFF: &str = "its compressed data breaks off";

/// Bytes that are read at once.
const PIECE_BYTES: usize = 1 << 20;

/// What is to be loaded, and what not.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) sources: Vec<Source>,
    pub(crate) passed_over: Vec<PassedOver>,
}

/// A source that is not loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PassedOver {
    pub(crate) path: String,
    pub(crate) reason: Reason,
    /// Of one that is unfinished, what tells so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reason {
    /// The target holds its content already.
    Loaded,
    /// Another source of this run has the same content.
    Same,
    /// It is still being written, or cut off.
    Unfinished,
}

/// Looks at all sources; `loaded` are the contents that the target holds.
pub(crate) fn survey(
    settings: &Settings,
    sources: Vec<Source>,
    loaded: &HashSet<RawContent>,
) -> Result<Survey, Error> {
    let contents = workers::map(settings.threads, sources.len(), |index| {
        settings.interruption.check()?;
        let source = &sources[index];
        let failed = |source_error| unreadable(source, source_error);
        let Some(content) = content_of(source).map_err(failed)? else { return Ok(None) };
        if loaded.contains(&content) {
            return Ok(Some((content, Some((Reason::Loaded, None)))));
        }
        let looked_at = Source { surveyed: Some(content), ..source.clone() };
        let unfinished = unfinished(&looked_at).map_err(failed)?;
        Ok(Some((content, unfinished.map(|detail| (Reason::Unfinished, Some(detail.to_owned()))))))
    })?;
    let (mut survey, mut seen) = (Survey::default(), HashSet::new());
    for (source, looked_at) in sources.into_iter().zip(contents) {
        let Some((content, reason)) = looked_at else {
            survey.sources.push(source);
            continue;
        };
        let reason = reason.or_else(|| (!seen.insert(content)).then_some((Reason::Same, None)));
        match reason {
            Some((reason, detail)) => {
                survey.passed_over.push(PassedOver { path: source.name, reason, detail });
            }
            None => survey.sources.push(Source { surveyed: Some(content), ..source }),
        }
    }
    Ok(survey)
}

fn unreadable(source: &Source, error: std::io::Error) -> Error {
    Error::Read { path: source.name.clone(), offset: 0, text: "the file", source: error }
}

/// What a source holds; `None` of standard input and of what is no file: these are read once.
fn content_of(source: &Source) -> std::io::Result<Option<RawContent>> {
    let Some(path) = source.path.as_deref().filter(|path| path.is_file()) else { return Ok(None) };
    let (mut summed, so_far) = Summed::new(disk::File::open(path)?, None);
    let mut piece = Buffer::default();
    while piece.read_from(&mut summed, PIECE_BYTES)? > 0 {
        piece.clear();
    }
    Ok(Some(so_far.content()))
}

/// What tells that a source is not complete, if anything does.
fn unfinished(source: &Source) -> std::io::Result<Option<&'static str>> {
    let mut text = match bytes::open(source, &Progress::hidden(), false) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(Some(BREAKS_OFF)),
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

fn is_changed(error: &std::io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Changed>()).is_some()
}

/// How a text ends.
enum Ending {
    Array,
    ArrayWithoutEnd,
    /// What stands behind the last newline; nothing of a line that is too long to be an event.
    Line(Vec<u8>),
}

fn last_line(text: &mut Text) -> std::io::Result<Ending> {
    let mut piece = Buffer::default();
    let (mut line, mut is_array, mut last) = (Vec::new(), None, b' ');
    loop {
        piece.clear();
        if text.read_to(&mut piece, PIECE_BYTES)? == 0 {
            break;
        }
        if is_array.is_none() && !arrays::is_blank(&piece) {
            is_array = Some(arrays::opening_bracket(&piece).is_some());
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
