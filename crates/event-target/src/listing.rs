//! A target → its files that readers take for data, and those of the quarantine.
//!
//! Invariant: no link is followed. A file that is neither Parquet nor quarantine belongs to another program,
//! and is skipped.

use std::{collections::BTreeMap, path::Path};

use crate::{QUARANTINE, TargetError};

/// The files of a target.
#[derive(Debug, Default)]
pub struct ListedFiles {
    /// Their lengths in bytes, by path in the target, with `/`.
    pub files: BTreeMap<String, u64>,
    /// Paths of links, pipes and the like with the name of such a file.
    pub not_files: Vec<String>,
}

/// Lists the files of a target.
///
/// # Errors
/// A directory can't be read.
pub fn list_files(root: &Path) -> Result<ListedFiles, TargetError> {
    let mut found = ListedFiles::default();
    found.add(root, "").map_err(TargetError::io("looking through the target"))?;
    Ok(found)
}

impl ListedFiles {
    /// Adds the files in a directory, given by its path in the target.
    fn add(&mut self, root: &Path, directory: &str) -> std::io::Result<()> {
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
