//! The bounds of a column in its row groups → one bound each, as JSON.
//!
//! Invariant: the least value is not greater than any value, the greatest not less, in each of the orders
//! that readers compare by: texts by their bytes or by their characters, which is the same; zero with its
//! sign or without; instants by microseconds, although Delta has milliseconds.

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Utc};
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
    Boolean,
}

impl Kind {
    /// That of a column that is no object; `None` if it has no bounds.
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
            (Physical::BOOLEAN, None) => Some(Self::Boolean),
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
            Statistics::Boolean(values) => both(values, |value| i128::from(*value)).map(Self::integers),
            Statistics::Int96(_) => None,
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

    /// Both as JSON; `None` if there are none, or if one can't be written.
    pub(super) fn texts(&self, kind: Kind) -> Option<(String, String)> {
        Some(match (kind, self) {
            (Kind::Integer, Self::Integers(min, max)) => (min.to_string(), max.to_string()),
            (Kind::Decimal { scale }, Self::Integers(min, max)) => {
                (decimal(*min, scale), decimal(*max, scale))
            }
            (Kind::Date, Self::Integers(min, max)) => (date(*min)?, date(*max)?),
            (Kind::Instant, Self::Integers(min, max)) => (instant_before(*min)?, instant_after(*max)?),
            // Zero has its sign already, or both: for some readers -0.0 is less than 0.0.
            (Kind::Float, Self::Floats(min, max)) => (float(*min)?, float(*max)?),
            (Kind::Text, Self::Bytes(min, max)) => {
                let text = |bytes| std::str::from_utf8(bytes).ok();
                (quoted(front(text(min)?)), quoted(not_less(text(max)?)?))
            }
            (Kind::Boolean, Self::Integers(min, max)) => ((*min > 0).to_string(), (*max > 0).to_string()),
            _ => return None,
        })
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

/// The millisecond that an instant is in.
fn instant_before(micros: i128) -> Option<String> {
    let instant = instant(micros.div_euclid(1_000) * 1_000)?;
    Some(quoted(instant.to_rfc3339_opts(SecondsFormat::Millis, true)))
}

/// The next millisecond, if the instant is not the beginning of one; the instant itself if that would be in
/// the year 10000.
fn instant_after(micros: i128) -> Option<String> {
    let next = -(-micros).div_euclid(1_000) * 1_000;
    let instant = instant(next).or_else(|| instant(micros))?;
    let is_even = instant.timestamp_subsec_micros().is_multiple_of(1_000);
    let digits = if is_even { SecondsFormat::Millis } else { SecondsFormat::Micros };
    Some(quoted(instant.to_rfc3339_opts(digits, true)))
}

fn instant(micros: i128) -> Option<DateTime<Utc>> {
    let instant = DateTime::from_timestamp_micros(i64::try_from(micros).ok()?)?;
    has_four_digits(instant.year()).then_some(instant)
}

/// Readers know no other years. The greatest instant of 9999, rounded up, is in 10000.
fn has_four_digits(year: i32) -> bool {
    (1..=9999).contains(&year)
}

fn quoted(text: impl Into<String>) -> String {
    serde_json::Value::from(text.into()).to_string()
}

/// The front of a text: not greater than it.
fn front(text: &str) -> &str {
    text.char_indices().nth(TEXT_CHARACTERS_MAX).map_or(text, |(cut, _)| &text[..cut])
}

/// The text itself or, if it is too long, its front with its last character raised. `None` if none of its
/// characters can be raised.
fn not_less(text: &str) -> Option<String> {
    let mut raised = front(text).to_owned();
    if raised.len() == text.len() {
        return Some(raised);
    }
    while let Some(last) = raised.pop() {
        // Surrogates are no characters: they are passed over.
        if let Some(next) = (last..=char::MAX).nth(1) {
            raised.push(next);
            return Some(raised);
        }
    }
    None
}
