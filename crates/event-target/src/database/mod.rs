//! A target that is a schema of a database: a table for each event type, and the loader's own.
//!
//! ```text
//! "payment-to"   the rows of an event type; a partition is a day or an hour of it
//! "_loads"       a row for each commit: what people ask for as columns, and its record as JSON
//! "_quarantine"  a row for each bad line
//! ```
//!
//! A run is one transaction ([`Session`]): readers see all of it or nothing, and nothing is left of a run
//! that ends before its COMMIT. So there is nothing to recover. A partition has one "file" in the history,
//! `payment-to/2024-10-10/rows`; the files of the quarantine are the rows of `_quarantine` by the name of
//! their file.
//!
//! `target.rs` carries out a run's commit, `records.rs` reads and writes `_loads`, `bad_lines.rs`
//! `_quarantine`, `look.rs` finds what is there.
//!
//! Invariant: nothing here knows a driver: statements go through a [`Session`].

mod bad_lines;
mod look;
mod records;
mod schema;
mod scratch;
mod target;
mod transaction;

use std::{fmt, io};

use crate::TargetError;

pub use self::transaction::Transaction;
pub(crate) use self::{
    schema::{Reading, Schema},
    target::OpenSchema,
};

/// The name of a partition's only "file" in the history.
pub const ROWS: &str = "rows";

/// A schema of a database as a target. Nothing says that it exists.
pub trait Database: fmt::Debug + Send + Sync {
    /// How messages name it: `postgresql://user@host:port/database?schema=lake`. It has no password.
    fn address(&self) -> String;

    /// The schema's name.
    fn schema(&self) -> &str;

    /// A transaction that only reads, all of one moment.
    ///
    /// # Errors
    /// There is no connection, or it is refused.
    fn read(&self) -> Result<Box<dyn Session>, TargetError>;

    /// A transaction that may change everything, and the only one of its kind in the schema. It sees what
    /// was committed before each of its statements; other writers are kept out of a table by locking it.
    ///
    /// # Errors
    /// [`TargetError::Locked`] if another one does not end within 60 s, [`TargetError::Unwritable`] if the
    /// server or the user may not write, and those of [`Self::read`].
    fn change(&self) -> Result<Box<dyn Session>, TargetError>;
}

/// One transaction. If it is dropped, nothing has happened.
///
/// Every name in a statement has its schema; operators and functions are those of `pg_catalog`. Texts are
/// UTF-8, instants UTC.
pub trait Session: fmt::Debug + Send {
    /// Runs a statement that returns no rows; the number of rows that it affected. Without parameters there
    /// may be several, separated by `;`; the number is then that of the last one.
    ///
    /// # Errors
    /// The server refuses it, or the connection is lost. The transaction is over then.
    fn execute(&mut self, sql: &str, parameters: &[&str]) -> Result<u64, TargetError>;

    /// The rows of a query, as text. Parameters are text (`$1`), to be cast to what they are:
    /// `$1::bigint`. Columns are text, integers or booleans (`t`, `f`); others are to be cast to text.
    ///
    /// # Errors
    /// Those of [`Self::execute`].
    fn query(&mut self, sql: &str, parameters: &[&str]) -> Result<Vec<Vec<Option<String>>>, TargetError>;

    /// `COPY … FROM STDIN`: sends what `next` returns until it is `None`; the number of rows that the server
    /// counted. An error of `next` ends the transaction, and is returned.
    ///
    /// # Errors
    /// Those of [`Self::execute`] and of `next`.
    fn copy_in(
        &mut self,
        sql: &str,
        next: &mut dyn FnMut() -> Result<Option<Vec<u8>>, TargetError>,
    ) -> Result<u64, TargetError>;

    /// `COPY … TO STDOUT`: hands each piece to `take`, in order; where a piece ends means nothing. An error
    /// of `take` ends the transaction, and is returned.
    ///
    /// # Errors
    /// Those of [`Self::execute`] and of `take`.
    fn copy_out(
        &mut self,
        sql: &str,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), TargetError>;

    /// Commits. Nothing else can be done afterwards.
    ///
    /// # Errors
    /// Nothing has happened.
    fn commit(&mut self) -> Result<Committed, TargetError>;
}

/// What became of a COMMIT.
#[derive(Debug)]
pub enum Committed {
    /// The server has confirmed it.
    Yes,
    /// The connection was lost before the server answered.
    Unknown(io::Error),
}
