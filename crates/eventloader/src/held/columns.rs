//! Rows as a file of the target has them → columns as a load has them.
//!
//! Invariant: no value is lost. What a file has not (its catalog had fewer fields) is null; what the catalog has not, or has as
//! another type, is refused.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, StructArray, new_null_array},
    buffer::{BooleanBuffer, NullBuffer},
    datatypes::{DataType, Fields, Schema, TimestampMicrosecondType},
};
use events_core::{event, schema};

use crate::plan::{Shape, Target, TypePlan};

/// What an event type's columns are.
#[derive(Debug)]
pub(super) struct HeldColumns<'p> {
    plan: &'p TypePlan,
    schema: Schema,
    flatten: bool,
}

/// What every row has.
pub(super) struct Base<'b> {
    pub(super) ids: &'b StringArray,
    pub(super) micros: &'b [i64],
}

impl<'p> HeldColumns<'p> {
    pub(super) fn new(plan: &'p TypePlan, flatten: bool) -> Self {
        let event_type = &plan.event_type;
        let schema =
            if flatten { schema::flat_schema(event_type) } else { schema::nested_schema(event_type) };
        Self { plan, schema, flatten }
    }

    /// Refuses columns that would be lost.
    pub(super) fn check(&self, found: &Schema) -> Result<(), String> {
        check_fields("", found.fields(), self.schema.fields())
    }

    /// The columns that every event has.
    pub(super) fn base<'b>(&self, batch: &'b RecordBatch) -> Result<Base<'b>, String> {
        let column = |name: &str| {
            let column = batch.column_by_name(name).filter(|column| column.null_count() == 0);
            column.ok_or_else(|| format!("its column {name} is not there in every row"))
        };
        for (name, expected) in
            [(event::DOMAIN, &self.plan.event_type.domain), (event::EVENT_TYPE, &self.plan.event_type.name)]
        {
            let texts = column(name)?.as_string_opt::<i32>();
            if !texts.is_some_and(|texts| texts.iter().flatten().all(|text| text == expected)) {
                return Err(format!("it has rows whose {name} is not {expected:?}"));
            }
        }
        let ids = column(event::EVENT_ID)?.as_string_opt();
        let micros = column(event::TIMESTAMP)?.as_primitive_opt::<TimestampMicrosecondType>();
        let (Some(ids), Some(micros)) = (ids, micros) else {
            return Err("its columns event_id and timestamp are of other types".to_owned());
        };
        Ok(Base { ids, micros: micros.values() })
    }

    /// The payload's columns, as a batch of the load has them.
    pub(super) fn payload(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        let rows = batch.num_rows();
        let shape = &self.plan.payload;
        if self.flatten {
            let fields = &self.schema.fields()[schema::BASE_COLUMNS..];
            return fields
                .iter()
                .map(|field| match batch.column_by_name(field.name()) {
                    Some(column) => Arc::clone(column),
                    None => new_null_array(field.data_type(), rows),
                })
                .collect();
        }
        let mut columns = vec![None; shape.columns.len()];
        let mut presence = vec![None; shape.objects.len()];
        let data = batch.column_by_name(event::DATA).and_then(|data| data.as_struct_opt());
        Nested { shape, rows, columns: &mut columns, presence: &mut presence }.take(
            0,
            &shape.fields,
            data,
            None,
        );
        columns.into_iter().chain(presence).flatten().collect()
    }
}

fn check_fields(path: &str, found: &Fields, expected: &Fields) -> Result<(), String> {
    for field in found {
        let name = format!("{path}{}", field.name());
        let known = expected.iter().find(|known| known.name() == field.name());
        match (known.map(|known| known.data_type()), field.data_type()) {
            (None, _) => {
                return Err(format!(
                    "the catalog has no field for its column {name}, which would be lost: load with the catalog that it was \
                     written with, or one that has it, and with the same --flatten"
                ));
            }
            (Some(DataType::Struct(expected)), DataType::Struct(found)) => {
                check_fields(&format!("{name}."), found, expected)?;
            }
            (Some(expected), found) if expected == found => {}
            (Some(expected), found) => {
                return Err(format!(
                    "its column {name} is of type {found}, by the catalog it is {expected}: load with the catalog that it was \
                     written with"
                ));
            }
        }
    }
    Ok(())
}

/// Takes objects apart.
struct Nested<'a> {
    shape: &'a Shape,
    rows: usize,
    columns: &'a mut [Option<ArrayRef>],
    presence: &'a mut [Option<ArrayRef>],
}

impl Nested<'_> {
    /// Takes the object with this index apart; `around` says where the objects are that it is in.
    fn take(
        &mut self,
        index: usize,
        fields: &Fields,
        object: Option<&StructArray>,
        around: Option<&NullBuffer>,
    ) {
        let nulls = NullBuffer::union(around, object.and_then(StructArray::nulls));
        for (member, field) in self.shape.objects[index].members.iter().zip(fields) {
            let found = object.and_then(|object| object.column_by_name(field.name()));
            match (member.target, field.data_type()) {
                (Target::Object(inner), DataType::Struct(fields)) => {
                    let inner_object = found.and_then(|found| found.as_struct_opt());
                    self.take(inner, fields, inner_object, nulls.as_ref());
                }
                (target, data_type) => {
                    let column = match target {
                        Target::ObjectList(list) => self.shape.object_lists[list].0,
                        Target::Column(column) | Target::Object(column) => column,
                    };
                    let values = found.map_or_else(|| new_null_array(data_type, self.rows), Arc::clone);
                    self.columns[column] = Some(values);
                }
            }
        }
        let presence = match (object, nulls) {
            (None, _) => BooleanBuffer::new_unset(self.rows),
            (Some(_), None) => BooleanBuffer::new_set(self.rows),
            (Some(_), Some(nulls)) => nulls.inner().clone(),
        };
        self.presence[index] = Some(Arc::new(BooleanArray::new(presence, None)));
    }
}
