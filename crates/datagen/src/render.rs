//! A chunk in, its lines out, cut into the pieces that files are made of, and compressed if that was asked for.
//!
//! Invariant: between chunks nothing is remembered but the buffers.

use std::ops::Range;

use events_core::timestamp::DAY_MICROS;

use crate::clock::Clock;
use crate::compression::{Compression, Compressor};
use crate::faults::{Faults, Logged, Written};
use crate::lines::{CHUNK_BYTES_MAX, Lines};
use crate::ordered::Job;
use crate::pieces::{Cut, Piece};
use crate::truth::Truth;
use crate::world::{Chunk, Event, World};

/// What is done to every chunk of a run.
#[derive(Debug)]
pub(crate) struct Rendering<'r, W> {
    pub(crate) world: &'r W,
    /// How the run is cut; chunks reach over its ends.
    pub(crate) cut: Cut,
    pub(crate) compression: Compression,
    pub(crate) faults: Option<Faults>,
    /// Whether anybody asks what a right load makes of the lines.
    pub(crate) wants_truth: bool,
}

/// What became of a chunk.
#[derive(Debug)]
pub(crate) struct Rendered {
    lines: Lines,
    /// The pieces as they are written, if they are compressed, and where each ends.
    compressed: Vec<u8>,
    compressed_ends: Vec<usize>,
    /// How many events.
    pub(crate) events: u64,
    /// The day of the first of them, since 1970, if the truth is asked for.
    pub(crate) first_day: Option<i64>,
    /// What a right load makes of the lines.
    pub(crate) truth: Truth,
    /// The faulty lines, in order.
    pub(crate) log: Vec<Logged>,
}

/// A piece with its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'r> {
    pub(crate) piece: &'r Piece,
    pub(crate) lines: &'r [u8],
    /// As they are written; the lines themselves if they are not compressed.
    pub(crate) bytes: &'r [u8],
}

impl Rendered {
    pub(crate) fn new() -> Self {
        Self {
            lines: Lines::new(),
            compressed: Vec::new(),
            compressed_ends: Vec::new(),
            events: 0,
            first_day: None,
            truth: Truth::default(),
            log: Vec::new(),
        }
    }

    /// The pieces, in order.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let mut start = 0;
        let mut ends = self.compressed_ends.iter();
        self.lines.pieces().map(move |(piece, lines)| {
            let bytes = ends.next().map_or(lines, |&end| &self.compressed[start..end]);
            start += bytes.len();
            Part { piece, lines, bytes }
        })
    }

    fn compress(&mut self, compressor: &mut Compressor) {
        self.compressed.clear();
        // Lines of many MiB were an exception.
        self.compressed.shrink_to(2 * CHUNK_BYTES_MAX);
        self.compressed_ends.clear();
        if compressor.is_none() {
            return;
        }
        for (_, lines) in self.lines.pieces() {
            compressor.append(lines, &mut self.compressed);
            self.compressed_ends.push(self.compressed.len());
        }
    }

    #[cfg(test)]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.lines.as_bytes()
    }
}

impl<W: World> Rendering<'_, W> {
    /// Replaces what is in `rendered`.
    pub(crate) fn render(&self, job: &Job<W::Chunk>, compressor: &mut Compressor, rendered: &mut Rendered) {
        self.write(job, rendered);
        rendered.compress(compressor);
    }

    fn write(&self, job: &Job<W::Chunk>, rendered: &mut Rendered) {
        let Rendered { lines, events: count, first_day, truth, log, .. } = rendered;
        lines.clear();
        truth.clear();
        log.clear();
        let chunk = &*job.chunk;
        let first = chunk.first_event().max(self.cut.events.start);
        let events = first..(chunk.first_event() + u64::from(chunk.events())).min(self.cut.events.end);
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
            lines.turn_to_event(self.cut.place_of(event.index(), event.micros()));
            lines.push(|line| self.world.write_line(&event, line, &mut clock));
            if self.wants_truth {
                truth.keep(self.world, &event);
            }
        }
    }
}
