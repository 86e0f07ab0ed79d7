//! Staged files → visible partitions, all or nothing; only this crate renames or deletes anything in a
//! target.
//!
//! docs/commit.md is the protocol, with the effects of each crash and the reason why recovery may be
//! repeated. In short, the private files are in `<target>/_eventloader`: `lock`, `layout.json`,
//! `journal.json`, `commit-000001.json` and so on, and `staging/`. A load goes through these states:
//!
//! 1. **staging**: new files are in `staging/`, under names that no reader takes for data. A load that ends
//!    here leaves the target as it was; the next run deletes `staging/`.
//! 2. **recorded**: everything that publishing needs was tried (`rehearsal.rs`) and all staged files are on
//!    disk, then `journal.json` appears by rename. From here on the load counts, unless publishing fails
//!    before it has changed anything: then the journal is taken back.
//! 3. **publishing** (`publish.rs`): partition by partition, the staged files are moved into their places
//!    (`placing.rs`). A process that finds a journal finishes publishing before anything else. Every step can
//!    be repeated.
//! 4. **done**: everything is on disk, then the journal becomes `commit-N.json` by rename, and `staging/` is
//!    deleted. Many commits are folded into one file (`history.rs`).
//!
//! Invariant: a reader that lists a partition's `*.parquet` files sees the old or the new ones. Files in a
//! partition's directory that are not Parquet stay.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use storage::File;

use super::{
    Recovered, durability,
    lock::{self, NotLocked},
    place,
    publish::{Unpublished, each_change},
    rehearsal,
};
use crate::{Change, Commit, LoadFacts, PRIVATE, Staging, TargetError, TargetLayout, journal};

/// In the private directory: new files, and the lock.
const STAGING: &str = "staging";
const LOCK: &str = "lock";

/// Keeps loads out of a target while it is read, until the returned file is dropped.
pub(crate) fn lock_to_read(root: &Path) -> Result<Option<File>, TargetError> {
    require_target(root)?;
    lock::share(&root.join(PRIVATE).join(LOCK)).map_err(|error| match error {
        NotLocked::Held(holder) => locked(root, &holder),
        NotLocked::Failed(source) => TargetError::Io { doing: "locking the target", source },
    })
}

/// Whether a directory is one into which something was loaded.
pub(crate) fn is_target(root: &Path) -> Result<bool, TargetError> {
    let is_directory = storage::find(root).is_ok_and(|found| found.is_some_and(|found| found.is_dir()));
    Ok(is_directory && place::directory_is_there(root, PRIVATE)?)
}

/// Whether a directory has the record of a target of partitions.
pub(crate) fn has_record(root: &Path) -> Result<bool, TargetError> {
    Ok(TargetLayout::remembered(root)?.is_some())
}

/// Refuses a directory into which nothing was ever loaded.
fn require_target(root: &Path) -> Result<(), TargetError> {
    if is_target(root)? {
        return Ok(());
    }
    Err(unusable(root, "no load has ever written there; check the path"))
}

/// A target whose lock this process holds.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) root: PathBuf,
    /// Released when the process ends, however that happens.
    pub(crate) lock: File,
    /// Directories that did not exist before, the innermost last.
    created: Vec<PathBuf>,
    /// What was done about an interrupted load.
    recovered: Recovered,
}

impl Target {
    /// Creates a target if it is missing, takes its lock, and finishes or undoes an interrupted load.
    pub(crate) fn open(root: &Path) -> Result<Self, TargetError> {
        if storage::find(root).is_ok_and(|found| found.is_some_and(|found| !found.is_dir())) {
            return Err(unwritable(root, "is not a directory".to_owned()));
        }
        let cannot_write = |error: io::Error| unwritable(root, format!("can't be written ({error})"));
        for own in [PRIVATE.to_owned(), format!("{PRIVATE}/{STAGING}")] {
            place::directory_is_there(root, &own)?;
        }
        let mut created = Vec::new();
        let lock_path = root.join(PRIVATE).join(LOCK);
        place::file_is_there(&lock_path)?;
        let lock = loop {
            storage::create_directories(&root.join(PRIVATE), &mut created).map_err(cannot_write)?;
            match lock::take(&lock_path) {
                Ok(Some(lock)) => break lock,
                // A load that changed nothing removed everything that it had created, including its lock.
                Ok(None) => {}
                Err(NotLocked::Failed(error)) if error.kind() == io::ErrorKind::NotFound => {}
                Err(NotLocked::Failed(error)) => return Err(cannot_write(error)),
                Err(NotLocked::Held(holder)) => return Err(locked(root, &holder)),
            }
        };
        let mut target = Self { root: root.to_owned(), lock, created, recovered: Recovered::Nothing };
        target.recovered = target.recover()?;
        Ok(target)
    }

    /// Opens a target that must exist already.
    pub(crate) fn open_existing(root: &Path) -> Result<Self, TargetError> {
        require_target(root)?;
        Self::open(root)
    }

    /// What was done about an interrupted load.
    pub(crate) fn recovered(&self) -> Recovered {
        self.recovered
    }

    /// Begins a load, and returns the directory for its new files. Readers see nothing below it.
    pub(crate) fn begin(&mut self, layout: &TargetLayout) -> Result<Staging, TargetError> {
        layout.check(TargetLayout::remembered(&self.root)?, &self.root)?;
        self.begin_rewrite()
    }

    /// The same for a run that may commit another layout.
    pub(crate) fn begin_rewrite(&mut self) -> Result<Staging, TargetError> {
        let staging = self.staging();
        storage::create_directories(&staging, &mut Vec::new())
            .map_err(|error| unwritable(&self.root, format!("can't be written ({error})")))?;
        Ok(Staging::Directory(staging))
    }

    /// Deletes what a load has staged, so that it can begin anew.
    pub(crate) fn begin_anew(&mut self) -> Result<(), TargetError> {
        self.clear_staging().map(drop).map_err(TargetError::io("deleting staged files"))
    }

    pub(crate) fn staging(&self) -> PathBuf {
        self.private().join(STAGING)
    }

    pub(crate) fn private(&self) -> PathBuf {
        self.root.join(PRIVATE)
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.private().join(journal::FILE)
    }

    /// Publishes all changes, or none. A load that `has_new_sources` is recorded even if it changes nothing.
    pub(crate) fn commit(
        mut self,
        changes: Vec<Change>,
        layout: TargetLayout,
        (load, has_new_sources): (LoadFacts, bool),
        threads: usize,
    ) -> Result<(), TargetError> {
        if !changes.is_empty() || has_new_sources {
            let (journal, new) = match self.prepare(changes, layout, load, threads) {
                Ok(prepared) => prepared,
                Err(error) => {
                    self.abandon();
                    return Err(error);
                }
            };
            if let Err(source) = self.record(&journal) {
                return Err(self.take_back("recording the commit", source));
            }
            match self.publish(&journal, &new, threads) {
                Err(Unpublished { doing, source, has_begun: false }) => {
                    return Err(self.take_back(doing, source));
                }
                published => published?,
            }
            // The load is done; if this fails, the next load does it.
            let _ = self.fold_history();
        }
        // The same.
        let _ = self.clear_staging();
        lock::forget_holder(&self.lock);
        Ok(())
    }

    /// Prepares everything before the commit is recorded; returns for each change's directory whether it is
    /// new. Writing to the disk takes long without needing the processor, so a first sync is begun early, and
    /// a second one covers the rest.
    fn prepare(
        &mut self,
        changes: Vec<Change>,
        layout: TargetLayout,
        load: LoadFacts,
        threads: usize,
    ) -> Result<(Commit, Vec<bool>), TargetError> {
        let recording = TargetError::io("recording the commit");
        let journal = Commit::new(&self.root, changes, layout, load)?;
        let lock = self.lock.try_clone().map_err(recording)?;
        let staging = self.staging();
        let (synced, prepared) = workers::both(
            || durability::sync_staged(&lock, &staging, &journal.changes),
            || self.prepare_directories(&journal, threads),
        );
        // The system reports an error only once: a second sync would seem to succeed.
        synced.map_err(recording)?;
        Ok((journal, prepared?))
    }

    /// Makes sure that publishing can't fail because a directory is missing, or because something of what it
    /// needs is forbidden. Readers ignore empty directories. Returns for each whether it is new.
    fn prepare_directories(&mut self, journal: &Commit, threads: usize) -> Result<Vec<bool>, TargetError> {
        let created = Mutex::new(Vec::new());
        let staging = self.staging();
        let prepared = each_change(threads, journal, |number| {
            let change = &journal.changes[number];
            let live = self.root.join(&change.directory);
            let mut own = Vec::new();
            let is_new = storage::create_directories(&live, &mut own);
            created.lock().unwrap_or_else(PoisonError::into_inner).append(&mut own);
            let cannot_write = |error| unusable(&live, &format!("can't be written ({error}); move it away"));
            let is_new = is_new.map_err(cannot_write)?;
            rehearsal::rehearse(change, (&live, is_new), &staging)?;
            Ok(is_new)
        });
        self.created.append(&mut created.into_inner().unwrap_or_else(PoisonError::into_inner));
        // Each after the directory that it is in.
        self.created.sort_unstable();
        prepared
    }

    /// Ends a run that commits nothing. The target is left as it was found.
    pub(crate) fn abandon(self) {
        // What can't be deleted now is deleted by the next run.
        let _ = self.clear_staging();
        lock::forget_holder(&self.lock);
        if self.created.contains(&self.private()) {
            let _ = storage::delete_file(&self.private().join(LOCK));
        }
        for directory in self.created.iter().rev() {
            let _ = storage::delete_directory(directory);
        }
    }

    /// Ends a run whose commit was recorded, or perhaps was, and of which nothing is published. The journal
    /// is deleted before the files that it names, on the disk too.
    fn take_back(self, doing: &'static str, source: io::Error) -> TargetError {
        let journal = self.journal();
        if !matches!(storage::is_there(&journal), Ok(false)) {
            if storage::delete_file(&journal).is_err() {
                return TargetError::Unfinished { doing, source };
            }
            if durability::sync_directory(&self.private()).is_err() {
                // After a power cut the journal may be there again, and then it needs its files.
                lock::forget_holder(&self.lock);
                return TargetError::Io { doing, source };
            }
        }
        self.abandon();
        TargetError::Io { doing, source }
    }
}

fn unwritable(root: &Path, problem: String) -> TargetError {
    TargetError::Unwritable { path: root.to_owned(), problem }
}

fn unusable(path: &Path, problem: &str) -> TargetError {
    TargetError::Unusable { path: path.to_owned(), problem: problem.to_owned() }
}

fn locked(root: &Path, holder: &str) -> TargetError {
    let holder = if holder.is_empty() { String::new() } else { format!(" (process {holder})") };
    TargetError::Locked { path: root.to_owned(), holder }
}
