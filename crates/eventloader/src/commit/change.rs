//! One change of a directory in a target: what it is, what it will do, and how it is carried out.
//!
//! Invariant: [`Change::publish`] can be done again from the start wherever it was interrupted, with the same end.

use std::{collections::BTreeSet, io, path::Path};

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::parquet::{StagedFile, checksum_of};

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

    /// Brings the staged files into their place; `number` names the change's own directory in `staging`.
    pub(super) fn publish(&self, root: &Path, staging: &Path, number: usize) -> io::Result<()> {
        let live = root.join(&self.directory);
        let swap = staging.join(format!("swap-{number}"));
        let by_one_rename = match self.files.as_slice() {
            [file] if self.replaces_all => {
                let there = parquet_names(&live)?;
                there.is_empty() || there == BTreeSet::from([file.name.clone()])
            }
            _ => !self.replaces_all,
        };
        if by_one_rename && !swap.exists() {
            fs::create_dir_all(&live)?;
            for file in &self.files {
                rename_if_there(&staging.join(&file.staged), &live.join(&file.name))?;
            }
            return Ok(());
        }
        self.exchange(staging, &live, &swap)
    }

    /// Makes the partition's new directory in full, then puts it in the place of the old one.
    fn exchange(&self, staging: &Path, live: &Path, swap: &Path) -> io::Result<()> {
        let old = swap.with_extension("old");
        if !self.is_in(live)? {
            fs::create_dir_all(swap)?;
            for file in &self.files {
                rename_if_there(&staging.join(&file.staged), &swap.join(&file.name))?;
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

    /// The names of its files in the staging directory.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn staged_names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.staged.as_str())
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
