//! The least and the greatest value of a page or a column chunk → Parquet's statistics.
//!
//! Invariant: every value is within its bounds. Bounds of long texts are shortened, and then marked as not
//! exact.

use parquet::{
    data_type::{ByteArray, FixedLenByteArray},
    file::statistics::{Statistics, ValueStatistics},
};

/// The longest text in statistics: the default of `parquet`.
const TEXT_BYTES_MAX: usize = 64;

/// Least and greatest value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bounds {
    Int {
        min: i64,
        max: i64,
        is_32: bool,
    },
    Double {
        min: f64,
        max: f64,
    },
    Boolean {
        min: bool,
        max: bool,
    },
    Text {
        min: Vec<u8>,
        max: Vec<u8>,
    },
    /// A decimal number in a fixed number of bytes.
    Wide {
        min: i128,
        max: i128,
        width: usize,
    },
}

impl Bounds {
    /// The bounds of texts; `None` if there are none.
    pub(crate) fn of_texts<'t>(mut texts: impl Iterator<Item = &'t [u8]>) -> Option<Self> {
        let first = Fronted::new(texts.next()?);
        let texts = texts.map(Fronted::new);
        let (Fronted { text: min, .. }, Fronted { text: max, .. }) =
            texts.fold((first, first), |(min, max), text| (min.min(text), max.max(text)));
        Some(Self::Text { min: min.to_vec(), max: max.to_vec() })
    }

    /// The bounds of numbers; `None` if there are none, or with NaN, which readers have in no place or behind
    /// all others. A zero bound includes both signs, because readers may or may not distinguish -0.0 from
    /// 0.0.
    pub(crate) fn of_doubles(doubles: impl Iterator<Item = f64>) -> Option<Self> {
        let all = (f64::INFINITY, f64::NEG_INFINITY, false);
        let (min, max, has_nan) =
            doubles.fold(all, |(min, max, has_nan), x| (min.min(x), max.max(x), has_nan | x.is_nan()));
        if has_nan {
            return None;
        }
        let min = if min == 0.0 { -0.0 } else { min };
        let max = if max == 0.0 { 0.0 } else { max };
        (min <= max).then_some(Self::Double { min, max })
    }

    /// The bounds of both, which belong to one column.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Int { min, max, is_32 }, Self::Int { min: a, max: b, .. }) => {
                Self::Int { min: min.min(a), max: max.max(b), is_32 }
            }
            (Self::Double { min, max }, Self::Double { min: a, max: b }) => {
                Self::Double { min: min.min(a), max: max.max(b) }
            }
            (Self::Boolean { min, max }, Self::Boolean { min: a, max: b }) => {
                Self::Boolean { min: min & a, max: max | b }
            }
            (Self::Text { min, max }, Self::Text { min: a, max: b }) => {
                Self::Text { min: min.min(a), max: max.max(b) }
            }
            (Self::Wide { min, max, width }, Self::Wide { min: a, max: b, .. }) => {
                Self::Wide { min: min.min(a), max: max.max(b), width }
            }
            (bounds, _) => bounds,
        }
    }

    /// Whether both bounds of `next` are at least these, and whether both are at most these.
    pub(crate) fn order(&self, next: &Self) -> (bool, bool) {
        fn order<T: PartialOrd>([min, max]: [T; 2], [a, b]: [T; 2]) -> (bool, bool) {
            (min <= a && max <= b, min >= a && max >= b)
        }
        match (self, next) {
            (Self::Int { min, max, .. }, Self::Int { min: a, max: b, .. }) => order([min, max], [a, b]),
            (Self::Double { min, max }, Self::Double { min: a, max: b }) => order([min, max], [a, b]),
            (Self::Boolean { min, max }, Self::Boolean { min: a, max: b }) => order([min, max], [a, b]),
            (Self::Text { min, max }, Self::Text { min: a, max: b }) => order([min, max], [a, b]),
            (Self::Wide { min, max, .. }, Self::Wide { min: a, max: b, .. }) => order([min, max], [a, b]),
            _ => (false, false),
        }
    }

    /// As written to a file: texts no longer than statistics may have.
    pub(crate) fn shortened(&self) -> Self {
        match self {
            Self::Text { min, max } => Self::Text { min: lower(min).0, max: upper(max).0 },
            others => others.clone(),
        }
    }

    /// As written to a column index, of bounds that were shortened before.
    pub(crate) fn to_bytes(&self) -> (Vec<u8>, Vec<u8>) {
        match self {
            Self::Int { min, max, is_32 } => {
                let bytes = if *is_32 { 4 } else { 8 };
                (min.to_le_bytes()[..bytes].to_vec(), max.to_le_bytes()[..bytes].to_vec())
            }
            Self::Double { min, max } => (min.to_le_bytes().to_vec(), max.to_le_bytes().to_vec()),
            Self::Boolean { min, max } => (vec![u8::from(*min)], vec![u8::from(*max)]),
            Self::Text { min, max } => (min.clone(), max.clone()),
            Self::Wide { min, max, width } => (wide_bytes(*min, *width), wide_bytes(*max, *width)),
        }
    }

    /// As written to a column chunk's metadata.
    #[expect(clippy::cast_possible_truncation, reason = "values of columns of 32 bits")]
    pub(crate) fn statistics(&self, nulls: u64) -> Statistics {
        let nulls = Some(nulls);
        match self {
            Self::Int { min, max, is_32: true } => {
                Statistics::new(Some(*min as i32), Some(*max as i32), None, nulls, false)
            }
            Self::Int { min, max, is_32: false } => {
                Statistics::new(Some(*min), Some(*max), None, nulls, false)
            }
            Self::Double { min, max } => Statistics::new(Some(*min), Some(*max), None, nulls, false),
            Self::Boolean { min, max } => Statistics::new(Some(*min), Some(*max), None, nulls, false),
            Self::Text { min, max } => {
                let ((min, min_exact), (max, max_exact)) = (lower(min), upper(max));
                let (min, max) = (ByteArray::from(min), ByteArray::from(max));
                let of_texts = ValueStatistics::new(Some(min), Some(max), None, nulls, false);
                Statistics::ByteArray(of_texts.with_min_is_exact(min_exact).with_max_is_exact(max_exact))
            }
            Self::Wide { min, max, width } => {
                let fixed = |value| Some(FixedLenByteArray::from(wide_bytes(value, *width)));
                Statistics::new(fixed(*min), fixed(*max), None, nulls, false)
            }
        }
    }
}

/// A text with its first bytes as a number: most comparisons end there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fronted<'t> {
    /// Padded with zeros, the least value: texts with different fronts order as these do.
    front: u64,
    text: &'t [u8],
}

impl<'t> Fronted<'t> {
    #[inline]
    fn new(text: &'t [u8]) -> Self {
        let front = text.first_chunk().copied().unwrap_or_else(|| {
            let mut front = [0; 8];
            front[..text.len()].copy_from_slice(text);
            front
        });
        Self { front: u64::from_be_bytes(front), text }
    }
}

/// A number's last `width` bytes, the highest first.
pub(crate) fn wide_bytes(value: i128, width: usize) -> Vec<u8> {
    value.to_be_bytes()[16 - width..].to_vec()
}

/// A text that is not greater, and whether it is the same.
fn lower(text: &[u8]) -> (Vec<u8>, bool) {
    let cut = cut_of(text);
    (text[..cut].to_vec(), cut == text.len())
}

/// A text that is not less, and whether it is the same: the front with its last character incremented. The
/// whole text if none can be.
fn upper(text: &[u8]) -> (Vec<u8>, bool) {
    let cut = cut_of(text);
    if cut == text.len() {
        return (text.to_vec(), true);
    }
    let front = std::str::from_utf8(&text[..cut]).unwrap_or_default();
    for (at, character) in front.char_indices().rev() {
        // Only if its length stays the same: a character that becomes longer would need another proof of the
        // order.
        let raised = char::from_u32(u32::from(character) + 1)
            .filter(|raised| raised.len_utf8() == character.len_utf8());
        if let Some(raised) = raised {
            return (format!("{}{raised}", &front[..at]).into_bytes(), false);
        }
    }
    (text.to_vec(), true)
}

/// Where to cut a text that is too long: between characters.
fn cut_of(text: &[u8]) -> usize {
    if text.len() <= TEXT_BYTES_MAX {
        return text.len();
    }
    let is_boundary = |at: &usize| text[*at] & 0xC0 != 0x80;
    (1..=TEXT_BYTES_MAX).rev().find(is_boundary).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_shortened_to_bounds_that_hold() {
        for text in [
            "x".repeat(65),
            "é".repeat(40),
            format!("{}\u{10FFFF}z", "a".repeat(60)),
            "\u{10FFFF}".repeat(30),
        ] {
            let ((low, low_exact), (high, high_exact)) = (lower(text.as_bytes()), upper(text.as_bytes()));
            assert!(low.as_slice() < text.as_bytes() && !low_exact && low.len() <= TEXT_BYTES_MAX);
            assert!(high.as_slice() > text.as_bytes() || (high_exact && high == text.as_bytes()), "{text}");
            assert!(std::str::from_utf8(&low).is_ok() && std::str::from_utf8(&high).is_ok());
        }
        let short = "x".repeat(64);
        assert_eq!(upper(short.as_bytes()), (short.clone().into_bytes(), true));
    }

    #[test]
    fn shortened_texts_may_lose_their_order() {
        // The front of the second one ends before a character that would cross the limit.
        let front = "x".repeat(62);
        let of = |text: String| Bounds::of_texts([text.as_bytes()].into_iter()).unwrap();
        let (first, second) = (of(format!("{front}zz{front}")), of(format!("{front}\u{20AC}{front}")));
        assert_eq!(first.order(&second), (true, false));
        assert_eq!(first.shortened().order(&second.shortened()), (false, false));
    }

    #[test]
    fn bounds_of_texts_are_the_least_and_the_greatest_byte_by_byte() {
        let texts = ["ab", "ab\0", "ab\0\0\0\0\0\0\0", "", "\0", "abcdefgh", "abcdefghi", "abcdefgi", "é"];
        for a in texts {
            for b in texts {
                let expected = Bounds::Text { min: a.min(b).into(), max: a.max(b).into() };
                assert_eq!(
                    Bounds::of_texts([a.as_bytes(), b.as_bytes()].into_iter()),
                    Some(expected),
                    "{a:?} {b:?}"
                );
            }
        }
    }

    #[test]
    fn zero_has_both_signs() {
        let bounds = Bounds::of_doubles([0.0, 1.0].into_iter()).unwrap();
        let Bounds::Double { min, max } = bounds else { panic!("{bounds:?}") };
        assert!(min.is_sign_negative() && (max - 1.0).abs() < f64::EPSILON);
        assert_eq!(Bounds::of_doubles(std::iter::empty()), None);
        assert_eq!(Bounds::of_doubles([1.0, f64::NAN, 2.0].into_iter()), None);
    }
}
