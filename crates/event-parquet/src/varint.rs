//! Numbers → bytes of seven bits each, the lowest first: ULEB128, as in Parquet's encodings.
//!
//! Invariant: a number takes as few bytes as possible.

/// Appends a number.
pub(crate) fn encode(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Appends a signed number: small ones are short, whatever their sign.
pub(crate) fn encode_zigzag(number: i64, out: &mut Vec<u8>) {
    encode((number << 1 ^ number >> 63).cast_unsigned(), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_bytes_of_the_standard() {
        let bytes = |write: fn(i64, &mut Vec<u8>), number| {
            let mut out = Vec::new();
            write(number, &mut out);
            out
        };
        let unsigned = |number: i64, out: &mut Vec<u8>| encode(number.cast_unsigned(), out);
        assert_eq!(bytes(unsigned, 624_485), [0xE5, 0x8E, 0x26]);
        assert_eq!(bytes(unsigned, -1).len(), 10);
        assert_eq!(bytes(encode_zigzag, -1), [1]);
        assert_eq!(bytes(encode_zigzag, 64), [0x80, 1]);
        assert_eq!(bytes(encode_zigzag, i64::MIN), bytes(unsigned, -1));
    }
}
