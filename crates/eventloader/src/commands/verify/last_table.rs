//! Rows of a file → the same rows with the columns that the last load of their type wrote.
//!
//! A target keeps its older files as they are when a catalog gets fields or wider types, so that a table may
//! have files of several types for one column.
//!
//! Invariant: no value changes but for its type. A file with columns that the last load would have refused is
//! left as it is.

use std::{borrow::Cow, sync::Arc};

use arrow::{
    array::RecordBatch,
    datatypes::{Field, Schema},
};
use event_rows::widened;
use events_core::{schema::BASE_COLUMNS, table::TableColumns};

/// The columns that the last load of an event type wrote.
#[derive(Debug)]
pub(super) struct LastTable {
    columns: TableColumns,
    fields: Vec<Arc<Field>>,
}

impl LastTable {
    pub(super) fn of(columns: &TableColumns) -> Self {
        Self { columns: columns.clone(), fields: columns.fields().map(Arc::new).collect() }
    }

    /// Rows with the base columns in front.
    pub(super) fn widen<'b>(&self, batch: &'b RecordBatch) -> Result<Cow<'b, RecordBatch>, String> {
        let schema = batch.schema_ref();
        let (base, own) = schema.fields().split_at(BASE_COLUMNS);
        let fits = |found: &TableColumns| {
            found.changes(&self.columns).iter().all(|change| !change.fate.is_refused())
        };
        if own == self.fields || !TableColumns::of_schema(schema).is_ok_and(|found| fits(&found)) {
            return Ok(Cow::Borrowed(batch));
        }
        let mut columns = batch.columns()[..BASE_COLUMNS].to_vec();
        for field in &self.fields {
            columns.push(widened(batch.column_by_name(field.name()), field, batch.num_rows())?);
        }
        let fields: Vec<_> = base.iter().chain(&self.fields).cloned().collect();
        let widened = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns);
        widened.map(Cow::Owned).map_err(|error| error.to_string())
    }
}
