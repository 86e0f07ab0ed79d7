//! A decimal ↔ the binary form of `numeric`: digits to the base 10,000, with the weight of the first.
//!
//! <https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/utils/adt/numeric.c> (`numeric_recv`)
//!
//! Invariant: exact for each `i128` of at most 38 digits and each scale from 0 to 38.

/// What one digit stands for.
const BASE: u64 = 10_000;
/// The decimal digits of one digit.
const DIGITS: u32 = 4;
/// The most digits of a decimal: 38, of which the last group may have three zeros more.
const GROUPS_MAX: usize = 11;

const POSITIVE: u16 = 0;
const NEGATIVE: u16 = 0x4000;

/// The bytes in front of the digits: their number, the weight, the sign and the scale.
const FRONT_BYTES: usize = 8;

/// Appends the value `unscaled` × 10^-`scale`, with its length in front.
pub(crate) fn push(out: &mut Vec<u8>, unscaled: i128, scale: u8) {
    // The digits, the last first.
    let mut groups = [0_u16; GROUPS_MAX];
    let mut count = 0;
    let mut add = |group: u64| {
        groups[count] = u16::try_from(group).unwrap_or_default();
        count += 1;
    };
    // Groups begin at the point, so the last one behind it may be filled with zeros.
    let behind = u32::from(scale) % DIGITS;
    let mut rest = unscaled.unsigned_abs();
    if behind > 0 {
        let (whole, last) = divided(rest, 10_u64.pow(behind));
        add(last * 10_u64.pow(DIGITS - behind));
        rest = whole;
    }
    while rest > 0 {
        let (whole, group) = divided(rest, BASE);
        add(group);
        rest = whole;
    }
    let behind_point = usize::from(scale).div_ceil(4);
    // Groups that are zero stand neither in front nor at the end.
    let zeros = groups[..count].iter().take_while(|group| **group == 0).count();
    while count > 0 && groups[count - 1] == 0 {
        count -= 1;
    }
    let digits = groups.get(zeros..count).unwrap_or_default();
    let weight = if digits.is_empty() { 0 } else { small(count) - small(behind_point) - 1 };
    let sign = if unscaled < 0 { NEGATIVE } else { POSITIVE };
    let mut bytes = [0; 4 + FRONT_BYTES + 2 * GROUPS_MAX];
    let length = FRONT_BYTES + 2 * digits.len();
    bytes[..4].copy_from_slice(&u32::try_from(length).unwrap_or_default().to_be_bytes());
    bytes[4..6].copy_from_slice(&small(digits.len()).to_be_bytes());
    bytes[6..8].copy_from_slice(&weight.to_be_bytes());
    bytes[8..10].copy_from_slice(&sign.to_be_bytes());
    bytes[10..12].copy_from_slice(&u16::from(scale).to_be_bytes());
    for (place, digit) in bytes[12..].chunks_exact_mut(2).zip(digits.iter().rev()) {
        place.copy_from_slice(&digit.to_be_bytes());
    }
    out.extend_from_slice(&bytes[..4 + length]);
}

/// The quotient and the remainder. Most values fit 64 bits; the division of 128 is a function.
#[inline]
fn divided(value: u128, divisor: u64) -> (u128, u64) {
    if let Ok(value) = u64::try_from(value) {
        return ((value / divisor).into(), value % divisor);
    }
    let divisor = u128::from(divisor);
    (value / divisor, u64::try_from(value % divisor).unwrap_or_default())
}

fn small(count: usize) -> i16 {
    i16::try_from(count).unwrap_or(i16::MAX)
}

/// The value × 10^`scale`; `None` if it is no number of so many digits, or not finite.
pub(crate) fn read(bytes: &[u8], precision: u8, scale: u8) -> Option<i128> {
    let (front, digits) = bytes.split_at_checked(FRONT_BYTES)?;
    let field = |at: usize| u16::from_be_bytes([front[at], front[at + 1]]);
    let (count, weight, sign) = (usize::from(field(0)), field(2).cast_signed(), field(4));
    if digits.len() != 2 * count || !matches!(sign, POSITIVE | NEGATIVE) {
        return None;
    }
    let mut value = 0_u128;
    for (number, digit) in digits.chunks_exact(2).enumerate() {
        let digit = u128::from(u16::from_be_bytes([digit[0], digit[1]]));
        // The digit stands for `digit` × 10^exponent.
        let exponent = (i32::from(weight) - i32::try_from(number).ok()?) * 4 + i32::from(scale);
        let scaled = match u32::try_from(exponent) {
            Ok(exponent) if digit > 0 => digit.checked_mul(10_u128.checked_pow(exponent)?)?,
            Ok(_) => 0,
            Err(_) => {
                let divisor = 10_u128.checked_pow(exponent.unsigned_abs())?;
                (digit % divisor == 0).then_some(digit / divisor)?
            }
        };
        value = value.checked_add(scaled)?;
    }
    let value = i128::try_from(value).ok().filter(|value| *value < 10_i128.pow(precision.into()))?;
    Some(if sign == NEGATIVE { -value } else { value })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pushed(unscaled: i128, scale: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        push(&mut bytes, unscaled, scale);
        let (length, bytes) = bytes.split_at(4);
        assert_eq!(u32::from_be_bytes(length.try_into().unwrap()) as usize, bytes.len());
        bytes.to_vec()
    }

    /// What `numeric_send` of `PostgreSQL` 15 returned for these values.
    #[test]
    fn the_bytes_are_the_server_s() {
        let words = |words: &[u16]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
        for ((unscaled, scale), expected) in [
            ((0, 2), words(&[0, 0, 0, 2])),
            ((1250, 2), words(&[2, 0, 0, 2, 12, 5000])),
            ((-5, 2), words(&[1, 0xFFFF, 0x4000, 2, 500])),
            ((100_000_000, 0), words(&[1, 2, 0, 0, 1])),
            ((1, 9), words(&[1, 0xFFFD, 0, 9, 1000])),
            ((123_456_789, 4), words(&[3, 1, 0, 4, 1, 2345, 6789])),
        ] {
            assert_eq!(pushed(unscaled, scale), expected, "{unscaled} {scale}");
        }
    }

    #[test]
    fn what_is_no_decimal_of_the_column_is_not_read() {
        let bytes = |sign: u16| [0, sign].iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<_>>();
        for sign in [0xC000, 0xD000, 0xF000] {
            assert_eq!(read(&[&[0, 0][..], &bytes(sign)[..], &[0, 0]].concat(), 10, 2), None);
        }
        assert_eq!(read(&pushed(12345, 3), 10, 2), None, "12.345 has a third digit behind the point");
        assert_eq!(read(&pushed(12340, 3), 10, 2), Some(1234));
        assert_eq!(read(&pushed(100_000, 2), 5, 2), None, "1000.00 has a sixth digit");
        assert_eq!(read(&pushed(99_999, 2), 5, 2), Some(99_999));
        assert_eq!(read(&[0; 7], 5, 2), None);
        assert_eq!(read(&[0, 1, 0, 0, 0, 0, 0, 0], 5, 2), None, "a digit is missing");
    }

    proptest! {
        #[test]
        fn each_decimal_is_read_back(digits in 1_u32..=38, scale in 0_u8..=38, seed: i128) {
            for unscaled in [seed % 10_i128.pow(digits), 10_i128.pow(digits) - 1, -(10_i128.pow(digits - 1))] {
                prop_assert_eq!(read(&pushed(unscaled, scale), 38, scale), Some(unscaled));
            }
        }
    }
}
