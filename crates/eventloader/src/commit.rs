//! Staged files → visible partitions, all or nothing; the only module that renames or deletes anything in a target.
//!
//! Private files are in `<target>/_eventloader`: `lock`, `journal.json` and `staging/`. A run goes through these states:
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

use std::{
    collections::BTreeSet,
    fs::{File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::{
    error::Error,
    parquet::{StagedFile, checksum_of},
};

/// Directory of the loader's own files in a target.
const PRIVATE: &str = "_eventloader";
const JOURNAL_VERSION: u32 = 1;

/// A target that this process holds the lock of.
#[derive(Debug)]
pub(crate) struct Target {
    root: PathBuf,
    /// Released with the process, however that ends.
    lock: File,
    /// Directories that did not exist before, the innermost last.
    created: Vec<PathBuf>,
}

/// What a commit does to one directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    /// Relative to the target, with `/`.
    pub(crate) directory: String,
    /// What comes in.
    files: Vec<ChangedFile>,
    /// Whether all Parquet files that are there now go, so that the directory holds these files and no others.
    replaces_all: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ChangedFile {
    staged: String,
    name: String,
    bytes: u64,
    checksum: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Journal {
    version: u32,
    changes: Vec<Change>,
}

/// What a commit does to a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    Created,
    Replaced,
    Unchanged,
}

impl Change {
    /// A partition's files, instead of all that it holds now.
    pub(crate) fn partition(directory: &str, files: &[StagedFile]) -> Self {
        let files = files.iter().map(ChangedFile::from).collect();
        Self { directory: directory.to_owned(), files, replaces_all: true }
    }

    /// One file, beside what else is in its directory.
    pub(crate) fn file(directory: &str, file: &StagedFile) -> Self {
        Self { directory: directory.to_owned(), files: vec![file.into()], replaces_all: false }
    }

    /// What this change will do to what is there now.
    pub(crate) fn action(&self, target: &Path) -> io::Result<Action> {
        let live = target.join(&self.directory);
        if self.is_in(&live)? {
            return Ok(Action::Unchanged);
        }
        let is_there = if self.replaces_all {
            !parquet_names(&live)?.is_empty()
        } else {
            self.files.iter().any(|file| live.join(&file.name).exists())
        };
        Ok(if is_there { Action::Replaced } else { Action::Created })
    }

    /// Whether a directory holds just what this change would make of it, byte for byte.
    fn is_in(&self, directory: &Path) -> io::Result<bool> {
        if self.replaces_all && parquet_names(directory)? != self.names() {
            return Ok(false);
        }
        for file in &self.files {
            let path = directory.join(&file.name);
            let Ok(metadata) = path.metadata() else { return Ok(false) };
            if metadata.len() != file.bytes || checksum_of(&path)? != (file.bytes, file.checksum) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn names(&self) -> BTreeSet<String> {
        self.files.iter().map(|file| file.name.clone()).collect()
    }
}

impl From<&StagedFile> for ChangedFile {
    fn from(file: &StagedFile) -> Self {
        let StagedFile { name, staged, bytes, checksum, .. } = file.clone();
        Self { staged, name, bytes, checksum }
    }
}

impl Target {
    /// Creates a target where it is missing, takes its lock, and finishes or undoes what an interrupted run left.
    pub(crate) fn open(root: &Path) -> Result<Self, Error> {
        let unusable = |problem: String| Error::Target { path: root.to_owned(), problem };
        if root.exists() && !root.is_dir() {
            return Err(unusable("is no directory; choose another --target-path".to_owned()));
        }
        let cannot_write =
            |error: io::Error| unusable(format!("can't be written ({error}); choose another --target-path"));
        let mut created = Vec::new();
        create_directories(&root.join(PRIVATE), &mut created).map_err(cannot_write)?;
        let lock_path = root.join(PRIVATE).join("lock");
        let lock =
            fs::OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&lock_path);
        let lock: File = lock.map_err(cannot_write)?.into();
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&lock_path).unwrap_or_default();
                let holder = holder.trim();
                let holder = if holder.is_empty() { String::new() } else { format!(" (process {holder})") };
                return Err(Error::Locked { path: root.to_owned(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(cannot_write(error)),
        }
        let target = Self { root: root.to_owned(), lock, created };
        target.say_who_holds_it().map_err(cannot_write)?;
        target.recover()?;
        fs::create_dir_all(target.staging()).map_err(cannot_write)?;
        Ok(target)
    }

    fn say_who_holds_it(&self) -> io::Result<()> {
        let mut lock = &self.lock;
        self.lock.set_len(0)?;
        lock.write_all(format!("{}\n", std::process::id()).as_bytes())
    }

    /// Where new files are made: below it nothing is visible to readers.
    pub(crate) fn staging(&self) -> PathBuf {
        self.root.join(PRIVATE).join("staging")
    }

    fn journal(&self) -> PathBuf {
        self.root.join(PRIVATE).join("journal.json")
    }

    fn new_journal(&self) -> PathBuf {
        self.root.join(PRIVATE).join("journal.json.new")
    }

    /// Publishes all changes, or none.
    pub(crate) fn commit(self, changes: Vec<Change>) -> Result<(), Error> {
        if !changes.is_empty() {
            let journal = Journal { version: JOURNAL_VERSION, changes };
            if let Err(source) = self.record(&journal) {
                return Err(self.take_back(source));
            }
            self.publish(&journal)?;
        }
        self.clear_staging()
            .map_err(|source| Error::Unfinished { doing: "clearing up after the commit", source })
    }

    /// Ends a run that commits nothing: the target is left as it was found.
    pub(crate) fn abandon(self) {
        // What can't be deleted now is deleted by the next run.
        let _ = self.clear_staging();
        let _ = fs::remove_file(self.new_journal());
        if !self.created.is_empty() {
            let _ = fs::remove_file(self.root.join(PRIVATE).join("lock"));
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
        self.sync_staged(journal)?;
        let text = serde_json::to_vec_pretty(journal)?;
        let temporary = self.new_journal();
        let mut file = fs::File::create(&temporary)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&temporary, self.journal())?;
        sync_directory(&self.root.join(PRIVATE))
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
            self.publish(&journal)?;
        }
        self.clear_staging().map_err(Error::io("clearing up after an interrupted run"))
    }

    /// Brings all staged files into their places; can be done again from the start at any point.
    fn publish(&self, journal: &Journal) -> Result<(), Error> {
        let unfinished = |doing| move |source| Error::Unfinished { doing, source };
        for (number, change) in journal.changes.iter().enumerate() {
            self.publish_change(change, number).map_err(unfinished("publishing a partition"))?;
        }
        self.sync_published(journal).map_err(unfinished("publishing"))?;
        fs::remove_file(self.journal()).map_err(unfinished("closing the journal"))?;
        sync_directory(&self.root.join(PRIVATE)).map_err(unfinished("closing the journal"))
    }

    fn publish_change(&self, change: &Change, number: usize) -> io::Result<()> {
        let live = self.root.join(&change.directory);
        let swap = self.staging().join(format!("swap-{number}"));
        let by_one_rename = match change.files.as_slice() {
            [file] if change.replaces_all => {
                let there = parquet_names(&live)?;
                there.is_empty() || there == BTreeSet::from([file.name.clone()])
            }
            _ => !change.replaces_all,
        };
        if by_one_rename && !swap.exists() {
            fs::create_dir_all(&live)?;
            for file in &change.files {
                rename_if_there(&self.staging().join(&file.staged), &live.join(&file.name))?;
            }
            return Ok(());
        }
        self.exchange(change, &live, &swap)
    }

    /// Makes the partition's new directory in full, then puts it in the place of the old one.
    fn exchange(&self, change: &Change, live: &Path, swap: &Path) -> io::Result<()> {
        let old = swap.with_extension("old");
        if !change.is_in(live)? {
            fs::create_dir_all(swap)?;
            for file in &change.files {
                rename_if_there(&self.staging().join(&file.staged), &swap.join(&file.name))?;
            }
            if live.exists() {
                exchange_directories(swap, live, &old)?;
            } else {
                fs::rename(swap, live)?;
            }
        }
        for directory in [swap, &old] {
            if directory.exists() {
                keep_other_files(directory, live)?;
                fs::remove_dir_all(directory)?;
            }
        }
        Ok(())
    }

    fn clear_staging(&self) -> io::Result<()> {
        let staging = self.staging();
        if staging.exists() { fs::remove_dir_all(staging) } else { Ok(()) }
    }

    /// One sync of the file system for all files: with thousands of partitions, a sync of each takes many times longer.
    #[cfg(target_os = "linux")]
    fn sync_staged(&self, _: &Journal) -> io::Result<()> {
        Ok(rustix::fs::syncfs(&self.lock)?)
    }

    #[cfg(not(target_os = "linux"))]
    fn sync_staged(&self, journal: &Journal) -> io::Result<()> {
        let files = journal.changes.iter().flat_map(|change| &change.files);
        for file in files {
            fs::File::open(self.staging().join(&file.staged))?.sync_all()?;
        }
        sync_directory(&self.staging())
    }

    #[cfg(target_os = "linux")]
    fn sync_published(&self, journal: &Journal) -> io::Result<()> {
        self.sync_staged(journal)
    }

    #[cfg(not(target_os = "linux"))]
    fn sync_published(&self, journal: &Journal) -> io::Result<()> {
        let mut directories = BTreeSet::from([self.root.clone()]);
        for change in &journal.changes {
            let live = self.root.join(&change.directory);
            directories.extend(live.ancestors().take_while(|path| *path != self.root).map(Path::to_owned));
        }
        directories.iter().try_for_each(|directory| sync_directory(directory))
    }
}

/// The names of a directory's Parquet files; none where it does not exist.
fn parquet_names(directory: &Path) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    if directory.is_dir() {
        for entry in fs::read_dir(directory)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".parquet") {
                names.insert(name);
            }
        }
    }
    Ok(names)
}

/// Moves a file, unless that was done before.
fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && to.exists() => Ok(()),
        result => result,
    }
}

/// Swaps two directories in one step, or where the file system can't, in two with `old` in between.
fn exchange_directories(new: &Path, live: &Path, old: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        if renameat_with(CWD, new, CWD, live, RenameFlags::EXCHANGE).is_ok() {
            return Ok(());
        }
    }
    fs::rename(live, old)?;
    fs::rename(new, live)
}

/// Moves what is not Parquet out of a directory that is about to be deleted.
fn keep_other_files(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if !name.to_string_lossy().ends_with(".parquet") && !to.join(&name).exists() {
            fs::rename(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

fn create_directories(path: &Path, created: &mut Vec<PathBuf>) -> io::Result<()> {
    let missing: Vec<_> =
        path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
    for directory in missing.into_iter().rev() {
        fs::create_dir(directory)?;
        created.push(directory.to_owned());
    }
    Ok(())
}

fn sync_directory(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}
