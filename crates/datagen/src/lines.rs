//! Lines, one behind the other, in a buffer that goes round, and the pieces that they make.
//!
//! Invariant: lines are whole, and each is in one piece.

use std::io;

use crate::line::{LINE_BYTES_MAX, Line};
use crate::pieces::{Piece, Place};
use crate::world::CHUNK_EVENTS;

/// Large enough for every chunk without faults; the system gives the pages that are touched, about half of it.
pub(crate) const CHUNK_BYTES_MAX: usize = CHUNK_EVENTS as usize * LINE_BYTES_MAX;

/// The lines of a chunk.
#[derive(Debug)]
pub(crate) struct Lines {
    bytes: Vec<u8>,
    length: usize,
    count: u64,
    /// Those that are complete, and of the one that is not its place and how many events it has.
    pieces: Vec<Piece>,
    place: Option<Place>,
    events: u64,
}

impl Lines {
    pub(crate) fn new() -> Self {
        Self {
            bytes: vec![0; CHUNK_BYTES_MAX],
            length: 0,
            count: 0,
            pieces: Vec::new(),
            place: None,
            events: 0,
        }
    }

    /// All lines.
    #[cfg(test)]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The pieces, each with its bytes, in order.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = (&Piece, &[u8])> {
        let mut start = 0;
        self.pieces.iter().map(move |piece| {
            let bytes = &self.bytes[start..piece.end];
            start = piece.end;
            (piece, bytes)
        })
    }

    /// Begins again, with an empty buffer.
    pub(crate) fn clear(&mut self) {
        // A chunk with lines of many MiB was an exception.
        self.bytes.truncate(2 * CHUNK_BYTES_MAX);
        self.bytes.shrink_to(2 * CHUNK_BYTES_MAX);
        (self.length, self.count, self.place, self.events) = (0, 0, None, 0);
        self.pieces.clear();
    }

    /// What follows belongs to the next event, and with it to this place.
    #[inline]
    pub(crate) fn turn_to_event(&mut self, place: Place) {
        if self.place != Some(place) {
            self.end_piece();
            self.place = Some(place);
        }
        self.events += 1;
    }

    /// Ends the piece that is not complete, if there is one.
    pub(crate) fn end_piece(&mut self) {
        let before = self.pieces.iter().map(|piece| piece.lines).sum();
        if let Some(place) = self.place.take()
            && self.count > before
        {
            let (end, lines) = (self.length, self.count - before);
            self.pieces.push(Piece { place, end, lines, events: self.events });
            self.events = 0;
        }
    }

    /// Adds the line that `write` writes, with its newline.
    #[inline]
    pub(crate) fn push(&mut self, write: impl FnOnce(&mut Line<'_>)) {
        self.make_room(LINE_BYTES_MAX);
        let room = self.bytes[self.length..].first_chunk_mut();
        let mut line = Line::new(room.expect("there is room for a line of any length"));
        write(&mut line);
        self.length += line.length();
        self.count += 1;
    }

    /// Adds a line, and a newline.
    pub(crate) fn push_bytes(&mut self, line: &[u8]) {
        self.make_room(line.len() + 1);
        self.bytes[self.length..self.length + line.len()].copy_from_slice(line);
        self.bytes[self.length + line.len()] = b'\n';
        self.length += line.len() + 1;
        self.count += 1;
    }

    /// Adds the line that `write` writes to the end of what it is given, and a newline.
    pub(crate) fn push_from(&mut self, write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) {
        self.bytes.truncate(self.length);
        write(&mut self.bytes).expect("memory takes what is written to it");
        self.bytes.push(b'\n');
        self.length = self.bytes.len();
        self.count += 1;
    }

    #[inline]
    fn make_room(&mut self, bytes: usize) {
        if self.bytes.len() - self.length < bytes {
            self.bytes.resize(self.length + bytes + CHUNK_BYTES_MAX, 0);
        }
    }
}
