//! The text of a source → its lines, the elements of its array, or its documents; byte by byte.

use crate::documents::{self, Framing};

/// A line, or an element.
#[derive(Debug)]
pub struct Piece<'t> {
    /// Of its first byte.
    pub offset: usize,
    /// From 1.
    pub line: u64,
    /// Its bytes.
    pub raw: &'t [u8],
    /// It is an element of an array, or follows the array.
    pub is_element: bool,
    /// It stands where the array allows no element.
    pub out_of_place: bool,
    /// It is a document that has none of the paths to records.
    pub no_records: bool,
}

pub(crate) const SPACES: &[u8] = b" \t\r\n";

impl<'t> Piece<'t> {
    /// The text from `start` to `end`, without white space at its end.
    pub(crate) fn trimmed(text: &'t [u8], start: usize, end: usize, out_of_place: bool) -> Self {
        let line = text[..start].split(|byte| *byte == b'\n').count() as u64;
        let spaces = text[start..end].iter().rev().take_while(|byte| SPACES.contains(byte)).count();
        let raw = &text[start..end - spaces];
        Self { offset: start, line, raw, is_element: true, out_of_place, no_records: false }
    }
}

/// The lines, elements or documents of a text, as it tells itself; `None` for an array or a document without
/// an end.
#[must_use]
pub fn pieces(text: &[u8]) -> Option<Vec<Piece<'_>>> {
    pieces_in(text, Framing::Auto)
}

/// The same in this framing.
#[must_use]
pub fn pieces_in(text: &[u8], framing: Framing) -> Option<Vec<Piece<'_>>> {
    let start = if text.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let Some(at) = text[start..].iter().position(|byte| !SPACES.contains(byte)) else {
        return Some(if matches!(framing, Framing::Auto | Framing::Lines) {
            lines(text)
        } else {
            Vec::new()
        });
    };
    let first = start + at;
    match if framing == Framing::Auto { documents::framing_of(text, first) } else { framing } {
        Framing::Array => array(text, first),
        Framing::Documents => documents::documents(text, first),
        _ => Some(lines(text)),
    }
}

/// `\n` alone separates; an empty rest is no line.
fn lines(text: &[u8]) -> Vec<Piece<'_>> {
    let (mut lines, mut offset) = (Vec::new(), 0);
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let raw = line.strip_suffix(b"\n").unwrap_or(line);
        let number = 1 + lines.len() as u64;
        lines.push(Piece {
            offset,
            line: number,
            raw,
            is_element: false,
            out_of_place: false,
            no_records: false,
        });
        offset += line.len();
    }
    lines
}

fn array(text: &[u8], bracket: usize) -> Option<Vec<Piece<'_>>> {
    let mut elements = Vec::new();
    let mut add = |start: usize, end: usize, out_of_place| {
        elements.push(Piece::trimmed(text, start, end, out_of_place));
    };
    let mut at = bracket + 1;
    let (mut is_first, mut comma) = (true, true);
    loop {
        match *text.get(at)? {
            byte if SPACES.contains(&byte) => at += 1,
            b']' if is_first || !comma => break,
            b']' => {
                add(at, at + 1, false);
                break;
            }
            b',' => {
                if comma {
                    add(at, at + 1, false);
                }
                (is_first, comma) = (false, true);
                at += 1;
            }
            _ => {
                let end = end_of_element(text, at)?;
                add(at, end, !comma);
                (is_first, comma) = (false, false);
                at = end;
            }
        }
    }
    at += 1;
    let mut same_line = true;
    for line in text[at..].split_inclusive(|&byte| byte == b'\n') {
        if let Some(spaces) = line.iter().position(|byte| !SPACES.contains(byte)) {
            add(at + spaces, at + line.len(), same_line);
        }
        same_line = false;
        at += line.len();
    }
    Some(elements)
}

/// An object or array goes on to its bracket, anything else up to a comma or bracket, outside of strings.
pub(crate) fn end_of_element(text: &[u8], start: usize) -> Option<usize> {
    let is_container = matches!(text[start], b'{' | b'[');
    let (mut depth, mut in_string, mut at) = (0, false, start);
    loop {
        let byte = *text.get(at)?;
        if in_string {
            at += usize::from(byte == b'\\');
            in_string = byte != b'"';
        } else {
            match byte {
                b'"' => in_string = true,
                b',' | b'[' | b'{' | b']' if !is_container => return Some(at),
                b'[' | b'{' => depth += 1,
                b']' | b'}' if is_container => depth -= 1,
                _ => {}
            }
            if is_container && depth == 0 {
                return Some(at + 1);
            }
        }
        at += 1;
    }
}
