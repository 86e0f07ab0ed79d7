//! Where a change will go → whether it is there already, or may not go there.
//!
//! Invariant: what this module lets pass lies in the target and nowhere else: nothing that leads there is a link, and nothing
//! stands in the way. So a commit that is recorded can be carried out.

use std::{
    io::{self, ErrorKind},
    path::Path,
};

use fs_err as fs;

use crate::error::Error;

/// Whether a directory of a target is there; refused if it, or what leads to it, is a link or a file.
pub(super) fn directory_is_there(root: &Path, directory: &str) -> Result<bool, Error> {
    let mut path = root.to_owned();
    for part in directory.split('/') {
        path.push(part);
        let problem = match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => continue,
            Ok(found) if found.is_symlink() => {
                "is a link, and a load does not leave its target by one; put a directory in its place"
            }
            Ok(_) => "can't be written (there is a file of that name); make way for the partition",
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Error::Io { doing: "looking at the target", source: error }),
        };
        return Err(Error::Target { path, problem: problem.to_owned() });
    }
    Ok(true)
}

/// Whether there is a file, or a link, of that name; refused if it is a directory.
pub(super) fn file_is_there(path: &Path) -> Result<bool, Error> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => {
            let problem = "is a directory, named like a file of the partition; make way for that".to_owned();
            Err(Error::Target { path: path.to_owned(), problem })
        }
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::Io { doing: "looking at the target", source: error }),
    }
}

/// How long a file is; `None` where there is none, or a link.
pub(super) fn file_bytes(path: &Path) -> io::Result<Option<u64>> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(found.is_file().then_some(found.len())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
