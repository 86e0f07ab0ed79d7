//! The first bytes of a text → the container or encoding that they belong to, if it is none that is read.
//!
//! Invariant: no text in UTF-8 is taken for anything else.

/// How many of the first bytes are looked at.
pub(super) const HEAD_BYTES: usize = 512;

/// First bytes that no text begins with, and what they begin.
const BINARY: [(&[u8], &str); 24] = [
    (b"\x1F\x8B", "gzip"),
    (b"\x28\xB5\x2F\xFD", "zstd"),
    (b"\xFD7zXZ\0", "xz"),
    (b"\x5D\0\0", "lzma"),
    (b"\x04\x22\x4D\x18", "lz4"),
    (b"\x02\x21\x4C\x18", "lz4"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PK\x07\x08", "zip"),
    (b"7z\xBC\xAF\x27\x1C", "7z"),
    (b"Rar!\x1A\x07", "rar"),
    (b"\x1F\x9D", "compress (.Z)"),
    (b"\x1F\xA0", "compress (.Z)"),
    (b"\x89LZO\0", "lzop"),
    (b"LZIP\x01", "lzip"),
    (b"\xFF\x06\0\0sNaPpY", "snappy"),
    (b"x\x01", "zlib"),
    (b"x\x9C", "zlib"),
    (b"x\xDA", "zlib"),
    (b"PAR1\x15", "Parquet"),
    (b"Obj\x01", "Avro"),
    (b"ARROW1\0", "Arrow"),
    (b"SEQ\x06", "Hadoop sequence file"),
    (b"SQLite format 3\0", "SQLite"),
];

/// What a text that begins with `head` is, if it is not JSON in UTF-8.
pub(super) fn foreign(head: &[u8]) -> Option<&'static str> {
    let binary = || BINARY.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, name)| *name);
    encoding(head).or_else(binary).or_else(|| bzip2(head)).or_else(|| orc(head)).or_else(|| tar(head))
}

/// The level is a digit, and a block or the end follows.
fn bzip2(head: &[u8]) -> Option<&'static str> {
    let rest = head.strip_prefix(b"BZh")?.get(1..)?;
    (rest.starts_with(b"1AY&SY") || rest.starts_with(b"\x17\x72\x45\x38\x50\x90")).then_some("bzip2")
}

/// Its mark could begin a word, but no text has the bytes that follow.
fn orc(head: &[u8]) -> Option<&'static str> {
    let is_text = match std::str::from_utf8(head) {
        Ok(text) => !text.contains('\0'),
        Err(error) => error.error_len().is_none(),
    };
    (head.starts_with(b"ORC") && !is_text).then_some("ORC")
}

/// An archive begins with the name of its first file, and has its mark behind that.
fn tar(head: &[u8]) -> Option<&'static str> {
    head.get(257..)?.starts_with(b"ustar").then_some("tar")
}

/// Encodings of two or four bytes a character: by their byte order mark, or by the zeros beside the first
/// characters, which are ASCII in any JSON.
fn encoding(head: &[u8]) -> Option<&'static str> {
    match head {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => return Some("UTF-32"),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => return Some("UTF-16"),
        _ => {}
    }
    // Two characters at least: a few zeros in front of a text are no encoding.
    let zeros: Vec<bool> = head.iter().take(8).map(|byte| *byte == 0).collect();
    let is_every = |unit: usize, at: usize| {
        zeros.len() >= 2 * unit
            && zeros.len().is_multiple_of(unit)
            && zeros.iter().enumerate().all(|(index, is_zero)| *is_zero == (index % unit != at))
    };
    if is_every(4, 0) || is_every(4, 3) {
        Some("UTF-32")
    } else if is_every(2, 0) || is_every(2, 1) {
        Some("UTF-16")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str, unit: usize, is_little: bool) -> Vec<u8> {
        let wide = text.bytes().flat_map(|byte| {
            let mut character = vec![0; unit];
            character[if is_little { 0 } else { unit - 1 }] = byte;
            character
        });
        wide.collect()
    }

    #[test]
    fn wide_encodings_are_told_with_and_without_a_mark() {
        for (unit, name) in [(2, "UTF-16"), (4, "UTF-32")] {
            for is_little in [true, false] {
                for text in ["{\"event_id\"", "[{", "\n{\"", "{}"] {
                    assert_eq!(foreign(&wide(text, unit, is_little)), Some(name), "{text:?} {is_little}");
                }
            }
        }
        assert_eq!(foreign(b"\xFF\xFE{\0"), Some("UTF-16"));
        assert_eq!(foreign(b"\0\0\xFE\xFF\0\0\0{"), Some("UTF-32"));
    }

    #[test]
    fn text_is_text() {
        let mut far = vec![b' '; HEAD_BYTES];
        far[257..262].copy_from_slice(b"ustaR");
        for text in [
            &b""[..],
            b"{",
            b"[1]",
            b"\xEF\xBB\xBF{}",
            b"BZh9 is a name\n",
            b"ORCHID,1\n",
            b"PAR1 of 3\n",
            b"Objective\n",
            b"xyz\n",
            b"\0\0\0\0\0\0\0\0{\"event_id\"",
            b"\0\0\0{\"event_id\"",
            b"\0\0\0\n",
            b"]\n",
            &far,
        ] {
            assert_eq!(foreign(text), None, "{text:?}");
        }
    }
}
