//! Random numbers → sentences: four to eight words, a capital letter, a full stop.
//!
//! A sentence is a list of word numbers until it is written; the words are in `words.rs`.
//!
//! Invariant: a sentence depends only on the numbers that it was drawn from.

use super::{
    line::Short,
    words::{WORD_COUNT, WORDS},
};
use crate::stream::random::{Engine, mix};

const WORDS_MIN: u32 = 4;
const WORDS_MAX: u32 = 8;

/// Each word followed by a space, ready to be copied.
static SPACED_WORDS: [Short; WORD_COUNT] = spaced_words();

/// A sentence, as the numbers of its words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sentence {
    numbers: [u8; WORDS_MAX as usize],
    length: usize,
}

impl Sentence {
    /// Draws a sentence: the number of words, then all the words it could have, one byte each.
    #[inline]
    pub(crate) fn draw(engine: &mut Engine) -> Self {
        let length = engine.between(WORDS_MIN, WORDS_MAX) as usize;
        Self { numbers: engine.bytes(), length }
    }

    /// The sentence of a random number: its bytes are the words, and a mix of them gives how many there are.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "below 5")]
    pub(crate) fn from_number(number: u64) -> Self {
        let span = u128::from(WORDS_MAX - WORDS_MIN + 1);
        let more = ((u128::from(mix(number)) * span) >> 64) as usize;
        Self { numbers: number.to_le_bytes(), length: WORDS_MIN as usize + more }
    }

    /// A sentence that certainly differs from this one in its first word.
    pub(crate) fn changed(&self, number: u64) -> Self {
        let mut changed = Self::from_number(number);
        let step = changed.numbers[0].max(1);
        changed.numbers[0] = self.numbers[0].wrapping_add(step);
        changed
    }

    /// Appends the text of the sentence to `bytes`.
    pub(crate) fn append_to(&self, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        for word in self.spaced_words() {
            bytes.extend_from_slice(word.as_bytes());
        }
        bytes[start] = bytes[start].to_ascii_uppercase();
        if let Some(last) = bytes.last_mut() {
            *last = b'.';
        }
    }

    /// The words, each followed by a space.
    #[inline]
    pub(crate) fn spaced_words(&self) -> impl Iterator<Item = &'static Short> {
        self.numbers[..self.length].iter().map(|&number| &SPACED_WORDS[usize::from(number)])
    }
}

impl std::fmt::Display for Sentence {
    /// The sentence as text, for tests; lines do not use this.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<&str> = self.numbers[..self.length].iter().map(|&n| WORDS[usize::from(n)]).collect();
        let text = words.join(" ");
        write!(f, "{}{}.", text[..1].to_ascii_uppercase(), &text[1..])
    }
}

const fn spaced_words() -> [Short; WORD_COUNT] {
    let mut spaced = [Short::EMPTY; WORD_COUNT];
    let mut number = 0;
    while number < WORD_COUNT {
        spaced[number] = Short::new(WORDS[number].as_bytes()).followed_by(b' ');
        number += 1;
    }
    spaced
}
