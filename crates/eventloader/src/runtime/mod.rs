//! What a run has beside its data: memory, threads' clocks, progress, signals, and text for people.

mod interruption;
pub(crate) mod memory;
pub(crate) mod names;
mod numbers;
mod progress;
mod stages;
mod terminal_text;

pub use self::{
    interruption::{Interruption, end_process},
    memory::{MEMORY_BYTES_DEFAULT, MEMORY_BYTES_MIN},
    progress::Progress,
    terminal_text::escape_for_terminal,
};
pub(crate) use self::{
    memory::MemoryShares,
    numbers::{bytes_text, duration_text, grouped, plural},
    progress::CountingReader,
    stages::{Clock, Stage, StageReport, Stages},
};

/// How a run shows its progress, and how it is interrupted.
#[derive(Debug, Clone)]
pub struct Controls {
    /// Where the progress is shown.
    pub progress: Progress,
    /// Whether the run is to end before its time.
    pub interruption: Interruption,
}

impl Controls {
    /// Shows nothing, and is never interrupted.
    #[must_use]
    pub fn hidden() -> Self {
        Self { progress: Progress::hidden(), interruption: Interruption::default() }
    }
}
