//! The place of a change → whether it already exists, or an error if it is not usable.
//!
//! Invariant: a place that passes is in the target and nowhere else: no link leads there, and nothing is in
//! the way. So a recorded commit can be carried out.

use std::{fs::Metadata, io, path::Path};

use crate::TargetError;

/// Whether a directory of a target exists; an error if it, or a directory around it, is a link or a file.
pub(crate) fn directory_is_there(root: &Path, directory: &str) -> Result<bool, TargetError> {
    let mut path = root.to_owned();
    for part in directory.split('/') {
        path.push(part);
        let problem = match look_at(&path)? {
            None => return Ok(false),
            Some(found) if found.is_dir() => continue,
            Some(found) if found.is_symlink() => {
                "is a link, and a load follows no link out of its target; put a directory in its place"
            }
            Some(_) => "can't be written (there is a file of that name); move the file away",
        };
        return Err(TargetError::Unusable { path, problem: problem.to_owned() });
    }
    Ok(true)
}

/// Whether a file, or a link, of that name exists; an error if it is a directory.
pub(crate) fn file_is_there(path: &Path) -> Result<bool, TargetError> {
    match look_at(path)? {
        None => Ok(false),
        Some(found) if found.is_dir() => {
            let problem = "is a directory with the name of a file of the partition; move it away".to_owned();
            Err(TargetError::Unusable { path: path.to_owned(), problem })
        }
        Some(_) => Ok(true),
    }
}

fn look_at(path: &Path) -> Result<Option<Metadata>, TargetError> {
    storage::look_at(path).map_err(TargetError::io("looking at the target"))
}

/// The length of a file; `None` if there is none, or a link.
pub(crate) fn file_bytes(path: &Path) -> io::Result<Option<u64>> {
    Ok(storage::look_at(path)?.and_then(|found| found.is_file().then_some(found.len())))
}
