//! Faulty lines and their faults log → the clean lines, each at its position.
//!
//! A moved line arrives a bounded number of events after its position; the lines before it wait that long,
//! and no longer.
//!
//! Invariant: a line that is not in the log is the next event that does not arrive late; what contradicts the
//! log is reported.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    io::{BufRead, BufReader},
    path::Path,
};

use fs_err as fs;
use serde::Deserialize;

use super::{
    Clean,
    finding::{Location, Violation},
    lines::InputLine,
};
use crate::error::Error;

/// A line that is more than this many events late is missing.
const WAITING_MAX: usize = 4_096;

/// A line of the log.
#[derive(Debug, Deserialize)]
struct Entry {
    file: Option<String>,
    line: u64,
    action: Action,
    event: u64,
    clean: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Inserted,
    Moved,
    Altered,
}

/// The faults log of a run.
#[derive(Debug)]
pub(super) struct Log {
    entries: VecDeque<Entry>,
    /// The events that arrive late.
    moved: HashSet<u64>,
}

/// Reads a log into memory: as many entries as there are faults.
pub(super) fn read_log(path: &Path) -> Result<Log, Error> {
    let failed = |source| Error::Check { name: path.display().to_string(), source };
    let (mut entries, mut moved) = (VecDeque::new(), HashSet::new());
    for (index, line) in BufReader::new(fs::File::open(path).map_err(failed)?).lines().enumerate() {
        let entry: Entry = serde_json::from_str(&line.map_err(failed)?).map_err(|error| {
            let problem = format!("line {}: not an entry of a faults log: {error}", index + 1);
            failed(std::io::Error::new(std::io::ErrorKind::InvalidData, problem))
        })?;
        if entry.action == Action::Moved {
            moved.insert(entry.event);
        }
        entries.push_back(entry);
    }
    Ok(Log { entries, moved })
}

/// Undoes faults line by line.
pub(super) struct Undoing {
    log: Log,
    /// The event of the next line that is not in the log.
    next: u64,
    /// The next event to hand out.
    out: u64,
    waiting: BTreeMap<u64, InputLine>,
    last: Option<Location>,
}

type Take<'t> = dyn FnMut(Clean) -> Result<(), Error> + 't;

impl Undoing {
    pub(super) fn new(log: Log, first_event: u64) -> Self {
        Self { log, next: first_event, out: first_event, waiting: BTreeMap::new(), last: None }
    }

    pub(super) fn take(&mut self, mut line: InputLine, take: &mut Take<'_>) -> Result<(), Error> {
        self.last = Some(line.location.clone());
        let name = Path::new(&*line.location.file).file_name().and_then(|name| name.to_str());
        let is_here = |entry: &Entry| {
            entry.line == line.location.line && entry.file.as_deref().is_none_or(|file| Some(file) == name)
        };
        let is_faulty = self.log.entries.front().is_some_and(is_here);
        let entry = if is_faulty { self.log.entries.pop_front() } else { None };
        let event = match &entry {
            Some(Entry { action: Action::Inserted, .. }) => return Ok(()),
            Some(Entry { action: Action::Moved, event, .. }) => *event,
            Some(Entry { action: Action::Altered, .. }) | None => self.next_event(),
        };
        if let Some(Entry { action: Action::Altered, event: host, clean, .. }) = entry {
            if host != event {
                let violation = Violation::new(
                    "faults-log",
                    format!("event {event} in this line"),
                    format!("event {host} in the log"),
                );
                take(Err((line.location.clone(), violation)))?;
            }
            line.text = clean.unwrap_or_default().trim_end_matches('\n').as_bytes().to_vec();
            line.has_end = true;
        }
        self.waiting.insert(event, line);
        self.hand_out(WAITING_MAX, take)
    }

    fn next_event(&mut self) -> u64 {
        while self.log.moved.remove(&self.next) {
            self.next += 1;
        }
        self.next += 1;
        self.next - 1
    }

    /// Hands out the events that are next, and those that have waited too long.
    fn hand_out(&mut self, waiting_max: usize, take: &mut Take<'_>) -> Result<(), Error> {
        while let Some(&event) = self.waiting.keys().next() {
            let is_missing = event > self.out;
            if is_missing && self.waiting.len() <= waiting_max {
                break;
            }
            let Some(line) = self.waiting.remove(&event) else { break };
            if is_missing {
                let expected =
                    format!("event {}, which is late according to the log, before event {event}", self.out);
                take(Err((line.location.clone(), Violation::new("faults-log", expected, "none"))))?;
            }
            self.out = self.out.max(event + 1);
            take(Ok(line))?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self, take: &mut Take<'_>) -> Result<(), Error> {
        self.hand_out(0, take)?;
        match (self.log.entries.front(), &self.last) {
            (Some(entry), Some(last)) => {
                let expected = format!("line {}, which is in the log", entry.line);
                take(Err((last.clone(), Violation::new("faults-log", expected, "the end of the lines"))))
            }
            _ => Ok(()),
        }
    }
}
