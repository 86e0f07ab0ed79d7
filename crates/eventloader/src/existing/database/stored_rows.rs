//! A query of a table → its rows, some at a time, in the columns of a load.
//!
//! Invariant: no value is lost: columns that the table does not have are null, narrower ones are widened as
//! those of files are (`event-rows/widening.rs`).

use std::io;

use arrow::array::ArrayRef;
use event_postgres::{Decoder, Table};
use event_rows::{Batch, chunk_rows_of, widened};
use event_target::{Session, TargetError};

use super::StoredTable;
use crate::error::Error;

/// Rows of a table that exists.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredRows<'t> {
    table: &'t StoredTable<'t>,
    held: &'t Table,
}

impl<'t> StoredRows<'t> {
    /// `None` if the table does not exist.
    pub(crate) fn of(table: &'t StoredTable<'t>) -> Option<Self> {
        Some(Self { table, held: table.held.as_ref()? })
    }

    /// Reads the rows for which `condition` holds; hands them to `take`, with the `ctid` of each if it is
    /// asked for.
    pub(crate) fn read(
        self,
        session: &mut dyn Session,
        condition: (&str, bool),
        take: &mut dyn FnMut(Batch, Vec<u64>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        read_held(self.held, session, condition, &mut |batch, ctids| take(self.widened(batch)?, ctids))
    }

    /// The rows in the columns of a load.
    fn widened(self, batch: Batch) -> Result<Batch, Error> {
        let names: Vec<_> = self.held.columns().columns().map(|(name, _)| name).collect();
        let column = |field: &arrow::datatypes::Field| -> Result<ArrayRef, String> {
            let found = names.iter().position(|name| name == field.name());
            widened(found.map(|index| &batch.columns[index]), field, batch.rows())
        };
        let columns = self.table.fields().iter().map(column).collect::<Result<_, _>>();
        Ok(Batch { columns: columns.map_err(|problem| refused(self.held, problem))?, ..batch })
    }
}

/// Reads rows of a table in its own columns.
pub(crate) fn read_held(
    held: &Table,
    session: &mut dyn Session,
    (condition, with_ctid): (&str, bool),
    take: &mut dyn FnMut(Batch, Vec<u64>) -> Result<(), Error>,
) -> Result<(), Error> {
    let sql = format!("COPY ({} WHERE {condition}) TO STDOUT (FORMAT binary)", held.select(with_ctid));
    let rows_min = chunk_rows_of(held.columns().columns().count());
    let mut decoder = Decoder::new(held, with_ctid);
    let mut failed = None;
    let mut step = |bytes: &[u8]| -> Result<(), Error> {
        decoder.push(bytes).map_err(|problem| refused(held, problem))?;
        while let Some((batch, ctids)) = decoder.take_batch(rows_min) {
            take(batch, ctids)?;
        }
        Ok(())
    };
    let read = session.copy_out(&sql, &mut |bytes| {
        step(bytes).map_err(|error| {
            let text = error.to_string();
            failed = Some(error);
            io::Error::other(text)
        })
    });
    match failed {
        Some(error) => return Err(error),
        None => read?,
    }
    match decoder.finish().map_err(|problem| refused(held, problem))? {
        Some((batch, ctids)) => take(batch, ctids),
        None => Ok(()),
    }
}

fn refused(held: &Table, problem: impl std::fmt::Display) -> Error {
    let path = held.qualified_name().into();
    TargetError::Unusable { path, problem: format!("its rows can't be read: {problem}") }.into()
}
