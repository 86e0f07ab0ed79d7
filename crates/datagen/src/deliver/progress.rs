//! How far a run is, for whoever shows it.
//!
//! Invariant: what is shown never changes what is written.

use std::path::Path;

use crate::render::Summary;

/// How much a run writes in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// This many events.
    Events(u64),
    /// About this many events: the run ends at a time.
    About(u64),
    /// Lines of about this many bytes.
    Bytes(u64),
}

/// Receives the progress of a run.
pub trait Progress {
    /// The run waits until another run has written to this directory.
    fn waits_for(&self, directory: &Path);

    /// The run begins.
    fn begin(&self, total: Total);

    /// The run advanced `by` events or bytes, in the unit of its total; `written` is all that was written so
    /// far.
    fn advance(&self, by: u64, written: Summary);

    /// The run ended, successfully or not.
    fn end(&self);
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn waits_for(&self, _: &Path) {}

    fn begin(&self, _: Total) {}

    fn advance(&self, _: u64, _: Summary) {}

    fn end(&self) {}
}
