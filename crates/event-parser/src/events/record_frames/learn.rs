//! A record that was read key by key → its frame, in the tree of frames.
//!
//! Invariant: the values that tell the type are in the texts of the frame.

use std::{iter, ops::Range};

use super::{Frame, Framed, Hole, KnownText, Node, PayloadHole, Place, RecordFrames, Told};
use crate::{
    envelope::{DataPlan, Record, Stage},
    events::{EventReader, Judged, record_base::name, records::Records},
    json::{Kind, Value},
};

/// Longer texts are not remembered, nor more of them in a record.
const TEXT_BYTES_MAX: usize = 512;
const HOLES_MAX: usize = 64;
/// The most texts behind one hole: trying more would take as long as reading a record.
const NEXT_MAX: usize = 64;
const NODES_MAX: usize = 4_096;
/// Records that are tried before it must have paid off, for at least one in so many.
const MISSES_FREE: usize = 256;
const MISSES_PER_HIT: usize = 4;

/// A hole of a record that is being learned.
struct Found {
    range: Range<usize>,
    kind: FoundKind,
}

#[derive(Clone, Copy, PartialEq)]
enum FoundKind {
    Text,
    Number,
    Payload,
}

impl Records<'_> {
    /// Learns the frame of a record that was read and judged.
    #[inline(never)]
    pub(in crate::events) fn learn_frame(
        &mut self,
        reader: &mut EventReader<'_>,
        line: &[u8],
        judged: &Judged<'_>,
    ) {
        if matches!(self.envelope.data, DataPlan::Rest) {
            return;
        }
        let frames = &mut self.frames[usize::from(reader.is_document)];
        if frames.misses > MISSES_FREE + frames.hits / MISSES_PER_HIT {
            // They do not pay: most records are unlike all others.
            frames.nodes.clear();
            return;
        }
        frames.misses += 1;
        let Some((told, payload)) = self.framed(reader, line, judged) else { return };
        let Some((holes, depth)) = self.holes(line, payload) else { return };
        let starts: Vec<_> = iter::once(0).chain(holes.iter().map(|hole| hole.range.end)).collect();
        let placed = |value: Value| Framed {
            kind: value.kind(),
            start: Place::of(value.start(), &starts),
            end: Place::of(value.end(), &starts),
        };
        let captures = (0..self.envelope.keys.len()).filter_map(|key| Some((key, self.captures.get(key)?)));
        let captures = captures.map(|(key, value)| (key, placed(value))).collect();
        let is_outside = |key: &Value| key.end() <= payload.start() || key.start() >= payload.end();
        let unknown = reader.unknown.iter().filter(|(_, key)| is_outside(key));
        let unknown = unknown.map(|&(owner, key)| (owner, placed(key))).collect();
        let frame = Frame { told, captures, unknown };
        self.frames[usize::from(reader.is_document)].insert(line, &holes, depth, frame);
    }

    /// What a record is of, and its payload, if it may have a frame.
    fn framed(
        &self,
        reader: &mut EventReader<'_>,
        line: &[u8],
        judged: &Judged<'_>,
    ) -> Option<(Told, Value)> {
        let DataPlan::At(alternatives) = &self.envelope.data else { return None };
        if self.envelope.enclosing.is_some() || !self.captures.repeated.is_empty() {
            return None;
        }
        let used = |&key: &usize| self.captures.get(key).filter(|value| value.kind() != Kind::Null);
        let key = *alternatives.iter().find(|key| used(key).is_some())?;
        let payload = used(&key).filter(|value| value.kind() == Kind::Object)?;
        let plan = &self.envelope.keys[key];
        if plan.node.is_some() || plan.field.is_some() {
            return None;
        }
        match judged {
            Judged::Event(event) => Some((Told::Type(event.type_index), payload)),
            Judged::Blank => None,
            Judged::Filtered => {
                let record = Record { line, enclosing: b"", captures: &self.captures };
                let domain = name(&self.envelope.domain, record).ok()?;
                let event_type = name(&self.envelope.event_type, record).ok()?;
                if !reader.selection.wants(&domain, &event_type) {
                    return Some((Told::NotSelected, payload));
                }
                // The filter by days says nothing about other records.
                let found = reader.types_found.find(self.plan, &domain, &event_type)?;
                Some((Told::Type(found), payload))
            }
        }
    }

    /// The texts and numbers of a record, which is JSON, and its payload, in their order; and the levels
    /// around the payload.
    fn holes(&self, line: &[u8], payload: Value) -> Option<(Vec<Found>, u32)> {
        let is_single = |value: &Value| !matches!(value.kind(), Kind::Object | Kind::Array);
        let of_type =
            (0..self.envelope.keys.len()).filter(|key| self.envelope.keys[*key].stage == Stage::Type);
        let telling: Vec<_> = of_type.filter_map(|key| self.captures.get(key).filter(is_single)).collect();
        let mut holes = Vec::new();
        let (mut at, mut depth, mut payload_depth) = (0, 0, None);
        while at < line.len() {
            let start = at;
            let found = if at == payload.start() {
                at = payload.end();
                payload_depth = Some(depth);
                Some((FoundKind::Payload, start..at))
            } else {
                match line[at] {
                    b'"' => {
                        at = string_end(line, at)?;
                        let inner = start + 1..at - 1;
                        let is_value = !line[at..].trim_ascii_start().starts_with(b":");
                        let is_plain = !line[inner.clone()].contains(&b'\\');
                        (is_value && is_plain).then_some((FoundKind::Text, inner))
                    }
                    b'-' | b'0'..=b'9' => {
                        let is_of_number = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
                        at += line[at..].iter().take_while(|byte| is_of_number(byte)).count();
                        Some((FoundKind::Number, start..at))
                    }
                    byte => {
                        match byte {
                            b'{' | b'[' => depth += 1,
                            b'}' | b']' => depth -= 1,
                            _ => {}
                        }
                        at += 1;
                        None
                    }
                }
            };
            let tells = telling.iter().any(|value| value.start() <= start && at <= value.end());
            if let Some((kind, range)) = found.filter(|_| !tells) {
                holes.push(Found { range, kind });
            }
        }
        Some((holes, payload_depth?)).filter(|(holes, _)| holes.len() <= HOLES_MAX)
    }
}

impl RecordFrames {
    fn insert(&mut self, line: &[u8], holes: &[Found], depth: u32, frame: Frame) {
        let starts = iter::once(0).chain(holes.iter().map(|hole| hole.range.end));
        let ends = holes.iter().map(|hole| hole.range.start).chain([line.len()]);
        let texts: Vec<_> = starts.zip(ends).map(|(start, end)| &line[start..end]).collect();
        let Some((last, _)) = texts.split_last() else { return };
        if texts.iter().any(|text| text.len() > TEXT_BYTES_MAX) || self.nodes.len() + texts.len() > NODES_MAX
        {
            return;
        }
        if self.nodes.is_empty() {
            self.nodes.push(Node { hole: Hole::Start, next: Vec::new() });
        }
        let told = frame.told;
        let kinds = holes.iter().map(|hole| match hole.kind {
            FoundKind::Text => Hole::Text,
            FoundKind::Number => Hole::Number,
            FoundKind::Payload => Hole::Payload(PayloadHole { depth, types: Vec::new(), differ: false }),
        });
        let kinds = kinds.chain([Hole::End(Box::new(frame))]);
        let mut node = 0;
        for (text, hole) in texts.iter().zip(kinds) {
            let Some(next) = self.next(node, text, hole) else { return };
            node = next;
            if let Hole::Payload(payload) = &mut self.nodes[node].hole {
                payload.add(last, told);
            }
        }
    }

    /// The node behind a text, which is made if it is missing.
    fn next(&mut self, node: usize, text: &[u8], hole: Hole) -> Option<usize> {
        let known = KnownText::new(text);
        let is_alike =
            |next: &usize| std::mem::discriminant(&self.nodes[*next].hole) == std::mem::discriminant(&hole);
        let next = &self.nodes[node].next;
        if let Some((_, next)) = next.iter().find(|(text, next)| *text == known && is_alike(next)) {
            return Some(*next);
        }
        if next.len() >= NEXT_MAX {
            return None;
        }
        let at = next.partition_point(|(text, _)| text.length() >= known.length());
        let made = self.nodes.len();
        self.nodes.push(Node { hole, next: Vec::new() });
        self.nodes[node].next.insert(at, (known, made));
        Some(made)
    }
}

impl PayloadHole {
    fn add(&mut self, tail: &[u8], told: Told) {
        if self.types.len() < NEXT_MAX && self.types.iter().all(|(known, _)| **known != *tail) {
            self.differ |= self.types.first().is_some_and(|(_, known)| *known != told);
            self.types.push((tail.into(), told));
        }
    }
}

impl Place {
    /// A position in a record with texts that start at `starts`.
    fn of(position: usize, starts: &[usize]) -> Self {
        let text = starts.partition_point(|start| *start <= position).saturating_sub(1);
        Self { text, offset: position - starts[text] }
    }
}

/// The position behind a string.
fn string_end(line: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match line.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}
