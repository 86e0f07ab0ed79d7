//! Texts → integers, decimals and floats, against `serde_json` and arithmetic on the digits.

use events_core::number::{NumberFault, is_number, parse_decimal, parse_integer};
use serde_json::value::RawValue;

use super::model::values;
use crate::{columns::float, json::Scanner};

/// Precisions and scales at their limits and between: short ones are read another way.
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

/// The bytes are texts, each in a line.
///
/// - A text is a number if `serde_json` says so.
/// - Its integer, and its decimals of some precisions and scales, are what moving the point by hand gives.
/// - Its float is at most one step away from that of `serde_json`, which is that far from the nearest.
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
                ours.map(|unscaled| decimal_text(unscaled, scale.into())),
                theirs,
                "{shown} as decimal({precision},{scale})"
            );
        }
        same_float(token);
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

fn same_float(token: &str) {
    let ours = float(Scanner::new(token.as_bytes()).value().unwrap(), token.as_bytes());
    match (ours, serde_json::from_str::<f64>(token)) {
        (Ok(ours), Ok(theirs)) => assert!(
            [theirs, theirs.next_up(), theirs.next_down()].contains(&ours),
            "{token}: {ours:e}, serde_json: {theirs:e}"
        ),
        // Where floats end, one step decides.
        (Ok(last), Err(_)) | (Err(_), Ok(last)) => assert_eq!(last.abs(), f64::MAX, "{token}"),
        (Err(_), Err(_)) => {}
    }
}
