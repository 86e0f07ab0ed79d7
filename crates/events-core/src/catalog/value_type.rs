//! The name of a type, as a catalog writes it ↔ the type.
//!
//! Invariant: a type's text is read back as the same type.

use std::fmt;

use super::FieldKind;
use crate::timestamp::EpochUnit;

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
    /// `timestamp(s)`, `timestamp(ms)`, `timestamp(us)`, `timestamp(ns)`: the same, from a number of these
    /// units since 1970.
    Epoch(EpochUnit),
    /// `json`: the value's JSON text, for any value.
    Json,
}

/// The names that a type may have, for messages.
pub(super) const EXPECTED_TYPE: &str = "string, int32, int64, float64, boolean, decimal(precision,scale) with 1 to 38 digits, date, timestamp, timestamp(unit) with s, ms, us or ns, json, a name of this file's [types], list(type) or map(type), of at most 64 levels";

/// The most nested lists and maps in a type's name. A line has at most 127 levels, and code recurses over a
/// type.
const LEVELS_MAX: usize = 64;

/// The names that a catalog's own types can't have.
const RESERVED: [&str; 12] = [
    "string",
    "int32",
    "int64",
    "float64",
    "boolean",
    "decimal",
    "date",
    "timestamp",
    "json",
    "list",
    "map",
    "object",
];

/// Whether a name belongs to a type of the format, with or without parameters, so that no type of a catalog
/// can have it.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// A type's name, taken apart: `list(map(date))` is a list of maps of dates.
pub(super) struct TypeName<'n> {
    /// From the outermost one on.
    pub(super) containers: Vec<Container>,
    /// The name without them.
    pub(super) innermost: &'n str,
}

/// What a type's name may have around another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// `list(…)`
    List,
    /// `map(…)`
    Map,
}

/// As in a name, and as a key of a field.
impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::List => "list",
            Self::Map => "map",
        })
    }
}

impl<'n> TypeName<'n> {
    /// Takes a name apart; `None` if it has too many levels.
    pub(super) fn of(text: &'n str) -> Option<Self> {
        let (mut containers, mut innermost) = (Vec::new(), text);
        let inner = |text: &'n str, front: &str| {
            text.strip_prefix(front).and_then(|rest| rest.strip_suffix(')')).map(str::trim)
        };
        loop {
            let (container, rest) = match (inner(innermost, "list("), inner(innermost, "map(")) {
                (Some(rest), _) => (Container::List, rest),
                (_, Some(rest)) => (Container::Map, rest),
                (None, None) => return Some(Self { containers, innermost }),
            };
            if containers.len() == LEVELS_MAX {
                return None;
            }
            containers.push(container);
            innermost = rest;
        }
    }

    /// How many lists and maps there are around the innermost type.
    pub(super) fn levels(&self) -> usize {
        self.containers.len()
    }

    /// The type, given the innermost one.
    pub(super) fn around(&self, innermost: FieldKind) -> FieldKind {
        self.containers.iter().rev().fold(innermost, |inner, container| match container {
            Container::List => FieldKind::List(Box::new(inner)),
            Container::Map => FieldKind::Map(Box::new(inner)),
        })
    }
}

impl ValueType {
    /// The type of a value's name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
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
                let (name, parameters) = text.strip_suffix(')')?.split_once('(')?;
                match name {
                    "decimal" => Self::decimal(parameters)?,
                    "timestamp" => Self::Epoch(EpochUnit::parse(parameters.trim())?),
                    _ => return None,
                }
            }
        })
    }

    fn decimal(parameters: &str) -> Option<Self> {
        let (precision, scale) = parameters.split_once(',')?;
        let (precision, scale) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
        ((1..=38).contains(&precision) && scale <= precision).then_some(Self::Decimal { precision, scale })
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
            Self::Epoch(unit) => return write!(f, "timestamp({unit})"),
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
            Self::Map(value) => write!(f, "map({value})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<FieldKind> {
        let name = TypeName::of(text)?;
        Some(name.around(FieldKind::Value(ValueType::parse(name.innermost)?)))
    }

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
            "timestamp(s)",
            "timestamp(ms)",
            "timestamp(us)",
            "timestamp(ns)",
            "json",
            "list(string)",
            "list(list(decimal(10,2)))",
            "map(list(map(timestamp(s))))",
        ] {
            assert_eq!(parse(text).map(|kind| kind.to_string()).as_deref(), Some(text));
        }
        assert_eq!(parse("list( decimal( 10 , 2 ) )").unwrap().to_string(), "list(decimal(10,2))");
        assert_eq!(parse("map( timestamp( ns ) )").unwrap().to_string(), "map(timestamp(ns))");
        for text in [
            "",
            "String",
            "decimal",
            "decimal(0,0)",
            "decimal(39,2)",
            "decimal(2,3)",
            "list",
            "list()",
            "map",
            "map()",
            "map(string,int32)",
            "timestamp()",
            "timestamp(m)",
            "timestamp(S)",
            "date(s)",
            "int32()",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        let nested = |levels| "list(map(".repeat(levels / 2) + "int32" + &")".repeat(levels);
        assert_eq!(parse(&nested(64)).map(|kind| kind.to_string()), Some(nested(64)));
        assert_eq!(parse(&nested(66)), None);
        assert_eq!(parse(&nested(1_000_000)), None);
    }
}
