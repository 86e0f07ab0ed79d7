//! A chunk in, its lines out, cut into the pieces that files are made of.
//!
//! Invariant: between chunks nothing is remembered but the buffers.

use std::ops::Range;

use crate::clock::Clock;
use crate::lines::Lines;
use crate::ordered::Job;
use crate::pieces::{Cut, Piece};
use crate::world::{Chunk, Event, World};

/// What is done to every chunk of a run.
#[derive(Debug)]
pub(crate) struct Rendering<'r, W> {
    pub(crate) world: &'r W,
    /// The events of the run; chunks reach over its ends.
    pub(crate) events: Range<u64>,
    pub(crate) cut: Cut,
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

    /// The lines, by the file that they belong to, in order.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = (&Piece, &[u8])> {
        self.lines.pieces()
    }

    #[cfg(test)]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.lines.as_bytes()
    }
}

impl<W: World> Rendering<'_, W> {
    /// Replaces what is in `rendered`.
    pub(crate) fn render(&self, job: &Job<W::Chunk>, rendered: &mut Rendered) {
        let Rendered { lines, events } = rendered;
        lines.clear();
        let chunk = &*job.chunk;
        let first = chunk.first_event().max(self.events.start);
        let end = (chunk.first_event() + u64::from(chunk.events())).min(self.events.end);
        *events = end.saturating_sub(first);
        let mut clock = Clock::new();
        for event in self.world.events(chunk) {
            if event.index() < first {
                continue;
            }
            lines.turn_to_file(self.cut.file_of(event.index(), event.micros()));
            lines.push(|line| self.world.write_line(&event, line, &mut clock));
        }
        lines.end_piece();
    }
}
