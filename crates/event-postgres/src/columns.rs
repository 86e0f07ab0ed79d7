//! The binary values of a column, or its JSON → an Arrow array.
//!
//! Invariant: a null row has a zero or an empty text, as in the columns of a load. What no load writes is
//! refused, and never becomes another value.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
        ListArray, MapArray, NullBufferBuilder, StringArray, StructArray, TimestampMicrosecondArray,
    },
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::{DataType, Field, FieldRef, Fields},
    error::ArrowError,
};

use crate::{
    numeric, tuple,
    types::is_array,
    values::{EPOCH_DAYS, EPOCH_MICROS, JSONB_VERSION, oid_of},
};

/// A column that is being filled.
#[derive(Debug)]
pub(crate) struct ColumnBuilder {
    data_type: DataType,
    pub(crate) validity: NullBufferBuilder,
    pub(crate) values: Values,
}

#[derive(Debug)]
pub(crate) enum Values {
    Text { ends: Vec<i32>, bytes: Vec<u8> },
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float64(Vec<f64>),
    Boolean(Vec<bool>),
    Decimal { unscaled: Vec<i128>, precision: u8, scale: u8 },
    Date(Vec<i32>),
    Timestamp(Vec<i64>),
    List { ends: Vec<i32>, element: FieldRef, elements: Box<ColumnBuilder> },
    Map { ends: Vec<i32>, entry: FieldRef, keys: Box<ColumnBuilder>, values: Box<ColumnBuilder> },
    Object { rows: usize, fields: Fields, members: Vec<ColumnBuilder> },
}

/// What is wrong with a value.
pub(crate) type Problem = String;

impl ColumnBuilder {
    /// An empty column.
    pub(crate) fn new(data_type: &DataType) -> Self {
        let of_field = |field: &Field| Box::new(Self::new(field.data_type()));
        let values = match data_type {
            DataType::Utf8 => Values::Text { ends: vec![0], bytes: Vec::new() },
            DataType::Int32 => Values::Int32(Vec::new()),
            DataType::Int64 => Values::Int64(Vec::new()),
            DataType::Float64 => Values::Float64(Vec::new()),
            DataType::Boolean => Values::Boolean(Vec::new()),
            DataType::Date32 => Values::Date(Vec::new()),
            DataType::Timestamp(..) => Values::Timestamp(Vec::new()),
            DataType::Decimal128(precision, scale) => {
                let scale = u8::try_from(*scale).unwrap_or_default();
                Values::Decimal { unscaled: Vec::new(), precision: *precision, scale }
            }
            DataType::List(element) => {
                Values::List { ends: vec![0], element: Arc::clone(element), elements: of_field(element) }
            }
            DataType::Map(entry, _) => match entry.data_type() {
                DataType::Struct(parts) => Values::Map {
                    ends: vec![0],
                    entry: Arc::clone(entry),
                    keys: of_field(&parts[0]),
                    values: of_field(&parts[1]),
                },
                other => unreachable!("a map has entries, not {other}"),
            },
            DataType::Struct(fields) => Values::Object {
                rows: 0,
                fields: fields.clone(),
                members: fields.iter().map(|field| Self::new(field.data_type())).collect(),
            },
            other => unreachable!("no load writes {other}"),
        };
        Self { data_type: data_type.clone(), validity: NullBufferBuilder::new(0), values }
    }

    /// The rows so far.
    pub(crate) fn len(&self) -> usize {
        self.validity.len()
    }

    /// Adds the value of a tuple's field.
    pub(crate) fn push(&mut self, field: Option<&[u8]>) -> Result<(), Problem> {
        let Some(bytes) = field else {
            self.push_null();
            return Ok(());
        };
        let has_length = |length: usize| format!("{} bytes, not {length}", bytes.len());
        match &mut self.values {
            Values::Text { ends, bytes: texts } => {
                let text = str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
                push_text(ends, texts, text)?;
            }
            Values::Int32(values) => {
                values.push(i32::from_be_bytes(bytes.try_into().map_err(|_| has_length(4))?));
            }
            Values::Int64(values) => {
                values.push(i64::from_be_bytes(bytes.try_into().map_err(|_| has_length(8))?));
            }
            Values::Float64(values) => {
                let value = f64::from_be_bytes(bytes.try_into().map_err(|_| has_length(8))?);
                values.push(finite(value)?);
            }
            Values::Boolean(values) => match bytes {
                [value @ (0 | 1)] => values.push(*value == 1),
                _ => return Err(has_length(1)),
            },
            Values::Decimal { unscaled, precision, scale } => {
                let value = numeric::read(bytes, *precision, *scale);
                unscaled.push(value.ok_or_else(|| format!("no decimal({precision},{scale})"))?);
            }
            Values::Date(values) => {
                let days = i32::from_be_bytes(bytes.try_into().map_err(|_| has_length(4))?);
                // The greatest and the least stand for infinity.
                let is_infinite = matches!(days, i32::MIN | i32::MAX);
                let days = days.checked_add(EPOCH_DAYS).filter(|_| !is_infinite);
                values.push(days.ok_or_else(|| "an infinite date".to_owned())?);
            }
            Values::Timestamp(values) => {
                let micros = i64::from_be_bytes(bytes.try_into().map_err(|_| has_length(8))?);
                let is_infinite = matches!(micros, i64::MIN | i64::MAX);
                let micros = micros.checked_add(EPOCH_MICROS).filter(|_| !is_infinite);
                values.push(micros.ok_or_else(|| "an infinite timestamp".to_owned())?);
            }
            Values::List { ends, element, elements } if is_array(element.data_type()) => {
                push_array(elements, element.data_type(), bytes)?;
                push_end(ends, elements.len())?;
            }
            Values::List { .. } | Values::Map { .. } | Values::Object { .. } => {
                let [JSONB_VERSION, text @ ..] = bytes else {
                    return Err("another version of jsonb".to_owned());
                };
                return self.push_json_text(text);
            }
        }
        self.validity.append_non_null();
        Ok(())
    }

    /// Adds a null.
    pub(crate) fn push_null(&mut self) {
        match &mut self.values {
            Values::Text { ends, .. } | Values::List { ends, .. } | Values::Map { ends, .. } => {
                ends.push(ends.last().copied().unwrap_or_default());
            }
            Values::Int32(values) | Values::Date(values) => values.push(0),
            Values::Int64(values) | Values::Timestamp(values) => values.push(0),
            Values::Float64(values) => values.push(0.0),
            Values::Boolean(values) => values.push(false),
            Values::Decimal { unscaled, .. } => unscaled.push(0),
            Values::Object { rows, members, .. } => {
                *rows += 1;
                members.iter_mut().for_each(Self::push_null);
            }
        }
        self.validity.append_null();
    }

    /// The rows so far, as an array; none are left.
    pub(crate) fn take(&mut self) -> ArrayRef {
        let ColumnBuilder { mut validity, values, data_type } =
            std::mem::replace(self, Self::new(&self.data_type));
        let nulls = validity.finish().filter(|nulls| nulls.null_count() > 0);
        match values.array(nulls, &data_type) {
            Ok(array) => array,
            Err(error) => unreachable!("a column's parts have as many rows as it has: {error}"),
        }
    }
}

impl Values {
    fn array(self, nulls: Option<NullBuffer>, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Text { ends, bytes } => Arc::new(StringArray::try_new(offsets(ends), bytes.into(), nulls)?),
            Self::Int32(values) => Arc::new(Int32Array::try_new(values.into(), nulls)?),
            Self::Int64(values) => Arc::new(Int64Array::try_new(values.into(), nulls)?),
            Self::Float64(values) => Arc::new(Float64Array::try_new(values.into(), nulls)?),
            Self::Boolean(values) => Arc::new(BooleanArray::new(values.into(), nulls)),
            Self::Date(values) => Arc::new(Date32Array::try_new(values.into(), nulls)?),
            Self::Timestamp(values) => {
                let array = TimestampMicrosecondArray::try_new(values.into(), nulls)?;
                Arc::new(array.with_data_type(data_type.clone()))
            }
            Self::Decimal { unscaled, .. } => {
                let array = Decimal128Array::try_new(unscaled.into(), nulls)?;
                Arc::new(array.with_data_type(data_type.clone()))
            }
            Self::List { ends, element, mut elements } => {
                Arc::new(ListArray::try_new(element, offsets(ends), elements.take(), nulls)?)
            }
            Self::Map { ends, entry, mut keys, mut values } => {
                let DataType::Struct(parts) = entry.data_type() else { unreachable!("a map has entries") };
                let entries = StructArray::try_new(parts.clone(), vec![keys.take(), values.take()], None)?;
                Arc::new(MapArray::try_new(entry, offsets(ends), entries, nulls, false)?)
            }
            Self::Object { rows, fields, mut members } => {
                let members = members.iter_mut().map(ColumnBuilder::take).collect();
                Arc::new(StructArray::try_new_with_length(fields, members, nulls, rows)?)
            }
        })
    }
}

fn offsets(ends: Vec<i32>) -> OffsetBuffer<i32> {
    OffsetBuffer::new(ends.into())
}

pub(crate) fn push_text(ends: &mut Vec<i32>, bytes: &mut Vec<u8>, text: &str) -> Result<(), Problem> {
    bytes.extend_from_slice(text.as_bytes());
    push_end(ends, bytes.len())
}

pub(crate) fn push_end(ends: &mut Vec<i32>, end: usize) -> Result<(), Problem> {
    ends.push(i32::try_from(end).map_err(|_| "more than 2 GiB before it that nobody has taken".to_owned())?);
    Ok(())
}

pub(crate) fn finite(value: f64) -> Result<f64, Problem> {
    if value.is_finite() { Ok(value) } else { Err(format!("{value} is not finite")) }
}

/// Adds the elements of an array: one of no dimension is empty, any other has one.
fn push_array(elements: &mut ColumnBuilder, element: &DataType, bytes: &[u8]) -> Result<(), Problem> {
    let not_ours = || "an array that no load writes".to_owned();
    let words = |bytes: &[u8]| -> Vec<u32> {
        bytes.chunks_exact(4).map(|word| u32::from_be_bytes([word[0], word[1], word[2], word[3]])).collect()
    };
    let (front, rest) = bytes.split_at_checked(12).ok_or_else(not_ours)?;
    let front = words(front);
    if front[2] != oid_of(element) {
        return Err(format!("an array of another type, {}", front[2]));
    }
    match (front[0], rest) {
        (0, []) => Ok(()),
        (1, rest) => {
            let (dimension, rest) = rest.split_at_checked(8).ok_or_else(not_ours)?;
            let length = usize::try_from(words(dimension)[0]).map_err(|_| not_ours())?;
            let mut fields = tuple::Fields::of_array(length, rest);
            for field in fields.by_ref() {
                elements.push(field)?;
            }
            if fields.are_all_read() { Ok(()) } else { Err(not_ours()) }
        }
        (dimensions, _) => Err(format!("an array of {dimensions} dimensions")),
    }
}
