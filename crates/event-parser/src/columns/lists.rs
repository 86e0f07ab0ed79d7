//! Columns of lists and maps: elements and values, filled one by one by the builders of their columns.
//!
//! Invariant: an append that failed leaves no trace. The path of a fault begins after that of the list or
//! map:
//! `[2]`, `["key"]`, `[2].sku`.

use std::{ops::Range, sync::Arc};

use arrow::{
    array::{ArrayRef, ListArray, MapArray, StructArray},
    buffer::{NullBuffer, OffsetBuffer, ScalarBuffer},
    datatypes::DataType,
};
use events_core::catalog::ValueType;

use super::{ColumnBuilder, ValueFault, changes::RowRuns, nested::scanned_before};
use crate::{
    fault::{Fault, key_place},
    json::{Kind, Scanner, Value},
    plan::{KindPlan, ListPlan, MapPlan},
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

    /// The elements or entries of some rows.
    pub(super) fn range(&self, rows: Range<usize>) -> Range<usize> {
        let end = |row: usize| usize::try_from(self.0[row]).unwrap_or(0);
        end(rows.start)..end(rows.end)
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
    pub(super) keys: ColumnBuilder,
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
