//! A target of partitions → its files that readers take for data, and those of the quarantine.
//!
//! Invariant: no link is followed. A file that is neither Parquet nor quarantine belongs to another program,
//! and is skipped.

use std::{collections::BTreeMap, io, path::Path};

use crate::{QUARANTINE, TargetError};

/// The names of the regular files in the quarantine.
pub(crate) fn quarantine_files(root: &Path) -> io::Result<Vec<String>> {
    let directory = root.join(QUARANTINE);
    let mut files = Vec::new();
    for name in storage::names_in(&directory)?.unwrap_or_default() {
        let is_file = storage::look_at(&directory.join(&name))?.is_some_and(|found| found.is_file());
        if let (Ok(name), true) = (name.into_string(), is_file) {
            files.push(name);
        }
    }
    Ok(files)
}

/// The paths of the Parquet files in a directory.
pub(crate) fn parquet_files(root: &Path, directory: &str) -> io::Result<Vec<String>> {
    let names = storage::names_in(&root.join(directory))?.unwrap_or_default();
    let names = names.into_iter().filter_map(|name| name.into_string().ok());
    let files = names.filter(|name| name.ends_with(".parquet"));
    Ok(files.map(|name| format!("{directory}/{name}")).collect())
}

/// The path of a Parquet file below directories that are called like these columns, some of which may be left
/// out.
pub(crate) fn file_below(root: &Path, directory: &str, columns: &[&str]) -> Option<String> {
    let names = storage::names_in(&root.join(directory)).ok()??;
    let names: Vec<_> = names.iter().filter_map(|name| name.to_str()).collect();
    let is_file = |name: &&&str| columns.is_empty() && name.ends_with(".parquet");
    if let Some(file) = names.iter().find(is_file) {
        return Some(format!("{directory}{file}"));
    }
    let mut inner = names.iter().filter_map(|name| {
        let (column, _) = name.split_once('=')?;
        let place = columns.iter().position(|known| *known == column)?;
        file_below(root, &format!("{directory}{name}/"), &columns[place + 1..])
    });
    inner.next()
}

/// The files of a target.
#[derive(Debug, Default)]
pub struct ListedFiles {
    /// Their lengths in bytes, by path in the target, with `/`.
    pub files: BTreeMap<String, u64>,
    /// Paths of links, pipes and the like with the name of such a file.
    pub not_files: Vec<String>,
    /// Of a target of tables: the paths of recorded files that are there, but are no longer named by the log
    /// of their table.
    pub unlisted: Vec<String>,
}

/// Lists the files of a target.
pub(crate) fn list_files(root: &Path) -> Result<ListedFiles, TargetError> {
    let mut found = ListedFiles::default();
    found.add(root, "").map_err(TargetError::io("looking through the target"))?;
    Ok(found)
}

impl ListedFiles {
    /// Adds the files in a directory, given by its path in the target.
    fn add(&mut self, root: &Path, directory: &str) -> io::Result<()> {
        for name in storage::names_in(&root.join(directory))?.unwrap_or_default() {
            let path = Path::new(directory).join(&name);
            let there = root.join(&path);
            // If a name is not UTF-8, readers see something like this.
            let path = path.to_string_lossy().into_owned();
            let is_private = directory.is_empty() && path.starts_with(['_', '.']);
            let Some(found) = storage::look_at(&there)? else { continue };
            if found.is_dir() {
                if !is_private || path == QUARANTINE {
                    self.add(root, &path)?;
                }
            } else if path.ends_with(".parquet") || path.starts_with(&format!("{QUARANTINE}/")) {
                if found.is_file() {
                    self.files.insert(path, found.len());
                } else {
                    self.not_files.push(path);
                }
            }
        }
        Ok(())
    }
}
