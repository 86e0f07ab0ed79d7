//! The number tokens seen at one path → the facts that decide their type: range, precision, notation.
//!
//! Invariant: the result depends only on the set of tokens, not on their order, and has a bounded size.

use events_core::{number, timestamp::EpochUnit};

use super::{epochs, texts::shown};

/// Of longer tokens only this much counts where two are compared.
const TOKEN_BYTES_MAX: usize = 400;

/// The common properties of the numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Numbers {
    pub(crate) count: u64,
    /// Those that fit `int32` and `int64`, in any notation.
    pub(crate) int32: u64,
    pub(crate) int64: u64,
    /// Those that fit `float64`, exactly or not.
    pub(crate) finite: u64,
    /// Those of them that count as rounded in such a column.
    pub(crate) inexact: u64,
    /// Those written with a point or an exponent.
    pub(crate) fractional: u64,
    /// Integers that are no multiple of 1,000: as nanoseconds they are more exact than microseconds.
    pub(crate) below_thousands: u64,
    pub(crate) with_exponent: u64,
    /// The most digits before the point.
    pub(crate) whole_digits: usize,
    /// The fewest and the most digits after the point.
    pub(crate) scale: Option<(usize, usize)>,
    /// The most digits before and after the point, if all were written without an exponent.
    pub(crate) plain_digits: (usize, usize),
    /// The least and the greatest.
    pub(crate) range: Option<(Extreme, Extreme)>,
}

/// A number at an end of the range, as written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Extreme {
    value: f64,
    pub(crate) token: String,
}

impl Extreme {
    fn is_below(&self, value: f64, token: &str) -> bool {
        self.value.total_cmp(&value).then_with(|| self.token.as_str().cmp(token)).is_lt()
    }

    fn is_above(&self, value: f64, token: &str) -> bool {
        self.value.total_cmp(&value).then_with(|| self.token.as_str().cmp(token)).is_gt()
    }
}

impl Numbers {
    /// Adds a token of JSON's number grammar.
    pub(crate) fn add(&mut self, token: &[u8]) {
        self.count += 1;
        let integer = number::parse_integer(token).ok();
        self.int64 += u64::from(integer.is_some());
        self.int32 += u64::from(integer.is_some_and(|integer| i32::try_from(integer).is_ok()));
        self.below_thousands += u64::from(integer.is_some_and(|integer| integer % 1_000 != 0));
        let written = Written::of(token);
        self.whole_digits = self.whole_digits.max(written.whole_digits);
        self.fractional += u64::from(written.is_fractional);
        self.with_exponent += u64::from(written.has_exponent);
        self.stretch_plain(written.plain_digits);
        let (least, most) = self.scale.unwrap_or((written.scale, written.scale));
        self.scale = Some((least.min(written.scale), most.max(written.scale)));
        let value = str::from_utf8(token).ok().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
        if value.is_finite() {
            self.finite += 1;
            self.inexact += u64::from(number::is_rounded_as_float(token, value));
        }
        self.stretch(value, &String::from_utf8_lossy(&token[..token.len().min(TOKEN_BYTES_MAX)]));
    }

    fn stretch_plain(&mut self, (before, behind): (usize, usize)) {
        self.plain_digits = (self.plain_digits.0.max(before), self.plain_digits.1.max(behind));
    }

    fn stretch(&mut self, value: f64, token: &str) {
        let extreme = || Extreme { value, token: shown(token.as_bytes()) };
        match &mut self.range {
            None => self.range = Some((extreme(), extreme())),
            Some((least, greatest)) => {
                if least.is_above(value, token) {
                    *least = extreme();
                } else if greatest.is_below(value, token) {
                    *greatest = extreme();
                }
            }
        }
    }

    /// Adds what another thread has seen.
    pub(crate) fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.int32 += other.int32;
        self.int64 += other.int64;
        self.finite += other.finite;
        self.inexact += other.inexact;
        self.fractional += other.fractional;
        self.below_thousands += other.below_thousands;
        self.with_exponent += other.with_exponent;
        self.whole_digits = self.whole_digits.max(other.whole_digits);
        self.stretch_plain(other.plain_digits);
        self.scale = match (self.scale, other.scale) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        };
        if let Some((least, greatest)) = other.range {
            self.stretch(least.value, &least.token);
            self.stretch(greatest.value, &greatest.token);
        }
    }

    /// The unit in which all of them could be instants of our time, if they are integers.
    pub(crate) fn epoch_unit(&self) -> Option<EpochUnit> {
        let (least, greatest) = self.range.as_ref()?;
        let are_integers = self.fractional == 0 && self.int64 == self.count;
        if are_integers { epochs::unit_of(least.value, greatest.value) } else { None }
    }

    /// Whether one of them is written with a minus sign.
    pub(crate) fn has_negative(&self) -> bool {
        self.range.as_ref().is_some_and(|(least, _)| least.token.starts_with('-'))
    }

    /// The greatest absolute value of the integers.
    pub(crate) fn magnitude(&self) -> f64 {
        self.range.as_ref().map_or(0.0, |(least, greatest)| least.value.abs().max(greatest.value.abs()))
    }
}

/// The notation of a number.
struct Written {
    whole_digits: usize,
    scale: usize,
    plain_digits: (usize, usize),
    is_fractional: bool,
    has_exponent: bool,
}

impl Written {
    fn of(token: &[u8]) -> Self {
        let exponent = token.iter().position(|byte| matches!(byte, b'e' | b'E'));
        let mantissa = &token[..exponent.unwrap_or(token.len())];
        let mantissa = mantissa.strip_prefix(b"-").unwrap_or(mantissa);
        let point = mantissa.iter().position(|&byte| byte == b'.');
        let whole = &mantissa[..point.unwrap_or(mantissa.len())];
        let whole_digits = if whole == b"0" { 0 } else { whole.len() };
        let scale = point.map_or(0, |point| mantissa.len() - point - 1);
        Self {
            whole_digits,
            scale,
            plain_digits: plain_digits((whole_digits, scale), exponent.map(|at| &token[at + 1..])),
            is_fractional: point.is_some() || exponent.is_some(),
            has_exponent: exponent.is_some(),
        }
    }
}

/// Digits before and after the point, moved by an exponent.
fn plain_digits((before, behind): (usize, usize), exponent: Option<&[u8]>) -> (usize, usize) {
    let text = exponent.map_or("0", |exponent| str::from_utf8(exponent).unwrap_or_default());
    let far = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    let by: i64 = text.parse().unwrap_or(far);
    let moved = |digits: usize, by: i64| {
        let digits = i64::try_from(digits).unwrap_or(i64::MAX).saturating_add(by);
        usize::try_from(digits).unwrap_or_default()
    };
    (moved(before, by), moved(behind, by.saturating_neg()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tokens: &[&str]) -> Numbers {
        let mut numbers = Numbers::default();
        for token in tokens {
            numbers.add(token.as_bytes());
        }
        numbers
    }

    #[test]
    fn integers_count_by_the_type_that_holds_them() {
        let numbers = of(&["1", "12.0", "1e2", "2147483648", "9223372036854775808", "1.5", "1e400"]);
        assert_eq!((numbers.count, numbers.int32, numbers.int64, numbers.finite), (7, 3, 4, 6));
        assert_eq!((numbers.fractional, numbers.with_exponent), (4, 2));
        let (least, greatest) = numbers.range.unwrap();
        assert_eq!((least.token.as_str(), greatest.token.as_str()), ("1", "1e400"));
    }

    #[test]
    fn digits_that_a_float_loses_are_noticed() {
        assert_eq!(of(&["0.1", "24.519456", "0.30000000000000004", "1e22", "5e-324", "-0.0"]).inexact, 0);
        assert_eq!(
            of(&["0.1000000000000000055", "12345678901234567.89", "9007199254740993", "1e-400"]).inexact,
            4
        );
    }

    #[test]
    fn a_number_that_is_too_long_to_be_shown_is_still_judged_whole() {
        let zeros = "0".repeat(TOKEN_BYTES_MAX);
        assert_eq!(of(&[&format!("1.{zeros}e400"), &format!("0.{zeros}1e401")]).finite, 1);
    }

    #[test]
    fn scales_and_digits_are_as_written() {
        let numbers = of(&["0.50", "1283.9", "-7"]);
        assert_eq!((numbers.whole_digits, numbers.scale), (4, Some((0, 2))));
        assert_eq!(numbers.plain_digits, (4, 2));
        assert_eq!(of(&["1.5e3", "12e-3"]).plain_digits, (4, 3));
        assert_eq!(of(&["1e99999999999999999999"]).plain_digits.1, 0);
        assert_eq!(of(&["1e-99999999999999999999"]).plain_digits.0, 0);
    }
}
