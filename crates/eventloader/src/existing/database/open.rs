//! Where a target is, and where its new files go → the transaction in which a load reads and changes it.
//!
//! Invariant: a dry run has a transaction that only reads, and changes nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use event_target::{Location, Session, Staging, TargetError, Transaction};

use crate::error::Error;

/// A database that a load is open on.
#[derive(Debug)]
pub(crate) struct OpenDatabase {
    schema: String,
    transaction: Of,
}

#[derive(Debug)]
enum Of {
    Load(Arc<Transaction>),
    DryRun(Mutex<Box<dyn Session>>),
}

impl OpenDatabase {
    /// `None` if the target is no database.
    pub(crate) fn of(target: &Location, staging: &Staging) -> Result<Option<Self>, TargetError> {
        let Some(database) = target.database_of() else { return Ok(None) };
        let transaction = match staging {
            Staging::Database(transaction) => Of::Load(Arc::clone(transaction)),
            _ => Of::DryRun(Mutex::new(database.read()?)),
        };
        Ok(Some(Self { schema: database.schema().to_owned(), transaction }))
    }

    /// The name of the schema.
    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// Whether nothing may be changed.
    pub(crate) fn is_dry_run(&self) -> bool {
        matches!(self.transaction, Of::DryRun(_))
    }

    /// The session; one thread has it at a time.
    pub(crate) fn session(&self) -> MutexGuard<'_, Box<dyn Session>> {
        match &self.transaction {
            Of::Load(transaction) => transaction.session(),
            Of::DryRun(session) => session.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Runs statements, unless it is a dry run.
    pub(crate) fn change(&self, sql: &str) -> Result<u64, Error> {
        if self.is_dry_run() || sql.is_empty() {
            return Ok(0);
        }
        Ok(self.session().execute(sql, &[])?)
    }
}
