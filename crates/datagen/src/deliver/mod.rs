//! A [`RunSpec`] → its events on standard output or in files, with the manifest and the faults log next to
//! them.
//!
//! - [`run_spec`](RunSpec) settles the run, with `amount` (how many events) and `continued` (where to go on);
//! - `delivery` writes the rendered pieces, at the pace of `live`, and reports to [`Progress`];
//! - `events_files` is the set of files of a run, `events_file` one of them, `file_names` their names;
//! - `records` are the manifest and the faults log.
//!
//! Invariant: a file that others read appears under its name only when it is complete.

mod amount;
mod continued;
mod delivery;
mod events_file;
mod events_files;
mod file_names;
mod live;
mod progress;
mod records;
mod run_spec;

use std::{fmt, io, path::PathBuf};

pub use self::{
    amount::Amount,
    events_files::{FileLayout, IfExists, Rotation},
    file_names::FILE_NUMBER_MAX,
    progress::{NoProgress, Progress, Total},
    records::RecordPaths,
    run_spec::{Destination, Output, RunSpec},
};
use self::{
    delivery::{Delivered, Delivery, Sink},
    events_files::{EventsFiles, FilesWritten},
    records::Records,
};
use crate::{
    error::Error,
    render::{Summary, compression::Compression},
};

/// What a run wrote to files.
#[derive(Debug)]
pub struct Report {
    delivered: Delivered,
    files: FilesWritten,
    directory: PathBuf,
    if_exists: IfExists,
    compression: Compression,
}

/// Generates the events of `spec` and writes them, and their records, to where it says. There is a report
/// only for files.
///
/// # Errors
///
/// The errors of [`generate`](crate::generate), those of an impossible `spec`, and those of the files. After
/// an error, the events file that was being written and the records are as they were before.
pub fn deliver(spec: &RunSpec, progress: &dyn Progress) -> Result<Option<Report>, Error> {
    let config = spec.resolve()?;
    let mut records = Records::begin(&spec.records, &config)?;
    let delivery = Delivery::new(spec, &config, progress);
    let report = match &spec.output.destination {
        Destination::StandardOutput => {
            // Line-buffered by the library, but a write that ends with a newline bypasses the buffer as a
            // whole.
            let mut sink = Sink::StandardOutput(io::stdout().lock());
            delivery.run(FileLayout::Single, &mut records, &mut sink)?;
            None
        }
        Destination::EventsFiles { base_path, layout, if_exists } => {
            let compression = spec.output.compression;
            let files = EventsFiles::begin(base_path, *layout, compression, *if_exists)?;
            let mut sink = Sink::Files(Box::new(files));
            let delivered = delivery.run(*layout, &mut records, &mut sink)?;
            let files = sink.finish()?;
            let (directory, if_exists) = (base_path.clone(), *if_exists);
            Some(Report { delivered, files, directory, if_exists, compression })
        }
    };
    records.publish()?;
    Ok(report)
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
