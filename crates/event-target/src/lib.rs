//! The files of a target, and the one atomic commit by which they change.
//!
//! ```text
//! Target::open (lock, recover) → begin (staging) → StagedFiles → Changes → commit (record, publish, close)
//! ```
//!
//! docs/commit.md is the protocol. A [`Location`] is where a target is, and of which kind; what can be read
//! without changing it is read there: its layout, its commits ([`History`]), its partitions, all its files.
//!
//! Invariant: only this crate renames or deletes anything in a target.

mod change;
mod database;
mod differences;
mod error;
mod exchange;
mod fingerprint;
mod history;
mod journal;
mod json_file;
mod layout;
mod line_counts;
mod load_options;
mod location;
mod merged;
mod partitions;
mod remembered;
mod staged_file;
mod staging;
mod stamp;
mod tables;
mod target;

pub use self::{
    change::{Action, Change, ChangedFile},
    database::{Committed, Database, ROWS, Session, Transaction},
    differences::{Compared, Difference, Differences, Differs},
    error::{NarrowerColumn, TargetError},
    exchange::Exchange,
    fingerprint::{ContentChecksum, Fingerprint},
    history::{AcceptedFiles, CommittedLoad, History, StoredFile},
    journal::{Accepted, Commit, Discarded, LoadFacts, LoadedSource},
    layout::TargetLayout,
    line_counts::{LineCounts, SupersededKinds},
    load_options::{DedupeScope, FileForm, Mode},
    location::{Location, ReadLock},
    merged::{Merged, ObjectVersion},
    partitions::{ListedFiles, PartitionFile, Partitions, Recovered},
    staged_file::StagedFile,
    staging::{Place, StagedWriter, Staging},
    stamp::Stamp,
    tables::{Attempt, Reads, Swept},
    target::{NewCommit, Target},
};

/// The directory of the loader's own files in a target.
const PRIVATE: &str = "_eventloader";

/// The directory of the bad lines in a target.
pub const QUARANTINE: &str = "_quarantine";

/// The place of the journal in a target.
pub const JOURNAL_PATH: &str = "_eventloader/journal.json";
