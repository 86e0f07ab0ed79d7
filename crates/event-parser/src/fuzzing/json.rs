//! The JSON scanner against `serde_json`.
//!
//! Invariant: see [`json`].

use crate::json::{Kind, Malformed, Scanner, Value, compact_into, unescape_into};

/// The bytes are a text.
///
/// - The scanner accepts exactly what `serde_json` accepts as JSON, except for nesting deeper than 127
///   levels, and the size of numbers, for which columns have their own rules.
/// - The value's span is the text without the white space around it. Its compact text and, for a string, its
///   characters are those that `serde_json` reads.
/// - Text that follows in the block does not change the result.
pub fn json(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (ours, theirs) = (scan(bytes, bytes), naive_model::json::read(text));
    assert_eq!(ours.is_ok(), theirs.is_some(), "{text:?}: {ours:?}, serde_json: {theirs:?}");
    for behind in ["\"", "}]", "0123456789abcdef", "\\\"\\u0041                                "] {
        let block = [bytes, behind.as_bytes()].concat();
        assert_eq!(scan(&block, bytes), ours, "{text:?}, behind it {behind:?}");
    }
    match (ours, theirs) {
        (Ok(value), Some(theirs)) => {
            let space = [' ', '\t', '\r', '\n'];
            assert_eq!(value.text(bytes), text.trim_matches(space).as_bytes(), "{text:?}");
            let mut compact = Vec::new();
            compact_into(value.text(bytes), &mut compact);
            assert_eq!(String::from_utf8(compact).unwrap(), theirs.compact(), "{text:?}");
            if let (Kind::String { .. }, Some(theirs)) = (value.kind(), theirs.text()) {
                let mut plain = Vec::new();
                unescape_into(value.inner(bytes), &mut plain);
                assert_eq!(String::from_utf8(plain).unwrap(), theirs, "{text:?}");
            }
        }
        (Err(malformed), _) => assert!(malformed.at() <= bytes.len(), "{text:?}: {malformed:?}"),
        (Ok(_), None) => {}
    }
}

fn scan(block: &[u8], text: &[u8]) -> Result<Value, Malformed> {
    let mut scanner = Scanner::in_text(block, text.len());
    let value = scanner.value()?;
    scanner.end()?;
    Ok(value)
}
