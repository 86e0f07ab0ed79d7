//! Why a log could not be read or written: facts, each with its place.
//!
//! Invariant: after any of these nothing was written, but for [`LogError::Io`] of a commit: then it is not
//! known.

use std::io;

/// Why a log could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The store could not be read or written; its error names the object.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// An object of the log is not what it should be.
    #[error("{address}{}: {problem}", line.map(|line| format!(", line {line}")).unwrap_or_default())]
    Damaged {
        /// The object.
        address: String,
        /// The line, from 1; of a checkpoint, the row.
        line: Option<u64>,
        /// What is wrong with it.
        problem: String,
    },
    /// Commits are missing.
    #[error("{address} is missing: the log has more behind it, and no checkpoint that holds what it did")]
    Gap {
        /// The first of them.
        address: String,
    },
    /// The table needs what this crate does not know, or must not be written as asked.
    #[error("the table {address} {needs}; nothing was changed")]
    Unsupported {
        /// The table.
        address: String,
        /// What, as the end of a sentence: `needs …`.
        needs: String,
    },
    /// What should be committed is no valid commit.
    #[error("a commit to the table {address} is not valid: {problem}; nothing was changed")]
    Invalid {
        /// The table.
        address: String,
        /// Why.
        problem: String,
    },
}
