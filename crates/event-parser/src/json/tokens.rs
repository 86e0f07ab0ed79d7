//! The next value of a line → its span: validated as a whole, whatever it is.
//!
//! Invariant: a value ends where JSON says, and the scanner stands behind it.

use super::{
    Kind, Scan, Scanner, Value,
    plain::{end_of_digits, end_of_plain},
    text::parse_hex,
    value::Expected,
};

impl Scanner<'_> {
    /// Takes the next value; objects and arrays as a whole.
    ///
    /// # Errors
    /// [`super::Malformed`] where the line is not JSON.
    #[inline]
    pub fn value(&mut self) -> Scan<Value> {
        match self.line.get(self.at) {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.other_value(),
        }
    }

    #[inline(never)]
    pub(super) fn other_value(&mut self) -> Scan<Value> {
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
    pub(super) fn container(&mut self) -> Scan<Value> {
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
    pub(super) fn string(&mut self) -> Scan<Value> {
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
}
