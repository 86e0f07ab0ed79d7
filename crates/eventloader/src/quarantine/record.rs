//! One record of a quarantine file, and files of records in the order of their positions.
//!
//! Invariant: a record that is read and written again has the same bytes.

use std::{
    borrow::Cow,
    fmt, io,
    io::{BufRead, BufReader, Lines, Read, Write},
    iter::Enumerate,
    path::{Path, PathBuf},
};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use event_parser::{BadLine, Detail, Unit};
use event_rows::Position;
use event_target::{Location, QUARANTINE, TargetError};
use serde::{Deserialize, Serialize};
use storage::File;

use crate::{error::Error, settings::ReadWith};

pub(super) const READING: &str = "reading the quarantine";
pub(super) const STAGING: &str = "staging the quarantine";

/// A bad line, or a fragment of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record<'r> {
    /// The identity of its source.
    pub(crate) source: Cow<'r, str>,
    /// Its line in the source, from 1.
    pub(crate) line: u64,
    /// The offset of its first byte in the source's text.
    pub(crate) offset: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fragment: Option<u64>,
    /// Whether it came after the row that the target had, when it was quarantined, of its event and
    /// timestamp.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) wins_tie: bool,
    pub(crate) reason: Cow<'r, str>,
    pub(crate) detail: Cow<'r, Detail>,
    /// Whether it is a record of a document, and not a line or document that may have records.
    #[serde(default, skip_serializing_if = "is_false")]
    record: bool,
    /// Whether it is bad for its place, whatever it says.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) misplaced: bool,
    /// What the record is read with of the objects around it: the text of a JSON object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enclosing: Option<Cow<'r, str>>,
    /// The envelope that it was read with, if it is not the base contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) envelope: Option<Cow<'r, str>>,
    /// The line, if it is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) raw: Option<Cow<'r, str>>,
    /// The line, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) raw_base64: Option<String>,
    /// While the run lasts: its place in the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_false(value: &bool) -> bool {
    !value
}

impl<'r> Record<'r> {
    /// The record of a bad line, which is number `line` of its source.
    pub(crate) fn new(source: &'r str, line: u64, bad: &'r BadLine) -> Self {
        let text = std::str::from_utf8(&bad.raw).ok();
        Self {
            source: source.into(),
            line,
            offset: bad.offset,
            fragment: bad.fragment,
            wins_tie: false,
            reason: bad.fault.reason.code().into(),
            detail: Cow::Borrowed(&bad.fault.detail),
            record: matches!(bad.unit, Unit::Record(_)),
            misplaced: bad.is_misplaced,
            enclosing: match &bad.unit {
                Unit::Record(Some(enclosing)) => std::str::from_utf8(enclosing).ok().map(Cow::Borrowed),
                _ => None,
            },
            envelope: None,
            raw: text.map(Cow::Borrowed),
            raw_base64: text.is_none().then(|| BASE64_STANDARD.encode(&bad.raw)),
            position: None,
        }
    }

    /// In a file of a replay: a line that stays as it is.
    pub(super) fn left(line: u64) -> Self {
        let nothing = Detail { field: None, expected: String::new(), found: String::new() };
        Self {
            source: "".into(),
            line,
            offset: 0,
            fragment: None,
            wins_tie: false,
            reason: "".into(),
            detail: Cow::Owned(nothing),
            record: false,
            misplaced: false,
            enclosing: None,
            envelope: None,
            raw: None,
            raw_base64: None,
            position: None,
        }
    }

    /// Whether it is such a line.
    pub(super) fn is_left(&self) -> bool {
        self.reason.is_empty()
    }

    /// The same with the envelope that it was read with.
    pub(super) fn with_envelope(self, envelope: ReadWith) -> Self {
        Self { envelope: envelope.map(Cow::Owned), ..self }
    }

    /// The same with its place in the input, for a file of the run.
    pub(super) fn at(self, position: Position) -> Self {
        Self { position: Some(position.to_bits()), ..self }
    }

    /// Its place in the input, in a file of the run.
    pub(super) fn position(&self) -> Option<Position> {
        self.position.map(Position::from_bits)
    }

    /// Writes the record as a line.
    pub(crate) fn write_to(&self, output: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *output, self)?;
        output.write_all(b"\n")
    }

    /// The line's position in its source; the records of a file ascend by it.
    pub(super) fn place(&self) -> (u64, u64, Option<u64>) {
        (self.line, self.offset, self.fragment)
    }

    /// Whether it is the same line: the same bytes at the same position.
    pub(super) fn is_same_line(&self, other: &Self) -> bool {
        self.place() == other.place() && self.raw == other.raw && self.raw_base64 == other.raw_base64
    }

    /// Whether it counts as a bad line: of a line in fragments, only the first one does.
    pub(crate) fn counts(&self) -> bool {
        self.fragment.unwrap_or(0) == 0
    }

    /// What it is read with of the objects around it; empty without any.
    pub(super) fn enclosing(&self) -> Vec<u8> {
        self.enclosing.as_ref().map_or_else(Vec::new, |text| text.as_bytes().to_vec())
    }

    /// What it is.
    pub(super) fn unit(&self) -> Unit {
        let enclosing = self.enclosing.as_ref().map(|text| text.as_bytes().into());
        if self.record { Unit::Record(enclosing) } else { Unit::Element }
    }

    /// What a replay reads: the bytes of the line, without the byte order mark that its source began with.
    pub(super) fn into_replayed(self) -> io::Result<Vec<u8>> {
        let is_first = self.offset == 0 && !self.record;
        let mut raw = self.into_raw()?;
        if is_first && raw.starts_with(b"\xEF\xBB\xBF") {
            raw.drain(..3);
        }
        Ok(raw)
    }

    /// The bytes of the line.
    pub(crate) fn into_raw(self) -> io::Result<Vec<u8>> {
        match (self.raw, self.raw_base64) {
            (Some(raw), _) => Ok(raw.into_owned().into_bytes()),
            (None, Some(encoded)) => BASE64_STANDARD.decode(encoded).map_err(io::Error::other),
            (None, None) => Ok(Vec::new()),
        }
    }
}

/// Reads the records of a file, one after the other.
pub(crate) struct RecordReader<R> {
    path: PathBuf,
    lines: Enumerate<Lines<R>>,
}

impl RecordReader<BufReader<Box<dyn Read + Send>>> {
    /// Opens a file of a target's quarantine, given by its name.
    pub(crate) fn open_in(target: &Location, name: &str) -> Result<Self, Error> {
        let path = format!("{QUARANTINE}/{name}");
        let text = target.read(&path).map_err(Error::io(READING))?;
        Ok(Self::new(target.address(&path), BufReader::new(text)))
    }
}

impl RecordReader<BufReader<File>> {
    /// Opens a file of the run.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self::new(path.to_owned(), BufReader::new(File::open(path).map_err(Error::io(READING))?)))
    }
}

impl<R: BufRead> RecordReader<R> {
    /// `path` names the file, for messages.
    pub(crate) fn new(path: PathBuf, text: R) -> Self {
        Self { path, lines: text.lines().enumerate() }
    }

    /// The next record, and its text. Behind a damaged one, reading can go on.
    pub(crate) fn next(&mut self) -> Result<Option<(Record<'static>, String)>, Error> {
        let Some((index, line)) = self.lines.next() else { return Ok(None) };
        let damaged = |error: &dyn fmt::Display| {
            let problem = format!("not a quarantine record: {error}");
            TargetError::Damaged { path: self.path.clone(), line: index + 1, problem }
        };
        let text = line.map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => damaged(&error).into(),
            _ => Error::io(READING)(error),
        })?;
        let record = serde_json::from_str(&text).map_err(|error| damaged(&error))?;
        Ok(Some((record, text)))
    }
}

/// Merges two files of one source, both in the order of positions, into their union. If both have a line, the
/// new record is kept, because it has the current reason.
#[cfg(any(test, fuzzing))]
pub(crate) fn merge<R: BufRead>(
    old: Option<RecordReader<R>>,
    new: RecordReader<R>,
    output: &mut impl Write,
) -> Result<(), Error> {
    merge_judged(old, new, &mut |_, _| {}, output)
}

/// The same. `finish` gets each new record, with the old one of the same line.
pub(super) fn merge_judged(
    old: Option<RecordReader<impl BufRead>>,
    mut new: RecordReader<impl BufRead>,
    finish: &mut impl FnMut(&mut Record<'static>, Option<&Record<'static>>),
    output: &mut impl Write,
) -> Result<(), Error> {
    let mut put_new = |record: &mut Record<'static>, old: Option<&Record<'static>>, output: &mut _| {
        finish(record, old);
        record.position = None;
        record.write_to(output).map_err(Error::io(STAGING))
    };
    let mut next_new = new.next()?;
    if let Some(mut old) = old {
        while let Some((old_record, old_text)) = old.next()? {
            while let Some((mut record, _)) =
                next_new.take_if(|(record, _)| record.place() < old_record.place())
            {
                put_new(&mut record, None, output)?;
                next_new = new.next()?;
            }
            match next_new.take_if(|(record, _)| record.is_same_line(&old_record)) {
                Some((mut record, _)) => {
                    put_new(&mut record, Some(&old_record), output)?;
                    next_new = new.next()?;
                }
                // The same position with other bytes is a line of an earlier content of the source: both
                // stay.
                None => writeln!(output, "{old_text}").map_err(Error::io(STAGING))?,
            }
        }
    }
    while let Some((mut record, _)) = next_new {
        put_new(&mut record, None, output)?;
        next_new = new.next()?;
    }
    Ok(())
}
