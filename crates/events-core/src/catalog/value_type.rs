//! The name of a type, as a catalog writes it ↔ the type.
//!
//! Invariant: a type's text is read back as the same type.

use std::fmt;

use super::FieldKind;

/// The type of a value, as the catalog names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// `string`: text; numbers and booleans as written; objects and arrays as JSON.
    String,
    /// `int32`
    Int32,
    /// `int64`
    Int64,
    /// `float64`
    Float64,
    /// `boolean`
    Boolean,
    /// `decimal(precision,scale)`: 1 to 38 digits, `scale` of them after the point.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// `date`: `YYYY-MM-DD`
    Date,
    /// `timestamp`: like the event's own; microseconds, UTC.
    Timestamp,
    /// `json`: the value's JSON text, for any value.
    Json,
}

/// The names that [`FieldKind::parse`] accepts, for messages.
pub(super) const EXPECTED_TYPE: &str = "string, int32, int64, float64, boolean, decimal(precision,scale) with 1 to 38 digits, date, timestamp, json or list(type), of at most 64 levels";

/// The most nested lists in a type's name. A line has at most 127 levels, and code recurses over a type.
const LIST_LEVELS_MAX: usize = 64;

impl ValueType {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "string" => Self::String,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "float64" => Self::Float64,
            "boolean" => Self::Boolean,
            "date" => Self::Date,
            "timestamp" => Self::Timestamp,
            "json" => Self::Json,
            _ => {
                let (precision, scale) = text.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
                let (precision, scale) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
                ((1..=38).contains(&precision) && scale <= precision)
                    .then_some(Self::Decimal { precision, scale })?
            }
        })
    }
}

impl FieldKind {
    /// The type of a name: a value's, or `list(…)` of one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mut levels, mut rest) = (0, text);
        while let Some(element) = rest.strip_prefix("list(").and_then(|rest| rest.strip_suffix(')')) {
            rest = element.trim();
            levels += 1;
        }
        if levels > LIST_LEVELS_MAX {
            return None;
        }
        let value = Self::Value(ValueType::parse(rest)?);
        Some((0..levels).fold(value, |element, _| Self::List(Box::new(element))))
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Float64 => "float64",
            Self::Boolean => "boolean",
            Self::Decimal { precision, scale } => return write!(f, "decimal({precision},{scale})"),
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Json => "json",
        })
    }
}

/// A type's name. Objects have none, so they are shown as such: `list(object)`.
impl fmt::Display for FieldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value_type) => value_type.fmt(f),
            Self::Object(_) => f.write_str("object"),
            Self::List(element) => write!(f, "list({element})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_s_text_is_read_back_as_it() {
        for text in [
            "string",
            "int32",
            "int64",
            "float64",
            "boolean",
            "decimal(38,0)",
            "date",
            "timestamp",
            "json",
            "list(string)",
            "list(list(decimal(10,2)))",
        ] {
            assert_eq!(FieldKind::parse(text).map(|kind| kind.to_string()).as_deref(), Some(text));
        }
        assert_eq!(FieldKind::parse("list( decimal( 10 , 2 ) )").unwrap().to_string(), "list(decimal(10,2))");
        for text in
            ["", "String", "decimal", "decimal(0,0)", "decimal(39,2)", "decimal(2,3)", "list", "list()"]
        {
            assert_eq!(FieldKind::parse(text), None, "{text}");
        }
        let lists = |levels| "list(".repeat(levels) + "int32" + &")".repeat(levels);
        assert_eq!(FieldKind::parse(&lists(64)).map(|kind| kind.to_string()), Some(lists(64)));
        assert_eq!(FieldKind::parse(&lists(65)), None);
        assert_eq!(FieldKind::parse(&lists(1_000_000)), None);
    }
}
