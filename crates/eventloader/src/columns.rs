//! The values of one payload field, line after line → one Arrow array.
//!
//! Values come as spans of the line and are converted here, nowhere else, straight into the column: the meaning of each
//! type (CONTRACT.md section 5) is [`ColumnBuilder::append`]. No value is made in between, nothing is allocated per row.
//!
//! Lists are filled element by element with a builder of their elements (`columns/nested.rs`), objects in them column by
//! column.
//!
//! Invariant: after an append that failed, [`ColumnBuilder::truncate`] to the row count of before leaves no trace of it.

mod nested;

use std::{borrow::Cow, sync::Arc};

use arrow::{
    array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
        StringArray, TimestampMicrosecondArray,
    },
    buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer},
};
use events_core::{
    catalog::ValueType,
    number::{self, NumberFault},
    timestamp,
};

pub(crate) use self::nested::struct_array;
use self::nested::{ListBuilder, ObjectBuilder};
use crate::{
    fault::Fault,
    json::{self, Kind, Value},
    plan::{ColumnPlan, KindPlan},
};

/// What a line has for a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Slot {
    /// The key is not there.
    #[default]
    Missing,
    /// A value, null included.
    Value(Value),
    /// An object of the payload is this instead of an object; all columns in it say so.
    NotAnObject(Value),
}

/// Why a value does not fit its column.
#[derive(Debug)]
pub(crate) enum ValueFault {
    TypeMismatch,
    OutOfRange,
    /// It is missing or null and must not be.
    Required,
    /// Something in it does not fit; the fault's path begins behind the column's.
    Within(Box<Fault>),
}

/// A column that is being filled.
#[derive(Debug)]
pub(crate) struct ColumnBuilder {
    values: Values,
    required: bool,
    validity: Vec<bool>,
    nulls: usize,
}

#[derive(Debug)]
enum Values {
    Text { ends: Vec<i32>, bytes: Vec<u8>, json: bool },
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float64(Vec<f64>),
    Boolean(Vec<bool>),
    Decimal { unscaled: Vec<i128>, precision: u8, scale: u8 },
    Date(Vec<i32>),
    Timestamp(Vec<i64>),
    List(Box<ListBuilder>),
    Object(Box<ObjectBuilder>),
}

impl ColumnBuilder {
    pub(crate) fn new(plan: &ColumnPlan) -> Self {
        Self { required: plan.required, ..Self::of_kind(&plan.kind) }
    }

    fn of_kind(kind: &KindPlan) -> Self {
        let values = match kind {
            KindPlan::Value(value_type) => Values::new(*value_type),
            KindPlan::List(list) => Values::List(Box::new(ListBuilder::new(list))),
            KindPlan::Object(shape) => Values::Object(Box::new(ObjectBuilder::new(shape))),
        };
        Self { values, required: false, validity: Vec::new(), nulls: 0 }
    }

    /// Adds the value that `slot` has in `line`; what is missing or null is null.
    #[inline]
    pub(crate) fn append(&mut self, slot: Slot, line: &[u8]) -> Result<(), ValueFault> {
        let value = match slot {
            Slot::Value(value) if value.kind != Kind::Null => value,
            Slot::Missing | Slot::Value(_) => {
                if self.required {
                    return Err(ValueFault::Required);
                }
                self.append_null();
                return Ok(());
            }
            Slot::NotAnObject(_) => return Err(ValueFault::TypeMismatch),
        };
        match &mut self.values {
            Values::Text { ends, bytes, json } => {
                push_text(value, line, *json, bytes);
                // A block's texts are no longer than its lines, and those are far below 2 GiB.
                ends.push(i32::try_from(bytes.len()).map_err(|_| ValueFault::OutOfRange)?);
            }
            Values::Int32(values) => {
                let wide = integer(value, line)?;
                values.push(i32::try_from(wide).map_err(|_| ValueFault::OutOfRange)?);
            }
            Values::Int64(values) => values.push(integer(value, line)?),
            Values::Float64(values) => values.push(float(value, line)?),
            Values::Boolean(values) => values.push(boolean(value, line)?),
            Values::Decimal { unscaled, precision, scale } => {
                unscaled.push(number::parse_decimal(&number_token(value, line)?, *precision, *scale)?);
            }
            Values::Date(values) => values.push(parse_string(value, line, timestamp::parse_date)?),
            Values::Timestamp(values) => values.push(parse_string(value, line, timestamp::parse_timestamp)?),
            Values::List(list) => list.append(value, line)?,
            Values::Object(object) => object.append(value, line)?,
        }
        self.validity.push(true);
        Ok(())
    }

    #[inline]
    fn append_null(&mut self) {
        self.values.push_null();
        self.validity.push(false);
        self.nulls += 1;
    }

    fn rows(&self) -> usize {
        self.validity.len()
    }

    /// Forgets all rows from `rows` on.
    pub(crate) fn truncate(&mut self, rows: usize) {
        match &mut self.values {
            Values::Text { ends, bytes, .. } => {
                ends.truncate(rows + 1);
                bytes.truncate(ends.last().and_then(|&end| usize::try_from(end).ok()).unwrap_or(0));
            }
            Values::Int32(values) | Values::Date(values) => values.truncate(rows),
            Values::Int64(values) | Values::Timestamp(values) => values.truncate(rows),
            Values::Float64(values) => values.truncate(rows),
            Values::Boolean(values) => values.truncate(rows),
            Values::Decimal { unscaled, .. } => unscaled.truncate(rows),
            Values::List(list) => list.truncate(rows),
            Values::Object(object) => object.truncate(rows),
        }
        while self.validity.len() > rows {
            if self.validity.pop() == Some(false) {
                self.nulls -= 1;
            }
        }
    }

    /// The array of all rows.
    pub(crate) fn finish(self) -> ArrayRef {
        let nulls = (self.nulls > 0).then(|| NullBuffer::from(self.validity));
        match self.values {
            Values::Text { ends, mut bytes, .. } => {
                bytes.shrink_to_fit();
                let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
                // Only texts of lines that passed the UTF-8 check come here; what was unescaped is made of `char`s.
                match StringArray::try_new(offsets, bytes.into(), nulls) {
                    Ok(array) => Arc::new(array),
                    Err(error) => unreachable!("texts are UTF-8 and offsets ascend: {error}"),
                }
            }
            Values::Int32(values) => Arc::new(Int32Array::new(values.into(), nulls)),
            Values::Int64(values) => Arc::new(Int64Array::new(values.into(), nulls)),
            Values::Float64(values) => Arc::new(Float64Array::new(values.into(), nulls)),
            Values::Boolean(values) => Arc::new(BooleanArray::new(BooleanBuffer::from(values), nulls)),
            Values::Decimal { unscaled, precision, scale } => {
                let array = Decimal128Array::new(unscaled.into(), nulls);
                let scale = i8::try_from(scale).unwrap_or(i8::MAX);
                match array.with_precision_and_scale(precision, scale) {
                    Ok(array) => Arc::new(array),
                    Err(error) => unreachable!("the catalog allows only valid decimals: {error}"),
                }
            }
            Values::Date(values) => Arc::new(Date32Array::new(values.into(), nulls)),
            Values::Timestamp(values) => {
                Arc::new(TimestampMicrosecondArray::new(values.into(), nulls).with_timezone("UTC"))
            }
            Values::List(list) => list.finish(nulls),
            Values::Object(object) => object.finish(nulls),
        }
    }
}

impl Values {
    fn new(value_type: ValueType) -> Self {
        match value_type {
            ValueType::String => Self::Text { ends: vec![0], bytes: Vec::new(), json: false },
            ValueType::Json => Self::Text { ends: vec![0], bytes: Vec::new(), json: true },
            ValueType::Int32 => Self::Int32(Vec::new()),
            ValueType::Int64 => Self::Int64(Vec::new()),
            ValueType::Float64 => Self::Float64(Vec::new()),
            ValueType::Boolean => Self::Boolean(Vec::new()),
            ValueType::Decimal { precision, scale } => {
                Self::Decimal { unscaled: Vec::new(), precision, scale }
            }
            ValueType::Date => Self::Date(Vec::new()),
            ValueType::Timestamp => Self::Timestamp(Vec::new()),
        }
    }

    fn push_null(&mut self) {
        match self {
            Self::Text { ends, .. } => ends.push(ends.last().copied().unwrap_or(0)),
            Self::Int32(values) | Self::Date(values) => values.push(0),
            Self::Int64(values) | Self::Timestamp(values) => values.push(0),
            Self::Float64(values) => values.push(0.0),
            Self::Boolean(values) => values.push(false),
            Self::Decimal { unscaled, .. } => unscaled.push(0),
            Self::List(list) => list.push_null(),
            Self::Object(object) => object.push_null(),
        }
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

/// Strings as they are, numbers and booleans as they are written, objects and arrays as compact JSON.
fn push_text(value: Value, line: &[u8], json: bool, bytes: &mut Vec<u8>) {
    match value.kind {
        Kind::String { escaped: false } if !json => bytes.extend_from_slice(value.inner(line)),
        Kind::String { escaped: true } if !json => json::unescape_into(value.inner(line), bytes),
        Kind::String { .. } | Kind::Object | Kind::Array => json::compact_into(value.text(line), bytes),
        Kind::Number | Kind::True | Kind::False | Kind::Null => bytes.extend_from_slice(value.text(line)),
    }
}

/// The token of a number, or of a string that is one.
fn number_token(value: Value, line: &[u8]) -> Result<Cow<'_, [u8]>, ValueFault> {
    if value.kind == Kind::Number {
        return Ok(Cow::Borrowed(value.text(line)));
    }
    value.string(line).filter(|text| number::is_number(text)).ok_or(ValueFault::TypeMismatch)
}

fn integer(value: Value, line: &[u8]) -> Result<i64, ValueFault> {
    Ok(number::parse_integer(&number_token(value, line)?)?)
}

fn float(value: Value, line: &[u8]) -> Result<f64, ValueFault> {
    let token = number_token(value, line)?;
    let token = std::str::from_utf8(&token).map_err(|_| ValueFault::TypeMismatch)?;
    let float: f64 = token.parse().map_err(|_| ValueFault::TypeMismatch)?;
    if float.is_finite() { Ok(float) } else { Err(ValueFault::OutOfRange) }
}

fn boolean(value: Value, line: &[u8]) -> Result<bool, ValueFault> {
    match (value.kind, value.string(line).as_deref()) {
        (Kind::True, _) | (_, Some(b"true")) => Ok(true),
        (Kind::False, _) | (_, Some(b"false")) => Ok(false),
        _ => Err(ValueFault::TypeMismatch),
    }
}

fn parse_string<T>(value: Value, line: &[u8], parse: fn(&[u8]) -> Option<T>) -> Result<T, ValueFault> {
    value.string(line).and_then(|text| parse(&text)).ok_or(ValueFault::TypeMismatch)
}
