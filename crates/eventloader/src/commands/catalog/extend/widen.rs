//! The type that a catalog gives a field, and what was seen there → the type that it needs.
//!
//! What takes the values, with the room that a draft would leave for larger ones, is kept. Otherwise it is
//! the least type above both the catalog's and the draft's, by the lattice of types. Where there is none,
//! what takes the values all the same is kept; numbers become a decimal that has all of their digits; and
//! anything else becomes `string`.
//!
//! Invariant: the result takes every value of the evidence, and what the catalog has widens to it. Of a date
//! or number no digit is lost that the catalog's type does not lose already.

use events_core::{
    catalog::ValueType,
    timestamp::{self, EpochUnit},
};

use crate::commands::catalog::{
    decide::{self, DecidedKind, HEADROOM, INT32_COMFORT},
    evidence::Evidence,
    numbers::Numbers,
    texts::Texts,
};

/// The most digits of a decimal.
const DIGITS_MAX: usize = 38;

/// What becomes of a type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Need {
    /// It stays.
    Kept,
    /// It stays, though a draft would have this one.
    KeptBeside(ValueType),
    /// It becomes this one.
    Wider(ValueType),
}

/// What a type needs to take these values.
pub(super) fn need(name: &[u8], from: ValueType, evidence: &Evidence) -> Need {
    if evidence.values() == 0 || matches!(from, ValueType::String | ValueType::Json) {
        return Need::Kept;
    }
    let DecidedKind::Value(drafted) = decide::decide(name, evidence).kind else {
        return Need::Wider(ValueType::String);
    };
    let seen = Seen::of(evidence);
    if evidence.containers() > 0 {
        return Need::Wider(ValueType::String);
    }
    if drafted.widens_to(&from) || seen.fits_well(from) {
        return Need::Kept;
    }
    // Among integers, instants are integers.
    let drafted = match (drafted, from) {
        (ValueType::Epoch(_), ValueType::Int32 | ValueType::Decimal { .. }) => ValueType::Int64,
        _ => drafted,
    };
    if drafted != ValueType::String
        && let Some(join) = from.join(&drafted).filter(|join| *join != from)
    {
        return Need::Wider(join);
    }
    if seen.fits(from) {
        return Need::KeptBeside(drafted);
    }
    Need::Wider(seen.decimal_with(from).filter(|_| drafted != ValueType::String).unwrap_or(ValueType::String))
}

/// The scalars at one path.
struct Seen<'e> {
    values: u64,
    booleans: u64,
    numbers: Option<&'e Numbers>,
    texts: Option<&'e Texts>,
}

impl<'e> Seen<'e> {
    fn of(evidence: &'e Evidence) -> Self {
        Self {
            values: evidence.values(),
            booleans: evidence.booleans(),
            numbers: evidence.numbers.as_deref(),
            texts: evidence.texts.as_deref(),
        }
    }

    /// Of the numbers, and of those that are written as texts.
    fn all_numbers(&self) -> impl Iterator<Item = &'e Numbers> {
        self.numbers.into_iter().chain(self.texts.map(|texts| &texts.numbers))
    }

    fn are(&self, count: impl Fn(&Numbers) -> u64) -> bool {
        self.all_numbers().map(count).sum::<u64>() == self.values
    }

    fn texts_are(&self, count: impl Fn(&Texts) -> u64) -> bool {
        self.texts.map_or(0, count) == self.values
    }

    /// Whether a type takes all values as they are written, and leaves as much room as a draft would.
    fn fits_well(&self, value_type: ValueType) -> bool {
        let only_numbers = |is: &dyn Fn(&Numbers) -> bool| {
            self.numbers.is_some_and(|numbers| numbers.count == self.values && is(numbers))
        };
        match value_type {
            ValueType::Boolean => self.booleans == self.values,
            ValueType::Int32 => only_numbers(&|numbers| {
                numbers.fractional == 0
                    && numbers.int32 == numbers.count
                    && numbers.magnitude() <= INT32_COMFORT
            }),
            ValueType::Int64 => {
                only_numbers(&|numbers| numbers.fractional == 0 && numbers.int64 == numbers.count)
            }
            ValueType::Float64 => {
                only_numbers(&|numbers| numbers.inexact == 0 && numbers.finite == numbers.count)
            }
            ValueType::Decimal { .. } => self.fits_decimal(value_type, HEADROOM),
            _ => self.fits(value_type),
        }
    }

    /// Whether a type takes all values; a `float64` may round them.
    fn fits(&self, value_type: ValueType) -> bool {
        match value_type {
            ValueType::String | ValueType::Json => true,
            ValueType::Boolean => self.booleans + self.texts.map_or(0, |texts| texts.booleans) == self.values,
            ValueType::Int32 => self.are(|numbers| numbers.int32),
            ValueType::Int64 => self.are(|numbers| numbers.int64),
            ValueType::Float64 => self.are(|numbers| numbers.finite),
            ValueType::Decimal { .. } => self.fits_decimal(value_type, 0),
            ValueType::Date => self.texts_are(|texts| texts.dates),
            ValueType::Timestamp => self.texts_are(|texts| texts.timestamps),
            ValueType::Epoch(unit) => {
                self.are(|numbers| if are_instants(numbers, unit) { numbers.count } else { 0 })
            }
        }
    }

    /// Whether a decimal has all digits of the values, and as many more before the point.
    fn fits_decimal(&self, value_type: ValueType, headroom: usize) -> bool {
        let Some((before, behind)) = value_type.digits() else { return false };
        let (most_before, most_behind) = self.digits();
        self.are(|numbers| numbers.count)
            && most_before + headroom <= usize::from(before)
            && most_behind <= usize::from(behind)
    }

    /// The most digits before the point, and the most behind it.
    fn digits(&self) -> (usize, usize) {
        let of = |digits: fn(&Numbers) -> usize| self.all_numbers().map(digits).max().unwrap_or_default();
        (of(|numbers| numbers.plain_digits.0), of(|numbers| numbers.plain_digits.1))
    }

    /// The decimal that has all digits of a type of numbers and of the values.
    fn decimal_with(&self, value_type: ValueType) -> Option<ValueType> {
        let (before, behind) = value_type.digits().filter(|_| self.are(|numbers| numbers.count))?;
        let (most_before, most_behind) = self.digits();
        let scale = most_behind.max(usize::from(behind));
        let precision = most_before.max(usize::from(before)) + scale;
        let (precision, scale) = (u8::try_from(precision).ok()?, u8::try_from(scale).ok()?);
        (usize::from(precision) <= DIGITS_MAX).then_some(ValueType::Decimal { precision, scale })
    }
}

/// Whether the least and the greatest number are instants of the years 1 to 9999, so that all are.
fn are_instants(numbers: &Numbers, unit: EpochUnit) -> bool {
    let is_one = |token: &str| timestamp::parse_epoch(token.as_bytes(), unit).is_ok();
    numbers.range.as_ref().is_none_or(|(least, greatest)| is_one(&least.token) && is_one(&greatest.token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::catalog::walk::Walk;
    use event_parser::json::Scanner;

    fn of(values: &str) -> Evidence {
        let mut evidence = Evidence::default();
        let mut walk =
            Walk { line: values.as_bytes(), scanner: Scanner::new(values.as_bytes()), members_added: 0 };
        walk.value(&mut evidence, 0).unwrap();
        evidence.lists.map(|lists| lists.elements).unwrap_or_default()
    }

    #[track_caller]
    fn assert_need(from: ValueType, values: &str, expected: Need) {
        assert_eq!(need(b"x", from, &of(values)), expected, "{from}, {values}");
    }

    const fn decimal(precision: u8, scale: u8) -> ValueType {
        ValueType::Decimal { precision, scale }
    }

    #[test]
    fn what_takes_the_values_is_kept() {
        use ValueType::{Boolean, Date, Epoch, Float64, Int32, Int64, Json, String, Timestamp};
        for (from, values) in [
            (Int32, "[1, null, -7]"),
            (Int64, "[1]"),
            (Float64, "[1, 2.5, 818.32]"),
            (decimal(10, 2), "[1, 5.1, 12.25]"),
            (decimal(10, 2), "[\"12.25\", \"1.00\"]"),
            (decimal(38, 2), "[123456789012345678901234567890123456.25]"),
            (Timestamp, "[\"2024-10-10\", \"2024-10-10T00:00:07.1234567Z\"]"),
            (Date, "[null]"),
            (Boolean, "[true]"),
            (Epoch(EpochUnit::Milliseconds), "[0, 1728518864137, \"1728518864137\"]"),
            (String, "[1, {}, []]"),
            (Json, "[1, {}, []]"),
        ] {
            assert_need(from, values, Need::Kept);
        }
        assert_eq!(need(b"order_id", Int32, &of("[1]")), Need::Kept);
    }

    #[test]
    fn types_are_widened_along_the_lattice() {
        use ValueType::{Date, Float64, Int32, Int64, Timestamp};
        for (from, values, to) in [
            (Int32, "[2147483648]", Int64),
            (Int32, "[2000000000]", Int64),
            (Int32, "[1728518864]", Int64),
            (Int32, "[1.5]", Float64),
            (Int32, "[12.25]", decimal(12, 2)),
            (Int64, "[12.25]", decimal(21, 2)),
            (Int64, "[9223372036854775808]", decimal(38, 0)),
            (Int64, "[0.5]", decimal(20, 1)),
            (decimal(10, 2), "[1234567.25]", decimal(18, 2)),
            (decimal(10, 2), "[1.125]", decimal(11, 3)),
            (decimal(10, 2), "[0.123456]", decimal(14, 6)),
            (decimal(10, 2), "[125e-3]", decimal(11, 3)),
            (Date, "[\"2024-10-10T00:00:07Z\"]", Timestamp),
        ] {
            assert_need(from, values, Need::Wider(to));
            assert_need(to, values, Need::Kept);
        }
    }

    #[test]
    fn elsewhere_it_is_kept_or_becomes_string() {
        use ValueType::{Boolean, Date, Epoch, Float64, Int32, Int64, String, Timestamp};
        for (from, values, drafted) in [
            (Int64, "[12.0]", Float64),
            (Int64, "[\"12\", 3]", String),
            (Float64, "[0.1000000000000000055]", decimal(38, 19)),
            (Boolean, "[\"true\"]", String),
        ] {
            assert_need(from, values, Need::KeptBeside(drafted));
        }
        for (from, values) in [
            (Int32, "[\"007\"]"),
            (Int32, "[true]"),
            (Int64, "[1e-30]"),
            (Int64, "[{}]"),
            (decimal(38, 2), "[1e400]"),
            (decimal(38, 30), "[123456789.5]"),
            (Float64, "[1e400]"),
            (Date, "[\"soon\"]"),
            (Timestamp, "[1728518864]"),
            (Epoch(EpochUnit::Seconds), "[\"2024-10-10\"]"),
            (Boolean, "[[]]"),
        ] {
            assert_need(from, values, Need::Wider(String));
        }
    }
}
