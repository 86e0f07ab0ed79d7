//! Partitions, in the order of days → the text of a manifest, which need not fit in memory.
//!
//! `faults` and `report` are known only when all events are written, so they follow the partitions. Each
//! partition is one line.
//!
//! Invariant: a finished manifest is read back by [`Manifest::read`](super::Manifest::read), if the report
//! and the tables are right; a partition that does not follow the last one in order is refused.

use std::io::{self, Write};

use serde::Serialize;

use super::{Counts, EventTypeTruth, FORMAT, Generator, PartitionTruth, Report};

/// A manifest that is being written.
#[derive(Debug)]
pub struct ManifestWriter<W> {
    output: W,
    last: Option<PartitionTruth>,
}

impl<W: Write> ManifestWriter<W> {
    /// Begins a manifest.
    ///
    /// # Errors
    /// Those of `output`.
    pub fn begin(mut output: W, generator: &Generator, event_types: &[EventTypeTruth]) -> io::Result<Self> {
        write!(output, "{{\n\"format\": {FORMAT},\n\"generator\": ")?;
        json(&mut output, generator)?;
        output.write_all(b",\n\"event_types\": [")?;
        for (index, event_type) in event_types.iter().enumerate() {
            separate(&mut output, index == 0)?;
            json(&mut output, event_type)?;
        }
        output.write_all(b"\n],\n\"partitions\": [")?;
        Ok(Self { output, last: None })
    }

    /// Adds a partition; they must be in the order of day, domain and event type.
    ///
    /// # Errors
    /// Those of `output`, and [`io::ErrorKind::InvalidInput`] if the order is wrong.
    pub fn partition(&mut self, partition: PartitionTruth) -> io::Result<()> {
        if self.last.as_ref().is_some_and(|last| last.key() >= partition.key()) {
            let message = format!("{} is out of order by day, domain, event type", partition.name());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        separate(&mut self.output, self.last.is_none())?;
        json(&mut self.output, &partition)?;
        self.last = Some(partition);
        Ok(())
    }

    /// Ends the manifest, and returns the output, flushed.
    ///
    /// # Errors
    /// Those of `output`.
    pub fn finish(mut self, faults: &Counts, report: &Report) -> io::Result<W> {
        self.output.write_all(b"\n],\n\"faults\": ")?;
        json(&mut self.output, faults)?;
        self.output.write_all(b",\n\"report\": ")?;
        json(&mut self.output, report)?;
        self.output.write_all(b"\n}\n")?;
        self.output.flush()?;
        Ok(self.output)
    }
}

/// Writes the separator before an entry of a list.
fn separate(output: &mut impl Write, is_first: bool) -> io::Result<()> {
    output.write_all(if is_first { b"\n" } else { b",\n" })
}

fn json(output: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(output, value).map_err(io::Error::from)
}
