//! Fragments of bytes → one line of JSON, in a buffer that is large enough for every line.
//!
//! This is the inner loop: fixed-size copies that compile to plain stores, digits from tables, no `core::fmt`
//! and no growing vector.
//!
//! Invariant: a line never exceeds [`LINE_BYTES_MAX`]; a longer one would panic, not overwrite anything.

use uuid::Uuid;

use super::digits::{CENTS, LEADING_DIGITS, THREE_DIGITS, TWO_DIGITS, hex_digits};

/// Room for the longest line of a world (simple: below 340 bytes, ledger: below 520), and for copies that
/// reach beyond its end.
pub(crate) const LINE_BYTES_MAX: usize = 640;

/// Less than the length of the shortest line: the part of every line that precedes its payload.
pub(crate) const LINE_BYTES_MIN: u64 = 128;

/// A text of at most 16 bytes. All 16 are copied, but only the text's length is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Short {
    bytes: [u8; 16],
    length: u8,
}

impl Short {
    pub(crate) const EMPTY: Self = Self { bytes: [0; 16], length: 0 };

    /// A text; fails at compile time if it is too long.
    pub(crate) const fn new(text: &[u8]) -> Self {
        let mut short = Self::EMPTY;
        let mut at = 0;
        while at < text.len() {
            short = short.followed_by(text[at]);
            at += 1;
        }
        short
    }

    /// The text.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// The text with one more byte.
    pub(crate) const fn followed_by(mut self, byte: u8) -> Self {
        self.bytes[self.length as usize] = byte;
        self.length += 1;
        self
    }
}

/// A line that is being written.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    bytes: &'a mut [u8; LINE_BYTES_MAX],
    length: usize,
}

impl<'a> Line<'a> {
    /// An empty line at the start of `bytes`.
    #[inline]
    pub(crate) fn new(bytes: &'a mut [u8; LINE_BYTES_MAX]) -> Self {
        Self { bytes, length: 0 }
    }

    /// The number of bytes written.
    #[inline]
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Writes the beginning of every line, up to the timestamp.
    #[inline]
    pub(crate) fn begin(&mut self, event_id: Uuid) {
        let mut id = [0; uuid::fmt::Hyphenated::LENGTH];
        event_id.as_hyphenated().encode_lower(&mut id);
        self.fragment(br#"{"event_id": ""#);
        self.fragment(&id);
        self.fragment(br#"", "timestamp": ""#);
    }

    #[inline]
    fn copy<const N: usize>(&mut self, bytes: &[u8; N], counted: usize) {
        self.bytes[self.length..self.length + N].copy_from_slice(bytes);
        self.length += counted;
    }

    /// Writes a fragment whose length is known at compile time.
    #[inline]
    pub(crate) fn fragment<const N: usize>(&mut self, fragment: &[u8; N]) {
        self.copy(fragment, N);
    }

    /// Writes a short text.
    #[inline]
    pub(crate) fn short(&mut self, text: &Short) {
        self.copy(&text.bytes, usize::from(text.length));
    }

    /// Writes a number below 1,000,000.
    #[inline]
    pub(crate) fn number(&mut self, number: u32) {
        let (thousands, rest) = (number / 1000, number % 1000);
        if thousands == 0 {
            self.up_to_three_digits(rest);
        } else {
            self.up_to_three_digits(thousands);
            self.copy(&THREE_DIGITS[rest as usize], 3);
        }
    }

    /// Writes any number.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "each part is below 1,000,000")]
    pub(crate) fn long_number(&mut self, number: u64) {
        let (millions, rest) = (number / 1_000_000, (number % 1_000_000) as u32);
        if millions == 0 {
            return self.number(rest);
        }
        if millions < 1_000_000 {
            self.number(millions as u32);
        } else {
            self.long_number(millions);
        }
        self.six_digits(rest);
    }

    /// Writes a number below 1,000,000 with leading zeros.
    #[inline]
    pub(crate) fn six_digits(&mut self, number: u32) {
        self.copy(&THREE_DIGITS[(number / 1000) as usize], 3);
        self.copy(&THREE_DIGITS[(number % 1000) as usize], 3);
    }

    /// Writes an amount of minor units with exactly this many decimals; with none, without a point.
    #[inline]
    pub(crate) fn minor_units(&mut self, units: i64, minor_digits: u8) {
        if units < 0 {
            self.fragment(b"-");
        }
        let units = units.unsigned_abs();
        let index = |number: u64| usize::try_from(number).unwrap_or_default();
        match minor_digits {
            2 => {
                self.long_number(units / 100);
                self.fragment(b".");
                self.fragment(&TWO_DIGITS[index(units % 100)]);
            }
            3 => {
                self.long_number(units / 1000);
                self.fragment(b".");
                self.copy(&THREE_DIGITS[index(units % 1000)], 3);
            }
            _ => self.long_number(units),
        }
    }

    /// Writes a number as 16 hexadecimal digits.
    #[inline]
    pub(crate) fn hex(&mut self, number: u64) {
        self.fragment(&hex_digits(number));
    }

    /// Writes an amount below 1000.00 as Python writes the float: `374.74`, `505.7`, `12.0`.
    #[inline]
    pub(crate) fn amount(&mut self, cents: u32) {
        self.up_to_three_digits(cents / 100);
        let [text @ .., length] = &CENTS[(cents % 100) as usize];
        self.copy(text, usize::from(*length));
    }

    #[inline]
    fn up_to_three_digits(&mut self, number: u32) {
        let [text @ .., length] = &LEADING_DIGITS[number as usize];
        self.copy(text, usize::from(*length));
    }

    /// Writes words, each followed by a space, as a sentence.
    #[inline]
    pub(crate) fn sentence<'w>(&mut self, spaced_words: impl Iterator<Item = &'w Short>) {
        let start = self.length;
        for word in spaced_words {
            self.short(word);
        }
        self.bytes[start] = self.bytes[start].to_ascii_uppercase();
        self.bytes[self.length - 1] = b'.';
    }
}

/// The text that `write` writes.
pub(crate) fn text_of(write: impl FnOnce(&mut Line<'_>)) -> String {
    let mut bytes = [b'#'; LINE_BYTES_MAX];
    let mut line = Line::new(&mut bytes);
    write(&mut line);
    let length = line.length();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_to_string_writes_them() {
        for number in (0..10_000).chain((10_000..1_000_000).step_by(37)).chain([999_999]) {
            assert_eq!(text_of(|line| line.number(number)), number.to_string());
        }
    }

    #[test]
    fn amounts_are_written_as_python_writes_floats() {
        for cents in 0..100_000 {
            // Debug of f64 is the shortest text that reads back, with at least one decimal: as Python's repr.
            assert_eq!(text_of(|line| line.amount(cents)), format!("{:?}", f64::from(cents) / 100.0));
        }
    }

    #[test]
    fn minor_units_have_exactly_their_digits() {
        let text = |units, digits| text_of(|line| line.minor_units(units, digits));
        assert_eq!(
            [text(0, 2), text(-5, 2), text(-123, 2), text(1_048_575, 2)],
            ["0.00", "-0.05", "-1.23", "10485.75"]
        );
        assert_eq!(
            [text(7, 3), text(-12_300, 3), text(0, 0), text(-1_230, 0)],
            ["0.007", "-12.300", "0", "-1230"]
        );
        for number in [0, 999_999, 1_000_000, 1_000_000_000_000, 1_073_741_823_000_017, u64::MAX] {
            assert_eq!(text_of(|line| line.long_number(number)), number.to_string());
            assert_eq!(text_of(|line| line.hex(number)), format!("{number:016x}"));
        }
    }

    #[test]
    fn sentences_have_a_capital_and_a_full_stop() {
        let words = ["ability", "job"].map(|word| Short::new(word.as_bytes()).followed_by(b' '));
        assert_eq!(text_of(|line| line.sentence(words.iter())), "Ability job.");
    }
}
