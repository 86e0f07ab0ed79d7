//! A text → how it is divided, and its documents one behind the other; byte by byte.

use crate::{
    framing::{Piece, SPACES},
    json,
    records::value_at,
};

/// How a text is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are named as the flag names them")]
pub enum Framing {
    Auto,
    Lines,
    Array,
    Documents,
}

const SEPARATOR: u8 = 0x1E;

/// How a text whose first character is at `start` is divided, by what it says itself.
pub(crate) fn framing_of(text: &[u8], start: usize) -> Framing {
    let text = &text[start..];
    match text[0] {
        b'[' => return Framing::Array,
        SEPARATOR => return Framing::Documents,
        b'{' => {}
        _ => return Framing::Lines,
    }
    let text = String::from_utf8_lossy(text);
    let (line, below) = text.split_once('\n').map_or((&*text, None), |(line, below)| (line, Some(below)));
    let is_blank = |text: &str| text.bytes().all(|byte| SPACES.contains(&byte));
    let has_more = below.is_some_and(|below| !is_blank(below));
    if let Some(value) = first_value(line) {
        let rest = line[value..].trim_start_matches([' ', '\t', '\r', '\u{c}']);
        let has_second = !rest.is_empty() && (first_value(rest).is_some() || can_go_on(rest));
        return if has_second && !has_more { Framing::Documents } else { Framing::Lines };
    }
    if below.is_some() && can_go_on(line) {
        // Only a value that goes on to the next line is more than a line.
        if first_value(&text).is_some() || has_more && can_go_on(&text) {
            return Framing::Documents;
        }
    }
    Framing::Lines
}

/// The length of the value at the start of a text, if there is one.
fn first_value(text: &str) -> Option<usize> {
    value_at(text).map(|(_, length)| length)
}

/// Whether there is any text that makes this one a value, if it is put behind it.
fn can_go_on(text: &str) -> bool {
    let mut open = Vec::new();
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' if !in_string => open.push('}'),
            b'[' if !in_string => open.push(']'),
            b'}' | b']' if !in_string => drop(open.pop()),
            _ => {}
        }
    }
    let closing: String = open.iter().rev().collect();
    let of_strings = [
        "",
        "n",
        "u0000",
        "0000",
        "000",
        "00",
        "0",
        "\\uDC00",
        "uDC00",
        "DC00",
        "C00",
        "800\\uDC00",
        "00\\uDC00",
        "0\\uDC00",
    ];
    let strings = of_strings.iter().flat_map(|rest| [format!("{rest}\""), format!("{rest}\":0")]);
    let others = ["", "0", ":0", "\"\":0", "rue", "ue", "e", "alse", "lse", "se", "ull", "ll", "l"];
    let tails: Vec<String> = strings.chain(others.map(str::to_owned)).collect();
    tails.iter().any(|tail| json::read(&format!("{text}{tail}{closing}")).is_some())
}

/// The documents of a text; `None` if the last one has no end.
pub(crate) fn documents(text: &[u8], start: usize) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut at = start;
    while let Some(&byte) = text.get(at) {
        if SPACES.contains(&byte) || byte == SEPARATOR {
            at += 1;
            continue;
        }
        let next = match byte {
            b'{' | b'[' => end_of_document(text, at)?,
            _ => {
                let length = text[at..].iter().position(|byte| [b'\n', SEPARATOR, b'{'].contains(byte));
                length.map_or(text.len(), |length| at + length)
            }
        };
        pieces.push(Piece::trimmed(text, at, next, false));
        at = next;
    }
    Some(pieces)
}

/// Where the document at `start` ends: behind its bracket, or before the text that can't be in it.
fn end_of_document(text: &[u8], start: usize) -> Option<usize> {
    let mut open: Vec<u8> = Vec::new();
    let (mut in_string, mut escaped) = (false, false);
    // The last byte before this one that is not white space, and whether a newline follows it.
    let (mut last, mut newline) = (b':', false);
    let mut at = start;
    loop {
        let byte = *text.get(at)?;
        if byte == SEPARATOR {
            return Some(at);
        }
        if byte == b'\n' {
            // No string goes over a newline.
            (in_string, escaped, newline) = (false, false, true);
        } else if in_string {
            if escaped {
                escaped = false;
            } else {
                escaped = byte == b'\\';
                in_string = byte != b'"';
            }
            (last, newline) = (b'"', false);
        } else if !SPACES.contains(&byte) {
            match byte {
                b'"' => in_string = true,
                b'{' => {
                    let may_begin = match last {
                        b':' | b'[' => true,
                        b',' => open.last() == Some(&b'['),
                        _ => false,
                    };
                    if !may_begin && (newline || last == b'}') {
                        return Some(at);
                    }
                    open.push(byte);
                }
                b'[' => open.push(byte),
                b'}' | b']' => {
                    open.pop();
                    if open.is_empty() {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
            (last, newline) = (byte, false);
        }
        at += 1;
    }
}
