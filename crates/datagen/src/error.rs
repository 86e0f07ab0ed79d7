//! What can go wrong.
//!
//! Invariant: messages state facts; `cli::messages` adds which flags help.

use std::{fmt, io, path::PathBuf};

use chrono::NaiveDate;
use uuid::Uuid;

use crate::config::{change_list::ChangeListError, fault_list::FaultListError};

/// Something that a run writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputName {
    /// The events, in files.
    Events,
    /// The events, to standard output.
    StandardOutput,
    /// The manifest.
    Manifest,
    /// The faults log.
    FaultsLog,
    /// The changes log.
    ChangesLog,
}

impl fmt::Display for OutputName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Events => "an events file",
            Self::StandardOutput => "standard output",
            Self::Manifest => "the manifest",
            Self::FaultsLog => "the faults log",
            Self::ChangesLog => "the changes log",
        })
    }
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The timestamps would need a fifth digit for the year.
    #[error("{events} events from {start_date} run past the year 9999")]
    CalendarEnds {
        /// The number of events that was asked for.
        events: u64,
        /// The day on which they were to begin.
        start_date: NaiveDate,
    },

    /// The ledger has no account number left.
    #[error("the ledger has no more than {accounts} accounts")]
    AccountsEnd {
        /// The maximum number of accounts.
        accounts: u32,
    },

    /// No event of the stream has this id.
    #[error("no event of the stream with seed {seed} has the id {id}")]
    UnknownId {
        /// The id that was asked for.
        id: Uuid,
        /// The seed of the stream.
        seed: u64,
    },

    /// A file to check cannot be read.
    #[error("cannot read {name}: {source}; the rest was not checked")]
    Check {
        /// The file as it was given.
        name: String,
        /// The cause.
        source: io::Error,
    },

    /// The ledger cannot be checked without its beginning.
    #[error("the ledger can only be checked from its first event, since each event depends on all before it")]
    CheckLedgerFromMiddle,

    /// The output did not accept the lines.
    #[error("cannot write the events: {0}")]
    Write(#[source] io::Error),

    /// The directory or the temporary file failed; the cause names the path.
    #[error("{source}; {}", changed_files(*complete))]
    EventsFile {
        /// The cause.
        source: io::Error,
        /// How many files were complete by then.
        complete: u64,
    },

    /// A file of an earlier run could not be removed; the cause names the path.
    #[error("{0}; all events were written, but this file of an earlier run is still there: remove it")]
    NotReplaced(#[source] io::Error),

    /// There are no numbers left for files.
    #[error("there are files up to number {highest}, and {more} more would exceed {number_max}")]
    NumbersEnd {
        /// The highest number of an existing file.
        highest: u32,
        /// How many files were asked for.
        more: u32,
        /// The highest possible number.
        number_max: u32,
    },

    /// The directory whose events are to be continued cannot be read; the cause names the path.
    #[error("{0}; the existing events cannot be continued")]
    Continue(#[source] io::Error),

    /// A file whose events are to be continued cannot be read.
    #[error("cannot read {}, whose events are to be continued: {source}; repair or remove it", path.display())]
    ContinueFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },

    /// The events to continue belong to another stream.
    #[error("the events in {} are not of this stream, so it cannot be continued there", directory.display())]
    OtherStream {
        /// The directory of the events.
        directory: PathBuf,
    },

    /// A line was cut off, and continuing would lose its event.
    #[error(
        "the last line of {} was cut off and cannot be written again, so its event would be lost; complete \
         or remove it",
        path.display()
    )]
    TornLine {
        /// The file.
        path: PathBuf,
    },

    /// Two outputs are one file.
    #[error("{} and {} would be the same file, {}", outputs.0, outputs.1, path.display())]
    SameOutput {
        /// Which.
        outputs: (OutputName, OutputName),
        /// The path of the first.
        path: PathBuf,
    },

    /// A record has the name of an events file, or of a file that helps to write these.
    #[error("{output} cannot be {}, the name of an events file or a temporary one", path.display())]
    ReservedName {
        /// The record.
        output: OutputName,
        /// Its path.
        path: PathBuf,
    },

    /// A run that continues existing files cannot begin elsewhere.
    #[error("a run that continues existing files begins after their last event, not at a given one")]
    FirstEventOfContinuedRun,

    /// The run would end before it begins.
    #[error("the end date {end_date} is before the start date {start_date}")]
    EndsBeforeStart {
        /// The first day.
        start_date: NaiveDate,
        /// The last day.
        end_date: NaiveDate,
    },

    /// The faults that were asked for are impossible.
    #[error("{0}")]
    Faults(#[from] FaultListError),

    /// The changes that were asked for are impossible.
    #[error("{0}")]
    Changes(#[from] ChangeListError),

    /// Changes belong to one run.
    #[error("changes are those of one run, from its beginning on, so it cannot continue existing files")]
    ChangesOfContinuedRun,

    /// A fault that the records of an envelope can't have.
    #[error("{envelope} has no {fault}: {why}")]
    FaultInEnvelope {
        /// The fault.
        fault: &'static str,
        /// The envelope.
        envelope: &'static str,
        /// Why not.
        why: &'static str,
    },

    /// A document that can't be continued.
    #[error("a file of {envelope} is one document, which ends with its file, so it cannot be continued")]
    ContinuedDocument {
        /// The envelope.
        envelope: &'static str,
    },

    /// A document that can't be cut.
    #[error("a file of {envelope} is one document, which has no end at a given number of bytes")]
    BytesOfDocument {
        /// The envelope.
        envelope: &'static str,
    },

    /// Lines of another envelope, which have no rules.
    #[error(
        "the first line has no event_id, no domain and no event_type: it is not in the events' own envelope"
    )]
    CheckEnvelope,

    /// The manifest or a log could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Record {
        /// The path that it was to have.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },

    /// The finished file could not be given its name.
    #[error("cannot put the finished events at {}: {source}; {}", path.display(), changed_files(*complete))]
    Publish {
        /// The path that it was to have.
        path: PathBuf,
        /// The cause.
        source: io::Error,
        /// How many files were complete by then.
        complete: u64,
    },
}

/// What a failed run has changed.
fn changed_files(complete: u64) -> String {
    match complete {
        0 => "no events file was changed".to_owned(),
        1 => "one events file is complete, no other was changed".to_owned(),
        files => format!("{files} events files are complete, no other was changed"),
    }
}

impl Error {
    /// Whether the settings contradict each other or the data, so that no run with them can succeed.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::FirstEventOfContinuedRun
                | Self::SameOutput { .. }
                | Self::ReservedName { .. }
                | Self::EndsBeforeStart { .. }
                | Self::Faults(_)
                | Self::Changes(_)
                | Self::ChangesOfContinuedRun
                | Self::CheckLedgerFromMiddle
                | Self::FaultInEnvelope { .. }
                | Self::ContinuedDocument { .. }
                | Self::BytesOfDocument { .. }
                | Self::CheckEnvelope
        )
    }

    /// Whether the reader of standard output has left, as `head` does, which is not a failure.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
