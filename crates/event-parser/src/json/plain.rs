//! Bytes of a line → how many of them are of one class, eight at a time: plain characters of a string, or
//! digits.
//!
//! A line is in a block, so the bytes after it can be loaded too: only near the block's end are bytes taken
//! one by one.
//!
//! Invariant: the result depends on the line alone, never on the bytes after it.

/// A one in each byte.
const ONES: u64 = u64::from_ne_bytes([1; 8]);
/// The top bit of each byte.
const TOPS: u64 = ONES << 7;

/// The position, from `at` on, of the line's first `"`, `\` or control character; its end, if there is none.
/// `text` begins with the line.
#[inline]
pub(crate) fn end_of_plain(text: &[u8], line_length: usize, mut at: usize) -> usize {
    while at < line_length {
        let Some(&bytes) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) else {
            let is_special = |&byte: &u8| byte < 0x20 || byte == b'"' || byte == b'\\';
            let rest = text.get(at..line_length).unwrap_or_default();
            return at + rest.iter().position(is_special).unwrap_or(rest.len());
        };
        let special = special_bytes(u64::from_le_bytes(bytes));
        if special != 0 {
            return (at + special.trailing_zeros() as usize / 8).min(line_length);
        }
        at += 8;
    }
    line_length
}

/// The position, from `at` on, of the line's first byte that is not a digit; its end, if there is none.
#[inline]
pub(super) fn end_of_digits(text: &[u8], line_length: usize, at: usize) -> usize {
    if let Some(&bytes) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let others = bytes_but_digits(u64::from_le_bytes(bytes));
        if others != 0 {
            return (at + others.trailing_zeros() as usize / 8).min(line_length);
        }
    }
    end_of_many_digits(text, line_length, at)
}

/// The end of the integer at `at`, if one without a sign is there, and no other number.
#[inline]
pub(crate) fn end_of_integer(text: &[u8], line_length: usize, at: usize) -> Option<usize> {
    let end = end_of_digits(text, line_length, at);
    let is_integer = matches!(text.get(at), Some(b'1'..=b'9'));
    (is_integer && !matches!(text.get(end), Some(b'.' | b'e' | b'E'))).then_some(end)
}

/// The same for more than eight bytes, or near the block's end.
#[inline(never)]
fn end_of_many_digits(text: &[u8], line_length: usize, at: usize) -> usize {
    let rest = text.get(at..line_length).unwrap_or_default();
    at + rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
}

/// Whether two short texts are equal, without a call.
#[inline]
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    // The first and the last bytes cover a text of up to twice their number.
    if let (Some((a_head, b_head)), Some((a_tail, b_tail))) =
        (a.first_chunk::<8>().zip(b.first_chunk::<8>()), a.last_chunk::<8>().zip(b.last_chunk::<8>()))
    {
        return a_head == b_head && a_tail == b_tail && (a.len() <= 16 || a == b);
    }
    if let (Some((a_head, b_head)), Some((a_tail, b_tail))) =
        (a.first_chunk::<4>().zip(b.first_chunk::<4>()), a.last_chunk::<4>().zip(b.last_chunk::<4>()))
    {
        return a_head == b_head && a_tail == b_tail;
    }
    a.iter().zip(b).all(|(a, b)| a == b)
}

/// A bit in the top of each byte of `word` that is `"`, `\` or a control character; exact up to the lowest
/// such byte, which is sufficient (the borrows go upwards).
#[inline]
fn special_bytes(word: u64) -> u64 {
    // With this bit flipped, `"` is 0x20: only it and the control characters are below 0x21.
    let quote_or_control = (word ^ (ONES * 2)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
    (quote_or_control | backslash) & !word & TOPS
}

/// A bit in the top of each byte of `word` that is not a digit; exact up to the lowest such byte (the carries
/// go upwards).
#[inline]
fn bytes_but_digits(word: u64) -> u64 {
    let digits = word ^ (ONES * 0x30);
    (digits.wrapping_add(ONES * 0x76) | digits) & TOPS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_same_if_all_their_bytes_are() {
        for length in 0..40 {
            let text = vec![b'x'; length];
            assert!(same(&text, &text.clone()) && !same(&text, &vec![b'x'; length + 1]));
            for place in 0..length {
                let mut other = text.clone();
                other[place] = b'y';
                assert!(!same(&text, &other), "{place} of {length}");
            }
        }
    }

    #[test]
    fn each_byte_at_each_place_is_of_its_class_whatever_stands_behind_the_line() {
        for byte in 0..=u8::MAX {
            for length in 0..20 {
                for behind in [&b""[..], b"\"1\n\"1\n\"1\n\"1\n\"1\n", b"1234567890123456789"] {
                    let is_special = byte < 0x20 || byte == b'"' || byte == b'\\';
                    // The class of a byte must not depend on the bytes around it.
                    for (around, digits) in [(b'7', true), (b'x', false), (0xFF, false)] {
                        let mut line = vec![around; length];
                        for place in 0..length {
                            line[place] = byte;
                            let text = [line.as_slice(), behind].concat();
                            let expected = if is_special { place } else { length };
                            assert_eq!(
                                end_of_plain(&text, length, 0),
                                expected,
                                "{byte} at {place} of {length}"
                            );
                            let expected = if byte.is_ascii_digit() { length } else { place };
                            let expected = if digits { expected } else { 0 };
                            let alone = place == 0 && byte.is_ascii_digit() && !digits;
                            let expected = if alone { 1 } else { expected };
                            assert_eq!(
                                end_of_digits(&text, length, 0),
                                expected,
                                "{byte} at {place} of {length}"
                            );
                            line[place] = around;
                        }
                    }
                }
            }
        }
    }
}
