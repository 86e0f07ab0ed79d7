//! Contenders → bytes, and back: for the spill file, and for other processes.
//!
//! ```text
//! length of the UUIDs, UUIDs · length of the texts, texts · those with a version
//! ```
//!
//! Invariant: what is read back is what was written.

use event_rows::Position;

use super::{SpilledContenders, TextContender, UuidContender, Version, VersionedContender};

/// Bytes of a contender with a UUID.
const UUID_CONTENDER_BYTES: usize = 40;

impl SpilledContenders {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let (uuids, texts) = (encode_uuids(&self.uuids), encode_texts(&self.texts));
        let mut bytes = Vec::with_capacity(16 + uuids.len() + texts.len());
        encode_bytes(&uuids, &mut bytes);
        encode_bytes(&texts, &mut bytes);
        bytes.append(&mut encode_versioned(&self.versioned));
        bytes
    }

    /// The inverse of [`Self::to_bytes`]; `None` of bytes that are cut.
    pub(crate) fn of_bytes(mut bytes: &[u8]) -> Option<Self> {
        let mut contenders = Self::default();
        decode_uuids(take_bytes(&mut bytes)?, &mut contenders.uuids);
        decode_texts(take_bytes(&mut bytes)?, &mut contenders.texts);
        decode_versioned(bytes, &mut contenders.versioned);
        Some(contenders)
    }
}

fn encode_uuids(contenders: &[UuidContender]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(contenders.len() * UUID_CONTENDER_BYTES);
    for UuidContender { uuid, version } in contenders {
        bytes.extend_from_slice(&uuid.to_le_bytes());
        encode_version(version, &mut bytes);
    }
    bytes
}

fn decode_uuids(mut bytes: &[u8], contenders: &mut Vec<UuidContender>) {
    contenders.reserve(bytes.len() / UUID_CONTENDER_BYTES);
    while let (Some(uuid), Some(version)) = (take(&mut bytes), take_version(&mut bytes)) {
        contenders.push(UuidContender { uuid: u128::from_le_bytes(uuid), version });
    }
}

fn encode_texts(contenders: &[TextContender]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for TextContender { text, version } in contenders {
        encode_version(version, &mut bytes);
        encode_bytes(text.as_bytes(), &mut bytes);
    }
    bytes
}

fn decode_texts(mut bytes: &[u8], contenders: &mut Vec<TextContender>) {
    while let (Some(version), Some(text)) = (take_version(&mut bytes), take_bytes(&mut bytes)) {
        contenders.push(TextContender { text: String::from_utf8_lossy(text).into(), version });
    }
}

fn encode_versioned(contenders: &[VersionedContender]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for VersionedContender { text, key, version } in contenders {
        encode_version(version, &mut bytes);
        encode_bytes(text.as_bytes(), &mut bytes);
        encode_bytes(key, &mut bytes);
    }
    bytes
}

fn decode_versioned(mut bytes: &[u8], contenders: &mut Vec<VersionedContender>) {
    while let (Some(version), Some(text), Some(key)) =
        (take_version(&mut bytes), take_bytes(&mut bytes), take_bytes(&mut bytes))
    {
        let text = String::from_utf8_lossy(text).into();
        contenders.push(VersionedContender { text, key: key.into(), version });
    }
}

fn encode_bytes(part: &[u8], bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
    bytes.extend_from_slice(part);
}

fn take_bytes<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(u64::from_le_bytes(take(bytes)?)).ok()?;
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn encode_version(version: &Version, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&version.micros.to_le_bytes());
    bytes.extend_from_slice(&version.position.to_bits().to_le_bytes());
    bytes.extend_from_slice(&version.content.to_le_bytes());
}

fn take_version(bytes: &mut &[u8]) -> Option<Version> {
    let (micros, position, content) = (take(bytes)?, take(bytes)?, take(bytes)?);
    let position = Position::from_bits(u64::from_le_bytes(position));
    Some(Version { micros: i64::from_le_bytes(micros), content: u64::from_le_bytes(content), position })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*taken)
}
