//! Fragments of bytes in, one line of JSON out, in a buffer that is large enough for every line.
//!
//! This is the inner loop's pen: fixed-size copies that compile to plain stores, digits from tables, no `core::fmt` and
//! no growing vector. It knows nothing of events.
//!
//! Invariant: a line never exceeds [`LINE_BYTES_MAX`]; a longer one would panic, not overwrite anything.

use crate::text_tables::{CENTS, LEADING_DIGITS, THREE_DIGITS};

/// Room for the longest line of the simple world, below 340 bytes, and for copies that reach past its end.
pub(crate) const LINE_BYTES_MAX: usize = 384;

/// A text of at most 16 bytes, copied whole and counted short.
#[derive(Clone, Copy, Debug)]
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

    /// The text with one byte more.
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

    /// How many bytes are written.
    #[inline]
    pub(crate) fn length(&self) -> usize {
        self.length
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

    /// Turns words with a space behind each into a sentence.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Line<'_>)) -> String {
        let mut bytes = [b'#'; LINE_BYTES_MAX];
        let mut line = Line::new(&mut bytes);
        write(&mut line);
        let length = line.length();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    #[test]
    fn numbers_are_written_as_to_string_writes_them() {
        for number in (0..10_000).chain((10_000..1_000_000).step_by(37)).chain([999_999]) {
            assert_eq!(written(|line| line.number(number)), number.to_string());
        }
    }

    #[test]
    fn amounts_are_written_as_python_writes_floats() {
        for cents in 0..100_000 {
            // Debug of f64 is the shortest text that reads back, with at least one decimal: as Python's repr.
            assert_eq!(written(|line| line.amount(cents)), format!("{:?}", f64::from(cents) / 100.0));
        }
    }

    #[test]
    fn sentences_have_a_capital_and_a_full_stop() {
        let words = ["ability", "job"].map(|word| Short::new(word.as_bytes()).followed_by(b' '));
        assert_eq!(written(|line| line.sentence(words.iter())), "Ability job.");
    }
}
