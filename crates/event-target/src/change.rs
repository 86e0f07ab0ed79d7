//! One change of a directory in a target: what it contains, and what it will do to the existing files.
//!
//! Invariant: a change is described in full, so that any later process can carry it out (`placing.rs`).

use std::{collections::BTreeSet, io, path::Path};

use serde::{Deserialize, Serialize};

use crate::{DedupeScope, StagedFile, Stamp, TargetError, partitions::place, staged_file::checksum_of};

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
    /// The fields by which the latest version of each of its events was decided, before the timestamp; empty
    /// if the event type has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub version: Vec<String>,
    /// The columns of its rows, by their name in the commit; `None` if it has none, or of an older load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The files that the directory has first, while the changes of other directories are carried out: its
    /// rows without those whose events move there. `None` if nothing has to come first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Vec<ChangedFile>>,
    /// The scope in which each of its events should occur once, if it is not that of the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedupe_scope: Option<DedupeScope>,
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
    /// Of a file of a table: the statistics of its columns, as the table's log has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistics: Option<String>,
}

/// What a commit does to a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
            version: Vec::new(),
            table: None,
            first: None,
            dedupe_scope: None,
        }
    }

    /// The same change of an event type that has a version.
    #[must_use]
    pub fn with_version(self, version: Vec<String>) -> Self {
        Self { version, ..self }
    }

    /// The same change of rows that other loads have decided on.
    #[must_use]
    pub fn with_scope(self, dedupe_scope: DedupeScope) -> Self {
        Self { dedupe_scope: Some(dedupe_scope), ..self }
    }

    /// Sets what the partition has first.
    pub fn set_first(&mut self, first: &[StagedFile]) {
        self.first = Some(first.iter().map(ChangedFile::from).collect());
    }

    /// What comes first, as a change of its own.
    pub(crate) fn first(&self) -> Option<Self> {
        let files = self.first.clone()?;
        Some(Self { files, first: None, ..self.clone() })
    }

    /// Adds one file, in the place of the one that it `replaces`, and keeps the others in its directory.
    #[must_use]
    pub fn file(directory: &str, file: &StagedFile, replaces: Option<String>) -> Self {
        Self {
            directory: directory.to_owned(),
            event_type: None,
            files: vec![file.into()],
            replaces_all: false,
            // A rename replaces what has the same name.
            removes: replaces.into_iter().filter(|replaced| *replaced != file.name).collect(),
            version: Vec::new(),
            table: None,
            first: None,
            dedupe_scope: None,
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
            version: Vec::new(),
            table: None,
            first: None,
            dedupe_scope: None,
        }
    }

    /// What this change will do to the existing files of a target of partitions.
    pub(crate) fn action(&self, target: &Path) -> Result<Action, TargetError> {
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
    pub(crate) fn is_in(&self, directory: &Path) -> io::Result<bool> {
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

    /// The names of its files in the staging directory, and in its own directory.
    pub(crate) fn staged(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|file| (file.staged.as_str(), file.name.as_str()))
    }

    /// The same of all files, those that come first included.
    pub(crate) fn all_staged(&self) -> impl Iterator<Item = (&str, &str)> {
        let first = self.first.iter().flatten().map(|file| (file.staged.as_str(), file.name.as_str()));
        self.staged().chain(first)
    }

    /// The names that its files will have.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.files.iter().map(|file| file.name.clone()).collect()
    }
}

impl From<&StagedFile> for ChangedFile {
    fn from(file: &StagedFile) -> Self {
        let StagedFile { name, staged, rows, bytes, checksum, stamp, statistics } = file.clone();
        Self { staged, name, rows, bytes, checksum, stamp, statistics }
    }
}

/// The names of a directory's Parquet files; none where it does not exist.
pub(crate) fn parquet_names(directory: &Path) -> io::Result<BTreeSet<String>> {
    let names = storage::names_in(directory)?.unwrap_or_default();
    let names = names.into_iter().map(|name| name.to_string_lossy().into_owned());
    Ok(names.filter(|name| name.ends_with(".parquet")).collect())
}
