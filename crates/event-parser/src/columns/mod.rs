//! The values of one payload field, line after line → one Arrow array.
//!
//! Values arrive as spans of the line. They are converted only here (`columns/convert.rs`), straight into the
//! column: there are no intermediate values, and no allocations per row.
//!
//! Lists and maps are filled one by one with a builder of their elements or values (`columns/lists.rs`),
//! objects in them column by column (`columns/nested.rs`).
//!
//! A missing value is null, and costs nothing until the next value comes: a shape of a thousand columns with
//! a few values is filled as fast as one with few columns.
//!
//! Changes by conversion are recorded in `columns/changes.rs`.
//!
//! Invariant: an append that failed leaves no trace.

mod changes;
mod convert;
mod lists;
mod nested;
mod nul;
mod values;

use std::iter;

use arrow::array::{ArrayRef, AsArray, NullBufferBuilder};
use events_core::{
    number::{self, NumberFault},
    timestamp,
};

use self::{
    changes::ChangedRows,
    convert::{boolean, epoch, instant, integer, number_token, parse_string, push_text},
    lists::{ListBuilder, MapBuilder},
    nested::ObjectBuilder,
    values::Values,
};
pub(crate) use self::{changes::ValueChange, convert::float, nested::nested_columns};
use crate::{
    fault::Fault,
    json::{Kind, Value},
    payload::{Given, Payload},
    plan::{ColumnPlan, KindPlan, Shape},
};

/// The bytes of a builder, with the least allocations for its values.
pub(crate) const COLUMN_BUILDER_BYTES: usize = size_of::<ColumnBuilder>() + 2 * ALLOCATION_BYTES;
pub(crate) const LIST_BUILDER_BYTES: usize = size_of::<ListBuilder>() + 2 * ALLOCATION_BYTES;
pub(crate) const MAP_BUILDER_BYTES: usize = size_of::<MapBuilder>() + 2 * ALLOCATION_BYTES;
pub(crate) const OBJECT_BUILDER_BYTES: usize = size_of::<ObjectBuilder>() + 2 * ALLOCATION_BYTES;
/// The least that an allocation takes.
const ALLOCATION_BYTES: usize = 32;

/// What a line has for a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Slot {
    /// The key does not occur.
    #[default]
    Missing,
    /// A value, null included.
    Value(Value),
    /// An object of the payload is this other value; all columns in it get this.
    NotAnObject(Value),
}

/// Why a value does not fit its column.
#[derive(Debug)]
pub(crate) enum ValueFault {
    TypeMismatch,
    OutOfRange,
    /// It is missing or null, but required.
    Required,
    /// Something in it does not fit; the path of the fault begins after the column's.
    Within(Box<Fault>),
}

/// An estimate of the next rows, to allocate memory in advance.
#[derive(Debug, Clone, Default)]
pub(crate) struct ExpectedRows {
    pub(crate) rows: usize,
    /// By column.
    text_bytes: Vec<usize>,
}

impl ExpectedRows {
    /// As much as the last rows, and a bit more.
    pub(crate) fn like(rows: usize, columns: &[ArrayRef]) -> Self {
        let more = |length: usize| length + length / 16;
        let text_bytes = |column: &ArrayRef| {
            column.as_string_opt::<i32>().map_or(0, |texts| more(texts.value_data().len()))
        };
        Self { rows: more(rows), text_bytes: columns.iter().map(text_bytes).collect() }
    }
}

/// The columns of a shape that are being filled.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    builders: Vec<ColumnBuilder>,
}

impl Columns {
    pub(crate) fn new(shape: &Shape, expected: &ExpectedRows) -> Self {
        let mut text_bytes = expected.text_bytes.iter().copied().chain(iter::repeat(0));
        let builders = shape
            .columns
            .iter()
            .map(|plan| ColumnBuilder::new(plan, expected.rows, text_bytes.next().unwrap_or_default()));
        Self { builders: builders.collect() }
    }

    /// Adds the values of an object of the shape as row `row`: all of them or, with the index of the first
    /// column that does not fit, none. Missing values are null, and cost nothing here.
    #[inline]
    pub(crate) fn append(
        &mut self,
        shape: &Shape,
        row: usize,
        payload: &Payload,
        line: &[u8],
    ) -> Result<(), (usize, ValueFault)> {
        let fits = !payload.has_not_objects()
            && shape.required_columns.iter().all(|&column| payload.has_column(column))
            && payload.given.iter().all(|&Given { column, value }| {
                self.builders.get_mut(column).is_some_and(|builder| builder.append(row, value, line).is_ok())
            });
        if fits { Ok(()) } else { self.append_in_order(shape, row, payload, line) }
    }

    /// Adds a payload, of which the last column is the text, to the row that was appended last.
    pub(crate) fn append_text(&mut self, row: usize, text: &[u8]) -> Result<(), (usize, ValueFault)> {
        let last = self.builders.len() - 1;
        let value = Value::new(Kind::Object, 0, text.len());
        self.builders[last].append(row, value, text).map_err(|fault| {
            self.truncate(row);
            (last, fault)
        })
    }

    /// The same, column by column, so that the first fault is the one that is reported.
    #[cold]
    fn append_in_order(
        &mut self,
        shape: &Shape,
        row: usize,
        payload: &Payload,
        line: &[u8],
    ) -> Result<(), (usize, ValueFault)> {
        self.truncate(row);
        for (index, slot) in payload.slots(shape).into_iter().enumerate() {
            let appended = match slot {
                Slot::Missing if shape.columns[index].required => Err(ValueFault::Required),
                Slot::Missing => Ok(()),
                Slot::Value(value) => self.builders[index].append(row, value, line),
                Slot::NotAnObject(_) => Err(ValueFault::TypeMismatch),
            };
            if let Err(fault) = appended {
                self.truncate(row);
                return Err((index, fault));
            }
        }
        Ok(())
    }

    /// Forgets the rows from `rows` on.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.builders.iter_mut().for_each(|builder| builder.truncate(rows));
    }

    /// The arrays of `rows` rows.
    pub(crate) fn finish(self, rows: usize) -> impl Iterator<Item = ArrayRef> {
        self.builders.into_iter().map(move |builder| builder.finish(rows))
    }
}

/// A column that is being filled. Rows without a value are null: they are filled in when the next value
/// comes, or at the end.
#[derive(Debug)]
struct ColumnBuilder {
    values: Values,
    required: bool,
    validity: NullBufferBuilder,
    changed: ChangedRows,
}

impl ColumnBuilder {
    fn new(plan: &ColumnPlan, rows: usize, text_bytes: usize) -> Self {
        Self { required: plan.required, ..Self::of_kind(&plan.kind, rows, text_bytes) }
    }

    fn of_kind(kind: &KindPlan, rows: usize, text_bytes: usize) -> Self {
        let values = match kind {
            KindPlan::Value(value_type) => Values::new(*value_type, rows, text_bytes),
            KindPlan::List(list) => Values::List(Box::new(ListBuilder::new(list))),
            KindPlan::Map(map) => Values::Map(Box::new(MapBuilder::new(map))),
            KindPlan::Object(shape) => Values::Object(Box::new(ObjectBuilder::new(shape))),
        };
        let validity = NullBufferBuilder::new(rows);
        Self { values, required: false, validity, changed: ChangedRows::default() }
    }

    /// Adds a value of `line` as row `row`. If it does not fit, the caller truncates the row.
    #[inline]
    fn append(&mut self, row: usize, value: Value, line: &[u8]) -> Result<(), ValueFault> {
        if value.kind() == Kind::Null {
            return if self.required { Err(ValueFault::Required) } else { Ok(()) };
        }
        if self.validity.len() < row {
            self.fill_with_nulls(row);
        }
        match &mut self.values {
            Values::Text { ends, bytes, json } => {
                push_text(value, line, *json, bytes, || self.changed.coerced.add(row));
                // The texts of a block are no longer than its lines, which are far below 2 GiB.
                ends.push(i32::try_from(bytes.len()).map_err(|_| ValueFault::OutOfRange)?);
            }
            Values::Int32(values) => {
                let wide = integer(value, line, || self.changed.coerced.add(row))?;
                values.push(i32::try_from(wide).map_err(|_| ValueFault::OutOfRange)?);
            }
            Values::Int64(values) => {
                values.push(integer(value, line, || self.changed.coerced.add(row))?);
            }
            Values::Float64(values) => {
                let ChangedRows { coerced, rounded } = &mut self.changed;
                values.push(float(value, line, || coerced.add(row), || rounded.add(row))?);
            }
            Values::Boolean(values) => {
                values.push(boolean(value, line, || self.changed.coerced.add(row))?);
            }
            Values::Decimal { unscaled, precision, scale } => {
                let token = number_token(value, line, || self.changed.coerced.add(row))?;
                let decimal = number::parse_decimal(&token, *precision, *scale)?;
                if decimal.is_rounded {
                    self.changed.rounded.add(row);
                }
                unscaled.push(decimal.unscaled);
            }
            Values::Date(values) => values.push(parse_string(value, line, timestamp::parse_date)?),
            Values::Timestamp(values) => {
                values.push(instant(value, line, || self.changed.rounded.add(row))?);
            }
            Values::Epoch { micros, unit } => {
                let ChangedRows { coerced, rounded } = &mut self.changed;
                micros.push(epoch(value, line, *unit, || coerced.add(row), || rounded.add(row))?);
            }
            Values::List(list) => list.append(value, line)?,
            Values::Map(map) => map.append(value, line)?,
            Values::Object(object) => object.append(row, value, line)?,
        }
        self.validity.append_non_null();
        Ok(())
    }

    /// Adds nulls up to `rows` rows.
    fn fill_with_nulls(&mut self, rows: usize) {
        self.values.resize(rows);
        let missing = rows - self.validity.len();
        if missing > 0 {
            self.validity.append_n_nulls(missing);
        }
    }

    /// Forgets the rows from `rows` on.
    fn truncate(&mut self, rows: usize) {
        // A failed append may have left more values than valid rows.
        let rows = rows.min(self.validity.len());
        self.values.resize(rows);
        self.validity.truncate(rows);
        self.changed.truncate(rows);
    }

    /// The array of `rows` rows.
    fn finish(mut self, rows: usize) -> ArrayRef {
        self.fill_with_nulls(rows);
        let nulls = self.validity.finish().filter(|nulls| nulls.null_count() > 0);
        self.values.finish(rows, nulls)
    }
}

impl From<NumberFault> for ValueFault {
    fn from(fault: NumberFault) -> Self {
        match fault {
            NumberFault::NotAnInteger => Self::TypeMismatch,
            NumberFault::OutOfRange => Self::OutOfRange,
        }
    }
}
