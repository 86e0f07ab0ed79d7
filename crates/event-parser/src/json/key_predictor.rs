//! The text between the values of objects in earlier lines → the next key, found with one comparison.
//!
//! Between a value and the next one of an object are white space, a comma, a key, a colon: always the same
//! bytes in the lines of one program. [`KeyPredictor`] remembers such texts whole, each with the scanner's
//! result, by the member before the text. It remembers the last two for each member, so that a member that is
//! not always present costs nothing.
//!
//! Invariant: a text is remembered only after the scanner accepted it, from an object's brace or one of its
//! values up to the next value, or past the object's closing brace. JSON's grammar has only these two
//! positions in an object, and they are kept apart. So a text that was accepted once would be accepted again,
//! with the same result.

use super::{Malformed, Scanner, Value, known::KnownText};

/// Longer texts are not remembered.
const LENGTH_MAX: usize = 256;
/// The texts that are remembered for each member.
const WAYS: usize = 2;

/// The position at the start of an object; see [`Next::position`].
pub(crate) const OBJECT_START: usize = 0;
/// Keys that are not read have so many places in what is learned of a record: it has more of them than a
/// payload. See [`KeyPredictor::next_of_many`].
pub(crate) const OTHER_KEYS: usize = 32;

/// What comes next in an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// The value of a key that is read: its index.
    Member(usize),
    /// The value of a key that is not read: [`KeyPredictor::unknown`].
    Unknown,
    /// The same, where such keys have places of their own behind the members
    /// ([`KeyPredictor::next_of_many`]).
    Other(usize),
    /// Nothing: the object has ended.
    End,
}

/// The texts that followed each member in the objects of one kind.
#[derive(Debug, Default)]
pub(crate) struct KeyPredictor {
    /// By the position: the object's brace, an unknown member, or the member by its index. Allocated when the
    /// first text is learned.
    from: Vec<[Link; WAYS]>,
    unknown: Option<Value>,
}

#[derive(Debug, Clone)]
struct Link {
    text: KnownText,
    next: Next,
    /// An unknown key, with offsets from the text's beginning.
    key: Option<Value>,
}

impl Default for Link {
    fn default() -> Self {
        Self { text: KnownText::default(), next: Next::End, key: None }
    }
}

impl Next {
    /// The position in the object after this value.
    #[inline]
    pub(crate) fn position(self) -> usize {
        match self {
            Self::Member(index) | Self::Other(index) => index + 2,
            Self::Unknown | Self::End => 1,
        }
    }
}

impl KeyPredictor {
    /// The bytes that it takes for each member of its object, for short keys.
    pub(crate) const MEMBER_BYTES: usize = WAYS * size_of::<Link>();

    /// Advances in an object to the next value, or past its end. `position` is where the last value left it
    /// ([`Next::position`]), or [`OBJECT_START`] after its brace. `find` returns the index of a key, of at
    /// most `members`.
    #[inline]
    pub(crate) fn next(
        &mut self,
        scanner: &mut Scanner<'_>,
        position: usize,
        members: usize,
        find: impl FnOnce(&[u8]) -> Option<usize>,
    ) -> Result<Next, Malformed> {
        self.next_of_many(scanner, position, (members, 0), find)
    }

    /// The same for an object that has many keys that are not read, one behind the other: they share
    /// `others` places, instead of one, and each is [`Next::Other`].
    #[inline]
    pub(crate) fn next_of_many(
        &mut self,
        scanner: &mut Scanner<'_>,
        position: usize,
        (members, others): (usize, usize),
        find: impl FnOnce(&[u8]) -> Option<usize>,
    ) -> Result<Next, Malformed> {
        if let Some([first, second]) = self.from.get(position) {
            if first.is_at(scanner) {
                return Ok(first.follow(scanner, &mut self.unknown));
            }
            if second.is_at(scanner) {
                return Ok(second.follow(scanner, &mut self.unknown));
            }
        }
        self.learn(scanner, position, (members, others), find)
    }

    /// The last key that is not read.
    pub(crate) fn unknown(&self) -> Option<Value> {
        self.unknown
    }

    #[inline(never)]
    fn learn(
        &mut self,
        scanner: &mut Scanner<'_>,
        position: usize,
        (members, others): (usize, usize),
        find: impl FnOnce(&[u8]) -> Option<usize>,
    ) -> Result<Next, Malformed> {
        let start = scanner.position();
        let key = scanner.next_key(position == OBJECT_START)?;
        let next = key.map_or(Next::End, |key| {
            let name = key.string(scanner.line).unwrap_or_default();
            match find(&name) {
                Some(member) => Next::Member(member),
                None if others == 0 => Next::Unknown,
                None => Next::Other(members + place_of(&name) % others),
            }
        });
        let is_unknown = matches!(next, Next::Unknown | Next::Other(_));
        if is_unknown {
            self.unknown = key;
        }
        if next != Next::End {
            scanner.peek();
        }
        if self.from.is_empty() {
            self.from.resize_with(members + others + 2, Default::default);
        }
        if let Some(ways) = self.from.get_mut(position)
            && scanner.position() - start <= LENGTH_MAX
        {
            ways.rotate_right(1);
            let key = key.filter(|_| is_unknown).map(|key| key.moved(start, 0));
            ways[0] = Link { text: KnownText::new(&scanner.line[start..scanner.position()]), next, key };
        }
        Ok(next)
    }
}

impl Link {
    /// Whether its text comes next.
    #[inline]
    fn is_at(&self, scanner: &Scanner<'_>) -> bool {
        let Some(ahead) = scanner.text.get(scanner.at..) else { return false };
        self.text.is_at(ahead, scanner.line.len() - scanner.at)
    }

    /// Skips its text.
    #[inline]
    fn follow(&self, scanner: &mut Scanner<'_>, unknown: &mut Option<Value>) -> Next {
        match self.next {
            Next::Member(_) => {}
            Next::Unknown | Next::Other(_) => *unknown = self.key.map(|key| key.moved(0, scanner.at)),
            Next::End => scanner.depth -= 1,
        }
        scanner.at += self.text.length();
        self.next
    }
}

/// A number that is rarely the same for the keys of one object.
fn place_of(name: &[u8]) -> usize {
    name.iter().fold(name.len(), |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 4] = ["a", "ab", "a\"b", "a_key_that_is_longer_than_what_is_compared_at_once"];

    /// Everything that is reported about an object: its keys and values with their positions, or where it is
    /// not JSON.
    fn read(
        predictor: &mut KeyPredictor,
        line: &[u8],
        text: &[u8],
    ) -> Result<Vec<(Next, Option<Value>, Value)>, Malformed> {
        let mut scanner = Scanner::in_text(text, line.len());
        let (mut members, mut position) = (Vec::new(), OBJECT_START);
        if scanner.peek() != Some(b'{') {
            scanner.value()?;
            scanner.end()?;
            return Ok(members);
        }
        scanner.open_object()?;
        let find = |name: &[u8]| NAMES.iter().position(|known| known.as_bytes() == name);
        loop {
            let next = predictor.next(&mut scanner, position, NAMES.len(), find)?;
            position = next.position();
            if next == Next::End {
                scanner.end()?;
                return Ok(members);
            }
            let key = predictor.unknown().filter(|_| next == Next::Unknown);
            members.push((next, key, scanner.value()?));
        }
    }

    /// Reads a line with and without what was learned from others, and with and without text after it.
    #[track_caller]
    fn reads_as_if_it_were_alone(predictor: &mut KeyPredictor, line: &[u8]) {
        let alone = read(&mut KeyPredictor::default(), line, line);
        let is_json = std::str::from_utf8(line)
            .is_ok_and(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
        let text = String::from_utf8_lossy(line);
        assert_eq!(alone.is_ok(), is_json, "{text}");
        for behind in [
            &b""[..],
            b"\n{\"a\":1,\"ab\":2}\n                                ",
            &[b'"'; 64],
            &[b'}'; 64],
            &[0; 64],
        ] {
            let block = [line, behind].concat();
            assert_eq!(read(predictor, line, &block), alone, "{text}, behind it {behind:?}");
        }
    }

    #[test]
    fn what_was_learned_changes_nothing() {
        let texts = [
            r#"{"a":1,"ab":2}"#,
            r#"{"a": 1, "ab": 2}"#,
            r#"{"ab":1,"a":2}"#,
            r#"{"a":1}"#,
            r#"{"ab":1,"ab":2}"#,
            "{}",
            "{ }",
            r#"{"\u0061":1,"a\u0062":2}"#,
            r#"{"a\"b":1,"a\\b":2}"#,
            r#"{"a" :1 , "ab"	: [1,2] }"#,
            r#"{"unknown":"x","a":"y","other":{},"unknown":null}"#,
            r#"{"a_key_that_is_longer_than_what_is_compared_at_once":1,"a_key_that_is_longer_than_what_is_compared_at_oncf":2,"a":1}"#,
            r#"{"a":1,}"#,
            r#"{"a":1 "ab":2}"#,
            r#"{"a":1}}"#,
            r#"{"a":1,"ab"}"#,
            r#"{"a":1,"ab":}"#,
            "{\n  \"a\": 1,\n  \"ab\": 2\n}",
        ];
        let mut predictor = KeyPredictor::default();
        for round in 0..3 {
            for text in texts.iter().cycle().skip(round * 7).take(texts.len()) {
                reads_as_if_it_were_alone(&mut predictor, text.as_bytes());
                for length in 0..text.len() {
                    reads_as_if_it_were_alone(&mut predictor, &text.as_bytes()[..length]);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn lines_are_read_alike_whatever_came_before(
            lines in proptest::collection::vec(
                (
                    proptest::collection::vec(
                        (
                            prop_oneof!["[ab]{1,3}", "\\\\\\\\u006[12]", Just("a_key_that_is_longer_than_what_is_compared_at_once".to_owned())],
                            prop_oneof![Just("1"), Just("\"}\""), Just("{}"), Just("[{\"a\":0}]"), Just("\"\\\\\"")],
                        ),
                        0..5,
                    ),
                    prop_oneof![Just((",", ":")), Just((", ", ": ")), Just(("\n  , \t", " :                                  "))],
                ),
                1..8,
            ),
            (at, byte) in (0_usize..400, any::<u8>()),
        ) {
            let mut predictor = KeyPredictor::default();
            for (members, (comma, colon)) in &lines {
                let members: Vec<_> = members.iter().map(|(key, value)| format!("\"{key}\"{colon}{value}")).collect();
                let mut line = format!("{{{}}}", members.join(comma)).into_bytes();
                reads_as_if_it_were_alone(&mut predictor, &line);
                // A damaged line, and then the same one again.
                let whole = line.clone();
                if let Some(position) = line.get_mut(at) {
                    *position = byte;
                }
                if std::str::from_utf8(&line).is_ok() {
                    reads_as_if_it_were_alone(&mut predictor, &line);
                }
                reads_as_if_it_were_alone(&mut predictor, &whole);
            }
        }
    }
}
