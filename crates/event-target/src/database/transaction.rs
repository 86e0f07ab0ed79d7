//! The transaction of a run, and the files that it needs meanwhile.
//!
//! New files (those of the quarantine) and spilled rows are on the local disk until the commit has read
//! them.
//!
//! Invariant: the files are gone with the last reference to the transaction.

use std::{
    io,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use uuid::Uuid;

use super::{Session, scratch::Scratch};

/// The transaction of a run.
#[derive(Debug)]
pub struct Transaction {
    session: Mutex<Box<dyn Session>>,
    /// Tells the run from any other.
    pub(super) attempt: String,
    scratch: Scratch,
}

impl Transaction {
    pub(super) fn new(session: Box<dyn Session>) -> io::Result<Self> {
        let attempt = Uuid::new_v4().simple().to_string();
        let scratch = Scratch::new(&attempt)?;
        Ok(Self { session: Mutex::new(session), attempt, scratch })
    }

    /// The session; one thread has it at a time.
    pub fn session(&self) -> MutexGuard<'_, Box<dyn Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Deletes its files.
    pub(super) fn clear_scratch(&self) -> io::Result<()> {
        self.scratch.clear()
    }

    /// A local directory for files that nobody else needs.
    pub(crate) fn scratch(&self) -> &Path {
        self.scratch.path()
    }
}
