//! Existing events files → the position after their last event, where a run that continues them begins.
//!
//! An `event_id` is the event's position, encrypted with the seed, so any line gives its position, whatever
//! the order of lines and files. Lines that are no events, or whose id is not of this stream (as in lines
//! that faults inserted), are skipped.
//!
//! A last line without a newline is complete if it is JSON. Else it was cut off, by a copy or a full disk
//! perhaps, and the run writes its event again: the rest of the line is cut out of the file then.
//!
//! Invariant: a stream is continued only if one of its lines was found: never the events of another seed,
//! world, start date or pace. A line that was cut off and is not that of the next event is an error: its
//! event would be lost.

use std::{
    io::{self, BufRead},
    path::Path,
};

use fs_err as fs;
use memchr::{memchr, memmem};
use uuid::Uuid;

use super::file_names::{EventsFileName, files_in};
use crate::{
    changes::tables,
    config::{Config, WorldName},
    dress::{Dress, LineWriter},
    error::Error,
    render::compression::Compression,
    stream::{EVENT_INDEX_MAX, event_id::EventIds},
    worlds::{Chunk, End, Event, World, find, ledger::LedgerWorld, simple::SimpleWorld},
};

/// At most this many lines are compared with the stream.
const LINES_COMPARED_MAX: usize = 200;

/// What every line begins with, in its own envelope.
const BEFORE_ID: &str = r#"{"event_id": ""#;

/// An id is among so many first bytes of a line, and a line of an event is not longer.
const BEGINNING_BYTES_MAX: usize = 4 << 10;

/// At most this much of a last line is kept, to see whether it is complete; other lines are shorter.
const LAST_LINE_BYTES_MAX: usize = 64 << 10;

/// Where a run goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Continued {
    /// The position of the first event that is not in the files.
    pub(super) first_event: u64,
    /// The file whose last line was cut off: that of the first event.
    pub(super) torn: Option<Torn>,
}

/// A file whose last line was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Torn {
    pub(super) name: EventsFileName,
    /// The bytes before that line.
    pub(super) kept: u64,
}

/// Where a run goes on that continues the files of `directory`.
pub(super) fn continued(directory: &Path, config: &Config) -> Result<Continued, Error> {
    let dress =
        config.envelope.map(|envelope| Dress::new(envelope, config.world, &tables(config.world, None)));
    let mut scan = Scan::new(config.seed, dress.as_ref());
    let mut rests = Vec::new();
    for name in files_in(directory).map_err(Error::Continue)? {
        let path = directory.join(name.to_string());
        let file = fs::File::open(&path).map_err(Error::Continue)?;
        let scanned = name.compression.reader(file).and_then(|text| scan.read(text));
        let rest = scanned.map_err(|source| Error::ContinueFile { path, source })?;
        rests.extend(rest.map(|rest| (name, rest)));
    }
    let &Config { seed, start_date, events_per_day, .. } = config;
    match config.world {
        WorldName::Simple => {
            let world = SimpleWorld::new(seed, start_date);
            scan.end(LineWriter::new(&world, None, dress.as_ref()), directory, &rests)
        }
        WorldName::Ledger => {
            let world = LedgerWorld::new(seed, start_date, events_per_day);
            scan.end(LineWriter::new(&world, None, dress.as_ref()), directory, &rests)
        }
    }
}

/// What is left of a line that was cut off at the end of a file.
#[derive(Debug)]
struct Rest {
    /// The bytes of text before it.
    begin: u64,
    bytes: Vec<u8>,
}

/// What was found in the files.
#[derive(Debug)]
struct Scan {
    ids: EventIds,
    /// What is before an event's own id in its line.
    before_id: String,
    found_lines: bool,
    /// The position of the last event.
    last: Option<u64>,
    /// The first lines that are events, with their positions.
    first_lines: Vec<(u64, Vec<u8>)>,
    /// How many lines were considered for `first_lines`.
    considered: usize,
}

impl Scan {
    fn new(seed: u64, dress: Option<&Dress>) -> Self {
        let before_id = dress.and_then(Dress::before_id).unwrap_or_else(|| BEFORE_ID.to_owned());
        Self {
            ids: EventIds::new(seed),
            before_id,
            found_lines: false,
            last: None,
            first_lines: Vec::new(),
            considered: 0,
        }
    }

    /// Reads a file. Returns its last line if that was cut off.
    fn read(&mut self, mut text: impl BufRead) -> io::Result<Option<Rest>> {
        // The beginning of a line whose end has not been read yet, and the bytes before it.
        let (mut open, mut begin) = (Vec::new(), 0);
        let mut position = 0;
        loop {
            let bytes = text.fill_buf()?;
            if bytes.is_empty() {
                let is_complete = open.trim_ascii().is_empty()
                    || serde_json::from_slice::<serde::de::IgnoredAny>(&open).is_ok();
                if !is_complete {
                    return Ok(Some(Rest { begin, bytes: open }));
                }
                self.take(&open);
                return Ok(None);
            }
            let mut rest = bytes;
            while let Some(end) = memchr(b'\n', rest) {
                let (line, after) = (&rest[..end], &rest[end + 1..]);
                if open.is_empty() {
                    self.take(line);
                } else {
                    keep_beginning(&mut open, line);
                    self.take(&open);
                    open.clear();
                }
                rest = after;
                begin = position + (bytes.len() - rest.len()) as u64;
            }
            keep_beginning(&mut open, rest);
            let length = bytes.len();
            position += length as u64;
            text.consume(length);
        }
    }

    fn take(&mut self, line: &[u8]) {
        if line.trim_ascii().is_empty() {
            return;
        }
        self.found_lines = true;
        let index = self.index_of(line);
        self.last = self.last.max(index);
        if self.considered < LINES_COMPARED_MAX {
            self.considered += 1;
            let beginning = &line[..line.len().min(BEGINNING_BYTES_MAX)];
            self.first_lines.extend(index.map(|index| (index, beginning.to_vec())));
        }
    }

    /// Where the stream goes on, if the files are of this stream.
    fn end<W: World>(
        self,
        mut writer: LineWriter<'_, W>,
        directory: &Path,
        rests: &[(EventsFileName, Rest)],
    ) -> Result<Continued, Error> {
        if self.found_lines && !contains_any(&mut writer, self.first_lines) {
            return Err(Error::OtherStream { directory: directory.to_owned() });
        }
        let first_event = self.last.map_or(0, |last| last + 1);
        let Some((name, rest)) = rests.first() else { return Ok(Continued { first_event, torn: None }) };
        let next = find(writer.world(), first_event).map(|(event, _)| writer.line(&event));
        let is_of_next = next.is_ok_and(|line| line.starts_with(&rest.bytes));
        if rests.len() > 1 || !is_of_next || name.compression != Compression::None {
            return Err(Error::TornLine { path: directory.join(name.to_string()) });
        }
        Ok(Continued { first_event, torn: Some(Torn { name: *name, kept: rest.begin }) })
    }

    #[inline]
    fn index_of(&self, line: &[u8]) -> Option<u64> {
        let line = &line[..line.len().min(BEGINNING_BYTES_MAX)];
        let start = memmem::find(line, self.before_id.as_bytes())? + self.before_id.len();
        let id = line.get(start..start + uuid::fmt::Hyphenated::LENGTH)?;
        let id = Uuid::try_parse_ascii(id).ok()?;
        self.ids.index(id).filter(|index| *index < EVENT_INDEX_MAX)
    }
}

/// Keeps as much of a line as one of an event can have: a longer line matters only for its id.
fn keep_beginning(open: &mut Vec<u8>, more: &[u8]) {
    let room = LAST_LINE_BYTES_MAX - open.len();
    open.extend_from_slice(&more[..room.min(more.len())]);
}

/// Whether any of these lines is in the stream. The first event proves little if there are others: its time
/// is midnight, whatever the pace.
fn contains_any<W: World>(writer: &mut LineWriter<'_, W>, mut lines: Vec<(u64, Vec<u8>)>) -> bool {
    lines.sort_unstable();
    if lines.last().is_some_and(|(index, _)| *index > 0) {
        lines.retain(|(index, _)| *index > 0);
    }
    let Some((last, _)) = lines.last() else { return false };
    let world = writer.world();
    // A stream that ends earlier is a different one.
    let Ok(chunks) = world.chunks(End::before_event(last + 1)) else { return false };
    let mut lines = &lines[..];
    for chunk in chunks.map_while(Result::ok) {
        let end = chunk.first_event() + u64::from(chunk.events());
        if lines.first().is_none_or(|(index, _)| *index >= end) {
            continue;
        }
        for event in world.events(&chunk) {
            let count = lines.partition_point(|(index, _)| *index <= event.index());
            let (candidates, later) = lines.split_at(count);
            lines = later;
            if candidates.is_empty() {
                continue;
            }
            let clean = writer.line(&event);
            if candidates.iter().any(|(_, line)| *line == clean) {
                return true;
            }
        }
    }
    false
}
