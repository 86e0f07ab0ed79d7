//! The text of a number → the integer or decimal that it is, as text, or the reason why it is none; the text
//! of a timestamp → an instant. Digit by digit, as written.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};

use crate::json::{self, Json};

/// Whether a number that fits a decimal column has more digits than the column keeps.
#[must_use]
pub fn is_rounded(value: &Json, scale: usize) -> bool {
    number_token(value).is_ok_and(|token| plain(token).fraction.chars().skip(scale).any(|digit| digit != '0'))
}

/// Whether a number that fits a float column is neither the float with all its digits, nor the shortest
/// number that is read as this float.
#[must_use]
pub fn is_rounded_as_float(value: &Json) -> bool {
    let Ok(token) = number_token(value) else { return false };
    let float: f64 = token.parse().unwrap();
    let number = |text: &str| {
        let Plain { integer, fraction, .. } = plain(text);
        (integer, fraction.trim_end_matches('0').to_owned())
    };
    let (all, shortest) = (format!("{float:.1074}"), float.to_string());
    ![all, shortest].iter().any(|text| number(text) == number(token))
}

/// Whether a timestamp has more digits than microseconds.
#[must_use]
pub fn is_cut(timestamp: &str) -> bool {
    let (_, fraction) = timestamp.split_once(['.', ',']).unwrap_or_default();
    fraction.chars().take_while(char::is_ascii_digit).skip(6).any(|digit| digit != '0')
}

/// Microseconds since 1970 of a number of units since 1970; a second has one with so many zeros.
///
/// # Errors
/// The reason why the line is bad.
pub fn epoch(token: &str, digits: usize) -> Result<i64, &'static str> {
    let (micros, behind) = micros_of(token, digits);
    let is_negative = plain(token).negative;
    // Cut as the text of a timestamp is: to the microsecond before.
    let is_cut = behind.contains(|digit| digit != '0');
    let micros = micros.parse::<i64>().map_err(|_| "out_of_range")?;
    let micros = if is_negative { -micros - i64::from(is_cut) } else { micros };
    let instant = DateTime::from_timestamp_micros(micros).ok_or("out_of_range")?;
    if (1..=9999).contains(&instant.year()) { Ok(micros) } else { Err("out_of_range") }
}

/// Whether an epoch that fits its column says more than microseconds.
#[must_use]
pub fn is_cut_as_epoch(value: &Json, digits: usize) -> bool {
    number_token(value).is_ok_and(|token| micros_of(token, digits).1.contains(|digit| digit != '0'))
}

/// The digits of the microseconds, without a sign, and those behind.
fn micros_of(token: &str, digits: usize) -> (String, String) {
    let Plain { integer, fraction, .. } = plain(token);
    let (zeros, all) = ("0".repeat(9), format!("000000000{integer}{fraction}"));
    // Six digits from behind the point go in front of it, and as many go back as the unit has.
    let point = zeros.len() + integer.len() + 6 - digits;
    let all = format!("{all}{zeros}");
    let (micros, behind) = all.split_at(point);
    (micros.to_owned(), behind.to_owned())
}

/// The text of a number, or of a string that is a number and nothing else.
///
/// # Errors
/// The reason why the line is bad.
pub fn number_token(value: &Json) -> Result<&str, &'static str> {
    match value {
        Json::Number(token) => Ok(token),
        Json::String(text) => match json::read(text) {
            Some(Json::Number(token)) if token == *text => Ok(text),
            _ => Err("type_mismatch"),
        },
        _ => Err("type_mismatch"),
    }
}

/// An integer from `min` to `max`.
///
/// # Errors
/// The reason why the line is bad.
pub fn integer(token: &str, min: i64, max: i64) -> Result<String, &'static str> {
    let Plain { negative, integer, fraction } = plain(token);
    if fraction.contains(|digit| digit != '0') {
        return Err("type_mismatch");
    }
    if integer.len() > 20 {
        return Err("out_of_range");
    }
    let size: i128 = integer.parse().unwrap();
    let value = if negative { -size } else { size };
    if (min.into()..=max.into()).contains(&value) { Ok(value.to_string()) } else { Err("out_of_range") }
}

/// A decimal of `precision` digits, `scale` of them after the point, rounded half away from zero.
///
/// # Errors
/// The reason why the line is bad.
pub fn decimal(token: &str, precision: usize, scale: usize) -> Result<String, &'static str> {
    let Plain { negative, integer, fraction } = plain(token);
    let fraction = format!("{fraction}{}", "0".repeat(scale + 1));
    let mut digits = format!("0{integer}{}", &fraction[..scale]).into_bytes();
    if fraction.as_bytes()[scale] >= b'5' {
        let nines = digits.iter().rev().take_while(|digit| **digit == b'9').count();
        let last = digits.len() - 1 - nines;
        digits[last] += 1;
        digits[last + 1..].fill(b'0');
    }
    let digits = String::from_utf8(digits).unwrap();
    let significant = digits.trim_start_matches('0');
    if significant.len() > precision {
        return Err("out_of_range");
    }
    let sign = if negative && !significant.is_empty() { "-" } else { "" };
    let (integer, fraction) = digits.split_at(digits.len() - scale);
    let integer = integer.trim_start_matches('0');
    let integer = if integer.is_empty() { "0" } else { integer };
    Ok(if scale == 0 { format!("{sign}{integer}") } else { format!("{sign}{integer}.{fraction}") })
}

/// A number without its exponent.
#[derive(Debug)]
pub struct Plain {
    /// It has a minus sign.
    pub negative: bool,
    /// The digits before the point, without leading zeros; one zero if there are no others.
    pub integer: String,
    /// The digits after the point.
    pub fraction: String,
}

/// Moves the point as the exponent says. An exponent that exceeds the number of digits by more than 1000
/// counts as 1000 more: the value is then far out of range, or almost zero, either way.
#[must_use]
pub fn plain(token: &str) -> Plain {
    let (mantissa, exponent) = token.split_once(['e', 'E']).unwrap_or((token, "0"));
    let limit = 1000 + i64::try_from(token.len()).unwrap();
    let too_far = if exponent.starts_with('-') { -limit } else { limit };
    let exponent: i64 = exponent.parse().unwrap_or(too_far).clamp(-limit, limit);
    let negative = mantissa.starts_with('-');
    let (integer, fraction) =
        mantissa.trim_start_matches('-').split_once('.').unwrap_or((mantissa.trim_start_matches('-'), ""));
    let zeros = "0".repeat(usize::try_from(exponent.abs()).unwrap());
    let (before, after) = if exponent < 0 { (zeros.as_str(), "") } else { ("", zeros.as_str()) };
    let digits = format!("{before}{integer}{fraction}{after}");
    let point = i64::try_from(before.len() + integer.len()).unwrap() + exponent;
    let (integer, fraction) = digits.split_at(usize::try_from(point).unwrap());
    let integer = integer.trim_start_matches('0');
    Plain {
        negative,
        integer: if integer.is_empty() { "0" } else { integer }.to_owned(),
        fraction: fraction.to_owned(),
    }
}

/// An instant of the years 0001 to 9999; `None` if `text` is no timestamp.
#[must_use]
pub fn timestamp(text: &str) -> Option<DateTime<Utc>> {
    if !text.is_ascii() {
        return None;
    }
    let (date, rest) = text.split_at_checked(10)?;
    let date = pattern(date, "####-##-##").then_some(date)?;
    let number = |text: &str| text.parse::<u32>().unwrap();
    let date = NaiveDate::from_ymd_opt(date[..4].parse().unwrap(), number(&date[5..7]), number(&date[8..]))?;
    let midnight = date.and_time(NaiveTime::MIN).and_utc();
    let of_our_years = |instant: &DateTime<Utc>| (1..=9999).contains(&instant.year());
    if rest.is_empty() {
        return Some(midnight).filter(of_our_years);
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, rest) = match rest.split_at_checked(8) {
        Some((time, rest)) if pattern(time, "##:##:##") => (time.to_owned(), rest),
        _ => {
            let (time, rest) = rest.split_at_checked(5).filter(|(time, _)| pattern(time, "##:##"))?;
            // A fraction belongs to seconds.
            if rest.starts_with(['.', ',']) {
                return None;
            }
            (format!("{time}:00"), rest)
        }
    };
    let time = NaiveTime::from_hms_opt(number(&time[..2]), number(&time[3..5]), number(&time[6..]))?;
    let digits = rest
        .strip_prefix(['.', ','])
        .map(|rest| &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())]);
    let (micros, offset) = match digits {
        Some("") => return None,
        Some(digits) => (number(&format!("{digits}000000")[..6]), &rest[1 + digits.len()..]),
        None => (0, rest),
    };
    let offset_minutes = if matches!(offset, "" | " UTC") {
        0
    } else {
        match offset.strip_prefix(' ').unwrap_or(offset) {
            "Z" | "z" => 0,
            offset => offset_minutes(offset)?,
        }
    };
    let local = date.and_time(time).and_utc() + TimeDelta::microseconds(micros.into());
    Some(local - TimeDelta::minutes(offset_minutes)).filter(of_our_years)
}

/// Hours and minutes, or hours alone.
fn offset_minutes(offset: &str) -> Option<i64> {
    if !["±##:##", "±####", "±##"].iter().any(|form| pattern(offset, form)) {
        return None;
    }
    let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
    let (hours, minutes) = (digits[..2].parse::<i64>().unwrap(), digits[2..].parse().unwrap_or(0));
    if hours > 23 || minutes > 59 {
        return None;
    }
    let size = hours * 60 + minutes;
    Some(if offset.starts_with('-') { -size } else { size })
}

/// `#` is a digit, `±` a sign, all else itself.
fn pattern(text: &str, pattern: &str) -> bool {
    text.chars().count() == pattern.chars().count()
        && text.chars().zip(pattern.chars()).all(|(found, expected)| match expected {
            '#' => found.is_ascii_digit(),
            '±' => matches!(found, '+' | '-'),
            _ => found == expected,
        })
}
