//! A value of a column of any type → its text: for a column that became a `string`, or as JSON.
//!
//! Invariant: the text of a value is that of `events_core::stored_text`; within lists, maps and objects it is
//! JSON. A null row is null, with an empty text.

use arrow::{
    array::{Array, ArrayRef, AsArray, StringArray},
    buffer::{OffsetBuffer, ScalarBuffer},
    datatypes::{
        DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
    },
    error::ArrowError,
};
use events_core::stored_text::{
    push_date, push_decimal, push_float, push_integer, push_json_string, push_timestamp,
};

/// The texts of all rows: null where the row is.
///
/// # Errors
/// The texts are too long for one array.
pub fn stored_texts(column: &ArrayRef) -> Result<StringArray, ArrowError> {
    let mut text = String::new();
    let mut ends = Vec::with_capacity(column.len() + 1);
    ends.push(0);
    for row in 0..column.len() {
        if column.is_valid(row) {
            push(&mut text, column, row, false);
        }
        let end = i32::try_from(text.len());
        ends.push(end.map_err(|_| ArrowError::OffsetOverflowError(text.len()))?);
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
    StringArray::try_new(offsets, text.into_bytes().into(), column.nulls().cloned())
}

/// Appends the JSON of a value that is not null: without white space, null members of objects left out, days
/// and instants as strings.
///
/// # Panics
/// If no load writes the column's type.
pub fn push_json(text: &mut String, column: &dyn Array, row: usize) {
    push(text, column, row, true);
}

/// In JSON, texts have quotes.
fn push(text: &mut String, column: &dyn Array, row: usize, is_json: bool) {
    let quote = if is_json { "\"" } else { "" };
    match column.data_type() {
        DataType::Utf8 if is_json => push_json_string(text, column.as_string::<i32>().value(row)),
        DataType::Utf8 => text.push_str(column.as_string::<i32>().value(row)),
        DataType::Int32 => push_integer(text, column.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => push_integer(text, column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => push_float(text, column.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => text.push_str(if column.as_boolean().value(row) { "true" } else { "false" }),
        DataType::Decimal128(_, scale) => {
            let unscaled = column.as_primitive::<Decimal128Type>().value(row);
            push_decimal(text, unscaled, u8::try_from(*scale).unwrap_or_default());
        }
        DataType::Date32 => {
            text.push_str(quote);
            push_date(text, column.as_primitive::<Date32Type>().value(row));
            text.push_str(quote);
        }
        DataType::Timestamp(..) => {
            text.push_str(quote);
            push_timestamp(text, column.as_primitive::<TimestampMicrosecondType>().value(row));
            text.push_str(quote);
        }
        DataType::List(_) => push_list(&column.as_list::<i32>().value(row), text),
        DataType::Map(..) => {
            let entries = column.as_map().value(row);
            let keys = entries.column(0).as_string::<i32>();
            let members = (0..entries.len()).map(|entry| (keys.value(entry), entries.column(1), entry));
            push_object(members, text);
        }
        DataType::Struct(fields) => {
            let members = fields.iter().zip(column.as_struct().columns());
            let members = members.filter(|(_, member)| member.is_valid(row));
            push_object(members.map(|(field, member)| (field.name().as_str(), member, row)), text);
        }
        other => unreachable!("no load writes {other}"),
    }
}

fn push_list(elements: &ArrayRef, text: &mut String) {
    text.push('[');
    for element in 0..elements.len() {
        if element > 0 {
            text.push(',');
        }
        push_or_null(elements, element, text);
    }
    text.push(']');
}

fn push_object<'m>(members: impl Iterator<Item = (&'m str, &'m ArrayRef, usize)>, text: &mut String) {
    text.push('{');
    for (number, (key, member, row)) in members.enumerate() {
        if number > 0 {
            text.push(',');
        }
        push_json_string(text, key);
        text.push(':');
        push_or_null(member, row, text);
    }
    text.push('}');
}

fn push_or_null(column: &ArrayRef, row: usize, text: &mut String) {
    if column.is_valid(row) {
        push_json(text, column, row);
    } else {
        text.push_str("null");
    }
}
