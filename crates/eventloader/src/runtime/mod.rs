//! What a run uses beside its data: memory, stage clocks, progress, signals, stores, databases, and
//! text for messages.
//!
//! Invariant: nothing here knows events or files.

mod available_memory;
mod databases;
mod interruption;
pub(crate) mod memory;
pub(crate) mod names;
mod numbers;
mod progress;
mod stages;
mod standard_output;
mod stores;
mod terminal_text;

pub use self::{
    databases::{database_of, open_database, shown},
    interruption::{Interruption, end_process},
    memory::{MEMORY_BYTES_DEFAULT, MEMORY_BYTES_MIN},
    progress::Progress,
    standard_output::is_standard_output_closed,
    stores::{address_of, open_store},
    terminal_text::escape_for_terminal,
};
pub(crate) use self::{
    memory::{MemoryShares, Needs},
    numbers::{bytes_text, duration_text, grouped, plural},
    progress::CountingReader,
    stages::{Clock, Stage, StageReport, Stages},
};

/// How a run shows its progress, and how it is interrupted.
#[derive(Debug, Clone)]
pub struct Controls {
    /// Where the progress is shown.
    pub progress: Progress,
    /// Whether the run should end early.
    pub interruption: Interruption,
}

impl Controls {
    /// Shows nothing, and is never interrupted.
    #[must_use]
    pub fn hidden() -> Self {
        Self { progress: Progress::hidden(), interruption: Interruption::default() }
    }
}
