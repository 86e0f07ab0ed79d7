//! The values of a row, one after the other → its digest; the digests of many rows → their checksum.
//!
//! The digest is XXH3-128 (seed 0) of the row's canonical bytes. These are, for each column in the table's
//! order:
//! - null: one byte 0;
//! - a value: one byte 1, the length of its text in bytes as u32, little endian, and the text.
//!
//! Texts are UTF-8. A string or json is itself. An integer, and a timestamp as its microseconds since
//! 1970-01-01T00:00:00Z, are decimal digits with a `-` in front of negative ones. A decimal also has a point
//! followed by as many digits as its column's scale (`-0.05`, `12.300`; with scale 0 no point). A date is
//! `YYYY-MM-DD`; a boolean is `true` or `false`. A list of strings is the JSON array of them, without white
//! space.
//!
//! The checksum is the sum of the digests modulo 2^128, written as 32 lower-case hex digits.
//!
//! Invariant: rows that differ in a value differ in their bytes. A checksum does not depend on the order of
//! rows, nor on how they were divided before their checksums were added. Once its buffer has grown, a digest
//! allocates nothing.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use xxhash_rust::xxh3::xxh3_128;

use crate::partition::Day;

/// The byte before a null, and the byte before a value.
const NULL: u8 = 0;
const VALUE: u8 = 1;
/// The bytes of a text's length.
const LENGTH_BYTES: usize = size_of::<u32>();

/// The canonical bytes of a row, as they are collected.
///
/// ```
/// use events_core::truth::{Checksum, RowDigest};
/// let (mut row, mut checksum) = (RowDigest::default(), Checksum::default());
/// row.text(b"an-id");
/// row.timestamp(1_728_518_400_000_000);
/// row.null();
/// row.decimal(-5, 2); // -0.05
/// checksum.add(row.finish());
/// assert_eq!(checksum.to_string(), "4b7ec91b3b6dd9df2f927221b6cd33af");
/// ```
#[derive(Debug, Clone, Default)]
pub struct RowDigest {
    bytes: Vec<u8>,
}

impl RowDigest {
    /// Adds a null, of any type.
    #[inline]
    pub fn null(&mut self) {
        self.bytes.push(NULL);
    }

    /// Adds a string, or json.
    #[inline]
    pub fn text(&mut self, text: &[u8]) {
        self.text_of(|bytes| bytes.extend_from_slice(text));
    }

    /// Adds a value whose text `append` appends, in any number of pieces.
    #[inline]
    pub fn text_of(&mut self, append: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.extend_from_slice(&[VALUE, 0, 0, 0, 0]);
        let start = self.bytes.len();
        append(&mut self.bytes);
        // A line has at most 16 MiB, so no text exceeds a u32.
        let length = u32::try_from(self.bytes.len() - start).unwrap_or(u32::MAX);
        self.bytes[start - LENGTH_BYTES..start].copy_from_slice(&length.to_le_bytes());
    }

    /// Adds an integer of any width.
    #[inline]
    pub fn integer(&mut self, value: i64) {
        self.decimal(value.into(), 0);
    }

    /// Adds a decimal: `unscaled` × 10^-`scale`.
    #[inline]
    pub fn decimal(&mut self, unscaled: i128, scale: u8) {
        self.text_of(|bytes| append_decimal(bytes, unscaled, scale));
    }

    /// Adds an instant, in microseconds since 1970-01-01T00:00:00Z.
    #[inline]
    pub fn timestamp(&mut self, micros: i64) {
        self.integer(micros);
    }

    /// Adds a day, in days since 1970-01-01.
    pub fn date(&mut self, days: i32) {
        self.text(Day::from_epoch_days(days.into()).to_string().as_bytes());
    }

    /// Adds a boolean.
    #[inline]
    pub fn boolean(&mut self, value: bool) {
        self.text(if value { b"true" } else { b"false" });
    }

    /// The digest of the row, after all of its values; begins the next row.
    #[inline]
    pub fn finish(&mut self) -> u128 {
        let digest = xxh3_128(&self.bytes);
        self.bytes.clear();
        digest
    }
}

/// A decimal as its canonical text: `unscaled` × 10^-`scale`, with all digits of the scale.
#[must_use]
pub fn decimal_text(unscaled: i128, scale: u8) -> String {
    let mut bytes = Vec::new();
    append_decimal(&mut bytes, unscaled, scale);
    bytes.into_iter().map(char::from).collect()
}

#[inline]
fn append_decimal(bytes: &mut Vec<u8>, unscaled: i128, scale: u8) {
    if unscaled < 0 {
        bytes.push(b'-');
    }
    let mut buffer = [0; DIGITS_MAX];
    let digits = digits_of(&mut buffer, unscaled.unsigned_abs());
    let scale = usize::from(scale);
    match digits.len().checked_sub(scale) {
        _ if scale == 0 => bytes.extend_from_slice(digits),
        Some(whole @ 1..) => {
            bytes.extend_from_slice(&digits[..whole]);
            bytes.push(b'.');
            bytes.extend_from_slice(&digits[whole..]);
        }
        _ => {
            bytes.extend_from_slice(b"0.");
            bytes.resize(bytes.len() + scale - digits.len(), b'0');
            bytes.extend_from_slice(digits);
        }
    }
}

/// Digits of the largest u128.
const DIGITS_MAX: usize = 39;

/// `00` to `99`.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 1;
    while number < 100 {
        let [tens, ones] = pairs[number - 1];
        pairs[number] = if ones == b'9' { [tens + 1, b'0'] } else { [tens, ones + 1] };
        number += 1;
    }
    pairs
};

/// The digits of a number, without leading zeros, at the end of the buffer.
#[inline]
fn digits_of(buffer: &mut [u8; DIGITS_MAX], value: u128) -> &[u8] {
    const HALF: u128 = 10_u128.pow(18);
    let (mut at, mut rest) = (DIGITS_MAX, value);
    let mut small = loop {
        // Division of 128 bits is slow, and most numbers have 64.
        if let Ok(small) = u64::try_from(rest) {
            break small;
        }
        let mut low = u64::try_from(rest % HALF).unwrap_or_default();
        rest /= HALF;
        for _ in 0..9 {
            at -= 2;
            buffer[at..at + 2].copy_from_slice(&PAIRS[pair(low)]);
            low /= 100;
        }
    };
    while small >= 100 {
        at -= 2;
        buffer[at..at + 2].copy_from_slice(&PAIRS[pair(small)]);
        small /= 100;
    }
    let [tens, ones] = PAIRS[pair(small)];
    at -= 1;
    buffer[at] = ones;
    if small >= 10 {
        at -= 1;
        buffer[at] = tens;
    }
    &buffer[at..]
}

/// The last two digits.
fn pair(number: u64) -> usize {
    usize::from((number % 100).to_le_bytes()[0])
}

/// The sum of rows' digests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Checksum(u128);

/// Hex digits of a checksum.
const HEX_DIGITS: usize = 32;

impl Checksum {
    /// Adds a row's digest.
    #[inline]
    pub fn add(&mut self, digest: u128) {
        self.0 = self.0.wrapping_add(digest);
    }

    /// Adds all rows of another checksum.
    #[inline]
    pub fn add_all(&mut self, other: Self) {
        self.add(other.0);
    }
}

/// 32 hex digits.
impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for Checksum {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let number = if text.len() == HEX_DIGITS && text.bytes().all(is_digit) {
            u128::from_str_radix(text, 16).ok()
        } else {
            None
        };
        number.map(Self).ok_or("expected a checksum, 32 lower-case hex digits")
    }
}

impl Serialize for Checksum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Checksum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
