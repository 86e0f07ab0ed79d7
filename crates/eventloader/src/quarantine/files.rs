//! A target → the files of its quarantine.
//!
//! Invariant: only regular files with names that a load gives are bad lines; anything else is not looked at.

use std::path::{Path, PathBuf};

use event_target::QUARANTINE;

use super::record::RecordReader;
use crate::{error::Error, settings::BadLineSelection};

/// A file of a quarantine: the bad lines of one source.
#[derive(Debug)]
pub(crate) struct QuarantineFile {
    /// Its name in the directory of the quarantine.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

/// The files of a target's quarantine, by name.
pub(crate) fn files(target: &Path) -> Result<Vec<QuarantineFile>, Error> {
    let listing = Error::io("listing the quarantine");
    let directory = target.join(QUARANTINE);
    let mut files = Vec::new();
    for name in storage::names_in(&directory).map_err(listing)?.unwrap_or_default() {
        let path = directory.join(&name);
        let is_file = storage::look_at(&path).map_err(listing)?.is_some_and(|found| found.is_file());
        if let (Some(name), true) = (name.to_str(), is_file) {
            files.push(QuarantineFile { name: name.to_owned(), path });
        }
    }
    Ok(files)
}

/// The files that may have selected lines, each with its source.
///
/// # Errors
/// A file can't be read, or a source is selected that has no line.
pub(crate) fn selected(
    target: &Path,
    selection: &BadLineSelection,
) -> Result<Vec<(String, QuarantineFile)>, Error> {
    let (mut selected, mut there) = (Vec::new(), Vec::new());
    for file in files(target)? {
        // All records of a file are of one source.
        let Some((record, _)) = RecordReader::open(&file.path)?.next()? else { continue };
        let source = record.source.into_owned();
        there.push(source.clone());
        selected.push((source, file));
    }
    selection.check_sources(&there)?;
    selected.retain(|(source, _)| selection.wants_source(source));
    Ok(selected)
}
