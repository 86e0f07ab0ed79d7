//! A target's directory → the files in it that readers take for data, and those of the quarantine.
//!
//! Invariant: no link is followed; what is neither Parquet nor quarantine is other programs' and is passed over.

use std::{collections::BTreeMap, path::Path};

use super::Problem;
use crate::{disk, error::Error, quarantine};

/// What is there.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Lengths in bytes, by path in the target, with `/`.
    pub(super) files: BTreeMap<String, u64>,
    pub(super) problems: Vec<Problem>,
}

pub(super) fn files(root: &Path) -> Result<Found, Error> {
    let mut found = Found::default();
    found.add(root, "").map_err(Error::io("looking through the target"))?;
    Ok(found)
}

impl Found {
    /// Adds what is in a directory, given by its path in the target.
    fn add(&mut self, root: &Path, directory: &str) -> std::io::Result<()> {
        for name in disk::names_in(&root.join(directory))?.unwrap_or_default() {
            let path = Path::new(directory).join(&name);
            let there = root.join(&path);
            // Of a name that is no text, readers see something like it.
            let path = path.to_string_lossy().into_owned();
            let is_private = directory.is_empty() && path.starts_with(['_', '.']);
            let Some(found) = disk::look_at(&there)? else { continue };
            if found.is_dir() {
                if !is_private || path == quarantine::DIRECTORY {
                    self.add(root, &path)?;
                }
            } else if path.ends_with(".parquet") || path.starts_with(&format!("{}/", quarantine::DIRECTORY)) {
                if found.is_file() {
                    self.files.insert(path, found.len());
                } else {
                    self.problems
                        .push(Problem::new(&path, "is a link or no file at all: no load has made it"));
                }
            }
        }
        Ok(())
    }
}
