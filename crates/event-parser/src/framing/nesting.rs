//! The bytes of an element → its end, found by its strings and brackets alone, 64 bytes at a time.
//!
//! Masks of 64 bytes tell which are quotes, backslashes and brackets. The quotes that are not escaped
//! determine which bytes are in strings. The brackets outside of strings are counted, and only looked at one
//! by one where the depth may reach zero.
//!
//! Invariant: the result is the same as byte by byte ([`Nesting::end_in`]), wherever the bytes are cut.

/// The lowest bit of each byte of a word.
const LOWEST_BITS: u64 = 0x0101_0101_0101_0101;
/// The number of bytes that are looked at together.
pub(super) const STRIDE: usize = 64;

/// The position of the scanner in an element.
#[derive(Debug, Default)]
pub(crate) struct Nesting {
    depth: usize,
    string: StringState,
}

/// Whether the scanner is in a string.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct StringState {
    in_string: bool,
    /// Whether the last byte was a backslash in a string.
    escaped: bool,
}

impl Nesting {
    /// The state after the first byte of an element.
    pub(crate) fn behind(first: u8) -> Self {
        let depth = usize::from(matches!(first, b'{' | b'['));
        Self { depth, string: StringState { in_string: first == b'"', escaped: false } }
    }

    /// Whether anything but an object or array ends before `byte`.
    pub(crate) fn ends_scalar(&mut self, byte: u8) -> bool {
        !self.string.takes(byte) && matches!(byte, b',' | b']' | b'{' | b'[')
    }

    /// Continues from `at` to the end of the object or array, or to that of `bytes`; returns whether it
    /// ended.
    pub(crate) fn ends_container(&mut self, bytes: &[u8], at: &mut usize) -> bool {
        loop {
            let rest = &bytes[*at..];
            let (found, length) = match rest.first_chunk::<STRIDE>() {
                Some(stride) => (self.stride(stride), STRIDE),
                None => (self.end_in(rest), rest.len()),
            };
            *at += found.unwrap_or(length);
            if found.is_some() || *at == bytes.len() {
                return found.is_some();
            }
        }
    }

    /// Byte by byte: the number of bytes up to the end of the object or array, if it ends.
    fn end_in(&mut self, bytes: &[u8]) -> Option<usize> {
        let ends = |byte: &u8| {
            match byte {
                _ if self.string.takes(*byte) => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth -= 1,
                _ => {}
            }
            self.depth == 0
        };
        bytes.iter().position(ends).map(|last| last + 1)
    }

    /// The same for a whole stride.
    #[inline]
    fn stride(&mut self, bytes: &[u8; STRIDE]) -> Option<usize> {
        let masks = Masks::of(bytes);
        let mut string = self.string;
        let strings = string.stride(&masks);
        if masks.backslashes & !strings != 0 {
            // Outside of strings a backslash is not JSON, and escapes nothing.
            return self.end_in(bytes);
        }
        let (opening, closing) = (masks.opening & !strings, masks.closing & !strings);
        if closing.count_ones() as usize >= self.depth {
            let mut brackets = opening | closing;
            while brackets != 0 {
                let bracket = brackets & brackets.wrapping_neg();
                if opening & bracket != 0 {
                    self.depth += 1;
                } else {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(bracket.trailing_zeros() as usize + 1);
                    }
                }
                brackets ^= bracket;
            }
        } else {
            self.depth += opening.count_ones() as usize;
            self.depth -= closing.count_ones() as usize;
        }
        self.string = string;
        None
    }
}

impl StringState {
    /// Whether it is in a string.
    pub(super) fn is_in(self) -> bool {
        self.in_string
    }

    /// Takes a byte; returns whether it belongs to a string, the quotes included.
    #[inline]
    pub(super) fn takes(&mut self, byte: u8) -> bool {
        if !self.in_string {
            self.in_string = byte == b'"';
            return self.in_string;
        }
        let escaped = std::mem::replace(&mut self.escaped, false);
        match byte {
            b'\\' => self.escaped = !escaped,
            b'"' => self.in_string = escaped,
            _ => {}
        }
        true
    }

    /// Takes a whole stride; returns which bytes are in strings, with the opening and without the closing
    /// quotes. Backslashes outside of strings are taken to escape, too: the result is not to be used then.
    #[inline]
    pub(super) fn stride(&mut self, masks: &Masks) -> u64 {
        let mut escaped = u64::from(self.escaped);
        let mut backslashes = masks.backslashes & !escaped;
        let mut ends_escaped = false;
        while backslashes != 0 {
            let backslash = backslashes & backslashes.wrapping_neg();
            escaped |= backslash << 1;
            ends_escaped = backslash == 1 << 63;
            backslashes &= !(backslash | backslash << 1);
        }
        let mut strings = prefix_xor(masks.quotes & !escaped);
        if self.in_string {
            strings = !strings;
        }
        *self = Self { in_string: strings >> 63 != 0, escaped: ends_escaped };
        strings
    }
}

/// The classes of 64 bytes: the first byte is the lowest bit.
pub(super) struct Masks {
    pub(super) quotes: u64,
    pub(super) backslashes: u64,
    pub(super) opening: u64,
    pub(super) closing: u64,
}

impl Masks {
    #[inline]
    pub(super) fn of(bytes: &[u8; STRIDE]) -> Self {
        // Bits 0 to 3 of each byte; the compiler makes vector instructions of this.
        let kinds = bytes.map(|byte| {
            let bracket = byte | 0x20;
            u8::from(byte == b'"')
                | u8::from(byte == b'\\') << 1
                | u8::from(bracket == b'{') << 2
                | u8::from(bracket == b'}') << 3
        });
        let words = kinds.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        let any = words.clone().fold(0, |any, word| any | word);
        let gather = |kind: u32| {
            if any >> kind & LOWEST_BITS == 0 {
                return 0;
            }
            // The lowest bits of eight bytes, collected in the highest byte.
            let bits = |word: u64| (word >> kind & LOWEST_BITS).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            words.clone().zip(0..).fold(0, |mask, (word, index)| mask | bits(word) << (8 * index))
        };
        Self { quotes: gather(0), backslashes: gather(1), opening: gather(2), closing: gather(3) }
    }
}

/// Each bit xor all lower ones: of quotes, this gives the strings, with the opening and without the closing
/// quote.
fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}
