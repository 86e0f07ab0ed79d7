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
//! stays keeps its position and its bytes, and gets the current reason, unless the replay left its event type
//! out.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashSet},
    io::{self, BufRead, BufReader, Cursor, Lines, Read, Write},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use event_parser::replayed_line;
use event_target::{History, Location, QUARANTINE};

use super::{
    LastOnes,
    files::{files, selected},
    record::{Record, RecordReader, STAGING},
};
use crate::{
    error::Error,
    input::{Origin, Records, Source},
    settings::{BadLineSelection, ReadWith},
};

/// The envelopes that the selected bad lines were read with.
pub(crate) fn envelopes_of(
    (target, history): (&Location, &History),
    selection: &BadLineSelection,
) -> Result<BTreeSet<ReadWith>, Error> {
    let mut envelopes = BTreeSet::new();
    for name in files(target, Some(history))? {
        let mut records = match RecordReader::open_in(target, &name) {
            Ok(records) => records,
            // The run compares the files with the record, and says which one is missing.
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        while let Some((record, _)) = records.next()? {
            if selection.replays(&record)
                && !envelopes.iter().any(|known: &ReadWith| known.as_deref() == record.envelope.as_deref())
            {
                envelopes.insert(record.envelope.map(Cow::into_owned));
            }
        }
    }
    Ok(envelopes)
}

/// The files of a target's quarantine that may have selected lines, as sources.
pub(crate) fn sources(
    (target, history): (&Location, &History),
    selection: &BadLineSelection,
) -> Result<Vec<Source>, Error> {
    let mut sources = Vec::new();
    for (of, name) in selected((target, history), selection)? {
        let name = format!("{QUARANTINE}/{name}");
        let commit = history.files.get(&name).map(|file| file.commit);
        let (target, path) = (target.clone(), name.clone());
        let replayed = Replayed { target, path, selection: selection.clone(), last_ones: Arc::default() };
        let origin = Origin::Records(Arc::new(replayed));
        sources.push((commit, of, Source { identity: name.clone(), name, origin, fingerprint: None }));
    }
    sources.sort_by(|(commit, of, _), (other, of_other, _)| (commit, of).cmp(&(other, of_other)));
    Ok(sources.into_iter().map(|(.., source)| source).collect())
}

/// The selected lines of a quarantine file.
#[derive(Debug)]
struct Replayed {
    target: Location,
    /// Its path in the target.
    path: String,
    selection: BadLineSelection,
    last_ones: Arc<Mutex<HashSet<u64>>>,
}

impl Records for Replayed {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let records = BufReader::new(self.target.read(&self.path)?).lines();
        let (selection, last_ones) = (self.selection.clone(), Arc::clone(&self.last_ones));
        Ok(Box::new(ReplayText { records, selection, last_ones, lines: 0, line: Cursor::default() }))
    }

    fn is_behind_existing(&self, line: u64) -> bool {
        locked(&self.last_ones).contains(&line)
    }
}

struct ReplayText {
    records: Lines<BufReader<Box<dyn Read + Send>>>,
    selection: BadLineSelection,
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
            if self.selection.replays(&record) {
                self.lines += 1;
                if record.wins_tie {
                    locked(&self.last_ones).insert(self.lines);
                }
                let unit = record.unit();
                let is_misplaced = record.misplaced;
                self.line = Cursor::new(replayed_line(&record.into_replayed()?, &unit, is_misplaced));
            }
        }
    }
}

/// Writes the `records` of a quarantine file again, without those that are good now, and returns how many are
/// left. `again` has those that are bad again, by the numbers of their lines.
pub(super) fn rewrite(
    mut records: RecordReader<impl BufRead>,
    again: Option<&Path>,
    (selection, lasts): (&BadLineSelection, &LastOnes),
    output: &mut impl Write,
) -> Result<u64, Error> {
    let mut again = again.map(RecordReader::open).transpose()?;
    let mut next_again = || -> Result<_, Error> {
        let next = again.as_mut().map_or(Ok(None), RecordReader::next)?;
        Ok(next.map(|(record, _)| record))
    };
    let mut next = next_again()?;
    let (mut lines, mut left) = (0, 0);
    while let Some((mut record, _)) = records.next()? {
        if selection.replays(&record) {
            lines += 1;
            let Some(bad) = next.take_if(|bad| bad.line == lines) else { continue };
            // Of a document, several records may be bad again: it stays as it is.
            next = next_again()?;
            while next.take_if(|bad| bad.line == lines).is_some() {
                next = next_again()?;
            }
            if !bad.is_left() && !record.misplaced {
                let judged = bad.position().and_then(|position| lasts.get(&position));
                record.wins_tie = judged.copied().unwrap_or(record.wins_tie);
                (record.reason, record.detail) = (bad.reason, bad.detail);
            }
        }
        left += 1;
        record.write_to(output).map_err(Error::io(STAGING))?;
    }
    Ok(left)
}
