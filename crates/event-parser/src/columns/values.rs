//! The values of one column, by its type → one Arrow array.
//!
//! Invariant: a null row has a zero or an empty text, so that equal columns have equal bytes.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
        StringArray, TimestampMicrosecondArray,
    },
    buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer},
};
use events_core::{catalog::ValueType, timestamp::EpochUnit};

use super::{
    lists::{ListBuilder, MapBuilder},
    nested::ObjectBuilder,
};

/// The values of a column so far.
#[derive(Debug)]
pub(super) enum Values {
    Text { ends: Vec<i32>, bytes: Vec<u8>, json: bool },
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float64(Vec<f64>),
    Boolean(Vec<bool>),
    Decimal { unscaled: Vec<i128>, precision: u8, scale: u8 },
    Date(Vec<i32>),
    Timestamp(Vec<i64>),
    Epoch { micros: Vec<i64>, unit: EpochUnit },
    List(Box<ListBuilder>),
    Map(Box<MapBuilder>),
    Object(Box<ObjectBuilder>),
}

impl Values {
    pub(super) fn new(value_type: ValueType, rows: usize, text_bytes: usize) -> Self {
        let ends = || {
            let mut ends = Vec::with_capacity(rows + 1);
            ends.push(0);
            ends
        };
        match value_type {
            ValueType::String => {
                Self::Text { ends: ends(), bytes: Vec::with_capacity(text_bytes), json: false }
            }
            ValueType::Json => Self::Text { ends: ends(), bytes: Vec::with_capacity(text_bytes), json: true },
            ValueType::Int32 => Self::Int32(Vec::with_capacity(rows)),
            ValueType::Int64 => Self::Int64(Vec::with_capacity(rows)),
            ValueType::Float64 => Self::Float64(Vec::with_capacity(rows)),
            ValueType::Boolean => Self::Boolean(Vec::with_capacity(rows)),
            ValueType::Decimal { precision, scale } => {
                Self::Decimal { unscaled: Vec::with_capacity(rows), precision, scale }
            }
            ValueType::Date => Self::Date(Vec::with_capacity(rows)),
            ValueType::Timestamp => Self::Timestamp(Vec::with_capacity(rows)),
            ValueType::Epoch(unit) => Self::Epoch { micros: Vec::with_capacity(rows), unit },
        }
    }

    /// Forgets the rows from `rows` on, or adds nulls up to `rows`.
    pub(super) fn resize(&mut self, rows: usize) {
        match self {
            Self::Text { ends, bytes, .. } => {
                ends.truncate(rows + 1);
                let end = ends.last().copied().unwrap_or(0);
                bytes.truncate(usize::try_from(end).unwrap_or(0));
                ends.resize(rows + 1, end);
            }
            Self::Int32(values) | Self::Date(values) => values.resize(rows, 0),
            Self::Int64(values) | Self::Timestamp(values) | Self::Epoch { micros: values, .. } => {
                values.resize(rows, 0);
            }
            Self::Float64(values) => values.resize(rows, 0.0),
            Self::Boolean(values) => values.resize(rows, false),
            Self::Decimal { unscaled, .. } => unscaled.resize(rows, 0),
            Self::List(list) => list.resize(rows),
            Self::Map(map) => map.resize(rows),
            Self::Object(object) => object.truncate(rows),
        }
    }

    /// The array of `rows` rows with these nulls.
    pub(super) fn finish(self, rows: usize, nulls: Option<NullBuffer>) -> ArrayRef {
        match self {
            Self::Text { ends, bytes, .. } => {
                let offsets = OffsetBuffer::new(ScalarBuffer::from(fitting(ends)));
                // All texts come from lines that passed the UTF-8 check, or were unescaped from `char`s.
                match StringArray::try_new(offsets, fitting(bytes).into(), nulls) {
                    Ok(array) => Arc::new(array),
                    Err(error) => unreachable!("texts are UTF-8 and offsets ascend: {error}"),
                }
            }
            Self::Int32(values) => Arc::new(Int32Array::new(fitting(values).into(), nulls)),
            Self::Int64(values) => Arc::new(Int64Array::new(fitting(values).into(), nulls)),
            Self::Float64(values) => Arc::new(Float64Array::new(fitting(values).into(), nulls)),
            Self::Boolean(values) => Arc::new(BooleanArray::new(BooleanBuffer::from(values), nulls)),
            Self::Decimal { unscaled, precision, scale } => {
                let array = Decimal128Array::new(fitting(unscaled).into(), nulls);
                let scale = i8::try_from(scale).unwrap_or(i8::MAX);
                match array.with_precision_and_scale(precision, scale) {
                    Ok(array) => Arc::new(array),
                    Err(error) => unreachable!("the catalog allows only valid decimals: {error}"),
                }
            }
            Self::Date(values) => Arc::new(Date32Array::new(fitting(values).into(), nulls)),
            Self::Timestamp(values) | Self::Epoch { micros: values, .. } => {
                let array = TimestampMicrosecondArray::new(fitting(values).into(), nulls);
                Arc::new(array.with_timezone("UTC"))
            }
            Self::List(list) => list.finish(nulls),
            Self::Map(map) => map.finish(nulls),
            Self::Object(object) => object.finish(rows, nulls),
        }
    }
}

/// Shrinks the memory to what is needed: arrays are kept until the run ends.
fn fitting<T>(mut values: Vec<T>) -> Vec<T> {
    if values.capacity() > values.len() + values.len() / 8 {
        values.shrink_to_fit();
    }
    values
}
