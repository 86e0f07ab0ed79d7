//! The text around the values of earlier records → what the envelope reads of a record like them, found with
//! a few comparisons.
//!
//! The records of one producer differ in their texts and numbers. What stands between these is mostly the
//! same, and so are the names of types, of which there are few. A frame is what remains of a record when its
//! texts, its numbers and its payload are taken out, but for the values that tell its type. Frames share
//! their beginnings: they are a tree of texts and of what stands between two of them.
//!
//! A payload is read as its type. Where the type comes behind it, the end of the record tells it.
//!
//! Invariant: a record that consists of a frame with texts, numbers and a payload in it has the captures, the
//! unknown keys and the type of the record that the frame was learned from, moved to their places.

mod learn;

use super::{EventReader, Judged, records::Records};
use crate::{
    json::{Kind, KnownText, Scanner, Value, end_of_integer, end_of_plain},
    plan::OfType,
};

/// The frames of the records so far.
#[derive(Debug, Default)]
pub(super) struct RecordFrames {
    /// The first one is the root.
    nodes: Vec<Node>,
    /// Where the texts of the record begin that is being read.
    starts: Vec<usize>,
    hits: usize,
    misses: usize,
}

/// What stands between two texts, and the texts that may follow it, the longest first.
#[derive(Debug)]
struct Node {
    hole: Hole,
    next: Vec<(KnownText, usize)>,
}

#[derive(Debug)]
enum Hole {
    /// Nothing: the record begins.
    Start,
    /// The characters of a string without escapes. Its quotes belong to the texts.
    Text,
    Number,
    Payload(PayloadHole),
    /// Nothing: the record ends.
    End(Box<Frame>),
}

/// What a record is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// A type, by its index.
    Type(usize),
    /// A type that is not selected.
    NotSelected,
}

/// A payload, and the types that it may be of.
#[derive(Debug)]
struct PayloadHole {
    /// The levels around it.
    depth: u32,
    /// The last text of a record, and what it tells.
    types: Vec<(Box<[u8]>, Told)>,
    /// Whether they are of different types.
    differ: bool,
}

/// What all records of a frame have in common.
#[derive(Debug)]
struct Frame {
    told: Told,
    /// By the number of their capture.
    captures: Vec<(usize, Framed)>,
    /// With the object that they are in.
    unknown: Vec<(Option<usize>, Framed)>,
}

/// A value of a frame.
#[derive(Debug, Clone, Copy)]
struct Framed {
    kind: Kind,
    start: Place,
    end: Place,
}

/// A place in a text or behind it.
#[derive(Debug, Clone, Copy)]
struct Place {
    text: usize,
    offset: usize,
}

impl Records<'_> {
    /// Reads and judges the record at the start of `text`, if it is a good one and has a known frame; see
    /// [`EventReader::read_framed`].
    pub(super) fn read_framed<'l>(
        &mut self,
        reader: &mut EventReader<'_>,
        text: &'l [u8],
        length: Option<usize>,
    ) -> Option<(Judged<'l>, usize)> {
        let frames = &mut self.frames[usize::from(reader.is_document)];
        if frames.nodes.is_empty() {
            return None;
        }
        let mut frames = std::mem::take(frames);
        let judged = self.read_with(&mut frames, reader, text, length);
        self.frames[usize::from(reader.is_document)] = frames;
        judged
    }

    fn read_with<'l>(
        &mut self,
        frames: &mut RecordFrames,
        reader: &mut EventReader<'_>,
        text: &'l [u8],
        length: Option<usize>,
    ) -> Option<(Judged<'l>, usize)> {
        self.reset(reader);
        let (node, told, end) = frames.follow(reader, text, length)?;
        let Hole::End(frame) = &frames.nodes[node].hole else { return None };
        let Frame { captures, unknown, .. } = &**frame;
        let value = |framed: &Framed| framed.value(&frames.starts);
        for (key, framed) in captures {
            self.captures.set(*key, value(framed));
        }
        reader.unknown.extend(unknown.iter().map(|(owner, framed)| (*owner, value(framed))));
        let judged = if let Told::Type(type_index) = told {
            reader.read_as = Some(type_index);
            self.is_data_read = true;
            // A fault is found again, by a closer look.
            self.judge(reader, &text[..end], text, b"").ok()?
        } else {
            Judged::Filtered
        };
        frames.hits += 1;
        Some((judged, end))
    }
}

impl RecordFrames {
    /// Follows the frame of the record at the start of `text`: the node at its end, what the record is of,
    /// and its length.
    fn follow(
        &mut self,
        reader: &mut EventReader<'_>,
        text: &[u8],
        length: Option<usize>,
    ) -> Option<(usize, Told, usize)> {
        let limit = length.unwrap_or(text.len());
        let (mut at, mut node, mut told) = (0, 0, Told::NotSelected);
        self.starts.clear();
        loop {
            let ahead = text.get(at..limit)?;
            let mut next = self.nodes[node].next.iter();
            let (known, next) = next.find(|(known, _)| known.is_at(&text[at..], ahead.len()))?;
            self.starts.push(at);
            at += known.length();
            node = *next;
            match &self.nodes[node].hole {
                Hole::Start => return None,
                Hole::Text => at = end_of_plain(text, limit, at),
                Hole::Number => at = end_of_number(text, length, at)?,
                Hole::Payload(payload) => {
                    if text.get(at) != Some(&b'{') {
                        return None;
                    }
                    told = payload.type_of(&text[at..], length.map(|length| length - at))?;
                    at = read_payload(reader, Scanner::in_object(text, length, at, payload.depth), told)?;
                }
                Hole::End(frame) => {
                    let is_whole = length.map_or(text.get(at) == Some(&b'\n'), |length| at == length);
                    return (is_whole && frame.told == told).then_some((node, told, at));
                }
            }
        }
    }
}

impl PayloadHole {
    /// The type of the payload at the start of `ahead`; the record's length from there may be known.
    #[inline]
    fn type_of(&self, ahead: &[u8], length: Option<usize>) -> Option<Told> {
        if !self.differ {
            return self.types.first().map(|(_, told)| *told);
        }
        let length = length.or_else(|| memchr::memchr(b'\n', ahead))?;
        let rest = ahead.get(..length)?;
        self.types.iter().find(|(tail, _)| rest.ends_with(tail)).map(|(_, told)| *told)
    }
}

/// Reads the payload as the type, or only as JSON; returns its end.
#[inline]
fn read_payload(reader: &mut EventReader<'_>, mut scanner: Scanner<'_>, told: Told) -> Option<usize> {
    match told {
        Told::Type(type_index) => reader.read_payload(&mut scanner, OfType::Known(type_index)).ok()?,
        Told::NotSelected => drop(scanner.value().ok()?),
    }
    Some(scanner.position())
}

/// The end of the number at `at`, if there is one.
#[inline]
fn end_of_number(text: &[u8], length: Option<usize>, at: usize) -> Option<usize> {
    if let Some(end) = end_of_integer(text, length.unwrap_or(text.len()), at) {
        return Some(end);
    }
    let is_number = matches!(text.get(at), Some(b'-' | b'0'..=b'9'));
    is_number.then(|| Scanner::in_object(text, length, at, 1).value().ok().map(Value::end)).flatten()
}

impl Framed {
    #[inline]
    fn value(self, starts: &[usize]) -> Value {
        let position = |place: Place| starts[place.text] + place.offset;
        Value::new(self.kind, position(self.start), position(self.end))
    }
}

#[cfg(test)]
mod tests;
