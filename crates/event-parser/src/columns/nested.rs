//! Columns of lists and maps, and of the objects in them: elements and values, filled by the column builders.
//!
//! An element or a value that is an object is read as a shape of its own, like the payload, and each of its values goes
//! to the builder of its column. Its line was scanned before, so reading it again can't fail; only its values
//! can.
//!
//! Invariant: an append that failed leaves no trace. The path of a fault begins after that of the list, map
//! or object: `[2]`, `["key"]`, `[2].sku`, `.sku`.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, MapArray, StructArray},
    buffer::{NullBuffer, OffsetBuffer, ScalarBuffer},
    datatypes::{DataType, Fields},
    error::ArrowError,
};
use events_core::catalog::ValueType;

use super::{ColumnBuilder, Columns, ExpectedRows, ValueFault, changes::RowRuns};
use crate::{
    fault::{Fault, key_place},
    json::{Kind, Malformed, Scanner, Value},
    payload::{Learned, ObjectReader, Payload},
    plan::{KeyTarget, KindPlan, ListPlan, MapPlan, Shape},
};

/// Where the elements of each list end, or the entries of each map: an index into all of them, after a 0.
#[derive(Debug)]
pub(super) struct Ends(Vec<i32>);

impl Ends {
    fn new() -> Self {
        Self(vec![0])
    }

    /// The end of the last one.
    fn last(&self) -> usize {
        self.0.last().and_then(|&end| usize::try_from(end).ok()).unwrap_or(0)
    }

    /// Adds a row. What is in it takes bytes of lines, and a block of those is far below 2 GiB.
    fn push(&mut self, end: usize) -> Result<(), ValueFault> {
        self.0.push(i32::try_from(end).map_err(|_| ValueFault::OutOfRange)?);
        Ok(())
    }

    /// The rows that have these elements or entries, each once; both ascend.
    pub(super) fn rows_of(&self, inner: &RowRuns) -> RowRuns {
        let is_before = |end: i32, index: usize| usize::try_from(end).is_ok_and(|end| end <= index);
        let mut rows = RowRuns::default();
        for index in inner.rows() {
            rows.add(self.0.partition_point(|&end| is_before(end, index)) - 1);
        }
        rows
    }

    /// Forgets the rows from `rows` on.
    fn truncate(&mut self, rows: usize) {
        self.0.truncate(rows + 1);
    }

    /// Adds empty rows up to `rows`.
    fn fill(&mut self, rows: usize) {
        self.0.resize(rows + 1, self.0.last().copied().unwrap_or(0));
    }

    fn finish(self) -> OffsetBuffer<i32> {
        OffsetBuffer::new(ScalarBuffer::from(self.0))
    }
}

/// A column of lists.
#[derive(Debug)]
pub(super) struct ListBuilder {
    plan: Arc<ListPlan>,
    pub(super) ends: Ends,
    pub(super) elements: ColumnBuilder,
}

impl ListBuilder {
    pub(super) fn new(plan: &Arc<ListPlan>) -> Self {
        let elements = ColumnBuilder::of_kind(&plan.element, 0, 0);
        Self { plan: Arc::clone(plan), ends: Ends::new(), elements }
    }

    pub(super) fn append(&mut self, value: Value, line: &[u8]) -> Result<(), ValueFault> {
        if value.kind() != Kind::Array {
            return Err(ValueFault::TypeMismatch);
        }
        let first = self.ends.last();
        let mut row = first;
        let mut scanner = Scanner::at(line, value);
        let mut more = scanner.enter_array().map_err(scanned_before)?;
        while more {
            let element = scanner.value().map_err(scanned_before)?;
            if let Err(fault) = self.elements.append(row, element, line) {
                let place = format!("[{}]", row - first);
                let fault = Fault::value(&place, &self.plan.element, fault, element.text(line));
                self.elements.truncate(first);
                return Err(ValueFault::Within(Box::new(fault)));
            }
            row += 1;
            more = scanner.next_element().map_err(scanned_before)?;
        }
        self.ends.push(row)
    }

    /// Forgets the lists from `rows` on, or adds nulls up to `rows`.
    pub(super) fn resize(&mut self, rows: usize) {
        self.ends.truncate(rows);
        self.elements.truncate(self.ends.last());
        self.ends.fill(rows);
    }

    pub(super) fn finish(self, nulls: Option<NullBuffer>) -> ArrayRef {
        let field = Arc::clone(&self.plan.element_field);
        let elements = self.elements.finish(self.ends.last());
        match ListArray::try_new(field, self.ends.finish(), elements, nulls) {
            Ok(array) => Arc::new(array),
            Err(error) => unreachable!("offsets ascend to the number of elements: {error}"),
        }
    }
}

/// A column of maps. Entries are in the order of the line.
#[derive(Debug)]
pub(super) struct MapBuilder {
    plan: Arc<MapPlan>,
    pub(super) ends: Ends,
    keys: ColumnBuilder,
    pub(super) values: ColumnBuilder,
}

impl MapBuilder {
    pub(super) fn new(plan: &Arc<MapPlan>) -> Self {
        let keys = ColumnBuilder::of_kind(&KindPlan::Value(ValueType::String), 0, 0);
        let values = ColumnBuilder::of_kind(&plan.value, 0, 0);
        Self { plan: Arc::clone(plan), ends: Ends::new(), keys, values }
    }

    /// No key occurs twice: the line would have been refused when it was scanned.
    pub(super) fn append(&mut self, value: Value, line: &[u8]) -> Result<(), ValueFault> {
        if value.kind() != Kind::Object {
            return Err(ValueFault::TypeMismatch);
        }
        let first = self.ends.last();
        let mut row = first;
        let mut scanner = Scanner::at(line, value);
        let mut more = scanner.enter_object().map_err(scanned_before)?;
        while more {
            let key = scanner.key().map_err(scanned_before)?;
            let value = scanner.value().map_err(scanned_before)?;
            self.keys.append(row, key, line)?;
            if let Err(fault) = self.values.append(row, value, line) {
                let place = key_place(key.inner(line));
                let fault = Fault::value(&place, &self.plan.value, fault, value.text(line));
                self.keys.truncate(first);
                self.values.truncate(first);
                return Err(ValueFault::Within(Box::new(fault)));
            }
            row += 1;
            more = scanner.next_member().map_err(scanned_before)?;
        }
        self.ends.push(row)
    }

    /// Forgets the maps from `rows` on, or adds nulls up to `rows`.
    pub(super) fn resize(&mut self, rows: usize) {
        self.ends.truncate(rows);
        self.keys.truncate(self.ends.last());
        self.values.truncate(self.ends.last());
        self.ends.fill(rows);
    }

    pub(super) fn finish(self, nulls: Option<NullBuffer>) -> ArrayRef {
        let Self { plan, ends, keys, values } = self;
        let entry_field = Arc::clone(&plan.entry_field);
        let DataType::Struct(parts) = entry_field.data_type() else { unreachable!("a map has entries") };
        let parts = (parts.clone(), vec![keys.finish(ends.last()), values.finish(ends.last())]);
        let maps = StructArray::try_new(parts.0, parts.1, None)
            .and_then(|entries| MapArray::try_new(entry_field, ends.finish(), entries, nulls, false));
        match maps {
            Ok(array) => Arc::new(array),
            Err(error) => unreachable!("offsets ascend to the number of entries: {error}"),
        }
    }
}

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
fn scanned_before(_: Malformed) -> ValueFault {
    ValueFault::TypeMismatch
}
