//! A chunk in, its lines out, in a buffer that goes round.
//!
//! Invariant: lines are whole; between chunks nothing is remembered but the buffer.

use std::ops::Range;

use crate::clock::Clock;
use crate::line::{LINE_BYTES_MAX, Line};
use crate::world::{CHUNK_EVENTS, Chunk, Event, World};

/// Large enough for every chunk without faults; the system gives the pages that are touched, about half of it.
const CHUNK_BYTES_MAX: usize = CHUNK_EVENTS as usize * LINE_BYTES_MAX;

/// What is done to every chunk of a run.
#[derive(Debug)]
pub(crate) struct Rendering<'r, W> {
    pub(crate) world: &'r W,
    /// The events of the run; chunks reach over its ends.
    pub(crate) events: Range<u64>,
}

/// What became of a chunk.
#[derive(Debug)]
pub(crate) struct Rendered {
    lines: Lines,
    /// How many events.
    pub(crate) events: u64,
}

impl Rendered {
    pub(crate) fn new() -> Self {
        Self { lines: Lines::new(), events: 0 }
    }

    /// The lines of the chunk.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.lines.as_bytes()
    }
}

impl<W: World> Rendering<'_, W> {
    /// Replaces what is in `rendered`.
    pub(crate) fn render(&self, chunk: &W::Chunk, rendered: &mut Rendered) {
        let Rendered { lines, events } = rendered;
        lines.clear();
        let first = chunk.first_event().max(self.events.start);
        let end = (chunk.first_event() + u64::from(chunk.events())).min(self.events.end);
        *events = end.saturating_sub(first);
        let mut clock = Clock::new();
        for event in self.world.events(chunk) {
            if event.index() >= first {
                lines.push(|line| self.world.write_line(&event, line, &mut clock));
            }
        }
    }
}

/// Lines, one behind the other.
#[derive(Debug)]
struct Lines {
    bytes: Vec<u8>,
    length: usize,
}

impl Lines {
    fn new() -> Self {
        Self { bytes: vec![0; CHUNK_BYTES_MAX], length: 0 }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn clear(&mut self) {
        self.length = 0;
    }

    #[inline]
    fn push(&mut self, write: impl FnOnce(&mut Line<'_>)) {
        if self.bytes.len() - self.length < LINE_BYTES_MAX {
            self.bytes.resize(self.length + CHUNK_BYTES_MAX, 0);
        }
        let room = self.bytes[self.length..].first_chunk_mut();
        let mut line = Line::new(room.expect("there is room for a line of any length"));
        write(&mut line);
        self.length += line.length();
    }
}
