//! A column of a batch → the binary form of the value of a row, as the `…_recv` functions of the server read
//! it.
//!
//! Invariant: each value has its length in front; null is the length -1.

use std::ops::Range;

use arrow::{
    array::{Array, ArrayRef, AsArray},
    buffer::{BooleanBuffer, NullBuffer},
    datatypes::{
        DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
    },
};
use event_rows::{extend_with_part, push_json};

use crate::{numeric, types::is_array};

/// 2000-01-01, from which the server counts, in days since 1970-01-01.
pub(crate) const EPOCH_DAYS: i32 = 10_957;
/// The same in microseconds.
pub(crate) const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * events_core::timestamp::DAY_MICROS;

/// The version of the format of `jsonb`. <https://www.postgresql.org/docs/current/datatype-json.html>
pub(crate) const JSONB_VERSION: u8 = 1;

const NULL: [u8; 4] = (-1_i32).to_be_bytes();

/// The values of a column.
#[derive(Debug)]
pub(crate) struct Values<'r> {
    nulls: Option<&'r NullBuffer>,
    form: Form<'r>,
}

#[derive(Debug)]
enum Form<'r> {
    Text {
        ends: &'r [i32],
        bytes: &'r [u8],
    },
    Int32(&'r [i32]),
    Int64(&'r [i64]),
    Float64(&'r [f64]),
    Boolean(&'r BooleanBuffer),
    Decimal {
        unscaled: &'r [i128],
        scale: u8,
    },
    Date(&'r [i32]),
    Timestamp(&'r [i64]),
    /// A list of values, as an array.
    Array {
        ends: &'r [i32],
        elements: Box<Values<'r>>,
        oid: u32,
    },
    /// A list of other things, a map or an object.
    Json(&'r ArrayRef),
}

impl<'r> Values<'r> {
    /// Those of a column.
    pub(crate) fn of(column: &'r ArrayRef) -> Self {
        let form = match column.data_type() {
            DataType::Utf8 => {
                let texts = column.as_string::<i32>();
                Form::Text { ends: texts.value_offsets(), bytes: texts.value_data() }
            }
            DataType::Int32 => Form::Int32(column.as_primitive::<Int32Type>().values()),
            DataType::Int64 => Form::Int64(column.as_primitive::<Int64Type>().values()),
            DataType::Float64 => Form::Float64(column.as_primitive::<Float64Type>().values()),
            DataType::Boolean => Form::Boolean(column.as_boolean().values()),
            DataType::Decimal128(_, scale) => Form::Decimal {
                unscaled: column.as_primitive::<Decimal128Type>().values(),
                scale: u8::try_from(*scale).unwrap_or_default(),
            },
            DataType::Date32 => Form::Date(column.as_primitive::<Date32Type>().values()),
            DataType::Timestamp(..) => {
                Form::Timestamp(column.as_primitive::<TimestampMicrosecondType>().values())
            }
            DataType::List(element) if is_array(element.data_type()) => {
                let list = column.as_list::<i32>();
                Form::Array {
                    ends: list.value_offsets(),
                    elements: Box::new(Self::of(list.values())),
                    oid: oid_of(element.data_type()),
                }
            }
            DataType::List(_) | DataType::Map(..) | DataType::Struct(_) => Form::Json(column),
            other => unreachable!("no load writes {other}"),
        };
        Self { nulls: column.nulls(), form }
    }

    /// Appends the value of a row. Returns its length.
    #[inline]
    pub(crate) fn put(&self, out: &mut Vec<u8>, row: usize, json: &mut String) -> usize {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            out.extend_from_slice(&NULL);
            return 0;
        }
        match &self.form {
            Form::Text { ends, bytes } => {
                let [start, end] = [ends[row], ends[row + 1]].map(i32::cast_unsigned);
                out.extend_from_slice(&(end - start).to_be_bytes());
                extend_with_part(out, bytes, start as usize..end as usize);
                return (end - start) as usize;
            }
            Form::Int32(values) => out.extend_from_slice(&fixed_4(values[row])),
            Form::Int64(values) => out.extend_from_slice(&fixed(values[row])),
            Form::Float64(values) => out.extend_from_slice(&fixed(values[row].to_bits().cast_signed())),
            Form::Boolean(values) => out.extend_from_slice(&[0, 0, 0, 1, values.value(row).into()]),
            Form::Decimal { unscaled, scale } => numeric::push(out, unscaled[row], *scale),
            Form::Date(values) => out.extend_from_slice(&fixed_4(values[row].saturating_sub(EPOCH_DAYS))),
            Form::Timestamp(values) => out.extend_from_slice(&fixed(micros_of_server(values[row]))),
            Form::Array { ends, elements, oid } => {
                let [start, end] = [ends[row], ends[row + 1]].map(i32::cast_unsigned);
                return put_array(out, elements, start as usize..end as usize, *oid);
            }
            Form::Json(column) => {
                json.clear();
                push_json(json, column, row);
                put_length(out, 1 + json.len());
                out.push(JSONB_VERSION);
                out.extend_from_slice(json.as_bytes());
                return 1 + json.len();
            }
        }
        0
    }

    fn has_nulls(&self, rows: Range<usize>) -> bool {
        self.nulls.is_some_and(|nulls| rows.into_iter().any(|row| nulls.is_null(row)))
    }
}

/// Appends an array: of one dimension that begins with the index 1, or of none if it is empty.
/// `array_recv` in
/// <https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/utils/adt/arrayfuncs.c>
fn put_array(out: &mut Vec<u8>, elements: &Values<'_>, rows: Range<usize>, oid: u32) -> usize {
    let start = out.len();
    let length = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let dimensions = u32::from(length > 0);
    let has_nulls = u32::from(elements.has_nulls(rows.clone()));
    for word in [0, dimensions, has_nulls, oid] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    if length > 0 {
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&1_u32.to_be_bytes());
    }
    // Elements are values: none of them is written as JSON.
    let mut json = String::new();
    for row in rows {
        elements.put(out, row, &mut json);
    }
    let bytes = out.len() - start - 4;
    out[start..start + 4].copy_from_slice(&u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes());
    bytes
}

/// Appends the length of a value.
pub(crate) fn put_length(out: &mut Vec<u8>, bytes: usize) {
    out.extend_from_slice(&u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes());
}

/// An instant as the server counts it.
pub(crate) fn micros_of_server(micros: i64) -> i64 {
    micros.saturating_sub(EPOCH_MICROS)
}

/// A value of eight bytes, with its length.
pub(crate) fn fixed(value: i64) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[3] = 8;
    bytes[4..].copy_from_slice(&value.to_be_bytes());
    bytes
}

/// A value of four bytes, with its length.
fn fixed_4(value: i32) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[3] = 4;
    bytes[4..].copy_from_slice(&value.to_be_bytes());
    bytes
}

/// The number of a type in every server, which an array names.
/// <https://github.com/postgres/postgres/blob/REL_15_STABLE/src/include/catalog/pg_type.dat>
pub(crate) fn oid_of(element: &DataType) -> u32 {
    match element {
        DataType::Boolean => 16,
        DataType::Int64 => 20,
        DataType::Int32 => 23,
        DataType::Utf8 => 25,
        DataType::Float64 => 701,
        DataType::Date32 => 1082,
        DataType::Timestamp(..) => 1184,
        DataType::Decimal128(..) => 1700,
        other => unreachable!("{other} is no value"),
    }
}
