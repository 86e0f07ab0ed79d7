//! The lines of a chunk, one after the other in a reusable buffer, and the pieces that they form.
//!
//! Invariant: lines are whole, and each is in exactly one piece.

use std::io;

use super::{
    line::{LINE_BYTES_MAX, Line},
    pieces::{Piece, PieceKey},
};
use crate::stream::CHUNK_EVENTS;

/// Enough for every chunk without faults. The system provides only the pages that are touched, about half of
/// them.
pub(crate) const CHUNK_BYTES_MAX: usize = CHUNK_EVENTS as usize * LINE_BYTES_MAX;

/// The lines of a chunk.
#[derive(Debug)]
pub(crate) struct LineBuffer {
    bytes: Vec<u8>,
    length: usize,
    count: u64,
    /// The byte behind each line.
    end: u8,
    /// The complete pieces.
    pieces: Vec<Piece>,
    /// The key of the piece that is not complete yet, and how many events it has.
    key: Option<PieceKey>,
    events: u64,
}

impl LineBuffer {
    pub(crate) fn new() -> Self {
        Self {
            bytes: vec![0; CHUNK_BYTES_MAX],
            length: 0,
            count: 0,
            end: b'\n',
            pieces: Vec::new(),
            key: None,
            events: 0,
        }
    }

    /// All lines.
    #[cfg(test)]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The number of lines.
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

    /// Removes all lines. Those that follow end with a newline, or with a comma, which then is not behind the
    /// last one of a piece.
    pub(crate) fn clear(&mut self, are_elements: bool) {
        self.end = if are_elements { b',' } else { b'\n' };
        // A chunk with lines of many MiB is an exception: give its memory back.
        self.bytes.truncate(2 * CHUNK_BYTES_MAX);
        self.bytes.shrink_to(2 * CHUNK_BYTES_MAX);
        (self.length, self.count, self.key, self.events) = (0, 0, None, 0);
        self.pieces.clear();
    }

    /// Begins the next event: the lines that follow belong to it, and to the piece with this key.
    #[inline]
    pub(crate) fn begin_event(&mut self, key: PieceKey) {
        if self.key != Some(key) {
            self.end_piece();
            self.key = Some(key);
        }
        self.events += 1;
    }

    /// Completes the current piece, if there is one.
    pub(crate) fn end_piece(&mut self) {
        let before = self.pieces.iter().map(|piece| piece.lines).sum();
        if let Some(key) = self.key.take()
            && self.count > before
        {
            self.length -= usize::from(self.end == b',');
            let (end, lines) = (self.length, self.count - before);
            self.pieces.push(Piece { key, end, lines, events: self.events });
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

    /// Adds a line, and its end.
    pub(crate) fn push_bytes(&mut self, line: &[u8]) {
        self.make_room(line.len() + 1);
        self.bytes[self.length..self.length + line.len()].copy_from_slice(line);
        self.bytes[self.length + line.len()] = self.end;
        self.length += line.len() + 1;
        self.count += 1;
    }

    /// Adds the line that `write` appends to the buffer it is given, and its end.
    pub(crate) fn push_from(&mut self, write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) {
        self.bytes.truncate(self.length);
        write(&mut self.bytes).expect("writing to memory cannot fail");
        self.bytes.push(self.end);
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
