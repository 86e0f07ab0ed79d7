//! The rendered chunks of a run → their pieces at the sink: at the pace of a live feed, and up to a maximum
//! of bytes.
//!
//! Invariant: neither the pace nor the progress that is shown changes what is written.

use std::{
    io::{StdoutLock, Write},
    num::NonZero,
    ops::ControlFlow,
};

use memchr::{memchr_iter, memrchr};

use super::{
    amount::events_until,
    events_files::{EventsFiles, FileLayout, FilesWritten},
    live::Live,
    progress::{Progress, Total},
    records::Records,
    run_spec::RunSpec,
};
use crate::{
    changes::Changes,
    config::Config,
    error::Error,
    render::{
        Format, Part, Rendered, Summary,
        compression::Compression,
        document::{Documents, Joint},
        document_of, run,
    },
};

/// Where pieces go.
#[derive(Debug)]
pub(super) enum Sink {
    StandardOutput(StdoutLock<'static>),
    Files(Box<EventsFiles>),
}

/// A run on its way to its sink.
pub(super) struct Delivery<'p> {
    config: Config,
    changes: Option<&'p Changes>,
    compression: Compression,
    events_per_second: Option<NonZero<u64>>,
    bytes_max: Option<u64>,
    progress: &'p dyn Progress,
}

/// What was delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Delivered {
    /// The events, and the bytes of their lines.
    pub(super) summary: Summary,
    /// The bytes that were written; fewer than the lines have if they are compressed.
    pub(super) bytes_written: u64,
}

impl Sink {
    fn write(&mut self, file: i64, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Self::StandardOutput(out) => out.write_all(bytes).map_err(Error::Write),
            Self::Files(files) => files.write(file, bytes),
        }
    }

    /// Passes on whatever is still buffered.
    fn flush(&mut self) -> Result<(), Error> {
        match self {
            Self::StandardOutput(out) => out.flush().map_err(Error::Write),
            Self::Files(_) => Ok(()),
        }
    }

    fn file_name(&self, file: i64) -> Option<String> {
        match self {
            Self::StandardOutput(_) => None,
            Self::Files(files) => files.file_name(file),
        }
    }

    /// Completes the files and returns which they are.
    pub(super) fn finish(self) -> Result<FilesWritten, Error> {
        match self {
            Self::StandardOutput(_) => Ok(FilesWritten::default()),
            Self::Files(files) => files.finish(),
        }
    }
}

impl<'p> Delivery<'p> {
    pub(super) fn new(
        spec: &RunSpec,
        config: &Config,
        changes: Option<&'p Changes>,
        progress: &'p dyn Progress,
    ) -> Self {
        Self {
            config: *config,
            changes,
            compression: spec.output.compression,
            events_per_second: spec.output.events_per_second,
            bytes_max: spec.amount.bytes_max(),
            progress,
        }
    }

    /// Writes all pieces of the run.
    pub(super) fn run(
        &self,
        layout: FileLayout,
        records: &mut Records,
        sink: &mut Sink,
    ) -> Result<Delivered, Error> {
        let format = Format {
            files: layout.split(),
            compression: self.compression,
            batch_events: self.events_per_second.map(Live::batch_events),
            wants_truth: records.want_truth(),
        };
        self.progress.begin(match (self.bytes_max, self.config.until_micros) {
            (Some(bytes), _) => Total::Bytes(bytes),
            (None, Some(until)) => Total::About(events_until(until, &self.config)),
            (None, None) => Total::Events(self.config.num_events),
        });
        let live = self.events_per_second.map(|rate| Live::begin(rate, self.config.num_events));
        let mut delivered = Delivered::default();
        let mut documents = Documents::new(document_of(&self.config), self.compression);
        let done = run(&self.config, self.changes, &format, |rendered| {
            let flow = self.write(rendered, live.as_ref(), sink, (&mut documents, &mut delivered))?;
            records.take(rendered, |file| sink.file_name(file))?;
            Ok(flow)
        });
        self.progress.end();
        done?;
        delivered.write(documents.close(), sink)?;
        sink.flush().map(|()| delivered)
    }

    fn write(
        &self,
        rendered: &Rendered,
        live: Option<&Live>,
        sink: &mut Sink,
        (documents, delivered): (&mut Documents, &mut Delivered),
    ) -> Result<ControlFlow<()>, Error> {
        for part in rendered.parts() {
            if let Some(live) = live {
                live.wait_for(part.piece.key.batch);
            }
            let room = self.bytes_max.map(|max| max - delivered.summary.bytes);
            if let Some(room) = room.filter(|room| (part.lines.len() as u64) > *room) {
                self.write_what_fits(part, room, sink, delivered)?;
                return Ok(ControlFlow::Break(()));
            }
            let file = part.piece.key.file;
            let (closed, joint) = documents.before(file);
            delivered.write(closed, sink)?;
            delivered.write(Some((file, joint)), sink)?;
            sink.write(file, part.bytes)?;
            if live.is_some() {
                sink.flush()?;
            }
            delivered.add(part.piece.events, part.lines, part.bytes);
            let by = if self.bytes_max.is_some() { part.lines.len() as u64 } else { part.piece.events };
            self.progress.advance(by, delivered.summary);
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Writes the lines of a piece that there is still room for.
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
        sink.write(part.piece.key.file, &bytes)?;
        delivered.add(memchr_iter(b'\n', lines).count() as u64, lines, &bytes);
        Ok(())
    }
}

impl Delivered {
    /// Writes what stands between pieces.
    fn write(&mut self, joint: Option<(i64, Joint)>, sink: &mut Sink) -> Result<(), Error> {
        let Some((file, Joint { length, bytes })) = joint.filter(|(_, joint)| joint.length > 0) else {
            return Ok(());
        };
        sink.write(file, &bytes)?;
        self.summary.bytes += length as u64;
        self.bytes_written += bytes.len() as u64;
        Ok(())
    }

    fn add(&mut self, events: u64, lines: &[u8], bytes: &[u8]) {
        self.summary.events += events;
        self.summary.bytes += lines.len() as u64;
        self.bytes_written += bytes.len() as u64;
    }
}
