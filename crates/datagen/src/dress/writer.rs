//! The events of a world → their lines, with what has changed by then, in their own envelope or in another
//! one; and their rows.
//!
//! Invariant: without changes and envelope, a line is what the world writes, straight into the buffer.

use std::io;

use events_core::truth::RowDigest;
use uuid::Uuid;

use super::{Dress, Parts, Places};
use crate::{
    changes::Changes,
    lines::{
        buffer::LineBuffer,
        clock::Clock,
        line::{LINE_BYTES_MAX, Line},
    },
    worlds::{Event, World, write_base},
};

/// Writes lines of a world.
pub(crate) struct LineWriter<'w, W> {
    world: &'w W,
    changes: Option<&'w Changes>,
    dress: Option<&'w Dress>,
    own: OwnLine,
    record: Vec<u8>,
}

/// A line in its own envelope, while it is written.
struct OwnLine {
    clock: Clock,
    /// As the world writes it, and with what has changed.
    line: [u8; LINE_BYTES_MAX],
    changed: Vec<u8>,
}

/// A line, or a record, without what stands around it.
#[derive(Debug)]
pub(crate) struct Clean {
    pub(crate) text: Vec<u8>,
    /// Where its parts are, in another envelope.
    pub(crate) places: Option<Places>,
}

impl<'w, W: World> LineWriter<'w, W> {
    pub(crate) fn new(world: &'w W, changes: Option<&'w Changes>, dress: Option<&'w Dress>) -> Self {
        let own = OwnLine { clock: Clock::new(), line: [0; LINE_BYTES_MAX], changed: Vec::new() };
        Self { world, changes, dress, own, record: Vec::new() }
    }

    pub(crate) fn world(&self) -> &'w W {
        self.world
    }

    /// Its table of the world.
    #[inline]
    pub(crate) fn table_of(&self, event: &W::Event) -> usize {
        table_of(self.changes, event)
    }

    /// Adds the line of an event.
    #[inline]
    pub(crate) fn push(&mut self, event: &W::Event, lines: &mut LineBuffer) {
        let (world, clock) = (self.world, &mut self.own.clock);
        match (self.changes, self.dress) {
            (None, None) => lines.push(|line| world.write_line(event, line, clock)),
            _ => self.push_made(event, lines),
        }
    }

    #[inline(never)]
    fn push_made(&mut self, event: &W::Event, lines: &mut LineBuffer) {
        let parts = self.own.parts(self.world, self.changes, event);
        let Some(dress) = self.dress else { return lines.push_bytes(parts.line) };
        let (before, behind) = dress.around();
        self.record.clear();
        self.record.extend_from_slice(before.as_bytes());
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
        let mut parts = self.own.parts(self.world, self.changes, event);
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
        let (world, changes) = (self.world, self.changes);
        if changes.is_none() && self.dress.is_none() {
            write_base(event, event.event_type().names(), row);
            return world.write_payload(event, row);
        }
        let parts = self.own.parts(world, changes, event);
        let payload = |row: &mut RowDigest| {
            world.write_payload(event, row);
            if let Some(changes) = changes {
                changes.write_row(parts.table, event.index(), row);
            }
        };
        if let Some(dress) = self.dress {
            return dress.write_row(&parts, row, payload);
        }
        write_base(event, parts.names, row);
        payload(row);
    }
}

impl OwnLine {
    /// The parts of an event, with its line.
    fn parts<'p, W: World>(
        &'p mut self,
        world: &W,
        changes: Option<&'p Changes>,
        event: &W::Event,
    ) -> Parts<'p> {
        let mut line = Line::new(&mut self.line);
        world.write_line(event, &mut line, &mut self.clock);
        let length = line.length() - 1;
        let (index, micros, table) = (event.index(), event.micros(), table_of(changes, event));
        let Some(changes) = changes else {
            let names = event.event_type().names();
            return Parts { index, micros, table, names, line: &self.line[..length] };
        };
        self.changed.clear();
        self.changed.extend_from_slice(&self.line[..length]);
        changes.edit(table, event.event_type(), index, &mut self.changed);
        let of = &changes.tables()[table];
        Parts { index, micros, table, names: (&of.domain, &of.event_type), line: &self.changed }
    }
}

#[inline]
fn table_of(changes: Option<&Changes>, event: &impl Event) -> usize {
    changes.map_or(event.event_type() as usize, |changes| changes.table_of(event.event_type(), event.index()))
}
