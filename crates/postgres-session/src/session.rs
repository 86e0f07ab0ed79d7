//! One transaction of a server.
//!
//! Invariant: a change that was not committed ends with its connection, so the server undoes it.

use std::{fmt, io, sync::Arc};

use bytes::Bytes;
use event_target::{Committed, Session, TargetError};
use futures_util::{SinkExt, TryStreamExt};
use tokio_postgres::{
    SimpleQueryMessage,
    types::{FromSql, Kind, ToSql, Type},
};

use crate::{
    connection::Connection,
    failure::{self, Doing},
    server::Inner,
};

/// A transaction.
pub(crate) struct Transaction {
    /// `None` once it has ended.
    connection: Option<Connection>,
    server: Arc<Inner>,
    is_change: bool,
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transaction({})", self.server.shown)
    }
}

/// A query with the types of its parameters, which are text.
type Parameters<'p> = Vec<(&'p (dyn ToSql + Sync), Type)>;

fn typed<'p>(parameters: &'p [&str]) -> Parameters<'p> {
    let typed = |parameter: &'p &str| -> (&'p (dyn ToSql + Sync), Type) { (parameter, Type::TEXT) };
    parameters.iter().map(typed).collect()
}

impl Transaction {
    pub(crate) fn new(connection: Connection, server: Arc<Inner>, is_change: bool) -> Self {
        Self { connection: Some(connection), server, is_change }
    }

    fn connection(&self) -> Result<&Connection, TargetError> {
        self.connection.as_ref().ok_or_else(|| {
            TargetError::io("using the database")(io::Error::other("the transaction has ended"))
        })
    }

    /// The error of something that was being done.
    fn failed(&self, what: &'static str, error: &tokio_postgres::Error) -> TargetError {
        let ended = self.connection.as_ref().and_then(Connection::ended);
        let address = &self.server.shown;
        Doing { address, what, is_change: self.is_change, ended: ended.as_deref() }.failed(error)
    }

    fn what(&self) -> &'static str {
        if self.is_change { "changing the database" } else { "reading the database" }
    }
}

impl Session for Transaction {
    fn execute(&mut self, sql: &str, parameters: &[&str]) -> Result<u64, TargetError> {
        let connection = self.connection()?;
        let executed = if parameters.is_empty() {
            connection.wait(connection.client.simple_query(sql)).map(|messages| {
                let rows = messages.iter().rev().find_map(|message| match message {
                    SimpleQueryMessage::CommandComplete(rows) => Some(*rows),
                    _ => None,
                });
                rows.unwrap_or_default()
            })
        } else {
            connection.wait(connection.client.execute_typed(sql, &typed(parameters)))
        };
        executed.map_err(|error| self.failed(self.what(), &error))
    }

    fn query(&mut self, sql: &str, parameters: &[&str]) -> Result<Vec<Vec<Option<String>>>, TargetError> {
        let connection = self.connection()?;
        let rows = connection.wait(connection.client.query_typed(sql, &typed(parameters)));
        let texts = rows.and_then(|rows| {
            let text = |row: &tokio_postgres::Row, column| {
                Ok(row.try_get::<_, Option<Text>>(column)?.map(|Text(text)| text))
            };
            let texts = |row: &tokio_postgres::Row| (0..row.len()).map(|column| text(row, column)).collect();
            rows.iter().map(texts).collect()
        });
        texts.map_err(|error| self.failed(self.what(), &error))
    }

    fn copy_in(
        &mut self,
        sql: &str,
        next: &mut dyn FnMut() -> Result<Option<Vec<u8>>, TargetError>,
    ) -> Result<u64, TargetError> {
        const WHAT: &str = "copying rows into the database";
        let connection = self.connection()?;
        let failed = |error: tokio_postgres::Error| self.failed(WHAT, &error);
        connection.wait(async {
            let mut sink = Box::pin(connection.client.copy_in::<_, Bytes>(sql).await.map_err(failed)?);
            // If it is dropped before its end, the server refuses what it has got.
            while let Some(piece) = next()? {
                sink.send(Bytes::from(piece)).await.map_err(failed)?;
            }
            sink.as_mut().finish().await.map_err(failed)
        })
    }

    fn copy_out(
        &mut self,
        sql: &str,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), TargetError> {
        const WHAT: &str = "reading rows of the database";
        let connection = self.connection()?;
        let failed = |error: tokio_postgres::Error| self.failed(WHAT, &error);
        connection.wait(async {
            let mut pieces = Box::pin(connection.client.copy_out(sql).await.map_err(failed)?);
            while let Some(piece) = pieces.try_next().await.map_err(failed)? {
                take(&piece).map_err(TargetError::io(WHAT))?;
            }
            Ok(())
        })
    }

    fn commit(&mut self) -> Result<Committed, TargetError> {
        const WHAT: &str = "committing";
        let connection = self.connection()?;
        let committed = connection.wait(connection.client.simple_query("COMMIT"));
        let outcome = match committed {
            Ok(_) => Ok(Committed::Yes),
            Err(error) if failure::is_refusal(&error) => Err(self.failed(WHAT, &error)),
            // Also a server that is shut down: it may have written the commit before.
            Err(error) => {
                let ended = connection.ended();
                let (address, what) = (self.server.shown.as_str(), WHAT);
                let doing = Doing { address, what, is_change: true, ended: ended.as_deref() };
                Ok(Committed::Unknown(doing.as_io(&error)))
            }
        };
        if let (Ok(Committed::Yes), Some(connection)) = (&outcome, self.connection.take()) {
            self.server.keep(connection);
        }
        outcome
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        // The end of its connection undoes a change, whatever it is doing.
        if !self.is_change && connection.wait(connection.client.simple_query("ROLLBACK")).is_ok() {
            self.server.keep(connection);
        }
    }
}

/// A value as text.
struct Text(String);

impl<'a> FromSql<'a> for Text {
    fn from_sql(kind: &Type, bytes: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(match *kind {
            Type::BOOL => if bool::from_sql(kind, bytes)? { "t" } else { "f" }.to_owned(),
            Type::INT2 => i16::from_sql(kind, bytes)?.to_string(),
            Type::INT4 => i32::from_sql(kind, bytes)?.to_string(),
            Type::INT8 => i64::from_sql(kind, bytes)?.to_string(),
            Type::OID => u32::from_sql(kind, bytes)?.to_string(),
            _ => std::str::from_utf8(bytes)?.to_owned(),
        }))
    }

    fn accepts(kind: &Type) -> bool {
        let is_text = matches!(
            *kind,
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON | Type::CHAR
        );
        let is_number = matches!(*kind, Type::BOOL | Type::INT2 | Type::INT4 | Type::INT8 | Type::OID);
        matches!(kind.kind(), Kind::Simple | Kind::Pseudo) && (is_text || is_number)
    }
}
