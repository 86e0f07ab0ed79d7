//! Staged files → visible partitions, all or nothing; the only module that renames or deletes anything in a target.
//!
//! The protocol, with what each crash leaves and why recovery may be repeated, is docs/commit.md. In short, private files are in
//! `<target>/_eventloader`: `lock`, `layout.json`, `journal.json`, `commit-000001.json` and so on, and `staging/`. A load goes
//! through these states:
//!
//! 1. **staging**: new files are in `staging/`, under names that no reader takes for data. A load that ends here leaves the
//!    target as it was; the next run deletes `staging/`.
//! 2. **recorded**: all staged files are on disk, then `journal.json` appears by rename. From here on the load counts.
//! 3. **publishing** (`publish.rs`): partition by partition the staged files come into their places (`change.rs`). Whoever
//!    finds a journal carries publishing to its end before anything else; every step can be done again.
//! 4. **done**: all is on disk, then the journal becomes `commit-N.json` by rename, and `staging/` is deleted. Commits are folded
//!    when there are many (`history.rs`).
//!
//! Invariant: a reader that lists a partition's `*.parquet` files sees the old or the new ones. What is not Parquet in a
//! partition's directory stays.

mod change;
mod durability;
mod history;
mod journal;
mod layout;
mod lock;
mod place;
mod publish;

use std::{
    io, panic,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
};

use rustix::fs::Access;

pub(crate) use self::{
    change::{Action, Change},
    history::{History, Run, StoredFile},
    journal::{Commit, LoadFacts, LoadedSource, is_unfinished},
    layout::TargetLayout,
    publish::Recovered,
};
use self::{lock::NotLocked, publish::each_change};
use crate::{
    disk::{self, File},
    error::Error,
};

/// Directory of the loader's own files in a target.
const PRIVATE: &str = "_eventloader";
/// In it: new files, and the lock.
const STAGING: &str = "staging";
const LOCK: &str = "lock";

/// Where the journal is, in a target.
pub(crate) const JOURNAL_PATH: &str = "_eventloader/journal.json";

/// Keeps loads out of a target while it is read.
pub(crate) fn lock_to_read(root: &Path) -> Result<impl Sized + use<>, Error> {
    require_target(root)?;
    lock::share(&root.join(PRIVATE).join(LOCK)).map_err(|error| match error {
        NotLocked::Held(holder) => locked(root, &holder),
        NotLocked::Failed(source) => Error::Io { doing: "locking the target", source },
    })
}

/// Refuses what no load has made.
fn require_target(root: &Path) -> Result<(), Error> {
    if place::directory_is_there(root, PRIVATE)? {
        return Ok(());
    }
    Err(unusable(root, "no load has ever written there; check the path"))
}

/// A target that this process holds the lock of.
#[derive(Debug)]
pub(crate) struct Target {
    root: PathBuf,
    /// Released with the process, however that ends.
    lock: File,
    /// Directories that did not exist before, the innermost last.
    created: Vec<PathBuf>,
    /// What an interrupted load had left.
    recovered: Recovered,
}

impl Target {
    /// Creates a target where it is missing, takes its lock, and finishes or undoes what an interrupted load left.
    pub(crate) fn open(root: &Path) -> Result<Self, Error> {
        if root.exists() && !root.is_dir() {
            return Err(unusable(root, "is no directory; choose another --target-path"));
        }
        let cannot_write = |error: io::Error| {
            unusable(root, &format!("can't be written ({error}); choose another --target-path"))
        };
        for own in [PRIVATE.to_owned(), format!("{PRIVATE}/{STAGING}")] {
            place::directory_is_there(root, &own)?;
        }
        let mut created = Vec::new();
        let lock_path = root.join(PRIVATE).join(LOCK);
        place::file_is_there(&lock_path)?;
        let lock = loop {
            disk::create_directories(&root.join(PRIVATE), &mut created).map_err(cannot_write)?;
            match lock::take(&lock_path) {
                Ok(Some(lock)) => break lock,
                // A load that changed nothing took all away that it had made, its lock too.
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

    /// The same, for a target that must be there.
    pub(crate) fn open_existing(root: &Path) -> Result<Self, Error> {
        require_target(root)?;
        Self::open(root)
    }

    /// What an interrupted load had left.
    pub(crate) fn recovered(&self) -> Recovered {
        self.recovered
    }

    /// Begins a load: its new files are made in the directory that this returns, below which nothing is visible to readers.
    pub(crate) fn begin(&mut self, layout: &TargetLayout) -> Result<PathBuf, Error> {
        layout.check(&self.root)?;
        let staging = self.staging();
        disk::create_directories(&staging, &mut Vec::new())
            .map_err(|error| unusable(&self.root, &format!("can't be written ({error})")))?;
        Ok(staging)
    }

    fn staging(&self) -> PathBuf {
        self.private().join(STAGING)
    }

    fn private(&self) -> PathBuf {
        self.root.join(PRIVATE)
    }

    fn journal(&self) -> PathBuf {
        self.private().join(journal::FILE)
    }

    /// Publishes all changes, or none. A load `is_news` that is to be recorded though it changes nothing.
    pub(crate) fn commit(
        mut self,
        changes: Vec<Change>,
        layout: TargetLayout,
        (load, is_news): (LoadFacts, bool),
        threads: usize,
    ) -> Result<(), Error> {
        if !changes.is_empty() || is_news {
            let (journal, new) = match self.prepare(changes, layout, load, threads) {
                Ok(prepared) => prepared,
                Err(error) => {
                    self.abandon();
                    return Err(error);
                }
            };
            if let Err(source) = self.record(&journal) {
                return Err(self.take_back(source));
            }
            self.publish(&journal, &new, threads)?;
            // The load is done; what goes wrong here is for the next one to do.
            let _ = self.fold_history();
        }
        self.clear_staging()
            .map_err(|source| Error::Unfinished { doing: "clearing up after the commit", source })?;
        lock::forget_holder(&self.lock);
        Ok(())
    }

    /// All that can be done before the commit is recorded; says of each change's directory whether it is new. Writing to the disk takes
    /// long, and the processor has nothing to do for it: so that is begun, and done again when all is there to be written.
    fn prepare(
        &mut self,
        changes: Vec<Change>,
        layout: TargetLayout,
        load: LoadFacts,
        threads: usize,
    ) -> Result<(Commit, Vec<bool>), Error> {
        let recording = Error::io("recording the commit");
        let journal = Commit::new(&self.root, changes, layout, load)?;
        let lock = self.lock.try_clone().map_err(recording)?;
        let staging = self.staging();
        let (synced, prepared) = thread::scope(|scope| {
            let syncing = scope.spawn(|| durability::sync_staged(&lock, &staging, &journal.changes));
            let prepared = self.prepare_directories(&journal, threads);
            (syncing.join().unwrap_or_else(|payload| panic::resume_unwind(payload)), prepared)
        });
        // The system tells an error once: the second time all would seem well.
        synced.map_err(recording)?;
        Ok((journal, prepared?))
    }

    /// Makes sure that publishing can't fail for want of a directory to rename into. Empty ones are nothing to readers.
    /// Says of each whether it is new.
    fn prepare_directories(&mut self, journal: &Commit, threads: usize) -> Result<Vec<bool>, Error> {
        let created = Mutex::new(Vec::new());
        let prepared = each_change(threads, journal, |number| {
            let live = self.root.join(&journal.changes[number].directory);
            let mut own = Vec::new();
            let result = disk::create_directories(&live, &mut own).and_then(|is_new| {
                if !is_new {
                    may_be_written(&live)?;
                    // To exchange a directory is to change what is above it.
                    if !journal.changes[number].is_by_rename(&live)? {
                        may_be_written(live.parent().unwrap_or(&self.root))?;
                    }
                }
                Ok(is_new)
            });
            created.lock().unwrap_or_else(PoisonError::into_inner).append(&mut own);
            result.map_err(|error| {
                unusable(&live, &format!("can't be written ({error}); make way for the partition"))
            })
        });
        self.created.append(&mut created.into_inner().unwrap_or_else(PoisonError::into_inner));
        // Each behind what it is in.
        self.created.sort_unstable();
        prepared
    }

    /// Ends a run that commits nothing: the target is left as it was found.
    pub(crate) fn abandon(self) {
        // What can't be deleted now is deleted by the next run.
        let _ = self.clear_staging();
        lock::forget_holder(&self.lock);
        if self.created.contains(&self.private()) {
            let _ = disk::delete_file(&self.private().join(LOCK));
        }
        for directory in self.created.iter().rev() {
            let _ = disk::delete_directory(directory);
        }
    }

    /// Ends a run whose commit could not be recorded. The journal goes before what it speaks of, on the disk too.
    fn take_back(self, source: io::Error) -> Error {
        let doing = "recording the commit";
        let journal = self.journal();
        if !matches!(disk::is_there(&journal), Ok(false)) {
            if disk::delete_file(&journal).is_err() {
                return Error::Unfinished { doing, source };
            }
            let _ = durability::sync_directory(&self.private());
        }
        self.abandon();
        Error::Io { doing, source }
    }
}

fn may_be_written(directory: &Path) -> io::Result<()> {
    rustix::fs::access(directory, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
        let error = io::Error::from(error);
        io::Error::new(error.kind(), format!("{}: {error}", directory.display()))
    })
}

fn unusable(path: &Path, problem: &str) -> Error {
    Error::Target { path: path.to_owned(), problem: problem.to_owned() }
}

fn locked(root: &Path, holder: &str) -> Error {
    let holder = if holder.is_empty() { String::new() } else { format!(" (process {holder})") };
    Error::Locked { path: root.to_owned(), holder }
}
