//! How a field is written: the values that it takes, and the type that a catalog has for these.
//!
//! Invariant: a value is a function of its field's key, the event and the shape. The first value after a
//! change certainly needs the new type.

use events_core::catalog::{Field, FieldKind, ValueType};

use super::value::Value;
use crate::stream::random::mix;

/// The form of a field's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Int32,
    Int64,
    /// Integers beyond int64.
    BigInteger,
    /// Numbers with two digits after the point.
    Decimal2,
    /// Numbers with four digits after the point.
    Decimal4,
    Date,
    Timestamp,
    Boolean,
    Text,
    /// A list of texts.
    List,
    Object,
}

/// The ways in which a field's type gets wider; they take turns.
pub(super) const WIDENINGS: [(Shape, Shape); 12] = [
    (Shape::Int32, Shape::Int64),
    (Shape::Date, Shape::Timestamp),
    (Shape::Int32, Shape::Decimal2),
    (Shape::Int32, Shape::Text),
    (Shape::Int64, Shape::BigInteger),
    (Shape::Decimal2, Shape::Decimal4),
    (Shape::Int64, Shape::Decimal2),
    (Shape::Boolean, Shape::Text),
    (Shape::Int64, Shape::Text),
    (Shape::Date, Shape::Text),
    (Shape::BigInteger, Shape::Text),
    (Shape::Decimal2, Shape::Text),
];

/// The ways in which a value becomes an object or a list; they take turns. What is in a column of
/// texts by then is the same in one of JSON, whichever a catalog may have.
pub(super) const NESTINGS: [(Shape, Shape); 4] = [
    (Shape::Int32, Shape::Object),
    (Shape::Int64, Shape::List),
    (Shape::Boolean, Shape::Object),
    (Shape::Decimal2, Shape::List),
];

/// The shapes of fields that appear; they take turns.
pub(super) const ADDED: [Shape; 8] = [
    Shape::Int32,
    Shape::Text,
    Shape::Decimal2,
    Shape::Object,
    Shape::Date,
    Shape::Boolean,
    Shape::List,
    Shape::Timestamp,
];

/// Small integers are below this; so are the whole parts of decimals.
const SMALL: u64 = 100_000;
const INT64_FROM: u64 = 3_000_000_000;
const INT64_VALUES: u64 = 9_000_000_000_000_000;
const BEYOND_INT64: i128 = 100_000_000_000_000_000_000;
/// Days are those from 2000-01-01 on, about 50 years.
const DAYS_FROM: i32 = 10_957;
const DAYS: u64 = 18_000;
const DAY_MICROS: u64 = 86_400_000_000;

impl Shape {
    /// The least type of a catalog that has all of its values.
    pub(super) fn kind(self) -> FieldKind {
        FieldKind::Value(match self {
            Self::Int32 => ValueType::Int32,
            Self::Int64 => ValueType::Int64,
            Self::BigInteger => ValueType::Decimal { precision: 38, scale: 0 },
            Self::Decimal2 => ValueType::Decimal { precision: 10, scale: 2 },
            Self::Decimal4 => ValueType::Decimal { precision: 12, scale: 4 },
            Self::Date => ValueType::Date,
            Self::Timestamp => ValueType::Timestamp,
            Self::Boolean => ValueType::Boolean,
            Self::Text => ValueType::String,
            Self::List => return FieldKind::List(Box::new(FieldKind::Value(ValueType::String))),
            Self::Object => return FieldKind::Object(members().into()),
        })
    }

    /// The name of its type.
    pub(super) fn name(self) -> String {
        match self.kind() {
            FieldKind::Value(value_type) => value_type.to_string(),
            FieldKind::Object(_) => "object".to_owned(),
            FieldKind::List(_) | FieldKind::Map(_) => "list(string)".to_owned(),
        }
    }

    /// Whether the text of an integer, whatever integer type it is stored with.
    fn is_integer(self) -> bool {
        matches!(self, Self::Int32 | Self::Int64 | Self::BigInteger)
    }

    /// Whether values that were stored with these types, one after the other, have but one text each: `12` as
    /// an int32 is `12` as a decimal(38,0), but `12.00` as a decimal(12,2).
    pub(super) fn have_one_text(history: &[Self]) -> bool {
        history.len() == 1 || history.iter().all(|shape| shape.is_integer())
    }

    /// The value of a field in an event. `is_first` is the first of this shape.
    pub(super) fn value(self, field_key: u64, event: u64, is_first: bool) -> Value {
        let number = mix(field_key ^ mix(event));
        let (small, is_wide) = (number % SMALL, is_first || number >> 63 == 1);
        let signed = |magnitude: i128| if number & (1 << 62) == 0 { magnitude } else { -magnitude };
        match self {
            Self::Int64 if is_wide => Value::Integer(signed((INT64_FROM + number % INT64_VALUES).into())),
            Self::BigInteger if is_wide => Value::Integer(signed(BEYOND_INT64 + i128::from(number))),
            Self::Int32 | Self::Int64 | Self::BigInteger => Value::Integer(signed(small.into())),
            Self::Decimal2 => Value::Decimal(signed((number % (100 * SMALL)).into()), 2),
            Self::Decimal4 => Value::Decimal(signed((number % (10_000 * SMALL)).into()), 4),
            Self::Date => Value::Date(day(number)),
            Self::Timestamp => {
                let of_day = i64::try_from(mix(number) % DAY_MICROS).unwrap_or_default();
                Value::Timestamp(i64::from(day(number)) * DAY_MICROS.cast_signed() + of_day)
            }
            Self::Boolean => Value::Boolean(is_wide),
            Self::Text => Value::Text(format!("ref-{small}")),
            Self::List => {
                let texts = [small, number >> 40].map(|number| format!("item-{number}"));
                Value::List(texts[..=usize::from(is_wide)].to_vec())
            }
            Self::Object => Value::Object(signed(small.into()), format!("unit-{}", number >> 56)),
        }
    }
}

/// The members of the objects.
fn members() -> [Field; 2] {
    let member = |name: &str, value_type| Field {
        name: name.to_owned(),
        column: None,
        description: None,
        required: false,
        kind: FieldKind::Value(value_type),
    };
    [member("value", ValueType::Int32), member("unit", ValueType::String)]
}

fn day(number: u64) -> i32 {
    DAYS_FROM + i32::try_from(number % DAYS).unwrap_or_default()
}
