//! A stored column → the same values as a column of a type that its type widens to, with nulls for what it
//! does not have. `events_core::table` decides what widens.
//!
//! Invariant: no value changes. A null row has a zero or an empty text, as in the columns of a load. A column
//! that has the type already is not touched.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, Decimal128Array, ListArray, MapArray, PrimitiveArray, StructArray,
        TimestampMicrosecondArray, new_null_array,
    },
    datatypes::{
        ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Field, Float64Type, Int32Type, Int64Type,
        TimestampMicrosecondType,
    },
    error::ArrowError,
};
use events_core::timestamp::DAY_MICROS;

use crate::texts::stored_texts;

/// A column, or one of nulls where none is stored, as one of the type of `field`. Objects in it, also in its
/// lists and maps, get the members that it does not have.
///
/// # Errors
/// The column has a value that a load would not have written.
///
/// # Panics
/// If the column's type does not widen to that of the field.
pub fn widened(found: Option<&ArrayRef>, field: &Field, rows: usize) -> Result<ArrayRef, String> {
    match found {
        None => Ok(new_null_array(field.data_type(), rows)),
        Some(found) if found.data_type() == field.data_type() => Ok(Arc::clone(found)),
        Some(found) => convert(found, field.data_type())
            .map_err(|error| format!("its column {} can't be widened: {error}", field.name())),
    }
}

fn convert(found: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    let inner = |found: &ArrayRef, field: &Field| -> Result<ArrayRef, ArrowError> {
        if found.data_type() == field.data_type() {
            Ok(Arc::clone(found))
        } else {
            convert(found, field.data_type())
        }
    };
    Ok(match (found.data_type(), to) {
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let (object, rows) = (found.as_struct(), found.len());
            let member = |field: &Arc<Field>| match object.column_by_name(field.name()) {
                Some(member) => inner(member, field),
                None => Ok(new_null_array(field.data_type(), rows)),
            };
            let members = fields.iter().map(member).collect::<Result<_, _>>()?;
            let nulls = object.nulls().cloned();
            Arc::new(StructArray::try_new_with_length(fields.clone(), members, nulls, rows)?)
        }
        (DataType::List(_), DataType::List(element)) => {
            let list = found.as_list::<i32>();
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            Arc::new(ListArray::try_new(Arc::clone(element), offsets, inner(list.values(), element)?, nulls)?)
        }
        (DataType::Map(..), DataType::Map(entry, is_sorted)) => {
            let map = found.as_map();
            let entries: ArrayRef = Arc::new(map.entries().clone());
            let entries = inner(&entries, entry)?.as_struct().clone();
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            Arc::new(MapArray::try_new(Arc::clone(entry), offsets, entries, nulls, *is_sorted)?)
        }
        (_, DataType::Utf8) => Arc::new(stored_texts(found)?),
        (from, to) => widen_value(found, from, to)?,
    })
}

fn widen_value(found: &ArrayRef, from: &DataType, to: &DataType) -> Result<ArrayRef, ArrowError> {
    Ok(match (from, to) {
        (DataType::Int32, DataType::Int64) => {
            Arc::new(found.as_primitive::<Int32Type>().unary::<_, Int64Type>(i64::from))
        }
        (DataType::Int32, DataType::Float64) => {
            Arc::new(found.as_primitive::<Int32Type>().unary::<_, Float64Type>(f64::from))
        }
        (DataType::Int32, &DataType::Decimal128(precision, scale)) => {
            Arc::new(decimal(found.as_primitive::<Int32Type>(), (precision, scale), scale)?)
        }
        (DataType::Int64, &DataType::Decimal128(precision, scale)) => {
            Arc::new(decimal(found.as_primitive::<Int64Type>(), (precision, scale), scale)?)
        }
        (&DataType::Decimal128(_, less), &DataType::Decimal128(precision, scale)) => {
            Arc::new(decimal(found.as_primitive::<Decimal128Type>(), (precision, scale), scale - less)?)
        }
        (DataType::Date32, DataType::Timestamp(..)) => {
            let instant = |days: i32| {
                let micros = i64::from(days).checked_mul(DAY_MICROS);
                micros.ok_or_else(|| ArrowError::CastError(format!("{days} days are no instant")))
            };
            let instants: TimestampMicrosecondArray =
                found.as_primitive::<Date32Type>().try_unary::<_, TimestampMicrosecondType, _>(instant)?;
            Arc::new(instants.with_data_type(to.clone()))
        }
        (from, to) => unreachable!("{from} was found to widen to {to}"),
    })
}

/// Numbers with so many more digits behind the point.
fn decimal<T: ArrowPrimitiveType<Native: Into<i128>>>(
    found: &PrimitiveArray<T>,
    (precision, scale): (u8, i8),
    more: i8,
) -> Result<Decimal128Array, ArrowError> {
    let factor = 10_i128.pow(u32::try_from(more).unwrap_or_default());
    let limit = 10_i128.pow(precision.into());
    let larger = |value: T::Native| {
        let value: i128 = value.into();
        let scaled = value.checked_mul(factor).filter(|scaled| (1 - limit..limit).contains(scaled));
        scaled.ok_or_else(|| ArrowError::CastError(format!("{value} has more digits than its type")))
    };
    found.try_unary::<_, Decimal128Type, _>(larger)?.with_precision_and_scale(precision, scale)
}
