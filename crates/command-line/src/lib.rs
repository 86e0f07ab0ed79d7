//! What the command lines of both programs have in common: how wrong usage is explained, the version, the man
//! page and the shell completions, how sizes are parsed and printed, the progress line on the terminal, and
//! which signals are handled.
//!
//! Invariant: help goes to standard output; wrong usage to standard error, as one line that says what to do.

mod documents;
mod progress_line;
mod signals;
mod sizes;
mod usage;
mod version;

pub use documents::Document;
pub use progress_line::{ProgressLine, bytes_text, is_template};
pub use signals::{fail_at_file_size_limit, is_ignored};
pub use sizes::parse_bytes;
pub use usage::explain;
pub use version::version_text;
