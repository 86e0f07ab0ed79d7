//! Rows of a target's file → batches with the columns of a load.
//!
//! Invariant: no value is lost. A column that the file does not have, because its catalog had fewer fields,
//! is null. A column that the catalog does not have, or has with another type, is refused. Where the event
//! type is in the directories alone, it is that of the partition.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, ListArray, MapArray, RecordBatch, StringArray, StructArray, new_null_array,
    },
    datatypes::{DataType, Field, Fields, Schema, TimestampMicrosecondType},
};
use event_rows::{VersionColumns, VersionKeys};
use events_core::{catalog::EventType, event, schema::TableForm};

/// The columns that an event type has by the catalog.
#[derive(Debug)]
pub(super) struct ExistingColumns<'p> {
    event_type: &'p EventType,
    form: TableForm,
    schema: Schema,
    version: VersionColumns,
}

/// The base fields of every row.
pub(super) struct BaseColumns<'b> {
    pub(super) ids: &'b StringArray,
    pub(super) micros: &'b [i64],
}

impl<'p> ExistingColumns<'p> {
    pub(super) fn new(event_type: &'p EventType, form: TableForm) -> Self {
        let version = VersionColumns::of(event_type, form.flatten);
        Self { event_type, form, schema: form.schema(event_type), version }
    }

    /// Refuses columns that would be lost.
    pub(super) fn check(&self, found: &Schema) -> Result<(), String> {
        if !self.form.has_event_type && found.index_of(event::EVENT_TYPE).is_ok() {
            return Err("it has a column event_type, which engines read from its directory".to_owned());
        }
        check_fields("", found.fields(), self.schema.fields())
    }

    /// The columns that every event has.
    pub(super) fn base<'b>(&self, batch: &'b RecordBatch) -> Result<BaseColumns<'b>, String> {
        let column = |name: &str| {
            let column = batch.column_by_name(name).filter(|column| column.null_count() == 0);
            column.ok_or_else(|| format!("its column {name} does not have a value in every row"))
        };
        let names = [(event::DOMAIN, &self.event_type.domain), (event::EVENT_TYPE, &self.event_type.name)];
        for (name, expected) in names.into_iter().take(1 + usize::from(self.form.has_event_type)) {
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
    pub(super) fn payload(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        let fields = &self.schema.fields()[self.form.base_columns()..];
        let column =
            |field: &Arc<Field>| adapted(batch.column_by_name(field.name()), field, batch.num_rows());
        fields.iter().map(column).collect()
    }

    /// The keys of the versions of rows with these columns of the payload; `None` if the event type has no
    /// version. A column that the file does not have is null, and lower than all values.
    pub(super) fn versions(&self, payload: &[ArrayRef], rows: usize) -> Option<VersionKeys> {
        self.version.keys(payload, rows)
    }
}

/// A column as the catalog has it: objects in it, also in its lists and maps, get the members that the file
/// does not have, all null.
fn adapted(found: Option<&ArrayRef>, field: &Field, rows: usize) -> ArrayRef {
    match (found, field.data_type()) {
        (None, data_type) => new_null_array(data_type, rows),
        (Some(found), data_type) if found.data_type() == data_type => Arc::clone(found),
        (Some(found), DataType::Struct(fields)) => {
            let object = found.as_struct();
            let member = |field: &Arc<Field>| adapted(object.column_by_name(field.name()), field, rows);
            let members = fields.iter().map(member).collect();
            match StructArray::try_new_with_length(fields.clone(), members, object.nulls().cloned(), rows) {
                Ok(object) => Arc::new(object),
                Err(error) => unreachable!("each member was made for its field: {error}"),
            }
        }
        (Some(found), DataType::List(element)) => {
            let list = found.as_list::<i32>();
            let elements = adapted(Some(list.values()), element, list.values().len());
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            match ListArray::try_new(Arc::clone(element), offsets, elements, nulls) {
                Ok(list) => Arc::new(list),
                Err(error) => unreachable!("the elements are as many as before: {error}"),
            }
        }
        (Some(found), DataType::Map(entry, is_sorted)) => {
            let map = found.as_map();
            let entries: ArrayRef = Arc::new(map.entries().clone());
            let entries = adapted(Some(&entries), entry, entries.len()).as_struct().clone();
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            match MapArray::try_new(Arc::clone(entry), offsets, entries, nulls, *is_sorted) {
                Ok(map) => Arc::new(map),
                Err(error) => unreachable!("the entries are as many as before: {error}"),
            }
        }
        (Some(found), data_type) => unreachable!("{} was checked to be {data_type}", found.data_type()),
    }
}

fn check_fields(path: &str, found: &Fields, expected: &Fields) -> Result<(), String> {
    for field in found {
        let name = format!("{path}{}", field.name());
        let Some(known) = expected.iter().find(|known| known.name() == field.name()) else {
            return Err(format!(
                "the catalog has no field for its column {name}, which would be lost: load with a catalog \
                 that has it, such as the one it was written with, and flat or nested as before"
            ));
        };
        check_type(&name, field.data_type(), known.data_type())?;
    }
    Ok(())
}

fn check_type(name: &str, found: &DataType, expected: &DataType) -> Result<(), String> {
    match (found, expected) {
        (DataType::Struct(found), DataType::Struct(expected)) => {
            check_fields(&format!("{name}."), found, expected)
        }
        (DataType::List(found), DataType::List(expected))
        | (DataType::Map(found, false), DataType::Map(expected, false)) => {
            check_type(name, found.data_type(), expected.data_type())
        }
        _ if found == expected => Ok(()),
        _ => Err(format!(
            "its column {name} is of type {found}, but {expected} in the catalog: load with the catalog that \
             it was written with"
        )),
    }
}
