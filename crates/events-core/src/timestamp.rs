//! Text of a timestamp or date → microseconds since 1970-01-01T00:00:00Z, or days since then.
//!
//! Accepted (CONTRACT.md section 5): `YYYY-MM-DD`, optionally followed by `T`, `t` or a space and `HH:MM:SS`,
//! optionally a fraction of any length (cut after microseconds), optionally `Z`, `z`, `±HH:MM` or `±HHMM`.
//! Without an offset the time is UTC; a bare date is its midnight. Nothing else: no leap second, no `24:00:00`,
//! no week dates, no epoch numbers.
//!
//! Invariant: the result is an instant of the years 0001 to 9999 in UTC, the range that SQL engines and Python share.

use chrono::{Datelike, NaiveDate};

/// Microseconds in a day.
pub const DAY_MICROS: i64 = 24 * HOUR_MICROS;
/// Microseconds in an hour.
pub const HOUR_MICROS: i64 = 3_600 * SECOND_MICROS;
const SECOND_MICROS: i64 = 1_000_000;

/// What a timestamp must look like, for messages.
pub const EXPECTED_TIMESTAMP: &str = "a timestamp like 2024-10-10T00:00:07, 2024-10-10T00:00:07.123456Z or 2024-10-10 00:00:07+02:00, \
     that exists, of the years 0001 to 9999";
/// What a date must look like, for messages.
pub const EXPECTED_DATE: &str = "a date like 2024-10-10 that exists, of the years 0001 to 9999";

/// Parses a timestamp into microseconds since the Unix epoch, UTC. `None` where it is anything but what the module accepts.
///
/// ```
/// use events_core::timestamp::parse_timestamp;
/// assert_eq!(parse_timestamp(b"1970-01-01T00:00:01"), Some(1_000_000));
/// assert_eq!(parse_timestamp(b"1970-01-01 01:00:00.0000019+01:00"), Some(1));
/// assert_eq!(parse_timestamp(b"2024-02-30T00:00:00"), None);
/// ```
#[must_use]
pub fn parse_timestamp(text: &[u8]) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    // An offset may bring the last day of the year 0000 into the range; the check is at the end.
    let midnight = i64::from(parse_day(date)?.to_epoch_days()) * DAY_MICROS;
    if rest.is_empty() {
        return (midnight >= FIRST_INSTANT).then_some(midnight);
    }
    let (time, rest) = rest.split_at_checked(9)?;
    let &[b'T' | b't' | b' ', h1, h2, b':', m1, m2, b':', s1, s2] = time else { return None };
    let (hour, minute, second) = (two_digits(h1, h2)?, two_digits(m1, m2)?, two_digits(s1, s2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction_micros, rest) = parse_fraction(rest)?;
    let time_of_day = (hour * 3_600 + minute * 60 + second) * SECOND_MICROS + fraction_micros;
    let instant = midnight + time_of_day - parse_offset_seconds(rest)? * SECOND_MICROS;
    (FIRST_INSTANT..LAST_INSTANT).contains(&instant).then_some(instant)
}

/// Parses `YYYY-MM-DD` into days since the Unix epoch. `None` where there is no such day.
#[must_use]
pub fn parse_date(text: &[u8]) -> Option<i32> {
    let date = parse_day(text)?;
    (date.year() >= 1).then(|| date.to_epoch_days())
}

/// Parses `YYYY-MM-DD`, of the years 0000 to 9999.
fn parse_day(text: &[u8]) -> Option<NaiveDate> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = two_digits(y1, y2)? * 100 + two_digits(y3, y4)?;
    let (month, day) = (two_digits(m1, m2)?, two_digits(d1, d2)?);
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}

/// 0001-01-01T00:00:00Z and 10000-01-01T00:00:00Z, in microseconds.
const FIRST_INSTANT: i64 = -719_162 * DAY_MICROS;
const LAST_INSTANT: i64 = 2_932_897 * DAY_MICROS;

fn two_digits(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

/// `.digits` at the front of `text` → microseconds (further digits are cut) and what follows.
fn parse_fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = text.strip_prefix(b".") else { return Some((0, text)) };
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 {
        return None;
    }
    let micros = (0..6).fold(0, |sum, i| {
        let digit = if i < length { digits[i] - b'0' } else { 0 };
        sum * 10 + i64::from(digit)
    });
    Some((micros, &digits[length..]))
}

/// The offset from UTC that is all of `text`, in seconds; nothing means UTC.
fn parse_offset_seconds(text: &[u8]) -> Option<i64> {
    let (sign, hours, minutes) = match *text {
        [] | [b'Z' | b'z'] => return Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] | [sign @ (b'+' | b'-'), h1, h2, m1, m2] => {
            (sign, two_digits(h1, h2)?, two_digits(m1, m2)?)
        }
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3_600 + minutes * 60;
    Some(if sign == b'-' { -seconds } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> Option<i64> {
        parse_timestamp(text.as_bytes())
    }

    #[test]
    fn every_accepted_form_of_one_instant_is_the_same_instant() {
        let expected = micros("2024-10-11T02:30:00");
        assert_eq!(expected, Some(1_728_613_800_000_000));
        for text in [
            "2024-10-11T02:30:00Z",
            "2024-10-11t02:30:00z",
            "2024-10-11 02:30:00",
            "2024-10-10T23:30:00-03:00",
            "2024-10-10T23:30:00-0300",
            "2024-10-11T08:00:00+05:30",
            "2024-10-11T02:30:00.000",
            "2024-10-11T02:30:00.0000009",
            "2024-10-11T02:30:00-00:00",
        ] {
            assert_eq!(micros(text), expected, "{text}");
        }
    }

    #[test]
    fn a_fraction_is_cut_after_microseconds_also_before_1970() {
        assert_eq!(micros("1970-01-01T00:00:00.1"), Some(100_000));
        assert_eq!(micros("1970-01-01T00:00:00.123456999"), Some(123_456));
        assert_eq!(micros("1969-12-31T23:59:59.9999999"), Some(-1));
        assert_eq!(micros("0000-12-31T23:59:00-00:01"), micros("0001-01-01"));
        assert_eq!(micros("2024-02-29"), Some(19_782 * DAY_MICROS));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            " ",
            "2024",
            "2024-10",
            "2024-1-5",
            "2024-1-05T00:00:00",
            "20241010",
            "2024-02-30",
            "2023-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-10-00",
            "2024-10-10T",
            "2024-10-10T00:00",
            "2024-10-10T24:00:00",
            "2024-10-10T23:59:60",
            "2024-10-10T23:60:00",
            "2024-10-10T00:00:00.",
            "2024-10-10T00:00:00,5",
            "2024-10-10T00:00:00.5x",
            "2024-10-10T00:00:00+0",
            "2024-10-10T00:00:00+02",
            "2024-10-10T00:00:00+24:00",
            "2024-10-10T00:00:00+02:60",
            "2024-10-10T00:00:00 Z",
            "2024-10-10T00:00:00Z ",
            " 2024-10-10T00:00:00",
            "2024-10-10Z",
            "2024-10-10_00:00:00",
            "2024-10-10T00:00:00ZZ",
            "1728518400",
            "٢٠٢٤-10-10",
            "0000-01-01",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "-2024-10-10T00:00:00",
        ] {
            assert_eq!(micros(text), None, "{text:?}");
        }
        assert!(micros("0001-01-01T00:00:00").is_some() && micros("9999-12-31T23:59:59.999999").is_some());
    }
}
