//! A text for people → a file.
//!
//! Invariant: the file appears when it is complete. One that is there is replaced only if that is allowed,
//! and keeps its permissions.
#![expect(clippy::disallowed_methods, reason = "the file is neither source nor target")]

use std::{
    fs::Permissions,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use crate::error::Error;

/// Writes a file. What is no regular file (a device, a pipe) can't be replaced, and is written to. Errors say
/// what was being done.
///
/// # Errors
/// [`Error::DraftExists`] if there is a file that may not be replaced, and write errors.
pub(super) fn write(path: &Path, text: &str, may_replace: bool, doing: &'static str) -> Result<(), Error> {
    let failed = |error: io::Error| {
        Error::io(doing)(io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    };
    let found = path.metadata().ok();
    match &found {
        Some(found) if !found.is_file() => return fs_err::write(path, text).map_err(failed),
        Some(_) if !may_replace => return Err(Error::DraftExists(path.to_owned())),
        _ => {}
    }
    // Through a link, if it is one.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mode = found.map_or(0o666, |found| found.permissions().mode());
    let builder = &mut tempfile::Builder::new();
    let builder = builder.prefix(".new-").permissions(Permissions::from_mode(mode));
    let mut file = builder.tempfile_in(dir).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    let persisted = if may_replace { file.persist(&path) } else { file.persist_noclobber(&path) };
    persisted.map(drop).map_err(|error| failed(error.error))
}
