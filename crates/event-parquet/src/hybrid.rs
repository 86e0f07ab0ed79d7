//! Small numbers → Parquet's hybrid of run lengths and bit packing, for definition levels and dictionary
//! indices.
//!
//! <https://github.com/apache/parquet-format/blob/master/Encodings.md>: a run is a header `count << 1` and
//! the value in whole bytes; packed values are a header `groups << 1 | 1` and groups of eight values, lowest
//! bits first.
//!
//! Invariant: eight or more equal values in a row are a run, all others are packed in whole groups.

use crate::varint;

/// Values that are packed together.
const GROUP: usize = 8;

/// The number of bits that every number up to `max` fits in.
pub(crate) fn bit_width(max: u64) -> u8 {
    // A u64 has at most 64 bits.
    u8::try_from(u64::BITS - max.leading_zeros()).unwrap_or(64)
}

/// Appends `values`, each of at most `width` bits.
pub(crate) fn encode(values: &[u32], width: u8, out: &mut Vec<u8>) {
    let (mut packed_from, mut at) = (0, 0);
    while at < values.len() {
        let value = values[at];
        let run = values[at..].iter().take_while(|other| **other == value).count();
        // The packed values before the run end with a whole group, taking values from the run.
        let filling = (at - packed_from).next_multiple_of(GROUP) - (at - packed_from);
        if run >= filling + GROUP {
            encode_packed(&values[packed_from..at + filling], width, out);
            encode_run(value, run - filling, width, out);
            packed_from = at + run;
        }
        at += run;
    }
    encode_packed(&values[packed_from..], width, out);
}

/// Appends `count` times the same value.
pub(crate) fn encode_run(value: u32, count: usize, width: u8, out: &mut Vec<u8>) {
    varint::encode((count as u64) << 1, out);
    out.extend_from_slice(&value.to_le_bytes()[..usize::from(width).div_ceil(8)]);
}

fn encode_packed(values: &[u32], width: u8, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let groups = values.len().div_ceil(GROUP);
    varint::encode((groups as u64) << 1 | 1, out);
    let end = out.len() + groups * usize::from(width);
    pack(values.iter().map(|value| u64::from(*value)), width, out);
    // The last group is padded with zeros.
    out.resize(end, 0);
}

/// Appends values of `width` bits each, lowest bits first, padded to a whole byte.
pub(crate) fn pack(values: impl Iterator<Item = u64>, width: u8, out: &mut Vec<u8>) {
    let width = u32::from(width);
    let (mut pending, mut bits) = (0_u64, 0);
    for value in values {
        pending |= value << bits;
        bits += width;
        if bits >= u64::BITS {
            out.extend_from_slice(&pending.to_le_bytes());
            bits -= u64::BITS;
            // The bits that had no room.
            pending = value.checked_shr(width - bits).unwrap_or(0);
        }
    }
    out.extend_from_slice(&pending.to_le_bytes()[..bits.div_ceil(8) as usize]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(values: &[u32], width: u8) -> Vec<u8> {
        let mut out = Vec::new();
        encode(values, width, &mut out);
        out
    }

    #[test]
    fn the_examples_of_the_format() {
        // Encodings.md: the numbers 0 to 7 in three bits.
        assert_eq!(encoded(&[0, 1, 2, 3, 4, 5, 6, 7], 3), [0b11, 0b1000_1000, 0b1100_0110, 0b1111_1010]);
        assert_eq!(encoded(&[4; 100], 3), [200, 1, 4]);
        assert_eq!(encoded(&[0; 9], 0), [18]);
        assert!(encoded(&[], 3).is_empty());
    }

    #[test]
    fn values_of_any_width_are_packed_bit_by_bit() {
        for width in 0..=64_u8 {
            let mask = u64::MAX.checked_shr(64 - u32::from(width)).unwrap_or(0);
            let values: Vec<u64> =
                (1..=40_u64).map(|number| number.wrapping_mul(0x9E37_79B9_7F4A_7C15) & mask).collect();
            let mut out = Vec::new();
            pack(values.iter().copied(), width, &mut out);
            let bits = values.iter().flat_map(|value| (0..width).map(move |bit| value >> bit & 1));
            let bits: Vec<u64> = bits.collect();
            let bytes: Vec<u8> = bits
                .chunks(8)
                .map(|byte| byte.iter().rev().fold(0, |byte, bit| byte << 1 | u8::try_from(*bit).unwrap()))
                .collect();
            assert_eq!(out, bytes, "{width}");
        }
    }

    #[test]
    fn packed_values_before_a_run_are_whole_groups() {
        // 1, 0 and six of the twenty ones are packed, fourteen are left for the run.
        let values: Vec<u32> = [1, 0].into_iter().chain([1; 20]).collect();
        assert_eq!(encoded(&values, 1), [0b11, 0b1111_1101, 28, 1]);
        assert_eq!([bit_width(0), bit_width(1), bit_width(255), bit_width(256)], [0, 1, 8, 9]);
    }
}
