//! The results of a scanner: values as spans of their line, or the position where the line is not JSON. Each
//! is one word.
//!
//! Invariant: a span belongs to the line that was scanned, and its kind is that of its text.

use std::borrow::Cow;

use super::unescape_into;

/// The position where a line is not JSON, and what JSON allows there. One word, like a [`Value`]: both are
/// passed in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    bits: u64,
}

impl Malformed {
    #[cold]
    pub(super) fn new(at: usize, expected: Expected) -> Self {
        Self { bits: (at as u64) << 8 | expected as u64 }
    }

    /// The byte of the line, from 0.
    #[must_use]
    pub fn at(self) -> usize {
        usize::try_from(self.bits >> 8).unwrap_or(usize::MAX)
    }

    /// What JSON allows there.
    #[must_use]
    pub fn expected(self) -> &'static str {
        let index = usize::try_from(self.bits & 0xFF).ok();
        index.and_then(|index| Expected::ALL.get(index)).map_or("", |expected| expected.text())
    }

    /// Whether the text is JSON up to its end, so that more of it could mend this.
    pub(crate) fn is_cut(self, text: &[u8]) -> bool {
        let rest = text.get(self.at()..).unwrap_or_default();
        let is = |expected: Expected| self.bits & 0xFF == expected as u64;
        let in_escape = is(Expected::Escape) || is(Expected::HexDigits) || is(Expected::Surrogates);
        let words = || ["true", "false", "null"].iter().any(|word| word.as_bytes().starts_with(rest));
        rest.is_empty() || in_escape && begins_escape(rest) || is(Expected::Value) && words()
    }
}

/// Whether a text is the beginning of an escape, or of two that are a pair of surrogates.
fn begins_escape(text: &[u8]) -> bool {
    const PAIR: &[u8] = b"\\uD8FF\\uDCFF";
    let fits = |(index, byte): (usize, &u8)| match PAIR[index] {
        b'\\' | b'u' => *byte == PAIR[index],
        b'D' => matches!(byte, b'D' | b'd'),
        b'8' => matches!(byte, b'8'..=b'9' | b'a'..=b'b' | b'A'..=b'B'),
        b'C' => matches!(byte, b'c'..=b'f' | b'C'..=b'F'),
        _ => byte.is_ascii_hexdigit(),
    };
    // Four digits are complete unless they are the first half of a pair.
    let is_low = matches!(text, [_, _, b'D' | b'd', b'c'..=b'f' | b'C'..=b'F', ..]);
    let is_one = text.len() < 6 && !is_low && text.iter().skip(2).all(u8::is_ascii_hexdigit);
    is_one && text.get(1).is_none_or(|byte| *byte == b'u')
        || text.len() < PAIR.len() && text.iter().enumerate().all(fits)
}

/// What is expected behind the only value of a line.
pub(crate) const END_OF_LINE: &str = "the end of the line";

/// What JSON allows at some position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    End,
    CommaOrBrace,
    Key,
    Colon,
    Value,
    CommaOrBracket,
    FewerLevels,
    Digit,
    NoControlCharacter,
    Quote,
    Surrogates,
    Escape,
    HexDigits,
}

impl Expected {
    /// In their order.
    const ALL: [Self; 13] = [
        Self::End,
        Self::CommaOrBrace,
        Self::Key,
        Self::Colon,
        Self::Value,
        Self::CommaOrBracket,
        Self::FewerLevels,
        Self::Digit,
        Self::NoControlCharacter,
        Self::Quote,
        Self::Surrogates,
        Self::Escape,
        Self::HexDigits,
    ];

    fn text(self) -> &'static str {
        match self {
            Self::End => END_OF_LINE,
            Self::CommaOrBrace => "`,` or `}`",
            Self::Key => "a key in double quotes",
            Self::Colon => "`:`",
            Self::Value => "a value",
            Self::CommaOrBracket => "`,` or `]`",
            Self::FewerLevels => "at most 127 levels of objects and arrays",
            Self::Digit => "a digit",
            Self::NoControlCharacter => "no control character in a string (escape it)",
            Self::Quote => "`\"` that ends the string",
            Self::Surrogates => "a pair of surrogates",
            Self::Escape => "an escape that JSON knows",
            Self::HexDigits => "four hexadecimal digits after \\u",
        }
    }
}

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`
    True,
    /// `false`
    False,
    /// A number, as it is written.
    Number,
    /// A string. The span includes the quotes.
    String {
        /// Whether there is a backslash in it.
        escaped: bool,
    },
    /// An object with its braces.
    Object,
    /// An array with its brackets.
    Array,
}

/// A value, as a span of the line. One word: its start, its end and its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    bits: u64,
}

/// The bits of a start and an end: enough for any line.
const OFFSET_BITS: u32 = 30;
const OFFSET_MASK: u64 = (1 << OFFSET_BITS) - 1;

impl Kind {
    /// By their codes.
    const ALL: [Self; 16] = {
        let mut all = [Self::Null; 16];
        all[1] = Self::True;
        all[2] = Self::False;
        all[3] = Self::Number;
        all[4] = Self::String { escaped: false };
        all[5] = Self::String { escaped: true };
        all[6] = Self::Object;
        all[7] = Self::Array;
        all
    };

    #[inline]
    fn code(self) -> u64 {
        match self {
            Self::Null => 0,
            Self::True => 1,
            Self::False => 2,
            Self::Number => 3,
            Self::String { escaped: false } => 4,
            Self::String { escaped: true } => 5,
            Self::Object => 6,
            Self::Array => 7,
        }
    }
}

impl Value {
    /// The value from `start` to `end`.
    #[inline]
    pub(crate) fn new(kind: Kind, start: usize, end: usize) -> Self {
        debug_assert!(end as u64 <= OFFSET_MASK);
        Self { bits: start as u64 | (end as u64) << OFFSET_BITS | kind.code() << (2 * OFFSET_BITS) }
    }

    /// The kind of its text.
    #[must_use]
    #[inline]
    pub fn kind(self) -> Kind {
        Kind::ALL[(self.bits >> (2 * OFFSET_BITS)) as usize]
    }

    /// Its start.
    #[must_use]
    #[inline]
    pub fn start(self) -> usize {
        (self.bits & OFFSET_MASK) as usize
    }

    /// The position after its last byte.
    #[must_use]
    #[inline]
    pub fn end(self) -> usize {
        (self.bits >> OFFSET_BITS & OFFSET_MASK) as usize
    }

    /// The same value in a text that begins elsewhere.
    #[inline]
    pub(super) fn moved(self, from: usize, to: usize) -> Self {
        Self::new(self.kind(), self.start() - from + to, self.end() - from + to)
    }

    /// The value as written.
    #[must_use]
    pub fn text(self, line: &[u8]) -> &[u8] {
        &line[self.start()..self.end()]
    }

    /// A string's characters between its quotes, escapes as written.
    pub(crate) fn inner(self, line: &[u8]) -> &[u8] {
        &line[self.start() + 1..self.end() - 1]
    }

    /// The characters of a string, `None` for anything else; copied only if it has escapes.
    #[must_use]
    #[inline]
    pub fn string(self, line: &[u8]) -> Option<Cow<'_, [u8]>> {
        match self.kind() {
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
