//! A JSON value → the value of its column as text, or the reason why there is none. And the text of a timestamp → an
//! instant. By hand, from the digits as written.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::json::{self, Json};

/// The types of the built-in columns.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    String,
    Int32,
    Decimal10_2,
}

/// A value in its column; `None` where its key is absent.
pub(super) fn column(value: Option<&Json>, kind: Kind) -> Result<String, &'static str> {
    let value = match value {
        None | Some(Json::Null) => return Ok("null".to_owned()),
        Some(value) => value,
    };
    match (kind, value) {
        (Kind::String, Json::String(_)) => Ok(value.compact()),
        // Numbers and booleans as their own text, objects and arrays as their JSON text.
        (Kind::String, _) => Ok(crate::readback::json_string(&value.compact())),
        (Kind::Int32, _) => int32(number_token(value)?),
        (Kind::Decimal10_2, _) => decimal(number_token(value)?),
    }
}

/// Whether a value is of another JSON kind than its column.
pub(super) fn is_coerced(value: Option<&Json>, kind: Kind) -> bool {
    match (kind, value) {
        (_, None | Some(Json::Null)) => false,
        (Kind::String, Some(value)) => !matches!(value, Json::String(_)),
        (Kind::Int32 | Kind::Decimal10_2, Some(value)) => !matches!(value, Json::Number(_)),
    }
}

/// Whether the column of a value that fits it holds less than all of its digits.
pub(super) fn is_rounded(value: Option<&Json>, kind: Kind) -> bool {
    let token =
        value.filter(|_| matches!(kind, Kind::Decimal10_2)).and_then(|value| number_token(value).ok());
    token.is_some_and(|token| plain(token).fraction.chars().skip(2).any(|digit| digit != '0'))
}

/// Whether a timestamp has more digits than microseconds.
pub(super) fn is_cut(timestamp: &str) -> bool {
    let (_, fraction) = timestamp.split_once('.').unwrap_or_default();
    fraction.chars().take_while(char::is_ascii_digit).skip(6).any(|digit| digit != '0')
}

/// A number, or a string that is one and nothing else.
fn number_token(value: &Json) -> Result<&str, &'static str> {
    match value {
        Json::Number(token) => Ok(token),
        Json::String(text) => match json::read(text) {
            Some(Json::Number(token)) if token == *text => Ok(text),
            _ => Err("type_mismatch"),
        },
        _ => Err("type_mismatch"),
    }
}

fn int32(token: &str) -> Result<String, &'static str> {
    let Plain { negative, integer, fraction } = plain(token);
    if fraction.contains(|digit| digit != '0') {
        return Err("type_mismatch");
    }
    if integer.len() > 20 {
        return Err("out_of_range");
    }
    let size: i128 = integer.parse().unwrap();
    let value = i32::try_from(if negative { -size } else { size }).map_err(|_| "out_of_range")?;
    Ok(value.to_string())
}

/// Half up, away from zero, at the second digit after the point.
fn decimal(token: &str) -> Result<String, &'static str> {
    let Plain { negative, integer, fraction } = plain(token);
    if integer.len() > 20 {
        return Err("out_of_range");
    }
    let fraction = format!("{fraction}000");
    let mut cents: i128 = format!("{integer}{}", &fraction[..2]).parse().unwrap();
    if fraction.as_bytes()[2] >= b'5' {
        cents += 1;
    }
    if cents > 9_999_999_999 {
        return Err("out_of_range");
    }
    let sign = if negative && cents > 0 { "-" } else { "" };
    Ok(format!("{sign}{}.{:02}", cents / 100, cents % 100))
}

/// A number without its exponent: the digits before the point, none of them a leading zero but the only one, and those after it.
struct Plain {
    negative: bool,
    integer: String,
    fraction: String,
}

/// Moves the point by hand. An exponent beyond ±1000 counts as that: with the digits of a test the value is then far out
/// of range, or nothing but a remainder, either way.
fn plain(token: &str) -> Plain {
    let (mantissa, exponent) = token.split_once(['e', 'E']).unwrap_or((token, "0"));
    let too_far = if exponent.starts_with('-') { -1000 } else { 1000 };
    let exponent: i64 = exponent.parse().unwrap_or(too_far).clamp(-1000, 1000);
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

/// An instant of the years 0001 to 9999; `None` where `text` is no timestamp.
pub(super) fn timestamp(text: &str) -> Option<DateTime<Utc>> {
    if !text.is_ascii() {
        return None;
    }
    let (date, rest) = text.split_at_checked(10)?;
    let date = pattern(date, "####-##-##").then_some(date)?;
    let number = |text: &str| text.parse::<u32>().unwrap();
    let date = NaiveDate::from_ymd_opt(date[..4].parse().unwrap(), number(&date[5..7]), number(&date[8..]))?;
    let midnight = date.and_time(NaiveTime::MIN).and_utc();
    if rest.is_empty() {
        return Some(midnight);
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, rest) = rest.split_at_checked(8)?;
    if !pattern(time, "##:##:##") {
        return None;
    }
    let time = NaiveTime::from_hms_opt(number(&time[..2]), number(&time[3..5]), number(&time[6..]))?;
    let digits = rest
        .strip_prefix('.')
        .map(|rest| &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())]);
    let (micros, offset) = match digits {
        Some("") => return None,
        Some(digits) => (number(&format!("{digits}000000")[..6]), &rest[1 + digits.len()..]),
        None => (0, rest),
    };
    let offset_minutes = match offset {
        "" | "Z" | "z" => 0,
        _ if pattern(offset, "±##:##") || pattern(offset, "±####") => {
            let (hours, minutes) = (number(&offset[1..3]), number(&offset[offset.len() - 2..]));
            if hours > 23 || minutes > 59 {
                return None;
            }
            let size = i64::from(hours * 60 + minutes);
            if offset.starts_with('-') { -size } else { size }
        }
        _ => return None,
    };
    let local = date.and_time(time).and_utc() + TimeDelta::microseconds(micros.into());
    let instant = local - TimeDelta::minutes(offset_minutes);
    (1..=9999).contains(&instant.year()).then_some(instant)
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
