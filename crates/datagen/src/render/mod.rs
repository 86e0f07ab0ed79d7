//! A chunk → its lines, split into pieces, and compressed if that was asked for.
//!
//! - `run` turns a configuration into rendered chunks;
//! - `threads` distributes the chunks over threads and keeps them in order;
//! - `compression` compresses pieces and reads them back;
//! - `document` is what stands between pieces that are no lines;
//! - `catalog` is what a loader needs for the lines.
//!
//! Invariant: nothing but buffers is kept from one chunk to the next.

mod catalog;
pub(crate) mod compression;
pub(crate) mod document;
mod run;
mod threads;

use std::ops::Range;

use events_core::timestamp::DAY_MICROS;

use self::compression::{Compression, Compressor};
use crate::{
    changes::Changes,
    dress::{Dress, LineWriter},
    faults::{ChunkOutput, Faults, LoggedFault},
    lines::{
        buffer::{CHUNK_BYTES_MAX, LineBuffer},
        pieces::{Piece, Split},
    },
    truth::Truth,
    worlds::{Chunk, Event, Job, World},
};

pub(crate) use self::run::{Format, document_of, run};
pub use self::{
    catalog::catalog,
    run::{Summary, generate},
};

/// How every chunk of a run is rendered.
#[derive(Debug)]
pub(crate) struct Rendering<'r, W> {
    pub(crate) world: &'r W,
    /// How the run is split; chunks may extend beyond its ends.
    pub(crate) split: Split,
    pub(crate) compression: Compression,
    pub(crate) faults: Option<Faults>,
    /// What changes in the course of the run.
    pub(crate) changes: Option<&'r Changes>,
    /// The envelope, if it is not the world's own.
    pub(crate) dress: Option<Dress>,
    /// Whether to compute what a correct load makes of the lines.
    pub(crate) wants_truth: bool,
}

/// A rendered chunk.
#[derive(Debug)]
pub(crate) struct Rendered {
    lines: LineBuffer,
    /// The compressed pieces, and the offset at which each ends; empty if pieces are not compressed.
    compressed: Vec<u8>,
    compressed_ends: Vec<usize>,
    /// The number of events.
    pub(crate) events: u64,
    /// The day of the first event, counted from 1970, if the truth is computed.
    pub(crate) first_day: Option<i64>,
    /// What a correct load makes of the lines.
    pub(crate) truth: Truth,
    /// The faulty lines, in order.
    pub(crate) log: Vec<LoggedFault>,
}

/// A piece with its bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'r> {
    pub(crate) piece: &'r Piece,
    pub(crate) lines: &'r [u8],
    /// The bytes to write: the compressed lines, or the lines themselves.
    pub(crate) bytes: &'r [u8],
}

impl Rendered {
    pub(crate) fn new() -> Self {
        Self {
            lines: LineBuffer::new(),
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
        // Lines of many MiB are an exception: give their memory back.
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
    /// Replaces the contents of `rendered` by a chunk.
    pub(crate) fn render(&self, job: &Job<W::Chunk>, compressor: &mut Compressor, rendered: &mut Rendered) {
        self.write_lines(job, rendered);
        rendered.compress(compressor);
    }

    fn write_lines(&self, job: &Job<W::Chunk>, rendered: &mut Rendered) {
        let Rendered { lines, events: count, first_day, truth, log, .. } = rendered;
        lines.clear(self.dress.as_ref().is_some_and(|dress| dress.document().is_some()));
        truth.clear();
        log.clear();
        let chunk = &*job.chunk;
        let first = chunk.first_event().max(self.split.events.start);
        let events = first..(chunk.first_event() + u64::from(chunk.events())).min(self.split.events.end);
        *count = events.end.saturating_sub(first);
        *first_day = None;
        if self.wants_truth {
            let first_event = self.world.events(chunk).find(|event| event.index() == first);
            *first_day = first_event.map(|event| event.micros().div_euclid(DAY_MICROS));
        }
        match &self.faults {
            Some(faults) => {
                let output = ChunkOutput { lines: &mut *lines, truth: &mut *truth, log };
                faults.write(self.writer(), &self.split, job, &events, output);
            }
            None => self.write_clean(chunk, &events, lines, truth),
        }
        lines.end_piece();
        truth.report.lines = lines.count();
        if let Some(dress) = &self.dress {
            dress.count_ignored(&mut truth.report);
        }
    }

    fn writer(&self) -> LineWriter<'_, W> {
        LineWriter::new(self.world, self.changes, self.dress.as_ref())
    }

    fn write_clean(&self, chunk: &W::Chunk, events: &Range<u64>, lines: &mut LineBuffer, truth: &mut Truth) {
        let mut writer = self.writer();
        for event in self.world.events(chunk) {
            if event.index() < events.start {
                continue;
            }
            lines.begin_event(self.split.key_of(event.index(), event.micros()));
            writer.push(&event, lines);
            if self.wants_truth {
                let table = writer.table_of(&event);
                truth.keep(self.world, &event, table, |row| writer.write_row(&event, row));
            }
        }
    }
}

#[cfg(test)]
mod serde_tests;
