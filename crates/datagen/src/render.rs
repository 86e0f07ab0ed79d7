//! A chunk in, its lines out, cut into the pieces that files are made of.
//!
//! Invariant: between chunks nothing is remembered but the buffers.

use std::ops::Range;

use events_core::timestamp::DAY_MICROS;

use crate::clock::Clock;
use crate::faults::{Faults, Logged, Written};
use crate::lines::Lines;
use crate::ordered::Job;
use crate::pieces::{Cut, Piece};
use crate::truth::Truth;
use crate::world::{Chunk, Event, World};

/// What is done to every chunk of a run.
#[derive(Debug)]
pub(crate) struct Rendering<'r, W> {
    pub(crate) world: &'r W,
    /// The events of the run; chunks reach over its ends.
    pub(crate) events: Range<u64>,
    pub(crate) cut: Cut,
    pub(crate) faults: Option<Faults>,
    /// Whether anybody asks what a right load makes of the lines.
    pub(crate) wants_truth: bool,
}

/// What became of a chunk.
#[derive(Debug)]
pub(crate) struct Rendered {
    lines: Lines,
    /// How many events.
    pub(crate) events: u64,
    /// The day of the first of them, since 1970, if the truth is asked for.
    pub(crate) first_day: Option<i64>,
    /// What a right load makes of the lines.
    pub(crate) truth: Truth,
    /// The faulty lines, in order.
    pub(crate) log: Vec<Logged>,
}

impl Rendered {
    pub(crate) fn new() -> Self {
        Self { lines: Lines::new(), events: 0, first_day: None, truth: Truth::default(), log: Vec::new() }
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
        let Rendered { lines, events: count, first_day, truth, log } = rendered;
        lines.clear();
        truth.clear();
        log.clear();
        let chunk = &*job.chunk;
        let first = chunk.first_event().max(self.events.start);
        let events = first..(chunk.first_event() + u64::from(chunk.events())).min(self.events.end);
        *count = events.end.saturating_sub(first);
        *first_day = None;
        if self.wants_truth {
            let first_event = self.world.events(chunk).find(|event| event.index() == first);
            *first_day = first_event.map(|event| event.micros().div_euclid(DAY_MICROS));
        }
        match &self.faults {
            Some(faults) => {
                let written = Written { lines: &mut *lines, truth: &mut *truth, log };
                faults.write(self.world, &self.cut, job, &events, written);
            }
            None => self.write_clean(chunk, &events, lines, truth),
        }
        lines.end_piece();
        truth.report.lines = lines.count();
    }

    fn write_clean(&self, chunk: &W::Chunk, events: &Range<u64>, lines: &mut Lines, truth: &mut Truth) {
        let mut clock = Clock::new();
        for event in self.world.events(chunk) {
            if event.index() < events.start {
                continue;
            }
            lines.turn_to_file(self.cut.file_of(event.index(), event.micros()));
            lines.push(|line| self.world.write_line(&event, line, &mut clock));
            if self.wants_truth {
                truth.keep(self.world, &event);
            }
        }
    }
}
