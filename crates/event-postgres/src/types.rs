//! The type of a column → the name of its type in `PostgreSQL`.
//!
//! Invariant: a column of that type holds each value of the column exactly. Only within `jsonb` −0.0 becomes
//! 0, and the entries of a map are in the order of `jsonb`.

use arrow::datatypes::DataType;
use events_core::{catalog::FieldKind, schema};

/// The name of the type, as `format_type` of the server writes it.
///
/// Lists of values are arrays. `PostgreSQL`'s arrays are rectangular, so lists of lists, of maps and of
/// objects are `jsonb`, and so are maps and objects themselves. A `json` column is `text`, for `jsonb` would
/// change its numbers, the order of its keys, and those that are there twice.
///
/// # Panics
/// If no load writes the type.
#[must_use]
pub fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "text".to_owned(),
        DataType::Int32 => "integer".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Float64 => "double precision".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(..) => "timestamp with time zone".to_owned(),
        DataType::Decimal128(precision, scale) => format!("numeric({precision},{scale})"),
        DataType::List(element) if is_array(element.data_type()) => {
            format!("{}[]", type_name(element.data_type()))
        }
        DataType::List(_) | DataType::Map(..) | DataType::Struct(_) => "jsonb".to_owned(),
        other => unreachable!("no load writes {other}"),
    }
}

/// Whether a list of these elements is an array.
pub(crate) fn is_array(element: &DataType) -> bool {
    !matches!(element, DataType::List(_) | DataType::Map(..) | DataType::Struct(_))
}

/// The name of the type of a field's column.
pub(crate) fn kind_name(kind: &FieldKind) -> String {
    type_name(&schema::data_type(kind))
}

/// Whether a list of such elements is an array.
pub(crate) fn is_array_of(element: &FieldKind) -> bool {
    matches!(element, FieldKind::Value(_))
}
