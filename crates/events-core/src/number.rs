//! Text of a JSON number → exact integer or decimal, from the digits as written, never through a binary
//! float.
//!
//! Input is a token of JSON's number grammar ([`is_number`] checks it); output is the integer, or the
//! decimal's unscaled value (`12.5` as decimal(10,2) is 1250).
//!
//! Invariant: no wrapping and no truncation; work and memory are linear in the token's length, whatever its
//! exponent.

mod float;

pub use float::is_rounded_as_float;

/// Why a number does not fit a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberFault {
    /// It has a fraction other than zero, but an integer is expected.
    NotAnInteger,
    /// It is too large for the type.
    OutOfRange,
}

/// Whether all of `text` is a number by JSON's grammar (RFC 8259 section 6).
#[must_use]
pub fn is_number(text: &[u8]) -> bool {
    let digits_len = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let int_len = digits_len(text);
    if int_len == 0 || (int_len > 1 && text[0] == b'0') {
        return false;
    }
    let mut rest = &text[int_len..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let fraction_len = digits_len(fraction);
        if fraction_len == 0 {
            return false;
        }
        rest = &fraction[fraction_len..];
    }
    match rest {
        [] => true,
        [b'e' | b'E', b'+' | b'-', digits @ ..] | [b'e' | b'E', digits @ ..] => {
            !digits.is_empty() && digits_len(digits) == digits.len()
        }
        _ => false,
    }
}

/// The exact integer of the JSON number `token`: `12`, `12.0`, `120e-1` and `1.2e1` are all 12.
///
/// # Errors
/// [`NumberFault`] if it is not an integer, or does not fit an `i64`.
pub fn parse_integer(token: &[u8]) -> Result<i64, NumberFault> {
    if let Some(integer) = parse_short_integer(token) {
        return Ok(integer);
    }
    let digits = Digits::of(token);
    let point = digits.point;
    if point < digits.significant_len() {
        return Err(NumberFault::NotAnInteger);
    }
    // i64::MAX has 19 digits; all integers of up to 38 fit an i128, and i64 decides.
    i64::try_from(digits.unscaled(0, 38)?).map_err(|_| NumberFault::OutOfRange)
}

/// The JSON number `token` × 10^`power` as the integer that is it or next below it, and whether it is below.
///
/// # Errors
/// [`NumberFault::OutOfRange`] if it does not fit an `i64`.
#[inline]
pub fn parse_scaled(token: &[u8], power: i8) -> Result<(i64, bool), NumberFault> {
    if let Some(integer) = parse_short_integer(token)
        && let Some(&factor) = POWERS.get(usize::from(power.unsigned_abs()))
    {
        if power < 0 {
            return Ok((integer.div_euclid(factor), integer.rem_euclid(factor) != 0));
        }
        return integer.checked_mul(factor).map(|scaled| (scaled, false)).ok_or(NumberFault::OutOfRange);
    }
    let digits = Digits::of(token);
    let kept = digits.point.saturating_add(power.into());
    let (size, is_cut) = (digits.cut(kept)?, digits.significant_len() > kept);
    let floor = if digits.negative { -size - i128::from(is_cut) } else { size };
    Ok((i64::try_from(floor).map_err(|_| NumberFault::OutOfRange)?, is_cut))
}

/// A number in a decimal column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    /// Without its point: `12.5` with a scale of 2 is 1250.
    pub unscaled: i128,
    /// Whether digits other than zero were rounded off.
    pub is_rounded: bool,
}

/// The JSON number `token` as decimal(`precision`, `scale`). Digits beyond the scale round half up, away from
/// zero (Java's `HALF_UP`, as in Spark).
///
/// # Errors
/// [`NumberFault::OutOfRange`] if the rounded value has more than `precision` digits.
pub fn parse_decimal(token: &[u8], precision: u8, scale: u8) -> Result<Decimal, NumberFault> {
    if let Some(unscaled) = parse_short_decimal(token, precision, scale) {
        return Ok(Decimal { unscaled, is_rounded: false });
    }
    let digits = Digits::of(token);
    let unscaled = digits.unscaled(scale, precision)?;
    Ok(Decimal { unscaled, is_rounded: digits.significant_len() > digits.point.saturating_add(scale.into()) })
}

/// Any number of so many digits fits an `i128`.
const DIGITS_MAX: i64 = 38;

/// The powers of ten that fit an `i64`.
const POWERS: [i64; 19] = {
    let mut powers = [1; 19];
    let mut exponent = 1;
    while exponent < powers.len() {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

/// Up to 18 plain digits with an optional sign: the form of nearly every integer.
#[inline]
fn parse_short_integer(token: &[u8]) -> Option<i64> {
    let (negative, digits) = match token {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let size = match digits.split_last_chunk::<8>() {
        None => eight_digits(up_to_eight(digits))?,
        Some(([], last)) => eight_digits(*last)?,
        Some((front, last)) if front.len() <= 8 => {
            eight_digits(up_to_eight(front))? * POWERS[8] + eight_digits(*last)?
        }
        Some((front, last)) if front.len() <= 10 => {
            let (first, middle) = front.split_last_chunk::<8>()?;
            let first = eight_digits(up_to_eight(first))? * POWERS[8] + eight_digits(*middle)?;
            first * POWERS[8] + eight_digits(*last)?
        }
        Some(_) => return None,
    };
    Some(if negative { -size } else { size })
}

/// At most eight digits, padded with zeros in front.
#[inline]
fn up_to_eight(digits: &[u8]) -> [u8; 8] {
    const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);
    if let (Some(&first), Some(&last)) = (digits.first_chunk::<4>(), digits.last_chunk::<4>()) {
        // From four on, the first and the last four are all; where they overlap they agree.
        let overhang = 8 * (digits.len().min(8) - 4);
        let text = u64::from(u32::from_le_bytes(first)) | u64::from(u32::from_le_bytes(last)) << overhang;
        let zeros = ZEROS >> 32 >> overhang;
        return (text << (32 - overhang) | zeros).to_le_bytes();
    }
    let text = digits.iter().rev().fold(0, |text, &digit| text << 8 | u64::from(digit));
    let length = 8 * digits.len();
    let zeros = ZEROS >> length;
    (text << 32 << (32 - length) | zeros).to_le_bytes()
}

/// Eight digits as a number: pairs of them first, then fours, then all.
#[inline]
fn eight_digits(text: [u8; 8]) -> Option<i64> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let digits = u64::from_le_bytes(text) ^ (ONES * u64::from(b'0'));
    if (digits | ((digits & (ONES * 0x7F)) + ONES * 0x76)) & (ONES << 7) != 0 {
        return None;
    }
    let pairs = (digits * 10 + (digits >> 8)) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_FFFF_0000_FFFF;
    let all = (fours * 10_000 + (fours >> 32)) & 0xFFFF_FFFF;
    i64::try_from(all).ok()
}

/// Up to 18 plain digits, also after scaling, none of which is cut: the form of nearly every amount.
#[inline]
fn parse_short_decimal(token: &[u8], precision: u8, scale: u8) -> Option<i128> {
    let (negative, token) = match token {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    if token.len() > 19 {
        return None;
    }
    let (mut size, mut digits, mut behind_point) = (0_i64, 0, None);
    for &byte in token {
        if byte.is_ascii_digit() && digits < 18 {
            size = size * 10 + i64::from(byte - b'0');
            digits += 1;
        } else if byte == b'.' && behind_point.is_none() {
            behind_point = Some(digits);
        } else {
            return None;
        }
    }
    let added = usize::from(scale).checked_sub(digits - behind_point.unwrap_or(digits))?;
    if digits + added > 18 {
        return None;
    }
    let unscaled = size * POWERS[added];
    if POWERS.get(usize::from(precision)).is_some_and(|&limit| unscaled >= limit) {
        return None;
    }
    Some(i128::from(if negative { -unscaled } else { unscaled }))
}

/// A number as sign, digits and the position of the decimal point: 0.`d1 d2 d3 …` × 10^`point`, `d1` not
/// zero.
struct Digits<'a> {
    negative: bool,
    /// The digits before and after the point, without leading zeros.
    before: &'a [u8],
    after: &'a [u8],
    /// The position of the point, counted from the first significant digit.
    point: i64,
}

impl<'a> Digits<'a> {
    fn of(token: &'a [u8]) -> Self {
        let (negative, token) = match token {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let (mantissa, exponent) = match token.iter().position(|byte| matches!(byte, b'e' | b'E')) {
            Some(at) => (&token[..at], parse_exponent(&token[at + 1..])),
            None => (token, 0),
        };
        let (before, after) = match mantissa.iter().position(|&byte| byte == b'.') {
            Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
            None => (mantissa, &mantissa[mantissa.len()..]),
        };
        let zeros = |digits: &[u8]| digits.iter().take_while(|&&digit| digit == b'0').count();
        let before = &before[zeros(before)..];
        let leading = if before.is_empty() { zeros(after) } else { 0 };
        let point = as_i64(before.len()) - as_i64(leading);
        Self { negative, before, after: &after[leading..], point: point.saturating_add(exponent) }
    }

    fn digit(&self, index: usize) -> Option<u8> {
        let digit =
            self.before.get(index).or_else(|| self.after.get(index.checked_sub(self.before.len())?))?;
        Some(digit - b'0')
    }

    /// The number of digits up to the last that is not zero.
    fn significant_len(&self) -> i64 {
        let last_not_zero = |digits: &[u8]| digits.iter().rposition(|&digit| digit != b'0').map(|at| at + 1);
        let length = match (last_not_zero(self.before), last_not_zero(self.after)) {
            (_, Some(after)) => self.before.len() + after,
            (Some(before), None) => before,
            (None, None) => return i64::MIN,
        };
        as_i64(length)
    }

    /// The first `kept` digits as a number, as if zeros followed the last.
    fn cut(&self, kept: i64) -> Result<i128, NumberFault> {
        if self.significant_len() < 0 {
            return Ok(0);
        }
        if kept > DIGITS_MAX {
            return Err(NumberFault::OutOfRange);
        }
        let digits = 0..usize::try_from(kept).unwrap_or(0);
        Ok(digits.fold(0, |sum, index| sum * 10 + i128::from(self.digit(index).unwrap_or(0))))
    }

    /// The value × 10^`scale`, rounded half up, in at most `precision` digits.
    fn unscaled(&self, scale: u8, precision: u8) -> Result<i128, NumberFault> {
        if self.significant_len() < 0 {
            return Ok(0);
        }
        let kept = self.point.saturating_add(i64::from(scale));
        if kept > i64::from(precision) {
            return Err(NumberFault::OutOfRange);
        }
        let mut sum = self.cut(kept)?;
        let Ok(kept) = usize::try_from(kept) else { return Ok(0) };
        if self.digit(kept).is_some_and(|digit| digit >= 5) {
            sum += 1;
        }
        if sum >= 10_i128.pow(u32::from(precision)) {
            return Err(NumberFault::OutOfRange);
        }
        Ok(if self.negative { -sum } else { sum })
    }
}

/// An exponent, saturated: beyond ±10^17 every number is zero or out of range.
fn parse_exponent(text: &[u8]) -> i64 {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let limit = 100_000_000_000_000_000;
    let size = digits.iter().fold(0_i64, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(limit));
    if negative { -size } else { size }
}

fn as_i64(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
