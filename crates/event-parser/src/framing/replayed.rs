//! Bad lines, elements and records that are to be read again ↔ a text with one of them per line.
//!
//! A newline in one of them is written as a blank, since any white space will do. A record of a document says
//! that it is one, and what it is read with of the objects around it.
//!
//! Invariant: what is read from a line is what was written to it, but for the newlines.

use super::arrays::{Element, Unit};

/// Begins the head of a line that is not the text alone, and ends it. It stands in no JSON text.
const MARK: u8 = 0x1F;
const RECORD: u8 = b'r';
const RECORD_WITH_ENCLOSING: u8 = b'e';
const TEXT: u8 = b't';

/// A line that is read again as `raw`, which is a `unit`; with its newline.
#[must_use]
pub fn replayed_line(raw: &[u8], unit: &Unit) -> Vec<u8> {
    let mut line = match unit {
        Unit::Record(None) => vec![MARK, RECORD, MARK],
        Unit::Record(Some(enclosing)) => [&[MARK, RECORD_WITH_ENCLOSING], &enclosing[..], &[MARK]].concat(),
        _ if raw.first() == Some(&MARK) => vec![MARK, TEXT, MARK],
        _ => Vec::new(),
    };
    line.extend_from_slice(raw);
    for byte in line.iter_mut().filter(|byte| **byte == b'\n') {
        *byte = b' ';
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
        let (head, unit) = head_of(text).unwrap_or((0, Unit::Element));
        elements.push(Element { range: start + head..start + text.len(), due: None, unit });
        start += line.len();
    }
    elements
}

/// The length of the head of a line, and what the text behind it is.
fn head_of(line: &[u8]) -> Option<(usize, Unit)> {
    let (kind, rest) = line.strip_prefix(&[MARK])?.split_first()?;
    let length = memchr::memchr(MARK, rest)?;
    let unit = match *kind {
        RECORD => Unit::Record(None),
        RECORD_WITH_ENCLOSING => Unit::Record(Some(rest[..length].into())),
        TEXT => Unit::Element,
        _ => return None,
    };
    Some((length + 3, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_from_a_line_is_what_was_written_to_it() {
        let around: std::sync::Arc<[u8]> = b"{\"a\":1}".as_slice().into();
        for unit in [Unit::Element, Unit::Record(None), Unit::Record(Some(around))] {
            for raw in ["", "{}", "{\n}", "\u{1f}r", "\u{1f}r\u{1f}x", "a\u{1f}b"] {
                let lines = [replayed_line(raw.as_bytes(), &unit), b"next".to_vec()].concat();
                let elements = elements_of(&lines);
                assert_eq!(elements.len(), 2);
                let expected = raw.replace('\n', " ");
                assert_eq!(&lines[elements[0].range.clone()], expected.as_bytes());
                assert_eq!((&elements[0].unit, &elements[1].unit), (&unit, &Unit::Element), "{raw:?}");
                assert_eq!(&lines[elements[1].range.clone()], b"next");
            }
        }
    }
}
