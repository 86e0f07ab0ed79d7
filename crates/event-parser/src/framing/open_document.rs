//! The bytes of a document → its end, found by its strings and brackets alone, 64 bytes at a time; or where
//! it breaks off, because the next document begins in it.
//!
//! A document ends with its closing bracket, whatever is between the brackets. It breaks off
//! - before a 0x1E, which stands in no JSON text;
//! - before a `{` that follows a newline or a closing brace, at a place where JSON allows no value: behind
//!   anything but `[`, `:`, or a `,` in an array.
//!
//! A string ends before a newline at the latest, because JSON has none in strings: so a missing quote costs a
//! line, and not the rest of the text.
//!
//! Invariant: the result is the same as byte by byte ([`OpenDocument::end_in`]), wherever the bytes are cut.

use super::nesting::{Masks, STRIDE, StringState};

/// ASCII's record separator, which RFC 7464 puts before each document.
pub(super) const RECORD_SEPARATOR: u8 = 0x1E;

/// The levels of brackets that one word knows.
const BITS: usize = u128::BITS as usize;

/// The position of the scanner in a document, or in a record of it.
#[derive(Debug, Default)]
pub(super) struct OpenDocument {
    depth: usize,
    /// Whether nothing follows what it is in: then it does not break off.
    is_alone: bool,
    /// For each open bracket whether it is a brace; the lowest bit is that of the innermost.
    braces: u128,
    /// The bits of the outer brackets, where there are more.
    outer: Vec<u128>,
    string: StringState,
    /// The newline that ended the last string that had no quote, in the bytes.
    unquoted: Option<usize>,
    before: Before,
}

/// What is before the bytes.
#[derive(Debug, Default, Clone, Copy)]
struct Before {
    /// The last byte that is not white space.
    last: u8,
    /// Whether a newline follows it.
    newline: bool,
}

/// How a document ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With its bracket.
    Closed,
    /// It breaks off here; the next one begins where the scanner is.
    BreaksOff(usize),
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

impl OpenDocument {
    /// The state after the opening bracket of a document.
    pub(super) fn behind(first: u8) -> Self {
        let mut open = Self::default();
        open.open(first);
        open
    }

    /// The state after the opening bracket of a record in a document that ends where its bytes do.
    pub(super) fn of_record(first: u8, is_alone: bool) -> Self {
        Self { is_alone, ..Self::behind(first) }
    }

    /// One more bracket is open.
    pub(super) fn open(&mut self, bracket: u8) {
        if self.depth > 0 && self.depth.is_multiple_of(BITS) {
            self.outer.push(std::mem::take(&mut self.braces));
        }
        self.depth += 1;
        self.braces = self.braces << 1 | u128::from(bracket == b'{');
    }

    /// Continues from `at` to the end of the document, or to that of `bytes`.
    pub(super) fn end(&mut self, bytes: &[u8], at: &mut usize) -> Option<End> {
        loop {
            let (found, length) = match bytes[*at..].first_chunk::<STRIDE>() {
                Some(stride) => (self.stride(bytes, *at, stride), STRIDE),
                None => (self.end_in(bytes, *at, bytes.len()), bytes.len() - *at),
            };
            if let Some((end, position)) = found {
                *at = position;
                return Some(end);
            }
            *at += length;
            if *at == bytes.len() {
                return None;
            }
        }
    }

    /// The first bytes were returned: the following ones count from there. The document began at `start`.
    pub(super) fn advance(&mut self, returned: &[u8], start: usize) {
        let unquoted = self.unquoted.and_then(|newline| newline.checked_sub(returned.len()));
        if start >= returned.len() {
            self.unquoted = unquoted;
            return;
        }
        let length = returned.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
        let newline = returned[length..].contains(&b'\n');
        if length > 0 {
            let is_string = self.unquoted.is_some_and(|newline| length <= newline);
            self.before = Before { last: if is_string { b'"' } else { returned[length - 1] }, newline };
        } else {
            self.before.newline |= newline;
        }
        self.unquoted = unquoted;
    }

    /// Byte by byte: how the document ends up to `to`, and the position behind that.
    fn end_in(&mut self, bytes: &[u8], from: usize, to: usize) -> Option<(End, usize)> {
        for at in from..to {
            let byte = bytes[at];
            if byte == RECORD_SEPARATOR && !self.is_alone {
                return Some((End::BreaksOff(at), at));
            }
            if byte == b'\n' && self.string.is_in() {
                self.string = StringState::default();
                self.unquoted = Some(at);
            } else if !self.string.takes(byte)
                && let Some(found) = self.structural(bytes, at)
            {
                return Some(found);
            }
        }
        None
    }

    /// The same for a whole stride.
    #[inline]
    fn stride(&mut self, bytes: &[u8], from: usize, stride: &[u8; STRIDE]) -> Option<(End, usize)> {
        let masks = Masks::of(stride);
        let mut string = self.string;
        let strings = string.stride(&masks);
        let breaks = |at: usize| stride[at] == RECORD_SEPARATOR || strings >> at & 1 != 0;
        let is_broken = memchr::memchr2_iter(b'\n', RECORD_SEPARATOR, stride).any(breaks);
        if is_broken || masks.backslashes & !strings != 0 {
            return self.end_in(bytes, from, from + STRIDE);
        }
        let mut brackets = (masks.opening | masks.closing) & !strings;
        while brackets != 0 {
            let at = from + brackets.trailing_zeros() as usize;
            if let Some(found) = self.structural(bytes, at) {
                return Some(found);
            }
            brackets &= brackets - 1;
        }
        self.string = string;
        None
    }

    /// Takes a byte outside of strings.
    #[inline]
    fn structural(&mut self, bytes: &[u8], at: usize) -> Option<(End, usize)> {
        match bytes[at] {
            b'{' => {
                if let Some(end) = self.breaks_off(bytes, at) {
                    return Some((End::BreaksOff(end), at));
                }
                self.open(b'{');
            }
            b'[' => self.open(b'['),
            b'}' | b']' => {
                self.depth -= 1;
                self.braces >>= 1;
                if self.depth == 0 {
                    return Some((End::Closed, at + 1));
                }
                if self.depth.is_multiple_of(BITS) {
                    self.braces = self.outer.pop().unwrap_or_default();
                }
            }
            _ => {}
        }
        None
    }

    /// Where the document breaks off, if the brace at `at` can't be in it.
    #[inline]
    fn breaks_off(&self, bytes: &[u8], at: usize) -> Option<usize> {
        if self.is_alone {
            return None;
        }
        let mut end = at;
        let mut newline = false;
        while end > 0 && is_space(bytes[end - 1]) {
            end -= 1;
            newline |= bytes[end] == b'\n';
        }
        let last = if end > 0 {
            bytes[end - 1]
        } else {
            newline |= self.before.newline;
            self.before.last
        };
        if self.unquoted.is_some_and(|newline| end <= newline) {
            return Some(end);
        }
        let is_allowed = match last {
            b'[' | b':' => true,
            b',' => self.braces & 1 == 0,
            _ => false,
        };
        (!is_allowed && (newline || last == b'}')).then_some(end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let part = prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            "\"",
            "\\",
            ",",
            ":",
            "\n",
            " ",
            "\u{1e}",
            "a",
            "{\"a\":1}",
            "},\n{",
            "}\n{",
            "\"text of a string, long enough to fill more than a stride {[\\\"\"",
            "é",
        ]);
        proptest::collection::vec(part, 0..60).prop_map(|parts| parts.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn strides_find_the_same_end_as_byte_by_byte_wherever_bytes_are_cut(
            rest in text(), cuts in proptest::collection::vec(1..200_usize, 1..5)
        ) {
            let text = [b"{".as_slice(), &rest].concat();
            let expected = OpenDocument::behind(b'{').end_in(&text, 1, text.len());
            let (mut open, mut at, mut to) = (OpenDocument::behind(b'{'), 1, 1);
            let mut found = None;
            for cut in cuts.iter().cycle() {
                to = (to + cut).min(text.len());
                found = open.end(&text[..to], &mut at);
                if found.is_some() || to == text.len() {
                    break;
                }
            }
            prop_assert_eq!(found.map(|end| (end, at)), expected);
        }

        #[test]
        fn bytes_that_were_returned_are_remembered_as_far_as_they_matter(rest in text(), piece in 1..90_usize) {
            let text = [b"{".as_slice(), &rest].concat();
            let expected = OpenDocument::behind(b'{').end_in(&text, 1, text.len()).map(|(end, at)| {
                (end == End::Closed, at)
            });
            let (mut open, mut from, mut at) = (OpenDocument::behind(b'{'), 0, 1);
            let mut found = None;
            while found.is_none() && from < text.len() {
                let bytes = &text[from..(from + piece).min(text.len())];
                found = if at < bytes.len() { open.end(bytes, &mut at) } else { None };
                if found.is_none() {
                    open.advance(bytes, 0);
                    (at, from) = (at - bytes.len(), from + bytes.len());
                }
            }
            prop_assert_eq!(found.map(|end| (end == End::Closed, from + at)), expected);
        }
    }
}
