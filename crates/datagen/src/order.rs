//! What a command line asks for in, the run that it is out: where in the stream it begins, how many events it has, and how many
//! of them have faults.
//!
//! Invariant: the run is settled before the first line is written, so that nothing that is written changes it.

use crate::amount::Amount;
use crate::continued;
use crate::destination::{Destination, Output};
use crate::events_files::IfExists;
use crate::faults::{FaultCounts, FaultList};
use crate::records::RecordPaths;
use crate::{Config, Error};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Order {
    /// Of which stream; what it says of events and faults does not count.
    pub stream: Config,
    /// Where to begin, if that was said.
    pub first_event: Option<u64>,
    /// How much of it.
    pub amount: Amount,
    /// With which faults.
    pub faults: Option<FaultList>,
    /// To where.
    pub output: Output,
    /// What to write beside it.
    pub records: RecordPaths,
}

impl Order {
    /// The run.
    pub(crate) fn run(&self) -> Result<Config, Error> {
        let mut run = Config { first_event: self.first_event()?, ..self.stream };
        run.num_events = self.amount.events(&run)?;
        run.faults = match &self.faults {
            Some(list) => list.counts(run.num_events)?,
            None => FaultCounts::default(),
        };
        Ok(run)
    }

    fn first_event(&self) -> Result<u64, Error> {
        match (&self.output.destination, self.first_event) {
            (Destination::EventsFiles { if_exists: IfExists::Append | IfExists::NewFile, .. }, Some(_)) => {
                Err(Error::FirstEventTwice)
            }
            (
                Destination::EventsFiles {
                    base_path, if_exists: IfExists::Append | IfExists::NewFile, ..
                },
                None,
            ) => continued::first_event(base_path, &self.stream),
            (_, first_event) => Ok(first_event.unwrap_or_default()),
        }
    }
}
