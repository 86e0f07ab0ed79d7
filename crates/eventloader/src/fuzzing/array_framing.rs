//! A text → its lines or the elements of its array, cut into blocks of any size, against `serde_json` and the
//! model.
//!
//! Invariant: see [`array_framing`].

use event_parser::{Block, Content, newlines_in};
use serde_json::value::RawValue;

use super::lines::{blocks_of, pieces_of};

/// From blocks of at most one line to one block for everything.
const BLOCK_BYTES: [usize; 10] = [1, 2, 3, 7, 16, 63, 64, 65, 200, 1 << 16];

/// A line or element: its offset, its line in the file, its text, whether it is out of place in the array.
type Piece<'t> = (usize, u64, &'t [u8], bool);

/// The bytes are a text.
///
/// - The blocks, concatenated, are the text; what they contain, or the error, is the same for every block
///   size.
/// - Lines and elements are those of the model: each byte is in one of them, or is white space, or a comma or
///   bracket in its place.
/// - If `serde_json` reads the text as an array, the elements are those that it sees.
pub fn array_framing(text: &[u8]) {
    let expected = pieces_of(text).map(|pieces| {
        let pieces = pieces.iter().map(|piece| (piece.offset, piece.line, piece.raw, piece.out_of_place));
        pieces.collect::<Vec<Piece<'_>>>()
    });
    let mut first_error = None;
    for block_bytes in BLOCK_BYTES {
        match (blocks_of(text, block_bytes), &expected) {
            (Ok(blocks), Some(expected)) => {
                let found = pieces_in(&blocks, text);
                assert_eq!(found, *expected, "blocks of {block_bytes} bytes (left), the model (right)");
            }
            (Err(error), None) => {
                assert_eq!(&error, first_error.get_or_insert(error.clone()), "blocks of {block_bytes} bytes");
            }
            (found, _) => panic!("blocks of {block_bytes} bytes: {found:?}, the model: {expected:?}"),
        }
    }
    if let Ok(elements) = serde_json::from_slice::<Vec<&RawValue>>(text) {
        let found = expected.unwrap_or_else(|| panic!("an array is cut off"));
        let found: Vec<_> = found.iter().map(|&(.., raw, out_of_place)| (raw, out_of_place)).collect();
        let elements: Vec<_> = elements.iter().map(|element| (element.get().as_bytes(), false)).collect();
        assert_eq!(found, elements, "the loader (left), serde_json (right)");
    }
}

/// The pieces in the blocks; the blocks must make up the text.
fn pieces_in<'t>(blocks: &'t [Block], text: &[u8]) -> Vec<Piece<'t>> {
    let (mut pieces, mut newlines, mut offset) = (Vec::new(), 0, 0);
    for block in blocks {
        let bytes: &[u8] = &block.bytes;
        assert_eq!(block.offset, offset as u64);
        assert_eq!(Some(bytes), text.get(offset..offset + bytes.len()), "at {offset}");
        match &block.content {
            Content::Lines => {
                let mut at = 0;
                for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                    let raw = line.strip_suffix(b"\n").unwrap_or(line);
                    pieces.push((offset + at, newlines + 1, raw, false));
                    newlines += 1;
                    at += line.len();
                }
            }
            Content::Elements(elements) => {
                for element in elements {
                    let line = newlines + 1 + u64::from(newlines_in(&bytes[..element.range.start]));
                    let due = element.due.is_some();
                    pieces.push((offset + element.range.start, line, &bytes[element.range.clone()], due));
                }
                newlines += u64::from(newlines_in(bytes));
            }
            Content::Fragment(_) => panic!("a line of less than 16 MiB is whole"),
        }
        offset += bytes.len();
    }
    assert_eq!(offset, text.len());
    pieces
}
