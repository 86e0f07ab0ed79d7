//! Spans of JSON → the text that they mean: strings without their escapes, values without insignificant white
//! space.
//!
//! Invariant: input was scanned before, so every string and escape in it is whole.

pub(super) fn parse_hex(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0, |sum, &digit| {
        let digit = char::from(digit).to_digit(16)?;
        Some(sum * 16 + u16::try_from(digit).ok()?)
    })
}

/// Appends the characters of a string. `inner` is the result of `Value::inner` for a scanned string, so every
/// escape in it is whole.
pub(crate) fn unescape_into(inner: &[u8], out: &mut Vec<u8>) {
    let mut rest = inner;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let (character, length) = match rest[at + 1] {
            b'b' => ('\u{8}', 2),
            b'f' => ('\u{c}', 2),
            b'n' => ('\n', 2),
            b'r' => ('\r', 2),
            b't' => ('\t', 2),
            b'u' => unescape_unicode(&rest[at..]),
            other => (char::from(other), 2),
        };
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[at + length..];
    }
    out.extend_from_slice(rest);
}

/// `\uXXXX`, or a surrogate pair of two of them → the character, and its length in bytes.
fn unescape_unicode(text: &[u8]) -> (char, usize) {
    let unit = |at: usize| text.get(at..at + 4).and_then(parse_hex).unwrap_or_default();
    let high = unit(2);
    let (units, length) =
        if (0xD800..0xDC00).contains(&high) { (vec![high, unit(8)], 12) } else { (vec![high], 6) };
    let character = char::decode_utf16(units).next().and_then(Result::ok);
    (character.unwrap_or(char::REPLACEMENT_CHARACTER), length)
}

/// Appends a value's JSON text without insignificant white space and with strings in their shortest form, so
/// that the same value gives the same text however it was formatted. Numbers, and the order of keys, stay as
/// written.
pub(crate) fn compact_into(value: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            b'"' => {
                let length = string_length(&value[at..]);
                compact_string_into(&value[at + 1..at + length - 1], out);
                at += length;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
}

/// The length of the string at the start of `text`, with its quotes.
fn string_length(text: &[u8]) -> usize {
    let mut at = 1;
    loop {
        match text.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') | None => return at + 1,
            Some(_) => at += 1,
        }
    }
}

/// Appends characters as a JSON string.
pub(crate) fn quoted_into(characters: &[u8], out: &mut Vec<u8>) {
    let is_plain = characters.iter().all(|byte| *byte >= 0x20 && *byte != b'"' && *byte != b'\\');
    if is_plain {
        out.push(b'"');
        out.extend_from_slice(characters);
        out.push(b'"');
        return;
    }
    let text = String::from_utf8_lossy(characters);
    let quoted = serde_json::to_string(&text).unwrap_or_default();
    out.extend_from_slice(quoted.as_bytes());
}

fn compact_string_into(inner: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    if memchr::memchr(b'\\', inner).is_none() {
        out.extend_from_slice(inner);
    } else {
        let mut plain = Vec::with_capacity(inner.len());
        unescape_into(inner, &mut plain);
        let text = String::from_utf8_lossy(&plain);
        let quoted = serde_json::to_string(&text).unwrap_or_default();
        out.extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]);
    }
    out.push(b'"');
}

/// A key as it is written in most lines, without its opening quote, escaped where necessary. No other key
/// begins like that, because of the closing quote.
#[must_use]
pub fn quoted_key(name: &[u8]) -> Box<[u8]> {
    let quoted = serde_json::to_string(&String::from_utf8_lossy(name)).unwrap_or_default();
    quoted.as_bytes().get(1..).unwrap_or_default().into()
}
/// Whether a string in a JSON text has the escape of a U+0000: behind no backslash, or behind pairs of them.
pub(crate) fn has_nul_escape(text: &[u8]) -> bool {
    memchr::memmem::find_iter(text, b"\\u0000").any(|at| {
        let backslashes = text[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        backslashes % 2 == 0
    })
}
