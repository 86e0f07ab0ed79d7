//! Text of a timestamp or date → microseconds since 1970-01-01T00:00:00Z, or days since then; and an instant
//! as text.
//!
//! Accepted (docs/values.md): `YYYY-MM-DD`, optionally followed by `T`, `t` or a space and `HH:MM` or
//! `HH:MM:SS`, behind seconds optionally a fraction with a point or a comma and any number of digits (cut
//! after microseconds), optionally `Z`, `z`, `±HH:MM`, `±HHMM` or `±HH`, with or without a space in front, or
//! ` UTC`. Without an offset the time is UTC; a bare date is its midnight. Nothing else: no leap second, no
//! `24:00:00`, no week dates, no years of two digits, no epoch numbers, whose unit would be a guess. Where
//! the unit is known, `timestamp/epoch.rs` reads them.
//!
//! Invariant: the result is an instant of the years 0001 to 9999 in UTC, the range that SQL engines and
//! Python share.

mod epoch;

pub use epoch::{EXPECTED_UNIT, Epoch, EpochFault, EpochUnit, parse_epoch};

use crate::partition::Day;

/// Microseconds in a day.
pub const DAY_MICROS: i64 = 24 * HOUR_MICROS;
/// Microseconds in an hour.
pub const HOUR_MICROS: i64 = 3_600 * SECOND_MICROS;
/// Microseconds in a second.
pub const SECOND_MICROS: i64 = 1_000_000;

/// The form of a timestamp, for messages.
pub const EXPECTED_TIMESTAMP: &str = "a timestamp like 2024-10-10T00:00:07, 2024-10-10T00:00:07.123456Z or 2024-10-10 00:00:07+02:00, \
     that exists, of the years 0001 to 9999";
/// The form of a date, for messages.
pub const EXPECTED_DATE: &str = "a date like 2024-10-10 that exists, of the years 0001 to 9999";

/// Parses a timestamp into microseconds since the Unix epoch, UTC. `None` where it is anything but what the
/// module accepts.
///
/// ```
/// use events_core::timestamp::parse_timestamp;
/// assert_eq!(parse_timestamp(b"1970-01-01T00:00:01"), Some(1_000_000));
/// assert_eq!(parse_timestamp(b"1970-01-01 01:00:00.0000019+01:00"), Some(1));
/// assert_eq!(parse_timestamp(b"2024-02-30T00:00:00"), None);
/// ```
#[must_use]
pub fn parse_timestamp(text: &[u8]) -> Option<i64> {
    ToSeconds::default().timestamp(text)
}

/// A date alone, or with hours and minutes. (A fraction of minutes is nothing that a program writes.)
fn parse_without_seconds(text: &[u8]) -> Option<i64> {
    let (date, rest) = text.split_first_chunk::<DATE_BYTES>()?;
    let midnight = days_of(date)? * DAY_MICROS;
    let instant = match rest.split_first_chunk::<MINUTES_BYTES>() {
        None if rest.is_empty() => midnight,
        None => return None,
        Some(([separator, h1, h2, colon, m1, m2], offset)) => {
            let time = [*separator, *h1, *h2, *colon, *m1, *m2, b':', b'0', b'0'];
            midnight + time_of_day_micros(&time)? - parse_offset_seconds(offset)? * SECOND_MICROS
        }
    };
    is_in_range(instant).then_some(instant)
}

/// Parses the beginning `YYYY-MM-DDTHH:MM:SS` of a timestamp, as if it were UTC; not all have it. The
/// result is only for [`parse_behind_seconds`]; accepted text has no `"`, `\` or control character.
#[must_use]
#[inline]
pub fn parse_to_seconds(text: &[u8; SECONDS_BYTES]) -> Option<i64> {
    let (date, time) = text.split_first_chunk::<DATE_BYTES>()?;
    Some(days_of(date)? * DAY_MICROS + time_of_day_micros(time)?)
}

/// Parses like [`parse_to_seconds`], and remembers the day: the next event usually has the same one.
#[derive(Debug, Clone, Copy)]
pub struct ToSeconds {
    date: [u8; DATE_BYTES],
    midnight: i64,
}

impl Default for ToSeconds {
    fn default() -> Self {
        Self { date: *b"1970-01-01", midnight: 0 }
    }
}

impl ToSeconds {
    /// [`parse_to_seconds`] of the text.
    #[inline]
    pub fn parse(&mut self, text: &[u8; SECONDS_BYTES]) -> Option<i64> {
        let (date, time) = text.split_first_chunk::<DATE_BYTES>()?;
        if *date != self.date {
            *self = Self { date: *date, midnight: days_of(date)? * DAY_MICROS };
        }
        Some(self.midnight + time_of_day_micros(time)?)
    }

    /// [`parse_timestamp`] of the text.
    #[must_use]
    pub fn timestamp(&mut self, text: &[u8]) -> Option<i64> {
        match text.split_first_chunk().and_then(|(front, rest)| Some((self.parse(front)?, rest))) {
            Some((micros, rest)) => parse_behind_seconds(micros, rest),
            None => parse_without_seconds(text),
        }
    }
}

/// `THH:MM:SS` as microseconds.
#[inline]
fn time_of_day_micros(time: &[u8]) -> Option<i64> {
    const TIME: Like = Like::new(*b"00:00:00");
    if !matches!(time.first()?, b'T' | b't' | b' ') {
        return None;
    }
    let [hour, _, _, minute, _, _, second, _] = TIME.pairs(*time.last_chunk()?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
    Some(seconds * SECOND_MICROS)
}

/// Completes the result of [`parse_to_seconds`] with the text after it: a fraction, an offset, or nothing.
#[must_use]
#[inline]
pub fn parse_behind_seconds(micros: i64, rest: &[u8]) -> Option<i64> {
    let instant = if rest.is_empty() {
        micros
    } else {
        let (fraction_micros, rest) = parse_fraction(rest)?;
        micros + fraction_micros - parse_offset_seconds(rest)? * SECOND_MICROS
    };
    is_in_range(instant).then_some(instant)
}

/// An offset may bring the last day of the year 0000 into the range, so this is checked last.
#[inline]
fn is_in_range(instant: i64) -> bool {
    (FIRST_INSTANT..LAST_INSTANT).contains(&instant)
}

/// An instant as RFC 3339 has it, in UTC: `2024-10-10T00:00:07.123456Z`.
///
/// ```
/// use events_core::timestamp::{parse_timestamp, timestamp_text};
/// assert_eq!(timestamp_text(1), "1970-01-01T00:00:00.000001Z");
/// assert_eq!(parse_timestamp(timestamp_text(1).as_bytes()), Some(1));
/// ```
#[must_use]
pub fn timestamp_text(micros: i64) -> String {
    let (day, of_day) = (Day::from_epoch_days(micros.div_euclid(DAY_MICROS)), micros.rem_euclid(DAY_MICROS));
    let (seconds, micros) = (of_day / SECOND_MICROS, of_day % SECOND_MICROS);
    format!("{day}T{:02}:{:02}:{:02}.{micros:06}Z", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// Whether parsing a timestamp cuts digits other than zero. `text` was parsed before.
#[must_use]
#[inline]
pub fn is_cut(text: &[u8]) -> bool {
    // The position of the seventh digit of a fraction; most timestamps end before.
    matches!(text.get(SECONDS_BYTES + 7), Some(b'0'..=b'9')) && cuts_digits(&text[SECONDS_BYTES..])
}

#[cold]
fn cuts_digits(rest: &[u8]) -> bool {
    let [b'.' | b',', digits @ ..] = rest else { return false };
    digits.iter().take_while(|byte| byte.is_ascii_digit()).skip(6).any(|&digit| digit != b'0')
}

/// Parses `YYYY-MM-DD` into days since the Unix epoch. `None` if there is no such day.
#[must_use]
pub fn parse_date(text: &[u8]) -> Option<i32> {
    let days = days_of(text.try_into().ok()?)?;
    if days * DAY_MICROS < FIRST_INSTANT { None } else { i32::try_from(days).ok() }
}

/// The length of `YYYY-MM-DD`.
const DATE_BYTES: usize = 10;
/// The length of `THH:MM`.
const MINUTES_BYTES: usize = 6;
/// The length of the text that [`parse_to_seconds`] accepts.
pub const SECONDS_BYTES: usize = 19;

/// `YYYY-MM-DD`, of the years 0000 to 9999, as days since the Unix epoch.
#[inline]
fn days_of(date: &[u8; DATE_BYTES]) -> Option<i64> {
    const YEAR_AND_MONTH: Like = Like::new(*b"0000-00-");
    let [century, _, year, _, _, month, _, _] = YEAR_AND_MONTH.pairs(*date.first_chunk()?)?;
    let day = two_digits(date[8], date[9])?;
    let (year, month) = (i64::from(century) * 100 + i64::from(year), usize::from(month));
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = *DAYS_OF_MONTH.get(month)? + i64::from(is_leap && month == 2);
    if day < 1 || day > length {
        return None;
    }
    // Leap years before this one (the year 0 is one of them), and the leap day of this one if it is over.
    let leap_days = (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400 + i64::from(is_leap && month > 2);
    Some(year * 365 + leap_days + DAYS_BEFORE_MONTH[month] + day - 1 - DAYS_FROM_0000_TO_1970)
}

/// By month from 1, in a year that is not a leap year.
const DAYS_OF_MONTH: [i64; 13] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const DAYS_BEFORE_MONTH: [i64; 13] = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const DAYS_FROM_0000_TO_1970: i64 = 719_528;

/// A pattern of eight characters: a zero stands for a digit, anything else for itself.
struct Like {
    text: u64,
    /// The bits that digits differ in.
    digit_bits: u64,
}

impl Like {
    const fn new(text: [u8; 8]) -> Self {
        let mut digit_bits = [0; 8];
        let mut at = 0;
        while at < text.len() {
            if text[at] == b'0' {
                digit_bits[at] = 0x0F;
            }
            at += 1;
        }
        Self { text: u64::from_le_bytes(text), digit_bits: u64::from_le_bytes(digit_bits) }
    }

    /// In the byte of each digit that is followed by another, the number of the two digits.
    #[inline]
    fn pairs(&self, text: [u8; 8]) -> Option<[u8; 8]> {
        const SIXES: u64 = u64::from_ne_bytes([6; 8]);
        const HIGH_HALVES: u64 = u64::from_ne_bytes([0xF0; 8]);
        let digits = u64::from_le_bytes(text) ^ self.text;
        // A digit and 6 stay in the low half of their byte.
        if digits & !self.digit_bits != 0 || (digits + SIXES) & HIGH_HALVES != 0 {
            return None;
        }
        Some((digits * 10 + (digits >> 8)).to_le_bytes())
    }
}

/// 0001-01-01T00:00:00Z and 10000-01-01T00:00:00Z, in microseconds.
const FIRST_INSTANT: i64 = -719_162 * DAY_MICROS;
const LAST_INSTANT: i64 = 2_932_897 * DAY_MICROS;

fn two_digits(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

/// `.digits` or `,digits` at the front of `text` → microseconds (further digits are cut) and what follows.
fn parse_fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let [b'.' | b',', digits @ ..] = text else { return Some((0, text)) };
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

/// The offset from UTC in `text`, in seconds; an empty text means UTC.
#[inline]
fn parse_offset_seconds(text: &[u8]) -> Option<i64> {
    match *text {
        [] | [b'Z' | b'z'] => Some(0),
        [sign, h1, h2, b':', m1, m2] => offset_seconds(sign, [h1, h2], [m1, m2]),
        _ => parse_rare_offset_seconds(text),
    }
}

/// The same without a colon, with hours alone, with a space in front, or spelt out.
fn parse_rare_offset_seconds(text: &[u8]) -> Option<i64> {
    match *text {
        [b' ', b'Z' | b'z'] | [b' ', b'U', b'T', b'C'] => Some(0),
        [b' ', sign, h1, h2, b':', m1, m2] | [b' ', sign, h1, h2, m1, m2] | [sign, h1, h2, m1, m2] => {
            offset_seconds(sign, [h1, h2], [m1, m2])
        }
        [b' ', sign, h1, h2] | [sign, h1, h2] => offset_seconds(sign, [h1, h2], [b'0'; 2]),
        _ => None,
    }
}

fn offset_seconds(sign: u8, [h1, h2]: [u8; 2], [m1, m2]: [u8; 2]) -> Option<i64> {
    let (hours, minutes) = (two_digits(h1, h2)?, two_digits(m1, m2)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3_600 + minutes * 60;
    match sign {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
