//! Why a run failed: one type, with the location of the problem and its exit code.
//!
//! Bad lines are not errors: they go to the quarantine. An error states facts. Advice that depends on the
//! command is added by the command line (`cli/advice.rs`).
//!
//! Invariant: after any error but `Target(Unfinished)` and `Report`, nothing was changed.

use std::{io, path::PathBuf};

use command_line::bytes_text;
use event_parser::SelectionError;
use event_target::TargetError;
use events_core::catalog::{CatalogError, EventType};
use storage::{OpenError, Unusable};

/// What can be asked for where an engine can't have what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// The address of the target, or another one.
    Address,
    /// No address.
    NoAddress,
    /// The name of a schema.
    Schema,
    /// All days.
    NoDay,
    /// Tables over the files.
    NoLoad,
    /// Tables of its own, or another layout.
    LoadOrOtherLayout,
    /// Another name for a column.
    OtherColumn,
}

/// Why a load failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line asks for something impossible.
    #[error("{0}")]
    Usage(String),
    /// An engine that distributes a load has lost, doubled or mixed up something. The text says what.
    #[error("the engine: {0}; nothing was changed")]
    Distributed(String),
    /// The selection can't select any event.
    #[error("{0}")]
    Selection(#[from] SelectionError),
    /// One of the target and a source is inside the other.
    #[error("the target {target} {problem} {source_path}")]
    Overlap {
        /// The target.
        target: PathBuf,
        /// Which way.
        problem: &'static str,
        /// The source.
        source_path: PathBuf,
    },
    /// The report would replace what the run reads or writes.
    #[error("{report} {problem}: {place}; nothing was changed")]
    ReportPlace {
        /// The file of the report.
        report: PathBuf,
        /// In which way.
        problem: &'static str,
        /// The file that it is, or the target.
        place: PathBuf,
    },
    /// A catalog file can't be used.
    #[error("catalog: {0}")]
    Catalog(#[from] CatalogError),
    /// A catalog can't be read.
    #[error("{0}")]
    CatalogFile(String),
    /// It is not known which envelope bad lines are to be read with.
    #[error("{0}")]
    Envelope(String),
    /// A manifest can't be used.
    #[error("manifest: {0}")]
    Manifest(String),
    /// A manifest can't be read.
    #[error("{0}")]
    ManifestFile(io::Error),
    /// An object store can't be used.
    #[error("{0}")]
    Store(#[from] OpenError),
    /// A source does not exist, or matches no file.
    #[error("{path}: {problem}")]
    Source {
        /// As it was given.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A source could not be read to its end.
    #[error(
        "{path}: reading failed at byte {offset} of {text}: {source}; nothing was loaded, run again when \
         the file can be read"
    )]
    Read {
        /// The file.
        path: String,
        /// How far reading came; if an array is cut off in an element, the element's first byte.
        offset: u64,
        /// What the offset counts in: the file, or its text if the file is compressed.
        text: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// A source is in a container or an encoding that is not read.
    #[error("{path}: {problem}; nothing was changed")]
    Foreign {
        /// The file.
        path: String,
        /// What it is.
        problem: String,
    },
    /// No bad line is what was asked for.
    #[error(
        "{}; nothing was changed",
        if *.is_all { "the quarantine is empty" } else { "no bad line of the quarantine is selected" }
    )]
    NothingSelected {
        /// Whether all were.
        is_all: bool,
    },
    /// No catalog can be drafted from the input.
    #[error("{0}")]
    Draft(String),
    /// The same, because the records are in no known envelope.
    #[error(
        "{problem}; what is needed is an envelope that says where an event has its id, time, domain and type"
    )]
    DraftEnvelope {
        /// What was found.
        problem: String,
        /// An `[envelope]` to fill in.
        skeleton: String,
    },
    /// The input has more fields than a draft can keep count of.
    #[error("more than {0} different fields")]
    DraftFields(usize),
    /// So many catalog files would become one.
    #[error("{0} catalog files can't be extended as one")]
    ManyCatalogs(usize),
    /// A draft would replace a file.
    #[error("{0} exists")]
    DraftExists(PathBuf),
    /// The target could not be read or changed.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The rows of an event type don't go with those that the target has of it, or in its place.
    #[error("{source}")]
    OfType {
        /// Domain and name.
        event_type: (String, String),
        /// Why.
        source: Box<Error>,
    },
    /// A file operation failed; the message names the path.
    #[error("{doing}: {source}; nothing was changed")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The system's reason; names the path.
        source: io::Error,
    },
    /// Rows could not be converted to Arrow arrays or Parquet.
    #[error("writing {what}: {problem}; nothing was changed")]
    Encode {
        /// The partition or file.
        what: String,
        /// What went wrong.
        problem: String,
    },
    /// The counts don't add up.
    #[error("the accounting does not balance: {0}; nothing was changed, please report this with its input")]
    Unbalanced(String),
    /// There are more bad lines than allowed.
    #[error(
        "bad lines: {bad} of {lines}, and the limit is {limit}; nothing was changed. The first bad line: \
         {first}"
    )]
    TooManyBadLines {
        /// The number of bad lines.
        bad: u64,
        /// The number of lines that were read.
        lines: u64,
        /// The limit as given.
        limit: String,
        /// The first bad line: location and reason.
        first: String,
        /// Whether that line has several values.
        of_several_values: bool,
    },
    /// No line of the input is good.
    #[error("{all} bad; nothing was changed. The first: {first}{lacks}{keys}")]
    AllLinesBad {
        /// How many lines those are, as the subject of a sentence.
        all: String,
        /// The first bad line: location and reason.
        first: String,
        /// The base fields that it lacks, to follow the reason; may be empty.
        lacks: String,
        /// The keys of the lines, to follow; may be empty.
        keys: String,
        /// Whether some are of an event type that the catalog does not have.
        of_unknown_types: bool,
        /// Whether the first has several values.
        of_several_values: bool,
    },
    /// A load by this catalog can't keep within its memory.
    #[error(
        "a catalog of {columns} columns needs at least {}, and {} may be used; nothing was changed",
        bytes_text(*.needed as u64), bytes_text(*.allowed as u64)
    )]
    Memory {
        /// The columns of all of its event types.
        columns: usize,
        /// The least memory, in bytes.
        needed: usize,
        /// The memory that may be used, in bytes.
        allowed: usize,
    },
    /// The input has more event types that no catalog names than a target can well have.
    #[error(
        "more than {0} event types that only \"*\" stands for: `domain` or `event_type` seems to contain data; \
         nothing was changed"
    )]
    OpenTypes(usize),
    /// The target has rows of an event type that the catalog does not have.
    #[error(
        "the target {root} has rows of {event_type}, which the catalog does not have; nothing was changed"
    )]
    UnknownHeld {
        /// The target.
        root: PathBuf,
        /// `domain/type`
        event_type: String,
    },
    /// Some days of a target would be in other directories than the rest.
    #[error(
        "the target {root} would have some of its days in other directories than the rest: another layout, \
         unit of time or directory is one for all days; nothing was changed"
    )]
    PartlyMoved {
        /// The target.
        root: PathBuf,
    },
    /// An engine can't have the tables that are asked for.
    #[error("{engine}: {problem}")]
    Engine {
        /// The engine.
        engine: &'static str,
        /// Why not.
        problem: String,
        /// What to ask for instead.
        instead: Instead,
    },
    /// A signal ended the load.
    #[error("interrupted by {name}; nothing was changed")]
    Interrupted {
        /// Its number.
        signal: i32,
        /// Its name.
        name: &'static str,
    },
    /// Standard output could not be written.
    #[error("standard output: {0}")]
    Output(io::Error),
    /// The report could not be written; the load itself is done.
    #[error("{}its report could not be written: {source}", if *.committed { "the load is committed, but " } else { "" })]
    Report {
        /// Whether the load has committed; a dry run does not.
        committed: bool,
        /// The system's reason.
        source: io::Error,
    },
}

impl Error {
    /// Wraps a file error with what was being done; for `map_err`.
    pub(crate) fn io(doing: &'static str) -> impl Fn(io::Error) -> Self + Copy {
        move |source| Self::Io { doing, source }
    }

    /// Wraps an Arrow or Parquet error with what was being written; for `map_err`.
    pub(crate) fn encode<E: std::fmt::Display>(what: &str) -> impl FnOnce(E) -> Self + use<'_, E> {
        move |error| Self::Encode { what: what.to_owned(), problem: error.to_string() }
    }

    /// The same as what is wrong with one event type of the load.
    pub(crate) fn of_type(self, event_type: &EventType) -> Self {
        let event_type = (event_type.domain.clone(), event_type.name.clone());
        Self::OfType { event_type, source: Box::new(self) }
    }

    /// What is wrong, whether with an event type or with all.
    #[must_use]
    pub fn cause(&self) -> &Self {
        if let Self::OfType { source, .. } = self { source.cause() } else { self }
    }

    /// The same, without the event type.
    pub(crate) fn into_cause(self) -> Self {
        if let Self::OfType { source, .. } = self { source.into_cause() } else { self }
    }

    /// The signal that ended the load, if one did; the process should end by it.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        if let Self::Interrupted { signal, .. } = self { Some(*signal) } else { None }
    }

    /// The exit code of the error.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.cause() {
            Self::Usage(_)
            | Self::Selection(_)
            | Self::Overlap { .. }
            | Self::ReportPlace { .. }
            | Self::Catalog(_)
            | Self::CatalogFile(_)
            | Self::ManyCatalogs(_)
            | Self::Envelope(_)
            | Self::Manifest(_)
            | Self::ManifestFile(_)
            | Self::Memory { .. }
            | Self::Engine { .. }
            | Self::UnknownHeld { .. }
            | Self::PartlyMoved { .. }
            | Self::Store(OpenError {
                kind: Unusable::Address | Unusable::Feature | Unusable::Setting | Unusable::NoCredentials,
                ..
            })
            | Self::Target(
                TargetError::OtherLayout { .. }
                | TargetError::OtherDirectory { .. }
                | TargetError::OtherScope { .. }
                | TargetError::OtherVersion { .. }
                | TargetError::Narrower(_)
                | TargetError::OtherEventType { .. },
            ) => 2,
            Self::TooManyBadLines { .. } | Self::AllLinesBad { .. } => 3,
            Self::Target(TargetError::Locked { .. } | TargetError::Overtaken { .. }) => 4,
            Self::Report { committed: true, .. } => 5,
            _ => 1,
        }
    }
}
