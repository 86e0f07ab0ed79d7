//! The bytes of one line → its JSON tokens, strictly by RFC 8259, as spans of the line; nothing is copied or decoded.
//!
//! A pull scanner: the caller asks for the next key or value, and gets where it stands. What the caller doesn't want it
//! skips with [`Scanner::value`], which validates just the same. Beyond the grammar it refuses what `serde_json` refuses:
//! lone surrogates, and nesting deeper than [`DEPTH_MAX`].
//!
//! Invariant: input is valid UTF-8; a scanner that reached [`Scanner::end`] without a fault has seen one valid JSON text.
//! Work is linear in the line's length and nothing recurses, so no line can exhaust the stack.

use std::borrow::Cow;

/// Levels of objects and arrays that a line may nest, the event's own object included: `serde_json`'s limit.
pub(crate) const DEPTH_MAX: u32 = 127;

/// Where a line is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// Byte of the line, from 0.
    pub(crate) at: usize,
    /// What JSON allows there.
    pub(crate) expected: &'static str,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    True,
    False,
    Number,
    /// The span includes the quotes; `escaped` tells whether there is a backslash in it.
    String {
        escaped: bool,
    },
    Object,
    Array,
}

/// A value, as a span of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Value {
    /// The value as it is written.
    pub(crate) fn text(self, line: &[u8]) -> &[u8] {
        &line[self.start..self.end]
    }

    /// A string's characters between its quotes, escapes as they are written.
    pub(crate) fn inner(self, line: &[u8]) -> &[u8] {
        &line[self.start + 1..self.end - 1]
    }

    /// What a string means, `None` of anything else; it is copied only where it has escapes.
    #[inline]
    pub(crate) fn string(self, line: &[u8]) -> Option<Cow<'_, [u8]>> {
        match self.kind {
            Kind::String { escaped: false } => Some(Cow::Borrowed(self.inner(line))),
            Kind::String { escaped: true } => {
                let mut plain = Vec::new();
                unescape_into(self.inner(line), &mut plain);
                Some(Cow::Owned(plain))
            }
            _ => None,
        }
    }
}

/// Reads one line; see the module.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    line: &'a [u8],
    at: usize,
    depth: u32,
}

type Scan<T> = Result<T, Malformed>;

impl<'a> Scanner<'a> {
    pub(crate) fn new(line: &'a [u8]) -> Self {
        Self { line, at: 0, depth: 0 }
    }

    /// Goes back to a value that was scanned before.
    pub(crate) fn at(line: &'a [u8], value: Value) -> Self {
        Self { line, at: value.start, depth: 0 }
    }

    /// How many bytes are behind.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// What comes next, white space left out; `None` at the end.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.line.get(self.at) {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    /// Succeeds if nothing but white space is left.
    pub(crate) fn end(&mut self) -> Scan<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.fault("the end of the line"),
        }
    }

    /// Goes into an object: with its first key next, or past it where it is empty (`false`).
    pub(crate) fn enter_object(&mut self) -> Scan<bool> {
        debug_assert_eq!(self.peek(), Some(b'{'));
        self.descend()?;
        if self.peek() == Some(b'}') {
            self.ascend();
            return Ok(false);
        }
        Ok(true)
    }

    /// Past a value in an object: `true` if another key comes, `false` if the object ended.
    #[inline]
    pub(crate) fn next_member(&mut self) -> Scan<bool> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(b'}') => {
                self.ascend();
                Ok(false)
            }
            _ => self.fault("`,` or `}`"),
        }
    }

    /// Takes the key and its colon if the key is written as `quoted`: the name with its closing quote.
    #[inline]
    pub(crate) fn take_key(&mut self, quoted: &[u8]) -> bool {
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

    /// Takes the next key, whatever it is, and its colon.
    pub(crate) fn key(&mut self) -> Scan<Value> {
        if self.peek() != Some(b'"') {
            return self.fault("a key in double quotes");
        }
        let key = self.string()?;
        if self.peek() != Some(b':') {
            return self.fault("`:`");
        }
        self.at += 1;
        Ok(key)
    }

    /// Takes the next value, whatever it is; objects and arrays with all that is in them.
    #[inline]
    pub(crate) fn value(&mut self) -> Scan<Value> {
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
            _ => self.fault("a value"),
        }
    }

    fn literal(&mut self, word: &[u8], kind: Kind) -> Scan<Value> {
        let start = self.at;
        if !self.line[start..].starts_with(word) {
            return self.fault("a value");
        }
        self.at += word.len();
        Ok(Value { kind, start, end: self.at })
    }

    /// An object or array with all that is in it, on a stack of one bit per level: is it an object?
    fn container(&mut self) -> Scan<Value> {
        let (start, outer) = (self.at, self.depth);
        let kind = if self.line[start] == b'{' { Kind::Object } else { Kind::Array };
        let mut objects = 0_u128;
        loop {
            // A value is due; an empty container is over at once.
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
            // A value has ended, and with it perhaps what it stands in.
            loop {
                if self.depth == outer {
                    return Ok(Value { kind, start, end: self.at });
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

    fn enter_array(&mut self) -> Scan<bool> {
        self.descend()?;
        if self.peek() == Some(b']') {
            self.ascend();
            return Ok(false);
        }
        Ok(true)
    }

    fn next_element(&mut self) -> Scan<bool> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(b']') => {
                self.ascend();
                Ok(false)
            }
            _ => self.fault("`,` or `]`"),
        }
    }

    fn descend(&mut self) -> Scan<()> {
        if self.depth == DEPTH_MAX {
            return self.fault("at most 127 levels of objects and arrays");
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
        Ok(Value { kind: Kind::Number, start, end: self.at })
    }

    #[inline]
    fn digits(&mut self) -> Scan<()> {
        let from = self.at;
        while self.line.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == from { self.fault("a digit") } else { Ok(()) }
    }

    #[inline]
    fn string(&mut self) -> Scan<Value> {
        let start = self.at;
        self.at += 1;
        let mut escaped = false;
        loop {
            self.skip_plain();
            match self.line.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Value { kind: Kind::String { escaped }, start, end: self.at });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return self.fault("no control character in a string (escape it)"),
                None => return self.fault("`\"` that ends the string"),
            }
        }
    }

    /// Past the characters of a string that mean themselves, eight bytes at a time.
    #[inline]
    fn skip_plain(&mut self) {
        while let Some(&bytes) = self.line.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            let special = special_bytes(u64::from_le_bytes(bytes));
            if special != 0 {
                self.at += special.trailing_zeros() as usize / 8;
                return;
            }
            self.at += 8;
        }
        while self.line.get(self.at).is_some_and(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
            self.at += 1;
        }
    }

    /// Past an escape; a surrogate must come in a pair.
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
                        return self.fault("a pair of surrogates");
                    }
                    self.at += 12;
                }
                0xDC00..=0xDFFF => return self.fault("a pair of surrogates"),
                _ => self.at += 6,
            },
            _ => return self.fault("an escape that JSON knows"),
        }
        Ok(())
    }

    fn hex(&self, at: usize) -> Scan<u16> {
        match self.line.get(at..at + 4).and_then(parse_hex) {
            Some(unit) => Ok(unit),
            None => self.fault("four hexadecimal digits after \\u"),
        }
    }

    #[cold]
    fn fault<T>(&self, expected: &'static str) -> Scan<T> {
        Err(Malformed { at: self.at, expected })
    }
}

/// A bit in the top of each byte of `word` that is `"`, `\` or a control character; exact up to the lowest such byte,
/// which is all that is asked for (the borrows go upwards).
#[inline]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let zero_bytes = |word: u64| word.wrapping_sub(ONES) & !word;
    let quote = zero_bytes(word ^ (ONES * u64::from(b'"')));
    let backslash = zero_bytes(word ^ (ONES * u64::from(b'\\')));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & (ONES * 0x80)
}

fn parse_hex(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0, |sum, &digit| {
        let digit = char::from(digit).to_digit(16)?;
        Some(sum * 16 + u16::try_from(digit).ok()?)
    })
}

/// Appends what a string means: `inner` with its escapes resolved. `inner` is what [`Value::inner`] gave of a string that
/// was scanned, so every escape in it is whole.
pub(crate) fn unescape_into(inner: &[u8], out: &mut Vec<u8>) {
    let mut rest = inner;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let (character, length) = match rest[at + 1] {
            b'b' => ('\u{8}', 2),
            b'f' => ('\u{c}', 2),
            b'n' => ('\n', 2),
            b'r' => ('\r', 2),
            b't' => ('\t', 2),
            b'u' => unescape_unicode(&rest[at..]),
            other => (char::from(other), 2),
        };
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[at + length..];
    }
    out.extend_from_slice(rest);
}

/// `\uXXXX`, or a surrogate pair of two of them → the character, and how many bytes it took.
fn unescape_unicode(text: &[u8]) -> (char, usize) {
    let unit = |at: usize| text.get(at..at + 4).and_then(parse_hex).unwrap_or_default();
    let high = unit(2);
    let (units, length) =
        if (0xD800..0xDC00).contains(&high) { (vec![high, unit(8)], 12) } else { (vec![high], 6) };
    let character = char::decode_utf16(units).next().and_then(Result::ok);
    (character.unwrap_or(char::REPLACEMENT_CHARACTER), length)
}

/// Appends a value's JSON text without insignificant white space and with strings in their shortest form, so that the
/// same value gives the same text however it was formatted. Order of keys and numbers stay as written.
pub(crate) fn compact_into(value: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            b'"' => {
                let length = string_length(&value[at..]);
                compact_string_into(&value[at + 1..at + length - 1], out);
                at += length;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
}

/// How many bytes the string at the front of `text` takes, with its quotes.
fn string_length(text: &[u8]) -> usize {
    let mut at = 1;
    loop {
        match text.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') | None => return at + 1,
            Some(_) => at += 1,
        }
    }
}

fn compact_string_into(inner: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    if memchr::memchr(b'\\', inner).is_none() {
        out.extend_from_slice(inner);
    } else {
        let mut plain = Vec::with_capacity(inner.len());
        unescape_into(inner, &mut plain);
        let text = String::from_utf8_lossy(&plain);
        let quoted = serde_json::to_string(&text).unwrap_or_default();
        out.extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scan(text: &[u8]) -> Result<Value, Malformed> {
        let mut scanner = Scanner::new(text);
        let value = scanner.value()?;
        scanner.end()?;
        Ok(value)
    }

    /// Whether this scanner and `serde_json` agree that `text` is JSON, and on every text derived from it.
    #[track_caller]
    fn agrees_with_serde_json(text: &[u8]) {
        let Ok(utf8) = std::str::from_utf8(text) else { return };
        let theirs = serde_json::from_str::<serde_json::Value>(utf8);
        let ours = scan(text);
        // A number that no double holds is JSON all the same; columns judge its size.
        if theirs.as_ref().is_err_and(|error| error.to_string().starts_with("number out of range")) {
            return;
        }
        assert_eq!(ours.is_ok(), theirs.is_ok(), "{utf8:?}: {ours:?}, serde_json: {theirs:?}");
        let (Ok(value), Ok(theirs)) = (ours, theirs) else { return };
        let mut text_again = Vec::new();
        compact_into(value.text(text), &mut text_again);
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&text_again).unwrap(), theirs, "{utf8:?}");
        if let (Kind::String { .. }, Some(theirs)) = (value.kind, theirs.as_str()) {
            let mut plain = Vec::new();
            unescape_into(value.inner(text), &mut plain);
            assert_eq!(plain, theirs.as_bytes(), "{utf8:?}");
        }
    }

    #[test]
    fn hand_written_texts_are_judged_as_serde_json_judges_them() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        for text in [
            "",
            " ",
            "null",
            "nul",
            "nulll",
            "true",
            "tru",
            "false",
            "{}",
            "[]",
            "{ }",
            "[ ]",
            "[[]]",
            "[{}]",
            "{\"a\":{}}",
            "[1,]",
            "[,1]",
            "{,}",
            "{\"a\":1,}",
            "{\"a\"}",
            "{\"a\" 1}",
            "{a:1}",
            "{'a':1}",
            "[1 2]",
            "[}",
            "{]",
            "[1",
            "{\"a\":1",
            "0",
            "-0",
            "01",
            "-",
            "+1",
            "1.",
            ".5",
            "1.5",
            "1e5",
            "1e",
            "1e+",
            "1E-5",
            "1e400",
            "NaN",
            "Infinity",
            "0x10",
            "\"\"",
            "\"",
            "\"a",
            "\"\\",
            "\"\\\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12g4\"",
            "\"\\u0041\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud83d\\ude00\"",
            "\"\\ud83d\\u0041\"",
            "\"\\ud83dx\"",
            "\"\\ud83d",
            "\"\\b\\f\\n\\r\\t\\/\\\\\\\"\"",
            "\"a\u{1}b\"",
            "\"a\tb\"",
            "\"a\u{0}b\"",
            "\"a\u{7f}b\"",
            "\"東京 é 😀\"",
            "\"123456789\\n123456789\"",
            "{} {}",
            "{}x",
            "[1]]",
            " {} ",
            "\t[1 , 2 ]\r\n",
            "// x",
            "[1] // x",
            "{\"a\":1,\"a\":2}",
            "{\"\\u0061\":\" \\u00e9 \"}",
        ] {
            agrees_with_serde_json(text.as_bytes());
        }
        for levels in [1, 126, 127, 128, 129, 100_000] {
            agrees_with_serde_json(nested(levels).as_bytes());
        }
        assert!(scan(b"1e400").is_ok());
    }

    #[test]
    fn a_compacted_value_is_the_same_however_it_was_formatted() {
        let mut out = Vec::new();
        compact_into(br#"{ "b" : [ 1e2 , 1.50 ,null ], "a": " \u00e9 \/ \u000A \" " }"#, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"b":[1e2,1.50,null],"a":" é / \n \" "}"#);
    }

    proptest! {
        #[test]
        fn arbitrary_json_like_text_is_judged_as_serde_json_judges_it(
            pieces in proptest::collection::vec(
                prop_oneof![
                    Just("{".to_owned()), Just("}".to_owned()), Just("[".to_owned()), Just("]".to_owned()),
                    Just(",".to_owned()), Just(":".to_owned()), Just(" ".to_owned()), Just("null".to_owned()),
                    Just("true".to_owned()), "\"[a-z\\\\u0-9éd8]{0,12}\"", "-?[0-9]{1,3}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,2})?",
                ],
                0..12,
            )
        ) {
            agrees_with_serde_json(pieces.concat().as_bytes());
        }

        #[test]
        fn valid_json_with_one_byte_changed_is_judged_as_serde_json_judges_it(at in 0_usize..200, byte: u8) {
            let mut text = br#"{"event_id": "a\u00e9\ud83d\ude00b", "data": {"id": -12.5e+3, "x": [true, null, {"y": "z"}, []], "w": {}}}"#.to_vec();
            let length = text.len();
            text[at % length] = byte;
            agrees_with_serde_json(&text);
        }
    }
}
