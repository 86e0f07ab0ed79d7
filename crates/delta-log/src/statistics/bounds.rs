//! The bounds of a column in its row groups → one bound each, as JSON.
//!
//! Invariant: the text of the least value is not greater than any value, that of the greatest not less, in
//! each of the orders that readers compare by: texts by bytes or by UTF-16, zero with its sign or without,
//! instants by microseconds or by milliseconds.

use chrono::{DateTime, Datelike, NaiveDate};
use parquet::{
    basic::{LogicalType, TimeUnit, Type as Physical},
    data_type::{ByteArray, FixedLenByteArray},
    file::statistics::{Statistics, ValueStatistics},
    schema::types::Type,
};

/// The most characters of a text: those that Delta keeps.
const TEXT_CHARACTERS_MAX: usize = 32;

/// How values of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Float,
    Decimal {
        scale: usize,
    },
    /// Days since 1970.
    Date,
    /// Microseconds since 1970, in UTC.
    Instant,
    Text,
}

impl Kind {
    /// That of a column that is no object; `None` if it has no bounds: readers make nothing of those of
    /// booleans.
    pub(super) fn of(column: &Type) -> Option<Self> {
        match (column.get_physical_type(), column.get_basic_info().logical_type_ref()) {
            (_, Some(LogicalType::Decimal(decimal))) => {
                Some(Self::Decimal { scale: usize::try_from(decimal.scale).ok()? })
            }
            (Physical::INT32, Some(LogicalType::Date)) => Some(Self::Date),
            (Physical::INT64, Some(LogicalType::Timestamp(timestamp))) => {
                let is_instant = timestamp.is_adjusted_to_u_t_c && timestamp.unit == TimeUnit::MICROS;
                is_instant.then_some(Self::Instant)
            }
            (Physical::INT32 | Physical::INT64, None) => Some(Self::Integer),
            (Physical::INT32 | Physical::INT64, Some(LogicalType::Integer(integer))) => {
                integer.is_signed.then_some(Self::Integer)
            }
            (Physical::FLOAT | Physical::DOUBLE, None) => Some(Self::Float),
            (Physical::BYTE_ARRAY, Some(LogicalType::String)) => Some(Self::Text),
            _ => None,
        }
    }
}

/// The least and the greatest value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Bounds {
    /// There are no values.
    None,
    /// There are values, but nobody knows which.
    Unknown,
    Integers(i128, i128),
    Floats(f64, f64),
    Bytes(Vec<u8>, Vec<u8>),
}

impl Bounds {
    /// Those of a row group that has values.
    pub(super) fn of(statistics: &Statistics) -> Self {
        // Those of old writers were made by another order.
        if statistics.is_min_max_deprecated() {
            return Self::Unknown;
        }
        let known = match statistics {
            Statistics::Int32(values) => both(values, |value| i128::from(*value)).map(Self::integers),
            Statistics::Int64(values) => both(values, |value| i128::from(*value)).map(Self::integers),
            Statistics::Float(values) => both(values, |value| f64::from(*value)).map(Self::floats),
            Statistics::Double(values) => both(values, |value| *value).map(Self::floats),
            Statistics::ByteArray(values) => both(values, |value: &ByteArray| value.data().to_vec())
                .map(|(min, max)| Self::Bytes(min, max)),
            Statistics::FixedLenByteArray(values) => both(values, number).and_then(|bounds| match bounds {
                (Some(min), Some(max)) => Some(Self::Integers(min, max)),
                _ => None,
            }),
            Statistics::Boolean(_) | Statistics::Int96(_) => None,
        };
        known.unwrap_or(Self::Unknown)
    }

    fn integers((min, max): (i128, i128)) -> Self {
        Self::Integers(min, max)
    }

    fn floats((min, max): (f64, f64)) -> Self {
        if min <= max { Self::Floats(min, max) } else { Self::Unknown }
    }

    /// The bounds of both, which belong to one column.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, bounds) | (bounds, Self::None) => bounds,
            (Self::Integers(min, max), Self::Integers(a, b)) => Self::Integers(min.min(a), max.max(b)),
            (Self::Floats(min, max), Self::Floats(a, b)) => Self::Floats(min.min(a), max.max(b)),
            (Self::Bytes(min, max), Self::Bytes(a, b)) => Self::Bytes(min.min(a), max.max(b)),
            _ => Self::Unknown,
        }
    }

    /// Both as JSON; `None` is a bound that there is not, or that can't be written.
    pub(super) fn texts(&self, kind: Kind) -> (Option<String>, Option<String>) {
        match (kind, self) {
            (Kind::Integer, Self::Integers(min, max)) => (Some(min.to_string()), Some(max.to_string())),
            (Kind::Decimal { scale }, Self::Integers(min, max)) => {
                (Some(decimal(*min, scale)), Some(decimal(*max, scale)))
            }
            (Kind::Date, Self::Integers(min, max)) => (date(*min), date(*max)),
            (Kind::Instant, Self::Integers(min, max)) => {
                (instant(min.div_euclid(1_000)), instant(-(-max).div_euclid(1_000)))
            }
            // Some readers take -0.0 for less than 0.0, some for the same.
            (Kind::Float, Self::Floats(min, max)) => {
                (float(if *min == 0.0 { -0.0 } else { *min }), float(if *max == 0.0 { 0.0 } else { *max }))
            }
            (Kind::Text, Self::Bytes(min, max)) => {
                let text = |bytes| std::str::from_utf8(bytes).ok();
                (text(min).map(not_greater).map(quoted), text(max).and_then(not_less).map(quoted))
            }
            _ => (None, None),
        }
    }
}

fn both<T, V>(values: &ValueStatistics<T>, convert: impl Fn(&T) -> V) -> Option<(V, V)> {
    Some((convert(values.min_opt()?), convert(values.max_opt()?)))
}

/// A number of at most 16 bytes, the highest first.
fn number(value: &FixedLenByteArray) -> Option<i128> {
    let bytes = value.data();
    let is_negative = bytes.first().is_some_and(|first| *first >= 0x80);
    let mut all = [if is_negative { 0xFF } else { 0 }; 16];
    let start = all.len().checked_sub(bytes.len())?;
    all[start..].copy_from_slice(bytes);
    Some(i128::from_be_bytes(all))
}

/// A number with all of its digits, `scale` of them behind the point.
fn decimal(unscaled: i128, scale: usize) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (integer, fraction) = digits.split_at(digits.len() - scale);
    let point = if scale == 0 { "" } else { "." };
    format!("{sign}{integer}{point}{fraction}")
}

/// Infinity is no JSON.
fn float(value: f64) -> Option<String> {
    value.is_finite().then(|| serde_json::Value::from(value).to_string())
}

fn date(days: i128) -> Option<String> {
    let date = NaiveDate::from_epoch_days(i32::try_from(days).ok()?)?;
    has_four_digits(date.year()).then(|| format!("\"{date}\""))
}

fn instant(millis: i128) -> Option<String> {
    let instant = DateTime::from_timestamp_millis(i64::try_from(millis).ok()?)?;
    has_four_digits(instant.year()).then(|| format!("\"{}\"", instant.format("%Y-%m-%dT%H:%M:%S%.3fZ")))
}

/// Readers know no other years. The greatest instant of 9999, rounded up, is in 10000.
fn has_four_digits(year: i32) -> bool {
    (1..=9999).contains(&year)
}

fn quoted(text: impl Into<String>) -> String {
    serde_json::Value::from(text.into()).to_string()
}

/// The front of a text that is not greater than it, or than any text that is not less.
///
/// UTF-16 has the characters beyond U+FFFF before those from U+E000 on. So a text from U+1F600 on may be less
/// than one from U+E000 on, for readers that compare by it. Without these characters, there is only one order.
fn not_greater(text: &str) -> &str {
    let cut = text.char_indices().enumerate().find_map(|(count, (at, character))| {
        (count == TEXT_CHARACTERS_MAX || is_at_end_of_utf_16(character)).then_some(at)
    });
    cut.map_or(text, |cut| &text[..cut])
}

/// The text itself, or its front with its last character raised: it is not less than the text, or than any
/// text that is not greater. `None` if no character of it can be raised.
///
/// For the order of UTF-16, a bound has no characters beyond U+FFFF: see [`not_greater`].
fn not_less(text: &str) -> Option<String> {
    let cut = text.char_indices().enumerate().find_map(|(count, (at, character))| {
        (count == TEXT_CHARACTERS_MAX || is_beyond_u_ffff(character)).then_some(at)
    });
    let Some(cut) = cut else { return Some(text.to_owned()) };
    let mut raised = text[..cut].to_owned();
    while let Some(last) = raised.pop() {
        if let Some(next) = next_of(last) {
            raised.push(next);
            return Some(raised);
        }
    }
    None
}

/// The next character, if that is not beyond U+FFFF. Surrogates are no characters.
fn next_of(character: char) -> Option<char> {
    (character..='\u{FFFF}').nth(1)
}

fn is_at_end_of_utf_16(character: char) -> bool {
    ('\u{E000}'..='\u{FFFF}').contains(&character)
}

fn is_beyond_u_ffff(character: char) -> bool {
    character > '\u{FFFF}'
}
