//! A value of a line → the value of a column, for each type: the meaning of the types (docs/values.md).
//!
//! Callbacks report that a value is coerced or rounded, even if it then does not fit.
//!
//! Invariant: a conversion is exact, is reported, or is a fault. Nothing wraps, and only floats go through a
//! binary float.

use std::borrow::Cow;

use event_rows::extend_with_part;
use events_core::{
    number,
    timestamp::{self, EpochFault, EpochUnit},
};

use super::ValueFault;
use crate::json::{self, Kind, Value};

/// Strings unchanged, numbers and booleans as written, objects and arrays as compact JSON.
pub(super) fn push_text(value: Value, line: &[u8], json: bool, bytes: &mut Vec<u8>, coerced: impl FnOnce()) {
    match value.kind() {
        Kind::String { escaped: false } if !json => {
            extend_with_part(bytes, line, value.start() + 1..value.end() - 1);
        }
        Kind::String { escaped: true } if !json => json::unescape_into(value.inner(line), bytes),
        // The other values become JSON text, which is only right for JSON columns.
        Kind::String { .. } | Kind::Object | Kind::Array => {
            if !json {
                coerced();
            }
            json::compact_into(value.text(line), bytes);
        }
        Kind::Number | Kind::True | Kind::False | Kind::Null => {
            if !json {
                coerced();
            }
            extend_with_part(bytes, line, value.start()..value.end());
        }
    }
}

/// The token of a number, or of a string that is a number.
pub(super) fn number_token(
    value: Value,
    line: &[u8],
    coerced: impl FnOnce(),
) -> Result<Cow<'_, [u8]>, ValueFault> {
    if value.kind() == Kind::Number {
        return Ok(Cow::Borrowed(value.text(line)));
    }
    coerced();
    value.string(line).filter(|text| number::is_number(text)).ok_or(ValueFault::TypeMismatch)
}

pub(super) fn integer(value: Value, line: &[u8], coerced: impl FnOnce()) -> Result<i64, ValueFault> {
    if value.kind() == Kind::Number {
        return Ok(number::parse_integer(value.text(line))?);
    }
    Ok(number::parse_integer(&number_token(value, line, coerced)?)?)
}

pub(crate) fn float(
    value: Value,
    line: &[u8],
    coerced: impl FnOnce(),
    rounded: impl FnOnce(),
) -> Result<f64, ValueFault> {
    let token = number_token(value, line, coerced)?;
    let text = std::str::from_utf8(&token).map_err(|_| ValueFault::TypeMismatch)?;
    let float: f64 = text.parse().map_err(|_| ValueFault::TypeMismatch)?;
    if !float.is_finite() {
        return Err(ValueFault::OutOfRange);
    }
    if number::is_rounded_as_float(&token, float) {
        rounded();
    }
    Ok(float)
}

pub(super) fn boolean(value: Value, line: &[u8], coerced: impl FnOnce()) -> Result<bool, ValueFault> {
    match value.kind() {
        Kind::True => return Ok(true),
        Kind::False => return Ok(false),
        _ => coerced(),
    }
    match value.string(line).as_deref() {
        Some(b"true") => Ok(true),
        Some(b"false") => Ok(false),
        _ => Err(ValueFault::TypeMismatch),
    }
}

/// Microseconds; further digits are cut.
pub(super) fn instant(value: Value, line: &[u8], cut: impl FnOnce()) -> Result<i64, ValueFault> {
    let text = value.string(line).ok_or(ValueFault::TypeMismatch)?;
    let micros = timestamp::parse_timestamp(&text).ok_or(ValueFault::TypeMismatch)?;
    if timestamp::is_cut(&text) {
        cut();
    }
    Ok(micros)
}

/// Microseconds, from a number of some unit; further digits are cut. Not inlined, so that columns of other
/// types stay as they are.
#[inline(never)]
pub(super) fn epoch(
    value: Value,
    line: &[u8],
    unit: EpochUnit,
    coerced: impl FnOnce(),
    cut: impl FnOnce(),
) -> Result<i64, ValueFault> {
    let token = number_token(value, line, coerced)?;
    let epoch = timestamp::parse_epoch(&token, unit).map_err(|fault| match fault {
        EpochFault::NotANumber => ValueFault::TypeMismatch,
        EpochFault::OutOfRange => ValueFault::OutOfRange,
    })?;
    if epoch.is_cut {
        cut();
    }
    Ok(epoch.micros)
}

pub(super) fn parse_string<T>(
    value: Value,
    line: &[u8],
    parse: fn(&[u8]) -> Option<T>,
) -> Result<T, ValueFault> {
    value.string(line).and_then(|text| parse(&text)).ok_or(ValueFault::TypeMismatch)
}
