//! Staged files → visible partitions, all or nothing; the only module that renames or deletes anything in a target.
//!
//! Private files are in `<target>/_eventloader`: `lock`, `journal.json`, `layout.json` and `staging/`. A run goes through these states:
//!
//! 1. **staging**: new files are in `staging/`, under names that no reader takes for data. A run that ends here leaves the
//!    target as it was; the next run deletes `staging/`.
//! 2. **recorded**: all staged files are on disk, then `journal.json` appears by rename. From here on the run counts.
//! 3. **publishing**: partition by partition the staged files come into their places. Whoever finds a journal carries
//!    publishing to its end before anything else; every step can be done again.
//! 4. **done**: all is on disk, then the journal and `staging/` are deleted.
//!
//! A partition whose one file is replaced by one of the same name changes by one rename of that file. Any other partition
//! is made in full as a directory in `staging/` and exchanged with the old one in one step, where the file system can
//! (Linux, macOS); elsewhere it is missing for the moment between two renames.
//!
//! Invariant: a reader that lists a partition's `*.parquet` files sees the old or the new ones. What is not Parquet in a
//! partition's directory stays.

mod change;
mod durability;
mod layout;
mod lock;
mod place;

use std::{
    fs::File,
    io::{self, Write},
    panic,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
};

use fs_err as fs;
use rustix::fs::Access;
use serde::{Deserialize, Serialize};

use self::lock::NotLocked;
pub(crate) use self::{
    change::{Action, Change},
    layout::TargetLayout,
};
use crate::{error::Error, workers};

/// Directory of the loader's own files in a target.
const PRIVATE: &str = "_eventloader";
/// In it: new files, and the lock.
const STAGING: &str = "staging";
const LOCK: &str = "lock";
const JOURNAL_VERSION: u32 = 1;

/// A target that this process holds the lock of.
#[derive(Debug)]
pub(crate) struct Target {
    root: PathBuf,
    /// Released with the process, however that ends.
    lock: File,
    /// Directories that did not exist before, the innermost last.
    created: Vec<PathBuf>,
    layout: TargetLayout,
}

#[derive(Debug, Serialize, Deserialize)]
struct Journal {
    version: u32,
    layout: TargetLayout,
    changes: Vec<Change>,
}

impl Target {
    /// Creates a target where it is missing, takes its lock, and finishes or undoes what an interrupted run left.
    pub(crate) fn open(root: &Path, layout: TargetLayout) -> Result<Self, Error> {
        let unusable = |problem: String| Error::Target { path: root.to_owned(), problem };
        if root.exists() && !root.is_dir() {
            return Err(unusable("is no directory; choose another --target-path".to_owned()));
        }
        let cannot_write =
            |error: io::Error| unusable(format!("can't be written ({error}); choose another --target-path"));
        for own in [PRIVATE.to_owned(), format!("{PRIVATE}/{STAGING}")] {
            place::directory_is_there(root, &own)?;
        }
        let mut created = Vec::new();
        let lock_path = root.join(PRIVATE).join(LOCK);
        place::file_is_there(&lock_path)?;
        let lock = loop {
            create_directories(&root.join(PRIVATE), &mut created).map_err(cannot_write)?;
            match lock::take(&lock_path) {
                Ok(Some(lock)) => break lock,
                // A load that changed nothing took all away that it had made, its lock too.
                Ok(None) => {}
                Err(NotLocked::Failed(error)) if error.kind() == io::ErrorKind::NotFound => {}
                Err(NotLocked::Failed(error)) => return Err(cannot_write(error)),
                Err(NotLocked::Held(holder)) => {
                    let holder =
                        if holder.is_empty() { String::new() } else { format!(" (process {holder})") };
                    return Err(Error::Locked { path: root.to_owned(), holder });
                }
            }
        };
        let target = Self { root: root.to_owned(), lock, created, layout };
        target.recover()?;
        if let Err(error) = target.layout.check(root) {
            target.abandon();
            return Err(error);
        }
        fs::create_dir_all(target.staging()).map_err(cannot_write)?;
        Ok(target)
    }

    /// Where new files are made: below it nothing is visible to readers.
    pub(crate) fn staging(&self) -> PathBuf {
        self.root.join(PRIVATE).join(STAGING)
    }

    fn journal(&self) -> PathBuf {
        self.root.join(PRIVATE).join("journal.json")
    }

    fn new_journal(&self) -> PathBuf {
        self.root.join(PRIVATE).join("journal.json.new")
    }

    /// Publishes all changes, or none.
    pub(crate) fn commit(mut self, changes: Vec<Change>, threads: usize) -> Result<(), Error> {
        if !changes.is_empty() {
            let journal = Journal { version: JOURNAL_VERSION, layout: self.layout.clone(), changes };
            let new = match self.prepare(&journal, threads) {
                Ok(new) => new,
                Err(error) => {
                    self.abandon();
                    return Err(error);
                }
            };
            if let Err(source) = self.record(&journal) {
                return Err(self.take_back(source));
            }
            self.publish(&journal, &new, threads)?;
        }
        self.clear_staging()
            .map_err(|source| Error::Unfinished { doing: "clearing up after the commit", source })?;
        lock::forget_holder(&self.lock);
        Ok(())
    }

    /// All that can be done before the commit is recorded. Writing to the disk takes long, and the processor has nothing to do for
    /// it: so that is begun, and done again when all is there to be written.
    fn prepare(&mut self, journal: &Journal, threads: usize) -> Result<Vec<bool>, Error> {
        let recording = Error::io("recording the commit");
        let lock = self.lock.try_clone().map_err(recording)?;
        let staging = self.staging();
        let (synced, prepared) = thread::scope(|scope| {
            let syncing = scope.spawn(|| durability::sync_staged(&lock, &staging, &journal.changes));
            let prepared = self.prepare_directories(journal, threads);
            (syncing.join().unwrap_or_else(|payload| panic::resume_unwind(payload)), prepared)
        });
        // The system tells an error once: the second time all would seem well.
        synced.map_err(recording)?;
        prepared
    }

    /// Makes sure that publishing can't fail for want of a directory to rename into. Empty ones are nothing to readers.
    /// Says of each whether it is new.
    fn prepare_directories(&mut self, journal: &Journal, threads: usize) -> Result<Vec<bool>, Error> {
        let created = Mutex::new(Vec::new());
        let prepared = each_change(threads, journal, |number| {
            let live = self.root.join(&journal.changes[number].directory);
            let mut own = Vec::new();
            let result = create_directories(&live, &mut own).and_then(|is_new| {
                if !is_new {
                    rustix::fs::access(&live, Access::WRITE_OK | Access::EXEC_OK)?;
                }
                Ok(is_new)
            });
            created.lock().unwrap_or_else(PoisonError::into_inner).append(&mut own);
            result.map_err(|error| {
                let problem = format!("can't be written ({error}); make way for the partition");
                Error::Target { path: live, problem }
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
        if self.created.contains(&self.root.join(PRIVATE)) {
            let _ = fs::remove_file(self.root.join(PRIVATE).join(LOCK));
        }
        for directory in self.created.iter().rev() {
            let _ = fs::remove_dir(directory);
        }
    }

    /// Ends a run whose commit could not be recorded. The journal goes before what it speaks of.
    fn take_back(self, source: io::Error) -> Error {
        let doing = "recording the commit";
        match fs::remove_file(self.journal()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Error::Unfinished { doing, source },
            _ => {
                self.abandon();
                Error::Io { doing, source }
            }
        }
    }

    fn record(&self, journal: &Journal) -> io::Result<()> {
        // The journal must not become durable before what it speaks of.
        durability::sync_staged(&self.lock, &self.staging(), &journal.changes)?;
        let text = serde_json::to_vec_pretty(journal)?;
        let temporary = self.new_journal();
        let mut file = fs::File::create(&temporary)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&temporary, self.journal())?;
        durability::sync_directory(&self.root.join(PRIVATE))
    }

    fn recover(&self) -> Result<(), Error> {
        let path = self.journal();
        if path.exists() {
            let text = fs::read(&path).map_err(Error::io("reading the journal of an interrupted run"))?;
            let journal: Journal = serde_json::from_slice(&text).map_err(|error| Error::Damaged {
                path: path.clone(),
                line: error.line(),
                problem: error.to_string(),
            })?;
            if journal.version != JOURNAL_VERSION {
                let problem = format!("version {} of another eventloader; use that one", journal.version);
                return Err(Error::Damaged { path, line: 1, problem });
            }
            // Whoever was interrupted may have begun.
            let new = vec![false; journal.changes.len()];
            self.publish(&journal, &new, 1)?;
        }
        self.clear_staging().map_err(Error::io("clearing up after an interrupted run"))
    }

    /// Brings all staged files into their places; can be done again from the start at any point.
    /// Of directories that are `new` it is known that they are empty.
    fn publish(&self, journal: &Journal, new: &[bool], threads: usize) -> Result<(), Error> {
        let unfinished = |doing| move |source| Error::Unfinished { doing, source };
        let staging = self.staging();
        each_change(threads, journal, |number| {
            let change = &journal.changes[number];
            let published = if new[number] && change.is_one_file() {
                change.publish_one(&self.root, &staging)
            } else {
                change.publish(&self.root, &staging, number)
            };
            published.map_err(unfinished("publishing a partition"))
        })?;
        journal.layout.remember(&self.root).map_err(unfinished("remembering the target's layout"))?;
        durability::sync_published(&self.lock, &self.root, &journal.changes)
            .map_err(unfinished("publishing"))?;
        fs::remove_file(self.journal()).map_err(unfinished("closing the journal"))?;
        durability::sync_directory(&self.root.join(PRIVATE)).map_err(unfinished("closing the journal"))
    }

    fn clear_staging(&self) -> io::Result<()> {
        if self.new_journal().exists() {
            fs::remove_file(self.new_journal())?;
        }
        let staging = self.staging();
        if staging.exists() { fs::remove_dir_all(staging) } else { Ok(()) }
    }
}

/// Does `work` for each change, by its number. A thread takes neighbours: of two threads that make directories in one, one waits.
fn each_change<T: Send>(
    threads: usize,
    journal: &Journal,
    work: impl Fn(usize) -> Result<T, Error> + Sync,
) -> Result<Vec<T>, Error> {
    const NEIGHBOURS: usize = 64;
    let changes = journal.changes.len();
    let done = workers::map(threads, changes.div_ceil(NEIGHBOURS), |piece| {
        let numbers = piece * NEIGHBOURS..changes.min((piece + 1) * NEIGHBOURS);
        numbers.map(&work).collect::<Result<Vec<_>, _>>()
    })?;
    Ok(done.into_iter().flatten().collect())
}

/// Creates a directory with all that leads to it, and says whether it was missing; what was is added to `created`.
fn create_directories(path: &Path, created: &mut Vec<PathBuf>) -> io::Result<bool> {
    let mut result = fs::create_dir(path);
    if let (Err(error), Some(parent)) = (&result, path.parent())
        && error.kind() == io::ErrorKind::NotFound
    {
        create_directories(parent, created)?;
        result = fs::create_dir(path);
    }
    match result {
        Ok(()) => {
            created.push(path.to_owned());
            Ok(true)
        }
        Err(_) if path.is_dir() => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(io::Error::new(io::ErrorKind::NotADirectory, "there is a file of that name"))
        }
        Err(error) => Err(error),
    }
}
