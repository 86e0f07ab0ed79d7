//! A short part of a long text → appended without a call.
//!
//! Texts of events have some tens of bytes, and a call that first determines the length takes longer than
//! copying them. So a fixed number of bytes is copied, if the text is long enough, and the excess is
//! truncated.
//!
//! Invariant: exactly the part is appended, whatever follows it.

use std::ops::Range;

/// Appends the bytes of `part` of `text`.
///
/// # Panics
/// If the part is not within the text.
#[inline]
pub fn extend_with_part(bytes: &mut Vec<u8>, text: &[u8], part: Range<usize>) {
    let (start, length) = (part.start, part.len());
    let ahead = &text[start..];
    if length <= 16
        && let Some(chunk) = ahead.first_chunk::<16>()
    {
        extend_with_front(bytes, chunk, length);
    } else if length <= 64
        && let Some(chunk) = ahead.first_chunk::<64>()
    {
        extend_with_front(bytes, chunk, length);
    } else {
        bytes.extend_from_slice(&text[part]);
    }
}

#[inline]
fn extend_with_front<const N: usize>(bytes: &mut Vec<u8>, chunk: &[u8; N], length: usize) {
    let end = bytes.len() + length;
    bytes.extend_from_slice(chunk);
    bytes.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_appended_whatever_its_length_and_what_follows() {
        let text: Vec<u8> = (0..200).collect();
        for start in 0..text.len() {
            for end in start..=text.len() {
                let mut bytes = b"before".to_vec();
                extend_with_part(&mut bytes, &text, start..end);
                assert_eq!(bytes, [b"before", &text[start..end]].concat());
            }
        }
    }
}
