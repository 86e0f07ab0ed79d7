//! The checksum of a checkpoint, within it: a property in the footer, which other programs pass over.
//!
//! A checkpoint is all that is left of commits that were deleted, and a decoder can't tell a path with one
//! other bit from a path.
//!
//! Invariant: of a checkpoint that this crate wrote, either all bytes are as they were, or it is not decoded.
//! Those of other programs have no such checksum.

use std::ops::Range;

use parquet::file::metadata::KeyValue;
use xxhash_rust::xxh3::xxh3_64;

const KEY: &str = "eventloader.xxh3";
const DIGITS: usize = 16;
/// What stands for the digits while the checksum is computed.
const BLANK: u8 = b'0';
/// What stands between a key and a text of so many bytes: Thrift's compact protocol.
const BETWEEN: [u8; 2] = [0x18, 0x10];

/// The property, blank.
pub(super) fn blank() -> KeyValue {
    KeyValue::new(KEY.to_owned(), str::from_utf8(&[BLANK; DIGITS]).map(str::to_owned).ok())
}

/// Fills in the property.
pub(super) fn seal(bytes: &mut [u8]) -> Result<(), String> {
    let place = place(bytes).ok_or("the checkpoint has no place for its checksum")?;
    let digits = digits(bytes);
    bytes[place].copy_from_slice(&digits);
    Ok(())
}

/// Refuses bytes whose property is not theirs; it is blank afterwards.
pub(super) fn check(bytes: &mut [u8]) -> Result<(), String> {
    let Some(place) = place(bytes) else { return Ok(()) };
    let expected = bytes[place.clone()].to_vec();
    bytes[place].fill(BLANK);
    if digits(bytes) == *expected { Ok(()) } else { Err("it is damaged: its checksum is another".to_owned()) }
}

fn digits(bytes: &[u8]) -> Vec<u8> {
    format!("{:0DIGITS$x}", xxh3_64(bytes)).into_bytes()
}

fn place(bytes: &[u8]) -> Option<Range<usize>> {
    let before = [KEY.as_bytes(), &BETWEEN].concat();
    let found = bytes.windows(before.len() + DIGITS).rposition(|window| window.starts_with(&before))?;
    Some(found + before.len()..found + before.len() + DIGITS)
}
