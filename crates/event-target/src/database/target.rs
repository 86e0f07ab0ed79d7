//! A schema that a run may change.
//!
//! | step | does | a crash leaves |
//! |---|---|---|
//! | 1 | begins the transaction, which keeps other runs out | |
//! | 2 | creates the schema and the loader's tables, where they are missing | |
//! | 3 | the run writes rows into the tables of event types | |
//! | 4 | writes bad lines, and the record N+1 | |
//! | 5 | **COMMIT** | all of it or nothing |
//!
//! If the connection is lost during step 5, a new transaction, which waits for the end of the old one, looks
//! whether the record is there.
//!
//! Invariant: nothing is changed outside of the one transaction.

use std::{
    io,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use events_core::sql_text::double_quoted;

use super::{Committed, Schema, Session, Transaction};
use crate::{Commit, Staging, TargetError, TargetLayout, target::NewCommit};

/// After a lost answer, so long a server is asked again that does not take connections.
const ASKED_FOR: Duration = Duration::from_secs(60);
const ASKED_EVERY: Duration = Duration::from_millis(500);

const SCRATCH: fn(io::Error) -> TargetError =
    |source| TargetError::Io { doing: "preparing temporary files", source };

/// A schema that a run may change.
#[derive(Debug)]
pub(crate) struct OpenSchema {
    schema: Schema,
    transaction: Arc<Transaction>,
    /// The number of the last record.
    base: u64,
}

impl OpenSchema {
    /// Begins the transaction.
    pub(crate) fn open(schema: Schema) -> Result<Self, TargetError> {
        let mut session = schema.database.change()?;
        let base = schema.last(&mut *session)?;
        let transaction = Transaction::new(session).map_err(SCRATCH)?;
        Ok(Self { schema, transaction: Arc::new(transaction), base })
    }

    /// Begins a run that keeps the layout.
    pub(crate) fn begin(&mut self, layout: &TargetLayout) -> Result<Staging, TargetError> {
        let remembered = self.schema.history_in(&mut **self.transaction.session(), |_, _| {})?.layout;
        layout.check(remembered.or_else(|| layout.in_database()), &self.schema.address(""))?;
        self.begin_rewrite()
    }

    /// Begins a run.
    pub(crate) fn begin_rewrite(&mut self) -> Result<Staging, TargetError> {
        let mut session = self.transaction.session();
        self.create(&mut **session)?;
        // What the run does from here on can be undone without giving up the lock.
        session.execute("SAVEPOINT begun", &[])?;
        drop(session);
        Ok(Staging::Database(Arc::clone(&self.transaction)))
    }

    /// Creates the schema and the loader's own tables, where they are missing.
    fn create(&self, session: &mut dyn Session) -> Result<(), TargetError> {
        let name = self.schema.database.schema();
        let there = "SELECT true FROM pg_catalog.pg_namespace WHERE nspname = $1";
        // Not `IF NOT EXISTS`: that needs the privilege to create even where there is nothing to do.
        if session.query(there, &[name])?.is_empty() {
            session.execute(&format!("CREATE SCHEMA {}", double_quoted(name)), &[])?;
        }
        self.schema.create_loads(session)?;
        self.schema.create_quarantine(session)
    }

    /// Undoes what the run has done, so that it can begin anew.
    pub(crate) fn begin_anew(&mut self) -> Result<(), TargetError> {
        self.transaction.session().execute("ROLLBACK TO SAVEPOINT begun", &[])?;
        self.transaction.clear_scratch().map_err(SCRATCH)
    }

    /// Ends the transaction without a change. Others may still refer to it.
    pub(crate) fn abandon(self) {
        // If it can't be told, the end of the connection undoes it.
        let _ = self.transaction.session().execute("ROLLBACK", &[]);
    }

    /// Commits all changes, or none.
    pub(crate) fn commit(self, new: NewCommit) -> Result<(), TargetError> {
        // The first commit makes the schema a target, even without a row.
        if new.changes.is_empty() && !new.is_news && self.base > 0 {
            self.abandon();
            return Ok(());
        }
        let NewCommit { changes, layout, load, .. } = new;
        let attempt = self.transaction.attempt.clone();
        let commit = Commit::with_attempt(self.base + 1, attempt, changes, layout, load);
        let mut session = self.transaction.session();
        self.schema.change_quarantine(&mut **session, &commit.changes, self.transaction.scratch())?;
        self.schema.insert(&mut **session, &commit)?;
        match session.commit()? {
            Committed::Yes => Ok(()),
            Committed::Unknown(lost) => self.find_out(lost),
        }
    }

    /// Finds out whether the transaction was committed.
    fn find_out(&self, lost: io::Error) -> Result<(), TargetError> {
        let number = self.base + 1;
        match self.attempt_of(number) {
            Ok(Some(attempt)) if attempt == self.transaction.attempt => Ok(()),
            Ok(_) => Err(TargetError::Io { doing: "committing", source: lost }),
            Err(error) => {
                let source = io::Error::other(format!("{lost}; then {error}"));
                Err(TargetError::Unknown { number, source })
            }
        }
    }

    /// The attempt that made a commit, once no other transaction can make it any more. A server that was
    /// restarted gets time to come back.
    fn attempt_of(&self, number: u64) -> Result<Option<String>, TargetError> {
        let begun = Instant::now();
        loop {
            match self.schema.database.change() {
                Ok(mut session) => return self.schema.attempt_of(&mut *session, number),
                Err(error @ TargetError::Locked { .. }) => return Err(error),
                Err(error) if begun.elapsed() > ASKED_FOR => return Err(error),
                Err(_) => thread::sleep(ASKED_EVERY),
            }
        }
    }
}
