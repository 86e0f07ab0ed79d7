//! Events files that are there in, the place of the event behind their last one out: where a run goes on that continues them.
//!
//! An `event_id` is the event's place, encrypted by the seed, so the place can be had from any line, in whatever order lines and
//! files are. What is no event, or has an id that is none of the stream's (as lines that faults have put in have), is passed over.
//!
//! Invariant: a stream is continued only if a line of it was found: not the events of another seed, world, start date or pace.

use std::io::{self, BufRead};
use std::path::Path;

use fs_err as fs;
use memchr::memchr;
use uuid::Uuid;

use crate::clock::Clock;
use crate::event_id::EventIds;
use crate::file_names::files_in;
use crate::ledger::LedgerWorld;
use crate::line::{LINE_BYTES_MAX, written};
use crate::simple::SimpleWorld;
use crate::world::{Chunk, Event, PLACES_END, World};
use crate::{Config, Error, WorldName};

/// So many lines are held against the stream, at most.
const LINES_TRIED: usize = 200;

const BEFORE_ID: &[u8] = br#"{"event_id": ""#;
const ID_END: usize = BEFORE_ID.len() + uuid::fmt::Hyphenated::LENGTH;

/// The place of the first event that the files in `directory` do not have.
pub(crate) fn first_event(directory: &Path, config: &Config) -> Result<u64, Error> {
    let mut scan = Scan::new(config.seed);
    for name in files_in(directory).map_err(Error::Continue)? {
        let path = directory.join(name.to_string());
        let file = fs::File::open(&path).map_err(Error::Continue)?;
        let scanned = name.compression.reader(file).and_then(|text| scan.read(text));
        scanned.map_err(|source| Error::ContinueFile { path, source })?;
    }
    let &Config { seed, start_date, events_per_day, .. } = config;
    let is_of_stream = !scan.found_lines
        || match config.world {
            WorldName::Simple => has_one_of(&SimpleWorld::new(seed, start_date), scan.first_lines),
            WorldName::Ledger => {
                has_one_of(&LedgerWorld::new(seed, start_date, events_per_day), scan.first_lines)
            }
        };
    if is_of_stream {
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
    /// The place of the last event.
    last: Option<u64>,
    /// Events by their places, of the first lines that there are, and how many lines these were.
    first_lines: Vec<(u64, Vec<u8>)>,
    tried: usize,
}

impl Scan {
    fn new(seed: u64) -> Self {
        Self { ids: EventIds::new(seed), found_lines: false, last: None, first_lines: Vec::new(), tried: 0 }
    }

    fn read(&mut self, mut text: impl BufRead) -> io::Result<()> {
        // The beginning of a line whose end is in the next bytes that come.
        let mut open = Vec::new();
        loop {
            let bytes = text.fill_buf()?;
            if bytes.is_empty() {
                self.take(&open);
                return Ok(());
            }
            let mut rest = bytes;
            while let Some(end) = memchr(b'\n', rest) {
                let (line, behind) = (&rest[..end], &rest[end + 1..]);
                if open.is_empty() {
                    self.take(line);
                } else {
                    keep_beginning(&mut open, line);
                    self.take(&open);
                    open.clear();
                }
                rest = behind;
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
        let place = self.place_of(line);
        self.last = self.last.max(place);
        if self.tried < LINES_TRIED {
            self.tried += 1;
            let beginning = &line[..line.len().min(LINE_BYTES_MAX)];
            self.first_lines.extend(place.map(|place| (place, beginning.to_vec())));
        }
    }

    #[inline]
    fn place_of(&self, line: &[u8]) -> Option<u64> {
        let id = line.get(..ID_END)?.strip_prefix(BEFORE_ID)?;
        let id = Uuid::try_parse_ascii(id).ok()?;
        self.ids.index(id).filter(|place| *place < PLACES_END)
    }
}

/// A line that is longer than any clean one only has to say its id.
fn keep_beginning(open: &mut Vec<u8>, more: &[u8]) {
    let room = LINE_BYTES_MAX - open.len();
    open.extend_from_slice(&more[..room.min(more.len())]);
}

/// Whether one of these lines is the stream's own. The first event alone proves little where others could be seen: its time is
/// midnight, whatever the pace.
fn has_one_of<W: World>(world: &W, mut lines: Vec<(u64, Vec<u8>)>) -> bool {
    lines.sort_unstable();
    if lines.last().is_some_and(|(place, _)| *place > 0) {
        lines.retain(|(place, _)| *place > 0);
    }
    let Some((last, _)) = lines.last() else { return false };
    // A stream that ends before is another one.
    let Ok(chunks) = world.chunks(last + 1) else { return false };
    let (mut lines, mut clock) = (&lines[..], Clock::new());
    for chunk in chunks.map_while(Result::ok) {
        let end = chunk.first_event() + u64::from(chunk.events());
        if lines.first().is_none_or(|(place, _)| *place >= end) {
            continue;
        }
        for event in world.events(&chunk) {
            let of_event = lines.partition_point(|(place, _)| *place <= event.index());
            let (of_event, behind) = lines.split_at(of_event);
            lines = behind;
            if of_event.is_empty() {
                continue;
            }
            let clean = written(|line| world.write_line(&event, line, &mut clock));
            if of_event.iter().any(|(_, line)| line == clean.trim_end().as_bytes()) {
                return true;
            }
        }
    }
    false
}
