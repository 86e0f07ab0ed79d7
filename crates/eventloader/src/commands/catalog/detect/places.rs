//! The beginning of a text → the places where its records could stand, and what the records at each have.
//!
//! A place is the document itself (`.`), the elements of a list in it, at any depth
//! (`resourceLogs[].scopeLogs[].logRecords[]`), or an object right below one of these (`payload`,
//! `notificationItems[].NotificationRequestItem`). Documents are taken in any framing: lines, arrays, one
//! behind the other. The text may end anywhere: objects that are complete count.
//!
//! Invariant: memory is bounded by [`PLACES_MAX`] and [`KEYS_MAX`]; the result depends on the text alone.

use std::{borrow::Cow, collections::BTreeMap};

use event_parser::json::{Kind, Malformed, Scanner};

use super::signatures::{BASE, SIGNATURES};
use crate::runtime::names;

/// The most places that are looked at.
const PLACES_MAX: usize = 256;
/// The most keys that are counted at one place.
const KEYS_MAX: usize = 1_000;
/// The most keys that a message names.
const NAMED_MAX: usize = 20;
/// Lists within lists are followed this deep.
const LISTS_MAX: usize = 4;
/// Objects in a record are followed this deep.
const OBJECTS_MAX: usize = 3;

/// A list with so much of the text is what the text is about.
const DOMINANT_PERCENT: usize = 50;
/// A list with so much of it is what there is.
const ALL_PERCENT: usize = 80;

/// So many records of a text are looked at, at each place.
const RECORDS_MAX: u64 = 2_000;

/// The document itself.
pub(super) const DOCUMENT: &str = ".";

/// All places.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Bytes of text that were read.
    pub(super) bytes: usize,
    pub(super) by_path: BTreeMap<String, Place>,
}

/// What is done with the objects that are found.
pub(super) trait Records {
    /// An object at this place, complete and valid.
    fn record(&mut self, path: &str, text: &[u8]);
}

/// The objects at one place.
#[derive(Debug, Default)]
pub(super) struct Place {
    pub(super) records: u64,
    pub(super) bytes: usize,
    /// Records of the text that is being read.
    of_text: u64,
    /// Those with the base contract's fields.
    pub(super) base: u64,
    /// By signature: those that have it.
    pub(super) having: [u64; SIGNATURES.len()],
    /// The outermost keys: in how many they are.
    pub(super) keys: BTreeMap<String, u64>,
}

/// A walk over one document.
struct Walk<'t, 'r, R> {
    text: &'t [u8],
    scanner: Scanner<'t>,
    records: &'r mut R,
}

/// Where the walk is.
#[derive(Clone, Copy)]
struct Depth {
    lists: usize,
    /// Objects below the last list or the document.
    objects: usize,
}

impl Place {
    /// The names of the outermost keys, for a message: the most frequent first.
    pub(super) fn key_names(&self) -> String {
        let mut keys: Vec<_> = self.keys.iter().collect();
        keys.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let more = if keys.len() > NAMED_MAX { ", …" } else { "" };
        let named: Vec<_> = keys.iter().take(NAMED_MAX).map(|(key, _)| names::cut_name(key)).collect();
        named.join(", ") + more
    }
}

impl Places {
    /// Adds the documents at the beginning of a text.
    pub(super) fn read(&mut self, text: &[u8]) {
        self.bytes += text.len();
        self.by_path.values_mut().for_each(|place| place.of_text = 0);
        for_each_record(text, self);
    }

    /// The documents, then the lists in them, the outer ones first.
    pub(super) fn in_order(&self) -> impl Iterator<Item = (&str, &Place)> {
        let mut places: Vec<_> = self.by_path.iter().map(|(path, place)| (path.as_str(), place)).collect();
        places.sort_by_key(|(path, _)| (*path != DOCUMENT, path.matches(['[', '.']).count()));
        places.into_iter()
    }

    /// Whether most of the text is here.
    pub(super) fn is_dominant(&self, place: &Place) -> bool {
        place.bytes.saturating_mul(100) >= self.bytes.saturating_mul(DOMINANT_PERCENT)
    }

    /// Where the records seem to be: in the innermost list that holds nearly all of the text, or else the
    /// documents.
    pub(super) fn of_records(&self) -> Option<(&str, &Place)> {
        let holds_all =
            |place: &Place| place.bytes.saturating_mul(100) >= self.bytes.saturating_mul(ALL_PERCENT);
        let lists = self.in_order().filter(|(path, place)| *path != DOCUMENT && holds_all(place));
        lists.last().or_else(|| self.by_path.get(DOCUMENT).map(|documents| (DOCUMENT, documents)))
    }
}

impl Records for Places {
    fn record(&mut self, path: &str, text: &[u8]) {
        if !self.by_path.contains_key(path) {
            if self.by_path.len() == PLACES_MAX {
                return;
            }
            self.by_path.insert(path.to_owned(), Place::default());
        }
        let Some(place) = self.by_path.get_mut(path) else { return };
        place.bytes += text.len();
        place.of_text += 1;
        if place.of_text > RECORDS_MAX {
            return;
        }
        place.records += 1;
        let mut values = Vec::new();
        // It was scanned to its end before.
        let _ = add_values(&mut values, &mut Scanner::new(text), text, "");
        let text_at =
            |wanted: &str| values.iter().find(|(path, _)| path == wanted).map(|(_, value)| value.as_ref());
        place.base += u64::from(BASE.iter().all(|key| text_at(key).is_some()));
        for (signature, having) in SIGNATURES.iter().zip(&mut place.having) {
            *having += u64::from(signature.is_met(text_at));
        }
        for (path, _) in values.iter().filter(|(path, _)| !path.contains('.')) {
            if let Some(count) = place.keys.get_mut(path) {
                *count += 1;
            } else if place.keys.len() < KEYS_MAX {
                place.keys.insert(path.clone(), 1);
            }
        }
    }
}

/// Finds the objects in a text. What is no JSON is passed over up to the next line.
pub(super) fn for_each_record(text: &[u8], records: &mut impl Records) {
    let mut at = if text.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let is_between = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x1E;
    while let Some(skipped) = text[at..].iter().position(|byte| !is_between(byte)) {
        at += skipped;
        let document = &text[at..];
        let mut walk = Walk { text: document, scanner: Scanner::new(document), records };
        at += match walk.document() {
            Ok(()) => walk.scanner.position().max(1),
            Err(malformed) => {
                let from = malformed.at().min(document.len());
                let Some(line) = memchr::memchr(b'\n', &document[from..]) else { return };
                from + line + 1
            }
        };
    }
}

/// The values of a record that are not null, by their paths: texts without quotes, all else as written.
pub(super) fn add_values<'t>(
    values: &mut Vec<(String, Cow<'t, [u8]>)>,
    scanner: &mut Scanner<'t>,
    text: &'t [u8],
    parent: &str,
) -> Result<(), Malformed> {
    let mut more = scanner.enter_object()?;
    while more {
        let key = scanner.key()?.string(text).unwrap_or_default();
        let path = format!("{parent}{}", String::from_utf8_lossy(&key));
        let depth = path.bytes().filter(|byte| *byte == b'.').count();
        if scanner.peek() == Some(b'{') && depth + 1 < OBJECTS_MAX {
            let parent = format!("{path}.");
            values.push((path, Cow::Borrowed(b"{}")));
            add_values(values, scanner, text, &parent)?;
        } else {
            let value = scanner.value()?;
            if value.kind() != Kind::Null {
                values.push((path, value.string(text).unwrap_or(Cow::Borrowed(value.text(text)))));
            }
        }
        more = scanner.next_member()?;
    }
    Ok(())
}

impl<R: Records> Walk<'_, '_, R> {
    fn document(&mut self) -> Result<(), Malformed> {
        let top = Depth { lists: 0, objects: 0 };
        match self.scanner.peek() {
            Some(b'{') => self.object("", top),
            Some(b'[') => self.list("", top),
            _ => self.scanner.value().map(drop),
        }
    }

    fn object(&mut self, path: &str, depth: Depth) -> Result<(), Malformed> {
        let start = self.scanner.position();
        let mut more = self.scanner.enter_object()?;
        while more {
            let key = self.scanner.key()?.string(self.text).unwrap_or_default();
            match self.scanner.peek() {
                Some(b'{') if depth.objects < OBJECTS_MAX && is_plain(&key) => {
                    let inner = Depth { objects: depth.objects + 1, ..depth };
                    self.object(&below(path, &key), inner)?;
                }
                Some(b'[') if depth.lists < LISTS_MAX && is_plain(&key) => {
                    self.list(&format!("{}[]", below(path, &key)), depth)?;
                }
                _ => drop(self.scanner.value()?),
            }
            more = self.scanner.next_member()?;
        }
        if depth.objects <= 1 {
            let path = if path.is_empty() { DOCUMENT } else { path };
            self.records.record(path, &self.text[start..self.scanner.position()]);
        }
        Ok(())
    }

    /// The elements of a list; of an outermost one, they are the documents.
    fn list(&mut self, path: &str, depth: Depth) -> Result<(), Malformed> {
        let inner = Depth { lists: depth.lists + 1, objects: 0 };
        let mut more = self.scanner.enter_array()?;
        while more {
            match self.scanner.peek() {
                Some(b'{') => self.object(path, inner)?,
                _ => drop(self.scanner.value()?),
            }
            more = self.scanner.next_element()?;
        }
        Ok(())
    }
}

fn below(path: &str, key: &[u8]) -> String {
    let key = String::from_utf8_lossy(key);
    if path.is_empty() { key.into_owned() } else { format!("{path}.{key}") }
}

/// Whether a key can stand in a path as it is.
fn is_plain(key: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    !key.is_empty() && key.iter().all(is_plain)
}
