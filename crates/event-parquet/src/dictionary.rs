//! Values → their indices in a list of the distinct ones.
//!
//! Invariant: indices are assigned in the order of first occurrence, so they depend on the values alone; the
//! hash is never visible outside.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::{HashTable, hash_table::Entry};

use crate::{bounds::Bounds, texts::Texts};

/// The values of a column with repetitions.
#[derive(Debug)]
pub(crate) struct Dictionary {
    places: HashTable<u32>,
    hasher: RandomState,
    entries: Entries,
}

/// The distinct values.
#[derive(Debug)]
enum Entries {
    /// Integers, or the bits of floating point numbers.
    Words(Vec<i64>),
    Texts(Texts),
}

impl Dictionary {
    /// An empty dictionary with room for some words.
    pub(crate) fn of_words(room: usize) -> Self {
        Self::new(Entries::Words(Vec::with_capacity(room)), room)
    }

    /// An empty dictionary with room for some texts.
    pub(crate) fn of_texts(room: usize) -> Self {
        Self::new(Entries::Texts(Texts::with_capacity(room)), room)
    }

    fn new(entries: Entries, room: usize) -> Self {
        Self { places: HashTable::with_capacity(room), hasher: RandomState::default(), entries }
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Bytes of its page, before compression.
    pub(crate) fn bytes(&self) -> usize {
        match &self.entries {
            Entries::Words(words) => words.len() * 8,
            Entries::Texts(texts) => texts.bytes().len() + texts.len() * 4,
        }
    }

    pub(crate) fn place_of_word(&mut self, word: i64) -> u32 {
        let Entries::Words(words) = &mut self.entries else { unreachable!("a dictionary of texts") };
        let hasher = &self.hasher;
        let entry = self.places.entry(
            hasher.hash_one(word),
            |&place| words[place as usize] == word,
            |&place| hasher.hash_one(words[place as usize]),
        );
        match entry {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let place = place(words.len());
                entry.insert(place);
                words.push(word);
                place
            }
        }
    }

    pub(crate) fn place_of_text(&mut self, text: &[u8]) -> u32 {
        let Entries::Texts(texts) = &mut self.entries else { unreachable!("a dictionary of words") };
        let hasher = &self.hasher;
        let entry = self.places.entry(
            hasher.hash_one(text),
            |&place| texts.get(place as usize) == text,
            |&place| hasher.hash_one(texts.get(place as usize)),
        );
        match entry {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let place = place(texts.len());
                entry.insert(place);
                texts.push(text);
                place
            }
        }
    }

    /// The bounds of the texts at these indices; each text is looked at once.
    pub(crate) fn bounds_of_texts(&self, places: &[u32]) -> Option<Bounds> {
        let Entries::Texts(texts) = &self.entries else { return None };
        let mut occurs = vec![false; texts.len()];
        for &place in places {
            occurs[place as usize] = true;
        }
        Bounds::of_texts(texts.iter().zip(occurs).filter_map(|(text, occurs)| occurs.then_some(text)))
    }

    /// Appends all values as in its page: `PLAIN`, with words of a column of 32 bits in four bytes.
    pub(crate) fn encode(&self, is_32: bool, out: &mut Vec<u8>) {
        match &self.entries {
            Entries::Words(words) => {
                let bytes = if is_32 { 4 } else { 8 };
                for word in words {
                    out.extend_from_slice(&word.to_le_bytes()[..bytes]);
                }
            }
            Entries::Texts(texts) => {
                for text in texts.iter() {
                    out.extend_from_slice(&place(text.len()).to_le_bytes());
                    out.extend_from_slice(text);
                }
            }
        }
    }
}

/// A row group has fewer values and bytes than a `u32` can count.
fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_in_the_order_of_first_occurrence() {
        let mut dictionary = Dictionary::of_texts(0);
        let places: Vec<_> =
            ["b", "a", "b", "", "a"].map(|text| dictionary.place_of_text(text.as_bytes())).into();
        assert_eq!(places, [0, 1, 0, 2, 1]);
        let mut page = Vec::new();
        dictionary.encode(false, &mut page);
        assert_eq!(page, b"\x01\0\0\0b\x01\0\0\0a\0\0\0\0");
        assert_eq!(
            dictionary.bounds_of_texts(&[0, 1]),
            Bounds::of_texts([b"a".as_slice(), b"b"].into_iter())
        );
        let mut words = Dictionary::of_words(0);
        assert_eq!([-1, 7, -1].map(|word| words.place_of_word(word)), [0, 1, 0]);
        page.clear();
        words.encode(true, &mut page);
        assert_eq!(page, [255, 255, 255, 255, 7, 0, 0, 0]);
    }
}
