//! What a user asks for → the [`Config`] of the run: where it begins, how many events it has, and how many
//! have faults.
//!
//! Invariant: the run is fixed before the first line is written, so nothing that is written can change it.

use std::{num::NonZero, path::PathBuf};

use super::{
    amount::Amount,
    continued,
    events_files::{FileLayout, IfExists},
    records::RecordPaths,
};
use crate::{
    config::{
        Config,
        fault_list::{FaultCounts, FaultList},
    },
    error::Error,
    render::compression::Compression,
};

/// A run as it was asked for.
#[derive(Debug, Clone)]
pub struct RunSpec {
    /// The stream; its range of events and its faults are ignored.
    pub stream: Config,
    /// Where to begin, if given.
    pub first_event: Option<u64>,
    /// How much of the stream to write.
    pub amount: Amount,
    /// The faults to put in.
    pub faults: Option<FaultList>,
    /// Where the events go.
    pub output: Output,
    /// The records to write next to the events.
    pub records: RecordPaths,
}

/// Where the events go, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Standard output or files.
    pub destination: Destination,
    /// How the events are compressed.
    pub compression: Compression,
    /// At most this many events are written per second.
    pub events_per_second: Option<NonZero<u64>>,
}

/// Standard output or files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Only data, nothing else.
    StandardOutput,
    /// `events.json`, or several files with similar names, in a directory.
    EventsFiles {
        /// The directory; created if missing.
        base_path: PathBuf,
        /// How the events are distributed over files.
        layout: FileLayout,
        /// What to do with existing files.
        if_exists: IfExists,
    },
}

impl RunSpec {
    /// Settles what the run generates.
    pub(crate) fn resolve(&self) -> Result<Config, Error> {
        let mut config = Config { first_event: self.first_event()?, ..self.stream };
        config.num_events = self.amount.events(&config)?;
        config.faults = match &self.faults {
            Some(list) => list.counts(config.num_events)?,
            None => FaultCounts::default(),
        };
        Ok(config)
    }

    fn first_event(&self) -> Result<u64, Error> {
        use IfExists::{Append, NewFile};
        match (&self.output.destination, self.first_event) {
            (Destination::EventsFiles { if_exists: Append | NewFile, .. }, Some(_)) => {
                Err(Error::FirstEventOfContinuedRun)
            }
            (Destination::EventsFiles { base_path, if_exists: Append | NewFile, .. }, None) => {
                continued::first_event(base_path, &self.stream)
            }
            (_, first_event) => Ok(first_event.unwrap_or_default()),
        }
    }
}
