//! Columns of structs ↔ JSON, row by row.
//!
//! So an action has one form of JSON, in commits and in checkpoints. Texts, whole numbers, booleans, structs,
//! lists, and maps of texts: no other types are in a checkpoint.
//!
//! Invariant: what [`array()`] makes of values, [`object`] reads as the same, but for nulls, which are left
//! out.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, ListArray, MapArray, PrimitiveArray, RecordBatch,
        StringArray, StructArray,
    },
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::{ArrowPrimitiveType, DataType, Fields, Int32Type, Int64Type},
    error::ArrowError,
};
use serde_json::{Map, Value};

/// A row of a batch, as an object.
pub(crate) fn object(batch: &RecordBatch, row: usize) -> Result<Value, String> {
    members(batch.schema_ref().fields(), batch.columns(), row)
}

fn members(fields: &Fields, columns: &[ArrayRef], row: usize) -> Result<Value, String> {
    let mut members = Map::new();
    for (field, column) in fields.iter().zip(columns) {
        if column.is_valid(row) {
            let value = value(column, row).map_err(|problem| within(field.name(), &problem))?;
            members.insert(field.name().clone(), value);
        }
    }
    Ok(members.into())
}

fn within(name: &str, problem: &str) -> String {
    format!("{name}: {problem}")
}

fn value(array: &ArrayRef, row: usize) -> Result<Value, String> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    Ok(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::Struct(fields) => members(fields, array.as_struct().columns(), row)?,
        DataType::List(_) => {
            let elements = array.as_list::<i32>().value(row);
            let elements: Result<Vec<_>, _> = (0..elements.len()).map(|at| value(&elements, at)).collect();
            elements?.into()
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let mut members = Map::new();
            for at in 0..entries.len() {
                let Value::String(key) = value(keys, at)? else { return Err("a key is no text".to_owned()) };
                members.insert(key, value(values, at)?);
            }
            members.into()
        }
        other => return Err(format!("it is of the type {other}, which no checkpoint has")),
    })
}

/// A column of values, of which `None` and null are null.
pub(crate) fn array(data_type: &DataType, values: &[Option<&Value>]) -> Result<ArrayRef, ArrowError> {
    let is_valid = |value: Option<&Value>| value.is_some_and(|value| !value.is_null());
    let nulls = || Some(values.iter().copied().map(is_valid).collect::<NullBuffer>());
    let lengths = |of: fn(&Value) -> Option<usize>| {
        OffsetBuffer::from_lengths(values.iter().map(|value| value.and_then(of).unwrap_or(0)))
    };
    Ok(match data_type {
        DataType::Utf8 => {
            Arc::new(values.iter().map(|value| value.and_then(Value::as_str)).collect::<StringArray>())
        }
        DataType::Boolean => {
            Arc::new(values.iter().map(|value| value.and_then(Value::as_bool)).collect::<BooleanArray>())
        }
        DataType::Int32 => numbers::<Int32Type>(values)?,
        DataType::Int64 => numbers::<Int64Type>(values)?,
        DataType::Struct(fields) => {
            let column = |field: &Arc<arrow::datatypes::Field>| {
                let values: Vec<_> = values.iter().map(|value| value.as_ref()?.get(field.name())).collect();
                array(field.data_type(), &values)
            };
            let columns = fields.iter().map(column).collect::<Result<_, _>>()?;
            Arc::new(StructArray::try_new(fields.clone(), columns, nulls())?)
        }
        DataType::List(element) => {
            let elements: Vec<_> =
                values.iter().flatten().filter_map(|value| value.as_array()).flatten().collect();
            let elements: Vec<_> = elements.into_iter().map(Some).collect();
            let elements = array(element.data_type(), &elements)?;
            let lengths = lengths(|value| value.as_array().map(Vec::len));
            Arc::new(ListArray::try_new(element.clone(), lengths, elements, nulls())?)
        }
        DataType::Map(entry, is_sorted) => {
            let DataType::Struct(parts) = entry.data_type() else { return Err(no_column(data_type)) };
            let entries = || values.iter().flatten().filter_map(|value| value.as_object()).flatten();
            let keys = Arc::new(entries().map(|(key, _)| Some(key.as_str())).collect::<StringArray>());
            let texts = Arc::new(entries().map(|(_, value)| value.as_str()).collect::<StringArray>());
            let entries = StructArray::try_new(parts.clone(), vec![keys, texts], None)?;
            let lengths = lengths(|value| value.as_object().map(Map::len));
            Arc::new(MapArray::try_new(entry.clone(), lengths, entries, nulls(), *is_sorted)?)
        }
        other => return Err(no_column(other)),
    })
}

fn numbers<T: ArrowPrimitiveType<Native: TryFrom<i64>>>(
    values: &[Option<&Value>],
) -> Result<ArrayRef, ArrowError> {
    let number = |value: Option<&Value>| {
        let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
        let number = value.as_i64().and_then(|number| T::Native::try_from(number).ok());
        number
            .map(Some)
            .ok_or_else(|| ArrowError::CastError(format!("{value} does not fit {}", T::DATA_TYPE)))
    };
    let numbers: Vec<_> = values.iter().copied().map(number).collect::<Result<_, _>>()?;
    Ok(Arc::new(numbers.into_iter().collect::<PrimitiveArray<T>>()))
}

fn no_column(data_type: &DataType) -> ArrowError {
    ArrowError::SchemaError(format!("no column of a checkpoint is of the type {data_type}"))
}
