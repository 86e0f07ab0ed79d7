//! Columns of the objects in lists and maps, filled by the column builders.
//!
//! An element or a value that is an object is read as a shape of its own, like the payload, and each of its
//! values goes to the builder of its column. Its line was scanned before, so reading it again can't fail;
//! only its values can.
//!
//! Invariant: an append that failed leaves no trace. The path of a fault begins after that of the object:
//! `.sku`.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, StructArray},
    buffer::NullBuffer,
    datatypes::{DataType, Fields},
    error::ArrowError,
};

use super::{Columns, ExpectedRows, ValueFault};
use crate::{
    fault::Fault,
    json::{Kind, Malformed, Scanner, Value},
    payload::{Learned, ObjectReader, Payload},
    plan::{KeyTarget, Shape},
};

/// A column of objects: the elements of a list, or the values of a map.
#[derive(Debug)]
pub(super) struct ObjectBuilder {
    pub(super) shape: Arc<Shape>,
    pub(super) columns: Columns,
    /// For each object of the shape, whether it exists.
    objects: Vec<Vec<bool>>,
    learned: Learned,
    payload: Payload,
}

impl ObjectBuilder {
    pub(super) fn new(shape: &Arc<Shape>) -> Self {
        Self {
            shape: Arc::clone(shape),
            columns: Columns::new(shape, &ExpectedRows::default()),
            objects: vec![Vec::new(); shape.objects.len()],
            learned: Learned::new(shape),
            payload: Payload::default(),
        }
    }

    pub(super) fn append(&mut self, row: usize, value: Value, line: &[u8]) -> Result<(), ValueFault> {
        if value.kind() != Kind::Object {
            return Err(ValueFault::TypeMismatch);
        }
        let mut reader = ObjectReader { scanner: &mut Scanner::at(line, value), unknown: None };
        reader.read(&self.shape, &mut self.learned, &mut self.payload).map_err(scanned_before)?;
        let within = |fault| ValueFault::Within(Box::new(fault));
        if let Some(fault) = self.payload.missing_object(&self.shape) {
            return Err(within(fault));
        }
        self.columns.append(&self.shape, row, &self.payload, line).map_err(|(index, fault)| {
            within(Fault::column(&self.shape, index, fault, &self.payload.slots(&self.shape), line))
        })?;
        for (index, column) in self.objects.iter_mut().enumerate() {
            column.resize(row, false);
            column.push(self.payload.has_object(index));
        }
        Ok(())
    }

    /// Forgets the rows from `rows` on.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.columns.truncate(rows);
        self.objects.iter_mut().for_each(|column| column.truncate(rows));
    }

    /// Nothing is required of a value that is not an object.
    pub(super) fn finish(self, rows: usize, nulls: Option<NullBuffer>) -> ArrayRef {
        let presence = self.objects.into_iter().map(|mut column| {
            column.resize(rows, false);
            Arc::new(BooleanArray::from(column)) as ArrayRef
        });
        let columns: Vec<_> = self.columns.finish(rows).chain(presence).collect();
        object_column(&self.shape, &columns, nulls)
    }
}

/// The columns of a table that is not flattened: the envelope's fields, and the payload as one struct. Those
/// of the shape are given, followed by whether each of its objects exists.
pub(crate) fn nested_columns(shape: &Shape, columns: &[ArrayRef]) -> Vec<ArrayRef> {
    let mut nested = Vec::new();
    if shape.root > 0 {
        nested.extend(of_fields(object_members(shape, 0, &shape.envelope_fields, columns)));
    }
    // Parquet has no struct without members, so a payload without fields has no column.
    if shape.is_json {
        nested.push(Arc::clone(&columns[shape.columns.len() - 1]));
    } else if !shape.fields.is_empty() {
        let nulls = Some(presence(shape, shape.root, columns));
        nested.push(object_column(shape, columns, nulls));
    }
    nested
}

fn object_column(shape: &Shape, columns: &[ArrayRef], nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(of_fields(object_array(shape, shape.root, &shape.fields, columns, nulls)))
}

fn of_fields<T>(arrays: Result<T, ArrowError>) -> T {
    match arrays {
        Ok(arrays) => arrays,
        Err(error) => unreachable!("a shape's columns are those of its fields: {error}"),
    }
}

fn object_array(
    shape: &Shape,
    index: usize,
    fields: &Fields,
    columns: &[ArrayRef],
    nulls: Option<NullBuffer>,
) -> Result<StructArray, ArrowError> {
    let rows = columns.last().map_or(0, Array::len);
    let members = object_members(shape, index, fields, columns)?;
    StructArray::try_new_with_length(fields.clone(), members, nulls, rows)
}

/// The arrays of an object's members.
fn object_members(
    shape: &Shape,
    index: usize,
    fields: &Fields,
    columns: &[ArrayRef],
) -> Result<Vec<ArrayRef>, ArrowError> {
    let mut members: Vec<ArrayRef> = Vec::with_capacity(fields.len());
    for (member, field) in shape.objects[index].members.iter().zip(fields) {
        members.push(match (member.target, field.data_type()) {
            (KeyTarget::Object(inner), DataType::Struct(fields)) => {
                let nulls = Some(presence(shape, inner, columns));
                Arc::new(object_array(shape, inner, fields, columns, nulls)?)
            }
            (KeyTarget::Keyed(keyed), _) => Arc::clone(&columns[shape.keyed[keyed].0]),
            (KeyTarget::Column(column) | KeyTarget::Object(column), _) => Arc::clone(&columns[column]),
        });
    }
    Ok(members)
}

fn presence(shape: &Shape, index: usize, columns: &[ArrayRef]) -> NullBuffer {
    let presence: &BooleanArray = columns[shape.columns.len() + index].as_boolean();
    NullBuffer::new(presence.values().clone())
}

/// Values are only taken from lines that were scanned as JSON before.
#[cold]
pub(super) fn scanned_before(_: Malformed) -> ValueFault {
    ValueFault::TypeMismatch
}
