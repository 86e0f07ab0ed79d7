//! A [`RunSpec`] → its events on standard output or in files, with the manifest and the faults log next to
//! them.
//!
//! - [`run_spec`](RunSpec) settles the run, with `amount` (how many events) and `continued` (where to go on);
//! - `delivery` writes the rendered pieces, at the pace of `live`, and reports to [`Progress`];
//! - `outputs` sees to it that no two outputs are one file, `turn` that runs write to a directory one after
//!   the other;
//! - `events_files` is the set of files of a run, `events_file` one of them, `file_names` their names;
//! - `records` are the manifest and the faults log;
//! - `replacement` is any file while it is written, `real_path` where its path leads.
//!
//! Invariant: a file that others read appears under its name only when it is complete. The events of a
//! directory are those of one run after the other.

mod amount;
mod continued;
mod delivery;
mod events_file;
mod events_files;
mod file_names;
mod live;
mod outputs;
mod progress;
mod real_path;
mod records;
mod replacement;
mod run_spec;
mod turn;

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use fs_err as fs;

pub use self::{
    amount::Amount,
    events_files::{FileLayout, IfExists, Rotation},
    file_names::FILE_NUMBER_MAX,
    progress::{NoProgress, Progress, Total},
    records::RecordPaths,
    run_spec::{Destination, Output, RunSpec},
};
use self::{
    continued::Torn,
    delivery::{Delivered, Delivery, Sink},
    events_files::{EventsFiles, FilesWritten},
    records::{Records, Renamed},
    run_spec::Settled,
    turn::Turn,
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
    renamed: Vec<Renamed>,
    /// The file whose last line was written again.
    torn: Option<Torn>,
}

/// Generates the events of `spec` and writes them, and their records, to where it says. There is a report
/// only for files.
///
/// # Errors
///
/// The errors of [`generate`](crate::generate), those of an impossible `spec`, and those of the files. After
/// an error, the events file that was being written and the records are as they were before.
pub fn deliver(spec: &RunSpec, progress: &dyn Progress) -> Result<Option<Report>, Error> {
    outputs::check(spec)?;
    match &spec.output.destination {
        Destination::StandardOutput => {
            let Settled { config, changes, .. } = spec.settle()?;
            let changes = changes.as_ref();
            let mut records = Records::begin(&spec.records, &config, changes, false)?;
            // Line-buffered by the library, but a write that ends with a newline bypasses the buffer as a
            // whole.
            let mut sink = Sink::StandardOutput(io::stdout().lock());
            let delivery = Delivery::new(spec, &config, changes, progress);
            delivery.run(FileLayout::Single, &mut records, &mut sink)?;
            records.publish()?;
            Ok(None)
        }
        Destination::EventsFiles { base_path, layout, if_exists } => {
            write_files(spec, base_path, *layout, *if_exists, progress).map(Some)
        }
    }
}

fn write_files(
    spec: &RunSpec,
    directory: &Path,
    layout: FileLayout,
    if_exists: IfExists,
    progress: &dyn Progress,
) -> Result<Report, Error> {
    let continues = if_exists.continues();
    // A run that can't be is refused before anything is made.
    let settled = if continues && directory.exists() { None } else { Some(spec.settle()?) };
    let failed = |source| Error::EventsFile { source, complete: 0 };
    fs::create_dir_all(directory).map_err(failed)?;
    let turn = Turn::take(directory, progress).map_err(failed)?;
    // What a run continues is known when it has its turn.
    let settled = settled.filter(|_| !continues);
    let Settled { config, changes, torn } = settled.map_or_else(|| spec.settle(), Ok)?;
    let changes = changes.as_ref();
    let mut records = Records::begin(&spec.records, &config, changes, continues)?;
    let compression = spec.output.compression;
    let files = EventsFiles::begin(directory, layout, compression, if_exists, torn)?;
    let mut sink = Sink::Files(Box::new(files));
    let delivered = Delivery::new(spec, &config, changes, progress).run(layout, &mut records, &mut sink)?;
    let files = sink.finish()?;
    let renamed = records.publish()?;
    drop(turn);
    Ok(Report { delivered, files, directory: directory.to_owned(), if_exists, compression, renamed, torn })
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
            0 => write!(f, "), no file")?,
            1 => write!(f, ") to {}", directory.join(last).display())?,
            _ => write!(f, ") to {count} files in {}, {first} to {last}", directory.display())?,
        }
        for Renamed { record, path } in &self.renamed {
            write!(f, ", {record} to {}", path.display())?;
        }
        if let Some(Torn { name, .. }) = self.torn {
            let done = if events > 0 { "written again" } else { "removed" };
            write!(f, "; the last line of {name} had been cut off and was {done}")?;
        }
        Ok(())
    }
}
