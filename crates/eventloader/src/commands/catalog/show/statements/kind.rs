//! A column's Arrow type → which of the types of a catalog it is, so that each engine has a name for all of
//! them.
//!
//! Invariant: there is a kind for each type that a schema of `events-core` can have, and no other.

use arrow::datatypes::{DataType, Fields};

/// The type of a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind<'t> {
    /// UTF-8; also the text of a `json`.
    Text,
    Int32,
    Int64,
    Float64,
    Boolean,
    Date,
    /// An instant, in microseconds.
    Timestamp,
    /// At most 38 digits, `scale` of them behind the point.
    Decimal {
        precision: u8,
        scale: i8,
    },
    /// Its elements, which may be null.
    List(&'t DataType),
    /// The values of texts; they may be null.
    Map(&'t DataType),
    /// Members, which may be null.
    Object(&'t Fields),
}

impl<'t> Kind<'t> {
    pub(super) fn of(data_type: &'t DataType) -> Self {
        match data_type {
            DataType::Int32 => Self::Int32,
            DataType::Int64 => Self::Int64,
            DataType::Float64 => Self::Float64,
            DataType::Boolean => Self::Boolean,
            DataType::Date32 => Self::Date,
            DataType::Timestamp(..) => Self::Timestamp,
            DataType::Decimal128(precision, scale) => Self::Decimal { precision: *precision, scale: *scale },
            DataType::List(element) => Self::List(element.data_type()),
            DataType::Map(entry, _) => match entry.data_type() {
                DataType::Struct(parts) => Self::Map(parts[1].data_type()),
                other => unreachable!("a map has entries, not {other}"),
            },
            DataType::Struct(members) => Self::Object(members),
            // A schema has no other types.
            _ => Self::Text,
        }
    }

    /// Whether it has others in it.
    pub(super) fn is_nested(self) -> bool {
        matches!(self, Self::List(_) | Self::Map(_) | Self::Object(_))
    }
}
