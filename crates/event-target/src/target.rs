//! A target that is about to change, of whichever kind.
//!
//! ```text
//! open (recover) → begin (staging) → StagedFiles → Changes → commit, or abandon
//! ```
//!
//! Invariant: a commit is visible as a whole or, for a reader, partition by partition in an order that never
//! shows an event twice; it is not at all if the error says so.

use std::collections::BTreeMap;

use crate::{
    Change, LoadFacts, Location, Staging, TargetError, TargetLayout,
    database::OpenSchema,
    location::Kind,
    partitions::{self, Recovered},
    tables::{OpenTables, Reads},
};

/// What a run commits.
#[derive(Debug)]
pub struct NewCommit {
    /// What becomes of the directories.
    pub changes: Vec<Change>,
    /// The layout that the target has, or gets.
    pub layout: TargetLayout,
    /// The run.
    pub load: LoadFacts,
    /// Whether it is recorded even if it changes nothing: it has a source that the target does not know.
    pub is_news: bool,
    /// What it has read of the target, beside what it changes. Where there is no lock, it is not committed
    /// behind another commit that changed that.
    pub reads: Reads,
    /// Of a target of tables: the schemas of those that it writes, by their directories.
    pub schemas: BTreeMap<String, String>,
}

impl NewCommit {
    /// One that is recorded in any case, and was made from nothing but what it changes.
    #[must_use]
    pub fn of(changes: Vec<Change>, layout: TargetLayout, load: LoadFacts) -> Self {
        let (reads, schemas) = (Reads::default(), BTreeMap::new());
        Self { changes, layout, load, is_news: true, reads, schemas }
    }
}

/// A target that is about to change.
#[derive(Debug)]
pub struct Target(Opened);

#[derive(Debug)]
enum Opened {
    Partitions(partitions::Target),
    Tables(OpenTables),
    Database(OpenSchema),
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
            Kind::Tables(tables) => OpenTables::open(tables.clone()).map(Opened::Tables).map(Self),
            Kind::Database(schema) => OpenSchema::open(schema.clone()).map(Opened::Database).map(Self),
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
            Kind::Tables(tables) => {
                tables.require_target()?;
                Self::open(location)
            }
            Kind::Database(schema) => {
                schema.require_target()?;
                Self::open(location)
            }
        }
    }

    /// What was done about an interrupted load.
    #[must_use]
    pub fn recovered(&self) -> Recovered {
        match &self.0 {
            Opened::Partitions(target) => target.recovered(),
            Opened::Tables(target) => target.recovered(),
            // A transaction that was not committed has left nothing.
            Opened::Database(_) => Recovered::Nothing,
        }
    }

    /// Begins a load, and returns where its new files go. Readers see none of them.
    ///
    /// # Errors
    /// The target has another layout, or can't be written.
    pub fn begin(&mut self, layout: &TargetLayout) -> Result<Staging, TargetError> {
        match &mut self.0 {
            Opened::Partitions(target) => target.begin(layout),
            Opened::Tables(target) => target.begin(layout),
            Opened::Database(target) => target.begin(layout),
        }
    }

    /// The same for a run that may commit another layout.
    ///
    /// # Errors
    /// The target can't be written.
    pub fn begin_rewrite(&mut self) -> Result<Staging, TargetError> {
        match &mut self.0 {
            Opened::Partitions(target) => target.begin_rewrite(),
            Opened::Tables(target) => target.begin_rewrite(),
            Opened::Database(target) => target.begin_rewrite(),
        }
    }

    /// Deletes what a load has staged, so that it can begin anew.
    ///
    /// # Errors
    /// A file can't be deleted.
    pub fn begin_anew(&mut self) -> Result<(), TargetError> {
        match &mut self.0 {
            Opened::Partitions(target) => target.begin_anew(),
            Opened::Tables(target) => {
                target.begin_anew();
                Ok(())
            }
            Opened::Database(target) => target.begin_anew(),
        }
    }

    /// Publishes all changes, or none.
    ///
    /// # Errors
    /// Nothing was changed, unless the error is [`TargetError::Unfinished`] or [`TargetError::Unknown`].
    pub fn commit(self, new: NewCommit, threads: usize) -> Result<(), TargetError> {
        match self.0 {
            Opened::Partitions(target) => {
                let NewCommit { changes, layout, load, is_news, .. } = new;
                target.commit(changes, layout, (load, is_news), threads)
            }
            Opened::Tables(target) => target.commit(new),
            Opened::Database(target) => target.commit(new),
        }
    }

    /// Ends a run that commits nothing. The target is left as it was found.
    pub fn abandon(self) {
        match self.0 {
            Opened::Partitions(target) => target.abandon(),
            Opened::Tables(target) => target.abandon(),
            Opened::Database(target) => target.abandon(),
        }
    }
}
