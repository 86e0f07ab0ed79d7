//! A number and its unit → microseconds since 1970-01-01T00:00:00Z.
//!
//! A number without a unit is never an instant: it would be a guess. The number is taken from its digits as
//! written, with a fraction or an exponent if it has one.
//!
//! Invariant: the result is an instant of the years 0001 to 9999, exact or, where the number says more than
//! microseconds, the one before it, as when the text of a timestamp is cut.

use std::fmt;

use super::is_in_range;
use crate::number::{self, NumberFault};

/// The unit of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EpochUnit {
    /// `s`
    Seconds,
    /// `ms`
    Milliseconds,
    /// `us`
    Microseconds,
    /// `ns`
    Nanoseconds,
}

/// An instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch {
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub micros: i64,
    /// Whether digits other than zero were cut.
    pub is_cut: bool,
}

/// Why a text is no instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochFault {
    /// It is not a number, as JSON writes them.
    NotANumber,
    /// It is not in the years 0001 to 9999.
    OutOfRange,
}

/// The units that [`EpochUnit::parse`] accepts, for messages.
pub const EXPECTED_UNIT: &str = "s, ms, us or ns";

impl EpochUnit {
    /// The unit of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "s" => Self::Seconds,
            "ms" => Self::Milliseconds,
            "us" => Self::Microseconds,
            "ns" => Self::Nanoseconds,
            _ => return None,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "us",
            Self::Nanoseconds => "ns",
        }
    }

    /// What an epoch of this unit must be, for messages.
    #[must_use]
    pub fn expected(self) -> &'static str {
        match self {
            Self::Seconds => "a number of seconds since 1970, of the years 0001 to 9999",
            Self::Milliseconds => "a number of milliseconds since 1970, of the years 0001 to 9999",
            Self::Microseconds => "a number of microseconds since 1970, of the years 0001 to 9999",
            Self::Nanoseconds => "a number of nanoseconds since 1970, of the years 0001 to 9999",
        }
    }

    /// The power of ten that makes microseconds of it.
    fn power(self) -> i8 {
        match self {
            Self::Seconds => 6,
            Self::Milliseconds => 3,
            Self::Microseconds => 0,
            Self::Nanoseconds => -3,
        }
    }
}

impl fmt::Display for EpochUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The instant of an epoch: the text of a JSON number, or the characters of a string that holds one.
///
/// ```
/// use events_core::timestamp::{EpochUnit, parse_epoch};
/// let epoch = parse_epoch(b"1728518407.25", EpochUnit::Seconds).unwrap();
/// assert_eq!((epoch.micros, epoch.is_cut), (1_728_518_407_250_000, false));
/// assert!(parse_epoch(b"1728518407 ", EpochUnit::Seconds).is_err());
/// ```
///
/// # Errors
/// [`EpochFault`] if it is not a number, or of no year from 0001 to 9999.
#[inline]
pub fn parse_epoch(text: &[u8], unit: EpochUnit) -> Result<Epoch, EpochFault> {
    if !number::is_number(text) {
        return Err(EpochFault::NotANumber);
    }
    match number::parse_scaled(text, unit.power()) {
        Ok((micros, is_cut)) if is_in_range(micros) => Ok(Epoch { micros, is_cut }),
        Ok(_) | Err(NumberFault::OutOfRange | NumberFault::NotAnInteger) => Err(EpochFault::OutOfRange),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::{is_cut, parse_timestamp};

    const UNITS: [EpochUnit; 4] =
        [EpochUnit::Seconds, EpochUnit::Milliseconds, EpochUnit::Microseconds, EpochUnit::Nanoseconds];

    fn instant(text: &str, unit: EpochUnit) -> Option<(i64, bool)> {
        parse_epoch(text.as_bytes(), unit).ok().map(|epoch| (epoch.micros, epoch.is_cut))
    }

    #[test]
    fn an_instant_has_the_same_value_in_all_units_and_as_text() {
        for (text, forms) in [
            (
                "2024-10-10T00:00:07.123456Z",
                ["1728518407.123456", "1728518407123.456", "1728518407123456", "1728518407123456000"],
            ),
            (
                "2024-10-10T00:00:07.1234567Z",
                ["1728518407.1234567", "1728518407123.4567", "1728518407123456.7", "1728518407123456700"],
            ),
            (
                "2024-10-10T00:00:07Z",
                ["1728518407", "1.728518407e12", "17285184070e5", "1728518407000000000"],
            ),
            ("1969-12-31T23:59:59.9999999Z", ["-1e-7", "-0.0001", "-0.1", "-100"]),
            ("1969-12-31T23:59:58.5Z", ["-1.5", "-1500", "-1500000.0", "-1500000000"]),
            ("1970-01-01", ["0", "-0", "0e99", "0.000"]),
            (
                "0001-01-01",
                ["-62135596800", "-62135596800000", "-62135596800000000", "-62135596800000000000"],
            ),
            (
                "9999-12-31T23:59:59.999999Z",
                ["253402300799.999999", "253402300799999.999", "253402300799999999", "253402300799999999000"],
            ),
        ] {
            let expected = Some((parse_timestamp(text.as_bytes()).unwrap(), is_cut(text.as_bytes())));
            for (form, unit) in forms.into_iter().zip(UNITS) {
                assert_eq!(instant(form, unit), expected, "{form} {unit}");
            }
        }
    }

    #[test]
    fn nothing_is_guessed_and_nothing_wraps() {
        for text in
            ["", "-", "+1", "1728518407 ", "0x1", "01", "1.", ".5", "1e", "NaN", "1_000", "2024-10-10"]
        {
            assert_eq!(
                parse_epoch(text.as_bytes(), EpochUnit::Seconds),
                Err(EpochFault::NotANumber),
                "{text}"
            );
        }
        for (text, unit) in [
            ("253402300800", EpochUnit::Seconds),
            ("-62135596800.0000001", EpochUnit::Seconds),
            ("1728518407123", EpochUnit::Seconds),
            ("9223372036854775807", EpochUnit::Seconds),
            ("99999999999999999999999999999999999999999999", EpochUnit::Nanoseconds),
            ("1e400", EpochUnit::Milliseconds),
            ("-1e99999999999999999999", EpochUnit::Microseconds),
        ] {
            assert_eq!(parse_epoch(text.as_bytes(), unit), Err(EpochFault::OutOfRange), "{text}");
        }
        assert_eq!(instant("1e-99999999999999999999", EpochUnit::Seconds), Some((0, true)));
        assert_eq!(instant("-1e-99999999999999999999", EpochUnit::Seconds), Some((-1, true)));
    }
}
