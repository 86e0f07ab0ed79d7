//! Event ids: 16 bytes if they are UUIDs in their usual spelling, text otherwise; compared as they are
//! written.
//!
//! Invariant: two ids are equal exactly if their texts are, and they order as their texts order. A UUID's 32
//! lower-case digits and four hyphens order like the number that they represent, so 16 bytes stand for 36.

use std::{borrow::Cow, cmp::Ordering};

use arrow::array::{Array, StringArray};

/// Length of a UUID's text.
pub const UUID_TEXT_BYTES: usize = 36;
/// Longer ids are rare: no room is made for them beforehand.
const TEXT_BYTES_USUAL: usize = 64;
/// The positions of its hyphens.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// The ids of some rows.
#[derive(Debug, Clone)]
pub enum Ids {
    /// All are UUIDs, lower case and hyphenated.
    Uuids(Vec<u128>),
    /// At least one is not.
    Texts(StringArray),
}

/// One id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Id<'a> {
    /// A UUID in its usual spelling.
    Uuid(u128),
    /// Never a UUID's usual spelling.
    Text(&'a str),
}

impl Ids {
    /// The id of a row.
    #[must_use]
    #[inline]
    pub fn get(&self, row: usize) -> Id<'_> {
        match self {
            Self::Uuids(uuids) => Id::Uuid(uuids[row]),
            Self::Texts(texts) => Id::of(texts.value(row)),
        }
    }

    /// The memory that they take, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        match self {
            Self::Uuids(uuids) => uuids.capacity() * size_of::<u128>(),
            Self::Texts(texts) => texts.get_array_memory_size(),
        }
    }
}

impl<'a> Id<'a> {
    /// The id with this text.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        parse_uuid(text.as_bytes()).map_or(Self::Text(text), Self::Uuid)
    }

    /// Appends the id as written.
    pub fn write_to(self, out: &mut Vec<u8>) {
        match self {
            Self::Uuid(uuid) => out.extend_from_slice(&uuid_text(uuid)),
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
        }
    }
}

impl Ord for Id<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Uuid(a), Self::Uuid(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Uuid(a), Self::Text(b)) => uuid_text(*a).as_slice().cmp(b.as_bytes()),
            (Self::Text(a), Self::Uuid(b)) => a.as_bytes().cmp(uuid_text(*b).as_slice()),
        }
    }
}

impl PartialOrd for Id<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// An id as it was read from a line.
#[derive(Debug)]
pub enum ReadId<'l> {
    /// A UUID in its usual spelling.
    Uuid(u128),
    /// Any text; it may be a UUID, too.
    Text(Cow<'l, [u8]>),
}

/// Ids that are being collected.
#[derive(Debug, Default)]
pub struct IdsBuilder {
    uuids: Vec<u128>,
    /// Set from the first id on that is not a UUID: the texts of all, each with its end.
    texts: Option<(Vec<i32>, Vec<u8>)>,
}

impl IdsBuilder {
    /// An empty builder with room for this many rows.
    #[must_use]
    pub fn with_capacity(rows: usize) -> Self {
        Self { uuids: Vec::with_capacity(rows), texts: None }
    }

    /// Adds an id.
    #[inline]
    pub fn push(&mut self, id: &ReadId<'_>) {
        let uuid = match id {
            ReadId::Uuid(uuid) => Some(*uuid),
            ReadId::Text(text) => parse_uuid(text),
        };
        match (&self.texts, uuid) {
            (None, Some(uuid)) => self.uuids.push(uuid),
            (_, Some(uuid)) => self.push_text(&uuid_text(uuid)),
            (_, None) => {
                if let ReadId::Text(text) = id {
                    self.push_text(text);
                }
            }
        }
    }

    #[inline(never)]
    fn push_text(&mut self, id: &[u8]) {
        let uuids = std::mem::take(&mut self.uuids);
        let (ends, bytes) = self.texts.get_or_insert_with(|| {
            // Room for the rows that were expected, with ids like this one.
            let rows = uuids.capacity();
            let mut bytes = Vec::with_capacity(rows * id.len().min(TEXT_BYTES_USUAL));
            let mut ends = Vec::with_capacity(rows + 1);
            ends.push(0);
            for uuid in uuids {
                bytes.extend_from_slice(&uuid_text(uuid));
                ends.push(end_of(&bytes));
            }
            (ends, bytes)
        });
        bytes.extend_from_slice(id);
        ends.push(end_of(bytes));
    }

    /// The ids, in the order in which they were added.
    #[must_use]
    pub fn finish(mut self) -> Ids {
        match self.texts {
            None => {
                self.uuids.shrink_to_fit();
                Ids::Uuids(self.uuids)
            }
            Some((ends, bytes)) => Ids::Texts(text_array(ends, bytes)),
        }
    }
}

/// The array of the texts that end at `ends` (the first is 0) in `bytes`, all UTF-8.
pub(crate) fn text_array(ends: Vec<i32>, bytes: Vec<u8>) -> StringArray {
    match StringArray::try_new(arrow::buffer::OffsetBuffer::new(ends.into()), bytes.into(), None) {
        Ok(array) => array,
        Err(error) => unreachable!("ids are UTF-8 and their ends ascend: {error}"),
    }
}

/// The ids as texts.
pub(crate) fn texts_of(ids: &Ids) -> StringArray {
    match ids {
        Ids::Texts(texts) => texts.clone(),
        Ids::Uuids(uuids) => {
            let (mut ends, mut bytes) = (vec![0], Vec::with_capacity(uuids.len() * UUID_TEXT_BYTES));
            for &uuid in uuids {
                bytes.extend_from_slice(&uuid_text(uuid));
                ends.push(end_of(&bytes));
            }
            text_array(ends, bytes)
        }
    }
}

/// The ids of a block are no longer than its lines, which are far below 2 GiB.
pub(crate) fn end_of(bytes: &[u8]) -> i32 {
    i32::try_from(bytes.len()).unwrap_or(i32::MAX)
}

/// Reads `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` in lower case; `None` for any other text.
#[inline]
pub(crate) fn parse_uuid(text: &[u8]) -> Option<u128> {
    parse_uuid_text(text.try_into().ok()?)
}

/// The same for a text of the right length.
#[must_use]
#[inline]
pub fn parse_uuid_text(text: &[u8; UUID_TEXT_BYTES]) -> Option<u128> {
    if HYPHENS.iter().any(|&at| text[at] != b'-') {
        return None;
    }
    let four = |at: usize| [text[at], text[at + 1], text[at + 2], text[at + 3]];
    let eight = |first: [u8; 4], then: [u8; 4]| {
        u64::from(u32::from_le_bytes(first)) | u64::from(u32::from_le_bytes(then)) << 32
    };
    let groups = [
        eight(four(0), four(4)),
        eight(four(9), four(14)),
        eight(four(19), four(24)),
        eight(four(28), four(32)),
    ];
    let (mut uuid, mut others) = (0, 0);
    for digits in groups {
        let (number, wrong) = eight_hex_digits(digits);
        uuid = uuid << 32 | u128::from(number);
        others |= wrong;
    }
    (others == 0).then_some(uuid)
}

/// Eight lower-case hexadecimal digits, the first in the lowest byte, as a number; and a word that is zero if
/// all are such digits.
#[inline]
fn eight_hex_digits(text: u64) -> (u32, u64) {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    // Letters have bit 6 set, and the low half of `a` is 1.
    let letters = (text >> 6) & ONES;
    let digits = (text & (ONES * 0x0F)) + letters * 9;
    // Digits below 16 that give the same text when written again were hexadecimal digits.
    let above_nine = ((digits + ONES * 0x76) >> 7) & ONES;
    let again = digits + ONES * u64::from(b'0') + above_nine * u64::from(b'a' - b'0' - 10);
    let wrong = (digits & (ONES * 0xF0)) | (again ^ text);
    let pairs = (digits << 4 | digits >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs | pairs >> 8) & 0x0000_FFFF_0000_FFFF;
    let [first, second, _, _, third, fourth, _, _] = fours.to_le_bytes();
    (u32::from_be_bytes([first, second, third, fourth]), wrong)
}

/// The usual spelling of a UUID.
#[must_use]
#[inline]
pub fn uuid_text(uuid: u128) -> [u8; UUID_TEXT_BYTES] {
    /// The positions of the two digits of each byte.
    const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    let mut text = [b'-'; UUID_TEXT_BYTES];
    for (place, byte) in PLACES.into_iter().zip(uuid.to_be_bytes()) {
        text[place..place + 2].copy_from_slice(&HEX_DIGITS[usize::from(byte)]);
    }
    text
}

/// The two digits of each byte.
const HEX_DIGITS: [[u8; 2]; 256] = {
    let digits = *b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < pairs.len() {
        pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    pairs
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_usual_spelling_is_a_uuid() {
        let usual = "00112233-4455-6677-8899-aabbccddeeff";
        assert_eq!(parse_uuid(usual.as_bytes()), Some(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff));
        for text in [
            "",
            "x",
            "00112233-4455-6677-8899-aabbccddeefF",
            "00112233-4455-6677-8899-aabbccddeef",
            "00112233-4455-6677-8899-aabbccddeeff0",
            "0011223304455-6677-8899-aabbccddeeff",
            "g0112233-4455-6677-8899-aabbccddeeff",
            "00112233445566778899aabbccddeeff",
        ] {
            assert_eq!(parse_uuid(text.as_bytes()), None, "{text}");
        }
    }

    /// The definition, digit by digit.
    fn parse_slowly(text: &[u8]) -> Option<u128> {
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_uuid =
            |(at, byte): (usize, &u8)| if HYPHENS.contains(&at) { *byte == b'-' } else { is_digit(byte) };
        if text.len() != UUID_TEXT_BYTES || !text.iter().enumerate().all(is_uuid) {
            return None;
        }
        let digits: String =
            text.iter().filter(|&&byte| byte != b'-').map(|&byte| char::from(byte)).collect();
        u128::from_str_radix(&digits, 16).ok()
    }

    #[test]
    fn each_byte_at_each_place_is_a_digit_or_not() {
        let usual = *b"01234567-89ab-cdef-0123-456789abcdef";
        for place in 0..usual.len() {
            for byte in 0..=u8::MAX {
                let mut text = usual;
                text[place] = byte;
                assert_eq!(parse_uuid(&text), parse_slowly(&text), "{byte} at {place}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_uuid_is_read_digit_by_digit_or_at_once_alike(uuid: u128, at in 0_usize..40, byte: u8) {
            let mut text = uuid_text(uuid).to_vec();
            prop_assert_eq!(parse_uuid(&text), Some(uuid));
            if let Some(place) = text.get_mut(at) {
                *place = byte;
            }
            prop_assert_eq!(parse_uuid(&text), parse_slowly(&text));
        }

        #[test]
        fn ids_read_back_and_order_as_their_texts(a: u128, b: u128, text in "[0-9a-f-]{0,36}|[A-Z]{1,3}") {
            let [a, b] = [a, b].map(|uuid| String::from_utf8(uuid_text(uuid).to_vec()).unwrap());
            for (x, y) in [(&a, &b), (&a, &text), (&text, &b), (&a, &a)] {
                prop_assert_eq!(Id::of(x).cmp(&Id::of(y)), x.cmp(y));
            }
            let mut builder = IdsBuilder::default();
            for id in [&a, &text, &b] {
                builder.push(&ReadId::Text(id.as_bytes().into()));
            }
            let ids = builder.finish();
            for (row, id) in [&a, &text, &b].into_iter().enumerate() {
                let mut out = Vec::new();
                ids.get(row).write_to(&mut out);
                prop_assert_eq!(&out, id.as_bytes());
            }
        }
    }
}
