//! A text that came before → whether it comes again, by one comparison.
//!
//! Invariant: what stands behind the text does not count, though it is loaded with it.

/// How many bytes are compared at once.
const STRIDE: usize = 32;

/// A text of an earlier line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownText {
    /// The text's first bytes, and which bits of them count.
    words: [u64; STRIDE / 8],
    masks: [u64; STRIDE / 8],
    /// Behind those.
    tail: Box<[u8]>,
    /// `usize::MAX` where there is none: nothing is that long.
    length: usize,
}

impl KnownText {
    pub(crate) fn new(text: &[u8]) -> Self {
        let mut known = Self { length: text.len(), ..Self::default() };
        let (head, tail) = text.split_at(text.len().min(STRIDE));
        for (at, (word, mask)) in known.words.iter_mut().zip(&mut known.masks).enumerate() {
            let rest = head.get(at * 8..).unwrap_or_default();
            let length = rest.len().min(8);
            let mut bytes = [0; 8];
            bytes[..length].copy_from_slice(&rest[..length]);
            *word = u64::from_le_bytes(bytes);
            let mut bits = [0; 8];
            bits[..length].fill(0xFF);
            *mask = u64::from_le_bytes(bits);
        }
        known.tail = tail.into();
        known
    }

    #[inline]
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Whether it comes next: `ahead` begins there, and `limit` bytes of that count. Where `ahead` ends too soon to be loaded at
    /// once, it does not.
    #[inline]
    pub(crate) fn is_at(&self, ahead: &[u8], limit: usize) -> bool {
        let Some(stride) = ahead.first_chunk::<STRIDE>() else { return false };
        let mut differences = 0;
        for (at, (word, mask)) in self.words.iter().zip(&self.masks).enumerate() {
            let bytes = stride[at * 8..].first_chunk::<8>().copied().unwrap_or_default();
            differences |= (u64::from_le_bytes(bytes) ^ word) & mask;
        }
        differences == 0
            && self.length <= limit
            && (self.tail.is_empty() || ahead[STRIDE..].starts_with(&self.tail))
    }
}

/// None: never comes.
impl Default for KnownText {
    fn default() -> Self {
        let (words, masks) = ([0; STRIDE / 8], [u64::MAX; STRIDE / 8]);
        Self { words, masks, tail: Box::default(), length: usize::MAX }
    }
}
