//! A source → why it can't be loaded as it is, if that is so.
//!
//! Invariant: only what ends too early is unfinished; what no writer will ever finish is damaged or foreign.

use std::io::{self, ErrorKind, Read};

use event_parser::{Block, Buffer, Content, Cutter, Framing, LINE_BYTES_MAX, Unit};
use event_target::Fingerprint;
use serde::de::IgnoredAny;

use super::{PIECE_BYTES, SkipReason};
use crate::input::{defect::Defect, framed::Framed, open::Text};

/// The only line of a text may begin with it.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Why a source can't be loaded, and what is wrong with it.
pub(super) type Refusal = (SkipReason, String);

/// Why a source with this text can't be loaded as it is, if that is so, and the fingerprint of the source if
/// it was read to its end and hashed; fails if it can't be read, or changes meanwhile.
pub(super) fn refusal(
    text: io::Result<Text>,
    framed: &Framed,
) -> io::Result<(Option<Refusal>, Option<Fingerprint>)> {
    let mut framing = framed.framing;
    let mut fingerprint = None;
    let ended = text.and_then(|text| {
        let mut cutter = framed.cutter(Watched { text, last: None }, PIECE_BYTES);
        let end = end_of(&mut cutter);
        framing = cutter.framing();
        let ends_in_nul = cutter.reader().last == Some(0);
        fingerprint = cutter.reader().text.fingerprint().filter(|_| end.is_ok());
        end.map(|open_line| (open_line, ends_in_nul)).or_else(|error| match error.kind() {
            ErrorKind::UnexpectedEof if ends_in_nul => Ok((OpenLine::Unknown, true)),
            _ => Err(error),
        })
    });
    let unfinished = |detail: &str| Some((SkipReason::Unfinished, detail.to_owned()));
    let refusal = match ended {
        // No JSON ends like this. Writers that reserve space leave it at the end, and so do crashes: nothing
        // tells whether anybody will ever finish it.
        Ok((_, true)) => {
            let detail = "it ends in NUL bytes: reserved space, or what a crash has left";
            Some((SkipReason::Damaged, detail.to_owned()))
        }
        Ok((OpenLine::Partial, _)) => unfinished("its last line has no end"),
        Ok(_) => None,
        Err(error) => match Defect::of(&error) {
            Some(defect @ Defect::BreaksOff(_)) => unfinished(&defect.to_string()),
            Some(defect @ Defect::Damaged { .. }) => Some((SkipReason::Damaged, defect.to_string())),
            Some(defect @ Defect::Foreign(_)) => Some((SkipReason::Foreign, defect.to_string())),
            None if error.kind() == ErrorKind::UnexpectedEof => unfinished(match framing {
                Framing::Documents => "its last document has no end",
                _ => "its array has no end",
            }),
            _ => return Err(error),
        },
    };
    Ok((refusal, fingerprint))
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
