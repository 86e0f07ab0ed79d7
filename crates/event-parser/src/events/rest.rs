//! A record whose payload is what the envelope leaves of it.
//!
//! Until its type is known, the record is scanned for the keys of the envelope, and the places of all other
//! values are noted: objects and lists are only skipped. As soon as the type is known, and at the latest at
//! its end, the members so far are read as the type's, from one noted value to the next, and all further ones
//! straight away.
//!
//! Invariant: each member is read once as the payload's, unless the envelope took it whole.

use super::{
    EventReader,
    records::{Records, reached},
};
use crate::{
    envelope::{PiecePlan, RECORD, Record, Stage, Taken},
    json::{KeyPredictor, Kind, Malformed, Next, OBJECT_START, Scanner, Value},
    plan::{Plan, RestMember},
};

/// What is known of such a record.
#[derive(Debug)]
pub(super) struct Rest {
    /// By event type.
    key_predictors: Vec<KeyPredictor>,
    /// The values that were scanned before the type was known.
    members: Vec<Value>,
    /// The record's start.
    start: usize,
    /// Whether some of them were skipped, and not read since.
    has_skipped: bool,
    /// Members that are only taken if their alternative is used.
    undecided: Vec<Undecided>,
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
            key_predictors: plan.event_types.iter().map(|_| KeyPredictor::default()).collect(),
            members: Vec::new(),
            start: 0,
            has_skipped: false,
            undecided: Vec::new(),
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
        scanner.open_object()?;
        let plan = &self.envelope.nodes[RECORD];
        let mut position = OBJECT_START;
        loop {
            let find = |name: &[u8]| plan.find(name);
            let next = self.key_predictors[RECORD].next(scanner, position, plan.members.len(), find)?;
            position = next.position();
            let (value, decides) = match next {
                Next::End => return Ok(()),
                Next::Unknown => match scanner.peek() {
                    Some(b'{' | b'[') => {
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
            self.rest.members.push(value);
            if decides && let Some(type_index) = self.type_to_read(reader, line) {
                *scanner = self.read_rest(reader, (line, text), type_index)?;
                return Ok(());
            }
        }
    }

    /// Reads the payload, unless it was read on the way, and decides what was left open.
    pub(super) fn finish_rest(
        &mut self,
        reader: &mut EventReader<'_>,
        (line, text): (&[u8], &[u8]),
        type_index: usize,
    ) -> Result<(), Malformed> {
        if reader.read_as.is_none() {
            self.read_rest(reader, (line, text), type_index)?;
        }
        let root = self.plan.event_types[type_index].payload.root;
        let undecided = std::mem::take(&mut self.rest.undecided);
        for &Undecided { member, value, before, is_first } in &undecided {
            if member.key.is_some_and(|key| self.is_used(key)) {
                continue;
            }
            let mut scanner = Scanner::at_depth(line, value, 1);
            match member.member {
                Some(member) => reader.read_member(&mut scanner, type_index, (root, member), Some(value))?,
                None => {
                    let mut scanner = Scanner::in_object(text, Some(line.len()), before);
                    let key = scanner.next_key(is_first)?;
                    reader.unknown.extend(key.map(|key| (Some(self.root_id(type_index)), key)));
                }
            }
        }
        self.rest.undecided = undecided;
        Ok(())
    }

    /// Reads the record as an event of this type; returns a scanner behind it.
    fn read_rest<'l>(
        &mut self,
        reader: &mut EventReader<'_>,
        (line, text): (&'l [u8], &'l [u8]),
        type_index: usize,
    ) -> Result<Scanner<'l>, Malformed> {
        let (root, root_id) = (self.plan.event_types[type_index].payload.root, self.root_id(type_index));
        let Some(plan) = &self.plan.event_types[type_index].rest else { return Ok(Scanner::new(line)) };
        reader.begin_payload(type_index);
        let mut scanner = Scanner::in_text_from(text, line.len(), self.rest.start);
        scanner.open_object()?;
        let (mut position, mut index) = (OBJECT_START, 0);
        loop {
            let before = scanner.position();
            let find = |name: &[u8]| plan.find(name);
            let predictor = &mut self.rest.key_predictors[type_index];
            let next = predictor.next(&mut scanner, position, plan.members.len(), find)?;
            let is_first = position == OBJECT_START;
            position = next.position();
            let known = self.rest.members.get(index).copied();
            index += 1;
            match next {
                Next::End => {
                    self.rest.has_skipped = false;
                    return Ok(scanner);
                }
                Next::Unknown => {
                    let key = predictor.unknown();
                    reader.unknown.extend(key.map(|key| (Some(root_id), key)));
                    scanner.pass(known)?;
                }
                Next::Member(member) => {
                    let member = plan.members[member];
                    let Some(key) = member.key else {
                        if let Some(member) = member.member {
                            reader.read_member(&mut scanner, type_index, (root, member), known)?;
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
                            reader.read_member(&mut scanner, type_index, (root, member), Some(value))?;
                        }
                        (Taken::Never, None) => {
                            let mut key = Scanner::in_object(text, Some(line.len()), before);
                            let key = key.next_key(is_first)?;
                            reader.unknown.extend(key.map(|key| (Some(root_id), key)));
                        }
                    }
                }
            }
        }
    }

    fn root_id(&self, type_index: usize) -> usize {
        let shape = &self.plan.event_types[type_index].payload;
        shape.objects[shape.root].id
    }

    /// Whether a template is made with this key.
    pub(super) fn is_used(&self, key: usize) -> bool {
        let record = Record { line: b"", enclosing: b"", captures: &self.captures };
        self.envelope.templates().flat_map(|template| &template.pieces).any(|piece| match piece {
            PiecePlan::Literal(_) => false,
            PiecePlan::Paths { alternatives, .. } => {
                record.used(alternatives).is_some_and(|(used, _)| used.key == key)
            }
        })
    }
}
