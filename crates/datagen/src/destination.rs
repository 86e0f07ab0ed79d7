//! A [`Config`] and a place in, events at that place out, and one line that says so.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::events_file::{EventsFile, IfExists};
use crate::records::{RecordPaths, Records};
use crate::{Config, Error, Summary, write};

/// Where the events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Data only, nothing else.
    StandardOutput,
    /// `events.json`, or its like, in a directory.
    EventsFile {
        /// The directory; created when missing.
        base_path: PathBuf,
        /// What to do with a file that is there.
        if_exists: IfExists,
    },
}

/// What a run has to say about a file that it wrote.
#[derive(Debug)]
pub struct Report {
    summary: Summary,
    path: PathBuf,
    if_exists: IfExists,
}

/// Generates the events of `config` and brings them to `destination`, and their records to `records`. There is a report only for a
/// file.
///
/// # Errors
///
/// Whatever [`crate::generate`] fails with, and the errors of the files; `events.json` and the records are then as they were.
pub fn deliver(
    config: &Config,
    destination: &Destination,
    records: &RecordPaths,
) -> Result<Option<Report>, Error> {
    let mut records = Records::begin(records, config)?;
    let report = match destination {
        Destination::StandardOutput => {
            // Line-buffered by the library, but a write that ends with a newline goes past the buffer as a whole.
            write(config, &mut records, &mut io::stdout().lock())?;
            None
        }
        Destination::EventsFile { base_path, if_exists } => {
            let mut file = EventsFile::begin(base_path, *if_exists)?;
            let summary = write(config, &mut records, &mut file).map_err(Error::in_events_file)?;
            let path = file.publish()?;
            Some(Report { summary, path, if_exists: *if_exists })
        }
    };
    records.publish()?;
    Ok(report)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { events, bytes } = self.summary;
        let verb = if self.if_exists == IfExists::Append { "appended" } else { "wrote" };
        let noun = if events == 1 { "event" } else { "events" };
        write!(f, "{verb} {events} {noun} ({bytes} bytes) to {}", self.path.display())
    }
}
