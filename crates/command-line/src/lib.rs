//! What both programs' command lines have in common: how wrong usage is explained, the man page and the shell
//! completions that are made from what clap knows, how sizes are written, and the line on the terminal that
//! says how far a run is.
//!
//! Invariant: help goes to standard output, wrong usage to standard error, in one line that says what to do.

mod documents;
mod progress_line;
mod sizes;
mod usage;

pub use documents::Document;
pub use progress_line::{ProgressLine, bytes_text, is_template};
pub use sizes::parse_bytes;
pub use usage::explain;
