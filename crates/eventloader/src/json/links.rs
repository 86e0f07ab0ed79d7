//! What stood between the values of objects in earlier lines → the next key, known by one comparison.
//!
//! Between a value and the next one of an object stand white space, a comma, a key, a colon: in the lines of one program
//! ever the same bytes. [`Links`] remembers such texts whole, each with what the scanner made of it, by the member that
//! stood before: the last two that came there, so that a member that is not always there costs nothing.
//!
//! Invariant: a text is remembered only after the scanner took it, from behind an object's brace or one of its values up to
//! the next value, or past the object's closing brace. JSON's grammar knows only these two places in an object, and they are
//! kept apart: so what was taken once would be taken again, to the same end.

use super::{Malformed, Scanner, Value};

/// How many bytes are compared at once.
const STRIDE: usize = 32;
/// Longer texts are not remembered.
const LENGTH_MAX: usize = 256;
/// What may follow on one member.
const WAYS: usize = 2;

/// Where an object begins, as what stood before; see [`Next::place`].
pub(crate) const START: usize = 0;

/// What comes next in an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// The value of a key that is read: its index.
    Member(usize),
    /// The value of a key that is not: [`Links::unknown`].
    Unknown,
    /// Nothing: the object has ended.
    End,
}

/// What followed on what in the objects of one kind.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// By what stood before: the object's brace, an unknown member, or the member by its index. Made when the first is learned.
    from: Vec<[Link; WAYS]>,
    unknown: Option<Value>,
}

#[derive(Debug, Clone)]
struct Link {
    /// The text's first bytes, and which bits of them count.
    words: [u64; STRIDE / 8],
    masks: [u64; STRIDE / 8],
    /// Behind those.
    tail: Box<[u8]>,
    /// `usize::MAX` where nothing was learned: nothing is that long.
    length: usize,
    next: Next,
    /// Of an unknown key, counted from the text's beginning.
    key: Option<Value>,
}

impl Default for Link {
    fn default() -> Self {
        let (words, masks) = ([0; STRIDE / 8], [u64::MAX; STRIDE / 8]);
        Self { words, masks, tail: Box::default(), length: usize::MAX, next: Next::End, key: None }
    }
}

impl Next {
    /// Where it leaves its object, as what stands before the next key.
    #[inline]
    pub(crate) fn place(self) -> usize {
        match self {
            Self::Member(index) => index + 2,
            Self::Unknown | Self::End => 1,
        }
    }
}

impl Links {
    /// Goes on in an object to the next value, or past its end. `place` is where the last value left it ([`Next::place`]),
    /// [`START`] behind its brace; `find` tells a key's index of at most `members`.
    #[inline]
    pub(crate) fn next(
        &mut self,
        scanner: &mut Scanner<'_>,
        place: usize,
        members: usize,
        find: impl FnOnce(&[u8]) -> Option<usize>,
    ) -> Result<Next, Malformed> {
        if let Some([first, second]) = self.from.get(place) {
            if first.is_at(scanner) {
                return Ok(first.follow(scanner, &mut self.unknown));
            }
            if second.is_at(scanner) {
                return Ok(second.follow(scanner, &mut self.unknown));
            }
        }
        self.learn(scanner, place, members, find)
    }

    /// The key that came last of those that are not read.
    pub(crate) fn unknown(&self) -> Option<Value> {
        self.unknown
    }

    #[inline(never)]
    fn learn(
        &mut self,
        scanner: &mut Scanner<'_>,
        place: usize,
        members: usize,
        find: impl FnOnce(&[u8]) -> Option<usize>,
    ) -> Result<Next, Malformed> {
        let start = scanner.position();
        let key = scanner.next_key(place == START)?;
        let next = match key.map(|key| find(&key.string(scanner.line).unwrap_or_default())) {
            None => Next::End,
            Some(Some(member)) => Next::Member(member),
            Some(None) => Next::Unknown,
        };
        if next == Next::Unknown {
            self.unknown = key;
        }
        if next != Next::End {
            scanner.peek();
        }
        if self.from.is_empty() {
            self.from.resize_with(members + 2, Default::default);
        }
        if let Some(ways) = self.from.get_mut(place)
            && scanner.position() - start <= LENGTH_MAX
        {
            ways.rotate_right(1);
            let key = key.filter(|_| next == Next::Unknown).map(|key| key.moved(start, 0));
            ways[0].learn(&scanner.line[start..scanner.position()], next, key);
        }
        Ok(next)
    }
}

impl Link {
    fn learn(&mut self, text: &[u8], next: Next, key: Option<Value>) {
        let (head, tail) = text.split_at(text.len().min(STRIDE));
        for (at, (word, mask)) in self.words.iter_mut().zip(&mut self.masks).enumerate() {
            let rest = head.get(at * 8..).unwrap_or_default();
            let length = rest.len().min(8);
            let mut bytes = [0; 8];
            bytes[..length].copy_from_slice(&rest[..length]);
            *word = u64::from_le_bytes(bytes);
            let mut bits = [0; 8];
            bits[..length].fill(0xFF);
            *mask = u64::from_le_bytes(bits);
        }
        self.tail = tail.into();
        self.length = text.len();
        self.next = next;
        self.key = key;
    }

    /// Whether its text comes next.
    #[inline]
    fn is_at(&self, scanner: &Scanner<'_>) -> bool {
        let Some(text) = scanner.text.get(scanner.at..) else { return false };
        let Some(stride) = text.first_chunk::<STRIDE>() else { return false };
        let mut differences = 0;
        for (at, (word, mask)) in self.words.iter().zip(&self.masks).enumerate() {
            let bytes = stride[at * 8..].first_chunk::<8>().copied().unwrap_or_default();
            differences |= (u64::from_le_bytes(bytes) ^ word) & mask;
        }
        differences == 0
            && self.length <= scanner.line.len() - scanner.at
            && (self.tail.is_empty() || text[STRIDE..].starts_with(&self.tail))
    }

    /// Past its text.
    #[inline]
    fn follow(&self, scanner: &mut Scanner<'_>, unknown: &mut Option<Value>) -> Next {
        match self.next {
            Next::Member(_) => {}
            Next::Unknown => *unknown = self.key.map(|key| key.moved(0, scanner.at)),
            Next::End => scanner.depth -= 1,
        }
        scanner.at += self.length;
        self.next
    }
}
