//! Texts → `DELTA_BYTE_ARRAY`: of each text, the bytes that it shares with the beginning of the one before
//! it, and the others.
//!
//! <https://github.com/apache/parquet-format/blob/master/Encodings.md>. Rows are in the order of time. So
//! times as texts, ids that begin with the time and paths share most of their bytes, which a compressor would
//! have to find one by one.
//!
//! Invariant: whether a page is written so depends on its texts alone.

use crate::{
    delta,
    texts::{Texts, length},
};

/// The number of texts that are looked at.
const SAMPLE_TEXTS: usize = 256;
/// With fewer, the lengths take more than is saved.
const TEXTS_MIN: usize = 16;

/// Whether texts share at least half of their bytes.
pub(crate) fn pay(texts: &Texts) -> bool {
    if texts.len() < TEXTS_MIN {
        return false;
    }
    let (mut shared, mut all) = (0, 0);
    for (bytes, text) in with_shared_bytes(texts).take(SAMPLE_TEXTS) {
        shared += bytes;
        all += text.len();
    }
    shared * 2 >= all && all > 0
}

/// Appends the texts.
pub(crate) fn encode(texts: &Texts, out: &mut Vec<u8>) {
    let (mut shared, mut others) = (Vec::with_capacity(texts.len()), Vec::with_capacity(texts.len()));
    for (bytes, text) in with_shared_bytes(texts) {
        shared.push(length(bytes));
        others.push(length(text.len() - bytes));
    }
    delta::encode(&shared, true, out);
    delta::encode(&others, true, out);
    for (text, shared) in texts.iter().zip(shared) {
        out.extend_from_slice(text.get(usize::try_from(shared).unwrap_or(0)..).unwrap_or_default());
    }
}

/// The texts, each behind the number of bytes that it shares with the one before it.
fn with_shared_bytes(texts: &Texts) -> impl Iterator<Item = (usize, &[u8])> {
    let mut before: &[u8] = b"";
    texts.iter().map(move |text| (shared_bytes(std::mem::replace(&mut before, text), text), text))
}

/// The length of the longest beginning that both have.
fn shared_bytes(a: &[u8], b: &[u8]) -> usize {
    let words = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    for (index, (a, b)) in words.enumerate() {
        let differences = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differences != 0 {
            return index * 8 + differences.trailing_zeros() as usize / 8;
        }
    }
    let start = a.len().min(b.len()) / 8 * 8;
    start + a[start..].iter().zip(&b[start..]).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_share_the_longest_beginning() {
        for length in 0..40 {
            let text: Vec<u8> = (0..length).collect();
            assert_eq!(shared_bytes(&text, &text), text.len());
            for place in 0..text.len() {
                let mut other = text.clone();
                other[place] = 0xFF;
                assert_eq!(shared_bytes(&text, &other), place);
                assert_eq!(shared_bytes(&text, &other[..place]), place);
            }
        }
    }
}
