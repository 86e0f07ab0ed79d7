//! An order in, its events at the place that it names out, and one line that says so.

use std::fmt;
use std::io::{self, IsTerminal};
use std::num::NonZero;
use std::path::PathBuf;

use crate::compression::Compression;
use crate::delivery::{Delivered, Delivery, Sink};
use crate::events_files::{EventsFiles, FilesWritten, IfExists, Sharing};
use crate::order::Order;
use crate::records::Records;
use crate::{Error, Summary};

/// Where the events go, and in which way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Where.
    pub destination: Destination,
    /// How they are compressed.
    pub compression: Compression,
    /// How many of them are written in a second, at most.
    pub events_per_second: Option<NonZero<u64>>,
    /// Nothing is said of how far the run is, and what it wrote.
    pub quiet: bool,
}

/// Where the events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Data only, nothing else.
    StandardOutput,
    /// `events.json`, or its like, in a directory.
    EventsFiles {
        /// The directory; created when missing.
        base_path: PathBuf,
        /// How many files.
        sharing: Sharing,
        /// What to do with files that are there.
        if_exists: IfExists,
    },
}

/// What a run has to say about files that it wrote.
#[derive(Debug)]
pub struct Report {
    delivered: Delivered,
    files: FilesWritten,
    directory: PathBuf,
    if_exists: IfExists,
    compression: Compression,
}

/// Generates the events of `order` and brings them, and their records, to where it says. There is a report only for files.
///
/// # Errors
///
/// Whatever [`crate::generate`] fails with, what is wrong with the order, and the errors of the files: the one that was being
/// written, and the records, are then as they were.
pub fn deliver(order: &Order) -> Result<Option<Report>, Error> {
    let run = order.run()?;
    let mut records = Records::begin(&order.records, &run)?;
    let delivery = Delivery::new(order, &run);
    let report = match &order.output.destination {
        Destination::StandardOutput => {
            let hidden = order.output.quiet || io::stdout().is_terminal();
            // Line-buffered by the library, but a write that ends with a newline goes past the buffer as a whole.
            let mut sink = Sink::Stream(io::stdout().lock());
            delivery.bring(Sharing::Whole, hidden, &mut records, &mut sink)?;
            None
        }
        Destination::EventsFiles { base_path, sharing, if_exists } => {
            let compression = order.output.compression;
            let files = EventsFiles::begin(base_path, *sharing, compression, *if_exists)?;
            let mut sink = Sink::Files(Box::new(files));
            let delivered = delivery.bring(*sharing, order.output.quiet, &mut records, &mut sink)?;
            let files = sink.finish()?;
            let (directory, if_exists) = (base_path.clone(), *if_exists);
            Some(Report { delivered, files, directory, if_exists, compression })
        }
    };
    records.publish()?;
    Ok(report.filter(|_| !order.output.quiet))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Delivered { summary: Summary { events, bytes }, bytes_written } = self.delivered;
        let verb = if self.if_exists == IfExists::Append { "appended" } else { "wrote" };
        let noun = if events == 1 { "event" } else { "events" };
        write!(f, "{verb} {events} {noun} ({bytes} bytes")?;
        if self.compression != Compression::None {
            write!(f, ", {bytes_written} compressed")?;
        }
        let (FilesWritten { count, first, last }, directory) = (&self.files, &self.directory);
        match count {
            0 => write!(f, "), no file"),
            1 => write!(f, ") to {}", directory.join(last).display()),
            _ => write!(f, ") to {count} files in {}, {first} to {last}", directory.display()),
        }
    }
}
