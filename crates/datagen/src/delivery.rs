//! A run in, its pieces at their sink out: at the pace of a live feed, up to as many bytes as fit, and with a line on the terminal that
//! says how far it is.
//!
//! Invariant: pace and terminal change nothing of what is written.

use std::io::{StdoutLock, Write};
use std::num::NonZero;
use std::ops::ControlFlow;

use command_line::ProgressLine;
use memchr::{memchr_iter, memrchr};

use crate::compression::Compression;
use crate::events_files::{EventsFiles, FilesWritten, Sharing};
use crate::live::Live;
use crate::order::Order;
use crate::records::Records;
use crate::render::{Part, Rendered};
use crate::{Config, Error, Form, Summary, run};

const OF_EVENTS: &str =
    "writing [{wide_bar}] {human_pos} of {human_len} events, {msg}, {per_sec}, {eta} left";
const OF_BYTES: &str = "writing [{wide_bar}] {bytes} of {total_bytes}, {msg}, {bytes_per_sec}, {eta} left";

/// Where pieces go.
#[derive(Debug)]
pub(crate) enum Sink {
    Stream(StdoutLock<'static>),
    Files(Box<EventsFiles>),
}

/// A run on its way.
#[derive(Debug)]
pub(crate) struct Delivery {
    run: Config,
    compression: Compression,
    events_per_second: Option<NonZero<u64>>,
    bytes_max: Option<u64>,
}

/// What was brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// The events, and the bytes of their lines.
    pub(crate) summary: Summary,
    /// The bytes that were written; fewer if they are compressed.
    pub(crate) bytes_written: u64,
}

impl Sink {
    fn write(&mut self, file: i64, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Self::Stream(out) => out.write_all(bytes).map_err(Error::Write),
            Self::Files(files) => files.write(file, bytes),
        }
    }

    /// Nothing that was written is kept back any longer.
    fn flush(&mut self) -> Result<(), Error> {
        match self {
            Self::Stream(out) => out.flush().map_err(Error::Write),
            Self::Files(_) => Ok(()),
        }
    }

    fn name_of(&self, file: i64) -> Option<String> {
        match self {
            Self::Stream(_) => None,
            Self::Files(files) => files.name_of(file),
        }
    }

    /// Completes the files, of which it tells.
    pub(crate) fn finish(self) -> Result<FilesWritten, Error> {
        match self {
            Self::Stream(_) => Ok(FilesWritten::default()),
            Self::Files(files) => files.finish(),
        }
    }
}

impl Delivery {
    pub(crate) fn new(order: &Order, run: &Config) -> Self {
        Self {
            run: *run,
            compression: order.output.compression,
            events_per_second: order.output.events_per_second,
            bytes_max: order.amount.bytes_max(),
        }
    }

    /// Writes all pieces of the run.
    pub(crate) fn bring(
        &self,
        sharing: Sharing,
        hidden: bool,
        records: &mut Records,
        sink: &mut Sink,
    ) -> Result<Delivered, Error> {
        let form = Form {
            files: sharing.files(),
            compression: self.compression,
            batch_events: self.events_per_second.map(Live::batch_events),
            wants_truth: records.want_truth(),
        };
        let progress = self.progress(hidden);
        let live = self.events_per_second.map(|rate| Live::begin(rate, self.run.num_events));
        let mut delivered = Delivered::default();
        let done = run(&self.run, &form, |rendered| {
            let flow = self.take(rendered, live.as_ref(), &progress, sink, &mut delivered)?;
            records.take(rendered, |file| sink.name_of(file))?;
            Ok(flow)
        });
        progress.end();
        done.and_then(|()| sink.flush()).map(|()| delivered)
    }

    fn take(
        &self,
        rendered: &Rendered,
        live: Option<&Live>,
        progress: &ProgressLine,
        sink: &mut Sink,
        delivered: &mut Delivered,
    ) -> Result<ControlFlow<()>, Error> {
        for part in rendered.parts() {
            if let Some(live) = live {
                live.wait_for(part.piece.place.batch);
            }
            let room = self.bytes_max.map(|max| max - delivered.summary.bytes);
            if let Some(room) = room.filter(|room| (part.lines.len() as u64) > *room) {
                self.write_what_fits(part, room, sink, delivered)?;
                return Ok(ControlFlow::Break(()));
            }
            sink.write(part.piece.place.file, part.bytes)?;
            if live.is_some() {
                sink.flush()?;
            }
            delivered.add(part.piece.events, part.lines, part.bytes);
            let by = if self.bytes_max.is_some() { part.lines.len() as u64 } else { part.piece.events };
            progress.advance_with(by, || self.beside(&delivered.summary));
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Writes the lines of a piece that still have room.
    fn write_what_fits(
        &self,
        part: Part<'_>,
        room: u64,
        sink: &mut Sink,
        delivered: &mut Delivered,
    ) -> Result<(), Error> {
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(part.lines.len());
        let Some(last) = memrchr(b'\n', &part.lines[..room]) else { return Ok(()) };
        let (lines, mut bytes) = (&part.lines[..=last], Vec::new());
        self.compression.compressor().append(lines, &mut bytes);
        sink.write(part.piece.place.file, &bytes)?;
        delivered.add(memchr_iter(b'\n', lines).count() as u64, lines, &bytes);
        Ok(())
    }

    fn progress(&self, hidden: bool) -> ProgressLine {
        let progress = ProgressLine::on_terminal(hidden);
        match self.bytes_max {
            Some(bytes) => progress.begin(Some(bytes), OF_BYTES),
            None => progress.begin(Some(self.run.num_events), OF_EVENTS),
        }
        progress
    }

    /// What is shown beside what there is a total of.
    fn beside(&self, summary: &Summary) -> String {
        match self.bytes_max {
            Some(_) => format!("{} events", summary.events),
            None => command_line::bytes_text(summary.bytes),
        }
    }
}

impl Delivered {
    fn add(&mut self, events: u64, lines: &[u8], bytes: &[u8]) {
        self.summary.events += events;
        self.summary.bytes += lines.len() as u64;
        self.bytes_written += bytes.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_templates_are_well_formed() {
        for template in [OF_EVENTS, OF_BYTES] {
            assert!(command_line::is_template(template), "{template}");
        }
    }
}
