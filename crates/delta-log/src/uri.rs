//! Paths of files: percent-encoded in the log, as they are everywhere else.
//!
//! Invariant: a path that is read lies below the table: it is relative, and none of its parts is empty, `.`
//! or `..`.

use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Writes a path as the log has it.
pub(crate) fn serialize<S: Serializer>(path: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&encode(path))
}

/// Reads a path of the log.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    decode(&String::deserialize(deserializer)?).map_err(Error::custom)
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'/' | b'=')
}

fn encode(path: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        if is_plain(byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    text
}

fn decode(text: &str) -> Result<String, String> {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme);
    if text.starts_with('/') || scheme.is_some_and(|scheme| !scheme.is_empty() && is_scheme(scheme)) {
        return Err(format!("the file {text:?} is not below the table: only relative paths are read"));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        if *first == b'%' {
            let digits = behind.first_chunk::<2>().and_then(|digits| std::str::from_utf8(digits).ok());
            let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            bytes.push(byte.ok_or_else(|| format!("the path {text:?} is not percent-encoded"))?);
            rest = &behind[2..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    let path = String::from_utf8(bytes).map_err(|_| format!("the path {text:?} is not UTF-8"))?;
    check(&path)?;
    Ok(path)
}

/// Refuses a path that may lead out of the table.
pub(crate) fn check(path: &str) -> Result<(), String> {
    if path.contains('\0') || path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(format!("{path:?} is not the path of a file below the table"));
    }
    Ok(())
}

/// Whether a text may stand before the `:` of an absolute URI.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_is_decoded_once() {
        assert_eq!(decode("day=2024-10-10/part%20a.parquet").unwrap(), "day=2024-10-10/part a.parquet");
        assert_eq!(decode("city=a%2520b/x%C3%A9").unwrap(), "city=a%20b/x\u{e9}");
        assert_eq!(decode("hour=7+8/a:b").unwrap(), "hour=7+8/a:b");
    }

    #[test]
    fn a_path_out_of_the_table_is_refused() {
        let texts = [
            "",
            "/a",
            "a/",
            "a//b",
            "../a",
            "a/../../b",
            "a/%2e%2E/b",
            "./a",
            "s3://bucket/a",
            "file:a",
            "a%2",
            "a%zz",
            "a%+1",
            "%ff",
            "a%00",
        ];
        for text in texts {
            assert!(decode(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_path_reads_back(path in "[^/\0]{3,9}(/[^/\0]{3,9}){0,3}") {
            prop_assume!(!path.contains("..."));
            prop_assert_eq!(decode(&encode(&path)).unwrap(), path);
        }
    }
}
