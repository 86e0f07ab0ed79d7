//! What both programs' command lines have in common: how wrong usage is explained, and the man page and the shell
//! completions that are made from what clap knows.
//!
//! Invariant: help goes to standard output, wrong usage to standard error, in one line that says what to do.

mod documents;
mod usage;

pub use documents::Document;
pub use usage::explain;
