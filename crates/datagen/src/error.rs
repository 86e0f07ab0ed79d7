//! What can go wrong, in words that say what to do about it.

use std::io;
use std::path::PathBuf;

use chrono::NaiveDate;
use uuid::Uuid;

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

    /// The output did not take the lines.
    #[error("cannot write the events: {0}")]
    Write(#[source] io::Error),

    /// The system refused a thread.
    #[error("cannot start a thread: {0}; ask for fewer --threads")]
    Thread(#[source] io::Error),

    /// The directory or the temporary file failed; the cause names the path.
    #[error(
        "{0}; no events file was changed: see to room and permissions there, or choose another --base-path"
    )]
    EventsFile(#[source] io::Error),

    /// The manifest or the log of faults could not be written.
    #[error("cannot write {}: {source}; see to room and permissions there", path.display())]
    Record {
        /// The name it was to have.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },

    /// The finished file could not be given its name.
    #[error("cannot put the finished events at {}: {source}; no events file was changed", path.display())]
    Publish {
        /// The name it was to have.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Error {
    /// The same failure, known to have happened to the events file.
    pub(crate) fn in_events_file(self) -> Self {
        match self {
            Self::Write(source) => Self::EventsFile(source),
            other => other,
        }
    }

    /// Whether the reader of standard output has left, as `head` does: no failure of ours.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
