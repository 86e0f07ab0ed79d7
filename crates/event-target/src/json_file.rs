//! The loader's own JSON files in a target: written as a whole, and read back or refused with the line of the
//! error.
//!
//! Invariant: a reader sees the old file or the new one, also after a power cut.

use std::{
    io::{self, Write},
    path::Path,
};

use serde::{Serialize, de::DeserializeOwned};
use storage::File;

use crate::{TargetError, partitions::durability};

/// The end of a file's name while it is written.
pub(crate) const NEW: &str = ".new";

/// Writes `value` to the file `name` in `directory`, replacing an existing one.
pub(crate) fn replace(directory: &Path, name: &str, value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_vec(value)?;
    let new = directory.join(format!("{name}{NEW}"));
    let mut file = File::create(&new)?;
    file.write_all(&text)?;
    file.sync()?;
    storage::rename(&new, &directory.join(name))?;
    durability::sync_directory(directory)
}

/// Reads a file; `doing` is for error messages. `None` if there is none.
pub(crate) fn read<T: DeserializeOwned>(path: &Path, doing: &'static str) -> Result<Option<T>, TargetError> {
    let failed = TargetError::io(doing);
    if !storage::is_there(path).map_err(failed)? {
        return Ok(None);
    }
    let text = storage::read(path).map_err(failed)?;
    serde_json::from_slice(&text).map(Some).map_err(|error| TargetError::Damaged {
        path: path.to_owned(),
        line: error.line(),
        problem: error.to_string(),
    })
}
