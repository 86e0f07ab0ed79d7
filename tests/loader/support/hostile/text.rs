//! JSON in one of the many ways to write it.

use std::fmt::Write as _;

use crate::support::events::Die;

/// Keys and the texts of their values.
pub(super) type Fields<'a> = Vec<(&'a str, String)>;

/// White space, as JSON has it.
pub(super) const SPACES: [&str; 6] = ["", " ", "\t", "  ", "\r", " \t "];

const TEXTS: [&str; 14] = [
    "",
    "PENDING",
    "a \"quoted\" \\ / text",
    "São Paulo",
    "日本語 😀",
    "line\nbreak\r\ttab",
    "\u{0}",
    "\u{7f}\u{80}",
    "\u{2028}\u{2029}",
    "\u{FFFF}\u{FEFF}",
    "null",
    "\u{1}\u{8}\u{c}\u{1f}",
    "{\"id\": 1}",
    "a long sentence, long enough to be no short string for anyone who inlines short strings, whatever that is to them",
];

/// Numbers, all by JSON's grammar: around the edges of the types, and in the spellings that mean the same.
const NUMBERS: &str = "0 -0 0.0 -0.00 1 -1 12 12.0 12.50 12.5 1e2 1E+2 120e-1 1.2e1 0.12e2 0e999999999999 \
    2147483647 2147483648 -2147483648 -2147483649 2147483647.0 4294967297 9007199254740993 9223372036854775808 \
    99999999.99 99999999.994 99999999.995 -99999999.995 0.005 0.004 -0.001 1.005 818.32 1e400 1e-400 123456789.00 \
    0.30000000000000004 0.1000000000000000055 36893488147419103232 1.23456789012345e-320";

/// Text that looks like a number, a timestamp or a name, but is not quite one.
const ODD_TEXTS: &str = " 12|12 |+1|007|1.|.5|0x1|NaN|Infinity|1,000|1_000|١٢|-|1e|| |2024-02-30T00:00:00|\
    2024-10-10T24:00:00|2024-10-10T23:59:60|2024-10-10T00:00|2024-10-10T00:00:00+02|2024-10-10T00:00:00 Z|2024-1-5|\
    2024-10-10T00:00:00,5 UTC|2024-10-10T00:00.5|2024-10-10T00:00+0200|2024-10-10T00:00:00.1234567 +01:00|\
    1728518400|9999-12-31T23:59:59-01:00|account|payment-to|account-open|Account|unknown";

/// An object with its fields in any order, with or without white space.
pub(super) fn object(die: &mut Die, mut fields: Fields) -> String {
    if die.one_in(3) {
        die.shuffle(&mut fields);
    }
    let spaced = die.one_in(4);
    let mut text = String::from("{");
    for (index, (name, value)) in fields.iter().enumerate() {
        let mut space = |usual: &'static str| if spaced { *die.pick(&SPACES) } else { usual };
        let (before_comma, after_comma, before_name, before_colon) =
            (space(""), space(" "), space(""), space(""));
        let (after_colon, after_value) = (space(" "), space(""));
        if index > 0 {
            text += &[before_comma, ",", after_comma].concat();
        }
        let name = string(die, name);
        text += &[before_name, &name, before_colon, ":", after_colon, value, after_value].concat();
    }
    text + "}"
}

/// A string in one of the ways to write it.
pub(super) fn string(die: &mut Die, text: &str) -> String {
    let plain = serde_json::to_string(text).unwrap();
    if !die.one_in(6) {
        return plain;
    }
    let mut escaped = String::from("\"");
    for letter in text.chars() {
        match letter {
            '/' => escaped += "\\/",
            _ if die.one_in(2) || letter.is_control() || matches!(letter, '"' | '\\') => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    let lower_case = die.one_in(2);
                    let escaped = &mut escaped;
                    if lower_case {
                        write!(escaped, "\\u{unit:04x}")
                    } else {
                        write!(escaped, "\\u{unit:04X}")
                    }
                    .unwrap();
                }
            }
            _ => escaped.push(letter),
        }
    }
    escaped + "\""
}

/// Any value, nested up to `levels` deep.
pub(super) fn any_value(die: &mut Die, levels: u64) -> String {
    match die.roll(if levels == 0 { 6 } else { 8 }) {
        0 => "null".to_owned(),
        1 => (*die.pick(&["true", "false"])).to_owned(),
        2 | 3 => number(die),
        4 => text(die),
        5 => odd_text(die),
        6 => {
            let items: Vec<_> = (0..die.roll(4)).map(|_| any_value(die, levels - 1)).collect();
            format!("[{}]", items.join(*die.pick(&[",", ", ", " ,\t"])))
        }
        _ => {
            let fields = (0..die.roll(4))
                .map(|_| (*die.pick(&["id", "x", "y", ""]), any_value(die, levels - 1)))
                .collect();
            object(die, fields)
        }
    }
}

/// A string that a column of text may well hold.
pub(super) fn text(die: &mut Die) -> String {
    let text = *die.pick(&TEXTS);
    string(die, text)
}

/// A string that is not what it looks like.
pub(super) fn odd_text(die: &mut Die) -> String {
    let texts: Vec<_> = ODD_TEXTS.split('|').collect();
    let text = *die.pick(&texts);
    string(die, text)
}

/// A number that is somewhere at an edge.
pub(super) fn number(die: &mut Die) -> String {
    let numbers: Vec<_> = NUMBERS.split_whitespace().collect();
    (*die.pick(&numbers)).to_owned()
}
