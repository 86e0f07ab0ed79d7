//! Records of the quarantine → the lines of a replay, and the files without those that hold by now.
//!
//! A file of the quarantine is a source: each record that is wanted is a line of it, and those that are bad again are told by their
//! number. Fragments of over-long lines are never lines again.
//!
//! Invariant: a record leaves its file if and only if its line became a row of the same commit. One that stays keeps its place and its
//! bytes; its reason is today's.

use std::{
    io::{self, BufRead, BufReader, BufWriter, Lines, Read, Write},
    path::Path,
};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::{Deserialize, Serialize};

use super::{DIRECTORY, Records};
use crate::{
    disk::{self, File},
    error::Error,
    fault::Detail,
    sources::Source,
};

/// Which records are replayed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplaySelection {
    /// Only those of these reasons; all where empty.
    pub reasons: Vec<String>,
    /// Only those of these sources, as the quarantine names them or by the end of their path; all where empty.
    pub sources: Vec<String>,
}

/// A record with all that is in it.
#[derive(Debug, Serialize, Deserialize)]
struct OwnedRecord {
    source: String,
    line: u64,
    offset: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    fragment: Option<u64>,
    reason: String,
    detail: Detail,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_base64: Option<String>,
}

impl ReplaySelection {
    fn wants(&self, record: &OwnedRecord) -> bool {
        let is_named = |wanted: &String| {
            record
                .source
                .strip_suffix(wanted.as_str())
                .is_some_and(|front| front.is_empty() || front.ends_with('/') || wanted.starts_with('/'))
        };
        record.fragment.is_none()
            && (self.reasons.is_empty() || self.reasons.contains(&record.reason))
            && (self.sources.is_empty() || self.sources.iter().any(is_named))
    }
}

impl OwnedRecord {
    /// The line as one of a file: white space between the parts of an array's element may be newlines.
    fn into_line(self) -> io::Result<Vec<u8>> {
        let mut line = match (self.raw, self.raw_base64) {
            (Some(raw), _) => raw.into_bytes(),
            (None, Some(encoded)) => BASE64_STANDARD.decode(encoded).map_err(io::Error::other)?,
            (None, None) => Vec::new(),
        };
        line.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
        line.push(b'\n');
        Ok(line)
    }
}

/// The files of a target's quarantine, as sources.
pub(crate) fn sources(target: &Path, selection: &ReplaySelection) -> Result<Vec<Source>, Error> {
    let directory = target.join(DIRECTORY);
    let names = disk::names_in(&directory).map_err(Error::io("listing the quarantine"))?.unwrap_or_default();
    let mut sources = Vec::new();
    for name in names {
        let path = directory.join(&name);
        let found = disk::look_at(&path).map_err(Error::io("listing the quarantine"))?;
        let Some(name) = name.to_str().filter(|_| found.is_some_and(|found| found.is_file())) else {
            continue;
        };
        let name = format!("{DIRECTORY}/{name}");
        let (identity, replay) = (name.clone(), Some(selection.clone()));
        sources.push(Source { name, path: Some(path), identity, surveyed: None, replay });
    }
    Ok(sources)
}

/// The lines of the records that are wanted.
pub(crate) struct ReplayText {
    records: Lines<BufReader<File>>,
    selection: ReplaySelection,
    line: io::Cursor<Vec<u8>>,
}

impl ReplayText {
    pub(crate) fn open(path: &Path, selection: &ReplaySelection) -> io::Result<Self> {
        let records = BufReader::new(File::open(path)?).lines();
        Ok(Self { records, selection: selection.clone(), line: io::Cursor::default() })
    }
}

impl Read for ReplayText {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.line.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(record) = self.records.next() else { return Ok(0) };
            let record: OwnedRecord = serde_json::from_str(&record?)?;
            if self.selection.wants(&record) {
                self.line = io::Cursor::new(record.into_line()?);
            }
        }
    }
}

/// Writes a file of the quarantine again, without the records that hold now; how many are left. `again` has those that are bad
/// again, by the numbers of their lines.
pub(super) fn rewrite(
    live: &Path,
    again: Option<&Path>,
    selection: &ReplaySelection,
    staged: &Path,
) -> Result<u64, Error> {
    let (reading, doing) = (Error::io("reading the quarantine"), Error::io("staging the quarantine"));
    let mut output = BufWriter::new(File::create(staged).map_err(doing)?);
    let mut again = again.map(Records::open).transpose()?;
    let mut next = next_of(&mut again)?;
    let (mut lines, mut left) = (0, 0);
    for line in BufReader::new(File::open(live).map_err(reading)?).lines() {
        let mut record: OwnedRecord =
            serde_json::from_str(&line.map_err(reading)?).map_err(|error| reading(error.into()))?;
        if selection.wants(&record) {
            lines += 1;
            let Some(bad) = next.take_if(|bad| bad.line == lines) else { continue };
            (record.reason, record.detail) = (bad.reason, bad.detail);
            next = next_of(&mut again)?;
        }
        left += 1;
        serde_json::to_writer(&mut output, &record).map_err(|error| doing(error.into()))?;
        output.write_all(b"\n").map_err(doing)?;
    }
    output.flush().map_err(doing)?;
    Ok(left)
}

fn next_of(records: &mut Option<Records<BufReader<File>>>) -> Result<Option<OwnedRecord>, Error> {
    let Some(records) = records else { return Ok(None) };
    let Some((_, line)) = records.next()? else { return Ok(None) };
    serde_json::from_str(&line).map(Some).map_err(|error| Error::io("reading the quarantine")(error.into()))
}
