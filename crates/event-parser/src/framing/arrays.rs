//! The text of a JSON array → the location of each of its elements; the reader decides what an element is.
//!
//! The blocks of an array are cut by one thread at a time, so this is fast and knows little: strings, how
//! deep brackets nest (`nesting`), and the text between elements. All threads check later whether elements
//! are JSON.
//!
//! A malformed element never affects its neighbours. Every byte is in some element, except for white space,
//! the array's brackets and commas in their places:
//! - An object or array ends with its bracket. Text that follows it without a comma is an element that is out
//!   of place.
//! - Anything else ends before a comma or bracket: `junk` in `[{}, junk, {}]`.
//! - A comma or `]` where an element is expected (`[{},,{}]`, `[{},]`) is itself an element, which no reader
//!   accepts as a value.
//! - After the array's `]`, the rest of that line is out of place; each line below is an element, as in JSON
//!   lines.
//!
//! Invariant: elements depend on the text alone, not on how it is cut into pieces.

use std::{io, ops::Range, sync::Arc};

use super::{nesting::Nesting, open_document::is_space};

/// An element, as a range of the scanned bytes, without the white space around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its bytes in the block.
    pub range: Range<usize>,
    /// What was expected here, if no element was.
    pub due: Option<&'static str>,
    /// What it is.
    pub unit: Unit,
}

/// What an element of a block is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Unit {
    /// An element of an array: a document.
    #[default]
    Element,
    /// One of several documents.
    Document,
    /// A record of a document, with the wanted members of the objects around it, as one JSON object's text.
    Record(Option<Arc<[u8]>>),
}

/// The state of reading an array, across all pieces of its text.
#[derive(Debug)]
pub(crate) struct ArrayScanner {
    state: State,
    /// The start of the unfinished element, in the bytes that are being scanned.
    start: usize,
    /// How far the bytes are scanned.
    at: usize,
    /// The offset of the bytes in the text, and the start of the last element.
    behind: u64,
    last_start: u64,
    nesting: Nesting,
}

/// Where in the array the scanner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first element.
    BehindBracket,
    /// Before another element.
    BehindComma,
    /// Before a comma, or the end.
    BehindElement,
    /// In an object or array.
    Container { due: Option<&'static str> },
    /// In anything else.
    Scalar { due: Option<&'static str> },
    /// After the array, between further text.
    Behind { due: Option<&'static str> },
    /// After the array, in text that should not exist.
    Line { due: Option<&'static str> },
}

const COMMA: &str = "`,` or `]` behind an element of the array";
const END: &str = "nothing behind the array's `]`";

/// The position of the opening bracket of an array in the first bytes of a text, after a byte order mark
/// and white space. `None` if the text is not an array.
#[cfg(test)]
fn opening_bracket(head: &[u8]) -> Option<usize> {
    let at = first_character(head)?;
    (head[at] == b'[').then_some(at)
}

/// Whether the first bytes of a text don't decide yet.
pub(super) fn is_blank(head: &[u8]) -> bool {
    first_character(head).is_none()
}

pub(super) fn first_character(head: &[u8]) -> Option<usize> {
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let at = text.iter().position(|byte| !is_space(*byte))?;
    Some(head.len() - text.len() + at)
}

impl ArrayScanner {
    /// A scanner of an array whose bracket is at `bracket`.
    pub(crate) fn new(bracket: usize) -> Self {
        Self {
            state: State::BehindBracket,
            start: 0,
            at: bracket + 1,
            behind: 0,
            last_start: 0,
            nesting: Nesting::default(),
        }
    }

    /// Continues to the end of `bytes`, or until `elements` has `elements_max`.
    pub(crate) fn scan(&mut self, bytes: &[u8], elements: &mut Vec<Element>, elements_max: usize) {
        while self.at < bytes.len() && elements.len() < elements_max {
            match self.state {
                State::BehindBracket | State::BehindComma | State::BehindElement => {
                    self.scan_gap(bytes[self.at], elements);
                }
                State::Container { due } => {
                    if self.nesting.ends_container(bytes, &mut self.at) {
                        elements.push(Element { range: self.start..self.at, due, unit: Unit::Element });
                        self.state = State::BehindElement;
                    }
                }
                State::Scalar { due } => {
                    if self.nesting.ends_scalar(bytes[self.at]) {
                        elements.push(self.element_before(bytes, self.at, due));
                        self.state = State::BehindElement;
                    } else {
                        self.at += 1;
                    }
                }
                State::Behind { due } => self.scan_behind(bytes[self.at], due),
                State::Line { due } => match memchr::memchr(b'\n', &bytes[self.at..]) {
                    Some(length) => {
                        elements.push(self.element_before(bytes, self.at + length, due));
                        self.at += length;
                        self.state = State::Behind { due };
                    }
                    None => self.at = bytes.len(),
                },
            }
        }
    }

    /// At the end of the text: finishes its last line; fails if the array has not ended.
    pub(crate) fn finish(&mut self, bytes: &[u8], elements: &mut Vec<Element>) -> io::Result<()> {
        match self.state {
            State::Behind { .. } => Ok(()),
            State::Line { due } => {
                elements.push(self.element_before(bytes, bytes.len(), due));
                self.state = State::Behind { due };
                Ok(())
            }
            place => {
                let what = match place {
                    State::Container { .. } | State::Scalar { .. } => {
                        "it ends in the element that begins there".to_owned()
                    }
                    // It may contain the array's bracket.
                    State::BehindElement => {
                        format!("no `]` follows its last element, which begins at byte {}", self.last_start)
                    }
                    _ => "no `]` follows".to_owned(),
                };
                let problem =
                    format!("the text begins with `[`, so it is one JSON array, but it is cut off: {what}");
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, problem))
            }
        }
    }

    /// The start of the element in which the bytes end; their end, if they end between elements.
    pub(crate) fn unfinished(&self) -> usize {
        match self.state {
            State::Container { .. } | State::Scalar { .. } | State::Line { .. } => self.start,
            _ => self.at,
        }
    }

    /// How far the bytes are scanned.
    pub(crate) fn scanned(&self) -> usize {
        self.at
    }

    /// The first bytes were returned: the following ones count from there.
    pub(crate) fn advance(&mut self, returned: &[u8]) {
        let length = returned.len();
        self.start = self.start.saturating_sub(length);
        self.at -= length;
        self.behind += length as u64;
    }

    fn scan_gap(&mut self, byte: u8, elements: &mut Vec<Element>) {
        let due = (self.state == State::BehindElement).then_some(COMMA);
        match byte {
            byte if is_space(byte) => {}
            b',' | b']' => {
                let is_missing = match byte {
                    b',' => self.state != State::BehindElement,
                    _ => self.state == State::BehindComma,
                };
                if is_missing {
                    elements.push(Element { range: self.at..self.at + 1, due, unit: Unit::Element });
                }
                self.state = if byte == b',' { State::BehindComma } else { State::Behind { due: Some(END) } };
            }
            _ => {
                self.start = self.at;
                self.last_start = self.behind + self.at as u64;
                let is_container = matches!(byte, b'{' | b'[');
                self.nesting = Nesting::behind(byte);
                self.state = if is_container { State::Container { due } } else { State::Scalar { due } };
            }
        }
        self.at += 1;
    }

    fn scan_behind(&mut self, byte: u8, due: Option<&'static str>) {
        if byte == b'\n' {
            self.state = State::Behind { due: None };
        } else if !is_space(byte) {
            self.start = self.at;
            self.state = State::Line { due };
        }
        self.at += 1;
    }

    /// The element that ends before `end`.
    fn element_before(&self, bytes: &[u8], end: usize, due: Option<&'static str>) -> Element {
        let spaces = bytes[self.start..end].iter().rev().take_while(|byte| is_space(**byte)).count();
        Element { range: self.start..end - spaces, due, unit: Unit::Element }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    /// The elements of `text`, scanned in pieces of these lengths in turn, and whether it ends.
    fn scan(text: &[u8], lengths: &[usize]) -> (Vec<Element>, bool) {
        let mut scanner = ArrayScanner::new(opening_bracket(text).unwrap());
        let mut elements = Vec::new();
        let mut end = scanner.at;
        for length in lengths.iter().cycle() {
            scanner.scan(&text[..end], &mut elements, usize::MAX);
            assert_eq!(scanner.scanned(), end);
            if end == text.len() {
                break;
            }
            end = end.saturating_add(*length).min(text.len());
        }
        let ends = scanner.finish(text, &mut elements).is_ok();
        (elements, ends)
    }

    fn texts<'a>(text: &'a str, elements: &[Element]) -> Vec<&'a str> {
        elements.iter().map(|element| &text[element.range.clone()]).collect()
    }

    #[test]
    fn what_an_array_has_wrong_is_an_element_of_its_own() {
        for (text, expected) in [
            ("[]", ""),
            (" [ \n ] \n", ""),
            ("[{}]", "{}"),
            ("[{}, 1 ,[2, 3],\"a,b\"]", "{}|1|[2, 3]|\"a,b\""),
            ("[{} {}]", "{}|!{}"),
            ("[{} 1]", "{}|!1"),
            ("[1 {}]", "1|!{}"),
            ("[{}, junk, {}]", "{}|junk|{}"),
            ("[{},, {},]", "{}|,|{}|]"),
            ("[,]", ",|]"),
            ("[{\"a\": 1 \"b\"}, {}]", "{\"a\": 1 \"b\"}|{}"),
            ("[{\"a\": 1\\}, {}]", "{\"a\": 1\\}|{}"),
            ("[{\"a\": 1}}, {}]", "{\"a\": 1}|!}|{}"),
            ("[{}] x {} \n {} \n\n[]\n", "{}|!x {}|{}|[]"),
            ("[{}]{}", "{}|!{}"),
        ] {
            let (elements, ends) = scan(text.as_bytes(), &[usize::MAX]);
            let found: Vec<_> = elements
                .iter()
                .zip(texts(text, &elements))
                .map(|(element, text)| format!("{}{text}", if element.due.is_some() { "!" } else { "" }))
                .collect();
            assert_eq!((found.join("|"), ends), (expected.to_owned(), true), "{text}");
        }
        for text in ["[", "[{}", "[{},", "[{\"a\": \"]", "[\"]", "[[]"] {
            assert!(!scan(text.as_bytes(), &[usize::MAX]).1, "{text}");
        }
    }

    /// JSON of all kinds, much of it strings with quotes, brackets and backslashes, pretty-printed or not.
    fn json() -> impl Strategy<Value = serde_json::Value> {
        let string = proptest::collection::vec(
            prop::sample::select(vec!["\"", "\\", "{", "]", ",", "é", "abcdefgh", "\n"]),
            0..40,
        )
        .prop_map(|parts| serde_json::Value::from(parts.concat()));
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i32>().prop_map(Into::into),
            string
        ];
        leaf.prop_recursive(5, 60, 6, |inner| {
            let object = proptest::collection::vec(("[\"\\\\a{\\]]{0,9}", inner.clone()), 0..5)
                .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect()));
            prop_oneof![proptest::collection::vec(inner, 0..5).prop_map(Into::into), object]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn elements_are_those_that_serde_json_sees(
            values in proptest::collection::vec(json(), 0..8),
            pretty: bool,
            lengths in proptest::collection::vec(1..150_usize, 1..5),
        ) {
            let text = if pretty { serde_json::to_string_pretty(&values) } else { serde_json::to_string(&values) };
            let text = text.unwrap();
            let expected: Vec<&RawValue> = serde_json::from_str(&text).unwrap();
            let (elements, ends) = scan(text.as_bytes(), &lengths);
            prop_assert!(ends && elements.iter().all(|element| element.due.is_none()));
            let expected: Vec<_> = expected.into_iter().map(RawValue::get).collect();
            prop_assert_eq!(texts(&text, &elements), expected);
        }

        /// Also for text that is not JSON; byte by byte there are no strides.
        #[test]
        fn elements_do_not_depend_on_the_pieces(
            parts in proptest::collection::vec(
                prop::sample::select(vec!["\"", "\\", "{", "}", "[", "]", ",", " ", "\n", "{\"a\":\"", "\\\\", "0123456789abcdefghijklmnop"]),
                0..80,
            ),
            lengths in proptest::collection::vec(1..200_usize, 1..4),
        ) {
            let text = format!("[{{{}", parts.concat());
            let by_bytes = scan(text.as_bytes(), &[1]);
            prop_assert_eq!(&scan(text.as_bytes(), &lengths), &by_bytes);
            prop_assert_eq!(&scan(text.as_bytes(), &[usize::MAX / 2]), &by_bytes);
            // Nothing is lost: between elements there is only white space, and commas and the bracket in
            // their places.
            let mut rest = text.into_bytes();
            for element in &by_bytes.0 {
                rest[element.range.clone()].fill(b' ');
            }
            if by_bytes.1 {
                let between: Vec<u8> = rest.into_iter().filter(|byte| !is_space(*byte)).collect();
                prop_assert!(between.iter().skip(1).all(|byte| matches!(byte, b',' | b']')), "{:?}", between);
                prop_assert!(between.split(|byte| *byte == b']').count() <= 2, "{:?}", between);
            }
        }
    }
}
