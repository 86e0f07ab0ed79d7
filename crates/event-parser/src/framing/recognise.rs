//! The beginning of a text → its framing: lines, the elements of an array, or documents one behind the other.
//!
//! Invariant: the framing is a function of the text and of the question whether records are in lists, not of
//! how much of the text is seen at once.

use super::{
    arrays::{first_character, is_blank},
    open_document::RECORD_SEPARATOR,
};
use crate::json::{Scanner, Value};

/// How a text is divided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Framing {
    /// As the text itself tells.
    #[default]
    Auto,
    /// One document per line.
    Lines,
    /// One array, each element a document.
    Array,
    /// Documents one behind the other, with or without white space between them.
    Documents,
}

/// The most white space before a text's first character: a program that writes more means lines.
pub(super) const BLANK_BYTES_MAX: usize = 64 << 10;
/// What is seen of a text, if less does not tell: a longer line counts as the only one.
pub(super) const HEAD_BYTES_MAX: usize = 1 << 20;
/// How the first value of a head ends.
enum First {
    Ends(Value),
    /// It is JSON as far as the head goes.
    GoesOn,
    Malformed,
}

fn first_value(text: &[u8]) -> First {
    match Scanner::new(text).value() {
        Ok(value) => First::Ends(value),
        Err(malformed) if malformed.is_cut(text) => First::GoesOn,
        Err(_) => First::Malformed,
    }
}

/// The framing of a text that begins with `head`, which is all of it if it `ended`; `None` if more of it must
/// be seen. With lists of records, a long line is a document that goes by.
pub(super) fn framing_of(head: &[u8], ended: bool, has_lists: bool) -> Option<Framing> {
    let Some(start) = first_character(head) else {
        return (ended || head.len() >= BLANK_BYTES_MAX).then_some(Framing::Lines);
    };
    let text = &head[start..];
    match text[0] {
        b'[' => return Some(Framing::Array),
        RECORD_SEPARATOR => return Some(Framing::Documents),
        b'{' => {}
        _ => return Some(Framing::Lines),
    }
    let is_all = ended || text.len() >= HEAD_BYTES_MAX;
    let text = &text[..text.len().min(HEAD_BYTES_MAX)];
    let (line, below) = match memchr::memchr(b'\n', text) {
        Some(newline) => (&text[..newline], Some(&text[newline..])),
        None if is_all => (text, None),
        None => return None,
    };
    // As a line it would be too long, and all of its records lost, also if a few of them are broken.
    let is_long_document = below.is_none() && text.len() >= HEAD_BYTES_MAX && has_lists;
    match first_value(line) {
        First::Ends(value) => of_one_line(&line[value.end()..], below, is_all),
        First::GoesOn if below.is_some() => of_several_lines(text, below, is_all),
        First::Malformed | First::GoesOn if is_long_document => Some(Framing::Documents),
        First::Malformed | First::GoesOn => Some(Framing::Lines),
    }
}

/// The first value ends on its line; `rest` is the rest of that.
fn of_one_line(rest: &[u8], below: Option<&[u8]>, is_all: bool) -> Option<Framing> {
    let rest = rest.trim_ascii_start();
    let has_second = !rest.is_empty() && !matches!(first_value(rest), First::Malformed);
    if !has_second {
        return Some(Framing::Lines);
    }
    match below {
        Some(below) if !is_blank(below) => Some(Framing::Lines),
        _ => is_all.then_some(Framing::Documents),
    }
}

/// The first value goes on below its line, or the line is broken.
fn of_several_lines(text: &[u8], below: Option<&[u8]>, is_all: bool) -> Option<Framing> {
    let are_documents = match first_value(text) {
        First::Ends(_) => true,
        First::Malformed => false,
        First::GoesOn if !is_all => return None,
        First::GoesOn => below.is_some_and(|below| !is_blank(below)),
    };
    Some(if are_documents { Framing::Documents } else { Framing::Lines })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_tells_its_framing() {
        use Framing::{Array, Documents, Lines};
        for (text, expected) in [
            ("", Lines),
            (" \n", Lines),
            ("[{}", Array),
            ("\u{FEFF} [", Array),
            ("\u{1e}{}\n\u{1e}{}\n", Documents),
            ("{\"a\": 1}\n{\"a\": 2}\n", Lines),
            ("{\"a\": 1}", Lines),
            ("\n{\"a\": 1} \n\n", Lines),
            ("{\n \"a\": 1}\n", Documents),
            ("{\"a\":\n 1}{}", Documents),
            ("{}{}", Documents),
            ("{} {}\n", Documents),
            ("{}{\"a\": 1}{\"b\"\n\n", Documents),
            ("{}{}\n{}", Lines),
            ("{} junk\n", Lines),
            ("{\"a\": 1,\n{\"a\": 2}\n", Lines),
            ("{\"a\": 1\n{\"a\": 2}\n", Lines),
            ("{\"a\": \"x\n{\"a\": 2}\n", Lines),
            ("{\"a\": 1", Lines),
            ("{\"a\": 1\n", Lines),
            ("{\n  \"a\": 1,\n", Documents),
            ("junk\n{}{}", Lines),
            ("\"a\"\"b\"", Lines),
        ] {
            assert_eq!(framing_of(text.as_bytes(), true, false), Some(expected), "{text:?}");
            // More text never changes what less of it has told; a byte order mark is always seen whole.
            for length in 4..text.len() {
                let known = framing_of(&text.as_bytes()[..length], false, false);
                assert!(known.is_none_or(|known| known == expected), "{text:?}: {length}: {known:?}");
            }
        }
    }

    #[test]
    fn a_line_that_is_very_long_is_documents_if_it_has_several_or_lists_of_records() {
        let long = "x".repeat(HEAD_BYTES_MAX);
        let several = format!("{{}}{{\"a\":\"{long}");
        let one = format!("{{\"a\":\"{long}");
        assert_eq!(framing_of(several.as_bytes(), false, false), Some(Framing::Documents));
        assert_eq!(framing_of(one.as_bytes(), false, false), Some(Framing::Lines));
        assert_eq!(framing_of(one.as_bytes(), false, true), Some(Framing::Documents));
        let broken = one.replace("{\"a\":", "{\"Records\":[{\"a\":tru},");
        assert_eq!(framing_of(broken.as_bytes(), false, false), Some(Framing::Lines));
        assert_eq!(framing_of(broken.as_bytes(), false, true), Some(Framing::Documents));
    }
}
