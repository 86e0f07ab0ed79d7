//! A value as a column holds it → its text, for a column that became a `string`.
//!
//! The text is that of the value, not what its event had: of `12.0` in a column of integers, `12` is left. It
//! is what most producers write, so that most events that are delivered again have the same text:
//!
//! | column | text |
//! |---|---|
//! | int32, int64 | `-12` |
//! | decimal | all digits of its scale: `12.50` |
//! | float64 | the shortest that reads back as it: `5`, `0.1`, `1e21`, `1e-7` |
//! | boolean | `true`, `false` |
//! | date | `2024-10-10` |
//! | timestamp | `2024-10-10T00:00:07Z`, with 3 or 6 digits of a second if it needs them |
//! | list, map, object | JSON without white space; days and instants are strings, null members left out |
//!
//! Invariant: a text is read back as the same value by the type that it had.

use std::fmt::Write as _;

use crate::{partition::Day, timestamp::timestamp_text, truth::decimal_text};

/// From here on, and below its inverse, a float has an exponent.
const LARGE: f64 = 1e21;
const SMALL: f64 = 1e-6;

/// Appends an integer.
pub fn push_integer(text: &mut String, value: i64) {
    let _ = write!(text, "{value}");
}

/// Appends a decimal: `unscaled` × 10^-`scale`.
pub fn push_decimal(text: &mut String, unscaled: i128, scale: u8) {
    text.push_str(&decimal_text(unscaled, scale));
}

/// Appends a float.
pub fn push_float(text: &mut String, value: f64) {
    let size = value.abs();
    let _ = if size != 0.0 && !(SMALL..LARGE).contains(&size) {
        write!(text, "{value:e}")
    } else {
        write!(text, "{value}")
    };
}

/// Appends a day, in days since 1970-01-01.
pub fn push_date(text: &mut String, days: i32) {
    let _ = write!(text, "{}", Day::from_epoch_days(days.into()));
}

/// Appends an instant, in microseconds since 1970-01-01T00:00:00Z.
pub fn push_timestamp(text: &mut String, micros: i64) {
    let all = timestamp_text(micros);
    let without_zone = all.trim_end_matches('Z');
    let short = without_zone.strip_suffix("000").unwrap_or(without_zone);
    text.push_str(short.strip_suffix(".000").unwrap_or(short));
    text.push('Z');
}

/// Appends a text as a JSON string.
pub fn push_json_string(text: &mut String, value: &str) {
    text.push_str(&serde_json::Value::from(value).to_string());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        number,
        timestamp::{parse_date, parse_timestamp},
    };

    fn text(push: impl FnOnce(&mut String)) -> String {
        let mut text = String::new();
        push(&mut text);
        text
    }

    #[test]
    fn values_have_the_texts_that_producers_write() {
        for (value, expected) in [
            (5.0, "5"),
            (0.1, "0.1"),
            (-0.0, "-0"),
            (1e20, "100000000000000000000"),
            (1e21, "1e21"),
            (-1.5e300, "-1.5e300"),
            (0.000_001, "0.000001"),
            (1.5e-7, "1.5e-7"),
        ] {
            assert_eq!(text(|text| push_float(text, value)), expected);
        }
        for (micros, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (1, "1970-01-01T00:00:00.000001Z"),
            (-1_000, "1969-12-31T23:59:59.999Z"),
            (120_000, "1970-01-01T00:00:00.120Z"),
            (1_728_518_400_000_000, "2024-10-10T00:00:00Z"),
        ] {
            assert_eq!(text(|text| push_timestamp(text, micros)), expected);
        }
        assert_eq!(text(|text| push_decimal(text, -5, 2)), "-0.05");
        assert_eq!(text(|text| push_date(text, -1)), "1969-12-31");
        assert_eq!(text(|text| push_json_string(text, "a\"\u{1}é")), r#""a\"\u0001é""#);
    }

    proptest! {
        #[test]
        fn a_text_is_read_back_as_its_value(
            integer in any::<i64>(), unscaled in -10_i128.pow(37)..10_i128.pow(37), scale in 0_u8..=18,
            float in any::<f64>().prop_filter("finite", |float| float.is_finite()),
            days in -700_000_i32..2_900_000, micros in -62_000_000_000_000_000_i64..250_000_000_000_000_000
        ) {
            let integer_text = text(|text| push_integer(text, integer));
            prop_assert_eq!(number::parse_integer(integer_text.as_bytes()), Ok(integer));
            let decimal = text(|text| push_decimal(text, unscaled, scale));
            prop_assert_eq!(number::parse_decimal(decimal.as_bytes(), 38, scale).unwrap().unscaled, unscaled);
            let float_text = text(|text| push_float(text, float));
            prop_assert!(number::is_number(float_text.as_bytes()), "{}", float_text);
            prop_assert_eq!(float_text.parse::<f64>().unwrap().to_bits(), float.to_bits());
            let date = text(|text| push_date(text, days));
            prop_assert_eq!(parse_date(date.as_bytes()), Some(days));
            let instant = text(|text| push_timestamp(text, micros));
            prop_assert_eq!(parse_timestamp(instant.as_bytes()), Some(micros));
        }
    }
}
