//! The transaction of a run, and the files that it needs meanwhile.
//!
//! New files (those of the quarantine) and spilled rows are on the local disk until the commit has read
//! them.
//!
//! Invariant: nobody else may read the directory; it is deleted with the last reference to the transaction.

use std::{
    env, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use uuid::Uuid;

use super::Session;

/// The transaction of a run.
#[derive(Debug)]
pub struct Transaction {
    session: Mutex<Box<dyn Session>>,
    /// Tells the run from any other.
    pub(super) attempt: String,
    scratch: PathBuf,
}

impl Transaction {
    pub(super) fn new(session: Box<dyn Session>) -> io::Result<Self> {
        let attempt = Uuid::new_v4().simple().to_string();
        let scratch = env::temp_dir().join(format!("eventloader-{attempt}"));
        storage::create_private_directory(&scratch)?;
        Ok(Self { session: Mutex::new(session), attempt, scratch })
    }

    /// The session; one thread has it at a time.
    pub fn session(&self) -> MutexGuard<'_, Box<dyn Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Deletes what is in its directory.
    pub(super) fn clear_scratch(&self) -> io::Result<()> {
        storage::delete_all(&self.scratch)?;
        storage::create_private_directory(&self.scratch)
    }

    /// A local directory for files that nobody else needs.
    pub(crate) fn scratch(&self) -> &Path {
        &self.scratch
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let _ = storage::delete_all(&self.scratch);
    }
}
