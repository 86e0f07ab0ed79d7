//! The staging directory of a job → a directory for each attempt of a task.
//!
//! Invariant: no two attempts write to one file, whatever an engine runs again or twice at once.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::error::Error;

/// A directory of one attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    /// Its name in the staging directory.
    pub(super) name: String,
    pub(super) directory: PathBuf,
}

impl Attempt {
    /// One whose directory does not exist yet.
    pub(super) fn new(staging: &Path) -> Self {
        let name = Uuid::new_v4().simple().to_string();
        Self { directory: staging.join(&name), name }
    }

    /// Makes its directory, but not those that it is in: a job that is over has no staging directory, and
    /// gets none again.
    pub(super) fn create(self) -> Result<Self, Error> {
        let creating = Error::io("beginning a task; the job may be over");
        storage::create_directory(&self.directory).map_err(creating)?;
        Ok(self)
    }
}
