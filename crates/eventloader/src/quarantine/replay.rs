//! Records of the quarantine → the lines of a replay, and the files without those that are good now.
//!
//! A file of the quarantine is a source: each selected record is a line of it, and lines that are bad again
//! are recognised by their number. Fragments of over-long lines are never replayed.
//!
//! Invariant: a record leaves its file if and only if its line became a row of the same commit. One that
//! stays keeps its position and its bytes, and gets the current reason.

use std::{
    io::{self, BufRead, BufReader, Cursor, Lines, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use event_target::QUARANTINE;
use storage::File;

use super::record::{READING, Record, RecordReader, STAGING};
use crate::{
    error::Error,
    input::{Origin, Records, Source},
    settings::ReplaySelection,
};

impl ReplaySelection {
    fn wants(&self, record: &Record<'_>) -> bool {
        let is_named = |wanted: &String| {
            let front = record.source.strip_suffix(wanted.as_str());
            front.is_some_and(|front| front.is_empty() || front.ends_with('/') || wanted.starts_with('/'))
        };
        record.fragment.is_none()
            && (self.reasons.is_empty() || self.reasons.iter().any(|reason| *reason == record.reason))
            && (self.sources.is_empty() || self.sources.iter().any(is_named))
    }
}

/// The files of a target's quarantine, as sources.
pub(crate) fn sources(target: &Path, selection: &ReplaySelection) -> Result<Vec<Source>, Error> {
    let listing = Error::io("listing the quarantine");
    let directory = target.join(QUARANTINE);
    let names = storage::names_in(&directory).map_err(listing)?.unwrap_or_default();
    let mut sources = Vec::new();
    for name in names {
        let path = directory.join(&name);
        let found = storage::look_at(&path).map_err(listing)?;
        let Some(name) = name.to_str().filter(|_| found.is_some_and(|found| found.is_file())) else {
            continue;
        };
        let name = format!("{QUARANTINE}/{name}");
        let origin = Origin::Records(Arc::new(Replayed { path, selection: selection.clone() }));
        sources.push(Source { identity: name.clone(), name, origin, fingerprint: None });
    }
    Ok(sources)
}

/// The selected lines of a quarantine file.
#[derive(Debug)]
struct Replayed {
    path: PathBuf,
    selection: ReplaySelection,
}

impl Records for Replayed {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let records = BufReader::new(File::open(&self.path)?).lines();
        Ok(Box::new(ReplayText { records, selection: self.selection.clone(), line: Cursor::default() }))
    }
}

struct ReplayText {
    records: Lines<BufReader<File>>,
    selection: ReplaySelection,
    line: Cursor<Vec<u8>>,
}

impl Read for ReplayText {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.line.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(record) = self.records.next() else { return Ok(0) };
            let record: Record<'_> = serde_json::from_str(&record?)?;
            if self.selection.wants(&record) {
                self.line = Cursor::new(line_of(record)?);
            }
        }
    }
}

/// A record as a line of a file: newlines in an element of an array are replaced, since any white space will
/// do.
fn line_of(record: Record<'_>) -> io::Result<Vec<u8>> {
    let mut line = record.into_raw()?;
    line.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
    line.push(b'\n');
    Ok(line)
}

/// Writes a quarantine file again, without the records that are good now, and returns how many are left.
/// `again` has those that are bad again, by the numbers of their lines.
pub(super) fn rewrite(
    live: &Path,
    again: Option<&Path>,
    selection: &ReplaySelection,
    output: &mut impl Write,
) -> Result<u64, Error> {
    let mut again = again.map(RecordReader::open).transpose()?;
    let mut next_again = || -> Result<_, Error> {
        let next = again.as_mut().map_or(Ok(None), RecordReader::next)?;
        Ok(next.map(|(record, _)| record))
    };
    let mut next = next_again()?;
    let (mut lines, mut left) = (0, 0);
    for line in BufReader::new(File::open(live).map_err(Error::io(READING))?).lines() {
        let record = serde_json::from_str(&line.map_err(Error::io(READING))?);
        let mut record: Record<'_> = record.map_err(|error| Error::io(READING)(error.into()))?;
        if selection.wants(&record) {
            lines += 1;
            let Some(bad) = next.take_if(|bad| bad.line == lines) else { continue };
            (record.reason, record.detail) = (bad.reason, bad.detail);
            next = next_again()?;
        }
        left += 1;
        record.write_to(output).map_err(Error::io(STAGING))?;
    }
    Ok(left)
}
