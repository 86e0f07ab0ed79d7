//! One line → an event with its payload as slots of its columns, an event that is not selected, or a fault.
//!
//! Lines of the base contract are read by `events/lines.rs`, records of an envelope by `events/records.rs`.
//!
//! The line is scanned once. Its payload is read on the way if domain and type came before it, as they
//! usually do; otherwise it is skipped and read afterwards.
//!
//! A line is judged in this order, so that a bad line has one reason whatever the order of its keys: JSON; an
//! object; domain and type; the filter by them; the timestamp, if days are selected, and the filter by it;
//! the catalog; the event's id; the timestamp; the payload.
//!
//! A type that no catalog names gets its place in the plan when the first line of it is good but for the
//! values of its payload. So bad lines make no types.
//!
//! Invariant: a line is judged by itself. What is learned from earlier lines makes reading faster, never
//! different.

mod base;
mod frames;
mod lines;
mod record_base;
mod record_frames;
mod record_judge;
mod record_names;
mod records;
mod rest;

use std::borrow::Cow;

use event_rows::ReadId;

pub(crate) use self::rest::OTHER_REST_KEYS;
use self::{
    base::{Base, DATA, DOMAIN, EVENT_TYPE},
    frames::Frames,
    records::Records,
};
use crate::{
    fault::Fault,
    json::{KeyPredictor, Kind, Malformed, Scanner, Value},
    payload::{Learned, NO_PAYLOAD, ObjectReader, Payload, UnknownKey, duplicate_key},
    plan::{OfType, PayloadPlan, Plan, Shape, TypesFound},
    selection::{Selection, Timing},
};

/// What a good line is.
#[derive(Debug)]
pub(crate) enum Judged<'l> {
    /// A record of an envelope that is null: it says nothing.
    Blank,
    /// Domain, type or date exclude it, and it can't supersede a row.
    Filtered,
    /// An event; its payload is in [`EventReader::payload`].
    Event(Event<'l>),
}

/// An event without its payload.
#[derive(Debug)]
pub(crate) struct Event<'l> {
    pub(crate) type_index: usize,
    pub(crate) micros: i64,
    /// Whether its timestamp has digits beyond microseconds other than zero.
    pub(crate) is_time_cut: bool,
    pub(crate) id: ReadId<'l>,
    /// Whether its day is not selected: it only competes for being the latest version.
    pub(crate) is_later_candidate: bool,
}

/// Reads lines; one per worker.
#[derive(Debug)]
pub(crate) struct EventReader<'a> {
    plan: &'a Plan,
    selection: &'a Selection,
    /// Whether events of other days matter.
    wants_later_candidates: bool,
    /// Whether it reads elements of an array, which may contain newlines.
    of_array: bool,
    /// Whether it reads documents that are records, of texts whose documents may have records.
    is_document: bool,
    /// The texts around the values of earlier lines.
    frames: Frames,
    /// The texts between the base fields of earlier lines.
    key_predictor: KeyPredictor,
    /// By shape, from its first payload on.
    learned: Vec<Option<Box<Learned>>>,
    types_found: TypesFound,
    /// The payload of the last line, and the event type that it was read for.
    payload: Payload,
    read_as: Option<usize>,
    unknown: Vec<UnknownKey>,
    /// Reads the records of an envelope; `None` for the base contract.
    records: Option<Box<Records<'a>>>,
}

/// What a record of an envelope says of its event, whatever its payload is.
#[derive(Debug)]
pub struct NamedEvent {
    /// Its domain.
    pub domain: String,
    /// Its type.
    pub event_type: String,
    /// Its id.
    pub id: String,
    /// Its time, in microseconds since 1970-01-01T00:00:00Z.
    pub micros: i64,
}

impl Plan {
    /// The event that a record of the plan's envelope names, with what is around it (see
    /// [`crate::Unit::Record`]); `None` if it does not name one, or the plan has
    /// the base contract.
    #[must_use]
    pub fn event_named_by(&self, line: &[u8], enclosing: &[u8]) -> Option<NamedEvent> {
        let selection = Selection::default();
        let mut reader = EventReader::new(self, &selection, false);
        reader.records.take()?.event_named_by(&mut reader, line, enclosing)
    }

    /// Domain and type that a line claims to have, if it names them.
    #[must_use]
    pub fn type_of(&self, line: &[u8]) -> Option<(String, String)> {
        let selection = Selection::default();
        let mut reader = EventReader::new(self, &selection, false);
        let name = |text: Cow<'_, [u8]>| String::from_utf8_lossy(&text).into_owned();
        if let Some(mut records) = reader.records.take() {
            let (domain, event_type) = records.type_of(&mut reader, line, b"")?;
            return Some((name(domain), name(event_type)));
        }
        let mut base = Base::default();
        reader.scan(line, line, &mut base).ok()?;
        let text = |field| base.string(line, field).ok().map(name);
        Some((text(DOMAIN)?, text(EVENT_TYPE)?))
    }
}

impl<'a> EventReader<'a> {
    pub(crate) fn new(plan: &'a Plan, selection: &'a Selection, wants_later_candidates: bool) -> Self {
        Self {
            plan,
            selection,
            wants_later_candidates,
            of_array: false,
            is_document: false,
            frames: Frames::default(),
            key_predictor: KeyPredictor::default(),
            learned: plan.payloads().map(|_| None).collect(),
            types_found: TypesFound::new(),
            payload: Payload::default(),
            read_as: None,
            unknown: Vec::new(),
            records: Records::of(plan),
        }
    }

    /// The payload of the last event.
    pub(crate) fn payload(&self) -> &Payload {
        &self.payload
    }

    pub(crate) fn plan(&self) -> &'a Plan {
        self.plan
    }

    /// Whether the last record's payload, the rest of it, leaves this key out.
    pub(crate) fn is_taken(&self, key: &[u8]) -> bool {
        self.records.as_ref().is_some_and(|records| records.is_taken(key))
    }

    /// The keys of the last line that are not in a schema.
    pub(crate) fn unknown(&self) -> &[UnknownKey] {
        &self.unknown
    }

    /// Sets whether the following texts are elements of an array, or lines. What was learned from one kind is
    /// not valid for the other.
    pub(crate) fn set_framing(&mut self, of_array: bool) {
        if self.of_array != of_array {
            *self = Self { of_array, ..Self::new(self.plan, self.selection, self.wants_later_candidates) };
        }
    }

    /// Sets whether the following texts are documents, each of which is a record if it has none.
    pub(crate) fn set_document(&mut self, is_document: bool) {
        self.is_document = is_document;
    }

    /// Reads and judges the line at the start of `text`, if it is a good one and has a known frame. Returns
    /// what it is, and its length. The length of an element is known before. That of a line is not: it ends
    /// before the next newline. All is valid UTF-8.
    pub(crate) fn read_framed<'l>(
        &mut self,
        text: &'l [u8],
        length: Option<usize>,
    ) -> Option<(Judged<'l>, usize)> {
        debug_assert_eq!(length.is_some(), self.of_array);
        if let Some(mut records) = self.records.take() {
            let judged = records.read_framed(self, text, length);
            self.records = Some(records);
            return judged;
        }
        self.read_framed_line(text, length)
    }

    /// Reads and judges a line: valid UTF-8, not blank. `text` begins with it, and may continue with
    /// anything. Later lines may be read faster because of it.
    pub(crate) fn read<'l>(&mut self, line: &'l [u8], text: &'l [u8]) -> Result<Judged<'l>, Fault> {
        if let Some(judged) = self.read_record(line, text, b"") {
            return judged;
        }
        let mut base = Base::default();
        let judged = self.read_tokens(line, text, &mut base);
        if judged.is_ok() {
            self.learn_frame(line, &base);
        }
        judged
    }

    /// Reads and judges a record of the plan's envelope, if it has one. `enclosing` is what the envelope
    /// reads of the objects around the record.
    pub(crate) fn read_record<'l>(
        &mut self,
        line: &'l [u8],
        text: &'l [u8],
        enclosing: &'l [u8],
    ) -> Option<Result<Judged<'l>, Fault>> {
        let mut records = self.records.take()?;
        let judged = records.read(self, line, text, enclosing);
        self.records = Some(records);
        Some(judged)
    }

    /// Reads and judges a line by itself; with its payload, if that is an object.
    pub(crate) fn read_alone<'l>(&mut self, line: &'l [u8]) -> Result<(Judged<'l>, Option<Value>), Fault> {
        if let Some(judged) = self.read_record(line, line, b"") {
            let payload = self.records.as_ref().and_then(|records| records.payload(line));
            return Ok((judged?, payload));
        }
        let mut base = Base::default();
        let judged = self.read_tokens(line, line, &mut base)?;
        Ok((judged, base.values[DATA].filter(|data| data.kind() == Kind::Object)))
    }

    /// Whether an event of an earlier or later day can't be a later version than one of the selected days.
    fn is_filtered(&self, timing: Timing, of_type: Option<OfType>) -> bool {
        let has_version = || of_type.is_some_and(|of_type| self.plan.payload_of(of_type).has_version());
        match timing {
            Timing::Within => false,
            Timing::After => !self.wants_later_candidates,
            Timing::Before => !self.wants_later_candidates || !has_version(),
        }
    }

    /// The place of a type that had none. Later lines of it are read as it.
    #[cold]
    fn place_of(&mut self, open: usize, domain: &[u8], event_type: &[u8]) -> Result<usize, Fault> {
        // If there are too many types, the run fails, whatever becomes of the line.
        let place = self.plan.place_of(open, domain, event_type);
        self.read_as = place;
        place.ok_or_else(|| Fault::unknown_event(domain, event_type))
    }

    /// Takes a payload that is missing or null: an object without members.
    fn take_no_payload(&mut self, shape: &Shape) {
        if shape.is_json {
            self.payload.begin_text(shape).extend_from_slice(NO_PAYLOAD);
        } else {
            self.payload.reset(shape);
        }
    }

    /// Judges which keys the payload has.
    #[inline]
    fn judge_members(&self, of_type: OfType) -> Result<(), Fault> {
        if let Some(path) = &self.payload.duplicate {
            return Err(duplicate_key(path));
        }
        self.payload.missing_object(&self.plan.payload_of(of_type).shape).map_or(Ok(()), Err)
    }

    fn read_payload(&mut self, scanner: &mut Scanner<'_>, of_type: OfType) -> Result<(), Malformed> {
        let PayloadPlan { index, shape, .. } = self.plan.payload_of(of_type);
        let mut reader = ObjectReader { scanner, unknown: Some(&mut self.unknown) };
        let learned = self.learned[*index].get_or_insert_with(|| Box::new(Learned::new(shape)));
        reader.read(shape, learned, &mut self.payload)
    }

    /// Begins a payload whose members are read one by one.
    fn begin_payload(&mut self, shape: &Shape) {
        self.payload.reset(shape);
        self.payload.begin_object(shape.root);
    }

    /// Reads the next value as a member of an object of the type's shape; see [`ObjectReader::read_member`].
    fn read_member(
        &mut self,
        scanner: &mut Scanner<'_>,
        of_type: OfType,
        place: (usize, usize),
        known: Option<Value>,
    ) -> Result<(), Malformed> {
        let PayloadPlan { index, shape, .. } = self.plan.payload_of(of_type);
        let mut reader = ObjectReader { scanner, unknown: Some(&mut self.unknown) };
        let learned = self.learned[*index].get_or_insert_with(|| Box::new(Learned::new(shape)));
        reader.read_member(shape, learned, &mut self.payload, place, known)
    }
}

#[cfg(test)]
mod tests;
