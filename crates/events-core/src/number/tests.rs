//! Numbers as texts, checked by hand and against an independent calculation.

use super::*;

fn unscaled(token: &str, precision: u8, scale: u8) -> Result<i128, NumberFault> {
    parse_decimal(token.as_bytes(), precision, scale).map(|decimal| decimal.unscaled)
}

#[test]
fn integers_are_exact_or_refused() {
    for (token, expected) in [
        ("12", 12),
        ("-12", -12),
        ("12.0", 12),
        ("12.000", 12),
        ("1.2e1", 12),
        ("120e-1", 12),
        ("1e2", 100),
        ("0", 0),
        ("-0", 0),
        ("0.0", 0),
        ("0e999999999999999999999", 0),
        ("9223372036854775807", i64::MAX),
        ("-9223372036854775808", i64::MIN),
        ("9223372036854775807.000", i64::MAX),
        ("0.00000000000000000000000000000000000000000012e44", 12),
    ] {
        assert_eq!(parse_integer(token.as_bytes()), Ok(expected), "{token}");
    }
    assert_eq!(unscaled("9999999999999999999", 38, 0), Ok(9_999_999_999_999_999_999));
    for token in ["12.5", "1e-1", "0.1", "1.25e1", "12.0000000000000000000001"] {
        assert_eq!(parse_integer(token.as_bytes()), Err(NumberFault::NotAnInteger), "{token}");
    }
    for token in ["9223372036854775808", "-9223372036854775809", "1e19", "1e400", "1e99999999999999999999"] {
        assert_eq!(parse_integer(token.as_bytes()), Err(NumberFault::OutOfRange), "{token}");
    }
}

#[test]
fn decimals_round_half_up_from_their_digits() {
    for (token, expected) in [
        ("818.32", 81_832),
        ("12", 1_200),
        ("0.5", 50),
        ("-0.00", 0),
        ("1.005", 101),
        ("-1.005", -101),
        ("1.00499999999999999999999", 100),
        ("999.999", 100_000),
        ("1e2", 10_000),
        ("1.5E+1", 1_500),
        ("12345e-4", 123),
        ("0.004", 0),
        ("0.005", 1),
        ("0.0005", 0),
        ("5e-3", 1),
        ("4e-99999999999999", 0),
        ("99999999.99", 9_999_999_999),
        ("99999999.994", 9_999_999_999),
        ("0.0000000000000000000000000000000000000000000001e48", 10_000),
    ] {
        assert_eq!(unscaled(token, 10, 2), Ok(expected), "{token}");
    }
    for token in ["100000000", "99999999.995", "-99999999.995", "1e8", "1e400", "123456789.00"] {
        assert_eq!(unscaled(token, 10, 2), Err(NumberFault::OutOfRange), "{token}");
    }
    let widest = "9".repeat(38);
    assert_eq!(unscaled(&widest, 38, 0), Ok(10_i128.pow(38) - 1));
    assert_eq!(unscaled("0.5", 2, 2), Ok(50));
    assert_eq!(unscaled("0.995", 2, 2), Err(NumberFault::OutOfRange));
}

#[test]
fn only_digits_that_are_not_zero_are_rounded_off() {
    for token in
        ["1", "1.25", "1.2500", "125e-2", "12500e-4", "0", "0.000", "0e-9", "-1.250000000000000000000"]
    {
        assert!(!parse_decimal(token.as_bytes(), 10, 2).unwrap().is_rounded, "{token}");
    }
    for token in
        ["1.251", "1.2500000000000000000001", "0.001", "-0.005", "1e-3", "4e-99999999999999", "1251e-3"]
    {
        assert!(parse_decimal(token.as_bytes(), 10, 2).unwrap().is_rounded, "{token}");
    }
    assert!(parse_decimal(b"0.5", 3, 0).unwrap().is_rounded);
}

#[test]
fn the_grammar_is_json_s() {
    for token in ["0", "-0", "1", "10", "0.1", "1e5", "1E-5", "1.5e+05", "-12.50"] {
        assert!(is_number(token.as_bytes()), "{token}");
    }
    for token in
        ["", "-", "+1", "01", "1.", ".5", "1e", "1e+", "1.e1", "NaN", "Infinity", " 1", "1 ", "0x1", "1_0"]
    {
        assert!(!is_number(token.as_bytes()), "{token}");
    }
}

proptest::proptest! {
    #[test]
    fn an_integer_reads_back_from_any_way_to_write_it(value: i64, shift in 0_u32..30) {
        let zeros = "0".repeat(shift as usize);
        proptest::prop_assert_eq!(parse_integer(value.to_string().as_bytes()), Ok(value));
        proptest::prop_assert_eq!(parse_integer(format!("{value}.{zeros}0").as_bytes()), Ok(value));
        proptest::prop_assert_eq!(parse_integer(format!("{value}{zeros}e-{shift}").as_bytes()), Ok(value));
    }

    #[test]
    fn short_numbers_are_read_as_long_ones_are(token in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?", scale in 0_u8..=20, more in 0_u8..=18) {
        let precision = (scale + more).max(1);
        let found = unscaled(&token, precision, scale);
        let token = token.as_bytes();
        proptest::prop_assert_eq!(found, Digits::of(token).unscaled(scale, precision));
        if let Some(short) = parse_short_integer(token) {
            proptest::prop_assert_eq!(Ok(i128::from(short)), Digits::of(token).unscaled(0, 38));
        }
    }

    #[test]
    fn only_digits_are_digits(digits in "[0-9]{1,18}", at in 0_usize..18, byte: u8) {
        let mut text = digits.into_bytes();
        if let Some(place) = text.get_mut(at) {
            *place = byte;
        }
        let is_integer = text.iter().enumerate().all(|(at, byte)| byte.is_ascii_digit() || (at == 0 && *byte == b'-'));
        let expected = std::str::from_utf8(&text).ok().filter(|_| is_integer && text != b"-").and_then(|text| text.parse().ok());
        proptest::prop_assert!(text == b"-" || parse_short_integer(&text) == expected);
    }

    #[test]
    fn a_decimal_is_within_half_a_unit(value in -9_999_999_994_i128..9_999_999_994, extra in 0_i128..1000) {
        // value.extra as text with five digits after the point
        let thousandths = value.abs() * 1000 + extra;
        let text = format!("{}{}.{:05}", if value < 0 { "-" } else { "" }, thousandths / 100_000, thousandths % 100_000);
        let expected = (thousandths + 500) / 1000 * if value < 0 { -1 } else { 1 };
        proptest::prop_assert_eq!(unscaled(&text, 10, 2), Ok(expected));
    }
}
