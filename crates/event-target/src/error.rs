//! Why a target could not be read or changed: facts, each with its place.
//!
//! Invariant: after any of these but [`TargetError::Unfinished`], nothing was changed.

use std::{fmt, io, path::PathBuf};

use delta_log::LogError;

use crate::{Differences, TargetLayout};

/// Why a target could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Something is in the target's way.
    #[error("target {path}: {problem}; nothing was changed")]
    Unusable {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The target itself can't be written.
    #[error("target {path}: {problem}; nothing was changed")]
    Unwritable {
        /// The target.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The target has another layout.
    #[error("the target {root} was written with {remembered}, not with {asked}")]
    OtherLayout {
        /// The target.
        root: PathBuf,
        /// The layout that the target has recorded.
        remembered: Box<TargetLayout>,
        /// What the load asked for.
        asked: Box<TargetLayout>,
    },
    /// The target is not as its commits recorded it.
    #[error("the target {root} is not as its loads left it: {differences}; nothing was changed")]
    NotAsRecorded {
        /// The target.
        root: PathBuf,
        /// The files.
        differences: Box<Differences>,
    },
    /// The catalog puts an event type where the target does not have it.
    #[error(
        "the target {root} has the events of {event_type} in directories named {remembered:?}, but the catalog \
         says {asked:?}: readers would see two tables, and an event that is in both twice; nothing was changed"
    )]
    OtherDirectory {
        /// The target.
        root: PathBuf,
        /// `domain/type`.
        event_type: String,
        /// The directory in the target.
        remembered: String,
        /// The directory in the catalog.
        asked: String,
    },
    /// The catalog decides which version of an event is the latest by other fields than the target's loads
    /// did.
    #[error(
        "the target {root} has the latest versions of {event_type} by `version = {remembered}`, but the catalog \
         says `version = {asked}`: what was decided by the one can't be decided again by the other; nothing was \
         changed"
    )]
    OtherVersion {
        /// The target.
        root: PathBuf,
        /// `domain/type`.
        event_type: String,
        /// The fields in the target, as a catalog writes a list.
        remembered: String,
        /// The fields in the catalog.
        asked: String,
    },
    /// The catalog has a column with a type that does not have all values that the target has in it.
    #[error("the target {0}; nothing was changed")]
    Narrower(Box<NarrowerColumn>),
    /// The target keeps each day's version of an event, and the load would keep only the latest.
    #[error(
        "the target {root} has its events once a day ({partition} was loaded so), but this load keeps each \
         once in the whole target: it would delete the versions of other days; nothing was changed"
    )]
    OtherScope {
        /// The target.
        root: PathBuf,
        /// The path of a partition.
        partition: String,
    },
    /// The catalog puts an event type where the target has another one.
    #[error(
        "the target's directory {directory} has events of {remembered}, and the catalog puts those of {asked} \
         there, which would replace them; nothing was changed"
    )]
    OtherEventType {
        /// Its path in the target.
        directory: String,
        /// `domain/type` of its rows.
        remembered: String,
        /// `domain/type` of the rows to write.
        asked: String,
    },
    /// A file operation failed.
    #[error("{doing}: {source}; nothing was changed")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The system's reason; names the path.
        source: io::Error,
    },
    /// The commit was recorded but could not be carried out to its end.
    #[error(
        "{doing}: {source}; the commit is recorded, and the next load into this target, or a recovery, finishes \
             it once nothing is in the way"
    )]
    Unfinished {
        /// What was being done.
        doing: &'static str,
        /// The system's reason; names the path.
        source: io::Error,
    },
    /// Nobody knows whether the commit was recorded: the store gave no answer.
    #[error(
        "recording the commit: {source}; it is not known whether commit {number} was recorded: the loads that \
         are listed tell"
    )]
    Unknown {
        /// Its number.
        number: u64,
        /// The store's reason.
        source: io::Error,
    },
    /// Another run has committed meanwhile what this one relies on.
    #[error("target {path}: another run has changed {what} meanwhile; nothing was changed")]
    Overtaken {
        /// The target.
        path: PathBuf,
        /// What it changed.
        what: String,
    },
    /// The log of a table can't be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A file that the loader wrote earlier has unexpected contents.
    #[error("{path}:{line}: {problem}; nothing was changed, move the file away to continue without it")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// Another load is running.
    #[error("target {path}: another load is using it{holder}")]
    Locked {
        /// The target.
        path: PathBuf,
        /// Its process, if known.
        holder: String,
    },
}

/// A column of a target, and the catalog's, which can't follow it.
#[derive(Debug)]
pub struct NarrowerColumn {
    /// The target.
    pub root: PathBuf,
    /// `domain/type`.
    pub event_type: String,
    /// The name of the column, with those of the members that lead into it.
    pub column: String,
    /// Its type in the target.
    pub held: String,
    /// Its type in the catalog.
    pub asked: String,
    /// Why it can't become that, with the punctuation before it.
    pub why: &'static str,
}

impl fmt::Display for NarrowerColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { root, event_type, column, held, asked, why } = self;
        let root = root.display();
        write!(f, "{root} has the column {column} of {event_type} as {held}, but the catalog as {asked}{why}")
    }
}

impl TargetError {
    /// Wraps a file error with what was being done; for `map_err`.
    pub fn io(doing: &'static str) -> impl Fn(io::Error) -> Self + Copy {
        move |source| Self::Io { doing, source }
    }
}
