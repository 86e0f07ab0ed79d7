//! Existing events files → the position after their last event, where a run that continues them begins.
//!
//! An `event_id` is the event's position, encrypted with the seed, so any line gives its position, whatever
//! the order of lines and files. Lines that are no events, or whose id is not of this stream (as in lines
//! that faults inserted), are skipped.
//!
//! Invariant: a stream is continued only if one of its lines was found: never the events of another seed,
//! world, start date or pace.

use std::{
    io::{self, BufRead},
    path::Path,
};

use fs_err as fs;
use memchr::memchr;
use uuid::Uuid;

use super::file_names::files_in;
use crate::{
    config::{Config, WorldName},
    error::Error,
    lines::{
        clock::Clock,
        line::{LINE_BYTES_MAX, text_of},
    },
    stream::{EVENT_INDEX_MAX, event_id::EventIds},
    worlds::{Chunk, Event, World, ledger::LedgerWorld, simple::SimpleWorld},
};

/// At most this many lines are compared with the stream.
const LINES_COMPARED_MAX: usize = 200;

const BEFORE_ID: &[u8] = br#"{"event_id": ""#;
const ID_END: usize = BEFORE_ID.len() + uuid::fmt::Hyphenated::LENGTH;

/// The position of the first event that is not in the files of `directory`.
pub(super) fn first_event(directory: &Path, config: &Config) -> Result<u64, Error> {
    let mut scan = Scan::new(config.seed);
    for name in files_in(directory).map_err(Error::Continue)? {
        let path = directory.join(name.to_string());
        let file = fs::File::open(&path).map_err(Error::Continue)?;
        let scanned = name.compression.reader(file).and_then(|text| scan.read(text));
        scanned.map_err(|source| Error::ContinueFile { path, source })?;
    }
    let &Config { seed, start_date, events_per_day, .. } = config;
    let belongs_to_stream = !scan.found_lines
        || match config.world {
            WorldName::Simple => contains_any(&SimpleWorld::new(seed, start_date), scan.first_lines),
            WorldName::Ledger => {
                contains_any(&LedgerWorld::new(seed, start_date, events_per_day), scan.first_lines)
            }
        };
    if belongs_to_stream {
        Ok(scan.last.map_or(0, |last| last + 1))
    } else {
        Err(Error::OtherStream { directory: directory.to_owned() })
    }
}

/// What was found in the files.
#[derive(Debug)]
struct Scan {
    ids: EventIds,
    found_lines: bool,
    /// The position of the last event.
    last: Option<u64>,
    /// The first lines that are events, with their positions.
    first_lines: Vec<(u64, Vec<u8>)>,
    /// How many lines were considered for `first_lines`.
    considered: usize,
}

impl Scan {
    fn new(seed: u64) -> Self {
        Self {
            ids: EventIds::new(seed),
            found_lines: false,
            last: None,
            first_lines: Vec::new(),
            considered: 0,
        }
    }

    fn read(&mut self, mut text: impl BufRead) -> io::Result<()> {
        // The beginning of a line whose end has not been read yet.
        let mut open = Vec::new();
        loop {
            let bytes = text.fill_buf()?;
            if bytes.is_empty() {
                self.take(&open);
                return Ok(());
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
            }
            keep_beginning(&mut open, rest);
            let length = bytes.len();
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
            let beginning = &line[..line.len().min(LINE_BYTES_MAX)];
            self.first_lines.extend(index.map(|index| (index, beginning.to_vec())));
        }
    }

    #[inline]
    fn index_of(&self, line: &[u8]) -> Option<u64> {
        let id = line.get(..ID_END)?.strip_prefix(BEFORE_ID)?;
        let id = Uuid::try_parse_ascii(id).ok()?;
        self.ids.index(id).filter(|index| *index < EVENT_INDEX_MAX)
    }
}

/// Keeps as much of a line as a clean one can have: a longer line matters only for its id.
fn keep_beginning(open: &mut Vec<u8>, more: &[u8]) {
    let room = LINE_BYTES_MAX - open.len();
    open.extend_from_slice(&more[..room.min(more.len())]);
}

/// Whether any of these lines is in the stream. The first event proves little if there are others: its time
/// is midnight, whatever the pace.
fn contains_any<W: World>(world: &W, mut lines: Vec<(u64, Vec<u8>)>) -> bool {
    lines.sort_unstable();
    if lines.last().is_some_and(|(index, _)| *index > 0) {
        lines.retain(|(index, _)| *index > 0);
    }
    let Some((last, _)) = lines.last() else { return false };
    // A stream that ends earlier is a different one.
    let Ok(chunks) = world.chunks(last + 1) else { return false };
    let (mut lines, mut clock) = (&lines[..], Clock::new());
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
            let clean = text_of(|line| world.write_line(&event, line, &mut clock));
            if candidates.iter().any(|(_, line)| line == clean.trim_end().as_bytes()) {
                return true;
            }
        }
    }
    false
}
