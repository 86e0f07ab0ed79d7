//! A target that is about to change, of whichever kind.
//!
//! ```text
//! open (recover) → begin (staging) → StagedFiles → Changes → commit, or abandon
//! ```
//!
//! Invariant: a commit is visible as a whole or, for a reader, partition by partition in an order that never
//! shows an event twice; it is not at all if the error says so.

use crate::{
    Change, LoadFacts, Location, Staging, TargetError, TargetLayout, location::Kind, partitions,
    partitions::Recovered,
};

/// A target that is about to change.
#[derive(Debug)]
pub struct Target(Opened);

#[derive(Debug)]
enum Opened {
    Partitions(partitions::Target),
}

impl Target {
    /// Creates a target if it is missing, and finishes or undoes an interrupted load. Where the kind of the
    /// target has a lock, it is taken.
    ///
    /// # Errors
    /// The target can't be written, another load holds it, or its commit can't be finished.
    pub fn open(location: &Location) -> Result<Self, TargetError> {
        match &location.kind {
            Kind::Partitions { root } => partitions::Target::open(root).map(Opened::Partitions).map(Self),
        }
    }

    /// Opens a target that must exist already.
    ///
    /// # Errors
    /// Those of [`Self::open`], and that nothing was ever loaded.
    pub fn open_existing(location: &Location) -> Result<Self, TargetError> {
        match &location.kind {
            Kind::Partitions { root } => {
                partitions::Target::open_existing(root).map(Opened::Partitions).map(Self)
            }
        }
    }

    /// What was done about an interrupted load.
    #[must_use]
    pub fn recovered(&self) -> Recovered {
        match &self.0 {
            Opened::Partitions(target) => target.recovered(),
        }
    }

    /// Begins a load, and returns where its new files go. Readers see none of them.
    ///
    /// # Errors
    /// The target has another layout, or can't be written.
    pub fn begin(&mut self, layout: &TargetLayout) -> Result<Staging, TargetError> {
        match &mut self.0 {
            Opened::Partitions(target) => target.begin(layout),
        }
    }

    /// The same for a run that may commit another layout.
    ///
    /// # Errors
    /// The target can't be written.
    pub fn begin_rewrite(&mut self) -> Result<Staging, TargetError> {
        match &mut self.0 {
            Opened::Partitions(target) => target.begin_rewrite(),
        }
    }

    /// Deletes what a load has staged, so that it can begin anew.
    ///
    /// # Errors
    /// A file can't be deleted.
    pub fn begin_anew(&mut self) -> Result<(), TargetError> {
        match &mut self.0 {
            Opened::Partitions(target) => target.begin_anew(),
        }
    }

    /// Publishes all changes, or none. A load that `has_new_sources` is recorded even if it changes nothing.
    ///
    /// # Errors
    /// Nothing was changed, unless the error is [`TargetError::Unfinished`].
    pub fn commit(
        self,
        changes: Vec<Change>,
        layout: TargetLayout,
        (load, has_new_sources): (LoadFacts, bool),
        threads: usize,
    ) -> Result<(), TargetError> {
        match self.0 {
            Opened::Partitions(target) => target.commit(changes, layout, (load, has_new_sources), threads),
        }
    }

    /// Ends a run that commits nothing. The target is left as it was found.
    pub fn abandon(self) {
        match self.0 {
            Opened::Partitions(target) => target.abandon(),
        }
    }
}
