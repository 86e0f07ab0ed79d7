//! Rows of a target's file → batches with the columns of a load.
//!
//! Invariant: no value is lost. A column that the file does not have, because its catalog had fewer fields,
//! is null. One of a narrower type is widened. A column that the catalog does not have, or has with a type
//! that does not have all of its values, is refused. Where the event type is in the directories alone, it is
//! that of the partition.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, StringArray},
    datatypes::{Field, Schema, TimestampMicrosecondType},
};
use event_rows::{VersionColumns, VersionKeys, widened};
use events_core::{
    catalog::EventType,
    event,
    schema::TableForm,
    table::{ColumnChange, Fate, TableColumns},
};

use super::same_numbers::are_the_same;

/// The columns that an event type has by the catalog.
#[derive(Debug)]
pub(crate) struct ExistingColumns<'p> {
    event_type: &'p EventType,
    form: TableForm,
    schema: Schema,
    table: TableColumns,
    version: VersionColumns,
}

/// The base fields of every row.
pub(super) struct BaseColumns<'b> {
    pub(super) ids: &'b StringArray,
    pub(super) micros: &'b [i64],
}

impl<'p> ExistingColumns<'p> {
    pub(crate) fn new(event_type: &'p EventType, form: TableForm) -> Self {
        let version = VersionColumns::of(event_type, form.flatten);
        let (schema, table) = (form.schema(event_type), TableColumns::of(event_type, form));
        Self { event_type, form, schema, table, version }
    }

    /// The event type.
    pub(super) fn event_type(&self) -> &'p EventType {
        self.event_type
    }

    /// Refuses columns that would be lost.
    pub(super) fn check(&self, found: &Schema) -> Result<(), String> {
        if !self.form.has_event_type && found.index_of(event::EVENT_TYPE).is_ok() {
            return Err("it has a column event_type, which engines read from its directory".to_owned());
        }
        if found.fields() == self.schema.fields() {
            return Ok(());
        }
        let found = TableColumns::of_schema(found).map_err(|(name, data_type)| {
            format!("its column {name} is of type {data_type}, which no load writes")
        })?;
        let changes = found.changes(&self.table);
        changes.iter().find_map(refusal).map_or(Ok(()), Err)
    }

    /// The same for columns that are recorded of the rows.
    pub(super) fn check_recorded(&self, held: &TableColumns) -> Result<(), String> {
        held.changes(&self.table).iter().find_map(refusal).map_or(Ok(()), Err)
    }

    /// The columns that have the same text in all rows, with it.
    pub(super) fn names(&self) -> Vec<(&'static str, &'p str)> {
        let EventType { domain, name, .. } = self.event_type;
        let of_type = self.form.has_event_type.then_some((event::EVENT_TYPE, name.as_str()));
        [(event::DOMAIN, domain.as_str())].into_iter().chain(of_type).collect()
    }

    /// The columns that every event has. Those with the same text in all rows may be left out if that is
    /// known.
    pub(super) fn base<'b>(
        &self,
        batch: &'b RecordBatch,
        names_are_known: bool,
    ) -> Result<BaseColumns<'b>, String> {
        let column = |name: &str| {
            let column = batch.column_by_name(name).filter(|column| column.null_count() == 0);
            column.ok_or_else(|| format!("its column {name} does not have a value in every row"))
        };
        let names = if names_are_known { Vec::new() } else { self.names() };
        for (name, expected) in names {
            let texts = column(name)?.as_string_opt::<i32>();
            if !texts.is_some_and(|texts| texts.iter().flatten().all(|text| text == expected)) {
                return Err(format!("it has rows whose {name} is not {expected:?}"));
            }
        }
        let ids = column(event::EVENT_ID)?.as_string_opt();
        let micros = column(event::TIMESTAMP)?.as_primitive_opt::<TimestampMicrosecondType>();
        let (Some(ids), Some(micros)) = (ids, micros) else {
            return Err("its columns event_id and timestamp have other types".to_owned());
        };
        Ok(BaseColumns { ids, micros: micros.values() })
    }

    /// The payload's columns, as a batch of the load has them.
    pub(super) fn payload(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>, String> {
        let fields = &self.schema.fields()[self.form.base_columns()..];
        let column =
            |field: &Arc<Field>| widened(batch.column_by_name(field.name()), field, batch.num_rows());
        fields.iter().map(column).collect()
    }

    /// Refuses columns of the payload whose numbers or instants are not those of the file.
    pub(super) fn compare(&self, found: &RecordBatch, payload: &[ArrayRef]) -> Result<(), String> {
        let fields = &self.schema.fields()[self.form.base_columns()..];
        for (field, column) in fields.iter().zip(payload) {
            if !found.column_by_name(field.name()).is_none_or(|found| are_the_same(found, column)) {
                return Err(format!("its column {} was not widened to the same values", field.name()));
            }
        }
        Ok(())
    }

    /// The keys of the versions of rows with these columns of the payload; `None` if the event type has no
    /// version. A column that the file does not have is null, and lower than all values.
    pub(super) fn versions(&self, payload: &[ArrayRef], rows: usize) -> Option<VersionKeys> {
        self.version.keys(payload, rows)
    }
}

/// Why a load that makes this change of a column is refused.
fn refusal(ColumnChange { column, fate }: &ColumnChange) -> Option<String> {
    Some(match fate {
        Fate::Added(_) | Fate::Widened { .. } => return None,
        Fate::Lost(_) => format!(
            "the catalog has no field for its column {column}, which would be lost: load with a catalog that \
             has it, such as the one it was written with, and flat or nested as before"
        ),
        Fate::Narrowed { from, to } => format!(
            "its column {column} is {from}, but {to} in the catalog, which does not have all of its values: \
             load with a catalog that has it as {from}, or wider"
        ),
        Fate::Reordered { from } => format!(
            "its column {column} is {from}, but string in the catalog, and it decides which version of an event \
             is the latest: texts have another order; load with a catalog that has it as a number or timestamp"
        ),
    })
}
