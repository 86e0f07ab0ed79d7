//! A text of an earlier line → whether it occurs again, found with one comparison.
//!
//! Invariant: the bytes after the text do not matter, although they are loaded with it.

/// The number of bytes that are compared at once.
const STRIDE: usize = 16;

/// A text of an earlier line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownText {
    /// The text's first bytes, and a mask of the bits that count.
    words: [u64; STRIDE / 8],
    masks: [u64; STRIDE / 8],
    /// `usize::MAX` if there is no text: nothing is that long.
    length: usize,
    /// The last bytes of a longer text, and the whole text if it is longer still.
    end: [u8; STRIDE],
    whole: Box<[u8]>,
}

impl KnownText {
    pub(crate) fn new(text: &[u8]) -> Self {
        let mut known = Self { length: text.len(), ..Self::default() };
        for (at, (word, mask)) in known.words.iter_mut().zip(&mut known.masks).enumerate() {
            let rest = text.get(at * 8..).unwrap_or_default();
            let length = rest.len().min(8);
            let mut bytes = [0; 8];
            bytes[..length].copy_from_slice(&rest[..length]);
            *word = u64::from_le_bytes(bytes);
            let mut bits = [0; 8];
            bits[..length].fill(0xFF);
            *mask = u64::from_le_bytes(bits);
        }
        if text.len() > STRIDE {
            known.end = text.last_chunk().copied().unwrap_or_default();
        }
        if text.len() > 2 * STRIDE {
            known.whole = text.into();
        }
        known
    }

    #[inline]
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Whether the text comes next: `ahead` begins there, and `limit` of its bytes count. `false` if `ahead`
    /// is too short to be loaded at once.
    #[inline]
    pub(crate) fn is_at(&self, ahead: &[u8], limit: usize) -> bool {
        let Some(front) = ahead.first_chunk::<STRIDE>() else { return false };
        let mut differences = 0;
        for (at, (word, mask)) in self.words.iter().zip(&self.masks).enumerate() {
            let bytes = front[at * 8..].first_chunk::<8>().copied().unwrap_or_default();
            differences |= (u64::from_le_bytes(bytes) ^ word) & mask;
        }
        differences == 0 && self.length <= limit && (self.length <= STRIDE || self.goes_on(ahead))
    }

    /// The same for the bytes after the first ones.
    #[inline]
    fn goes_on(&self, ahead: &[u8]) -> bool {
        let Some(text) = ahead.get(..self.length) else { return false };
        text.last_chunk() == Some(&self.end) && (self.length <= 2 * STRIDE || *text == *self.whole)
    }
}

/// No text, which never matches.
impl Default for KnownText {
    fn default() -> Self {
        let (words, masks) = ([0; STRIDE / 8], [u64::MAX; STRIDE / 8]);
        Self { words, masks, length: usize::MAX, end: [0; STRIDE], whole: Box::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_again_if_all_its_bytes_do_and_no_others_count() {
        for length in 0..70_u8 {
            let text: Vec<u8> = (0..length).map(|at| at + 1).collect();
            let known = KnownText::new(&text);
            for behind in [&b"                                "[..], &[1; 32]] {
                let mut ahead = [&text, behind].concat();
                assert!(known.is_at(&ahead, ahead.len()) && known.is_at(&ahead, text.len()));
                assert!(text.is_empty() || !known.is_at(&ahead, text.len() - 1));
                for place in 0..text.len() {
                    ahead[place] ^= 0x80;
                    assert!(!known.is_at(&ahead, ahead.len()), "{place} of {length}");
                    ahead[place] ^= 0x80;
                }
            }
            assert!(!known.is_at(&text[..text.len().saturating_sub(1)], 0));
        }
        assert!(!KnownText::default().is_at(&[0; 64], 64));
    }
}
