//! UUIDs → a zstd frame of their texts, without making the texts.
//!
//! Event ids take half of a file or more, and UUIDs are random: a compressor looks for repeats in vain, and
//! only saves by writing 17 different characters in 4.1 bits each. The best codes are known in advance. So
//! this writes the codes of the two digits of each byte from a table, in less than a third of the time, and
//! in no more bytes.
//!
//! The format is RFC 8878 (<https://www.rfc-editor.org/rfc/rfc8878>): one frame; in each of its blocks four
//! streams of Huffman codes, a quarter of its UUIDs each, and no sequences. Streams are read from their end,
//! so they are written from their last character.
//!
//! Invariant: decompressed by any zstd, the frame is `front` and the texts, byte for byte.

use event_rows::{UUID_TEXT_BYTES, uuid_text};

/// With fewer, a table of codes is not worthwhile.
pub(crate) const UUIDS_MIN: usize = 64;

/// The UUIDs of a block: a multiple of four, with no more text than a block may have (128 KiB).
const BLOCK_UUIDS: usize = 3_640;
/// The most bytes that the codes of a UUID take, including those that may be written after them.
const CODES_BYTES_MAX: usize = (32 * 5 + 4 * 3_usize).div_ceil(8);
const WORD_BYTES: usize = 8;

/// Codes have up to five bits: 0 to 3 have five, `-` has three, all others four. So a digit's code follows
/// from its value.
const HYPHEN: Code = Code { bits: 0b111, length: 3 };

#[derive(Clone, Copy)]
struct Code {
    bits: u16,
    length: u8,
}

/// The codes of a byte's two digits: the second one below the first.
const PAIRS: [Code; 256] = {
    let mut pairs = [HYPHEN; 256];
    let mut byte = 0;
    while byte < pairs.len() {
        let (first, second) = (digit(byte >> 4), digit(byte & 15));
        pairs[byte] =
            Code { bits: second.bits | first.bits << second.length, length: first.length + second.length };
        byte += 1;
    }
    pairs
};

#[expect(clippy::cast_possible_truncation, reason = "a digit's value")]
const fn digit(value: usize) -> Code {
    if value < 4 {
        Code { bits: value as u16, length: 5 }
    } else {
        Code { bits: value as u16 - 2, length: 4 }
    }
}

/// The code table of a block (section 4.2.1.1): weights of all characters before `f`, four bits each. That of
/// `f` follows from them.
const TABLE: [u8; 52] = {
    let mut table = [0; 52];
    table[0] = 127 + b'f';
    let mut character = 0;
    while character < b'f' {
        // A code of n bits has the weight 6 - n.
        let weight = match character {
            b'-' => 3,
            b'0'..=b'3' => 1,
            b'4'..=b'9' | b'a'..=b'f' => 2,
            _ => 0,
        };
        let at = 1 + character as usize / 2;
        table[at] |= if character % 2 == 0 { weight << 4 } else { weight };
        character += 1;
    }
    table
};

/// Kinds of blocks (section 3.1.1.2).
const RAW: usize = 0;
const COMPRESSED: usize = 2;

/// Appends the frame of `front` (less than a block) and the UUIDs' texts.
pub(crate) fn encode(front: &[u8], uuids: &[u128], out: &mut Vec<u8>) {
    encode_header(front.len() + uuids.len() * UUID_TEXT_BYTES, out);
    let (in_fours, others) = uuids.split_at(uuids.len() / 4 * 4);
    encode_block(false, RAW, front, out);
    for (number, block) in in_fours.chunks(BLOCK_UUIDS).enumerate() {
        let start = out.len();
        encode_block(false, COMPRESSED, &[], out);
        encode_literals(block, number == 0, out);
        // No sequences.
        out.push(0);
        let bytes = out.len() - start - BLOCK_HEADER_BYTES;
        out[start..start + BLOCK_HEADER_BYTES].copy_from_slice(&block_header(false, COMPRESSED, bytes));
    }
    let texts: Vec<u8> = others.iter().flat_map(|&uuid| uuid_text(uuid)).collect();
    encode_block(true, RAW, &texts, out);
}

/// Section 3.1.1.1: one segment with this content size, no checksum.
fn encode_header(content_bytes: usize, out: &mut Vec<u8>) {
    const SINGLE_SEGMENT: u8 = 1 << 5;
    /// The flag for a content size in four bytes.
    const FOUR_BYTES: u8 = 2 << 6;
    out.extend_from_slice(&[0x28, 0xB5, 0x2F, 0xFD, SINGLE_SEGMENT | FOUR_BYTES]);
    out.extend_from_slice(&u32::try_from(content_bytes).unwrap_or(u32::MAX).to_le_bytes());
}

const BLOCK_HEADER_BYTES: usize = 3;

fn block_header(is_last: bool, kind: usize, bytes: usize) -> [u8; BLOCK_HEADER_BYTES] {
    let [low, middle, high, ..] = (usize::from(is_last) | kind << 1 | bytes << 3).to_le_bytes();
    [low, middle, high]
}

fn encode_block(is_last: bool, kind: usize, content: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&block_header(is_last, kind, content.len()));
    out.extend_from_slice(content);
}

/// Section 3.1.1.3.1: the codes of a block's UUIDs, with their table in front or with that of the previous
/// block.
fn encode_literals(uuids: &[u128], has_table: bool, out: &mut Vec<u8>) {
    /// With a table, or without one; four streams whose lengths have 18 bits.
    const WITH_TABLE: u64 = 2;
    const TABLE_BEFORE: u64 = 3;
    const FOUR_STREAMS: u64 = 3 << 2;
    let header = out.len();
    out.extend_from_slice(&[0; 5]);
    let start = out.len();
    if has_table {
        out.extend_from_slice(&TABLE);
    }
    let lengths = out.len();
    out.extend_from_slice(&[0; 6]);
    for (number, stream) in uuids.chunks(uuids.len() / 4).enumerate() {
        let length = encode_stream(stream, out);
        // That of the last follows from the others.
        if let Some(place) = out[lengths..lengths + 6].chunks_exact_mut(2).nth(number) {
            place.copy_from_slice(&length.to_le_bytes());
        }
    }
    let text_bytes = (uuids.len() * UUID_TEXT_BYTES) as u64;
    let bytes = (out.len() - start) as u64;
    let kind = if has_table { WITH_TABLE } else { TABLE_BEFORE };
    let lengths_word = kind | FOUR_STREAMS | text_bytes << 4 | bytes << 22;
    out[header..start].copy_from_slice(&lengths_word.to_le_bytes()[..5]);
}

/// Appends the codes of the UUIDs, beginning with the last digit of the last one, and a final one bit;
/// returns their length in bytes.
fn encode_stream(uuids: &[u128], out: &mut Vec<u8>) -> u16 {
    let start = out.len();
    // Words are written as a whole, with zeros for the bits to come.
    out.resize(start + uuids.len() * CODES_BYTES_MAX + WORD_BYTES + 1, 0);
    let mut bits = Bits { bytes: &mut out[start..], at: 0, pending: 0, count: 0 };
    for uuid in uuids.iter().rev() {
        let bytes = uuid.to_be_bytes();
        let pair = |at: usize| PAIRS[usize::from(bytes[at])];
        // At most 56 bits at once: five pairs, or four and two hyphens.
        bits.push([pair(15), pair(14), pair(13), pair(12), pair(11)]);
        bits.push([pair(10), HYPHEN, pair(9), pair(8), HYPHEN, pair(7)]);
        bits.push([pair(6), HYPHEN, pair(5), pair(4), HYPHEN, pair(3)]);
        bits.push([pair(2), pair(1), pair(0)]);
    }
    bits.push([Code { bits: 1, length: 1 }]);
    let length = bits.at + usize::from(bits.count > 0);
    out.truncate(start + length);
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// Codes as a stream of bits, the lowest first.
struct Bits<'b> {
    bytes: &'b mut [u8],
    at: usize,
    /// Less than eight bits between two calls.
    pending: u64,
    count: usize,
}

impl Bits<'_> {
    #[inline]
    fn push<const N: usize>(&mut self, codes: [Code; N]) {
        for code in codes {
            self.pending |= u64::from(code.bits) << self.count;
            self.count += usize::from(code.length);
        }
        self.bytes[self.at..self.at + WORD_BYTES].copy_from_slice(&self.pending.to_le_bytes());
        self.at += self.count / 8;
        self.pending >>= self.count / 8 * 8;
        self.count %= 8;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assert_decodes(front: &[u8], uuids: &[u128]) {
        let mut frame = Vec::new();
        encode(front, uuids, &mut frame);
        let texts: Vec<u8> = uuids.iter().flat_map(|&uuid| uuid_text(uuid)).collect();
        let expected = [front, &texts].concat();
        assert_eq!(zstd::bulk::decompress(&frame, expected.len()).unwrap(), expected);
        assert_eq!(zstd::stream::decode_all(frame.as_slice()).unwrap(), expected);
    }

    #[test]
    fn any_number_of_uuids_decodes() {
        let uuid = |index: usize| (index as u128 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        let uuids: Vec<u128> = (0..2 * BLOCK_UUIDS + 9).map(uuid).collect();
        for count in
            (UUIDS_MIN..140).chain(BLOCK_UUIDS - 5..BLOCK_UUIDS + 80).chain(2 * BLOCK_UUIDS..uuids.len())
        {
            assert_decodes(b"front", &uuids[..count]);
        }
    }

    #[test]
    fn the_longest_and_the_shortest_codes_decode() {
        for uuid in [0, u128::MAX, u128::MAX / 15 * 3, u128::MAX / 15 * 4] {
            assert_decodes(b"", &vec![uuid; BLOCK_UUIDS]);
        }
    }

    #[test]
    fn it_takes_no_more_bytes_than_a_compressor_makes() {
        let mut state = 1_u128;
        let mut uuid = || {
            state = state.wrapping_mul(0xDA94_2042_E4DD_58B5_2360_ED05_1FC6_5DA4 | 1).wrapping_add(1);
            state ^ state >> 64
        };
        for count in [300, 16_384] {
            let uuids: Vec<u128> = (0..count).map(|_| uuid()).collect();
            let texts: Vec<u8> = uuids.iter().flat_map(|&uuid| uuid_text(uuid)).collect();
            let mut frame = Vec::new();
            encode(b"", &uuids, &mut frame);
            let other = zstd::bulk::compress(&texts, super::super::ZSTD_LEVEL).unwrap();
            assert!(frame.len() <= other.len() + other.len() / 100, "{} and {}", frame.len(), other.len());
        }
    }

    proptest! {
        #[test]
        fn all_uuids_decode(front in prop::collection::vec(any::<u8>(), 0..40), uuids in prop::collection::vec(any::<u128>(), UUIDS_MIN..400)) {
            assert_decodes(&front, &uuids);
        }
    }
}
