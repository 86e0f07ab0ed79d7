//! The files of a target, and the one atomic commit by which they change.
//!
//! ```text
//! Target::open (lock, recover) → begin (staging) → StagedFiles → Changes → commit (record, publish, close)
//! ```
//!
//! docs/commit.md is the protocol. These can be read without changing a target: its layout, its commits
//! ([`History`]), its partitions ([`list_partitions`]) and all its files ([`list_files`]).
//!
//! Invariant: only this crate renames or deletes anything in a target.

mod change;
mod differences;
mod durability;
mod error;
mod fingerprint;
mod history;
mod journal;
mod json_file;
mod layout;
mod line_counts;
mod listing;
mod load_options;
mod lock;
mod partitions;
mod place;
mod placing;
mod publish;
mod rehearsal;
mod remembered;
mod staged_file;
mod stamp;
mod staging;
mod target;

pub use self::{
    change::{Action, Change, ChangedFile},
    differences::{Compared, Difference, Differences, Differs},
    error::{NarrowerColumn, TargetError},
    fingerprint::{ContentChecksum, Fingerprint},
    history::{AcceptedFiles, CommittedLoad, History, StoredFile},
    journal::{Accepted, Commit, Discarded, LoadFacts, LoadedSource, is_unfinished},
    layout::{TargetLayout, folds_case},
    line_counts::LineCounts,
    listing::{ListedFiles, list_files},
    load_options::{DedupeScope, FileForm, Mode},
    partitions::{PartitionFile, Partitions, list_partitions},
    publish::Recovered,
    staged_file::{StagedFile, checksum_of},
    staging::{StagedWriter, Staging},
    stamp::Stamp,
    target::{Target, is_target, lock_to_read},
};

/// The directory of the loader's own files in a target.
const PRIVATE: &str = "_eventloader";

/// The directory of the bad lines in a target.
pub const QUARANTINE: &str = "_quarantine";

/// The place of the journal in a target.
pub const JOURNAL_PATH: &str = "_eventloader/journal.json";
