//! The strings seen at one path → the facts that decide their type and that a draft's comments show.
//!
//! Invariant: the result depends only on the set of strings, not on their order, and has a bounded size.

use events_core::{number, timestamp};
use xxhash_rust::xxh3::xxh3_64;

use super::numbers::Numbers;

/// The most different strings that are kept; if there are more, one example is kept instead.
const DISTINCT_MAX: usize = 5;
/// The longest string that is kept whole.
const SHOWN_CHARS: usize = 40;

/// The common properties of the strings.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Texts {
    pub(crate) count: u64,
    /// The fewest and the most characters.
    pub(crate) chars: Option<(usize, usize)>,
    /// Those that are valid values of the types.
    pub(crate) dates: u64,
    pub(crate) timestamps: u64,
    /// Timestamps with digits beyond microseconds other than zero.
    pub(crate) cut: u64,
    pub(crate) booleans: u64,
    /// Those that are a number by JSON's grammar.
    pub(crate) numbers: Numbers,
    /// The earliest and the latest, of those that are a time.
    pub(crate) times: Option<(Instant, Instant)>,
    /// All of them, sorted, as long as there are few.
    distinct: Distinct,
    /// The string with the least hash: as good as random, but the same in any order.
    example: Option<(u64, String)>,
}

/// Microseconds since 1970, and the text.
pub(crate) type Instant = (i64, String);

#[derive(Debug, Clone, PartialEq)]
enum Distinct {
    Few(Vec<String>),
    Many,
}

impl Default for Distinct {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Texts {
    pub(crate) fn add(&mut self, text: &[u8]) {
        self.count += 1;
        let chars = text.iter().filter(|&&byte| byte & 0xC0 != 0x80).count();
        self.stretch_chars((chars, chars));
        self.booleans += u64::from(matches!(text, b"true" | b"false"));
        if text.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-') {
            self.add_number_or_time(text);
        }
        self.distinct.add(text);
        let hash = xxh3_64(text);
        if self.example.as_ref().is_none_or(|(least, _)| hash < *least) {
            self.example = Some((hash, shown(text)));
        }
    }

    fn add_number_or_time(&mut self, text: &[u8]) {
        if number::is_number(text) {
            self.numbers.add(text);
        } else if text.get(4) == Some(&b'-')
            && let Some(micros) = timestamp::parse_timestamp(text)
        {
            self.timestamps += 1;
            self.cut += u64::from(timestamp::is_cut(text));
            self.dates += u64::from(text.len() == 10);
            let instant = (micros, shown(text));
            self.stretch_times(instant.clone(), instant);
        }
    }

    fn stretch_chars(&mut self, other: (usize, usize)) {
        let (least, most) = self.chars.unwrap_or(other);
        self.chars = Some((least.min(other.0), most.max(other.1)));
    }

    fn stretch_times(&mut self, first: Instant, last: Instant) {
        self.times = Some(match self.times.take() {
            None => (first, last),
            Some((earliest, latest)) => (earliest.min(first), latest.max(last)),
        });
    }

    /// Adds what another thread has seen.
    pub(crate) fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.dates += other.dates;
        self.timestamps += other.timestamps;
        self.cut += other.cut;
        self.booleans += other.booleans;
        self.numbers.merge(other.numbers);
        if let Some(chars) = other.chars {
            self.stretch_chars(chars);
        }
        if let Some((first, last)) = other.times {
            self.stretch_times(first, last);
        }
        match other.distinct {
            Distinct::Few(texts) => texts.iter().for_each(|text| self.distinct.add(text.as_bytes())),
            Distinct::Many => self.distinct = Distinct::Many,
        }
        self.example = [self.example.take(), other.example].into_iter().flatten().min();
    }

    /// All strings if there are few, otherwise one; and whether these are all.
    pub(crate) fn examples(&self) -> (&[String], bool) {
        match (&self.distinct, &self.example) {
            (Distinct::Few(texts), _) => (texts, true),
            (Distinct::Many, Some((_, text))) => (std::slice::from_ref(text), false),
            (Distinct::Many, None) => (&[], false),
        }
    }
}

impl Distinct {
    fn add(&mut self, text: &[u8]) {
        let Self::Few(texts) = self else { return };
        let Err(at) = texts.binary_search_by(|known| known.as_bytes().cmp(text)) else { return };
        if texts.len() == DISTINCT_MAX || text.len() > SHOWN_CHARS {
            *self = Self::Many;
        } else {
            texts.insert(at, String::from_utf8_lossy(text).into_owned());
        }
    }
}

/// The beginning of a string that may be long.
pub(crate) fn shown(text: &[u8]) -> String {
    let front = String::from_utf8_lossy(&text[..text.len().min(4 * SHOWN_CHARS)]);
    let mut shown: String = front.chars().take(SHOWN_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Texts {
        let mut all = Texts::default();
        for text in texts {
            all.add(text.as_bytes());
        }
        all
    }

    #[test]
    fn dates_times_numbers_and_booleans_are_told_apart() {
        let texts = of(&[
            "2024-02-29",
            "2024-02-30",
            "2024-10-10T00:00:07Z",
            "12",
            "007",
            "1.50",
            "true",
            "",
            "東京",
        ]);
        assert_eq!((texts.count, texts.dates, texts.timestamps, texts.booleans), (9, 1, 2, 1));
        assert_eq!((texts.numbers.count, texts.chars), (2, Some((0, 20))));
        assert_eq!(of(&["2024-10-10T00:00:07.1234560Z", "2024-10-10T00:00:07.1234567Z"]).cut, 1);
        let ((_, first), (_, last)) = texts.times.clone().unwrap();
        assert_eq!((first.as_str(), last.as_str()), ("2024-02-29", "2024-10-10T00:00:07Z"));
        assert!(!texts.examples().1);
        assert_eq!(of(&["b", "a", "b"]).examples(), (["a".to_owned(), "b".to_owned()].as_slice(), true));
    }

    #[test]
    fn merging_is_seeing_all_of_them_in_any_order() {
        let (left, right) = (["a", "2024-01-01", "x".repeat(50).as_str()].map(str::to_owned), ["1.5", "b"]);
        let left: Vec<&str> = left.iter().map(String::as_str).collect();
        let mut merged = of(&right);
        merged.merge(of(&left));
        assert_eq!(merged, of(&[&left[..], &right[..]].concat()));
    }
}
