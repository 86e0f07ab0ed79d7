//! A record → an id that is made of its text.
//!
//! Invariant: white space between the tokens of the record changes nothing; any other byte does.

use xxhash_rust::xxh3::Xxh3;

/// A UUID of version 8 of the XXH3-128 of a record's text without white space, followed by that of what was
/// read of the objects around it, if anything is. The texts are JSON.
///
/// ```
/// use events_core::envelope::hash_id;
/// let id = hash_id(b"{ \"a\" : [1, \"b c\"] }", b"");
/// assert_eq!(id, hash_id(b"{\"a\":[1,\"b c\"]}", b""));
/// assert_eq!((id >> 76 & 0xF, id >> 62 & 3), (8, 2));
/// ```
#[must_use]
pub fn hash_id(record: &[u8], enclosing: &[u8]) -> u128 {
    let mut hasher = Xxh3::new();
    for text in [record, enclosing] {
        each_run(text, |run| hasher.update(run));
    }
    let hash = hasher.digest128();
    let version_and_variant = 0xF << 76 | 3 << 62;
    hash & !version_and_variant | 8 << 76 | 2 << 62
}

/// Calls `take` with the text, cut into what is between white space that is in no string.
fn each_run(json: &[u8], mut take: impl FnMut(&[u8])) {
    let (mut start, mut at) = (0, 0);
    while let Some(&byte) = json.get(at) {
        match byte {
            b'"' => at += string_length(&json[at..]),
            b' ' | b'\t' | b'\r' | b'\n' => {
                take(&json[start..at]);
                at += 1;
                start = at;
            }
            _ => at += 1,
        }
    }
    take(&json[start..]);
}

/// The length of the string at the start of a text, with its quotes.
fn string_length(text: &[u8]) -> usize {
    let mut at = 1;
    loop {
        match text.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') => return at + 1,
            Some(_) => at += 1,
            None => return text.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_white_space_between_tokens_is_left_out() {
        let without_space = |json: &str| {
            let mut text = Vec::new();
            each_run(json.as_bytes(), |run| text.extend_from_slice(run));
            String::from_utf8(text).unwrap()
        };
        for (json, expected) in [
            ("{}", "{}"),
            (" {\t\"a b\" :\r\n 1 } ", "{\"a b\":1}"),
            (r#"{"a\" b\\": "c \u0020", "d": [ ] }"#, r#"{"a\" b\\":"c \u0020","d":[]}"#),
        ] {
            assert_eq!(without_space(json), expected);
        }
        assert_eq!(hash_id(b"{}", b"") >> 76 & 0xF, 8);
        assert_ne!(hash_id(b"{\"a\":1}", b""), hash_id(b"{\"a\":1}", b"{\"b\":2}"));
    }
}
