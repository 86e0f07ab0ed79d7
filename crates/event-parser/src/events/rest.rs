//! A record whose payload is what the envelope leaves of it.
//!
//! Until its type is known, the record is scanned for the keys of the envelope, and the places of all other
//! values are noted: objects and lists are only skipped. As soon as the type is known, and at the latest at
//! its end, the members so far are read as the type's, from one noted value to the next, and all further ones
//! straight away.
//!
//! Where the type stood in an earlier record, the same text mostly has it in this one, too. So the record is
//! first read as the type that is found by that text, and again if it was another one.
//!
//! Where the payload is a column of its text, that is put together from the members at the end.
//!
//! Invariant: each member is read once as the payload's, unless the envelope took it whole.

use memchr::memmem::Finder;

use super::{
    EventReader,
    records::{Records, reached},
};
use crate::{
    envelope::{RECORD, Record, Stage, Taken},
    json::{KeyPredictor, Kind, Malformed, Next, OBJECT_START, OTHER_KEYS, Scanner, Value, end_of_plain},
    plan::{OfType, PayloadPlan, Plan, RestMember},
};

/// The same for what is learned of the records of one type, of which there may be thousands.
pub(crate) const OTHER_REST_KEYS: usize = 16;

/// What is known of such a record.
#[derive(Debug)]
pub(super) struct Rest {
    /// By payload.
    key_predictors: Vec<KeyPredictor>,
    /// The values that were scanned before the type was known.
    members: Vec<Value>,
    /// The record's start.
    start: usize,
    /// Whether some of them were skipped, and not read since.
    has_skipped: bool,
    /// Members that are only taken if their alternative is used.
    undecided: Vec<Undecided>,
    /// Finds the text before the type's name.
    before_type: Option<Finder<'static>>,
}

#[derive(Debug, Clone, Copy)]
struct Undecided {
    member: RestMember,
    value: Value,
    /// The position before its key.
    before: usize,
    is_first: bool,
}

impl Rest {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            key_predictors: plan.payloads().map(|_| KeyPredictor::default()).collect(),
            members: Vec::new(),
            start: 0,
            has_skipped: false,
            undecided: Vec::new(),
            before_type: None,
        }
    }

    pub(super) fn reset(&mut self) {
        self.members.clear();
        self.undecided.clear();
        self.has_skipped = false;
    }

    /// Reads what was skipped, if no type was found that reads it.
    pub(super) fn read_skipped(&self, line: &[u8]) -> Result<(), Malformed> {
        if !self.has_skipped {
            return Ok(());
        }
        for &value in &self.members {
            if matches!(value.kind(), Kind::Object | Kind::Array) {
                let mut scanner = Scanner::at_depth(line, value, 1);
                scanner.value()?;
                reached(&scanner, value)?;
            }
        }
        Ok(())
    }
}

impl Records<'_> {
    /// Scans the record for what the envelope reads; the payload, too, as soon as the type is known.
    pub(super) fn scan_rest<'l>(
        &mut self,
        reader: &mut EventReader<'_>,
        scanner: &mut Scanner<'l>,
        line: &'l [u8],
        text: &'l [u8],
    ) -> Result<(), Malformed> {
        self.rest.start = scanner.position();
        if let Some(behind) = self.read_guessed(reader, line, text) {
            *scanner = behind;
            return Ok(());
        }
        scanner.open_object()?;
        let plan = &self.envelope.nodes[RECORD];
        let mut position = OBJECT_START;
        loop {
            let before = scanner.position();
            let find = |name: &[u8]| plan.find(name);
            let places = (plan.members.len(), OTHER_KEYS);
            let next = self.key_predictors[RECORD].next_of_many(scanner, position, places, find)?;
            position = next.position();
            let (value, decides) = match next {
                Next::End => return Ok(()),
                Next::Unknown | Next::Other(_) => match scanner.peek() {
                    Some(b'{' | b'[') if !self.is_unwanted => {
                        self.rest.has_skipped = true;
                        (scanner.skip()?, false)
                    }
                    _ => (scanner.value()?, false),
                },
                Next::Member(member) => {
                    let key = plan.members[member];
                    let value = self.capture(reader, scanner, line, key)?;
                    (value, self.envelope.keys[key].stage == Stage::Type)
                }
            };
            if !self.is_unwanted {
                self.rest.members.push(value);
            }
            if decides
                && let Some(type_index) = self.type_to_read(reader, line)
                && !self.plan.payload(type_index).shape.is_json
            {
                reader.read_as = Some(type_index);
                *scanner = self.read_rest(reader, (line, text), OfType::Known(type_index))?;
                if value.kind() == (Kind::String { escaped: false })
                    && self.envelope.domain.literal().is_some()
                    && self.envelope.enclosing.is_none()
                {
                    let text = &line[before..=value.start()];
                    self.rest.before_type.get_or_insert_with(|| Finder::new(text).into_owned());
                }
                return Ok(());
            }
        }
    }

    /// Reads the record as the type that is named where an earlier record had its own; returns a scanner
    /// behind it. `None` if it is of another type.
    fn read_guessed<'l>(
        &mut self,
        reader: &mut EventReader<'_>,
        line: &'l [u8],
        text: &'l [u8],
    ) -> Option<Scanner<'l>> {
        let before = self.rest.before_type.as_ref()?;
        let start = before.find(line)? + before.needle().len();
        let name = &line[start..end_of_plain(text, line.len(), start)];
        let domain = self.envelope.domain.literal()?;
        let guess = reader.types_found.find(self.plan, domain, name)?;
        if self.plan.payload(guess).shape.is_json {
            return None;
        }
        let behind = self.read_rest(reader, (line, text), OfType::Known(guess));
        if let Ok(behind) = behind
            && self.type_to_read(reader, line) == Some(guess)
        {
            reader.read_as = Some(guess);
            return Some(behind);
        }
        let start = self.rest.start;
        self.reset(reader);
        self.rest.start = start;
        None
    }

    /// Reads the payload, unless it was read on the way, and decides what was left open.
    pub(super) fn finish_rest(
        &mut self,
        reader: &mut EventReader<'_>,
        (line, text): (&[u8], &[u8]),
        of_type: OfType,
    ) -> Result<(), Malformed> {
        let shape = &self.plan.payload_of(of_type).shape;
        if shape.is_json {
            return self.take_rest(reader.payload.begin_text(shape), line, text);
        }
        if reader.read_as.is_none() {
            self.read_rest(reader, (line, text), of_type)?;
        }
        let root = shape.root;
        let undecided = std::mem::take(&mut self.rest.undecided);
        for &Undecided { member, value, before, is_first } in &undecided {
            if member.key.is_some_and(|key| self.is_used(key)) {
                continue;
            }
            let mut scanner = Scanner::at_depth(line, value, 1);
            if let Some(member) = member.member {
                reader.read_member(&mut scanner, of_type, (root, member), Some(value))?;
            } else {
                let mut scanner = Scanner::in_object(text, Some(line.len()), before, 1);
                let key = scanner.next_key(is_first)?;
                reader.unknown.extend(key.map(|key| (Some(self.root_id(of_type)), key)));
            }
        }
        self.rest.undecided = undecided;
        Ok(())
    }

    /// Adds the text of the record's members that the envelope did not take, as an object.
    fn take_rest(&self, object: &mut Vec<u8>, line: &[u8], text: &[u8]) -> Result<(), Malformed> {
        let mut scanner = Scanner::in_text_from(text, line.len(), self.rest.start);
        scanner.open_object()?;
        object.push(b'{');
        for (index, value) in self.rest.members.iter().enumerate() {
            let Some(key) = scanner.next_key(index == 0)? else { break };
            scanner.go_to(value.end());
            if key.string(line).is_some_and(|key| self.is_taken(&key)) {
                continue;
            }
            if object.len() > 1 {
                object.push(b',');
            }
            object.extend_from_slice(key.text(line));
            object.push(b':');
            object.extend_from_slice(value.text(line));
        }
        object.push(b'}');
        Ok(())
    }

    /// Reads the record as an event of this type; returns a scanner behind it.
    fn read_rest<'l>(
        &mut self,
        reader: &mut EventReader<'_>,
        (line, text): (&'l [u8], &'l [u8]),
        of_type: OfType,
    ) -> Result<Scanner<'l>, Malformed> {
        let PayloadPlan { index: payload, shape, rest, .. } = self.plan.payload_of(of_type);
        let (root, root_id) = (shape.root, self.root_id(of_type));
        let Some(plan) = rest else { return Ok(Scanner::new(line)) };
        reader.begin_payload(shape);
        let mut scanner = Scanner::in_text_from(text, line.len(), self.rest.start);
        scanner.open_object()?;
        let (mut position, mut index) = (OBJECT_START, 0);
        loop {
            let before = scanner.position();
            let find = |name: &[u8]| plan.find(name);
            let predictor = &mut self.rest.key_predictors[*payload];
            let places = (plan.members.len(), OTHER_REST_KEYS);
            let next = predictor.next_of_many(&mut scanner, position, places, find)?;
            let is_first = position == OBJECT_START;
            position = next.position();
            let known = self.rest.members.get(index).copied();
            index += 1;
            match next {
                Next::End => {
                    self.rest.has_skipped = false;
                    return Ok(scanner);
                }
                Next::Unknown | Next::Other(_) => {
                    let key = predictor.unknown();
                    reader.unknown.extend(key.map(|key| (Some(root_id), key)));
                    scanner.pass(known)?;
                }
                Next::Member(member) => {
                    let member = plan.members[member];
                    if let Some(column) = member.column
                        && !reader.payload.has_column(column)
                    {
                        let value = scanner.pass(known)?;
                        reader.payload.take(column, value);
                        continue;
                    }
                    let Some(key) = member.key else {
                        if let Some(member) = member.member {
                            reader.read_member(&mut scanner, of_type, (root, member), known)?;
                        }
                        continue;
                    };
                    let start = scanner.position();
                    let value = match known {
                        Some(value) => value,
                        None => self.capture(reader, &mut scanner, line, key)?,
                    };
                    scanner.go_to(value.end());
                    match (self.envelope.keys[key].taken, member.member) {
                        (Taken::Always, _) => {}
                        (Taken::IfUsed, _) => {
                            self.rest.undecided.push(Undecided { member, value, before, is_first });
                        }
                        (Taken::Never, Some(member)) => {
                            scanner.go_to(start);
                            reader.read_member(&mut scanner, of_type, (root, member), Some(value))?;
                        }
                        (Taken::Never, None) => {
                            let mut key = Scanner::in_object(text, Some(line.len()), before, 1);
                            let key = key.next_key(is_first)?;
                            reader.unknown.extend(key.map(|key| (Some(root_id), key)));
                        }
                    }
                }
            }
        }
    }

    fn root_id(&self, of_type: OfType) -> usize {
        let shape = &self.plan.payload_of(of_type).shape;
        shape.objects[shape.root].id
    }

    /// Whether a template is made with this key.
    pub(super) fn is_used(&self, key: usize) -> bool {
        let record = Record { line: b"", enclosing: b"", captures: &self.captures };
        self.envelope.keys[key]
            .uses
            .iter()
            .any(|alternatives| record.used(alternatives).is_some_and(|(used, _)| used.key == key))
    }
}
