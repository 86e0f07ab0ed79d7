//! One change of a directory in a target: what it contains, what it will do, and how it is carried out.
//!
//! Invariant: [`Change::publish`] can be repeated from the start wherever it was interrupted, with the same
//! result.

use std::{
    collections::BTreeSet,
    io::{self, ErrorKind},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::{StagedFile, Stamp, TargetError, checksum_of, place};

/// What a commit does to one directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Relative to the target, with `/`.
    pub directory: String,
    /// The domain and type of its rows; `None` if it is not a partition.
    pub event_type: Option<(String, String)>,
    /// The new files.
    pub files: Vec<ChangedFile>,
    /// Whether all existing Parquet files are removed, so that the directory has these files and no others.
    pub replaces_all: bool,
    /// The names of the files to remove.
    #[serde(default)]
    pub removes: Vec<String>,
}

/// A new file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedFile {
    staged: String,
    /// Its name in the directory.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Its length.
    pub bytes: u64,
    /// XXH3 of all bytes.
    pub checksum: u64,
    /// Its stamp. Older commits have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Stamp>,
}

/// What a commit does to a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is new.
    Created,
    /// It has other rows now.
    Replaced,
    /// It has the same bytes already.
    Unchanged,
    /// It has no rows any more.
    Removed,
}

impl Change {
    /// Replaces all of a partition's files.
    #[must_use]
    pub fn partition(directory: &str, (domain, event_type): (&str, &str), files: &[StagedFile]) -> Self {
        Self {
            directory: directory.to_owned(),
            event_type: Some((domain.to_owned(), event_type.to_owned())),
            files: files.iter().map(ChangedFile::from).collect(),
            replaces_all: true,
            removes: Vec::new(),
        }
    }

    /// Adds one file, and keeps the others in its directory.
    #[must_use]
    pub fn file(directory: &str, file: &StagedFile) -> Self {
        Self {
            directory: directory.to_owned(),
            event_type: None,
            files: vec![file.into()],
            replaces_all: false,
            removes: Vec::new(),
        }
    }

    /// Removes one file, and keeps the others in its directory.
    #[must_use]
    pub fn removal(directory: &str, name: String) -> Self {
        Self {
            directory: directory.to_owned(),
            event_type: None,
            files: Vec::new(),
            replaces_all: false,
            removes: vec![name],
        }
    }

    /// What this change will do to the existing files.
    ///
    /// # Errors
    /// [`TargetError::Unusable`] if it can't be carried out: see `place.rs`.
    pub fn action(&self, target: &Path) -> Result<Action, TargetError> {
        let comparing = |source| TargetError::Io { doing: "comparing with the target", source };
        if !place::directory_is_there(target, &self.directory)? {
            return Ok(Action::Created);
        }
        let live = target.join(&self.directory);
        let mut names = self.names();
        names.extend(self.removes.iter().cloned());
        if self.replaces_all {
            names.extend(parquet_names(&live).map_err(comparing)?);
        }
        let mut is_there = false;
        for name in names {
            is_there |= place::file_is_there(&live.join(name))?;
        }
        match is_there {
            true if self.files.is_empty() => Ok(Action::Removed),
            false => Ok(Action::Created),
            true if self.is_in(&live).map_err(comparing)? => Ok(Action::Unchanged),
            true => Ok(Action::Replaced),
        }
    }

    /// Whether a directory already is what this change would make of it, byte for byte.
    fn is_in(&self, directory: &Path) -> io::Result<bool> {
        if self.replaces_all && parquet_names(directory)? != self.names() {
            return Ok(false);
        }
        for file in &self.files {
            let path = directory.join(&file.name);
            if place::file_bytes(&path)? != Some(file.bytes)
                || checksum_of(&path)? != (file.bytes, file.checksum)
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(crate) fn is_one_file(&self) -> bool {
        self.files.len() == 1
    }

    /// Moves the only staged file into its place, where no other is.
    pub(crate) fn publish_one(&self, root: &Path, staging: &Path) -> io::Result<()> {
        self.rename_files(staging, &root.join(&self.directory))
    }

    fn rename_files(&self, staging: &Path, to: &Path) -> io::Result<()> {
        self.files
            .iter()
            .try_for_each(|file| rename_if_there(&staging.join(&file.staged), &to.join(&file.name)))
    }

    /// Moves the staged files into their place; `number` names the change's own directory in `staging`.
    pub(crate) fn publish(&self, root: &Path, staging: &Path, number: usize) -> io::Result<()> {
        let live = root.join(&self.directory);
        let swap = staging.join(format!("swap-{number}"));
        if self.is_by_rename(&live)? && !storage::is_there(&swap)? {
            self.rename_files(staging, &live)?;
            for name in &self.removes {
                storage::delete_file(&live.join(name))?;
            }
            return if self.removes.is_empty() { Ok(()) } else { delete_empty(root, &live) };
        }
        self.exchange(staging, &live, &swap)?;
        if self.files.is_empty() { delete_empty(root, &live) } else { Ok(()) }
    }

    /// Whether renaming files into a directory is enough for this change, with no step at which a reader sees
    /// both or neither.
    pub(crate) fn is_by_rename(&self, live: &Path) -> io::Result<bool> {
        match self.files.as_slice() {
            [file] if self.replaces_all => {
                let there = parquet_names(live)?;
                Ok(there.is_empty() || there == BTreeSet::from([file.name.clone()]))
            }
            _ => Ok(!self.replaces_all),
        }
    }

    /// Builds the partition's new directory in full, then puts it in the place of the old one.
    fn exchange(&self, staging: &Path, live: &Path, swap: &Path) -> io::Result<()> {
        let old = swap.with_extension("old");
        if !self.is_in(live)? {
            storage::create_directories(swap, &mut Vec::new())?;
            self.rename_files(staging, swap)?;
            if storage::is_there(live)? {
                exchange_directories(swap, live, &old)?;
            } else {
                storage::rename(swap, live)?;
            }
        }
        for directory in [swap, &old] {
            if storage::is_there(directory)? {
                keep_other_files(directory, live)?;
                storage::delete_all(directory)?;
            }
        }
        Ok(())
    }

    /// The names of its files in the staging directory.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn staged_names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.staged.as_str())
    }

    fn names(&self) -> BTreeSet<String> {
        self.files.iter().map(|file| file.name.clone()).collect()
    }
}

impl From<&StagedFile> for ChangedFile {
    fn from(file: &StagedFile) -> Self {
        let StagedFile { name, staged, rows, bytes, checksum, stamp } = file.clone();
        Self { staged, name, rows, bytes, checksum, stamp }
    }
}

/// The names of a directory's Parquet files; none where it does not exist.
fn parquet_names(directory: &Path) -> io::Result<BTreeSet<String>> {
    let names = storage::names_in(directory)?.unwrap_or_default();
    let names = names.into_iter().map(|name| name.to_string_lossy().into_owned());
    Ok(names.filter(|name| name.ends_with(".parquet")).collect())
}

/// Moves a file, unless that was done before; creates its directory if someone has deleted it.
fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match storage::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound && storage::is_there(to)? => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound && storage::is_there(from)? => {
            storage::create_directories(to.parent().unwrap_or(to), &mut Vec::new())?;
            storage::rename(from, to)
        }
        result => result,
    }
}

/// Deletes a directory of a target and those around it, as long as they are empty.
fn delete_empty(root: &Path, directory: &Path) -> io::Result<()> {
    for directory in directory.ancestors().take_while(|directory| *directory != root) {
        match storage::delete_directory(directory) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => break,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            result => result?,
        }
    }
    Ok(())
}

/// Swaps two directories in one step or, if the file system can't, in two with `old` in between.
fn exchange_directories(new: &Path, live: &Path, old: &Path) -> io::Result<()> {
    if storage::exchange(new, live)? {
        return Ok(());
    }
    storage::rename(live, old)?;
    storage::rename(new, live)
}

/// Moves files that are not Parquet out of a directory that is about to be deleted.
fn keep_other_files(from: &Path, to: &Path) -> io::Result<()> {
    for name in storage::names_in(from)?.unwrap_or_default() {
        if !name.to_string_lossy().ends_with(".parquet") && !storage::is_there(&to.join(&name))? {
            storage::rename(&from.join(&name), &to.join(&name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test accesses files directly")]
mod tests {
    use fs_err as fs;

    use super::*;

    const FILES: [(&str, &str); 2] =
        [("part-00000.zstd.parquet", "new 0"), ("part-00001.zstd.parquet", "new 1")];

    /// A target whose partition `p` has files of another program, and the staged files of a change of it.
    fn target() -> (tempfile::TempDir, Change) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("p")).unwrap();
        fs::create_dir_all(dir.path().join("staging")).unwrap();
        for (name, content) in [("a.parquet", "old a"), ("b.parquet", "old b"), ("_SUCCESS", "")] {
            fs::write(dir.path().join("p").join(name), content).unwrap();
        }
        let staged = FILES.map(|(name, content)| {
            let path = dir.path().join("staging").join(name).with_extension("staged");
            fs::write(&path, content).unwrap();
            let (bytes, checksum) = checksum_of(&path).unwrap();
            let staged = path.file_name().unwrap().to_string_lossy().into_owned();
            StagedFile { name: name.to_owned(), staged, rows: 1, bytes, checksum, stamp: None }
        });
        (dir, Change::partition("p", ("d", "t"), &staged))
    }

    #[track_caller]
    fn assert_published(root: &Path) {
        let names = |path: &Path| -> BTreeSet<String> {
            fs::read_dir(path)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
                .collect()
        };
        let expected = ["_SUCCESS", FILES[0].0, FILES[1].0].map(str::to_owned);
        assert_eq!(names(&root.join("p")), BTreeSet::from(expected));
        for (name, content) in FILES {
            assert_eq!(fs::read_to_string(root.join("p").join(name)).unwrap(), content);
        }
        assert!(!root.join("staging/swap-0").exists() && !root.join("staging/swap-0.old").exists());
    }

    #[test]
    fn another_set_of_files_comes_in_one_step_and_other_files_stay() {
        let (dir, change) = target();
        let (root, staging) = (dir.path(), dir.path().join("staging"));
        assert_eq!(change.action(root).unwrap(), Action::Replaced);
        for _ in 0..2 {
            change.publish(root, &staging, 0).unwrap();
            assert_published(root);
        }
        assert_eq!(change.action(root).unwrap(), Action::Unchanged);
    }

    #[test]
    fn publishing_goes_on_from_wherever_it_was_interrupted() {
        type Interruption = fn(&Path, &Path, &Path);
        let interruptions: [Interruption; 4] = [
            |_, _, swap| fs::create_dir(swap).unwrap(),
            |_, staging, swap| {
                fs::create_dir(swap).unwrap();
                fs::rename(staging.join("part-00000.zstd.staged"), swap.join(FILES[0].0)).unwrap();
            },
            // Exchanged, the old directory not deleted yet.
            |root, staging, swap| {
                fs::rename(root.join("p"), swap).unwrap();
                fs::create_dir(root.join("p")).unwrap();
                for (name, _) in FILES {
                    let staged = staging.join(name).with_extension("staged");
                    fs::rename(staged, root.join("p").join(name)).unwrap();
                }
            },
            // Between the two renames of a file system that can't exchange.
            |root, staging, swap| {
                fs::rename(root.join("p"), swap.with_extension("old")).unwrap();
                fs::create_dir(swap).unwrap();
                for (name, _) in FILES {
                    fs::rename(staging.join(name).with_extension("staged"), swap.join(name)).unwrap();
                }
            },
        ];
        for interrupt in interruptions {
            let (dir, change) = target();
            let (root, staging) = (dir.path(), dir.path().join("staging"));
            interrupt(root, &staging, &staging.join("swap-0"));
            change.publish(root, &staging, 0).unwrap();
            assert_published(root);
        }
    }
}
