//! Integers → `DELTA_BINARY_PACKED`: the differences of neighbours, minus the least of them, in as few bits
//! as each 32 of them need.
//!
//! <https://github.com/apache/parquet-format/blob/master/Encodings.md>. Random numbers need little more than
//! the bits of their range, ascending ones a few bits, equal ones none. So integers without a dictionary need
//! no other encoding, and leave nothing for a compressor.
//!
//! Invariant: differences wrap around at the column's own width, as readers add them up.

use crate::{hybrid, varint};

const BLOCK_VALUES: usize = 128;
const MINIBLOCK_VALUES: usize = 32;
const MINIBLOCKS: usize = BLOCK_VALUES / MINIBLOCK_VALUES;

/// Appends values of a column of 32 bits, or of 64.
pub(crate) fn encode(values: &[i64], is_32: bool, out: &mut Vec<u8>) {
    encode_header(values.first().copied(), values.len(), out);
    let mut deltas = [0; BLOCK_VALUES];
    let mut rest = values;
    while rest.len() > 1 {
        let count = (rest.len() - 1).min(BLOCK_VALUES);
        for (delta, pair) in deltas.iter_mut().zip(rest.windows(2)) {
            *delta = wrapped(pair[1].wrapping_sub(pair[0]), is_32);
        }
        encode_block(&deltas[..count], is_32, out);
        rest = &rest[count..];
    }
}

/// Appends the same value `count` times.
pub(crate) fn encode_same(value: i64, count: usize, out: &mut Vec<u8>) {
    encode_header((count > 0).then_some(value), count, out);
    for _ in 0..count.saturating_sub(1).div_ceil(BLOCK_VALUES) {
        out.extend_from_slice(&[0; 1 + MINIBLOCKS]);
    }
}

fn encode_header(first: Option<i64>, count: usize, out: &mut Vec<u8>) {
    varint::encode(BLOCK_VALUES as u64, out);
    varint::encode(MINIBLOCKS as u64, out);
    varint::encode(count as u64, out);
    varint::encode_zigzag(first.unwrap_or(0), out);
}

#[expect(clippy::cast_possible_truncation, reason = "wraps around")]
fn wrapped(difference: i64, is_32: bool) -> i64 {
    if is_32 { i64::from(difference as i32) } else { difference }
}

fn encode_block(deltas: &[i64], is_32: bool, out: &mut Vec<u8>) {
    let least = deltas.iter().copied().min().unwrap_or(0);
    varint::encode_zigzag(least, out);
    let mask = if is_32 { u64::from(u32::MAX) } else { u64::MAX };
    let mut above = [0; BLOCK_VALUES];
    for (above, delta) in above.iter_mut().zip(deltas) {
        *above = delta.wrapping_sub(least).cast_unsigned() & mask;
    }
    let above = &above[..deltas.len()];
    let mut widths = [0; MINIBLOCKS];
    for (width, miniblock) in widths.iter_mut().zip(above.chunks(MINIBLOCK_VALUES)) {
        *width = hybrid::bit_width(miniblock.iter().fold(0, |bits, above| bits | above));
    }
    out.extend_from_slice(&widths);
    for (width, miniblock) in widths.into_iter().zip(above.chunks(MINIBLOCK_VALUES)) {
        let end = out.len() + MINIBLOCK_VALUES / 8 * usize::from(width);
        hybrid::pack(miniblock.iter().copied(), width, out);
        // The last miniblock is padded with zeros.
        out.resize(end, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_format() {
        // Encodings.md: 7, 5, 3, 1, 2, 3, 4, 5 are 7 and the differences -2, -2, -2, 1, 1, 1, 1: minus -2, in
        // two bits.
        let mut out = Vec::new();
        encode(&[7, 5, 3, 1, 2, 3, 4, 5], true, &mut out);
        let mut expected = vec![128, 1, 4, 8, 14, 3, 2, 0, 0, 0, 0b1100_0000, 0b0011_1111];
        expected.resize(10 + 8, 0);
        assert_eq!(out, expected);
        out.clear();
        encode(&[], false, &mut out);
        assert_eq!(out, [128, 1, 4, 0, 0]);
    }

    #[test]
    fn the_same_value_is_written_as_any_values_are() {
        for count in [0, 1, 2, 128, 129, 130, 1_000] {
            let (mut same, mut any) = (Vec::new(), Vec::new());
            encode_same(36, count, &mut same);
            encode(&vec![36; count], true, &mut any);
            assert_eq!(same, any, "{count}");
        }
    }
}
