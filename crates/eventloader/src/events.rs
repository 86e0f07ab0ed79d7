//! One line → what it is: an event with its payload as slots of its columns, an event that was not asked for, or a fault.
//!
//! The line is scanned once. Its payload is read on the way where domain and type came before it, as they do in practice;
//! else it is scanned over and read afterwards.
//!
//! A line is judged in this order, so that a bad line has one reason whatever the order of its keys: JSON; an object;
//! domain and type; the filter by them; the timestamp, if days were asked for, and the filter by it; the catalog; the
//! event's id; the timestamp; the payload.
//!
//! Invariant: what is learned from earlier lines (which key follows which) makes reading faster, never different.

use std::borrow::Cow;

use events_core::{event, timestamp};

use crate::{
    columns::Slot,
    fault::{Fault, Reason, excerpt},
    json::{Kind, Malformed, Scanner, Value},
    plan::{Plan, Target, TypePlan},
    selection::{Selection, Timing},
};

/// The base fields in the order in which they are usually written, as keys with their closing quote.
const BASE_KEYS: [&[u8]; 5] = [b"event_id\"", b"timestamp\"", b"domain\"", b"event_type\"", b"data\""];
const BASE_NAMES: [&str; 5] =
    [event::EVENT_ID, event::TIMESTAMP, event::DOMAIN, event::EVENT_TYPE, event::DATA];
const EVENT_ID: usize = 0;
const TIMESTAMP: usize = 1;
const DOMAIN: usize = 2;
const EVENT_TYPE: usize = 3;
const DATA: usize = 4;

/// What a line that is not bad is.
#[derive(Debug)]
pub(crate) enum Judged<'l> {
    /// Domain, type or date rule it out, and it can't supersede a row.
    Filtered,
    /// An event; its payload is in [`EventReader::slots`].
    Event(Event<'l>),
}

/// An event, but for its payload.
#[derive(Debug)]
pub(crate) struct Event<'l> {
    pub(crate) type_index: usize,
    pub(crate) micros: i64,
    pub(crate) id: Cow<'l, [u8]>,
    /// It is of a later day than those asked for: it only competes for being the latest.
    pub(crate) is_rival: bool,
}

/// Whose key something is: an object's of an event type, or the event's own.
pub(crate) type KeyOwner = Option<(usize, usize)>;

/// A key that no schema knows: whose, and where it stands in the line.
pub(crate) type UnknownKey = (KeyOwner, Value);

/// Reads lines; one per worker.
#[derive(Debug)]
pub(crate) struct EventReader<'a> {
    plan: &'a Plan,
    selection: &'a Selection,
    /// Whether events of later days matter.
    wants_rivals: bool,
    /// Per event type, object and member: which member came next the last time.
    successors: Vec<Vec<Vec<usize>>>,
    payload: Payload,
    unknown: Vec<UnknownKey>,
}

/// The payload of the line that was read last.
#[derive(Debug, Default)]
struct Payload {
    slots: Vec<Slot>,
    /// For each object of the payload: whether its key occurred, and whether it is an object.
    occurred: Vec<bool>,
    objects: Vec<bool>,
    /// The first key that occurred twice: its object and place.
    duplicate: Option<(usize, Value)>,
    /// The event type that it was read for.
    read_as: Option<usize>,
}

/// The base fields of a line.
#[derive(Debug, Default)]
struct Base {
    values: [Option<Value>; 5],
    repeated: [bool; 5],
}

impl<'a> EventReader<'a> {
    pub(crate) fn new(plan: &'a Plan, selection: &'a Selection, wants_rivals: bool) -> Self {
        let successors = |plan: &TypePlan| {
            plan.objects.iter().map(|object| (0..=object.members.len()).collect()).collect()
        };
        Self {
            plan,
            selection,
            wants_rivals,
            successors: plan.event_types.iter().map(successors).collect(),
            payload: Payload::default(),
            unknown: Vec::new(),
        }
    }

    /// The payload's values by column, of the event that was read last.
    pub(crate) fn slots(&self) -> &[Slot] {
        &self.payload.slots
    }

    /// For each object of the payload whether it is there, of the event that was read last.
    pub(crate) fn objects(&self) -> &[bool] {
        &self.payload.objects
    }

    /// The keys that no schema knows, of the line that was read last.
    pub(crate) fn unknown(&self) -> &[UnknownKey] {
        &self.unknown
    }

    /// Reads and judges a line: valid UTF-8, not blank.
    pub(crate) fn read<'l>(&mut self, line: &'l [u8]) -> Result<Judged<'l>, Fault> {
        self.unknown.clear();
        self.payload.read_as = None;
        let base = self.scan(line).map_err(|malformed| Fault::malformed(line, malformed))?;
        let Some(base) = base else {
            return Err(Fault::new(Reason::NotAnEvent, None, "an object", excerpt(line)));
        };
        self.judge(line, &base)
    }

    /// The line's base fields, its payload if its type is known in time; `None` where the line is no object.
    fn scan(&mut self, line: &[u8]) -> Result<Option<Base>, Malformed> {
        let mut scanner = Scanner::new(line);
        if scanner.peek() != Some(b'{') {
            scanner.value()?;
            scanner.end()?;
            return Ok(None);
        }
        let mut base = Base::default();
        let mut expected = EVENT_ID;
        let mut more = scanner.enter_object()?;
        while more {
            let field = if scanner.take_key(BASE_KEYS[expected]) {
                Some(expected)
            } else {
                let key = scanner.key()?;
                let name = key.string(line).unwrap_or_default();
                let field = BASE_NAMES.iter().position(|base_name| base_name.as_bytes() == &*name);
                if field.is_none() {
                    self.unknown.push((None, key));
                }
                field
            };
            self.scan_value(&mut scanner, line, field, &mut base)?;
            expected = field.map_or(expected, |field| (field + 1) % BASE_KEYS.len());
            more = scanner.next_member()?;
        }
        scanner.end()?;
        Ok(Some(base))
    }

    fn scan_value(
        &mut self,
        scanner: &mut Scanner<'_>,
        line: &[u8],
        field: Option<usize>,
        base: &mut Base,
    ) -> Result<(), Malformed> {
        let start = scanner.peek();
        if let (Some(DATA), None, Some(b'{')) = (field, base.values[DATA], start)
            && let Some(type_index) = self.type_to_read(line, base)
        {
            let start = scanner.position();
            self.read_payload(scanner, line, type_index)?;
            base.values[DATA] = Some(Value { kind: Kind::Object, start, end: scanner.position() });
            return Ok(());
        }
        let value = scanner.value()?;
        if let Some(field) = field {
            if base.values[field].is_some() {
                base.repeated[field] = true;
            } else {
                base.values[field] = Some(value);
            }
        }
        Ok(())
    }

    /// The type to read a payload as, if what came before it in the line says so and does not rule it out.
    fn type_to_read(&self, line: &[u8], base: &Base) -> Option<usize> {
        let domain = base.values[DOMAIN]?.string(line)?;
        let event_type = base.values[EVENT_TYPE]?.string(line)?;
        if !self.selection.wants(&domain, &event_type) {
            return None;
        }
        if self.selection.days.is_some() {
            let micros = timestamp::parse_timestamp(&base.values[TIMESTAMP]?.string(line)?)?;
            if self.is_filtered(self.selection.timing(micros)) {
                return None;
            }
        }
        self.plan.find(&domain, &event_type)
    }

    fn is_filtered(&self, timing: Timing) -> bool {
        timing == Timing::Before || (timing == Timing::After && !self.wants_rivals)
    }

    fn judge<'l>(&mut self, line: &'l [u8], base: &Base) -> Result<Judged<'l>, Fault> {
        for field in [DOMAIN, EVENT_TYPE] {
            base.refuse_repeated(field)?;
        }
        let domain = base.string(line, DOMAIN)?;
        let event_type = base.string(line, EVENT_TYPE)?;
        if !self.selection.wants(&domain, &event_type) {
            return Ok(Judged::Filtered);
        }
        base.refuse_repeated(TIMESTAMP)?;
        let time = base.string(line, TIMESTAMP)?;
        let micros = timestamp::parse_timestamp(&time);
        let timing = micros.map_or(Timing::Within, |micros| self.selection.timing(micros));
        if self.is_filtered(timing) {
            return Ok(Judged::Filtered);
        }
        let type_index = self.plan.find(&domain, &event_type).ok_or_else(|| {
            let found = excerpt(&[&*domain, b" / ", &*event_type].concat());
            Fault::new(Reason::UnknownEvent, None, "an event of the catalog", found)
        });
        let is_rival = timing == Timing::After;
        match type_index.and_then(|type_index| self.judge_event(line, base, type_index, micros, &time)) {
            Ok(event) => Ok(Judged::Event(Event { is_rival, ..event })),
            // It was not asked for, and a bad line takes no part in "latest".
            Err(_) if is_rival => Ok(Judged::Filtered),
            Err(fault) => Err(fault),
        }
    }

    /// Judges all that the filters don't need.
    fn judge_event<'l>(
        &mut self,
        line: &'l [u8],
        base: &Base,
        type_index: usize,
        micros: Option<i64>,
        time: &[u8],
    ) -> Result<Event<'l>, Fault> {
        for field in [EVENT_ID, DATA] {
            base.refuse_repeated(field)?;
        }
        let id = base.event_id(line)?;
        let Some(micros) = micros else {
            let expected = timestamp::EXPECTED_TIMESTAMP;
            return Err(Fault::new(Reason::BadTimestamp, Some(event::TIMESTAMP), expected, excerpt(time)));
        };
        self.judge_payload(line, base, type_index)?;
        Ok(Event { type_index, micros, id, is_rival: false })
    }

    fn judge_payload(&mut self, line: &[u8], base: &Base, type_index: usize) -> Result<(), Fault> {
        match base.values[DATA] {
            Some(data) if data.kind == Kind::Object => {
                if self.payload.read_as.is_none() {
                    self.read_payload(&mut Scanner::at(line, data), line, type_index)
                        .map_err(|malformed| Fault::malformed(line, malformed))?;
                }
            }
            None | Some(Value { kind: Kind::Null, .. }) => {
                self.payload.reset(&self.plan.event_types[type_index], type_index);
            }
            Some(data) => return Err(wrong_base_type(DATA, "an object or null", data.text(line))),
        }
        if let Some((object, key)) = self.payload.duplicate {
            let parent = &self.plan.event_types[type_index].objects[object].path;
            let name = key.string(line).unwrap_or_default();
            let path = format!("{parent}.{}", String::from_utf8_lossy(&name));
            return Err(duplicate_key(&path));
        }
        Ok(())
    }

    fn read_payload(
        &mut self,
        scanner: &mut Scanner<'_>,
        line: &[u8],
        type_index: usize,
    ) -> Result<(), Malformed> {
        let plan: &'a TypePlan = &self.plan.event_types[type_index];
        self.payload.reset(plan, type_index);
        self.read_object(scanner, line, plan, type_index, 0)
    }

    /// Reads an object of the payload. Recursion goes as deep as the catalog's objects nest, not the line's.
    fn read_object(
        &mut self,
        scanner: &mut Scanner<'_>,
        line: &[u8],
        plan: &'a TypePlan,
        type_index: usize,
        object_index: usize,
    ) -> Result<(), Malformed> {
        let object = &plan.objects[object_index];
        self.payload.objects[object_index] = true;
        // Which member is expected next; `previous` is one more than the member before, 0 at the front.
        let mut previous = 0;
        let mut more = scanner.enter_object()?;
        while more {
            let key_start = scanner.position();
            let guess = self.successors[type_index][object_index][previous];
            let guessed = object.members.get(guess).is_some_and(|member| scanner.take_key(&member.quoted));
            let found = if guessed {
                Some(guess)
            } else {
                let key = scanner.key()?;
                let found = object.find(&key.string(line).unwrap_or_default());
                match found {
                    Some(member) => self.successors[type_index][object_index][previous] = member,
                    None => self.unknown.push((Some((type_index, object_index)), key)),
                }
                found
            };
            let Some(member) = found else {
                scanner.value()?;
                more = scanner.next_member()?;
                continue;
            };
            previous = member + 1;
            let is_new = match object.members[member].target {
                Target::Column(column) => {
                    let slot = &mut self.payload.slots[column];
                    let is_new = *slot == Slot::Missing;
                    let value = scanner.value()?;
                    if is_new {
                        *slot = Slot::Value(value);
                    }
                    is_new
                }
                Target::Object(inner) => {
                    let is_new = !std::mem::replace(&mut self.payload.occurred[inner], true);
                    if is_new && scanner.peek() == Some(b'{') {
                        self.read_object(scanner, line, plan, type_index, inner)?;
                    } else {
                        let value = scanner.value()?;
                        if is_new && value.kind != Kind::Null {
                            let columns = plan.objects[inner].columns.clone();
                            self.payload.slots[columns].fill(Slot::NotAnObject(value));
                        }
                    }
                    is_new
                }
            };
            if !is_new && self.payload.duplicate.is_none() {
                self.payload.duplicate = Some((object_index, key_at(line, key_start)));
            }
            more = scanner.next_member()?;
        }
        Ok(())
    }
}

impl Payload {
    fn reset(&mut self, plan: &TypePlan, type_index: usize) {
        self.slots.clear();
        self.slots.resize(plan.columns.len(), Slot::Missing);
        self.objects.clear();
        self.objects.resize(plan.objects.len(), false);
        self.occurred.clear();
        self.occurred.resize(plan.objects.len(), false);
        self.duplicate = None;
        self.read_as = Some(type_index);
    }
}

impl Base {
    fn refuse_repeated(&self, field: usize) -> Result<(), Fault> {
        if self.repeated[field] { Err(duplicate_key(BASE_NAMES[field])) } else { Ok(()) }
    }

    fn string<'l>(&self, line: &'l [u8], field: usize) -> Result<Cow<'l, [u8]>, Fault> {
        match self.values[field] {
            None => Err(Fault::new(Reason::NotAnEvent, Some(BASE_NAMES[field]), "a string", "nothing")),
            Some(value) => {
                value.string(line).ok_or_else(|| wrong_base_type(field, "a string", value.text(line)))
            }
        }
    }

    fn event_id<'l>(&self, line: &'l [u8]) -> Result<Cow<'l, [u8]>, Fault> {
        let missing =
            |found: &str| Fault::new(Reason::MissingEventId, Some(event::EVENT_ID), "the event's id", found);
        match self.values[EVENT_ID] {
            None => Err(missing("nothing")),
            Some(Value { kind: Kind::Null, .. }) => Err(missing("null")),
            Some(value) => match value.string(line) {
                Some(id) if id.is_empty() => Err(missing("\"\"")),
                Some(id) => Ok(id),
                None => Err(wrong_base_type(EVENT_ID, "a string", value.text(line))),
            },
        }
    }
}

/// The key that begins at or behind `start`, which was scanned before.
fn key_at(line: &[u8], start: usize) -> Value {
    let value = Value { kind: Kind::Null, start, end: start };
    Scanner::at(line, value).key().unwrap_or(value)
}

#[cold]
fn wrong_base_type(field: usize, expected: &str, found: &[u8]) -> Fault {
    Fault::new(Reason::NotAnEvent, Some(BASE_NAMES[field]), expected, excerpt(found))
}

#[cold]
fn duplicate_key(path: &str) -> Fault {
    Fault::new(Reason::DuplicateKey, Some(path), "the key once", "it twice")
}
