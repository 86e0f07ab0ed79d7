//! What a user asks for → the [`Config`] of the run: where it begins, how many events it has, and how many
//! have faults.
//!
//! Invariant: the run is fixed before the first line is written, so nothing that is written can change it.

use std::{num::NonZero, path::PathBuf};

use super::{
    amount::Amount,
    continued::{Continued, Torn, continued},
    events_files::{FileLayout, IfExists},
    records::RecordPaths,
};
use crate::{
    changes::{Changes, tables},
    config::{
        Config, EnvelopeName,
        fault_list::{FaultCounts, FaultList},
    },
    dress::Dress,
    error::Error,
    render::{compression::Compression, document_of},
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

/// A run that is settled.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) config: Config,
    pub(super) changes: Option<Changes>,
    /// A file whose last line the run writes again.
    pub(super) torn: Option<Torn>,
}

impl RunSpec {
    /// Settles what the run generates.
    pub(super) fn settle(&self) -> Result<Settled, Error> {
        self.amount.check(&self.stream)?;
        let Continued { first_event, torn } = self.continued()?;
        let config = Config { first_event, ..self.stream };
        let mut config = self.amount.limit(config, self.needs_count());
        config.faults = match &self.faults {
            Some(list) => list.counts(config.num_events)?,
            None => FaultCounts::default(),
        };
        self.check_envelope(&config)?;
        let changes = Changes::of(&config)?;
        Ok(Settled { config, changes, torn })
    }

    /// Fails if there can be no such run in its envelope.
    fn check_envelope(&self, config: &Config) -> Result<(), Error> {
        let Some(envelope) = config.envelope else { return Ok(()) };
        let dress = Dress::new(envelope, config.world, &tables(config.world, None));
        for (fault, _) in config.faults.iter() {
            if let Some(why) = dress.refuses(fault) {
                return Err(Error::FaultInEnvelope { fault: fault.name(), envelope: envelope.name(), why });
            }
        }
        if dress.document().is_some() && self.amount.bytes_max().is_some() {
            return Err(Error::BytesOfDocument { envelope: envelope.name() });
        }
        Ok(())
    }

    /// Whether the number of events has to be known before the first one is written.
    fn needs_count(&self) -> bool {
        let in_equal_files = matches!(
            self.output.destination,
            Destination::EventsFiles { layout: FileLayout::Numbered(_), .. }
        );
        in_equal_files
            || self.faults.is_some()
            || self.stream.changes.total() > 0
            || self.records.manifest.is_some()
    }

    fn continued(&self) -> Result<Continued, Error> {
        match (&self.output.destination, self.first_event) {
            (Destination::EventsFiles { base_path, if_exists, .. }, first_event) if if_exists.continues() => {
                match first_event {
                    _ if self.stream.changes.total() > 0 => Err(Error::ChangesOfContinuedRun),
                    _ if document_of(&self.stream).is_some() => Err(Error::ContinuedDocument {
                        envelope: self.stream.envelope.map_or("", EnvelopeName::name),
                    }),
                    Some(_) => Err(Error::FirstEventOfContinuedRun),
                    None => continued(base_path, &self.stream),
                }
            }
            (_, first_event) => Ok(Continued { first_event: first_event.unwrap_or_default(), torn: None }),
        }
    }
}
