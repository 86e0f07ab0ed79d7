//! The bytes of one line → its JSON tokens, strictly by RFC 8259, as spans of the line. Nothing is copied or
//! decoded.
//!
//! A pull scanner: the caller asks for the next key or value, and gets its span. The caller skips unneeded
//! values with [`Scanner::value`], which validates them all the same. Beyond the grammar, the scanner refuses
//! what `serde_json` refuses: lone surrogates, and nesting deeper than [`DEPTH_MAX`].
//!
//! Invariant: input is valid UTF-8. A scanner that reached [`Scanner::end`] without a fault has seen one
//! valid JSON text. Work is linear in the line's length and nothing recurses, so no line can exhaust the
//! stack.

mod key_predictor;
mod known;
mod plain;
mod text;
mod value;

pub(crate) use self::value::END_OF_LINE;
pub(crate) use self::{
    key_predictor::{KeyPredictor, Next, OBJECT_START, OTHER_KEYS},
    known::KnownText,
    plain::{end_of_integer, end_of_plain, same},
    text::{compact_into, quoted_into, unescape_into},
};
use self::{plain::end_of_digits, text::parse_hex, value::Expected};
pub use self::{
    text::quoted_key,
    value::{Kind, Malformed, Value},
};
use crate::framing::nesting::Nesting;

/// The most levels of objects and arrays in a line, including the event itself: the limit of `serde_json`.
pub const DEPTH_MAX: u32 = 127;

/// Scans one line; see the module.
#[derive(Debug)]
pub struct Scanner<'a> {
    line: &'a [u8],
    /// The line, and the text after it in its block, which is loaded with it but never interpreted.
    text: &'a [u8],
    at: usize,
    depth: u32,
    /// Whether a newline is white space. It is not while the line's end is still unknown.
    spans_newlines: bool,
}

type Scan<T> = Result<T, Malformed>;

impl<'a> Scanner<'a> {
    /// A scanner at the start of a line.
    #[must_use]
    pub fn new(line: &'a [u8]) -> Self {
        Self { line, text: line, at: 0, depth: 0, spans_newlines: true }
    }

    /// A scanner of the first `length` bytes of `text`. The result is the same as for the line alone, but
    /// faster if more text follows.
    pub(crate) fn in_text(text: &'a [u8], length: usize) -> Self {
        Self { text, ..Self::new(&text[..length]) }
    }

    /// A scanner at a value that was scanned before.
    pub(crate) fn at(line: &'a [u8], value: Value) -> Self {
        Self { at: value.start(), ..Self::new(line) }
    }

    /// A scanner at a value that was found before, with this many levels around it.
    pub(crate) fn at_depth(line: &'a [u8], value: Value, depth: u32) -> Self {
        Self { depth, ..Self::at(line, value) }
    }

    /// A scanner at `at` in the first `length` bytes of `text`.
    pub(crate) fn in_text_from(text: &'a [u8], length: usize, at: usize) -> Self {
        Self { at, ..Self::in_text(text, length) }
    }

    /// Continues at `at` in an object, with this many levels around it, in a text that begins with the line.
    /// Without a `length`, the line ends at the next newline; the scanner never goes beyond that.
    #[inline]
    pub(crate) fn in_object(text: &'a [u8], length: Option<usize>, at: usize, depth: u32) -> Self {
        let line = length.and_then(|length| text.get(..length)).unwrap_or(text);
        Self { line, text, at, depth, spans_newlines: length.is_some() }
    }

    /// The line. While its end is still unknown, more than that.
    pub(crate) fn line(&self) -> &'a [u8] {
        self.line
    }

    /// The offset of the next byte in the line.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// The levels around the next byte.
    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    /// Continues behind a value whose end is known.
    #[inline]
    pub(crate) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    /// Takes a value, of which `known` was found before: an object or list by its brackets alone.
    #[inline]
    pub(crate) fn pass(&mut self, known: Option<Value>) -> Scan<Value> {
        let Some(known) = known else { return self.value() };
        if matches!(known.kind(), Kind::Object | Kind::Array) {
            let value = self.value()?;
            return if value == known { Ok(value) } else { self.misplaced() };
        }
        self.at = known.end();
        Ok(known)
    }

    /// Fails here, because a value does not end where its brackets say.
    #[cold]
    pub(crate) fn misplaced<T>(&self) -> Scan<T> {
        self.fault(Expected::CommaOrBrace)
    }

    /// Takes the next object or list as it is told by its strings and brackets. It may not be JSON.
    pub(crate) fn skip(&mut self) -> Scan<Value> {
        let (start, first) = (self.at, self.line[self.at]);
        let mut at = start + 1;
        if !Nesting::behind(first).ends_container(self.line, &mut at) {
            return self.container();
        }
        self.at = at;
        Ok(Value::new(if first == b'{' { Kind::Object } else { Kind::Array }, start, at))
    }

    /// The next byte that is not white space; `None` at the end.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        match self.line.get(self.at) {
            Some(&byte) if byte > b' ' => Some(byte),
            _ => self.peek_behind_space(),
        }
    }

    fn peek_behind_space(&mut self) -> Option<u8> {
        loop {
            match self.line.get(self.at) {
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                Some(b'\n') if self.spans_newlines => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    /// Succeeds if only white space is left.
    ///
    /// # Errors
    /// [`Malformed`] where the line is not JSON.
    pub fn end(&mut self) -> Scan<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.fault(Expected::End),
        }
    }

    /// Enters an object: at its first key, or past it if it is empty (`false`).
    ///
    /// # Errors
    /// [`Malformed`] where the line is not JSON.
    pub fn enter_object(&mut self) -> Scan<bool> {
        debug_assert_eq!(self.peek(), Some(b'{'));
        self.descend()?;
        if self.peek() == Some(b'}') {
            self.ascend();
            return Ok(false);
        }
        Ok(true)
    }

    /// Leaves a value in an object: `true` if another key follows, `false` if the object ended.
    ///
    /// # Errors
    /// [`Malformed`] where the line is not JSON.
    #[inline]
    pub fn next_member(&mut self) -> Scan<bool> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(b'}') => {
                self.ascend();
                Ok(false)
            }
            _ => self.fault(Expected::CommaOrBrace),
        }
    }

    /// Takes the key and its colon if the key is written as `quoted`: the name with its closing quote.
    #[inline]
    pub fn take_key(&mut self, quoted: &[u8]) -> bool {
        if self.peek() != Some(b'"') {
            return false;
        }
        let from = self.at + 1;
        if !self.line[from..].starts_with(quoted) {
            return false;
        }
        let before = self.at;
        self.at = from + quoted.len();
        if self.peek() == Some(b':') {
            self.at += 1;
            return true;
        }
        self.at = before;
        false
    }

    /// Takes the next key and its colon.
    ///
    /// # Errors
    /// [`Malformed`] where the line is not JSON.
    pub fn key(&mut self) -> Scan<Value> {
        if self.peek() != Some(b'"') {
            return self.fault(Expected::Key);
        }
        let key = self.string()?;
        if self.peek() != Some(b':') {
            return self.fault(Expected::Colon);
        }
        self.at += 1;
        Ok(key)
    }

    /// Enters an object whose keys [`Self::next_key`] takes.
    #[inline]
    pub(crate) fn open_object(&mut self) -> Scan<()> {
        debug_assert_eq!(self.peek(), Some(b'{'));
        self.descend()
    }

    /// Takes the next key of an object, and its colon; `None` past the object's end. `is_first`: there is no
    /// value before.
    pub(crate) fn next_key(&mut self, is_first: bool) -> Scan<Option<Value>> {
        let more = match (is_first, self.peek()) {
            (true, Some(b'}')) => {
                self.ascend();
                false
            }
            (true, _) => true,
            (false, _) => self.next_member()?,
        };
        if more { self.key().map(Some) } else { Ok(None) }
    }

    /// Takes the next value; objects and arrays as a whole.
    ///
    /// # Errors
    /// [`Malformed`] where the line is not JSON.
    #[inline]
    pub fn value(&mut self) -> Scan<Value> {
        match self.line.get(self.at) {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.other_value(),
        }
    }

    #[inline(never)]
    fn other_value(&mut self) -> Scan<Value> {
        match self.peek() {
            Some(b'{' | b'[') => self.container(),
            _ => self.scalar(),
        }
    }

    #[inline]
    fn scalar(&mut self) -> Scan<Value> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'n') => self.literal(b"null", Kind::Null),
            Some(b't') => self.literal(b"true", Kind::True),
            Some(b'f') => self.literal(b"false", Kind::False),
            _ => self.fault(Expected::Value),
        }
    }

    fn literal(&mut self, word: &[u8], kind: Kind) -> Scan<Value> {
        let start = self.at;
        if !self.line[start..].starts_with(word) {
            return self.fault(Expected::Value);
        }
        self.at += word.len();
        Ok(Value::new(kind, start, self.at))
    }

    /// Takes an object or array as a whole, with a stack of one bit per level: is it an object?
    fn container(&mut self) -> Scan<Value> {
        let (start, outer) = (self.at, self.depth);
        let kind = if self.line[start] == b'{' { Kind::Object } else { Kind::Array };
        let mut objects = 0_u128;
        loop {
            // A value is expected; an empty container ends at once.
            match self.peek() {
                Some(b'{') => {
                    if self.enter_object()? {
                        objects = objects << 1 | 1;
                        self.key()?;
                        continue;
                    }
                }
                Some(b'[') => {
                    if self.enter_array()? {
                        objects <<= 1;
                        continue;
                    }
                }
                _ => drop(self.scalar()?),
            }
            // A value has ended, and its container may end with it.
            loop {
                if self.depth == outer {
                    return Ok(Value::new(kind, start, self.at));
                }
                let more = if objects & 1 == 1 {
                    let more = self.next_member()?;
                    if more {
                        self.key()?;
                    }
                    more
                } else {
                    self.next_element()?
                };
                if more {
                    break;
                }
                objects >>= 1;
            }
        }
    }

    /// Enters an array: at its first element, or past it if it is empty (`false`).
    ///
    /// # Errors
    /// [`Malformed`] where the line is not JSON.
    pub fn enter_array(&mut self) -> Scan<bool> {
        self.descend()?;
        if self.peek() == Some(b']') {
            self.ascend();
            return Ok(false);
        }
        Ok(true)
    }

    /// Leaves an element of an array: `true` if another follows, `false` if the array ended.
    ///
    /// # Errors
    /// [`Malformed`] where the line is not JSON.
    pub fn next_element(&mut self) -> Scan<bool> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(b']') => {
                self.ascend();
                Ok(false)
            }
            _ => self.fault(Expected::CommaOrBracket),
        }
    }

    fn descend(&mut self) -> Scan<()> {
        if self.depth == DEPTH_MAX {
            return self.fault(Expected::FewerLevels);
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    fn ascend(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    #[inline]
    fn number(&mut self) -> Scan<Value> {
        let start = self.at;
        if self.line[self.at] == b'-' {
            self.at += 1;
        }
        match self.line.get(self.at) {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.line.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.line.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.line.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Value::new(Kind::Number, start, self.at))
    }

    #[inline]
    fn digits(&mut self) -> Scan<()> {
        let from = self.at;
        self.at = end_of_digits(self.text, self.line.len(), from);
        if self.at == from { self.fault(Expected::Digit) } else { Ok(()) }
    }

    #[inline]
    fn string(&mut self) -> Scan<Value> {
        self.string_from(self.at, self.at + 1)
    }

    /// Takes the string that begins at `start` and is plain up to `from`.
    #[inline]
    fn string_from(&mut self, start: usize, from: usize) -> Scan<Value> {
        self.at = end_of_plain(self.text, self.line.len(), from);
        if self.line.get(self.at) == Some(&b'"') {
            self.at += 1;
            return Ok(Value::new(Kind::String { escaped: false }, start, self.at));
        }
        self.string_with_escapes(start)
    }

    /// Takes a string if it comes next and `read` accepts its first `N` bytes. These must be without quotes,
    /// backslashes and control characters, because they are not scanned again.
    #[inline]
    pub(crate) fn string_with_front<const N: usize, T>(
        &mut self,
        read: impl FnOnce(&[u8; N]) -> Option<T>,
    ) -> Scan<Option<(Value, T)>> {
        let start = self.at;
        let Some([b'"', inner @ ..]) = self.line.get(start..) else { return Ok(None) };
        let Some(front) = inner.first_chunk::<N>().and_then(read) else { return Ok(None) };
        Ok(Some((self.string_from(start, start + 1 + N)?, front)))
    }

    /// Takes the rest of a string that continues with anything but its end.
    #[inline(never)]
    fn string_with_escapes(&mut self, start: usize) -> Scan<Value> {
        loop {
            match self.line.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Value::new(Kind::String { escaped: true }, start, self.at));
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return self.fault(Expected::NoControlCharacter),
                None => return self.fault(Expected::Quote),
            }
            self.at = end_of_plain(self.text, self.line.len(), self.at);
        }
    }

    /// Skips an escape; surrogates must come in pairs.
    fn escape(&mut self) -> Scan<()> {
        let kind = self.line.get(self.at + 1);
        match kind {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => match self.hex(self.at + 2)? {
                0xD800..=0xDBFF => {
                    let low = self.at + 6;
                    if self.line.get(low..low + 2) != Some(b"\\u")
                        || !matches!(self.hex(low + 2)?, 0xDC00..=0xDFFF)
                    {
                        return self.fault(Expected::Surrogates);
                    }
                    self.at += 12;
                }
                0xDC00..=0xDFFF => return self.fault(Expected::Surrogates),
                _ => self.at += 6,
            },
            _ => return self.fault(Expected::Escape),
        }
        Ok(())
    }

    fn hex(&self, at: usize) -> Scan<u16> {
        match self.line.get(at..at + 4).and_then(parse_hex) {
            Some(unit) => Ok(unit),
            None => self.fault(Expected::HexDigits),
        }
    }

    #[cold]
    fn fault<T>(&self, expected: Expected) -> Scan<T> {
        Err(Malformed::new(self.at, expected))
    }
}

#[cfg(test)]
mod tests;
