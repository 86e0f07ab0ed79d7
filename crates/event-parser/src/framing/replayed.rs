//! Bad lines, elements and records that are to be read again ↔ a text with one of them per line.
//!
//! A newline in one of them is written as a carriage return: both are white space between tokens, and neither
//! may stand in a string. A record of a document says that it is one, and what it is read with of the objects
//! around it. A text that stood where none may be says so, and is bad again, whatever it is.
//!
//! Invariant: what is read from a line is what was written to it, but for the newlines. A byte order mark is
//! a part of it.

use super::{
    BYTE_ORDER_MARK,
    arrays::{Element, Unit},
};

/// Begins the head of a line that is not the text alone, and ends it. It stands in no JSON text.
const MARK: u8 = 0x1F;
const RECORD: u8 = b'r';
const RECORD_WITH_ENCLOSING: u8 = b'e';
const TEXT: u8 = b't';
const MISPLACED: u8 = b'm';

/// What is due where a misplaced text stands. The quarantine keeps the message of the load.
const DUE: &str = "nothing";

/// A line that is read again as `raw`, which is a `unit`; with its newline.
#[must_use]
pub fn replayed_line(raw: &[u8], unit: &Unit, is_misplaced: bool) -> Vec<u8> {
    let mut line = match unit {
        _ if is_misplaced => vec![MARK, MISPLACED, MARK],
        Unit::Record(None) => vec![MARK, RECORD, MARK],
        Unit::Record(Some(enclosing)) => [&[MARK, RECORD_WITH_ENCLOSING], &enclosing[..], &[MARK]].concat(),
        // A mark at the start of a text would not be a part of its first line.
        _ if raw.first() == Some(&MARK) || raw.starts_with(BYTE_ORDER_MARK) => vec![MARK, TEXT, MARK],
        _ => Vec::new(),
    };
    line.extend_from_slice(raw);
    for byte in line.iter_mut().filter(|byte| **byte == b'\n') {
        *byte = b'\r';
    }
    line.push(b'\n');
    line
}

/// The elements that the lines in `bytes` are.
pub(super) fn elements_of(bytes: &[u8]) -> Vec<Element> {
    let mut elements = Vec::new();
    let mut start = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let (head, due, unit) = head_of(text).unwrap_or_default();
        elements.push(Element { range: start + head..start + text.len(), due, unit });
        start += line.len();
    }
    elements
}

/// The length of the head of a line, what is due in the place of the text behind it, and what that is.
fn head_of(line: &[u8]) -> Option<(usize, Option<&'static str>, Unit)> {
    let (kind, rest) = line.strip_prefix(&[MARK])?.split_first()?;
    let length = memchr::memchr(MARK, rest)?;
    let (due, unit) = match *kind {
        RECORD => (None, Unit::Record(None)),
        RECORD_WITH_ENCLOSING => (None, Unit::Record(Some(rest[..length].into()))),
        TEXT => (None, Unit::Element),
        MISPLACED => (Some(DUE), Unit::Element),
        _ => return None,
    };
    Some((length + 3, due, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_from_a_line_is_what_was_written_to_it() {
        let around: std::sync::Arc<[u8]> = b"{\"a\":1}".as_slice().into();
        for unit in [Unit::Element, Unit::Record(None), Unit::Record(Some(around))] {
            for raw in ["", "{}", "{\n}", "\u{1f}r", "\u{1f}r\u{1f}x", "a\u{1f}b", "\u{feff}{}"] {
                let lines = [replayed_line(raw.as_bytes(), &unit, false), b"next".to_vec()].concat();
                let elements = elements_of(&lines);
                assert_eq!(elements.len(), 2);
                let expected = raw.replace('\n', "\r");
                assert_eq!(&lines[elements[0].range.clone()], expected.as_bytes());
                assert_eq!((&elements[0].unit, &elements[1].unit), (&unit, &Unit::Element), "{raw:?}");
                assert_eq!(&lines[elements[1].range.clone()], b"next");
                let misplaced = elements_of(&replayed_line(raw.as_bytes(), &unit, true));
                assert_eq!(misplaced[0].due, Some(DUE), "{raw:?}");
            }
        }
    }
}
