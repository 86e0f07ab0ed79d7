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
mod tokens;
mod value;

pub(crate) use self::value::END_OF_LINE;
use self::value::Expected;
pub(crate) use self::{
    key_predictor::{KeyPredictor, Next, OBJECT_START, OTHER_KEYS},
    known::KnownText,
    plain::{end_of_integer, end_of_plain, same},
    text::{compact_into, has_nul_escape, quoted_into, unescape_into},
};
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

    #[cold]
    fn fault<T>(&self, expected: Expected) -> Scan<T> {
        Err(Malformed::new(self.at, expected))
    }
}

#[cfg(test)]
mod tests;
