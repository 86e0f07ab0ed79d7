//! A journal → its changes in their places, in a commit or when an interrupted load is found.
//!
//! Invariant: [`Target::publish`] can be repeated from the start wherever it was interrupted, with the same
//! result; so can [`Target::recover`].

use std::io;

use super::{Target, durability, placing::Placing};
use crate::{Commit, DedupeScope, Mode, TargetError, history, journal, json_file};

/// What was done about an interrupted load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovered {
    /// There was none.
    Nothing,
    /// It had not recorded its commit: its staged files were deleted.
    Undone,
    /// Its commit was finished.
    Finished {
        /// The number of directories that the commit changes.
        changes: usize,
    },
}

/// A recorded commit that could not be carried out to its end.
#[derive(Debug)]
pub(crate) struct Unpublished {
    pub(crate) doing: &'static str,
    pub(crate) source: io::Error,
    /// Whether a part of it is published.
    pub(crate) has_begun: bool,
}

impl From<Unpublished> for TargetError {
    fn from(Unpublished { doing, source, .. }: Unpublished) -> Self {
        Self::Unfinished { doing, source }
    }
}

impl Target {
    /// Finishes a recorded commit, and deletes staged files without one.
    pub(crate) fn recover(&self) -> Result<Recovered, TargetError> {
        let mut recovered = Recovered::Nothing;
        if let Some(journal) = self.unfinished()? {
            // The interrupted load may have begun to publish.
            let new = vec![false; journal.changes.len()];
            self.publish(&journal, &new, 1).map_err(TargetError::from)?;
            recovered = Recovered::Finished { changes: journal.changes.len() };
        }
        let clearing = TargetError::io("cleaning up after an interrupted load");
        if self.clear_staging().map_err(clearing)? && recovered == Recovered::Nothing {
            recovered = Recovered::Undone;
        }
        Ok(recovered)
    }

    /// Moves all staged files into their places; can be repeated from the start at any point. Directories
    /// that are `new` are known to be empty.
    pub(crate) fn publish(&self, journal: &Commit, new: &[bool], threads: usize) -> Result<(), Unpublished> {
        let staging = self.staging();
        let placing = &Placing::new(&self.root, &staging);
        // Where rows of the target take part, an event may move to another partition. If partitions are
        // published one after the other in the order of the journal, the event is never in two.
        let threads = if moves_rows(journal) { 1 } else { threads };
        let placed = self.publish_first(journal, placing).and_then(|()| {
            each_change(threads, journal, |number| {
                let change = &journal.changes[number];
                if new[number] && change.files.len() == 1 {
                    placing.place_new(change)
                } else {
                    placing.place(change, number)
                }
            })
        });
        let unpublished = |doing| move |source| Unpublished { doing, source, has_begun: placing.has_begun() };
        placed.map_err(unpublished("publishing a partition"))?;
        let may_change = journal.load.mode == Mode::Rewrite;
        journal
            .layout
            .remember(&self.root, may_change)
            .map_err(unpublished("recording the target's layout"))?;
        durability::sync_published(&self.lock, &self.root, &journal.changes)
            .map_err(unpublished("publishing"))?;
        let private = self.private();
        storage::rename(&self.journal(), &private.join(journal.file_name()))
            .and_then(|()| durability::sync_directory(&private))
            .map_err(|source| Unpublished { doing: "closing the journal", source, has_begun: true })
    }

    /// Between some partitions events move both ways, so that one of them has to lose some first. That is on
    /// disk before anything takes its place again.
    fn publish_first(&self, journal: &Commit, placing: &Placing<'_>) -> io::Result<()> {
        if journal.changes.iter().all(|change| change.first.is_none()) {
            return Ok(());
        }
        each_change(1, journal, |number| placing.place_first(&journal.changes[number], number))?;
        durability::sync_published(&self.lock, &self.root, &journal.changes)
    }

    /// Deletes unneeded staged files; returns whether there were any.
    pub(crate) fn clear_staging(&self) -> io::Result<bool> {
        for name in [journal::FILE, history::FILE] {
            storage::delete_file(&self.private().join(format!("{name}{}", json_file::NEW)))?;
        }
        let staging = self.staging();
        let is_there = storage::is_there(&staging)?;
        let mut tries = 0;
        loop {
            match storage::delete_all(&staging) {
                // Tasks of a driver that was killed may still make files there. They end as soon as their
                // directories are gone.
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty && tries < CLEARING_TRIES => {
                    tries += 1;
                }
                done => return done.map(|()| is_there),
            }
        }
    }
}

/// How often a staging directory is deleted again in which files have come meanwhile.
const CLEARING_TRIES: usize = 100;

/// Whether an event may be in another partition after the commit than before.
fn moves_rows(Commit { load, changes, .. }: &Commit) -> bool {
    match load.mode {
        Mode::Rewrite => changes.iter().any(|change| change.event_type.is_some() && change.files.is_empty()),
        mode => mode == Mode::Merge || load.dedupe_scope == DedupeScope::Target,
    }
}

/// Calls `work` for each change, by its number. A thread takes neighbours, because threads that create files
/// in the same directory wait for each other.
pub(crate) fn each_change<T: Send, E: Send>(
    threads: usize,
    journal: &Commit,
    work: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    const NEIGHBOURS: usize = 64;
    let changes = journal.changes.len();
    let done = workers::map(threads, changes.div_ceil(NEIGHBOURS), |piece| {
        let numbers = piece * NEIGHBOURS..changes.min((piece + 1) * NEIGHBOURS);
        numbers.map(&work).collect::<Result<Vec<_>, _>>()
    })?;
    Ok(done.into_iter().flatten().collect())
}
