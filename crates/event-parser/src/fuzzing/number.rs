//! Texts → integers, decimals and floats, against `serde_json`'s grammar and arithmetic on the digits.
//!
//! Invariant: see [`number`].

use events_core::number::{NumberFault, is_number, parse_decimal, parse_integer};
use naive_model::{
    json::Json,
    values::{self, Plain},
};
use serde_json::value::RawValue;

use crate::{columns::float, json::Scanner};

/// Precisions and scales at their limits and between; short numbers are read in a different way.
const DECIMALS: [(u8, u8); 14] = [
    (1, 0),
    (1, 1),
    (3, 0),
    (10, 2),
    (12, 2),
    (18, 0),
    (18, 4),
    (18, 18),
    (19, 0),
    (19, 9),
    (38, 0),
    (38, 2),
    (38, 19),
    (38, 38),
];

/// The bytes are texts, one per line.
///
/// - A text is a number if `serde_json` accepts it as one.
/// - Its integer, and its decimals of some precisions and scales, are the result of moving the point by hand.
/// - Its float is the nearest one; there is none if it is beyond all floats. It counts as rounded if neither
///   all digits of the float nor the fewest that mean it are the number.
pub fn number(bytes: &[u8]) {
    for text in bytes.split(|byte| *byte == b'\n') {
        let shown = text.escape_ascii();
        let raw = serde_json::from_slice::<&RawValue>(text).ok().map(RawValue::get);
        let token = raw.filter(|raw| {
            raw.len() == text.len() && raw.starts_with(|c: char| c == '-' || c.is_ascii_digit())
        });
        assert_eq!(is_number(text), token.is_some(), "{shown}");
        let Some(token) = token else { continue };
        let integer = parse_integer(text).map(|integer| integer.to_string()).map_err(reason);
        assert_eq!(integer, values::integer(token, i64::MIN, i64::MAX), "{shown}");
        for (precision, scale) in DECIMALS {
            let ours = parse_decimal(text, precision, scale).map_err(reason);
            let theirs = values::decimal(token, precision.into(), scale.into());
            assert_eq!(
                ours.map(|decimal| decimal_text(decimal.unscaled, scale.into())),
                theirs,
                "{shown} as decimal({precision},{scale})"
            );
            let is_rounded = ours.map(|decimal| decimal.is_rounded);
            let more_digits = values::is_rounded(&Json::Number(token.to_owned()), scale.into());
            assert!(
                is_rounded.is_err() || is_rounded == Ok(more_digits),
                "{shown} with {scale} digits: {is_rounded:?}"
            );
        }
        is_nearest(token);
        let mut is_rounded = false;
        let ours = float(Scanner::new(text).value().unwrap(), text, || (), || is_rounded = true);
        if ours.is_ok() {
            let theirs = values::is_rounded_as_float(&Json::Number(token.to_owned()));
            assert_eq!(is_rounded, theirs, "{shown}");
        }
    }
}

fn reason(fault: NumberFault) -> &'static str {
    match fault {
        NumberFault::NotAnInteger => "type_mismatch",
        NumberFault::OutOfRange => "out_of_range",
    }
}

fn decimal_text(unscaled: i128, scale: usize) -> String {
    let digits = format!("{:0width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (integer, fraction) = digits.split_at(digits.len() - scale);
    let (sign, point) = (if unscaled < 0 { "-" } else { "" }, if scale > 0 { "." } else { "" });
    format!("{sign}{integer}{point}{fraction}")
}

/// By the exact digits of the float and its neighbours: twice the number is between the sums of the float and
/// each neighbour.
fn is_nearest(token: &str) {
    let ours = float(Scanner::new(token.as_bytes()).value().unwrap(), token.as_bytes(), || (), || ());
    let Plain { negative, integer, fraction } = values::plain(token);
    let lengths = (integer.len().max(INTEGER_DIGITS), fraction.len().max(FRACTION_DIGITS));
    let number = digits(&integer, &fraction, lengths);
    let twice = sum(&number, &number);
    let exact = |float: f64| {
        let text = format!("{float:.FRACTION_DIGITS$}");
        let (integer, fraction) = text.split_once('.').unwrap();
        digits(integer, fraction, lengths)
    };
    let behind_last = || sum(&exact(2_f64.powi(1023)), &exact(2_f64.powi(1023)));
    let Ok(ours) = ours else {
        return assert!(twice >= sum(&exact(f64::MAX), &behind_last()), "{token} is none");
    };
    assert_eq!(ours.is_sign_negative(), negative, "{token}: {ours:e}");
    let size = ours.abs();
    let above = if size < f64::MAX { exact(size.next_up()) } else { behind_last() };
    assert!(twice <= sum(&exact(size), &above), "{token}: {ours:e} is below it");
    assert!(
        size == 0.0 || twice >= sum(&exact(size), &exact(size.next_down())),
        "{token}: {ours:e} is above it"
    );
}

/// The most digits before and after the point of any float.
const INTEGER_DIGITS: usize = 309;
const FRACTION_DIGITS: usize = 1074;

/// The digits of a number, with the given number of digits before and after the point, and a zero in front.
fn digits(integer: &str, fraction: &str, (before, behind): (usize, usize)) -> Vec<u8> {
    format!("0{integer:0>before$}{fraction:0<behind$}").into_bytes()
}

fn sum(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let mut sum: Vec<u8> = a
        .iter()
        .zip(b)
        .rev()
        .map(|(a, b)| {
            let digits = a - b'0' + (b - b'0') + carry;
            carry = digits / 10;
            b'0' + digits % 10
        })
        .collect();
    sum.reverse();
    sum
}
