//! The values of a page → `PLAIN`: numbers in their own width, bits, and texts each behind its length.
//!
//! <https://github.com/apache/parquet-format/blob/master/Encodings.md>
//!
//! Invariant: nothing but the values of the page is needed to read it.

use event_rows::{UUID_TEXT_BYTES, uuid_text};
use parquet::basic::Encoding;

use crate::{bounds::wide_bytes, hybrid, pages::count, values::Values};

/// Appends the values.
pub(crate) fn encode(values: &Values, out: &mut Vec<u8>) -> Encoding {
    match values {
        Values::Ints { values, is_32 } => {
            let bytes = if *is_32 { 4 } else { 8 };
            out.reserve(values.len() * bytes);
            for value in values {
                out.extend_from_slice(&value.to_le_bytes()[..bytes]);
            }
        }
        Values::Doubles(values) => {
            for value in values {
                out.extend_from_slice(&value.to_le_bytes());
            }
        }
        Values::Booleans(values) => hybrid::pack(values.iter().map(|value| u64::from(*value)), 1, out),
        Values::Wide { values, width } => {
            for &value in values {
                out.extend_from_slice(&wide_bytes(value, *width));
            }
        }
        Values::Texts(texts) => texts.iter().for_each(|text| encode_text(text, out)),
        Values::Uuids(uuids) => {
            out.reserve(uuids.len() * (4 + UUID_TEXT_BYTES));
            for &uuid in uuids {
                encode_text(&uuid_text(uuid), out);
            }
        }
        Values::Same { text, count } => (0..*count).for_each(|_| encode_text(text.as_bytes(), out)),
    }
    Encoding::PLAIN
}

fn encode_text(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&count(text.len()).to_le_bytes());
    out.extend_from_slice(text);
}
