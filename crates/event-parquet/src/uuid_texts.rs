//! A page of texts → its UUIDs, if each text is one behind the same prefix: `evt_` or `urn:uuid:`, or none.
//!
//! Such texts are a zstd frame of UUIDs (`uuid_frame.rs`) behind what the encoding has before them: the
//! lengths of the texts (`DELTA_LENGTH_BYTE_ARRAY`), or, if there is a prefix, what each text shares with the
//! one before it (`DELTA_BYTE_ARRAY`).
//!
//! Invariant: prefix and UUIDs are the texts, byte for byte.

use std::{borrow::Cow, iter};

use event_rows::{UUID_TEXT_BYTES, parse_uuid_text, uuid_text};
use parquet::basic::Encoding;

use crate::{
    bounds::Bounds,
    delta,
    texts::{Texts, length},
    values::min_max,
};

/// Texts that are UUIDs behind one prefix; at least one.
#[derive(Debug)]
pub(crate) struct UuidTexts<'t> {
    prefix: &'t [u8],
    uuids: Cow<'t, [u128]>,
}

impl<'t> UuidTexts<'t> {
    pub(crate) fn of_uuids(uuids: &'t [u128]) -> Self {
        Self { prefix: b"", uuids: Cow::Borrowed(uuids) }
    }

    pub(crate) fn of_texts(texts: &'t Texts) -> Option<Self> {
        let first = texts.iter().next()?;
        let (prefix, first_uuid) = first.split_last_chunk::<UUID_TEXT_BYTES>()?;
        parse_uuid_text(first_uuid)?;
        if texts.bytes().len() != texts.len() * first.len() {
            return None;
        }
        let uuid = |text: &[u8]| parse_uuid_text(text.strip_prefix(prefix)?.try_into().ok()?);
        let uuids = texts.iter().map(uuid).collect::<Option<_>>()?;
        Some(Self { prefix, uuids: Cow::Owned(uuids) })
    }

    pub(crate) fn uuids(&self) -> &[u128] {
        &self.uuids
    }

    /// Appends what the encoding has before the UUIDs.
    pub(crate) fn encode_front(&self, out: &mut Vec<u8>) -> Encoding {
        let (count, bytes) = (self.uuids.len(), length(UUID_TEXT_BYTES));
        if self.prefix.is_empty() {
            delta::encode_same(bytes, count, out);
            return Encoding::DELTA_LENGTH_BYTE_ARRAY;
        }
        // Of each text, the bytes that it shares with the one before, and the number of the others.
        let prefix = length(self.prefix.len());
        let behind = |first: i64, other: i64| -> Vec<_> {
            iter::once(first).chain(iter::repeat_n(other, count - 1)).collect()
        };
        delta::encode(&behind(0, prefix), true, out);
        delta::encode(&behind(prefix + bytes, bytes), true, out);
        out.extend_from_slice(self.prefix);
        Encoding::DELTA_BYTE_ARRAY
    }

    /// UUIDs order as their texts do.
    pub(crate) fn bounds(&self) -> Option<Bounds> {
        let (min, max) = min_max(&self.uuids)?;
        let text = |uuid| [self.prefix, &uuid_text(uuid)].concat();
        Some(Bounds::Text { min: text(min), max: text(max) })
    }
}
