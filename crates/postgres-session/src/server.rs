//! A server's schema as a target: it begins transactions.
//!
//! Invariant: a connection is used again only if its last transaction has ended well.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use event_target::{Database, Session, TargetError};

use crate::{
    begin,
    connection::{Connection, Connector},
    failure::Doing,
    session::Transaction,
};

/// A schema of a database.
pub(crate) struct Server(Arc<Inner>);

/// What its transactions have in common.
pub(crate) struct Inner {
    connector: Connector,
    /// How messages name it.
    pub(crate) shown: String,
    /// A connection that is not in use.
    idle: Mutex<Option<Connection>>,
}

impl Inner {
    /// Keeps a connection whose transaction has ended.
    pub(crate) fn keep(&self, connection: Connection) {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
    }

    fn take_idle(&self) -> Option<Connection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.0.shown)
    }
}

impl Server {
    pub(crate) fn new(connector: Connector, connection: Connection) -> Self {
        let shown = connector.address.to_string();
        Self(Arc::new(Inner { connector, shown, idle: Mutex::new(Some(connection)) }))
    }

    /// Begins a transaction by these statements.
    fn begin(&self, statements: &str, is_change: bool) -> Result<Transaction, TargetError> {
        // The server may have been restarted since it was used last.
        if let Some(connection) = self.0.take_idle()
            && connection.wait(connection.client.batch_execute(statements)).is_ok()
        {
            return Ok(Transaction::new(connection, Arc::clone(&self.0), is_change));
        }
        let connection = self.0.connector.connect().map_err(|error| TargetError::Io {
            doing: "connecting to the database",
            source: std::io::Error::other(format!("{}: {error}", self.0.shown)),
        })?;
        connection.wait(connection.client.batch_execute(statements)).map_err(|error| {
            let ended = connection.ended();
            let what = "beginning a transaction";
            Doing { address: &self.0.shown, what, is_change, ended: ended.as_deref() }.failed(&error)
        })?;
        Ok(Transaction::new(connection, Arc::clone(&self.0), is_change))
    }

    /// Refuses a server or a database that does not take what a load writes.
    fn check(&self, transaction: &mut Transaction) -> Result<(), TargetError> {
        let states = transaction.query(begin::STATE, &[])?;
        let state = |place: usize| states.first().and_then(|row| row.get(place)?.as_deref()).unwrap_or("");
        let path = self.0.shown.as_str().into();
        if state(0) == "t" {
            let problem = if state(1) == "t" {
                "the server is a replica, which takes no changes; use the address of its primary"
            } else {
                "its transactions are read-only (default_transaction_read_only is on)"
            };
            return Err(TargetError::Unwritable { path, problem: problem.to_owned() });
        }
        if state(2) != "UTF8" {
            let encoding = state(2);
            let problem = format!("the database has texts in {encoding}; create one with ENCODING 'UTF8'");
            return Err(TargetError::Unusable { path, problem });
        }
        Ok(())
    }

    /// Takes the lock of the schema. Whoever has it is told if it is not had in time.
    fn lock(&self, transaction: &mut Transaction) -> Result<(), TargetError> {
        let schema = self.schema();
        match transaction.query(begin::LOCK, &[schema]) {
            Ok(_) => Ok(()),
            Err(TargetError::Locked { path, .. }) => {
                transaction.execute("ROLLBACK", &[])?;
                let holders = transaction.query(begin::HOLDER, &[schema])?;
                let holder = holders.into_iter().next().unwrap_or_default();
                let seconds = self.0.connector.address.lock_timeout.as_secs();
                Err(TargetError::Locked { path, holder: holder_text(&holder, seconds) })
            }
            Err(error) => Err(error),
        }
    }
}

impl Database for Server {
    fn address(&self) -> String {
        self.0.shown.clone()
    }

    fn schema(&self) -> &str {
        &self.0.connector.address.schema
    }

    fn read(&self) -> Result<Box<dyn Session>, TargetError> {
        Ok(Box::new(self.begin(&begin::read(), false)?))
    }

    fn change(&self) -> Result<Box<dyn Session>, TargetError> {
        let statements = begin::change(self.0.connector.address.lock_timeout);
        let mut transaction = self.begin(&statements, true)?;
        transaction.query(begin::SETTINGS_OF_THE_SERVER, &[])?;
        self.check(&mut transaction)?;
        self.lock(&mut transaction)?;
        Ok(Box::new(transaction))
    }
}

/// ` (process 71 of the server, from 10.0.0.5, since …), and did not end within 60 s`
fn holder_text(holder: &[Option<String>], seconds: u64) -> String {
    let part = |place: usize| holder.get(place).cloned().flatten();
    let mut texts = Vec::new();
    texts.extend(part(0).map(|process| format!("process {process} of the server")));
    texts.extend(part(1).map(|client| format!("from {client}")));
    texts.extend(part(2).map(|since| format!("since {since}")));
    let who = if texts.is_empty() { String::new() } else { format!(" ({})", texts.join(", ")) };
    format!("{who}, and did not end within {seconds} s")
}
