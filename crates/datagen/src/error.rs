//! What can go wrong, in words that say what to do about it.

use std::io;
use std::path::PathBuf;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::faults::FaultListError;

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The timestamps would need a fifth digit for the year.
    #[error(
        "{events} events from {start_date} run past the year 9999: ask for fewer events or an earlier --start-date"
    )]
    CalendarEnds {
        /// How many events were asked for.
        events: u64,
        /// Where they were to begin.
        start_date: NaiveDate,
    },

    /// The ledger has no account number left.
    #[error("the ledger has no more than {accounts} accounts: ask for fewer events")]
    AccountsEnd {
        /// How many there are.
        accounts: u32,
    },

    /// An id that no event of the stream has.
    #[error(
        "no event of the stream with --seed {seed} has the id {id}: give the --seed that its line came from \
         (a line that was inserted as a fault belongs to no event)"
    )]
    UnknownId {
        /// The id that was asked for.
        id: Uuid,
        /// The seed of the stream.
        seed: u64,
    },

    /// What is to be checked cannot be read.
    #[error("cannot read {name}: {source}; what is behind was not checked")]
    Check {
        /// As it was given.
        name: String,
        /// Why not.
        source: io::Error,
    },

    /// The ledger cannot be checked without its beginning.
    #[error(
        "--first-event: the ledger can only be checked from its first event, since what an event may be depends on all before it:          give the earlier files too, and no --first-event"
    )]
    CheckLedgerFromBehind,

    /// The output did not take the lines.
    #[error("cannot write the events: {0}")]
    Write(#[source] io::Error),

    /// The system refused a thread.
    #[error("cannot start a thread: {0}; ask for fewer --threads")]
    Thread(#[source] io::Error),

    /// The directory or the temporary file failed; the cause names the path.
    #[error(
        "{source}; {}: see to room and permissions there, or choose another --base-path", changed(*complete)
    )]
    EventsFile {
        /// Why.
        source: io::Error,
        /// How many files were complete by then.
        complete: u64,
    },

    /// A file of an earlier run could not be removed; the cause names the path.
    #[error("{0}; all events were written, but that file is left of an earlier run: remove it")]
    NotReplaced(#[source] io::Error),

    /// There are no numbers left for files.
    #[error(
        "there are files up to number {there}, and {more} more would go beyond {number_max}: ask for fewer --files, or choose \
         another --base-path"
    )]
    NumbersEnd {
        /// The highest that there is.
        there: u32,
        /// How many are asked for.
        more: u32,
        /// The highest that there can be.
        number_max: u32,
    },

    /// The directory whose events are to be continued cannot be read; the cause names the path.
    #[error("{0}; the events that are there cannot be continued")]
    Continue(#[source] io::Error),

    /// A file whose events are to be continued cannot be read.
    #[error("cannot read {}, whose events are to be continued: {source}; repair or remove it", path.display())]
    ContinueFile {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },

    /// What is to be continued is something else.
    #[error(
        "the events in {} are not of this stream, so it cannot be continued there: give the --world, --seed, --start-date and \
         --events-per-day that they were made with, or choose another --base-path, or --if-exists overwrite",
        directory.display()
    )]
    OtherStream {
        /// Where they are.
        directory: PathBuf,
    },

    /// Two answers to the question where the run begins.
    #[error(
        "--first-event cannot be used with --if-exists append and new-file: they begin behind the last event that is there"
    )]
    FirstEventTwice,

    /// The run would end before it begins.
    #[error("--end-date {end_date} is before --start-date {start_date}")]
    EndsBeforeStart {
        /// The first day.
        start_date: NaiveDate,
        /// The last.
        end_date: NaiveDate,
    },

    /// The faults that are asked for are not possible.
    #[error("--faults: {0}")]
    Faults(#[from] FaultListError),

    /// The manifest or the log of faults could not be written.
    #[error("cannot write {}: {source}; see to room and permissions there", path.display())]
    Record {
        /// The name it was to have.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },

    /// The finished file could not be given its name.
    #[error("cannot put the finished events at {}: {source}; {}", path.display(), changed(*complete))]
    Publish {
        /// The name it was to have.
        path: PathBuf,
        /// Why not.
        source: io::Error,
        /// How many files were complete by then.
        complete: u64,
    },
}

/// What a failed run has done.
fn changed(complete: u64) -> String {
    match complete {
        0 => "no events file was changed".to_owned(),
        1 => "one events file was complete and is there, no other was changed".to_owned(),
        files => format!("{files} events files were complete and are there, no other was changed"),
    }
}

impl Error {
    /// Whether the command line asked for what cannot be.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::FirstEventTwice
                | Self::EndsBeforeStart { .. }
                | Self::Faults(_)
                | Self::CheckLedgerFromBehind
        )
    }

    /// Whether the reader of standard output has left, as `head` does: no failure of ours.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
