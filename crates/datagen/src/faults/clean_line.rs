//! A clean line, without its newline → where its parts are, and edited copies of it.
//!
//! A clean line is one that a world wrote: `event_id`, `timestamp`, `domain`, `event_type`, `data` in that
//! order, `: ` and `, ` as separators, no escapes; or a record in another envelope, in the same form. So a
//! key can be found as text, and nothing is parsed or serialized again.
//!
//! Invariant: an edit changes what it names and leaves every other byte as it was.

use std::ops::Range;

use events_core::event;

use crate::dress::{Clean, Places};

/// The length of an `event_id`.
pub const ID_BYTES: usize = uuid::fmt::Hyphenated::LENGTH;

/// Every clean line begins with this, followed by its `event_id`.
const FRONT: &str = r#"{"event_id": ""#;

/// One clean line.
#[derive(Debug, Clone, Copy)]
pub(super) struct CleanLine<'l> {
    text: &'l str,
    /// The offset of `data`.
    data: usize,
    /// Where its parts are, in another envelope.
    places: Option<&'l Places>,
}

impl<'l> CleanLine<'l> {
    pub(super) fn new(line: &'l [u8]) -> Self {
        let text = std::str::from_utf8(line).expect("a clean line is UTF-8");
        debug_assert!(text.starts_with(FRONT) && text.ends_with("}}"), "not a clean line: {text}");
        let data = value_start(text, 0, event::DATA).expect("a clean line has all base fields");
        Self { text, data, places: None }
    }

    /// A line that was written without its newline, or a record.
    pub(super) fn of(clean: &'l Clean) -> Self {
        let Some(places) = &clean.places else { return Self::new(&clean.text) };
        let text = std::str::from_utf8(&clean.text).expect("a record is UTF-8");
        let data = place(text, &places.data).expect("a record has a payload");
        Self { text, data, places: Some(places) }
    }

    pub(super) fn text(&self) -> &'l str {
        self.text
    }

    /// The line, unless it is a record in another envelope.
    pub(super) fn in_own_envelope(&self) -> Option<&Self> {
        self.places.is_none().then_some(self)
    }

    /// The line, unless it is a part of a larger one, which must stay whole.
    pub(super) fn as_whole_line(&self) -> Option<&Self> {
        self.places.is_none_or(|places| places.is_whole_line).then_some(self)
    }

    /// The value of a base field, a string with its quotes; `None` if its envelope has none for it.
    pub(super) fn find(&self, name: &str) -> Option<Range<usize>> {
        let start = match self.places {
            None => value_start(self.text, 0, name),
            _ if name == event::DATA => Some(self.data),
            Some(places) => place(self.text, places.of(name)?),
        };
        let start = start.expect("a clean line has all base fields");
        Some(start..self.value_end(start))
    }

    /// The value of a base field that every envelope has.
    pub(super) fn base(&self, name: &str) -> Range<usize> {
        self.find(name).expect("every envelope has a place for it")
    }

    /// The value of a field of the payload, or of an object in it; the first of that name.
    pub(super) fn payload(&self, name: &str) -> Option<Range<usize>> {
        self.payload_start()?;
        let start = value_start(self.text, self.data, name)?;
        Some(start..self.value_end(start))
    }

    /// The key of a base field, with its quotes.
    pub(super) fn key(&self, name: &str) -> Option<Range<usize>> {
        let end = self.find(name)?.start - ": ".len();
        let start = self.text[..end - 1].rfind('"')?;
        Some(start..end)
    }

    /// The key of a base field that every envelope has.
    pub(super) fn base_key(&self, name: &str) -> Range<usize> {
        self.key(name).expect("every envelope has a place for it")
    }

    /// The text of the timestamp; digits if it is a number of seconds, for instance.
    pub(super) fn time(&self) -> &'l str {
        self.text[self.base(event::TIMESTAMP)].trim_matches('"')
    }

    /// The timestamp's text, if it is a date and a time of day.
    pub(super) fn calendar_time(&self) -> Option<&'l str> {
        self.places.is_none_or(|places| !places.has_epochs).then(|| self.time())
    }

    /// The offset of the first key of the payload, if that is an object.
    pub(super) fn payload_start(&self) -> Option<usize> {
        self.text[self.data..].starts_with('{').then_some(self.data + 1)
    }

    /// The offset after the last value of the payload, if that is an object.
    pub(super) fn payload_end(&self) -> Option<usize> {
        self.payload_start().map(|_| self.data_end() - 1)
    }

    /// The domain of all records of another envelope, if they have one.
    pub(super) fn constant_domain(&self) -> Option<&'static str> {
        self.places?.constant_domain
    }

    /// The path of the payload's fields in the event.
    pub(super) fn payload_path(&self) -> &str {
        self.places.map_or("data.", |places| &places.payload)
    }

    /// The offset after `data`, the last of the base fields.
    pub(super) fn data_end(&self) -> usize {
        self.value_end(self.data)
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
        let (mut depth, mut is_text, mut is_escaped) = (0, false, false);
        for (at, byte) in self.text.bytes().enumerate().skip(start) {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = is_text,
                b'"' if is_text && depth == 0 => return at + 1,
                b'"' => is_text = !is_text,
                _ if is_text => {}
                b',' | b'}' | b']' if depth == 0 => return at,
                b'}' | b']' if depth == 1 => return at + 1,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
        }
        unreachable!("a value of a clean line ends")
    }
}

impl Places {
    fn of(&self, name: &str) -> Option<&'static str> {
        match name {
            event::EVENT_ID => self.id,
            event::TIMESTAMP => Some(self.time),
            event::DOMAIN => self.domain,
            _ => Some(self.event_type),
        }
    }
}

/// The start of the value at a JSON pointer, of which each key is the first of its name.
fn place(text: &str, pointer: &str) -> Option<usize> {
    pointer.split('/').skip(1).try_fold(0, |from, name| value_start(text, from, name))
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
