//! The events of a world → their lines, in their own envelope or in another one, and their rows.
//!
//! Invariant: without an envelope, a line is what the world writes, straight into the buffer.

use std::io;

use events_core::truth::RowDigest;
use uuid::Uuid;

use super::{Dress, Parts, Places};
use crate::{
    lines::{
        buffer::LineBuffer,
        clock::Clock,
        line::{LINE_BYTES_MAX, Line},
    },
    worlds::{Event, World},
};

/// Writes lines of a world.
pub(crate) struct LineWriter<'w, W> {
    world: &'w W,
    dress: Option<&'w Dress>,
    clock: Clock,
    /// A line in its own envelope, and a record.
    line: [u8; LINE_BYTES_MAX],
    record: Vec<u8>,
}

/// A line, or a record, without what stands around it.
#[derive(Debug)]
pub(crate) struct Clean {
    pub(crate) text: Vec<u8>,
    /// Where its parts are, in another envelope.
    pub(crate) places: Option<Places>,
}

impl<'w, W: World> LineWriter<'w, W> {
    pub(crate) fn new(world: &'w W, dress: Option<&'w Dress>) -> Self {
        Self { world, dress, clock: Clock::new(), line: [0; LINE_BYTES_MAX], record: Vec::new() }
    }

    pub(crate) fn world(&self) -> &'w W {
        self.world
    }

    /// Adds the line of an event.
    #[inline]
    pub(crate) fn push(&mut self, event: &W::Event, lines: &mut LineBuffer) {
        let (world, clock) = (self.world, &mut self.clock);
        match self.dress {
            None => lines.push(|line| world.write_line(event, line, clock)),
            Some(dress) => self.push_dressed(dress, event, lines),
        }
    }

    #[inline(never)]
    fn push_dressed(&mut self, dress: &Dress, event: &W::Event, lines: &mut LineBuffer) {
        let (before, behind) = dress.around();
        self.record.clear();
        self.record.extend_from_slice(before.as_bytes());
        let parts = own_parts(self.world, event, &mut self.clock, &mut self.line);
        dress.write_record(&parts, &mut self.record);
        self.record.extend_from_slice(behind.as_bytes());
        lines.push_bytes(&self.record);
    }

    /// Adds the line with a record.
    pub(crate) fn push_record(&self, record: &[u8], lines: &mut LineBuffer) {
        let (before, behind) = self.dress.map(Dress::around).unwrap_or_default();
        if before.is_empty() {
            lines.push_bytes(record);
        } else {
            lines.push_bytes(&[before.as_bytes(), record, behind.as_bytes()].concat());
        }
    }

    /// Adds the line with a record that `write` appends to the buffer.
    pub(crate) fn push_record_from(
        &self,
        lines: &mut LineBuffer,
        write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
    ) {
        let (before, behind) = self.dress.map(Dress::around).unwrap_or_default();
        lines.push_from(|bytes| {
            bytes.extend_from_slice(before.as_bytes());
            write(bytes)?;
            bytes.extend_from_slice(behind.as_bytes());
            Ok(())
        });
    }

    /// The line of an event, without its newline.
    pub(crate) fn line(&mut self, event: &W::Event) -> Vec<u8> {
        let Clean { text, .. } = self.clean(event, None);
        let (before, behind) = self.dress.map(Dress::around).unwrap_or_default();
        [before.as_bytes(), &text, behind.as_bytes()].concat()
    }

    /// The record of an event, with another position and id if given.
    pub(crate) fn clean(&mut self, event: &W::Event, other: Option<(u64, Uuid)>) -> Clean {
        let mut parts = own_parts(self.world, event, &mut self.clock, &mut self.line);
        let mut line;
        if let Some((index, id)) = other {
            line = parts.line.to_vec();
            id.as_hyphenated().encode_lower(&mut line[14..50]);
            parts = Parts { index, line: &line, ..parts };
        }
        match self.dress {
            None => Clean { text: parts.line.to_vec(), places: None },
            Some(dress) => {
                let mut text = Vec::new();
                dress.write_record(&parts, &mut text);
                Clean { text, places: Some(dress.places()) }
            }
        }
    }

    /// Adds the values of an event's row.
    #[inline]
    pub(crate) fn write_row(&mut self, event: &W::Event, row: &mut RowDigest) {
        let world = self.world;
        match self.dress {
            None => world.write_row(event, row),
            Some(dress) => {
                let parts = own_parts(world, event, &mut self.clock, &mut self.line);
                dress.write_row(&parts, row, |row| world.write_payload(event, row));
            }
        }
    }
}

/// The parts of an event, of which the line is written into `buffer`.
fn own_parts<'b, W: World>(
    world: &W,
    event: &W::Event,
    clock: &mut Clock,
    buffer: &'b mut [u8; LINE_BYTES_MAX],
) -> Parts<'b> {
    let mut line = Line::new(buffer);
    world.write_line(event, &mut line, clock);
    let length = line.length() - 1;
    Parts {
        index: event.index(),
        micros: event.micros(),
        event_type: event.event_type(),
        line: &buffer[..length],
    }
}
