//! A clean line, without its newline → where its parts are, and edited copies of it.
//!
//! A clean line is one that a world wrote: `event_id`, `timestamp`, `domain`, `event_type`, `data` in that
//! order, `: ` and `, ` as separators, no escapes. So a key can be found as text, and nothing is parsed or
//! serialized again.
//!
//! Invariant: an edit changes what it names and leaves every other byte as it was.

use std::ops::Range;

use events_core::event;

/// The length of an `event_id`.
pub const ID_BYTES: usize = uuid::fmt::Hyphenated::LENGTH;

/// Every clean line begins with this, followed by its `event_id`.
const FRONT: &str = r#"{"event_id": ""#;

/// One clean line.
#[derive(Debug, Clone, Copy)]
pub(super) struct CleanLine<'l> {
    text: &'l str,
    /// The offset of the `{` of `data`.
    data: usize,
}

impl<'l> CleanLine<'l> {
    pub(super) fn new(line: &'l [u8]) -> Self {
        let text = std::str::from_utf8(line).expect("a clean line is UTF-8");
        debug_assert!(text.starts_with(FRONT) && text.ends_with("}}"), "not a clean line: {text}");
        let data = value_start(text, 0, event::DATA).expect("a clean line has all base fields");
        Self { text, data }
    }

    pub(super) fn text(&self) -> &'l str {
        self.text
    }

    /// The value of a base field, a string with its quotes.
    pub(super) fn base(&self, name: &str) -> Range<usize> {
        let start = value_start(self.text, 0, name).expect("a clean line has all base fields");
        if start == self.data { self.data..self.data_end() } else { start..self.value_end(start) }
    }

    /// The value of a field of the payload, or of an object in it; the first of that name.
    pub(super) fn payload(&self, name: &str) -> Option<Range<usize>> {
        let start = value_start(self.text, self.data, name)?;
        Some(start..self.value_end(start))
    }

    /// The key of a base field, with its quotes.
    pub(super) fn base_key(&self, name: &str) -> Range<usize> {
        let end = self.base(name).start - ": ".len();
        end - name.len() - "\"\"".len()..end
    }

    /// The text of the timestamp.
    pub(super) fn time(&self) -> &'l str {
        self.text[self.base(event::TIMESTAMP)].trim_matches('"')
    }

    /// The offset of the first key of the payload.
    pub(super) fn payload_start(&self) -> usize {
        self.data + 1
    }

    /// The offset after the last value of the payload.
    pub(super) fn payload_end(&self) -> usize {
        self.text.len() - 2
    }

    /// The offset after `data`, the last of the base fields.
    pub(super) fn data_end(&self) -> usize {
        self.text.len() - 1
    }

    /// The line with `range` replaced by other bytes.
    pub(super) fn replaced(&self, range: Range<usize>, with: impl AsRef<[u8]>) -> Vec<u8> {
        let text = self.text.as_bytes();
        [&text[..range.start], with.as_ref(), &text[range.end..]].concat()
    }

    /// The line with more bytes inserted before offset `at`.
    pub(super) fn inserted(&self, at: usize, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        self.replaced(at..at, bytes)
    }

    fn value_end(&self, start: usize) -> usize {
        let value = &self.text[start..];
        let length = match value.as_bytes().first() {
            Some(b'"') => value[1..].find('"').map(|quote| quote + 2),
            // The objects of a payload contain no objects.
            Some(b'{') => value.find('}').map(|brace| brace + 1),
            _ => value.find([',', '}']),
        };
        start + length.expect("a value of a clean line ends")
    }
}

fn value_start(text: &str, from: usize, name: &str) -> Option<usize> {
    let key = format!("\"{name}\": ");
    Some(from + text[from..].find(&key)? + key.len())
}

/// A clean line with another `event_id`.
pub(super) fn with_id(clean: &[u8], id: &[u8; ID_BYTES]) -> Vec<u8> {
    let mut line = clean.to_vec();
    line[FRONT.len()..FRONT.len() + ID_BYTES].copy_from_slice(id);
    line
}
