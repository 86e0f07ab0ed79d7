//! A JSON number and the double nearest to it → whether the double stands for another number.
//!
//! Programs write a double in either of two ways: as the shortest text that reads back as the same double, or
//! with all its digits. A number that is neither has lost digits: `9007199254740993` becomes …992, while
//! `0.1` stays what it is.
//!
//! Invariant: the answer is exact, whatever the number of digits.

use super::Digits;

/// Every double keeps this many digits, unless it is subnormal.
const KEPT_DIGITS: usize = 15;
/// No shortest text has more digits, and none that `zmij` writes is longer: `-2.2250738585072014e-308`.
const SHORTEST_DIGITS: i64 = 17;
const SHORTEST_BYTES: usize = 24;
/// No double has more digits behind the point.
const SCALE_MAX: usize = 1_074;

/// Whether `value`, the double nearest to the JSON number `token`, equals neither the number itself nor, as
/// the shortest text that reads back as it, the number's digits.
#[must_use]
#[inline]
pub fn is_rounded_as_float(token: &[u8], value: f64) -> bool {
    // Nearly every number is short.
    !(token.len() <= KEPT_DIGITS && value.is_normal()) && loses_digits(token, value)
}

#[inline(never)]
fn loses_digits(token: &[u8], value: f64) -> bool {
    // Long numbers are mostly doubles that another program has written this way.
    let is_as_written =
        token.len() <= SHORTEST_BYTES && zmij::Buffer::new().format_finite(value).as_bytes() == token;
    !is_as_written && !is_kept(&Digits::of(token), value)
}

fn is_kept(digits: &Digits<'_>, value: f64) -> bool {
    let length = digits.significant_len();
    if length <= 0 || value == 0.0 {
        return length <= 0 && value == 0.0;
    }
    (length <= SHORTEST_DIGITS && digits.are_shortest(value)) || digits.are_exactly(value)
}

impl Digits<'_> {
    fn has_digits_of(&self, other: &Self) -> bool {
        let length = self.significant_len();
        let digit = |digits: &Self, index| digits.digit(index).unwrap_or(0);
        (self.point, length) == (other.point, other.significant_len())
            && (0..usize::try_from(length).unwrap_or(0))
                .all(|index| digit(self, index) == digit(other, index))
    }

    #[inline(never)]
    fn are_shortest(&self, value: f64) -> bool {
        self.has_digits_of(&Digits::of(zmij::Buffer::new().format_finite(value).as_bytes()))
    }

    /// Whether they are the number `value`, which is not zero.
    fn are_exactly(&self, value: f64) -> bool {
        let Ok(scale) = usize::try_from(self.significant_len().saturating_sub(self.point).max(0)) else {
            return false;
        };
        if scale > SCALE_MAX || !self.may_be_binary(scale) {
            return false;
        }
        let exact = format!("{value:.scale$}");
        let exact = Digits::of(exact.as_bytes());
        self.has_digits_of(&exact)
    }

    /// A fraction of powers of two ends in 5; with two digits in 25 or 75, with three in a multiple of 125.
    fn may_be_binary(&self, scale: usize) -> bool {
        let length = usize::try_from(self.significant_len()).unwrap_or(0);
        let places = scale.min(3);
        let last = (length.saturating_sub(places)..length)
            .fold(0, |sum, index| sum * 10 + u32::from(self.digit(index).unwrap_or(0)));
        last % [1, 5, 25, 125][places] == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_rounded(token: &str) -> bool {
        is_rounded_as_float(token.as_bytes(), token.parse().unwrap())
    }

    #[test]
    fn a_double_s_own_texts_are_not_rounded() {
        for token in [
            "0",
            "-0",
            "0.0",
            "0e5",
            "0.000000000000000000000",
            "0.1",
            "-0.10",
            "12",
            "12.50",
            "1e2",
            "0.1e1",
            "1E+22",
            "1e300",
            // The shortest, also with zeros and in other notations.
            "0.30000000000000004",
            "0.3000000000000000400",
            "3.0000000000000004e-1",
            "0.8444218515250481",
            "123456789.12345679",
            "9007199254740992",
            "9007199254740994",
            "-1.7976931348623157e308",
            "5e-324",
            "2.2250738585072014E-308",
            "36893488147419103000",
            // Exactly.
            "36893488147419103232",
            "18446744073709551616",
            "0.1000000000000000055511151231257827021181583404541015625",
            "-0.0000000000000000000008470329472543003390683225006796419620513916015625",
            "1208925819614629174706176e0",
            "1606938044258990275541962092341162602522202993782792835301376",
            "2251799813685248.5",
        ] {
            assert!(!is_rounded(token), "{token}");
        }
    }

    #[test]
    fn any_other_text_is() {
        for token in [
            "9007199254740993",
            "-9007199254740993.0",
            "9223372036854775807",
            "18446744073709551615",
            "36893488147419103231",
            "0.1000000000000000055",
            "0.10000000000000001",
            "12345678901234567.89",
            "0.1234567890123456789",
            "1.00000000000000000000000000000000000000001",
            "4503599627370496.25",
            "1e-400",
            "2e-324",
            "1.23456789012345e-320",
            "0.1000000000000000055511151231257827021181583404541015624",
            "0.1000000000000000055511151231257827021181583404541015625000000000001",
        ] {
            assert!(is_rounded(token), "{token}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_programs_write_is_kept(bits: u64) {
            let value = f64::from_bits(bits);
            proptest::prop_assume!(value.is_finite());
            for token in [format!("{value:e}"), format!("{value}"), format!("{value:.1074}")] {
                proptest::prop_assert!(!is_rounded_as_float(token.as_bytes(), value), "{}", token);
            }
        }
    }
}
