//! Records of the quarantine → the lines of a replay, and the files without those that are good now.
//!
//! A file of the quarantine is a source: each selected record is a line of it, and lines that are bad again
//! are recognised by their number. Fragments of over-long lines are never replayed.
//!
//! A replayed line comes before the target's rows, because they were there when it was quarantined or came
//! later. Only one that came after such a row, which its record says, comes behind them. Among themselves the
//! lines are in the order in which they were quarantined.
//!
//! Invariant: a record leaves its file if and only if its line became a row of the same commit. One that
//! stays keeps its position and its bytes, and gets the current reason.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashSet},
    fmt::Write as _,
    io::{self, BufRead, BufReader, Cursor, Lines, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use event_parser::replayed_line;
use event_target::{History, QUARANTINE};
use storage::File;

use super::{
    LastOnes, OF_CATALOG,
    record::{READING, Record, RecordReader, STAGING},
};
use crate::{
    error::Error,
    input::{Origin, Records, Source},
    settings::ReplaySelection,
};

/// How many sources of the quarantine are named to a user who named none of them.
const NAMED_MAX: usize = 5;

impl ReplaySelection {
    fn wants(&self, record: &Record<'_>) -> bool {
        record.fragment.is_none()
            && (self.reasons.is_empty() || self.reasons.iter().any(|reason| *reason == record.reason))
            && (self.sources.is_empty() || self.sources.iter().any(|wanted| is_named(&record.source, wanted)))
    }

    /// Refuses a source that has no line in the quarantine, which is likely to be a typing error.
    fn check_sources(&self, there: &[String]) -> Result<(), Error> {
        let is_there = |wanted: &&String| there.iter().any(|source| is_named(source, wanted));
        let Some(wanted) = self.sources.iter().find(|wanted| !is_there(wanted)) else { return Ok(()) };
        let mut named = there.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
        if there.len() > NAMED_MAX {
            let _ = write!(named, " and {} more", there.len() - NAMED_MAX);
        }
        let problem = if there.is_empty() {
            "the quarantine is empty".to_owned()
        } else {
            format!("no line of it is in the quarantine, which has lines of {named}")
        };
        Err(Error::Source { path: wanted.clone(), problem })
    }
}

/// Whether a source is the one that is wanted: the end of its path is.
fn is_named(source: &str, wanted: &str) -> bool {
    let front = source.strip_suffix(wanted);
    front.is_some_and(|front| front.is_empty() || front.ends_with('/') || wanted.starts_with('/'))
}

/// The name of the one envelope that the selected bad lines were read with; `None` for the base contract.
///
/// # Errors
/// They were read with several, or with one of a catalog, so the caller must say which.
pub(crate) fn envelope_of(target: &Path, selection: &ReplaySelection) -> Result<Option<String>, Error> {
    let listing = Error::io("listing the quarantine");
    let directory = target.join(QUARANTINE);
    let names = storage::names_in(&directory).map_err(listing)?.unwrap_or_default();
    let mut envelopes = BTreeSet::new();
    for name in names {
        let path = directory.join(&name);
        let found = storage::look_at(&path).map_err(listing)?;
        if name.to_str().is_none() || !found.is_some_and(|found| found.is_file()) {
            continue;
        }
        let mut records = RecordReader::open(&path)?;
        while let Some((record, _)) = records.next()? {
            if selection.wants(&record) {
                envelopes.insert(record.envelope.map(Cow::into_owned));
            }
        }
    }
    if envelopes.iter().flatten().any(|envelope| envelope == OF_CATALOG) {
        return Err(Error::Envelope("bad lines were read with the [envelope] of a catalog".to_owned()));
    }
    if envelopes.len() > 1 {
        let names = envelopes.iter().map(|envelope| envelope.as_deref().unwrap_or("none"));
        let names = names.collect::<Vec<_>>().join(", ");
        return Err(Error::Envelope(format!("bad lines were read with several envelopes: {names}")));
    }
    Ok(envelopes.into_iter().next().flatten())
}

/// The files of a target's quarantine, as sources.
pub(crate) fn sources(target: &Path, selection: &ReplaySelection) -> Result<Vec<Source>, Error> {
    let listing = Error::io("listing the quarantine");
    let directory = target.join(QUARANTINE);
    let names = storage::names_in(&directory).map_err(listing)?.unwrap_or_default();
    let (mut sources, mut there) = (Vec::new(), Vec::new());
    for name in names {
        let path = directory.join(&name);
        let found = storage::look_at(&path).map_err(listing)?;
        let Some(name) = name.to_str().filter(|_| found.is_some_and(|found| found.is_file())) else {
            continue;
        };
        // All records of a file are of one source.
        let Some((record, _)) = RecordReader::open(&path)?.next()? else { continue };
        there.push(record.source.into_owned());
        let name = format!("{QUARANTINE}/{name}");
        let selection = selection.clone();
        let replayed = Replayed { path, selection, last_ones: Arc::default() };
        let origin = Origin::Records(Arc::new(replayed));
        sources.push(Source { identity: name.clone(), name, origin, fingerprint: None });
    }
    selection.check_sources(&there)?;
    let history = History::read(target, |_, _| {})?;
    let commit = |source: &Source| history.files.get(&source.name).map(|file| file.commit);
    let mut sources: Vec<_> = there.into_iter().zip(sources).collect();
    sources.sort_by(|(a, a_file), (b, b_file)| (commit(a_file), a).cmp(&(commit(b_file), b)));
    Ok(sources.into_iter().map(|(_, source)| source).collect())
}

/// The selected lines of a quarantine file.
#[derive(Debug)]
struct Replayed {
    path: PathBuf,
    selection: ReplaySelection,
    last_ones: Arc<Mutex<HashSet<u64>>>,
}

impl Records for Replayed {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let records = BufReader::new(File::open(&self.path)?).lines();
        let (selection, last_ones) = (self.selection.clone(), Arc::clone(&self.last_ones));
        Ok(Box::new(ReplayText { records, selection, last_ones, lines: 0, line: Cursor::default() }))
    }

    fn is_behind_existing(&self, line: u64) -> bool {
        locked(&self.last_ones).contains(&line)
    }
}

struct ReplayText {
    records: Lines<BufReader<File>>,
    selection: ReplaySelection,
    /// Of the lines read so far, those that came after a row; there are few.
    last_ones: Arc<Mutex<HashSet<u64>>>,
    lines: u64,
    line: Cursor<Vec<u8>>,
}

fn locked(lines: &Mutex<HashSet<u64>>) -> MutexGuard<'_, HashSet<u64>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
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
                self.lines += 1;
                if record.wins_tie {
                    locked(&self.last_ones).insert(self.lines);
                }
                let unit = record.unit();
                self.line = Cursor::new(replayed_line(&record.into_raw()?, &unit));
            }
        }
    }
}

/// Writes a quarantine file again, without the records that are good now, and returns how many are left.
/// `again` has those that are bad again, by the numbers of their lines.
pub(super) fn rewrite(
    live: &Path,
    again: Option<&Path>,
    (selection, lasts): (&ReplaySelection, &LastOnes),
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
            // Of a document, several records may be bad again: it stays as it is.
            next = next_again()?;
            while next.take_if(|bad| bad.line == lines).is_some() {
                next = next_again()?;
            }
            let judged = bad.position().and_then(|position| lasts.get(&position));
            record.wins_tie = judged.copied().unwrap_or(record.wins_tie);
            (record.reason, record.detail) = (bad.reason, bad.detail);
        }
        left += 1;
        record.write_to(output).map_err(Error::io(STAGING))?;
    }
    Ok(left)
}
