//! A schema as the place of a target, and its reading transactions.
//!
//! Invariant: while a [`Reading`] is held as a lock, everything is read in its transaction: of one moment.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use events_core::sql_text::double_quoted;

use super::{Database, Session};
use crate::{Commit, History, TargetError};

type SharedSession = Mutex<Box<dyn Session>>;

/// A reading transaction, shared.
pub(crate) type Reading = Arc<SharedSession>;

/// A schema of a database as the place of a target.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    pub(crate) database: Arc<dyn Database>,
    /// The transaction of whoever has asked for all to be of one moment.
    held: Arc<Mutex<Weak<SharedSession>>>,
}

impl Schema {
    pub(crate) fn new(database: Arc<dyn Database>) -> Self {
        Self { database, held: Arc::default() }
    }

    /// One of its tables in a statement.
    pub(super) fn table(&self, name: &str) -> String {
        format!("{}.{}", double_quoted(self.database.schema()), double_quoted(name))
    }

    /// Begins to read everything in one transaction, until the returned value is dropped.
    pub(crate) fn hold(&self) -> Result<Reading, TargetError> {
        let reading = self.reading()?;
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&reading);
        Ok(reading)
    }

    /// A reading transaction: the one that is held, or else a new one.
    pub(super) fn reading(&self) -> Result<Reading, TargetError> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        held.map_or_else(|| Ok(Arc::new(Mutex::new(self.database.read()?))), Ok)
    }

    /// Reads something in a transaction.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&mut dyn Session) -> Result<T, TargetError>,
    ) -> Result<T, TargetError> {
        read(&mut **locked(&self.reading()?))
    }

    /// Whether anything was ever committed.
    pub(crate) fn is_target(&self) -> Result<bool, TargetError> {
        self.read(|session| Ok(self.last(session)? > 0))
    }

    /// Refuses a schema in which nothing was ever committed.
    pub(crate) fn require_target(&self) -> Result<(), TargetError> {
        if self.is_target()? {
            return Ok(());
        }
        Err(self.unusable("no load has ever written there; check the database and the schema"))
    }

    /// What all commits come to. `look` is called for each that is not summarized, with the history before
    /// it.
    pub(crate) fn history(&self, look: impl FnMut(&History, &Commit)) -> Result<History, TargetError> {
        self.read(|session| self.history_in(session, look))
    }

    /// How messages name what has a path in the target.
    pub(crate) fn address(&self, path: &str) -> PathBuf {
        let address = self.database.address();
        if path.is_empty() { address.into() } else { format!("{address}#{path}").into() }
    }

    pub(super) fn unusable(&self, problem: impl Into<String>) -> TargetError {
        TargetError::Unusable { path: self.database.address().into(), problem: problem.into() }
    }
}

/// The session of a reading transaction; one thread has it at a time.
pub(super) fn locked(reading: &Reading) -> MutexGuard<'_, Box<dyn Session>> {
    reading.lock().unwrap_or_else(PoisonError::into_inner)
}
