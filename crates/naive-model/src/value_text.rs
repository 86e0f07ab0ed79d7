//! A value, also one of an Arrow array → the text by which values are compared.
//!
//! A string as JSON (so that `null` and `"null"` are two), a timestamp with microseconds in UTC, a decimal
//! with all its digits, a list in brackets, an object in braces, a map as `map("key" = value)`.

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{
        DataType, Date32Type, Decimal128Type, FieldRef, Float64Type, Int32Type, Int64Type, TimeUnit,
        TimestampMicrosecondType,
    },
};
use chrono::DateTime;

/// The value of a column, or those of a nested column's fields.
#[must_use]
pub fn values(column: &dyn Array, row: usize) -> Vec<String> {
    match column.data_type() {
        DataType::Struct(_) => {
            column.as_struct().columns().iter().flat_map(|field| values(field, row)).collect()
        }
        _ if column.is_null(row) => vec!["null".to_owned()],
        _ => vec![value(column, row)],
    }
}

fn value(column: &dyn Array, row: usize) -> String {
    match column.data_type() {
        DataType::Utf8 => json_string(column.as_string::<i32>().value(row)),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Decimal128(..) => column.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
            instant(column.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::Date32 => {
            column.as_primitive::<Date32Type>().value_as_date(row).map_or_else(String::new, |d| d.to_string())
        }
        DataType::List(_) => {
            let elements = column.as_list::<i32>().value(row);
            let texts: Vec<_> = (0..elements.len()).map(|index| element(&elements, index)).collect();
            format!("[{}]", texts.join(", "))
        }
        DataType::Map(..) => {
            let entries = column.as_map().value(row);
            let keys = entries.column(0).as_string::<i32>();
            let entry =
                |index| format!("{} = {}", json_string(keys.value(index)), element(entries.column(1), index));
            format!("map({})", (0..entries.len()).map(entry).collect::<Vec<_>>().join(", "))
        }
        other => panic!("a column of a type that the contract doesn't know: {other}"),
    }
}

/// An element of a list; objects in braces, with the names of their members.
#[must_use]
pub fn element(elements: &dyn Array, index: usize) -> String {
    match elements.data_type() {
        _ if elements.is_null(index) => "null".to_owned(),
        DataType::Struct(fields) => {
            let columns = elements.as_struct().columns();
            let member = |(field, column): (&FieldRef, &ArrayRef)| {
                format!("{}: {}", field.name(), element(column, index))
            };
            format!("{{{}}}", fields.iter().zip(columns).map(member).collect::<Vec<_>>().join(", "))
        }
        _ => value(elements, index),
    }
}

/// A string as JSON.
#[must_use]
pub fn json_string(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// Microseconds since 1970 as text.
#[must_use]
pub fn instant(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).unwrap().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
